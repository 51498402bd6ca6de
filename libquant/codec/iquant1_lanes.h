/* iquant1_lanes.h -- the steps of IQ1_S and IQ1_M with vectors.
 *
 * Sorting and splitting have a part in each lane, and all lanes go through the splits in the order
 * of the scalar code. Whether a split is kept depends on the best one before it, so that splits are
 * only tested, and hits gone through apart. To make these few, the search does not start from
 * nothing but from a score a little below that of a good split: once a split has clearly passed
 * that, the course is the same.
 */
#ifndef LQ_CODEC_IQUANT1_LANES_H
#define LQ_CODEC_IQUANT1_LANES_H

#include "libquant/codec/iquant1.h"
#include "libquant/codec/iquant_blocks.h"
#include "libquant/codec/iquant_search_lanes.h"

/* ---- sorting: the place of an element is the number of those before it ---- */

/* The elements of up to VL parts in ascending order, [place][lane]. Of lanes without a part, all is
 * 0. */
struct sorted_lanes {
    float x[IQ1_S_PART][VL];
    float weight[2][IQ1_S_PART][VL]; /* of IQ1_M by half, of the other half 0 */
};

LANES void places_lanes(int n, const struct iq1_part *parts, int count, int32_t places[][VL])
{
    const float *rows[VL];
    vf x[IQ1_S_PART];
    vi place[IQ1_S_PART];

    for (int lane = 0; lane < VL; lane++)
        rows[lane] = parts[lane < count ? lane : 0].x;
    vf_load_columns(x, rows, n);
    for (int i = 0; i < n; i++)
        place[i] = vi_splat(i);
    for (int i = 1; i < n; i++)
        for (int j = 0; j < i; j++) {
            const vi moves = vi_where(vf_gt(x[j], x[i]), vi_splat(1));
            place[i] = vi_sub(place[i], moves);
            place[j] = vi_add(place[j], moves);
        }
    for (int i = 0; i < n; i++)
        vi_store(places[i], place[i]);
}

LANES void sort_lanes(int n, struct iq1_part *parts, int count, struct sorted_lanes *s)
{
    int32_t places[IQ1_S_PART][VL];

    memset(s, 0, sizeof *s);
    places_lanes(n, parts, count, places);
    for (int lane = 0; lane < count; lane++)
        for (int i = 0; i < n; i++) {
            const int place = places[i][lane], half = n == IQ1_M_PART ? i / 8 : 0;
            parts[lane].order[place] = (uint8_t)i;
            s->x[place][lane] = parts[lane].x[i];
            s->weight[half][place][lane] = parts[lane].weight[i];
        }
}

/* ---- IQ1_S ---- */

/* One split in `kinds` variants of the shifts. */
struct split_sums {
    vf qx[4], qq[4];
};

/* Sums up to each element; and, by upper end of a split, what the elements from there on add; where
 * sums are fused, without the last factor of it, the value. */
struct sums_s {
    vf wx[IQ1_S_PART + 1], w[IQ1_S_PART + 1];
    vf rest_qx[2][IQ1_S_PART + 1], rest_qq[2][IQ1_S_PART + 1];
};

/* Returns the total of the weights. */
LANES vf make_sums_s(const struct sorted_lanes *s, struct sums_s *sums)
{
    enum { N = IQ1_S_PART };

    sums->wx[0] = sums->w[0] = vf_splat(0.0f);
    for (int k = 0; k < N; k++) {
        const vf w = vf_load(s->weight[0][k]);
        sums->wx[k + 1] = vf_mul_add(w, vf_load(s->x[k]), sums->wx[k]);
        sums->w[k + 1] = sums->w[k] + w;
    }
    for (int m = 0; m < 2; m++) {
        const vf v = vf_splat(m ? iq1_minus[2] : iq1_plus[2]);
        for (int b = 0; b <= N; b++) {
            const vf wx = sums->wx[N] - sums->wx[b], w = sums->w[N] - sums->w[b];
            sums->rest_qx[m][b] = FUSES ? wx : (vf)(wx * v);
            sums->rest_qq[m][b] = FUSES ? (vf)(w * v) : (vf)(w * v * v);
        }
    }
    return sums->w[N];
}

LANES vf add_rest(vf sum, vf rest, float value)
{
    return FUSES ? vf_fma(rest, vf_splat(value), sum) : (vf)(sum + rest);
}

LANES void splits_s(const void *all, int low, int high, struct split_sums *out)
{
    const struct sums_s *const sums = all;
    const vf x0 = sums->wx[low], w0 = sums->w[low];
    const vf x1 = sums->wx[high] - x0, w1 = sums->w[high] - w0;

    for (int m = 0; m < 2; m++) {
        const float *const v = m ? iq1_minus : iq1_plus;
        const vf v0 = vf_splat(v[0]), v1 = vf_splat(v[1]);
        out->qx[m] = add_rest(vf_mul_add(x0, v0, x1 * v1), sums->rest_qx[m][high], v[2]);
        out->qq[m] = add_rest(vf_mul_add(w0 * v0, v0, w1 * v1 * v1), sums->rest_qq[m][high], v[2]);
    }
}

/* ---- IQ1_M ---- */

/* By half of the elements. A split adds total * v[2] - (sum up to low + sum up to high) to the sums
 * of weight * x * value, see half_qx of iquant1.c. */
struct sums_m {
    vf wx[2][IQ1_M_PART + 1], w[2][IQ1_M_PART + 1];
};

LANES vf make_sums_m(const struct sorted_lanes *s, struct sums_m *sums)
{
    for (int h = 0; h < 2; h++) {
        sums->wx[h][0] = sums->w[h][0] = vf_splat(0.0f);
        for (int k = 0; k < IQ1_M_PART; k++) { /* of the other half, 0 is added */
            const vf w = vf_load(s->weight[h][k]);
            sums->wx[h][k + 1] = vf_mul_add(w, vf_load(s->x[k]), sums->wx[h][k]);
            sums->w[h][k + 1] = sums->w[h][k] + w;
        }
    }
    return sums->w[0][IQ1_M_PART] + sums->w[1][IQ1_M_PART];
}

LANES void splits_m(const void *all, int low, int high, struct split_sums *out)
{
    enum { N = IQ1_M_PART };
    const struct sums_m *const sums = all;
    vf qx[2][2], qq[2][2]; /* [half][minus] */

    for (int h = 0; h < 2; h++) {
        const vf wx = sums->wx[h][low] + sums->wx[h][high];
        for (int m = 0; m < 2; m++) {
            const float *const v = m ? iq1_minus : iq1_plus;
            const vf v2 = vf_splat(v[2]);
            const vf first = sums->w[h][low] * vf_splat(v[0] * v[0] - v[1] * v[1]);
            qx[h][m] = vf_mul_sub(sums->wx[h][N], v2, wx);
            qq[h][m] = vf_mul_add(sums->w[h][high], vf_splat(v[1] * v[1] - v[2] * v[2]),
                                  vf_mul_add(sums->w[h][N] * v2, v2, first));
        }
    }
    for (int k = 0; k < 4; k++) {
        out->qx[k] = qx[0][k >> 1] + qx[1][k & 1];
        out->qq[k] = qq[0][k >> 1] + qq[1][k & 1];
    }
}

/* ---- the search ---- */

/* The best splits so far. */
struct best_splits {
    vf score, scale;
    vi place; /* low, high and minus, a byte each; -1: none */
    vf start; /* the scores that the search started from */
    vm doubtful;
};

/* Fills the sums for the split at low and high. */
typedef void splits_fn(const void *sums, int low, int high, struct split_sums *out);

/* Bounds a little below the scores of good splits, from some of them; or the least number, where
 * sums are so small or large that rounding might matter. `total` is that of the weights. "A little"
 * and what counts as clear in keep_splits are many times the rounding errors of a score. */
LANES vf starting_scores(int n, int kinds, const void *sums, splits_fn *splits, vf total)
{
    const vf zero = vf_splat(0.0f), least = vf_splat(1e-25f), most = vf_splat(1e25f);
    vf square = zero, qq = vf_splat(1.0f);

    for (int low = n / 8; low <= n / 2; low += n / 16)
        for (int high = low + n / 8; high <= n; high++) {
            struct split_sums s;
            splits(sums, low, high, &s);
            for (int k = 0; k < kinds; k++) {
                const vf other = s.qx[k] * s.qx[k];
                const vm better = vm_and(vf_gt(s.qq[k], zero), vf_gt(other * qq, square * s.qq[k]));
                square = vf_select(better, other, square);
                qq = vf_select(better, s.qq[k], qq);
            }
        }
    const vf start = square / qq * vf_splat(0.99999f), product = start * total;
    const vm small = vm_or(vf_le(total, least), vm_or(vf_le(start, least), vf_le(product, least)));
    const vm normal = vm_and(vf_lt(total, most), vm_and(vf_lt(start, most), vf_lt(product, most)));
    return vf_select(vm_andnot(normal, small), start, vf_splat(-FLT_MAX));
}

/* Keeps the split at low and high in the lanes where it is better, variant by variant. */
LANES void keep_splits(int kinds, const struct split_sums *s, int low, int high,
                       struct best_splits *best)
{
    const vf zero = vf_splat(0.0f);

    for (int k = 0; k < kinds; k++) {
        const vf qx = s->qx[k], qq = s->qq[k];
        const vm better = vm_and(vf_gt(qq, zero), vf_gt(qx * qx, best->score * qq));
        const vf scale = qx / qq, score = scale * qx;
        const vm first = vm_and(better, vi_gt(vi_splat(0), best->place));
        const vm clear = vf_gt(score, best->start * vf_splat(1.000002f));
        best->doubtful = vm_or(best->doubtful, vm_andnot(first, clear));
        best->scale = vf_select(better, scale, best->scale);
        best->score = vf_select(better, score, best->score);
        best->place = vi_select(better, vi_splat(low | high << 8 | k << 16), best->place);
    }
}

LANES void all_splits(int n, int kinds, const void *sums, splits_fn *splits,
                      struct best_splits *best)
{
    for (int low = 0; low <= n; low++)
        for (int high = low; high <= n; high++) {
            struct split_sums s;
            splits(sums, low, high, &s);
            vm any = vf_gt(s.qx[0] * s.qx[0], best->score * s.qq[0]);
            for (int k = 1; k < kinds; k++)
                any = vm_or(any, vf_gt(s.qx[k] * s.qx[k], best->score * s.qq[k]));
            if (vm_any(any)) /* if qq is positive, as it nearly always is */
                keep_splits(kinds, &s, low, high, best);
        }
}

LANES struct best_splits search_splits(int n, int kinds, const void *sums, splits_fn *splits,
                                       vf start)
{
    const vf zero = vf_splat(0.0f);
    struct best_splits best = {.score = start, .start = start, .scale = zero};

    best.place = vi_splat(-1);
    best.doubtful = vf_lt(zero, zero);
    all_splits(n, kinds, sums, splits, &best);
    return best;
}

LANES void best_splits(int n, int kinds, const void *sums, splits_fn *splits, vf total,
                       struct iq1_part *parts, int count)
{
    const vf start = starting_scores(n, kinds, sums, splits, total);
    struct best_splits best = search_splits(n, kinds, sums, splits, start);
    const vm missed = vm_or(best.doubtful, vi_gt(vi_splat(0), best.place));
    int32_t place[VL];
    float scale[VL];

    if (vm_any(vm_and(missed, vf_gt(start, vf_splat(0.0f)))))
        best = search_splits(n, kinds, sums, splits, vf_splat(-FLT_MAX));
    vi_store(place, best.place);
    vf_store(scale, best.scale);
    for (int i = 0; i < count; i++)
        parts[i].split = (struct iq1_split){.found = place[i] >= 0,
                                            .low = place[i] & 0xff,
                                            .high = place[i] >> 8 & 0xff,
                                            .minus = (uint32_t)place[i] >> 16 & 3,
                                            .scale = scale[i]};
}

LANES void split_s_lanes(struct iq1_part *parts, int count)
{
    struct sorted_lanes s;
    struct sums_s sums;

    sort_lanes(IQ1_S_PART, parts, count, &s);
    const vf total = make_sums_s(&s, &sums);
    best_splits(IQ1_S_PART, 2, &sums, splits_s, total, parts, count);
}

LANES void split_m_lanes(struct iq1_part *parts, int count)
{
    struct sorted_lanes s;
    struct sums_m sums;

    sort_lanes(IQ1_M_PART, parts, count, &s);
    const vf total = make_sums_m(&s, &sums);
    best_splits(IQ1_M_PART, 4, &sums, splits_m, total, parts, count);
}

static void split_lanes(struct iq1_part *parts, int count)
{
    for (int i = 0; i < count; i += VL) {
        const int some = count - i < VL ? count - i : VL;
        if (parts->n == IQ1_S_PART)
            split_s_lanes(parts + i, some);
        else
            split_m_lanes(parts + i, some);
    }
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

static const struct iq1_steps lane_steps = {.split = split_lanes, .nearest = nearest_value_lanes};

static const struct iq1_steps *steps_for(const float *x, int n)
{
    return all_finite(x, n) ? &lane_steps : &iq1_scalar_steps;
}

/* sums[k] of the block that is the i-th of `blocks`, k = i % VL, and of those that follow it: VL at
 * a time, as a sum waits for each of its additions. */
LANES void sums_ahead(const float *src, size_t i, size_t blocks, const float *importance,
                      float *sums)
{
    if (importance && i % VL == 0)
        square_sums(src, IQ_BLOCK, blocks - i < VL ? (int)(blocks - i) : VL, sums);
}

void ISA_FN(encode_iq1_s)(void *dst, const float *src, size_t rows, size_t cols,
                          const float *importance)
{
    const size_t most = VL > 8 ? IQ1_S_BLOCKS : 1; /* to fill the lanes */
    const size_t per_row = cols / IQ_BLOCK, blocks = rows * per_row;
    struct block_iq1_s *const out = dst;
    float sums[VL] = {0};

    for (size_t i = 0, n; i < blocks; i += n, src += n * IQ_BLOCK) {
        const size_t left = per_row - i % per_row, fit = VL - i % VL;
        float x[IQ1_S_BLOCKS * IQ_BLOCK];
        n = left < most || fit < most ? 1 : most;
        sums_ahead(src, i, blocks, importance, sums);
        copy_floats(x, src, (int)n * IQ_BLOCK);
        iq1_s_blocks(out + i, (int)n, x, importance ? importance + i % per_row * IQ_BLOCK : NULL,
                     sums + i % VL, steps_for(x, (int)n * IQ_BLOCK));
    }
}

void ISA_FN(encode_iq1_m)(void *dst, const float *src, size_t rows, size_t cols,
                          const float *importance)
{
    const size_t per_row = cols / IQ_BLOCK, blocks = rows * per_row;
    struct block_iq1_m *const out = dst;
    float sums[VL] = {0};

    for (size_t i = 0; i < blocks; i++, src += IQ_BLOCK) {
        float x[IQ_BLOCK];
        sums_ahead(src, i, blocks, importance, sums);
        copy_floats(x, src, IQ_BLOCK);
        iq1_m_block(out + i, x, importance ? importance + i % per_row * IQ_BLOCK : NULL,
                    sums[i % VL], steps_for(x, IQ_BLOCK));
    }
}

#endif
