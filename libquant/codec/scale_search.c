/* scale_search.c -- the scalar definition of the searches. Vector kernels run the same sequence of
 * operations in every lane, see search_lanes.h. */
#include "libquant/codec/scale_search.h"

#include <math.h>

#include "libquant/codec/num.h"

float search_extreme(int n, const float *x)
{
    float magnitude = 0.0f, value = 0.0f;

    for (int i = 0; i < n; i++) {
        if (fabsf(x[i]) > magnitude) {
            magnitude = fabsf(x[i]);
            value = x[i];
        }
    }
    return value;
}

/* Sums of a least squares fit of x by scale * l: the best scale is lx / l2, and lx^2 / l2 is what
 * it explains of the sum of w * x^2. */
struct fit {
    float lx; /* sum of w * x * l */
    float l2; /* sum of w * l * l */
};

static int symmetric_code(int nmax, float inverse, float x)
{
    return clamp_i32(nearest_i32(inverse * x), -nmax, nmax - 1);
}

static struct fit symmetric_fit(int n, int nmax, const float *x, const float *w, float inverse)
{
    struct fit sum = {0.0f, 0.0f};

    for (int i = 0; i < n; i++) {
        const float l = (float)symmetric_code(nmax, inverse, x[i]);
        sum.lx = mul_add(w[i] * x[i], l, sum.lx);
        sum.l2 = mul_add(w[i] * l, l, sum.l2);
    }
    return sum;
}

float search_symmetric(int n, int nmax, const float *x, const float *w, uint8_t *codes)
{
    const float max = search_extreme(n, x);

    if (fabsf(max) < SEARCH_EPSILON) {
        memset(codes, 0, (size_t)n);
        return 0.0f;
    }
    float best_inverse = (float)-nmax / max;
    const struct fit plain = symmetric_fit(n, nmax, x, w, best_inverse);
    float scale = plain.l2 != 0.0f ? plain.lx / plain.l2 : 0.0f;
    float best = scale * plain.lx;

    for (int t = -9; t <= 9; t++) {
        if (t == 0)
            continue;
        const float inverse = -mul_add(0.1f, (float)t, (float)nmax) / max;
        const struct fit trial = symmetric_fit(n, nmax, x, w, inverse);
        if (trial.l2 > 0.0f && trial.lx * trial.lx > best * trial.l2) {
            scale = trial.lx / trial.l2;
            best = scale * trial.lx;
            best_inverse = inverse;
        }
    }
    for (int i = 0; i < n; i++)
        codes[i] = (uint8_t)(nmax + symmetric_code(nmax, best_inverse, x[i]));
    return scale;
}

/* One round of search_descent: true if a code has moved. */
static bool descend(int n, int nmax, const float *x, int *l, struct fit *sum)
{
    bool moved = false;

    for (int i = 0; i < n; i++) {
        const float w = x[i] * x[i];
        const float old = (float)l[i];
        struct fit moved_sum = {sub_mul(sum->lx, w * x[i], old), 0.0f};
        if (!(moved_sum.lx > 0.0f))
            continue;
        moved_sum.l2 = sub_mul(sum->l2, w * old, old);
        const int code =
            clamp_i32(nearest_i32(x[i] * moved_sum.l2 / moved_sum.lx), -nmax, nmax - 1);
        if (code == l[i])
            continue;
        moved_sum.lx = mul_add(w * x[i], (float)code, moved_sum.lx);
        moved_sum.l2 = mul_add(w * (float)code, (float)code, moved_sum.l2);
        if (moved_sum.l2 > 0.0f &&
            moved_sum.lx * moved_sum.lx * sum->l2 > sum->lx * sum->lx * moved_sum.l2) {
            l[i] = code;
            *sum = moved_sum;
            moved = true;
        }
    }
    return moved;
}

float search_descent(int n, int nmax, const float *x, uint8_t *codes)
{
    const float max = search_extreme(n, x);
    struct fit sum = {0.0f, 0.0f};
    int l[256];

    if (fabsf(max) < SEARCH_EPSILON) {
        memset(codes, 0, (size_t)n);
        return 0.0f;
    }
    const float inverse = (float)-nmax / max;
    for (int i = 0; i < n; i++) {
        const float w = x[i] * x[i];
        l[i] = symmetric_code(nmax, inverse, x[i]);
        sum.lx = mul_add(w * x[i], (float)l[i], sum.lx);
        sum.l2 = mul_add(w * (float)l[i], (float)l[i], sum.l2);
    }
    for (int round = 0; round < 5; round++)
        if (!descend(n, nmax, x, l, &sum))
            break;
    for (int i = 0; i < n; i++)
        codes[i] = (uint8_t)(l[i] + nmax);
    return sum.l2 > 0.0f ? sum.lx / sum.l2 : 0.0f;
}

static int affine_code(int nmax, float inverse, float low, float x)
{
    return clamp_i32(nearest_i32(inverse * (x - low)), 0, nmax);
}

/* Weighted error of the codes of (inverse, low) decoded with scale and low_out. */
static float affine_error(int n, const float *x, const float *w, const float *l, float scale,
                          float low, bool absolute)
{
    float sum = 0.0f;

    for (int i = 0; i < n; i++) {
        const float diff = mul_add(scale, l[i], low) - x[i];
        sum = mul_add(w[i], absolute ? fabsf(diff) : diff * diff, sum);
    }
    return sum;
}

/* What search_affine knows of the group and of the best trial so far. */
struct affine_state {
    float sum_w, sum_x; /* sums of w and of w * x */
    float max;
    float scale, low, error;      /* best fit: x ~ scale * l + low */
    float code_inverse, code_low; /* what its codes were rounded with */
};

/* Rounds with one stretch of the code range, fits scale and minimum to the codes, and keeps them if
 * the error is smaller. */
static void affine_trial(int n, int nmax, const float *x, const float *w, float range,
                         bool absolute, struct affine_state *s)
{
    const float inverse = range / (s->max - s->low);
    float l[256];
    float sum_l = 0.0f, sum_l2 = 0.0f, sum_xl = 0.0f;

    for (int i = 0; i < n; i++) {
        l[i] = (float)affine_code(nmax, inverse, s->low, x[i]);
        sum_l = mul_add(w[i], l[i], sum_l);
        sum_l2 = mul_add(w[i] * l[i], l[i], sum_l2);
        sum_xl = mul_add(w[i] * l[i], x[i], sum_xl);
    }
    const float det = mul_sub(s->sum_w, sum_l2, sum_l * sum_l);
    if (!(det > 0.0f))
        return;
    float scale = mul_sub(s->sum_w, sum_xl, s->sum_x * sum_l) / det;
    float low = mul_sub(sum_l2, s->sum_x, sum_l * sum_xl) / det;
    if (low > 0.0f) { /* the format has no positive minimum */
        low = 0.0f;
        scale = sum_xl / sum_l2;
    }
    const float error = affine_error(n, x, w, l, scale, low, absolute);
    if (error < s->error) {
        s->error = error;
        s->code_inverse = inverse;
        s->code_low = s->low;
        s->scale = scale;
        s->low = low;
    }
}

float search_affine(int n, int nmax, const float *x, const float *w,
                    const struct affine_trials *trials, uint8_t *codes, float *min)
{
    struct affine_state s = {.sum_w = w[0], .sum_x = w[0] * x[0], .low = x[0], .max = x[0]};
    float l[256] = {0}; /* for gcc, which does not know that n > 0 */

    for (int i = 1; i < n; i++) {
        s.low = x[i] < s.low ? x[i] : s.low;
        s.max = x[i] > s.max ? x[i] : s.max;
        s.sum_w += w[i];
        s.sum_x = mul_add(w[i], x[i], s.sum_x);
    }
    if (s.low > 0.0f)
        s.low = 0.0f;
    if (s.max == s.low) {
        memset(codes, 0, (size_t)n);
        *min = -s.low;
        return 0.0f;
    }
    s.code_inverse = (float)nmax / (s.max - s.low);
    s.code_low = s.low;
    s.scale = 1.0f / s.code_inverse;
    for (int i = 0; i < n; i++)
        l[i] = (float)affine_code(nmax, s.code_inverse, s.code_low, x[i]);
    s.error = affine_error(n, x, w, l, s.scale, s.low, trials->absolute);
    for (int i = 0; i <= trials->last; i++)
        affine_trial(n, nmax, x, w, mul_add(trials->step, (float)i, trials->first) + (float)nmax,
                     trials->absolute, &s);
    for (int i = 0; i < n; i++)
        codes[i] = (uint8_t)affine_code(nmax, s.code_inverse, s.code_low, x[i]);
    *min = -s.low;
    return s.scale;
}

static int positive_code(int nmax, float inverse, float x)
{
    const int l = nearest_i32(inverse * x);
    return l < nmax ? l : nmax;
}

/* The best of nine inverse scales, by the sum of w * difference^2. */
static float positive_inverse(int n, int nmax, const float *x, const float *w, float max)
{
    float best_inverse = (float)nmax / max;
    float best = 0.0f;
    const float plain = 1.0f / best_inverse;

    for (int i = 0; i < n; i++) {
        const uint8_t l = (uint8_t)nearest_i32(best_inverse * x[i]);
        const float diff = sub_mul(x[i], plain, (float)l);
        best = mul_add(w[i] * diff, diff, best);
    }
    for (int t = -4; t <= 4; t++) {
        if (t == 0)
            continue;
        const float inverse = mul_add(0.1f, (float)t, (float)nmax) / max;
        const float scale = 1.0f / inverse;
        float error = 0.0f;
        for (int i = 0; i < n; i++) {
            const float l = (float)positive_code(nmax, inverse, x[i]);
            const float diff = sub_mul(x[i], scale, l);
            error = mul_add(w[i] * diff, diff, error);
        }
        if (error < best) {
            best = error;
            best_inverse = inverse;
        }
    }
    return best_inverse;
}

/* One round of moving single codes of search_positive: true if one has moved. */
static bool positive_descend(int n, int nmax, const float *x, const float *w, uint8_t *l,
                             struct fit *sum)
{
    bool moved = false;

    for (int i = 0; i < n; i++) {
        const float wx = w[i] * x[i];
        const float old = (float)l[i];
        struct fit s = {sub_mul(sum->lx, wx, old), sub_mul(sum->l2, w[i] * old, old)};
        if (!(s.lx > 0.0f && s.l2 > 0.0f))
            continue;
        const int nearest = nearest_i32(x[i] * s.l2 / s.lx);
        const int code = nearest < nmax ? nearest : nmax;
        if (code == l[i])
            continue;
        s.lx = mul_add(wx, (float)code, s.lx);
        s.l2 = mul_add(w[i] * (float)code, (float)code, s.l2);
        if (s.lx * s.lx * sum->l2 > sum->lx * sum->lx * s.l2) {
            l[i] = (uint8_t)code;
            *sum = s;
            moved = true;
        }
    }
    return moved;
}

float search_positive(int n, int nmax, const float *x, const float *w, uint8_t *codes)
{
    struct fit sum = {0.0f, 0.0f};
    float max = 0.0f;

    for (int i = 0; i < n; i++)
        max = max > x[i] ? max : x[i];
    if (max < SEARCH_EPSILON) {
        memset(codes, 0, (size_t)n);
        return 0.0f;
    }
    const float inverse = positive_inverse(n, nmax, x, w, max);
    for (int i = 0; i < n; i++) {
        const int l = positive_code(nmax, inverse, x[i]);
        codes[i] = (uint8_t)l;
        sum.lx = mul_add(w[i] * x[i], (float)l, sum.lx);
        sum.l2 = mul_add(w[i] * (float)l, (float)l, sum.l2);
    }
    for (int round = 0; round < 5; round++)
        if (!positive_descend(n, nmax, x, w, codes, &sum))
            break;
    return sum.l2 > 0.0f ? sum.lx / sum.l2 : 0.0f;
}
