/* gemm.c -- packing, tiling, and the scalar kernel that defines the result. */
#include "libquant/eval/gemm.h"

#include "libquant/codec/fma.h"
#include "libquant/codec/kernels.h"
#include "libquant/eval/gemm_kernels.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* K_BLOCK: steps of k between visits to C. A panel of W (K_BLOCK * nr floats) stays in the
 * first-level cache while a block of A passes by; that block (M_BLOCK * K_BLOCK floats), the panels
 * of a block of W and what becomes C stay in the second-level cache. N_BLOCK is a multiple of every
 * kernel's nr. */
enum { K_BLOCK = GEMM_DEPTH, M_BLOCK = 384, N_BLOCK = 192, LINE_FLOATS = 16 };

enum { SCALAR_MR = 4, SCALAR_NR = 4 };

/* The definition, with the fused multiply-add that is passed in. */
static inline __attribute__((always_inline)) void scalar_tile(size_t k, const float *a,
                                                              const float *w, float *c, bool begin,
                                                              float (*fused)(float, float, float))
{
    float sum[SCALAR_MR][SCALAR_NR];
    for (size_t i = 0; i < SCALAR_MR; i++)
        for (size_t j = 0; j < SCALAR_NR; j++)
            sum[i][j] = begin ? 0.0f : c[i * SCALAR_NR + j];
    for (; k > 0; k--, a += SCALAR_MR, w += SCALAR_NR)
        for (size_t i = 0; i < SCALAR_MR; i++)
            for (size_t j = 0; j < SCALAR_NR; j++)
                sum[i][j] = fused(a[i], w[j], sum[i][j]);
    for (size_t i = 0; i < SCALAR_MR; i++)
        for (size_t j = 0; j < SCALAR_NR; j++)
            c[i * SCALAR_NR + j] = sum[i][j];
}

static void tile_exact(size_t k, const float *a, const float *w, float *c, bool begin)
{
    scalar_tile(k, a, w, c, begin, fma_exact);
}

static const struct gemm_kernel kernel_exact = {SCALAR_MR, SCALAR_NR, tile_exact, NULL};

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

FUSED static void tile_fused(size_t k, const float *a, const float *w, float *c, bool begin)
{
    scalar_tile(k, a, w, c, begin, fma_instruction);
}

static const struct gemm_kernel kernel_fused = {SCALAR_MR, SCALAR_NR, tile_fused, NULL};
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

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t gemm_packed_floats(const struct gemm_kernel *g, size_t rows, size_t k)
{
    return round_up(rows, g->mr) * k;
}

/* ---- packing ---- */

typedef float f32x4 __attribute__((vector_size(16)));
#if defined(__clang__)
#define SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
typedef int32_t i32x4 __attribute__((vector_size(16)));
#define SHUFFLE(a, b, i, j, k, l) __builtin_shuffle(a, b, (i32x4){i, j, k, l})
#endif

/* Four rows of four floats to four columns. */
static void transpose_4x4(const float *src, size_t ld, float *dst, size_t width)
{
    f32x4 r[4];
    for (size_t i = 0; i < 4; i++)
        memcpy(&r[i], src + i * ld, sizeof r[i]);
    const f32x4 ab = SHUFFLE(r[0], r[1], 0, 4, 1, 5), cd = SHUFFLE(r[2], r[3], 0, 4, 1, 5);
    const f32x4 AB = SHUFFLE(r[0], r[1], 2, 6, 3, 7), CD = SHUFFLE(r[2], r[3], 2, 6, 3, 7);
    const f32x4 column[4] = {SHUFFLE(ab, cd, 0, 1, 4, 5), SHUFFLE(ab, cd, 2, 3, 6, 7),
                             SHUFFLE(AB, CD, 0, 1, 4, 5), SHUFFLE(AB, CD, 2, 3, 6, 7)};
    for (size_t i = 0; i < 4; i++)
        memcpy(dst + i * width, &column[i], sizeof column[i]);
}

/* n rows, `steps` of k steps (a multiple of LINE_FLOATS). Lines of both sides are done with before
 * they leave the first-level cache. */
static void transpose_rows(const float *src, size_t ld, size_t n, size_t steps, size_t width,
                           float *dst)
{
    for (size_t p = 0; p < steps; p += LINE_FLOATS)
        for (size_t r = 0; r < n; r += 4) {
            const size_t i = smaller(r, n - 4); /* some rows of the last four twice */
            for (size_t q = p; q < p + LINE_FLOATS; q += 4)
                transpose_4x4(src + i * ld + q, ld, dst + q * width + i, width);
        }
}

/* `width` rows, of which n are there, step by step: the values of all rows. The others are zeros.
 */
static void pack_tile(const struct gemm_kernel *g, const float *src, size_t ld, size_t n, size_t k,
                      size_t width, float *dst)
{
    const size_t steps = n < 4 ? 0 : k / LINE_FLOATS * LINE_FLOATS;
    if (n < width)
        memset(dst, 0, k * width * sizeof *dst);
    if (g->transpose && n == width && width % 16 == 0)
        for (size_t i = 0; i < n; i += 16)
            g->transpose(steps, src + i * ld, ld, dst + i, width);
    else if (steps)
        transpose_rows(src, ld, n, steps, width, dst);
    for (size_t i = 0; i < n; i++)
        for (size_t p = steps; p < k; p++)
            dst[p * width + i] = src[i * ld + p];
}

/* The same of rows whose steps are apart, their own values side by side. */
static void copy_tile(const float *src, size_t ld, size_t n, size_t k, size_t width, float *dst)
{
    for (size_t p = 0; p < k; p++, dst += width) {
        memcpy(dst, src + p * ld, n * sizeof *dst);
        memset(dst + n, 0, (width - n) * sizeof *dst);
    }
}

/* Blocks of k one after the other; within a block, tiles of mr rows. */
void gemm_pack_rows(const struct gemm_kernel *g, const float *a, size_t lda, size_t m, size_t k,
                    float *packed, size_t first, size_t n)
{
    for (size_t p = 0; p < k; p += K_BLOCK) {
        const size_t depth = smaller(k - p, K_BLOCK);
        for (size_t r = first; r < first + n; r += g->mr)
            pack_tile(g, a + r * lda + p, lda, smaller(first + n - r, g->mr), depth, g->mr,
                      packed + r * depth);
        packed += round_up(m, g->mr) * depth;
    }
}

void gemm_pack(const struct gemm_kernel *g, const float *a, size_t lda, size_t m, size_t k,
               float *packed)
{
    gemm_pack_rows(g, a, lda, m, k, packed, 0, m);
}

/* ---- multiplying ---- */

size_t gemm_scratch_floats(const struct gemm_kernel *g, size_t m)
{
    return N_BLOCK * (K_BLOCK + round_up(m, g->mr)) + g->nr * K_BLOCK + LINE_FLOATS;
}

/* The part of C that a block of W belongs to, gathered tile by tile: rows of a large C are pages
 * apart, and their lines would drive each other out of the caches. */
struct block {
    const struct gemm_kernel *g;
    size_t m, n;   /* rows: of A, rounded up to tiles, and of W */
    float *panels; /* of W */
    float *c;      /* panel after panel, m * nr each */
    float *room;   /* for the rows of one panel */
};

static void pack_panels(const struct block *b, const struct gemm_weights *w, size_t row, size_t p,
                        size_t depth)
{
    const size_t nr = b->g->nr;
    for (size_t j = 0; j < b->n; j += nr) {
        const size_t n = smaller(b->n - j, nr);
        size_t ld;
        const float *const values = w->fetch(w->ctx, row + j, n, p, depth, b->room, &ld);
        if (w->by_columns)
            copy_tile(values, ld, n, depth, nr, b->panels + j * depth);
        else
            pack_tile(b->g, values, ld, n, depth, nr, b->panels + j * depth);
    }
}

/* A block of A times the panels, `depth` steps. */
static void multiply_block(const struct block *b, const float *a, size_t first, size_t height,
                           size_t depth, bool begin)
{
    const struct gemm_kernel *const g = b->g;
    for (size_t j = 0; j < b->n; j += g->nr)
        for (size_t i = first; i < first + height; i += g->mr)
            g->tile(depth, a + i * depth, b->panels + j * depth, b->c + j * b->m + i * g->nr,
                    begin);
}

/* m rows, ld apart, of what the panels have gathered. The lines of the rows after this one are on
 * their way meanwhile. */
static void scatter_rows(const struct block *b, float *c, size_t m, size_t ld)
{
    enum { ROWS_AHEAD = 4 };
    const size_t nr = b->g->nr, whole = b->n / nr * nr;
    for (size_t i = 0; i < m; i++, c += ld) {
        const float *const sums = b->c + i * nr;
        for (size_t j = 0; i + ROWS_AHEAD < m && j < b->n; j += LINE_FLOATS)
            __builtin_prefetch(c + ROWS_AHEAD * ld + j, 1);
        for (size_t j = 0; j < whole; j += nr)
            for (size_t l = 0; l < nr; l += 4)
                memcpy(c + j + l, sums + j * b->m + l, 4 * sizeof *c);
        memcpy(c + whole, sums + whole * b->m, (b->n - whole) * sizeof *c);
    }
}

void gemm_rows(const struct gemm_kernel *g, const float *packed_a, size_t m, size_t k,
               const struct gemm_weights *w, size_t n, float *c, size_t ldc, float *scratch)
{
    const uintptr_t line = LINE_FLOATS * sizeof *scratch;
    struct block b = {.g = g, .m = round_up(m, g->mr)};
    const size_t height = M_BLOCK / g->mr * g->mr;
    b.panels = (float *)(((uintptr_t)scratch + line - 1) / line * line);
    b.c = b.panels + N_BLOCK * K_BLOCK;
    b.room = b.c + N_BLOCK * b.m;
    for (size_t j = 0; j < n; j += N_BLOCK) {
        const float *a = packed_a;
        b.n = smaller(n - j, N_BLOCK);
        for (size_t p = 0; p < k; p += K_BLOCK) {
            const size_t depth = smaller(k - p, K_BLOCK);
            pack_panels(&b, w, j, p, depth);
            for (size_t i = 0; i < b.m; i += height)
                multiply_block(&b, a, i, smaller(b.m - i, height), depth, p == 0);
            a += b.m * depth;
        }
        scatter_rows(&b, c + j, m, ldc);
    }
}

const float *gemm_fetch_rows(void *ctx, size_t row, size_t n, size_t p, size_t depth, float *room,
                             size_t *ld)
{
    const struct gemm_matrix *const w = ctx;
    (void)n;
    (void)depth;
    (void)room;
    *ld = w->ld;
    return w->rows + row * w->ld + p;
}

const float *gemm_fetch_columns(void *ctx, size_t row, size_t n, size_t p, size_t depth,
                                float *room, size_t *ld)
{
    const struct gemm_matrix *const w = ctx;
    (void)n;
    (void)depth;
    (void)room;
    *ld = w->ld;
    return w->rows + p * w->ld + row;
}
