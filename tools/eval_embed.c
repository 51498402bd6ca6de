/* eval_embed.c -- how near the embeddings of an encoder are to those of another, line by line. */
#include "tools/eval_embed.h"

#include "tools/opt.h"

#include "libquant/eval/embedding.h"
#include "libquant/model/encode.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    WINDOW = 512, /* lines after which an interruption takes effect */
    MAX_FILE = 1 << 30
};

struct job {
    const struct context *ctx;
    const struct eval_request *q;
    struct eval_model base;
    struct engine engine, base_engine;
    struct lines lines;
    struct token_list ids; /* of the lines */
    size_t *first, cap_first;
    uint64_t length; /* most tokens of a line */
    size_t n_cut, done;
    float *a, *b; /* vectors of the model, of all lines; of the base, of a window's */
    double *cosine;
    struct cosines c;
    char token_digest[65], embedding_digest[65];
    bool partial;
};

/* ---- lines ---- */

static bool is_blank(const char *text, size_t len)
{
    return strspn(text, " \t\r") >= len;
}

/* Adds a line's tokens. What is longer than `length` is cut before its last token, which ends
 * texts. */
static lq_status add_line(struct job *j, const struct encoder *e, const char *text, size_t len,
                          lq_error *err)
{
    struct token_list *const ids = &j->ids;
    const size_t first = ids->n, most = (size_t)j->length;
    if (is_blank(text, len))
        return LQ_OK;
    LQ_TRY(encoder_encode(e, text, len, ENCODE_ADD, ids, err));
    if (ids->n == first)
        return LQ_OK;
    if (ids->n - first > most) {
        ids->id[first + most - 1] = ids->id[ids->n - 1];
        ids->n = first + most;
        j->n_cut++;
    }
    /* One more than there are lines: the end of the last. */
    if (!mem_grow((void **)&j->first, &j->cap_first, j->lines.n + 1, sizeof *j->first))
        return lq_fail_memory(err);
    j->first[j->lines.n++] = first;
    j->first[j->lines.n] = ids->n;
    return LQ_OK;
}

static lq_status add_lines(struct job *j, const struct catalog *c, const char *text, size_t len,
                           lq_error *err)
{
    struct encoder *e;
    const uint64_t most = j->q->most_chunks ? j->q->most_chunks : UINT64_MAX;
    lq_status status = LQ_OK;
    LQ_TRY(encoder_from_metadata(&e, c, err));
    for (size_t at = 0; at < len && j->lines.n < most && status == LQ_OK;) {
        const char *const end = memchr(text + at, '\n', len - at);
        const size_t n = end ? (size_t)(end - text) - at : len - at;
        status = add_line(j, e, text + at, n, err);
        at += n + 1;
    }
    encoder_free(e);
    j->lines.ids = j->ids.id;
    j->lines.first = j->first;
    return status;
}

static lq_status read_lines(struct job *j, const struct catalog *c, lq_error *err)
{
    struct source *source;
    char *text;
    size_t len;
    if (!j->q->text)
        return lq_fail(err, LQ_E_USAGE,
                       "--text FILE is missing: an encoder is evaluated on its lines");
    LQ_TRY(source_open_file(&source, j->q->text, err));
    lq_status status = source_read_all(source, MAX_FILE, &text, &len, err);
    source_close(source);
    LQ_TRY(status);
    status = add_lines(j, c, text, len, err);
    free(text);
    if (status == LQ_OK && !j->lines.n)
        status = lq_fail_at(err, LQ_E_MODEL, j->q->text, -1, "has no line of text");
    return status;
}

/* ---- models ---- */

/* --ctx, or 512, or the fewer that the model has positions for. */
static void choose_length(struct job *j, const struct catalog *c)
{
    const char *const arch = catalog_meta_string(c, "general.architecture");
    char key[128];
    uint64_t positions = 0;
    snprintf(key, sizeof key, "%s.context_length", arch);
    catalog_meta_u64(c, key, &positions);
    j->length = j->q->length ? j->q->length : EVAL_LENGTH;
    if (!j->q->length && positions && positions < j->length)
        j->length = positions;
}

static lq_status open_models(struct job *j, const struct eval_model *model, lq_error *err)
{
    const struct engine_options o = {j->ctx->isa, j->ctx->threads, (uint32_t)j->length,
                                     eval_sequences(j->length), j->ctx->progress};
    LQ_TRY(engine_open(&j->engine, &model->weights, &o, err));
    if (!j->q->base)
        return LQ_OK;
    LQ_TRY(eval_model_open(&j->base, j->q->base, err));
    if (!graph_is_encoder(j->base.weights.catalog))
        return lq_fail_at(err, LQ_E_MODEL, j->q->base, -1,
                          "is no encoder: it cannot be compared with one");
    LQ_TRY(engine_open(&j->base_engine, &j->base.weights, &o, err));
    const struct graph *const a = &j->engine.graph, *const b = &j->base_engine.graph;
    if (a->vocab != b->vocab || a->embd != b->embd)
        return lq_fail_at(err, LQ_E_MODEL, j->q->base, -1,
                          "has %" PRIu32 " tokens and embeddings of %" PRIu32 ", %s has %" PRIu32
                          " and %" PRIu32 ": they cannot be compared",
                          b->vocab, b->embd, j->q->model, a->vocab, a->embd);
    return LQ_OK;
}

/* ---- figures ---- */

static lq_status run_window(struct job *j, size_t n, lq_error *err)
{
    const size_t dim = j->engine.graph.embd;
    float *const a = j->a + j->done * dim;
    LQ_TRY(embed_lines(&j->engine, &j->lines, j->done, n, a, err));
    if (j->q->base)
        LQ_TRY(embed_lines(&j->base_engine, &j->lines, j->done, n, j->b, err));
    for (size_t i = 0; i < n && j->q->base; i++)
        j->cosine[j->done + i] = embedding_cosine(&j->engine, a + i * dim, j->b + i * dim, dim);
    j->done += n;
    return LQ_OK;
}

static lq_status run_lines(struct job *j, lq_error *err)
{
    const size_t n = j->lines.n, dim = j->engine.graph.embd;
    uint64_t all, window;
    if (!mul_u64(n, dim, &all) || !mul_u64(WINDOW, dim, &window))
        return lq_fail_memory(err);
    j->a = mem_calloc((size_t)all, sizeof *j->a);
    j->b = mem_calloc((size_t)window, sizeof *j->b);
    j->cosine = mem_calloc(n, sizeof *j->cosine);
    if (!j->a || !j->b || !j->cosine)
        return lq_fail_memory(err);
    while (j->done < n) {
        char what[64];
        LQ_TRY(run_window(j, n - j->done < WINDOW ? n - j->done : WINDOW, err));
        snprintf(what, sizeof what, "line %zu of %zu", j->done, n);
        progress_step(j->ctx->progress, j->done, n, what);
    }
    return LQ_OK;
}

static lq_status sum_up(struct job *j, lq_error *err)
{
    if (j->q->base)
        j->c = cosines_sum_up(j->cosine, j->done);
    LQ_TRY(figure_digest(j->lines.ids, j->lines.first[j->done], sizeof *j->lines.ids,
                         j->token_digest, err));
    return figure_digest(j->a, j->done * j->engine.graph.embd, sizeof *j->a, j->embedding_digest,
                         err);
}

/* ---- printing ---- */

static void print_text(const struct job *j)
{
    const struct cosines *const c = &j->c;
    const struct {
        const char *name;
        double value;
    } rows[] = {
        {"  median",  c->median},
        {"  10 %",    c->p10   },
        {"  5 %",     c->p5    },
        {"  1 %",     c->p1    },
        {"  minimum", c->min   }
    };
    FILE *const out = j->ctx->out;
    fprintf(out, "%zu lines, %zu tokens, %" PRIu32 " elements, pooling: %s%s\n", j->done,
            j->lines.first[j->done], j->engine.graph.embd, embedding_pooling(&j->engine.graph),
            j->partial ? " (partial: interrupted)" : "");
    if (j->n_cut)
        fprintf(out, "%zu lines are longer than %" PRIu64 " tokens, and were cut\n", j->n_cut,
                j->length);
    if (j->q->base) {
        struct table t = {.align = "lrl"};
        table_cell(&t, "figure");
        table_cell(&t, "value");
        table_cell(&t, "%s", "standard error");
        table_cell(&t, "%s", "cosine, mean");
        table_cell(&t, "%.6f", c->mean.value);
        table_cell(&t, "\302\261 %.6f", c->mean.error);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            table_cell(&t, "%s", rows[i].name);
            table_cell(&t, "%.6f", rows[i].value);
            table_cell(&t, "%s", "");
        }
        table_print(&t, j->ctx, 0);
    }
    fprintf(out, "tokens     sha256:%s\n", j->token_digest);
    fprintf(out, "embeddings sha256:%s\n", j->embedding_digest);
}

static void out_cosines(struct json_out *o, const struct cosines *c)
{
    out_object(o, "cosine");
    out_f64(o, "mean", c->mean.value);
    out_f64(o, "error", c->mean.error);
    out_f64(o, "median", c->median);
    out_f64(o, "p10", c->p10);
    out_f64(o, "p5", c->p5);
    out_f64(o, "p1", c->p1);
    out_f64(o, "min", c->min);
    out_end(o, '}');
}

static lq_status print_json(const struct job *j, lq_error *err)
{
    struct json_out o = {0};
    out_object(&o, NULL);
    out_string(&o, "model", j->q->model);
    out_string(&o, "architecture", j->engine.graph.arch->name);
    if (j->q->base)
        out_string(&o, "base", j->q->base);
    out_bool(&o, "partial", j->partial);
    out_u64(&o, "context", j->length);
    out_string(&o, "pooling", embedding_pooling(&j->engine.graph));
    out_u64(&o, "lines", j->done);
    out_u64(&o, "lines_cut", j->n_cut);
    out_u64(&o, "tokens", j->lines.first[j->done]);
    if (j->q->base)
        out_cosines(&o, &j->c);
    out_string(&o, "token_digest", j->token_digest);
    out_string(&o, "embedding_digest", j->embedding_digest);
    out_end(&o, '}');
    return out_print(&o, j->ctx, err);
}

/* ---- the run ---- */

static lq_status run_job(struct job *j, const struct eval_model *model, lq_error *err)
{
    if (j->q->save || j->q->result)
        return lq_fail_at(
            err, LQ_E_UNSUPPORTED, j->q->model, -1,
            "is an encoder: it predicts no text, so there are no logits to save and no "
            "figures for attestations");
    choose_length(j, model->weights.catalog);
    LQ_TRY(read_lines(j, model->weights.catalog, err));
    LQ_TRY(open_models(j, model, err));
    const lq_status status = run_lines(j, err);
    j->partial = status == LQ_E_INTERRUPTED;
    if ((status != LQ_OK && !j->partial) || !j->done)
        return status;
    LQ_TRY(sum_up(j, err));
    if (j->ctx->json)
        LQ_TRY(print_json(j, err));
    else
        print_text(j);
    return status;
}

lq_status eval_embed(const struct context *ctx, const struct eval_request *q,
                     const struct eval_model *model, lq_error *err)
{
    struct job j = {.ctx = ctx, .q = q};
    const lq_status status = run_job(&j, model, err);
    engine_release(&j.engine);
    engine_release(&j.base_engine);
    eval_model_close(&j.base);
    token_list_free(&j.ids);
    free(j.first);
    free(j.a);
    free(j.b);
    free(j.cosine);
    return status;
}
