/* arch_deepseek.c -- DeepSeek V2 and V3: latent attention (MLA), shared and routed experts. */
#include "libquant/model/arch_rows.h"
#include "libquant/model/vocab.h"

static const char v2_defaults[] =
    "{\"vocab_size\":102400,\"hidden_size\":4096,\"intermediate_size\":11008,"
    "\"num_hidden_layers\":32,\"num_attention_heads\":32,\"max_position_embeddings\":2048,"
    "\"rms_norm_eps\":1e-6,\"rope_theta\":10000.0,\"tie_word_embeddings\":false,"
    "\"n_routed_experts\":64,\"moe_intermediate_size\":1407,"
    "\"kv_lora_rank\":512,\"qk_nope_head_dim\":128,\"qk_rope_head_dim\":64,\"v_head_dim\":128,"
    "\"first_k_dense_replace\":0,\"n_shared_experts\":2,\"routed_scaling_factor\":1.0,"
    "\"norm_topk_prob\":false}";
static const char v3_defaults[] =
    "{\"vocab_size\":129280,\"hidden_size\":7168,\"intermediate_size\":18432,"
    "\"num_hidden_layers\":61,\"num_attention_heads\":128,\"max_position_embeddings\":4096,"
    "\"rms_norm_eps\":1e-6,\"rope_theta\":10000.0,\"tie_word_embeddings\":false,"
    "\"n_routed_experts\":256,\"num_experts_per_tok\":8,\"moe_intermediate_size\":2048,"
    "\"n_group\":8,\"topk_group\":4,\"kv_lora_rank\":512,\"qk_nope_head_dim\":128,"
    "\"qk_rope_head_dim\":64,\"v_head_dim\":128,\"first_k_dense_replace\":3,"
    "\"n_shared_experts\":1,\"routed_scaling_factor\":2.5,\"norm_topk_prob\":true}";

#define EXPERT(proj, to, shape)                                                                    \
    TENSOR_STACK(LAYER "mlp.experts.{xid}." proj ".weight", BLOCK to ".weight", shape,             \
                 DIM_EXPERTS, TENSOR_EXPERT_LAYER)
#define SHARED(proj, to, shape)                                                                    \
    TENSOR_IF(LAYER "mlp.shared_experts." proj ".weight", BLOCK to ".weight", shape,               \
              TENSOR_EXPERT_LAYER | TENSOR_OPTIONAL)

static const struct tensor_rule deepseek2_tensors[] = {
    HF_TOP, HF_NORMS,
    /* queries from a latent vector, or, in the small models, directly */
    TENSOR_IF(LAYER "self_attn.q_a_proj.weight", BLOCK "attn_q_a.weight", "q_rank embd",
              TENSOR_SIZED),
    TENSOR_IF(LAYER "self_attn.q_a_layernorm.weight", BLOCK "attn_q_a_norm.weight", "q_rank",
              TENSOR_SIZED),
    TENSOR_IF(LAYER "self_attn.q_b_proj.weight", BLOCK "attn_q_b.weight", "heads*qk q_rank",
              TENSOR_SIZED),
    TENSOR_IF(LAYER "self_attn.q_proj.weight", BLOCK "attn_q.weight", "plain_q embd",
              TENSOR_SIZED),
    TENSOR(LAYER "self_attn.kv_a_proj_with_mqa.weight", BLOCK "attn_kv_a_mqa.weight", "kv_a embd"),
    TENSOR(LAYER "self_attn.kv_a_layernorm.weight", BLOCK "attn_kv_a_norm.weight", "kv_rank"),
    TENSOR_AS(LAYER "self_attn.kv_b_proj.weight", BLOCK "attn_k_b.weight", "heads*kv_b kv_rank",
              TRANSFORM_KV_B_K, 0),
    TENSOR_AS(LAYER "self_attn.kv_b_proj.weight", BLOCK "attn_v_b.weight", "heads*kv_b kv_rank",
              TRANSFORM_KV_B_V, 0),
    TENSOR(LAYER "self_attn.o_proj.weight", BLOCK "attn_output.weight", "embd heads*v_dim"),
    HF_GATED_MLP(TENSOR_DENSE_LAYER),
    TENSOR_IF(LAYER "mlp.gate.weight", BLOCK "ffn_gate_inp.weight", "experts embd",
              TENSOR_EXPERT_LAYER | TENSOR_F32),
    TENSOR_IF(LAYER "mlp.gate.e_score_correction_bias", BLOCK "exp_probs_b.bias", "experts",
              TENSOR_EXPERT_LAYER | TENSOR_OPTIONAL),
    EXPERT("down_proj", "ffn_down_exps", "embd expert_ff"),
    EXPERT("gate_proj", "ffn_gate_exps", "expert_ff embd"),
    EXPERT("up_proj", "ffn_up_exps", "expert_ff embd"),
    SHARED("gate_proj", "ffn_gate_shexp", "shared_ff embd"),
    SHARED("up_proj", "ffn_up_shexp", "shared_ff embd"),
    SHARED("down_proj", "ffn_down_shexp", "embd shared_ff"),
    TENSORS_END,
};

/* Keys and values are one latent vector for all heads, as evaluation sees them. */
static lq_status latent_length(struct model *m, const struct hparam *h, struct catalog *out,
                               lq_error *err)
{
    return hparam_set(m, h, out, (double)m->dim[DIM_KV_A], err);
}

static lq_status leading_dense(struct model *m, const struct hparam *h, struct catalog *out,
                               lq_error *err)
{
    uint64_t n = m->dim[DIM_EXPERTS] ? 0 : m->dim[DIM_LAYERS];
    LQ_TRY(config_u64(&m->config, h->names, UINT32_MAX, &n, err));
    return hparam_set(m, h, out, (double)n, err);
}

static lq_status yarn_log_multiplier(struct model *m, const struct hparam *h, struct catalog *out,
                                     lq_error *err)
{
    double scale = -1;
    LQ_TRY(config_f64(&m->config, h->names, &scale, err));
    return scale < 0 ? LQ_OK : hparam_set(m, h, out, 0.1 * scale, err);
}

static const struct hparam deepseek2_hparams[] = {
    {".leading_dense_block_count", META_U32, 0, "first_k_dense_replace", leading_dense},
    HPARAM_SIZE(".vocab_size", "vocab"),
    {".attention.q_lora_rank", META_U32, 0, "q_rank", hparam_dim},
    HPARAM_SIZE(".attention.kv_lora_rank", "kv_rank"),
    {".attention.key_length", META_U32, 0, "", latent_length},
    HPARAM_SIZE(".attention.value_length", "kv_rank"),
    HPARAM_SIZE(".attention.key_length_mla", "qk"),
    HPARAM_SIZE(".attention.value_length_mla", "v_dim"),
    HPARAM_MUST(".expert_feed_forward_length", META_U32, "moe_intermediate_size intermediate_size"),
    HPARAM(".expert_count", META_U32, "n_routed_experts"),
    HPARAM(".expert_shared_count", META_U32, "n_shared_experts"),
    HPARAM(".expert_weights_scale", META_F32, "routed_scaling_factor"),
    {".expert_weights_norm", META_BOOL, HPARAM_NONZERO, "norm_topk_prob", NULL},
    HPARAM_SIZE(".rope.dimension_count", "rope"),
    {".rope.scaling.yarn_log_multiplier", META_F32, 0, "rope:mscale_all_dim", yarn_log_multiplier},
    HPARAMS_END,
};
static const struct hparam *const deepseek2_lists[] = {hparams_common, deepseek2_hparams, NULL};

static lq_status deepseek2_resolve(struct model *m, lq_error *err)
{
    uint64_t *const d = m->dim;
    uint64_t shared = 0;
    LQ_TRY(config_u64(&m->config, "n_shared_experts", 1 << 16, &shared, err));
    d[DIM_SHARED_FF] = shared * d[DIM_EXPERT_FF];
    d[DIM_QK] = d[DIM_NOPE] + d[DIM_ROPE];
    d[DIM_PLAIN_Q] = d[DIM_Q_RANK] ? 0 : d[DIM_HEADS] * d[DIM_QK];
    d[DIM_KV_A] = d[DIM_KV_RANK] + d[DIM_ROPE];
    d[DIM_KV_B] = d[DIM_NOPE] + d[DIM_V_DIM];
    /* The class calls the rotated part of a head its size; all heads share one key and value. */
    LQ_TRY(config_set_number(&m->config, "head_dim", (double)d[DIM_ROPE], err));
    return config_set_number(&m->config, "num_key_value_heads", 1, err);
}

static bool deepseek2_experts_at(const struct model *m, uint32_t layer)
{
    uint64_t dense = 0;
    (void)config_u64(&m->config, "first_k_dense_replace", UINT32_MAX, &dense, NULL);
    return layer >= dense;
}

static const struct arch_class deepseek2_classes[] = {
    {"DeepseekV2ForCausalLM", v2_defaults, NULL},
    {"DeepseekV3ForCausalLM", v3_defaults, NULL},
    {NULL, NULL, NULL},
};

const struct arch arch_deepseek2 = {
    .name = "deepseek2",
    .classes = deepseek2_classes,
    .hparams = deepseek2_lists,
    .tensors = deepseek2_tensors,
    .resolve = deepseek2_resolve,
    .vocab = vocab_bpe,
    .experts_at = deepseek2_experts_at,
    .graph = {.norm = NORM_RMS, .rope = ROPE_PAIRS, .activation = ACT_SILU, .gated = true},
};
