/* quantize.c -- plans a quantized copy of a GGUF model, checks it, runs it. */
#include "libquant/convert/quantize.h"

#include "formats/format.h"
#include "libquant/base/text.h"
#include "libquant/convert/split.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- layers that are left out: the following ones move up ---- */

#define PRUNED UINT32_MAX

struct renumbering {
    struct pair {
        uint32_t from, to; /* to: PRUNED for a layer that is left out */
    } *pairs;
    size_t n, cap;
    uint32_t next; /* in the end: how many layers are left */
};

/* The first "blk.N." in a name: *digits, *len say where N is. */
static bool find_layer(const char *name, const char **digits, size_t *len, uint32_t *layer)
{
    for (const char *p = name; (p = strstr(p, "blk.")) != NULL; p++) {
        char number[12];
        uint64_t value;
        *digits = p + 4;
        *len = strspn(*digits, "0123456789");
        if (*len == 0 || *len >= sizeof number || (*digits)[*len] != '.')
            continue;
        memcpy(number, *digits, *len);
        number[*len] = '\0';
        if (!text_parse_u64(number, INT32_MAX, &value))
            continue;
        *layer = (uint32_t)value;
        return true;
    }
    return false;
}

static bool is_pruned(const struct quantize_options *o, uint32_t layer)
{
    for (size_t i = 0; i < o->n_prune; i++)
        if (o->prune[i] == layer)
            return true;
    return false;
}

/* New number of a layer. Numbers are given out in the order in which layers are met: from the first
 * pruned one on consecutively. False: out of memory. */
static bool renumber(struct renumbering *r, const struct quantize_options *o, uint32_t layer,
                     uint32_t *to)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->pairs[i].from == layer) {
            *to = r->pairs[i].to;
            return true;
        }
    if (!mem_grow((void **)&r->pairs, &r->cap, r->n, sizeof *r->pairs))
        return false;
    if (is_pruned(o, layer))
        *to = PRUNED;
    else if (layer < o->prune[0])
        r->next = (*to = layer) + 1;
    else
        *to = r->next++;
    r->pairs[r->n++] = (struct pair){layer, *to};
    return true;
}

/* The name of a source tensor in the output; *name NULL where its layer is left out. */
static lq_status rename_tensor(struct quantize_plan *p, struct renumbering *r,
                               const struct tensor *t, const char **name, lq_error *err)
{
    const char *digits;
    size_t len;
    uint32_t layer, to;
    *name = t->name;
    if (!p->options->n_prune || !find_layer(t->name, &digits, &len, &layer))
        return LQ_OK;
    if (!renumber(r, p->options, layer, &to))
        return lq_fail_memory(err);
    if (to == PRUNED)
        *name = NULL;
    else if (to != layer)
        *name = arena_printf(&p->output.catalog.arena, "%.*s%u%s", (int)(digits - t->name), t->name,
                             to, digits + len);
    return *name || to == PRUNED ? LQ_OK : lq_fail_memory(err);
}

/* ---- tensors ---- */

static int by_name_order(const void *a, const void *b)
{
    const struct tensor *const *const x = a, *const *const y = b;
    return recipe_name_order((*x)->name, (*y)->name);
}

static int by_place(const void *a, const void *b)
{
    const struct tensor *const *const x = a, *const *const y = b;
    if ((*x)->file != (*y)->file)
        return (*x)->file < (*y)->file ? -1 : 1;
    return ((*x)->offset > (*y)->offset) - ((*x)->offset < (*y)->offset);
}

static lq_status add_tensor(struct quantize_plan *p, const struct tensor *in, const char *name,
                            lq_error *err)
{
    struct tensor *const t = catalog_add_tensor(&p->output.catalog);
    if (!t)
        return lq_fail_memory(err);
    *t = *in;
    t->name = name;
    while (t->rank > 1 && t->dim[0] == 1) { /* ggml drops outer dimensions of 1 (ggml_n_dims) */
        t->dim++;
        t->rank--;
    }
    t->file = p->options->keep_split ? in->file : 0;
    p->in[p->output.catalog.n_tensors - 1] = in;
    return LQ_OK;
}

/* The output's tensors with their types as in the source. Layers are renumbered in the order of the
 * names, whatever the order of the output. */
static lq_status add_tensors(struct quantize_plan *p, struct renumbering *r, lq_error *err)
{
    const struct catalog *const source = p->source;
    const size_t n = source->n_tensors;
    const struct tensor **const sorted = mem_calloc(n + 1, sizeof *sorted);
    const char **const names = mem_calloc(n + 1, sizeof *names);
    lq_status status = sorted && names ? LQ_OK : lq_fail_memory(err);
    size_t kept = 0;
    for (size_t i = 0; i < n && status == LQ_OK; i++)
        sorted[i] = &source->tensors[i];
    if (status == LQ_OK && n)
        qsort(sorted, n, sizeof *sorted, by_name_order);
    for (size_t i = 0; i < n && status == LQ_OK; i++) {
        const char *name;
        status = rename_tensor(p, r, sorted[i], &name, err);
        if (status == LQ_OK && name) {
            names[sorted[i] - source->tensors] = name;
            sorted[kept++] = sorted[i];
        }
    }
    if (status == LQ_OK && kept && p->options->keep_split)
        qsort(sorted, kept, sizeof *sorted, by_place);
    for (size_t i = 0; i < kept && status == LQ_OK; i++)
        status = add_tensor(p, sorted[i], names[sorted[i] - source->tensors], err);
    free(names);
    free(sorted);
    return status;
}

bool quantize_changes(const struct quantize_plan *p, size_t i)
{
    return p->in[i]->type != p->choices[i].type;
}

static lq_status set_types(struct quantize_plan *p, lq_error *err)
{
    struct catalog *const out = &p->output.catalog;
    for (size_t i = 0; i < out->n_tensors; i++) {
        struct tensor *const t = &out->tensors[i];
        t->type = p->choices[i].type;
        if (!tensor_measure(t)) {
            const lq_status status =
                lq_fail(err, LQ_E_MODEL, "its shape cannot be stored as %s", t->type->name);
            lq_error_add_tensor(err, t->name);
            return status;
        }
        p->n_quantized += quantize_changes(p, i);
        p->n_fallbacks += p->choices[i].type != p->choices[i].wanted;
        p->bytes_in += p->in[i]->bytes;
        p->bytes_out += t->bytes;
        p->elements += t->elements;
        p->steps[i] = (struct step){.source = p->source, .in = &p->in[i], .n_in = 1};
    }
    return LQ_OK;
}

/* ---- importance ---- */

static bool has_matrix(const struct quantize_plan *p)
{
    return p->options->imatrix && p->options->imatrix->n;
}

/* Entries go by the source's name: pruning renames tensors. */
static const struct imatrix_entry *entry_of(const struct quantize_plan *p, size_t i)
{
    return has_matrix(p) ? imatrix_find(p->options->imatrix, p->in[i]->name) : NULL;
}

static bool entry_fits(const struct quantize_plan *p, size_t i, const struct imatrix_entry *e)
{
    const uint64_t stack = recipe_stack(p->in[i]);
    return stack && e->n % stack == 0 && e->n / stack == tensor_cols(p->in[i]) &&
           tensor_rows(p->in[i]) % stack == 0;
}

static void set_importance(struct quantize_plan *p)
{
    for (size_t i = 0; i < p->output.catalog.n_tensors; i++) {
        const struct imatrix_entry *const e = entry_of(p, i);
        p->groups[i] = (uint32_t)recipe_stack(p->in[i]);
        if (!quantize_changes(p, i) || !(p->choices[i].type->flags & TYPE_QUANTIZED))
            continue;
        if (e && entry_fits(p, i, e))
            p->importance[i] = e->values;
        else
            p->n_without += has_matrix(p);
    }
    if (has_matrix(p)) {
        p->output.importance = p->importance;
        p->output.groups = p->groups;
    }
}

/* ---- files ---- */

static lq_status add_files(struct quantize_plan *p, const char *path, lq_error *err)
{
    struct catalog *const out = &p->output.catalog;
    if (p->options->keep_split) {
        uint32_t last = 0;
        for (size_t i = 0; i < out->n_tensors; i++)
            last = out->tensors[i].file > last ? out->tensors[i].file : last;
        return split_name_files(out, path, last + 1, &p->output.paths, err);
    }
    struct file *const f = catalog_add_file(out);
    if (!f)
        return lq_fail_memory(err);
    f->name = path;
    return LQ_OK;
}

/* ---- the plan ---- */

static bool allocate(struct quantize_plan *p, size_t n)
{
    p->in = mem_calloc(n + 1, sizeof *p->in);
    p->choices = mem_calloc(n + 1, sizeof *p->choices);
    p->steps = mem_calloc(n + 1, sizeof *p->steps);
    p->importance = mem_calloc(n + 1, sizeof *p->importance);
    p->groups = mem_calloc(n + 1, sizeof *p->groups);
    return p->in && p->choices && p->steps && p->importance && p->groups;
}

/* Finds arrays with a value for each layer: they keep those of the pruned layers. */
static void find_layer_array(struct quantize_plan *p, const char *arch, uint64_t layers)
{
    const struct catalog *const out = &p->output.catalog;
    const size_t n = strlen(arch);
    for (size_t i = 0; i < out->n_meta && p->n_pruned_layers && !p->stale_key; i++) {
        const struct meta *const m = &out->meta[i];
        if (m->type == META_ARRAY && strncmp(m->key, arch, n) == 0 && m->key[n] == '.' &&
            m->v.array.count == layers)
            p->stale_key = m->key;
    }
}

static lq_status set_layer_count(struct quantize_plan *p, const struct recipe_model *m,
                                 const struct renumbering *r, lq_error *err)
{
    struct catalog *const out = &p->output.catalog;
    const char *const key = arena_printf(&out->arena, "%s.block_count", m->arch);
    for (size_t i = 0; i < r->n; i++)
        p->n_pruned_layers += r->pairs[i].to == PRUNED;
    find_layer_array(p, m->arch, m->layers);
    return key ? quantize_put_u32(out, key, r->next, err) : lq_fail_memory(err);
}

static lq_status plan(struct quantize_plan *p, struct renumbering *r, const char *path,
                      lq_error *err)
{
    struct catalog *const out = &p->output.catalog;
    struct recipe recipe = p->options->recipe;
    struct recipe_model model;
    recipe.has_importance = has_matrix(p);
    LQ_TRY(quantize_metadata(out, p->source, p->options, err));
    LQ_TRY(add_tensors(p, r, err));
    recipe_model_read(&model, out); /* with overrides, and as many layers as there were */
    LQ_TRY(recipe_choose(&recipe, &model, out->tensors, out->n_tensors, p->choices, err));
    if (p->options->n_prune)
        LQ_TRY(set_layer_count(p, &model, r, err));
    LQ_TRY(set_types(p, err));
    set_importance(p);
    return add_files(p, path, err);
}

lq_status quantize_plan(struct quantize_plan *p, const struct catalog *source, const char *path,
                        const struct quantize_options *options, lq_error *err)
{
    struct renumbering r = {0};
    if (source->format != &format_gguf)
        return lq_fail_at(err, LQ_E_UNSUPPORTED, source->path, -1,
                          "not a GGUF file but %s; `lq convert` makes a GGUF of it, in any type",
                          source->format && source->format->extension ? source->format->name
                                                                      : "a model folder");
    p->source = source;
    p->options = options;
    p->output.path = path;
    p->output.format = p->output.catalog.format = &format_gguf;
    lq_status status = allocate(p, source->n_tensors) ? LQ_OK : lq_fail_memory(err);
    if (status == LQ_OK)
        status = plan(p, &r, path, err);
    free(r.pairs);
    if (status != LQ_OK)
        quantize_release(p);
    return status;
}

void quantize_release(struct quantize_plan *p)
{
    catalog_release(&p->output.catalog);
    free(p->in);
    free(p->choices);
    free(p->steps);
    free(p->importance);
    free(p->groups);
    *p = (struct quantize_plan){0};
}

/* ---- what forbids to run it ---- */

static lq_status check_importance(const struct quantize_plan *p, size_t i, lq_error *err)
{
    const struct tensor *const t = p->in[i];
    const struct imatrix_entry *const e = entry_of(p, i);
    lq_status status = LQ_OK;
    /* llama-quantize goes on without importance where the embeddings' does not fit. */
    if (e && !entry_fits(p, i, e) && recipe_role(t->name) != ROLE_EMBEDDING)
        status = lq_fail(err, LQ_E_MODEL,
                         "the importance matrix has %" PRIu64 " values for it, but %" PRIu64
                         " (%" PRIu64 " columns x %" PRIu64 ") are expected; it was made for "
                         "another model", e->n, tensor_cols(t) * recipe_stack(t), tensor_cols(t),
                         recipe_stack(t));
    else if (p->choices[i].needs_importance && !p->importance[i])
        status = lq_fail(err, LQ_E_MODEL, has_matrix(p)
                             ? "%s needs importance, and the matrix has no entry for this tensor"
                             : "%s needs an importance matrix: give one with --imatrix FILE; "
                               "`lq imatrix` makes one from a text",
                         p->choices[i].type->name);
    if (status != LQ_OK)
        lq_error_add_tensor(err, t->name);
    return status;
}

static lq_status check_source(const struct quantize_plan *p, size_t i, lq_error *err)
{
    const struct type_info *const type = p->in[i]->type;
    if (!(type->flags & TYPE_QUANTIZED) || p->options->allow_requantize)
        return LQ_OK;
    const lq_status status = lq_fail(
        err, LQ_E_USAGE, "it is quantized already (%s), and quantizing it again costs more quality "
        "than the type should; start from 16 or 32 bits, or insist with --allow-requantize",
        type->name);
    lq_error_add_tensor(err, p->in[i]->name);
    return status;
}

lq_status quantize_check(const struct quantize_plan *p, lq_error *err)
{
    for (size_t i = 0; i < p->output.catalog.n_tensors; i++) {
        if (!quantize_changes(p, i))
            continue;
        LQ_TRY(check_source(p, i, err));
        LQ_TRY(check_importance(p, i, err));
    }
    return split_check_targets(&p->output.catalog, p->source, err);
}

lq_status quantize_run(struct quantize_plan *p, const struct stream_options *options,
                       uint8_t (*digests)[32], lq_error *err)
{
    LQ_TRY(quantize_check(p, err));
    p->output.sha256 = digests;
    return stream_run(p->steps, p->output.catalog.n_tensors, &p->output, 1, options, err);
}
