/* arch_gemma.c -- Gemma 1, 2 and 3 (text). Norms are stored as the distance from one; embeddings are
 * tied; in Gemma 2 every second, in Gemma 3 every sixth layer sees all tokens. */
#include "libquant/model/arch_rows.h"
#include "libquant/model/vocab.h"

static const char gemma_defaults[] =
    "{\"vocab_size\":256000,\"hidden_size\":3072,\"intermediate_size\":24576,"
    "\"num_hidden_layers\":28,\"num_attention_heads\":16,\"num_key_value_heads\":16,"
    "\"head_dim\":256,\"max_position_embeddings\":8192,\"rms_norm_eps\":1e-6,"
    "\"rope_theta\":10000.0,\"tie_word_embeddings\":true}";
static const char gemma2_defaults[] =
    "{\"vocab_size\":256000,\"hidden_size\":2304,\"intermediate_size\":9216,"
    "\"num_hidden_layers\":26,\"num_attention_heads\":8,\"num_key_value_heads\":4,"
    "\"head_dim\":256,\"max_position_embeddings\":8192,\"rms_norm_eps\":1e-6,"
    "\"rope_theta\":10000.0,\"tie_word_embeddings\":true,\"sliding_window\":4096,"
    "\"attn_logit_softcapping\":50.0,\"final_logit_softcapping\":30.0}";
static const char gemma3_defaults[] =
    "{\"vocab_size\":262208,\"hidden_size\":2304,\"intermediate_size\":9216,"
    "\"num_hidden_layers\":26,\"num_attention_heads\":8,\"num_key_value_heads\":4,"
    "\"head_dim\":256,\"max_position_embeddings\":131072,\"rms_norm_eps\":1e-6,"
    "\"rope_theta\":1000000.0,\"rope_local_base_freq\":10000.0,\"tie_word_embeddings\":true,"
    "\"sliding_window\":4096}";

static const char *const gemma_ignored[] = {"lm_head.weight", NULL};
static const char *const gemma3_ignored[] = {"lm_head.weight", "*vision_tower.*",
                                             "*multi_modal_projector.*", NULL};

#define GEMMA_NORM(from, to, size) TENSOR_AS(from, to, size, TRANSFORM_ADD_ONE, 0)
#define GEMMA_TOP                                                                                  \
    TENSOR("model.embed_tokens.weight", "token_embd.weight", "vocab embd"),                        \
        GEMMA_NORM("model.norm.weight", "output_norm.weight", "embd")
#define GEMMA2_NORMS                                                                               \
    GEMMA_NORM(LAYER "input_layernorm.weight", BLOCK "attn_norm.weight", "embd"),                  \
        GEMMA_NORM(LAYER "post_attention_layernorm.weight", BLOCK "post_attention_norm.weight",    \
                   "embd"),                                                                        \
        GEMMA_NORM(LAYER "pre_feedforward_layernorm.weight", BLOCK "ffn_norm.weight", "embd"),     \
        GEMMA_NORM(LAYER "post_feedforward_layernorm.weight", BLOCK "post_ffw_norm.weight", "embd")

static const struct tensor_rule gemma_tensors[] = {
    GEMMA_TOP, HF_ATTENTION, HF_GATED_MLP(0),
    GEMMA_NORM(LAYER "input_layernorm.weight", BLOCK "attn_norm.weight", "embd"),
    GEMMA_NORM(LAYER "post_attention_layernorm.weight", BLOCK "ffn_norm.weight", "embd"),
    TENSORS_END,
};
static const struct tensor_rule gemma2_tensors[] = {
    GEMMA_TOP, HF_ATTENTION, HF_GATED_MLP(0), GEMMA2_NORMS, TENSORS_END,
};
static const struct tensor_rule gemma3_tensors[] = {
    GEMMA_TOP, HF_ATTENTION, HF_GATED_MLP(0), GEMMA2_NORMS,
    GEMMA_NORM(LAYER "self_attn.q_norm.weight", BLOCK "attn_q_norm.weight", "head_dim"),
    GEMMA_NORM(LAYER "self_attn.k_norm.weight", BLOCK "attn_k_norm.weight", "head_dim"),
    TENSORS_END,
};

#define GEMMA_HPARAMS                                                                              \
    HPARAM_MUST(".context_length", META_U32, "max_position_embeddings"),                           \
        HPARAM_SIZE(".embedding_length", "embd"), HPARAM_SIZE(".block_count", "layers"),           \
        HPARAM_SIZE(".feed_forward_length", "ff"),                                                 \
        HPARAM_SIZE(".attention.head_count", "heads"),                                             \
        HPARAM_SIZE(".attention.head_count_kv", "kv_heads"),                                       \
        HPARAM_MUST(".attention.layer_norm_rms_epsilon", META_F32, "rms_norm_eps"),                \
        HPARAM_SIZE(".attention.key_length", "head_dim"),                                          \
        HPARAM_SIZE(".attention.value_length", "head_dim"), HPARAM_FILE_TYPE

static const struct hparam gemma_hparams[] = {GEMMA_HPARAMS, HPARAMS_END};
static const struct hparam gemma2_hparams[] = {
    GEMMA_HPARAMS,
    HPARAM_MUST(".attn_logit_softcapping", META_F32, "attn_logit_softcapping"),
    HPARAM_MUST(".final_logit_softcapping", META_F32, "final_logit_softcapping"),
    HPARAM_MUST(".attention.sliding_window", META_U32, "sliding_window"),
    HPARAMS_END,
};

/* Where every layer sees all tokens there is no window. */
static lq_status gemma3_window(struct model *m, const struct hparam *h, struct catalog *out,
                               lq_error *err)
{
    uint64_t every = 6;
    LQ_TRY(config_u64(&m->config, "sliding_window_pattern", UINT32_MAX, &every, err));
    return every == 1 ? LQ_OK : hparam_from_config(m, h, out, err);
}

static const struct hparam gemma3_hparams[] = {
    {".final_logit_softcapping", META_F32, HPARAM_NONZERO, "final_logit_softcapping", NULL},
    {".attention.sliding_window", META_U32, HPARAM_REQUIRED, "sliding_window", gemma3_window},
    HPARAMS_END,
};
static const struct hparam *const gemma_lists[] = {gemma_hparams, NULL};
static const struct hparam *const gemma2_lists[] = {gemma2_hparams, NULL};
static const struct hparam *const gemma3_lists[] = {hparams_common, gemma3_hparams, NULL};

static lq_status gemma3_resolve(struct model *m, lq_error *err)
{
    if (config_find(&m->config, "attn_logit_softcapping"))
        return lq_fail_at(err, LQ_E_UNSUPPORTED, "config.json", -1,
                          "\"attn_logit_softcapping\" is set, which Gemma 3 does not have");
    return LQ_OK;
}

static const struct arch_class gemma_classes[] = {
    {"GemmaForCausalLM", gemma_defaults, NULL},
    {NULL, NULL, NULL},
};
static const struct arch_class gemma2_classes[] = {
    {"Gemma2ForCausalLM", gemma2_defaults, NULL},
    {NULL, NULL, NULL},
};
static const struct arch_class gemma3_classes[] = {
    {"Gemma3ForCausalLM", gemma3_defaults, NULL},
    {"Gemma3ForConditionalGeneration", gemma3_defaults, NULL},
    {NULL, NULL, NULL},
};

const struct arch arch_gemma = {
    .name = "gemma",
    .classes = gemma_classes,
    .hparams = gemma_lists,
    .tensors = gemma_tensors,
    .ignored = gemma_ignored,
    .vocab = vocab_gemma1,
    .graph = {.norm = NORM_RMS, .rope = ROPE_HALVES, .activation = ACT_GELU_TANH, .gated = true,
              .embed_scale = true},
};

const struct arch arch_gemma2 = {
    .name = "gemma2",
    .classes = gemma2_classes,
    .hparams = gemma2_lists,
    .tensors = gemma2_tensors,
    .ignored = gemma_ignored,
    .vocab = vocab_gemma,
    .graph = {.norm = NORM_RMS, .rope = ROPE_HALVES, .activation = ACT_GELU_TANH, .gated = true,
              .embed_scale = true, .wide_query_at = 46, .sliding_every = 2},
};

const struct arch arch_gemma3 = {
    .name = "gemma3",
    .classes = gemma3_classes,
    .hparams = gemma3_lists,
    .tensors = gemma3_tensors,
    .ignored = gemma3_ignored,
    .resolve = gemma3_resolve,
    .vocab = vocab_gemma,
    .graph = {.norm = NORM_RMS, .rope = ROPE_HALVES, .activation = ACT_GELU_TANH, .gated = true,
              .embed_scale = true, .local_rope = true, .local_base = 10000,
              .wide_query_at = 62, .sliding_every = 6},
};
