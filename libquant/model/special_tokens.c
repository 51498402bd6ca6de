/* special_tokens.c -- which tokens begin, end and separate texts, and chat templates.
 *
 * The facts are spread over tokenizer.json (post-processor, added tokens), tokenizer_config.json,
 * config.json and template files. The order of precedence is that of gguf-py's SpecialVocab, so that
 * both converters say the same of one model.
 */
#include "libquant/base/json.h"
#include "libquant/model/tokenizer_json.h"
#include "libquant/model/vocab.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEMPLATE_LIMIT = 16 << 20 };

enum special { BOS, EOS, UNK, SEP, PAD, CLS, MASK, EOT, EOM, N_SPECIAL };

static const struct {
    const char *name;    /* in "bos_token", "bos_token_id", "add_bos_token" */
    const char *id_key;  /* NULL: GGUF has none */
    const char *add_key; /* likewise */
} specials[N_SPECIAL] = {
    [BOS] = {"bos", "tokenizer.ggml.bos_token_id", "tokenizer.ggml.add_bos_token"},
    [EOS] = {"eos", "tokenizer.ggml.eos_token_id", "tokenizer.ggml.add_eos_token"},
    [UNK] = {"unk", "tokenizer.ggml.unknown_token_id", NULL},
    [SEP] = {"sep", "tokenizer.ggml.seperator_token_id", "tokenizer.ggml.add_sep_token"},
    [PAD] = {"pad", "tokenizer.ggml.padding_token_id", NULL},
    [CLS] = {"cls", NULL, NULL},
    [MASK] = {"mask", "tokenizer.ggml.mask_token_id", NULL},
    [EOT] = {"eot", "tokenizer.ggml.eot_token_id", NULL},
    [EOM] = {"eom", "tokenizer.ggml.eom_token_id", NULL},
};

/* A value for some of the kinds, in the order in which they were found. */
struct found {
    uint8_t kind[N_SPECIAL];
    uint32_t value[N_SPECIAL];
    size_t n;
};

struct state {
    struct model *m;
    const struct tokenizer_json *json; /* tokenizer.json, or NULL */
    const cJSON *config;               /* tokenizer_config.json, or NULL */
    const cJSON *token[N_SPECIAL];     /* what stands for the kind: a string or an object */
    bool wanted[N_SPECIAL];
    struct found ids, add;
    int lowercase, strip_accents; /* -1: nothing said */
};

static size_t place_of(const struct found *f, enum special kind)
{
    size_t i = 0;
    while (i < f->n && f->kind[i] != kind)
        i++;
    return i;
}

static bool is_found(const struct found *f, enum special kind)
{
    return place_of(f, kind) < f->n;
}

static void put(struct found *f, enum special kind, uint32_t value)
{
    const size_t i = place_of(f, kind);
    f->kind[i] = (uint8_t)kind;
    f->value[i] = value;
    f->n += i == f->n;
}

static const cJSON *get(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* Something is there and it is not empty. */
static bool given(const cJSON *v)
{
    const char *const s = cJSON_GetStringValue(v);
    return s ? *s != 0 : cJSON_IsObject(v) && v->child;
}

/* Both are strings, and the same. A token that is written as an object equals no string: so it is
 * in gguf-py. */
static bool equals(const cJSON *v, const char *s)
{
    const char *const text = cJSON_GetStringValue(v);
    return text && strcmp(text, s) == 0;
}

/* ---- post-processor ---- */

static const char *special_of(const cJSON *piece)
{
    const char *const id = cJSON_GetStringValue(get(get(piece, "SpecialToken"), "id"));
    return id && *id ? id : NULL;
}

static const cJSON *special_node(const cJSON *piece)
{
    return get(get(piece, "SpecialToken"), "id");
}

static const cJSON *last_of(const cJSON *array)
{
    return cJSON_GetArrayItem(array, cJSON_GetArraySize(array) - 1);
}

/* "single": [CLS] A [SEP] */
static void single_template(struct state *s, const cJSON *single, const char **first,
                            const char **last)
{
    if (cJSON_GetArraySize(single) < 2)
        return;
    *first = special_of(cJSON_GetArrayItem(single, 0));
    *last = special_of(last_of(single));
    if (*first) {
        const cJSON *const node = special_node(cJSON_GetArrayItem(single, 0));
        if (!s->config) {
            s->token[BOS] = node;
        } else if (!equals(s->token[BOS], *first) && !equals(s->token[CLS], *first)) {
            if (!given(s->token[BOS]))
                s->token[BOS] = node;
            if (!given(s->token[CLS]))
                s->token[CLS] = node;
        }
        put(&s->add, BOS, equals(s->token[BOS], *first) || equals(s->token[CLS], *first));
    }
    if (*last) {
        const cJSON *const node = special_node(last_of(single));
        if (!s->config) {
            s->token[EOS] = node;
        } else if (!equals(s->token[EOS], *last)) {
            const enum special kind = !s->wanted[EOT] ? EOT : EOM;
            if (!s->wanted[kind]) {
                s->wanted[kind] = true;
                s->token[kind] = s->token[EOS];
            }
            s->token[EOS] = node;
        }
        put(&s->add, EOS, equals(s->token[EOS], *last));
    }
}

static bool separates(const struct state *s, const char *token)
{
    return token && (equals(s->token[SEP], token) || equals(s->token[EOS], token));
}

static bool is_sequence(const cJSON *piece, const char *id)
{
    return equals(get(get(piece, "Sequence"), "id"), id);
}

/* "pair": what stands between A and B says whether separators are added. */
static void pair_template(struct state *s, const cJSON *pair, const char *first, const char *last)
{
    int from = 0, to = cJSON_GetArraySize(pair);
    if (to < 1)
        return;
    const char *const begins = special_of(cJSON_GetArrayItem(pair, 0));
    const char *const ends = special_of(last_of(pair));
    from += first && begins && strcmp(first, begins) == 0;
    to -= last && ends && strcmp(last, ends) == 0;
    if (to - from < 3 || !is_sequence(cJSON_GetArrayItem(pair, from), "A") ||
        !is_sequence(cJSON_GetArrayItem(pair, to - 1), "B"))
        return;
    const char *const middle = special_of(cJSON_GetArrayItem(pair, from + 1));
    bool add = separates(s, middle) && !last;
    if (to - from == 4)
        add = add || separates(s, special_of(cJSON_GetArrayItem(pair, from + 2)));
    put(&s->add, SEP, add);
    if (add && !given(s->token[SEP]) && s->config)
        s->token[SEP] = s->token[EOS];
}

static void post_processor(struct state *s, const cJSON *processor)
{
    const char *const type = cJSON_GetStringValue(get(processor, "type"));
    if (!type)
        return;
    if (strcmp(type, "ByteLevel") == 0) {
        if (!is_found(&s->add, BOS))
            put(&s->add, BOS, false);
        if (!is_found(&s->add, EOS))
            put(&s->add, EOS, false);
    } else if (strcmp(type, "RobertaProcessing") == 0) {
        put(&s->add, BOS, true);
        put(&s->add, EOS, true);
        put(&s->add, SEP, true);
        const cJSON *const cls = cJSON_GetArrayItem(get(processor, "cls"), 0);
        const cJSON *const sep = cJSON_GetArrayItem(get(processor, "sep"), 0);
        if (!given(s->token[CLS]) && s->config)
            s->token[CLS] = cls ? cls : s->token[BOS];
        if (!given(s->token[SEP]) && s->config)
            s->token[SEP] = sep ? sep : s->token[EOS];
    } else if (strcmp(type, "TemplateProcessing") == 0) {
        const char *first = NULL, *last = NULL;
        single_template(s, get(processor, "single"), &first, &last);
        pair_template(s, get(processor, "pair"), first, last);
    }
}

/* ---- normaliser ---- */

static void say(int *flag, const cJSON *v)
{
    if (cJSON_IsBool(v))
        *flag = cJSON_IsTrue(v);
}

static void normalizer(struct state *s, const cJSON *n)
{
    const char *const type = cJSON_GetStringValue(get(n, "type"));
    if (!type)
        return;
    if (strcmp(type, "Lowercase") == 0)
        s->lowercase = 1;
    if (strcmp(type, "StripAccents") == 0)
        s->strip_accents = 1;
    if (strcmp(type, "BertNormalizer") == 0) {
        say(&s->lowercase, get(n, "lowercase"));
        say(&s->strip_accents, get(n, "strip_accents"));
    }
    if (strcmp(type, "Sequence") == 0) {
        const cJSON *part;
        cJSON_ArrayForEach(part, get(n, "normalizers"))
            normalizer(s, part);
    }
}

/* ---- ids ---- */

static void set_id(struct state *s, enum special kind, double id, uint32_t n_vocab)
{
    if (!(id >= 0 && id <= UINT32_MAX) || id != (double)(uint32_t)id)
        return;
    if (n_vocab && id >= n_vocab) {
        model_note(s->m, "the id of the %s token, %.0f, is beyond the vocabulary: it is dropped",
                   specials[kind].name, id);
        return;
    }
    if (!is_found(&s->ids, kind))
        put(&s->ids, kind, (uint32_t)id);
}

static const cJSON *named(const cJSON *object, const char *before, enum special kind,
                          const char *after)
{
    char name[32];
    snprintf(name, sizeof name, "%s%s%s", before, specials[kind].name, after);
    return get(object, name);
}

static void from_tokenizer_config(struct state *s, uint32_t n_vocab)
{
    for (int k = 0; k < N_SPECIAL; k++) {
        const enum special kind = (enum special)k;
        if (!s->wanted[k])
            continue;
        const cJSON *const add = named(s->config, "add_", kind, "_token");
        if (cJSON_IsBool(add) && !is_found(&s->add, kind))
            put(&s->add, kind, cJSON_IsTrue(add) ? 1 : 0);
        const cJSON *const v = s->token[k];
        const char *const text =
            cJSON_GetStringValue(cJSON_IsObject(v) ? get(v, "content") : v);
        const int64_t id = text && s->json ? added_token_id(s->json, text) : -1;
        if (id >= 0)
            set_id(s, kind, (double)id, n_vocab);
    }
}

static void from_config(struct state *s, uint32_t n_vocab)
{
    for (int k = 0; k < N_SPECIAL; k++) {
        if (!s->wanted[k])
            continue;
        const cJSON *v = named(s->m->config.root, "", (enum special)k, "_token_id");
        if ((!v || cJSON_IsNull(v)) && s->m->config.text)
            v = named(s->m->config.text, "", (enum special)k, "_token_id");
        if (cJSON_IsNumber(v))
            set_id(s, (enum special)k, v->valuedouble, n_vocab);
    }
}

static void read_json(struct state *s)
{
    static const enum special from_config_file[] = {BOS, EOS, UNK, SEP, PAD, CLS, MASK, EOT, EOM};
    for (size_t i = 0; i < N_SPECIAL; i++)
        s->token[from_config_file[i]] = named(s->config, "", from_config_file[i], "_token");
    if (!s->json)
        return;
    normalizer(s, s->json->normalizer);
    if (s->config && !given(s->token[BOS]) && given(s->token[CLS]))
        s->token[BOS] = s->token[CLS];
    if (s->config && !given(s->token[EOS]) && given(s->token[SEP]))
        s->token[EOS] = s->token[SEP];
    const cJSON *const processors = get(s->json->post_processor, "processors"), *p;
    if (!processors)
        post_processor(s, s->json->post_processor);
    cJSON_ArrayForEach(p, processors)
        post_processor(s, p);
}

/* ---- chat templates ---- */

static lq_status write_templates(struct state *s, struct catalog *out, const cJSON *list,
                                 lq_error *err)
{
    const size_t size = (size_t)cJSON_GetArraySize(list);
    struct bytes *const names = arena_calloc(&out->arena, size, sizeof *names);
    const char *standard = NULL;
    size_t n = 0;
    const cJSON *item;
    if (!names)
        return lq_fail_memory(err);
    cJSON_ArrayForEach(item, list)
    {
        const char *const given_name = cJSON_GetStringValue(get(item, "name"));
        const char *const text = cJSON_GetStringValue(get(item, "template"));
        if (!given_name || !*given_name || !text)
            continue;
        if (strcmp(given_name, "default") == 0) {
            standard = text;
            continue;
        }
        char *const name = arena_strdup(&out->arena, given_name);
        const char *const key =
            name ? arena_printf(&s->m->arena, "tokenizer.chat_template.%s", name) : NULL;
        if (!key)
            return lq_fail_memory(err);
        for (char *c = (char *)(uintptr_t)key + strlen("tokenizer.chat_template."), *d = name; *c;
             c++, d++)
            if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", *c))
                *c = *d = '_';
        if (!catalog_meta(out, key))
            names[n++] = (struct bytes){name, strlen(name)};
        if (*text)
            LQ_TRY(catalog_set_string(out, key, text, strlen(text), err));
    }
    if (n)
        LQ_TRY(catalog_set_array(out, "tokenizer.chat_templates", META_STRING, names, n, err));
    return standard && *standard ? catalog_set_string(out, "tokenizer.chat_template", standard,
                                                      strlen(standard), err)
                                 : LQ_OK;
}

/* Text files are read with every end of line as \n. */
static size_t unify_lines(char *s, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '\r' && i + 1 < len && s[i + 1] == '\n')
            continue;
        s[n++] = s[i] == '\r' ? '\n' : s[i];
    }
    return n;
}

/* Reads a template as text. The caller frees *out. */
static lq_status read_template(struct state *s, const char *name, char **out, size_t *len,
                               lq_error *err)
{
    struct source *file;
    LQ_TRY(s->m->files->open(s->m->files, name, &file, err));
    lq_status status = source_read_all(file, TEMPLATE_LIMIT, out, len, err);
    if (status == LQ_OK) {
        const char *const nul = memchr(*out, '\0', *len);
        const size_t bad = nul ? (size_t)(nul - *out) : utf8_check(*out, *len);
        if (bad != *len) {
            status = lq_fail_at(err, LQ_E_FORMAT, file->name, (int64_t)bad,
                                nul ? "a NUL in the text" : "is not valid UTF-8");
            free(*out);
        } else {
            *len = unify_lines(*out, *len);
            (*out)[*len] = '\0';
        }
    }
    source_close(file);
    return status;
}

/* The list of templates, as tokenizer_config.json would have it: {"name": ..., "template": ...}. */
static lq_status add_template(struct state *s, cJSON *list, const char *file, const char *name,
                              size_t name_len, lq_error *err)
{
    char *text;
    size_t len;
    LQ_TRY(read_template(s, file, &text, &len, err));
    cJSON *const item = cJSON_CreateObject();
    char *const key = arena_strndup(&s->m->arena, name, name_len);
    const bool ok = item && key && cJSON_AddStringToObject(item, "name", key) &&
                    cJSON_AddStringToObject(item, "template", text) &&
                    cJSON_AddItemToArray(list, item);
    free(text);
    if (!ok)
        cJSON_Delete(item);
    return ok ? LQ_OK : lq_fail_memory(err);
}

#define MORE_TEMPLATES "additional_chat_templates"

struct template_list {
    struct state *s;
    cJSON *list;
    lq_status status;
    lq_error *err;
};

static void add_listed(void *ctx, const char *name)
{
    struct template_list *const l = ctx;
    char path[512];
    if (l->status != LQ_OK || !text_ends_with(name, ".jinja"))
        return;
    snprintf(path, sizeof path, MORE_TEMPLATES "/%.400s", name);
    l->status = add_template(l->s, l->list, path, name, strlen(name) - strlen(".jinja"), l->err);
}

/* chat_template.jinja, and, beside it, a folder of others. */
static lq_status template_files(struct state *s, struct catalog *out, lq_error *err)
{
    static const char standard[] = "chat_template.jinja";
    struct resolver *const files = s->m->files;
    struct template_list l = {.s = s, .list = cJSON_CreateArray(), .err = err};
    lq_error ignored;
    if (!l.list)
        return lq_fail_memory(err);
    lq_status status = add_template(s, l.list, standard, "default", strlen("default"), err);
    if (status == LQ_OK && files->list(files, MORE_TEMPLATES, add_listed, &l, &ignored) == LQ_OK)
        status = l.status;
    if (status == LQ_OK)
        status = write_templates(s, out, l.list, err);
    cJSON_Delete(l.list);
    return status;
}

static lq_status write_template(struct state *s, struct catalog *out, const cJSON *v,
                                lq_error *err)
{
    const char *const text = cJSON_GetStringValue(v);
    if (cJSON_IsArray(v))
        return write_templates(s, out, v, err);
    return text && *text ? catalog_set_string(out, "tokenizer.chat_template", text, strlen(text),
                                              err)
                         : LQ_OK;
}

/* The key in tokenizer_config.json, else a template file of its own. */
static lq_status chat_template(struct state *s, struct catalog *out, lq_error *err)
{
    struct resolver *const files = s->m->files;
    const cJSON *const in_config = get(s->config, "chat_template");
    if (!s->config)
        return LQ_OK;
    if (in_config)
        return write_template(s, out, in_config, err);
    if (files->exists(files, "chat_template.jinja"))
        return template_files(s, out, err);
    cJSON *document;
    LQ_TRY(config_document(&document, files, "chat_template.json", err));
    const lq_status status = write_template(s, out, get(document, "chat_template"), err);
    cJSON_Delete(document);
    return status;
}

/* ---- the whole ---- */

static lq_status write_found(const struct state *s, struct catalog *out, lq_error *err)
{
    for (size_t i = 0; i < s->ids.n; i++) {
        const char *const key = specials[s->ids.kind[i]].id_key;
        if (key)
            LQ_TRY(catalog_set_uint(out, key, META_U32, s->ids.value[i], err));
    }
    for (size_t i = 0; i < s->add.n; i++) {
        const char *const key = specials[s->add.kind[i]].add_key;
        if (key)
            LQ_TRY(catalog_set_bool(out, key, s->add.value[i] != 0, err));
    }
    return LQ_OK;
}

static lq_status write_merges(const struct tokenizer_json *t, struct catalog *out, lq_error *err)
{
    if (!t || !t->n_merges)
        return LQ_OK;
    size_t size = 0;
    for (uint32_t i = 0; i < t->n_merges; i++)
        size += t->merges[i].len + 1;
    struct bytes *const list = arena_calloc(&out->arena, t->n_merges, sizeof *list);
    char *at = arena_calloc(&out->arena, size, 1);
    if (!list || !at)
        return lq_fail_memory(err);
    for (uint32_t i = 0; i < t->n_merges; i++) {
        memcpy(at, t->merges[i].data, t->merges[i].len);
        list[i] = (struct bytes){at, t->merges[i].len};
        at += t->merges[i].len + 1;
    }
    return catalog_set_array(out, "tokenizer.ggml.merges", META_STRING, list, t->n_merges, err);
}

static void from_caller(struct state *s, const struct special_id *ids, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < N_SPECIAL; k++)
            if (strcmp(specials[k].name, ids[i].kind) == 0)
                set_id(s, (enum special)k, ids[i].id, 0);
}

lq_status special_tokens_write(struct model *m, struct catalog *out, unsigned flags,
                               uint32_t n_vocab, lq_error *err)
{
    return special_tokens_write_with(m, out, flags, n_vocab, NULL, 0, err);
}

lq_status special_tokens_write_with(struct model *m, struct catalog *out, unsigned flags,
                                    uint32_t n_vocab, const struct special_id *ids, size_t n_ids,
                                    lq_error *err)
{
    struct tokenizer_json *json;
    LQ_TRY(model_tokenizer_json(m, &json, err));
    struct state s = {.m = m, .json = json && !json->separate_files ? json : NULL,
                      .config = m->config.tokenizer, .lowercase = -1, .strip_accents = -1};
    for (int k = BOS; k <= MASK; k++)
        s.wanted[k] = true;
    read_json(&s);
    if (s.config)
        from_tokenizer_config(&s, n_vocab);
    from_config(&s, n_vocab);
    from_caller(&s, ids, n_ids);
    if (flags & SPECIAL_MERGES)
        LQ_TRY(write_merges(json, out, err));
    LQ_TRY(write_found(&s, out, err));
    if (!(flags & SPECIAL_NO_TEMPLATE))
        LQ_TRY(chat_template(&s, out, err));
    if (s.lowercase >= 0)
        LQ_TRY(catalog_set_bool(out, "tokenizer.ggml.normalizer.lowercase", s.lowercase, err));
    if (s.strip_accents >= 0)
        LQ_TRY(catalog_set_bool(out, "tokenizer.ggml.normalizer.strip_accents", s.strip_accents,
                                err));
    return LQ_OK;
}
