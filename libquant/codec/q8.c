/* q8.c -- Q8_0, Q8_1 and Q8_K: codes of eight bits under the scale that maps the largest magnitude
 * to 127. The scalar definition; importance is not used. */
#include <math.h>

#include "libquant/codec/block_type.h"
#include "libquant/codec/blocks.h"
#include "libquant/codec/scale_search.h"

/* ---- Q8_0, Q8_1 ---- */

/* Codes of eight bits. Returns the scale. */
static float round_q8(const float *x, int8_t *codes)
{
    float max = 0.0f;

    for (int i = 0; i < LEGACY_LEN; i++)
        max = max > fabsf(x[i]) ? max : fabsf(x[i]);
    const float d = max / 127.0f;
    const float inverse = d != 0.0f ? 1.0f / d : 0.0f;
    for (int i = 0; i < LEGACY_LEN; i++)
        codes[i] = low_i8(round_i32(x[i] * inverse));
    return d;
}

static void encode_q8_0(void *dst, const float *src, size_t rows, size_t cols,
                        const float *importance)
{
    struct block_q8_0 *const out = dst;
    float x[LEGACY_LEN];

    (void)importance;
    for (size_t i = 0; i < rows * cols / LEGACY_LEN; i++) {
        memcpy(x, src + i * LEGACY_LEN, sizeof x);
        store_f16(out[i].d, round_q8(x, out[i].qs));
    }
}

static void encode_q8_1(void *dst, const float *src, size_t rows, size_t cols,
                        const float *importance)
{
    struct block_q8_1 *const out = dst;
    float x[LEGACY_LEN];

    (void)importance;
    for (size_t i = 0; i < rows * cols / LEGACY_LEN; i++) {
        memcpy(x, src + i * LEGACY_LEN, sizeof x);
        const float d = round_q8(x, out[i].qs);
        int sum = 0;
        for (int j = 0; j < LEGACY_LEN; j++)
            sum += out[i].qs[j];
        store_f16(out[i].d, d);
        store_f16(out[i].s, (float)sum * d);
    }
}

/* ---- Q8_K: one single-precision scale, codes of eight bits, and their sums by sixteen ---- */

static void encode_superblock(struct block_q8_k *b, const float *x)
{
    const float max = search_extreme(SUPER_LEN, x);

    memset(b, 0, sizeof *b);
    if (max == 0.0f)
        return;
    const float inverse = -127.0f / max;
    store_f32(b->d, 1.0f / inverse);
    for (int j = 0; j < 16; j++) {
        int sum = 0;
        for (int i = 16 * j; i < 16 * (j + 1); i++) {
            const int code = nearest_i32(inverse * x[i]);
            b->qs[i] = low_i8(code < 127 ? code : 127);
            sum += b->qs[i];
        }
        store_u16(b->bsums + 2 * j, (uint16_t)sum);
    }
}

static void encode_q8_k(void *dst, const float *src, size_t rows, size_t cols,
                        const float *importance)
{
    struct block_q8_k *const out = dst;
    float x[SUPER_LEN];

    (void)importance;
    for (size_t i = 0; i < rows * cols / SUPER_LEN; i++) {
        memcpy(x, src + i * SUPER_LEN, sizeof x);
        encode_superblock(&out[i], x);
    }
}

/* ---- decoding ---- */

static void values_q8_0(float *dst, const struct block_q8_0 *b)
{
    const float d = load_f16(b->d);

    for (int i = 0; i < LEGACY_LEN; i++)
        dst[i] = (float)b->qs[i] * d;
}

static void values_q8_1(float *dst, const struct block_q8_1 *b)
{
    const float d = load_f16(b->d);

    for (int i = 0; i < LEGACY_LEN; i++)
        dst[i] = (float)b->qs[i] * d;
}

static void values_q8_k(float *dst, const struct block_q8_k *b)
{
    const float d = load_f32(b->d);

    for (int i = 0; i < SUPER_LEN; i++)
        dst[i] = d * (float)b->qs[i];
}

BLOCK_TYPE(Q8_0, q8_0, LEGACY_LEN, 0, finite_f16(b->d))
BLOCK_TYPE(Q8_1, q8_1, LEGACY_LEN, TYPE_INTERNAL, finite_f16(b->d) && finite_f16(b->s))
BLOCK_TYPE(Q8_K, q8_k, SUPER_LEN, TYPE_INTERNAL, isfinite(load_f32(b->d)))
