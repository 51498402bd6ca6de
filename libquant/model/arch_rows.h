/* arch_rows.h -- short forms for the rows of architecture files. */
#ifndef LQ_MODEL_ARCH_ROWS_H
#define LQ_MODEL_ARCH_ROWS_H

#include "libquant/model/arch.h"

/* ---- tensors ---- */

#define TENSOR(from, to, shape) {from, to, shape, TRANSFORM_NONE, 0, {0, 0}}
#define TENSOR_IF(from, to, shape, flags) {from, to, shape, TRANSFORM_NONE, flags, {0, 0}}
#define TENSOR_AS(from, to, shape, transform, flags) {from, to, shape, transform, flags, {0, 0}}
#define TENSOR_PART(from, to, shape, transform, flags, part, of)                                   \
    {from, to, shape, transform, flags, {part, of}}
/* One of a size for each {xid}. */
#define TENSOR_STACK(from, to, shape, count, flags)                                                \
    {from, to, shape, TRANSFORM_STACK, flags, {count, 0}}
#define TENSORS_END {NULL, NULL, NULL, 0, 0, {0, 0}}

/* A weight and its bias. */
#define LINEAR(from, to, out, in)                                                                  \
    TENSOR(from ".weight", to ".weight", out " " in), TENSOR(from ".bias", to ".bias", out)
#define LINEAR_MAYBE_BIAS(from, to, out, in)                                                       \
    TENSOR(from ".weight", to ".weight", out " " in),                                              \
        TENSOR_IF(from ".bias", to ".bias", out, TENSOR_OPTIONAL)
#define NORM_WITH_BIAS(from, to, size)                                                             \
    TENSOR(from ".weight", to ".weight", size), TENSOR(from ".bias", to ".bias", size)

/* What most decoders of transformers are made of. */
#define LAYER "model.layers.{bid}."
#define BLOCK "blk.{bid}."
#define HF_TOP                                                                                     \
    TENSOR("model.embed_tokens.weight", "token_embd.weight", "vocab embd"),                        \
        TENSOR_IF("lm_head.weight", "output.weight", "vocab embd", TENSOR_UNTIED),                 \
        TENSOR("model.norm.weight", "output_norm.weight", "embd")
#define HF_NORMS                                                                                   \
    TENSOR(LAYER "input_layernorm.weight", BLOCK "attn_norm.weight", "embd"),                      \
        TENSOR(LAYER "post_attention_layernorm.weight", BLOCK "ffn_norm.weight", "embd")
#define HF_ATTENTION                                                                               \
    TENSOR(LAYER "self_attn.q_proj.weight", BLOCK "attn_q.weight", "heads*head_dim embd"),         \
        TENSOR(LAYER "self_attn.k_proj.weight", BLOCK "attn_k.weight", "kv_heads*head_dim embd"),  \
        TENSOR(LAYER "self_attn.v_proj.weight", BLOCK "attn_v.weight", "kv_heads*head_dim embd"),  \
        TENSOR(LAYER "self_attn.o_proj.weight", BLOCK "attn_output.weight", "embd heads*head_dim")
#define HF_ATTENTION_BIASES(flags)                                                                 \
    TENSOR_IF(LAYER "self_attn.q_proj.bias", BLOCK "attn_q.bias", "heads*head_dim", flags),        \
        TENSOR_IF(LAYER "self_attn.k_proj.bias", BLOCK "attn_k.bias", "kv_heads*head_dim", flags), \
        TENSOR_IF(LAYER "self_attn.v_proj.bias", BLOCK "attn_v.bias", "kv_heads*head_dim", flags)
/* The same where rotated rows are kept as halves, and GGUF has them as pairs; with or without biases. */
#define HF_PERMUTED_ATTENTION                                                                      \
    TENSOR_AS(LAYER "self_attn.q_proj.weight", BLOCK "attn_q.weight", "heads*head_dim embd",       \
              TRANSFORM_PERMUTE_Q, 0),                                                             \
        TENSOR_AS(LAYER "self_attn.q_proj.bias", BLOCK "attn_q.bias", "heads*head_dim",            \
                  TRANSFORM_PERMUTE_Q, TENSOR_OPTIONAL),                                           \
        TENSOR_AS(LAYER "self_attn.k_proj.weight", BLOCK "attn_k.weight",                          \
                  "kv_heads*head_dim embd", TRANSFORM_PERMUTE_K, 0),                               \
        TENSOR_AS(LAYER "self_attn.k_proj.bias", BLOCK "attn_k.bias", "kv_heads*head_dim",         \
                  TRANSFORM_PERMUTE_K, TENSOR_OPTIONAL),                                           \
        LINEAR_MAYBE_BIAS(LAYER "self_attn.v_proj", BLOCK "attn_v", "kv_heads*head_dim", "embd"),  \
        LINEAR_MAYBE_BIAS(LAYER "self_attn.o_proj", BLOCK "attn_output", "embd", "heads*head_dim")
#define HF_QK_NORMS                                                                                \
    TENSOR(LAYER "self_attn.q_norm.weight", BLOCK "attn_q_norm.weight", "head_dim"),               \
        TENSOR(LAYER "self_attn.k_norm.weight", BLOCK "attn_k_norm.weight", "head_dim")
#define HF_GATED_MLP(flags)                                                                        \
    TENSOR_IF(LAYER "mlp.gate_proj.weight", BLOCK "ffn_gate.weight", "ff embd", flags),            \
        TENSOR_IF(LAYER "mlp.up_proj.weight", BLOCK "ffn_up.weight", "ff embd", flags),            \
        TENSOR_IF(LAYER "mlp.down_proj.weight", BLOCK "ffn_down.weight", "embd ff", flags)
#define HF_MLP_BIASES                                                                              \
    TENSOR_IF(LAYER "mlp.gate_proj.bias", BLOCK "ffn_gate.bias", "ff",                             \
              TENSOR_DENSE_LAYER | TENSOR_OPTIONAL),                                               \
        TENSOR_IF(LAYER "mlp.up_proj.bias", BLOCK "ffn_up.bias", "ff",                             \
                  TENSOR_DENSE_LAYER | TENSOR_OPTIONAL),                                           \
        TENSOR_IF(LAYER "mlp.down_proj.bias", BLOCK "ffn_down.bias", "embd",                       \
                  TENSOR_DENSE_LAYER | TENSOR_OPTIONAL)

/* ---- hyper-parameters ---- */

#define HPARAMS_END {NULL, 0, 0, NULL, NULL}
#define HPARAM_FILE_TYPE {"general.file_type", META_U32, 0, "", hparam_file_type}
/* From the first of the names; left out, or refused, where the configuration is silent. */
#define HPARAM(key, type, names) {key, type, 0, names, NULL}
#define HPARAM_MUST(key, type, names) {key, type, HPARAM_REQUIRED, names, NULL}
/* A size, by its word in dims.def. */
#define HPARAM_SIZE(key, word) {key, META_U32, HPARAM_REQUIRED, word, hparam_dim}
/* A value that the architecture fixes, written as text. */
#define HPARAM_FIXED(key, type, value) {key, type, 0, value, hparam_fixed}

#endif
