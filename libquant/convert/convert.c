/* convert.c -- plans and runs a conversion. */
#include "libquant/convert/convert.h"

#include "formats/format.h"
#include "libquant/base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    QUANTIZATION_VERSION = 2,
    FILE_TYPE_F32 = 0,
    FILE_TYPE_F16 = 1,
    FILE_TYPE_BF16 = 32,
    FILE_TYPE_MXFP4_MOE = 38
};

/* Types that the converter writes itself, with their general.file_type. */
static const struct {
    uint16_t type;
    uint32_t file_type;
} direct_types[] = {
    {LQ_TYPE_F32, FILE_TYPE_F32}, {LQ_TYPE_F16, FILE_TYPE_F16}, {LQ_TYPE_BF16, FILE_TYPE_BF16},
    {LQ_TYPE_Q8_0, 7},            {LQ_TYPE_TQ1_0, 36},          {LQ_TYPE_TQ2_0, 37},
};

/* ---- the type of a tensor ---- */

static bool fits(const struct type_info *type, const struct mapped *t)
{
    return t->dim[t->rank - 1] % type->block_len == 0;
}

static bool is_embedding_or_output(const struct mapped *t)
{
    return strcmp(t->name, "token_embd.weight") == 0 || strcmp(t->name, "output.weight") == 0;
}

/* What llama.cpp's converter stores a tensor as, when asked for `wanted`. */
static const struct type_info *direct_type(const struct mapped *t, const struct type_info *wanted)
{
    if (t->f32)
        return &type_F32;
    if (t->packed)
        return t->packed;
    const bool ternary = wanted->id == LQ_TYPE_TQ1_0 || wanted->id == LQ_TYPE_TQ2_0;
    if (ternary && is_embedding_or_output(t))
        return &type_F16;
    return fits(wanted, t) ? wanted : &type_F16;
}

/* "auto": the 16-bit type of the first matrix that has one. */
static const struct type_info *guess_type(const struct conversion *c)
{
    for (size_t i = 0; i < c->map.n; i++) {
        const struct mapped *const t = &c->map.tensors[i];
        for (uint32_t k = 0; k < t->n_in; k++) {
            const uint16_t id = t->in[k]->type->id;
            if (t->in[k]->rank >= 2 && (id == LQ_TYPE_F16 || id == LQ_TYPE_BF16))
                return t->in[k]->type;
        }
    }
    return &type_F16;
}

/* ---- catalogues ---- */

/* Whether the checkpoint's experts are packed as MXFP4, and stay so. */
static bool is_packed(const struct conversion *c)
{
    for (size_t i = 0; i < c->map.n; i++)
        if (c->map.tensors[i].packed)
            return true;
    return false;
}

static lq_status add_tensors(const struct conversion *c, struct catalog *out,
                             const struct type_info *type, lq_error *err)
{
    for (size_t i = 0; i < c->map.n; i++) {
        const struct mapped *const m = &c->map.tensors[i];
        struct tensor *const t = catalog_add_tensor(out);
        if (!t)
            return lq_fail_memory(err);
        *t = (struct tensor){.name = m->name, .type = direct_type(m, type), .rank = m->rank,
                             .dim = m->dim};
        if (!tensor_measure(t)) {
            lq_fail(err, LQ_E_MODEL, "its shape cannot be stored as %s", t->type->name);
            lq_error_add_tensor(err, m->name);
            return LQ_E_MODEL;
        }
    }
    return LQ_OK;
}

/* The metadata of one output: those of all, with its own file type. Values are shared. */
static lq_status add_metadata(const struct conversion *c, struct catalog *out, uint32_t file_type,
                              lq_error *err)
{
    for (size_t i = 0; i < c->base.n_meta; i++) {
        struct meta *const m = catalog_add_meta(out);
        if (!m)
            return lq_fail_memory(err);
        *m = c->base.meta[i];
        if (strcmp(m->key, "general.file_type") == 0)
            m->v.u64 = file_type;
    }
    return LQ_OK;
}

static lq_status base_metadata(struct conversion *c, lq_error *err)
{
    struct catalog *const out = &c->base;
    struct model *const m = &c->model;
    LQ_TRY(catalog_set_string(out, "general.architecture", m->arch->name, strlen(m->arch->name),
                              err));
    LQ_TRY(hparams_write(m, out, true, err));
    LQ_TRY(metadata_write(m, c->options->vocab_only ? NULL : &c->map, &c->options->metadata, out,
                          &c->names, err));
    LQ_TRY(hparams_write(m, out, false, err));
    LQ_TRY(catalog_set_uint(out, "general.quantization_version", META_U32, QUANTIZATION_VERSION,
                            err));
    return m->arch->vocab(m, out, err);
}

/* What types that are made by quantizing start from. */
static lq_status base_tensors(struct conversion *c, lq_error *err)
{
    const struct type_info *const via = c->options->via;
    c->base.format = &format_gguf;
    c->base.path = c->model.path;
    c->base.alignment = 32;
    LQ_TRY(add_tensors(c, &c->base, via ? via : &type_F32, err));
    if (!catalog_meta(&c->base, "general.file_type"))
        return LQ_OK; /* llama.cpp's converter leaves it out for some architectures */
    return catalog_set_uint(&c->base, "general.file_type", META_U32,
                            is_packed(c)              ? FILE_TYPE_MXFP4_MOE
                            : !via                    ? FILE_TYPE_F32
                            : via->id == LQ_TYPE_BF16 ? FILE_TYPE_BF16
                                                      : FILE_TYPE_F16,
                            err);
}

/* ---- steps ---- */

static lq_status make_steps(struct conversion *c, lq_error *err)
{
    c->steps = mem_calloc(c->map.n, sizeof *c->steps);
    if (!c->steps)
        return lq_fail_memory(err);
    for (size_t i = 0; i < c->map.n; i++)
        LQ_TRY(plan_step(&c->steps[i], &c->model, &c->map.tensors[i], &c->map.arena, err));
    return LQ_OK;
}

/* ---- where it goes ---- */

/* Replaces {type} (also {ftype}, {outtype}) and {TYPE} (also {FTYPE}, {OUTTYPE}) by the type in
 * lower and upper case. *replaced: there was one. */
static lq_status fill_template(struct text *out, const char *template, const char *type,
                               bool *replaced, lq_error *err)
{
    static const char *const words[] = {"{type}", "{ftype}", "{outtype}",
                                        "{TYPE}", "{FTYPE}", "{OUTTYPE}"};
    *replaced = false;
    for (const char *p = template; *p;) {
        size_t w = 0;
        while (w < 6 && strncmp(p, words[w], strlen(words[w])) != 0)
            w++;
        if (w == 6) {
            text_putc(out, *p++);
            continue;
        }
        for (const char *s = type; *s; s++)
            text_putc(out, w < 3 && *s >= 'A' && *s <= 'Z' ? (char)(*s - 'A' + 'a') : *s);
        *replaced = true;
        p += strlen(words[w]);
    }
    return out->failed ? lq_fail_memory(err) : LQ_OK;
}

static lq_status output_path(struct conversion *c, struct convert_output *o, lq_error *err)
{
    const char *const out = c->options->out;
    struct arena *const a = &c->model.arena;
    struct text path = {0};
    bool replaced = true;
    lq_status status = LQ_OK;
    if (out && !path_is_folder(out)) {
        status = fill_template(&path, out, o->type, &replaced, err);
    } else {
        const bool vocab = c->options->vocab_only;
        struct metadata_names names = c->names;
        if (vocab)
            names.size_label = NULL;
        const char *const name =
            metadata_file_name(&names, vocab ? NULL : o->type, vocab ? "vocab" : NULL, a);
        text_printf(&path, "%s/%s.gguf", out ? out : c->model.path, name ? name : "");
        if (!name)
            status = lq_fail_memory(err);
    }
    if (status == LQ_OK && !replaced && c->options->n_types > 1)
        status = lq_fail(err, LQ_E_USAGE,
                         "several types need several names: put {type} into \"%.200s\"", out);
    if (status == LQ_OK && (path.failed || !(o->path = arena_strdup(a, path.data))))
        status = lq_fail_memory(err);
    text_free(&path);
    return status;
}

/* ---- outputs ---- */

static lq_status find_type(const struct conversion *c, struct convert_output *o, const char *name,
                           lq_error *err)
{
    const struct type_info *const type =
        ascii_casecmp(name, "auto") == 0 ? guess_type(c) : type_by_name(name);
    for (size_t i = 0; type && i < sizeof direct_types / sizeof *direct_types; i++)
        if (direct_types[i].type == type->id) {
            o->plain = type;
            o->type = type->name;
            o->file_type = direct_types[i].file_type;
            if (is_packed(c) && !(type->flags & TYPE_QUANTIZED)) {
                o->type = "MXFP4_MOE";
                o->file_type = FILE_TYPE_MXFP4_MOE;
            }
            return LQ_OK;
        }
    o->mix = mix_by_name(name);
    if (!o->mix || o->mix->base == LQ_TYPE_NONE)
        return lq_fail(err, LQ_E_USAGE,
                       "there is no type \"%.60s\"; `lq help quantize` lists types and mixes", name);
    o->type = o->mix->name;
    o->file_type = o->mix->number;
    return LQ_OK;
}

/* ---- several files ---- */

static lq_status split(struct conversion *c, struct convert_output *o, lq_error *err)
{
    const struct convert_options *const options = c->options;
    if (!options->split.max_bytes && !options->split.max_tensors)
        return LQ_OK;
    const uint32_t n = split_deal_out(&o->output->catalog, &options->split);
    if (n > 1)
        return split_name_files(&o->output->catalog, o->path, n, &o->output->paths, err);
    model_note(&c->model, "the model fits into one file: it is not split");
    return LQ_OK;
}

/* ---- outputs of each kind ---- */

static lq_status plan_direct(struct conversion *c, struct convert_output *o, lq_error *err)
{
    o->output = &o->direct;
    struct catalog *const out = &o->direct.catalog;
    o->direct.path = o->path;
    o->direct.format = out->format = &format_gguf;
    out->path = o->path;
    out->alignment = 32;
    LQ_TRY(add_metadata(c, out, o->file_type, err));
    LQ_TRY(add_tensors(c, out, o->plain, err));
    struct file *const f = catalog_add_file(out);
    if (!f)
        return lq_fail_memory(err);
    f->name = o->path;
    return LQ_OK;
}

/* The steps in the order of a quantized file, which is the same for all types. */
static lq_status sort_steps(struct conversion *c, const struct quantize_plan *q, lq_error *err)
{
    if (c->sorted)
        return LQ_OK;
    c->sorted = mem_calloc(c->map.n, sizeof *c->sorted);
    if (!c->sorted)
        return lq_fail_memory(err);
    for (size_t i = 0; i < c->map.n; i++) {
        c->sorted[i] = c->steps[q->in[i] - c->base.tensors];
        if (q->in[i]->type != &type_F32 && !c->sorted[i].fill_raw)
            c->sorted[i].via = q->in[i]->type;
    }
    return LQ_OK;
}

/* Blocks that are packed in the checkpoint are repacked, or, for an output that has another type for
 * the tensor, unpacked: then the output has steps of its own. */
static lq_status own_steps(struct conversion *c, struct convert_output *o, lq_error *err)
{
    bool unpacks = false;
    for (size_t i = 0; i < c->map.n; i++)
        unpacks = unpacks || (c->sorted[i].fill_raw && quantize_changes(&o->quantized, i));
    if (!unpacks)
        return LQ_OK;
    o->steps = mem_calloc(c->map.n, sizeof *o->steps);
    if (!o->steps)
        return lq_fail_memory(err);
    memcpy(o->steps, c->sorted, c->map.n * sizeof *o->steps);
    for (size_t i = 0; i < c->map.n; i++)
        if (o->steps[i].fill_raw && quantize_changes(&o->quantized, i))
            plan_step_unpack(&o->steps[i]);
    return LQ_OK;
}

/* What `lq quantize` makes of the model in 32 bits (or that of `via`), without the file between. */
static lq_status plan_quantized(struct conversion *c, struct convert_output *o, lq_error *err)
{
    o->quantize = c->options->quantize;
    o->quantize.recipe.mix = o->mix;
    LQ_TRY(quantize_plan(&o->quantized, &c->base, o->path, &o->quantize, err));
    LQ_TRY(quantize_check(&o->quantized, err));
    o->output = &o->quantized.output;
    LQ_TRY(sort_steps(c, &o->quantized, err));
    return own_steps(c, o, err);
}

static lq_status plan_output(struct conversion *c, struct convert_output *o, const char *type,
                             lq_error *err)
{
    LQ_TRY(find_type(c, o, type, err));
    LQ_TRY(output_path(c, o, err));
    LQ_TRY(o->mix ? plan_quantized(c, o, err) : plan_direct(c, o, err));
    LQ_TRY(split(c, o, err));
    LQ_TRY(split_check_targets(&o->output->catalog, &c->model.source, err));
    const size_t n = o->output->catalog.n_files;
    o->digests = mem_calloc(n, sizeof *o->digests);
    if (!o->digests)
        return lq_fail_memory(err);
    o->output->sha256 = o->digests;
    return LQ_OK;
}

static lq_status plan_outputs(struct conversion *c, lq_error *err)
{
    c->outputs = mem_calloc(c->options->n_types, sizeof *c->outputs);
    if (!c->outputs)
        return lq_fail_memory(err);
    for (size_t i = 0; i < c->options->n_types; i++) {
        struct convert_output *const o = &c->outputs[i];
        c->n_outputs++;
        LQ_TRY(plan_output(c, o, c->options->types[i], err));
        for (size_t k = 0; k < i; k++)
            if (strcmp(c->outputs[k].path, o->path) == 0)
                return lq_fail(err, LQ_E_USAGE, "two outputs would be \"%.200s\"", o->path);
    }
    return LQ_OK;
}

lq_status convert_plan(struct conversion *c, const char *path, const struct convert_options *options,
                       lq_error *err)
{
    c->options = options;
    if (options->vocab_only) {
        LQ_TRY(model_open_config(&c->model, path, err));
    } else {
        LQ_TRY(model_open_checkpoint(&c->model, path, err));
        LQ_TRY(mapping_make(&c->map, &c->model, err));
    }
    LQ_TRY(make_steps(c, err));
    LQ_TRY(base_metadata(c, err));
    LQ_TRY(base_tensors(c, err));
    return plan_outputs(c, err);
}

/* Outputs whose tensors have the same order go together. */
static lq_status run_group(struct conversion *c, bool quantized, const struct step *steps,
                           const struct stream_options *options, lq_error *err)
{
    struct output *const outputs = mem_calloc(c->n_outputs, sizeof *outputs);
    size_t n = 0;
    if (!outputs)
        return lq_fail_memory(err);
    for (size_t i = 0; i < c->n_outputs; i++)
        if (!c->outputs[i].steps && (c->outputs[i].mix != NULL) == quantized)
            outputs[n++] = *c->outputs[i].output;
    const lq_status status = n ? stream_run(steps, c->map.n, outputs, n, options, err) : LQ_OK;
    n = 0;
    for (size_t i = 0; i < c->n_outputs; i++)
        if (!c->outputs[i].steps && (c->outputs[i].mix != NULL) == quantized)
            *c->outputs[i].output = outputs[n++];
    free(outputs);
    return status;
}

lq_status convert_run(struct conversion *c, const struct stream_options *options, lq_error *err)
{
    LQ_TRY(run_group(c, false, c->steps, options, err));
    LQ_TRY(run_group(c, true, c->sorted, options, err));
    for (size_t i = 0; i < c->n_outputs; i++) {
        struct convert_output *const o = &c->outputs[i];
        if (o->steps)
            LQ_TRY(stream_run(o->steps, c->map.n, o->output, 1, options, err));
    }
    return LQ_OK;
}

void convert_release(struct conversion *c)
{
    for (size_t i = 0; i < c->n_outputs; i++) {
        struct convert_output *const o = &c->outputs[i];
        catalog_release(&o->direct.catalog);
        quantize_release(&o->quantized);
        free(o->digests);
        free(o->steps);
    }
    free(c->outputs);
    free(c->steps);
    free(c->sorted);
    catalog_release(&c->base);
    mapping_release(&c->map);
    model_close(&c->model);
    memset(c, 0, sizeof *c);
}
