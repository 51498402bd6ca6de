/* iquant4.c -- IQ4_NL and IQ4_XS: four bits that index 16 non-uniform values. */
#include "libquant/codec/iquant4.h"

#include <math.h>

#include "libquant/codec/block_type.h"
#include "libquant/codec/iquant.h"
#include "libquant/codec/iquant_blocks.h"

uint8_t iq4_nearest(float x)
{
    if (x <= (float)iq4_values[0])
        return 0;
    if (x >= (float)iq4_values[15])
        return 15;
    int low = 0;
    int high = 15;
    while (high - low > 1) {
        const int middle = (low + high) / 2;
        if (x < (float)iq4_values[middle])
            high = middle;
        else
            low = middle;
    }
    return (uint8_t)(x - (float)iq4_values[low] < (float)iq4_values[high] - x ? low : high);
}

/* Sums of weight * x * q and weight * q^2, where q is the value nearest to inverse * x. */
static void correlate(const float *x, const float *weight, float inverse, float *qx, float *qq)
{
    *qx = 0;
    *qq = 0;
    for (int i = 0; i < IQ4_PART; i++) {
        const float q = (float)iq4_values[iq4_nearest(inverse * x[i])];
        *qx = mul_add(weight[i] * q, x[i], *qx);
        *qq = mul_add(weight[i] * q, q, *qq);
    }
}

/* The element of largest magnitude is mapped first to 127, then to values around -127; the latter
 * is in the table, the former is not. */
float iq4_scale(const float *x, const float *importance, float spread)
{
    float weight[IQ4_PART];
    float largest = 0;
    float max = 0;

    for (int i = 0; i < IQ4_PART; i++) {
        weight[i] = importance ? importance[i] * sqrtf(mul_add(x[i], x[i], spread)) : x[i] * x[i];
        if (fabsf(x[i]) > largest) {
            largest = fabsf(x[i]);
            max = x[i];
        }
    }
    if (largest < 1e-15f)
        return 0;

    const float lowest = (float)iq4_values[0];
    float qx;
    float qq;
    correlate(x, weight, 1 / (-max / lowest), &qx, &qq);
    float scale = qq > 0 ? qx / qq : 0;
    float best = scale * qx;
    for (int t = -IQ4_TRIES; t <= IQ4_TRIES; t++) {
        correlate(x, weight, ((float)t + lowest) / max, &qx, &qq);
        if (qq > 0 && qx * qx > best * qq) {
            scale = qx / qq;
            best = scale * qx;
        }
    }
    return scale;
}

float iq4_spread(const float *x, int n)
{
    float sum = 0;
    for (int i = 0; i < n; i++)
        sum = mul_add(x[i], x[i], sum);
    return sum * (2.0f / (float)n);
}

void iq4_codes(uint8_t *qs, const float *x, float inverse)
{
    for (int i = 0; i < IQ4_PART / 2; i++) {
        const uint8_t high = iq4_nearest(inverse * x[IQ4_PART / 2 + i]);
        qs[i] = (uint8_t)(iq4_nearest(inverse * x[i]) | high << 4);
    }
}

static void values(float *dst, const uint8_t *qs, float scale)
{
    for (int i = 0; i < IQ4_PART / 2; i++) {
        dst[i] = scale * (float)iq4_values[qs[i] & 15];
        dst[IQ4_PART / 2 + i] = scale * (float)iq4_values[qs[i] >> 4];
    }
}

/* ---- IQ4_NL ---- */

static void values_iq4_nl(float *dst, const struct block_iq4_nl *b)
{
    values(dst, b->qs, load_f16(b->d));
}

static void encode_iq4_nl(void *dst, const float *src, size_t rows, size_t cols,
                          const float *importance)
{
    struct block_iq4_nl *b = dst;

    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < cols; c += IQ4_PART, src += IQ4_PART, b++) {
            float x[IQ4_PART];
            memcpy(x, src, sizeof x);
            const float scale =
                iq4_scale(x, importance ? importance + c : NULL, iq4_spread(x, IQ4_PART));
            store_scale(b->d, scale);
            iq4_codes(b->qs, x, scale != 0 ? 1 / scale : 0);
        }
}

BLOCK_TYPE(IQ4_NL, iq4_nl, IQ4_PART, 0, finite_f16(b->d))

/* ---- IQ4_XS ---- */

static void values_iq4_xs(float *dst, const struct block_iq4_xs *b)
{
    const float d = load_f16(b->d);
    const uint32_t high = load_u16(b->scales_h);

    for (int p = 0; p < 8; p++, dst += IQ4_PART) {
        const uint32_t code = (b->scales_l[p / 2] >> p % 2 * 4 & 15u) | (high >> 2 * p & 3) << 4;
        values(dst, b->qs[p], d * (float)((int)code - 32));
    }
}

void iq4_xs_scales(struct block_iq4_xs *b, const float *scales, float *inverse)
{
    uint32_t high = 0;
    float largest = 0;
    float max = 0;

    for (int p = 0; p < 8; p++)
        if (fabsf(scales[p]) > largest) {
            largest = fabsf(scales[p]);
            max = scales[p];
        }
    const float d = -max / 32;
    const float inverse_d = d != 0 ? 1 / d : 0;
    memset(b->scales_l, 0, sizeof b->scales_l);
    for (int p = 0; p < 8; p++) {
        const int32_t code = clamp_i32(nearest_i32(inverse_d * scales[p]), -32, 31);
        const float scale = d * (float)code;
        inverse[p] = scale != 0 ? 1 / scale : 0;
        b->scales_l[p / 2] |= (uint8_t)(((code + 32) & 15) << p % 2 * 4);
        high |= (uint32_t)(code + 32) >> 4 << 2 * p;
    }
    store_scale(b->d, d);
    store_u16(b->scales_h, (uint16_t)high);
}

static void encode_iq4_xs(void *dst, const float *src, size_t rows, size_t cols,
                          const float *importance)
{
    struct block_iq4_xs *b = dst;

    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < cols; c += IQ_BLOCK, src += IQ_BLOCK, b++) {
            float x[IQ_BLOCK];
            float scales[8];
            float inverse[8];
            memcpy(x, src, sizeof x);
            const float spread = iq4_spread(x, IQ_BLOCK);
            for (int p = 0; p < 8; p++)
                scales[p] = iq4_scale(x + p * IQ4_PART,
                                      importance ? importance + c + p * IQ4_PART : NULL, spread);
            iq4_xs_scales(b, scales, inverse);
            for (int p = 0; p < 8; p++)
                iq4_codes(b->qs[p], x + p * IQ4_PART, inverse[p]);
        }
}

BLOCK_TYPE(IQ4_XS, iq4_xs, IQ_BLOCK, 0, finite_f16(b->d))
