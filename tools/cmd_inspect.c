/* cmd_inspect.c -- `lq inspect`: what a model file says it holds, from its headers alone. */
#include "tools/command.h"

#include "formats/format.h"
#include "formats/gguf.h"
#include "libquant/model/config.h"
#include "tools/license_report.h"
#include "tools/meta_text.h"
#include "tools/tensor_groups.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { CUT_CHARS = 56, CUT_ITEMS = 5, JSON_CUT_ITEMS = 16 };

enum section { OVERVIEW = 1 << 0, METADATA = 1 << 1, TENSORS = 1 << 2 };

struct inspection {
    const struct context *ctx;
    const struct args *args;
    const struct catalog *c;
    unsigned sections; /* enum section */
    bool whole_metadata, all_tensors;
    struct text license; /* SPDX expression, or as it is stated; empty: none */
    enum license_class license_class;
    struct gguf_remarks remarks;
    char architecture[128]; /* "llama", or of a folder "LlamaForCausalLM"; "" where unknown */
};

/* What the tensors of one type add up to. */
struct type_total {
    const struct type_info *type;
    size_t tensors;
    uint64_t elements, bytes;
};

/* ---- totals ---- */

static int by_size(const void *a, const void *b)
{
    const struct type_total *const s = a, *const t = b;
    return s->bytes < t->bytes ? 1 : s->bytes > t->bytes ? -1 : 0;
}

/* Fills totals[type_count()], largest first, and returns how many types occur. */
static size_t add_up(const struct catalog *c, struct type_total *totals, struct type_total *all)
{
    size_t n = 0;
    *all = (struct type_total){0};
    for (size_t i = 0; i < c->n_tensors; i++) {
        const struct tensor *const t = &c->tensors[i];
        size_t k = 0;
        while (k < n && totals[k].type != t->type)
            k++;
        if (k == n)
            totals[n++] = (struct type_total){.type = t->type};
        totals[k].tensors++;
        totals[k].elements += t->elements;
        totals[k].bytes += t->bytes;
        all->tensors++;
        all->elements += t->elements;
        all->bytes += t->bytes;
    }
    qsort(totals, n, sizeof *totals, by_size);
    return n;
}

/* A GGUF file names its architecture, a folder has it in config.json. */
static void find_architecture(struct inspection *in)
{
    const struct catalog *const c = in->c;
    const char *name = catalog_meta_string(c, "general.architecture");
    struct config config = {0};
    struct resolver *files = NULL;
    if (!name && c->format == &format_hf_dir &&
        resolver_open_folder(&files, c->path, NULL) == LQ_OK &&
        config_open(&config, files, NULL) == LQ_OK)
        name = config_architecture(&config);
    snprintf(in->architecture, sizeof in->architecture, "%s", name ? name : "");
    config_release(&config);
    resolver_close(files);
}

/* ---- text ---- */

/* "1.7 B", "134.5 M", "9 k" */
static char *count_text(char dst[24], uint64_t n)
{
    static const char *const units[] = {"", " k", " M", " B", " T"};
    double v = (double)n;
    size_t unit = 0;
    for (; v >= 999.5 && unit + 1 < sizeof units / sizeof units[0]; unit++)
        v /= 1000;
    snprintf(dst, 24, "%.*f%s", unit && v < 99.95 ? 1 : 0, v, units[unit]);
    return dst;
}

static char *shape_text(const struct tensor *t, char *dst, size_t size)
{
    size_t n = 0;
    snprintf(dst, size, "scalar");
    for (uint32_t i = 0; i < t->rank && n + 1 < size; i++)
        n += (size_t)snprintf(dst + n, size - n, "%s%" PRIu64, i ? " x " : "", t->dim[i]);
    return dst;
}

/* An empty line, where one of these sections stands above. */
static void separate(const struct inspection *in, unsigned above)
{
    if (in->sections & above)
        fputc('\n', in->ctx->out);
}

static void overview_row(struct table *t, const char *name, const char *value)
{
    table_cell(t, "%s", name);
    table_cell(t, "%s", value);
}

static void remark_row(struct table *t, uint64_t n, const char *what)
{
    if (!n)
        return;
    table_cell(t, "note");
    table_cell(t, "%" PRIu64 " %s", n, what);
}

static void print_overview(const struct inspection *in, const struct type_total *all)
{
    const struct catalog *const c = in->c;
    struct table t = {.align = "ll"};
    char size[16], text[24];
    overview_row(&t, "file", c->path);
    table_cell(&t, "format");
    if (c->version)
        table_cell(&t, "%s, version %u%s", c->format->name, c->version,
                   c->big_endian ? ", big-endian" : "");
    else
        table_cell(&t, "%s", c->format->name);
    overview_row(&t, "size", print_size(size, catalog_file_bytes(c)));
    if (c->n_files > 1) {
        table_cell(&t, "files");
        table_cell(&t, "%zu", c->n_files);
    }
    if (in->architecture[0])
        overview_row(&t, "architecture", in->architecture);
    if (catalog_meta_string(c, "general.name"))
        overview_row(&t, "name", catalog_meta_string(c, "general.name"));
    if (in->license.len) {
        table_cell(&t, "licence");
        table_cell(&t, "%s, %s", in->license.data,
                   in->license_class == LICENSE_UNKNOWN ? "class unknown"
                                                        : license_class_text(in->license_class));
    }
    table_cell(&t, "parameters");
    table_cell(&t, "%s (%" PRIu64 ")", count_text(text, all->elements), all->elements);
    table_cell(&t, "bits/weight");
    table_cell(&t, "%.2f", bits_per_weight(all->bytes, all->elements));
    remark_row(&t, in->remarks.long_names, "tensor names over 63 bytes: ggml refuses them");
    remark_row(&t, in->remarks.hidden, "bytes belong to no tensor");
    remark_row(&t, in->remarks.dirty, "bytes of padding are not zero");
    table_print(&t, in->ctx, 0);
}

static void print_types(const struct inspection *in, const struct type_total *totals, size_t n,
                        const struct type_total *all)
{
    struct table t = {.align = "lrrrr"};
    static const char *const head[] = {"type", "tensors", "parameters", "size", "share"};
    char size[16], count[24];
    fputc('\n', in->ctx->out);
    for (size_t i = 0; i < sizeof head / sizeof head[0]; i++)
        table_cell(&t, "%s", head[i]);
    for (size_t i = 0; i < n; i++) {
        table_cell(&t, "%s", totals[i].type->name);
        table_cell(&t, "%zu", totals[i].tensors);
        table_cell(&t, "%s", count_text(count, totals[i].elements));
        table_cell(&t, "%s", print_size(size, totals[i].bytes));
        table_cell(&t, "%.1f%%",
                   all->bytes ? 100 * (double)totals[i].bytes / (double)all->bytes : 0);
    }
    table_print(&t, in->ctx, 0);
}

static void print_metadata(const struct inspection *in)
{
    struct table t = {.align = "lll"};
    char type[48];
    if (!in->c->n_meta)
        return;
    separate(in, OVERVIEW);
    table_cell(&t, "key");
    table_cell(&t, "type");
    table_cell(&t, "value");
    for (size_t i = 0; i < in->c->n_meta; i++) {
        const struct meta *const m = &in->c->meta[i];
        struct text value = {0};
        meta_put_line(&value, m, in->whole_metadata ? 0 : CUT_CHARS,
                      in->whole_metadata ? 0 : CUT_ITEMS);
        table_cell(&t, "%s", m->key);
        table_cell(&t, "%s", meta_type_text(type, m));
        table_cell(&t, "%s", value.data ? value.data : "");
        t.cells.failed |= value.failed;
        text_free(&value);
    }
    table_print(&t, in->ctx, 0);
}

static void tensor_row(struct table *t, const char *name, const struct tensor *tensor, size_t count,
                       uint64_t bytes)
{
    char size[16], shape[200];
    table_cell(t, "%s", name);
    table_cell(t, "%s", shape_text(tensor, shape, sizeof shape));
    table_cell(t, "%s", tensor->type->name);
    table_cell(t, "%zu", count);
    table_cell(t, "%s", print_size(size, bytes));
}

static lq_status print_tensors(const struct inspection *in, lq_error *err)
{
    struct arena arena = {0};
    struct tensor_group *groups = NULL;
    size_t n = 0;
    struct table t = {.align = "lllrr"};
    static const char *const head[] = {"tensor", "shape", "type", "count", "size"};
    if (!in->all_tensors) {
        const lq_status status = group_tensors(in->c, &arena, &groups, &n, err);
        if (status != LQ_OK) {
            arena_free(&arena);
            return status;
        }
    }
    separate(in, OVERVIEW | METADATA);
    for (size_t i = 0; i < sizeof head / sizeof head[0]; i++)
        table_cell(&t, "%s", head[i]);
    for (size_t i = 0; i < n; i++)
        tensor_row(&t, groups[i].label, groups[i].first, groups[i].count, groups[i].bytes);
    for (size_t i = 0; in->all_tensors && i < in->c->n_tensors; i++)
        tensor_row(&t, in->c->tensors[i].name, &in->c->tensors[i], 1, in->c->tensors[i].bytes);
    table_print(&t, in->ctx, 0);
    arena_free(&arena);
    return LQ_OK;
}

static lq_status print_text(const struct inspection *in, lq_error *err)
{
    struct type_total *const totals = mem_calloc(type_count(), sizeof *totals);
    struct type_total all;
    lq_status status = LQ_OK;
    if (!totals)
        return lq_fail_memory(err);
    const size_t n = add_up(in->c, totals, &all);
    if (in->sections & OVERVIEW)
        print_overview(in, &all);
    if (in->sections & METADATA)
        print_metadata(in);
    if (in->sections & TENSORS)
        status = print_tensors(in, err);
    if (in->sections & OVERVIEW)
        print_types(in, totals, n, &all);
    free(totals);
    return status;
}

/* ---- JSON ---- */

static void out_tensor(struct json_out *j, const struct tensor *t)
{
    out_object(j, NULL);
    out_string(j, "name", t->name);
    out_string(j, "type", t->type->name);
    out_array(j, "shape");
    for (uint32_t i = 0; i < t->rank; i++)
        out_u64(j, NULL, t->dim[i]);
    out_end(j, ']');
    out_u64(j, "elements", t->elements);
    out_u64(j, "file", t->file);
    out_u64(j, "offset", t->offset);
    out_u64(j, "bytes", t->bytes);
    out_end(j, '}');
}

static void out_totals(struct json_out *j, const struct catalog *c, struct type_total *totals)
{
    struct type_total all;
    const size_t n = add_up(c, totals, &all);
    out_u64(j, "parameters", all.elements);
    out_u64(j, "tensor_bytes", all.bytes);
    out_f64(j, "bits_per_weight", bits_per_weight(all.bytes, all.elements));
    out_array(j, "types");
    for (size_t i = 0; i < n; i++) {
        out_object(j, NULL);
        out_string(j, "type", totals[i].type->name);
        out_u64(j, "tensors", totals[i].tensors);
        out_u64(j, "parameters", totals[i].elements);
        out_u64(j, "bytes", totals[i].bytes);
        out_end(j, '}');
    }
    out_end(j, ']');
}

static void out_overview(struct json_out *j, const struct inspection *in, struct type_total *totals)
{
    const struct catalog *const c = in->c;
    out_string(j, "format", c->format->name);
    out_u64(j, "format_version", c->version);
    out_bool(j, "big_endian", c->big_endian);
    out_u64(j, "alignment", c->alignment);
    if (in->architecture[0])
        out_string(j, "architecture", in->architecture);
    else
        out_null(j, "architecture");
    if (in->license.len)
        out_string(j, "license", in->license.data);
    else
        out_null(j, "license");
    out_string(j, "license_class", license_class_name(in->license_class));
    out_u64(j, "size", catalog_file_bytes(c));
    out_u64(j, "long_names", in->remarks.long_names);
    out_u64(j, "hidden_bytes", in->remarks.hidden);
    out_u64(j, "padding_not_zero", in->remarks.dirty);
    out_array(j, "files");
    for (size_t i = 0; i < c->n_files; i++) {
        out_object(j, NULL);
        out_string(j, "name", c->files[i].name);
        out_u64(j, "size", c->files[i].size);
        out_u64(j, "data_offset", c->files[i].data_offset);
        out_end(j, '}');
    }
    out_end(j, ']');
    out_totals(j, c, totals);
}

static lq_status print_json(const struct inspection *in, lq_error *err)
{
    struct json_out j = {0};
    struct type_total *const totals = mem_calloc(type_count(), sizeof *totals);
    if (!totals)
        return lq_fail_memory(err);
    out_object(&j, NULL);
    out_string(&j, "path", in->c->path);
    if (in->sections & OVERVIEW)
        out_overview(&j, in, totals);
    if (in->sections & METADATA) {
        out_array(&j, "metadata");
        for (size_t i = 0; i < in->c->n_meta; i++)
            meta_out(&j, &in->c->meta[i], in->whole_metadata ? 0 : JSON_CUT_ITEMS);
        out_end(&j, ']');
    }
    if (in->sections & TENSORS) {
        out_array(&j, "tensors");
        for (size_t i = 0; i < in->c->n_tensors; i++)
            out_tensor(&j, &in->c->tensors[i]);
        out_end(&j, ']');
    }
    out_end(&j, '}');
    free(totals);
    return out_print(&j, in->ctx, err);
}

/* ---- keys ---- */

static bool key_wanted(const struct args *args, const char *key)
{
    for (size_t i = 1; i < args_count(args); i++)
        if (fnmatch(args_at(args, i), key, 0) == 0)
            return true;
    return false;
}

/* Every argument must name something: a script that asks for a key wants to know that it is gone. */
static lq_status check_keys(const struct inspection *in, lq_error *err)
{
    for (size_t i = 1; i < args_count(in->args); i++) {
        bool found = false;
        for (size_t k = 0; k < in->c->n_meta && !found; k++)
            found = fnmatch(args_at(in->args, i), in->c->meta[k].key, 0) == 0;
        if (!found)
            return lq_fail_at(err, LQ_E_USAGE, in->c->path, -1, "there is no metadata key '%s'",
                              args_at(in->args, i));
    }
    return LQ_OK;
}

/* The values alone; with their keys before them where there is more than one. */
static lq_status print_keys_text(const struct inspection *in, lq_error *err)
{
    struct text t = {0};
    size_t n = 0;
    for (size_t i = 0; i < in->c->n_meta; i++)
        n += key_wanted(in->args, in->c->meta[i].key);
    for (size_t i = 0; i < in->c->n_meta; i++) {
        const struct meta *const m = &in->c->meta[i];
        if (!key_wanted(in->args, m->key))
            continue;
        if (n > 1) {
            text_put_printable(&t, m->key, strlen(m->key));
            text_puts(&t, m->type == META_ARRAY ? ":\n" : ": ");
        }
        meta_put_whole(&t, m);
    }
    const bool failed = t.failed;
    if (!failed)
        fwrite(t.data, 1, t.len, in->ctx->out);
    text_free(&t);
    return failed ? lq_fail_memory(err) : LQ_OK;
}

static lq_status print_keys(const struct inspection *in, lq_error *err)
{
    LQ_TRY(check_keys(in, err));
    if (!in->ctx->json)
        return print_keys_text(in, err);
    struct json_out j = {0};
    out_object(&j, NULL);
    out_string(&j, "path", in->c->path);
    out_array(&j, "metadata");
    for (size_t i = 0; i < in->c->n_meta; i++)
        if (key_wanted(in->args, in->c->meta[i].key))
            meta_out(&j, &in->c->meta[i], 0);
    out_end(&j, ']');
    out_end(&j, '}');
    return out_print(&j, in->ctx, err);
}

/* ---- the command ---- */

static lq_status run(const struct context *ctx, const struct args *args, lq_error *err)
{
    struct catalog c = {0};
    struct inspection in = {.ctx = ctx, .args = args, .c = &c};
    LQ_TRY(model_open(&c, args_at(args, 0), err));
    in.whole_metadata = args_flag(args, "metadata");
    in.all_tensors = args_flag(args, "tensors");
    in.sections = (in.whole_metadata ? METADATA : 0) | (in.all_tensors ? TENSORS : 0);
    if (!in.sections)
        in.sections = OVERVIEW | METADATA | TENSORS;
    find_architecture(&in);
    lq_status status = LQ_OK;
    if (args_count(args) == 1 && (in.sections & OVERVIEW))
        status = license_line(&in.license, &c, &in.license_class, err);
    if (status == LQ_OK && c.format == &format_gguf)
        status = gguf_remarks(&in.remarks, &c, err);
    if (status == LQ_OK)
        status = args_count(args) > 1 ? print_keys(&in, err)
                 : ctx->json          ? print_json(&in, err)
                                      : print_text(&in, err);
    text_free(&in.license);
    catalog_release(&c);
    return status;
}

static const struct option options[] = {
    {"metadata", 'm', OPT_FLAG, NULL, "only the metadata, every value whole"},
    {"tensors", 0, OPT_FLAG, NULL, "only the tensors, one row each"},
    {0},
};

const struct command command_inspect = {
    .name = "inspect",
    .summary = "show what a model file holds",
    .synopsis = "MODEL [KEY...] [--metadata] [--tensors] [--json]",
    .description =
        "MODEL is a file, the first of several shards, or a folder as it was downloaded. Only headers "
        "are read, whatever the size of the model.\n"
        "\n"
        "Long values are cut, and the tensors of repeated layers share a row; the options show them "
        "whole. Shapes are written with the outermost size first. With KEYs (* and ? stand for any "
        "characters) nothing but their values is printed.",
    .examples = "lq inspect model.gguf\n"
                "lq inspect model.gguf general.architecture\n"
                "lq inspect model.gguf tokenizer.chat_template >template.jinja\n"
                "lq inspect ./model-folder --json",
    .options = options,
    .min_args = 1,
    .max_args = -1,
    .has_json = true,
    .run = run,
};
