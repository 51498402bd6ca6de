/* arch_phi.c -- Phi 1.5 and 2; Phi 3, 3.5 and 4. */
#include "libquant/model/arch_rows.h"
#include "libquant/model/rope_factors.h"
#include "libquant/model/vocab.h"

static const char phi2_defaults[] =
    "{\"vocab_size\":51200,\"hidden_size\":2048,\"intermediate_size\":8192,"
    "\"num_hidden_layers\":24,\"num_attention_heads\":32,\"max_position_embeddings\":2048,"
    "\"layer_norm_eps\":1e-5,\"rope_theta\":10000.0,\"partial_rotary_factor\":0.5,"
    "\"tie_word_embeddings\":false}";
static const char phi3_defaults[] =
    "{\"vocab_size\":32064,\"hidden_size\":3072,\"intermediate_size\":8192,"
    "\"num_hidden_layers\":32,\"num_attention_heads\":32,\"max_position_embeddings\":4096,"
    "\"original_max_position_embeddings\":4096,\"rms_norm_eps\":1e-5,\"rope_theta\":10000.0,"
    "\"partial_rotary_factor\":1.0,\"tie_word_embeddings\":false}";

/* ---- Phi 2 ---- */

static const struct tensor_rule phi2_tensors[] = {
    TENSOR("model.embed_tokens.weight", "token_embd.weight", "vocab embd"),
    LINEAR("lm_head", "output", "vocab", "embd"),
    NORM_WITH_BIAS("model.final_layernorm", "output_norm", "embd"),
    NORM_WITH_BIAS(LAYER "input_layernorm", BLOCK "attn_norm", "embd"),
    LINEAR(LAYER "self_attn.q_proj", BLOCK "attn_q", "heads*head_dim", "embd"),
    LINEAR(LAYER "self_attn.k_proj", BLOCK "attn_k", "kv_heads*head_dim", "embd"),
    LINEAR(LAYER "self_attn.v_proj", BLOCK "attn_v", "kv_heads*head_dim", "embd"),
    LINEAR(LAYER "self_attn.dense", BLOCK "attn_output", "embd", "heads*head_dim"),
    LINEAR(LAYER "mlp.fc1", BLOCK "ffn_up", "ff", "embd"),
    LINEAR(LAYER "mlp.fc2", BLOCK "ffn_down", "embd", "ff"),
    TENSORS_END,
};

static const struct hparam phi2_hparams[] = {
    HPARAM_MUST(".context_length", META_U32, "n_positions max_position_embeddings"),
    HPARAM_SIZE(".embedding_length", "embd"),
    HPARAM_SIZE(".feed_forward_length", "ff"),
    HPARAM_SIZE(".block_count", "layers"),
    HPARAM_SIZE(".attention.head_count", "heads"),
    HPARAM_SIZE(".attention.head_count_kv", "kv_heads"),
    HPARAM_MUST(".attention.layer_norm_epsilon", META_F32, "layer_norm_epsilon layer_norm_eps"),
    {".rope.dimension_count", META_U32, 0, "rope:partial_rotary_factor", hparam_rotated},
    HPARAM_FILE_TYPE,
    HPARAM_FIXED("tokenizer.ggml.add_bos_token", META_BOOL, "false"),
    HPARAMS_END,
};
static const struct hparam *const phi2_lists[] = {phi2_hparams, NULL};

static const struct arch_class phi2_classes[] = {
    {"PhiForCausalLM", phi2_defaults, NULL},
    {NULL, NULL, NULL},
};

const struct arch arch_phi2 = {
    .name = "phi2",
    .classes = phi2_classes,
    .hparams = phi2_lists,
    .tensors = phi2_tensors,
    .vocab = vocab_bpe,
    .graph = {.norm = NORM_LAYER, .rope = ROPE_HALVES, .activation = ACT_GELU_TANH,
              .parallel = true},
};

/* ---- Phi 3: query, key and value in one tensor, gate and up in one ---- */

static const struct tensor_rule phi3_tensors[] = {
    HF_TOP, HF_NORMS,
    TENSOR(LAYER "self_attn.qkv_proj.weight", BLOCK "attn_qkv.weight", "qkv*head_dim embd"),
    TENSOR(LAYER "self_attn.o_proj.weight", BLOCK "attn_output.weight", "embd heads*head_dim"),
    TENSOR(LAYER "mlp.gate_up_proj.weight", BLOCK "ffn_up.weight", "2*ff embd"),
    TENSOR(LAYER "mlp.down_proj.weight", BLOCK "ffn_down.weight", "embd ff"),
    TENSORS_END,
};

/* A window of 0 is written too: it tells Phi 4 from its predecessors. */
static lq_status phi3_window(struct model *m, const struct hparam *h, struct catalog *out,
                             lq_error *err)
{
    uint64_t window = 0;
    LQ_TRY(config_u64(&m->config, h->names, UINT32_MAX, &window, err));
    return hparam_set(m, h, out, (double)window, err);
}

static const struct hparam phi3_early[] = {
    {".rope.scaling.attn_factor", META_F32, 0, "", rope_longrope_attention},
    HPARAMS_END,
};
static const struct hparam phi3_hparams[] = {
    HPARAM_MUST(".context_length", META_U32, "n_positions max_position_embeddings"),
    HPARAM_MUST(".rope.scaling.original_context_length", META_U32,
                "rope:original_max_position_embeddings"),
    HPARAM_SIZE(".embedding_length", "embd"),
    HPARAM_SIZE(".feed_forward_length", "ff"),
    HPARAM_SIZE(".block_count", "layers"),
    HPARAM_SIZE(".attention.head_count", "heads"),
    HPARAM_SIZE(".attention.head_count_kv", "kv_heads"),
    HPARAM_MUST(".attention.layer_norm_rms_epsilon", META_F32, "rms_norm_eps"),
    {".rope.dimension_count", META_U32, 0, "rope:partial_rotary_factor", hparam_rotated},
    HPARAM_MUST(".rope.freq_base", META_F32, "rope:rope_theta"),
    HPARAM_FILE_TYPE,
    {".attention.sliding_window", META_U32, 0, "sliding_window", phi3_window},
    HPARAMS_END,
};
static const struct hparam *const phi3_lists[] = {phi3_hparams, NULL};

static lq_status phi3_resolve(struct model *m, lq_error *err)
{
    (void)err;
    m->dim[DIM_QKV] = m->dim[DIM_HEADS] + 2 * m->dim[DIM_KV_HEADS];
    return LQ_OK;
}

static const struct arch_class phi3_classes[] = {
    {"Phi3ForCausalLM", phi3_defaults, NULL},
    {NULL, NULL, NULL},
};

const struct arch arch_phi3 = {
    .name = "phi3",
    .classes = phi3_classes,
    .early = phi3_early,
    .hparams = phi3_lists,
    .tensors = phi3_tensors,
    .resolve = phi3_resolve,
    .extra = rope_factors_longrope,
    .vocab = vocab_phi3,
    .graph = {.norm = NORM_RMS, .rope = ROPE_HALVES, .activation = ACT_SILU, .gated = true},
};
