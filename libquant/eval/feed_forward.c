/* feed_forward.c -- the part of a layer that sees each token alone. */
#include "libquant/eval/engine.h"

void engine_activate(const struct engine *e, float *gate, float *up, size_t n)
{
    const struct lanes *const l = e->lanes;
    if (e->graph.row.activation == ACT_SWIGLU_OAI && up) {
        l->swiglu_oai(gate, up, n);
        return;
    }
    switch ((enum activation)e->graph.row.activation) {
    case ACT_GELU: l->gelu(gate, n); break;
    case ACT_GELU_TANH: l->gelu_tanh(gate, n); break;
    case ACT_RELU_SQUARED: l->relu_squared(gate, n); break;
    default: l->silu(gate, n); break;
    }
    if (up)
        l->multiply(gate, up, n);
}

static lq_status activate_row(struct engine *e, void *job, size_t r, struct workspace *w,
                              lq_error *err)
{
    const struct mlp *const m = job;
    (void)w;
    (void)err;
    if (m->both)
        engine_activate(e, m->up.c + r * m->up.ldc, m->up.c + r * m->up.ldc + m->ff, m->ff);
    else if (m->gate.t)
        engine_activate(e, m->gate.c + r * m->gate.ldc, m->up.c + r * m->up.ldc, m->ff);
    else
        engine_activate(e, m->up.c + r * m->up.ldc, NULL, m->ff);
    return LQ_OK;
}

lq_status engine_mlp(struct engine *e, const struct mlp *m, lq_error *err)
{
    const struct product both[] = {m->gate, m->up};
    const struct product *const result = m->gate.t ? &m->gate : &m->up;
    LQ_TRY(m->gate.t ? engine_multiply(e, both, 2, err) : engine_multiply(e, &m->up, 1, err));
    LQ_TRY(engine_parallel(e, m->up.m, activate_row, (void *)m, err));
    LQ_TRY(engine_observe(e, &m->down, result->c, result->ldc, m->ff, m->expert, err));
    LQ_TRY(engine_pack(e, result->c, result->ldc, m->up.m, m->ff, e->packed, err));
    return engine_multiply(e, &m->down, 1, err);
}

lq_status engine_feed_forward(struct engine *e, const struct layer *l, const float *h,
                              lq_error *err)
{
    const struct graph *const g = &e->graph;
    if (l->expert_ff)
        return engine_experts(e, l, h, err);
    const size_t n = e->tokens;
    const bool both = g->row.gated && !l->gate.t;
    const size_t up = (size_t)l->ff * (both ? 2 : 1);
    const struct mlp m = {
        {l->gate.t, 0, l->ff,   l->gate.bias, e->packed, n, e->ff,                               l->ff  },
        {l->up.t,   0, up,      l->up.bias,   e->packed, n, e->ff + (l->gate.t ? n * l->ff : 0), up     },
        {l->down.t, 0, g->embd, l->down.bias, e->packed, n, e->o,                                g->embd},
        l->ff,
        both,
        false
    };
    if (l->gate.t)
        LQ_TRY(engine_observe(e, &m.gate, h, g->embd, g->embd, false, err));
    LQ_TRY(engine_observe(e, &m.up, h, g->embd, g->embd, false, err));
    LQ_TRY(engine_pack(e, h, g->embd, n, g->embd, e->packed, err));
    return engine_mlp(e, &m, err);
}
