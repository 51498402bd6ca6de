/* quant.c -- the public interface over the parts that do the work. */
#include "libquant/quant.h"

#include "formats/format.h"
#include "libquant/base/status.h"
#include "libquant/base/threads.h"
#include "libquant/catalog/catalog.h"
#include "libquant/codec/kernels.h"

#include <stdlib.h>

/* ---- types ---- */

static void describe(const struct type_info *t, lq_type_layout *out)
{
    *out = (lq_type_layout){
        .name = t->name,
        .gguf_id = t->id,
        .block_elements = t->block_len,
        .block_bytes = t->block_bytes,
        .can_decode = t->decode != NULL,
        .can_encode = t->encode != NULL,
        .needs_importance = (t->flags & TYPE_NEEDS_IMPORTANCE) != 0,
    };
}

size_t lq_type_count(void)
{
    return type_count();
}

lq_status lq_type_at(size_t i, lq_type_layout *out)
{
    if (i >= type_count())
        return LQ_E_USAGE;
    describe(type_at(i), out);
    return LQ_OK;
}

lq_status lq_type_find(const char *name, lq_type_layout *out)
{
    const struct type_info *const t = type_by_name(name);
    if (!t)
        return LQ_E_USAGE;
    describe(t, out);
    return LQ_OK;
}

/* The type, if `n` elements of it take exactly `size` bytes. */
static lq_status check_size(const char *name, uint64_t n, size_t size, const struct type_info **out,
                            lq_error *err)
{
    uint64_t bytes;
    *out = type_by_name(name);
    if (!*out)
        return lq_fail(err, LQ_E_USAGE, "there is no type \"%.40s\"", name);
    if (!type_row_bytes(*out, n, &bytes))
        return lq_fail(err, LQ_E_USAGE, "a row of type %s is a multiple of %u elements",
                       (*out)->name, (unsigned)(*out)->block_len);
    if (bytes != size)
        return lq_fail(err, LQ_E_USAGE, "%zu bytes given, but this takes %llu", size,
                       (unsigned long long)bytes);
    return LQ_OK;
}

lq_status lq_encode(const char *type, const float *src, size_t rows, size_t cols,
                    const float *importance, void *dst, size_t dst_size, lq_error *err)
{
    const struct type_info *t;
    uint64_t n, row_bytes;
    if (!mul_u64(rows, cols, &n))
        return lq_fail(err, LQ_E_USAGE, "too many elements");
    LQ_TRY(check_size(type, n, dst_size, &t, err));
    if (!type_row_bytes(t, cols, &row_bytes))
        return lq_fail(err, LQ_E_USAGE, "a row of type %s is a multiple of %u elements", t->name,
                       (unsigned)t->block_len);
    if (!t->encode)
        return lq_fail(err, LQ_E_UNSUPPORTED, "type %s is only read", t->name);
    if ((t->flags & TYPE_NEEDS_IMPORTANCE) && !importance)
        return lq_fail(err, LQ_E_USAGE, "type %s needs importance weights", t->name);
    fenv_t saved;
    fp_enter(&saved);
    kernel_for(t, isa_detect()).encode(dst, src, rows, cols, importance);
    fp_leave(&saved);
    return LQ_OK;
}

static void decode(const struct type_info *t, float *dst, const void *src, size_t n)
{
    fenv_t saved;
    fp_enter(&saved);
    kernel_for(t, isa_detect()).decode(dst, src, n);
    fp_leave(&saved);
}

lq_status lq_decode(const char *type, const void *src, size_t src_size, float *dst, size_t n,
                    lq_error *err)
{
    const struct type_info *t;
    LQ_TRY(check_size(type, n, src_size, &t, err));
    if (!t->decode)
        return lq_fail(err, LQ_E_UNSUPPORTED, "type %s has no numbers to decode", t->name);
    decode(t, dst, src, n);
    return LQ_OK;
}

/* ---- models ---- */

struct lq_model {
    struct catalog catalog;
};

lq_status lq_model_open(lq_model **out, const char *path, lq_error *err)
{
    *out = NULL;
    lq_model *const m = mem_calloc(1, sizeof *m);
    if (!m)
        return lq_fail_memory(err);
    lq_status status = model_open(&m->catalog, path, err);
    /* Look-ups by name must not build the index later: a handle is used by several threads. */
    if (status == LQ_OK && (status = catalog_index(&m->catalog, err)) != LQ_OK)
        catalog_release(&m->catalog);
    if (status != LQ_OK)
        free(m);
    else
        *out = m;
    return status;
}

void lq_model_close(lq_model *model)
{
    if (!model)
        return;
    catalog_release(&model->catalog);
    free(model);
}

const char *lq_model_format(const lq_model *model)
{
    return model->catalog.format->name;
}

size_t lq_model_tensor_count(const lq_model *model)
{
    return model->catalog.n_tensors;
}

lq_status lq_model_tensor(const lq_model *model, size_t i, lq_tensor *out)
{
    if (i >= model->catalog.n_tensors)
        return LQ_E_USAGE;
    const struct tensor *const t = &model->catalog.tensors[i];
    *out = (lq_tensor){.name = t->name, .type = t->type->name, .rank = t->rank, .dim = t->dim,
                       .elements = t->elements, .bytes = t->bytes};
    return LQ_OK;
}

lq_status lq_model_find(const lq_model *model, const char *name, size_t *i)
{
    const struct tensor *const t = catalog_find(&model->catalog, name);
    if (!t)
        return LQ_E_USAGE;
    *i = (size_t)(t - model->catalog.tensors);
    return LQ_OK;
}

lq_status lq_model_read_stored(const lq_model *model, size_t i, uint64_t at, size_t n, void *dst,
                               lq_error *err)
{
    if (i >= model->catalog.n_tensors)
        return lq_fail(err, LQ_E_USAGE, "there is no tensor number %zu", i);
    return catalog_read(&model->catalog, &model->catalog.tensors[i], dst, n, at, err);
}

lq_status lq_model_read(const lq_model *model, size_t i, uint64_t first, size_t n, float *dst,
                        lq_error *err)
{
    if (i >= model->catalog.n_tensors)
        return lq_fail(err, LQ_E_USAGE, "there is no tensor number %zu", i);
    const struct type_info *const t = model->catalog.tensors[i].type;
    uint64_t at, bytes;
    if (!type_row_bytes(t, first, &at) || !type_row_bytes(t, n, &bytes))
        return lq_fail(err, LQ_E_USAGE, "type %s is read in multiples of %u elements", t->name,
                       (unsigned)t->block_len);
    if (!t->decode)
        return lq_fail(err, LQ_E_UNSUPPORTED, "type %s has no numbers to decode", t->name);
    void *const stored = mem_calloc((size_t)bytes, 1);
    if (!stored)
        return lq_fail_memory(err);
    const lq_status status = lq_model_read_stored(model, i, at, (size_t)bytes, stored, err);
    if (status == LQ_OK)
        decode(t, dst, stored, n);
    free(stored);
    return status;
}

size_t lq_model_key_count(const lq_model *model)
{
    return model->catalog.n_meta;
}

const char *lq_model_key(const lq_model *model, size_t i)
{
    return i < model->catalog.n_meta ? model->catalog.meta[i].key : NULL;
}

const char *lq_model_string(const lq_model *model, const char *key)
{
    return catalog_meta_string(&model->catalog, key);
}

int lq_model_integer(const lq_model *model, const char *key, uint64_t *out)
{
    return catalog_meta_u64(&model->catalog, key, out);
}

int lq_model_number(const lq_model *model, const char *key, double *out)
{
    return catalog_meta_f64(&model->catalog, key, out);
}
