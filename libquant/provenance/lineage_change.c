/* lineage_change.c -- distance, correlation and honest blocks of a tensor beside one base. */
#include "libquant/provenance/lineage_change.h"

#include "libquant/codec/kernels.h"
#include "libquant/codec/num.h"
#include "libquant/convert/make_rows.h"
#include "libquant/provenance/lineage_honest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LANES = 8, GRIDS = 2 };

/* Values of F32 may all be numbers of one of these, those of F16 of the last: they were rounded to
 * it before. */
static const struct type_info *const grids[GRIDS] = {&type_F16, &type_BF16};

/* What storing values as floats has rounded away. */
struct rounded {
    double stored2;           /* in the type that they are stored in */
    double grid2[GRIDS];      /* on a grid beyond that, as long as all are on it */
    uint64_t off_grid[GRIDS]; /* rows that are not */
};

/* Sums over the rows of a chunk. */
struct sums {
    double error2, base2;
    double rounding2; /* of the types of blocks that the sides are stored in; then of the claimed side */
    struct rounded claimed, base;
    double own, next; /* sums of cosines of a claimed row with its own and with the next base row */
    uint64_t rows, closer;
    uint64_t nonfinite;
};

struct examination {
    const struct lineage_pair *pair;
    const struct type_info *base_type; /* where the base is seen as stored */
    const struct honest *honest;       /* NULL: the type has no such bounds */
    struct sums *sums;                 /* of each chunk */
    struct mark_list *lists;
};

static double join(const double lane[LANES])
{
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) +
           ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

static double dot(const float *x, const float *y, size_t n)
{
    double lane[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            lane[k] += (double)x[i + k] * (double)y[i + k];
    for (size_t k = 0; i + k < n; k++)
        lane[k] += (double)x[i + k] * (double)y[i + k];
    return join(lane);
}

static double distance2(const float *x, const float *y, size_t n)
{
    double lane[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++) {
            const double d = (double)x[i + k] - (double)y[i + k];
            lane[k] += d * d;
        }
    for (size_t k = 0; i + k < n; k++) {
        const double d = (double)x[i + k] - (double)y[i + k];
        lane[k] += d * d;
    }
    return join(lane);
}

double rounding_variance(const struct type_info *type, float x)
{
    const int bits = type == &type_F16 ? 10 : type == &type_BF16 ? 7 : type == &type_F32 ? 23 : 0;
    const int least = type == &type_F16 ? -14 : -126;
    int e;
    if (!bits)
        return 0;
    frexp((double)x, &e); /* |x| is in [2^(e - 1), 2^e) */
    e = x == 0 || e - 1 < least ? least : e - 1;
    return ldexp(1.0 / 12, 2 * (e - bits));
}

/* Whether all of x[0..n) are numbers of the type. */
static bool on_grid(const struct type_info *grid, const float *x, size_t n)
{
    size_t i = 0;
    if (grid == &type_BF16)
        while (i < n && !(f32_bits(x[i]) & 0xffffu))
            i++;
    else
        while (i < n && f16_to_f32(f32_to_f16(x[i])) == x[i])
            i++;
    return i == n;
}

/* Of a row, to what it is stored in and to what it may have been rounded to before. */
static void sum_rounding(struct rounded *s, const struct type_info *stored, const float *x, size_t n)
{
    for (size_t i = 0; stored && i < n; i++)
        s->stored2 += rounding_variance(stored, x[i]);
    const size_t first = stored == &type_F32 ? 0 : stored == &type_F16 ? 1 : GRIDS;
    for (size_t g = first; g < GRIDS; g++) {
        if (s->off_grid[g] || !on_grid(grids[g], x, n))
            s->off_grid[g]++;
        else
            for (size_t i = 0; i < n; i++)
                s->grid2[g] += rounding_variance(grids[g], x[i]) - rounding_variance(stored, x[i]);
    }
}

static double cosine(double xy, double xx, double yy)
{
    return xx > 0 && yy > 0 ? xy / (sqrt(xx) * sqrt(yy)) : 0;
}

/* Rows with a NaN or an infinity on either side are counted and left out. */
static void sum_rows(struct sums *s, const struct pass_chunk *c, const struct lineage_pair *p)
{
    const size_t n = (size_t)c->cols;
    for (uint64_t r = 0; r < c->rows; r++) {
        const float *const x = c->claimed + r * n, *const y = c->base[0] + r * n;
        const float *const z = c->base[0] + (r + 1) % c->rows * n;
        if (!f32_all_finite(x, n) || !f32_all_finite(y, n)) {
            for (size_t i = 0; i < n; i++)
                s->nonfinite += !isfinite(x[i]) || !isfinite(y[i]);
            continue;
        }
        const double xx = dot(x, x, n), yy = dot(y, y, n);
        s->error2 += distance2(x, y, n);
        s->base2 += yy;
        sum_rounding(&s->claimed, p->precision, x, n);
        sum_rounding(&s->base, p->base_precision[0], y, n);
        if (z == y || !(xx > 0) || !(yy > 0) || !f32_all_finite(z, n))
            continue;
        const double own = cosine(dot(x, y, n), xx, yy),
                     next = cosine(dot(x, z, n), xx, dot(z, z, n));
        s->own += own;
        s->next += next;
        s->closer += own > next;
        s->rows++;
    }
}

/* x as our encoder stores it in a type, in the room (which also takes the encoded bytes). */
static const float *store_again(const struct pass_chunk *c, const struct row_encoding *e,
                                const float *x)
{
    float *const again = c->room;
    uint8_t *const encoded = (uint8_t *)(again + c->n);
    encode_rows(e, c->row, c->rows, c->cols, x, encoded, c->isa);
    kernel_for(e->type, c->isa).decode(again, encoded, c->n);
    return again;
}

static double finite_distance2(const float *x, const float *y, size_t n)
{
    return f32_all_finite(x, n) && f32_all_finite(y, n) ? distance2(x, y, n) : 0;
}

static void judge_blocks(const struct examination *e, const struct pass_chunk *c,
                         const float *again)
{
    const struct type_info *const type = e->pair->type;
    const size_t len = type->block_len, bytes = type->block_bytes;
    const uint8_t *const again_stored = (const uint8_t *)(again + c->n);
    for (size_t i = 0; i < c->n / len; i++) {
        const struct honest_block b = {c->stored + i * bytes, c->claimed + i * len,
                                       c->base[0] + i * len, again_stored + i * bytes,
                                       again + i * len};
        const float far = honest_distance(e->honest, &b);
        if (far > 1)
            mark_add(&e->lists[c->index], c->first / len + i, far);
    }
}

static bool is_encoded(const struct type_info *type)
{
    return type && (type->flags & TYPE_QUANTIZED) && type->encode;
}

static void examine_chunk(void *ctx, const struct pass_chunk *c)
{
    struct examination *const e = ctx;
    const struct lineage_pair *const p = e->pair;
    struct sums *const s = &e->sums[c->index];
    sum_rows(s, c, p);
    if (is_encoded(e->base_type)) {
        const struct row_encoding enc = {.type = e->base_type};
        s->rounding2 += finite_distance2(store_again(c, &enc, c->claimed), c->claimed, c->n);
    }
    if (is_encoded(p->type)) {
        const struct row_encoding enc = {p->type, p->importance, p->group_rows};
        const float *const again = store_again(c, &enc, c->base[0]);
        s->rounding2 += finite_distance2(again, c->base[0], c->n);
        if (e->honest)
            judge_blocks(e, c, again);
    }
}

static void rounded_add(struct rounded *a, const struct rounded *b)
{
    a->stored2 += b->stored2;
    for (size_t g = 0; g < GRIDS; g++) {
        a->grid2[g] += b->grid2[g];
        a->off_grid[g] += b->off_grid[g];
    }
}

static void sums_add(struct sums *a, const struct sums *b)
{
    a->error2 += b->error2;
    a->base2 += b->base2;
    a->rounding2 += b->rounding2;
    rounded_add(&a->claimed, &b->claimed);
    rounded_add(&a->base, &b->base);
    a->own += b->own;
    a->next += b->next;
    a->rows += b->rows;
    a->closer += b->closer;
    a->nonfinite += b->nonfinite;
}

/* ---- verdict ---- */

/* z of the sign test: how many standard deviations more rows than half are closer to their own. */
static double sign_z(const struct tensor_lineage *t)
{
    const double n = (double)t->rows_tested;
    return n > 0 ? ((double)t->rows_closer - n / 2) / sqrt(n / 4) : 0;
}

/* Whether the rows are those of the base, changed: not by chance. */
static bool is_related(const struct tensor_lineage *t)
{
    return sign_z(t) >= RELATED_SIGMA && t->correlation - t->chance >= RELATED_CORRELATION;
}

static enum lineage_verdict judge(const struct tensor_lineage *t)
{
    if (t->rows_tested < LEAST_ROWS)
        return LINEAGE_UNDETERMINED;
    if (is_related(t))
        return t->fitted                                ? LINEAGE_MERGED
               : t->change > TUNED_FACTOR * t->rounding ? LINEAGE_TUNED
                                                        : LINEAGE_UNDETERMINED;
    if (fabs(sign_z(t)) < UNRELATED_SIGMA &&
        fabs(t->correlation - t->chance) < UNRELATED_CORRELATION)
        return LINEAGE_UNRELATED;
    return LINEAGE_UNDETERMINED;
}

/* The coarsest grid that all rows are on counts. */
static double rounded_away(const struct rounded *r)
{
    double most = 0;
    for (size_t g = 0; g < GRIDS; g++)
        if (!r->off_grid[g] && r->grid2[g] > most)
            most = r->grid2[g];
    return r->stored2 + most;
}

/* |x| / |base|, of squares. */
static double relative(double x2, const struct sums *s)
{
    return s->base2 > 0 ? sqrt(x2 / s->base2) : (double)NAN;
}

static void set_figures(struct tensor_lineage *t, const struct sums *s)
{
    t->nonfinite = s->nonfinite;
    t->change = relative(s->error2, s);
    t->rounding = relative(s->rounding2 + rounded_away(&s->base), s);
    t->rows_tested = s->rows;
    t->rows_closer = s->closer;
    t->correlation = s->rows ? s->own / (double)s->rows : (double)NAN;
    t->chance = s->rows ? s->next / (double)s->rows : (double)NAN;
    t->vector = s->rows < LEAST_ROWS;
}

/* Explained: all blocks, or all but a few, are within the bounds. */
static void judge_honest(struct tensor_lineage *t, uint64_t blocks)
{
    t->blocks = blocks;
    if (t->nonfinite || (t->rows_tested >= LEAST_ROWS && !is_related(t)))
        return;
    if (!t->marked)
        t->verdict = LINEAGE_EXPLAINED;
    else if ((double)t->marked <= LINEAGE_ALTERED_MOST * (double)blocks)
        t->verdict = LINEAGE_ALTERED;
}

static bool has_values(const struct compared *c)
{
    const struct type_info *const type = pass_stored_type(c);
    return !type || (type->decode && !(type->flags & TYPE_INTEGER));
}

static lq_status examine_one(struct tensor_lineage *t, const struct lineage_pair *p,
                             const struct pass_options *options, struct sums *total, lq_error *err)
{
    struct examination e = {.pair = p,
                            .base_type = pass_stored_type(&p->base[0]),
                            .honest = p->type ? honest_of(p->type) : NULL};
    struct pass pass = {.claimed = p->claimed,
                        .base = {p->base[0]},
                        .n_bases = 1,
                        .rows = p->rows,
                        .cols = p->cols,
                        .by_row = p->importance != NULL,
                        .want_claimed = true,
                        .want_base = true,
                        .work = examine_chunk,
                        .ctx = &e,
                        .options = options,
                        .room_bytes = 9 + sizeof(float)};
    const uint64_t chunks = pass_chunks(&pass);
    e.sums = mem_calloc((size_t)chunks + 1, sizeof *e.sums);
    e.lists = marks_new(chunks);
    lq_status status = e.sums && e.lists ? pass_run(&pass, err) : lq_fail_memory(err);
    for (uint64_t i = 0; status == LQ_OK && i < chunks; i++)
        sums_add(total, &e.sums[i]);
    if (status == LQ_OK && e.honest)
        status = marks_join(t, e.lists, chunks, err);
    else
        marks_free(e.lists, chunks);
    free(e.sums);
    total->rounding2 += rounded_away(&total->claimed);
    set_figures(t, total);
    return status;
}

/* The weighted sum leaves no more than rounding of the claimed side (what is merged are the bases as they
 * are stored), and is better than the nearest base by more than rounding could be. */
static bool is_merged(const struct tensor_lineage *t, const struct lineage_pair *p, double rounding)
{
    const double factor = is_encoded(p->type) ? FIT_QUANTIZED : FIT_FLOAT;
    return !t->vector && t->residual <= factor * rounding + FIT_PRECISION &&
           t->change * t->change - t->residual * t->residual >= rounding * rounding;
}

/* Blocks that are outside may have been made of an intermediate file's values. Keeps the way with
 * the fewest. */
static lq_status try_intermediates(struct tensor_lineage *t, const struct lineage_pair *p,
                                   const struct pass_options *options, lq_error *err)
{
    static const struct type_info *const vias[] = {&type_F16, &type_BF16, &type_Q8_0};
    const struct compared *const base = &p->base[0];
    for (size_t i = 0; i < sizeof vias / sizeof *vias && t->marked; i++) {
        struct lineage_pair other = *p;
        struct tensor_lineage u = {.claimed = t->claimed};
        struct sums unused = {0};
        if (base->packed || pass_stored_type(base) == vias[i] || p->cols % vias[i]->block_len)
            continue;
        other.base[0].step.via = vias[i];
        const lq_status status = examine_one(&u, &other, options, &unused, err);
        if (status == LQ_OK && u.marked < t->marked) {
            free(t->marks);
            t->marks = u.marks;
            t->n_marks = u.n_marks;
            t->marked = u.marked;
            t->how.via = vias[i];
        } else {
            free(u.marks);
        }
        LQ_TRY(status);
    }
    return LQ_OK;
}

lq_status lineage_examine(struct tensor_lineage *t, struct lineage_pair *p,
                          const struct pass_options *options, lq_error *err)
{
    struct sums total = {0};
    bool values = has_values(&p->claimed);
    for (size_t i = 0; i < p->n_bases; i++)
        values = values && has_values(&p->base[i]);
    if (!values || !p->rows || !p->cols)
        return LQ_OK;
    if (p->n_bases > 1)
        LQ_TRY(lineage_fit(t, p, options, err));
    t->from = p->from[0];
    t->base = p->base_tensor[0];
    LQ_TRY(examine_one(t, p, options, &total, err));
    t->fitted = t->fitted && is_merged(t, p, relative(total.rounding2, &total));
    t->verdict = judge(t);
    if (p->type && honest_of(p->type) && is_related(t))
        LQ_TRY(try_intermediates(t, p, options, err));
    if (p->type && honest_of(p->type))
        judge_honest(t, p->rows * p->cols / p->type->block_len);
    if (t->verdict == LINEAGE_TUNED)
        return lineage_rank(t, p, total.rounding2, options, err);
    return LQ_OK;
}
