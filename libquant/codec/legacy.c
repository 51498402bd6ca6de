/* legacy.c -- Q4_0 to Q5_1: blocks of 32 elements with one half-precision scale (and minimum). The
 * scalar definition. */
#include <float.h>
#include <math.h>

#include "libquant/codec/block_type.h"
#include "libquant/codec/blocks.h"
#include "libquant/codec/kquant.h"
#include "libquant/codec/rounding.h"

/* A block before packing: element = d * (code - nmax), or d * code + m. */
struct legacy_block {
    float d, m;
    uint8_t codes[LEGACY_LEN];
};

/* ---- rounding without importance ---- */

/* The element of largest magnitude becomes code 0, its negative would be 2 * nmax. */
static void symmetric_plain(int nmax, const float *x, struct legacy_block *b)
{
    b->d = search_extreme(LEGACY_LEN, x) / (float)-nmax;
    const float inverse = b->d != 0.0f ? 1.0f / b->d : 0.0f;

    for (int i = 0; i < LEGACY_LEN; i++) {
        const int code = low_i8(f32_to_i32(x[i] * inverse + ((float)nmax + 0.5f)));
        b->codes[i] = (uint8_t)(code < 2 * nmax - 1 ? code : 2 * nmax - 1);
    }
}

/* The smallest element becomes code 0, the largest code nmax. */
static void affine_plain(int nmax, const float *x, struct legacy_block *b)
{
    float min = FLT_MAX, max = -FLT_MAX;

    for (int i = 0; i < LEGACY_LEN; i++) {
        min = x[i] < min ? x[i] : min;
        max = x[i] > max ? x[i] : max;
    }
    b->d = (max - min) / (float)nmax;
    b->m = min;
    const float inverse = b->d != 0.0f ? 1.0f / b->d : 0.0f;
    for (int i = 0; i < LEGACY_LEN; i++) {
        const int code = low_i8(f32_to_i32((x[i] - min) * inverse + 0.5f));
        b->codes[i] = (uint8_t)(code < nmax ? code : nmax);
    }
}

/* ---- rounding with importance ---- */

/* Mean square of a row. */
static float mean_square(size_t n, const float *x)
{
    float sum = 0.0f;

    for (size_t i = 0; i < n; i++) {
        const float v = load_f32(x + i);
        sum = mul_add(v, v, sum);
    }
    return sum / (float)(int64_t)n;
}

static void block_weights(const float *x, const float *importance, float sigma2, float *w)
{
    for (int i = 0; i < LEGACY_LEN; i++)
        w[i] = importance[i] * sqrtf(mul_add(x[i], x[i], sigma2));
}

static void symmetric_weighted(int nmax, const float *x, const float *w, struct legacy_block *b)
{
    b->d = search_symmetric(LEGACY_LEN, nmax, x, w, b->codes);
}

static void affine_weighted(int nmax, const float *x, const float *w, struct legacy_block *b)
{
    float min;

    b->d = search_affine(LEGACY_LEN, nmax, x, w, &weighted_trials, b->codes, &min);
    b->m = -min;
}

/* ---- packing ---- */

static void pack_nibbles(uint8_t qs[16], const uint8_t *codes)
{
    for (int j = 0; j < 16; j++)
        qs[j] = (uint8_t)((codes[j] & 15) | codes[j + 16] << 4);
}

static void pack_fifth(uint8_t qh[4], const uint8_t *codes)
{
    uint32_t bits = 0;

    for (int j = 0; j < LEGACY_LEN; j++)
        bits |= (uint32_t)(codes[j] >> 4 & 1) << j;
    store_u32(qh, bits);
}

static void pack_q4_0(struct block_q4_0 *out, const struct legacy_block *b)
{
    store_f16(out->d, b->d);
    pack_nibbles(out->qs, b->codes);
}

static void pack_q4_1(struct block_q4_1 *out, const struct legacy_block *b)
{
    store_f16(out->d, b->d);
    store_f16(out->m, b->m);
    pack_nibbles(out->qs, b->codes);
}

static void pack_q5_0(struct block_q5_0 *out, const struct legacy_block *b)
{
    store_f16(out->d, b->d);
    pack_fifth(out->qh, b->codes);
    pack_nibbles(out->qs, b->codes);
}

static void pack_q5_1(struct block_q5_1 *out, const struct legacy_block *b)
{
    store_f16(out->d, b->d);
    store_f16(out->m, b->m);
    pack_fifth(out->qh, b->codes);
    pack_nibbles(out->qs, b->codes);
}

/* encode_<name>: block after block through <kind>_plain or <kind>_weighted. The weights also depend
 * on the mean square of the whole row. */
#define ENCODE_LEGACY(name, kind, nmax)                                                            \
    static void encode_##name(void *dst, const float *src, size_t rows, size_t cols,               \
                              const float *importance)                                             \
    {                                                                                              \
        struct block_##name *out = dst;                                                            \
        struct legacy_block b;                                                                     \
        float x[LEGACY_LEN], w[LEGACY_LEN];                                                        \
        for (size_t row = 0; row < rows; row++, src += cols) {                                     \
            const float sigma2 = importance ? mean_square(cols, src) : 0.0f;                       \
            for (size_t i = 0; i < cols; i += LEGACY_LEN) {                                        \
                memcpy(x, src + i, sizeof x);                                                      \
                if (importance) {                                                                  \
                    block_weights(x, importance + i, sigma2, w);                                   \
                    kind##_weighted(nmax, x, w, &b);                                               \
                } else {                                                                           \
                    kind##_plain(nmax, x, &b);                                                     \
                }                                                                                  \
                pack_##name(out++, &b);                                                            \
            }                                                                                      \
        }                                                                                          \
    }

ENCODE_LEGACY(q4_0, symmetric, 8)
ENCODE_LEGACY(q4_1, affine, 15)
ENCODE_LEGACY(q5_0, symmetric, 16)
ENCODE_LEGACY(q5_1, affine, 31)

/* ---- decoding ---- */

static void unpack_nibbles(uint8_t *codes, const uint8_t qs[16])
{
    for (int j = 0; j < 16; j++) {
        codes[j] = qs[j] & 15;
        codes[j + 16] = qs[j] >> 4;
    }
}

static void unpack_fifth(uint8_t *codes, const uint8_t qh[4])
{
    const uint32_t bits = load_u32(qh);

    for (int j = 0; j < LEGACY_LEN; j++)
        codes[j] |= (uint8_t)((bits >> j & 1) << 4);
}

static void symmetric_values(float *dst, int nmax, float d, const uint8_t *codes)
{
    for (int i = 0; i < LEGACY_LEN; i++)
        dst[i] = (float)(codes[i] - nmax) * d;
}

static void affine_values(float *dst, float d, float m, const uint8_t *codes)
{
    for (int i = 0; i < LEGACY_LEN; i++)
        dst[i] = mul_add((float)codes[i], d, m);
}

static void values_q4_0(float *dst, const struct block_q4_0 *b)
{
    uint8_t codes[LEGACY_LEN];

    unpack_nibbles(codes, b->qs);
    symmetric_values(dst, 8, load_f16(b->d), codes);
}

static void values_q4_1(float *dst, const struct block_q4_1 *b)
{
    uint8_t codes[LEGACY_LEN];

    unpack_nibbles(codes, b->qs);
    affine_values(dst, load_f16(b->d), load_f16(b->m), codes);
}

static void values_q5_0(float *dst, const struct block_q5_0 *b)
{
    uint8_t codes[LEGACY_LEN];

    unpack_nibbles(codes, b->qs);
    unpack_fifth(codes, b->qh);
    symmetric_values(dst, 16, load_f16(b->d), codes);
}

static void values_q5_1(float *dst, const struct block_q5_1 *b)
{
    uint8_t codes[LEGACY_LEN];

    unpack_nibbles(codes, b->qs);
    unpack_fifth(codes, b->qh);
    affine_values(dst, load_f16(b->d), load_f16(b->m), codes);
}

/* ---- the table ---- */

BLOCK_TYPE(Q4_0, q4_0, LEGACY_LEN, 0, finite_f16(b->d))
BLOCK_TYPE(Q4_1, q4_1, LEGACY_LEN, 0, finite_f16(b->d) && finite_f16(b->m))
BLOCK_TYPE(Q5_0, q5_0, LEGACY_LEN, 0, finite_f16(b->d))
BLOCK_TYPE(Q5_1, q5_1, LEGACY_LEN, 0, finite_f16(b->d) && finite_f16(b->m))
