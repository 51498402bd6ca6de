/* cmd_quantize.c -- `lq quantize`: llama-quantize's arguments, its bytes, and more to read. */
#include "tools/attest_args.h"
#include "tools/eval_run.h"
#include "tools/opt.h"
#include "tools/license_report.h"
#include "tools/quantize_args.h"
#include "tools/quantize_report.h"

#include "formats/format.h"
#include "libquant/convert/quantize.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_LAYER = 65535 };

/* Everything that the arguments say. Arrays are the job's. */
struct job {
    const struct context *ctx;
    const char *in, *out, *attest, *eval;
    struct sign_key attest_key;
    char *out_owned;
    unsigned threads;
    bool dry_run;
    const struct mix *mix;
    struct quantize_args args;
    struct stream_options stream;
    uint32_t *prune;
    size_t n_prune, cap_prune;
};

static void warn(const struct job *job, const char *text)
{
    if (!job->ctx->quiet)
        fprintf(job->ctx->err, "lq: warning: %s\n", text);
}

/* ---- positional arguments: IN [OUT] TYPE [THREADS] ---- */

/* The names of mixes, aliases last: of two that are equally near the full name is meant. */
static size_t list_mixes(const char **names)
{
    size_t n = 0;
    for (int alias = 0; alias < 2; alias++)
        for (size_t i = 0; i < mix_count(); i++)
            if ((mix_at(i)->summary == NULL) == alias)
                names[n++] = mix_at(i)->name;
    return n;
}

/* Names the nearest mix, and those that begin like `name` ("Q4" of "Q4_M"). */
static lq_status unknown_type(const char *name, lq_error *err)
{
    const char *names[MIX_COUNT + 8];
    struct text near = {0};
    char upper[16];
    const size_t n = list_mixes(names);
    snprintf(upper, sizeof upper, "%s", name);
    for (char *c = upper; *c; c++)
        *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
    const char *const nearest = nearest_name(upper, names, n);
    size_t family = strspn(upper, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"), listed = 0;
    family += strspn(upper + family, "0123456789") > 0;
    if (nearest)
        text_printf(&near, "; did you mean %s?", nearest);
    for (size_t i = 0; i < n && family > 1; i++)
        if (strncmp(names[i], upper, family) == 0 && names[i] != nearest)
            text_printf(&near, "%s%s", listed++ ? ", " : nearest ? " There are also " : "; there are ",
                        names[i]);
    const lq_status status = lq_fail(err, LQ_E_USAGE, "there is no type \"%.40s\"%s%s", name,
                                     near.data ? near.data : "",
                                     near.data ? "" : "; 'lq help quantize' lists them");
    text_free(&near);
    return status;
}

/* "ggml-model-TYPE.gguf" beside the input. */
static lq_status default_output(struct job *job, const char *type, lq_error *err)
{
    struct text path = {0};
    text_put(&path, job->in, (size_t)(path_last_part(job->in) - job->in));
    text_printf(&path, "ggml-model-%s.gguf", type);
    if (path.failed) {
        text_free(&path);
        return lq_fail_memory(err);
    }
    job->out = job->out_owned = path.data;
    return LQ_OK;
}

static lq_status parse_positional(struct job *job, const struct args *args, lq_error *err)
{
    const size_t n = args_count(args);
    size_t type_at = 1;
    uint64_t threads = job->ctx->threads;
    job->in = args_at(args, 0);
    const struct mix *mix = mix_by_name(args_at(args, 1));
    if (!mix) {
        job->out = args_at(args, 1);
        if (n < 3)
            return text_ends_with(job->out, ".gguf")
                       ? lq_fail(err, LQ_E_USAGE, "TYPE is missing: lq quantize IN OUT TYPE")
                       : unknown_type(job->out, err);
        type_at = 2;
        mix = mix_by_name(args_at(args, 2));
        if (!mix)
            return unknown_type(args_at(args, 2), err);
    } else {
        LQ_TRY(default_output(job, mix->name, err));
    }
    if (n > type_at + 2)
        return lq_fail(err, LQ_E_USAGE, "one argument too many: \"%.100s\"",
                       args_at(args, type_at + 2));
    if (n == type_at + 2 && !text_parse_u64(args_at(args, type_at + 1), 1024, &threads))
        return lq_fail(err, LQ_E_USAGE, "\"%.100s\" is no number of threads",
                       args_at(args, type_at + 1));
    job->mix = mix;
    job->threads = (unsigned)threads;
    return LQ_OK;
}

/* ---- options ---- */

static int by_number(const void *a, const void *b)
{
    const uint32_t *const x = a, *const y = b;
    return (*x > *y) - (*x < *y);
}

/* "3,4,7" */
static lq_status add_layers(struct job *job, const char *list, lq_error *err)
{
    char *const copy = strdup(list), *rest = copy;
    lq_status status = copy ? LQ_OK : lq_fail_memory(err);
    for (char *word; status == LQ_OK && (word = strsep(&rest, ",")) != NULL;) {
        uint64_t layer;
        if (!text_parse_u64(word, MAX_LAYER, &layer))
            status = lq_fail(err, LQ_E_USAGE, "--prune-layers: \"%.40s\" is no layer", word);
        else if (!mem_grow((void **)&job->prune, &job->cap_prune, job->n_prune,
                           sizeof *job->prune))
            status = lq_fail_memory(err);
        else
            job->prune[job->n_prune++] = (uint32_t)layer;
    }
    free(copy);
    return status;
}

static lq_status parse_prune(struct job *job, const struct args *args, lq_error *err)
{
    const char *const *lists;
    const size_t n = args_list(args, "prune-layers", &lists);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        LQ_TRY(add_layers(job, lists[i], err));
    if (job->n_prune)
        qsort(job->prune, job->n_prune, sizeof *job->prune, by_number);
    for (size_t i = 0; i < job->n_prune; i++)
        if (i == 0 || job->prune[i] != job->prune[kept - 1])
            job->prune[kept++] = job->prune[i];
    job->args.options.prune = job->prune;
    job->args.options.n_prune = job->n_prune = kept;
    return LQ_OK;
}

/* Patterns name types where a mix chooses among several; elsewhere nothing asks for them. */
static void warn_of_patterns(const struct job *job)
{
    const struct type_info *const base = type_by_id(job->mix->base);
    if (job->args.n_patterns && !(base && (base->flags & TYPE_QUANTIZED)))
        warn(job, "--tensor-type has no effect on this TYPE, as in llama-quantize");
}

static lq_status parse(struct job *job, const struct args *args, lq_error *err)
{
    struct quantize_options *const options = &job->args.options;
    uint64_t unused;
    LQ_TRY(parse_positional(job, args, err));
    job->dry_run = args_flag(args, "dry-run");
    job->attest = args_value(args, "attest");
    LQ_TRY(attest_args_key(&job->attest_key, args, err));
    job->eval = args_value(args, "eval");
    if (job->eval && (job->ctx->json || args_flag(args, "keep-split")))
        return lq_fail(err, LQ_E_USAGE, "--eval prints a table for one file: use lq eval");
    LQ_TRY(args_u64(args, "max-buffer-size", 8192, 1, INT32_MAX, &unused, err));
    LQ_TRY(quantize_args_parse(&job->args, job->ctx, args, err));
    LQ_TRY(quantize_args_stream(&job->stream, args, err));
    job->stream.threads = job->threads;
    options->recipe.mix = job->mix;
    options->keep_split = args_flag(args, "keep-split");
    warn_of_patterns(job);
    return parse_prune(job, args, err);
}

static void release(struct job *job)
{
    quantize_args_release(&job->args);
    key_release(&job->attest_key);
    free(job->prune);
    free(job->out_owned);
}

/* ---- the command ---- */

static lq_status execute(struct job *job, struct quantize_plan *plan, lq_error *err)
{
    const struct context ctx = context_beside(job->ctx, job->out);
    struct quantize_report report = {.ctx = &ctx, .plan = plan, .dry_run = job->dry_run};
    lq_error refusal;
    if (quantize_check(plan, &refusal) != LQ_OK) {
        if (!job->dry_run) {
            *err = refusal;
            return err->status;
        }
        report.refusal = &refusal;
    }
    quantize_report_warnings(&report);
    if (job->dry_run)
        return quantize_report_print(&report, err);
    report.digests = mem_calloc(plan->output.catalog.n_files, sizeof *report.digests);
    if (!report.digests)
        return lq_fail_memory(err);
    struct attest_args attest = {.key = &job->attest_key};
    lq_status status = attest_quantize(&attest, job->attest, plan->source, plan, &job->stream, err);
    if (status == LQ_OK)
        status = quantize_run(plan, &job->stream, report.digests, err);
    if (status == LQ_OK)
        status = quantize_report_print(&report, err);
    if (status == LQ_OK)
        status = attest_args_evaluate(&attest, 0, &ctx, job->eval, job->out, job->in, err);
    if (status == LQ_OK)
        status = attest_args_write(&attest, err);
    attest_args_release(&attest);
    free(report.digests);
    return status;
}

static lq_status run(const struct context *ctx, const struct args *args, lq_error *err)
{
    struct job job = {.ctx = ctx,
                      .stream = {.isa = ctx->isa, .sync = true, .progress = ctx->progress}};
    struct catalog source = {0};
    struct quantize_plan plan = {0};
    lq_status status = parse(&job, args, err);
    if (status == LQ_OK)
        status = model_open(&source, job.in, err);
    if (status == LQ_OK)
        status = quantize_plan(&plan, &source, job.out, &job.args.options, err);
    if (status == LQ_OK)
        status = execute(&job, &plan, err);
    if (status == LQ_OK && !args_flag(args, "dry-run"))
        license_warn_of_loss(ctx, job.in, job.out);
    quantize_release(&plan);
    catalog_release(&source);
    release(&job);
    return status;
}

static const struct option options[] = {
    {"dry-run", 0, OPT_FLAG, NULL, "show what would be made, and write nothing"},
    QUANTIZE_OPTIONS,
    ATTEST_OPTIONS,
    EVAL_OPTION,
    {"prune-layers", 0, OPT_LIST, "N,...", "leave out layers; the others are renumbered"},
    {"keep-split", 0, OPT_FLAG, NULL, "write as many files as the source has"},
    {"max-buffer-size", 0, OPT_VALUE, "MIB",
     "accepted and not needed: memory does not grow with the tensors"},
    {0},
};

#define MIX(symbol, number, base, summary) "  " #symbol " (" #number "): " summary "\n"
#define ALIAS(name, symbol, number, base) "  " name ": the same as " #symbol "\n"

const struct command command_quantize = {
    .name = "quantize",
    .summary = "make a smaller GGUF model of a GGUF model",
    .synopsis = "[options] IN.gguf [OUT.gguf] TYPE [THREADS]",
    .description =
        "Takes the arguments of llama-quantize and writes the same bytes. Without OUT the result "
        "is ggml-model-TYPE.gguf beside the input. IN may be the first of several files. To start "
        "from a model folder or from safetensors use `lq convert`, which quantizes on the way.\n\n"
        "TYPE is a name, in upper or lower case, or its number:\n\n"
#include "libquant/convert/recipe_mixes.def"
    ,
    .examples = "lq quantize model-f16.gguf model-q4_k_m.gguf Q4_K_M\n"
                "lq quantize --dry-run model-f16.gguf Q4_K_M\n"
                "lq quantize --imatrix imatrix.gguf model-f16.gguf IQ3_XXS\n"
                "lq quantize --tensor-type 'ffn_down=q6_k' model-f16.gguf Q4_K_S",
    .options = options,
    .min_args = 2,
    .max_args = 4,
    .has_json = true,
    .run = run,
};
