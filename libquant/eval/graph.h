/* graph.h -- what a model computes, read from its metadata and the tensors that are there: one
 * graph for all architectures, whose parts are present or not. Every size is checked here;
 * forward.c trusts them.
 */
#ifndef LQ_EVAL_GRAPH_H
#define LQ_EVAL_GRAPH_H

#include "libquant/eval/weights.h"
#include "libquant/model/arch.h"

/* A matrix, one row per output, and its bias. t NULL: there is none. */
struct linear {
    const struct tensor *t;
    const float *bias; /* or NULL */
};

struct norm {
    const float *w, *b; /* or NULL */
    uint32_t n;         /* elements that are normalised together; 0: there is no such norm */
    uint32_t stride;    /* of w from head to head; 0: all heads share it */
};

/* Angles: cos and sin of position p and pair i at [p * half + i]. */
struct rope {
    float *cosine, *sine;
    const float *factors; /* each frequency is divided by its own; or NULL */
    double base, scale;   /* scale: 1 / factor */
    double magnitude;     /* of both cosine and sine */
    bool yarn;
};

struct layer {
    struct norm attn_norm, q_norm, k_norm, attn_post_norm, ffn_norm, ffn_post_norm;
    struct linear q, k, v, qkv, out;
    /* latent attention */
    struct linear q_a, q_b, kv_a;
    struct norm q_a_norm, kv_a_norm;
    const struct tensor *k_b, *v_b; /* [heads, latent, nope], [heads, v_dim, latent] */
    const float *sinks;
    bool windowed, has_rope;
    const struct rope *rope;
    /* feed-forward */
    uint32_t ff; /* 0: experts only */
    struct linear gate, up, down;
    struct linear router;       /* [experts, embd] */
    const float *router_choice; /* added for the choice, not for the weight; or NULL */
    struct linear gate_exps, up_exps, down_exps; /* [experts, rows, cols]; bias [experts, rows] */
    uint32_t expert_ff;
    struct linear shared_gate, shared_up, shared_down, shared_scale;
    uint32_t shared_ff;
};

struct graph {
    const struct weights *weights;
    const struct arch *arch;
    struct arch_graph row; /* of the table */
    struct arena arena;
    uint32_t n_layers, embd, vocab, context, heads, kv_heads, key_dim, value_dim, rotated;
    uint32_t out_dim;      /* values of a head as the output projection sees them */
    uint32_t nope, latent; /* of latent attention, else 0 */
    uint32_t experts, experts_used, expert_groups, expert_groups_used;
    bool expert_sigmoid, expert_norm;
    double expert_scale;
    double eps, attn_scale, attn_cap, logit_cap, embd_scale, residual_scale, logit_scale, clamp;
    uint32_t window; /* 0: none */
    bool causal;
    uint32_t pooling; /* 1 mean, 2 first, 3 last token, 4 ranks; 0: none is named */
    double yarn_fast, yarn_slow, yarn_original;
    const struct tensor *token_embd, *positions, *token_types;
    struct norm embd_norm, output_norm;
    struct linear output;
    struct rope global, local;
    struct layer *layers;
};

/* Reads metadata and small tensors; LQ_E_MODEL or LQ_E_UNSUPPORTED, with the key or tensor.
 * `length`: tokens in a sequence. Fills a zeroed struct; graph_release also after a failure. */
lq_status graph_open(struct graph *g, const struct weights *w, uint32_t length, unsigned isa,
                     lq_error *err);
void graph_release(struct graph *g);
/* Whether a model makes embeddings of texts, and predicts none. */
bool graph_is_encoder(const struct catalog *c);

/* Fills cosine and sine of a rope for `length` positions. rope.c */
lq_status rope_tables(struct graph *g, struct rope *r, uint32_t length, lq_error *err);

#endif
