/* arch_bert.c -- BERT, RoBERTa and XLM-RoBERTa encoders. Their pooling and prediction heads are left
 * out: the embeddings are what is used. */
#include "libquant/model/arch_rows.h"
#include "libquant/model/vocab.h"

#include <string.h>

static const char bert_defaults[] =
    "{\"vocab_size\":30522,\"hidden_size\":768,\"intermediate_size\":3072,"
    "\"num_hidden_layers\":12,\"num_attention_heads\":12,\"max_position_embeddings\":512,"
    "\"layer_norm_eps\":1e-12,\"type_vocab_size\":2,\"tie_word_embeddings\":true}";

static const char roberta_defaults[] =
    "{\"vocab_size\":50265,\"hidden_size\":768,\"intermediate_size\":3072,"
    "\"num_hidden_layers\":12,\"num_attention_heads\":12,\"max_position_embeddings\":512,"
    "\"layer_norm_eps\":1e-12,\"type_vocab_size\":2,\"pad_token_id\":1,"
    "\"tie_word_embeddings\":true}";

static const struct rename bert_renames[] = {
    {RENAME_PREFIX, "bert.", ""},
    {RENAME_PREFIX, "roberta.", ""},
    {RENAME_SUFFIX, ".gamma", ".weight"},
    {RENAME_SUFFIX, ".beta", ".bias"},
    {0, NULL, NULL},
};
static const char *const bert_ignored[] = {
    "embeddings.position_ids", "pooler.dense.*", "cls.predictions*", "cls.seq_relationship*", NULL,
};

#define ENCODER "encoder.layer.{bid}."
static const struct tensor_rule bert_tensors[] = {
    TENSOR("embeddings.word_embeddings.weight", "token_embd.weight", "vocab embd"),
    TENSOR_AS("embeddings.position_embeddings.weight", "position_embd.weight", "positions embd",
              TRANSFORM_SKIP_ROWS, TENSOR_F32),
    TENSOR_IF("embeddings.token_type_embeddings.weight", "token_types.weight", "types embd",
              TENSOR_F32),
    NORM_WITH_BIAS("embeddings.LayerNorm", "token_embd_norm", "embd"),
    LINEAR(ENCODER "attention.self.query", BLOCK "attn_q", "heads*head_dim", "embd"),
    LINEAR(ENCODER "attention.self.key", BLOCK "attn_k", "heads*head_dim", "embd"),
    LINEAR(ENCODER "attention.self.value", BLOCK "attn_v", "heads*head_dim", "embd"),
    LINEAR(ENCODER "attention.output.dense", BLOCK "attn_output", "embd", "heads*head_dim"),
    NORM_WITH_BIAS(ENCODER "attention.output.LayerNorm", BLOCK "attn_output_norm", "embd"),
    LINEAR(ENCODER "intermediate.dense", BLOCK "ffn_up", "ff", "embd"),
    LINEAR(ENCODER "output.dense", BLOCK "ffn_down", "embd", "ff"),
    NORM_WITH_BIAS(ENCODER "output.LayerNorm", BLOCK "layer_output_norm", "embd"),
    TENSORS_END,
};

static const struct hparam bert_hparams[] = {
    HPARAM_FIXED(".attention.causal", META_BOOL, "false"),
    {".pooling_type", META_U32, 0, "", hparam_pooling},
    HPARAMS_END,
};
static const struct hparam *const bert_lists[] = {hparams_common, bert_hparams, NULL};

/* RoBERTa counts positions from the padding token's id on: the rows before are never used. */
static lq_status bert_resolve(struct model *m, lq_error *err)
{
    uint64_t pad = UINT64_MAX;
    if (!strstr(m->of->name, "Roberta"))
        return LQ_OK;
    LQ_TRY(config_u64(&m->config, "pad_token_id", 1 << 20, &pad, err));
    if (pad == UINT64_MAX)
        return LQ_OK;
    m->dim[DIM_SKIP] = pad + 1;
    if (m->dim[DIM_POSITIONS] <= pad + 1)
        return lq_fail_at(err, LQ_E_MODEL, "config.json", -1,
                          "\"max_position_embeddings\" leaves no positions behind the padding's");
    return config_set_number(&m->config, "max_position_embeddings",
                             (double)(m->dim[DIM_POSITIONS] - pad - 1), err);
}

static const struct arch_class bert_classes[] = {
    {"BertModel", bert_defaults, NULL},
    {"BertForMaskedLM", bert_defaults, NULL},
    {"RobertaModel", roberta_defaults, NULL},
    {"XLMRobertaModel", roberta_defaults, NULL},
    {NULL, NULL, NULL},
};

const struct arch arch_bert = {
    .name = "bert",
    .classes = bert_classes,
    .hparams = bert_lists,
    .tensors = bert_tensors,
    .renames = bert_renames,
    .ignored = bert_ignored,
    .resolve = bert_resolve,
    .vocab = vocab_bert,
    .graph = {.norm = NORM_LAYER, .rope = ROPE_NONE, .activation = ACT_GELU, .post_norm = true,
              .not_causal = true, .learned_positions = true},
};
