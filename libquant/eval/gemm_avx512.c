/* gemm_avx512.c -- 12 x 32 floats in twenty-four of the thirty-two registers. */
#include "libquant/eval/gemm_kernels.h"

#include <immintrin.h>

enum { MR = 12, NR = 32 };

static void tile(size_t k, const float *a, const float *w, float *c, int first)
{
    __m512 sum[MR][2];
#pragma GCC unroll 12
    for (int i = 0; i < MR; i++) {
        sum[i][0] = first ? _mm512_setzero_ps() : _mm512_load_ps(c + i * NR);
        sum[i][1] = first ? _mm512_setzero_ps() : _mm512_load_ps(c + i * NR + 16);
    }
    for (; k > 0; k--, a += MR, w += NR) {
        const __m512 w0 = _mm512_load_ps(w), w1 = _mm512_load_ps(w + 16);
#pragma GCC unroll 12
        for (int i = 0; i < MR; i++) {
            const __m512 x = _mm512_set1_ps(a[i]);
            sum[i][0] = _mm512_fmadd_ps(x, w0, sum[i][0]);
            sum[i][1] = _mm512_fmadd_ps(x, w1, sum[i][1]);
        }
    }
#pragma GCC unroll 12
    for (int i = 0; i < MR; i++) {
        _mm512_store_ps(c + i * NR, sum[i][0]);
        _mm512_store_ps(c + i * NR + 16, sum[i][1]);
    }
}

const struct gemm_kernel gemm_kernel_avx512 = {MR, NR, tile};
