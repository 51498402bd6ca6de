/* graph.c -- reads a model's graph from its metadata and tensors, and checks that its sizes fit. */
#include "libquant/eval/graph_read.h"

#include "libquant/base/text.h"
#include "libquant/model/exact_math.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_LAYERS = 4096,
    MAX_HEADS = 65536,
    MAX_EXPERTS = 4096,
    MAX_EXPERTS_USED = 256,
    MAX_GROUPS = 256
};

static void read_sizes(struct graph_reader *r)
{
    struct graph *const g = r->g;
    g->n_layers = graph_u32(r, ".block_count", UINT32_MAX, 1, MAX_LAYERS);
    g->embd = graph_u32(r, ".embedding_length", UINT32_MAX, 1, GRAPH_MAX_SIZE);
    g->context = graph_u32(r, ".context_length", 0, 0, UINT32_MAX - 1);
    g->heads = graph_u32(r, ".attention.head_count", UINT32_MAX, 1, MAX_HEADS);
    g->kv_heads = graph_u32(r, ".attention.head_count_kv", g->heads, 1, MAX_HEADS);
    g->latent = graph_u32(r, ".attention.kv_lora_rank", 0, 0, GRAPH_MAX_SIZE);
    const bool even = g->embd % g->heads == 0;
    const uint32_t size = even ? g->embd / g->heads : UINT32_MAX;
    g->key_dim = graph_u32(r, ".attention.key_length", size, 1, GRAPH_MAX_SIZE);
    g->value_dim = graph_u32(r, ".attention.value_length", g->key_dim, 1, GRAPH_MAX_SIZE);
    g->rotated = graph_u32(r, ".rope.dimension_count", g->key_dim, 0, g->key_dim);
    g->out_dim = g->value_dim;
    if (g->latent) {
        const uint32_t whole =
            graph_u32(r, ".attention.key_length_mla", UINT32_MAX, 1, GRAPH_MAX_SIZE);
        g->out_dim = graph_u32(r, ".attention.value_length_mla", UINT32_MAX, 1, GRAPH_MAX_SIZE);
        if (r->status == LQ_OK &&
            (g->rotated >= whole || g->kv_heads != 1 || g->value_dim != g->latent ||
             g->key_dim != g->latent + g->rotated))
            graph_fail_key(r, "attention.key_length_mla", "contradicts the other sizes");
        g->nope = whole - g->rotated;
    }
    if (r->status == LQ_OK && (g->heads % g->kv_heads || g->rotated % 2 ||
                               (uint64_t)g->heads * g->key_dim > GRAPH_MAX_SIZE ||
                               (uint64_t)g->heads * g->value_dim > GRAPH_MAX_SIZE))
        graph_fail_key(r, "attention.head_count",
                       "and the other sizes of heads contradict each other");
}

static void read_scales(struct graph_reader *r)
{
    struct graph *const g = r->g;
    const uint32_t per_head = g->embd / g->heads;
    double size = g->latent ? (double)(g->nope + g->rotated) : (double)g->key_dim;
    if (g->row.wide_query_at && g->row.wide_query_at == g->n_layers)
        size = (double)per_head;
    g->eps = g->row.norm == NORM_RMS ? graph_f64(r, ".attention.layer_norm_rms_epsilon", 1e-5)
                                     : graph_f64(r, ".attention.layer_norm_epsilon", 1e-5);
    g->attn_scale = graph_f64(r, ".attention.scale", 0);
    g->attn_scale = g->attn_scale != 0 ? g->attn_scale : 1.0 / sqrt(size);
    g->attn_cap = graph_f64(r, ".attn_logit_softcapping", 0);
    g->logit_cap = graph_f64(r, ".final_logit_softcapping", 0);
    g->embd_scale = graph_f64(r, ".embedding_scale", 0);
    if (g->embd_scale == 0)
        g->embd_scale = g->row.embed_scale ? sqrt((double)g->embd) : 1.0;
    g->residual_scale = graph_f64(r, ".residual_scale", 0);
    g->residual_scale = g->residual_scale != 0 ? g->residual_scale : 1.0;
    g->logit_scale = graph_f64(r, ".logit_scale", 0);
    g->logit_scale = g->logit_scale == 0    ? 1.0
                     : g->row.logit_divided ? 1.0 / g->logit_scale
                                            : g->logit_scale;
    g->clamp = graph_f64(r, ".attention.clamp_kqv", 0);
    g->window = graph_u32(r, ".attention.sliding_window", 0, 0, UINT32_MAX - 1);
    g->causal = graph_bool(r, ".attention.causal", !g->row.not_causal);
    g->pooling = graph_u32(r, ".pooling_type", 0, 0, 4);
    g->row.parallel = graph_bool(r, ".use_parallel_residual", g->row.parallel);
}

static void read_experts(struct graph_reader *r)
{
    struct graph *const g = r->g;
    g->experts = graph_u32(r, ".expert_count", 0, 0, MAX_EXPERTS);
    g->experts_used = graph_u32(r, ".expert_used_count", 0, 0, MAX_EXPERTS_USED);
    g->expert_groups = graph_u32(r, ".expert_group_count", 1, 0, MAX_GROUPS);
    g->expert_groups_used = graph_u32(r, ".expert_group_used_count", 1, 0, MAX_GROUPS);
    const uint32_t gating = graph_u32(r, ".expert_gating_func", 1, 0, 8);
    if (gating > 2)
        graph_fail_key(r, "expert_gating_func", "is none of softmax and sigmoid");
    g->expert_sigmoid = gating == 2;
    g->expert_norm = graph_bool(r, ".expert_weights_norm", g->row.expert_norm);
    g->expert_scale = graph_f64(r, ".expert_weights_scale", 0);
    g->expert_scale = g->expert_scale != 0 ? g->expert_scale : 1.0;
    if (g->experts && (!g->experts_used || g->experts_used > g->experts))
        graph_fail_key(r, "expert_used_count", "is 0 or more than there are experts");
    if (g->expert_groups > 1 && g->experts &&
        (g->experts % g->expert_groups || !g->expert_groups_used ||
         g->expert_groups_used > g->expert_groups ||
         g->experts / g->expert_groups * g->expert_groups_used < g->experts_used))
        graph_fail_key(r, "expert_group_count", "does not divide the experts as it should");
}

/* "dynamic": texts that are longer than those of the training stretch the base with their length, to
 * base * (factor * length / context - (factor - 1))^(n / (n - 2)) for n rotated elements. */
static double dynamic_base(const struct graph *g, double base, double factor, uint32_t length)
{
    const double n = (double)g->rotated;
    if (!g->context || length <= g->context || n <= 2 || !(factor > 1))
        return base;
    return base * exact_pow(factor * (double)length / (double)g->context - (factor - 1), n / (n - 2));
}

static bool is_known_scaling(const char *kind)
{
    static const char *const kinds[] = {"none", "linear", "yarn", "longrope", "dynamic"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i], kind) == 0)
            return true;
    return false;
}

static void read_rope(struct graph_reader *r, uint32_t length)
{
    struct graph *const g = r->g;
    struct rope *const a = &g->global, *const b = &g->local;
    const char *const kind = graph_string(r, ".rope.scaling.type");
    a->base = graph_f64(r, ".rope.freq_base", 10000);
    double factor = graph_f64(r, ".rope.scaling.factor", 0);
    if (factor == 0)
        factor = graph_f64(r, ".rope.scale_linear", 0);
    if (kind && !is_known_scaling(kind))
        graph_fail_key(r, "rope.scaling.type", "is none that is known here");
    const bool dynamic = kind && strcmp(kind, "dynamic") == 0;
    a->scale = factor > 0 && !dynamic && !(kind && strcmp(kind, "none") == 0) ? 1.0 / factor : 1.0;
    a->yarn = kind && strcmp(kind, "yarn") == 0;
    a->magnitude = graph_f64(r, ".rope.scaling.attn_factor", 1);
    g->yarn_fast = graph_f64(r, ".rope.scaling.yarn_beta_fast", 32);
    g->yarn_slow = graph_f64(r, ".rope.scaling.yarn_beta_slow", 1);
    g->yarn_original = graph_f64(r, ".rope.scaling.original_context_length", (double)g->context);
    *b = *a;
    b->scale = b->magnitude = 1;
    b->yarn = false;
    b->base = graph_f64(r, ".rope.freq_base_swa", g->row.local_base ? g->row.local_base : a->base);
    if (dynamic)
        a->base = dynamic_base(g, a->base, factor, length);
    if (r->status != LQ_OK)
        return;
    if (!(a->base >= 1 && a->base <= 1e30 && b->base >= 1 && b->base <= 1e30) ||
        (a->yarn &&
         !(a->base > 1 && g->yarn_original >= 1 && g->yarn_fast > 0 && g->yarn_slow > 0))) {
        graph_fail_key(r, "rope", "has numbers that make no angles");
        return;
    }
    if (a->yarn) {
        const double stretch = 0.1 * exact_log(1.0 / a->scale);
        const double multiplier = graph_f64(r, ".rope.scaling.yarn_log_multiplier", 0);
        const double given = graph_f64(r, ".rope.scaling.yarn_attn_factor", 0);
        if (multiplier != 0 && g->latent) {
            const double m = 1.0 + multiplier * exact_log(1.0 / a->scale);
            g->attn_scale *= m * m;
        } else {
            a->magnitude *= given != 0 ? given : a->scale < 1 ? 1.0 + stretch : 1.0;
        }
    }
    const uint32_t half = g->rotated / 2;
    a->factors = graph_vector(r, "rope_freqs.weight", half, false);
    if (!a->factors)
        a->factors = graph_vector(r,
                                  (double)length > g->yarn_original ? "rope_factors_long.weight"
                                                                    : "rope_factors_short.weight",
                                  half, false);
    if (!g->row.local_rope)
        b->factors = a->factors;
    for (uint32_t i = 0; a->factors && i < half; i++)
        if (!(fabsf(a->factors[i]) >= 1e-30f && fabsf(a->factors[i]) <= 1e30f)) {
            graph_fail_key(r, "rope_freqs.weight", "has a factor that is 0 or no number");
            return;
        }
}

/* Tensors of layers that are not counted would be passed over in silence. */
static void check_layers(struct graph_reader *r)
{
    const struct catalog *const c = r->c;
    for (size_t i = 0; i < c->n_tensors; i++) {
        const char *const name = c->tensors[i].name;
        if (!text_starts_with(name, "blk.") || strtoull(name + 4, NULL, 10) < r->g->n_layers)
            continue;
        graph_fail_key(r, "block_count", "is less than there are layers");
        lq_error_add_tensor(r->err, name);
        return;
    }
}

/* Last: what makes them large is in the shapes of tensors that are there. */
static void make_tables(struct graph_reader *r, uint32_t length)
{
    struct graph *const g = r->g;
    if (r->status == LQ_OK && g->rotated)
        r->status = rope_tables(g, &g->global, length, r->err);
    if (r->status == LQ_OK && g->rotated && g->row.local_rope)
        r->status = rope_tables(g, &g->local, length, r->err);
}

/* A norm of whole rows that must be there. */
static void read_top(struct graph_reader *r, uint32_t length)
{
    struct graph *const g = r->g;
    r->layer = UINT32_MAX;
    g->token_embd = graph_tensor(r, "token_embd.weight");
    if (!g->token_embd) {
        graph_fail_missing(r, "token_embd.weight");
        return;
    }
    g->vocab = g->token_embd->rank == 2 && g->token_embd->dim[0] <= GRAPH_MAX_SIZE
                   ? (uint32_t)g->token_embd->dim[0]
                   : 0;
    graph_expect(r, g->token_embd, 2, g->vocab ? g->vocab : 1, g->embd, 0);
    g->embd_norm = graph_norm(r, "token_embd_norm", g->embd, false);
    g->token_types = graph_tensor(r, "token_types.weight");
    if (g->token_types)
        graph_expect(r, g->token_types, 2, g->token_types->rank ? g->token_types->dim[0] : 0,
                     g->embd, 0);
    if (g->row.learned_positions) {
        g->positions = graph_tensor(r, "position_embd.weight");
        if (!g->positions)
            graph_fail_missing(r, "position_embd.weight");
        else
            graph_expect(r, g->positions, 2, g->positions->rank ? g->positions->dim[0] : 0, g->embd,
                         0);
        if (r->status == LQ_OK && g->positions->dim[0] < length) {
            r->status = lq_fail(r->err, LQ_E_USAGE,
                                "the model has %" PRIu64 " positions: ask for a shorter context "
                                "than %" PRIu32,
                                g->positions->dim[0], length);
            return;
        }
    }
    if (!g->causal)
        return;
    g->output_norm = graph_main_norm(r, "output_norm");
    g->output = graph_linear(r, "output", g->vocab, g->embd, false);
    if (!g->output.t)
        g->output.t = g->token_embd;
}

lq_status graph_open(struct graph *g, const struct weights *w, uint32_t length, unsigned isa,
                     lq_error *err)
{
    struct graph_reader r = {.g = g, .c = w->catalog, .isa = isa, .err = err, .layer = UINT32_MAX};
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
        graph_read_layer(&r, i);
    if (r.status == LQ_OK)
        check_layers(&r);
    make_tables(&r, length);
    return r.status;
}

bool graph_is_encoder(const struct catalog *c)
{
    const char *const name = catalog_meta_string(c, "general.architecture");
    struct graph g = {.arch = name ? arch_by_name(name) : NULL};
    const struct graph_reader r = {.g = &g, .c = c};
    return g.arch && !graph_bool(&r, ".attention.causal", !g.arch->graph.not_causal);
}

void graph_release(struct graph *g)
{
    arena_free(&g->arena);
    memset(g, 0, sizeof *g);
}
