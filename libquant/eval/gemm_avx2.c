/* gemm_avx2.c -- 6 x 16 floats in twelve of the sixteen registers. */
#include "libquant/eval/gemm_kernels.h"

#include <immintrin.h>

enum { MR = 6, NR = 16 };

static void tile(size_t k, const float *a, const float *w, float *c, bool begin)
{
    __m256 sum[MR][2];
#pragma GCC unroll 6
    for (size_t i = 0; i < MR; i++) {
        sum[i][0] = begin ? _mm256_setzero_ps() : _mm256_load_ps(c + i * NR);
        sum[i][1] = begin ? _mm256_setzero_ps() : _mm256_load_ps(c + i * NR + 8);
    }
    for (; k > 0; k--, a += MR, w += NR) {
        const __m256 w0 = _mm256_load_ps(w), w1 = _mm256_load_ps(w + 8);
#pragma GCC unroll 6
        for (size_t i = 0; i < MR; i++) {
            const __m256 x = _mm256_broadcast_ss(a + i);
            sum[i][0] = _mm256_fmadd_ps(x, w0, sum[i][0]);
            sum[i][1] = _mm256_fmadd_ps(x, w1, sum[i][1]);
        }
    }
#pragma GCC unroll 6
    for (size_t i = 0; i < MR; i++) {
        _mm256_store_ps(c + i * NR, sum[i][0]);
        _mm256_store_ps(c + i * NR + 8, sum[i][1]);
    }
}

const struct gemm_kernel gemm_kernel_avx2 = {MR, NR, tile, NULL};
