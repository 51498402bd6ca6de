/* reproduce_diff.c -- where two models differ first, in words. */
#include "libquant/provenance/reproduce.h"

#include "libquant/convert/make_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- metadata ---- */

static bool same_strings(const struct bytes *a, const struct bytes *b, uint64_t n, uint64_t *at)
{
    for (*at = 0; *at < n; ++*at)
        if (a[*at].len != b[*at].len || memcmp(a[*at].data, b[*at].data, a[*at].len) != 0)
            return false;
    return true;
}

static bool same_numbers(const struct meta *a, const struct meta *b, uint64_t n, uint64_t *at)
{
    const size_t size = meta_type_size(a->element_type);
    const char *const pa = a->v.array.data, *const pb = b->v.array.data;
    for (*at = 0; *at < n; ++*at)
        if (memcmp(pa + *at * size, pb + *at * size, size) != 0)
            return false;
    return true;
}

/* Two arrays of one type: the first element that differs, or of the longer one that is left. */
static bool same_arrays(const struct meta *a, const struct meta *b, uint64_t *at)
{
    const uint64_t na = a->v.array.count, nb = b->v.array.count, n = na < nb ? na : nb;
    const bool same = a->element_type == META_STRING
                          ? same_strings(a->v.array.data, b->v.array.data, n, at)
                          : same_numbers(a, b, n, at);
    return same && na == nb;
}

static void put_value(struct text *t, const struct meta *m)
{
    if (m->type == META_STRING) {
        text_putc(t, '"');
        text_put_printable(t, m->v.string.data, m->v.string.len < 80 ? m->v.string.len : 80);
        text_puts(t, m->v.string.len < 80 ? "\"" : "...\"");
    } else if (m->type == META_F32 || m->type == META_F64) {
        text_printf(t, "%.17g", m->v.f64);
    } else if (m->type == META_BOOL) {
        text_puts(t, m->v.u64 ? "true" : "false");
    } else if (m->type == META_I8 || m->type == META_I16 || m->type == META_I32 ||
               m->type == META_I64) {
        text_printf(t, "%" PRId64, m->v.i64);
    } else {
        text_printf(t, "%" PRIu64, m->v.u64);
    }
}

/* "" where both have the same type and value. */
static void compare_values(struct text *t, const struct meta *derived, const struct meta *claimed)
{
    uint64_t at;
    if (derived->type != claimed->type ||
        (derived->type == META_ARRAY && derived->element_type != claimed->element_type)) {
        text_printf(t, "has the type %s, and should have %s", meta_type_name(claimed->type),
                    meta_type_name(derived->type));
    } else if (derived->type == META_ARRAY) {
        if (!same_arrays(derived, claimed, &at))
            text_printf(t, "differs from element %" PRIu64 " on", at);
    } else if (derived->type == META_STRING
                   ? derived->v.string.len != claimed->v.string.len ||
                         memcmp(derived->v.string.data, claimed->v.string.data,
                                derived->v.string.len) != 0
                   : derived->v.u64 != claimed->v.u64) {
        text_puts(t, "is ");
        put_value(t, claimed);
        text_puts(t, ", and should be ");
        put_value(t, derived);
    }
}

static bool is_added(const char *key)
{
    return text_starts_with(key, "split.");
}

static void compare_metadata(struct text *t, const struct catalog *derived,
                             const struct catalog *claimed)
{
    for (size_t i = 0; i < derived->n_meta && !t->len; i++) {
        const struct meta *const m = &derived->meta[i];
        const struct meta *const other = catalog_meta(claimed, m->key);
        struct text d = {0};
        if (is_added(m->key))
            continue;
        if (other)
            compare_values(&d, m, other);
        else
            text_puts(&d, "is missing");
        if (d.len)
            text_printf(t, "metadata key %s %s", m->key, d.data);
        text_free(&d);
    }
    for (size_t i = 0; i < claimed->n_meta && !t->len; i++)
        if (!is_added(claimed->meta[i].key) && !catalog_meta(derived, claimed->meta[i].key)) {
            text_puts(t, "metadata key ");
            text_put_printable(t, claimed->meta[i].key, strlen(claimed->meta[i].key));
            text_puts(t, " should not be there");
        }
}

/* ---- the list of tensors ---- */

static bool same_shape(const struct tensor *a, const struct tensor *b)
{
    return a->rank == b->rank && (!a->rank || memcmp(a->dim, b->dim, a->rank * sizeof *a->dim) == 0);
}

static void compare_tensors(struct text *t, const struct catalog *derived,
                            const struct catalog *claimed)
{
    for (size_t i = 0; i < derived->n_tensors && !t->len; i++) {
        const struct tensor *const d = &derived->tensors[i];
        const struct tensor *const c = i < claimed->n_tensors ? &claimed->tensors[i] : NULL;
        if (!c || strcmp(c->name, d->name) != 0)
            text_printf(t, "tensor %s should be number %zu of the file, and is not", d->name, i);
        else if (c->type != d->type)
            text_printf(t, "tensor %s has the type %s, and should have %s", d->name, c->type->name,
                        d->type->name);
        else if (!same_shape(c, d))
            text_printf(t, "tensor %s has another shape", d->name);
    }
    if (!t->len && claimed->n_tensors > derived->n_tensors) {
        text_puts(t, "tensor ");
        text_put_printable(t, claimed->tensors[derived->n_tensors].name,
                           strlen(claimed->tensors[derived->n_tensors].name));
        text_puts(t, " should not be there");
    }
}

void reproduce_compare_headers(const struct catalog *derived, const struct catalog *claimed,
                               char *why, size_t size)
{
    struct text t = {0};
    compare_metadata(&t, derived, claimed);
    if (!t.len)
        compare_tensors(&t, derived, claimed);
    snprintf(why, size, "%s", t.len ? t.data : "");
    text_free(&t);
}

/* ---- the bytes of a tensor ---- */

static const struct tensor *tensor_at(const struct catalog *c, uint32_t file, uint64_t offset)
{
    for (size_t i = 0; i < c->n_tensors; i++) {
        const struct tensor *const t = &c->tensors[i];
        if (t->file == file && offset >= t->offset && offset - t->offset < t->bytes)
            return t;
    }
    return NULL;
}

/* Derives row `row` of tensor i again. */
static lq_status make_row(const struct step *s, struct output *derived, size_t i, uint64_t row,
                          const struct stream_options *stream, void *out, lq_error *err)
{
    const struct tensor *const t = &derived->catalog.tensors[i];
    const uint64_t cols = tensor_cols(t);
    const struct chunk chunk = {.step = i, .row = row, .rows = 1, .cols = cols,
                                .first = row * cols, .row_len = cols};
    const struct row_buffers buffers = {mem_calloc((size_t)make_rows_raw_bytes(s, cols) + 1, 1),
                                        mem_calloc((size_t)cols + 1, sizeof(float))};
    size_t len = 0;
    const lq_status status =
        buffers.raw && buffers.floats
            ? make_rows(s, &chunk, derived, 1, stream, &buffers, &out, &len, err)
            : lq_fail_memory(err);
    free(buffers.raw);
    free(buffers.floats);
    return status;
}

/* How many of the block's values differ, and the first two that do. */
static void put_block(struct text *t, const struct type_info *type, const uint8_t *derived,
                      const uint8_t *claimed)
{
    float *const values = mem_calloc(2 * (size_t)type->block_len, sizeof *values);
    unsigned differ = 0, first = 0;
    if (!values || !type->decode) {
        free(values);
        return;
    }
    type->decode(values, derived, type->block_len);
    type->decode(values + type->block_len, claimed, type->block_len);
    for (unsigned i = type->block_len; i-- > 0;)
        if (memcmp(&values[i], &values[type->block_len + i], sizeof *values) != 0) {
            differ++;
            first = i;
        }
    if (differ)
        text_printf(t, "; %u of its %u values differ: value %u is %.9g, and should be %.9g", differ,
                    type->block_len, first, (double)values[type->block_len + first],
                    (double)values[first]);
    free(values);
}

lq_status reproduce_explain(const struct step *steps, struct output *derived, uint32_t file,
                            struct source *claimed, uint64_t offset,
                            const struct stream_options *stream, char *why, size_t size,
                            lq_error *err)
{
    const struct catalog *const c = &derived->catalog;
    const struct tensor *const t = tensor_at(c, file, offset);
    if (!t) {
        snprintf(why, size, "byte %" PRIu64 " differs: %s", offset,
                 offset < c->files[file].data_offset ? "in the header" : "between tensors");
        return LQ_OK;
    }
    const size_t i = (size_t)(t - c->tensors);
    const uint64_t row_bytes = t->bytes / tensor_rows(t), within = offset - t->offset;
    const uint64_t row = within / row_bytes, block = within % row_bytes / t->type->block_bytes;
    const uint64_t byte = within % t->type->block_bytes;
    uint8_t *const ours = mem_calloc((size_t)row_bytes, 1);
    uint8_t *const theirs = mem_calloc(t->type->block_bytes, 1);
    lq_status status =
        ours && theirs ? make_row(&steps[i], derived, i, row, stream, ours, err) : lq_fail_memory(err);
    const uint64_t block_at = within - byte;
    if (status == LQ_OK)
        status = source_read(claimed, theirs, t->type->block_bytes, t->offset + block_at, err);
    if (status == LQ_OK) {
        const uint8_t *const our_block = ours + block * t->type->block_bytes;
        struct text text = {0};
        text_printf(&text,
                    "tensor %s (%s) differs first in row %" PRIu64 ", block %" PRIu64
                    ", byte %" PRIu64 " of %u: %02x, and should be %02x",
                    t->name, t->type->name, row, block, byte, t->type->block_bytes, theirs[byte],
                    our_block[byte]);
        put_block(&text, t->type, our_block, theirs);
        snprintf(why, size, "%s", text.failed ? "" : text.data);
        text_free(&text);
    }
    free(ours);
    free(theirs);
    return status;
}
