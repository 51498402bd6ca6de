/* embedding.c -- lines of one length run together; pooling, cosines. */
#include "libquant/eval/embedding.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { POOL_NONE, POOL_MEAN, POOL_FIRST, POOL_LAST }; /* as pooling_type has them */

const char *embedding_pooling(const struct graph *g)
{
    static const char *const names[] = {"mean", "mean", "cls", "last"};
    return g->pooling < sizeof names / sizeof *names ? names[g->pooling] : NULL;
}

/* ---- pooling ---- */

struct pool_job {
    uint32_t length;      /* of each sequence */
    const size_t *number; /* of the line that a sequence is of */
    float *out;
};

static void add_mean(const float *x, size_t length, size_t n, float *y)
{
    for (size_t d = 0; d < n; d++) {
        double sum = 0;
        for (size_t t = 0; t < length; t++)
            sum += (double)x[t * n + d];
        y[d] = (float)(sum / (double)length);
    }
}

static lq_status pool(struct engine *e, void *job, size_t i, struct workspace *w, lq_error *err)
{
    const struct pool_job *const j = job;
    const size_t n = e->graph.embd;
    const float *const x = e->x + i * j->length * n;
    float *const y = j->out + j->number[i] * n;
    (void)w;
    if (e->graph.pooling == POOL_FIRST)
        memcpy(y, x, n * sizeof *y);
    else if (e->graph.pooling == POOL_LAST)
        memcpy(y, x + (j->length - 1) * n, n * sizeof *y);
    else
        add_mean(x, j->length, n, y);
    const double size = sqrt(e->lanes->dot(y, y, n));
    if (!(size > 0))
        return lq_fail(err, LQ_E_MODEL, "a line's embedding is zero in all elements");
    for (size_t d = 0; d < n; d++)
        y[d] = (float)((double)y[d] / size);
    return LQ_OK;
}

/* ---- lines of one length, together ---- */

static size_t tokens_of(const struct lines *l, size_t i)
{
    return l->first[i + 1] - l->first[i];
}

struct place {
    size_t tokens, number; /* of a line, counted from the first that is asked for */
};

static int by_tokens(const void *a, const void *b)
{
    const struct place *const x = a, *const y = b;
    if (x->tokens != y->tokens)
        return x->tokens < y->tokens ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

/* Rooms for one batch. */
struct batch {
    uint32_t *ids;
    size_t *number;
};

static lq_status run_batch(struct engine *e, const struct lines *l, size_t from,
                           const struct place *place, size_t n, const struct batch *b, float *out,
                           lq_error *err)
{
    const size_t length = place->tokens;
    struct pool_job j = {(uint32_t)length, b->number, out};
    for (size_t i = 0; i < n; i++) {
        memcpy(b->ids + i * length, l->ids + l->first[from + place[i].number],
               length * sizeof *b->ids);
        b->number[i] = place[i].number;
    }
    LQ_TRY(engine_run_shorter(e, b->ids, (uint32_t)length, (uint32_t)n, err));
    return engine_parallel(e, n, pool, &j, err);
}

static lq_status run_batches(struct engine *e, const struct lines *l, size_t from,
                             const struct place *place, size_t n, const struct batch *b, float *out,
                             lq_error *err)
{
    const size_t room = (size_t)e->length * e->max_sequences;
    for (size_t i = 0, k; i < n; i = k) {
        for (k = i + 1; k < n && place[k].tokens == place[i].tokens; k++)
            if ((k - i + 1) * place[i].tokens > room)
                break;
        LQ_TRY(run_batch(e, l, from, place + i, k - i, b, out, err));
    }
    return LQ_OK;
}

lq_status embed_lines(struct engine *e, const struct lines *l, size_t from, size_t n, float *out,
                      lq_error *err)
{
    const size_t room = (size_t)e->length * e->max_sequences;
    struct place *const place = mem_calloc(n, sizeof *place);
    struct batch b = {mem_calloc(room, sizeof *b.ids), mem_calloc(room, sizeof *b.number)};
    lq_status status = place && b.ids && b.number ? LQ_OK : lq_fail_memory(err);
    if (status == LQ_OK && !embedding_pooling(&e->graph))
        status = lq_fail_at(err, LQ_E_UNSUPPORTED, e->graph.weights->catalog->path, -1,
                            "ranks texts (pooling_type %" PRIu32 "): it makes no embeddings",
                            e->graph.pooling);
    for (size_t i = 0; i < n && status == LQ_OK; i++)
        place[i] = (struct place){tokens_of(l, from + i), i};
    if (status == LQ_OK) {
        qsort(place, n, sizeof *place, by_tokens);
        status = run_batches(e, l, from, place, n, &b, out, err);
    }
    free(place);
    free(b.ids);
    free(b.number);
    return status;
}

/* ---- cosines ---- */

double embedding_cosine(const struct engine *e, const float *a, const float *b, size_t n)
{
    const double ab = e->lanes->dot(a, b, n);
    return ab / sqrt(e->lanes->dot(a, a, n) * e->lanes->dot(b, b, n));
}

struct cosines cosines_sum_up(double *cosine, size_t n)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        sum += cosine[i];
        squares += cosine[i] * cosine[i];
    }
    struct cosines c = {.mean = figure_mean(sum, squares, n)};
    figure_sort(cosine, n);
    c.median = figure_percentile(cosine, n, 0.5);
    c.p10 = figure_percentile(cosine, n, 0.1);
    c.p5 = figure_percentile(cosine, n, 0.05);
    c.p1 = figure_percentile(cosine, n, 0.01);
    c.min = cosine[0];
    return c;
}
