/* lineage_merge.c -- is a tensor a weighted sum of the bases' tensors?
 *
 * With b0 the first base, d_i = b_i - b0 and y = claimed - b0, two fits by least squares:
 *   linear     y ~ sum of w_i d_i                the weights of all bases add up to 1
 *   free       y ~ a b0 + sum of w_i d_i         two bases; a is free. Spherical interpolation of
 * two tensors keeps the length of the unit vectors: the weights w, in units of the tensors'
 *              lengths, have |w_0 u_0 + w_1 u_1| = 1
 * Differences keep the digits that a sum of nearly equal tensors would lose.
 */
#include "libquant/provenance/lineage_change.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { VECTORS = LINEAGE_BASES + 1 }; /* b0, d_1 ... d_{n-1}, y */

struct gram {
    double of[VECTORS][VECTORS]; /* the lower triangle */
    double claimed2;
    double n; /* elements */
};

struct fit_pass {
    size_t n_bases;
    struct gram *grams; /* of each chunk */
};

/* The vectors at element i. */
static void vectors_at(const struct pass_chunk *c, size_t n_bases, size_t i, double v[VECTORS])
{
    v[0] = (double)c->base[0][i];
    for (size_t b = 1; b < n_bases; b++)
        v[b] = (double)c->base[b][i] - v[0];
    v[n_bases] = (double)c->claimed[i] - v[0];
}

static void fit_chunk(void *ctx, const struct pass_chunk *c)
{
    struct fit_pass *const f = ctx;
    struct gram *const g = &f->grams[c->index];
    double v[VECTORS];
    for (size_t i = 0; i < c->n; i++) {
        bool finite = isfinite(c->claimed[i]);
        for (size_t b = 0; b < f->n_bases; b++)
            finite = finite && isfinite(c->base[b][i]);
        if (!finite)
            continue;
        vectors_at(c, f->n_bases, i, v);
        for (size_t a = 0; a <= f->n_bases; a++)
            for (size_t b = 0; b <= a; b++)
                g->of[a][b] += v[a] * v[b];
        g->claimed2 += (double)c->claimed[i] * (double)c->claimed[i];
        g->n += 1;
    }
}

static void gram_add(struct gram *a, const struct gram *b)
{
    for (size_t i = 0; i < VECTORS; i++)
        for (size_t k = 0; k <= i; k++)
            a->of[i][k] += b->of[i][k];
    a->claimed2 += b->claimed2;
    a->n += b->n;
}

static double product(const struct gram *g, size_t a, size_t b)
{
    return a > b ? g->of[a][b] : g->of[b][a];
}

/* Solves for the weights of vectors first ... n - 1 that are nearest to vector n, by elimination
 * with the Gram matrix, largest pivot first. False: two of them are (nearly) the same direction.
 * Returns the squared residual. */
static bool solve(const struct gram *g, size_t first, size_t n, double *w, double *residual2)
{
    double m[VECTORS][VECTORS + 1];
    size_t at[VECTORS];
    for (size_t i = first; i < n; i++) {
        for (size_t k = first; k <= n; k++)
            m[i][k] = product(g, i, k);
        at[i] = i;
    }
    for (size_t p = first; p < n; p++) {
        size_t best = p;
        for (size_t i = p; i < n; i++)
            if (m[at[i]][at[i]] > m[at[best]][at[best]])
                best = i;
        const size_t swapped = at[p];
        at[p] = at[best];
        at[best] = swapped;
        const double pivot = m[at[p]][at[p]], whole = product(g, at[p], at[p]);
        if (!(pivot > whole * 1e-10) || !isfinite(pivot))
            return false;
        for (size_t i = p + 1; i < n; i++) {
            const double factor = m[at[i]][at[p]] / pivot;
            for (size_t k = first; k <= n; k++)
                m[at[i]][k] -= factor * m[at[p]][k];
        }
    }
    for (size_t p = n; p-- > first;) {
        double sum = m[at[p]][n];
        for (size_t k = p + 1; k < n; k++)
            sum -= m[at[p]][at[k]] * w[at[k]];
        w[at[p]] = sum / m[at[p]][at[p]];
    }
    *residual2 = product(g, n, n);
    for (size_t i = first; i < n; i++)
        *residual2 -= w[i] * product(g, i, n);
    *residual2 = *residual2 > 0 ? *residual2 : 0;
    return true;
}

/* |claimed - base b|^2 */
static double distance2(const struct gram *g, size_t n_bases, size_t b)
{
    const double yy = product(g, n_bases, n_bases);
    return b == 0 ? yy : yy - 2 * product(g, b, n_bases) + product(g, b, b);
}

/* Whether the weights of two bases are those of an interpolation on the sphere, and not on the
 * chord, where the square of the length is less than 1 by `chord`. */
static bool on_the_sphere(const struct gram *g, const double w[2])
{
    const double b0 = product(g, 0, 0), d = product(g, 1, 1), b0d = product(g, 0, 1);
    const double b1 = b0 + 2 * b0d + d;
    if (!(b0 > 0) || !(b1 > 0))
        return false;
    const double cosine = (b0 + b0d) / (sqrt(b0) * sqrt(b1));
    const double length2 = w[0] * w[0] + w[1] * w[1] + 2 * w[0] * w[1] * cosine;
    const double chord = 2 * w[0] * w[1] * (1 - cosine);
    return fabs(chord) >= 0.003 && fabs(length2 - 1) <= 0.25 * fabs(chord);
}

static void set_fit(struct tensor_lineage *t, const struct lineage_pair *p, const double *w,
                    double residual2, const struct gram *g)
{
    size_t taking_part = 0;
    t->residual = g->claimed2 > 0 ? sqrt(residual2 / g->claimed2) : (double)NAN;
    for (size_t i = 0; i < p->n_bases; i++) {
        t->weight[p->from[i]] = w[i];
        taking_part += fabs(w[i]) > 0.01;
    }
    t->fitted = taking_part > 1;
}

static void fit(struct tensor_lineage *t, const struct lineage_pair *p, const struct gram *g)
{
    const size_t n = p->n_bases;
    double w[VECTORS] = {0}, free[VECTORS] = {0}, residual2, free2;
    const bool linear = solve(g, 1, n, w, &residual2);
    w[0] = 1;
    for (size_t i = 1; i < n; i++)
        w[0] -= w[i];
    if (linear)
        set_fit(t, p, w, residual2, g);
    if (n != 2 || !solve(g, 0, n, free, &free2))
        return;
    const double both[2] = {1 + free[0] - free[1], free[1]};
    /* The free weight must explain more than chance would: ten standard deviations. */
    if (linear && (residual2 - free2) * g->n < 100 * free2)
        return;
    t->spherical = on_the_sphere(g, both);
    if (t->spherical || linear)
        set_fit(t, p, both, free2, g);
}

void lineage_pair_front(struct lineage_pair *p, size_t i)
{
    const struct compared rows = p->base[0];
    const struct tensor *const tensor = p->base_tensor[0];
    const struct type_info *const precision = p->base_precision[0];
    const size_t from = p->from[0];
    p->base[0] = p->base[i];
    p->base_tensor[0] = p->base_tensor[i];
    p->base_precision[0] = p->base_precision[i];
    p->from[0] = p->from[i];
    p->base[i] = rows;
    p->base_tensor[i] = tensor;
    p->base_precision[i] = precision;
    p->from[i] = from;
}

/* The nearest base to the front. */
static void nearest_first(struct lineage_pair *p, const struct gram *g)
{
    size_t best = 0;
    for (size_t b = 1; b < p->n_bases; b++)
        if (distance2(g, p->n_bases, b) < distance2(g, p->n_bases, best))
            best = b;
    lineage_pair_front(p, best);
}

lq_status lineage_fit(struct tensor_lineage *t, struct lineage_pair *p,
                      const struct pass_options *options, lq_error *err)
{
    struct fit_pass f = {.n_bases = p->n_bases};
    struct pass pass = {.claimed = p->claimed,
                        .n_bases = p->n_bases,
                        .rows = p->rows,
                        .cols = p->cols,
                        .want_claimed = true,
                        .want_base = true,
                        .work = fit_chunk,
                        .ctx = &f,
                        .options = options};
    struct gram total = {0};
    memcpy(pass.base, p->base, sizeof pass.base);
    const uint64_t chunks = pass_chunks(&pass);
    f.grams = mem_calloc((size_t)chunks + 1, sizeof *f.grams);
    const lq_status status = f.grams ? pass_run(&pass, err) : lq_fail_memory(err);
    for (uint64_t i = 0; status == LQ_OK && i < chunks; i++)
        gram_add(&total, &f.grams[i]);
    free(f.grams);
    if (status != LQ_OK)
        return status;
    fit(t, p, &total);
    nearest_first(p, &total);
    return LQ_OK;
}
