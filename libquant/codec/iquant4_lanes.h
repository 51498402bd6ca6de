/* iquant4_lanes.h -- vector kernels of IQ4_NL and IQ4_XS.
 *
 * The trial scales of a part of 32 elements lie in the lanes, so that their ordered sums run side
 * by side. They differ by no more than a factor of 134/120, and thresholds between values differ by
 * more: over all trials an element is nearest to one of only two values, and which one is told by a
 * single threshold. Both, and what they add to the sums, are worked out beforehand.
 */
#ifndef LQ_CODEC_IQUANT4_LANES_H
#define LQ_CODEC_IQUANT4_LANES_H

#include "libquant/codec/block_type.h"
#include "libquant/codec/iq_grids.h"
#include "libquant/codec/iquant.h"
#include "libquant/codec/iquant4.h"
#include "libquant/codec/iquant_blocks.h"
#include "libquant/codec/iquant_lanes.h"

enum {
    TRIALS = 16,           /* 15, and one lane that is not used */
    VECTORS = TRIALS / VL, /* of trials */
    BATCH = 16             /* parts whose best trials are chosen together */
};

/* The values, and the thresholds halfway between a value and the next. From its threshold on, the
 * larger one is the nearer. */
struct iq4_tables {
    vf_table16 values, next, thresholds;
    vf_table8 even_thresholds;
    vf_table4 odd_thresholds; /* every second of the odd ones */
    vf middle_flip;           /* turns the one between them below the middle into that above */
};

LANES struct iq4_tables iq4_tables(void)
{
    float values[17], thresholds[16], even[8], odd[4];

    for (int i = 0; i < 16; i++)
        values[i] = (float)iq4_values[i];
    values[16] = 0;
    for (int i = 0; i < 15; i++)
        thresholds[i] = (values[i] + values[i + 1]) * 0.5f;
    thresholds[15] = 0;
    for (int i = 0; i < 8; i++)
        even[i] = thresholds[2 * i];
    for (int i = 0; i < 4; i++)
        odd[i] = thresholds[4 * i + 1];
    return (struct iq4_tables){
        vf_make_table16(values),     vf_make_table16(values + 1),
        vf_make_table16(thresholds), vf_make_table8(even),
        vf_make_table4(odd),         vf_xor(vf_splat(-57.0f), vf_splat(45.5f))};
}

/* iq4_nearest, if v is a number: binary search for the number of thresholds up to v. */
LANES vi iq4_nearest_lanes(const struct iq4_tables *t, vf v)
{
    const vm upper = vf_le(vf_splat(-4.5f), v);
    const vf middle = vf_flip(upper, vf_splat(-57.0f), t->middle_flip);
    vi i = vi_or(vi_where(upper, vi_splat(8)), vi_where(vf_le(middle, v), vi_splat(4)));

    i = vi_or(i, vi_where(vf_le(vf_lookup4(t->odd_thresholds, vi_shr(i, 2)), v), vi_splat(2)));
    return vi_or(i, vi_where(vf_le(vf_lookup8(t->even_thresholds, vi_shr(i, 1)), v), vi_splat(1)));
}

/* Parts whose best trials are chosen together. A part that is not `alive`, because it counts as
 * zero or is not there, gets scale 0. */
struct iq4_batch {
    float x[BATCH * IQ4_PART];
    const float *importance[BATCH]; /* of the part, or NULL */
    float spread[BATCH];
    bool alive[BATCH];
    float max[BATCH];                           /* the element of largest magnitude */
    float qx[BATCH][TRIALS], qq[BATCH][TRIALS]; /* the sums of the trials but the first */
    /* what the elements add to the sums of the first trial; where sums are fused, weight * q and q
     */
    float first_qx[BATCH][IQ4_PART], first_qq[BATCH][IQ4_PART];
};

/* Of each element of a part: what the lower of its two values adds to the sums of weight * x * q
 * and of weight * q^2, the threshold from which on it is the higher one, and which bits differ
 * then. Where sums are fused, weight * q and q instead. */
struct iq4_part {
    float threshold[IQ4_PART];
    float qx[IQ4_PART], qx_flip[IQ4_PART], qq[IQ4_PART], qq_flip[IQ4_PART];
};

LANES void store_pair(float *value, float *flip, vf low, vf high)
{
    vf_store(value, low);
    vf_store(flip, vf_xor(low, high));
}

/* Prepares part `at` for the trials; `inverse` is the inverse scale of the one with the smallest
 * results, `first` that of the first trial, which maps max to 127 instead of about -127. */
LANES void iq4_prepare(struct iq4_part *p, struct iq4_batch *b, int at, const struct iq4_tables *t,
                       float first, float inverse)
{
    const float *const x = b->x + at * IQ4_PART, *const importance = b->importance[at];

    for (int i = 0; i < IQ4_PART; i += VL) {
        const vf xi = vf_load(x + i);
        vf w = xi * xi;
        if (importance)
            w = vf_load(importance + i) * vf_sqrt(vf_mul_add(xi, xi, vf_splat(b->spread[at])));
        const vf q = vf_lookup16(t->values, iq4_nearest_lanes(t, vf_splat(first) * xi));
        vf_store(b->first_qx[at] + i, FUSES ? (vf)(w * q) : (vf)(w * q * xi));
        vf_store(b->first_qq[at] + i, FUSES ? q : (vf)(w * q * q));

        /* larger results than v cross the threshold above its value, or below if v is negative */
        const vf v = vf_splat(inverse) * xi;
        const vi below = vi_where(vf_lt(v, vf_splat(0.0f)), vi_splat(1));
        const vi k = vi_clamp(vi_sub(iq4_nearest_lanes(t, v), below), 0, 14);
        const vf low = vf_lookup16(t->values, k), high = vf_lookup16(t->next, k);
        vf_store(p->threshold + i, vf_lookup16(t->thresholds, k));
        if (FUSES) {
            store_pair(p->qx + i, p->qx_flip + i, w * low, w * high);
            store_pair(p->qq + i, p->qq_flip + i, low, high);
        } else {
            store_pair(p->qx + i, p->qx_flip + i, w * low * xi, w * high * xi);
            store_pair(p->qq + i, p->qq_flip + i, w * low * low, w * high * high);
        }
    }
}

/* The sums of the trials of the parts `at` and at + 1: two, to hide the latency of the ordered
 * sums. Trial t divides by max and multiplies by t - 7 - 127. */
LANES void iq4_sum_two(struct iq4_batch *b, int at, const struct iq4_part part[2])
{
    const float *const x = b->x + at * IQ4_PART;
    float numerator[TRIALS];
    vf inverse[2][VECTORS], qx[2][VECTORS], qq[2][VECTORS];

    for (int t = 0; t < TRIALS; t++)
        numerator[t] = (float)(t - IQ4_TRIES) + (float)iq4_values[0];
    for (int k = 0; k < 2; k++)
        for (int v = 0; v < VECTORS; v++) {
            inverse[k][v] = vf_load(numerator + v * VL) / vf_splat(b->max[at + k]);
            qx[k][v] = qq[k][v] = vf_splat(0.0f);
        }
    for (int i = 0; i < IQ4_PART; i++)
        for (int k = 0; k < 2; k++) {
            const struct iq4_part *const p = &part[k];
            const vf xi = vf_splat(x[k * IQ4_PART + i]), threshold = vf_splat(p->threshold[i]);
            for (int v = 0; v < VECTORS; v++) {
                const vm high = vf_le(threshold, inverse[k][v] * xi);
                const vf x_part = vf_flip(high, vf_splat(p->qx[i]), vf_splat(p->qx_flip[i]));
                const vf q_part = vf_flip(high, vf_splat(p->qq[i]), vf_splat(p->qq_flip[i]));
                qx[k][v] = FUSES ? vf_fma(x_part, xi, qx[k][v]) : (vf)(qx[k][v] + x_part);
                qq[k][v] = FUSES ? vf_fma(x_part, q_part, qq[k][v]) : (vf)(qq[k][v] + q_part);
            }
        }
    for (int k = 0; k < 2; k++)
        for (int v = 0; v < VECTORS; v++) {
            vf_store(b->qx[at + k] + v * VL, qx[k][v]);
            vf_store(b->qq[at + k] + v * VL, qq[k][v]);
        }
}

/* Parts at to at + VL - 1, element by element. */
LANES void iq4_columns(const float *rows, int at, vf *columns)
{
    const float *row[VL];

    for (int k = 0; k < VL; k++)
        row[k] = rows + (at + k) * IQ4_PART;
    vf_load_columns(columns, row, IQ4_PART);
}

/* The sums of the first trial, of parts at to at + VL - 1. */
LANES void iq4_first_sums(const struct iq4_batch *b, int at, vf *qx, vf *qq)
{
    vf x[IQ4_PART], x_part[IQ4_PART], q_part[IQ4_PART];

    *qx = *qq = vf_splat(0.0f);
    iq4_columns(b->first_qx[0], at, x_part);
    iq4_columns(b->first_qq[0], at, q_part);
    if (FUSES)
        iq4_columns(b->x, at, x);
    for (int i = 0; i < IQ4_PART; i++) {
        *qx = FUSES ? vf_fma(x_part[i], x[i], *qx) : (vf)(*qx + x_part[i]);
        *qq = FUSES ? vf_fma(x_part[i], q_part[i], *qq) : (vf)(*qq + q_part[i]);
    }
}

/* The element of largest magnitude, the first of equals. */
LANES float iq4_extreme(const float *x)
{
    vf largest = vf_abs(vf_load(x));

    for (int i = VL; i < IQ4_PART; i += VL)
        largest = vf_max(vf_abs(vf_load(x + i)), largest);
    const vf max = vf_splat(vf_hmax(largest));
    uint32_t equal = 0;
    for (int i = 0; i < IQ4_PART; i += VL)
        equal |= vm_lanes(vf_eq(vf_abs(vf_load(x + i)), max)) << i;
    return x[__builtin_ctz(equal)];
}

/* The scales, from the sums of all trials. */
LANES void iq4_choose(const struct iq4_batch *b, float *scales)
{
    const vf zero = vf_splat(0.0f);

    for (int at = 0; at < BATCH; at += VL) {
        const float *rows_qx[VL], *rows_qq[VL];
        vf qx[TRIALS], qq[TRIALS];
        for (int k = 0; k < VL; k++) {
            rows_qx[k] = b->qx[at + k];
            rows_qq[k] = b->qq[at + k];
        }
        vf_load_columns(qx, rows_qx, TRIALS);
        vf_load_columns(qq, rows_qq, TRIALS);
        vf first_qx, first_qq;
        iq4_first_sums(b, at, &first_qx, &first_qq);
        vf scale = vf_select(vf_gt(first_qq, zero), first_qx / first_qq, zero);
        vf best = scale * first_qx;
        for (int t = 0; t < 2 * IQ4_TRIES + 1; t++) {
            const vm better = vm_and(vf_gt(qq[t], zero), vf_gt(qx[t] * qx[t], best * qq[t]));
            scale = vf_select(better, qx[t] / qq[t], scale);
            best = vf_select(better, scale * qx[t], best);
        }
        vf_store(scales + at, scale);
    }
    for (int at = 0; at < BATCH; at++)
        if (!b->alive[at])
            scales[at] = 0;
}

/* The scales of the parts that are alive and not zero. */
LANES void iq4_scales(struct iq4_batch *b, const struct iq4_tables *t, float *scales)
{
    const float lowest = (float)iq4_values[0];
    float first[BATCH], inverse[BATCH];

    for (int at = 0; at < BATCH; at++) {
        b->max[at] = b->alive[at] ? iq4_extreme(b->x + at * IQ4_PART) : 0;
        b->alive[at] = !(b->max[at] < 1e-15f && b->max[at] > -1e-15f);
    }
    for (int at = 0; at < BATCH; at += VL) {
        const vf max = vf_load(b->max + at);
        vf_store(first + at, vf_splat(1.0f) / (-max / vf_splat(lowest)));
        vf_store(inverse + at, vf_splat(lowest + IQ4_TRIES) / max);
    }
    for (int at = 0; at < BATCH; at += 2) {
        struct iq4_part part[2];
        if (!b->alive[at] && !b->alive[at + 1])
            continue;
        for (int k = 0; k < 2; k++)
            iq4_prepare(&part[k], b, at + k, t, first[at + k], inverse[at + k]);
        iq4_sum_two(b, at, part);
    }
    iq4_choose(b, scales);
}

/* Codes of two parts under their inverse scales. */
LANES void iq4_code_pair(uint8_t qs[32], const struct iq4_tables *t, const float *x,
                         const float inverse[2])
{
    enum { HALF = VF_PER_32 / 2 };
    vi codes[VF_PER_32];

    for (int p = 0; p < 2; p++, x += IQ4_PART)
        for (int v = 0; v < HALF; v++) {
            const vi low = iq4_nearest_lanes(t, vf_splat(inverse[p]) * vf_load(x + v * VL));
            const vi high =
                iq4_nearest_lanes(t, vf_splat(inverse[p]) * vf_load(x + IQ4_PART / 2 + v * VL));
            codes[p * HALF + v] = vi_or(low, vi_shl(high, 4));
        }
    vi_store_32u8(qs, codes);
}

/* Of a pair, of which the scalar code has to do a part where results are no numbers. */
LANES void iq4_code_two(uint8_t qs[32], const struct iq4_tables *t, const float *x,
                        const float inverse[2])
{
    iq4_code_pair(qs, t, x, inverse);
    for (int p = 0; p < 2; p++)
        if (!(vf_hmax(vf_abs(vf_splat(inverse[p]))) < __builtin_inff()))
            iq4_codes(qs + 16 * p, x + p * IQ4_PART, inverse[p]);
}

LANES void iq4_values_lanes(float *dst, vf_table16 values, const uint8_t *qs, float scale)
{
    for (int i = 0; i < 16; i += VL) {
        const vi codes = vi_load_u8(qs + i);
        vf_store(dst + i, vf_splat(scale) * vf_lookup16(values, vi_and(codes, vi_splat(15))));
        vf_store(dst + 16 + i, vf_splat(scale) * vf_lookup16(values, vi_shr(codes, 4)));
    }
}

/* ---- IQ4_XS ---- */

/* `count` superblocks, one or two, from a batch that has at least those. */
LANES void iq4_xs_batch(struct block_iq4_xs *out, struct iq4_batch *b, const struct iq4_tables *t,
                        int count)
{
    float scales[BATCH], inverse[8];

    for (int k = 0; k < 2; k++) {
        const bool finite = k < count && all_finite(b->x + k * IQ_BLOCK, IQ_BLOCK);
        for (int p = 0; p < 8; p++)
            b->alive[8 * k + p] = finite;
        if (k < count && !finite)
            ROUNDED(type_IQ4_XS)
                .encode(out + k, b->x + k * IQ_BLOCK, 1, IQ_BLOCK, b->importance[8 * k]);
    }
    const bool keep[2] = {b->alive[0], b->alive[8]};
    iq4_scales(b, t, scales);
    for (int k = 0; k < count; k++) {
        if (!keep[k])
            continue;
        iq4_xs_scales(&out[k], scales + 8 * k, inverse);
        for (int p = 0; p < 8; p += 2)
            iq4_code_two(out[k].qs[p], t, b->x + k * IQ_BLOCK + p * IQ4_PART, inverse + p);
    }
}

void ISA_FN(encode_iq4_xs)(void *dst, const float *src, size_t rows, size_t cols,
                           const float *importance)
{
    const struct iq4_tables t = iq4_tables();
    const size_t per_row = cols / IQ_BLOCK, blocks = rows * per_row;
    struct block_iq4_xs *const out = dst;
    struct iq4_batch b = {.spread = {0}};
    float sums[VL] = {0};

    for (size_t i = 0; i < blocks; i += 2) {
        const size_t ahead = blocks - i < VL ? blocks - i : VL;
        const int count = ahead < 2 ? 1 : 2;
        if (importance && i % VL == 0)
            square_sums(src + i * IQ_BLOCK, IQ_BLOCK, (int)ahead, sums);
        for (int k = 0; k < count; k++) {
            const float *const w =
                importance ? importance + (i + (size_t)k) % per_row * IQ_BLOCK : NULL;
            copy_floats(b.x + k * IQ_BLOCK, src + (i + (size_t)k) * IQ_BLOCK, IQ_BLOCK);
            for (int p = 0; p < 8; p++) {
                b.importance[8 * k + p] = w ? w + p * IQ4_PART : NULL;
                b.spread[8 * k + p] = sums[i % VL + (size_t)k] * (2.0f / IQ_BLOCK);
            }
        }
        iq4_xs_batch(out + i, &b, &t, count);
    }
}

void ISA_FN(decode_iq4_xs)(float *dst, const void *src, size_t n)
{
    const vf_table16 values = iq4_tables().values;
    const struct block_iq4_xs *b = src;

    for (; n; n -= IQ_BLOCK, b++) {
        const float d = load_f16(b->d);
        const uint32_t high = load_u16(b->scales_h);
        for (int p = 0; p < 8; p++, dst += IQ4_PART) {
            const int low = b->scales_l[p / 2] >> p % 2 * 4 & 15;
            const int code = low + 16 * (int)(high >> 2 * p & 3);
            iq4_values_lanes(dst, values, b->qs[p], d * (float)(code - 32));
        }
    }
}

/* ---- IQ4_NL ---- */

LANES void iq4_nl_batch(struct block_iq4_nl *out, struct iq4_batch *b, const struct iq4_tables *t,
                        int count)
{
    float scales[BATCH];
    bool finite[BATCH];

    for (int p = 0; p < BATCH; p++)
        finite[p] = b->alive[p] = p < count && all_finite(b->x + p * IQ4_PART, IQ4_PART);
    iq4_scales(b, t, scales);
    for (int p = 0; p < count; p += 2) {
        const float inverse[2] = {scales[p] != 0 ? 1 / scales[p] : 0,
                                  scales[p + 1] != 0 ? 1 / scales[p + 1] : 0};
        uint8_t qs[32];
        iq4_code_two(qs, t, b->x + p * IQ4_PART, inverse);
        for (int k = 0; k < 2 && p + k < count; k++) {
            store_scale(out[p + k].d, scales[p + k]);
            memcpy(out[p + k].qs, qs + 16 * k, 16);
        }
    }
    for (int p = 0; p < count; p++)
        if (!finite[p])
            ROUNDED(type_IQ4_NL)
                .encode(out + p, b->x + p * IQ4_PART, 1, IQ4_PART, b->importance[p]);
}

void ISA_FN(encode_iq4_nl)(void *dst, const float *src, size_t rows, size_t cols,
                           const float *importance)
{
    const struct iq4_tables t = iq4_tables();
    const size_t per_row = cols / IQ4_PART, parts = rows * per_row;
    struct block_iq4_nl *const out = dst;
    struct iq4_batch b = {.spread = {0}};

    for (size_t i = 0; i < parts; i += BATCH) {
        const int count = parts - i < BATCH ? (int)(parts - i) : BATCH;
        copy_floats(b.x, src + i * IQ4_PART, count * IQ4_PART);
        for (int p = 0; importance && p < count; p++)
            b.importance[p] = importance + (i + (size_t)p) % per_row * IQ4_PART;
        for (int p = 0; importance && p < BATCH; p += VL)
            square_sums(b.x + p * IQ4_PART, IQ4_PART, VL, b.spread + p);
        for (int p = 0; importance && p < BATCH; p++)
            b.spread[p] *= 2.0f / IQ4_PART;
        iq4_nl_batch(out + i, &b, &t, count);
    }
}

void ISA_FN(decode_iq4_nl)(float *dst, const void *src, size_t n)
{
    const vf_table16 values = iq4_tables().values;
    const struct block_iq4_nl *b = src;

    for (size_t i = 0; i < n; i += IQ4_PART, b++)
        iq4_values_lanes(dst + i, values, b->qs, load_f16(b->d));
}

#endif
