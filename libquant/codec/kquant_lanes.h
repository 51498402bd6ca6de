/* kquant_lanes.h -- encoders of the K types Q2_K to Q6_K, one superblock in each lane.
 *
 * VL superblocks are transposed, searched, and their scales rounded, side by side; packing then
 * goes through them one by one. What vectors cannot do alike, superblocks with NaN or infinite
 * elements, goes to the scalar encoder. Rows need no attention: superblocks lie back to back.
 */
#ifndef LQ_CODEC_KQUANT_LANES_H
#define LQ_CODEC_KQUANT_LANES_H

#include "libquant/codec/kquant.h"
#include "libquant/codec/kquant_pack.h"
#include "libquant/codec/moves_lanes.h"
#include "libquant/codec/type.h"

enum { SUBS = 16 }; /* at most */

/* VL superblocks: where each lies and goes, and element by element. Of the last batch of a call,
 * lanes that have no superblock repeat the first one. */
struct batch {
    int count;
    const float *src[VL];
    const float *weights[VL]; /* importance, or NULL */
    void *dst[VL];
    vf x[SUPER_LEN];
    vf importance[SUPER_LEN];
};

/* Encodes the superblocks of a batch. */
typedef void encode_batch_fn(const struct batch *b, bool weighted);

/* Magnitude bits of the largest element. */
LANES int super_largest(const float *x)
{
    vi largest = vi_splat(0);

    for (int i = 0; i < SUPER_LEN; i += VL)
        largest = vi_max(largest, vf_abs_bits(vf_load(x + i)));
    return vi_hmax(largest);
}

LANES void flush_batch(struct batch *b, encode_batch_fn *encode_batch, bool weighted)
{
    for (int lane = b->count; lane < VL; lane++) {
        b->src[lane] = b->src[0];
        b->weights[lane] = b->weights[0];
    }
    vf_load_columns(b->x, b->src, SUPER_LEN);
    if (weighted)
        vf_load_columns(b->importance, b->weights, SUPER_LEN);
    encode_batch(b, weighted);
    b->count = 0;
}

/* All K types encode a superblock of zeros as zeros. */
LANES void encode_batches(const struct type_info *type, size_t block_bytes,
                          encode_batch_fn *encode_batch, bool weighted, uint8_t *dst,
                          const float *src, size_t rows, size_t cols, const float *importance)
{
    const size_t per_row = cols / SUPER_LEN, blocks = rows * per_row;
    struct batch b;

    b.count = 0;
    for (size_t i = 0; i < blocks; i++, dst += block_bytes, src += SUPER_LEN) {
        const float *const weights = weighted ? importance + i % per_row * SUPER_LEN : NULL;
        const int largest = super_largest(src);
        if (largest == 0) {
            memset(dst, 0, block_bytes);
        } else if (largest >= NOT_FINITE) {
            type->encode(dst, src, 1, SUPER_LEN, weights);
        } else {
            b.src[b.count] = src;
            b.weights[b.count] = weights;
            b.dst[b.count++] = dst;
        }
        if (b.count == VL || (b.count && i == blocks - 1))
            flush_batch(&b, encode_batch, weighted);
    }
}

#define ENCODE_BATCHES(symbol, name)                                                               \
    void ISA_FN(encode_##name)(void *dst, const float *src, size_t rows, size_t cols,              \
                               const float *importance)                                            \
    {                                                                                              \
        const size_t bytes = sizeof(struct block_##name);                                          \
        if (importance)                                                                            \
            encode_batches(&ROUNDED(type_##symbol), bytes, batch_##name, true, dst, src, rows,     \
                           cols, importance);                                                      \
        else                                                                                       \
            encode_batches(&ROUNDED(type_##symbol), bytes, batch_##name, false, dst, src, rows,    \
                           cols, NULL);                                                            \
    }

/* sigma2 of every lane, times `factor`. */
LANES vf batch_sigma2(const struct batch *b, float factor)
{
    vf sum = vf_splat(0.0f);

    for (int i = 0; i < SUPER_LEN; i++)
        sum = vf_mul_add(b->x[i], b->x[i], sum);
    return vf_splat(factor) * sum / vf_splat((float)SUPER_LEN);
}

/* Weights of n elements under importance; returns their sum. */
LANES vf batch_weights(int n, const vf *x, const vf *importance, vf sigma2, vf *w)
{
    vf sum = vf_splat(0.0f);

    for (int i = 0; i < n; i++) {
        w[i] = importance[i] * vf_sqrt(vf_mul_add(x[i], x[i], sigma2));
        sum += w[i];
    }
    return sum;
}

/* ---- Q2_K, Q4_K, Q5_K ---- */

/* What search and rounding of the scales leave, for packing: [sub-block][lane]. */
struct affine_batch {
    float d[VL], dmin[VL];
    int32_t scale[SUBS][VL], min[SUBS][VL];
    float inverse[SUBS][VL], low[SUBS][VL]; /* of the codes of the search */
};

LANES void affine_plain_weights(const struct affine_type *t, const vf *x, vf *w)
{
    vf base = vf_splat(0.0f);

    for (int i = 0; i < t->len && t->offset; i++)
        base = vf_mul_add(x[i], x[i], base);
    base = vf_sqrt(base / vf_splat((float)t->len));
    for (int i = 0; i < t->len; i++)
        w[i] = t->offset ? (vf)(base + vf_abs(x[i])) : vf_abs(x[i]);
}

/* The scalar integer_scales. Returns the scale of the scales. */
LANES vf integer_scales_lanes(int n, int top, const vf *x, vi *codes)
{
    const vf zero = vf_splat(0.0f);
    vf max = zero;

    for (int j = 0; j < n; j++)
        max = vf_max(x[j], max);
    const vf inverse = vf_select(vf_gt(max, zero), vf_splat((float)top) / max, zero);
    for (int j = 0; j < n; j++)
        codes[j] = vi_and(vi_nearest(inverse * x[j]), vi_splat(0xff));
    return max / vf_splat((float)top);
}

LANES void affine_batch_scales(const struct affine_type *t, const vf *scale, const vf *min,
                               const vf *sum_w, bool weighted, struct affine_batch *r)
{
    const int subs = SUPER_LEN / t->len;
    vi scales[SUBS], mins[SUBS];

    if (weighted) {
        vf_store(r->d, search_positive_lanes(subs, t->top, scale, sum_w, scales));
        vf_store(r->dmin, search_positive_lanes(subs, t->top, min, sum_w, mins));
    } else {
        vf_store(r->d, integer_scales_lanes(subs, t->top, scale, scales));
        vf_store(r->dmin, integer_scales_lanes(subs, t->top, min, mins));
    }
    for (int j = 0; j < subs; j++) {
        vi_store(r->scale[j], scales[j]);
        vi_store(r->min[j], mins[j]);
    }
}

LANES void affine_batch_search(const struct affine_type *t, const struct batch *b, bool weighted,
                               struct affine_batch *r)
{
    const int len = t->len;
    const vf sigma2 = weighted ? batch_sigma2(b, t->sigma) : vf_splat(0.0f);
    vf scale[SUBS], min[SUBS], sum_w[SUBS], w[GROUPS * MAX_LEN];
    struct affine_lanes s[GROUPS];

    for (int j = 0; j < SUPER_LEN / len; j += GROUPS) {
        const vf *const x = b->x + j * len;
        for (int g = 0; g < GROUPS; g++) {
            if (weighted)
                sum_w[j + g] = batch_weights(len, x + g * len, b->importance + (j + g) * len,
                                             sigma2, w + g * len);
            else
                affine_plain_weights(t, x + g * len, w + g * len);
        }
        search_affine_lanes(len, t->nmax, x, w, weighted ? &weighted_trials : &t->plain, s);
        for (int g = 0; g < GROUPS; g++) {
            scale[j + g] = s[g].scale;
            min[j + g] = -s[g].low;
            vf_store(r->inverse[j + g], s[g].code_inverse);
            vf_store(r->low[j + g], s[g].code_low);
        }
    }
    affine_batch_scales(t, scale, min, sum_w, weighted, r);
}

/* The final codes of 32 elements: with scale and minimum as decoded, or of the search. */
LANES void affine_codes_32(const struct affine_type *t, const float *x, const float *scale,
                           const float *min, const struct affine_batch *r, int sub, int lane,
                           uint8_t *codes)
{
    vi v[VF_PER_32];

    for (int k = 0; k < VF_PER_32; k++) {
        const int j = sub + k * VL / t->len;
        const vf xk = vf_load(x + k * VL);
        if (scale[j] != 0.0f)
            v[k] = vi_clamp(vi_nearest((xk + vf_splat(min[j])) / vf_splat(scale[j])), 0, t->nmax);
        else
            v[k] = affine_code_lanes(t->nmax, vf_splat(r->inverse[j][lane]),
                                     vf_splat(r->low[j][lane]), xk);
    }
    vi_store_32u8(codes, v);
}

LANES void affine_codes(const struct affine_type *t, const float *x, const uint8_t *scale,
                        const uint8_t *min, float d, float dmin, const struct affine_batch *r,
                        int lane, uint8_t codes[SUPER_LEN])
{
    float scales[SUBS], mins[SUBS];

    for (int j = 0; j < SUPER_LEN / t->len; j++) {
        scales[j] = d * (float)scale[j];
        mins[j] = dmin * (float)min[j];
    }
    for (int i = 0; i < SUPER_LEN; i += 32)
        affine_codes_32(t, x + i, scales, mins, r, i / t->len, lane, codes + i);
}

/* The integer scales of one superblock, as bytes. */
LANES void lane_scales(int n, const int32_t in[SUBS][VL], int lane, int limit, uint8_t *out)
{
    for (int j = 0; j < n; j++)
        out[j] = (uint8_t)(in[j][lane] < limit ? in[j][lane] : limit);
}

static void finish_q2_k(struct block_q2_k *b, const float *x, const struct affine_batch *r,
                        int lane)
{
    uint8_t scale[16], min[16], codes[SUPER_LEN];

    store_f16(b->d, r->d[lane]);
    store_f16(b->dmin, r->dmin[lane]);
    for (int j = 0; j < 16; j++) {
        b->scales[j] = (uint8_t)(r->scale[j][lane] | r->min[j][lane] << 4);
        scale[j] = b->scales[j] & 15;
        min[j] = b->scales[j] >> 4;
    }
    affine_codes(&q2_k, x, scale, min, load_f16(b->d), load_f16(b->dmin), r, lane, codes);
    pack_2bit(b->qs, codes);
}

LANES void finish_k4(const struct affine_type *t, uint8_t d[2], uint8_t dmin[2], uint8_t packed[12],
                     const float *x, const struct affine_batch *r, int lane, int limit,
                     uint8_t codes[SUPER_LEN])
{
    uint8_t scale[8], min[8];

    store_f16(d, r->d[lane]);
    store_f16(dmin, r->dmin[lane]);
    lane_scales(8, r->scale, lane, limit, scale);
    lane_scales(8, r->min, lane, limit, min);
    pack_scales_k4(packed, scale, min);
    unpack_scales_k4(packed, scale, min);
    affine_codes(t, x, scale, min, load_f16(d), load_f16(dmin), r, lane, codes);
}

static void finish_q4_k(struct block_q4_k *b, const float *x, const struct affine_batch *r,
                        int lane, int limit)
{
    uint8_t codes[SUPER_LEN];

    finish_k4(&q4_k, b->d, b->dmin, b->scales, x, r, lane, limit, codes);
    pack_4bit(b->qs, codes);
}

static void finish_q5_k(struct block_q5_k *b, const float *x, const struct affine_batch *r,
                        int lane)
{
    uint8_t codes[SUPER_LEN];

    finish_k4(&q5_k, b->d, b->dmin, b->scales, x, r, lane, 63, codes);
    pack_q5_k(b, codes);
}

LANES void batch_q2_k(const struct batch *b, bool weighted)
{
    struct affine_batch r;

    affine_batch_search(&q2_k, b, weighted, &r);
    for (int lane = 0; lane < b->count; lane++)
        finish_q2_k(b->dst[lane], b->src[lane], &r, lane);
}

LANES void batch_q4_k(const struct batch *b, bool weighted)
{
    struct affine_batch r;

    affine_batch_search(&q4_k, b, weighted, &r);
    for (int lane = 0; lane < b->count; lane++)
        finish_q4_k(b->dst[lane], b->src[lane], &r, lane, weighted ? 255 : 63);
}

LANES void batch_q5_k(const struct batch *b, bool weighted)
{
    struct affine_batch r;

    affine_batch_search(&q5_k, b, weighted, &r);
    for (int lane = 0; lane < b->count; lane++)
        finish_q5_k(b->dst[lane], b->src[lane], &r, lane);
}

/* ---- Q3_K, Q6_K ---- */

/* For packing: [sub-block][lane], or [element][lane]. */
struct symmetric_batch {
    float d[VL];
    int32_t scale[SUBS][VL];
    float inverse[SUBS][VL]; /* of the codes of the search */
    int32_t bias[SUBS][VL];
    float moved[SUPER_LEN][VL]; /* of search_descent: those codes themselves */
};

LANES void symmetric_batch_search(int nmax, const struct batch *b, int j, const vf *w, vf *scale,
                                  struct symmetric_batch *r)
{
    struct symmetric_lanes s;

    search_symmetric_lanes(16, nmax, false, b->x + 16 * j, w, &s);
    *scale = s.scale;
    vf_store(r->inverse[j], s.code_inverse);
    vi_store(r->bias[j], s.bias);
}

/* Codes of 32 elements, as affine_codes_32. */
LANES void symmetric_codes_32(int nmax, const float *x, const float *scale,
                              const struct symmetric_batch *r, int sub, int lane, uint8_t *codes)
{
    vi v[VF_PER_32];

    for (int k = 0; k < VF_PER_32; k++) {
        const int j = sub + k * VL / 16;
        const vf xk = vf_load(x + k * VL);
        const vf factor = vf_splat(r->inverse[j][lane]);
        if (scale[j] != 0.0f)
            v[k] = vi_add(vi_clamp(vi_nearest(xk / vf_splat(scale[j])), -nmax, nmax - 1),
                          vi_splat(nmax));
        else
            v[k] = vi_add(symmetric_code_lanes(nmax, factor, xk), vi_splat(r->bias[j][lane]));
    }
    vi_store_32u8(codes, v);
}

LANES void symmetric_codes(int nmax, const float *x, const int8_t *scale, float d, bool moved,
                           const struct symmetric_batch *r, int lane, uint8_t codes[SUPER_LEN])
{
    float scales[SUBS];

    for (int j = 0; j < SUBS; j++)
        scales[j] = d * (float)scale[j];
    for (int i = 0; i < SUPER_LEN; i += 32)
        symmetric_codes_32(nmax, x + i, scales, r, i / 16, lane, codes + i);
    for (int j = 0; j < SUBS && moved; j++)
        for (int i = 16 * j; i < 16 * (j + 1) && scales[j] == 0.0f; i++)
            codes[i] = (uint8_t)r->moved[i][lane];
}

static void finish_q6_k(struct block_q6_k *b, const float *x, const struct symmetric_batch *r,
                        int lane)
{
    uint8_t codes[SUPER_LEN];

    store_f16(b->d, r->d[lane]);
    for (int j = 0; j < 16; j++)
        b->scales[j] = low_i8(r->scale[j][lane]);
    symmetric_codes(32, x, b->scales, load_f16(b->d), false, r, lane, codes);
    pack_q6_k(b, codes);
}

LANES void batch_q6_k(const struct batch *b, bool weighted)
{
    struct symmetric_batch r;
    vf scale[SUBS], squares[16];

    for (int j = 0; j < SUBS; j++) {
        for (int i = 0; i < 16; i++)
            squares[i] = b->x[16 * j + i] * b->x[16 * j + i];
        symmetric_batch_search(32, b, j, weighted ? b->importance + 16 * j : squares, &scale[j],
                               &r);
    }
    const vf max = search_extreme_lanes(SUBS, scale);
    const vf inverse = vf_splat(-128.0f) / max;
    const unsigned zero = vm_lanes(vf_lt(vf_abs(max), vf_splat(SEARCH_EPSILON)));
    vf_store(r.d, vf_splat(1.0f) / inverse);
    for (int j = 0; j < SUBS; j++)
        vi_store(r.scale[j], vi_min(vi_nearest(inverse * scale[j]), vi_splat(127)));
    for (int lane = 0; lane < b->count; lane++) {
        if (zero >> lane & 1)
            memset(b->dst[lane], 0, sizeof(struct block_q6_k));
        else
            finish_q6_k(b->dst[lane], b->src[lane], &r, lane);
    }
}

/* The scales of Q3_K without importance; the codes go to r->moved. */
LANES void q3_k_plain_lanes(const struct batch *b, struct symmetric_batch *r)
{
    const vf zero = vf_splat(0.0f);
    struct descent_lanes s[GROUPS];
    vf scale[SUBS], l[GROUPS * MAX_LEN];

    memset(r->inverse, 0, sizeof r->inverse);
    memset(r->bias, 0, sizeof r->bias);
    for (int j = 0; j < SUBS; j += GROUPS) {
        search_descent_lanes(16, 4, b->x + 16 * j, l, s);
        for (int g = 0; g < GROUPS; g++) {
            scale[j + g] = s[g].scale;
            for (int i = 16 * g; i < 16 * (g + 1); i++)
                vf_store(r->moved[16 * j + i], vf_select(s[g].zero, zero, l[i] + vf_splat(4.0f)));
        }
    }
    const vf max = search_extreme_lanes(SUBS, scale);
    const vm none = vf_eq(max, zero);
    const vf inverse = vf_splat(-32.0f) / max;
    vf_store(r->d, vf_select(none, zero, vf_splat(1.0f) / inverse));
    for (int j = 0; j < SUBS; j++) {
        const vi low = vi_and(vi_nearest(inverse * scale[j]), vi_splat(0xff));
        const vi code = vi_sub(low, vi_shl(vi_and(low, vi_splat(0x80)), 1)); /* as int8 */
        const vi biased = vi_add(vi_clamp(code, -32, 31), vi_splat(32));
        vi_store(r->scale[j], vi_select(none, vi_splat(0), biased));
    }
}

LANES void q3_k_weighted_lanes(const struct batch *b, struct symmetric_batch *r)
{
    const vf sigma2 = batch_sigma2(b, 2.0f);
    vf scale[SUBS], sum_w[SUBS], w[16];
    struct symmetric_lanes s;

    for (int j = 0; j < SUBS; j++) {
        sum_w[j] = batch_weights(16, b->x + 16 * j, b->importance + 16 * j, sigma2, w);
        symmetric_batch_search(4, b, j, w, &scale[j], r);
    }
    search_symmetric_lanes(SUBS, 32, true, scale, sum_w, &s);
    vf_store(r->d, s.scale);
    for (int j = 0; j < SUBS; j++)
        vi_store(r->scale[j], vi_add(symmetric_code_lanes(32, s.code_inverse, scale[j]), s.bias));
}

static void finish_q3_k(struct block_q3_k *b, const float *x, const struct symmetric_batch *r,
                        int lane, bool weighted)
{
    uint8_t scale[16], codes[SUPER_LEN];
    int8_t unpacked[16];

    store_f16(b->d, r->d[lane]);
    lane_scales(16, r->scale, lane, 63, scale);
    pack_scales_q3(b->scales, scale);
    unpack_scales_q3(b->scales, unpacked);
    symmetric_codes(4, x, unpacked, load_f16(b->d), !weighted, r, lane, codes);
    pack_q3_k(b, codes);
}

LANES void batch_q3_k(const struct batch *b, bool weighted)
{
    struct symmetric_batch r;

    if (weighted)
        q3_k_weighted_lanes(b, &r);
    else
        q3_k_plain_lanes(b, &r);
    for (int lane = 0; lane < b->count; lane++)
        finish_q3_k(b->dst[lane], b->src[lane], &r, lane, weighted);
}

#endif
