/* arch_glm.c -- GLM 4 (0414). */
#include "libquant/model/arch_rows.h"
#include "libquant/model/vocab.h"

static const char glm4_defaults[] =
    "{\"vocab_size\":151552,\"hidden_size\":4096,\"intermediate_size\":13696,"
    "\"num_hidden_layers\":40,\"num_attention_heads\":32,\"num_key_value_heads\":2,"
    "\"head_dim\":128,\"max_position_embeddings\":131072,\"rms_norm_eps\":1.5625e-07,"
    "\"rope_theta\":10000.0,\"partial_rotary_factor\":0.5,\"tie_word_embeddings\":false}";

static const struct tensor_rule glm4_tensors[] = {
    HF_TOP, HF_NORMS, HF_ATTENTION, HF_ATTENTION_BIASES(TENSOR_OPTIONAL),
    TENSOR(LAYER "post_self_attn_layernorm.weight", BLOCK "post_attention_norm.weight", "embd"),
    TENSOR(LAYER "post_mlp_layernorm.weight", BLOCK "post_ffw_norm.weight", "embd"),
    TENSOR(LAYER "mlp.gate_up_proj.weight", BLOCK "ffn_up.weight", "2*ff embd"),
    TENSOR(LAYER "mlp.down_proj.weight", BLOCK "ffn_down.weight", "embd ff"),
    TENSORS_END,
};

static const struct hparam glm4_hparams[] = {
    {".rope.dimension_count", META_U32, 0, "rope:partial_rotary_factor", hparam_rotated},
    HPARAMS_END,
};
static const struct hparam *const glm4_lists[] = {hparams_common, glm4_hparams, NULL};

static const struct arch_class glm4_classes[] = {
    {"Glm4ForCausalLM", glm4_defaults, NULL},
    {NULL, NULL, NULL},
};

const struct arch arch_glm4 = {
    .name = "glm4",
    .classes = glm4_classes,
    .hparams = glm4_lists,
    .tensors = glm4_tensors,
    .vocab = vocab_glm4,
    .graph = {.norm = NORM_RMS, .rope = ROPE_PAIRS, .activation = ACT_SILU, .gated = true},
};
