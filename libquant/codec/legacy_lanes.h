/* legacy_lanes.h -- kernels of Q4_0 to Q5_1.
 *
 * Without importance a block is rounded as it lies, VL elements at a time. With importance a search
 * is needed: one block in each lane, GROUPS vectors of blocks at a time; the weights depend on the
 * mean square of the row, which is added up with one row in each lane.
 */
#ifndef LQ_CODEC_LEGACY_LANES_H
#define LQ_CODEC_LEGACY_LANES_H

#include "libquant/codec/blocks.h"
#include "libquant/codec/kquant.h"
#include "libquant/codec/search_lanes.h"
#include "libquant/codec/type.h"

/* Writes a block from its scale and minimum, as halves, and its codes. */
typedef void pack_legacy_fn(void *block, uint16_t d, uint16_t m, const vi code[VF_PER_32]);

/* As pack_nibbles. */
LANES void store_nibbles(uint8_t qs[16], const vi code[VF_PER_32])
{
    vi v[VF_PER_32 / 2];

    for (int k = 0; k < VF_PER_32 / 2; k++)
        v[k] = vi_or(vi_and(code[k], vi_splat(15)), vi_shl(code[k + VF_PER_32 / 2], 4));
    vi_store_16u8(qs, v);
}

LANES void store_fifth(uint8_t qh[4], const vi code[VF_PER_32])
{
    uint32_t bits = 0;

    for (int k = 0; k < VF_PER_32; k++)
        bits |= vm_lanes(vi_gt(vi_and(code[k], vi_splat(16)), vi_splat(0))) << k * VL;
    store_u32(qh, bits);
}

LANES void pack_q4_0(void *block, uint16_t d, uint16_t m, const vi code[VF_PER_32])
{
    struct block_q4_0 *const b = block;

    (void)m;
    store_u16(b->d, d);
    store_nibbles(b->qs, code);
}

LANES void pack_q4_1(void *block, uint16_t d, uint16_t m, const vi code[VF_PER_32])
{
    struct block_q4_1 *const b = block;

    store_u16(b->d, d);
    store_u16(b->m, m);
    store_nibbles(b->qs, code);
}

LANES void pack_q5_0(void *block, uint16_t d, uint16_t m, const vi code[VF_PER_32])
{
    struct block_q5_0 *const b = block;

    (void)m;
    store_u16(b->d, d);
    store_fifth(b->qh, code);
    store_nibbles(b->qs, code);
}

LANES void pack_q5_1(void *block, uint16_t d, uint16_t m, const vi code[VF_PER_32])
{
    struct block_q5_1 *const b = block;

    store_u16(b->d, d);
    store_u16(b->m, m);
    store_fifth(b->qh, code);
    store_nibbles(b->qs, code);
}

/* ---- rounding without importance ---- */

LANES void load_32(vf *v, const float *x)
{
    for (int k = 0; k < VF_PER_32; k++)
        v[k] = vf_load(x + k * VL);
}

/* Magnitude bits of the largest of 32 elements. */
LANES int largest_bits(const vf *v)
{
    vi largest = vf_abs_bits(v[0]);

    for (int k = 1; k < VF_PER_32; k++)
        largest = vi_max(largest, vf_abs_bits(v[k]));
    return vi_hmax(largest);
}

/* Index of the first element whose bits, under `mask`, are `bits`; there is one. */
LANES int first_with_bits(const vf *v, int mask, int bits)
{
    vi index = vi_splat(LEGACY_LEN);

    for (int k = VF_PER_32 - 1; k >= 0; k--) {
        const vm found = vi_eq(vi_and(vf_bits(v[k]), vi_splat(mask)), vi_splat(bits));
        index = vi_select(found, vi_count_from(k * VL), index);
    }
    return vi_hmin(index);
}

/* These return false for a block with NaN or infinite elements. Out of range a code is INT32_MIN,
 * whose low byte is the scalar code. */
LANES bool symmetric_block(int nmax, const float *x, float *d, float *m, vi *code)
{
    vf v[VF_PER_32];

    load_32(v, x);
    const int largest = largest_bits(v);
    if (largest >= NOT_FINITE)
        return false;
    *m = 0.0f;
    const float extreme = largest ? load_f32(x + first_with_bits(v, 0x7fffffff, largest)) : 0.0f;
    *d = extreme / (float)-nmax;
    const vf inverse = vf_splat(*d != 0.0f ? 1.0f / *d : 0.0f);
    for (int k = 0; k < VF_PER_32; k++)
        code[k] = vi_min(vi_from_float(v[k] * inverse + vf_splat((float)nmax + 0.5f)),
                         vi_splat(2 * nmax - 1));
    return true;
}

LANES bool affine_block(int nmax, const float *x, float *d, float *m, vi *code)
{
    vf v[VF_PER_32];

    load_32(v, x);
    if (largest_bits(v) >= NOT_FINITE)
        return false;
    vf low = v[0], high = v[0];
    for (int k = 1; k < VF_PER_32; k++) {
        low = vf_min(low, v[k]);
        high = vf_max(high, v[k]);
    }
    float min = vf_hmin(low), max = vf_hmax(high);
    if (min == 0.0f) { /* the sign of the first zero counts */
        min = load_f32(x + first_with_bits(v, 0x7fffffff, 0));
        max = max == 0.0f ? min : max;
    }
    *m = min;
    *d = (max - min) / (float)nmax;
    const vf inverse = vf_splat(*d != 0.0f ? 1.0f / *d : 0.0f);
    for (int k = 0; k < VF_PER_32; k++)
        code[k] = vi_min(vi_from_float((v[k] - vf_splat(min)) * inverse + vf_splat(0.5f)),
                         vi_splat(nmax));
    return true;
}

typedef bool plain_block_fn(int nmax, const float *x, float *d, float *m, vi *code);

LANES void encode_plain(const struct type_info *type, size_t block_bytes, plain_block_fn *block,
                        pack_legacy_fn *pack, int nmax, uint8_t *dst, const float *src, size_t n)
{
    vi code[VF_PER_32];
    float d, m;

    for (size_t i = 0; i < n; i += LEGACY_LEN, dst += block_bytes) {
        if (block(nmax, src + i, &d, &m, code))
            pack(dst, f16_from_float(d), f16_from_float(m), code);
        else
            type->encode(dst, src + i, 1, LEGACY_LEN, NULL);
    }
}

/* ---- searches with importance ---- */

/* VL rows, of which the last may repeat, and what is known of each. */
struct row_tile {
    int count;
    const float *rows[VL];
    float sigma2[VL];
    unsigned special; /* bit: has NaN or infinite elements */
};

LANES void load_row_tile(struct row_tile *t, const float *src, size_t rows, size_t cols)
{
    const float *at[VL];
    vf sum = vf_splat(0.0f), x[LEGACY_LEN];
    vi largest = vi_splat(0);

    t->count = rows < VL ? (int)rows : VL;
    for (int lane = 0; lane < VL; lane++)
        at[lane] = t->rows[lane] = src + (size_t)(lane < t->count ? lane : t->count - 1) * cols;
    for (size_t c = 0; c < cols; c += LEGACY_LEN) {
        vf_load_columns(x, at, LEGACY_LEN);
        for (int i = 0; i < LEGACY_LEN; i++) {
            sum = vf_mul_add(x[i], x[i], sum);
            largest = vi_max(largest, vf_abs_bits(x[i]));
        }
        for (int lane = 0; lane < VL; lane++)
            at[lane] += LEGACY_LEN;
    }
    vf_store(t->sigma2, sum / vf_splat((float)(int64_t)cols));
    t->special = vm_lanes(vi_gt(largest, vi_splat(NOT_FINITE - 1)));
}

/* GROUPS * VL blocks: group g has its elements in x[g * LEGACY_LEN] and following. */
struct block_batch {
    const float *src[GROUPS * VL];
    vf x[GROUPS * LEGACY_LEN], w[GROUPS * LEGACY_LEN];
};

/* Blocks first, first + 1, ... of the tile's `blocks`; the last may repeat. */
LANES void load_block_batch(struct block_batch *b, const struct row_tile *t, size_t first,
                            size_t blocks, size_t per_row, const float *importance)
{
    const float *weights[VL];
    float sigma2[VL];

    for (int g = 0; g < GROUPS; g++) {
        vf *const x = b->x + g * LEGACY_LEN, *const w = b->w + g * LEGACY_LEN;
        for (int lane = 0; lane < VL; lane++) {
            size_t k = first + (size_t)(g * VL + lane);
            k = k < blocks ? k : blocks - 1;
            const size_t row = k / per_row, at = k % per_row * LEGACY_LEN;
            b->src[g * VL + lane] = t->rows[row] + at;
            weights[lane] = importance + at;
            sigma2[lane] = t->sigma2[row];
        }
        vf_load_columns(x, b->src + g * VL, LEGACY_LEN);
        vf_load_columns(w, weights, LEGACY_LEN);
        for (int i = 0; i < LEGACY_LEN; i++)
            w[i] = w[i] * vf_sqrt(vf_mul_add(x[i], x[i], vf_load(sigma2)));
    }
}

/* What a search leaves of each block of a batch. */
struct block_results {
    float d[GROUPS * VL], m[GROUPS * VL];
    float inverse[GROUPS * VL], low[GROUPS * VL];
    int32_t bias[GROUPS * VL];
};

typedef void search_blocks_fn(int nmax, const struct block_batch *b, struct block_results *r);
typedef void block_codes_fn(int nmax, const float *x, const struct block_results *r, int k,
                            vi *code);

LANES void symmetric_blocks(int nmax, const struct block_batch *b, struct block_results *r)
{
    struct symmetric_lanes s;

    for (int g = 0; g < GROUPS; g++) {
        search_symmetric_lanes(LEGACY_LEN, nmax, false, b->x + g * LEGACY_LEN,
                               b->w + g * LEGACY_LEN, &s);
        vf_store(r->d + g * VL, s.scale);
        vf_store(r->m + g * VL, vf_splat(0.0f));
        vf_store(r->inverse + g * VL, s.code_inverse);
        vi_store(r->bias + g * VL, s.bias);
    }
}

LANES void symmetric_block_codes(int nmax, const float *x, const struct block_results *r, int k,
                                 vi *code)
{
    for (int i = 0; i < VF_PER_32; i++)
        code[i] = vi_add(symmetric_code_lanes(nmax, vf_splat(r->inverse[k]), vf_load(x + i * VL)),
                         vi_splat(r->bias[k]));
}

LANES void affine_blocks(int nmax, const struct block_batch *b, struct block_results *r)
{
    struct affine_lanes s[GROUPS];

    search_affine_lanes(LEGACY_LEN, nmax, b->x, b->w, &weighted_trials, s);
    for (int g = 0; g < GROUPS; g++) {
        vf_store(r->d + g * VL, s[g].scale);
        vf_store(r->m + g * VL, s[g].low);
        vf_store(r->inverse + g * VL, s[g].code_inverse);
        vf_store(r->low + g * VL, s[g].code_low);
    }
}

LANES void affine_block_codes(int nmax, const float *x, const struct block_results *r, int k,
                              vi *code)
{
    for (int i = 0; i < VF_PER_32; i++)
        code[i] = affine_code_lanes(nmax, vf_splat(r->inverse[k]), vf_splat(r->low[k]),
                                    vf_load(x + i * VL));
}

LANES void encode_weighted(const struct type_info *type, size_t block_bytes,
                           search_blocks_fn *search, block_codes_fn *block_codes,
                           pack_legacy_fn *pack, int nmax, uint8_t *dst, const float *src,
                           size_t rows, size_t cols, const float *importance)
{
    const size_t per_row = cols / LEGACY_LEN;
    struct row_tile t;
    struct block_batch b;
    struct block_results r;
    vi code[VF_PER_32];

    for (size_t row = 0; row < rows; row += VL) {
        load_row_tile(&t, src + row * cols, rows - row, cols);
        const size_t blocks = (size_t)t.count * per_row;
        uint8_t *const out = dst + row * per_row * block_bytes;
        for (size_t at = 0; at < blocks; at += GROUPS * VL) {
            load_block_batch(&b, &t, at, blocks, per_row, importance);
            search(nmax, &b, &r);
            for (int k = 0; k < GROUPS * VL && at + (size_t)k < blocks; k++) {
                block_codes(nmax, b.src[k], &r, k, code);
                pack(out + (at + (size_t)k) * block_bytes, f32_to_f16(r.d[k]), f32_to_f16(r.m[k]),
                     code);
            }
        }
        for (int lane = 0; lane < t.count; lane++)
            if (t.special >> lane & 1)
                type->encode(out + (size_t)lane * per_row * block_bytes, t.rows[lane], 1, cols,
                             importance);
    }
}

#define ENCODE_LEGACY(symbol, name, kind, nmax)                                                    \
    void ISA_FN(encode_##name)(void *dst, const float *src, size_t rows, size_t cols,              \
                               const float *importance)                                            \
    {                                                                                              \
        const size_t bytes = sizeof(struct block_##name);                                          \
        if (importance)                                                                            \
            encode_weighted(&ROUNDED(type_##symbol), bytes, kind##_blocks, kind##_block_codes,     \
                            pack_##name, nmax, dst, src, rows, cols, importance);                  \
        else                                                                                       \
            encode_plain(&ROUNDED(type_##symbol), bytes, kind##_block, pack_##name, nmax, dst,     \
                         src, rows *cols);                                                         \
    }

/* ---- decoding ---- */

/* The fifth bits of elements first to first + VL - 1, as 16 or 0. */
LANES vi fifth_bits(uint32_t bits, int first)
{
    static const int32_t mask[32] = {
        1 << 0,  1 << 1,  1 << 2,  1 << 3,  1 << 4,  1 << 5,  1 << 6,  1 << 7,
        1 << 8,  1 << 9,  1 << 10, 1 << 11, 1 << 12, 1 << 13, 1 << 14, 1 << 15,
        1 << 16, 1 << 17, 1 << 18, 1 << 19, 1 << 20, 1 << 21, 1 << 22, 1 << 23,
        1 << 24, 1 << 25, 1 << 26, 1 << 27, 1 << 28, 1 << 29, 1 << 30, INT32_MIN,
    };
    const vi zero = vi_splat(0);
    const vi set = vi_and(vi_splat((int32_t)bits), vi_load(mask + first));
    return vi_select(vi_eq(set, zero), zero, vi_splat(16));
}

/* element = (code - offset) * d + m; without m, -0 stays. */
LANES void decode_nibbles(float *dst, const uint8_t qs[16], uint32_t fifth, bool five, int offset,
                          float d, float m, bool affine)
{
    for (int i = 0; i < 32; i += VL) {
        const vi q = vi_load_u8(qs + i % 16);
        vi code = i < 16 ? vi_and(q, vi_splat(15)) : vi_shr(q, 4);
        if (five)
            code = vi_or(code, fifth_bits(fifth, i));
        const vf value = vf_from_int(vi_sub(code, vi_splat(offset)));
        vf_store(dst + i,
                 affine ? vf_mul_add(value, vf_splat(d), vf_splat(m)) : (vf)(value * vf_splat(d)));
    }
}

/* decode_<name>: block after block. */
#define DECODE_LEGACY(name, values)                                                                \
    void ISA_FN(decode_##name)(float *dst, const void *src, size_t n)                              \
    {                                                                                              \
        const struct block_##name *b = src;                                                        \
        for (size_t i = 0; i < n; i += LEGACY_LEN, dst += LEGACY_LEN, b++)                         \
            values;                                                                                \
    }

#endif
