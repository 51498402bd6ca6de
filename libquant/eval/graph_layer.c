/* graph_layer.c -- a layer of a graph: attention, feed-forward network and norms, by what tensors
 * there are. */
#include "libquant/eval/graph_read.h"

static void read_latent_attention(struct graph_reader *r, struct layer *l)
{
    const struct graph *const g = r->g;
    const uint32_t whole = g->nope + g->rotated;
    const struct tensor *const q_a = graph_tensor(r, "attn_q_a.weight");
    if (q_a) {
        const uint32_t rank =
            q_a->rank == 2 && q_a->dim[0] <= GRAPH_MAX_SIZE ? (uint32_t)q_a->dim[0] : 0;
        l->q_a = graph_linear(r, "attn_q_a", rank, g->embd, true);
        l->q_a_norm = graph_norm(r, "attn_q_a_norm", rank, true);
        l->q_b = graph_linear(r, "attn_q_b", (uint64_t)g->heads * whole, rank, true);
    } else {
        l->q = graph_linear(r, "attn_q", (uint64_t)g->heads * whole, g->embd, true);
    }
    l->kv_a = graph_linear(r, "attn_kv_a_mqa", g->latent + g->rotated, g->embd, true);
    l->kv_a_norm = graph_norm(r, "attn_kv_a_norm", g->latent, true);
    l->k_b = graph_tensor(r, "attn_k_b.weight");
    l->v_b = graph_tensor(r, "attn_v_b.weight");
    if (!l->k_b || !l->v_b) {
        graph_fail_missing(r, l->k_b ? "attn_v_b.weight" : "attn_k_b.weight");
        return;
    }
    graph_expect(r, l->k_b, 3, g->heads, g->latent, g->nope);
    graph_expect(r, l->v_b, 3, g->heads, g->out_dim, g->latent);
}

static void read_attention(struct graph_reader *r, struct layer *l)
{
    const struct graph *const g = r->g;
    const uint64_t q = (uint64_t)g->heads * g->key_dim, k = (uint64_t)g->kv_heads * g->key_dim,
                   v = (uint64_t)g->kv_heads * g->value_dim;
    if (g->latent) {
        read_latent_attention(r, l);
    } else if (graph_tensor(r, "attn_qkv.weight")) {
        l->qkv = graph_linear(r, "attn_qkv", q + k + v, g->embd, true);
    } else {
        l->q = graph_linear(r, "attn_q", q, g->embd, true);
        l->k = graph_linear(r, "attn_k", k, g->embd, true);
        l->v = graph_linear(r, "attn_v", v, g->embd, true);
    }
    l->out = graph_linear(r, "attn_output", g->embd, (uint64_t)g->heads * g->out_dim, true);
    l->sinks = graph_vector(r, "attn_sinks.weight", g->heads, false);
    if (!g->latent) {
        l->q_norm = graph_head_norm(r, "attn_q_norm.weight", g->heads);
        l->k_norm = graph_head_norm(r, "attn_k_norm.weight", g->kv_heads);
    }
}

static void read_experts_of(struct graph_reader *r, struct layer *l)
{
    const struct graph *const g = r->g;
    const struct tensor *const up = graph_tensor(r, "ffn_up_exps.weight");
    if (!up) {
        graph_fail_missing(r, "ffn_up_exps.weight");
        return;
    }
    l->expert_ff = up->rank == 3 && up->dim[1] <= GRAPH_MAX_SIZE ? (uint32_t)up->dim[1] : 0;
    l->router = graph_linear(r, "ffn_gate_inp", g->experts, g->embd, true);
    l->router_choice = graph_vector(r, "exp_probs_b.bias", g->experts, false);
    l->gate_exps = graph_expert_matrices(r, "ffn_gate_exps", l->expert_ff, g->embd);
    l->up_exps = graph_expert_matrices(r, "ffn_up_exps", l->expert_ff, g->embd);
    l->down_exps = graph_expert_matrices(r, "ffn_down_exps", g->embd, l->expert_ff);
    const struct tensor *const shared = graph_tensor(r, "ffn_up_shexp.weight");
    if (!shared)
        return;
    l->shared_ff =
        shared->rank == 2 && shared->dim[0] <= GRAPH_MAX_SIZE ? (uint32_t)shared->dim[0] : 0;
    l->shared_gate = graph_linear(r, "ffn_gate_shexp", l->shared_ff, g->embd, true);
    l->shared_up = graph_linear(r, "ffn_up_shexp", l->shared_ff, g->embd, true);
    l->shared_down = graph_linear(r, "ffn_down_shexp", g->embd, l->shared_ff, true);
    if (graph_tensor(r, "ffn_gate_inp_shexp.weight")) {
        const struct tensor *const t = graph_tensor(r, "ffn_gate_inp_shexp.weight");
        graph_expect(r, t, t->rank == 1 ? 1 : 2, t->rank == 1 ? g->embd : 1, g->embd, 0);
        l->shared_scale.t = t;
    }
}

static void read_feed_forward(struct graph_reader *r, struct layer *l)
{
    const struct graph *const g = r->g;
    if (g->experts && graph_tensor(r, "ffn_gate_inp.weight")) {
        read_experts_of(r, l);
        return;
    }
    l->ff = graph_u32(r, ".feed_forward_length", UINT32_MAX, 1, GRAPH_MAX_SIZE);
    l->gate = graph_linear(r, "ffn_gate", l->ff, g->embd, false);
    /* gate and up in one */
    const bool both = g->row.gated && !l->gate.t;
    l->up = graph_linear(r, "ffn_up", (uint64_t)l->ff * (both ? 2 : 1), g->embd, true);
    l->down = graph_linear(r, "ffn_down", g->embd, l->ff, true);
}

static void read_norms(struct graph_reader *r, struct layer *l)
{
    const struct graph *const g = r->g;
    if (!g->causal && g->row.post_norm) {
        l->attn_post_norm = graph_norm(r, "attn_output_norm", g->embd, true);
        l->ffn_post_norm = graph_norm(r, "layer_output_norm", g->embd, true);
        return;
    }
    l->attn_post_norm = graph_norm(r, "post_attention_norm", g->embd, g->row.post_norm);
    l->ffn_post_norm = graph_norm(r, "post_ffw_norm", g->embd, g->row.post_norm);
    if (g->row.post_norm)
        return;
    l->attn_norm = graph_main_norm(r, "attn_norm");
    /* Parallel parts may share attn_norm; gpt-oss names ffn_norm otherwise. */
    const bool renamed = l->attn_post_norm.n && !graph_tensor(r, "ffn_norm.weight");
    l->ffn_norm = renamed           ? l->attn_post_norm
                  : g->row.parallel ? graph_norm(r, "ffn_norm", g->embd, false)
                                    : graph_main_norm(r, "ffn_norm");
    if (renamed)
        l->attn_post_norm.n = 0;
}

/* Whether the layer sees a window only. */
static bool is_windowed(struct graph_reader *r, uint32_t layer)
{
    const struct graph *const g = r->g;
    char key[128];
    graph_key(r, key, ".attention.sliding_window_pattern");
    const struct meta *const m = catalog_meta(r->c, key);
    if (!g->window)
        return false;
    if (m && m->type == META_ARRAY && m->element_type == META_BOOL && layer < m->v.array.count)
        return ((const uint8_t *)m->v.array.data)[layer] != 0;
    return !g->row.sliding_every || (layer + 1) % g->row.sliding_every != 0;
}

void graph_read_layer(struct graph_reader *r, uint32_t i)
{
    struct graph *const g = r->g;
    struct layer *const l = &g->layers[i];
    r->layer = i;
    read_norms(r, l);
    read_attention(r, l);
    read_feed_forward(r, l);
    l->windowed = is_windowed(r, i);
    l->rope = l->windowed && g->row.local_rope ? &g->local : &g->global;
    l->has_rope = g->row.rope != ROPE_NONE && g->rotated &&
                  !(g->row.no_rope_every && (i + 1) % g->row.no_rope_every == 0);
}
