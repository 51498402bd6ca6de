/* catalog.c -- files, tensors and metadata of a model. */
#include "libquant/catalog/catalog.h"

#include "libquant/base/bytes.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    size_t size;
} meta_types[META_TYPE_COUNT] = {
    [META_U8] = {"u8", 1},         [META_I8] = {"i8", 1},       [META_U16] = {"u16", 2},
    [META_I16] = {"i16", 2},       [META_U32] = {"u32", 4},     [META_I32] = {"i32", 4},
    [META_F32] = {"f32", 4},       [META_BOOL] = {"bool", 1},   [META_STRING] = {"string", 0},
    [META_ARRAY] = {"array", 0},   [META_U64] = {"u64", 8},     [META_I64] = {"i64", 8},
    [META_F64] = {"f64", 8},
};

size_t meta_type_size(unsigned type)
{
    return type < META_TYPE_COUNT ? meta_types[type].size : 0;
}

const char *meta_type_name(unsigned type)
{
    return type < META_TYPE_COUNT ? meta_types[type].name : "?";
}

uint64_t tensor_cols(const struct tensor *t)
{
    return t->rank ? t->dim[t->rank - 1] : 1;
}

uint64_t tensor_rows(const struct tensor *t)
{
    const uint64_t cols = tensor_cols(t);
    return cols ? t->elements / cols : 0;
}

bool tensor_measure(struct tensor *t)
{
    uint64_t elements = 1, at_least = 1, row_bytes;
    for (uint32_t i = 0; i < t->rank; i++) {
        /* A zero must not hide that the other sizes overflow: [2^40, 2^40, 0]. */
        if (!mul_u64(at_least, t->dim[i] ? t->dim[i] : 1, &at_least))
            return false;
        elements *= t->dim[i];
    }
    const uint64_t cols = tensor_cols(t);
    if (t->type->flags & TYPE_SUBBYTE) {
        if (!type_row_bytes(t->type, elements, &t->bytes))
            return false;
    } else {
        if (!type_row_bytes(t->type, cols, &row_bytes) ||
            !mul_u64(row_bytes, cols ? elements / cols : 0, &t->bytes))
            return false;
        uint64_t limit;
        if (!mul_u64(at_least, t->type->block_bytes, &limit))
            return false;
    }
    t->elements = elements;
    return true;
}

void catalog_release(struct catalog *c)
{
    for (size_t i = 0; i < c->n_files; i++)
        source_close(c->files[i].source);
    free(c->files);
    free(c->tensors);
    free(c->meta);
    free(c->index);
    arena_free(&c->arena);
    memset(c, 0, sizeof *c);
}

uint64_t catalog_file_bytes(const struct catalog *c)
{
    uint64_t n = 0;
    for (size_t i = 0; i < c->n_files; i++)
        n += c->files[i].size;
    return n;
}

struct file *catalog_add_file(struct catalog *c)
{
    if (!mem_grow((void **)&c->files, &c->cap_files, c->n_files, sizeof *c->files))
        return NULL;
    struct file *const f = &c->files[c->n_files++];
    memset(f, 0, sizeof *f);
    return f;
}

struct tensor *catalog_add_tensor(struct catalog *c)
{
    free(c->index);
    c->index = NULL;
    if (!mem_grow((void **)&c->tensors, &c->cap_tensors, c->n_tensors, sizeof *c->tensors))
        return NULL;
    struct tensor *const t = &c->tensors[c->n_tensors++];
    memset(t, 0, sizeof *t);
    return t;
}

struct meta *catalog_add_meta(struct catalog *c)
{
    if (!mem_grow((void **)&c->meta, &c->cap_meta, c->n_meta, sizeof *c->meta))
        return NULL;
    struct meta *const m = &c->meta[c->n_meta++];
    memset(m, 0, sizeof *m);
    return m;
}

/* ---- look-up of tensors: their numbers, sorted by name (no hash that an attacker could fill) ---- */

struct tensor_index {
    size_t n;
    struct by_name {
        const char *name;
        uint32_t at;
    } entry[];
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct by_name *)a)->name, ((const struct by_name *)b)->name);
}

lq_status catalog_index(struct catalog *c, lq_error *err)
{
    if (!c->index) {
        if (c->n_tensors > UINT32_MAX)
            return lq_fail_at(err, LQ_E_FORMAT, c->path, -1, "too many tensors");
        c->index = mem_calloc(1, sizeof *c->index + c->n_tensors * sizeof c->index->entry[0]);
        if (!c->index)
            return lq_fail_memory(err);
        c->index->n = c->n_tensors;
        for (size_t i = 0; i < c->n_tensors; i++)
            c->index->entry[i] = (struct by_name){c->tensors[i].name, (uint32_t)i};
        qsort(c->index->entry, c->index->n, sizeof c->index->entry[0], compare_names);
    }
    for (size_t i = 1; i < c->index->n; i++) {
        const struct by_name *const e = &c->index->entry[i];
        if (strcmp(e[-1].name, e->name) == 0) {
            const struct tensor *const t = &c->tensors[e->at];
            const struct file *const f = t->file < c->n_files ? &c->files[t->file] : NULL;
            lq_fail_at(err, LQ_E_FORMAT,
                       !f ? c->path : f->source ? f->source->name : f->name, -1,
                       "two tensors have this name");
            lq_error_add_tensor(err, e->name);
            return LQ_E_FORMAT;
        }
    }
    return LQ_OK;
}

const struct tensor *catalog_find(const struct catalog *c, const char *name)
{
    if (!c->index && catalog_index((struct catalog *)(uintptr_t)c, NULL) != LQ_OK && !c->index) {
        for (size_t i = 0; i < c->n_tensors; i++)
            if (strcmp(c->tensors[i].name, name) == 0)
                return &c->tensors[i];
        return NULL;
    }
    const struct by_name key = {name, 0};
    const struct by_name *const e = bsearch(&key, c->index->entry, c->index->n,
                                            sizeof c->index->entry[0], compare_names);
    return e ? &c->tensors[e->at] : NULL;
}

/* ---- metadata ---- */

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

lq_status catalog_check_keys(const struct catalog *c, lq_error *err)
{
    const char **const keys = mem_calloc(c->n_meta, sizeof *keys);
    if (!keys)
        return lq_fail_memory(err);
    for (size_t i = 0; i < c->n_meta; i++)
        keys[i] = c->meta[i].key;
    qsort(keys, c->n_meta, sizeof *keys, compare_keys);
    lq_status status = LQ_OK;
    for (size_t i = 1; i < c->n_meta && status == LQ_OK; i++)
        if (strcmp(keys[i - 1], keys[i]) == 0)
            status = lq_fail_at(err, LQ_E_FORMAT, c->n_files ? c->files[0].name : c->path, -1,
                                "the metadata key \"%.200s\" appears twice", keys[i]);
    free(keys);
    return status;
}

const struct meta *catalog_meta(const struct catalog *c, const char *key)
{
    for (size_t i = 0; i < c->n_meta; i++)
        if (strcmp(c->meta[i].key, key) == 0)
            return &c->meta[i];
    return NULL;
}

const struct meta *catalog_meta_array(const struct catalog *c, const char *key,
                                      enum meta_type element_type)
{
    const struct meta *const m = catalog_meta(c, key);
    return m && m->type == META_ARRAY && m->element_type == element_type ? m : NULL;
}

bool catalog_meta_u64(const struct catalog *c, const char *key, uint64_t *out)
{
    const struct meta *const m = catalog_meta(c, key);
    switch (m ? m->type : META_TYPE_COUNT) {
    case META_U8:
    case META_U16:
    case META_U32:
    case META_U64: *out = m->v.u64; return true;
    case META_I8:
    case META_I16:
    case META_I32:
    case META_I64: *out = (uint64_t)m->v.i64; return m->v.i64 >= 0;
    default:       return false;
    }
}

bool catalog_meta_f64(const struct catalog *c, const char *key, double *out)
{
    const struct meta *const m = catalog_meta(c, key);
    if (!m || (m->type != META_F32 && m->type != META_F64))
        return false;
    *out = m->v.f64;
    return true;
}

const char *catalog_meta_string(const struct catalog *c, const char *key)
{
    const struct meta *const m = catalog_meta(c, key);
    return m && m->type == META_STRING && strlen(m->v.string.data) == m->v.string.len
               ? m->v.string.data
               : NULL;
}

static struct meta *set(struct catalog *c, const char *key, enum meta_type type)
{
    struct meta *m = (struct meta *)(uintptr_t)catalog_meta(c, key);
    if (!m) {
        const char *const copy = arena_strdup(&c->arena, key);
        m = copy ? catalog_add_meta(c) : NULL;
        if (!m)
            return NULL;
        m->key = copy;
    }
    m->type = (uint8_t)type;
    return m;
}

lq_status catalog_set_uint(struct catalog *c, const char *key, enum meta_type type, uint64_t value,
                           lq_error *err)
{
    struct meta *const m = set(c, key, type);
    if (!m)
        return lq_fail_memory(err);
    m->v.u64 = value;
    return LQ_OK;
}

lq_status catalog_set_int(struct catalog *c, const char *key, enum meta_type type, int64_t value,
                          lq_error *err)
{
    struct meta *const m = set(c, key, type);
    if (!m)
        return lq_fail_memory(err);
    m->v.i64 = value;
    return LQ_OK;
}

lq_status catalog_set_float(struct catalog *c, const char *key, enum meta_type type, double value,
                            lq_error *err)
{
    struct meta *const m = set(c, key, type);
    if (!m)
        return lq_fail_memory(err);
    m->v.f64 = type == META_F32 ? (double)(float)value : value;
    return LQ_OK;
}

lq_status catalog_set_bool(struct catalog *c, const char *key, bool value, lq_error *err)
{
    return catalog_set_uint(c, key, META_BOOL, value, err);
}

lq_status catalog_set_string(struct catalog *c, const char *key, const char *s, size_t len,
                             lq_error *err)
{
    const char *const copy = arena_strndup(&c->arena, s, len);
    struct meta *const m = copy ? set(c, key, META_STRING) : NULL;
    if (!m)
        return lq_fail_memory(err);
    m->v.string = (struct bytes){copy, len};
    return LQ_OK;
}

lq_status catalog_set_array(struct catalog *c, const char *key, enum meta_type element_type,
                            const void *data, uint64_t count, lq_error *err)
{
    struct meta *const m = set(c, key, META_ARRAY);
    if (!m)
        return lq_fail_memory(err);
    m->element_type = (uint8_t)element_type;
    m->v.array.count = count;
    m->v.array.data = data;
    return LQ_OK;
}

bool catalog_remove_meta(struct catalog *c, const char *key)
{
    const struct meta *const m = catalog_meta(c, key);
    if (!m)
        return false;
    const size_t i = (size_t)(m - c->meta);
    memmove(c->meta + i, c->meta + i + 1, (c->n_meta - i - 1) * sizeof *c->meta);
    c->n_meta--;
    return true;
}

/* ---- tensor data ---- */

/* Bytes of the numbers inside a block that byte order concerns, or 0 where the type is made of
 * single bytes only, or mixes sizes (no reader of big-endian blocks exists to agree with). */
static size_t swap_unit(const struct type_info *type)
{
    if (type->id == LQ_TYPE_C64)
        return 4;
    return type->block_len == 1 ? type->block_bytes : 0;
}

lq_status catalog_read(const struct catalog *c, const struct tensor *t, void *dst, size_t n,
                       uint64_t at, lq_error *err)
{
    lq_status status = LQ_OK;
    uint64_t end;
    if (!add_u64(at, n, &end) || end > t->bytes)
        status = lq_fail(err, LQ_E_FORMAT, "read past the end of the tensor");
    else if (c->big_endian && !swap_unit(t->type))
        status = lq_fail_at(err, LQ_E_UNSUPPORTED, c->files[t->file].source->name, -1,
                            "big-endian data of type %s; convert the file with the tool that made "
                            "it, or take the little-endian one",
                            t->type->name);
    else
        status = source_read(c->files[t->file].source, dst, n, t->offset + at, err);
    if (status != LQ_OK) {
        lq_error_add_tensor(err, t->name);
        return status;
    }
    if (c->big_endian && swap_unit(t->type) > 1)
        bytes_swap(dst, n / swap_unit(t->type), swap_unit(t->type));
    return LQ_OK;
}
