/* engine.c -- memory of an engine, and its way through the layers. */
#include "libquant/eval/engine.h"

#include "libquant/base/text.h"
#include "libquant/base/threads.h"
#include "libquant/codec/kernels.h"
#include "libquant/codec/num.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory ---- */

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* n * m floats at *p; false where that overflows or there is no memory. */
static bool floats(float **p, size_t n, size_t m)
{
    uint64_t total;
    if (!mul_u64(n, m, &total) || total > SIZE_MAX / sizeof **p)
        return false;
    *p = total ? mem_calloc_huge((size_t)total, sizeof **p) : NULL;
    return *p || !total;
}

static lq_status make_room(struct engine *e, lq_error *err)
{
    const struct graph *const g = &e->graph;
    const size_t n = (size_t)e->length * e->max_sequences;
    const size_t qk = (size_t)g->heads * g->key_dim, kv = (size_t)g->kv_heads * g->key_dim;
    const size_t v = (size_t)g->kv_heads * g->value_dim;
    const size_t whole = (size_t)g->heads * (g->nope + g->rotated);
    const size_t att = (size_t)g->heads * larger(g->value_dim, g->out_dim);
    size_t ff = 0, widest = larger(g->embd, larger(att, qk)), rank = 0;
    bool experts = false;
    for (uint32_t i = 0; i < g->n_layers; i++) {
        const struct layer *const l = &g->layers[i];
        /* One expert may get all tokens, and each token once. */
        ff = larger(ff, larger(l->ff, larger(l->expert_ff, l->shared_ff)));
        rank = larger(rank, l->q_a.t ? (size_t)l->q_a.t->dim[0] : 0);
        experts = experts || l->expert_ff;
    }
    widest = larger(widest, larger(ff, rank));
    const size_t extra = larger(larger(whole, rank), larger(g->latent ? att : 0, g->embd));
    const size_t joint = qk + kv + v;
    const bool ok =
        floats(&e->x, n, g->embd) && floats(&e->h, n, g->embd) && floats(&e->o, n, g->embd) &&
        floats(&e->q, n, qk) && floats(&e->k, n, kv) && floats(&e->v, n, v) &&
        floats(&e->att, n, att) && floats(&e->ff, n, larger(2 * ff, g->latent ? 0 : joint)) &&
        floats(&e->packed, n + 64, widest) && floats(&e->extra, n, extra) &&
        floats(&e->slots, experts ? n : 0, (size_t)larger(g->experts_used, 1) * g->embd) &&
        floats(&e->routing, experts ? n : 0, g->experts) &&
        floats(&e->share, experts ? n : 0, g->experts_used);
    if (experts)
        e->chosen = mem_calloc(n * g->experts_used, sizeof *e->chosen);
    e->spaces = mem_calloc(e->threads, sizeof *e->spaces);
    return ok && e->spaces && (!experts || e->chosen) ? LQ_OK : lq_fail_memory(err);
}

lq_status engine_open(struct engine *e, const struct weights *w, const struct engine_options *o,
                      lq_error *err)
{
    e->isa = o->isa;
    e->threads = threads_resolve(o->threads);
    e->length = o->length;
    e->max_sequences = o->max_sequences;
    e->progress = o->progress;
    e->gemm = gemm_kernel_for(o->isa);
    e->lanes = lanes_for(o->isa);
    LQ_TRY(graph_open(&e->graph, w, o->length, o->isa, err));
    return make_room(e, err);
}

void engine_release(struct engine *e)
{
    float *const all[] = {e->x,      e->h,     e->o,     e->q,          e->k,       e->v,    e->att,
                          e->ff,     e->packed, e->slots, e->routing, e->share, e->extra};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    free(e->chosen);
    for (unsigned i = 0; e->spaces && i < e->threads; i++) {
        free(e->spaces[i].raw);
        free(e->spaces[i].tile);
        free(e->spaces[i].gemm);
        free(e->spaces[i].scores);
        free(e->spaces[i].packed);
    }
    free(e->spaces);
    graph_release(&e->graph);
    memset(e, 0, sizeof *e);
}

/* ---- rows ---- */

void engine_norm(const struct engine *e, const struct norm *n, float *y, const float *x)
{
    if (e->graph.row.norm == NORM_RMS)
        e->lanes->rms_norm(y, x, n->w, n->n, e->graph.eps);
    else
        e->lanes->layer_norm(y, x, n->w, n->b, n->n, e->graph.eps);
}

struct rows_job {
    const struct norm *norm;
    float *y;
    const float *x;
    float scale;
};

static lq_status norm_row(struct engine *e, void *job, size_t t, struct workspace *w, lq_error *err)
{
    const struct rows_job *const j = job;
    const size_t n = e->graph.embd;
    (void)w;
    (void)err;
    engine_norm(e, j->norm, j->y + t * n, j->x + t * n);
    return LQ_OK;
}

static lq_status norm_rows(struct engine *e, const struct norm *norm, float *y, const float *x,
                           lq_error *err)
{
    struct rows_job j = {norm, y, x, 0};
    return engine_parallel(e, e->tokens, norm_row, &j, err);
}

/* x += scale * norm(y) */
static lq_status add_row(struct engine *e, void *job, size_t t, struct workspace *w, lq_error *err)
{
    const struct rows_job *const j = job;
    const size_t n = e->graph.embd;
    float *const y = j->y + t * n;
    (void)w;
    (void)err;
    if (j->norm->n)
        engine_norm(e, j->norm, y, y);
    if (j->scale == 1.0f)
        e->lanes->add(e->x + t * n, y, n);
    else
        e->lanes->add_scaled(e->x + t * n, y, j->scale, n);
    return LQ_OK;
}

static lq_status add_rows(struct engine *e, const struct norm *norm, float *y, lq_error *err)
{
    struct rows_job j = {norm, y, NULL, (float)e->graph.residual_scale};
    return engine_parallel(e, e->tokens, add_row, &j, err);
}

/* ---- embeddings ---- */

static lq_status add_embedding(struct engine *e, const struct tensor *t, uint64_t row, float *x,
                               bool first, struct workspace *w, lq_error *err)
{
    const struct weights *const source = e->graph.weights;
    const size_t n = e->graph.embd;
    LQ_TRY(engine_grow(&w->raw, &w->raw_size, source->raw_bytes(source, t, 1), 1, err));
    LQ_TRY(engine_grow((void **)&w->tile, &w->tile_size, n, sizeof *w->tile, err));
    const lq_status status = source->rows(source, t, row, 1, w->raw, w->tile, e->isa, err);
    if (status != LQ_OK) {
        lq_error_add_tensor(err, t->name);
        return status;
    }
    if (first)
        memcpy(x, w->tile, n * sizeof *x);
    else
        e->lanes->add(x, w->tile, n);
    return LQ_OK;
}

static lq_status embed(struct engine *e, void *job, size_t t, struct workspace *w, lq_error *err)
{
    const struct graph *const g = &e->graph;
    const uint32_t *const tokens = job;
    float *const x = e->x + t * g->embd;
    if (tokens[t] >= g->vocab)
        return lq_fail(err, LQ_E_MODEL, "token %" PRIu32 " is not among the model's %" PRIu32,
                       tokens[t], g->vocab);
    LQ_TRY(add_embedding(e, g->token_embd, tokens[t], x, true, w, err));
    if (g->embd_scale != 1.0)
        e->lanes->scale(x, (float)g->embd_scale, g->embd);
    if (g->token_types)
        LQ_TRY(add_embedding(e, g->token_types, 0, x, false, w, err));
    if (g->positions)
        LQ_TRY(add_embedding(e, g->positions, t % e->length, x, false, w, err));
    if (g->embd_norm.n)
        engine_norm(e, &g->embd_norm, x, x);
    return LQ_OK;
}

/* ---- layers ---- */

static const struct norm no_norm;

/* An encoder's: what each part gives is added and then normalised. */
static lq_status run_encoder_layer(struct engine *e, const struct layer *l, uint32_t n_sequences,
                                   lq_error *err)
{
    LQ_TRY(engine_attention(e, l, e->x, n_sequences, err));
    LQ_TRY(add_rows(e, &no_norm, e->o, err));
    LQ_TRY(norm_rows(e, &l->attn_post_norm, e->x, e->x, err));
    LQ_TRY(engine_feed_forward(e, l, e->x, err));
    LQ_TRY(add_rows(e, &no_norm, e->o, err));
    return norm_rows(e, &l->ffn_post_norm, e->x, e->x, err);
}

static lq_status run_layer(struct engine *e, const struct layer *l, uint32_t n_sequences,
                           lq_error *err)
{
    const struct graph *const g = &e->graph;
    if (!g->causal && g->row.post_norm)
        return run_encoder_layer(e, l, n_sequences, err);
    if (l->attn_norm.n)
        LQ_TRY(norm_rows(e, &l->attn_norm, e->h, e->x, err));
    LQ_TRY(engine_attention(e, l, l->attn_norm.n ? e->h : e->x, n_sequences, err));
    if (g->row.parallel) {
        /* Both parts see the layer's input: e->h keeps, or gets, what the feed-forward part reads. */
        if (l->ffn_norm.n)
            LQ_TRY(norm_rows(e, &l->ffn_norm, e->h, e->x, err));
        LQ_TRY(add_rows(e, &l->attn_post_norm, e->o, err));
        LQ_TRY(engine_feed_forward(e, l, e->h, err));
        return add_rows(e, &l->ffn_post_norm, e->o, err);
    }
    LQ_TRY(add_rows(e, &l->attn_post_norm, e->o, err));
    if (l->ffn_norm.n)
        LQ_TRY(norm_rows(e, &l->ffn_norm, e->h, e->x, err));
    LQ_TRY(engine_feed_forward(e, l, l->ffn_norm.n ? e->h : e->x, err));
    return add_rows(e, &l->ffn_post_norm, e->o, err);
}

/* Whether all weights of t are finite. */
static lq_status weights_finite(struct engine *e, const struct tensor *t, bool *finite, lq_error *err)
{
    const struct weights *const source = e->graph.weights;
    struct workspace *const w = &e->spaces[0];
    const size_t cols = (size_t)tensor_cols(t);
    LQ_TRY(engine_grow(&w->raw, &w->raw_size, source->raw_bytes(source, t, 1), 1, err));
    LQ_TRY(engine_grow((void **)&w->tile, &w->tile_size, cols, sizeof *w->tile, err));
    *finite = true;
    for (uint64_t row = 0; *finite && row < tensor_rows(t); row++) {
        LQ_TRY(source->rows(source, t, row, 1, w->raw, w->tile, e->isa, err));
        *finite = f32_all_finite(w->tile, cols);
    }
    return LQ_OK;
}

/* `what` gives values that are no numbers: says so, with the tensor whose weights are none, if it is one of
 * those whose names begin with `stem`. */
static lq_status fail_values(struct engine *e, const char *what, const char *stem, lq_error *err)
{
    const struct catalog *const c = e->graph.weights->catalog;
    const struct tensor *bad = NULL;
    for (size_t i = 0; i < c->n_tensors && !bad; i++) {
        const struct tensor *const t = &c->tensors[i];
        bool finite = true;
        if (text_starts_with(t->name, stem) && t->type->decode)
            LQ_TRY(weights_finite(e, t, &finite, err));
        bad = finite ? NULL : t;
    }
    const lq_status status = lq_fail_at(err, LQ_E_MODEL, c->path, -1,
                                        "%s values that are infinite or no numbers%s", what,
                                        bad ? ": this tensor has some" : "");
    if (bad)
        lq_error_add_tensor(err, bad->name);
    return status;
}

static lq_status check_layer(struct engine *e, uint32_t i, lq_error *err)
{
    char what[32], stem[32];
    if (f32_all_finite(e->x, e->tokens * e->graph.embd))
        return LQ_OK;
    snprintf(what, sizeof what, "layer %" PRIu32 " gives", i);
    snprintf(stem, sizeof stem, "blk.%" PRIu32 ".", i);
    return fail_values(e, what, stem, err);
}

lq_status engine_run(struct engine *e, const uint32_t *tokens, uint32_t n_sequences, lq_error *err)
{
    e->tokens = (size_t)n_sequences * e->length;
    LQ_TRY(engine_parallel(e, e->tokens, embed, (void *)tokens, err));
    if (!f32_all_finite(e->x, e->tokens * e->graph.embd))
        return fail_values(e, "the embeddings give", "token_embd", err);
    for (uint32_t i = 0; i < e->graph.n_layers; i++) {
        LQ_TRY(run_layer(e, &e->graph.layers[i], n_sequences, err));
        LQ_TRY(check_layer(e, i, err));
    }
    return LQ_OK;
}

lq_status engine_run_shorter(struct engine *e, const uint32_t *tokens, uint32_t length,
                             uint32_t n_sequences, lq_error *err)
{
    const uint32_t whole = e->length;
    e->length = length;
    const lq_status status = engine_run(e, tokens, n_sequences, err);
    e->length = whole;
    return status;
}

/* ---- logits ---- */

struct logits_job {
    float *logits;
    size_t first;
};

static lq_status norm_output(struct engine *e, void *job, size_t r, struct workspace *w,
                             lq_error *err)
{
    const struct logits_job *const j = job;
    const size_t n = e->graph.embd;
    (void)w;
    (void)err;
    engine_norm(e, &e->graph.output_norm, e->h + r * n, e->x + (j->first + r) * n);
    return LQ_OK;
}

static lq_status finish_logits(struct engine *e, void *job, size_t r, struct workspace *w,
                               lq_error *err)
{
    const struct graph *const g = &e->graph;
    float *const y = ((const struct logits_job *)job)->logits + r * g->vocab;
    (void)w;
    if (g->logit_scale != 1.0)
        e->lanes->scale(y, (float)g->logit_scale, g->vocab);
    if (g->logit_cap > 0)
        e->lanes->soft_cap(y, (float)g->logit_cap, g->vocab);
    if (!f32_all_finite(y, g->vocab)) {
        lq_fail(err, LQ_E_MODEL, "gives logits that are infinite or no numbers");
        lq_error_add_tensor(err, g->output.t->name);
        return LQ_E_MODEL;
    }
    return LQ_OK;
}

lq_status engine_logits(struct engine *e, size_t first, size_t n, float *logits, lq_error *err)
{
    const struct graph *const g = &e->graph;
    struct logits_job j = {logits, first};
    const struct product p = {g->output.t, 0, g->vocab, g->output.bias, e->packed, n, logits,
                              g->vocab};
    LQ_TRY(engine_parallel(e, n, norm_output, &j, err));
    if (!f32_all_finite(e->h, n * g->embd))
        return fail_values(e, "the norm before the output gives", "output_norm.", err);
    LQ_TRY(engine_observe(e, &p, e->h, g->embd, g->embd, false, err));
    LQ_TRY(engine_pack(e, e->h, g->embd, n, g->embd, e->packed, err));
    LQ_TRY(engine_multiply(e, &p, 1, err));
    return engine_parallel(e, n, finish_logits, &j, err);
}
