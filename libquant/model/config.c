/* config.c -- configuration files and look-ups in them. */
#include "libquant/model/config.h"

#include "libquant/base/json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

lq_status config_document(cJSON **out, struct resolver *files, const char *name, lq_error *err)
{
    *out = NULL;
    if (!files->exists(files, name))
        return LQ_OK;
    struct source *s;
    LQ_TRY(files->open(files, name, &s, err));
    const lq_status status = json_document(out, s, err);
    source_close(s);
    return status;
}

/* Names of the text model's part in configurations of models that see or hear as well. */
static const char *const text_parts[] = {"text_config", "llm_config", "lm_config",
                                         "language_config"};

lq_status config_open(struct config *c, struct resolver *files, lq_error *err)
{
    LQ_TRY(config_document(&c->root, files, "config.json", err));
    if (!c->root)
        return lq_fail_at(err, LQ_E_MODEL, files->root, -1,
                          "there is no config.json beside the weights: it says what kind of model "
                          "this is");
    for (size_t i = 0; i < sizeof text_parts / sizeof *text_parts && !c->text; i++) {
        const cJSON *const part = cJSON_GetObjectItemCaseSensitive(c->root, text_parts[i]);
        c->text = cJSON_IsObject(part) ? part : NULL;
    }
    c->set = cJSON_CreateObject();
    if (!c->set)
        return lq_fail_memory(err);
    LQ_TRY(config_document(&c->tokenizer, files, "tokenizer_config.json", err));
    /* Files that are no valid JSON are in circulation; what they hold is of little weight. */
    lq_error ignored;
    const lq_status status =
        config_document(&c->generation, files, "generation_config.json", &ignored);
    if (status != LQ_OK && status != LQ_E_FORMAT) {
        if (err)
            *err = ignored;
        return status;
    }
    return LQ_OK;
}

void config_release(struct config *c)
{
    cJSON_Delete(c->root);
    cJSON_Delete(c->set);
    cJSON_Delete(c->defaults);
    cJSON_Delete(c->rope);
    cJSON_Delete(c->tokenizer);
    cJSON_Delete(c->generation);
    memset(c, 0, sizeof *c);
}

static const char *first_architecture(const cJSON *object)
{
    const cJSON *const list = cJSON_GetObjectItemCaseSensitive(object, "architectures");
    const cJSON *const first = cJSON_IsArray(list) ? cJSON_GetArrayItem(list, 0) : list;
    return cJSON_GetStringValue(first);
}

const char *config_architecture(const struct config *c)
{
    const char *const name = first_architecture(c->root);
    return name || !c->text ? name : first_architecture(c->text);
}

lq_status config_set_defaults(struct config *c, const char *json, lq_error *err)
{
    cJSON_Delete(c->defaults);
    c->defaults = cJSON_Parse(json);
    return c->defaults ? LQ_OK : lq_fail_memory(err);
}

lq_status config_set_number(struct config *c, const char *name, double value, lq_error *err)
{
    cJSON_DeleteItemFromObjectCaseSensitive(c->set, name);
    return cJSON_AddNumberToObject(c->set, name, value) ? LQ_OK : lq_fail_memory(err);
}

/* ---- position parameters ---- */

/* Facts about positions that older configurations keep at the top, and what they are called among
 * the position parameters. */
static const struct {
    const char *name, *top;
} rope_facts[] = {
    {"rope_theta", "global_rope_theta rope_global_theta rope_theta_global rope_theta "
                   "rotary_emb_base"},
    {"partial_rotary_factor", "partial_rotary_factor rope_pct rope_percent rotary_pct"},
    {"original_max_position_embeddings", "original_max_position_embeddings"},
};

static lq_status add_copy(cJSON *object, const char *name, const cJSON *value, lq_error *err)
{
    cJSON *const copy = cJSON_Duplicate(value, true);
    if (copy && cJSON_AddItemToObject(object, name, copy))
        return LQ_OK;
    cJSON_Delete(copy);
    return lq_fail_memory(err);
}

static bool has(const cJSON *object, const char *name)
{
    const cJSON *const v = cJSON_GetObjectItemCaseSensitive(object, name);
    return v && !cJSON_IsNull(v);
}

/* Brings one set of parameters up to date. */
static lq_status complete_rope(const struct config *c, cJSON *rope, lq_error *err)
{
    for (size_t i = 0; i < sizeof rope_facts / sizeof *rope_facts; i++) {
        const cJSON *const top = config_find(c, rope_facts[i].top);
        if (top && !has(rope, rope_facts[i].name))
            LQ_TRY(add_copy(rope, rope_facts[i].name, top, err));
    }
    if (!has(rope, "rope_type")) {
        const cJSON *const type = cJSON_GetObjectItemCaseSensitive(rope, "type");
        if (cJSON_IsString(type))
            LQ_TRY(add_copy(rope, "rope_type", type, err));
        else if (!cJSON_AddStringToObject(rope, "rope_type", "default"))
            return lq_fail_memory(err);
    }
    const char *const type =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(rope, "rope_type"));
    const bool scaled = type && (strcmp(type, "llama3") == 0 || strcmp(type, "yarn") == 0 ||
                                 strcmp(type, "longrope") == 0);
    const cJSON *const longest = config_find(c, "max_position_embeddings");
    if (scaled && longest && !has(rope, "original_max_position_embeddings"))
        LQ_TRY(add_copy(rope, "original_max_position_embeddings", longest, err));
    return LQ_OK;
}

/* Models with two kinds of layers that are described by one set of parameters and a second base:
 * scaling concerns the layers that see everything. */
static lq_status split_rope(struct config *c, const cJSON *local, lq_error *err)
{
    cJSON *const both = cJSON_CreateObject(), *const full = c->rope;
    cJSON *const sliding = both ? cJSON_AddObjectToObject(both, "sliding_attention") : NULL;
    c->rope = both;
    if (!sliding || !cJSON_AddStringToObject(sliding, "rope_type", "default") ||
        !cJSON_AddItemToObject(both, "full_attention", full)) {
        cJSON_Delete(full);
        return lq_fail_memory(err);
    }
    LQ_TRY(add_copy(sliding, "rope_theta", local, err));
    return complete_rope(c, full, err);
}

lq_status config_resolve_rope(struct config *c, lq_error *err)
{
    const cJSON *const local = config_find(c, "local_rope_theta rope_local_theta rope_theta_local "
                                              "swa_rope_theta rope_local_base_freq");
    const cJSON *given = config_find(c, "rope_parameters");
    if (!cJSON_IsObject(given))
        given = config_find(c, "rope_scaling");
    c->rope = cJSON_IsObject(given) ? cJSON_Duplicate(given, true) : cJSON_CreateObject();
    if (!c->rope)
        return lq_fail_memory(err);
    bool nested = false;
    for (cJSON *part = c->rope->child; part; part = part->next)
        if (cJSON_IsObject(part) && part->string && strstr(part->string, "_attention")) {
            nested = true;
            LQ_TRY(complete_rope(c, part, err));
        }
    if (nested)
        return LQ_OK;
    return local ? split_rope(c, local, err) : complete_rope(c, c->rope, err);
}

/* ---- look-ups ---- */

static const cJSON *member(const cJSON *object, const char *name, size_t len)
{
    char part[128];
    while (object && len) {
        const char *const dot = memchr(name, '.', len);
        const size_t n = dot ? (size_t)(dot - name) : len;
        if (n >= sizeof part)
            return NULL;
        memcpy(part, name, n);
        part[n] = '\0';
        object = cJSON_GetObjectItemCaseSensitive(object, part);
        if (!dot)
            break;
        name += n + 1;
        len -= n + 1;
    }
    return object && !cJSON_IsNull(object) ? object : NULL;
}

/* name is "rope:FACT" or "rope.LAYERTYPE:FACT". */
static const cJSON *rope_member(const struct config *c, const char *name, const char *colon,
                                size_t len)
{
    const char *layer = "full_attention";
    size_t n = strlen(layer);
    const bool given = name[4] == '.';
    if (given) {
        layer = name + 5;
        n = (size_t)(colon - layer);
    }
    const cJSON *rope = member(c->rope, layer, n);
    if (!cJSON_IsObject(rope))
        rope = given ? NULL : c->rope;
    return member(rope, colon + 1, len - (size_t)(colon + 1 - name));
}

static const cJSON *find_one(const struct config *c, const char *name, size_t len)
{
    const char *const colon = memchr(name, ':', len);
    if (colon)
        return rope_member(c, name, colon, len);
    const cJSON *const places[] = {c->set, c->text, c->root, c->defaults};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const cJSON *const v = member(places[i], name, len);
        if (v)
            return v;
    }
    return NULL;
}

const cJSON *config_find(const struct config *c, const char *names)
{
    while (*names) {
        const size_t len = strcspn(names, " ");
        const cJSON *const v = find_one(c, names, len);
        if (v)
            return v;
        names += len + strspn(names + len, " ");
    }
    return NULL;
}

const char *config_string(const struct config *c, const char *names)
{
    return cJSON_GetStringValue(config_find(c, names));
}

static lq_status wrong_kind(const cJSON *v, const char *names, const char *wanted, lq_error *err)
{
    return lq_fail_at(err, LQ_E_MODEL, "config.json", -1, "\"%.100s\" should be %s",
                      v->string ? v->string : names, wanted);
}

lq_status config_u64(const struct config *c, const char *names, uint64_t max, uint64_t *out,
                     lq_error *err)
{
    const cJSON *const v = config_find(c, names);
    if (!v)
        return LQ_OK;
    const double d = cJSON_IsNumber(v) ? v->valuedouble : -1;
    if (!(d >= 0) || d > (double)max || d > 0x1p53 || d != floor(d))
        return wrong_kind(v, names, "a whole number of a sensible size", err);
    *out = (uint64_t)d;
    return LQ_OK;
}

lq_status config_f64(const struct config *c, const char *names, double *out, lq_error *err)
{
    const cJSON *const v = config_find(c, names);
    if (!v)
        return LQ_OK;
    if (!cJSON_IsNumber(v))
        return wrong_kind(v, names, "a number", err);
    *out = v->valuedouble;
    return LQ_OK;
}

lq_status config_bool(const struct config *c, const char *names, bool *out, lq_error *err)
{
    const cJSON *const v = config_find(c, names);
    if (!v)
        return LQ_OK;
    if (!cJSON_IsBool(v))
        return wrong_kind(v, names, "true or false", err);
    *out = cJSON_IsTrue(v);
    return LQ_OK;
}

bool config_pair(const cJSON *v, uint64_t *a, uint64_t *b)
{
    const cJSON *const x = cJSON_GetArrayItem(v, 0), *const y = cJSON_GetArrayItem(v, 1);
    if (!cJSON_IsArray(v) || cJSON_GetArraySize(v) != 2 || !cJSON_IsNumber(x) || !cJSON_IsNumber(y))
        return false;
    const double p = x->valuedouble, q = y->valuedouble;
    if (!(p >= 1 && q >= 1 && p <= 1 << 30 && q <= 1 << 30) || p != floor(p) || q != floor(q))
        return false;
    *a = (uint64_t)p;
    *b = (uint64_t)q;
    return true;
}

lq_status config_list(cJSON **out, struct resolver *files, const char *name, lq_error *err)
{
    struct source *s, *wrapped;
    struct text document = {0};
    char *data;
    size_t len;
    *out = NULL;
    if (!files->exists(files, name))
        return LQ_OK;
    LQ_TRY(files->open(files, name, &s, err));
    lq_status status = source_read_all(s, 1 << 20, &data, &len, err);
    source_close(s);
    LQ_TRY(status);
    text_puts(&document, "{\"list\":");
    text_put(&document, data, len);
    text_putc(&document, '}');
    free(data);
    if (document.failed)
        return text_free(&document), lq_fail_memory(err);
    cJSON *root = NULL;
    status = source_open_memory(&wrapped, name, document.data, document.len, err);
    if (status == LQ_OK) {
        status = json_document(&root, wrapped, err);
        source_close(wrapped);
    }
    *out = cJSON_DetachItemFromObjectCaseSensitive(root, "list");
    cJSON_Delete(root);
    text_free(&document);
    return status;
}
