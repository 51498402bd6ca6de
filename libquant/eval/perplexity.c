/* perplexity.c -- scoring, and the figures that are made of the scores. */
#include "libquant/eval/perplexity.h"

#include "libquant/base/bytes.h"
#include "libquant/model/exact_math.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOGITS_FLOATS = 32 * 1024 * 1024 }; /* of one model at a time: 128 MiB */

/* ---- scoring ---- */

static double power_of_e(double x)
{
    return x == 0 ? 1.0 : exact_pow(2.718281828459045, x);
}

/* A run over all chunks, and its rooms for the rows of a tile. */
struct score_job {
    struct predictions *p;
    struct engine *model;
    const struct scoring *with;
    size_t tile;
    float *a, *b;         /* logits of the model; logits or log-probabilities of the base */
    uint8_t *raw;         /* rows as they are saved */
    const uint32_t *next; /* the tokens that the rows of this tile predict */
};

/* The saved row has lost the small probabilities. Those that are left, of sum P, are taken as they
 * are: with D, the divergence from them divided by P, that is P (D + log P). */
static lq_status compare_saved(const struct score_job *j, size_t i, size_t r, struct row_pair *pair,
                               lq_error *err)
{
    const struct engine *const e = j->model;
    const struct saved_logits *const s = j->with->saved;
    const uint32_t vocab = e->graph.vocab;
    const size_t bytes = saved_row_bytes(vocab);
    float *const b = j->b + r * vocab;
    if (!saved_row_decode(b, j->raw + r * bytes, vocab))
        return lq_fail_at(err, LQ_E_FORMAT, s->source->name, (int64_t)(s->rows_at + i * bytes),
                          "saved logits: these are no log-probabilities");
    e->lanes->compare_rows(b, j->a + r * vocab, vocab, pair);
    pair->divergence = power_of_e(pair->log_sum_a) * (pair->divergence + pair->log_sum_a);
    pair->log_sum_a = 0;
    return LQ_OK;
}

static lq_status score_row(struct engine *e, void *job, size_t r, struct workspace *w,
                           lq_error *err)
{
    const struct score_job *const j = job;
    struct predictions *const p = j->p;
    const uint32_t vocab = e->graph.vocab;
    const size_t i = p->n + r;
    const float *const a = j->a + r * vocab, *const b = j->b ? j->b + r * vocab : NULL;
    struct row_pair pair;
    (void)w;
    if (j->with->saved)
        LQ_TRY(compare_saved(j, i, r, &pair, err));
    else if (b)
        e->lanes->compare_rows(b, a, vocab, &pair);
    else
        pair.log_sum_b = e->lanes->log_sum_exp(a, vocab);
    p->log_prob[i] = (double)a[j->next[r]] - pair.log_sum_b;
    if (j->with->save)
        saved_row_encode(j->raw + r * saved_row_bytes(vocab), a, vocab, pair.log_sum_b);
    if (!b)
        return LQ_OK;
    p->base[i] = (double)b[j->next[r]] - pair.log_sum_a;
    p->divergence[i] = pair.divergence;
    p->same_top[i] = e->lanes->argmax(a, vocab) == e->lanes->argmax(b, vocab);
    return LQ_OK;
}

static lq_status make_room(struct predictions *p, size_t n, bool base, lq_error *err)
{
    p->log_prob = mem_calloc(n, sizeof *p->log_prob);
    if (base) {
        p->base = mem_calloc(n, sizeof *p->base);
        p->divergence = mem_calloc(n, sizeof *p->divergence);
        p->same_top = mem_calloc(n, 1);
    }
    const bool ok = p->log_prob && (!base || (p->base && p->divergence && p->same_top));
    return ok ? LQ_OK : lq_fail_memory(err);
}

/* The scored rows of one sequence of the batch. */
static lq_status score_sequence(struct score_job *j, const uint32_t *tokens, size_t sequence,
                                lq_error *err)
{
    struct engine *const model = j->model, *const base = j->with->base;
    const size_t length = model->length, first = length / 2, end = length - 1;
    for (size_t row = first; row < end; row += j->tile) {
        const size_t n = end - row < j->tile ? end - row : j->tile;
        j->next = tokens + row + 1;
        LQ_TRY(engine_logits(model, sequence * length + row, n, j->a, err));
        if (base)
            LQ_TRY(engine_logits(base, sequence * length + row, n, j->b, err));
        if (j->with->saved)
            LQ_TRY(saved_logits_read(j->with->saved, j->p->n, n, j->raw, err));
        LQ_TRY(engine_parallel(model, n, score_row, j, err));
        if (j->with->save)
            LQ_TRY(
                sink_append(j->with->save, j->raw, n * saved_row_bytes(model->graph.vocab), err));
        j->p->n += n;
    }
    j->p->n_chunks++;
    return LQ_OK;
}

/* Tells where the run is, with the estimate so far. */
static void report(const struct predictions *p, const struct engine *model, size_t n_chunks)
{
    char what[96];
    double sum = 0;
    for (size_t i = 0; i < p->n; i++)
        sum -= p->log_prob[i];
    snprintf(what, sizeof what, "chunk %zu of %zu, perplexity %.4f", p->n_chunks, n_chunks,
             exp(sum / (double)p->n));
    progress_step(model->progress, p->n_chunks, n_chunks, what);
}

static lq_status score_batches(struct score_job *j, const uint32_t *tokens, size_t n_chunks,
                               lq_error *err)
{
    struct engine *const model = j->model;
    const size_t length = model->length;
    for (size_t c = 0; c < n_chunks;) {
        const size_t left = n_chunks - c;
        const uint32_t n = left < model->max_sequences ? (uint32_t)left : model->max_sequences;
        LQ_TRY(engine_run(model, tokens + c * length, n, err));
        if (j->with->base)
            LQ_TRY(engine_run(j->with->base, tokens + c * length, n, err));
        for (uint32_t s = 0; s < n; s++)
            LQ_TRY(score_sequence(j, tokens + (c + s) * length, s, err));
        c += n;
        report(j->p, model, n_chunks);
    }
    return LQ_OK;
}

lq_status predictions_make(struct predictions *p, struct engine *model, const struct scoring *with,
                           const uint32_t *tokens, size_t n_chunks, lq_error *err)
{
    const size_t per_chunk = saved_rows(model->length);
    const uint32_t vocab = model->graph.vocab;
    const bool base = with->base || with->saved, raw = with->saved || with->save;
    struct score_job j = {.p = p, .model = model, .with = with, .tile = LOGITS_FLOATS / vocab};
    uint64_t n;
    j.tile = j.tile < 1 ? 1 : j.tile > per_chunk ? per_chunk : j.tile;
    p->length = model->length;
    if (!mul_u64(n_chunks, per_chunk, &n))
        return lq_fail_memory(err);
    LQ_TRY(make_room(p, (size_t)n, base, err));
    j.a = mem_calloc_huge(j.tile * vocab, sizeof *j.a);
    j.b = base ? mem_calloc_huge(j.tile * vocab, sizeof *j.b) : NULL;
    j.raw = raw ? mem_calloc(j.tile, saved_row_bytes(vocab)) : NULL;
    lq_status status = !j.a || (base && !j.b) || (raw && !j.raw) ? lq_fail_memory(err) : LQ_OK;
    if (status == LQ_OK && with->save)
        status = saved_logits_begin(with->save, model->length, vocab, tokens, n_chunks, err);
    if (status == LQ_OK)
        status = score_batches(&j, tokens, n_chunks, err);
    free(j.a);
    free(j.b);
    free(j.raw);
    p->n = p->n_chunks * per_chunk; /* whole chunks only */
    return status;
}

void predictions_release(struct predictions *p)
{
    free(p->log_prob);
    free(p->base);
    free(p->divergence);
    free(p->same_top);
    memset(p, 0, sizeof *p);
}

/* ---- figures: sums in the order of the tokens ---- */

static lq_status divergence_figures(const struct predictions *p, struct summary *s, lq_error *err)
{
    double sum = 0, squares = 0;
    double *const sorted = mem_calloc(p->n, sizeof *sorted);
    if (!sorted)
        return lq_fail_memory(err);
    for (size_t i = 0; i < p->n; i++) {
        sorted[i] = p->divergence[i];
        sum += sorted[i];
        squares += sorted[i] * sorted[i];
    }
    s->divergence = figure_mean(sum, squares, p->n);
    figure_sort(sorted, p->n);
    s->median = figure_percentile(sorted, p->n, 0.5);
    s->p90 = figure_percentile(sorted, p->n, 0.9);
    s->p95 = figure_percentile(sorted, p->n, 0.95);
    s->p99 = figure_percentile(sorted, p->n, 0.99);
    s->p999 = figure_percentile(sorted, p->n, 0.999);
    s->max = sorted[p->n - 1];
    free(sorted);
    return LQ_OK;
}

/* Both losses are of the same tokens: the error of their difference takes that into account. */
static void ratio_figures(const struct predictions *p, struct summary *s)
{
    double sum = 0, squares = 0, base = 0, base_squares = 0, top = 0;
    double change = 0, change2 = 0, change4 = 0;
    for (size_t i = 0; i < p->n; i++) {
        const double d = p->base[i] - p->log_prob[i];
        const double c = power_of_e(p->log_prob[i]) - power_of_e(p->base[i]);
        sum += d;
        squares += d * d;
        base -= p->base[i];
        base_squares += p->base[i] * p->base[i];
        top += p->same_top[i];
        change += c;
        change2 += c * c;
        change4 += c * c * c * c;
    }
    const struct figure loss = figure_mean(base, base_squares, p->n);
    s->base_perplexity.value = power_of_e(loss.value);
    s->base_perplexity.error = loss.error * s->base_perplexity.value;
    s->log_ratio = figure_mean(sum, squares, p->n);
    s->ratio.value = power_of_e(s->log_ratio.value);
    s->ratio.error = s->log_ratio.error * s->ratio.value;
    const double share = top / (double)p->n;
    s->same_top = (struct figure){share, sqrt(share * (1 - share) / (double)(p->n - 1))};
    s->mean_change = figure_mean(change, change2, p->n);
    const struct figure square = figure_mean(change2, change4, p->n);
    s->rms_change.value = sqrt(square.value);
    s->rms_change.error = s->rms_change.value > 0 ? square.error / (2 * s->rms_change.value) : 0;
}

lq_status predictions_sum_up(const struct predictions *p, struct summary *s, lq_error *err)
{
    double sum = 0, squares = 0;
    memset(s, 0, sizeof *s);
    for (size_t i = 0; i < p->n; i++) {
        sum -= p->log_prob[i];
        squares += p->log_prob[i] * p->log_prob[i];
    }
    s->mean_loss = figure_mean(sum, squares, p->n);
    s->perplexity.value = power_of_e(s->mean_loss.value);
    s->perplexity.error = s->mean_loss.error * s->perplexity.value;
    if (!p->base)
        return LQ_OK;
    ratio_figures(p, s);
    return divergence_figures(p, s, err);
}

lq_status predictions_digest(const struct predictions *p, char hex[65], lq_error *err)
{
    return figure_digest(p->log_prob, p->n, 8, hex, err);
}
