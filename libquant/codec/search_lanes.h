/* search_lanes.h -- the searches of scale_search.h, VL groups at a time, one in each lane.
 *
 * Every lane goes through the operations of the scalar search in its order, so that it ends with
 * the same bits. Where the scalar code branches, lanes compute both and select; a lane whose group
 * is constant or zero is carried along and overwritten in the end.
 */
#ifndef LQ_CODEC_SEARCH_LANES_H
#define LQ_CODEC_SEARCH_LANES_H

#include "libquant/codec/scale_search.h"
#include "libquant/codec/simd.h"

enum { MAX_LEN = 32 };

/* ---- search_affine: GROUPS vectors at a time, to hide latency: PAIRED of them go through the same
 * loop, as many as registers hold the sums of; while these wait for a division the others run ----
 */

/* State and result of VL groups. The codes are affine_code_lanes(nmax, code_inverse, code_low, x),
 * also where the group is constant. */
struct affine_lanes {
    vf sum_w, sum_x, max;
    vf lowest; /* of the elements, at most 0 */
    vm varies;
    vf scale, low, error;
    vf code_inverse, code_low;
};

LANES vi affine_code_lanes(int nmax, vf inverse, vf low, vf x)
{
    return vi_clamp(vi_nearest(inverse * (x - low)), 0, nmax);
}

/* How a trial rounds: EXACT for any number; or, about a tenth faster, for numbers up to 4194303 in
 * magnitude, by adding ROUNDER and, behind the limits, taking it away, which takes less time than
 * the instruction that rounds; UNCAPPED if none is rounded to more than nmax. */
enum rounds { EXACT, CAPPED, UNCAPPED };

LANES vf affine_round(int nmax, vf v, enum rounds how)
{
    if (how == EXACT)
        return vf_from_int(vi_clamp(vi_nearest(v), 0, nmax));
    const vf sum = vf_max(v + vf_splat(ROUNDER), vf_splat(ROUNDER));
    const vf top = vf_splat(ROUNDER + (float)nmax);
    return (how == UNCAPPED ? sum : vf_min(sum, top)) - vf_splat(ROUNDER);
}

/* The ends of what is to be rounded, and so all of it, are within what ROUNDER rounds; and its top
 * is that of the elements. */
LANES vm affine_in_range(const struct affine_lanes *s, vf inverse)
{
    const vf bottom = vf_abs(inverse * (s->lowest - s->low));
    const vf top = vf_abs(inverse * (s->max - s->low));
    const vf limit = vf_splat(4194303.0f);
    return vm_and(vf_gt(s->max, s->low), vm_and(vf_le(bottom, limit), vf_le(top, limit)));
}

LANES void affine_start(int n, const vf *x, const vf *w, struct affine_lanes *s)
{
    const vf zero = vf_splat(0.0f);

    s->sum_w = w[0];
    s->sum_x = w[0] * x[0];
    s->lowest = s->max = x[0];
    for (int i = 1; i < n; i++) {
        s->lowest = vf_min(x[i], s->lowest);
        s->max = vf_max(x[i], s->max);
        s->sum_w += w[i];
        s->sum_x = vf_mul_add(w[i], x[i], s->sum_x);
    }
    s->lowest = vf_select(vf_gt(s->lowest, zero), zero, s->lowest);
    s->low = s->lowest;
    s->varies = vm_andnot(vf_eq(zero, zero), vf_eq(s->max, s->low));
    /* keeps the arithmetic of constant lanes harmless */
    s->max = vf_select(s->varies, s->max, s->low + vf_splat(1.0f));
}

/* The weighted errors of codes l under (scale, low), for PAIRED groups. */
LANES void affine_error_lanes(int n, const vf *x, const vf *w, const vf *l, const vf *scale,
                              const vf *low, bool absolute, vf *error)
{
    for (int g = 0; g < PAIRED; g++)
        error[g] = vf_splat(0.0f);
    for (int i = 0; i < n; i++) {
        for (int g = 0; g < PAIRED; g++) {
            const vf diff = vf_mul_add(scale[g], l[g * n + i], low[g]) - x[g * n + i];
            const vf size = absolute ? vf_abs(diff) : (vf)(diff * diff);
            error[g] = vf_mul_add(w[g * n + i], size, error[g]);
        }
    }
}

/* The fit without a trial. False if it has to be EXACT. */
LANES bool affine_plain_lanes(int n, int nmax, const vf *x, const vf *w, bool absolute,
                              enum rounds how, struct affine_lanes *s)
{
    vf l[GROUPS * MAX_LEN], low[GROUPS], scale[GROUPS], error[GROUPS];
    vm in_range = s[0].varies;

    for (int g = 0; g < GROUPS; g++) {
        const vf inverse = vf_splat((float)nmax) / (s[g].max - s[g].low);
        const vm fits = affine_in_range(&s[g], inverse);
        in_range = g ? vm_and(in_range, fits) : fits;
        s[g].code_inverse = inverse;
        s[g].code_low = low[g] = s[g].low;
        s[g].scale = scale[g] = vf_splat(1.0f) / inverse;
        for (int i = 0; i < n; i++)
            l[g * n + i] = affine_round(nmax, inverse * (x[g * n + i] - low[g]), how);
    }
    if (how != EXACT && !vm_all(in_range))
        return false;
    for (int g = 0; g < GROUPS; g += PAIRED)
        affine_error_lanes(n, x + g * n, w + g * n, l + g * n, scale + g, low + g, absolute,
                           error + g);
    for (int g = 0; g < GROUPS; g++)
        s[g].error = error[g];
    return true;
}

/* Sums over the codes of a trial. */
struct affine_sums {
    vf l, l2, xl;
};

LANES void affine_sums_lanes(int n, int nmax, const vf *x, const vf *w, const vf *inverse,
                             const vf *low, enum rounds how, vf *l, struct affine_sums *sum)
{
    for (int g = 0; g < PAIRED; g++)
        sum[g].l = sum[g].l2 = sum[g].xl = vf_splat(0.0f);
    for (int i = 0; i < n; i++) {
        for (int g = 0; g < PAIRED; g++) {
            const vf xi = vf_loaded(x[g * n + i]), wi = w[g * n + i];
            const vf li = affine_round(nmax, inverse[g] * (xi - low[g]), how);
            const vf wl = wi * li;
            l[g * n + i] = li;
            sum[g].l = vf_mul_add(wi, li, sum[g].l);
            sum[g].l2 = vf_mul_add(wl, li, sum[g].l2);
            sum[g].xl = vf_mul_add(wl, xi, sum[g].xl);
        }
    }
}

/* What a trial tries, and what becomes of it. */
struct affine_trial {
    vf inverse[GROUPS], scale[GROUPS], low[GROUPS], error[GROUPS];
    vm valid[GROUPS];
};

/* Scale and minimum by least squares. */
LANES void affine_fit_lanes(const struct affine_lanes *s, const struct affine_sums *sum, int g,
                            struct affine_trial *t)
{
    const vf zero = vf_splat(0.0f);
    const vf det = vf_mul_sub(s[g].sum_w, sum[g].l2, sum[g].l * sum[g].l);
    const vf fit = vf_mul_sub(s[g].sum_w, sum[g].xl, s[g].sum_x * sum[g].l) / det;
    const vf low = vf_mul_sub(sum[g].l2, s[g].sum_x, sum[g].l * sum[g].xl) / det;
    const vm positive = vf_gt(low, zero);

    t->low[g] = vf_select(positive, zero, low);
    t->scale[g] = fit;
    if (vm_any(positive)) /* rarely */
        t->scale[g] = vf_select(positive, sum[g].xl / sum[g].l2, fit);
    t->valid[g] = vm_and(vf_gt(det, zero), s[g].varies);
}

LANES void affine_keep_lanes(const struct affine_trial *t, int g, struct affine_lanes *s)
{
    const vm keep = vm_and(t->valid[g], vf_lt(t->error[g], s[g].error));

    s[g].error = vf_select(keep, t->error[g], s[g].error);
    s[g].code_inverse = vf_select(keep, t->inverse[g], s[g].code_inverse);
    s[g].code_low = vf_select(keep, s[g].low, s[g].code_low);
    s[g].scale = vf_select(keep, t->scale[g], s[g].scale);
    s[g].low = vf_select(keep, t->low[g], s[g].low);
}

/* One trial, for all groups. False if it has to be EXACT. */
LANES bool affine_trial_lanes(int n, int nmax, const vf *x, const vf *w, float range, bool absolute,
                              enum rounds how, struct affine_lanes *s)
{
    vf l[GROUPS * MAX_LEN];
    vm in_range = s[0].varies;
    struct affine_sums sum[GROUPS];
    struct affine_trial t;

    for (int g = 0; g < GROUPS; g++) {
        t.low[g] = s[g].low;
        t.inverse[g] = vf_splat(range) / (s[g].max - s[g].low);
        const vm fits = affine_in_range(&s[g], t.inverse[g]);
        in_range = g ? vm_and(in_range, fits) : fits;
    }
    if (how != EXACT && !vm_all(in_range))
        return false;
    for (int g = 0; g < GROUPS; g += PAIRED) {
        affine_sums_lanes(n, nmax, x + g * n, w + g * n, t.inverse + g, t.low + g, how, l + g * n,
                          sum + g);
        for (int k = g; k < g + PAIRED; k++)
            affine_fit_lanes(s, sum, k, &t);
    }
    for (int g = 0; g < GROUPS; g += PAIRED) {
        affine_error_lanes(n, x + g * n, w + g * n, l + g * n, t.scale + g, t.low + g, absolute,
                           t.error + g);
        for (int k = g; k < g + PAIRED; k++)
            affine_keep_lanes(&t, k, s);
    }
    return true;
}

LANES bool affine_all_trials(int n, int nmax, const vf *x, const vf *w,
                             const struct affine_trials *trials, bool exact, struct affine_lanes *s)
{
    if (!affine_plain_lanes(n, nmax, x, w, trials->absolute, exact ? EXACT : UNCAPPED, s))
        return false;
    for (int i = 0; i <= trials->last; i++) {
        const float range = mul_add(trials->step, (float)i, trials->first) + (float)nmax;
        bool done;
        if (exact)
            done = affine_trial_lanes(n, nmax, x, w, range, trials->absolute, EXACT, s);
        else if (range > (float)nmax + 0.49f) /* which the largest is mapped to */
            done = affine_trial_lanes(n, nmax, x, w, range, trials->absolute, CAPPED, s);
        else
            done = affine_trial_lanes(n, nmax, x, w, range, trials->absolute, UNCAPPED, s);
        if (!done)
            return false;
    }
    return true;
}

/* Group g of GROUPS has its elements in x[g * n] to x[g * n + n - 1]. Fills s[0] to s[GROUPS - 1]:
 * scale, low (the minimum is -low), code_inverse, code_low. */
LANES void search_affine_lanes(int n, int nmax, const vf *x, const vf *w,
                               const struct affine_trials *trials, struct affine_lanes *s)
{
    const vf zero = vf_splat(0.0f);
    bool any = false;

    for (int g = 0; g < GROUPS; g++) {
        affine_start(n, x + g * n, w + g * n, &s[g]);
        s[g].scale = s[g].code_inverse = s[g].code_low = zero;
        any = any || vm_any(s[g].varies);
    }
    if (any && !affine_all_trials(n, nmax, x, w, trials, false, s)) {
        for (int g = 0; g < GROUPS; g++)
            s[g].low = s[g].lowest;
        affine_all_trials(n, nmax, x, w, trials, true, s);
    }
    for (int g = 0; g < GROUPS; g++) {
        s[g].scale = vf_select(s[g].varies, s[g].scale, zero);
        s[g].code_inverse = vf_select(s[g].varies, s[g].code_inverse, zero);
        s[g].code_low = vf_select(s[g].varies, s[g].code_low, zero);
    }
}

/* ---- search_symmetric: three trials at a time, as these do not depend on each other ---- */

/* Codes are symmetric_code_lanes(nmax, code_inverse, x) + bias; bias is 0 where the group is zero.
 */
struct symmetric_lanes {
    vf scale;
    vf code_inverse;
    vi bias;
};

LANES vi symmetric_code_lanes(int nmax, vf inverse, vf x)
{
    return vi_clamp(vi_nearest(inverse * x), -nmax, nmax - 1);
}

LANES vf search_extreme_lanes(int n, const vf *x)
{
    vf magnitude = vf_splat(0.0f), value = vf_splat(0.0f);

    for (int i = 0; i < n; i++) {
        const vf a = vf_abs(x[i]);
        const vm larger = vf_gt(a, magnitude);
        magnitude = vf_select(larger, a, magnitude);
        value = vf_select(larger, x[i], value);
    }
    return value;
}

enum { TRIALS = 3 };

/* A code without bias as a float. Where x and inverse are finite, |v| is at most nmax + t / 10 and
 * ROUNDER does; otherwise it has to be `exact`. Up to t = 4 nothing is rounded to below -nmax. */
LANES vf symmetric_round(int nmax, vf v, int t, bool exact)
{
    const vf low = vf_splat(ROUNDER - (float)nmax), high = vf_splat(ROUNDER + (float)(nmax - 1));

    if (exact)
        return vf_from_int(vi_clamp(vi_nearest(v), -nmax, nmax - 1));
    const vf sum = v + vf_splat(ROUNDER);
    return (t <= 4 ? vf_min(sum, high) : vf_clamp(sum, low, high)) - vf_splat(ROUNDER);
}

/* The sums of `trials` fits, t / 10 being the largest stretch among them. */
LANES void symmetric_fits(int n, int nmax, bool exact, const vf *x, const vf *w, const vf *wx,
                          int trials, int t_max, const vf *inverse, vf *lx, vf *l2)
{
    for (int t = 0; t < trials; t++)
        lx[t] = l2[t] = vf_splat(0.0f);
    for (int i = 0; i < n; i++) {
        for (int t = 0; t < trials; t++) {
            const vf l = symmetric_round(nmax, inverse[t] * x[i], t_max, exact);
            lx[t] = vf_mul_add(wx[i], l, lx[t]);
            l2[t] = vf_mul_add(w[i] * l, l, l2[t]);
        }
    }
}

/* `exact`: x may be NaN or infinite. */
LANES void search_symmetric_lanes(int n, int nmax, bool exact, const vf *x, const vf *w,
                                  struct symmetric_lanes *s)
{
    const vf zero = vf_splat(0.0f);
    const vf max = search_extreme_lanes(n, x);
    const vm all_zero = vf_lt(vf_abs(max), vf_splat(SEARCH_EPSILON));
    vf wx[MAX_LEN], inverse[TRIALS], lx[TRIALS], l2[TRIALS];

    if (vm_all(all_zero)) {
        s->scale = s->code_inverse = zero;
        s->bias = vi_splat(0);
        return;
    }
    for (int i = 0; i < n; i++)
        wx[i] = w[i] * x[i];
    s->code_inverse = vf_splat((float)-nmax) / max;
    symmetric_fits(n, nmax, exact, x, w, wx, 1, 0, &s->code_inverse, lx, l2);
    s->scale = vf_select(vf_eq(l2[0], zero), zero, lx[0] / l2[0]);
    vf best = s->scale * lx[0];

    for (int first = -9; first < 9; first += TRIALS) {
        int t = 0;
        for (int k = 0; k < TRIALS; k++) {
            t = first + k < 0 ? first + k : first + k + 1; /* -9 to 9 without 0 */
            inverse[k] = -vf_splat(mul_add(0.1f, (float)t, (float)nmax)) / max;
        }
        if (t <= 4)
            symmetric_fits(n, nmax, exact, x, w, wx, TRIALS, 4, inverse, lx, l2);
        else
            symmetric_fits(n, nmax, exact, x, w, wx, TRIALS, 9, inverse, lx, l2);
        for (int k = 0; k < TRIALS; k++) {
            const vm better = vm_and(vf_gt(l2[k], zero), vf_gt(lx[k] * lx[k], best * l2[k]));
            const vf scale = lx[k] / l2[k];
            s->scale = vf_select(better, scale, s->scale);
            s->code_inverse = vf_select(better, inverse[k], s->code_inverse);
            best = vf_select(better, scale * lx[k], best);
        }
    }
    s->scale = vf_select(all_zero, zero, s->scale);
    s->code_inverse = vf_select(all_zero, zero, s->code_inverse);
    s->bias = vi_select(all_zero, vi_splat(0), vi_splat(nmax));
}

#endif
