/* scale_search.h -- searches for the scale (and minimum) under which a group of numbers loses
 * least.
 *
 * Every search rounds the group to integer codes under a number of trial scales, solves for the
 * best scale given those codes by weighted least squares, and keeps the best trial. They are the
 * heart of the K types and of the legacy types with an importance matrix. The order of every float
 * operation is part of the definition: sums run over the elements in order, in single precision.
 *
 * Sizes: n <= 256. x, w and codes have n elements. Weights are not negative.
 */
#ifndef LQ_CODEC_SCALE_SEARCH_H
#define LQ_CODEC_SCALE_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "libquant/codec/rounding.h"

/* One set of them for each rounding. */
#define search_extreme   ROUNDED(search_extreme)
#define search_symmetric ROUNDED(search_symmetric)
#define search_descent   ROUNDED(search_descent)
#define search_affine    ROUNDED(search_affine)
#define search_positive  ROUNDED(search_positive)

/* Groups whose largest magnitude is below this are all zero. */
#define SEARCH_EPSILON 1e-15f

/* The element of largest magnitude, with its sign; the first of several; 0 if there is none. */
float search_extreme(int n, const float *x);

/* x ~ scale * (code - nmax), codes 0 to 2 * nmax - 1. Returns the scale, which may be negative; 0
 * with all codes 0 if the group is all zero. Tries the scales that map the largest element to
 * -(nmax + t / 10), t = -9 ... 9. */
float search_symmetric(int n, int nmax, const float *x, const float *w, uint8_t *codes);

/* The same relation and result, by another way: from the scale that maps the largest element to
 * -nmax, moves one code at a time while that improves the fit, for at most five rounds. Weights are
 * the squares of the elements. */
float search_descent(int n, int nmax, const float *x, uint8_t *codes);

/* The trials of search_affine: the range of codes is stretched to nmax + first + i * step, i from 0
 * to last. The error is the sum of w * |difference|, or of w * difference^2. */
struct affine_trials {
    float first;
    float step;
    int last;
    bool absolute;
};

/* x ~ scale * code - *min, codes 0 to nmax, *min >= 0. Returns the scale. A constant group that is
 * not negative gives scale 0, codes 0. */
float search_affine(int n, int nmax, const float *x, const float *w,
                    const struct affine_trials *trials, uint8_t *codes, float *min);

/* x ~ scale * code for x >= 0, codes 0 to nmax (of a negative x, the low byte of a negative
 * integer). Returns the scale. */
float search_positive(int n, int nmax, const float *x, const float *w, uint8_t *codes);

#endif
