/* perplexity.c -- scoring, and the figures that are made of the scores. */
#include "libquant/eval/perplexity.h"

#include "libquant/base/bytes.h"
#include "libquant/base/hash.h"
#include "libquant/model/exact_math.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOGITS_FLOATS = 32 * 1024 * 1024 }; /* of one model at a time: 128 MiB */

/* ---- scoring ---- */

struct score_job {
    struct predictions *p;
    const uint32_t *next; /* the tokens that the rows predict */
    const float *a, *b;   /* logits of the model and of the base, or NULL */
    size_t vocab, at;     /* index of the first row among all predictions */
};

static lq_status score_row(struct engine *e, void *job, size_t r, struct workspace *w, lq_error *err)
{
    const struct score_job *const j = job;
    struct predictions *const p = j->p;
    const float *const a = j->a + r * j->vocab, *const b = j->b ? j->b + r * j->vocab : NULL;
    const size_t i = j->at + r;
    (void)w;
    (void)err;
    if (!b) {
        p->log_prob[i] = (double)a[j->next[r]] - e->lanes->log_sum_exp(a, j->vocab);
        return LQ_OK;
    }
    struct row_pair pair;
    e->lanes->compare_rows(b, a, j->vocab, &pair);
    p->log_prob[i] = (double)a[j->next[r]] - pair.log_sum_b;
    p->base[i] = (double)b[j->next[r]] - pair.log_sum_a;
    p->divergence[i] = pair.divergence;
    p->same_top[i] = e->lanes->argmax(a, j->vocab) == e->lanes->argmax(b, j->vocab);
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
static lq_status score_sequence(struct predictions *p, struct engine *model, struct engine *base,
                                const uint32_t *tokens, size_t sequence, float *a, float *b,
                                size_t tile, lq_error *err)
{
    const size_t length = model->length, first = length / 2, end = length - 1;
    for (size_t row = first; row < end; row += tile) {
        const size_t n = end - row < tile ? end - row : tile;
        struct score_job j = {p, tokens + row + 1, a, b, model->graph.vocab, p->n};
        LQ_TRY(engine_logits(model, sequence * length + row, n, a, err));
        if (base)
            LQ_TRY(engine_logits(base, sequence * length + row, n, b, err));
        LQ_TRY(engine_parallel(model, n, score_row, &j, err));
        p->n += n;
    }
    p->n_chunks++;
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

static lq_status score_batches(struct predictions *p, struct engine *model, struct engine *base,
                               const uint32_t *tokens, size_t n_chunks, float *a, float *b,
                               size_t tile, lq_error *err)
{
    const size_t length = model->length;
    for (size_t c = 0; c < n_chunks;) {
        const size_t left = n_chunks - c;
        const uint32_t n = left < model->max_sequences ? (uint32_t)left : model->max_sequences;
        LQ_TRY(engine_run(model, tokens + c * length, n, err));
        if (base)
            LQ_TRY(engine_run(base, tokens + c * length, n, err));
        for (uint32_t s = 0; s < n; s++)
            LQ_TRY(score_sequence(p, model, base, tokens + (c + s) * length, s, a, b, tile, err));
        c += n;
        report(p, model, n_chunks);
    }
    return LQ_OK;
}

lq_status predictions_make(struct predictions *p, struct engine *model, struct engine *base,
                           const uint32_t *tokens, size_t n_chunks, lq_error *err)
{
    const size_t per_chunk = model->length - model->length / 2 - 1, vocab = model->graph.vocab;
    size_t tile = LOGITS_FLOATS / vocab;
    uint64_t n;
    tile = tile < 1 ? 1 : tile > per_chunk ? per_chunk : tile;
    p->length = model->length;
    if (!mul_u64(n_chunks, per_chunk, &n))
        return lq_fail_memory(err);
    LQ_TRY(make_room(p, (size_t)n, base != NULL, err));
    float *const a = mem_calloc(tile * vocab, sizeof *a);
    float *const b = base ? mem_calloc(tile * vocab, sizeof *b) : NULL;
    lq_status status = !a || (base && !b) ? lq_fail_memory(err) : LQ_OK;
    if (status == LQ_OK)
        status = score_batches(p, model, base, tokens, n_chunks, a, b, tile, err);
    free(a);
    free(b);
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

static double power_of_e(double x)
{
    return x == 0 ? 1.0 : exact_pow(2.718281828459045, x);
}

/* Mean of n values and its standard error, from sums of values and squares. */
static struct figure mean_of(double sum, double squares, size_t n)
{
    const double count = (double)n, mean = sum / count;
    const double variance = squares / count - mean * mean;
    return (struct figure){mean, variance > 0 && n > 1 ? sqrt(variance / (count - 1)) : 0};
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Of sorted values; between two of them, linear. */
static double percentile(const double *sorted, size_t n, double fraction)
{
    const double at = fraction * (double)(n - 1);
    const size_t i = (size_t)at;
    const double part = at - (double)i;
    return i + 1 < n ? (1 - part) * sorted[i] + part * sorted[i + 1] : sorted[n - 1];
}

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
    s->divergence = mean_of(sum, squares, p->n);
    qsort(sorted, p->n, sizeof *sorted, ascending);
    s->median = percentile(sorted, p->n, 0.5);
    s->p90 = percentile(sorted, p->n, 0.9);
    s->p95 = percentile(sorted, p->n, 0.95);
    s->p99 = percentile(sorted, p->n, 0.99);
    s->p999 = percentile(sorted, p->n, 0.999);
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
    const struct figure loss = mean_of(base, base_squares, p->n);
    s->base_perplexity.value = power_of_e(loss.value);
    s->base_perplexity.error = loss.error * s->base_perplexity.value;
    s->log_ratio = mean_of(sum, squares, p->n);
    s->ratio.value = power_of_e(s->log_ratio.value);
    s->ratio.error = s->log_ratio.error * s->ratio.value;
    const double share = top / (double)p->n;
    s->same_top = (struct figure){share, sqrt(share * (1 - share) / (double)(p->n - 1))};
    s->mean_change = mean_of(change, change2, p->n);
    const struct figure square = mean_of(change2, change4, p->n);
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
    s->mean_loss = mean_of(sum, squares, p->n);
    s->perplexity.value = power_of_e(s->mean_loss.value);
    s->perplexity.error = s->mean_loss.error * s->perplexity.value;
    if (!p->base)
        return LQ_OK;
    ratio_figures(p, s);
    return divergence_figures(p, s, err);
}

/* ---- digests ---- */

static lq_status digest_of(const void *values, size_t n, size_t size, char hex[65], lq_error *err)
{
    struct sha256 *const h = sha256_new();
    uint8_t digest[32];
    if (!h)
        return lq_fail_memory(err);
    for (size_t i = 0; i < n; i++) {
        uint8_t bytes[8];
        uint64_t value = 0;
        if (size == 8) {
            memcpy(&value, (const char *)values + 8 * i, 8);
        } else {
            uint32_t small;
            memcpy(&small, (const char *)values + 4 * i, 4);
            value = small;
        }
        for (size_t k = 0; k < size; k++)
            bytes[k] = (uint8_t)(value >> 8 * k);
        sha256_update(h, bytes, size);
    }
    sha256_final(h, digest);
    hex_of(hex, digest, sizeof digest);
    return LQ_OK;
}

lq_status predictions_digest(const struct predictions *p, char hex[65], lq_error *err)
{
    return digest_of(p->log_prob, p->n, 8, hex, err);
}

lq_status tokens_digest(const uint32_t *tokens, size_t n, char hex[65], lq_error *err)
{
    return digest_of(tokens, n, 4, hex, err);
}
