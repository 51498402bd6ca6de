/* statement.c -- collects what a model says about its licence. */
#include "libquant/license/statement.h"

#include "libquant/base/text.h"
#include "libquant/license/expression.h"

#include <stdlib.h>
#include <string.h>

enum { CLAIM_LIMIT = 4096 };

struct statement *statement_add(struct license_facts *f, enum statement_kind kind, const char *file,
                                const char *key)
{
    if (!mem_grow((void **)&f->statements, &f->cap_statements, f->n_statements,
                  sizeof *f->statements))
        return NULL;
    struct statement *const s = &f->statements[f->n_statements];
    *s = (struct statement){.kind = kind, .hub = HUB_UNKNOWN};
    s->file = arena_strdup(&f->arena, file);
    s->key = key ? arena_strdup(&f->arena, key) : NULL;
    if (!s->file || (key && !s->key))
        return NULL;
    f->n_statements++;
    return s;
}

void license_facts_release(struct license_facts *f)
{
    for (size_t i = 0; i < f->n_statements; i++)
        identification_release(&f->statements[i].text);
    free(f->statements);
    free(f->bases);
    free(f->datasets);
    text_free(&f->notices);
    text_free(&f->card);
    arena_free(&f->arena);
    *f = (struct license_facts){0};
}

/* ---- claims ---- */

/* "The Apache License, Version 2.0" as an identifier: apache-2.0. */
static const char *plain_words_as_id(struct arena *a, const char *claim)
{
    static const char *const dropped[] = {"the", "license", "licence", "version", "software"};
    struct text t = {0};
    for (const char *s = claim; *s;) {
        const size_t gap = strspn(s, " \t\n,()-");
        const size_t n = strcspn(s + gap, " \t\n,()-");
        bool drop = n == 0;
        for (size_t i = 0; i < sizeof dropped / sizeof dropped[0]; i++)
            drop |= strlen(dropped[i]) == n && ascii_ncasecmp(s + gap, dropped[i], n) == 0;
        if (!drop) {
            text_puts(&t, t.len ? "-" : "");
            text_put(&t, s + gap, n);
        }
        s += gap + n;
    }
    const char *const id = t.len ? arena_strndup(a, t.data, t.len) : NULL;
    text_free(&t);
    return id;
}

const char *license_written(struct arena *a, const char *claim)
{
    struct expression *const e = mem_calloc(1, sizeof *e);
    const char *out = NULL;
    if (e && expression_parse(e, claim, NULL) == LQ_OK) {
        bool known = true;
        for (size_t i = 0; i < e->n_leaves; i++)
            known &= !(e->leaf[i].flags & (LEAF_UNKNOWN | LEAF_SPECIAL));
        if (known)
            out = arena_strdup(a, e->written.data);
    }
    if (e)
        expression_release(e);
    free(e);
    return out;
}

const char *license_meaning(struct arena *a, const char *claim, enum hub_kind *hub)
{
    struct hub_license h = hub_license_find(claim);
    if (h.kind == HUB_UNKNOWN) {
        const char *const id = plain_words_as_id(a, claim);
        const char *const expression = license_written(a, claim);
        if (expression) {
            *hub = HUB_LICENSE;
            return expression;
        }
        if (id)
            h = hub_license_find(id);
        if (h.kind != HUB_LICENSE && h.kind != HUB_AMBIGUOUS)
            h = (struct hub_license){HUB_UNKNOWN, NULL};
    }
    *hub = h.kind;
    /* Deprecated identifiers by what the list says to write instead. */
    if (h.kind == HUB_LICENSE && h.id) {
        const char *const now = spdx_replacement(h.id);
        return now ? now : h.id;
    }
    return h.id;
}

bool statement_claim(struct license_facts *f, struct statement *s, const char *const *claims,
                     size_t n)
{
    struct text claim = {0}, means = {0};
    bool all = n > 0;
    for (size_t i = 0; i < n && claim.len < CLAIM_LIMIT; i++) {
        enum hub_kind hub;
        const char *const m = license_meaning(&f->arena, claims[i], &hub);
        text_printf(&claim, "%s%.*s", i ? ", " : "", CLAIM_LIMIT, claims[i]);
        if (i == 0 || hub == HUB_UNKNOWN || hub == HUB_OTHER)
            s->hub = hub;
        s->family |= hub == HUB_FAMILY;
        all &= m != NULL;
        if (m && n > 1)
            text_printf(&means, "%s(%s)", means.len ? " AND " : "", m);
        else if (m)
            text_puts(&means, m);
    }
    s->claim = arena_strndup(&f->arena, claim.data ? claim.data : "", claim.len);
    s->means = NULL;
    if (all && means.len)
        s->means = n > 1 ? license_written(&f->arena, means.data)
                         : arena_strndup(&f->arena, means.data, means.len);
    const bool ok = !claim.failed && !means.failed && s->claim;
    text_free(&claim);
    text_free(&means);
    return ok;
}

/* ---- where the model comes from ---- */

static const char *without_host(const char *id)
{
    static const char *const hosts[] = {"https://huggingface.co/", "http://huggingface.co/",
                                        "https://hf.co/"};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
        if (text_starts_with(id, hosts[i])) {
            id += strlen(hosts[i]);
            return text_starts_with(id, "datasets/") ? id + 9 : id;
        }
    return id;
}

bool license_add_origin(struct license_facts *f, bool dataset, const char *id, const char *file,
                        const char *key)
{
    struct license_origin **const list = dataset ? &f->datasets : &f->bases;
    size_t *const n = dataset ? &f->n_datasets : &f->n_bases;
    size_t *const cap = dataset ? &f->cap_datasets : &f->cap_bases;
    struct license_origin o = {0};
    id = without_host(id);
    const char *const slash = strrchr(id, '/');
    if (!*id || (slash && !slash[1]))
        return true;
    o.name = arena_strdup(&f->arena, slash ? slash + 1 : id);
    o.organization = slash ? arena_strndup(&f->arena, id, (size_t)(slash - id)) : NULL;
    o.file = arena_strdup(&f->arena, file);
    o.key = arena_strdup(&f->arena, key);
    if (!o.name || (slash && !o.organization) || !o.file || !o.key ||
        !mem_grow((void **)list, cap, *n, sizeof **list))
        return false;
    (*list)[(*n)++] = o;
    return true;
}

static const struct {
    const char *organization, *name, *id; /* name: of the model, or its beginning before '*' */
} known_models[] = {
#define KNOWN(organization, name, id) {organization, name, id},
#include "libquant/license/known_models.def"
#undef KNOWN
};

/* The next character of a name that counts, in lower case; 0 at its end. */
static char next_of(const char **s)
{
    while (**s && strchr("-_. ", **s))
        ++*s;
    const char c = **s;
    *s += c != 0;
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool license_same_name(const char *a, const char *b)
{
    for (;;) {
        const char x = next_of(&a), y = next_of(&b);
        if (x != y || !x)
            return x == y;
    }
}

const char *license_of_known_model(const struct license_origin *o)
{
    for (size_t i = 0; i < sizeof known_models / sizeof known_models[0] && o->organization; i++) {
        const char *const name = known_models[i].name;
        const size_t n = strlen(name) - 1;
        if (license_same_name(known_models[i].organization, o->organization) &&
            (name[n] == '*' ? ascii_ncasecmp(name, o->name, n) : ascii_casecmp(name, o->name)) == 0)
            return known_models[i].id;
    }
    return NULL;
}

/* The name of a cache entry, ".../models--ORG--NAME/snapshots/REVISION"; false: no memory. */
static bool name_from_cache(struct license_facts *f)
{
    const char *const entry = strstr(f->path, "models--");
    const size_t len = entry ? strcspn(entry, "/") : 0;
    if (f->name || !entry || (entry > f->path && entry[-1] != '/'))
        return true;
    const char *name = entry + 8;
    for (const char *gap = name; gap && gap < entry + len; gap = strstr(gap + 1, "--"))
        name = text_starts_with(gap, "--") ? gap + 2 : name;
    f->name = arena_strndup(&f->arena, name, (size_t)(entry + len - name));
    return f->name != NULL;
}

/* The last part of the path, where nothing better names the model. */
static bool name_from_path(struct license_facts *f)
{
    if (!name_from_cache(f))
        return false;
    size_t end = strlen(f->path);
    while (end && f->path[end - 1] == '/')
        end--;
    size_t begin = end;
    while (begin && f->path[begin - 1] != '/')
        begin--;
    if (text_ends_with(f->path, ".gguf"))
        end -= strlen(".gguf");
    if (f->name || end <= begin || f->path[begin] == '.')
        return true;
    f->name = arena_strndup(&f->arena, f->path + begin, end - begin);
    return f->name != NULL;
}

/* ---- words ---- */

bool license_words_have(const struct text *words, const char *phrase)
{
    struct words w = {0};
    bool found = false;
    /* A word before it: so that it cannot be taken for a copyright line, which does not count. */
    struct text line = {0};
    text_printf(&line, "notice %s", phrase);
    if (!line.failed && words_read(&w, line.data, line.len, NULL) == LQ_OK && w.n > 1)
        found = words->data && strstr(words->data, w.stream.data + w.at[1] - 1);
    words_release(&w);
    text_free(&line);
    return found;
}

/* GNU licences whose version is stated as "only" or "or later" by the words of the card. */
static lq_status resolve_gnu(struct license_facts *f, lq_error *err)
{
    const bool later = license_words_have(&f->card, "any later version") ||
                       license_words_have(&f->card, "or later");
    const bool only = license_words_have(&f->card, "version 2 only") ||
                      license_words_have(&f->card, "version 3 only");
    for (size_t i = 0; i < f->n_statements && later != only; i++) {
        struct statement *const s = &f->statements[i];
        const char *const gap = s->means ? strstr(s->means, " OR ") : NULL;
        if (!gap || !strstr(s->means, "GPL-") || !strstr(gap, "-or-later") ||
            strchr(s->means, '(') || strstr(gap + 4, " OR "))
            continue;
        s->means = later ? gap + 4 : arena_strndup(&f->arena, s->means, (size_t)(gap - s->means));
        if (!s->means)
            return lq_fail_memory(err);
    }
    return LQ_OK;
}

/* "other": by the name of the licence, else by its text. */
static void resolve_other(struct license_facts *f)
{
    for (size_t i = 0; i < f->n_statements; i++) {
        struct statement *const s = &f->statements[i];
        const char *const name =
            s->kind == STATEMENT_METADATA ? f->metadata_license_name : f->license_name;
        enum hub_kind hub;
        if (s->claim && s->hub == HUB_OTHER && !s->means && name)
            s->means = license_meaning(&f->arena, name, &hub);
    }
    if (!f->license_name)
        f->license_name = f->metadata_license_name;
}

lq_status license_facts_read(struct license_facts *f, const char *path, struct resolver *files,
                             const struct catalog *const *c, size_t n_c, lq_error *err)
{
    f->path = arena_strdup(&f->arena, path);
    if (!f->path)
        return lq_fail_memory(err);
    if (files) {
        LQ_TRY(statement_read_files(f, files, err));
        LQ_TRY(statement_read_card(f, files, err));
        LQ_TRY(statement_read_config(f, files, err));
    }
    for (size_t i = 0; i < n_c; i++)
        LQ_TRY(statement_read_metadata(f, c[i], err));
    if (!name_from_path(f))
        return lq_fail_memory(err);
    if (files && f->license_link && !strstr(f->license_link, "://")) {
        f->link_file =
            text_starts_with(f->license_link, "./") ? f->license_link + 2 : f->license_link;
        f->link_missing =
            !resolver_name_is_safe(f->link_file) || !files->exists(files, f->link_file);
    }
    resolve_other(f);
    return resolve_gnu(f, err);
}

lq_status license_facts_read_text(struct license_facts *f, struct source *s, lq_error *err)
{
    f->path = arena_strdup(&f->arena, s->name);
    if (!f->path)
        return lq_fail_memory(err);
    return statement_read_text(f, s, STATEMENT_TEXT, s->name, err);
}

const char *statement_kind_name(enum statement_kind kind)
{
    static const char *const names[] = {"text",   "card",   "metadata", "config",
                                        "header", "notice", "policy"};
    return names[kind];
}
