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

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

/* A weight of numbers and scales, or, where FP8 is not for it, as it is. */
static lq_status add_scaled(struct tensors_conversion *c, const struct tensor *in, lq_error *err)
{
    const bool linear = in->rank == 2 && text_ends_with(in->name, ".weight") &&
                        strstr(in->name, "layers.") != NULL;
    if (!fp8_is_for(in)) {
        if (linear && !(c->plain[c->n_plain++] = arena_strndup(&c->arena, in->name,
                                                              strlen(in->name) - strlen(".weight"))))
            return lq_fail_memory(err);
        return add_tensor(c, in, NULL, err);
    }
    struct fp8_weight *const w = &c->scaled[c->n_scaled++];
    LQ_TRY(fp8_init(w, in, c->fp8, &c->arena, err));
    LQ_TRY(add_tensor(c, in, &type_F8_E4M3, err));
    uint64_t *const dim = arena_calloc(&c->arena, 2, sizeof *dim);
    const char *const name = arena_printf(&c->arena, "%s_scale", in->name);
    if (!dim || !name)
        return lq_fail_memory(err);
    dim[0] = w->scale_rows;
    dim[1] = w->scale_cols;
    const struct tensor scale = {.name = name, .type = w->scale_type, .dim = dim,
                                 .rank = c->fp8 == FP8_BLOCK ? 2 : 1};
    return add_tensor(c, &scale, w->scale_type, err);
}

static lq_status add_one(struct tensors_conversion *c, const struct tensor *in,
                         const struct tensors_options *options, lq_error *err)
{
    return c->fp8 ? add_scaled(c, in, err) : add_tensor(c, in, options->type, err);
}

static lq_status add_tensors(struct tensors_conversion *c, const struct tensors_options *options,
                             lq_error *err)
{
    const struct catalog *const source = &c->model.source;
    c->fp8 = options->fp8;
    c->scaled = arena_calloc(&c->arena, source->n_tensors, sizeof *c->scaled);
    c->plain = arena_calloc(&c->arena, source->n_tensors, sizeof *c->plain);
    if (!c->scaled || !c->plain)
        return lq_fail_memory(err);
    for (size_t i = 0; i < source->n_tensors; i++) {
        if (c->is_part[i] || is_scales(source, &source->tensors[i]))
            c->n_dropped++;
        else
            LQ_TRY(add_one(c, &source->tensors[i], options, err));
    }
    for (size_t i = 0; i < c->n_packed; i++)
        LQ_TRY(add_one(c, &c->packed[i]->tensor, options, err));
    c->n_dropped -= c->n_packed; /* they take the places of their main parts */
    if (c->fp8 && !c->n_scaled)
        return lq_fail_at(err, LQ_E_UNSUPPORTED, source->path, -1,
                          "has no linear layers, which FP8 with scales is for");
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
    if (c->fp8 && c->model.config.root && path_is_folder(out)) {
        struct stat st;
        c->config = arena_printf(&c->arena, "%s/config.json", out);
        if (!c->config)
            return lq_fail_memory(err);
        if (stat(c->config, &st) == 0)
            c->config = NULL; /* it is somebody's */
    }
    c->output.path = catalog->files[0].name;
    return n > 1 && !c->index ? lq_fail_memory(err) : LQ_OK;
}

/* The weight of which an output tensor is the numbers or, *scales, the scales; or NULL. */
static struct fp8_weight *scaled_of(const struct tensors_conversion *c, const char *name, bool *scales)
{
    for (size_t i = 0; i < c->n_scaled; i++) {
        const size_t len = strlen(c->scaled[i].name);
        *scales = strncmp(c->scaled[i].name, name, len) == 0 && strcmp(name + len, "_scale") == 0;
        if (*scales || strcmp(c->scaled[i].name, name) == 0)
            return &c->scaled[i];
    }
    return NULL;
}

static lq_status make_step(struct tensors_conversion *c, size_t i, lq_error *err)
{
    const struct catalog *const source = &c->model.source;
    const struct tensor *const out = &c->output.catalog.tensors[i];
    bool scales;
    struct fp8_weight *const scaled = scaled_of(c, out->name, &scales);
    if (scaled && scales) {
        c->steps[i] = fp8_scales(scaled);
        return LQ_OK;
    }
    const struct tensor **const in = arena_calloc(&c->arena, 2, sizeof *in);
    if (!in)
        return lq_fail_memory(err);
    in[0] = source_of(c, out->name);
    in[1] = scales_of(source, in[0]);
    const struct mapped mapped = {.name = out->name, .rule = &as_it_is, .in = in, .n_in = 1,
                                  .rank = in[0]->rank, .scales = in[1] ? in + 1 : NULL};
    if (scaled) {
        LQ_TRY(plan_step(&scaled->source, &c->model, &mapped, &c->arena, err));
        c->steps[i] = fp8_numbers(scaled);
        return LQ_OK;
    }
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

static lq_status write_text(const char *path, const struct text *text, lq_error *err)
{
    struct sink *sink;
    if (text->failed)
        return lq_fail_memory(err);
    LQ_TRY(sink_open(&sink, path, SINK_SYNC, err));
    const lq_status status = sink_append(sink, text->data, text->len, err);
    if (status == LQ_OK)
        return sink_commit(sink, NULL, err);
    sink_abort(sink);
    return status;
}

static lq_status write_index(const struct tensors_conversion *c, lq_error *err)
{
    struct text index = {0};
    lq_status status = safetensors_index(&c->output.catalog, &index, err);
    if (status == LQ_OK)
        status = write_text(c->index, &index, err);
    text_free(&index);
    return status;
}

/* The source's configuration, with how the weights are quantized now. */
static lq_status write_config(const struct tensors_conversion *c, lq_error *err)
{
    struct text how = {0}, all = {0};
    fp8_config(&how, c->fp8, c->plain, c->n_plain);
    cJSON *const root = cJSON_Duplicate(c->model.config.root, true);
    cJSON *const config = how.failed ? NULL : cJSON_ParseWithLength(how.data, how.len);
    cJSON_DeleteItemFromObjectCaseSensitive(root, "quantization_config");
    char *printed = NULL;
    if (config && cJSON_AddItemToObject(root, "quantization_config", config))
        printed = cJSON_Print(root);
    else
        cJSON_Delete(config);
    if (printed)
        text_printf(&all, "%s\n", printed);
    const lq_status status =
        printed ? write_text(c->config, &all, err) : lq_fail_memory(err);
    cJSON_free(printed);
    cJSON_Delete(root);
    text_free(&how);
    text_free(&all);
    return status;
}

lq_status convert_tensors_run(struct tensors_conversion *c, const struct stream_options *options,
                              lq_error *err)
{
    LQ_TRY(fp8_measure(c->scaled, c->n_scaled, options->isa, options->threads, err));
    LQ_TRY(stream_run(c->steps, c->output.catalog.n_tensors, &c->output, 1, options, err));
    if (c->index)
        LQ_TRY(write_index(c, err));
    return c->config ? write_config(c, err) : LQ_OK;
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
