/* convert_tensors.c -- a model's tensors as floats in safetensors. */
#include "libquant/convert/convert_tensors.h"

#include "formats/format.h"
#include "formats/safetensors.h"
#include "libquant/base/sink.h"
#include "libquant/base/source.h"
#include "libquant/base/text.h"
#include "libquant/convert/plan_steps.h"
#include "libquant/model/metadata.h"
#include "libquant/model/packed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct tensor_rule as_it_is = {"", "", "", TRANSFORM_NONE, 0, {0, 0}};

/* ---- which tensors, and as what ---- */

/* The scales of an 8-bit tensor, or NULL. */
static const struct tensor *scales_of(const struct catalog *source, const struct tensor *t)
{
    static const char *const suffixes[] = {"_scale_inv", "_scale"};
    const struct tensor *found = NULL;
    for (size_t i = 0; i < 2 && !found && type_is_float8(t->type); i++) {
        char name[600];
        snprintf(name, sizeof name, "%.560s%s", t->name, suffixes[i]);
        found = catalog_find(source, name);
    }
    return found;
}

/* Whether the tensor is the scales of another. */
static bool is_scales(const struct catalog *source, const struct tensor *t)
{
    static const char *const suffixes[] = {"_scale_inv", "_scale"};
    for (size_t i = 0; i < 2; i++) {
        char name[600];
        const size_t len = strlen(t->name), cut = strlen(suffixes[i]);
        if (len >= sizeof name || !text_ends_with(t->name, suffixes[i]))
            continue;
        memcpy(name, t->name, len - cut);
        name[len - cut] = '\0';
        const struct tensor *const of = catalog_find(source, name);
        if (of && type_is_float8(of->type))
            return true;
    }
    return false;
}

static const struct type_info *type_for(const struct tensor *t, const struct type_info *wanted)
{
    if (t->type->flags & TYPE_INTEGER)
        return t->type;
    if (wanted)
        return wanted;
    const bool plain = t->type->block_len == 1 && !type_is_float8(t->type) && t->type->dtype;
    return plain && !(t->type->flags & TYPE_SUBBYTE) ? t->type : &type_BF16;
}

/* ---- the plan ---- */

static lq_status open_source(struct tensors_conversion *c, const char *path, lq_error *err)
{
    struct model *const m = &c->model;
    LQ_TRY(model_open(&m->source, path, err));
    LQ_TRY(catalog_index(&m->source, err));
    LQ_TRY(model_siblings(&m->source, &m->files, err));
    m->path = m->files->root;
    return m->files->exists(m->files, "config.json") ? config_open(&m->config, m->files, err) : LQ_OK;
}

static lq_status add_tensor(struct tensors_conversion *c, const struct tensor *in,
                            const struct type_info *wanted, lq_error *err)
{
    struct tensor *const t = catalog_add_tensor(&c->output.catalog);
    if (!t)
        return lq_fail_memory(err);
    *t = *in;
    t->type = type_for(in, wanted);
    t->file = 0;
    if (tensor_measure(t))
        return LQ_OK;
    lq_fail(err, LQ_E_MODEL, "its shape cannot be stored as %s", t->type->name);
    lq_error_add_tensor(err, in->name);
    return LQ_E_MODEL;
}

/* Packed weights, where the configuration tells how they are packed. */
static lq_status find_packed(struct tensors_conversion *c, lq_error *err)
{
    const struct catalog *const source = &c->model.source;
    c->packed = arena_calloc(&c->arena, source->n_tensors, sizeof *c->packed);
    c->is_part = arena_calloc(&c->arena, source->n_tensors, sizeof *c->is_part);
    if (!c->packed || !c->is_part)
        return lq_fail_memory(err);
    for (size_t i = 0; i < source->n_tensors; i++) {
        struct packed **const p = &c->packed[c->n_packed];
        if (!packed_is_main(&c->model, &source->tensors[i]))
            continue;
        LQ_TRY(packed_open(p, &c->model, &source->tensors[i], &c->arena, err));
        c->n_packed++;
        for (size_t k = 0; k < PACKED_PARTS; k++)
            if ((*p)->part[k])
                c->is_part[(*p)->part[k] - source->tensors] = true;
    }
    return LQ_OK;
}

/* The source of an output tensor. */
static const struct tensor *source_of(const struct tensors_conversion *c, const char *name)
{
    for (size_t i = 0; i < c->n_packed; i++)
        if (strcmp(c->packed[i]->tensor.name, name) == 0)
            return &c->packed[i]->tensor;
    return catalog_find(&c->model.source, name);
}

static lq_status add_tensors(struct tensors_conversion *c, const struct tensors_options *options,
                             lq_error *err)
{
    const struct catalog *const source = &c->model.source;
    for (size_t i = 0; i < source->n_tensors; i++) {
        if (c->is_part[i] || is_scales(source, &source->tensors[i]))
            c->n_dropped++;
        else
            LQ_TRY(add_tensor(c, &source->tensors[i], options->type, err));
    }
    for (size_t i = 0; i < c->n_packed; i++)
        LQ_TRY(add_tensor(c, &c->packed[i]->tensor, options->type, err));
    c->n_dropped -= c->n_packed; /* they take the places of their main parts */
    return LQ_OK;
}

static lq_status name_files(struct tensors_conversion *c, const char *out, uint32_t n,
                            lq_error *err)
{
    static const char extension[] = ".safetensors";
    struct catalog *const catalog = &c->output.catalog;
    const char *const path =
        path_is_folder(out) ? arena_printf(&c->arena, "%s/model.safetensors", out) : out;
    if (!path)
        return lq_fail_memory(err);
    if (n > 1) {
        const size_t len =
            strlen(path) - (text_ends_with(path, extension) ? strlen(extension) : 0);
        c->index = arena_printf(&c->arena, "%.*s.safetensors.index.json", (int)len, path);
        LQ_TRY(split_name_files(catalog, path, n, &c->output.paths, err));
    } else {
        struct file *const f = catalog_add_file(catalog);
        if (!f)
            return lq_fail_memory(err);
        f->name = path;
    }
    c->output.path = catalog->files[0].name;
    return n > 1 && !c->index ? lq_fail_memory(err) : LQ_OK;
}

static lq_status make_step(struct tensors_conversion *c, size_t i, lq_error *err)
{
    const struct catalog *const source = &c->model.source;
    const struct tensor *const out = &c->output.catalog.tensors[i];
    const struct tensor **const in = arena_calloc(&c->arena, 2, sizeof *in);
    if (!in)
        return lq_fail_memory(err);
    in[0] = source_of(c, out->name);
    in[1] = scales_of(source, in[0]);
    const struct mapped mapped = {.name = out->name, .rule = &as_it_is, .in = in, .n_in = 1,
                                  .rank = in[0]->rank, .scales = in[1] ? in + 1 : NULL};
    if (in[0]->type == out->type) {
        c->steps[i] = (struct step){.source = source, .in = in, .n_in = 1};
        return LQ_OK;
    }
    return plan_step(&c->steps[i], &c->model, &mapped, &c->arena, err);
}

lq_status convert_tensors_plan(struct tensors_conversion *c, const char *path,
                               const struct tensors_options *options, lq_error *err)
{
    struct catalog *const out = &c->output.catalog;
    LQ_TRY(open_source(c, path, err));
    LQ_TRY(find_packed(c, err));
    LQ_TRY(add_tensors(c, options, err));
    safetensors_sort(out);
    const uint32_t n = split_deal_out(out, &options->split);
    LQ_TRY(name_files(c, options->out, n, err));
    LQ_TRY(split_check_targets(&c->output.catalog, &c->model.source, err));
    c->output.format = out->format = &format_safetensors;
    LQ_TRY(catalog_set_string(out, "format", "pt", 2, err));
    LQ_TRY(metadata_write_license(&c->model, out, err));
    c->steps = mem_calloc(out->n_tensors, sizeof *c->steps);
    c->digests = mem_calloc(n, sizeof *c->digests);
    if (!c->steps || !c->digests)
        return lq_fail_memory(err);
    c->output.sha256 = c->digests;
    for (size_t i = 0; i < out->n_tensors; i++)
        LQ_TRY(make_step(c, i, err));
    return LQ_OK;
}

/* ---- the run ---- */

static lq_status write_index(const struct tensors_conversion *c, lq_error *err)
{
    struct text index = {0};
    struct sink *sink;
    lq_status status = safetensors_index(&c->output.catalog, &index, err);
    if (status == LQ_OK && (status = sink_open(&sink, c->index, SINK_SYNC, err)) == LQ_OK) {
        status = sink_append(sink, index.data, index.len, err);
        if (status == LQ_OK)
            status = sink_commit(sink, NULL, err);
        else
            sink_abort(sink);
    }
    text_free(&index);
    return status;
}

lq_status convert_tensors_run(struct tensors_conversion *c, const struct stream_options *options,
                              lq_error *err)
{
    LQ_TRY(stream_run(c->steps, c->output.catalog.n_tensors, &c->output, 1, options, err));
    return c->index ? write_index(c, err) : LQ_OK;
}

void convert_tensors_release(struct tensors_conversion *c)
{
    catalog_release(&c->output.catalog);
    free(c->steps);
    free(c->digests);
    model_close(&c->model);
    arena_free(&c->arena);
    memset(c, 0, sizeof *c);
}
