/* arch_llama.c -- Llama 1 to 3, Mistral, Mixtral, SmolLM, TinyLlama and all that share their
 * tensors; Granite and SmolLM3, which differ in scales and in where positions are used. */
#include "libquant/model/arch_rows.h"
#include "libquant/model/rope_factors.h"
#include "libquant/model/vocab.h"

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
static const char mixtral_defaults[] =
    "{\"vocab_size\":32000,\"hidden_size\":4096,\"intermediate_size\":14336,"
    "\"num_hidden_layers\":32,\"num_attention_heads\":32,\"num_key_value_heads\":8,"
    "\"num_local_experts\":8,\"num_experts_per_tok\":2,\"max_position_embeddings\":131072,"
    "\"rms_norm_eps\":1e-5,\"rope_theta\":1000000.0,\"tie_word_embeddings\":false}";
static const char granite_defaults[] =
    "{\"vocab_size\":32000,\"hidden_size\":4096,\"intermediate_size\":11008,"
    "\"num_hidden_layers\":32,\"num_attention_heads\":32,\"max_position_embeddings\":2048,"
    "\"rms_norm_eps\":1e-6,\"rope_theta\":10000.0,\"tie_word_embeddings\":false,"
    "\"attention_multiplier\":1.0,\"embedding_multiplier\":1.0,\"residual_multiplier\":1.0,"
    "\"logits_scaling\":1.0}";
static const char smollm3_defaults[] =
    "{\"vocab_size\":128256,\"hidden_size\":2048,\"intermediate_size\":11008,"
    "\"num_hidden_layers\":36,\"num_attention_heads\":16,\"num_key_value_heads\":4,"
    "\"max_position_embeddings\":32768,\"rms_norm_eps\":1e-6,\"rope_theta\":2000000.0,"
    "\"tie_word_embeddings\":true}";

static const struct tensor_rule llama_tensors[] = {
    HF_TOP, HF_NORMS, HF_PERMUTED_ATTENTION, HF_GATED_MLP(TENSOR_DENSE_LAYER), HF_MLP_BIASES,
    /* Mixtral */
    TENSOR_IF(LAYER "block_sparse_moe.gate.weight", BLOCK "ffn_gate_inp.weight", "experts embd",
              TENSOR_EXPERT_LAYER | TENSOR_F32),
    TENSOR_STACK(LAYER "block_sparse_moe.experts.{xid}.w1.weight", BLOCK "ffn_gate_exps.weight",
                 "ff embd", DIM_EXPERTS, TENSOR_EXPERT_LAYER),
    TENSOR_STACK(LAYER "block_sparse_moe.experts.{xid}.w2.weight", BLOCK "ffn_down_exps.weight",
                 "embd ff", DIM_EXPERTS, TENSOR_EXPERT_LAYER),
    TENSOR_STACK(LAYER "block_sparse_moe.experts.{xid}.w3.weight", BLOCK "ffn_up_exps.weight",
                 "ff embd", DIM_EXPERTS, TENSOR_EXPERT_LAYER),
    TENSORS_END,
};

static const struct hparam llama_hparams[] = {
    HPARAM_SIZE(".vocab_size", "vocab"),
    HPARAM_SIZE(".rope.dimension_count", "head_dim"),
    HPARAMS_END,
};
static const struct hparam *const llama_lists[] = {hparams_common, llama_hparams, NULL};

/* The classes of Llama and Mistral derive both where the file is silent; Mixtral's does not. */
static lq_status llama_resolve(struct model *m, lq_error *err)
{
    LQ_TRY(resolve_kv_heads(m, err));
    if (m->dim[DIM_EXPERTS])
        return LQ_OK;
    return config_set_number(&m->config, "head_dim", (double)m->dim[DIM_HEAD_DIM], err);
}

static const struct arch_class llama_classes[] = {
    {"LlamaForCausalLM", llama_defaults, NULL},
    {"LLaMAForCausalLM", llama_defaults, NULL},
    {"LlamaModel", llama_defaults, "model."},
    {"MistralForCausalLM", mistral_defaults, NULL},
    {"MixtralForCausalLM", mixtral_defaults, NULL},
    {"IQuestCoderForCausalLM", llama_defaults, NULL},
    {NULL, NULL, NULL},
};

const struct arch arch_llama = {
    .name = "llama",
    .classes = llama_classes,
    .hparams = llama_lists,
    .tensors = llama_tensors,
    .resolve = llama_resolve,
    .extra = rope_factors_llama3,
    .vocab = vocab_llama,
    .graph = {.norm = NORM_RMS, .rope = ROPE_PAIRS, .activation = ACT_SILU, .gated = true,
              .expert_norm = true},
};

/* ---- Granite ---- */

static const struct tensor_rule granite_tensors[] = {
    HF_TOP, HF_NORMS, HF_PERMUTED_ATTENTION, HF_GATED_MLP(TENSOR_DENSE_LAYER), HF_MLP_BIASES,
    TENSORS_END,
};

static const struct hparam granite_hparams[] = {
    HPARAM_SIZE(".vocab_size", "vocab"),
    HPARAM_SIZE(".rope.dimension_count", "head_dim"),
    {".attention.scale", META_F32, HPARAM_NONZERO, "attention_multiplier", NULL},
    {".embedding_scale", META_F32, HPARAM_NONZERO, "embedding_multiplier", NULL},
    {".residual_scale", META_F32, HPARAM_NONZERO, "residual_multiplier", NULL},
    {".logit_scale", META_F32, HPARAM_NONZERO, "logits_scaling", NULL},
    HPARAMS_END,
};
static const struct hparam *const granite_lists[] = {hparams_common, granite_hparams, NULL};

static const struct arch_class granite_classes[] = {
    {"GraniteForCausalLM", granite_defaults, NULL},
    {NULL, NULL, NULL},
};

const struct arch arch_granite = {
    .name = "granite",
    .classes = granite_classes,
    .hparams = granite_lists,
    .tensors = granite_tensors,
    .resolve = resolve_kv_heads,
    .extra = rope_factors_llama3,
    .vocab = vocab_llama,
    .graph = {.norm = NORM_RMS, .rope = ROPE_PAIRS, .activation = ACT_SILU, .gated = true,
              .logit_divided = true},
};

/* ---- SmolLM3: every fourth layer has no positions; that is fixed in programs, not in files ---- */

static const struct arch_class smollm3_classes[] = {
    {"SmolLM3ForCausalLM", smollm3_defaults, NULL},
    {NULL, NULL, NULL},
};

const struct arch arch_smollm3 = {
    .name = "smollm3",
    .classes = smollm3_classes,
    .hparams = llama_lists,
    .tensors = granite_tensors,
    .resolve = resolve_kv_heads,
    .extra = rope_factors_llama3,
    .vocab = vocab_llama,
    .graph = {.norm = NORM_RMS, .rope = ROPE_PAIRS, .activation = ACT_SILU, .gated = true,
              .no_rope_every = 4},
};
