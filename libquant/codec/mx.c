/* mx.c -- MXFP4 and NVFP4: E2M1 numbers under a small floating-point scale. */
#include "libquant/codec/mx.h"

#include <math.h>

#include "libquant/codec/block_type.h"
#include "libquant/codec/iq_grids.h"
#include "libquant/codec/lowbit_blocks.h"

uint8_t fp4_nearest(float x, float unit)
{
    uint8_t best = 0;
    float least = fabsf((float)fp4_values[0] * unit - x);

    for (uint8_t i = 1; i < 16; i++) {
        const float off = fabsf((float)fp4_values[i] * unit - x);
        if (off < least) {
            least = off;
            best = i;
        }
    }
    return best;
}

static float largest(const float *x, int n)
{
    float max = 0;
    for (int i = 0; i < n; i++)
        max = max < fabsf(x[i]) ? fabsf(x[i]) : max;
    return max;
}

/* n elements in n / 2 bytes: element i in the low, n / 2 + i in the high nibble. */
static void encode_nibbles(uint8_t *qs, const float *x, int n, float unit)
{
    for (int i = 0; i < n / 2; i++)
        qs[i] = (uint8_t)(fp4_nearest(x[i], unit) | fp4_nearest(x[n / 2 + i], unit) << 4);
}

static void decode_nibbles(float *dst, const uint8_t *qs, int n, float unit)
{
    for (int i = 0; i < n / 2; i++) {
        dst[i] = (float)fp4_values[qs[i] & 15] * unit;
        dst[n / 2 + i] = (float)fp4_values[qs[i] >> 4] * unit;
    }
}

/* ---- MXFP4 ---- */

/* The scale is floor(log2(max)) - 2 in excess of 127. The reference casts that to a byte whatever
 * it is: below 2^-125 it wraps around, to scales with which all elements become 0, and an infinity
 * gives 0. We keep its bytes but for 255, a NaN that it refuses to write: that becomes 0. */
uint8_t mxfp4_scale(float max)
{
    const uint32_t bits = f32_bits(max);

    if (!(max > 0) || bits >= 0x7f800000u)
        return 0;
    int exponent = bits >> 23 ? (int)(bits >> 23) - 127 : -118 - __builtin_clz(bits);
    const uint32_t next =
        exponent >= -127 ? (uint32_t)(exponent + 128) << 23 : 1u << (exponent + 150);
    if (next - bits <= mx_log2_up[exponent + 149])
        exponent++;
    return exponent == -126 ? 0 : (uint8_t)((exponent + 125) & 0xff);
}

float mxfp4_unit(uint8_t e)
{
    return f32_from_bits(e < 2 ? 0x200000u << e : (e - 1u) << 23);
}

static void values_mxfp4(float *dst, const struct block_mxfp4 *b)
{
    decode_nibbles(dst, b->qs, MXFP4_LEN, mxfp4_unit(b->e));
}

static void encode_mxfp4(void *dst, const float *src, size_t rows, size_t cols,
                         const float *importance)
{
    struct block_mxfp4 *b = dst;
    (void)importance;

    for (size_t n = rows * cols; n; n -= MXFP4_LEN, src += MXFP4_LEN, b++) {
        float x[MXFP4_LEN];
        memcpy(x, src, sizeof x);
        b->e = mxfp4_scale(largest(x, MXFP4_LEN));
        encode_nibbles(b->qs, x, MXFP4_LEN, mxfp4_unit(b->e));
    }
}

BLOCK_TYPE(MXFP4, mxfp4, MXFP4_LEN, 0, b->e != 0xff)

/* ---- NVFP4 ---- */

/* To nearest, halves away from zero; saturates at 448. */
uint8_t nvfp4_scale(float max)
{
    const float scale = max / 6;

    if (!(scale > 0))
        return 0;
    if (scale >= 448)
        return 0x7e;
    const uint32_t rounded = f32_bits(scale) + 0x80000u;
    if (scale < 0x1p-6f) { /* subnormal: units of 2^-9, the largest is 7 */
        const uint8_t units = (uint8_t)(scale * 512 + 0.5f);
        return units > 7 ? 7 : units;
    }
    const uint32_t code = (rounded >> 20) - (120u << 3);
    return code > 0x77 ? 0x7e : (uint8_t)code; /* from 256 on, all is 448 */
}

float nvfp4_unit(uint8_t e)
{
    const uint32_t exponent = e >> 3 & 15;
    const uint32_t fraction = e & 7;

    if (e == 0 || e == 0x7f)
        return 0;
    if (exponent == 0)
        return (float)fraction * 0x1p-10f;
    return f32_from_bits((exponent + 119) << 23 | fraction << 20);
}

static void values_nvfp4(float *dst, const struct block_nvfp4 *b)
{
    for (int p = 0; p < 4; p++)
        decode_nibbles(dst + 16 * p, b->qs[p], 16, nvfp4_unit(b->d[p]));
}

static void encode_nvfp4(void *dst, const float *src, size_t rows, size_t cols,
                         const float *importance)
{
    struct block_nvfp4 *b = dst;
    (void)importance;

    for (size_t n = rows * cols; n; n -= NVFP4_LEN, src += NVFP4_LEN, b++)
        for (int p = 0; p < 4; p++) {
            float x[16];
            memcpy(x, src + 16 * p, sizeof x);
            b->d[p] = nvfp4_scale(largest(x, 16));
            encode_nibbles(b->qs[p], x, 16, nvfp4_unit(b->d[p]));
        }
}

BLOCK_TYPE(NVFP4, nvfp4, NVFP4_LEN, 0, true)
