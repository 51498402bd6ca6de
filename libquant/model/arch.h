/* arch.h -- the table of architectures: one const struct each, listed in archs.def.
 *
 * One row says everything about an architecture that conversion and evaluation need: its names, how
 * each fact in config.json becomes a GGUF key, how each tensor of a checkpoint becomes a GGUF
 * tensor, which tensors must be there and in what shape, and what its graph does. To add an
 * architecture: one file arch_<family>.c (or a struct in the file of its family) and one line in
 * archs.def. Code is for what a row cannot say.
 *
 * The GGUF side (keys, tensor names, values) follows llama.cpp's converter, which defines the format
 * in practice.
 */
#ifndef LQ_MODEL_ARCH_H
#define LQ_MODEL_ARCH_H

#include "libquant/catalog/catalog.h"

struct model;
struct hparam;
struct mapping;

/* ---- sizes that shapes are made of ---- */

enum dim {
#define DIM(symbol, word, names) DIM_##symbol,
#include "libquant/model/dims.def"
#undef DIM
    DIM_COUNT
};

/* ---- hyper-parameters ---- */

enum hparam_flags {
    HPARAM_REQUIRED = 1 << 0, /* the model cannot be run without */
    HPARAM_NONZERO = 1 << 1   /* left out where it is zero, false or empty */
};

/* One metadata key. Where `make` is set it does everything; otherwise the value is that of the first
 * of `names` in the configuration (see config.h). A key that begins with '.' follows the name of the
 * architecture. */
struct hparam {
    const char *key;
    uint8_t type;  /* enum meta_type of the value */
    uint8_t flags; /* enum hparam_flags */
    const char *names;
    lq_status (*make)(struct model *m, const struct hparam *h, struct catalog *out, lq_error *err);
};

/* ---- tensors ---- */

enum tensor_flags {
    TENSOR_OPTIONAL = 1 << 0,     /* in every layer or in none */
    TENSOR_ANY_LAYER = 1 << 1,    /* in some layers only, as the checkpoint has it */
    TENSOR_UNTIED = 1 << 2,       /* required unless embeddings are tied */
    TENSOR_EXPERT_LAYER = 1 << 3, /* in layers with experts only */
    TENSOR_DENSE_LAYER = 1 << 4,  /* in layers without experts only */
    TENSOR_SIZED = 1 << 5, /* only where the configuration tells all sizes of its shape */
    TENSOR_F32 = 1 << 6    /* small or sensitive: F32 in every output */
};

enum transform {
    TRANSFORM_NONE,
    TRANSFORM_PERMUTE_Q,   /* rows of a head from halves to pairs */
    TRANSFORM_PERMUTE_K,
    TRANSFORM_STACK,       /* one input for each {xid} below the size arg0 (enum dim), stacked along
                              a new first dimension */
    TRANSFORM_TRANSPOSE,   /* the last two dimensions change places */
    TRANSFORM_PART,        /* part arg0 of arg1 equal parts of the second last dimension */
    TRANSFORM_EVERY,       /* every arg1-th row of the second last dimension, from arg0 on */
    TRANSFORM_EVERY_COLUMN,    /* the same of the last dimension */
    TRANSFORM_TRANSPOSE_EVERY, /* TRANSPOSE, then EVERY */
    TRANSFORM_ADD_ONE,     /* 1 is added to every value: norms stored as the distance from one */
    TRANSFORM_HEADS_QKV,   /* rows per head (q, k, v) become all q, all k, all v */
    TRANSFORM_KV_B_K,      /* the keys' part of MLA's kv_b, each head transposed */
    TRANSFORM_KV_B_V,      /* the values' part of it */
    TRANSFORM_SKIP_ROWS,   /* the first rows are dropped, as many as the size "skip" */
    TRANSFORM_MXFP4        /* packed blocks (and scales, a tensor of its own) become MXFP4; rows as
                              EVERY says; arg1 0: all */
};

/* One output tensor. In names {bid} is the layer and {xid} the expert. Several rules may name the
 * same source tensor. */
struct tensor_rule {
    const char *from;  /* name in the checkpoint */
    const char *to;    /* name in GGUF */
    const char *shape; /* of the source: "heads*head_dim embd": sizes, outermost first */
    uint8_t transform; /* enum transform */
    uint8_t flags;     /* enum tensor_flags */
    int16_t arg[2];
};

/* Names that are changed before they are looked up. */
enum rename_kind { RENAME_PREFIX, RENAME_SUFFIX, RENAME_ANYWHERE };
struct rename {
    uint8_t kind; /* enum rename_kind; every rename is tried once, in order */
    const char *from, *to;
};

/* ---- the graph ---- */

enum norm_kind { NORM_RMS, NORM_LAYER };
enum rope_kind {
    ROPE_NONE,
    ROPE_PAIRS, /* rotates elements 2i and 2i + 1 */
    ROPE_HALVES /* rotates elements i and i + half */
};
enum activation { ACT_SILU, ACT_GELU, ACT_GELU_TANH, ACT_RELU_SQUARED, ACT_SWIGLU_OAI };

/* What evaluation cannot see in the metadata and the tensors that are there. */
struct arch_graph {
    uint8_t norm;       /* enum norm_kind */
    uint8_t rope;       /* enum rope_kind */
    uint8_t activation; /* enum activation */
    bool gated;         /* the feed-forward network multiplies with a gate */
    bool parallel;      /* attention and feed-forward read the same input and are added */
    bool post_norm;     /* norms follow attention and feed-forward and nothing precedes them */
    bool plain_norms;   /* norms have no weights */
    bool embed_scale;   /* embeddings are multiplied with sqrt(embedding length) */
    bool not_causal;    /* every token sees all others */
    bool learned_positions;
    uint8_t sliding_every; /* every n-th layer sees all, the others a window; 0: as metadata say */
    uint8_t no_rope_every; /* every n-th layer has no positions; 0: all have */
    bool local_rope;       /* layers with a window have unscaled positions, and a base of their own */
    uint16_t local_base;   /* that base where metadata are silent; 0: that of the other layers */
    bool yarn_exact;       /* the bounds of YaRN's ramp are not rounded */
    bool logit_divided;    /* logits are divided by the logit scale, not multiplied */
    bool expert_norm;      /* weights of the chosen experts add up to one */
    uint8_t wide_query_at; /* a model of so many layers scales attention by the embedding length per
                              head, not by the size of a head */
};

/* ---- the architecture ---- */

/* A name in config.json's "architectures". */
struct arch_class {
    const char *name;
    const char *defaults; /* JSON object: what its configuration class fills in, or NULL */
    const char *prefix;   /* put before the names of its tensors, or NULL */
};

struct arch {
    const char *name;                   /* general.architecture */
    const struct arch_class *classes;   /* ends with a zeroed one */
    const struct hparam *early;         /* written before all others; may be NULL */
    const struct hparam *const *hparams; /* lists, each ends with a zeroed row; ends with NULL */
    const struct tensor_rule *tensors;  /* ends with a zeroed one */
    const struct rename *renames;       /* ends with a zeroed one; may be NULL */
    const char *const *ignored;         /* patterns with '*' of tensors without use; ends with NULL;
                                           may be NULL. Some are ignored for all (mapping.c) */
    /* Settles what the rows need: values that follow from others. May be NULL. */
    lq_status (*resolve)(struct model *m, lq_error *err);
    /* Tensors that no source tensor becomes: they come first. May be NULL. */
    lq_status (*extra)(struct model *m, struct mapping *map, lq_error *err);
    /* Writes the tokenizer's metadata. */
    lq_status (*vocab)(struct model *m, struct catalog *out, lq_error *err);
    /* Whether a layer has experts; NULL: all have if there are any. */
    bool (*experts_at)(const struct model *m, uint32_t layer);
    struct arch_graph graph;
};

#define ARCH(symbol) extern const struct arch arch_##symbol;
#include "libquant/model/archs.def"
#undef ARCH

/* By a name in config.json; *of is its class. NULL where there is none. */
const struct arch *arch_by_class(const char *name, const struct arch_class **of);
/* By general.architecture. */
const struct arch *arch_by_name(const char *name);
size_t arch_count(void);
const struct arch *arch_at(size_t i);

/* Rows that most architectures share, in the order in which files are written. */
extern const struct hparam hparams_common[];

/* ---- what `make` functions of rows are made of ---- */

/* The row's value from the configuration, as a row without `make` does it. */
lq_status hparam_from_config(struct model *m, const struct hparam *h, struct catalog *out,
                             lq_error *err);
/* Sets the row's key; the value in the row's type. */
lq_status hparam_set(struct model *m, const struct hparam *h, struct catalog *out, double value,
                     lq_error *err);
lq_status hparam_set_string(struct model *m, const struct hparam *h, struct catalog *out,
                            const char *value, lq_error *err);
/* general.file_type: its place is kept here, its value is set for each output. */
lq_status hparam_file_type(struct model *m, const struct hparam *h, struct catalog *out,
                           lq_error *err);
/* A size of enum dim, by the word in `names`. */
lq_status hparam_dim(struct model *m, const struct hparam *h, struct catalog *out, lq_error *err);

/* `names` is the value itself: a number, "true", "false", or the text. */
lq_status hparam_fixed(struct model *m, const struct hparam *h, struct catalog *out, lq_error *err);
/* A number computed by a row's own code: `names` tells how many times the embedding length. */
lq_status hparam_times_embd(struct model *m, const struct hparam *h, struct catalog *out,
                            lq_error *err);
/* Rotated elements of a head: its size times the value of `names` (1 where there is none). */
lq_status hparam_rotated(struct model *m, const struct hparam *h, struct catalog *out,
                         lq_error *err);
/* An array of bool, true for layers of type "sliding_attention" in "layer_types". */
lq_status hparam_layer_types(struct model *m, const struct hparam *h, struct catalog *out,
                             lq_error *err);
/* How a sentence encoder pools, from modules.json and the pooling module's configuration. */
lq_status hparam_pooling(struct model *m, const struct hparam *h, struct catalog *out,
                         lq_error *err);

/* For arch.resolve: the number of key and value heads counts as said where it was not. */
lq_status resolve_kv_heads(struct model *m, lq_error *err);

/* Writes all rows of the model's architecture; `early` those that come before general.type. */
lq_status hparams_write(struct model *m, struct catalog *out, bool early, lq_error *err);

#endif
