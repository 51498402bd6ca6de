/* iquant1_lanes.h -- the steps of IQ1_S and IQ1_M with vectors.
 *
 * The upper ends of splits with the same lower end lie in the lanes. Whether a split is kept
 * depends on the best one before it, so that most vectors are only tested, and the few hits are
 * gone through one by one. To make them few, the search does not start from nothing but from a
 * score a little below that of a good split: once a split has clearly passed that, the course is
 * the same.
 */
#ifndef LQ_CODEC_IQUANT1_LANES_H
#define LQ_CODEC_IQUANT1_LANES_H

#include "libquant/codec/iquant1.h"
#include "libquant/codec/iquant_blocks.h"
#include "libquant/codec/iquant_search_lanes.h"

/* Room for n + 1 sums, and to read on in whole vectors from any of them. */
enum { SUMS = IQ1_S_PART + 1 + VL };

/* ---- sorting: the place of an element is the number of those before it ---- */

LANES void sort_lanes(struct iq1_sorted *s)
{
    int32_t places[IQ1_S_PART];

    for (int i = 0; i < s->n; i += VL) {
        const vf x = vf_load(s->x + i);
        vi place = vi_splat(0);
        for (int j = 0; j < i; j++)
            place = vi_add(place, vi_where(vf_le(vf_splat(s->x[j]), x), vi_splat(1)));
        for (int j = i; j < i + VL; j++) {
            const vm later = vi_gt(vi_count_from(i), vi_splat(j));
            const vf other = vf_splat(s->x[j]);
            const vm before = vm_or(vf_lt(other, x), vm_and(vf_eq(other, x), later));
            place = vi_add(place, vi_where(before, vi_splat(1)));
        }
        for (int j = i + VL; j < s->n; j++)
            place = vi_add(place, vi_where(vf_lt(vf_splat(s->x[j]), x), vi_splat(1)));
        vi_store(places + i, place);
    }
    for (int i = 0; i < s->n; i++)
        s->order[places[i]] = (uint8_t)i;
}

/* ---- keeping the best split ---- */

/* The sums of splits in the lanes, in `kinds` variants of the shifts. */
struct split_sums {
    vf qx[4], qq[4];
};

struct best_split {
    struct iq1_split split;
    float score;
    float start; /* the score that the search started from */
    bool doubtful;
};

/* Whether there might be better ones: they are if their qq is positive, as it nearly always is. */
LANES bool may_be_better(int kinds, const struct split_sums *s, float score)
{
    vm any = vf_gt(s->qx[0] * s->qx[0], vf_splat(score) * s->qq[0]);

    for (int k = 1; k < kinds; k++)
        any = vm_or(any, vf_gt(s->qx[k] * s->qx[k], vf_splat(score) * s->qq[k]));
    return vm_any(any);
}

/* Bit k of a lane: its variant k is better than the best. */
LANES void better_splits(int kinds, const struct split_sums *s, float score, unsigned *lanes)
{
    const vf zero = vf_splat(0.0f);

    for (int k = 0; k < kinds; k++)
        lanes[k] = vm_lanes(
            vm_and(vf_gt(s->qq[k], zero), vf_gt(s->qx[k] * s->qx[k], vf_splat(score) * s->qq[k])));
}

LANES unsigned any_lane(int kinds, const unsigned *lanes)
{
    unsigned any = 0;
    for (int k = 0; k < kinds; k++)
        any |= lanes[k];
    return any;
}

/* Goes through the splits from `low` to high + lane, as far as there are n elements, in order. */
LANES void keep_splits(int kinds, const struct split_sums *s, int n, int low, int high,
                       struct best_split *best)
{
    const unsigned there = n + 1 - high < VL ? (1u << (n + 1 - high)) - 1 : ~0u;
    unsigned lanes[4] = {0, 0, 0, 0};
    float qx[4][VL], qq[4][VL];

    better_splits(kinds, s, best->score, lanes);
    for (int k = 0; k < kinds; k++) {
        lanes[k] &= there;
        vf_store(qx[k], s->qx[k]);
        vf_store(qq[k], s->qq[k]);
    }
    for (unsigned any = any_lane(kinds, lanes); any; any = any_lane(kinds, lanes)) {
        const int lane = __builtin_ctz(any);
        int kind = 0;
        while (!(lanes[kind] >> lane & 1))
            kind++;
        best->split.scale = qx[kind][lane] / qq[kind][lane];
        best->score = best->split.scale * qx[kind][lane];
        if (!best->split.found)
            best->doubtful = !(best->score > best->start * 1.0001f);
        best->split.found = true;
        best->split.low = low;
        best->split.high = high + lane;
        best->split.minus = (uint32_t)kind;
        better_splits(kinds, s, best->score, lanes);
        for (int k = 0; k < kinds; k++)
            lanes[k] &= there & ~0u << lane << (k <= kind);
    }
}

/* ---- IQ1_S ---- */

/* Sums up to each element; and, by upper end of a split, what the elements from there on add; where
 * sums are fused, without the last factor of it, the value. */
struct sums_s {
    float wx[SUMS], w[SUMS];
    float rest_qx[2][SUMS], rest_qq[2][SUMS];
};

LANES void make_sums_s(const struct iq1_sorted *s, struct sums_s *sums)
{
    enum { N = IQ1_S_PART };

    memset(sums->wx, 0, sizeof sums->wx);
    memset(sums->w, 0, sizeof sums->w);
    for (int k = 0; k < N; k++) {
        const int i = s->order[k];
        sums->wx[k + 1] = mul_add(s->weight[i], s->x[i], sums->wx[k]);
        sums->w[k + 1] = sums->w[k] + s->weight[i];
    }
    for (int m = 0; m < 2; m++) {
        const vf v = vf_splat(m ? iq1_minus[2] : iq1_plus[2]);
        for (int b = 0; b <= N; b += VL) { /* up to SUMS - 1 */
            const vf wx = vf_splat(sums->wx[N]) - vf_load(sums->wx + b);
            const vf w = vf_splat(sums->w[N]) - vf_load(sums->w + b);
            vf_store(sums->rest_qx[m] + b, FUSES ? wx : (vf)(wx * v));
            vf_store(sums->rest_qq[m] + b, FUSES ? (vf)(w * v) : (vf)(w * v * v));
        }
    }
}

LANES vf add_rest(vf sum, const float *rest, float value)
{
    return FUSES ? vf_fma(vf_load(rest), vf_splat(value), sum) : (vf)(sum + vf_load(rest));
}

/* The splits from `low` to b ... b + VL - 1. */
LANES void splits_s(const void *all, int low, int b, struct split_sums *out)
{
    const struct sums_s *const sums = all;
    const vf x1 = vf_load(sums->wx + b) - vf_splat(sums->wx[low]);
    const vf w1 = vf_load(sums->w + b) - vf_splat(sums->w[low]);

    for (int m = 0; m < 2; m++) {
        const float *const v = m ? iq1_minus : iq1_plus;
        const vf v0 = vf_splat(v[0]), v1 = vf_splat(v[1]);
        const vf qx = vf_mul_add(vf_splat(sums->wx[low]), v0, x1 * v1);
        const vf qq = vf_mul_add(vf_splat(sums->w[low] * v[0]), v0, w1 * v1 * v1);
        out->qx[m] = add_rest(qx, sums->rest_qx[m] + b, v[2]);
        out->qq[m] = add_rest(qq, sums->rest_qq[m] + b, v[2]);
    }
}

/* ---- IQ1_M ---- */

/* By half of the elements. A split adds total * v[2] - (sum up to low + sum up to high) to the sums
 * of weight * x * value, see half_qx of iquant1.c. */
struct sums_m {
    float wx[2][SUMS], w[2][SUMS];
};

LANES void make_sums_m(const struct iq1_sorted *s, struct sums_m *sums)
{
    enum { N = IQ1_M_PART };

    float x[N], w[2][N] = {{0}};

    for (int k = 0; k < N; k++) {
        const int i = s->order[k];
        x[k] = s->x[i];
        w[i / 8][k] = s->weight[i];
    }
    memset(sums, 0, sizeof *sums);
    for (int k = 0; k < N; k++)
        for (int h = 0; h < 2; h++) { /* of the other half, 0 is added */
            sums->wx[h][k + 1] = mul_add(w[h][k], x[k], sums->wx[h][k]);
            sums->w[h][k + 1] = sums->w[h][k] + w[h][k];
        }
}

LANES void splits_m(const void *all, int low, int b, struct split_sums *out)
{
    enum { N = IQ1_M_PART };
    const struct sums_m *const sums = all;
    vf qx[2][2], qq[2][2]; /* [half][minus] */

    for (int h = 0; h < 2; h++) {
        const vf wx = vf_splat(sums->wx[h][low]) + vf_load(sums->wx[h] + b);
        const vf w = vf_load(sums->w[h] + b);
        for (int m = 0; m < 2; m++) {
            const float *const v = m ? iq1_minus : iq1_plus;
            const float first = sums->w[h][low] * (v[0] * v[0] - v[1] * v[1]);
            const float fixed = mul_add(sums->w[h][N] * v[2], v[2], first);
            qx[h][m] = vf_mul_sub(vf_splat(sums->wx[h][N]), vf_splat(v[2]), wx);
            qq[h][m] = vf_mul_add(w, vf_splat(v[1] * v[1] - v[2] * v[2]), vf_splat(fixed));
        }
    }
    for (int k = 0; k < 4; k++) {
        out->qx[k] = qx[0][k >> 1] + qx[1][k & 1];
        out->qq[k] = qq[0][k >> 1] + qq[1][k & 1];
    }
}

/* ---- the search ---- */

/* Fills `kinds` sums for the splits from `low` to b ... b + VL - 1. */
typedef void splits_fn(const void *sums, int low, int b, struct split_sums *out);

/* A bound a little below the score of a good split, from some of the rows; or the least number, if
 * sums are so small or large that rounding might matter. `total` is that of the weights. */
LANES float starting_score(int n, int kinds, const void *sums, splits_fn *splits, float total)
{
    const vf zero = vf_splat(0.0f);
    vf best = zero;

    for (int low = n / 8; low <= n / 2; low += n / 8)
        for (int b = low + n / 8; b <= n; b += VL) {
            const vi lane = vi_count_from(b);
            struct split_sums s;
            splits(sums, low, b, &s);
            for (int k = 0; k < kinds; k++) {
                const vm valid = vm_andnot(vf_gt(s.qq[k], zero), vi_gt(lane, vi_splat(n)));
                best = vf_max(vf_select(valid, s.qx[k] * s.qx[k] / s.qq[k], zero), best);
            }
        }
    const float start = vf_hmax(best) * 0.999f, product = start * total;
    const bool sane = total > 1e-25f && total < 1e25f && start > 1e-25f && start < 1e25f &&
                      product > 1e-25f && product < 1e25f;
    return sane ? start : -FLT_MAX;
}

LANES void all_splits(int n, int kinds, const void *sums, splits_fn *splits,
                      struct best_split *best)
{
    for (int low = 0; low <= n; low++)
        for (int b = low; b <= n; b += VL) {
            struct split_sums s;
            splits(sums, low, b, &s);
            if (may_be_better(kinds, &s, best->score))
                keep_splits(kinds, &s, n, low, b, best);
        }
}

LANES void best_split(int n, int kinds, const void *sums, splits_fn *splits, float total,
                      struct iq1_split *split)
{
    struct best_split best = {.split = {.found = false}};

    best.start = best.score = starting_score(n, kinds, sums, splits, total);
    all_splits(n, kinds, sums, splits, &best);
    if (best.start > 0 && (best.doubtful || !best.split.found)) {
        best = (struct best_split){.score = -FLT_MAX, .start = -FLT_MAX};
        all_splits(n, kinds, sums, splits, &best);
    }
    *split = best.split;
}

static void split_s_lanes(const struct iq1_sorted *s, struct iq1_split *split)
{
    struct sums_s sums;

    make_sums_s(s, &sums);
    best_split(IQ1_S_PART, 2, &sums, splits_s, sums.w[IQ1_S_PART], split);
}

static void split_m_lanes(const struct iq1_sorted *s, struct iq1_split *split)
{
    struct sums_m sums;

    make_sums_m(s, &sums);
    best_split(IQ1_M_PART, 4, &sums, splits_m, sums.w[0][IQ1_M_PART] + sums.w[1][IQ1_M_PART],
               split);
}

static uint32_t nearest_value_lanes(const uint16_t *list, const float *x, const float *weight,
                                    const float *values, float scale)
{
    struct levels levels;
    float q[16];

    for (int i = 0; i < 16; i++)
        q[i] = i % 4 < 3 ? values[i % 4] : 0;
    levels.q[0] = vf_load(q);
    return nearest_lanes(8, &levels, list, x, weight, scale);
}

/* ---- the encoders ---- */

static const struct iq1_steps lane_steps = {.sort = sort_lanes,
                                            .split_s = split_s_lanes,
                                            .split_m = split_m_lanes,
                                            .nearest = nearest_value_lanes};

#define ENCODE_IQ1(name, block_fn)                                                                 \
    void ISA_FN(encode_##name)(void *dst, const float *src, size_t rows, size_t cols,              \
                               const float *importance)                                            \
    {                                                                                              \
        struct block_##name *b = dst;                                                              \
        for (size_t r = 0; r < rows; r++)                                                          \
            for (size_t c = 0; c < cols; c += IQ_BLOCK, src += IQ_BLOCK) {                         \
                float x[IQ_BLOCK];                                                                 \
                copy_floats(x, src, IQ_BLOCK);                                                     \
                block_fn(b++, x, importance ? importance + c : NULL,                               \
                         all_finite(x, IQ_BLOCK) ? &lane_steps : &iq1_scalar_steps);               \
            }                                                                                      \
    }

#endif
