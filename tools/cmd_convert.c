/* cmd_convert.c -- `lq convert`: a downloaded model to GGUF, in as many types as are asked for. */
#include "tools/command.h"

#include "libquant/convert/convert.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Everything that the arguments say. */
struct job {
    const struct context *ctx;
    struct convert_options options;
    const char **types;
    char *type_text; /* the lists, cut at commas; types[] points into it */
    size_t n_types, cap_types;
    bool dry_run;
};

/* ---- arguments ---- */

/* "q8_0,q4_k_m": may be given several times. */
static lq_status parse_types(struct job *job, const struct args *args, lq_error *err)
{
    static const char *const names[] = {"type", "outtype"};
    struct text all = {0};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        const char *const *lists;
        const size_t n = args_list(args, names[k], &lists);
        for (size_t i = 0; i < n; i++)
            text_printf(&all, "%s%s", all.len ? "," : "", lists[i]);
    }
    if (!all.len)
        text_puts(&all, "auto");
    if (all.failed)
        return lq_fail_memory(err);
    job->type_text = all.data;
    for (char *rest = all.data, *word; (word = strsep(&rest, ",")) != NULL;) {
        if (!mem_grow((void **)&job->types, &job->cap_types, job->n_types, sizeof *job->types))
            return lq_fail_memory(err);
        if (!*word)
            return lq_fail(err, LQ_E_USAGE, "--type: an empty name in the list");
        job->types[job->n_types++] = word;
    }
    job->options.types = job->types;
    job->options.n_types = job->n_types;
    return LQ_OK;
}

static lq_status parse_via(struct job *job, const struct args *args, lq_error *err)
{
    const char *const name = args_value(args, "via");
    if (!name)
        return LQ_OK;
    const struct type_info *const type = type_by_name(name);
    if (!type || (type->id != LQ_TYPE_F16 && type->id != LQ_TYPE_BF16 && type->id != LQ_TYPE_F32))
        return lq_fail(err, LQ_E_USAGE, "--via takes f32, f16 or bf16, not \"%.40s\"", name);
    job->options.via = type->id == LQ_TYPE_F32 ? NULL : type;
    return LQ_OK;
}

static lq_status parse(struct job *job, const struct args *args, lq_error *err)
{
    const char *const out = args_value(args, "o"), *const outfile = args_value(args, "outfile");
    const char *const metadata = args_value(args, "metadata");
    job->options.out = out ? out : outfile;
    job->options.metadata.name = args_value(args, "model-name");
    job->options.vocab_only = args_flag(args, "vocab-only");
    job->dry_run = args_flag(args, "dry-run");
    LQ_TRY(parse_types(job, args, err));
    LQ_TRY(parse_via(job, args, err));
    return metadata ? source_open_file(&job->options.metadata.overrides, metadata, err) : LQ_OK;
}

/* ---- talk ---- */

static void print_notes(const struct job *job, const struct conversion *c)
{
    FILE *const f = job->ctx->err;
    const struct metadata_names *const names = &c->names;
    struct text name = {0};
    if (job->ctx->quiet)
        return;
    text_put_printable(&name, names->name ? names->name : "", strlen(names->name ? names->name : ""));
    fprintf(f, "%s model, %s parameters, named \"%s\" after %s\n", c->model.arch->name,
            names->size_label ? names->size_label : "?", name.data ? name.data : "",
            names->name_from ? names->name_from : "nothing");
    text_free(&name);
    for (const char *line = c->model.notes.data; line && *line;) {
        const size_t n = strcspn(line, "\n");
        fprintf(f, "note: %.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
}

static void print_result(const struct job *job, const struct conversion *c)
{
    for (size_t i = 0; i < c->n_outputs; i++) {
        const struct convert_output *const o = &c->outputs[i];
        const struct catalog *const out = &o->output->catalog;
        uint64_t bytes = 0;
        char size[16];
        for (size_t k = 0; k < out->n_tensors; k++)
            bytes += out->tensors[k].bytes;
        fprintf(job->ctx->out, "%s  %s  %zu tensors  %s\n", o->path, o->type, out->n_tensors,
                print_size(size, bytes));
    }
}

/* ---- the command ---- */

static lq_status run(const struct context *ctx, const struct args *args, lq_error *err)
{
    struct job job = {.ctx = ctx};
    struct conversion c = {0};
    const struct stream_options stream = {.isa = ctx->isa, .threads = ctx->threads, .sync = true,
                                          .allow_nonfinite = args_flag(args, "allow-nonfinite"),
                                          .progress = ctx->progress};
    lq_status status = parse(&job, args, err);
    if (status == LQ_OK)
        status = convert_plan(&c, args_at(args, 0), &job.options, err);
    if (status == LQ_OK) {
        print_notes(&job, &c);
        if (!job.dry_run)
            status = convert_run(&c, &stream, err);
    }
    if (status == LQ_OK)
        print_result(&job, &c);
    convert_release(&c);
    source_close(job.options.metadata.overrides);
    free(job.types);
    free(job.type_text);
    return status;
}

static const struct option options[] = {
    {"o", 'o', OPT_VALUE, "OUT", "output: a file, which may hold {type}, or a folder"},
    {"outfile", 0, OPT_VALUE, "OUT", "the same, as convert_hf_to_gguf.py calls it"},
    {"type", 't', OPT_LIST, "T,...", "types: auto, f32, f16, bf16, q8_0, q4_k_m, ... (auto)"},
    {"outtype", 0, OPT_LIST, "T,...", "the same, as convert_hf_to_gguf.py calls it"},
    {"via", 0, OPT_VALUE, "TYPE", "quantize from this type, as in two steps (f32)"},
    {"model-name", 0, OPT_VALUE, "NAME", "general.name"},
    {"metadata", 0, OPT_VALUE, "FILE", "JSON file of general.* keys that go before all others"},
    {"vocab-only", 0, OPT_FLAG, NULL, "write the vocabulary, and no tensors"},
    {"dry-run", 0, OPT_FLAG, NULL, "show what would be made, and write nothing"},
    {"allow-nonfinite", 0, OPT_FLAG, NULL, "pass on NaN and infinite weights"},
    {0},
};

const struct command command_convert = {
    .name = "convert",
    .summary = "make a GGUF model of a model as it is downloaded",
    .synopsis = "[options] MODEL",
    .description = "Reads a folder as Hugging Face lays it out (config.json, safetensors, "
                   "tokenizer, model card) and writes GGUF in one pass.",
    .examples = "lq convert SmolLM2-135M-Instruct -o smol-{type}.gguf --type f16,q4_k_m",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
