/* arch_olmo.c -- OLMo 1 (norms without weights), OLMo 2 and 3 (norms after attention and
 * feed-forward). */
#include "libquant/model/arch_rows.h"
#include "libquant/model/vocab.h"

static const char olmo_defaults[] =
    "{\"vocab_size\":50304,\"hidden_size\":4096,\"intermediate_size\":11008,"
    "\"num_hidden_layers\":32,\"num_attention_heads\":32,\"max_position_embeddings\":2048,"
    "\"rope_theta\":10000.0,\"tie_word_embeddings\":false}";
static const char olmo2_defaults[] =
    "{\"vocab_size\":50304,\"hidden_size\":4096,\"intermediate_size\":11008,"
    "\"num_hidden_layers\":32,\"num_attention_heads\":32,\"max_position_embeddings\":2048,"
    "\"rms_norm_eps\":1e-5,\"rope_theta\":10000.0,\"tie_word_embeddings\":false}";
static const char olmo3_defaults[] =
    "{\"vocab_size\":50304,\"hidden_size\":4096,\"intermediate_size\":11008,"
    "\"num_hidden_layers\":32,\"num_attention_heads\":32,\"max_position_embeddings\":2048,"
    "\"rms_norm_eps\":1e-5,\"rope_theta\":500000.0,\"rope_local_base_freq\":500000.0,"
    "\"tie_word_embeddings\":false,\"sliding_window\":4096}";

/* ---- OLMo 1 ---- */

static const struct tensor_rule olmo_tensors[] = {
    TENSOR("model.embed_tokens.weight", "token_embd.weight", "vocab embd"),
    TENSOR_IF("lm_head.weight", "output.weight", "vocab embd", TENSOR_UNTIED),
    TENSOR_AS(LAYER "self_attn.q_proj.weight", BLOCK "attn_q.weight", "heads*head_dim embd",
              TRANSFORM_PERMUTE_Q, 0),
    TENSOR_AS(LAYER "self_attn.k_proj.weight", BLOCK "attn_k.weight", "kv_heads*head_dim embd",
              TRANSFORM_PERMUTE_K, 0),
    TENSOR(LAYER "self_attn.v_proj.weight", BLOCK "attn_v.weight", "kv_heads*head_dim embd"),
    TENSOR(LAYER "self_attn.o_proj.weight", BLOCK "attn_output.weight", "embd heads*head_dim"),
    HF_GATED_MLP(0), TENSORS_END,
};

static const struct hparam olmo_hparams[] = {
    HPARAM_FIXED(".attention.layer_norm_epsilon", META_F32, "1e-5"),
    HPARAM(".attention.clamp_kqv", META_F32, "clip_qkv"),
    HPARAMS_END,
};
static const struct hparam *const olmo_lists[] = {hparams_common, olmo_hparams, NULL};

static const struct arch_class olmo_classes[] = {
    {"OlmoForCausalLM", olmo_defaults, NULL},
    {NULL, NULL, NULL},
};

const struct arch arch_olmo = {
    .name = "olmo",
    .classes = olmo_classes,
    .hparams = olmo_lists,
    .tensors = olmo_tensors,
    .resolve = resolve_kv_heads,
    .vocab = vocab_bpe,
    .graph = {.norm = NORM_LAYER, .rope = ROPE_PAIRS, .activation = ACT_SILU, .gated = true,
              .plain_norms = true},
};

/* ---- OLMo 2 and 3 ---- */

static const struct tensor_rule olmo2_tensors[] = {
    HF_TOP, HF_ATTENTION,
    TENSOR(LAYER "self_attn.q_norm.weight", BLOCK "attn_q_norm.weight", "heads*head_dim"),
    TENSOR(LAYER "self_attn.k_norm.weight", BLOCK "attn_k_norm.weight", "kv_heads*head_dim"),
    TENSOR(LAYER "post_attention_layernorm.weight", BLOCK "post_attention_norm.weight", "embd"),
    TENSOR(LAYER "post_feedforward_layernorm.weight", BLOCK "post_ffw_norm.weight", "embd"),
    HF_GATED_MLP(0), TENSORS_END,
};

/* Without "layer_types" OLMo 3 has the window in all but every fourth layer. */
static lq_status olmo3_pattern(struct model *m, const struct hparam *h, struct catalog *out,
                               lq_error *err)
{
    if (!config_find(&m->config, "sliding_window"))
        return LQ_OK;
    if (config_find(&m->config, "layer_types"))
        return hparam_layer_types(m, h, out, err);
    const uint64_t n = m->dim[DIM_LAYERS];
    uint8_t *const sliding = arena_calloc(&out->arena, n, 1);
    const char *const key = arena_printf(&m->arena, "%s%s", m->arch->name, h->key);
    if (!sliding || !key)
        return lq_fail_memory(err);
    for (uint64_t i = 0; i < n; i++)
        sliding[i] = (i + 1) % 4 != 0;
    return catalog_set_array(out, key, META_BOOL, sliding, n, err);
}

static const struct hparam olmo2_hparams[] = {
    HPARAM(".attention.sliding_window", META_U32, "sliding_window"),
    {".attention.sliding_window_pattern", META_ARRAY, 0, "layer_types", olmo3_pattern},
    HPARAMS_END,
};
static const struct hparam *const olmo2_lists[] = {hparams_common, olmo2_hparams, NULL};

static const struct arch_class olmo2_classes[] = {
    {"Olmo2ForCausalLM", olmo2_defaults, NULL},
    {"Olmo3ForCausalLM", olmo3_defaults, NULL},
    {NULL, NULL, NULL},
};

const struct arch arch_olmo2 = {
    .name = "olmo2",
    .classes = olmo2_classes,
    .hparams = olmo2_lists,
    .tensors = olmo2_tensors,
    .resolve = resolve_kv_heads,
    .vocab = vocab_bpe,
    .graph = {.norm = NORM_RMS, .rope = ROPE_HALVES, .activation = ACT_SILU, .gated = true,
              .post_norm = true, .local_rope = true},
};
