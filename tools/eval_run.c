/* eval_run.c -- evaluates a model on a text, and prints the figures. */
#include "tools/eval_run.h"

#include "tools/eval_embed.h"
#include "tools/eval_tokens.h"
#include "tools/opt.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct job {
    struct context ctx;
    const char *path, *base_path; /* NULL: no base */
    struct eval_model model, base;
    struct saved_logits saved; /* the base; or its source is NULL */
    struct sink *save;         /* or NULL */
    struct engine engine, base_engine;
    struct eval_tokens tokens;
    struct predictions p;
    struct evaluation e;
    uint64_t length;
    size_t n_chunks;
    bool partial;
};

static lq_status open_engine(struct job *j, struct engine *e, const struct eval_model *m,
                             lq_error *err)
{
    const uint32_t sequences = eval_sequences(j->length);
    const struct engine_options o = {j->ctx.isa, j->ctx.threads, (uint32_t)j->length,
                                     sequences < j->n_chunks ? sequences : (uint32_t)j->n_chunks,
                                     j->ctx.progress};
    if (graph_is_encoder(m->weights.catalog))
        return lq_fail_at(err, LQ_E_UNSUPPORTED, m->weights.catalog->path, -1,
                          "is an encoder: it predicts no text");
    return engine_open(e, &m->weights, &o, err);
}

/* Where the base is a file of saved logits. What cannot be opened is none: as a model it is
 * refused. */
static lq_status open_saved(struct job *j, lq_error *err)
{
    struct source *source;
    if (!j->base_path || path_is_folder(j->base_path) ||
        source_open_file(&source, j->base_path, NULL) != LQ_OK)
        return LQ_OK;
    if (saved_logits_probe(source))
        return saved_logits_open(&j->saved, source, err);
    source_close(source);
    return LQ_OK;
}

static lq_status read_tokens(struct job *j, const struct eval_request *q, lq_error *err)
{
    const struct saved_logits *const s = &j->saved;
    uint64_t most = q->most_chunks;
    j->length = q->length ? q->length : s->source ? s->length : EVAL_LENGTH;
    if (s->source && s->length != j->length)
        return lq_fail_at(err, LQ_E_MODEL, j->base_path, -1,
                          "saved logits: of chunks of %" PRIu32 " tokens, not of %" PRIu64,
                          s->length, j->length);
    if (s->source && (!most || most > s->n_chunks))
        most = s->n_chunks;
    if (s->source && !q->text && !q->ids)
        LQ_TRY(eval_tokens_saved(&j->tokens, &j->model, s, err));
    else
        LQ_TRY(eval_tokens_read(&j->tokens, &j->model, q->text, q->ids, err));
    return eval_tokens_chunks(&j->tokens, j->length, s->source ? 1 : 2, most, &j->n_chunks, err);
}

static lq_status check_vocabulary(const struct job *j, uint32_t vocab, lq_error *err)
{
    if (vocab == j->engine.graph.vocab)
        return LQ_OK;
    return lq_fail_at(err, LQ_E_MODEL, j->base_path, -1,
                      "has %" PRIu32 " tokens, %s has %" PRIu32 ": they cannot be compared", vocab,
                      j->path, j->engine.graph.vocab);
}

/* Saved logits are of the tokens at hand. */
static lq_status check_saved(struct job *j, lq_error *err)
{
    const size_t length = (size_t)j->length;
    LQ_TRY(check_vocabulary(j, j->saved.vocab, err));
    for (size_t i = 0; i < j->n_chunks * length; i++)
        if (j->saved.tokens[i] != j->tokens.ids[i] && !(j->tokens.has_bos && i % length == 0))
            return lq_fail_at(err, LQ_E_MODEL, j->base_path, -1,
                              "saved logits: of another text, or of other tokens: number %zu is "
                              "%" PRIu32 ", not %" PRIu32,
                              i, j->saved.tokens[i], j->tokens.ids[i]);
    return LQ_OK;
}

static lq_status open_models(struct job *j, lq_error *err)
{
    LQ_TRY(open_engine(j, &j->engine, &j->model, err));
    eval_model_warn_of_length(&j->ctx, &j->engine.graph, j->length);
    if (j->saved.source)
        return check_saved(j, err);
    if (!j->base_path)
        return LQ_OK;
    LQ_TRY(eval_model_open(&j->base, j->base_path, err));
    LQ_TRY(open_engine(j, &j->base_engine, &j->base, err));
    return check_vocabulary(j, j->base_engine.graph.vocab, err);
}

/* ---- text ---- */

static void row(struct table *t, const char *name, const struct figure *f, double factor,
                const char *unit)
{
    table_cell(t, "%s", name);
    table_cell(t, "%.6f", f->value * factor);
    table_cell(t, "\302\261 %.6f%s", f->error * factor, unit);
}

static void plain_row(struct table *t, const char *name, double value)
{
    table_cell(t, "%s", name);
    table_cell(t, "%.6f", value);
    table_cell(t, "%s", "");
}

static void print_text(const struct job *j)
{
    const struct summary *const s = &j->e.summary;
    struct table t = {.align = "lrl"};
    fprintf(j->ctx.out, "%zu chunks of %" PRIu64 " tokens, %zu tokens scored%s\n", j->p.n_chunks,
            j->length, j->p.n, j->partial ? " (partial: interrupted)" : "");
    table_cell(&t, "figure");
    table_cell(&t, "value");
    table_cell(&t, "%s", "standard error");
    row(&t, "perplexity", &s->perplexity, 1, "");
    row(&t, "loss, nats per token", &s->mean_loss, 1, "");
    if (j->base_path) {
        row(&t, "perplexity of the base", &s->base_perplexity, 1, "");
        row(&t, "perplexity ratio", &s->ratio, 1, "");
        row(&t, "KL divergence, mean", &s->divergence, 1, "");
        plain_row(&t, "  median", s->median);
        plain_row(&t, "  90 %", s->p90);
        plain_row(&t, "  95 %", s->p95);
        plain_row(&t, "  99 %", s->p99);
        plain_row(&t, "  99.9 %", s->p999);
        plain_row(&t, "  maximum", s->max);
        row(&t, "same top token", &s->same_top, 100, " %");
        row(&t, "change of p, mean", &s->mean_change, 100, " %");
        row(&t, "change of p, RMS", &s->rms_change, 100, " %");
    }
    table_print(&t, &j->ctx, 0);
    fprintf(j->ctx.out, "tokens            sha256:%s\n", j->e.token_digest);
    fprintf(j->ctx.out, "log-probabilities sha256:%s\n", j->e.logprob_digest);
}

/* ---- JSON ---- */

static void out_figure(struct json_out *o, const char *key, const struct figure *f)
{
    out_object(o, key);
    out_f64(o, "value", f->value);
    out_f64(o, "error", f->error);
    out_end(o, '}');
}

static void out_base(struct json_out *o, const struct summary *s)
{
    out_figure(o, "base_perplexity", &s->base_perplexity);
    out_figure(o, "perplexity_ratio", &s->ratio);
    out_figure(o, "log_perplexity_ratio", &s->log_ratio);
    out_object(o, "kl_divergence");
    out_f64(o, "mean", s->divergence.value);
    out_f64(o, "error", s->divergence.error);
    out_f64(o, "median", s->median);
    out_f64(o, "p90", s->p90);
    out_f64(o, "p95", s->p95);
    out_f64(o, "p99", s->p99);
    out_f64(o, "p99_9", s->p999);
    out_f64(o, "max", s->max);
    out_end(o, '}');
    out_figure(o, "same_top", &s->same_top);
    out_figure(o, "mean_p_change", &s->mean_change);
    out_figure(o, "rms_p_change", &s->rms_change);
}

static lq_status print_json(const struct job *j, lq_error *err)
{
    struct json_out o = {0};
    out_object(&o, NULL);
    out_string(&o, "model", j->path);
    out_string(&o, "architecture", j->engine.graph.arch->name);
    if (j->base_path)
        out_string(&o, "base", j->base_path);
    out_bool(&o, "partial", j->partial);
    out_u64(&o, "context", j->length);
    out_u64(&o, "chunks", j->p.n_chunks);
    out_u64(&o, "tokens_scored", j->p.n);
    out_figure(&o, "perplexity", &j->e.summary.perplexity);
    out_figure(&o, "loss", &j->e.summary.mean_loss);
    if (j->base_path)
        out_base(&o, &j->e.summary);
    out_string(&o, "token_digest", j->e.token_digest);
    out_string(&o, "logprob_digest", j->e.logprob_digest);
    out_end(&o, '}');
    return out_print(&o, &j->ctx, err);
}

/* ---- the run ---- */

/* Saved logits are of all chunks: an interruption leaves none. */
static lq_status score(struct job *j, const struct eval_request *q, lq_error *err)
{
    struct engine *const base = j->base_path && !j->saved.source ? &j->base_engine : NULL;
    if (q->save)
        LQ_TRY(sink_open(&j->save, q->save, SINK_SYNC, err));
    const struct scoring with = {base, j->saved.source ? &j->saved : NULL, j->save};
    LQ_TRY(predictions_make(&j->p, &j->engine, &with, j->tokens.ids, j->n_chunks, err));
    struct sink *const complete = j->save;
    j->save = NULL;
    return complete ? sink_commit(complete, NULL, err) : LQ_OK;
}

static lq_status run_job(struct job *j, const struct eval_request *q, lq_error *err)
{
    LQ_TRY(eval_model_open(&j->model, j->path, err));
    if (graph_is_encoder(j->model.weights.catalog))
        return eval_embed(&j->ctx, q, &j->model, err);
    if (q->save)
        LQ_TRY(eval_model_spare(&j->model, q->save, err));
    LQ_TRY(open_saved(j, err));
    LQ_TRY(read_tokens(j, q, err));
    LQ_TRY(open_models(j, err));
    const lq_status status = score(j, q, err);
    j->partial = status == LQ_E_INTERRUPTED;
    if ((status != LQ_OK && !j->partial) || j->p.n < 2)
        return status;
    struct evaluation *const e = &j->e;
    *e = (struct evaluation){.length = j->length, .n_chunks = j->p.n_chunks, .n = j->p.n};
    LQ_TRY(predictions_sum_up(&j->p, &e->summary, err));
    LQ_TRY(figure_digest(j->tokens.ids, j->p.n_chunks * j->length, sizeof *j->tokens.ids,
                         e->token_digest, err));
    LQ_TRY(predictions_digest(&j->p, e->logprob_digest, err));
    if (q->result)
        *q->result = *e;
    if (!q->silent && j->ctx.json)
        LQ_TRY(print_json(j, err));
    else if (!q->silent)
        print_text(j);
    if (j->save && !j->ctx.quiet)
        fprintf(j->ctx.err, "  %s was not written: it would hold all chunks\n", q->save);
    return status;
}

lq_status eval_run(const struct context *ctx, const struct eval_request *q, lq_error *err)
{
    struct job j = {
        .ctx = context_beside(ctx, q->save ? q->save : ""), .path = q->model, .base_path = q->base};
    const lq_status status = run_job(&j, q, err);
    sink_abort(j.save);
    predictions_release(&j.p);
    engine_release(&j.engine);
    engine_release(&j.base_engine);
    eval_model_close(&j.model);
    eval_model_close(&j.base);
    saved_logits_close(&j.saved);
    eval_tokens_release(&j.tokens);
    return status;
}

lq_status eval_loss(const struct context *ctx, const char *text, const char *model,
                    const char *base, struct evaluation *result, lq_error *err)
{
    const struct eval_request q = {
        .model = model, .base = base, .text = text, .length = EVAL_LENGTH, .result = result};
    if (!text)
        return LQ_OK;
    fprintf(ctx->out, "\n%s, compared with %s:\n", model, base);
    return eval_run(ctx, &q, err);
}
