/* kquant.c -- the K types Q2_K to Q6_K: superblocks of 256 elements whose sub-blocks have
 * small integer scales. The scalar definition.
 *
 * Encoding a superblock: search the best scale (and minimum) of each sub-block; round those to
 * integers under one half-precision scale; then round the elements again with the scales as they
 * will be decoded. Where a decoded scale is zero, the codes of the search stay.
 */
#include <math.h>

#include "libquant/codec/block_type.h"
#include "libquant/codec/kquant.h"
#include "libquant/codec/kquant_pack.h"

/* encode_<name>: hands superblock after superblock, copied to where it is aligned, with its part of
 * the importance, to encode_block(out, x, importance). */
#define ENCODE_SUPERBLOCKS(name, encode_block)                                                     \
    static void encode_##name(void *dst, const float *src, size_t rows, size_t cols,               \
                              const float *importance)                                             \
    {                                                                                              \
        struct block_##name *const out = dst;                                                      \
        const size_t per_row = cols / SUPER_LEN;                                                   \
        float x[SUPER_LEN];                                                                        \
        for (size_t i = 0; i < rows * per_row; i++) {                                              \
            memcpy(x, src + i * SUPER_LEN, sizeof x);                                              \
            encode_block(&out[i], x, importance ? importance + i % per_row *SUPER_LEN : NULL);     \
        }                                                                                          \
    }

static float sum_of_squares(int n, const float *x)
{
    float sum = 0.0f;

    for (int i = 0; i < n; i++)
        sum = mul_add(x[i], x[i], sum);
    return sum;
}

/* Weights of n elements under an importance matrix. */
static void importance_weights(int n, const float *x, const float *importance, float sigma2,
                               float *w)
{
    for (int i = 0; i < n; i++)
        w[i] = importance[i] * sqrtf(mul_add(x[i], x[i], sigma2));
}

static float sum_in_order(int n, const float *x)
{
    float sum = 0.0f;

    for (int i = 0; i < n; i++)
        sum += x[i];
    return sum;
}

/* ---- Q2_K, Q4_K, Q5_K: element = d * scale * code - dmin * min ---- */

/* A superblock on its way: integer scales and minima, and the codes. */
struct affine_super {
    float d, dmin; /* not yet rounded to half */
    uint8_t scale[16], min[16];
    uint8_t codes[SUPER_LEN];
};

/* Integer scales under the one that maps the largest to `top`. Returns that scale. */
static float integer_scales(int n, int top, const float *x, uint8_t *out)
{
    float max = 0.0f;

    for (int j = 0; j < n; j++)
        max = x[j] > max ? x[j] : max;
    const float inverse = max > 0.0f ? (float)top / max : 0.0f;
    for (int j = 0; j < n; j++)
        out[j] = (uint8_t)nearest_i32(inverse * x[j]);
    return max / (float)top;
}

static void affine_plain(const struct affine_type *t, const float *x, struct affine_super *s)
{
    const int subs = SUPER_LEN / t->len;
    float scales[16], mins[16], w[32];

    for (int j = 0; j < subs; j++) {
        const float *const sub = x + t->len * j;
        const float base = t->offset ? sqrtf(sum_of_squares(t->len, sub) / (float)t->len) : 0.0f;
        for (int i = 0; i < t->len; i++)
            w[i] = t->offset ? base + fabsf(sub[i]) : fabsf(sub[i]);
        scales[j] =
            search_affine(t->len, t->nmax, sub, w, &t->plain, s->codes + t->len * j, &mins[j]);
    }
    s->d = integer_scales(subs, t->top, scales, s->scale);
    s->dmin = integer_scales(subs, t->top, mins, s->min);
}

static void affine_weighted(const struct affine_type *t, const float *x, const float *importance,
                            struct affine_super *s)
{
    const int subs = SUPER_LEN / t->len;
    const float sigma2 = t->sigma * sum_of_squares(SUPER_LEN, x) / (float)SUPER_LEN;
    float scales[16], mins[16], sum_w[16], w[32];

    for (int j = 0; j < subs; j++) {
        const int at = t->len * j;
        importance_weights(t->len, x + at, importance + at, sigma2, w);
        sum_w[j] = sum_in_order(t->len, w);
        scales[j] =
            search_affine(t->len, t->nmax, x + at, w, &weighted_trials, s->codes + at, &mins[j]);
    }
    s->d = search_positive(subs, t->top, scales, sum_w, s->scale);
    s->dmin = search_positive(subs, t->top, mins, sum_w, s->min);
}

static void affine_search(const struct affine_type *t, const float *x, const float *importance,
                          struct affine_super *s)
{
    if (importance)
        affine_weighted(t, x, importance, s);
    else
        affine_plain(t, x, s);
}

/* Rounds the elements of sub-block j with what d and dmin have become. */
static void affine_requantize(const struct affine_type *t, const float *x, int j, float scale,
                              float min, struct affine_super *s)
{
    if (scale == 0.0f)
        return;
    for (int i = t->len * j; i < t->len * (j + 1); i++)
        s->codes[i] = (uint8_t)clamp_i32(nearest_i32((x[i] + min) / scale), 0, t->nmax);
}

static void block_q2_k(struct block_q2_k *b, const float *x, const float *importance)
{
    struct affine_super s;

    affine_search(&q2_k, x, importance, &s);
    store_f16(b->d, s.d);
    store_f16(b->dmin, s.dmin);
    for (int j = 0; j < 16; j++) {
        b->scales[j] = (uint8_t)(s.scale[j] | s.min[j] << 4);
        affine_requantize(&q2_k, x, j, load_f16(b->d) * (float)(b->scales[j] & 15),
                          load_f16(b->dmin) * (float)(b->scales[j] >> 4), &s);
    }
    pack_2bit(b->qs, s.codes);
}

/* The scales of Q4_K and Q5_K: limited to six bits, packed, and applied. `limit` is false where the
 * reference does not limit what search_positive gives. */
static void affine_scales_k4(const struct affine_type *t, const float *x, bool limit, uint8_t d[2],
                             uint8_t dmin[2], uint8_t packed[12], struct affine_super *s)
{
    uint8_t scale[8], min[8];

    store_f16(d, s->d);
    store_f16(dmin, s->dmin);
    for (int j = 0; j < 8 && limit; j++) {
        s->scale[j] = s->scale[j] < 63 ? s->scale[j] : 63;
        s->min[j] = s->min[j] < 63 ? s->min[j] : 63;
    }
    pack_scales_k4(packed, s->scale, s->min);
    unpack_scales_k4(packed, scale, min);
    for (int j = 0; j < 8; j++)
        affine_requantize(t, x, j, load_f16(d) * (float)scale[j], load_f16(dmin) * (float)min[j],
                          s);
}

static void block_q4_k(struct block_q4_k *b, const float *x, const float *importance)
{
    struct affine_super s;

    affine_search(&q4_k, x, importance, &s);
    affine_scales_k4(&q4_k, x, !importance, b->d, b->dmin, b->scales, &s);
    pack_4bit(b->qs, s.codes);
}

static void block_q5_k(struct block_q5_k *b, const float *x, const float *importance)
{
    struct affine_super s;

    affine_search(&q5_k, x, importance, &s);
    affine_scales_k4(&q5_k, x, true, b->d, b->dmin, b->scales, &s);
    pack_q5_k(b, s.codes);
}

ENCODE_SUPERBLOCKS(q2_k, block_q2_k)
ENCODE_SUPERBLOCKS(q4_k, block_q4_k)
ENCODE_SUPERBLOCKS(q5_k, block_q5_k)

/* ---- Q3_K, Q6_K: element = d * scale * (code - nmax) ---- */

static void symmetric_requantize(int nmax, const float *x, float scale, uint8_t *codes)
{
    if (scale == 0.0f)
        return;
    for (int i = 0; i < 16; i++)
        codes[i] = (uint8_t)(clamp_i32(nearest_i32(x[i] / scale), -nmax, nmax - 1) + nmax);
}

/* The scales of Q3_K without importance. Returns d. */
static float q3_k_plain(const float *x, uint8_t *codes, uint8_t scale[16])
{
    float scales[16];

    for (int j = 0; j < 16; j++)
        scales[j] = search_descent(16, 4, x + 16 * j, codes + 16 * j);
    const float max = search_extreme(16, scales);
    if (max == 0.0f) {
        memset(scale, 0, 16);
        return 0.0f;
    }
    const float inverse = -32.0f / max;
    for (int j = 0; j < 16; j++)
        scale[j] = (uint8_t)(clamp_i32(low_i8(nearest_i32(inverse * scales[j])), -32, 31) + 32);
    return 1.0f / inverse;
}

static float q3_k_weighted(const float *x, const float *importance, uint8_t *codes,
                           uint8_t scale[16])
{
    const float sigma2 = 2.0f * sum_of_squares(SUPER_LEN, x) / (float)SUPER_LEN;
    float scales[16], sum_w[16], w[16];

    for (int j = 0; j < 16; j++) {
        importance_weights(16, x + 16 * j, importance + 16 * j, sigma2, w);
        sum_w[j] = sum_in_order(16, w);
        scales[j] = search_symmetric(16, 4, x + 16 * j, w, codes + 16 * j);
    }
    return search_symmetric(16, 32, scales, sum_w, scale);
}

static void block_q3_k(struct block_q3_k *b, const float *x, const float *importance)
{
    uint8_t codes[SUPER_LEN], scale[16];
    int8_t unpacked[16];

    store_f16(b->d, importance ? q3_k_weighted(x, importance, codes, scale)
                               : q3_k_plain(x, codes, scale));
    pack_scales_q3(b->scales, scale);
    unpack_scales_q3(b->scales, unpacked);
    for (int j = 0; j < 16; j++)
        symmetric_requantize(4, x + 16 * j, load_f16(b->d) * (float)unpacked[j], codes + 16 * j);
    pack_q3_k(b, codes);
}

static void block_q6_k(struct block_q6_k *b, const float *x, const float *importance)
{
    uint8_t codes[SUPER_LEN];
    float scales[16], squares[16];

    for (int j = 0; j < 16; j++) {
        const float *const sub = x + 16 * j;
        for (int i = 0; i < 16; i++)
            squares[i] = sub[i] * sub[i];
        scales[j] = search_symmetric(16, 32, sub, importance ? importance + 16 * j : squares,
                                     codes + 16 * j);
    }
    const float max = search_extreme(16, scales);
    if (fabsf(max) < SEARCH_EPSILON) {
        memset(b, 0, sizeof *b);
        return;
    }
    const float inverse = -128.0f / max;
    store_f16(b->d, 1.0f / inverse);
    for (int j = 0; j < 16; j++) {
        const int scale = nearest_i32(inverse * scales[j]);
        b->scales[j] = low_i8(scale < 127 ? scale : 127);
        symmetric_requantize(32, x + 16 * j, load_f16(b->d) * (float)b->scales[j], codes + 16 * j);
    }
    pack_q6_k(b, codes);
}

ENCODE_SUPERBLOCKS(q3_k, block_q3_k)
ENCODE_SUPERBLOCKS(q6_k, block_q6_k)

/* ---- decoding ---- */

static void affine_values(float *dst, int n, const uint8_t *codes, float scale, float min)
{
    for (int i = 0; i < n; i++)
        dst[i] = mul_sub(scale, (float)codes[i], min);
}

static void symmetric_values(float *dst, int nmax, const uint8_t *codes, float scale)
{
    for (int i = 0; i < 16; i++)
        dst[i] = scale * (float)(codes[i] - nmax);
}

static void values_q2_k(float *dst, const struct block_q2_k *b)
{
    const float d = load_f16(b->d), dmin = load_f16(b->dmin);
    uint8_t codes[SUPER_LEN];

    unpack_2bit(codes, b->qs);
    for (int j = 0; j < 16; j++)
        affine_values(dst + 16 * j, 16, codes + 16 * j, d * (float)(b->scales[j] & 15),
                      dmin * (float)(b->scales[j] >> 4));
}

static void values_q3_k(float *dst, const struct block_q3_k *b)
{
    const float d = load_f16(b->d);
    uint8_t codes[SUPER_LEN];
    int8_t scale[16];

    unpack_q3_k(codes, b);
    unpack_scales_q3(b->scales, scale);
    for (int j = 0; j < 16; j++)
        symmetric_values(dst + 16 * j, 4, codes + 16 * j, d * (float)scale[j]);
}

static void values_k4(float *dst, const uint8_t *codes, float d, float dmin,
                      const uint8_t packed[12])
{
    uint8_t scale[8], min[8];

    unpack_scales_k4(packed, scale, min);
    for (int j = 0; j < 8; j++)
        affine_values(dst + 32 * j, 32, codes + 32 * j, d * (float)scale[j], dmin * (float)min[j]);
}

static void values_q4_k(float *dst, const struct block_q4_k *b)
{
    uint8_t codes[SUPER_LEN];

    unpack_4bit(codes, b->qs);
    values_k4(dst, codes, load_f16(b->d), load_f16(b->dmin), b->scales);
}

static void values_q5_k(float *dst, const struct block_q5_k *b)
{
    uint8_t codes[SUPER_LEN];

    unpack_q5_k(codes, b);
    values_k4(dst, codes, load_f16(b->d), load_f16(b->dmin), b->scales);
}

static void values_q6_k(float *dst, const struct block_q6_k *b)
{
    const float d = load_f16(b->d);
    uint8_t codes[SUPER_LEN];

    unpack_q6_k(codes, b);
    for (int j = 0; j < 16; j++)
        symmetric_values(dst + 16 * j, 32, codes + 16 * j, d * (float)b->scales[j]);
}

BLOCK_TYPE(Q2_K, q2_k, SUPER_LEN, 0, finite_f16(b->d) && finite_f16(b->dmin))
BLOCK_TYPE(Q3_K, q3_k, SUPER_LEN, 0, finite_f16(b->d))
BLOCK_TYPE(Q4_K, q4_k, SUPER_LEN, 0, finite_f16(b->d) && finite_f16(b->dmin))
BLOCK_TYPE(Q5_K, q5_k, SUPER_LEN, 0, finite_f16(b->d) && finite_f16(b->dmin))
BLOCK_TYPE(Q6_K, q6_k, SUPER_LEN, 0, finite_f16(b->d))
