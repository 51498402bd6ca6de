/* graph.c -- reads a model's graph from its metadata and tensors, and checks that its sizes fit. */
#include "libquant/eval/graph.h"

#include "libquant/base/text.h"
#include "libquant/model/exact_math.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_LAYERS = 4096,
    MAX_SIZE = 1 << 24, /* of embeddings, feed-forward networks and vocabularies */
    MAX_HEADS = 65536,
    MAX_EXPERTS = 4096,
    MAX_EXPERTS_USED = 256,
    MAX_GROUPS = 256
};

struct reader {
    struct graph *g;
    const struct catalog *c;
    unsigned isa;
    lq_error *err;
    uint32_t layer; /* or UINT32_MAX */
    lq_status status; /* the first failure; what follows is skipped */
};

/* ---- metadata ---- */

static void full_key(const struct reader *r, char key[128], const char *name)
{
    snprintf(key, 128, "%s%s", r->g->arch->name, name);
}

static void fail_key(struct reader *r, const char *key, const char *what)
{
    if (r->status == LQ_OK)
        r->status = lq_fail_at(r->err, LQ_E_MODEL, r->c->path, -1, "metadata: \"%s\" %s", key, what);
}

/* A whole number from min to max; `fallback` where the key is missing. UINT32_MAX as a fallback: it
 * must be there. An array of equal numbers, one for each layer, is one number. */
static uint32_t get_u32(struct reader *r, const char *name, uint32_t fallback, uint32_t min,
                        uint32_t max)
{
    char key[128];
    uint64_t value = fallback;
    full_key(r, key, name);
    const struct meta *const m = catalog_meta(r->c, key);
    if (m && m->type == META_ARRAY && m->v.array.count &&
        (m->element_type == META_U32 || m->element_type == META_I32)) {
        const uint32_t *const list = m->v.array.data;
        value = list[0];
        for (uint64_t i = 1; i < m->v.array.count; i++)
            if (list[i] != list[0])
                fail_key(r, key, "differs from layer to layer, which is not supported");
    } else if (m && !catalog_meta_u64(r->c, key, &value)) {
        fail_key(r, key, "is no whole number");
    } else if (!m && fallback == UINT32_MAX) {
        fail_key(r, key, "is missing");
    }
    if ((m || fallback != UINT32_MAX) && (value < min || value > max))
        fail_key(r, key, "is out of range");
    return r->status == LQ_OK ? (uint32_t)value : min;
}

static double get_f64(struct reader *r, const char *name, double fallback)
{
    char key[128];
    double value = fallback;
    uint64_t whole;
    full_key(r, key, name);
    if (catalog_meta_u64(r->c, key, &whole))
        value = (double)whole;
    else if (catalog_meta(r->c, key) && !catalog_meta_f64(r->c, key, &value))
        fail_key(r, key, "is no number");
    if (!isfinite(value) || fabs(value) > 1e30)
        fail_key(r, key, "is out of range");
    return r->status == LQ_OK ? value : fallback;
}

static bool get_bool(const struct reader *r, const char *name, bool fallback)
{
    char key[128];
    full_key(r, key, name);
    const struct meta *const m = catalog_meta(r->c, key);
    return m && m->type == META_BOOL ? m->v.u64 != 0 : fallback;
}

static const char *get_string(struct reader *r, const char *name)
{
    char key[128];
    full_key(r, key, name);
    return catalog_meta_string(r->c, key);
}

/* ---- tensors ---- */

static void full_name(const struct reader *r, char full[192], const char *name)
{
    if (r->layer == UINT32_MAX)
        snprintf(full, 192, "%s", name);
    else
        snprintf(full, 192, "blk.%" PRIu32 ".%s", r->layer, name);
}

static const struct tensor *find(struct reader *r, const char *name)
{
    char full[192];
    full_name(r, full, name);
    return catalog_find(r->c, full);
}

static void fail_missing(struct reader *r, const char *name)
{
    char full[192];
    if (r->status != LQ_OK)
        return;
    full_name(r, full, name);
    r->status = lq_fail(r->err, LQ_E_MODEL, "is missing: a %s model cannot be run without",
                        r->g->arch->name);
    lq_error_add_tensor(r->err, full);
}

/* Checks the shape; sizes are outermost first. */
static void expect(struct reader *r, const struct tensor *t, uint32_t rank, uint64_t a, uint64_t b,
                   uint64_t c)
{
    const uint64_t want[3] = {a, b, c};
    if (r->status != LQ_OK)
        return;
    bool same = t->rank == rank;
    for (uint32_t i = 0; same && i < rank; i++)
        same = t->dim[i] == want[i] && want[i] != 0;
    if (same && t->type->decode)
        return;
    struct text shape = {0};
    for (uint32_t i = 0; i < rank; i++)
        text_printf(&shape, "%s%" PRIu64, i ? ", " : "", want[i]);
    r->status = same ? lq_fail(r->err, LQ_E_UNSUPPORTED, "has no numbers to compute with")
                     : lq_fail(r->err, LQ_E_MODEL,
                               "has another shape than the metadata promise: [%s]",
                               shape.failed ? "" : shape.data);
    lq_error_add_tensor(r->err, t->name);
    text_free(&shape);
}

/* All values of a small tensor. */
static const float *values_of(struct reader *r, const struct tensor *t)
{
    const struct weights *const w = r->g->weights;
    if (r->status != LQ_OK)
        return NULL;
    float *const values = arena_calloc(&r->g->arena, t->elements, sizeof *values);
    void *const raw = mem_calloc(w->raw_bytes(w, t, tensor_rows(t)), 1);
    if (!values || !raw)
        r->status = lq_fail_memory(r->err);
    else
        r->status = w->rows(w, t, 0, tensor_rows(t), raw, values, r->isa, r->err);
    if (r->status != LQ_OK)
        lq_error_add_tensor(r->err, t->name);
    free(raw);
    return r->status == LQ_OK ? values : NULL;
}

static const float *vector(struct reader *r, const char *name, uint64_t n, bool required)
{
    const struct tensor *const t = find(r, name);
    if (!t && required)
        fail_missing(r, name);
    if (!t)
        return NULL;
    expect(r, t, 1, n, 0, 0);
    return values_of(r, t);
}

/* A matrix [rows, cols] and, where it is there, its bias. */
static struct linear linear(struct reader *r, const char *stem, uint64_t rows, uint64_t cols,
                            bool required)
{
    char name[96];
    snprintf(name, sizeof name, "%s.weight", stem);
    struct linear l = {find(r, name), NULL};
    if (!l.t && required)
        fail_missing(r, name);
    if (!l.t)
        return l;
    expect(r, l.t, 2, rows, cols, 0);
    snprintf(name, sizeof name, "%s.bias", stem);
    l.bias = vector(r, name, rows, false);
    return l;
}

static struct linear experts(struct reader *r, const char *stem, uint64_t rows, uint64_t cols)
{
    char name[96];
    snprintf(name, sizeof name, "%s.weight", stem);
    struct linear l = {find(r, name), NULL};
    if (!l.t) {
        fail_missing(r, name);
        return l;
    }
    expect(r, l.t, 3, r->g->experts, rows, cols);
    snprintf(name, sizeof name, "%s.bias", stem);
    const struct tensor *const bias = find(r, name);
    if (bias) {
        expect(r, bias, 2, r->g->experts, rows, 0);
        l.bias = values_of(r, bias);
    }
    return l;
}

static struct norm norm(struct reader *r, const char *stem, uint32_t n, bool required)
{
    char name[96];
    snprintf(name, sizeof name, "%s.weight", stem);
    struct norm result = {vector(r, name, n, required), NULL, 0, 0};
    snprintf(name, sizeof name, "%s.bias", stem);
    result.b = vector(r, name, n, false);
    result.n = result.w ? n : 0;
    return result;
}

/* Of queries or keys: for all heads the same, one for each head, or one for all heads together. */
static struct norm head_norm(struct reader *r, const char *name, uint32_t heads)
{
    const struct tensor *const t = find(r, name);
    const uint32_t n = r->g->key_dim;
    struct norm result = {0};
    if (!t)
        return result;
    result.n = n;
    if (t->rank == 2) {
        expect(r, t, 2, heads, n, 0);
        result.stride = n;
    } else if (t->rank == 1 && t->dim[0] == n) {
        expect(r, t, 1, n, 0, 0);
    } else {
        expect(r, t, 1, (uint64_t)heads * n, 0, 0);
        result.n = heads * n;
    }
    result.w = values_of(r, t);
    return result;
}

/* ---- the whole model ---- */

static void read_sizes(struct reader *r)
{
    struct graph *const g = r->g;
    g->n_layers = get_u32(r, ".block_count", UINT32_MAX, 1, MAX_LAYERS);
    g->embd = get_u32(r, ".embedding_length", UINT32_MAX, 1, MAX_SIZE);
    g->context = get_u32(r, ".context_length", 0, 0, UINT32_MAX - 1);
    g->heads = get_u32(r, ".attention.head_count", UINT32_MAX, 1, MAX_HEADS);
    g->kv_heads = get_u32(r, ".attention.head_count_kv", g->heads, 1, MAX_HEADS);
    g->latent = get_u32(r, ".attention.kv_lora_rank", 0, 0, MAX_SIZE);
    const bool even = g->embd % g->heads == 0;
    const uint32_t size = even ? g->embd / g->heads : UINT32_MAX;
    g->key_dim = get_u32(r, ".attention.key_length", size, 1, MAX_SIZE);
    g->value_dim = get_u32(r, ".attention.value_length", g->key_dim, 1, MAX_SIZE);
    g->rotated = get_u32(r, ".rope.dimension_count", g->key_dim, 0, g->key_dim);
    g->out_dim = g->value_dim;
    if (g->latent) {
        const uint32_t whole = get_u32(r, ".attention.key_length_mla", UINT32_MAX, 1, MAX_SIZE);
        g->out_dim = get_u32(r, ".attention.value_length_mla", UINT32_MAX, 1, MAX_SIZE);
        if (r->status == LQ_OK && (g->rotated >= whole || g->kv_heads != 1 ||
                                   g->value_dim != g->latent ||
                                   g->key_dim != g->latent + g->rotated))
            fail_key(r, "attention.key_length_mla", "contradicts the other sizes");
        g->nope = whole - g->rotated;
    }
    if (r->status == LQ_OK && (g->heads % g->kv_heads || g->rotated % 2 ||
                               (uint64_t)g->heads * g->key_dim > MAX_SIZE ||
                               (uint64_t)g->heads * g->value_dim > MAX_SIZE))
        fail_key(r, "attention.head_count", "and the other sizes of heads contradict each other");
}

static void read_scales(struct reader *r)
{
    struct graph *const g = r->g;
    const uint32_t per_head = g->embd / g->heads;
    double size = g->latent ? (double)(g->nope + g->rotated) : (double)g->key_dim;
    if (g->row.wide_query_at && g->row.wide_query_at == g->n_layers)
        size = (double)per_head;
    g->eps = g->row.norm == NORM_RMS ? get_f64(r, ".attention.layer_norm_rms_epsilon", 1e-5)
                                     : get_f64(r, ".attention.layer_norm_epsilon", 1e-5);
    g->attn_scale = get_f64(r, ".attention.scale", 0);
    g->attn_scale = g->attn_scale != 0 ? g->attn_scale : 1.0 / sqrt(size);
    g->attn_cap = get_f64(r, ".attn_logit_softcapping", 0);
    g->logit_cap = get_f64(r, ".final_logit_softcapping", 0);
    g->embd_scale = get_f64(r, ".embedding_scale", 0);
    if (g->embd_scale == 0)
        g->embd_scale = g->row.embed_scale ? sqrt((double)g->embd) : 1.0;
    g->residual_scale = get_f64(r, ".residual_scale", 0);
    g->residual_scale = g->residual_scale != 0 ? g->residual_scale : 1.0;
    g->logit_scale = get_f64(r, ".logit_scale", 0);
    g->logit_scale = g->logit_scale == 0      ? 1.0
                     : g->row.logit_divided   ? 1.0 / g->logit_scale
                                              : g->logit_scale;
    g->clamp = get_f64(r, ".attention.clamp_kqv", 0);
    g->window = get_u32(r, ".attention.sliding_window", 0, 0, UINT32_MAX - 1);
    g->causal = get_bool(r, ".attention.causal", !g->row.not_causal);
    g->pooling = get_u32(r, ".pooling_type", 0, 0, 4);
    g->row.parallel = get_bool(r, ".use_parallel_residual", g->row.parallel);
}

static void read_experts(struct reader *r)
{
    struct graph *const g = r->g;
    g->experts = get_u32(r, ".expert_count", 0, 0, MAX_EXPERTS);
    g->experts_used = get_u32(r, ".expert_used_count", 0, 0, MAX_EXPERTS_USED);
    g->expert_groups = get_u32(r, ".expert_group_count", 1, 0, MAX_GROUPS);
    g->expert_groups_used = get_u32(r, ".expert_group_used_count", 1, 0, MAX_GROUPS);
    const uint32_t gating = get_u32(r, ".expert_gating_func", 1, 0, 8);
    if (gating > 2)
        fail_key(r, "expert_gating_func", "is none of softmax and sigmoid");
    g->expert_sigmoid = gating == 2;
    g->expert_norm = get_bool(r, ".expert_weights_norm", g->row.expert_norm);
    g->expert_scale = get_f64(r, ".expert_weights_scale", 0);
    g->expert_scale = g->expert_scale != 0 ? g->expert_scale : 1.0;
    if (g->experts && (!g->experts_used || g->experts_used > g->experts))
        fail_key(r, "expert_used_count", "is 0 or more than there are experts");
    if (g->expert_groups > 1 && g->experts &&
        (g->experts % g->expert_groups || !g->expert_groups_used ||
         g->expert_groups_used > g->expert_groups ||
         g->experts / g->expert_groups * g->expert_groups_used < g->experts_used))
        fail_key(r, "expert_group_count", "does not divide the experts as it should");
}

static void read_rope(struct reader *r, uint32_t length)
{
    struct graph *const g = r->g;
    struct rope *const a = &g->global, *const b = &g->local;
    const char *const kind = get_string(r, ".rope.scaling.type");
    a->base = get_f64(r, ".rope.freq_base", 10000);
    double factor = get_f64(r, ".rope.scaling.factor", 0);
    if (factor == 0)
        factor = get_f64(r, ".rope.scale_linear", 0);
    a->scale = factor > 0 && !(kind && strcmp(kind, "none") == 0) ? 1.0 / factor : 1.0;
    a->yarn = kind && strcmp(kind, "yarn") == 0;
    a->magnitude = get_f64(r, ".rope.scaling.attn_factor", 1);
    g->yarn_fast = get_f64(r, ".rope.scaling.yarn_beta_fast", 32);
    g->yarn_slow = get_f64(r, ".rope.scaling.yarn_beta_slow", 1);
    g->yarn_original = get_f64(r, ".rope.scaling.original_context_length", (double)g->context);
    *b = *a;
    b->scale = b->magnitude = 1;
    b->yarn = false;
    b->base = get_f64(r, ".rope.freq_base_swa", g->row.local_base ? g->row.local_base : a->base);
    if (r->status != LQ_OK)
        return;
    if (!(a->base >= 1 && a->base <= 1e30 && b->base >= 1 && b->base <= 1e30) ||
        (a->yarn && !(a->base > 1 && g->yarn_original >= 1 && g->yarn_fast > 0 && g->yarn_slow > 0))) {
        fail_key(r, "rope", "has numbers that make no angles");
        return;
    }
    if (a->yarn) {
        const double stretch = 0.1 * exact_log(1.0 / a->scale);
        const double multiplier = get_f64(r, ".rope.scaling.yarn_log_multiplier", 0);
        const double given = get_f64(r, ".rope.scaling.yarn_attn_factor", 0);
        if (multiplier != 0 && g->latent) {
            const double m = 1.0 + multiplier * exact_log(1.0 / a->scale);
            g->attn_scale *= m * m;
        } else {
            a->magnitude *= given != 0 ? given : a->scale < 1 ? 1.0 + stretch : 1.0;
        }
    }
    const uint32_t half = g->rotated / 2;
    a->factors = vector(r, "rope_freqs.weight", half, false);
    if (!a->factors)
        a->factors = vector(r, (double)length > g->yarn_original ? "rope_factors_long.weight"
                                                                  : "rope_factors_short.weight",
                            half, false);
    if (!g->row.local_rope)
        b->factors = a->factors;
    for (uint32_t i = 0; a->factors && i < half; i++)
        if (!(fabsf(a->factors[i]) >= 1e-30f && fabsf(a->factors[i]) <= 1e30f)) {
            fail_key(r, "rope_freqs.weight", "has a factor that is 0 or no number");
            return;
        }
}

/* Last: what makes them large is in the shapes of tensors that are there. */
static void make_tables(struct reader *r, uint32_t length)
{
    struct graph *const g = r->g;
    if (r->status == LQ_OK && g->rotated)
        r->status = rope_tables(g, &g->global, length, r->err);
    if (r->status == LQ_OK && g->rotated && g->row.local_rope)
        r->status = rope_tables(g, &g->local, length, r->err);
}

/* A norm of whole rows that must be there. */
static struct norm main_norm(struct reader *r, const char *stem)
{
    const struct norm plain = {NULL, NULL, r->g->embd, 0};
    return r->g->row.plain_norms ? plain : norm(r, stem, r->g->embd, true);
}

static void read_top(struct reader *r, uint32_t length)
{
    struct graph *const g = r->g;
    r->layer = UINT32_MAX;
    g->token_embd = find(r, "token_embd.weight");
    if (!g->token_embd) {
        fail_missing(r, "token_embd.weight");
        return;
    }
    g->vocab = g->token_embd->rank == 2 && g->token_embd->dim[0] <= MAX_SIZE
                   ? (uint32_t)g->token_embd->dim[0]
                   : 0;
    expect(r, g->token_embd, 2, g->vocab ? g->vocab : 1, g->embd, 0);
    g->embd_norm = norm(r, "token_embd_norm", g->embd, false);
    g->token_types = find(r, "token_types.weight");
    if (g->token_types)
        expect(r, g->token_types, 2, g->token_types->rank ? g->token_types->dim[0] : 0, g->embd, 0);
    if (g->row.learned_positions) {
        g->positions = find(r, "position_embd.weight");
        if (!g->positions)
            fail_missing(r, "position_embd.weight");
        else
            expect(r, g->positions, 2, g->positions->rank ? g->positions->dim[0] : 0, g->embd, 0);
        if (r->status == LQ_OK && g->positions->dim[0] < length) {
            r->status = lq_fail(r->err, LQ_E_USAGE,
                                "the model has %" PRIu64 " positions: ask for a shorter context "
                                "than %" PRIu32, g->positions->dim[0], length);
            return;
        }
    }
    if (!g->causal)
        return;
    g->output_norm = main_norm(r, "output_norm");
    g->output = linear(r, "output", g->vocab, g->embd, false);
    if (!g->output.t)
        g->output.t = g->token_embd;
}

/* ---- a layer ---- */

static void read_latent_attention(struct reader *r, struct layer *l)
{
    const struct graph *const g = r->g;
    const uint32_t whole = g->nope + g->rotated;
    const struct tensor *const q_a = find(r, "attn_q_a.weight");
    if (q_a) {
        const uint32_t rank = q_a->rank == 2 && q_a->dim[0] <= MAX_SIZE ? (uint32_t)q_a->dim[0] : 0;
        l->q_a = linear(r, "attn_q_a", rank, g->embd, true);
        l->q_a_norm = norm(r, "attn_q_a_norm", rank, true);
        l->q_b = linear(r, "attn_q_b", (uint64_t)g->heads * whole, rank, true);
    } else {
        l->q = linear(r, "attn_q", (uint64_t)g->heads * whole, g->embd, true);
    }
    l->kv_a = linear(r, "attn_kv_a_mqa", g->latent + g->rotated, g->embd, true);
    l->kv_a_norm = norm(r, "attn_kv_a_norm", g->latent, true);
    l->k_b = find(r, "attn_k_b.weight");
    l->v_b = find(r, "attn_v_b.weight");
    if (!l->k_b || !l->v_b) {
        fail_missing(r, l->k_b ? "attn_v_b.weight" : "attn_k_b.weight");
        return;
    }
    expect(r, l->k_b, 3, g->heads, g->latent, g->nope);
    expect(r, l->v_b, 3, g->heads, g->out_dim, g->latent);
}

static void read_attention(struct reader *r, struct layer *l)
{
    const struct graph *const g = r->g;
    const uint64_t q = (uint64_t)g->heads * g->key_dim, k = (uint64_t)g->kv_heads * g->key_dim,
                   v = (uint64_t)g->kv_heads * g->value_dim;
    if (g->latent) {
        read_latent_attention(r, l);
    } else if (find(r, "attn_qkv.weight")) {
        l->qkv = linear(r, "attn_qkv", q + k + v, g->embd, true);
    } else {
        l->q = linear(r, "attn_q", q, g->embd, true);
        l->k = linear(r, "attn_k", k, g->embd, true);
        l->v = linear(r, "attn_v", v, g->embd, true);
    }
    l->out = linear(r, "attn_output", g->embd, (uint64_t)g->heads * g->out_dim, true);
    l->sinks = vector(r, "attn_sinks.weight", g->heads, false);
    if (!g->latent) {
        l->q_norm = head_norm(r, "attn_q_norm.weight", g->heads);
        l->k_norm = head_norm(r, "attn_k_norm.weight", g->kv_heads);
    }
}

static void read_experts_of(struct reader *r, struct layer *l)
{
    const struct graph *const g = r->g;
    const struct tensor *const up = find(r, "ffn_up_exps.weight");
    if (!up) {
        fail_missing(r, "ffn_up_exps.weight");
        return;
    }
    l->expert_ff = up->rank == 3 && up->dim[1] <= MAX_SIZE ? (uint32_t)up->dim[1] : 0;
    l->router = linear(r, "ffn_gate_inp", g->experts, g->embd, true);
    l->router_choice = vector(r, "exp_probs_b.bias", g->experts, false);
    l->gate_exps = experts(r, "ffn_gate_exps", l->expert_ff, g->embd);
    l->up_exps = experts(r, "ffn_up_exps", l->expert_ff, g->embd);
    l->down_exps = experts(r, "ffn_down_exps", g->embd, l->expert_ff);
    const struct tensor *const shared = find(r, "ffn_up_shexp.weight");
    if (!shared)
        return;
    l->shared_ff = shared->rank == 2 && shared->dim[0] <= MAX_SIZE ? (uint32_t)shared->dim[0] : 0;
    l->shared_gate = linear(r, "ffn_gate_shexp", l->shared_ff, g->embd, true);
    l->shared_up = linear(r, "ffn_up_shexp", l->shared_ff, g->embd, true);
    l->shared_down = linear(r, "ffn_down_shexp", g->embd, l->shared_ff, true);
    if (find(r, "ffn_gate_inp_shexp.weight")) {
        const struct tensor *const t = find(r, "ffn_gate_inp_shexp.weight");
        expect(r, t, t->rank == 1 ? 1 : 2, t->rank == 1 ? g->embd : 1, g->embd, 0);
        l->shared_scale.t = t;
    }
}

static void read_feed_forward(struct reader *r, struct layer *l)
{
    const struct graph *const g = r->g;
    if (g->experts && find(r, "ffn_gate_inp.weight")) {
        read_experts_of(r, l);
        return;
    }
    l->ff = get_u32(r, ".feed_forward_length", UINT32_MAX, 1, MAX_SIZE);
    l->gate = linear(r, "ffn_gate", l->ff, g->embd, false);
    /* gate and up in one */
    const bool both = g->row.gated && !l->gate.t;
    l->up = linear(r, "ffn_up", (uint64_t)l->ff * (both ? 2 : 1), g->embd, true);
    l->down = linear(r, "ffn_down", g->embd, l->ff, true);
}

static void read_norms(struct reader *r, struct layer *l)
{
    const struct graph *const g = r->g;
    if (!g->causal && g->row.post_norm) {
        l->attn_post_norm = norm(r, "attn_output_norm", g->embd, true);
        l->ffn_post_norm = norm(r, "layer_output_norm", g->embd, true);
        return;
    }
    l->attn_post_norm = norm(r, "post_attention_norm", g->embd, g->row.post_norm);
    l->ffn_post_norm = norm(r, "post_ffw_norm", g->embd, g->row.post_norm);
    if (g->row.post_norm)
        return;
    l->attn_norm = main_norm(r, "attn_norm");
    /* Parallel parts may share attn_norm; gpt-oss names ffn_norm otherwise. */
    const bool renamed = l->attn_post_norm.n && !find(r, "ffn_norm.weight");
    l->ffn_norm = renamed           ? l->attn_post_norm
                  : g->row.parallel ? norm(r, "ffn_norm", g->embd, false)
                                    : main_norm(r, "ffn_norm");
    if (renamed)
        l->attn_post_norm.n = 0;
}

/* Whether the layer sees a window only. */
static bool is_windowed(struct reader *r, uint32_t layer)
{
    const struct graph *const g = r->g;
    char key[128];
    full_key(r, key, ".attention.sliding_window_pattern");
    const struct meta *const m = catalog_meta(r->c, key);
    if (!g->window)
        return false;
    if (m && m->type == META_ARRAY && m->element_type == META_BOOL && layer < m->v.array.count)
        return ((const uint8_t *)m->v.array.data)[layer] != 0;
    return !g->row.sliding_every || (layer + 1) % g->row.sliding_every != 0;
}

static void read_layer(struct reader *r, uint32_t i)
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

lq_status graph_open(struct graph *g, const struct weights *w, uint32_t length, unsigned isa,
                     lq_error *err)
{
    struct reader r = {.g = g, .c = w->catalog, .isa = isa, .err = err, .layer = UINT32_MAX};
    const char *const name = catalog_meta_string(w->catalog, "general.architecture");
    if (!name)
        return lq_fail_at(err, LQ_E_MODEL, w->catalog->path, -1,
                          "metadata: \"general.architecture\" is missing");
    g->weights = w;
    g->arch = arch_by_name(name);
    if (!g->arch)
        return lq_fail_at(err, LQ_E_UNSUPPORTED, w->catalog->path, -1,
                          "there is no graph for the architecture \"%.60s\"", name);
    g->row = g->arch->graph;
    read_sizes(&r);
    if (r.status == LQ_OK)
        read_scales(&r);
    read_experts(&r);
    if (r.status == LQ_OK)
        read_top(&r, length);
    if (r.status == LQ_OK)
        read_rope(&r, length);
    if (r.status == LQ_OK && !(g->layers = arena_calloc(&g->arena, g->n_layers, sizeof *g->layers)))
        r.status = lq_fail_memory(err);
    for (uint32_t i = 0; i < g->n_layers && r.status == LQ_OK; i++)
        read_layer(&r, i);
    make_tables(&r, length);
    return r.status;
}

bool graph_is_encoder(const struct catalog *c)
{
    const char *const name = catalog_meta_string(c, "general.architecture");
    struct graph g = {.arch = name ? arch_by_name(name) : NULL};
    const struct reader r = {.g = &g, .c = c};
    return g.arch && !get_bool(&r, ".attention.causal", !g.arch->graph.not_causal);
}

void graph_release(struct graph *g)
{
    arena_free(&g->arena);
    memset(g, 0, sizeof *g);
}
