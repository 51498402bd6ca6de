/* cmd_quantize.c -- `lq quantize`: llama-quantize's arguments, its bytes, and more to read. */
#include "tools/opt.h"
#include "tools/quantize_report.h"

#include "formats/format.h"
#include "libquant/convert/quantize.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_PATTERN_FILE = 16 << 20, MAX_LAYER = 65535 };

/* Everything that the arguments say. Arrays are the job's. */
struct job {
    const struct context *ctx;
    const char *in, *out, *imatrix_path;
    char *out_owned;
    unsigned threads;
    bool dry_run;
    struct quantize_options options;
    struct imatrix imatrix;
    struct type_pattern *patterns;
    size_t n_patterns, cap_patterns;
    struct kv_override *overrides;
    uint32_t *prune;
    size_t n_prune, cap_prune;
};

static void warn(const struct job *job, const char *text)
{
    if (!job->ctx->quiet)
        fprintf(job->ctx->err, "lq: warning: %s\n", text);
}

/* ---- positional arguments: IN [OUT] TYPE [THREADS] ---- */

/* Names the mixes that begin like `name` ("Q4" of "Q4_M"), the nearest one first. */
static lq_status unknown_type(const char *name, lq_error *err)
{
    const char *names[MIX_COUNT + 8];
    struct text near = {0};
    char upper[16];
    size_t n = 0;
    for (size_t i = 0; i < mix_count() && n < sizeof names / sizeof names[0]; i++)
        names[n++] = mix_at(i)->name;
    for (size_t i = 0; i < sizeof upper; i++) {
        const char c = i + 1 < sizeof upper ? name[i] : '\0';
        upper[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
        if (!c)
            break;
    }
    const char *const nearest = nearest_name(upper, names, n);
    size_t family = strspn(upper, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    family += strspn(upper + family, "0123456789") > 0;
    if (nearest)
        text_printf(&near, "; did you mean %s?", nearest);
    for (size_t i = 0, listed = 0; i < n && family > 1; i++)
        if (strncmp(names[i], upper, family) == 0 && names[i] != nearest)
            text_printf(&near, "%s%s", listed++ ? ", " : " There are: ", names[i]);
    const lq_status status = lq_fail(err, LQ_E_USAGE, "there is no type \"%.40s\"%s%s", name,
                                     near.data ? near.data : "",
                                     near.data ? "" : "; 'lq help quantize' lists them");
    text_free(&near);
    return status;
}

/* "ggml-model-TYPE.gguf" beside the input. */
static lq_status default_output(struct job *job, const char *type, lq_error *err)
{
    const char *const slash = strrchr(job->in, '/');
    struct text path = {0};
    text_put(&path, job->in, slash ? (size_t)(slash - job->in) + 1 : 0);
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
    job->options.recipe.mix = mix;
    job->threads = (unsigned)threads;
    return LQ_OK;
}

/* ---- options ---- */

static lq_status add_pattern(struct job *job, const char *text, lq_error *err)
{
    if (!mem_grow((void **)&job->patterns, &job->cap_patterns, job->n_patterns,
                  sizeof *job->patterns))
        return lq_fail_memory(err);
    LQ_TRY(type_pattern_parse(&job->patterns[job->n_patterns], text, err));
    job->n_patterns++;
    return LQ_OK;
}

/* A file of NAME=TYPE, separated by spaces or newlines. */
static lq_status add_pattern_file(struct job *job, const char *path, lq_error *err)
{
    struct source *source;
    char *data, *rest;
    size_t len;
    LQ_TRY(source_open_file(&source, path, err));
    lq_status status = source_read_all(source, MAX_PATTERN_FILE, &data, &len, err);
    source_close(source);
    LQ_TRY(status);
    for (char *word = strtok_r(data, " \t\n\v\f\r", &rest); word && status == LQ_OK;
         word = strtok_r(NULL, " \t\n\v\f\r", &rest))
        status = add_pattern(job, word, err);
    if (status != LQ_OK)
        lq_error_add_file(err, path);
    free(data);
    return status;
}

/* The first pattern that is found counts, in the order of the command line. */
static lq_status parse_patterns(struct job *job, const struct args *args, lq_error *err)
{
    const char *const *texts, *const *files;
    const size_t n_texts = args_list(args, "tensor-type", &texts);
    const size_t n_files = args_list(args, "tensor-type-file", &files);
    for (size_t t = 0, f = 0; t < n_texts || f < n_files;) {
        const bool text_first =
            f == n_files || (t < n_texts && args_place(args, "tensor-type", t) <
                                                args_place(args, "tensor-type-file", f));
        LQ_TRY(text_first ? add_pattern(job, texts[t++], err)
                          : add_pattern_file(job, files[f++], err));
    }
    job->options.recipe.patterns = job->patterns;
    job->options.recipe.n_patterns = job->n_patterns;
    const struct type_info *const base = type_by_id(job->options.recipe.mix->base);
    if (job->n_patterns && !(base && (base->flags & TYPE_QUANTIZED)))
        warn(job, "--tensor-type has no effect on this TYPE, as in llama-quantize");
    return LQ_OK;
}

static lq_status parse_overrides(struct job *job, const struct args *args, lq_error *err)
{
    const char *const *texts;
    const size_t n = args_list(args, "override-kv", &texts);
    job->overrides = mem_calloc(n + 1, sizeof *job->overrides);
    if (!job->overrides)
        return lq_fail_memory(err);
    for (size_t i = 0; i < n; i++) {
        LQ_TRY(kv_override_parse(&job->overrides[i], texts[i], err));
        if (job->overrides[i].negative)
            warn(job, "--override-kv: an int is written without its sign, as llama-quantize does");
    }
    job->options.overrides = job->overrides;
    job->options.n_overrides = n;
    return LQ_OK;
}

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
    job->options.prune = job->prune;
    job->options.n_prune = job->n_prune = kept;
    return LQ_OK;
}

static lq_status parse_type(const struct args *args, const char *option,
                            const struct type_info **out, lq_error *err)
{
    const char *const name = args_value(args, option);
    char what[48];
    snprintf(what, sizeof what, "--%s", option);
    return name ? recipe_type_parse(out, name, what, err) : LQ_OK;
}

static lq_status read_imatrix(struct job *job, const struct args *args, lq_error *err)
{
    const char *const *include, *const *exclude;
    const size_t n_include = args_list(args, "include-weights", &include);
    const size_t n_exclude = args_list(args, "exclude-weights", &exclude);
    struct source *source;
    if (n_include && n_exclude)
        return lq_fail(err, LQ_E_USAGE,
                       "--include-weights and --exclude-weights exclude each other");
    job->imatrix_path = args_value(args, "imatrix");
    if (!job->imatrix_path) {
        if (n_include || n_exclude)
            warn(job, "--include-weights and --exclude-weights have no effect without --imatrix");
        return LQ_OK;
    }
    LQ_TRY(source_open_file(&source, job->imatrix_path, err));
    LQ_TRY(imatrix_read(&job->imatrix, source, err));
    if (n_exclude)
        imatrix_exclude(&job->imatrix, exclude, n_exclude);
    if (n_include)
        imatrix_include(&job->imatrix, include, n_include);
    if (!job->imatrix.n)
        warn(job, "no entry of the importance matrix is left; going on without");
    const lq_status status = imatrix_check(&job->imatrix, err);
    if (status != LQ_OK)
        lq_error_add_file(err, job->imatrix_path);
    job->options.imatrix = &job->imatrix;
    job->options.imatrix_path = job->imatrix_path;
    return status;
}

static lq_status parse(struct job *job, const struct args *args, lq_error *err)
{
    struct recipe *const recipe = &job->options.recipe;
    uint64_t unused;
    LQ_TRY(parse_positional(job, args, err));
    recipe->pure = args_flag(args, "pure");
    recipe->keep_output = args_flag(args, "leave-output-tensor");
    job->options.allow_requantize = args_flag(args, "allow-requantize");
    job->options.keep_split = args_flag(args, "keep-split");
    job->dry_run = args_flag(args, "dry-run");
    LQ_TRY(args_u64(args, "max-buffer-size", 8192, 1, INT32_MAX, &unused, err));
    LQ_TRY(parse_type(args, "output-tensor-type", &recipe->output_type, err));
    LQ_TRY(parse_type(args, "token-embedding-type", &recipe->embedding_type, err));
    LQ_TRY(parse_patterns(job, args, err));
    LQ_TRY(parse_overrides(job, args, err));
    LQ_TRY(parse_prune(job, args, err));
    return read_imatrix(job, args, err);
}

static void release(struct job *job)
{
    for (size_t i = 0; i < job->n_patterns; i++)
        type_pattern_release(&job->patterns[i]);
    imatrix_release(&job->imatrix);
    free(job->patterns);
    free(job->overrides);
    free(job->prune);
    free(job->out_owned);
}

/* ---- the command ---- */

static lq_status execute(struct job *job, struct quantize_plan *plan, lq_error *err)
{
    const struct stream_options stream = {.isa = job->ctx->isa, .threads = job->threads,
                                          .sync = true, .progress = job->ctx->progress};
    const struct context ctx = context_beside(job->ctx, job->out);
    struct quantize_report report = {.ctx = &ctx, .plan = plan, .dry_run = job->dry_run};
    lq_error refusal;
    quantize_report_warnings(&report);
    if (job->dry_run) {
        if (quantize_check(plan, &refusal) != LQ_OK)
            report.refusal = &refusal;
        return quantize_report_print(&report, err);
    }
    report.digests = mem_calloc(plan->output.catalog.n_files, sizeof *report.digests);
    if (!report.digests)
        return lq_fail_memory(err);
    lq_status status = quantize_run(plan, &stream, report.digests, err);
    if (status == LQ_OK)
        status = quantize_report_print(&report, err);
    free(report.digests);
    return status;
}

static lq_status run(const struct context *ctx, const struct args *args, lq_error *err)
{
    struct job job = {.ctx = ctx};
    struct catalog source = {0};
    struct quantize_plan plan = {0};
    lq_status status = parse(&job, args, err);
    if (status == LQ_OK)
        status = model_open(&source, job.in, err);
    if (status == LQ_OK)
        status = quantize_plan(&plan, &source, job.out, &job.options, err);
    if (status == LQ_OK)
        status = execute(&job, &plan, err);
    quantize_release(&plan);
    catalog_release(&source);
    release(&job);
    return status;
}

static const struct option options[] = {
    {"dry-run", 0, OPT_FLAG, NULL, "show what would be made, and write nothing"},
    {"imatrix", 0, OPT_VALUE, "FILE", "importance matrix, GGUF or .dat: better low-bit types"},
    {"include-weights", 0, OPT_LIST, "TEXT", "use importance only for tensors named with TEXT"},
    {"exclude-weights", 0, OPT_LIST, "TEXT", "do not use importance for tensors named with TEXT"},
    {"pure", 0, OPT_FLAG, NULL, "one type for all tensors instead of the mix"},
    {"tensor-type", 0, OPT_LIST, "NAME=TYPE",
     "type for tensors whose name holds the regular expression NAME; the first one counts"},
    {"tensor-type-file", 0, OPT_LIST, "FILE", "NAME=TYPE ... from a file, separated by spaces"},
    {"output-tensor-type", 0, OPT_VALUE, "TYPE", "type for output.weight"},
    {"token-embedding-type", 0, OPT_VALUE, "TYPE", "type for the token embeddings"},
    {"leave-output-tensor", 0, OPT_FLAG, NULL, "keep output.weight as it is"},
    {"allow-requantize", 0, OPT_FLAG, NULL, "accept a source that is quantized already"},
    {"prune-layers", 0, OPT_LIST, "N,...", "leave out layers; the others are renumbered"},
    {"keep-split", 0, OPT_FLAG, NULL, "write as many files as the source has"},
    {"override-kv", 0, OPT_LIST, "KEY=TYPE:VALUE", "set metadata; int, float, bool or str"},
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
