/* convert_report.c -- what `lq convert` prints. */
#include "tools/convert_report.h"

#include "libquant/base/hash.h"
#include "tools/opt.h"
#include "tools/quantize_report.h"

#include <inttypes.h>
#include <string.h>

void convert_report_notes(const struct context *ctx, const struct conversion *c)
{
    const struct metadata_names *const names = &c->names;
    const char *const name = names->name ? names->name : "";
    struct text t = {0};
    if (ctx->quiet)
        return;
    text_put_printable(&t, name, strlen(name));
    fprintf(ctx->err, "%s, %s parameters, \"%s\" (%s)\n", c->model.arch->name,
            names->size_label ? names->size_label : "unknown", t.data ? t.data : "",
            names->name_from ? names->name_from : "no name was found");
    text_free(&t);
    for (const char *line = c->model.notes.data; line && *line;) {
        const size_t n = strcspn(line, "\n");
        fprintf(ctx->err, "lq: note: %.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
    for (size_t i = 0; i < c->n_outputs; i++) {
        const struct quantize_report report = {.ctx = ctx, .plan = &c->outputs[i].quantized};
        if (c->outputs[i].mix)
            quantize_report_warnings(&report);
    }
}

static uint64_t bytes_of(const struct catalog *c, uint64_t *elements)
{
    uint64_t bytes = 0;
    *elements = 0;
    for (size_t i = 0; i < c->n_tensors; i++) {
        bytes += c->tensors[i].bytes;
        *elements += c->tensors[i].elements;
    }
    return bytes;
}

/* ---- text ---- */

static void print_files(const struct context *ctx, const struct catalog *out,
                        uint8_t (*digests)[32], bool dry_run)
{
    for (size_t i = 0; i < out->n_files; i++) {
        struct text name = {0};
        char hex[65] = "";
        if (!dry_run)
            hex_of(hex, digests[i], 32);
        text_put_printable(&name, out->files[i].name, strlen(out->files[i].name));
        fprintf(ctx->out, "%s%s%s\n", hex, dry_run ? "" : "  ", name.data ? name.data : "");
        text_free(&name);
    }
}

/* The line below the files: part of what a dry run is asked for, else talk. */
static void print_sum(const struct context *ctx, const char *type, const struct catalog *out,
                      bool dry_run)
{
    uint64_t elements;
    const uint64_t bytes = bytes_of(out, &elements);
    char size[16];
    if (dry_run || !ctx->quiet)
        fprintf(dry_run ? ctx->out : ctx->err, "  %s: %zu tensors, %s, %.2f bits per weight\n", type,
                out->n_tensors, print_size(size, bytes), bits_per_weight(bytes, elements));
}

static void print_output(const struct context *ctx, const struct convert_output *o, bool dry_run)
{
    print_files(ctx, &o->output->catalog, o->digests, dry_run);
    print_sum(ctx, o->type, &o->output->catalog, dry_run);
}

/* ---- JSON ---- */

static void output_json(struct json_out *j, const char *type, const struct catalog *out,
                        uint8_t (*digests)[32], bool dry_run)
{
    uint64_t elements;
    const uint64_t bytes = bytes_of(out, &elements);
    out_object(j, NULL);
    out_string(j, "type", type);
    out_array(j, "files");
    for (size_t i = 0; i < out->n_files; i++) {
        char hex[65];
        out_object(j, NULL);
        out_string(j, "name", out->files[i].name);
        if (!dry_run) {
            hex_of(hex, digests[i], 32);
            out_u64(j, "size", out->files[i].size);
            out_string(j, "sha256", hex);
        }
        out_end(j, '}');
    }
    out_end(j, ']');
    out_u64(j, "tensors", out->n_tensors);
    out_u64(j, "elements", elements);
    out_u64(j, "bytes", bytes);
    out_f64(j, "bits_per_weight", bits_per_weight(bytes, elements));
    out_end(j, '}');
}

static void string_or_null(struct json_out *j, const char *key, const char *s)
{
    if (s)
        out_string(j, key, s);
    else
        out_null(j, key);
}

static lq_status print_json(const struct context *ctx, const struct conversion *c, bool dry_run,
                            lq_error *err)
{
    struct json_out j = {0};
    out_object(&j, NULL);
    out_string(&j, "model", c->model.path);
    out_string(&j, "architecture", c->model.arch->name);
    string_or_null(&j, "name", c->names.name);
    string_or_null(&j, "name_from", c->names.name_from);
    string_or_null(&j, "size_label", c->names.size_label);
    out_u64(&j, "parameters", c->map.parameters);
    out_bool(&j, "dry_run", dry_run);
    out_array(&j, "notes");
    for (const char *line = c->model.notes.data; line && *line;) {
        const size_t n = strcspn(line, "\n");
        out_string_n(&j, NULL, line, n);
        line += n + (line[n] == '\n');
    }
    out_end(&j, ']');
    out_array(&j, "outputs");
    for (size_t i = 0; i < c->n_outputs; i++)
        output_json(&j, c->outputs[i].type, &c->outputs[i].output->catalog, c->outputs[i].digests,
                    dry_run);
    out_end(&j, ']');
    out_end(&j, '}');
    return out_print(&j, ctx, err);
}

lq_status convert_report_print(const struct context *ctx, const struct conversion *c, bool dry_run,
                               lq_error *err)
{
    progress_clear();
    if (ctx->json)
        return print_json(ctx, c, dry_run, err);
    for (size_t i = 0; i < c->n_outputs; i++)
        print_output(ctx, &c->outputs[i], dry_run);
    return LQ_OK;
}

lq_status convert_report_tensors(const struct context *ctx, const struct tensors_conversion *c,
                                 bool dry_run, lq_error *err)
{
    const struct catalog *const out = &c->output.catalog;
    struct json_out j = {0};
    progress_clear();
    if (!ctx->json) {
        print_files(ctx, out, c->digests, dry_run);
        print_sum(ctx, "safetensors", out, dry_run);
        if (c->n_dropped && !ctx->quiet)
            fprintf(ctx->err, "lq: note: %zu tensors of scales are in the values now; take "
                              "\"quantization_config\" out of config.json\n",
                    c->n_dropped);
        return LQ_OK;
    }
    out_object(&j, NULL);
    out_string(&j, "model", c->model.source.path);
    out_bool(&j, "dry_run", dry_run);
    out_array(&j, "outputs");
    output_json(&j, "safetensors", out, c->digests, dry_run);
    out_end(&j, ']');
    out_end(&j, '}');
    return out_print(&j, ctx, err);
}
