/* lineage_honest.c -- the statistics of honest blocks, and their bounds. */
#include "libquant/provenance/lineage_honest.h"

#include "libquant/codec/num.h"
#include "libquant/provenance/lineage_book.h"

#include <math.h>
#include <string.h>

/* The bounds lie above the largest values that tests/interop/honest_blocks.c found among honest
 * blocks; docs/lineage.md has the counts. */
#define HONEST(symbol, ...) {&type_##symbol, {__VA_ARGS__}},
static const struct honest bounds[] = {
#include "libquant/provenance/lineage_honest.def"
};
#undef HONEST

const struct honest *honest_of(const struct type_info *type)
{
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
        if (bounds[i].type == type)
            return &bounds[i];
    return NULL;
}

/* ---- levels ---- */

static double clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

/* The level that is nearest to x, in the part's units above its base. */
static double nearest_level(const struct block_part *p, double x)
{
    if (!p->levels)
        return clamp(rint(x), 0, p->n_levels - 1);
    double best = p->levels[0];
    for (int i = 1; i < p->n_levels; i++)
        if (fabs(p->levels[i] - x) < fabs(best - x))
            best = p->levels[i];
    return best;
}

/* Distance of x to the nearest value that the part can have. */
static double nearest_distance(const struct block_shape *s, const struct block_part *p, double x)
{
    const double u = (x - p->base) / p->unit;
    const double at = (s->flags & SHAPE_MIRRORED) ? fabs(u) : u;
    return fabs(nearest_level(p, at) - at) * fabs(p->unit);
}

/* ---- codes ---- */

/* What rounding the scale to half precision, after the codes were chosen, can do: the relative
 * error is at most 2^-11, more for subnormal scales. In steps. */
static double rounding_slack(const struct block_shape *s, const struct block_part *p, double x)
{
    const double scale = (s->flags & SHAPE_REFITTED) || p->grain == 0 ? fabs(p->unit) : p->grain;
    const double relative = fmax(0x1p-11, 0x1p-25 / scale) * 1.01;
    const double offset = p->levels ? 0 : fabs(p->base) + p->n_levels / 2 * fabs(p->unit);
    return 2 * relative *
           (fabs(x) + fabs(p->unit) * s->step + ((s->flags & SHAPE_REFITTED) ? offset : 0)) /
           fabs(p->unit) / s->step;
}

static double codes_of_elements(const struct block_shape *s, const struct block_part *p,
                                const float *v, const float *x)
{
    double worst = 0;
    for (size_t i = 0; i < p->len; i++) {
        const double mine = fabs((double)x[i] - (double)v[i]);
        double more = (mine - nearest_distance(s, p, (double)x[i])) / (fabs(p->unit) * s->step);
        if ((s->flags & SHAPE_ROUNDED))
            more -= rounding_slack(s, p, (double)x[i]);
        worst = more > worst ? more : worst;
    }
    return worst;
}

static bool other_sign(float a, float b)
{
    return (a < 0 && b > 0) || (a > 0 && b < 0);
}

/* Signs do not depend on the scale: they are those of the elements. Where parity asks for it, an
 * honest quantizer turns the one of eight that matters least to it; and a negative scale turns all.
 */
static bool signs_are_honest(const struct block_shape *s, const float *v, const float *x, size_t n)
{
    const size_t most = s->flags & SHAPE_PARITY ? 1 : 0;
    for (size_t g = 0; g < n; g += 8) {
        size_t wrong = 0;
        for (size_t i = g; i < g + 8; i++)
            wrong += other_sign(v[i], x[i]);
        if (wrong > most && wrong < 8 - most)
            return false;
    }
    return true;
}

/* ---- codes under a scale that was fitted later ---- */

/* For codes l, with values a * x - b to be rounded: how much wider than a step the codes are spread
 * at a. 0 or less where some b makes all of them the nearest. Codes at the ends take all beyond. */
static double spread(const struct block_part *p, const double *l, const float *x, double a)
{
    double most = -INFINITY, least = INFINITY;
    for (size_t i = 0; i < p->len; i++) {
        const double r = a * (double)x[i] - l[i];
        if (l[i] < p->n_levels - 1)
            most = r > most ? r : most;
        if (l[i] > 0)
            least = r < least ? r : least;
    }
    return most - least - 1;
}

/* The least spread over all a: it is convex in a. */
static double least_spread(const struct block_part *p, const double *l, const float *x)
{
    float min = x[0], max = x[0];
    for (size_t i = 1; i < p->len; i++) {
        min = x[i] < min ? x[i] : min;
        max = x[i] > max ? x[i] : max;
    }
    if (!(max > min))
        return 0;
    double low = 0, high = 64 * p->n_levels / ((double)max - (double)min);
    for (int i = 0; i < 100; i++) {
        const double a = low + (high - low) / 3, b = high - (high - low) / 3;
        if (spread(p, l, x, a) <= spread(p, l, x, b))
            high = b;
        else
            low = a;
    }
    return spread(p, l, x, (low + high) / 2);
}

/* Without a minimum, b is fixed: a * x is rounded to l - zero. An interval of a remains, or its two
 * ends have passed each other; in steps of the largest element. */
static double crossed_interval(const struct block_part *p, const double *l, const float *x)
{
    const double zero = p->n_levels / 2;
    double low = -INFINITY, high = INFINITY, largest = 0;
    for (size_t i = 0; i < p->len; i++) {
        const double size = fabs((double)x[i]), sign = x[i] < 0 ? -1 : 1;
        const double code = (l[i] - zero) * sign; /* a * size is rounded to it; a may be negative */
        const bool open_up = sign > 0 ? l[i] >= p->n_levels - 1 : l[i] <= 0;
        const bool open_down = sign > 0 ? l[i] <= 0 : l[i] >= p->n_levels - 1;
        largest = size > largest ? size : largest;
        if (size == 0)
            continue;
        if (!open_up)
            high = fmin(high, (code + 0.5) / size);
        if (!open_down)
            low = fmax(low, (code - 0.5) / size);
    }
    return low > high ? (low - high) * largest : 0;
}

static double codes_of_any_scale(const struct block_shape *s, const struct block_part *p,
                                 const float *v, const float *x)
{
    double l[32];
    for (size_t i = 0; i < p->len; i++)
        l[i] = rint(((double)v[i] - p->base) / p->unit);
    const double out = s->flags & SHAPE_MINIMUM ? least_spread(p, l, x) : crossed_interval(p, l, x);
    return out > 0 ? out : 0;
}

/* Parts in which nothing seems to count are left empty: the least levels, and no minuses. */
static bool is_empty(const struct block_part *p, const float *v)
{
    size_t i = 0;
    while (i < p->len && (double)v[i] / p->unit > 0 &&
           nearest_level(p, (double)v[i] / p->unit) == p->levels[0])
        i++;
    return i == p->len;
}

static double codes_of(const struct block_shape *s, const struct block_part *p, const float *v,
                       const float *x)
{
    if (p->unit == 0)
        return 0;
    if ((s->flags & SHAPE_MIRRORED) && !signs_are_honest(s, v, x, p->len) && !is_empty(p, v))
        return INFINITY;
    if (s->book != BOOK_COUNT)
        return book_distance(s, p, v, x);
    const double worst = codes_of_elements(s, p, v, x);
    if (!(s->flags & SHAPE_REFITTED) || worst <= 0)
        return worst;
    const double any = codes_of_any_scale(s, p, v, x);
    return any < worst ? any : worst;
}

/* ---- error ---- */

static double error2(const float *v, const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += ((double)v[i] - (double)x[i]) * ((double)v[i] - (double)x[i]);
    return sum;
}

/* Squared error that a step more or less in the stored scales would make in a part, and the error
 * of rounding to its levels. */
static double allowance(const struct block_shape *s, const struct block_part *p)
{
    const double range =
        (s->flags & SHAPE_MIRRORED) || p->levels ? 4.0 * s->step : p->n_levels / 2.0;
    const double scale = p->grain * range / 2, min = p->base_grain, unit = p->unit * s->step / 4;
    return p->len * (scale * scale + min * min + unit * unit);
}

static double ratio(double error, double allowed)
{
    return error > 0 ? allowed > 0 ? error / allowed : INFINITY : 0;
}

void honest_measure(const struct honest *h, const struct honest_block *b,
                    double out[HONEST_STATISTICS])
{
    const struct block_shape *const s = block_shape_of(h->type);
    struct block_part parts[BLOCK_PARTS], again[BLOCK_PARTS];
    double error = 0, allowed = 0;
    size_t at = 0;
    const size_t n = s->parts(b->stored, parts);
    s->parts(b->again_stored, again);
    out[HONEST_CODES] = out[HONEST_PART] = 0;
    for (size_t i = 0; i < n; at += parts[i++].len) {
        const double codes = codes_of(s, &parts[i], b->v + at, b->x + at);
        const double mine = error2(b->v + at, b->x + at, parts[i].len);
        const double ours =
            error2(b->again + at, b->x + at, parts[i].len) + allowance(s, &again[i]);
        error += mine;
        allowed += ours;
        out[HONEST_CODES] = fmax(out[HONEST_CODES], codes);
        out[HONEST_PART] = fmax(out[HONEST_PART], ratio(mine, ours));
    }
    out[HONEST_BLOCK] = ratio(error, allowed);
}

float honest_distance(const struct honest *h, const struct honest_block *b)
{
    const size_t n = h->type->block_len;
    double s[HONEST_STATISTICS], far = 0;
    if (!f32_all_finite(b->x, n) || memcmp(b->stored, b->again_stored, h->type->block_bytes) == 0)
        return 0;
    if (!f32_all_finite(b->v, n))
        return INFINITY;
    honest_measure(h, b, s);
    for (int i = 0; i < HONEST_STATISTICS; i++)
        far = fmax(far, s[i] / (double)h->bound[i]);
    return (float)far;
}
