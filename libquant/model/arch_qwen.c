/* arch_qwen.c -- Qwen 2, 2.5 and 3, dense and with experts. */
#include "libquant/model/arch_rows.h"
#include "libquant/model/vocab.h"

#include <cjson/cJSON.h>

static const char qwen2_defaults[] =
    "{\"vocab_size\":151936,\"hidden_size\":4096,\"intermediate_size\":22016,"
    "\"num_hidden_layers\":32,\"num_attention_heads\":32,\"max_position_embeddings\":32768,"
    "\"rms_norm_eps\":1e-6,\"rope_theta\":10000.0,\"tie_word_embeddings\":false,"
    "\"num_key_value_heads\":32}";
static const char qwen3_defaults[] =
    "{\"vocab_size\":151936,\"hidden_size\":4096,\"intermediate_size\":22016,"
    "\"num_hidden_layers\":32,\"num_attention_heads\":32,\"max_position_embeddings\":32768,"
    "\"rms_norm_eps\":1e-6,\"rope_theta\":10000.0,\"tie_word_embeddings\":false,"
    "\"num_key_value_heads\":32,\"head_dim\":128}";
static const char qwen2moe_defaults[] =
    "{\"vocab_size\":151936,\"hidden_size\":2048,\"intermediate_size\":5632,"
    "\"num_hidden_layers\":24,\"num_attention_heads\":16,\"num_key_value_heads\":16,"
    "\"max_position_embeddings\":32768,\"rms_norm_eps\":1e-6,\"rope_theta\":10000.0,"
    "\"tie_word_embeddings\":false,\"num_experts\":60,\"num_experts_per_tok\":4,"
    "\"moe_intermediate_size\":1408,\"shared_expert_intermediate_size\":5632}";
static const char qwen3moe_defaults[] =
    "{\"vocab_size\":151936,\"hidden_size\":2048,\"intermediate_size\":6144,"
    "\"num_hidden_layers\":24,\"num_attention_heads\":32,\"num_key_value_heads\":4,"
    "\"max_position_embeddings\":32768,\"rms_norm_eps\":1e-6,\"rope_theta\":10000.0,"
    "\"tie_word_embeddings\":false,\"num_experts\":128,\"num_experts_per_tok\":8,"
    "\"moe_intermediate_size\":768}";

/* ---- dense ---- */

static const struct tensor_rule qwen2_tensors[] = {
    HF_TOP, HF_NORMS, HF_ATTENTION, HF_ATTENTION_BIASES(0), HF_GATED_MLP(0), TENSORS_END,
};
static const struct tensor_rule qwen3_tensors[] = {
    HF_TOP,      HF_NORMS, HF_ATTENTION, HF_ATTENTION_BIASES(TENSOR_OPTIONAL),
    HF_QK_NORMS, HF_GATED_MLP(0), TENSORS_END,
};

static const struct hparam qwen_hparams[] = {
    {".pooling_type", META_U32, 0, "", hparam_pooling},
    HPARAMS_END,
};
static const struct hparam *const qwen_lists[] = {hparams_common, qwen_hparams, NULL};

static const struct arch_class qwen2_classes[] = {
    {"Qwen2ForCausalLM", qwen2_defaults, NULL},
    {"Qwen2Model", qwen2_defaults, "model."},
    {NULL, NULL, NULL},
};
static const struct arch_class qwen3_classes[] = {
    {"Qwen3ForCausalLM", qwen3_defaults, NULL},
    {"Qwen3Model", qwen3_defaults, "model."},
    {NULL, NULL, NULL},
};

const struct arch arch_qwen2 = {
    .name = "qwen2",
    .classes = qwen2_classes,
    .hparams = qwen_lists,
    .tensors = qwen2_tensors,
    .vocab = vocab_sentencepiece_or_bpe,
    .graph = {.norm = NORM_RMS, .rope = ROPE_HALVES, .activation = ACT_SILU, .gated = true},
};

const struct arch arch_qwen3 = {
    .name = "qwen3",
    .classes = qwen3_classes,
    .hparams = qwen_lists,
    .tensors = qwen3_tensors,
    .vocab = vocab_sentencepiece_or_bpe,
    .graph = {.norm = NORM_RMS, .rope = ROPE_HALVES, .activation = ACT_SILU, .gated = true},
};

/* ---- with experts ---- */

/* Experts one by one, or, as transformers 5 has them, in one tensor with gate and up in one: two ways
 * to the same outputs. */
#define QWEN_EXPERTS                                                                               \
    TENSOR_IF(LAYER "mlp.gate.weight", BLOCK "ffn_gate_inp.weight", "experts embd",                \
              TENSOR_EXPERT_LAYER | TENSOR_F32),                                                   \
        TENSOR_STACK(LAYER "mlp.experts.{xid}.down_proj.weight", BLOCK "ffn_down_exps.weight",     \
                     "embd expert_ff", DIM_EXPERTS, TENSOR_EXPERT_LAYER),    \
        TENSOR_STACK(LAYER "mlp.experts.{xid}.gate_proj.weight", BLOCK "ffn_gate_exps.weight",     \
                     "expert_ff embd", DIM_EXPERTS, TENSOR_EXPERT_LAYER),    \
        TENSOR_STACK(LAYER "mlp.experts.{xid}.up_proj.weight", BLOCK "ffn_up_exps.weight",         \
                     "expert_ff embd", DIM_EXPERTS, TENSOR_EXPERT_LAYER),    \
        TENSOR_IF(LAYER "mlp.experts.down_proj", BLOCK "ffn_down_exps.weight",                     \
                  "experts embd expert_ff", TENSOR_EXPERT_LAYER),                \
        TENSOR_PART(LAYER "mlp.experts.gate_up_proj", BLOCK "ffn_gate_exps.weight",                \
                    "experts 2*expert_ff embd", TRANSFORM_PART,                                    \
                    TENSOR_EXPERT_LAYER, 0, 2),                                  \
        TENSOR_PART(LAYER "mlp.experts.gate_up_proj", BLOCK "ffn_up_exps.weight",                  \
                    "experts 2*expert_ff embd", TRANSFORM_PART,                                    \
                    TENSOR_EXPERT_LAYER, 1, 2)

static const struct tensor_rule qwen2moe_tensors[] = {
    HF_TOP, HF_NORMS, HF_ATTENTION, HF_ATTENTION_BIASES(0), HF_GATED_MLP(TENSOR_DENSE_LAYER),
    QWEN_EXPERTS,
    TENSOR_IF(LAYER "mlp.shared_expert_gate.weight", BLOCK "ffn_gate_inp_shexp.weight", "1 embd",
              TENSOR_EXPERT_LAYER | TENSOR_F32),
    TENSOR_IF(LAYER "mlp.shared_expert.gate_proj.weight", BLOCK "ffn_gate_shexp.weight",
              "shared_ff embd", TENSOR_EXPERT_LAYER),
    TENSOR_IF(LAYER "mlp.shared_expert.up_proj.weight", BLOCK "ffn_up_shexp.weight",
              "shared_ff embd", TENSOR_EXPERT_LAYER),
    TENSOR_IF(LAYER "mlp.shared_expert.down_proj.weight", BLOCK "ffn_down_shexp.weight",
              "embd shared_ff", TENSOR_EXPERT_LAYER),
    TENSORS_END,
};
static const struct tensor_rule qwen3moe_tensors[] = {
    HF_TOP,      HF_NORMS, HF_ATTENTION, HF_ATTENTION_BIASES(TENSOR_OPTIONAL),
    HF_QK_NORMS, HF_GATED_MLP(TENSOR_DENSE_LAYER), QWEN_EXPERTS, TENSORS_END,
};

static const struct hparam qwenmoe_hparams[] = {
    HPARAM(".expert_feed_forward_length", META_U32, "moe_intermediate_size"),
    HPARAM(".expert_shared_feed_forward_length", META_U32, "shared_expert_intermediate_size"),
    HPARAMS_END,
};
static const struct hparam *const qwenmoe_lists[] = {hparams_common, qwenmoe_hparams, NULL};

static bool qwenmoe_experts_at(const struct model *m, uint32_t layer)
{
    uint64_t step = 1;
    const cJSON *const dense = config_find(&m->config, "mlp_only_layers"), *item;
    cJSON_ArrayForEach(item, dense)
        if (cJSON_IsNumber(item) && item->valuedouble == layer)
            return false;
    (void)config_u64(&m->config, "decoder_sparse_step", 1 << 20, &step, NULL);
    return step && (layer + 1) % step == 0;
}

static const struct arch_class qwen2moe_classes[] = {
    {"Qwen2MoeForCausalLM", qwen2moe_defaults, NULL},
    {NULL, NULL, NULL},
};
static const struct arch_class qwen3moe_classes[] = {
    {"Qwen3MoeForCausalLM", qwen3moe_defaults, NULL},
    {NULL, NULL, NULL},
};

const struct arch arch_qwen2moe = {
    .name = "qwen2moe",
    .classes = qwen2moe_classes,
    .hparams = qwenmoe_lists,
    .tensors = qwen2moe_tensors,
    .vocab = vocab_bpe,
    .experts_at = qwenmoe_experts_at,
    .graph = {.norm = NORM_RMS, .rope = ROPE_HALVES, .activation = ACT_SILU, .gated = true},
};

const struct arch arch_qwen3moe = {
    .name = "qwen3moe",
    .classes = qwen3moe_classes,
    .hparams = qwenmoe_lists,
    .tensors = qwen3moe_tensors,
    .vocab = vocab_bpe,
    .experts_at = qwenmoe_experts_at,
    .graph = {.norm = NORM_RMS, .rope = ROPE_HALVES, .activation = ACT_SILU, .gated = true,
              .expert_norm = true},
};
