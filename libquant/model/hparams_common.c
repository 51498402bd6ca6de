/* hparams_common.c -- the metadata that most architectures have, in the order in which files are
 * written. */
#include "libquant/model/model.h"

#include <cjson/cJSON.h>
#include <string.h>

/* Writes the key `name` of the same architecture from the position parameters, if it is there. */
static lq_status rope_value(struct model *m, struct catalog *out, const char *key, uint8_t type,
                            const char *names, lq_error *err)
{
    const struct hparam row = {key, type, 0, names, NULL};
    return hparam_from_config(m, &row, out, err);
}

static lq_status yarn(struct model *m, struct catalog *out, lq_error *err)
{
    static const struct hparam rows[] = {
        {".rope.scaling.factor", META_F32, HPARAM_REQUIRED, "rope:factor", NULL},
        {".rope.scaling.original_context_length", META_U32, HPARAM_REQUIRED,
         "rope:original_max_position_embeddings", NULL},
        {".rope.scaling.yarn_ext_factor", META_F32, 0, "rope:extrapolation_factor", NULL},
        {".rope.scaling.yarn_attn_factor", META_F32, 0, "rope:attention_factor rope:attn_factor",
         NULL},
        {".rope.scaling.yarn_beta_fast", META_F32, 0, "rope:beta_fast", NULL},
        {".rope.scaling.yarn_beta_slow", META_F32, 0, "rope:beta_slow", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        LQ_TRY(hparam_from_config(m, &rows[i], out, err));
    return LQ_OK;
}

/* How positions beyond the trained length are reached. "llama3" becomes a tensor of factors, and
 * "dynamic" exists at run time only. */
static lq_status rope_scaling(struct model *m, const struct hparam *h, struct catalog *out,
                              lq_error *err)
{
    const char *const type = config_string(&m->config, "rope:rope_type");
    const bool factor = config_find(&m->config, "rope:factor") != NULL;
    if (!type || strcmp(type, "default") == 0 || strcmp(type, "dynamic") == 0 ||
        strcmp(type, "llama3") == 0)
        return LQ_OK;
    if (strcmp(type, "linear") == 0 && factor) {
        LQ_TRY(hparam_set_string(m, h, out, "linear", err));
        return rope_value(m, out, ".rope.scaling.factor", META_F32, "rope:factor", err);
    }
    if (strcmp(type, "yarn") == 0 && factor) {
        LQ_TRY(hparam_set_string(m, h, out, "yarn", err));
        return yarn(m, out, err);
    }
    if (strcmp(type, "su") == 0 || strcmp(type, "longrope") == 0)
        return hparam_set_string(m, h, out, "longrope", err);
    model_note(m, "the position scaling \"%s\" is unknown here: the file will say nothing of it",
               type);
    return LQ_OK;
}

/* Positions of several kinds (time, height, width), padded to four. */
static lq_status rope_sections(struct model *m, const struct hparam *h, struct catalog *out,
                               lq_error *err)
{
    const cJSON *const list = config_find(&m->config, h->names);
    if (!cJSON_IsArray(list))
        return LQ_OK;
    int32_t *const sections = arena_calloc(&out->arena, 4, sizeof *sections);
    const char *const key = arena_printf(&m->arena, "%s%s", m->arch->name, h->key);
    if (!sections || !key)
        return lq_fail_memory(err);
    const cJSON *item = list->child;
    for (int i = 0; i < 4 && item; i++, item = item->next)
        sections[i] = cJSON_IsNumber(item) ? item->valueint : 0;
    return catalog_set_array(out, key, META_I32, sections, 4, err);
}

static lq_status not_causal(struct model *m, const struct hparam *h, struct catalog *out,
                            lq_error *err)
{
    bool causal = true;
    LQ_TRY(config_bool(&m->config, h->names, &causal, err));
    return causal ? LQ_OK : hparam_set(m, h, out, 0, err);
}

static lq_status gating_function(struct model *m, const struct hparam *h, struct catalog *out,
                                 lq_error *err)
{
    static const char *const functions[] = {NULL, "softmax", "sigmoid", NULL, "sqrtsoftplus"};
    const char *const name = config_string(&m->config, h->names);
    if (!name)
        return LQ_OK;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (functions[i] && strcmp(functions[i], name) == 0)
            return hparam_set(m, h, out, (double)i, err);
    return lq_fail_at(err, LQ_E_UNSUPPORTED, "config.json", -1,
                      "experts are chosen by \"%.80s\", which has no name in GGUF", name);
}

const struct hparam hparams_common[] = {
    {".block_count", META_U32, HPARAM_REQUIRED, "layers", hparam_dim},
    {".context_length", META_U32, 0,
     "max_position_embeddings n_ctx n_positions max_length max_sequence_length model_max_length",
     NULL},
    {".embedding_length", META_U32, HPARAM_REQUIRED, "embd", hparam_dim},
    {".feed_forward_length", META_U32, 0, "ff", hparam_dim},
    {".attention.head_count", META_U32, 0, "num_attention_heads n_head n_heads", NULL},
    {".attention.head_count_kv", META_U32, 0, "num_key_value_heads n_kv_heads", NULL},
    {".attention.causal", META_BOOL, 0, "is_causal", not_causal},
    {".rope.scaling.type", META_STRING, 0, "rope:rope_type", rope_scaling},
    {".rope.dimension_sections", META_ARRAY, 0, "rope:mrope_section", rope_sections},
    {".rope.freq_base", META_F32, 0, "rope:rope_theta", NULL},
    {".rope.freq_base_swa", META_F32, 0, "rope.sliding_attention:rope_theta", NULL},
    {".attention.layer_norm_rms_epsilon", META_F32, 0, "rms_norm_eps norm_eps", NULL},
    {".attention.layer_norm_epsilon", META_F32, 0, "layer_norm_eps layer_norm_epsilon norm_epsilon",
     NULL},
    {".expert_count", META_U32, 0, "num_local_experts num_experts n_routed_experts", NULL},
    {".expert_used_count", META_U32, 0, "num_experts_per_tok num_experts_per_token top_k_experts",
     NULL},
    {".expert_group_count", META_U32, 0, "n_group", NULL},
    {".expert_group_used_count", META_U32, 0, "topk_group", NULL},
    {".expert_gating_func", META_U32, 0,
     "score_function scoring_func score_func moe_router_activation moe_router_activation_func "
     "expert_selection_fn",
     gating_function},
    {".attention.key_length", META_U32, 0, "head_dim", NULL},
    {".attention.value_length", META_U32, 0, "head_dim", NULL},
    {"general.file_type", META_U32, 0, "", hparam_file_type},
    {NULL, 0, 0, NULL, NULL},
};
