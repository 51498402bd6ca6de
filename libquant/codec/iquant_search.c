/* iquant_search.c -- the search for signs, codebook entries and scale of a block (IQ2 and IQ3).
 *
 * Magnitudes are divided by a trial scale, rounded to levels and moved to the codebook; the scale
 * that is best for the result, by least squares, is computed; the best of all trials is kept, and
 * groups that the codebook moved are looked up once more under the final scale. Every float
 * operation and its order is part of the definition. Level l stands for the number 2 * l + 1.
 */
#include "libquant/codec/iquant.h"

#include <float.h>
#include <math.h>

#include "libquant/codec/scale_search.h"

static void weigh(const struct lattice *l, const float *x, const float *importance, float *weight)
{
    float sum = 0;
    for (int i = 0; i < IQ_BLOCK; i++)
        sum = mul_add(x[i], x[i], sum);
    const float spread = l->spread * sum / IQ_BLOCK;

    for (int i = 0; i < IQ_BLOCK; i++) {
        const float square = x[i] * x[i];
        if (importance)
            weight[i] = importance[i] * sqrtf(mul_add(x[i], x[i], spread));
        else
            weight[i] = l->floor > 0 ? mul_add(l->floor, spread, square) : square;
    }
}

/* A block being searched. */
struct search {
    const struct lattice *l;
    const struct book *book;
    const float *weight;
    int groups;
    float mag[32];     /* magnitudes; with parity, one of eight may be the negative of one */
    float root[32];    /* square roots of the weights: what counts among neighbours */
    uint32_t codes[8]; /* of the groups, packed, at the best scale */
    uint32_t on_grid;  /* bit per group: the rounded point was an entry there */
    float scale;
};

/* Splits eight elements into signs and magnitudes. With parity, an odd number of minuses is made
 * even by giving the wrong sign to the element that matters least. */
static uint8_t take_signs(bool parity, const float *x, const float *weight, float *mag)
{
    uint32_t signs = 0;

    for (int i = 0; i < 8; i++) {
        const bool minus = !(x[i] >= 0);
        mag[i] = minus ? -x[i] : x[i];
        signs |= (uint32_t)minus << i;
    }
    if (!parity)
        return (uint8_t)signs;
    if (__builtin_parity(signs)) {
        int least = 0;
        float least_cost = weight[0] * x[0] * x[0];
        for (int i = 1; i < 8; i++) {
            const float cost = weight[i] * x[i] * x[i];
            if (cost < least_cost) {
                least_cost = cost;
                least = i;
            }
        }
        mag[least] = -mag[least];
        signs ^= 1u << least;
    }
    return signs & 0x7f;
}

/* The point that a group rounds to when multiplied by `inverse`, packed. */
static uint32_t round_group(const struct search *s, const float *mag, float inverse)
{
    uint32_t code = 0;

    for (int i = 0; i < s->book->dims; i++) {
        const int32_t level = nearest_i32(0.5f * mul_sub(inverse, mag[i], 1));
        code |= (uint32_t)clamp_i32(level, 0, s->l->levels - 1) << s->book->bits * i;
    }
    return code;
}

/* The entry of a list that is nearest to the group under a scale, the first of equals; the first of
 * all where no distance is finite. */
static uint32_t nearest_entry(const struct search *s, const uint16_t *list, int group, float scale)
{
    const struct book *const book = s->book;
    const float *const mag = s->mag + group * book->dims;
    const float *const root = s->root + group * book->dims;
    const uint32_t mask = (1u << book->bits) - 1;
    float best = FLT_MAX;
    uint32_t found = list[1];

    for (int n = 1; n <= list[0]; n++) {
        float distance = 0;
        for (int i = 0; i < book->dims; i++) {
            const float q = (float)(2 * (list[n] >> book->bits * i & mask) + 1);
            const float off = mul_sub(scale, q, mag[i]);
            distance = mul_add(root[i] * off, off, distance);
        }
        if (distance < best) {
            best = distance;
            found = list[n];
        }
    }
    return found;
}

/* The codebook entry for a group, packed; *on_grid tells whether rounding led to it. */
static uint32_t pick(const struct search *s, int group, float inverse, float scale, bool *on_grid)
{
    const uint32_t code = round_group(s, s->mag + group * s->book->dims, inverse);
    const int32_t place = s->book->places[book_rank(s->book, code)];

    *on_grid = place >= 0;
    return *on_grid ? code : nearest_entry(s, s->book->lists + ~place, group, scale);
}

/* Sums of weight * magnitude * q and weight * q^2 over a block. */
static void correlate(const struct search *s, const uint32_t *codes, float *qx, float *qq)
{
    const int dims = s->book->dims;
    const uint32_t mask = (1u << s->book->bits) - 1;

    *qx = 0;
    *qq = 0;
    for (int i = 0; i < s->l->block; i++) {
        const float w = s->weight[i];
        const float q = (float)(2 * (codes[i / dims] >> s->book->bits * (i % dims) & mask) + 1);
        *qx = mul_add(w * s->mag[i], q, *qx);
        *qq = mul_add(w * q, q, *qq);
    }
}

/* Tries scales around the one that maps `top` to the highest level. */
static void try_scales(struct search *s, float top)
{
    const float highest = (float)(2 * s->l->levels - 1);
    float best = 0;

    for (int t = -s->l->tries; t <= s->l->tries; t++) {
        const float inverse = mul_add((float)t, s->l->step, highest) / top;
        const float scale = 1 / inverse;
        uint32_t codes[8];
        uint32_t on_grid = 0;
        for (int g = 0; g < s->groups; g++) {
            bool on;
            codes[g] = pick(s, g, inverse, scale, &on);
            on_grid |= (uint32_t)on << g;
        }
        float qx;
        float qq;
        correlate(s, codes, &qx, &qq);
        if (qq > 0 && qx * qx > best * qq) {
            s->scale = qx / qq;
            best = s->scale * qx;
            s->on_grid = on_grid;
            for (int g = 0; g < s->groups; g++)
                s->codes[g] = codes[g];
        }
    }
}

/* Looks groups up again under the final scale, then fits that once more. */
static void pick_again(struct search *s)
{
    const uint32_t all = (1u << s->groups) - 1;
    uint32_t again = ~s->on_grid & all;

    if (s->l->repick == REPICK_ALL || (s->l->repick == REPICK_ANY && again))
        again = all;
    if (!again || !(s->scale > 0))
        return;
    const float inverse = 1 / s->scale;
    for (int g = 0; g < s->groups; g++) {
        bool on;
        if (again >> g & 1)
            s->codes[g] = pick(s, g, inverse, s->scale, &on);
    }
    float qx;
    float qq;
    correlate(s, s->codes, &qx, &qq);
    if (qq > 0)
        s->scale = qx / qq;
}

/* Signs, magnitudes, starting values. Returns what the first scale maps to the highest level; 0 for
 * a block that counts as zero. */
static float search_start(struct search *s, const float *x, struct found *found)
{
    const struct lattice *const l = s->l;

    for (int i = 0; i < l->block; i++)
        s->root[i] = sqrtf(s->weight[i]);
    for (int i = 0; i < l->block; i += 8)
        found->signs[i / 8] = take_signs(l->parity, x + i, s->weight + i, s->mag + i);
    float top = s->mag[0];
    for (int i = 1; i < l->block; i++)
        top = top > s->mag[i] ? top : s->mag[i];
    if (top < l->least)
        return 0;
    if (l->fit_start) {
        uint8_t unused[32];
        s->scale = search_positive(l->block, l->levels + 1, s->mag, s->weight, unused);
        top = s->scale * (float)l->levels;
        return top <= 0 ? 0 : top;
    }
    s->scale = top / (float)(2 * l->levels - 1);
    return top;
}

static void search_part(const struct lattice *l, const float *x, const float *weight,
                        struct found *found)
{
    struct search s = {.l = l, .book = book_get(l->book), .weight = weight};

    s.groups = l->block / s.book->dims;
    s.on_grid = l->repick == REPICK_ANY ? 0 : (1u << s.groups) - 1;
    const float top = search_start(&s, x, found);
    found->empty = top == 0;
    found->scale = 0;
    if (found->empty)
        return;
    try_scales(&s, top);
    pick_again(&s);
    if (s.scale < 0) { /* after wrong signs for parity's sake only */
        s.scale = -s.scale;
        for (int i = 0; i < l->block / 8; i++)
            found->signs[i] = (uint8_t)(~found->signs[i] & (l->parity ? 0x7f : 0xff));
    }
    found->scale = s.scale >= 0 ? s.scale : 0; /* not if it is a NaN: see reproducibility.md */
    for (int g = 0; g < s.groups; g++)
        found->entry[g] = (uint16_t)s.book->places[book_rank(s.book, s.codes[g])];
}

void lattice_search(const struct lattice *l, const float *x, const float *importance,
                    struct found *found)
{
    float weight[IQ_BLOCK];

    weigh(l, x, importance, weight);
    for (int i = 0; i < IQ_BLOCK; i += l->block)
        search_part(l, x + i, weight + i, found++);
}
