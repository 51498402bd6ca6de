/* gguf_split.c -- a GGUF model in several files: PREFIX-00001-of-00003.gguf and its siblings.
 *
 * The first file has the metadata; each has split.no (from 0), split.count and split.tensors.count
 * (of all files together).
 */
#include "formats/format.h"
#include "formats/gguf.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A whole number under `key` among n entries. */
static bool find_count(const struct meta *meta, size_t n, const char *key, uint64_t *out)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(meta[i].key, key) != 0)
            continue;
        const struct catalog one = {.meta = (struct meta *)(uintptr_t)&meta[i], .n_meta = 1};
        return catalog_meta_u64(&one, key, out);
    }
    return false;
}

static bool same_array(const struct meta *a, const struct meta *b)
{
    if (a->element_type != b->element_type || a->v.array.count != b->v.array.count)
        return false;
    const size_t n = (size_t)a->v.array.count;
    if (a->element_type != META_STRING)
        return n == 0 ||
               memcmp(a->v.array.data, b->v.array.data, n * meta_type_size(a->element_type)) == 0;
    const struct bytes *const x = a->v.array.data, *const y = b->v.array.data;
    for (size_t i = 0; i < n; i++)
        if (x[i].len != y[i].len || memcmp(x[i].data, y[i].data, x[i].len) != 0)
            return false;
    return true;
}

static bool same_value(const struct meta *a, const struct meta *b)
{
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case META_ARRAY: return same_array(a, b);
    case META_STRING:
        return a->v.string.len == b->v.string.len &&
               memcmp(a->v.string.data, b->v.string.data, a->v.string.len) == 0;
    default: return a->v.u64 == b->v.u64; /* the bits of a float, too */
    }
}

static int by_key(const void *a, const void *b)
{
    return strcmp((*(const struct meta *const *)a)->key, (*(const struct meta *const *)b)->key);
}

/* llama.cpp looks at the first file's metadata only. What a later file repeats must be the same. */
static lq_status check_no_conflict(const struct catalog *c, size_t n_first, const char *file,
                                   lq_error *err)
{
    const struct meta **const first = mem_calloc(n_first, sizeof *first);
    if (!first)
        return lq_fail_memory(err);
    for (size_t i = 0; i < n_first; i++)
        first[i] = &c->meta[i];
    qsort(first, n_first, sizeof *first, by_key);
    lq_status status = LQ_OK;
    for (size_t i = n_first; i < c->n_meta && status == LQ_OK; i++) {
        const struct meta *const m = &c->meta[i];
        const struct meta *const *const same = bsearch(&m, first, n_first, sizeof *first, by_key);
        if (same && !text_starts_with(m->key, "split.") && !same_value(*same, m))
            status = lq_fail_at(err, LQ_E_MODEL, file, -1,
                                "its metadata \"%.200s\" differs from that of the first file; the "
                                "files are not of one model",
                                m->key);
    }
    free(first);
    return status;
}

static lq_status open_part(struct catalog *c, struct resolver *siblings, const char *name,
                           uint32_t no, uint64_t count, lq_error *err)
{
    struct source *source;
    const lq_status status = siblings->open(siblings, name, &source, err);
    if (status == LQ_E_IO && !siblings->exists(siblings, name))
        return lq_fail_at(err, LQ_E_MODEL, c->files[0].source->name, -1,
                          "the model's file %u of %" PRIu64 ", %.200s, is missing; all must be in "
                          "one folder",
                          no + 1, count, name);
    LQ_TRY(status);
    LQ_TRY(format_add_source(c, source, name, err));
    LQ_TRY(format_require(&format_gguf, source, err));
    const size_t n_first = c->n_meta;
    LQ_TRY(gguf_read_header(c, no, err));
    const size_t n_own = c->n_meta - n_first;
    const struct meta *const own = n_own ? c->meta + n_first : NULL;
    uint64_t own_no, own_count;
    if (!find_count(own, n_own, GGUF_KEY_SPLIT_NO, &own_no) || own_no != no ||
        !find_count(own, n_own, GGUF_KEY_SPLIT_COUNT, &own_count) || own_count != count)
        return lq_fail_at(err, LQ_E_MODEL, source->name, -1,
                          "its metadata does not say that it is file %u of %" PRIu64
                          "; it belongs to another model, or was renamed",
                          no + 1, count);
    LQ_TRY(check_no_conflict(c, n_first, source->name, err));
    c->n_meta = n_first;
    return LQ_OK;
}

/* Length of what precedes "-00001-of-00003.gguf" in a file name; 0 where it does not end so. */
static lq_status prefix_length(const char *name, uint64_t no, uint64_t count, size_t *len,
                               lq_error *err)
{
    struct text suffix = {0};
    format_shard_name(&format_gguf, &suffix, "", (uint32_t)no, (uint32_t)count);
    *len = 0;
    if (suffix.failed)
        return lq_fail_memory(err);
    if (text_ends_with(name, suffix.data))
        *len = strlen(name) - suffix.len;
    text_free(&suffix);
    return LQ_OK;
}

static lq_status open_parts(struct catalog *c, struct resolver *siblings, const char *prefix,
                            size_t prefix_len, uint64_t count, lq_error *err)
{
    struct text stem = {0}, name = {0};
    text_put(&stem, prefix, prefix_len);
    lq_status status = LQ_OK;
    for (uint32_t no = 1; no < count && status == LQ_OK; no++) {
        name.len = 0;
        if (!stem.failed)
            format_shard_name(&format_gguf, &name, stem.data, no, (uint32_t)count);
        status = stem.failed || name.failed ? lq_fail_memory(err)
                                            : open_part(c, siblings, name.data, no, count, err);
    }
    text_free(&stem);
    text_free(&name);
    return status;
}

lq_status gguf_open_split(struct catalog *c, struct resolver *siblings, lq_error *err)
{
    uint64_t no = 0, count, total;
    if (!find_count(c->meta, c->n_meta, GGUF_KEY_SPLIT_COUNT, &count) || count < 2)
        return LQ_OK;
    const char *const path = c->files[0].source->name;
    if (count > GGUF_MAX_FILES)
        return lq_fail_at(err, LQ_E_FORMAT, path, -1, "%" PRIu64 " files; at most %d are possible",
                          count, GGUF_MAX_FILES);
    if (!find_count(c->meta, c->n_meta, GGUF_KEY_SPLIT_NO, &no) || no >= count)
        return lq_fail_at(err, LQ_E_FORMAT, path, -1,
                          "one of %" PRIu64 " files of a model, but it does not say which", count);
    const char *const name = arena_strdup(&c->arena, path_last_part(path));
    if (!name)
        return lq_fail_memory(err);
    size_t prefix;
    LQ_TRY(prefix_length(name, no, count, &prefix, err));
    if (prefix == 0)
        return lq_fail_at(err, LQ_E_MODEL, path, -1,
                          "file %" PRIu64 " of %" PRIu64 " of a model must be named "
                          "NAME-%05" PRIu64 "-of-%05" PRIu64 ".gguf",
                          no + 1, count, no + 1, count);
    if (no != 0)
        return lq_fail_at(err, LQ_E_MODEL, path, -1,
                          "file %" PRIu64 " of %" PRIu64 " of a model; open the first, "
                          "%.*s-00001-of-%05" PRIu64 ".gguf",
                          no + 1, count, (int)(prefix < 300 ? prefix : 300), name, count);
    if (!siblings)
        return lq_fail_at(err, LQ_E_UNSUPPORTED, path, -1,
                          "the first of %" PRIu64 " files of a model, and the others cannot be "
                          "reached from here",
                          count);
    if (!find_count(c->meta, c->n_meta, GGUF_KEY_SPLIT_TENSORS, &total))
        return lq_fail_at(err, LQ_E_FORMAT, path, -1,
                          "the metadata \"" GGUF_KEY_SPLIT_TENSORS "\" is missing");
    c->files[0].name = name;
    LQ_TRY(open_parts(c, siblings, name, prefix, count, err));
    if (total != c->n_tensors)
        return lq_fail_at(err, LQ_E_MODEL, path, -1,
                          "the model has %" PRIu64 " tensors by its metadata, but the %" PRIu64
                          " files hold %zu",
                          total, count, c->n_tensors);
    return LQ_OK;
}
