/* gemm_avx512.c -- 12 x 32 floats in twenty-four of the thirty-two registers. */
#include "libquant/eval/gemm_kernels.h"

#include <immintrin.h>

/* AHEAD: floats of A that are asked for before they are used. */
enum { MR = 12, NR = 32, AHEAD = 512 };

static void tile(size_t k, const float *a, const float *w, const float *from, float *to, size_t ld)
{
    __m512 sum[MR][2];
#pragma GCC unroll 12
    for (size_t i = 0; i < MR; i++) {
        sum[i][0] = from ? _mm512_load_ps(from + i * NR) : _mm512_setzero_ps();
        sum[i][1] = from ? _mm512_load_ps(from + i * NR + 16) : _mm512_setzero_ps();
    }
    for (; k > 0; k--, a += MR, w += NR) {
        if (k % 2 == 0)
            _mm_prefetch((const char *)(a + AHEAD), _MM_HINT_T0);
        const __m512 w0 = _mm512_load_ps(w), w1 = _mm512_load_ps(w + 16);
#pragma GCC unroll 12
        for (size_t i = 0; i < MR; i++) {
            const __m512 x = _mm512_set1_ps(a[i]);
            sum[i][0] = _mm512_fmadd_ps(x, w0, sum[i][0]);
            sum[i][1] = _mm512_fmadd_ps(x, w1, sum[i][1]);
        }
    }
#pragma GCC unroll 12
    for (size_t i = 0; i < MR; i++) {
        _mm512_storeu_ps(to + i * ld, sum[i][0]);
        _mm512_storeu_ps(to + i * ld + 16, sum[i][1]);
    }
}

const struct gemm_kernel gemm_kernel_avx512 = {MR, NR, tile};
