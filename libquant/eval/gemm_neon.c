/* gemm_neon.c -- 6 x 16 floats in twenty-four of the thirty-two registers. */
#include "libquant/eval/gemm_kernels.h"

#include <arm_neon.h>

enum { MR = 6, NR = 16 };

static void tile(size_t k, const float *a, const float *w, float *c, bool begin)
{
    float32x4_t sum[MR][4];
#pragma GCC unroll 6
    for (size_t i = 0; i < MR; i++)
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++)
            sum[i][j] = begin ? vdupq_n_f32(0.0f) : vld1q_f32(c + i * NR + 4 * j);
    for (; k > 0; k--, a += MR, w += NR) {
        const float32x4_t b[4] = {vld1q_f32(w), vld1q_f32(w + 4), vld1q_f32(w + 8),
                                  vld1q_f32(w + 12)};
#pragma GCC unroll 6
        for (size_t i = 0; i < MR; i++)
#pragma GCC unroll 4
            for (int j = 0; j < 4; j++)
                sum[i][j] = vfmaq_n_f32(sum[i][j], b[j], a[i]);
    }
#pragma GCC unroll 6
    for (size_t i = 0; i < MR; i++)
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++)
            vst1q_f32(c + i * NR + 4 * j, sum[i][j]);
}

const struct gemm_kernel gemm_kernel_neon = {MR, NR, tile, NULL};
