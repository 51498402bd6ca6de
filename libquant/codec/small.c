/* small.c -- Q1_0 and Q2_0: one and two bits under a half-precision scale. */
#include <math.h>

#include "libquant/codec/block_type.h"
#include "libquant/codec/lowbit_blocks.h"

/* ---- Q1_0: the signs, and the mean magnitude ---- */

static void values_q1_0(float *dst, const struct block_q1_0 *b)
{
    const float d = load_f16(b->d);

    for (int i = 0; i < Q1_LEN; i++)
        dst[i] = b->qs[i / 8] >> i % 8 & 1 ? d : -d;
}

static void encode_q1_0(void *dst, const float *src, size_t rows, size_t cols,
                        const float *importance)
{
    struct block_q1_0 *b = dst;
    (void)importance;

    for (size_t n = rows * cols; n; n -= Q1_LEN, src += Q1_LEN, b++) {
        float x[Q1_LEN];
        float sum = 0;
        memcpy(x, src, sizeof x);
        memset(b->qs, 0, sizeof b->qs);
        for (int i = 0; i < Q1_LEN; i++) {
            sum += fabsf(x[i]);
            b->qs[i / 8] |= (uint8_t)((x[i] >= 0) << i % 8);
        }
        store_f16(b->d, sum / Q1_LEN);
    }
}

BLOCK_TYPE(Q1_0, q1_0, Q1_LEN, 0, finite_f16(b->d))

/* ---- Q2_0: -1, 0, 1 times the maximum (2 occurs in files of other writers only) ---- */

static void values_q2_0(float *dst, const struct block_q2_0 *b)
{
    const float d = load_f16(b->d);

    for (int i = 0; i < Q2_LEN; i++)
        dst[i] = (float)((b->qs[i / 4] >> i % 4 * 2 & 3) - 1) * d;
}

static void encode_q2_0(void *dst, const float *src, size_t rows, size_t cols,
                        const float *importance)
{
    struct block_q2_0 *b = dst;
    (void)importance;

    for (size_t n = rows * cols; n; n -= Q2_LEN, src += Q2_LEN, b++) {
        float x[Q2_LEN];
        float max = 0;
        memcpy(x, src, sizeof x);
        for (int i = 0; i < Q2_LEN; i++)
            max = fabsf(x[i]) > max ? fabsf(x[i]) : max;
        const float inverse = max > 0 ? 1 / max : 0;
        store_f16(b->d, max);
        memset(b->qs, 0, sizeof b->qs);
        for (int i = 0; i < Q2_LEN; i++) {
            /* 64 bits: a cast that overflows is INT32_MIN, and one more than that still negative */
            const int64_t q = (int64_t)f32_to_i32(roundf(x[i] * inverse)) + 1;
            b->qs[i / 4] |= (uint8_t)((q < 0 ? 0 : q > 3 ? 3 : q) << i % 4 * 2);
        }
    }
}

BLOCK_TYPE(Q2_0, q2_0, Q2_LEN, 0, finite_f16(b->d))
