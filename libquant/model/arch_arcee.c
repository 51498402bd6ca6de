/* arch_arcee.c -- Arcee's AFM: Llama without a gate, whose activation is the square of ReLU. */
#include "libquant/model/arch_rows.h"
#include "libquant/model/rope_factors.h"
#include "libquant/model/vocab.h"

static const char arcee_defaults[] =
    "{\"vocab_size\":32000,\"hidden_size\":2560,\"intermediate_size\":18432,"
    "\"num_hidden_layers\":32,\"num_attention_heads\":32,\"max_position_embeddings\":4096,"
    "\"rms_norm_eps\":1e-5,\"rope_theta\":10000.0,\"tie_word_embeddings\":false}";

static const struct tensor_rule arcee_tensors[] = {
    HF_TOP, HF_NORMS, HF_PERMUTED_ATTENTION,
    TENSOR(LAYER "mlp.up_proj.weight", BLOCK "ffn_up.weight", "ff embd"),
    TENSOR(LAYER "mlp.down_proj.weight", BLOCK "ffn_down.weight", "embd ff"), TENSORS_END,
};

static const struct hparam arcee_hparams[] = {
    HPARAM_SIZE(".vocab_size", "vocab"),
    HPARAM_SIZE(".rope.dimension_count", "head_dim"),
    HPARAMS_END,
};
static const struct hparam *const arcee_lists[] = {hparams_common, arcee_hparams, NULL};

static const struct arch_class arcee_classes[] = {
    {"ArceeForCausalLM", arcee_defaults, NULL},
    {NULL, NULL, NULL},
};

static lq_status arcee_resolve(struct model *m, lq_error *err)
{
    LQ_TRY(resolve_kv_heads(m, err));
    return config_set_number(&m->config, "head_dim", (double)m->dim[DIM_HEAD_DIM], err);
}

const struct arch arch_arcee = {
    .name = "arcee",
    .classes = arcee_classes,
    .hparams = arcee_lists,
    .tensors = arcee_tensors,
    .resolve = arcee_resolve,
    .extra = rope_factors_llama3,
    .vocab = vocab_llama,
    .graph = {.norm = NORM_RMS, .rope = ROPE_PAIRS, .activation = ACT_RELU_SQUARED},
};
