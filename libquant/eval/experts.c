/* experts.c -- mixtures of experts: each token's experts are chosen, and each expert works on its tokens
 * together. */
#include "libquant/eval/engine.h"

#include <string.h>

enum { MAX_GROUPS = 256 }; /* graph.c refuses more */

/* ---- choosing ---- */

/* Sets `from` to the best `count` of n scores, best first; equal ones in their order. */
static void best(const float *score, size_t n, size_t count, uint32_t *from)
{
    for (size_t c = 0; c < count; c++) {
        size_t top = n;
        for (size_t i = 0; i < n; i++) {
            bool taken = false;
            for (size_t k = 0; k < c; k++)
                taken = taken || from[k] == i;
            if (!taken && (top == n || score[i] > score[top]))
                top = i;
        }
        from[c] = (uint32_t)top;
    }
}

/* Experts outside of the best groups are put below all others. A group counts by its best expert, or,
 * with sigmoids, by its best two. */
static void keep_groups(const struct graph *g, float *score)
{
    float value[MAX_GROUPS];
    uint32_t top[MAX_GROUPS];
    if (g->expert_groups <= 1 || g->expert_groups_used == g->expert_groups)
        return;
    const size_t size = g->experts / g->expert_groups;
    for (size_t i = 0; i < g->expert_groups; i++) {
        uint32_t two[2] = {0, 0};
        const size_t count = g->expert_sigmoid && size > 1 ? 2 : 1;
        best(score + i * size, size, count, two);
        value[i] = score[i * size + two[0]] + (count == 2 ? score[i * size + two[1]] : 0.0f);
    }
    best(value, g->expert_groups, g->expert_groups_used, top);
    for (size_t i = 0; i < g->expert_groups; i++) {
        bool kept = false;
        for (size_t k = 0; k < g->expert_groups_used; k++)
            kept = kept || top[k] == i;
        for (size_t k = 0; !kept && k < size; k++)
            score[i * size + k] = -3.4e38f;
    }
}

static lq_status choose(struct engine *e, void *job, size_t t, struct workspace *w, lq_error *err)
{
    const struct graph *const g = &e->graph;
    const struct layer *const l = job;
    const size_t n = g->experts, used = g->experts_used;
    float *const p = e->routing + t * n, *const share = e->share + t * used;
    uint32_t *const chosen = e->chosen + t * used;
    LQ_TRY(engine_grow((void **)&w->scores, &w->scores_size, n, sizeof(float), err));
    if (g->expert_sigmoid)
        e->lanes->sigmoid(p, n);
    else
        e->lanes->softmax(p, n, NULL);
    memcpy(w->scores, p, n * sizeof *p);
    if (l->router_choice)
        e->lanes->add(w->scores, l->router_choice, n);
    keep_groups(g, w->scores);
    best(w->scores, n, used, chosen);
    double sum = 0;
    for (size_t i = 0; i < used; i++)
        sum += (double)p[chosen[i]];
    for (size_t i = 0; i < used; i++) {
        const double s = (double)p[chosen[i]] / (g->expert_norm ? sum + 1e-20 : 1.0);
        share[i] = (float)(s * g->expert_scale);
        if (!(s >= 0 && s <= 1e30)) {
            lq_fail(err, LQ_E_MODEL, "gives shares of the experts that are no numbers");
            lq_error_add_tensor(err, l->router.t->name);
            return LQ_E_MODEL;
        }
    }
    return LQ_OK;
}

/* ---- working ---- */

/* One expert's tokens: gathered, multiplied, put into their slots. */
static lq_status run_expert(struct engine *e, const struct layer *l, const float *h, size_t expert,
                            lq_error *err)
{
    const struct graph *const g = &e->graph;
    const size_t embd = g->embd, ff = l->expert_ff, slots = e->tokens * g->experts_used;
    size_t m = 0;
    for (size_t s = 0; s < slots; s++)
        if (e->chosen[s] == expert)
            memcpy(e->extra + m++ * embd, h + s / g->experts_used * embd, embd * sizeof *h);
    if (!m)
        return LQ_OK;
    const float *const gate_bias = l->gate_exps.bias, *const up_bias = l->up_exps.bias,
                       *const down_bias = l->down_exps.bias;
    const struct mlp mlp = {
        {l->gate_exps.t, expert * ff, ff, gate_bias ? gate_bias + expert * ff : NULL, e->packed, m,
         e->ff, ff},
        {l->up_exps.t, expert * ff, ff, up_bias ? up_bias + expert * ff : NULL, e->packed, m,
         e->ff + m * ff, ff},
        {l->down_exps.t, expert * embd, embd, down_bias ? down_bias + expert * embd : NULL,
         e->packed, m, e->extra, embd},
        l->expert_ff, false, true};
    LQ_TRY(engine_observe(e, &mlp.gate, e->extra, embd, embd, true, err));
    LQ_TRY(engine_observe(e, &mlp.up, e->extra, embd, embd, true, err));
    LQ_TRY(engine_pack(e, e->extra, embd, m, embd, e->packed, err));
    LQ_TRY(engine_mlp(e, &mlp, err));
    m = 0;
    for (size_t s = 0; s < slots; s++)
        if (e->chosen[s] == expert)
            memcpy(e->slots + s * embd, e->extra + m++ * embd, embd * sizeof *h);
    return LQ_OK;
}

static lq_status combine(struct engine *e, void *job, size_t t, struct workspace *w, lq_error *err)
{
    const struct graph *const g = &e->graph;
    float *const out = e->o + t * g->embd;
    (void)job;
    (void)w;
    (void)err;
    memset(out, 0, g->embd * sizeof *out);
    for (size_t i = 0; i < g->experts_used; i++)
        e->lanes->add_scaled(out, e->slots + (t * g->experts_used + i) * g->embd,
                             e->share[t * g->experts_used + i], g->embd);
    return LQ_OK;
}

/* The shared experts' share, where it has a gate of its own, and the sum. */
static lq_status add_shared(struct engine *e, void *job, size_t t, struct workspace *w,
                            lq_error *err)
{
    const struct graph *const g = &e->graph;
    const struct layer *const l = job;
    (void)w;
    (void)err;
    float share = 1.0f;
    if (l->shared_scale.t) {
        share = e->routing[t];
        e->lanes->sigmoid(&share, 1);
    }
    e->lanes->add_scaled(e->o + t * g->embd, e->slots + t * g->embd, share, g->embd);
    return LQ_OK;
}

static lq_status run_shared(struct engine *e, const struct layer *l, const float *h, lq_error *err)
{
    const struct graph *const g = &e->graph;
    const size_t n = e->tokens, ff = l->shared_ff;
    const struct mlp mlp = {
        {l->shared_gate.t, 0, ff, l->shared_gate.bias, e->packed, n, e->ff, ff},
        {l->shared_up.t, 0, ff, l->shared_up.bias, e->packed, n, e->ff + n * ff, ff},
        {l->shared_down.t, 0, g->embd, l->shared_down.bias, e->packed, n, e->slots, g->embd},
        l->shared_ff, false, false};
    const struct product scale = {l->shared_scale.t, 0, 1, NULL, e->packed, n, e->routing, 1};
    LQ_TRY(engine_observe(e, &mlp.gate, h, g->embd, g->embd, false, err));
    LQ_TRY(engine_observe(e, &mlp.up, h, g->embd, g->embd, false, err));
    LQ_TRY(engine_pack(e, h, g->embd, n, g->embd, e->packed, err));
    if (scale.t) {
        LQ_TRY(engine_observe(e, &scale, h, g->embd, g->embd, false, err));
        LQ_TRY(engine_multiply(e, &scale, 1, err));
    }
    LQ_TRY(engine_mlp(e, &mlp, err));
    return engine_parallel(e, n, add_shared, (void *)l, err);
}

lq_status engine_experts(struct engine *e, const struct layer *l, const float *h, lq_error *err)
{
    const struct graph *const g = &e->graph;
    const struct product router = {l->router.t, 0, g->experts, l->router.bias, e->packed, e->tokens,
                                   e->routing, g->experts};
    LQ_TRY(engine_observe(e, &router, h, g->embd, g->embd, false, err));
    LQ_TRY(engine_pack(e, h, g->embd, e->tokens, g->embd, e->packed, err));
    LQ_TRY(engine_multiply(e, &router, 1, err));
    LQ_TRY(engine_parallel(e, e->tokens, choose, (void *)l, err));
    for (size_t i = 0; i < g->experts; i++)
        LQ_TRY(run_expert(e, l, h, i, err));
    LQ_TRY(engine_parallel(e, e->tokens, combine, NULL, err));
    return l->shared_ff ? run_shared(e, l, h, err) : LQ_OK;
}
