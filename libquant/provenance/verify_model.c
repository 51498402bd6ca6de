/* verify_model.c -- the index of a sharded model against its shards. */
#include "libquant/provenance/verify_model.h"

#include "formats/format.h"

#include <string.h>
#include <sys/stat.h>

static const char index_name[] = "model.safetensors.index.json";

static bool is_listed(const struct catalog *c, const char *name)
{
    for (size_t i = 0; i < c->n_files; i++)
        if (strcmp(c->files[i].name, name) == 0)
            return true;
    return false;
}

/* What find_strays needs besides a name. */
struct search {
    struct verification *v;
    const struct catalog *c;
    const char *base;
    lq_status status;
    lq_error *err;
};

static void see_file(void *ctx, const char *name)
{
    struct search *const s = ctx;
    if (s->status != LQ_OK || !text_ends_with(name, ".safetensors") || is_listed(s->c, name))
        return;
    const char *const item = arena_printf(&s->v->arena, "%s%s%s", s->base, *s->base ? "/" : "", name);
    s->status = item ? verify_note(s->v, item, VERIFY_BAD, NULL, s->err,
                                   "a shard that the index does not name")
                     : lq_fail_memory(s->err);
}

/* Whether shards in `base` were left on the hub. */
static bool shards_were_left(const struct verification *v, const char *base)
{
    for (size_t i = 0; i < v->n; i++)
        if (v->items[i].state == VERIFY_NOT_LOADED && text_starts_with(v->items[i].name, base) &&
            text_ends_with(v->items[i].name, ".safetensors"))
            return true;
    return false;
}

/* `base`: the folder within the place that is verified; "" for itself. */
static lq_status check_folder(struct verification *v, const char *base, lq_error *err)
{
    const char *const path = *base ? verify_path(v, base) : v->root;
    const char *const item = arena_printf(&v->arena, "%s%s%s", base, *base ? "/" : "", index_name);
    const char *const index = item ? verify_path(v, item) : NULL;
    struct catalog c = {0};
    struct resolver *files = NULL;
    lq_error why;
    struct stat st;
    if (!path || !index)
        return lq_fail_memory(err);
    if (stat(index, &st) != 0)
        return LQ_OK;
    lq_status status = model_open(&c, path, &why);
    if (status == LQ_E_MEMORY)
        return lq_fail_memory(err);
    if (status != LQ_OK && shards_were_left(v, base)) {
        LQ_TRY(verify_note(v, item, VERIFY_NOT_CHECKED, "index of the shards", err,
                           "not all of them were downloaded"));
        v->items[v->n - 1].aside = true;
        return LQ_OK;
    }
    if (status != LQ_OK)
        return verify_note(v, item, VERIFY_BAD, "index of the shards", err, "%s%s%s", why.tensor,
                           why.tensor[0] ? ": " : "", why.message);
    struct search search = {.v = v, .c = &c, .base = base, .err = err};
    status = resolver_open_folder(&files, path, err);
    if (status == LQ_OK)
        status = files->list(files, "", see_file, &search, err);
    if (status == LQ_OK)
        status = search.status;
    resolver_close(files);
    catalog_release(&c);
    return status;
}

/* Of a cache: every snapshot. */
static lq_status see_snapshots(struct verification *v, const char *folder, const char *entry,
                               lq_error *err)
{
    const char *const name = arena_printf(&v->arena, "%s/%s", folder, entry);
    return name ? check_folder(v, name, err) : lq_fail_memory(err);
}

static lq_status see_entry(struct verification *v, const char *folder, const char *entry,
                           lq_error *err)
{
    const char *const name = arena_printf(&v->arena, "%s/snapshots", entry);
    (void)folder;
    return name ? verify_entries(v, name, see_snapshots, err) : lq_fail_memory(err);
}

lq_status verify_model(struct verification *v, lq_error *err)
{
    if (strcmp(v->kind, "folder") == 0)
        return check_folder(v, "", err);
    if (strcmp(v->kind, "Hugging Face cache") == 0)
        return verify_entries(v, "", see_entry, err);
    if (strcmp(v->kind, "Hugging Face cache entry") != 0)
        return LQ_OK;
    return v->only && strcmp(v->only, "snapshots") != 0
               ? check_folder(v, v->only, err)
               : verify_entries(v, "snapshots", see_snapshots, err);
}
