/* metadata.c -- collects general.* metadata. Precedence and spelling follow gguf-py's metadata.py. */
#include "libquant/model/metadata.h"

#include "libquant/base/card.h"
#include "libquant/base/json.h"
#include "libquant/model/model_id.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum field {
    NAME, AUTHOR, VERSION, ORGANIZATION, FINETUNE, BASENAME, DESCRIPTION, QUANTIZED_BY, SIZE_LABEL,
    LICENSE, LICENSE_NAME, LICENSE_LINK, URL, DOI, UUID, REPO_URL, SOURCE_URL, SOURCE_DOI,
    SOURCE_UUID, SOURCE_REPO_URL, N_FIELDS
};

/* In the order in which they are written. */
static const struct {
    const char *key;  /* also in override files */
    const char *card; /* names in a model card, the first with a value counts */
} fields[N_FIELDS] = {
    [NAME] = {"general.name", "name model_name"},
    [AUTHOR] = {"general.author", "author model_author model_creator"},
    [VERSION] = {"general.version", "version model_version"},
    [ORGANIZATION] = {"general.organization", "organization model_organization"},
    [FINETUNE] = {"general.finetune", "finetune model_finetune"},
    [BASENAME] = {"general.basename", "basename model_basename model_type"},
    [DESCRIPTION] = {"general.description", "description model_description"},
    [QUANTIZED_BY] = {"general.quantized_by", ""},
    [SIZE_LABEL] = {"general.size_label", "size_label model_size_label"},
    [LICENSE] = {"general.license", "license"},
    [LICENSE_NAME] = {"general.license.name", "license_name"},
    [LICENSE_LINK] = {"general.license.link", "license_link"},
    [URL] = {"general.url", ""},
    [DOI] = {"general.doi", ""},
    [UUID] = {"general.uuid", ""},
    [REPO_URL] = {"general.repo_url", ""},
    [SOURCE_URL] = {"general.source.url", "url model_url"},
    [SOURCE_DOI] = {"general.source.doi", "doi model_doi"},
    [SOURCE_UUID] = {"general.source.uuid", "uuid model_uuid"},
    [SOURCE_REPO_URL] = {"general.source.repo_url", "repo_url model_repo_url"},
};

/* Sampling advice of generation_config.json. */
static const struct {
    const char *key;
    uint8_t type;
    const char *names;
} samplings[] = {
    {"general.sampling.sequence", META_STRING, "sequence"},
    {"general.sampling.top_k", META_I32, "top_k"},
    {"general.sampling.top_p", META_F32, "top_p"},
    {"general.sampling.min_p", META_F32, "min_p"},
    {"general.sampling.xtc_probability", META_F32, "xtc_probability"},
    {"general.sampling.xtc_threshold", META_F32, "xtc_threshold"},
    {"general.sampling.temp", META_F32, "temperature"},
    {"general.sampling.penalty_last_n", META_I32, "penalty_last_n"},
    {"general.sampling.penalty_repeat", META_F32, "penalty_repeat repetition_penalty"},
    {"general.sampling.mirostat", META_I32, "mirostat"},
    {"general.sampling.mirostat_tau", META_F32, "mirostat_tau"},
    {"general.sampling.mirostat_eta", META_F32, "mirostat_eta"},
};

/* Facts about a model or data set that this one is made from, in the order of writing. */
static const char *const source_facts[] = {"name", "author", "version", "organization",
                                           "description", "url", "doi", "uuid", "repo_url"};
enum { N_FACTS = sizeof source_facts / sizeof *source_facts };

struct state {
    struct model *m;
    struct catalog *out;
    const cJSON *card, *overrides; /* or NULL */
    const char *value[N_FIELDS];
    const char *name_from, *id;
    uint64_t parameters;
};

/* Of several names, the first that has a value. */
static const cJSON *first(const cJSON *object, const char *names)
{
    char name[64];
    while (object && *names) {
        const size_t len = strcspn(names, " ");
        if (len < sizeof name) {
            memcpy(name, names, len);
            name[len] = '\0';
            const cJSON *const v = cJSON_GetObjectItemCaseSensitive(object, name);
            if (v && !cJSON_IsNull(v))
                return v;
        }
        names += len + strspn(names + len, " ");
    }
    return NULL;
}

/* The text of a value: of a list, the texts with commas between; of a number, its shortest form. */
static lq_status text_of(struct state *s, const cJSON *v, const char **out, lq_error *err)
{
    struct text t = {0};
    const cJSON *item;
    if (cJSON_IsString(v)) {
        text_puts(&t, v->valuestring);
    } else if (cJSON_IsNumber(v)) {
        char *const number = cJSON_PrintUnformatted(v);
        text_puts(&t, number ? number : "");
        free(number);
    } else if (cJSON_IsArray(v)) {
        cJSON_ArrayForEach(item, v)
            if (cJSON_IsString(item))
                text_printf(&t, "%s%s", t.len ? "," : "", item->valuestring);
    }
    if (t.len)
        *out = arena_strndup(&s->m->arena, t.data, t.len);
    const bool ok = !t.failed && (!t.len || *out);
    text_free(&t);
    return ok ? LQ_OK : lq_fail_memory(err);
}

static lq_status put(struct state *s, const char *key, const char *value, lq_error *err)
{
    return value && *value ? catalog_set_string(s->out, key, value, strlen(value), err) : LQ_OK;
}

/* ---- where the fields come from ---- */

static lq_status from_card(struct state *s, lq_error *err)
{
    for (size_t i = 0; i < N_FIELDS; i++) {
        const cJSON *const v = first(s->card, fields[i].card);
        if (v)
            LQ_TRY(text_of(s, v, &s->value[i], err));
    }
    if (s->value[NAME])
        s->name_from = "the model card";
    return LQ_OK;
}

/* What the metadata of the source say about its licence, where nothing else did. */
static void license_from_source(struct state *s)
{
    static const struct {
        enum field field;
        const char *key;
    } keys[] = {{LICENSE, "general.license"},           {LICENSE, "license"},
                {LICENSE, "modelspec.license"},         {LICENSE_NAME, "general.license.name"},
                {LICENSE_NAME, "license_name"},         {LICENSE_LINK, "general.license.link"},
                {LICENSE_LINK, "license_link"}};
    if (s->value[LICENSE])
        return;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!s->value[keys[i].field])
            s->value[keys[i].field] = catalog_meta_string(&s->m->source, keys[i].key);
}

/* What a name tells fills what is still unknown. */
static lq_status from_id(struct state *s, const char *id, const char *from, lq_error *err)
{
    struct model_id p;
    struct arena *const a = &s->m->arena;
    if (!model_id_parse(&p, id, s->parameters, a))
        return lq_fail_memory(err);
    if (!s->value[NAME] && p.name) {
        s->value[NAME] = model_id_title(p.name, a);
        s->name_from = from;
        if (!s->value[NAME])
            return lq_fail_memory(err);
    }
    if (!s->value[ORGANIZATION] && p.organization &&
        !(s->value[ORGANIZATION] = model_id_title(p.organization, a)))
        return lq_fail_memory(err);
    const char *const found[N_FIELDS] = {[BASENAME] = p.basename, [FINETUNE] = p.finetune,
                                         [VERSION] = p.version, [SIZE_LABEL] = p.size_label};
    for (size_t i = 0; i < N_FIELDS; i++)
        if (!s->value[i])
            s->value[i] = found[i];
    return LQ_OK;
}

static lq_status from_config(struct state *s, lq_error *err)
{
    const char *const id = cJSON_GetStringValue(
        cJSON_GetObjectItemCaseSensitive(s->m->config.root, "_name_or_path"));
    /* A path on somebody's disk is no name. */
    if (!id || (strchr(id, '/') && strchr(strchr(id, '/') + 1, '/')))
        return LQ_OK;
    return from_id(s, id, "config.json", err);
}

/* The last part of a path, its length in *len. */
static const char *last_part(const char *path, size_t *len)
{
    size_t end = strlen(path);
    while (end && path[end - 1] == '/')
        end--;
    size_t begin = end;
    while (begin && path[begin - 1] != '/')
        begin--;
    *len = end - begin;
    return path + begin;
}

/* ".../models--ORG--NAME/snapshots/REV" tells ORG/NAME; NULL where it is none of these. */
static const char *cache_entry(const char *path, struct arena *a)
{
    const char *const entry = strstr(path, "models--");
    const size_t len = entry ? strcspn(entry, "/") : 0;
    if (!entry || (entry > path && entry[-1] != '/') || strncmp(entry + len, "/snapshots/", 11))
        return NULL;
    char *const id = arena_strndup(a, entry + 8, len - 8);
    char *const gap = id ? strstr(id, "--") : NULL;
    if (gap) {
        *gap = '/';
        memmove(gap + 1, gap + 2, strlen(gap + 2) + 1);
    }
    return id;
}

static lq_status from_folder(struct state *s, const struct metadata_options *options, lq_error *err)
{
    struct arena *const a = &s->m->arena;
    if (options->id) {
        s->id = options->id;
        return *s->id ? from_id(s, s->id, "the name given", err) : LQ_OK;
    }
    char *const whole = realpath(s->m->path, NULL);
    const char *const path = whole ? whole : s->m->path;
    const char *id = cache_entry(path, a);
    const char *const from = id ? "the cache entry" : "the folder's name";
    if (!id) {
        size_t len;
        const char *const part = last_part(path, &len);
        id = arena_strndup(a, part, len);
    }
    free(whole);
    if (!id)
        return lq_fail_memory(err);
    s->id = id;
    return *id ? from_id(s, id, from, err) : LQ_OK;
}

static lq_status from_overrides(struct state *s, const struct metadata_options *options,
                                lq_error *err)
{
    for (size_t i = 0; i < N_FIELDS && s->overrides; i++) {
        const cJSON *const v = cJSON_GetObjectItemCaseSensitive(s->overrides, fields[i].key);
        if (!v)
            continue;
        s->value[i] = NULL;
        LQ_TRY(text_of(s, v, &s->value[i], err));
        if (i == NAME)
            s->name_from = "the metadata file";
    }
    if (options->name) {
        s->value[NAME] = options->name;
        s->name_from = "--model-name";
    }
    return LQ_OK;
}

/* ---- writing ---- */

static lq_status put_number(struct state *s, const char *key, uint8_t type, const cJSON *v,
                            lq_error *err)
{
    if (type == META_STRING)
        return cJSON_IsString(v) ? put(s, key, v->valuestring, err) : LQ_OK;
    if (!cJSON_IsNumber(v))
        return LQ_OK;
    if (type == META_F32)
        return catalog_set_float(s->out, key, META_F32, v->valuedouble, err);
    const double d = v->valuedouble;
    if (!(d >= INT32_MIN && d <= INT32_MAX) || d != (double)(int32_t)d)
        return lq_fail_at(err, LQ_E_MODEL, "generation_config.json", -1,
                          "\"%s\" should be a whole number", v->string);
    return catalog_set_int(s->out, key, META_I32, (int64_t)d, err);
}

static lq_status write_sampling(struct state *s, lq_error *err)
{
    for (size_t i = 0; i < sizeof samplings / sizeof *samplings; i++) {
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(s->overrides, samplings[i].key);
        if (!v)
            v = first(s->m->config.generation, samplings[i].names);
        if (v)
            LQ_TRY(put_number(s, samplings[i].key, samplings[i].type, v, err));
    }
    return LQ_OK;
}

/* The id behind "https://huggingface.co/ORG/NAME", or NULL. */
static const char *hub_id(const char *url)
{
    static const char *const hosts[] = {"https://huggingface.co/", "http://huggingface.co/"};
    for (size_t i = 0; i < 2; i++) {
        const size_t len = strlen(hosts[i]);
        if (strncmp(url, hosts[i], len) != 0)
            continue;
        const char *const slash = strchr(url + len, '/');
        if (slash && slash > url + len && slash[1] && !strchr(slash + 1, '/'))
            return url + len;
    }
    return NULL;
}

static bool is_url(const char *s)
{
    return text_starts_with(s, "http://") || text_starts_with(s, "https://") ||
           text_starts_with(s, "ssh://");
}

/* Facts about a source that is given by its id or URL: fact[] in the order of source_facts. */
static lq_status facts_from_id(struct state *s, const char *given, const char *fact[N_FACTS],
                               lq_error *err)
{
    struct arena *const a = &s->m->arena;
    struct model_id p;
    const bool url = is_url(given);
    const char *const id = url ? hub_id(given) : given;
    if (url)
        fact[8] = given;
    if (!id)
        return LQ_OK;
    if (!model_id_parse(&p, id, s->parameters, a))
        return lq_fail_memory(err);
    fact[0] = p.name ? model_id_title(p.name, a) : NULL;
    fact[2] = p.version;
    fact[3] = p.organization ? model_id_title(p.organization, a) : NULL;
    if (!url && p.organization && p.name)
        fact[8] = arena_printf(a, "https://huggingface.co/%s/%s", p.organization, p.name);
    const bool ok = (!p.name || fact[0]) && (!p.organization || fact[3]) &&
                    (url || !p.organization || !p.name || fact[8]);
    return ok ? LQ_OK : lq_fail_memory(err);
}

static lq_status write_source(struct state *s, const char *what, int index, const cJSON *v,
                              lq_error *err)
{
    const char *fact[N_FACTS] = {NULL};
    if (cJSON_IsString(v))
        LQ_TRY(facts_from_id(s, v->valuestring, fact, err));
    for (size_t i = 0; i < N_FACTS; i++) {
        if (cJSON_IsObject(v)) {
            const cJSON *const given = cJSON_GetObjectItemCaseSensitive(v, source_facts[i]);
            if (given)
                LQ_TRY(text_of(s, given, &fact[i], err));
        }
        char key[80];
        snprintf(key, sizeof key, "general.%s.%d.%s", what, index, source_facts[i]);
        LQ_TRY(put(s, key, fact[i], err));
    }
    return LQ_OK;
}

/* Base models or data sets: one, or a list. */
static lq_status write_sources(struct state *s, const char *what, const char *names,
                               const char *override, lq_error *err)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(s->overrides, override);
    char key[48];
    if (!v)
        v = first(s->card, names);
    if (!cJSON_IsString(v) && !cJSON_IsArray(v))
        return LQ_OK;
    const int n = cJSON_IsArray(v) ? cJSON_GetArraySize(v) : 1;
    snprintf(key, sizeof key, "general.%s.count", what);
    LQ_TRY(catalog_set_uint(s->out, key, META_U32, (uint64_t)n, err));
    if (cJSON_IsString(v))
        return write_source(s, what, 0, v, err);
    int i = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, v)
        LQ_TRY(write_source(s, what, i++, item, err));
    return LQ_OK;
}

static size_t add_strings(struct state *s, struct bytes *list, size_t n, const cJSON *v)
{
    if (cJSON_IsString(v))
        list[n++].data = arena_strdup(&s->out->arena, v->valuestring);
    const cJSON *item;
    if (cJSON_IsArray(v))
        cJSON_ArrayForEach(item, v)
            if (cJSON_IsString(item))
                list[n++].data = arena_strdup(&s->out->arena, item->valuestring);
    return n;
}

/* A list of strings, joined from two entries of the card. */
static lq_status write_list(struct state *s, const char *key, const char *one, const char *other,
                            lq_error *err)
{
    const cJSON *const override = cJSON_GetObjectItemCaseSensitive(s->overrides, key);
    const cJSON *const a = override ? override : cJSON_GetObjectItemCaseSensitive(s->card, one);
    const cJSON *const b = override ? NULL : cJSON_GetObjectItemCaseSensitive(s->card, other);
    const size_t most = 2 + (size_t)cJSON_GetArraySize(a) + (size_t)cJSON_GetArraySize(b);
    struct bytes *const list = arena_calloc(&s->out->arena, most, sizeof *list);
    if (!list)
        return lq_fail_memory(err);
    const size_t n = add_strings(s, list, add_strings(s, list, 0, a), b);
    for (size_t i = 0; i < n; i++) {
        if (!list[i].data)
            return lq_fail_memory(err);
        list[i].len = strlen(list[i].data);
    }
    return n ? catalog_set_array(s->out, key, META_STRING, list, n, err) : LQ_OK;
}

static lq_status write_all(struct state *s, lq_error *err)
{
    LQ_TRY(catalog_set_string(s->out, "general.type", "model", 5, err));
    LQ_TRY(write_sampling(s, err));
    for (size_t i = 0; i < N_FIELDS; i++)
        LQ_TRY(put(s, fields[i].key, s->value[i], err));
    LQ_TRY(write_sources(s, "base_model", "base_model base_models base_model_sources",
                         "general.base_models", err));
    LQ_TRY(write_sources(s, "dataset", "datasets dataset dataset_sources", "general.datasets",
                         err));
    LQ_TRY(write_list(s, "general.tags", "tags", "pipeline_tag", err));
    return write_list(s, "general.languages", "languages", "language", err);
}

static lq_status collect(struct state *s, const struct mapping *map,
                         const struct metadata_options *options, lq_error *err)
{
    LQ_TRY(from_card(s, err));
    license_from_source(s);
    LQ_TRY(from_config(s, err));
    LQ_TRY(from_folder(s, options, err));
    LQ_TRY(from_overrides(s, options, err));
    if (!s->value[SIZE_LABEL] && map && map->parameters) {
        s->value[SIZE_LABEL] = model_size_label(map->parameters, map->shared, map->experts,
                                                map->expert_count, &s->m->arena);
        if (!s->value[SIZE_LABEL])
            return lq_fail_memory(err);
    }
    return write_all(s, err);
}

static lq_status read_card(struct model *m, cJSON **card, lq_error *err)
{
    lq_error problem;
    const lq_status status = card_read(card, m->files, &problem);
    if (status == LQ_E_FORMAT) {
        /* A card is text for people: one that is not well-formed stops nobody. */
        model_note(m, "README.md: %s; the model card is ignored", problem.message);
        return LQ_OK;
    }
    if (status != LQ_OK && err)
        *err = problem;
    return status;
}

lq_status metadata_write(struct model *m, const struct mapping *map,
                         const struct metadata_options *options, struct catalog *out,
                         struct metadata_names *names, lq_error *err)
{
    struct state s = {.m = m, .out = out, .parameters = map ? map->parameters : 0};
    cJSON *card = NULL, *overrides = NULL;
    lq_status status = read_card(m, &card, err);
    if (status == LQ_OK && options->overrides)
        status = json_document(&overrides, options->overrides, err);
    s.card = card;
    s.overrides = overrides;
    if (status == LQ_OK)
        status = collect(&s, map, options, err);
    *names = (struct metadata_names){
        .name = s.value[NAME],
        .basename = s.value[BASENAME],
        .finetune = s.value[FINETUNE],
        .version = s.value[VERSION],
        .size_label = s.value[SIZE_LABEL],
        .id = s.id,
        .name_from = s.name_from,
    };
    cJSON_Delete(card);
    cJSON_Delete(overrides);
    return status;
}

lq_status metadata_write_license(struct model *m, struct catalog *out, lq_error *err)
{
    static const struct {
        enum field field;
        const char *key;
    } keys[] = {{LICENSE, "license"},
                {LICENSE_NAME, "license_name"},
                {LICENSE_LINK, "license_link"}};
    struct state s = {.m = m, .out = out};
    cJSON *card = NULL;
    lq_status status = LQ_OK;
    /* A GGUF file speaks for itself; what lies beside it may belong to another. */
    if (!catalog_meta(&m->source, "general.architecture"))
        status = read_card(m, &card, err);
    s.card = card;
    if (status == LQ_OK)
        status = from_card(&s, err);
    license_from_source(&s);
    for (size_t i = 0; i < sizeof keys / sizeof *keys && status == LQ_OK; i++)
        status = put(&s, keys[i].key, s.value[keys[i].field], err);
    cJSON_Delete(card);
    return status;
}

/* ---- file names ---- */

static void put_name_part(struct text *t, const char *before, const char *s, bool slashes)
{
    if (!s)
        return;
    const size_t from = strspn(s, " \t\r\n");
    size_t to = strlen(s);
    while (to > from && strchr(" \t\r\n", s[to - 1]))
        to--;
    text_puts(t, before);
    for (size_t i = from; i < to; i++)
        text_putc(t, s[i] == ' ' || (slashes && s[i] == '/') ? '-' : s[i]);
}

char *metadata_file_name(const struct metadata_names *names, const char *type, const char *kind,
                         struct arena *a)
{
    struct text t = {0};
    const char *const name = names->basename ? names->basename : names->name;
    put_name_part(&t, "", name && *name ? name : "ggml-model", true);
    put_name_part(&t, "-", names->size_label, false);
    put_name_part(&t, "-", names->finetune, false);
    put_name_part(&t, "-", names->version, false);
    put_name_part(&t, "-", type, false);
    put_name_part(&t, "-", kind, false);
    char *const copy = t.failed ? NULL : arena_strndup(a, t.data, t.len);
    text_free(&t);
    return copy;
}
