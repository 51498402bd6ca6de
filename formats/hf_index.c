/* hf_index.c -- model.safetensors.index.json and the shards that it names, as one catalog.
 *
 *   {"metadata": {"total_size": ..}, "weight_map": {TENSOR: SHARD, ...}}
 *
 * The map must tell the truth: every tensor of every shard once, in the shard that has it.
 * "total_size" is not looked at: many real files have a wrong one.
 */
#include "formats/format.h"
#include "formats/hf_index.h"
#include "formats/safetensors.h"
#include "libquant/base/json.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    const char *tensor, *shard;
    bool seen;
};

struct index {
    struct source *source;
    struct arena arena;
    struct entry *entries; /* by name of the tensor once read */
    size_t n, cap;
    bool has_map;
    lq_error *err;
};

/* ---- reading ---- */

static lq_status read_map(struct index *x, struct json *j)
{
    enum json_event event;
    if (x->has_map)
        return json_fail(j, "\"weight_map\" appears twice");
    x->has_map = true;
    LQ_TRY(json_expect(j, JSON_OBJECT, "weight_map"));
    while ((event = json_next(j)) == JSON_KEY) {
        if (memchr(j->token.data, '\0', j->token.len))
            return json_fail(j, "a tensor name has a NUL character");
        struct entry e = {.tensor = arena_strndup(&x->arena, j->token.data, j->token.len)};
        LQ_TRY(json_expect(j, JSON_STRING, "a file name in weight_map"));
        if (memchr(j->token.data, '\0', j->token.len))
            return json_fail(j, "a file name has a NUL character");
        e.shard = arena_strndup(&x->arena, j->token.data, j->token.len);
        if (!e.tensor || !e.shard ||
            !mem_grow((void **)&x->entries, &x->cap, x->n, sizeof *x->entries))
            return lq_fail_memory(x->err);
        if (!text_ends_with(e.shard, ".safetensors"))
            return json_fail(j, "\"%.200s\" is not the name of a .safetensors file", e.shard);
        if (!resolver_name_is_safe(e.shard))
            return json_fail(j,
                             "\"%.200s\" would lie outside the model's folder, or is no portable "
                             "file name",
                             e.shard);
        x->entries[x->n++] = e;
    }
    return event == JSON_OBJECT_END ? LQ_OK : json_status(j);
}

static lq_status read_document(struct index *x, struct json *j)
{
    enum json_event event;
    LQ_TRY(json_expect(j, JSON_OBJECT, "the index"));
    while ((event = json_next(j)) == JSON_KEY)
        LQ_TRY(json_token_is(j, "weight_map") ? read_map(x, j) : json_skip(j));
    if (event != JSON_OBJECT_END)
        return json_status(j);
    LQ_TRY(json_expect(j, JSON_END, "after the index"));
    if (!x->has_map)
        return lq_fail_at(x->err, LQ_E_UNSUPPORTED, x->source->name, -1,
                          "a JSON document without \"weight_map\", so not the index of a model; to "
                          "open a model that is a folder, name the folder");
    if (x->n == 0)
        return lq_fail_at(x->err, LQ_E_FORMAT, x->source->name, -1, "\"weight_map\" is empty");
    return LQ_OK;
}

static int by_tensor(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->tensor, ((const struct entry *)b)->tensor);
}

static lq_status read_index(struct index *x)
{
    struct json j;
    if (x->source->size > SAFETENSORS_MAX_INDEX)
        return lq_fail_at(x->err, LQ_E_FORMAT, x->source->name, -1,
                          "too large for the index of a model (more than %d bytes)",
                          SAFETENSORS_MAX_INDEX);
    lq_status status = json_open(&j, x->source, 0, x->source->size, 0, x->err);
    if (status == LQ_OK)
        status = read_document(x, &j);
    json_close(&j);
    LQ_TRY(status);
    qsort(x->entries, x->n, sizeof *x->entries, by_tensor);
    for (size_t i = 1; i < x->n; i++)
        if (strcmp(x->entries[i - 1].tensor, x->entries[i].tensor) == 0) {
            lq_fail_at(x->err, LQ_E_FORMAT, x->source->name, -1,
                       "\"weight_map\" has this tensor twice");
            lq_error_add_tensor(x->err, x->entries[i].tensor);
            return LQ_E_FORMAT;
        }
    return LQ_OK;
}

/* ---- the shards ---- */

static int by_string(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Writes the shards' names to names[] (room for n), each once, sorted; returns their number. */
static size_t shard_names(const struct index *x, const char **names)
{
    size_t n = 0;
    for (size_t i = 0; i < x->n; i++)
        names[i] = x->entries[i].shard;
    qsort(names, x->n, sizeof *names, by_string);
    for (size_t i = 0; i < x->n; i++)
        if (n == 0 || strcmp(names[n - 1], names[i]) != 0)
            names[n++] = names[i];
    return n;
}

/* The tensors from `first` on are those of `shard`. */
static lq_status check_against_index(struct index *x, const struct catalog *c, size_t first,
                                     const char *shard)
{
    const char *const path = c->files[c->n_files - 1].source->name;
    for (size_t i = first; i < c->n_tensors; i++) {
        const struct entry key = {.tensor = c->tensors[i].name};
        struct entry *const e = bsearch(&key, x->entries, x->n, sizeof *x->entries, by_tensor);
        if (e && strcmp(e->shard, shard) == 0) {
            e->seen = true; /* twice within a shard: catalog_index finds it */
            continue;
        }
        if (!e)
            lq_fail_at(x->err, LQ_E_MODEL, path, -1,
                       "the index does not list this tensor; the files are not of one model");
        else
            lq_fail_at(x->err, LQ_E_MODEL, path, -1, "the index says that this tensor is in %.200s",
                       e->shard);
        lq_error_add_tensor(x->err, key.tensor);
        return LQ_E_MODEL;
    }
    return LQ_OK;
}

static lq_status open_shard(struct index *x, struct catalog *c, struct resolver *siblings,
                            const char *shard)
{
    struct source *source;
    const size_t first = c->n_tensors, n_meta = c->n_meta;
    const lq_status status = siblings->open(siblings, shard, &source, x->err);
    if (status == LQ_E_IO && !siblings->exists(siblings, shard))
        return lq_fail_at(x->err, LQ_E_MODEL, x->source->name, -1,
                          "the model's file %.200s is missing; is the download complete?", shard);
    LQ_TRY(status);
    LQ_TRY(format_add_source(c, source, shard, x->err));
    LQ_TRY(format_require(&format_safetensors, source, x->err));
    LQ_TRY(safetensors_read_header(c, (uint32_t)c->n_files - 1, x->err));
    if (first > 0)
        c->n_meta = n_meta; /* the first shard's is kept; they all say {"format": "pt"} */
    return check_against_index(x, c, first, shard);
}

static lq_status open_shards(struct index *x, struct catalog *c, struct resolver *siblings)
{
    const char **const names = mem_calloc(x->n, sizeof *names);
    if (!names)
        return lq_fail_memory(x->err);
    const size_t n = shard_names(x, names);
    lq_status status = LQ_OK;
    for (size_t i = 0; i < n && status == LQ_OK; i++)
        status = open_shard(x, c, siblings, names[i]);
    free(names);
    LQ_TRY(status);
    for (size_t i = 0; i < x->n; i++)
        if (!x->entries[i].seen) {
            lq_fail_at(x->err, LQ_E_MODEL, x->source->name, -1,
                       "the tensor should be in %.200s, but is not there", x->entries[i].shard);
            lq_error_add_tensor(x->err, x->entries[i].tensor);
            return LQ_E_MODEL;
        }
    return LQ_OK;
}

lq_status hf_index_open(struct catalog *c, struct source *source, struct resolver *siblings,
                        lq_error *err)
{
    struct index x = {.source = source, .err = err};
    lq_status status = read_index(&x);
    if (status == LQ_OK && !siblings)
        status = lq_fail_at(err, LQ_E_UNSUPPORTED, source->name, -1,
                            "the index of a model whose files cannot be reached from here");
    if (status == LQ_OK)
        status = open_shards(&x, c, siblings);
    c->alignment = 1;
    free(x.entries);
    arena_free(&x.arena);
    return status;
}
