/* arch_gptoss.c -- gpt-oss: experts in MXFP4 or as floats, attention sinks. */
#include "libquant/model/arch_rows.h"
#include "libquant/model/vocab.h"

static const char gptoss_defaults[] =
    "{\"vocab_size\":201088,\"hidden_size\":2880,\"intermediate_size\":2880,"
    "\"num_hidden_layers\":36,\"num_attention_heads\":64,\"num_key_value_heads\":8,"
    "\"head_dim\":64,\"max_position_embeddings\":131072,\"rms_norm_eps\":1e-5,"
    "\"sliding_window\":128,\"num_local_experts\":128,\"num_experts_per_tok\":4,"
    "\"tie_word_embeddings\":false,\"rope_theta\":150000.0,\"rope_parameters\":{"
    "\"rope_type\":\"yarn\",\"factor\":32.0,\"beta_fast\":32.0,\"beta_slow\":1.0,"
    "\"truncate\":false,\"original_max_position_embeddings\":4096}}";

#define EXPERTS LAYER "mlp.experts."
static const struct tensor_rule gptoss_tensors[] = {
    HF_TOP,
    TENSOR(LAYER "input_layernorm.weight", BLOCK "attn_norm.weight", "embd"),
    TENSOR(LAYER "post_attention_layernorm.weight", BLOCK "post_attention_norm.weight", "embd"),
    HF_ATTENTION, HF_ATTENTION_BIASES(0),
    TENSOR(LAYER "self_attn.o_proj.bias", BLOCK "attn_output.bias", "embd"),
    TENSOR(LAYER "self_attn.sinks", BLOCK "attn_sinks.weight", "heads"),
    TENSOR_IF(LAYER "mlp.router.weight", BLOCK "ffn_gate_inp.weight", "experts embd", TENSOR_F32),
    TENSOR(LAYER "mlp.router.bias", BLOCK "ffn_gate_inp.bias", "experts"),
    TENSOR(EXPERTS "down_proj_bias", BLOCK "ffn_down_exps.bias", "experts embd"),
    /* gate and up alternate */
    TENSOR_PART(EXPERTS "gate_up_proj_bias", BLOCK "ffn_gate_exps.bias", "experts 2*ff",
                TRANSFORM_EVERY_COLUMN, 0, 0, 2),
    TENSOR_PART(EXPERTS "gate_up_proj_bias", BLOCK "ffn_up_exps.bias", "experts 2*ff",
                TRANSFORM_EVERY_COLUMN, 0, 1, 2),
    /* packed */
    TENSOR_AS(EXPERTS "down_proj_blocks", BLOCK "ffn_down_exps.weight", "experts embd ff/32 16",
              TRANSFORM_MXFP4, 0),
    TENSOR_PART(EXPERTS "gate_up_proj_blocks", BLOCK "ffn_gate_exps.weight",
                "experts 2*ff embd/32 16", TRANSFORM_MXFP4, 0, 0, 2),
    TENSOR_PART(EXPERTS "gate_up_proj_blocks", BLOCK "ffn_up_exps.weight",
                "experts 2*ff embd/32 16", TRANSFORM_MXFP4, 0, 1, 2),
    /* or as floats, input first */
    TENSOR_AS(EXPERTS "down_proj", BLOCK "ffn_down_exps.weight", "experts ff embd",
              TRANSFORM_TRANSPOSE, 0),
    TENSOR_PART(EXPERTS "gate_up_proj", BLOCK "ffn_gate_exps.weight", "experts embd 2*ff",
                TRANSFORM_TRANSPOSE_EVERY, 0, 0, 2),
    TENSOR_PART(EXPERTS "gate_up_proj", BLOCK "ffn_up_exps.weight", "experts embd 2*ff",
                TRANSFORM_TRANSPOSE_EVERY, 0, 1, 2),
    TENSORS_END,
};

static const struct hparam gptoss_hparams[] = {
    HPARAM_MUST(".attention.sliding_window", META_U32, "sliding_window"),
    HPARAM_SIZE(".expert_feed_forward_length", "ff"),
    HPARAMS_END,
};
static const struct hparam *const gptoss_lists[] = {hparams_common, gptoss_hparams, NULL};

static const struct arch_class gptoss_classes[] = {
    {"GptOssForCausalLM", gptoss_defaults, NULL},
    {NULL, NULL, NULL},
};

const struct arch arch_gpt_oss = {
    .name = "gpt-oss",
    .classes = gptoss_classes,
    .hparams = gptoss_lists,
    .tensors = gptoss_tensors,
    .vocab = vocab_bpe,
    .graph = {.norm = NORM_RMS, .rope = ROPE_HALVES, .activation = ACT_SWIGLU_OAI, .gated = true,
              .sliding_every = 2, .yarn_exact = true, .expert_norm = true},
};
