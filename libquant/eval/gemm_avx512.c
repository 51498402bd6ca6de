/* gemm_avx512.c -- 12 x 32 floats in twenty-four of the thirty-two registers. */
#include "libquant/eval/gemm_kernels.h"

#include <immintrin.h>

/* AHEAD: floats of A that are asked for before they are used. */
enum { MR = 12, NR = 32, AHEAD = 512 };

/* sum + x * w in the register of the sum: left to itself, gcc puts some into that of x, and moves
 * them. */
static inline __m512 add_product(__m512 sum, __m512 x, __m512 w)
{
    __asm__("vfmadd231ps %2, %1, %0" : "+v"(sum) : "v"(x), "v"(w));
    return sum;
}

static inline __attribute__((always_inline)) void step(__m512 sum[MR][2], const float *a,
                                                       const float *w)
{
    const __m512 w0 = _mm512_load_ps(w), w1 = _mm512_load_ps(w + 16);
#pragma GCC unroll 12
    for (size_t i = 0; i < MR; i++) {
        const __m512 x = _mm512_set1_ps(a[i]);
        sum[i][0] = add_product(sum[i][0], x, w0);
        sum[i][1] = add_product(sum[i][1], x, w1);
    }
}

/* Two steps at a time, for each of which one and a half lines of A are asked for: with a branch
 * around every other one, the branches would take ports of multiply-adds. */
static void tile(size_t k, const float *a, const float *w, float *c, bool begin)
{
    __m512 sum[MR][2];
#pragma GCC unroll 12
    for (size_t i = 0; i < MR; i++) {
        sum[i][0] = begin ? _mm512_setzero_ps() : _mm512_load_ps(c + i * NR);
        sum[i][1] = begin ? _mm512_setzero_ps() : _mm512_load_ps(c + i * NR + 16);
    }
    for (; k >= 2; k -= 2, a += 2 * MR, w += 2 * NR) {
        _mm_prefetch((const char *)(a + AHEAD), _MM_HINT_T0);
        step(sum, a, w);
        step(sum, a + MR, w + NR);
    }
    if (k)
        step(sum, a, w);
#pragma GCC unroll 12
    for (size_t i = 0; i < MR; i++) {
        _mm512_store_ps(c + i * NR, sum[i][0]);
        _mm512_store_ps(c + i * NR + 16, sum[i][1]);
    }
}

/* Four rows, 4, 8 and 12 further down of each: side by side, so that a vector has one lane from
 * each. */
static inline __m512 every_fourth(const float *src, size_t ld)
{
    __m512 x = _mm512_castps128_ps512(_mm_loadu_ps(src));
    x = _mm512_mask_broadcast_f32x4(x, 0x00f0, _mm_loadu_ps(src + 4 * ld));
    x = _mm512_mask_broadcast_f32x4(x, 0x0f00, _mm_loadu_ps(src + 8 * ld));
    return _mm512_mask_broadcast_f32x4(x, 0xf000, _mm_loadu_ps(src + 12 * ld));
}

static void transpose(size_t k, const float *src, size_t ld, float *dst, size_t width)
{
    for (; k > 0; k -= 4, src += 4, dst += 4 * width) {
        const __m512 r0 = every_fourth(src, ld), r1 = every_fourth(src + ld, ld),
                     r2 = every_fourth(src + 2 * ld, ld), r3 = every_fourth(src + 3 * ld, ld);
        const __m512d ab = _mm512_castps_pd(_mm512_unpacklo_ps(r0, r1)),
                      cd = _mm512_castps_pd(_mm512_unpacklo_ps(r2, r3)),
                      AB = _mm512_castps_pd(_mm512_unpackhi_ps(r0, r1)),
                      CD = _mm512_castps_pd(_mm512_unpackhi_ps(r2, r3));
        _mm512_store_pd(dst, _mm512_unpacklo_pd(ab, cd));
        _mm512_store_pd(dst + width, _mm512_unpackhi_pd(ab, cd));
        _mm512_store_pd(dst + 2 * width, _mm512_unpacklo_pd(AB, CD));
        _mm512_store_pd(dst + 3 * width, _mm512_unpackhi_pd(AB, CD));
    }
}

const struct gemm_kernel gemm_kernel_avx512 = {MR, NR, tile, transpose};
