/* graph_read.c -- metadata and small tensors of a graph, each checked where it is read. */
#include "libquant/eval/graph_read.h"

#include "libquant/base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- metadata ---- */

void graph_key(const struct graph_reader *r, char key[128], const char *name)
{
    snprintf(key, 128, "%s%s", r->g->arch->name, name);
}

void graph_fail_key(struct graph_reader *r, const char *key, const char *what)
{
    if (r->status == LQ_OK)
        r->status =
            lq_fail_at(r->err, LQ_E_MODEL, r->c->path, -1, "metadata: \"%s\" %s", key, what);
}

uint32_t graph_u32(struct graph_reader *r, const char *name, uint32_t fallback, uint32_t min,
                   uint32_t max)
{
    char key[128];
    uint64_t value = fallback;
    graph_key(r, key, name);
    const struct meta *const m = catalog_meta(r->c, key);
    if (m && m->type == META_ARRAY && m->v.array.count &&
        (m->element_type == META_U32 || m->element_type == META_I32)) {
        const uint32_t *const list = m->v.array.data;
        value = list[0];
        for (uint64_t i = 1; i < m->v.array.count; i++)
            if (list[i] != list[0])
                graph_fail_key(r, key, "differs from layer to layer, which is not supported");
    } else if (m && !catalog_meta_u64(r->c, key, &value)) {
        graph_fail_key(r, key, "is no whole number");
    } else if (!m && fallback == UINT32_MAX) {
        graph_fail_key(r, key, "is missing");
    }
    if ((m || fallback != UINT32_MAX) && (value < min || value > max))
        graph_fail_key(r, key, "is out of range");
    return r->status == LQ_OK ? (uint32_t)value : min;
}

double graph_f64(struct graph_reader *r, const char *name, double fallback)
{
    char key[128];
    double value = fallback;
    uint64_t whole;
    graph_key(r, key, name);
    if (catalog_meta_u64(r->c, key, &whole))
        value = (double)whole;
    else if (catalog_meta(r->c, key) && !catalog_meta_f64(r->c, key, &value))
        graph_fail_key(r, key, "is no number");
    if (!isfinite(value) || fabs(value) > 1e30)
        graph_fail_key(r, key, "is out of range");
    return r->status == LQ_OK ? value : fallback;
}

bool graph_bool(const struct graph_reader *r, const char *name, bool fallback)
{
    char key[128];
    graph_key(r, key, name);
    const struct meta *const m = catalog_meta(r->c, key);
    return m && m->type == META_BOOL ? m->v.u64 != 0 : fallback;
}

const char *graph_string(struct graph_reader *r, const char *name)
{
    char key[128];
    graph_key(r, key, name);
    return catalog_meta_string(r->c, key);
}

/* ---- tensors ---- */

static void full_name(const struct graph_reader *r, char full[192], const char *name)
{
    if (r->layer == UINT32_MAX)
        snprintf(full, 192, "%s", name);
    else
        snprintf(full, 192, "blk.%" PRIu32 ".%s", r->layer, name);
}

const struct tensor *graph_tensor(struct graph_reader *r, const char *name)
{
    char full[192];
    full_name(r, full, name);
    return catalog_find(r->c, full);
}

void graph_fail_missing(struct graph_reader *r, const char *name)
{
    char full[192];
    if (r->status != LQ_OK)
        return;
    full_name(r, full, name);
    r->status = lq_fail(r->err, LQ_E_MODEL, "is missing: a %s model cannot be run without",
                        r->g->arch->name);
    lq_error_add_tensor(r->err, full);
}

void graph_expect(struct graph_reader *r, const struct tensor *t, uint32_t rank, uint64_t a,
                  uint64_t b, uint64_t c)
{
    const uint64_t want[3] = {a, b, c};
    if (r->status != LQ_OK)
        return;
    bool same = t->rank == rank;
    for (uint32_t i = 0; same && i < rank; i++)
        same = t->dim[i] == want[i] && want[i] != 0;
    if (same && t->type->decode)
        return;
    struct text shape = {0};
    for (uint32_t i = 0; i < rank; i++)
        text_printf(&shape, "%s%" PRIu64, i ? ", " : "", want[i]);
    r->status =
        same ? lq_fail(r->err, LQ_E_UNSUPPORTED, "has no numbers to compute with")
             : lq_fail(r->err, LQ_E_MODEL, "has another shape than the metadata promise: [%s]",
                       shape.failed ? "" : shape.data);
    lq_error_add_tensor(r->err, t->name);
    text_free(&shape);
}

/* All values of a small tensor. */
static const float *graph_values(struct graph_reader *r, const struct tensor *t)
{
    const struct weights *const w = r->g->weights;
    if (r->status != LQ_OK)
        return NULL;
    float *const values = arena_calloc(&r->g->arena, t->elements, sizeof *values);
    void *const raw = mem_calloc(w->raw_bytes(w, t, tensor_rows(t)), 1);
    if (!values || !raw)
        r->status = lq_fail_memory(r->err);
    else
        r->status = w->rows(w, t, 0, tensor_rows(t), raw, values, r->isa, r->err);
    if (r->status != LQ_OK)
        lq_error_add_tensor(r->err, t->name);
    free(raw);
    return r->status == LQ_OK ? values : NULL;
}

const float *graph_vector(struct graph_reader *r, const char *name, uint64_t n, bool required)
{
    const struct tensor *const t = graph_tensor(r, name);
    if (!t && required)
        graph_fail_missing(r, name);
    if (!t)
        return NULL;
    graph_expect(r, t, 1, n, 0, 0);
    return graph_values(r, t);
}

struct linear graph_linear(struct graph_reader *r, const char *stem, uint64_t rows, uint64_t cols,
                           bool required)
{
    char name[96];
    snprintf(name, sizeof name, "%s.weight", stem);
    struct linear l = {graph_tensor(r, name), NULL};
    if (!l.t && required)
        graph_fail_missing(r, name);
    if (!l.t)
        return l;
    graph_expect(r, l.t, 2, rows, cols, 0);
    snprintf(name, sizeof name, "%s.bias", stem);
    l.bias = graph_vector(r, name, rows, false);
    return l;
}

struct linear graph_expert_matrices(struct graph_reader *r, const char *stem, uint64_t rows,
                                    uint64_t cols)
{
    char name[96];
    snprintf(name, sizeof name, "%s.weight", stem);
    struct linear l = {graph_tensor(r, name), NULL};
    if (!l.t) {
        graph_fail_missing(r, name);
        return l;
    }
    graph_expect(r, l.t, 3, r->g->experts, rows, cols);
    snprintf(name, sizeof name, "%s.bias", stem);
    const struct tensor *const bias = graph_tensor(r, name);
    if (bias) {
        graph_expect(r, bias, 2, r->g->experts, rows, 0);
        l.bias = graph_values(r, bias);
    }
    return l;
}

struct norm graph_norm(struct graph_reader *r, const char *stem, uint32_t n, bool required)
{
    char name[96];
    snprintf(name, sizeof name, "%s.weight", stem);
    struct norm result = {graph_vector(r, name, n, required), NULL, 0, 0};
    snprintf(name, sizeof name, "%s.bias", stem);
    result.b = graph_vector(r, name, n, false);
    result.n = result.w ? n : 0;
    return result;
}

struct norm graph_head_norm(struct graph_reader *r, const char *name, uint32_t heads)
{
    const struct tensor *const t = graph_tensor(r, name);
    const uint32_t n = r->g->key_dim;
    struct norm result = {0};
    if (!t)
        return result;
    result.n = n;
    if (t->rank == 2) {
        graph_expect(r, t, 2, heads, n, 0);
        result.stride = n;
    } else if (t->rank == 1 && t->dim[0] == n) {
        graph_expect(r, t, 1, n, 0, 0);
    } else {
        graph_expect(r, t, 1, (uint64_t)heads * n, 0, 0);
        result.n = heads * n;
    }
    result.w = graph_values(r, t);
    return result;
}

struct norm graph_main_norm(struct graph_reader *r, const char *stem)
{
    const struct norm plain = {NULL, NULL, r->g->embd, 0};
    return r->g->row.plain_norms ? plain : graph_norm(r, stem, r->g->embd, true);
}
