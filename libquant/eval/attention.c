/* attention.c -- who looks at whom: scores, softmax, weighted values, in blocks of queries. */
#include "libquant/eval/engine.h"

#include <string.h>

enum { QUERIES = 96 }; /* of a block: a multiple of every kernel's rows */

struct attention_job {
    const struct layer *l;
    uint32_t blocks; /* of a sequence */
};

/* ---- a block of queries of one head ---- */

/* Softmax of the keys that the query at `position` sees, zeros for the others of [low, high). */
static void weigh(const struct engine *e, const struct layer *l, size_t head, float *scores,
                  size_t position, size_t low, size_t high)
{
    const struct graph *const g = &e->graph;
    const size_t end = g->causal ? position + 1 : e->length;
    const size_t begin = l->windowed && position + 1 > g->window ? position + 1 - g->window : 0;
    const size_t first = begin > low ? begin : low;
    memset(scores, 0, (first - low) * sizeof *scores);
    if (g->attn_cap > 0)
        e->lanes->soft_cap(scores + (first - low), (float)g->attn_cap, end - first);
    e->lanes->softmax(scores + (first - low), end - first, l->sinks ? l->sinks + head : NULL);
    memset(scores + (end - low), 0, (high - end) * sizeof *scores);
}

static lq_status attend(struct engine *e, void *job, size_t i, struct workspace *w, lq_error *err)
{
    const struct attention_job *const j = job;
    const struct graph *const g = &e->graph;
    const size_t n = e->length, block = i % j->blocks, head = i / j->blocks % g->heads;
    const size_t sequence = i / j->blocks / g->heads;
    const size_t first = block * QUERIES, m = n - first < QUERIES ? n - first : QUERIES;
    const size_t high = g->causal ? first + m : n;
    const size_t low = j->l->windowed && first + 1 > g->window ? first + 1 - g->window : 0;
    const size_t keys = high - low, kv = head / (g->heads / g->kv_heads);
    const size_t ldq = (size_t)g->heads * g->key_dim, ldk = (size_t)g->kv_heads * g->key_dim;
    const size_t ldo = (size_t)g->heads * g->value_dim;
    const float *const q = e->q + (sequence * n + first) * ldq + head * g->key_dim;
    const float *const k = e->k + (sequence * n + low) * ldk + kv * g->key_dim;
    const size_t ldv = g->latent ? ldk : (size_t)g->kv_heads * g->value_dim; /* keys hold values */
    const float *const v =
        (g->latent ? e->k : e->v) + (sequence * n + low) * ldv + kv * g->value_dim;
    const size_t widest = keys > g->key_dim ? keys : g->key_dim;
    LQ_TRY(engine_grow((void **)&w->packed, &w->packed_size,
                       gemm_packed_floats(e->gemm, QUERIES, widest), sizeof(float), err));
    LQ_TRY(engine_grow((void **)&w->scores, &w->scores_size, QUERIES * keys, sizeof(float), err));
    LQ_TRY(engine_grow((void **)&w->gemm, &w->gemm_size, gemm_scratch_floats(e->gemm, QUERIES),
                       sizeof(float), err));
    const struct gemm_weights all_keys =
                                  {
                                      gemm_fetch_rows, &(struct gemm_matrix){k, ldk},
                                        false
    },
                              all_values = {gemm_fetch_columns, &(struct gemm_matrix){v, ldv},
                                            true};
    gemm_pack(e->gemm, q, ldq, m, g->key_dim, w->packed);
    gemm_rows(e->gemm, w->packed, m, g->key_dim, &all_keys, keys, w->scores, keys, w->gemm);
    for (size_t r = 0; r < m; r++)
        weigh(e, j->l, head, w->scores + r * keys, first + r, low, high);
    gemm_pack(e->gemm, w->scores, keys, m, keys, w->packed);
    gemm_rows(e->gemm, w->packed, m, keys, &all_values, g->value_dim,
              e->att + (sequence * n + first) * ldo + head * g->value_dim, ldo, w->gemm);
    return LQ_OK;
}

lq_status engine_scores(struct engine *e, const struct layer *l, uint32_t n_sequences,
                        lq_error *err)
{
    const struct graph *const g = &e->graph;
    struct attention_job j = {l, (e->length + QUERIES - 1) / QUERIES};
    return engine_parallel(e, (size_t)n_sequences * g->heads * j.blocks, attend, &j, err);
}
