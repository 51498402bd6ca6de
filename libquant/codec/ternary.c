/* ternary.c -- TQ1_0 and TQ2_0: -1, 0, 1 times a scale, five or four to a byte. */
#include <math.h>

#include "libquant/codec/block_type.h"
#include "libquant/codec/lowbit_blocks.h"

/* -1, 0, 1 as 0, 1, 2. Where the scale is not the maximum (NaN among the elements) or its
 * reciprocal overflows, x * inverse is anything, and this the low byte of what the reference's
 * lroundf gives. */
static uint32_t trit(float x, float inverse)
{
    const float v = x * inverse;

    if (!(fabsf(v) < 0x1p63f))
        return 1;
    return (uint32_t)((int64_t)roundf(v) + 1);
}

/* The scale, and its reciprocal or 0. A NaN forgets the maximum before it, as in the reference. */
static float largest(const float *x, float *inverse)
{
    float max = 0;
    for (int i = 0; i < TERNARY_LEN; i++)
        max = max > fabsf(x[i]) ? max : fabsf(x[i]);
    *inverse = max != 0 ? 1 / max : 0;
    return max;
}

/* ---- TQ1_0 ---- */

/* `count` elements, `stride` apart, in one byte. */
static uint8_t pack_trits(const float *x, int count, int stride, float inverse)
{
    uint32_t q = 0;
    for (int k = 0; k < count; k++)
        q = (q * 3 + trit(x[k * stride], inverse)) & 0xff;
    if (count == 4)
        q = q * 3 & 0xff;
    return (uint8_t)((q * 256 + 242) / 243);
}

/* Inverse of pack_trits for `bytes` bytes: elements of all bytes, first ones first. */
static float *unpack_trits(float *dst, const uint8_t *qs, int bytes, int count, float d)
{
    static const uint8_t power[5] = {1, 3, 9, 27, 81};

    for (int k = 0; k < count; k++)
        for (int i = 0; i < bytes; i++) {
            const int shifted = qs[i] * power[k] & 0xff;
            *dst++ = (float)((shifted * 3 >> 8) - 1) * d;
        }
    return dst;
}

static void values_tq1_0(float *dst, const struct block_tq1_0 *b)
{
    const float d = load_f16(b->d);

    dst = unpack_trits(dst, b->qs, 32, 5, d);
    dst = unpack_trits(dst, b->qs + 32, 16, 5, d);
    unpack_trits(dst, b->qh, 4, 4, d);
}

static void encode_tq1_0(void *dst, const float *src, size_t rows, size_t cols,
                         const float *importance)
{
    struct block_tq1_0 *b = dst;
    (void)importance;

    for (size_t n = rows * cols; n; n -= TERNARY_LEN, src += TERNARY_LEN, b++) {
        float x[TERNARY_LEN];
        float inverse;
        memcpy(x, src, sizeof x);
        store_f16(b->d, largest(x, &inverse));
        for (int i = 0; i < 32; i++)
            b->qs[i] = pack_trits(x + i, 5, 32, inverse);
        for (int i = 0; i < 16; i++)
            b->qs[32 + i] = pack_trits(x + 160 + i, 5, 16, inverse);
        for (int i = 0; i < 4; i++)
            b->qh[i] = pack_trits(x + 240 + i, 4, 4, inverse);
    }
}

BLOCK_TYPE(TQ1_0, tq1_0, TERNARY_LEN, 0, finite_f16(b->d))

/* ---- TQ2_0 ---- */

static void values_tq2_0(float *dst, const struct block_tq2_0 *b)
{
    const float d = load_f16(b->d);

    for (int h = 0; h < 2; h++)
        for (int k = 0; k < 4; k++)
            for (int i = 0; i < 32; i++)
                *dst++ = (float)((b->qs[32 * h + i] >> 2 * k & 3) - 1) * d;
}

static void encode_tq2_0(void *dst, const float *src, size_t rows, size_t cols,
                         const float *importance)
{
    struct block_tq2_0 *b = dst;
    (void)importance;

    for (size_t n = rows * cols; n; n -= TERNARY_LEN, src += TERNARY_LEN, b++) {
        float x[TERNARY_LEN];
        float inverse;
        memcpy(x, src, sizeof x);
        store_f16(b->d, largest(x, &inverse));
        for (int i = 0; i < 64; i++) {
            const float *const first = x + i / 32 * 128 + i % 32;
            uint32_t q = 0;
            for (int k = 0; k < 4; k++)
                q |= (trit(first[32 * k], inverse) & 3) << 2 * k;
            b->qs[i] = (uint8_t)q;
        }
    }
}

BLOCK_TYPE(TQ2_0, tq2_0, TERNARY_LEN, 0, finite_f16(b->d))
