/* cmd_convert.c -- `lq convert`: a downloaded model to GGUF, in as many types as are asked for. */
#include "libquant/base/text.h"
#include "tools/attest_args.h"
#include "tools/convert_report.h"
#include "tools/eval_run.h"
#include "tools/license_report.h"
#include "tools/quantize_args.h"

#include <stdlib.h>
#include <string.h>

/* Everything that the arguments say. */
struct job {
    const struct context *ctx;
    struct convert_options options;
    struct quantize_args quantize;
    const char **types;
    char *type_text; /* the lists; types[] points into it */
    size_t n_types, cap_types;
    const char *attest, *eval;
    struct sign_key attest_key;
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
    job->type_text = all.data;
    if (all.failed)
        return lq_fail_memory(err);
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

/* "300M", "2G": decimal units, as in llama.cpp's converter. */
static lq_status parse_split_size(struct job *job, const struct args *args, lq_error *err)
{
    static const char units[] = "KMG";
    const char *const given = args_value(args, "split-max-size");
    char number[24];
    uint64_t value, scale = 1;
    if (!given)
        return LQ_OK;
    size_t len = strlen(given);
    const char *const unit = len ? strchr(units, given[len - 1]) : NULL;
    for (const char *u = units; unit && u <= unit; u++)
        scale *= 1000;
    len -= unit != NULL;
    if (len < sizeof number)
        memcpy(number, given, len);
    number[len < sizeof number ? len : 0] = '\0';
    if (!text_parse_u64(number, UINT64_MAX / scale, &value))
        return lq_fail(err, LQ_E_USAGE,
                       "--split-max-size takes a number, with K, M or G behind it or without, not "
                       "\"%.40s\"",
                       given);
    job->options.split.max_bytes = value * scale;
    return LQ_OK;
}

static lq_status parse(struct job *job, const struct args *args, lq_error *err)
{
    struct convert_options *const o = &job->options;
    const char *const out = args_value(args, "o"), *const outfile = args_value(args, "outfile");
    const char *const metadata = args_value(args, "metadata");
    if (out && outfile)
        return lq_fail(err, LQ_E_USAGE, "-o and --outfile are the same option");
    o->out = out ? out : outfile;
    o->metadata.name = args_value(args, "model-name");
    o->vocab_only = args_flag(args, "vocab-only");
    o->split.empty_first = args_flag(args, "no-tensor-first-split");
    job->dry_run = args_flag(args, "dry-run");
    job->attest = args_value(args, "attest");
    LQ_TRY(attest_args_key(&job->attest_key, args, err));
    job->eval = job->dry_run ? NULL : args_value(args, "eval");
    if (job->eval && job->ctx->json)
        return lq_fail(err, LQ_E_USAGE, "--eval prints a table: use lq eval --json");
    LQ_TRY(parse_types(job, args, err));
    LQ_TRY(parse_via(job, args, err));
    LQ_TRY(parse_split_size(job, args, err));
    LQ_TRY(args_u64(args, "split-max-tensors", 0, 0, UINT32_MAX, &o->split.max_tensors, err));
    LQ_TRY(quantize_args_parse(&job->quantize, job->ctx, args, err));
    o->quantize = job->quantize.options;
    if (args_flag(args, "no-lazy") && !job->ctx->quiet)
        fprintf(job->ctx->err, "lq: --no-lazy changes nothing: memory does not grow with the "
                               "model here\n");
    return metadata ? source_open_file(&o->metadata.overrides, metadata, err) : LQ_OK;
}

/* ---- safetensors ---- */

static lq_status parse_tensors(const struct job *job, struct tensors_options *o, lq_error *err)
{
    const struct convert_options *const given = &job->options;
    *o = (struct tensors_options){.out = given->out, .split = given->split};
    if (!o->out)
        return lq_fail(err, LQ_E_USAGE, "--format safetensors needs -o FILE or -o FOLDER");
    if (given->n_types != 1)
        return lq_fail(err, LQ_E_USAGE, "--format safetensors makes one type at a time");
    const char *const name = given->types[0];
    if (ascii_casecmp(name, "auto") == 0)
        return LQ_OK;
    o->fp8 = ascii_casecmp(name, "fp8") == 0         ? FP8_TENSOR
             : ascii_casecmp(name, "fp8_block") == 0 ? FP8_BLOCK
                                                     : FP8_NONE;
    if (o->fp8)
        return LQ_OK;
    o->type = type_by_name(name);
    if (!o->type || !o->type->dtype || !o->type->encode || o->type->block_len != 1 ||
        o->type->flags & (TYPE_INTEGER | TYPE_SUBBYTE))
        return lq_fail(err, LQ_E_USAGE,
                       "--format safetensors takes --type auto, f32, f16, bf16, f8_e4m3, f8_e5m2, fp8 "
                       "or fp8_block, not \"%.40s\"",
                       name);
    return LQ_OK;
}

static lq_status run_tensors(const struct job *job, const char *path,
                             const struct stream_options *stream, lq_error *err)
{
    const struct context report = context_beside(job->ctx, job->options.out ? job->options.out : "");
    struct tensors_options options;
    struct tensors_conversion c = {0};
    LQ_TRY(parse_tensors(job, &options, err));
    if (job->attest)
        return lq_fail(err, LQ_E_USAGE, "--attest is for GGUF outputs");
    lq_status status = convert_tensors_plan(&c, path, &options, err);
    if (status == LQ_OK && !job->dry_run)
        status = convert_tensors_run(&c, stream, err);
    if (status == LQ_OK)
        status = convert_report_tensors(&report, &c, job->dry_run, err);
    convert_tensors_release(&c);
    return status;
}

/* ---- the command ---- */

static lq_status run_gguf(const struct job *job, const char *path,
                          const struct stream_options *stream, lq_error *err)
{
    const struct context report = context_beside(job->ctx, job->options.out ? job->options.out : "");
    struct conversion c = {0};
    struct attest_args attest = {.key = &job->attest_key};
    lq_status status = convert_plan(&c, path, &job->options, err);
    if (status == LQ_OK) {
        convert_report_notes(&report, &c);
        if (!job->dry_run)
            status = attest_convert(&attest, job->attest, &c, stream, err);
        if (status == LQ_OK && !job->dry_run)
            status = convert_run(&c, stream, err);
    }
    if (status == LQ_OK)
        status = convert_report_print(&report, &c, job->dry_run, err);
    for (size_t i = 0; i < c.n_outputs && status == LQ_OK; i++)
        status = attest_args_evaluate(&attest, i, &report, job->eval,
                                      c.outputs[i].output->catalog.files[0].name, path, err);
    if (status == LQ_OK)
        status = attest_args_write(&attest, err);
    attest_args_release(&attest);
    convert_release(&c);
    return status;
}

static lq_status run(const struct context *ctx, const struct args *args, lq_error *err)
{
    struct job job = {.ctx = ctx};
    struct stream_options stream = {.isa = ctx->isa, .threads = ctx->threads, .sync = true,
                                    .progress = ctx->progress};
    const char *const format = args_value(args, "format");
    const bool safetensors = format && strcmp(format, "safetensors") == 0;
    lq_status status = parse(&job, args, err);
    if (status == LQ_OK)
        status = quantize_args_stream(&stream, args, err);
    if (status == LQ_OK && format && !safetensors && strcmp(format, "gguf") != 0)
        status = lq_fail(err, LQ_E_USAGE, "--format takes gguf or safetensors, not \"%.40s\"",
                         format);
    if (status == LQ_OK)
        status = (safetensors ? run_tensors : run_gguf)(&job, args_at(args, 0), &stream, err);
    if (status == LQ_OK && !job.dry_run)
        license_warn_of_loss(ctx, args_at(args, 0), job.options.out);
    source_close(job.options.metadata.overrides);
    quantize_args_release(&job.quantize);
    key_release(&job.attest_key);
    free(job.types);
    free(job.type_text);
    return status;
}

static const struct option options[] = {
    {"o", 'o', OPT_VALUE, "OUT", "output: a file, which may hold {type}, or a folder"},
    {"outfile", 0, OPT_VALUE, "OUT", "the same, as convert_hf_to_gguf.py calls it"},
    {"type", 0, OPT_LIST, "T,...", "types: auto, f32, f16, bf16, q8_0, q4_k_m, ... (auto)"},
    {"outtype", 0, OPT_LIST, "T,...", "the same, as convert_hf_to_gguf.py calls it"},
    {"format", 0, OPT_VALUE, "FORMAT", "gguf, or safetensors: the same tensors as floats (gguf)"},
    {"via", 0, OPT_VALUE, "TYPE", "quantize from this type, as in two steps (f32)"},
    {"model-name", 0, OPT_VALUE, "NAME", "general.name"},
    {"metadata", 0, OPT_VALUE, "FILE", "JSON file of general.* keys that go before all others"},
    {"dry-run", 0, OPT_FLAG, NULL, "show what would be made, and write nothing"},
    {"vocab-only", 0, OPT_FLAG, NULL, "write the vocabulary, and no tensors"},
    {"split-max-size", 0, OPT_VALUE, "N[KMG]", "several files, each with at most so many bytes"},
    {"split-max-tensors", 0, OPT_VALUE, "N", "several files, each with at most so many tensors"},
    {"no-tensor-first-split", 0, OPT_FLAG, NULL, "no tensors in the first of several files"},
    {"no-lazy", 0, OPT_FLAG, NULL, "accepted and not needed: memory does not grow with the model"},
    QUANTIZE_OPTIONS,
    ATTEST_OPTIONS,
    EVAL_OPTION,
    {0},
};

const struct command command_convert = {
    .name = "convert",
    .summary = "make a GGUF model of a model as it is downloaded",
    .synopsis = "[options] MODEL",
    .description =
        "Reads a folder as Hugging Face lays it out (config.json, safetensors, tokenizer, model "
        "card), or an entry of its cache, and writes GGUF: any number of types in one pass, with "
        "memory that does not grow with the model. For f32, f16, bf16, q8_0, tq1_0, tq2_0 and auto "
        "the files are those that llama.cpp's convert_hf_to_gguf.py writes; for every other type "
        "and mix (`lq help quantize` lists them), those that `lq quantize` makes of the f32 file, "
        "or of that in the type of --via.\n\n"
        "A model with a tensor missing, left over or of another shape than config.json promises is "
        "refused before anything is written. The name that goes into the file is that of the model "
        "card, of config.json, of the cache entry or of the folder, and is shown first; "
        "--model-name sets it. Without -o the file goes into the model's folder, under the name "
        "that convert_hf_to_gguf.py gives it.\n\n"
        "With --format safetensors the tensors keep their names and become floats: of a checkpoint "
        "in 8-bit floats, or of a quantized GGUF file. Only the weights are written.",
    .examples = "lq convert SmolLM2-135M-Instruct\n"
                "lq convert SmolLM2-135M-Instruct -o smol-{type}.gguf --type f16,q8_0,q4_k_m\n"
                "lq convert Llama-3.2-1B -o out/ --type q4_k_m --via f16\n"
                "lq convert Llama-3.2-1B --dry-run",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .has_json = true,
    .run = run,
};
