/* arch_llama.c -- Llama 1 to 3, Mistral, SmolLM, TinyLlama, and all that share their tensors. */
#include "libquant/model/mapping.h"
#include "libquant/model/vocab.h"

#include "libquant/model/rope_factors.h"

/* What transformers' configuration classes fill in. */
static const char llama_defaults[] =
    "{\"vocab_size\":32000,\"hidden_size\":4096,\"intermediate_size\":11008,"
    "\"num_hidden_layers\":32,\"num_attention_heads\":32,\"max_position_embeddings\":2048,"
    "\"rms_norm_eps\":1e-6,\"rope_theta\":10000.0,\"tie_word_embeddings\":false}";

static const char mistral_defaults[] =
    "{\"vocab_size\":32000,\"hidden_size\":4096,\"intermediate_size\":14336,"
    "\"num_hidden_layers\":32,\"num_attention_heads\":32,\"num_key_value_heads\":8,"
    "\"max_position_embeddings\":131072,\"rms_norm_eps\":1e-6,\"rope_theta\":10000.0,"
    "\"tie_word_embeddings\":false}";

static const struct arch_class llama_classes[] = {
    {"LlamaForCausalLM", llama_defaults, NULL},
    {"LLaMAForCausalLM", llama_defaults, NULL},
    {"LlamaModel", llama_defaults, "model."},
    {"MistralForCausalLM", mistral_defaults, NULL},
    {"IQuestCoderForCausalLM", llama_defaults, NULL},
    {NULL, NULL, NULL},
};

static const struct tensor_rule llama_tensors[] = {
    {"model.embed_tokens.weight", "token_embd.weight", "vocab embd", 0, 0, {0}},
    {"lm_head.weight", "output.weight", "vocab embd", 0, TENSOR_UNTIED, {0}},
    {"model.norm.weight", "output_norm.weight", "embd", 0, 0, {0}},
    {"model.layers.{bid}.input_layernorm.weight", "blk.{bid}.attn_norm.weight", "embd", 0, 0, {0}},
    {"model.layers.{bid}.self_attn.q_proj.weight", "blk.{bid}.attn_q.weight",
     "heads*head_dim embd", TRANSFORM_PERMUTE_Q, 0, {0}},
    {"model.layers.{bid}.self_attn.q_proj.bias", "blk.{bid}.attn_q.bias", "heads*head_dim",
     TRANSFORM_PERMUTE_Q, TENSOR_OPTIONAL, {0}},
    {"model.layers.{bid}.self_attn.k_proj.weight", "blk.{bid}.attn_k.weight",
     "kv_heads*head_dim embd", TRANSFORM_PERMUTE_K, 0, {0}},
    {"model.layers.{bid}.self_attn.k_proj.bias", "blk.{bid}.attn_k.bias", "kv_heads*head_dim",
     TRANSFORM_PERMUTE_K, TENSOR_OPTIONAL, {0}},
    {"model.layers.{bid}.self_attn.v_proj.weight", "blk.{bid}.attn_v.weight",
     "kv_heads*head_dim embd", 0, 0, {0}},
    {"model.layers.{bid}.self_attn.v_proj.bias", "blk.{bid}.attn_v.bias", "kv_heads*head_dim", 0,
     TENSOR_OPTIONAL, {0}},
    {"model.layers.{bid}.self_attn.o_proj.weight", "blk.{bid}.attn_output.weight",
     "embd heads*head_dim", 0, 0, {0}},
    {"model.layers.{bid}.self_attn.o_proj.bias", "blk.{bid}.attn_output.bias", "embd", 0,
     TENSOR_OPTIONAL, {0}},
    {"model.layers.{bid}.post_attention_layernorm.weight", "blk.{bid}.ffn_norm.weight", "embd", 0,
     0, {0}},
    {"model.layers.{bid}.mlp.gate_proj.weight", "blk.{bid}.ffn_gate.weight", "ff embd", 0,
     TENSOR_DENSE_LAYER, {0}},
    {"model.layers.{bid}.mlp.gate_proj.bias", "blk.{bid}.ffn_gate.bias", "ff", 0,
     TENSOR_DENSE_LAYER | TENSOR_OPTIONAL, {0}},
    {"model.layers.{bid}.mlp.up_proj.weight", "blk.{bid}.ffn_up.weight", "ff embd", 0,
     TENSOR_DENSE_LAYER, {0}},
    {"model.layers.{bid}.mlp.up_proj.bias", "blk.{bid}.ffn_up.bias", "ff", 0,
     TENSOR_DENSE_LAYER | TENSOR_OPTIONAL, {0}},
    {"model.layers.{bid}.mlp.down_proj.weight", "blk.{bid}.ffn_down.weight", "embd ff", 0,
     TENSOR_DENSE_LAYER, {0}},
    {"model.layers.{bid}.mlp.down_proj.bias", "blk.{bid}.ffn_down.bias", "embd", 0,
     TENSOR_DENSE_LAYER | TENSOR_OPTIONAL, {0}},
    {NULL, NULL, NULL, 0, 0, {0}},
};

static const struct hparam llama_hparams[] = {
    {".vocab_size", META_U32, HPARAM_REQUIRED, "vocab", hparam_dim},
    {".rope.dimension_count", META_U32, HPARAM_REQUIRED, "head_dim", hparam_dim},
    {NULL, 0, 0, NULL, NULL},
};
static const struct hparam *const llama_lists[] = {hparams_common, llama_hparams, NULL};

/* The class derives both where the file is silent, so that they are always known. */
static lq_status llama_resolve(struct model *m, lq_error *err)
{
    LQ_TRY(config_set_number(&m->config, "num_key_value_heads", (double)m->dim[DIM_KV_HEADS], err));
    return config_set_number(&m->config, "head_dim", (double)m->dim[DIM_HEAD_DIM], err);
}

const struct arch arch_llama = {
    .name = "llama",
    .classes = llama_classes,
    .hparams = llama_lists,
    .tensors = llama_tensors,
    .resolve = llama_resolve,
    .extra = rope_factors_llama3,
    .vocab = vocab_llama,
    .graph = {.norm = NORM_RMS, .rope = ROPE_PAIRS, .activation = ACT_SILU, .gated = true},
};
