/* project.c -- attention but for its scores: queries, keys and values of each token, and what
 * becomes of the weighted values. */
#include "libquant/eval/engine.h"

#include <string.h>

static void norm_heads(const struct engine *e, const struct norm *n, float *x, uint32_t heads)
{
    const size_t dim = e->graph.key_dim;
    if (n->n == dim)
        for (uint32_t h = 0; h < heads; h++) {
            struct norm one = *n;
            one.w = n->w + (size_t)h * n->stride;
            engine_norm(e, &one, x + h * dim, x + h * dim);
        }
    else if (n->n)
        engine_norm(e, n, x, x);
}

static void rotate(const struct engine *e, const struct rope *r, float *x, size_t position)
{
    const size_t half = e->graph.rotated / 2;
    (e->graph.row.rope == ROPE_HALVES ? e->lanes->rotate_halves : e->lanes->rotate_pairs)(
        x, r->cosine + position * half, r->sine + position * half, half);
}

/* Between projections and scores: split, limits, norms, positions; the scores' scale goes into the
 * queries. */
static lq_status prepare_heads(struct engine *e, void *job, size_t t, struct workspace *w,
                               lq_error *err)
{
    const struct graph *const g = &e->graph;
    const struct layer *const l = job;
    const size_t nq = (size_t)g->heads * g->key_dim, nk = (size_t)g->kv_heads * g->key_dim,
                 nv = (size_t)g->kv_heads * g->value_dim, position = t % e->length;
    float *const q = e->q + t * nq, *const k = e->k + t * nk, *const v = e->v + t * nv;
    (void)w;
    (void)err;
    if (l->qkv.t) {
        const float *const joint = e->ff + t * (nq + nk + nv);
        memcpy(q, joint, nq * sizeof *q);
        memcpy(k, joint + nq, nk * sizeof *k);
        memcpy(v, joint + nq + nk, nv * sizeof *v);
    }
    if (g->clamp > 0) {
        e->lanes->clamp(q, (float)g->clamp, nq);
        e->lanes->clamp(k, (float)g->clamp, nk);
        e->lanes->clamp(v, (float)g->clamp, nv);
    }
    norm_heads(e, &l->q_norm, q, g->heads);
    norm_heads(e, &l->k_norm, k, g->kv_heads);
    for (uint32_t h = 0; l->has_rope && h < g->heads; h++)
        rotate(e, l->rope, q + (size_t)h * g->key_dim, position);
    for (uint32_t h = 0; l->has_rope && h < g->kv_heads; h++)
        rotate(e, l->rope, k + (size_t)h * g->key_dim, position);
    e->lanes->scale(q, (float)g->attn_scale, nq);
    return LQ_OK;
}

static lq_status project(struct engine *e, const struct layer *l, const float *h, lq_error *err)
{
    const struct graph *const g = &e->graph;
    const size_t nq = (size_t)g->heads * g->key_dim, nk = (size_t)g->kv_heads * g->key_dim,
                 nv = (size_t)g->kv_heads * g->value_dim, n = e->tokens;
    const struct product apart[] = {
        {l->q.t, 0, nq, l->q.bias, e->packed, n, e->q, nq},
        {l->k.t, 0, nk, l->k.bias, e->packed, n, e->k, nk},
        {l->v.t, 0, nv, l->v.bias, e->packed, n, e->v, nv},
    };
    const struct product joint = {l->qkv.t,  0, nq + nk + nv, l->qkv.bias,
                                  e->packed, n, e->ff,        nq + nk + nv};
    const struct product *const products = l->qkv.t ? &joint : apart;
    const size_t n_products = l->qkv.t ? 1 : 3;
    for (size_t i = 0; i < n_products; i++)
        LQ_TRY(engine_observe(e, &products[i], h, g->embd, g->embd, false, err));
    LQ_TRY(engine_pack(e, h, g->embd, n, g->embd, e->packed, err));
    LQ_TRY(engine_multiply(e, products, n_products, err));
    return engine_parallel(e, n, prepare_heads, (void *)l, err);
}

/* ---- latent attention: keys and values of all heads are one latent vector ---- */

static lq_status prepare_latent(struct engine *e, void *job, size_t t, struct workspace *w,
                                lq_error *err)
{
    const struct graph *const g = &e->graph;
    const struct layer *const l = job;
    const size_t whole = (size_t)g->nope + g->rotated, position = t % e->length;
    const float *const plain = e->extra + t * whole * g->heads;
    float *const k = e->k + t * g->key_dim;
    (void)w;
    (void)err;
    e->lanes->rms_norm(k, k, l->kv_a_norm.w, g->latent, g->eps);
    rotate(e, l->rope, k + g->latent, position);
    for (size_t h = 0; h < g->heads; h++) {
        float *const q = e->q + (t * g->heads + h) * g->key_dim;
        memcpy(q + g->latent, plain + h * whole + g->nope, g->rotated * sizeof *q);
        rotate(e, l->rope, q + g->latent, position);
        e->lanes->scale(q, (float)g->attn_scale, g->key_dim);
    }
    return LQ_OK;
}

static lq_status norm_latent_query(struct engine *e, void *job, size_t t, struct workspace *w,
                                   lq_error *err)
{
    const struct layer *const l = job;
    const size_t n = l->q_a_norm.n;
    (void)w;
    (void)err;
    e->lanes->rms_norm(e->extra + t * n, e->extra + t * n, l->q_a_norm.w, n, e->graph.eps);
    return LQ_OK;
}

static lq_status project_latent(struct engine *e, const struct layer *l, const float *h,
                                lq_error *err)
{
    const struct graph *const g = &e->graph;
    const size_t n = e->tokens, whole = (size_t)g->nope + g->rotated, rows = g->heads * whole;
    const size_t rank = l->q_a.t ? l->q_a_norm.n : 0;
    const struct product first[] = {
        {l->kv_a.t,                0, g->key_dim,         l->kv_a.bias, e->packed, n, e->k,     g->key_dim},
        {rank ? l->q_a.t : l->q.t, 0, rank ? rank : rows, NULL,         e->packed, n, e->extra,
         rank ? rank : rows                                                                               },
    };
    LQ_TRY(engine_observe(e, &first[0], h, g->embd, g->embd, false, err));
    LQ_TRY(engine_observe(e, &first[1], h, g->embd, g->embd, false, err));
    LQ_TRY(engine_pack(e, h, g->embd, n, g->embd, e->packed, err));
    LQ_TRY(engine_multiply(e, first, 2, err));
    if (rank) {
        const struct product second = {l->q_b.t, 0, rows, NULL, e->packed, n, e->extra, rows};
        LQ_TRY(engine_parallel(e, n, norm_latent_query, (void *)l, err));
        LQ_TRY(engine_observe(e, &second, e->extra, rank, rank, false, err));
        LQ_TRY(engine_pack(e, e->extra, rank, n, rank, e->packed, err));
        LQ_TRY(engine_multiply(e, &second, 1, err));
    }
    /* The queries as the latent keys see them, head by head. */
    for (size_t i = 0; i < g->heads; i++) {
        const struct product absorbed = {l->k_b,
                                         i * g->latent,
                                         g->latent,
                                         NULL,
                                         e->packed,
                                         n,
                                         e->q + i * g->key_dim,
                                         (size_t)g->heads * g->key_dim};
        LQ_TRY(engine_observe(e, &absorbed, e->extra + i * whole, rows, g->nope, false, err));
        LQ_TRY(engine_pack(e, e->extra + i * whole, rows, n, g->nope, e->packed, err));
        LQ_TRY(engine_multiply(e, &absorbed, 1, err));
    }
    return engine_parallel(e, n, prepare_latent, (void *)l, err);
}

/* Latent values to those of each head, in e->extra. */
static lq_status expand_values(struct engine *e, const struct layer *l, lq_error *err)
{
    const struct graph *const g = &e->graph;
    const size_t n = e->tokens, in = (size_t)g->heads * g->latent,
                 out = (size_t)g->heads * g->out_dim;
    for (size_t i = 0; i < g->heads; i++) {
        const struct product p = {
            l->v_b, i * g->out_dim, g->out_dim, NULL, e->packed, n, e->extra + i * g->out_dim, out};
        LQ_TRY(engine_observe(e, &p, e->att + i * g->latent, in, g->latent, false, err));
        LQ_TRY(engine_pack(e, e->att + i * g->latent, in, n, g->latent, e->packed, err));
        LQ_TRY(engine_multiply(e, &p, 1, err));
    }
    return LQ_OK;
}

lq_status engine_attention(struct engine *e, const struct layer *l, const float *h,
                           uint32_t n_sequences, lq_error *err)
{
    const struct graph *const g = &e->graph;
    const size_t k = (size_t)g->heads * g->out_dim;
    LQ_TRY(g->latent ? project_latent(e, l, h, err) : project(e, l, h, err));
    LQ_TRY(engine_scores(e, l, n_sequences, err));
    if (g->latent)
        LQ_TRY(expand_values(e, l, err));
    const float *const att = g->latent ? e->extra : e->att;
    const struct product out = {l->out.t,  0,         g->embd, l->out.bias,
                                e->packed, e->tokens, e->o,    g->embd};
    LQ_TRY(engine_observe(e, &out, att, k, k, false, err));
    LQ_TRY(engine_pack(e, att, k, e->tokens, k, e->packed, err));
    return engine_multiply(e, &out, 1, err);
}
