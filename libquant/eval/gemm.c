/* gemm.c -- packing, tiling, and the scalar kernel that defines the result. */
#include "libquant/eval/gemm.h"

#include "libquant/codec/kernels.h"
#include "libquant/eval/fma.h"
#include "libquant/eval/gemm_kernels.h"

#include <string.h>

/* Steps of k between visits to C: a panel of W (K_BLOCK * nr floats) stays in the first-level cache
 * while all of A passes by. */
enum { K_BLOCK = 256 };

enum { SCALAR_MR = 4, SCALAR_NR = 4 };

/* The definition, with the fused multiply-add that is passed in. */
static inline __attribute__((always_inline)) void
scalar_tile(size_t k, const float *a, const float *w, float *c, size_t ldc, int first,
            float (*fused)(float, float, float))
{
    float sum[SCALAR_MR][SCALAR_NR];
    for (size_t i = 0; i < SCALAR_MR; i++)
        for (size_t j = 0; j < SCALAR_NR; j++)
            sum[i][j] = first ? 0.0f : c[i * ldc + j];
    for (; k > 0; k--, a += SCALAR_MR, w += SCALAR_NR)
        for (size_t i = 0; i < SCALAR_MR; i++)
            for (size_t j = 0; j < SCALAR_NR; j++)
                sum[i][j] = fused(a[i], w[j], sum[i][j]);
    for (size_t i = 0; i < SCALAR_MR; i++)
        for (size_t j = 0; j < SCALAR_NR; j++)
            c[i * ldc + j] = sum[i][j];
}

static void tile_exact(size_t k, const float *a, const float *w, float *c, size_t ldc, int first)
{
    scalar_tile(k, a, w, c, ldc, first, fma_exact);
}

static const struct gemm_kernel kernel_exact = {SCALAR_MR, SCALAR_NR, tile_exact};

/* The same bits from the instruction, where the compiler may use it or the CPU is asked first. */
#if defined(__x86_64__)
#define FUSED __attribute__((target("fma")))
#elif defined(__aarch64__)
#define FUSED
#endif

#ifdef FUSED
FUSED static inline float fma_instruction(float a, float b, float c)
{
    return __builtin_fmaf(a, b, c);
}

FUSED static void tile_fused(size_t k, const float *a, const float *w, float *c, size_t ldc,
                             int first)
{
    scalar_tile(k, a, w, c, ldc, first, fma_instruction);
}

static const struct gemm_kernel kernel_fused = {SCALAR_MR, SCALAR_NR, tile_fused};
#endif

static const struct gemm_kernel *scalar_kernel(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("fma") ? &kernel_fused : &kernel_exact;
#elif defined(__aarch64__)
    return &kernel_fused;
#else
    return &kernel_exact;
#endif
}

const struct gemm_kernel *gemm_kernel_exact(void)
{
    return &kernel_exact;
}

const struct gemm_kernel *gemm_kernel_for(unsigned isa)
{
#if defined(__x86_64__)
    if (isa & ISA_AVX512)
        return &gemm_kernel_avx512;
    if (isa & ISA_AVX2)
        return &gemm_kernel_avx2;
#elif defined(__aarch64__)
    if (isa & ISA_NEON)
        return &gemm_kernel_neon;
#endif
    (void)isa;
    return scalar_kernel();
}

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

size_t gemm_packed_floats(const struct gemm_kernel *g, size_t rows, size_t k)
{
    return round_up(rows, g->mr) * k;
}

/* Blocks of k one after the other; within a block, tiles of `width` rows; within a tile, step by
 * step, the values of all its rows. Rows that are missing in the last tile are zeros. */
static void pack_block(const float *src, size_t ld, size_t rows, size_t k, size_t width, float *dst)
{
    for (size_t r = 0; r < rows; r += width, dst += k * width) {
        const size_t n = rows - r < width ? rows - r : width;
        if (n < width)
            memset(dst, 0, k * width * sizeof *dst);
        for (size_t i = 0; i < n; i++) {
            const float *const row = src + (r + i) * ld;
            for (size_t p = 0; p < k; p++)
                dst[p * width + i] = row[p];
        }
    }
}

void gemm_pack_rows(const struct gemm_kernel *g, const float *a, size_t lda, size_t m, size_t k,
                    float *packed, size_t first, size_t n)
{
    for (size_t p = 0; p < k; p += K_BLOCK) {
        const size_t depth = k - p < K_BLOCK ? k - p : K_BLOCK;
        pack_block(a + first * lda + p, lda, n, depth, g->mr, packed + first * depth);
        packed += round_up(m, g->mr) * depth;
    }
}

void gemm_pack(const struct gemm_kernel *g, const float *a, size_t lda, size_t m, size_t k,
               float *packed)
{
    gemm_pack_rows(g, a, lda, m, k, packed, 0, m);
}

size_t gemm_scratch_floats(const struct gemm_kernel *g, size_t n)
{
    return round_up(n, g->nr) * K_BLOCK + g->mr * g->nr;
}

/* A tile at the edge of C is computed aside and the part that exists is copied. */
static void edge_tile(const struct gemm_kernel *g, size_t k, const float *a, const float *w,
                      float *c, size_t ldc, size_t m, size_t n, int first, float *aside)
{
    for (size_t i = 0; i < m && !first; i++)
        memcpy(aside + i * g->nr, c + i * ldc, n * sizeof *c);
    g->tile(k, a, w, aside, g->nr, first);
    for (size_t i = 0; i < m; i++)
        memcpy(c + i * ldc, aside + i * g->nr, n * sizeof *c);
}

void gemm_rows(const struct gemm_kernel *g, const float *packed_a, size_t m, size_t k,
               const float *w, size_t ldw, size_t n, float *c, size_t ldc, float *scratch)
{
    float *const aside = scratch, *const panels = scratch + g->mr * g->nr;
    memset(aside, 0, g->mr * g->nr * sizeof *aside);
    for (size_t p = 0; p < k; p += K_BLOCK) {
        const size_t depth = k - p < K_BLOCK ? k - p : K_BLOCK;
        pack_block(w + p, ldw, n, depth, g->nr, panels);
        for (size_t j = 0; j < n; j += g->nr)
            for (size_t i = 0; i < m; i += g->mr) {
                const float *const a = packed_a + i * depth, *const b = panels + j * depth;
                const size_t rows = m - i < g->mr ? m - i : g->mr;
                const size_t cols = n - j < g->nr ? n - j : g->nr;
                if (rows == g->mr && cols == g->nr)
                    g->tile(depth, a, b, c + i * ldc + j, ldc, p == 0);
                else
                    edge_tile(g, depth, a, b, c + i * ldc + j, ldc, rows, cols, p == 0, aside);
            }
        packed_a += round_up(m, g->mr) * depth;
    }
}
