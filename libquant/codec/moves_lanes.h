/* moves_lanes.h -- the searches of scale_search.h that move single codes, one group in each lane.
 *
 * A round that moves nothing in a lane leaves it as it is, and so would all further rounds: lanes
 * that have stopped need no mask.
 */
#ifndef LQ_CODEC_MOVES_LANES_H
#define LQ_CODEC_MOVES_LANES_H

#include "libquant/codec/search_lanes.h"

/* ---- search_positive ---- */

LANES vi positive_code_lanes(int nmax, vf inverse, vf x)
{
    return vi_min(vi_nearest(inverse * x), vi_splat(nmax));
}

LANES vf positive_inverse_lanes(int n, int nmax, const vf *x, const vf *w, vf max)
{
    vf best_inverse = vf_splat((float)nmax) / max;
    vf best = vf_splat(0.0f);
    const vf plain = vf_splat(1.0f) / best_inverse;

    for (int i = 0; i < n; i++) {
        const vi code = vi_and(vi_nearest(best_inverse * x[i]), vi_splat(0xff));
        const vf diff = vf_sub_mul(x[i], plain, vf_from_int(code));
        best = vf_mul_add(w[i] * diff, diff, best);
    }
    for (int t = -4; t <= 4; t++) {
        if (t == 0)
            continue;
        const vf inverse = vf_splat(mul_add(0.1f, (float)t, (float)nmax)) / max;
        const vf scale = vf_splat(1.0f) / inverse;
        vf error = vf_splat(0.0f);
        for (int i = 0; i < n; i++) {
            const vf l = vf_from_int(positive_code_lanes(nmax, inverse, x[i]));
            const vf diff = vf_sub_mul(x[i], scale, l);
            error = vf_mul_add(w[i] * diff, diff, error);
        }
        const vm better = vf_lt(error, best);
        best = vf_select(better, error, best);
        best_inverse = vf_select(better, inverse, best_inverse);
    }
    return best_inverse;
}

LANES bool positive_descend_lanes(int n, int nmax, const vf *x, const vf *w, vi *codes, vf *lx,
                                  vf *l2)
{
    const vf zero = vf_splat(0.0f);
    bool moved = false;

    for (int i = 0; i < n; i++) {
        const vf wx = w[i] * x[i];
        const vf old = vf_from_int(codes[i]);
        vf slx = vf_sub_mul(*lx, wx, old), sl2 = vf_sub_mul(*l2, w[i] * old, old);
        const vi code = vi_min(vi_nearest(x[i] * sl2 / slx), vi_splat(nmax));
        vm move = vm_and(vf_gt(slx, zero), vf_gt(sl2, zero));
        move = vm_andnot(move, vi_eq(code, codes[i]));
        if (!vm_any(move))
            continue;
        const vf l = vf_from_int(code);
        slx = vf_mul_add(wx, l, slx);
        sl2 = vf_mul_add(w[i] * l, l, sl2);
        move = vm_and(move, vf_gt(slx * slx * *l2, *lx * *lx * sl2));
        codes[i] = vi_select(move, vi_and(code, vi_splat(0xff)), codes[i]);
        *lx = vf_select(move, slx, *lx);
        *l2 = vf_select(move, sl2, *l2);
        moved = moved || vm_any(move);
    }
    return moved;
}

/* Returns the scales; codes has the low bytes in its lanes. */
LANES vf search_positive_lanes(int n, int nmax, const vf *x, const vf *w, vi *codes)
{
    const vf zero = vf_splat(0.0f);
    vf max = zero, lx = zero, l2 = zero;

    for (int i = 0; i < n; i++)
        max = vf_max(max, x[i]);
    const vm all_zero = vf_lt(max, vf_splat(SEARCH_EPSILON));
    const vf inverse = positive_inverse_lanes(n, nmax, x, w, max);
    for (int i = 0; i < n; i++) {
        const vi code = positive_code_lanes(nmax, inverse, x[i]);
        const vf l = vf_from_int(code);
        codes[i] = vi_and(code, vi_splat(0xff));
        lx = vf_mul_add(w[i] * x[i], l, lx);
        l2 = vf_mul_add(w[i] * l, l, l2);
    }
    for (int round = 0; round < 5; round++)
        if (!positive_descend_lanes(n, nmax, x, w, codes, &lx, &l2))
            break;
    for (int i = 0; i < n; i++)
        codes[i] = vi_select(all_zero, vi_splat(0), codes[i]);
    return vf_select(vm_andnot(vf_gt(l2, zero), all_zero), lx / l2, zero);
}

/* ---- search_descent: GROUPS vectors at a time, as each step waits for the one before ---- */

/* Codes are l + nmax, and 0 where `zero`. */
struct descent_lanes {
    vf scale;
    vm zero;
};

/* One element of one group of a round. True if a lane has moved. */
LANES bool descent_step(int nmax, vf x, vf w, vf *l, vf *lx, vf *l2)
{
    const vf zero = vf_splat(0.0f);
    const vf wx = w * x;
    vf slx = vf_sub_mul(*lx, wx, *l), sl2 = vf_sub_mul(*l2, w * *l, *l);
    const vf code = vf_from_int(vi_clamp(vi_nearest(x * sl2 / slx), -nmax, nmax - 1));
    vm move = vm_andnot(vf_gt(slx, zero), vf_eq(code, *l));

    if (!vm_any(move))
        return false;
    slx = vf_mul_add(wx, code, slx);
    sl2 = vf_mul_add(w * code, code, sl2);
    move = vm_and(move, vf_gt(sl2, zero));
    move = vm_and(move, vf_gt(slx * slx * *l2, *lx * *lx * sl2));
    *l = vf_select(move, code, *l);
    *lx = vf_select(move, slx, *lx);
    *l2 = vf_select(move, sl2, *l2);
    return vm_any(move);
}

LANES bool descent_round(int n, int nmax, const vf *x, const vf *w, vf *l, vf *lx, vf *l2)
{
    bool moved = false;

    for (int i = 0; i < n; i++)
        for (int g = 0; g < GROUPS; g++)
            moved |= descent_step(nmax, x[g * n + i], w[g * n + i], &l[g * n + i], &lx[g], &l2[g]);
    return moved;
}

/* Group g has its elements in x[g * n] to x[g * n + n - 1], and gets its codes in l likewise. */
LANES void search_descent_lanes(int n, int nmax, const vf *x, vf *l, struct descent_lanes *s)
{
    const vf zero = vf_splat(0.0f);
    vf w[GROUPS * MAX_LEN], lx[GROUPS], l2[GROUPS];
    bool any = false;

    for (int g = 0; g < GROUPS; g++) {
        const vf max = search_extreme_lanes(n, x + g * n);
        const vf inverse = vf_splat((float)-nmax) / max;
        s[g].zero = vf_lt(vf_abs(max), vf_splat(SEARCH_EPSILON));
        any = any || !vm_all(s[g].zero);
        lx[g] = l2[g] = zero;
        for (int i = g * n; i < (g + 1) * n; i++) {
            w[i] = x[i] * x[i];
            l[i] = vf_from_int(symmetric_code_lanes(nmax, inverse, x[i]));
            lx[g] = vf_mul_add(w[i] * x[i], l[i], lx[g]);
            l2[g] = vf_mul_add(w[i] * l[i], l[i], l2[g]);
        }
    }
    for (int round = 0; round < 5 && any; round++)
        if (!descent_round(n, nmax, x, w, l, lx, l2))
            break;
    for (int g = 0; g < GROUPS; g++)
        s[g].scale = vf_select(vm_andnot(vf_gt(l2[g], zero), s[g].zero), lx[g] / l2[g], zero);
}

#endif
