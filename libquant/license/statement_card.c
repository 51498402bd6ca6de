/* statement_card.c -- statements of the model card and of the configuration files. */
#include "libquant/license/statement.h"

#include "libquant/base/card.h"
#include "libquant/base/json.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

enum { CARD_BYTES = 16 << 20, CLAIMS_LIMIT = 64, WORDS_LIMIT = 1 << 20 };

/* Line of the key at the top level of the front matter; 0 where it is not found. */
static size_t line_of(const char *text, size_t len, const char *key)
{
    const size_t n = strlen(key);
    size_t line = 0;
    for (const char *s = text, *const end = text + len; s < end && ++line;) {
        const char *const stop = memchr(s, '\n', (size_t)(end - s));
        const size_t rest = (size_t)((stop ? stop : end) - s);
        if (line > 1 && rest >= 3 && memcmp(s, "---", 3) == 0)
            return 0;
        if (rest > n && memcmp(s, key, n) == 0 && (s[n] == ':' || s[n] == ' '))
            return line;
        s = stop ? stop + 1 : end;
    }
    return 0;
}

/* The strings of a value: itself, or those of a list. */
static size_t strings_of(const cJSON *v, const char *out[CLAIMS_LIMIT])
{
    size_t n = 0;
    const cJSON *item;
    if (cJSON_IsString(v) && *v->valuestring)
        out[n++] = v->valuestring;
    if (cJSON_IsArray(v))
        cJSON_ArrayForEach(item, v) if (n < CLAIMS_LIMIT && cJSON_IsString(item) &&
                                        *item->valuestring) out[n++] = item->valuestring;
    return n;
}

static bool set_string(struct arena *a, const char **out, const cJSON *object, const char *key)
{
    const char *const s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
    if (*out || !s || !*s)
        return true;
    *out = arena_strdup(a, s);
    return *out != NULL;
}

/* "ORG/NAME", a list of them, or objects with a name. */
static bool add_origins(struct license_facts *f, bool dataset, const cJSON *v, const char *file,
                        const char *key)
{
    const char *ids[CLAIMS_LIMIT];
    const size_t n = strings_of(v, ids);
    bool ok = true;
    for (size_t i = 0; i < n; i++)
        ok &= license_add_origin(f, dataset, ids[i], file, key);
    const cJSON *item;
    if (cJSON_IsArray(v))
        cJSON_ArrayForEach(item, v)
        {
            const cJSON *const name = cJSON_GetObjectItemCaseSensitive(item, "name");
            if (cJSON_IsObject(item) && cJSON_IsString(name) && ok)
                ok = license_add_origin(f, dataset, name->valuestring, file, key);
        }
    return ok;
}

static bool add_claim(struct license_facts *f, enum statement_kind kind, const cJSON *root,
                      const char *file, size_t line)
{
    const char *claims[CLAIMS_LIMIT];
    const cJSON *const v = cJSON_GetObjectItemCaseSensitive(root, "license");
    const size_t n = strings_of(v, claims);
    if (!v || (cJSON_IsNull(v) && kind != STATEMENT_CARD) || (n == 0 && !cJSON_IsBool(v)))
        return true;
    struct statement *const s = statement_add(f, kind, file, "license");
    if (!s)
        return false;
    s->line = line;
    if (n == 0)
        s->problem = "\"license\" is no text";
    return n == 0 || statement_claim(f, s, claims, n);
}

static bool take_card(struct license_facts *f, const cJSON *card, const char *text, size_t len)
{
    static const char file[] = "README.md";
    struct arena *const a = &f->arena;
    static const char *const bases[] = {"base_model", "base_models", "base_model_sources"};
    bool ok = add_claim(f, STATEMENT_CARD, card, file, line_of(text, len, "license")) &&
              set_string(a, &f->license_name, card, "license_name") &&
              set_string(a, &f->license_link, card, "license_link") &&
              set_string(a, &f->relation, card, "base_model_relation") &&
              set_string(a, &f->name, card, "model_name") &&
              set_string(a, &f->name, card, "name") &&
              set_string(a, &f->organization, card, "organization");
    for (size_t i = 0; i < sizeof bases / sizeof bases[0] && ok && !f->n_bases; i++)
        ok =
            add_origins(f, false, cJSON_GetObjectItemCaseSensitive(card, bases[i]), file, bases[i]);
    return ok && add_origins(f, true, cJSON_GetObjectItemCaseSensitive(card, "datasets"), file,
                             "datasets");
}

static lq_status keep_words(struct license_facts *f, const char *data, size_t len, lq_error *err)
{
    struct words w = {0};
    LQ_TRY(words_read(&w, data, len < WORDS_LIMIT ? len : WORDS_LIMIT, err));
    text_put(&f->card, w.stream.data, w.stream.len);
    words_release(&w);
    return f->card.failed ? lq_fail_memory(err) : LQ_OK;
}

static lq_status problem(struct license_facts *f, enum statement_kind kind, const char *file,
                         const lq_error *why, lq_error *err)
{
    struct statement *const s = statement_add(f, kind, file, NULL);
    if (s)
        s->problem = arena_strdup(&f->arena, why->message);
    return s && s->problem ? LQ_OK : lq_fail_memory(err);
}

lq_status statement_read_card(struct license_facts *f, struct resolver *files, lq_error *err)
{
    static const char file[] = "README.md";
    struct source *source = NULL;
    char *data = NULL;
    size_t len = 0;
    cJSON *card = NULL;
    lq_error why = {0};
    if (!files->exists(files, file))
        return LQ_OK;
    lq_status status = files->open(files, file, &source, &why);
    if (status == LQ_OK)
        status = source_read_all(source, CARD_BYTES, &data, &len, &why);
    source_close(source);
    if (status == LQ_OK) {
        f->has_card = true;
        status = card_parse(&card, data, len, file, &why);
    }
    if (status == LQ_E_MEMORY)
        lq_fail_memory(err);
    else if (status != LQ_OK)
        status = problem(f, STATEMENT_CARD, file, &why, err);
    else if (card && !take_card(f, card, data, len))
        status = lq_fail_memory(err);
    if (status == LQ_OK && data)
        status = keep_words(f, data, len, err);
    cJSON_Delete(card);
    free(data);
    return status;
}

lq_status statement_read_config(struct license_facts *f, struct resolver *files, lq_error *err)
{
    static const char *const names[] = {"config.json", "adapter_config.json"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct source *source;
        cJSON *root = NULL;
        lq_error why = {0};
        if (!files->exists(files, names[i]) || files->open(files, names[i], &source, NULL) != LQ_OK)
            continue;
        const lq_status status = json_document(&root, source, &why);
        source_close(source);
        if (status == LQ_E_MEMORY)
            return lq_fail_memory(err);
        if (status != LQ_OK) {
            LQ_TRY(problem(f, STATEMENT_CONFIG, names[i], &why, err));
            continue;
        }
        bool ok = add_claim(f, STATEMENT_CONFIG, root, names[i], 0);
        static const char base[] = "base_model_name_or_path";
        const cJSON *const adapted = cJSON_GetObjectItemCaseSensitive(root, base);
        if (i == 1 && cJSON_IsString(adapted)) {
            if (!f->relation)
                f->relation = "adapter";
            if (ok && !f->n_bases)
                ok = license_add_origin(f, false, adapted->valuestring, names[i], base);
        }
        cJSON_Delete(root);
        if (!ok)
            return lq_fail_memory(err);
    }
    return LQ_OK;
}
