/* lineage_book.c -- which codebook entries an encoder can choose for a group, under any scale. */
#include "libquant/provenance/lineage_book.h"

#include "libquant/codec/iquant.h"

#include <math.h>

enum { GROUP = 8, EVENTS = 28 }; /* most elements; most changes of a point, four of eight levels */

/* A group, and the point that its values round to. */
struct group {
    const struct book *book;
    int levels;
    double x[GROUP];
    int code[GROUP]; /* as stored */
    int point[GROUP];
    double least; /* distance, of the points so far */
};

static double points_distance(const struct group *g, uint32_t packed)
{
    const uint32_t mask = (1u << g->book->bits) - 1;
    int sum = 0;
    for (int i = 0; i < g->book->dims; i++) {
        const int step = (int)(packed >> g->book->bits * i & mask) - g->point[i];
        sum += step * step;
    }
    return sum;
}

static uint32_t pack(const struct group *g, const int *code)
{
    uint32_t packed = 0;
    for (int i = 0; i < g->book->dims; i++)
        packed |= (uint32_t)code[i] << g->book->bits * i;
    return packed;
}

/* Takes the distance from the point as it is now. Lists end with the farthest. */
static void consider(struct group *g)
{
    const struct book *const b = g->book;
    const int32_t place = b->places[book_rank(b, pack(g, g->point))];
    double far = 1;
    if (place < 0) {
        const uint16_t *const list = b->lists + ~place;
        far = points_distance(g, list[list[0]]);
    }
    g->least = fmin(g->least, points_distance(g, pack(g, g->code)) / far);
}

/* ---- magnitudes, which stand for 1, 3, 5 ... times a scale ---- */

static void round_to_point(struct group *g, double scale)
{
    for (int i = 0; i < g->book->dims; i++)
        g->point[i] = (int)fmin(fmax(rint((g->x[i] / scale - 1) / 2), 0), g->levels - 1);
}

/* Where the point changes as the scale becomes smaller: one element gets the next level. */
struct event {
    double scale;
    int element;
};

static int list_events(const struct group *g, struct event *events)
{
    int n = 0;
    for (int i = 0; i < g->book->dims; i++)
        for (int level = 1; level < g->levels && g->x[i] > 0; level++) {
            const struct event e = {g->x[i] / (2 * level), i};
            int k = n++;
            for (; k > 0 && events[k - 1].scale < e.scale; k--)
                events[k] = events[k - 1];
            events[k] = e;
        }
    return n;
}

static void try_all_scales(struct group *g)
{
    struct event events[EVENTS];
    const int n = list_events(g, events);
    for (int i = 0; i < g->book->dims; i++)
        g->point[i] = 0;
    consider(g);
    for (int i = 0; i < n && g->least > 1; i++) {
        g->point[events[i].element]++;
        consider(g);
    }
}

/* ---- ternary values: the least get -1, the next ones 0, the largest 1; or, where the scale was
 * negative, as it may be when few elements count, the other way round ---- */

static void try_all_splits(struct group *g)
{
    int order[GROUP];
    for (int i = 0; i < GROUP; i++) {
        int k = i;
        for (; k > 0 && g->x[order[k - 1]] > g->x[i]; k--)
            order[k] = order[k - 1];
        order[k] = i;
    }
    for (int low = 0; low <= GROUP; low++)
        for (int high = low; high <= GROUP && g->least > 1; high++) {
            for (int k = 0; k < GROUP; k++)
                g->point[order[k]] = k < low ? 0 : k < high ? 1 : 2;
            consider(g);
            for (int k = 0; k < GROUP; k++)
                g->point[k] = 2 - g->point[k];
            consider(g);
        }
}

/* ---- a part ---- */

static int code_of(const struct block_part *p, float v)
{
    const double level = ((double)v - p->base) / p->unit;
    int best = 0;
    if (!p->levels)
        return (int)rint(level);
    for (int i = 1; i < p->n_levels; i++)
        if (fabs(p->levels[i] - fabs(level)) < fabs(p->levels[best] - fabs(level)))
            best = i;
    return best;
}

/* Magnitudes of eight elements. One of the wrong sign was turned for parity's sake, and is less
 * than any; but where most are wrong, the scale was negative, and all have been turned. */
static void take_magnitudes(double *out, const float *v, const float *x)
{
    int wrong = 0;
    for (int i = 0; i < 8; i++) {
        out[i] = v[i] < 0 ? -(double)x[i] : (double)x[i];
        wrong += out[i] < 0;
    }
    for (int i = 0; i < 8 && wrong > 4; i++)
        out[i] = -out[i];
}

double book_distance(const struct block_shape *s, const struct block_part *p, const float *v,
                     const float *x)
{
    struct group g = {.book = book_get(s->book), .levels = p->n_levels};
    const size_t dims = g.book->dims;
    double worst = 0, magnitudes[8];
    for (size_t at = 0; at < p->len; at += dims) {
        if ((s->flags & SHAPE_MIRRORED) && at % 8 == 0)
            take_magnitudes(magnitudes, v + at, x + at);
        for (size_t i = 0; i < dims; i++) {
            g.x[i] = (s->flags & SHAPE_MIRRORED) ? magnitudes[at % 8 + i] : (double)x[at + i];
            g.code[i] = code_of(p, v[at + i]);
        }
        g.least = INFINITY;
        if ((s->flags & SHAPE_MIRRORED)) {
            round_to_point(&g, fabs(p->unit) * p->levels[0]);
            consider(&g);
            if (g.least > 1)
                try_all_scales(&g);
        } else {
            try_all_splits(&g);
        }
        worst = fmax(worst, g.least);
    }
    return worst;
}
