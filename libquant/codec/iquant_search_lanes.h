/* iquant_search_lanes.h -- lattice_search of iquant.h with vectors.
 *
 * The trial scales of a part lie in the lanes where groups are rounded and where the ordered sums
 * are taken. In between, each group that is not on the grid at a trial is compared with its list of
 * neighbours, one neighbour in each lane. As levels are few, products with them are looked up in
 * small tables instead of computed: they are the same products.
 */
#ifndef LQ_CODEC_IQUANT_SEARCH_LANES_H
#define LQ_CODEC_IQUANT_SEARCH_LANES_H

#include <float.h>

#include "libquant/codec/iquant.h"
#include "libquant/codec/iquant_lanes.h"
#include "libquant/codec/moves_lanes.h"

/* Trials of a part, in whole vectors: at most 31. */
enum { MOST_TRIALS = 32, MOST_GROUPS = 8, LEVEL_VECTORS = TABLE8_VECTORS };

/* What a level stands for, as a table of 4 or 8 entries: 1, 3, 5, ... */
struct levels {
    vf q[LEVEL_VECTORS];
};

/* A table that is looked up by level: of 4 entries for groups of eight, of 8 for groups of four. */
struct by_level {
    vf v[LEVEL_VECTORS];
};

LANES struct levels make_levels(int dims)
{
    struct levels levels;
    float q[16];

    for (int i = 0; i < 16; i++)
        q[i] = (float)(2 * (i & (dims == 8 ? 3 : 7)) + 1);
    for (int k = 0; k < LEVEL_VECTORS; k++)
        levels.q[k] = vf_load(q + k * VL);
    return levels;
}

/* How many vectors of a table are used. */
LANES int level_vectors(int dims)
{
    return dims == 8 ? 1 : LEVEL_VECTORS;
}

LANES vf by_level(int dims, const struct by_level *t, vi code)
{
    return dims == 8 ? vf_lookup4(vf_as_table4(t->v[0]), code)
                     : vf_lookup8(vf_as_table8(t->v), code);
}

/* ---- the nearest entry of a list ---- */

/* Of the lanes where `best` is least, the one whose place, `round` * VL + lane, is first. */
LANES int first_least(vf best, vi round, bool many)
{
    unsigned equal = vm_lanes(vf_eq(best, vf_splat(vf_hmin(best))));
    int first = __builtin_ctz(equal);

    if (many) {
        int32_t rounds[VL];
        vi_store(rounds, round);
        first += rounds[first] * VL;
        while (equal &= equal - 1) {
            const int lane = __builtin_ctz(equal);
            const int place = rounds[lane] * VL + lane;
            first = place < first ? place : first;
        }
    }
    return first;
}

/* `error` is what an element adds to the distance; where sums are fused, its square root but for
 * the factor root^2: the last product must not be rounded by itself. */
LANES vf add_error(vf distance, vf error, float root)
{
    return FUSES ? vf_fma(vf_splat(root) * error, error, distance) : (vf)(distance + error);
}

LANES uint32_t nearest_lanes(int dims, const struct levels *levels, const uint16_t *list,
                             const float *mag, const float *root, float scale)
{
    const int bits = dims == 8 ? 2 : 3, count = list[0];
    struct by_level error[8];

    for (int k = 0; k < level_vectors(dims); k++) {
        for (int i = 0; i < dims; i++) {
            const vf off = vf_mul_sub(vf_splat(scale), levels->q[k], vf_splat(mag[i]));
            error[i].v[k] = FUSES ? off : (vf)(vf_splat(root[i]) * off * off);
        }
    }
    vf best = vf_splat(FLT_MAX);
    vi round = vi_splat(0);
    for (int n = 0; n < count; n += VL) {
        vi code = vi_load_u16(list + 1 + n);
        vf distance = by_level(dims, &error[0], code);
        if (FUSES)
            distance = vf_splat(root[0]) * distance * distance;
        for (int i = 1; i < dims; i++) {
            code = vi_shr(code, bits);
            distance = add_error(distance, by_level(dims, &error[i], code), root[i]);
        }
        if (count > VL)
            round = vi_select(vf_lt(distance, best), vi_splat(n / VL), round);
        best = vf_min(distance, best);
    }
    return list[1 + first_least(best, round, count > VL)];
}

/* ---- one part: the elements under one scale ---- */

struct part_lanes {
    const struct lattice *l;
    const struct book *book;
    const struct levels *levels;
    const float *weight, *root, *mag;
    float scale;
    uint32_t on_grid;
    uint32_t codes[MOST_GROUPS];
};

/* Whether all that is rounded is within the range of nearest_i32. */
LANES bool in_range(const struct part_lanes *p, int block, float inverse)
{
    vf largest = vf_abs(vf_load(p->mag));

    for (int i = VL; i < block; i += VL)
        largest = vf_max(vf_abs(vf_load(p->mag + i)), largest);
    return vf_hmax(largest) * inverse < 4e6f;
}

/* The ranks of a group at VL trials: 0.5 * (inverse * mag - 1) rounded, limited, weighted by place.
 * If all is in_range, three levels are told by comparing inverse * mag - 1: level 1 is above 1, as
 * a tie goes to 0, level 2 is from 3 on. That is inverse * mag above 2 and from 4 on if it has been
 * rounded, as the subtraction is exact there. And of eight levels, adding 1.5 * 2^24 rounds
 * inverse * mag - 1 to even numbers. */
LANES vi ranks_of_group(int dims, bool in_range, const float *mag, vf inverse)
{
    static const int32_t threes[8] = {1, 3, 9, 27, 81, 243, 729, 2187}, eights[4] = {1, 8, 64, 512};
    const int32_t *const place = dims == 8 ? threes : eights;
    vi rank = vi_splat(0);

    for (int i = 0; i < dims; i++) {
        const vf p = inverse * vf_splat(mag[i]);
        const vf z = vf_mul_sub(inverse, vf_splat(mag[i]), vf_splat(1.0f));
        if (!in_range) {
            const vi level = vi_clamp(vi_nearest(vf_splat(0.5f) * z), 0, dims == 8 ? 2 : 7);
            for (int l = 0; l < (dims == 8 ? 2 : 7); l++)
                rank = vi_add(rank, vi_where(vi_gt(level, vi_splat(l)), vi_splat(place[i])));
        } else if (dims == 8) {
            const vi digit = vi_splat(place[i]);
            const vm above = FUSES ? vf_lt(vf_splat(1.0f), z) : vf_lt(vf_splat(2.0f), p);
            const vm far = FUSES ? vf_le(vf_splat(3.0f), z) : vf_le(vf_splat(4.0f), p);
            rank = vi_add(rank, vi_where(above, digit));
            rank = vi_add(rank, vi_where(far, digit));
        } else {
            const vf limited = vf_clamp(z, vf_splat(0.0f), vf_splat(14.0f));
            const vi level = vi_and(vf_bits(limited + vf_splat(25165824.0f)), vi_splat(7));
            rank = vi_or(rank, vi_shl(level, 3 * i));
        }
    }
    return rank;
}

/* The codes of a group for all trials, and in on_grid[t] bit g where rounding led to it. */
LANES void pick_trials(int dims, int trials, const struct part_lanes *p, bool in_range, int g,
                       const vf *inverse, const float *scale, uint32_t *codes, uint32_t *on_grid)
{
    const float *const mag = p->mag + g * dims, *const root = p->root + g * dims;
    int32_t ranks[MOST_TRIALS];

    for (int t = 0; t < trials; t += VL)
        vi_store(ranks + t, in_range ? ranks_of_group(dims, true, mag, inverse[t / VL])
                                     : ranks_of_group(dims, false, mag, inverse[t / VL]));
    for (int t = 0; t < trials; t++) {
        const int32_t place = p->book->places[ranks[t]];
        if (place >= 0) {
            codes[t] = p->book->codes[place];
            on_grid[t] |= 1u << g;
        } else {
            codes[t] = nearest_lanes(dims, p->levels, p->book->lists + ~place, mag, root, scale[t]);
        }
    }
}

/* Sums of weight * magnitude * q and weight * q^2 for all trials. */
LANES void correlate_trials(int dims, int block, int vectors, const struct part_lanes *p,
                            uint32_t codes[][MOST_TRIALS], float *out_qx, float *out_qq)
{
    vf qx[MOST_TRIALS / VL], qq[MOST_TRIALS / VL];

    for (int v = 0; v < vectors; v++)
        qx[v] = qq[v] = vf_splat(0.0f);
    for (int g = 0; g < block / dims; g++) {
        vi code[MOST_TRIALS / VL];
        for (int v = 0; v < vectors; v++)
            code[v] = vi_load((const int32_t *)codes[g] + v * VL);
        for (int i = g * dims; i < (g + 1) * dims; i++) {
            const vf w = vf_splat(p->weight[i]), wx = w * vf_splat(p->mag[i]);
            struct by_level x, q; /* what is added; where sums are fused, the last factor of it */
            for (int k = 0; k < level_vectors(dims); k++) {
                x.v[k] = wx * p->levels->q[k];
                q.v[k] = FUSES ? p->levels->q[k] : (vf)(w * p->levels->q[k] * p->levels->q[k]);
            }
            for (int v = 0; v < vectors; v++) {
                const vf add = by_level(dims, &q, code[v]);
                qx[v] = FUSES ? vf_fma(wx, add, qx[v]) : (vf)(qx[v] + by_level(dims, &x, code[v]));
                qq[v] = FUSES ? vf_fma(w * add, add, qq[v]) : (vf)(qq[v] + add);
                code[v] = vi_shr(code[v], dims == 8 ? 2 : 3);
            }
        }
    }
    for (int v = 0; v < vectors; v++) {
        vf_store(out_qx + v * VL, qx[v]);
        vf_store(out_qq + v * VL, qq[v]);
    }
}

/* try_scales of iquant_search.c. */
LANES void try_scales_lanes(int dims, int block, int tries, struct part_lanes *p, float top)
{
    enum { ROOM = MOST_TRIALS };
    const int trials = 2 * tries + 1, vectors = (trials + VL - 1) / VL;
    float inverses[ROOM], scales[ROOM], qx[ROOM], qq[ROOM];
    uint32_t codes[MOST_GROUPS][ROOM] = {{0}}, on_grid[ROOM] = {0};
    vf inverse[ROOM / VL];
    float best = 0;

    for (int t = 0; t < ROOM; t++)
        inverses[t] = mul_add((float)(t < trials ? t - tries : tries), p->l->step,
                              (float)(2 * p->l->levels - 1));
    for (int v = 0; v < vectors; v++) {
        inverse[v] = vf_load(inverses + v * VL) / vf_splat(top);
        vf_store(scales + v * VL, vf_splat(1.0f) / inverse[v]);
    }
    const bool range = in_range(p, block, inverses[trials - 1] / top);
    for (int g = 0; g < block / dims; g++)
        pick_trials(dims, trials, p, range, g, inverse, scales, codes[g], on_grid);
    correlate_trials(dims, block, vectors, p, codes, qx, qq);
    for (int t = 0; t < trials; t++)
        if (qq[t] > 0 && qx[t] * qx[t] > best * qq[t]) {
            p->scale = qx[t] / qq[t];
            best = p->scale * qx[t];
            p->on_grid = on_grid[t];
            for (int g = 0; g < block / dims; g++)
                p->codes[g] = codes[g][t];
        }
}

/* pick_again of iquant_search.c. */
LANES void pick_again_lanes(int dims, int block, struct part_lanes *p)
{
    const uint32_t all = (1u << block / dims) - 1;
    const int bits = dims == 8 ? 2 : 3;
    uint32_t again = ~p->on_grid & all;
    float qx = 0, qq = 0;

    if (p->l->repick == REPICK_ALL || (p->l->repick == REPICK_ANY && again))
        again = all;
    if (!again || !(p->scale > 0))
        return;
    const bool range = in_range(p, block, 1 / p->scale);
    const vf inverse = vf_splat(1 / p->scale);
    for (; again; again &= again - 1) {
        const int g = __builtin_ctz(again);
        const float *const mag = p->mag + g * dims, *const root = p->root + g * dims;
        int32_t ranks[VL];
        vi_store(ranks, range ? ranks_of_group(dims, true, mag, inverse)
                              : ranks_of_group(dims, false, mag, inverse));
        const int32_t place = p->book->places[ranks[0]];
        p->codes[g] = place >= 0 ? p->book->codes[place]
                                 : nearest_lanes(dims, p->levels, p->book->lists + ~place, mag,
                                                 root, p->scale);
    }
    for (int i = 0; i < block; i++) {
        const uint32_t level = p->codes[i / dims] >> bits * (i % dims) & (dims == 8 ? 3 : 7);
        const float q = (float)(int)(2 * level + 1), w = p->weight[i];
        qx = mul_add(w * p->mag[i], q, qx);
        qq = mul_add(w * q, q, qq);
    }
    if (qq > 0)
        p->scale = qx / qq;
}

/* ---- a block ---- */

/* A block prepared; see struct search in iquant_search.c. */
struct block_lanes {
    float weight[IQ_BLOCK], root[IQ_BLOCK], mag[IQ_BLOCK];
    uint8_t signs[IQ_BLOCK / 8];
};

/* False if there are numbers that vectors do not treat as the scalar code does. */
LANES bool weigh_lanes(struct block_lanes *b, const struct lattice *l, const float *x,
                       const float *importance)
{
    float sum = 0;
    for (int i = 0; i < IQ_BLOCK; i++)
        sum = mul_add(x[i], x[i], sum);
    const float spread = l->spread * sum / IQ_BLOCK;
    vi largest = vi_splat(0);

    for (int i = 0; i < IQ_BLOCK; i += VL) {
        const vf xi = vf_load(x + i);
        vf w = xi * xi;
        if (importance)
            w = vf_load(importance + i) * vf_sqrt(vf_mul_add(xi, xi, vf_splat(spread)));
        else if (l->floor > 0)
            w = vf_mul_add(vf_splat(l->floor), vf_splat(spread), w);
        vf_store(b->weight + i, w);
        vf_store(b->root + i, vf_sqrt(w));
        largest = vi_max(largest, vf_abs_bits(w));
    }
    return sum <= FLT_MAX && vi_hmax(largest) < NOT_FINITE;
}

/* Of eight elements with an odd number of minuses, the one that matters least gets a wrong sign. */
LANES void make_even(struct block_lanes *b, int group, const float *x)
{
    const float *const weight = b->weight + 8 * group;
    int least = 0;
    float least_cost = weight[0] * x[0] * x[0];

    for (int i = 1; i < 8; i++) {
        const float cost = weight[i] * x[i] * x[i];
        const bool less = cost < least_cost;
        least_cost = less ? cost : least_cost;
        least = less ? i : least;
    }
    b->mag[8 * group + least] *= -1;
    b->signs[group] ^= (uint8_t)(1 << least);
}

LANES void split_signs(struct block_lanes *b, const struct lattice *l, const float *x)
{
    for (int i = 0; i < IQ_BLOCK; i += 32) {
        uint32_t minus = 0;
        for (int k = 0; k < 32; k += VL) {
            const vf xi = vf_load(x + i + k);
            const vm negative = vf_lt(xi, vf_splat(0.0f));
            vf_store(b->mag + i + k, vf_flip(negative, xi, vf_splat(-0.0f)));
            minus |= (uint32_t)vm_lanes(negative) << k;
        }
        store_u32(b->signs + i / 8, minus);
    }
    for (int g = 0; l->parity && g < IQ_BLOCK / 8; g++) {
        if (__builtin_parity(b->signs[g]))
            make_even(b, g, x + 8 * g);
        b->signs[g] &= 0x7f;
    }
}

LANES float largest_of(const float *x, int n)
{
    vf largest = vf_load(x);
    for (int i = VL; i < n; i += VL)
        largest = vf_max(largest, vf_load(x + i));
    return vf_hmax(largest);
}

/* Least-squares starting scales of all parts of 32 elements. */
LANES void fit_scales(const struct block_lanes *b, const struct lattice *l, float *scales)
{
    for (int first = 0; first < 8; first += VL) {
        const float *mags[VL], *weights[VL];
        vf mag[32], weight[32];
        vi codes[32];
        float out[VL];
        for (int k = 0; k < VL; k++) {
            mags[k] = b->mag + (first + k) % 8 * 32;
            weights[k] = b->weight + (first + k) % 8 * 32;
        }
        vf_load_columns(mag, mags, 32);
        vf_load_columns(weight, weights, 32);
        vf_store(out, search_positive_lanes(32, l->levels + 1, mag, weight, codes));
        for (int k = 0; k < VL && k < 8; k++)
            scales[first + k] = out[k];
    }
}

/* What the first trial maps to the highest level, of each part; 0 for those that count as zero. */
LANES void start_scales(const struct block_lanes *b, const struct lattice *l, int block,
                        float *tops, float *scales)
{
    bool any = false;

    for (int p = 0; p < IQ_BLOCK / block; p++) {
        tops[p] = largest_of(b->mag + p * block, block);
        any = any || !(tops[p] < l->least);
    }
    if (l->fit_start && any)
        fit_scales(b, l, scales);
    for (int p = 0; p < IQ_BLOCK / block; p++) {
        const float top = tops[p];
        tops[p] = 0;
        if (top < l->least)
            continue;
        if (!l->fit_start)
            scales[p] = top / (float)(2 * l->levels - 1);
        tops[p] = l->fit_start ? scales[p] * (float)l->levels : top;
        if (l->fit_start && tops[p] <= 0)
            tops[p] = 0;
    }
}

/* Signs that belong to a negative scale, made positive, see lattice_search. */
LANES void keep_found(const struct part_lanes *p, const struct lattice *l, int groups,
                      const uint8_t *signs, int eights, struct found *found)
{
    const uint8_t flip = p->scale < 0 ? (l->parity ? 0x7f : 0xff) : 0;

    found->scale = p->scale < 0 ? -p->scale : p->scale >= 0 ? p->scale : 0;
    for (int i = 0; i < eights; i++)
        found->signs[i] = signs[i] ^ flip;
    for (int g = 0; g < groups; g++)
        found->entry[g] = (uint16_t)p->book->places[book_rank(p->book, p->codes[g])];
}

/* lattice_search; the sizes are those of the lattice. False if it has to be done by scalar code. */
LANES bool search_block(const struct lattice *l, int dims, int block, int tries, const float *x,
                        const float *importance, struct found *found)
{
    const struct levels levels = make_levels(dims);
    const struct book *const book = book_get(l->book);
    float tops[IQ_BLOCK / 16], scales[IQ_BLOCK / 16] = {0};
    struct block_lanes b;

    if (!weigh_lanes(&b, l, x, importance))
        return false;
    split_signs(&b, l, x);
    start_scales(&b, l, block, tops, scales);
    for (int k = 0; k < IQ_BLOCK / block; k++, found++) {
        struct part_lanes p = {.l = l,
                               .book = book,
                               .levels = &levels,
                               .weight = b.weight + k * block,
                               .root = b.root + k * block,
                               .mag = b.mag + k * block,
                               .scale = scales[k]};
        p.on_grid = l->repick == REPICK_ANY ? 0 : (1u << block / dims) - 1;
        found->empty = tops[k] == 0;
        found->scale = 0;
        if (found->empty)
            continue;
        try_scales_lanes(dims, block, tries, &p, tops[k]);
        pick_again_lanes(dims, block, &p);
        keep_found(&p, l, block / dims, b.signs + k * block / 8, block / 8, found);
    }
    return true;
}

/* Defines encode_<suffix>_<isa>; dims, block and tries are those of lattice_<suffix>. */
#define ENCODE_LATTICE(suffix, dims, block, tries)                                                 \
    static void search_##suffix(const struct lattice *l, const float *x, const float *importance,  \
                                struct found *found)                                               \
    {                                                                                              \
        if (!search_block(l, dims, block, tries, x, importance, found))                            \
            lattice_search(l, x, importance, found);                                               \
    }                                                                                              \
                                                                                                   \
    void ISA_FN(encode_##suffix)(void *dst, const float *src, size_t rows, size_t cols,            \
                                 const float *importance)                                          \
    {                                                                                              \
        lattice_encode(&lattice_##suffix, search_##suffix, pack_##suffix,                          \
                       sizeof(struct block_##suffix), dst, src, rows, cols, importance);           \
    }

#endif
