/* hparams.c -- from configuration to metadata, row by row. */
#include "libquant/model/model.h"

#include <cjson/cJSON.h>
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

lq_status hparams_write(struct model *m, struct catalog *out, lq_error *err)
{
    for (const struct hparam *const *list = m->arch->hparams; *list; list++)
        for (const struct hparam *h = *list; h->key; h++)
            LQ_TRY(h->make ? h->make(m, h, out, err) : hparam_from_config(m, h, out, err));
    return LQ_OK;
}
