/* gguf_write.c -- the header of a GGUF file, version 3, little-endian: the bytes that ggml's
 * gguf_write_to_buf gives for the same metadata and tensors.
 */
#include "formats/format.h"
#include "formats/gguf.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void put_u32(struct text *t, uint32_t v)
{
    text_put(t, &v, sizeof v);
}

static void put_u64(struct text *t, uint64_t v)
{
    text_put(t, &v, sizeof v);
}

static void put_string(struct text *t, const char *s, size_t len)
{
    put_u64(t, len);
    text_put(t, s, len);
}

static void put_scalar(struct text *t, const struct meta *m)
{
    /* Little-endian, so the low bytes of the widened integers are the narrow ones. */
    if (m->type == META_F32) {
        const float v = (float)m->v.f64;
        text_put(t, &v, sizeof v);
    } else {
        text_put(t, &m->v, meta_type_size(m->type));
    }
}

static void put_value(struct text *t, const struct meta *m)
{
    put_u32(t, m->type);
    if (m->type == META_STRING) {
        put_string(t, m->v.string.data, m->v.string.len);
    } else if (m->type != META_ARRAY) {
        put_scalar(t, m);
    } else {
        const size_t n = (size_t)m->v.array.count;
        const struct bytes *const s = m->v.array.data;
        put_u32(t, m->element_type);
        put_u64(t, n);
        if (m->element_type != META_STRING)
            text_put(t, m->v.array.data, n * meta_type_size(m->element_type));
        else
            for (size_t i = 0; i < n; i++)
                put_string(t, s[i].data, s[i].len);
    }
}

/* ---- the metadata of one of several files ---- */

enum { SPLIT_KEYS = 3 };

/* What split.no, split.count and split.tensors.count are in a file; the types as llama.cpp's. */
static void split_entries(const struct catalog *c, uint32_t file, struct meta out[SPLIT_KEYS])
{
    out[0] = (struct meta){.key = GGUF_KEY_SPLIT_NO, .type = META_U16, .v.u64 = file};
    out[1] = (struct meta){.key = GGUF_KEY_SPLIT_COUNT, .type = META_U16, .v.u64 = c->n_files};
    out[2] = (struct meta){
        .key = GGUF_KEY_SPLIT_TENSORS, .type = META_I32, .v.i64 = (int64_t)c->n_tensors};
}

static struct meta *find_entry(struct meta entries[SPLIT_KEYS], const char *key)
{
    for (int i = 0; i < SPLIT_KEYS; i++)
        if (entries[i].key && strcmp(entries[i].key, key) == 0)
            return &entries[i];
    return NULL;
}

/* Writes to list[] (room for n_meta + SPLIT_KEYS) what belongs into one file, and returns how many
 * entries that are. The three split keys follow from files[]: they keep their places where the
 * catalog has them, else they come last; the files after the first have nothing else. In a single
 * file they are left out unless they say that it is one. */
static size_t collect(const struct catalog *c, uint32_t file, struct meta *list)
{
    struct meta split[SPLIT_KEYS];
    uint64_t count = 0;
    size_t n = 0;
    const bool several = c->n_files > 1;
    split_entries(c, file, split);
    catalog_meta_u64(c, GGUF_KEY_SPLIT_COUNT, &count);
    for (size_t i = 0; i < c->n_meta; i++) {
        struct meta *const e = find_entry(split, c->meta[i].key);
        if (!e ? file == 0 : !several && count < 2)
            list[n++] = c->meta[i];
        else if (e && several)
            list[n++] = *e;
        if (e)
            e->key = NULL; /* done */
    }
    for (int i = 0; i < SPLIT_KEYS && several; i++)
        if (split[i].key)
            list[n++] = split[i];
    return n;
}

static lq_status put_metadata(const struct meta *list, size_t n, struct text *t, lq_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const struct meta *const m = &list[i];
        const size_t len = strlen(m->key);
        if (len == 0 || len > GGUF_MAX_KEY)
            return lq_fail(err, LQ_E_MODEL, "a metadata key has %zu bytes; GGUF wants from 1 to %d",
                           len, GGUF_MAX_KEY);
        put_string(t, m->key, len);
        put_value(t, m);
    }
    return LQ_OK;
}

/* ---- tensors ---- */

static lq_status check_tensor(struct tensor *t, uint32_t skip, lq_error *err)
{
    const size_t len = strlen(t->name);
    lq_status status = LQ_OK;
    if (len == 0 || len > GGUF_MAX_NAME)
        status = lq_fail(err, LQ_E_UNSUPPORTED,
                         "the name has %zu bytes; GGUF files can be loaded only if it has from 1 "
                         "to %d",
                         len, GGUF_MAX_NAME);
    else if (t->rank - skip > GGUF_MAX_RANK)
        status = lq_fail(err, LQ_E_UNSUPPORTED, "%u dimensions; GGUF has at most %d",
                         t->rank - skip, GGUF_MAX_RANK);
    else if (t->type->id > 255)
        status = lq_fail(err, LQ_E_UNSUPPORTED, "GGUF has no type %s", t->type->name);
    else if (!tensor_measure(t))
        status =
            lq_fail(err, LQ_E_MODEL, "its rows are no whole number of %s blocks", t->type->name);
    if (status != LQ_OK)
        lq_error_add_tensor(err, t->name);
    return status;
}

/* GGUF has no scalars: they are vectors of 1. Outer dimensions of 1 too many are dropped. */
static lq_status put_tensor(struct tensor *t, uint64_t offset, struct text *out, lq_error *err)
{
    uint32_t skip = 0;
    while (t->rank - skip > GGUF_MAX_RANK && t->dim[skip] == 1)
        skip++;
    LQ_TRY(check_tensor(t, skip, err));
    put_string(out, t->name, strlen(t->name));
    put_u32(out, t->rank ? t->rank - skip : 1);
    if (t->rank == 0)
        put_u64(out, 1);
    for (uint32_t i = t->rank; i-- > skip;)
        put_u64(out, t->dim[i]);
    put_u32(out, t->type->id);
    put_u64(out, offset);
    t->offset = offset;
    return LQ_OK;
}

static lq_status put_tensors(struct catalog *c, uint32_t file, uint32_t alignment, struct text *out,
                             uint64_t *size, lq_error *err)
{
    *size = 0;
    for (size_t i = 0; i < c->n_tensors; i++) {
        struct tensor *const t = &c->tensors[i];
        uint64_t padded;
        if (t->file != file)
            continue;
        LQ_TRY(put_tensor(t, *size, out, err));
        if (!align_u64(t->bytes, alignment, &padded) || !add_u64(*size, padded, size) ||
            *size > INT64_MAX)
            return lq_fail(err, LQ_E_MODEL, "the model is too large for a file");
    }
    return LQ_OK;
}

static void put_zeros(struct text *out, size_t n)
{
    static const char zeros[256];
    for (; n > sizeof zeros; n -= sizeof zeros)
        text_put(out, zeros, sizeof zeros);
    text_put(out, zeros, n);
}

static size_t count_tensors(const struct catalog *c, uint32_t file)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n_tensors; i++)
        n += c->tensors[i].file == file;
    return n;
}

static lq_status put_header(struct catalog *c, uint32_t file, const struct meta *list,
                            size_t n_list, struct text *header, lq_error *err)
{
    const size_t start = header->len;
    struct file *const f = &c->files[file];
    uint64_t data_size;
    uint32_t alignment;
    LQ_TRY(gguf_alignment(list, n_list, f->name, &alignment, err));
    if (file == 0)
        c->alignment = alignment;
    text_puts(header, "GGUF");
    put_u32(header, GGUF_VERSION);
    put_u64(header, count_tensors(c, file));
    put_u64(header, n_list);
    LQ_TRY(put_metadata(list, n_list, header, err));
    LQ_TRY(put_tensors(c, file, alignment, header, &data_size, err));
    const size_t len = header->len - start;
    put_zeros(header, (alignment - len % alignment) % alignment);
    if (header->failed)
        return lq_fail_memory(err);
    f->data_offset = header->len - start;
    f->size = f->data_offset + data_size;
    for (size_t i = 0; i < c->n_tensors; i++)
        if (c->tensors[i].file == file)
            c->tensors[i].offset += f->data_offset;
    return LQ_OK;
}

lq_status gguf_layout(struct catalog *c, uint32_t file, struct text *header, lq_error *err)
{
    if (c->n_files > GGUF_MAX_FILES)
        return lq_fail(err, LQ_E_USAGE, "%zu files; GGUF allows at most %d", c->n_files,
                       GGUF_MAX_FILES);
    struct meta *const list = mem_calloc(c->n_meta + SPLIT_KEYS, sizeof *list);
    if (!list)
        return lq_fail_memory(err);
    const size_t n = collect(c, file, list);
    const lq_status status = put_header(c, file, list, n, header, err);
    free(list);
    return status;
}
