/* arch_gpt.c -- GPT-2, GPT-NeoX (Pythia), StarCoder 2, StableLM. */
#include "libquant/model/arch_rows.h"
#include "libquant/model/vocab.h"

/* ---- GPT-2: projections are stored input first ---- */

static const char gpt2_defaults[] =
    "{\"vocab_size\":50257,\"n_embd\":768,\"n_layer\":12,\"n_head\":12,\"n_positions\":1024,"
    "\"layer_norm_epsilon\":1e-5,\"tie_word_embeddings\":true}";

#define CONV1D(from, to, in, out)                                                                  \
    TENSOR_AS(from ".weight", to ".weight", in " " out, TRANSFORM_TRANSPOSE, 0),                   \
        TENSOR(from ".bias", to ".bias", out)

static const struct tensor_rule gpt2_tensors[] = {
    TENSOR("wte.weight", "token_embd.weight", "vocab embd"),
    TENSOR_IF("wpe.weight", "position_embd.weight", "positions embd", TENSOR_F32),
    TENSOR_IF("lm_head.weight", "output.weight", "vocab embd", TENSOR_UNTIED),
    NORM_WITH_BIAS("ln_f", "output_norm", "embd"),
    NORM_WITH_BIAS("h.{bid}.ln_1", BLOCK "attn_norm", "embd"),
    NORM_WITH_BIAS("h.{bid}.ln_2", BLOCK "ffn_norm", "embd"),
    CONV1D("h.{bid}.attn.c_attn", BLOCK "attn_qkv", "embd", "3*embd"),
    CONV1D("h.{bid}.attn.c_proj", BLOCK "attn_output", "embd", "embd"),
    CONV1D("h.{bid}.mlp.c_fc", BLOCK "ffn_up", "embd", "ff"),
    CONV1D("h.{bid}.mlp.c_proj", BLOCK "ffn_down", "ff", "embd"),
    TENSORS_END,
};
static const struct rename gpt2_renames[] = {{RENAME_PREFIX, "transformer.", ""}, {0, NULL, NULL}};

static const struct hparam gpt2_hparams[] = {
    HPARAM_SIZE(".block_count", "layers"),
    HPARAM_MUST(".context_length", META_U32, "n_ctx n_positions"),
    HPARAM_SIZE(".embedding_length", "embd"),
    HPARAM_SIZE(".feed_forward_length", "ff"),
    HPARAM_SIZE(".attention.head_count", "heads"),
    HPARAM_MUST(".attention.layer_norm_epsilon", META_F32, "layer_norm_epsilon"),
    HPARAM_FILE_TYPE,
    HPARAMS_END,
};
static const struct hparam *const gpt2_lists[] = {gpt2_hparams, NULL};

static lq_status four_times_wide(struct model *m, lq_error *err)
{
    (void)err;
    if (!m->dim[DIM_FF])
        m->dim[DIM_FF] = 4 * m->dim[DIM_EMBD];
    return LQ_OK;
}

static const struct arch_class gpt2_classes[] = {
    {"GPT2LMHeadModel", gpt2_defaults, NULL},
    {NULL, NULL, NULL},
};

const struct arch arch_gpt2 = {
    .name = "gpt2",
    .classes = gpt2_classes,
    .hparams = gpt2_lists,
    .tensors = gpt2_tensors,
    .renames = gpt2_renames,
    .resolve = four_times_wide,
    .vocab = vocab_bpe,
    .graph = {.norm = NORM_LAYER, .rope = ROPE_NONE, .activation = ACT_GELU_TANH,
              .learned_positions = true},
};

/* ---- GPT-NeoX: query, key and value of a head lie together ---- */

static const char gptneox_defaults[] =
    "{\"vocab_size\":50432,\"hidden_size\":6144,\"intermediate_size\":24576,"
    "\"num_hidden_layers\":44,\"num_attention_heads\":64,\"max_position_embeddings\":2048,"
    "\"layer_norm_eps\":1e-5,\"partial_rotary_factor\":0.25,\"use_parallel_residual\":true,"
    "\"tie_word_embeddings\":false}";

#define NEOX "gpt_neox.layers.{bid}."
static const struct tensor_rule gptneox_tensors[] = {
    TENSOR("gpt_neox.embed_in.weight", "token_embd.weight", "vocab embd"),
    TENSOR_IF("embed_out.weight", "output.weight", "vocab embd", TENSOR_UNTIED),
    NORM_WITH_BIAS("gpt_neox.final_layer_norm", "output_norm", "embd"),
    NORM_WITH_BIAS(NEOX "input_layernorm", BLOCK "attn_norm", "embd"),
    NORM_WITH_BIAS(NEOX "post_attention_layernorm", BLOCK "ffn_norm", "embd"),
    TENSOR_AS(NEOX "attention.query_key_value.weight", BLOCK "attn_qkv.weight", "3*embd embd",
              TRANSFORM_HEADS_QKV, 0),
    TENSOR_AS(NEOX "attention.query_key_value.bias", BLOCK "attn_qkv.bias", "3*embd",
              TRANSFORM_HEADS_QKV, 0),
    LINEAR(NEOX "attention.dense", BLOCK "attn_output", "embd", "embd"),
    LINEAR(NEOX "mlp.dense_h_to_4h", BLOCK "ffn_up", "ff", "embd"),
    LINEAR(NEOX "mlp.dense_4h_to_h", BLOCK "ffn_down", "embd", "ff"),
    TENSORS_END,
};
/* transformers 5 writes lm_head where all earlier versions wrote embed_out. */
static const struct rename gptneox_renames[] = {
    {RENAME_PREFIX, "lm_head.", "embed_out."},
    {0, NULL, NULL},
};

static const struct hparam gptneox_hparams[] = {
    HPARAM_MUST(".context_length", META_U32, "max_position_embeddings"),
    HPARAM_SIZE(".embedding_length", "embd"),
    HPARAM_SIZE(".block_count", "layers"),
    HPARAM_SIZE(".feed_forward_length", "ff"),
    {".rope.dimension_count", META_U32, 0, "rotary_pct rope:partial_rotary_factor", hparam_rotated},
    HPARAM_SIZE(".attention.head_count", "heads"),
    HPARAM_MUST(".use_parallel_residual", META_BOOL, "use_parallel_residual"),
    HPARAM_MUST(".attention.layer_norm_epsilon", META_F32, "layer_norm_eps"),
    HPARAMS_END,
};
static const struct hparam *const gptneox_lists[] = {gptneox_hparams, NULL};

static const struct arch_class gptneox_classes[] = {
    {"GPTNeoXForCausalLM", gptneox_defaults, NULL},
    {NULL, NULL, NULL},
};

const struct arch arch_gptneox = {
    .name = "gptneox",
    .classes = gptneox_classes,
    .hparams = gptneox_lists,
    .tensors = gptneox_tensors,
    .renames = gptneox_renames,
    .vocab = vocab_bpe,
    .graph = {.norm = NORM_LAYER, .rope = ROPE_HALVES, .activation = ACT_GELU, .parallel = true},
};

/* ---- StarCoder 2 ---- */

static const char starcoder2_defaults[] =
    "{\"vocab_size\":49152,\"hidden_size\":3072,\"intermediate_size\":12288,"
    "\"num_hidden_layers\":30,\"num_attention_heads\":24,\"num_key_value_heads\":2,"
    "\"max_position_embeddings\":4096,\"norm_epsilon\":1e-5,\"rope_theta\":10000.0,"
    "\"tie_word_embeddings\":true}";

static const struct tensor_rule starcoder2_tensors[] = {
    HF_TOP, TENSOR("model.norm.bias", "output_norm.bias", "embd"),
    NORM_WITH_BIAS(LAYER "input_layernorm", BLOCK "attn_norm", "embd"),
    NORM_WITH_BIAS(LAYER "post_attention_layernorm", BLOCK "ffn_norm", "embd"),
    HF_ATTENTION, HF_ATTENTION_BIASES(TENSOR_OPTIONAL),
    TENSOR_IF(LAYER "self_attn.o_proj.bias", BLOCK "attn_output.bias", "embd", TENSOR_OPTIONAL),
    LINEAR_MAYBE_BIAS(LAYER "mlp.c_fc", BLOCK "ffn_up", "ff", "embd"),
    LINEAR_MAYBE_BIAS(LAYER "mlp.c_proj", BLOCK "ffn_down", "embd", "ff"),
    TENSORS_END,
};
static const struct hparam *const common_lists[] = {hparams_common, NULL};

static const struct arch_class starcoder2_classes[] = {
    {"Starcoder2ForCausalLM", starcoder2_defaults, NULL},
    {NULL, NULL, NULL},
};

const struct arch arch_starcoder2 = {
    .name = "starcoder2",
    .classes = starcoder2_classes,
    .hparams = common_lists,
    .tensors = starcoder2_tensors,
    .vocab = vocab_bpe,
    .graph = {.norm = NORM_LAYER, .rope = ROPE_HALVES, .activation = ACT_GELU_TANH},
};

/* ---- StableLM ---- */

static const char stablelm_defaults[] =
    "{\"vocab_size\":50304,\"hidden_size\":2560,\"intermediate_size\":6912,"
    "\"num_hidden_layers\":32,\"num_attention_heads\":32,\"num_key_value_heads\":32,"
    "\"max_position_embeddings\":4096,\"layer_norm_eps\":1e-5,\"rope_theta\":10000.0,"
    "\"partial_rotary_factor\":0.25,\"use_parallel_residual\":false,\"tie_word_embeddings\":false}";

static const struct tensor_rule stablelm_tensors[] = {
    HF_TOP, TENSOR("model.norm.bias", "output_norm.bias", "embd"),
    NORM_WITH_BIAS(LAYER "input_layernorm", BLOCK "attn_norm", "embd"),
    /* none where attention and feed-forward work side by side */
    TENSOR_IF(LAYER "post_attention_layernorm.weight", BLOCK "ffn_norm.weight", "embd",
              TENSOR_OPTIONAL),
    TENSOR_IF(LAYER "post_attention_layernorm.bias", BLOCK "ffn_norm.bias", "embd",
              TENSOR_OPTIONAL),
    HF_ATTENTION, HF_ATTENTION_BIASES(TENSOR_OPTIONAL), HF_GATED_MLP(0),
    TENSOR_STACK(LAYER "self_attn.q_layernorm.norms.{xid}.weight", BLOCK "attn_q_norm.weight",
                 "head_dim", DIM_HEADS, TENSOR_OPTIONAL),
    TENSOR_STACK(LAYER "self_attn.k_layernorm.norms.{xid}.weight", BLOCK "attn_k_norm.weight",
                 "head_dim", DIM_KV_HEADS, TENSOR_OPTIONAL),
    TENSORS_END,
};

static const struct hparam stablelm_hparams[] = {
    HPARAM_MUST(".context_length", META_U32, "max_position_embeddings"),
    HPARAM_SIZE(".embedding_length", "embd"),
    HPARAM_SIZE(".block_count", "layers"),
    HPARAM_SIZE(".feed_forward_length", "ff"),
    {".rope.dimension_count", META_U32, 0, "rope:partial_rotary_factor", hparam_rotated},
    HPARAM_SIZE(".attention.head_count", "heads"),
    HPARAM_SIZE(".attention.head_count_kv", "kv_heads"),
    HPARAM_MUST(".use_parallel_residual", META_BOOL, "use_parallel_residual"),
    HPARAM_MUST(".attention.layer_norm_epsilon", META_F32, "layer_norm_eps norm_eps"),
    HPARAM_FILE_TYPE,
    HPARAMS_END,
};
static const struct hparam *const stablelm_lists[] = {stablelm_hparams, NULL};

static const struct arch_class stablelm_classes[] = {
    {"StableLmForCausalLM", stablelm_defaults, NULL},
    {"StableLMEpochForCausalLM", stablelm_defaults, NULL},
    {NULL, NULL, NULL},
};

const struct arch arch_stablelm = {
    .name = "stablelm",
    .classes = stablelm_classes,
    .hparams = stablelm_lists,
    .tensors = stablelm_tensors,
    .vocab = vocab_bpe,
    .graph = {.norm = NORM_LAYER, .rope = ROPE_HALVES, .activation = ACT_SILU, .gated = true},
};
