/* plan_steps.c -- transforms of tensors, row by row. */
#include "libquant/convert/plan_steps.h"

#include "libquant/codec/kernels.h"

#include <stdlib.h>
#include <string.h>

/* ---- rows from rows ---- */

/* The two halves of a head's rows become pairs: 0 1 2 3 | 4 5 6 7 -> 0 4 1 5 2 6 3 7. Checkpoints
 * rotate halves, GGUF's llama rotates neighbours. arg[0]: rows of a head. */
static struct row_ref from_permuted(const struct step *s, uint64_t row)
{
    const uint64_t head = (uint64_t)s->arg[0], j = row % head;
    return (struct row_ref){0, row - j + (j & 1) * (head / 2) + j / 2};
}

/* Inputs one after the other. arg[0]: rows of each. */
static struct row_ref from_stack(const struct step *s, uint64_t row)
{
    const uint64_t rows = (uint64_t)s->arg[0];
    return (struct row_ref){(uint32_t)(row / rows), row % rows};
}

/* ---- maps ---- */

static void add_one(const struct step *s, float *x, size_t cols)
{
    (void)s;
    for (size_t i = 0; i < cols; i++)
        x[i] += 1.0f;
}

/* ---- fills ---- */

/* Decodes n elements of a tensor from element `first` on; the caller frees *raw in the end. */
static lq_status decode_at(const struct step *s, const struct tensor *t, uint64_t first, size_t n,
                           float *dst, unsigned isa, lq_error *err)
{
    const struct kernel k = kernel_for(t->type, isa);
    uint64_t bytes, at;
    if (!k.decode || !type_row_bytes(t->type, n, &bytes) || !type_row_bytes(t->type, first, &at))
        return lq_fail(err, LQ_E_UNSUPPORTED, "type %s cannot be converted to numbers",
                       t->type->name);
    void *const raw = mem_calloc(bytes, 1);
    if (!raw)
        return lq_fail_memory(err);
    const lq_status status = catalog_read(s->source, t, raw, bytes, at, err);
    if (status == LQ_OK)
        k.decode(dst, raw, n);
    free(raw);
    return status;
}

/* Any step with row_from semantics whose inputs differ in type; s->data is the function. */
struct row_source {
    struct row_ref (*from)(const struct step *s, uint64_t row);
};

static lq_status fill_rows(const struct step *s, uint64_t row, uint64_t n, float *dst, unsigned isa,
                           lq_error *err)
{
    const struct row_source *const source = s->data;
    const size_t cols = (size_t)tensor_cols(s->in[0]);
    for (uint64_t i = 0; i < n; i++) {
        const struct row_ref r = source->from(s, row + i);
        LQ_TRY(decode_at(s, s->in[r.in], r.row * cols, cols, dst + i * cols, isa, err));
    }
    return LQ_OK;
}

/* A vector whose elements are permuted as rows would be. */
static lq_status fill_vector(const struct step *s, uint64_t row, uint64_t n, float *dst,
                             unsigned isa, lq_error *err)
{
    const struct row_source *const source = s->data;
    const size_t len = (size_t)s->in[0]->elements;
    (void)row;
    (void)n;
    float *const x = mem_calloc(len, sizeof *x);
    if (!x)
        return lq_fail_memory(err);
    const lq_status status = decode_at(s, s->in[0], 0, len, x, isa, err);
    for (size_t i = 0; i < len && status == LQ_OK; i++)
        dst[i] = x[source->from(s, i).row];
    free(x);
    return status;
}

/* arg[0]: columns. */
static lq_status fill_values(const struct step *s, uint64_t row, uint64_t n, float *dst,
                             unsigned isa, lq_error *err)
{
    const size_t cols = (size_t)s->arg[0];
    (void)isa;
    (void)err;
    memcpy(dst, (const float *)s->data + row * cols, n * cols * sizeof *dst);
    return LQ_OK;
}

/* ---- the steps ---- */

static bool one_type(const struct mapped *t)
{
    for (uint32_t i = 1; i < t->n_in; i++)
        if (t->in[i]->type != t->in[0]->type)
            return false;
    return true;
}

/* Rows by `from`, in the cheapest way that fits. */
static lq_status rows_by(struct step *s, const struct mapped *t,
                         struct row_ref (*from)(const struct step *s, uint64_t row),
                         struct arena *a, lq_error *err)
{
    const bool vector = t->rank == 1;
    if (!vector && one_type(t)) {
        s->row_from = from;
        return LQ_OK;
    }
    struct row_source *const source = arena_calloc(a, 1, sizeof *source);
    if (!source)
        return lq_fail_memory(err);
    source->from = from;
    s->data = source;
    s->fill = vector ? fill_vector : fill_rows;
    return LQ_OK;
}

static lq_status transform(struct step *s, const struct model *m, const struct mapped *t,
                           struct arena *a, lq_error *err)
{
    switch ((enum transform)t->rule->transform) {
    case TRANSFORM_NONE: return LQ_OK;
    case TRANSFORM_PERMUTE_Q:
    case TRANSFORM_PERMUTE_K:
        s->arg[0] = (int64_t)m->dim[DIM_HEAD_DIM];
        return rows_by(s, t, from_permuted, a, err);
    case TRANSFORM_STACK:
        s->arg[0] = (int64_t)tensor_rows(t->in[0]);
        return rows_by(s, t, from_stack, a, err);
    case TRANSFORM_ADD_ONE: s->map = add_one; return LQ_OK;
    default:
        return lq_fail(err, LQ_E_UNSUPPORTED, "its transform is not supported yet");
    }
}

lq_status plan_step(struct step *s, const struct model *m, const struct mapped *t, struct arena *a,
                    lq_error *err)
{
    *s = (struct step){.source = &m->source, .in = t->in, .n_in = t->n_in};
    if (!t->rule) {
        s->fill = fill_values;
        s->data = t->values;
        s->arg[0] = (int64_t)t->dim[t->rank - 1];
        return LQ_OK;
    }
    lq_status status = LQ_OK;
    for (uint32_t i = 0; i < t->n_in && status == LQ_OK; i++)
        if (!t->in[i]->type->decode)
            status = lq_fail(err, LQ_E_UNSUPPORTED, "type %s cannot be converted to numbers",
                             t->in[i]->type->name);
    if (status == LQ_OK)
        status = transform(s, m, t, a, err);
    if (status != LQ_OK)
        lq_error_add_tensor(err, t->in[0]->name);
    return status;
}
