/* statement_meta.c -- statements in the metadata of GGUF and safetensors files. */
#include "libquant/license/statement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ORIGINS_LIMIT = 64 };

static const char *file_of(const struct catalog *c, const struct license_facts *f)
{
    return c->n_files ? c->files[0].name : f->path;
}

static lq_status problem(struct license_facts *f, const char *file, const char *key,
                         const char *what, lq_error *err)
{
    struct statement *const s = statement_add(f, STATEMENT_METADATA, file, key);
    if (s)
        s->problem = arena_strdup(&f->arena, what);
    return s && s->problem ? LQ_OK : lq_fail_memory(err);
}

/* A key that should be a string: its value, or NULL; a problem where it is something else. */
static lq_status string_of(struct license_facts *f, const struct catalog *c, const char *key,
                           const char **out, lq_error *err)
{
    char what[80];
    const struct meta *const m = catalog_meta(c, key);
    *out = catalog_meta_string(c, key);
    if (!m || *out)
        return LQ_OK;
    snprintf(what, sizeof what, "should be a string, and is of type %s", meta_type_name(m->type));
    return problem(f, file_of(c, f), key, m->type == META_STRING ? "holds a NUL" : what, err);
}

static lq_status read_claims(struct license_facts *f, const struct catalog *c, lq_error *err)
{
    static const char *const keys[] = {"general.license", "license", "modelspec.license"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const char *claim;
        LQ_TRY(string_of(f, c, keys[i], &claim, err));
        if (!claim || !*claim)
            continue;
        struct statement *const s = statement_add(f, STATEMENT_METADATA, file_of(c, f), keys[i]);
        if (!s || !statement_claim(f, s, &claim, 1))
            return lq_fail_memory(err);
        if (s->hub != HUB_UNKNOWN || !strchr(claim, ','))
            continue;
        /* Lists of a card, as converters join them. */
        const char *part[8];
        size_t n = 0;
        for (const char *at = claim; n < 8 && *at; n++) {
            const size_t len = strcspn(at, ",");
            part[n] = arena_strndup(&f->arena, at, len);
            if (!part[n])
                return lq_fail_memory(err);
            at += len + (at[len] == ',');
            at += strspn(at, " ");
        }
        if (!statement_claim(f, s, part, n))
            return lq_fail_memory(err);
    }
    return LQ_OK;
}

/* general.base_model.{i}.* or general.dataset.{i}.*: what entry i names, NULL where nothing. */
static lq_status origin_at(struct license_facts *f, const struct catalog *c, const char *what,
                           unsigned i, const char **id, lq_error *err)
{
    char key[80];
    const char *name, *organization, *url;
    snprintf(key, sizeof key, "general.%s.%u.name", what, i);
    LQ_TRY(string_of(f, c, key, &name, err));
    snprintf(key, sizeof key, "general.%s.%u.organization", what, i);
    LQ_TRY(string_of(f, c, key, &organization, err));
    snprintf(key, sizeof key, "general.%s.%u.repo_url", what, i);
    LQ_TRY(string_of(f, c, key, &url, err));
    *id = url ? url : name;
    if (!url && name && organization) {
        *id = arena_printf(&f->arena, "%s/%s", organization, name);
        if (!*id)
            return lq_fail_memory(err);
    }
    return LQ_OK;
}

static lq_status read_origins(struct license_facts *f, const struct catalog *c, const char *what,
                              bool dataset, lq_error *err)
{
    char key[80], why[96];
    uint64_t count = 0;
    unsigned found = 0;
    snprintf(key, sizeof key, "general.%s.count", what);
    const struct meta *const stated = catalog_meta(c, key);
    if (stated && !catalog_meta_u64(c, key, &count)) {
        snprintf(why, sizeof why, "should be a number, and is of type %s",
                 meta_type_name(stated->type));
        LQ_TRY(problem(f, file_of(c, f), key, why, err));
    }
    for (unsigned i = 0; i < ORIGINS_LIMIT; i++) {
        const char *id;
        char entry[80];
        LQ_TRY(origin_at(f, c, what, i, &id, err));
        if (!id)
            continue;
        found = i + 1;
        snprintf(entry, sizeof entry, "general.%s.%u", what, i);
        if (!license_add_origin(f, dataset, id, file_of(c, f), entry))
            return lq_fail_memory(err);
    }
    if (stated ? count != found && catalog_meta_u64(c, key, &count) : found != 0) {
        if (stated)
            snprintf(why, sizeof why, "says %llu, but the entries go to %u",
                     (unsigned long long)count, found);
        else
            snprintf(why, sizeof why, "is missing, but there are %u entries", found);
        LQ_TRY(problem(f, file_of(c, f), key, why, err));
    }
    return LQ_OK;
}

/* The older form: general.datasets, an array of strings. */
static lq_status read_dataset_list(struct license_facts *f, const struct catalog *c, lq_error *err)
{
    const struct meta *const m = catalog_meta_array(c, "general.datasets", META_STRING);
    const struct bytes *const list = m ? m->v.array.data : NULL;
    for (uint64_t i = 0; m && i < m->v.array.count && i < ORIGINS_LIMIT; i++)
        if (!memchr(list[i].data, '\0', list[i].len) &&
            !license_add_origin(f, true, list[i].data, file_of(c, f), "general.datasets"))
            return lq_fail_memory(err);
    return LQ_OK;
}

lq_status statement_read_metadata(struct license_facts *f, const struct catalog *c, lq_error *err)
{
    static const struct {
        const char *key;
        size_t offset;
    } facts[] = {
        {"general.name",         offsetof(struct license_facts, name)                 },
        {"general.organization", offsetof(struct license_facts, organization)         },
        {"general.license.name", offsetof(struct license_facts, metadata_license_name)},
        {"general.license.link", offsetof(struct license_facts, license_link)         },
        {"license_name",         offsetof(struct license_facts, metadata_license_name)},
        {"license_link",         offsetof(struct license_facts, license_link)         },
    };
    LQ_TRY(read_claims(f, c, err));
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        const char *value, **const slot = (const char **)((char *)f + facts[i].offset);
        LQ_TRY(string_of(f, c, facts[i].key, &value, err));
        if (!value || *slot)
            continue;
        *slot = arena_strdup(&f->arena, value);
        if (!*slot)
            return lq_fail_memory(err);
    }
    LQ_TRY(read_origins(f, c, "base_model", false, err));
    LQ_TRY(read_origins(f, c, "dataset", true, err));
    return read_dataset_list(f, c, err);
}
