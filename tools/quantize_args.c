/* quantize_args.c -- options of quantizing that several commands share. */
#include "tools/quantize_args.h"

#include "tools/opt.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_PATTERN_FILE = 16 << 20 };

static void warn(const struct context *ctx, const char *text)
{
    if (!ctx->quiet)
        fprintf(ctx->err, "lq: warning: %s\n", text);
}

/* ---- types of single tensors ---- */

static lq_status add_pattern(struct quantize_args *q, const char *text, lq_error *err)
{
    if (!mem_grow((void **)&q->patterns, &q->cap_patterns, q->n_patterns, sizeof *q->patterns))
        return lq_fail_memory(err);
    LQ_TRY(type_pattern_parse(&q->patterns[q->n_patterns], text, err));
    q->n_patterns++;
    return LQ_OK;
}

/* A file of NAME=TYPE, separated by spaces or newlines. */
static lq_status add_pattern_file(struct quantize_args *q, const char *path, lq_error *err)
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
        status = add_pattern(q, word, err);
    if (status != LQ_OK)
        lq_error_add_file(err, path);
    free(data);
    return status;
}

/* The first pattern that is found counts, in the order of the command line. */
static lq_status parse_patterns(struct quantize_args *q, const struct args *args, lq_error *err)
{
    const char *const *texts, *const *files;
    const size_t n_texts = args_list(args, "tensor-type", &texts);
    const size_t n_files = args_list(args, "tensor-type-file", &files);
    for (size_t t = 0, f = 0; t < n_texts || f < n_files;) {
        const bool text_first =
            f == n_files || (t < n_texts && args_place(args, "tensor-type", t) <
                                                args_place(args, "tensor-type-file", f));
        LQ_TRY(text_first ? add_pattern(q, texts[t++], err)
                          : add_pattern_file(q, files[f++], err));
    }
    q->options.recipe.patterns = q->patterns;
    q->options.recipe.n_patterns = q->n_patterns;
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

/* ---- metadata ---- */

static lq_status parse_overrides(struct quantize_args *q, const struct context *ctx,
                                 const struct args *args, lq_error *err)
{
    const char *const *texts;
    const size_t n = args_list(args, "override-kv", &texts);
    q->overrides = mem_calloc(n + 1, sizeof *q->overrides);
    if (!q->overrides)
        return lq_fail_memory(err);
    for (size_t i = 0; i < n; i++) {
        LQ_TRY(kv_override_parse(&q->overrides[i], texts[i], err));
        if (q->overrides[i].negative)
            warn(ctx, "--override-kv: an int is written without its sign, as llama-quantize does");
    }
    q->options.overrides = q->overrides;
    q->options.n_overrides = n;
    return LQ_OK;
}

/* ---- importance ---- */

static lq_status read_imatrix(struct quantize_args *q, const struct context *ctx,
                              const struct args *args, lq_error *err)
{
    const char *const *include, *const *exclude;
    const size_t n_include = args_list(args, "include-weights", &include);
    const size_t n_exclude = args_list(args, "exclude-weights", &exclude);
    const char *const path = args_value(args, "imatrix");
    struct source *source;
    if (n_include && n_exclude)
        return lq_fail(err, LQ_E_USAGE,
                       "--include-weights and --exclude-weights exclude each other");
    if (!path) {
        if (n_include || n_exclude)
            warn(ctx, "--include-weights and --exclude-weights have no effect without --imatrix");
        return LQ_OK;
    }
    LQ_TRY(source_open_file(&source, path, err));
    LQ_TRY(imatrix_read(&q->imatrix, source, err));
    if (n_exclude)
        imatrix_exclude(&q->imatrix, exclude, n_exclude);
    if (n_include)
        imatrix_include(&q->imatrix, include, n_include);
    if (!q->imatrix.n)
        warn(ctx, "no entry of the importance matrix is left; going on without");
    const lq_status status = imatrix_check(&q->imatrix, err);
    if (status != LQ_OK)
        lq_error_add_file(err, path);
    q->options.imatrix = &q->imatrix;
    q->options.imatrix_path = path;
    q->options.include = include;
    q->options.n_include = n_include;
    q->options.exclude = exclude;
    q->options.n_exclude = n_exclude;
    return status;
}

lq_status quantize_args_parse(struct quantize_args *q, const struct context *ctx,
                              const struct args *args, lq_error *err)
{
    struct recipe *const recipe = &q->options.recipe;
    recipe->pure = args_flag(args, "pure");
    recipe->keep_output = args_flag(args, "leave-output-tensor");
    q->options.allow_requantize = args_flag(args, "allow-requantize");
    LQ_TRY(parse_type(args, "output-tensor-type", &recipe->output_type, err));
    LQ_TRY(parse_type(args, "token-embedding-type", &recipe->embedding_type, err));
    LQ_TRY(parse_patterns(q, args, err));
    LQ_TRY(parse_overrides(q, ctx, args, err));
    return read_imatrix(q, ctx, args, err);
}

lq_status quantize_args_stream(struct stream_options *stream, const struct args *args,
                               lq_error *err)
{
    const char *const rounding = args_value(args, "rounding");
    stream->allow_nonfinite = args_flag(args, "allow-nonfinite");
    if (rounding && !rounding_by_name(rounding, &stream->rounding))
        return lq_fail(err, LQ_E_USAGE, "--rounding takes strict or fused, not \"%.40s\"", rounding);
    return LQ_OK;
}

void quantize_args_release(struct quantize_args *q)
{
    for (size_t i = 0; i < q->n_patterns; i++)
        type_pattern_release(&q->patterns[i]);
    imatrix_release(&q->imatrix);
    free(q->patterns);
    free(q->overrides);
    *q = (struct quantize_args){0};
}
