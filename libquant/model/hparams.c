/* hparams.c -- from configuration to metadata, row by row. */
#include "libquant/model/model.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *full_key(struct model *m, const struct hparam *h)
{
    return h->key[0] == '.' ? arena_printf(&m->arena, "%s%s", m->arch->name, h->key) : h->key;
}

lq_status hparam_set(struct model *m, const struct hparam *h, struct catalog *out, double value,
                     lq_error *err)
{
    const char *const key = full_key(m, h);
    if (!key)
        return lq_fail_memory(err);
    switch (h->type) {
    case META_F32:  return catalog_set_float(out, key, META_F32, value, err);
    case META_BOOL: return catalog_set_bool(out, key, value != 0, err);
    default:        break;
    }
    if (!(value >= 0 && value <= UINT32_MAX) || value != (double)(uint32_t)value)
        return lq_fail_at(err, LQ_E_MODEL, "config.json", -1,
                          "%s would be %g; a whole number from 0 to 4294967295 was expected", key,
                          value);
    return catalog_set_uint(out, key, (enum meta_type)h->type, (uint64_t)value, err);
}

lq_status hparam_set_string(struct model *m, const struct hparam *h, struct catalog *out,
                            const char *value, lq_error *err)
{
    const char *const key = full_key(m, h);
    if (!key)
        return lq_fail_memory(err);
    return *value ? catalog_set_string(out, key, value, strlen(value), err) : LQ_OK;
}

static lq_status missing(const struct hparam *h, lq_error *err)
{
    return lq_fail_at(err, LQ_E_MODEL, "config.json", -1,
                      "\"%.*s\" is missing, and nothing else tells it",
                      (int)strcspn(h->names, " "), h->names);
}

lq_status hparam_from_config(struct model *m, const struct hparam *h, struct catalog *out,
                             lq_error *err)
{
    const cJSON *const v = config_find(&m->config, h->names);
    if (!v)
        return h->flags & HPARAM_REQUIRED ? missing(h, err) : LQ_OK;
    if (h->type == META_STRING) {
        const char *const s = cJSON_GetStringValue(v);
        if (!s)
            return lq_fail_at(err, LQ_E_MODEL, "config.json", -1, "\"%s\" should be a string",
                              v->string);
        return hparam_set_string(m, h, out, s, err);
    }
    double value = cJSON_IsTrue(v);
    if (h->type == META_BOOL ? !cJSON_IsBool(v) : !cJSON_IsNumber(v))
        return lq_fail_at(err, LQ_E_MODEL, "config.json", -1, "\"%s\" should be %s", v->string,
                          h->type == META_BOOL ? "true or false" : "a number");
    if (h->type != META_BOOL)
        value = v->valuedouble;
    if (value == 0 && h->flags & HPARAM_NONZERO)
        return LQ_OK;
    return hparam_set(m, h, out, value, err);
}

lq_status hparam_dim(struct model *m, const struct hparam *h, struct catalog *out, lq_error *err)
{
    bool known;
    const uint64_t value = model_dim(m, h->names, strlen(h->names), &known);
    if (!value)
        return h->flags & HPARAM_REQUIRED ? missing(h, err) : LQ_OK;
    return hparam_set(m, h, out, (double)value, err);
}

lq_status hparam_file_type(struct model *m, const struct hparam *h, struct catalog *out,
                           lq_error *err)
{
    return hparam_set(m, h, out, 0, err);
}

lq_status hparam_fixed(struct model *m, const struct hparam *h, struct catalog *out, lq_error *err)
{
    if (h->type == META_STRING)
        return hparam_set_string(m, h, out, h->names, err);
    const double value = h->type == META_BOOL ? strcmp(h->names, "true") == 0
                                              : strtod(h->names, NULL);
    return hparam_set(m, h, out, value, err);
}

lq_status hparam_times_embd(struct model *m, const struct hparam *h, struct catalog *out,
                            lq_error *err)
{
    return hparam_set(m, h, out, strtod(h->names, NULL) * (double)m->dim[DIM_EMBD], err);
}

lq_status hparam_rotated(struct model *m, const struct hparam *h, struct catalog *out,
                         lq_error *err)
{
    double part = 1;
    LQ_TRY(config_f64(&m->config, h->names, &part, err));
    if (!(part > 0 && part <= 1))
        return lq_fail_at(err, LQ_E_MODEL, "config.json", -1,
                          "the rotated part of a head is %g; it should be more than 0 and at most 1",
                          part);
    return hparam_set(m, h, out, floor(part * (double)m->dim[DIM_HEAD_DIM]), err);
}

lq_status hparam_layer_types(struct model *m, const struct hparam *h, struct catalog *out,
                             lq_error *err)
{
    const cJSON *const types = config_find(&m->config, "layer_types");
    const uint64_t n = m->dim[DIM_LAYERS];
    const char *const key = full_key(m, h);
    uint8_t *const sliding = arena_calloc(&out->arena, n, 1);
    if (!key || !sliding)
        return lq_fail_memory(err);
    if (!cJSON_IsArray(types) || (uint64_t)cJSON_GetArraySize(types) != n)
        return lq_fail_at(err, LQ_E_MODEL, "config.json", -1,
                          "\"layer_types\" should name the type of each layer");
    const cJSON *type = types->child;
    for (uint64_t i = 0; i < n; i++, type = type->next)
        sliding[i] = cJSON_IsString(type) && strcmp(type->valuestring, "sliding_attention") == 0;
    return catalog_set_array(out, key, META_BOOL, sliding, n, err);
}

/* ---- pooling of sentence encoders ---- */

/* Folder of the pooling module among those of modules.json, or NULL. */
static const char *pooling_folder(const cJSON *modules)
{
    const cJSON *module;
    cJSON_ArrayForEach(module, modules)
    {
        const char *const type =
            cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(module, "type"));
        if (type && text_ends_with(type, "Pooling"))
            return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(module, "path"));
    }
    return NULL;
}

static lq_status pooling_type(const cJSON *pooling, uint32_t *type, lq_error *err)
{
    static const struct {
        const char *flag, *mode;
    } kinds[] = {{NULL, NULL}, {"pooling_mode_mean_tokens", "mean"},
                 {"pooling_mode_cls_token", "cls"}, {"pooling_mode_lasttoken", "lasttoken"}};
    const char *const mode =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(pooling, "pooling_mode"));
    for (uint32_t i = 1; i < 4; i++)
        if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(pooling, kinds[i].flag))) {
            *type = i;
            return LQ_OK;
        }
    for (uint32_t i = 1; i < 4; i++)
        if (mode && strcmp(mode, kinds[i].mode) == 0) {
            *type = i;
            return LQ_OK;
        }
    return lq_fail_at(err, LQ_E_UNSUPPORTED, "modules.json", -1,
                      "pools in a way that is none of mean, cls, lasttoken");
}

lq_status hparam_pooling(struct model *m, const struct hparam *h, struct catalog *out,
                         lq_error *err)
{
    cJSON *modules = NULL, *pooling = NULL;
    char *name = NULL;
    uint32_t type = 0;
    LQ_TRY(config_list(&modules, m->files, "modules.json", err));
    const char *const folder = pooling_folder(modules);
    lq_status status = LQ_OK;
    if (folder && !(name = arena_printf(&m->arena, "%s/config.json", folder)))
        status = lq_fail_memory(err);
    if (status == LQ_OK && name)
        status = config_document(&pooling, m->files, name, err);
    if (status == LQ_OK && pooling)
        status = pooling_type(pooling, &type, err);
    if (status == LQ_OK && pooling)
        status = hparam_set(m, h, out, type, err);
    cJSON_Delete(modules);
    cJSON_Delete(pooling);
    return status;
}

/* ---- all ---- */

lq_status resolve_kv_heads(struct model *m, lq_error *err)
{
    return config_set_number(&m->config, "num_key_value_heads", (double)m->dim[DIM_KV_HEADS], err);
}

static lq_status write_list(struct model *m, const struct hparam *list, struct catalog *out,
                            lq_error *err)
{
    for (const struct hparam *h = list; h && h->key; h++)
        LQ_TRY(h->make ? h->make(m, h, out, err) : hparam_from_config(m, h, out, err));
    return LQ_OK;
}

lq_status hparams_write(struct model *m, struct catalog *out, bool early, lq_error *err)
{
    if (early)
        return write_list(m, m->arch->early, out, err);
    for (const struct hparam *const *list = m->arch->hparams; *list; list++)
        LQ_TRY(write_list(m, *list, out, err));
    return LQ_OK;
}
