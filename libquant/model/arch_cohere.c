/* arch_cohere.c -- Command R. */
#include "libquant/model/arch_rows.h"
#include "libquant/model/vocab.h"

static const char cohere_defaults[] =
    "{\"vocab_size\":256000,\"hidden_size\":8192,\"intermediate_size\":22528,"
    "\"num_hidden_layers\":40,\"num_attention_heads\":64,\"max_position_embeddings\":8192,"
    "\"layer_norm_eps\":1e-5,\"rope_theta\":500000.0,\"logit_scale\":0.0625,"
    "\"tie_word_embeddings\":true}";

static const struct tensor_rule cohere_tensors[] = {
    HF_TOP, HF_ATTENTION, HF_GATED_MLP(0),
    TENSOR(LAYER "input_layernorm.weight", BLOCK "attn_norm.weight", "embd"),
    TENSOR_IF(LAYER "self_attn.q_norm.weight", BLOCK "attn_q_norm.weight", "heads head_dim",
              TENSOR_OPTIONAL),
    TENSOR_IF(LAYER "self_attn.k_norm.weight", BLOCK "attn_k_norm.weight", "kv_heads head_dim",
              TENSOR_OPTIONAL),
    TENSORS_END,
};

static const struct hparam cohere_hparams[] = {
    HPARAM_MUST(".logit_scale", META_F32, "logit_scale"),
    HPARAM_FIXED(".rope.scaling.type", META_STRING, "none"),
    HPARAMS_END,
};
static const struct hparam *const cohere_lists[] = {hparams_common, cohere_hparams, NULL};

/* "max_position_embeddings" is less than what the model was trained on. */
static lq_status cohere_resolve(struct model *m, lq_error *err)
{
    uint64_t longest = 0;
    LQ_TRY(config_u64(&m->config, "model_max_length max_position_embeddings", UINT32_MAX, &longest,
                      err));
    LQ_TRY(config_set_number(&m->config, "max_position_embeddings", (double)longest, err));
    return config_set_number(&m->config, "num_key_value_heads", (double)m->dim[DIM_KV_HEADS], err);
}

static const struct arch_class cohere_classes[] = {
    {"CohereForCausalLM", cohere_defaults, NULL},
    {NULL, NULL, NULL},
};

const struct arch arch_command_r = {
    .name = "command-r",
    .classes = cohere_classes,
    .hparams = cohere_lists,
    .tensors = cohere_tensors,
    .resolve = cohere_resolve,
    .vocab = vocab_bpe,
    .graph = {.norm = NORM_LAYER, .rope = ROPE_PAIRS, .activation = ACT_SILU, .gated = true,
              .parallel = true},
};
