/* cmd_imatrix.c -- `lq imatrix`: how much each column of each weight matters, measured on a text.
 */
#include "tools/command.h"
#include "tools/eval_model.h"
#include "tools/eval_tokens.h"
#include "tools/opt.h"

#include "libquant/base/hash.h"
#include "libquant/convert/imatrix.h"
#include "libquant/eval/collect.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { LOGITS_ROWS = 128 }; /* at a time, where the output is observed, too */

struct job {
    const struct context *ctx;
    const char *path, *out;
    struct eval_model model;
    struct engine engine;
    struct eval_tokens tokens;
    struct collector collector;
    uint64_t length, most_chunks, skip;
    size_t n_chunks, done;
    bool output, partial; /* output: of output.weight, too */
    bool dat;             /* the older form */
};

/* ---- earlier matrices ---- */

static lq_status add_entries(struct job *j, const struct imatrix *m, const char *path,
                             lq_error *err)
{
    for (size_t i = 0; i < m->n; i++) {
        const struct imatrix_entry *const e = &m->entries[i];
        if (!e->counts)
            return lq_fail_at(
                err, LQ_E_UNSUPPORTED, path, -1,
                "is in the older form, whose sums were divided already: only matrices "
                "in GGUF form can be gone on with");
        LQ_TRY(collector_add(&j->collector, e->name, e->values, e->n, e->counts, e->n_counts, err));
    }
    for (size_t i = 0; i < m->n_datasets; i++)
        LQ_TRY(collector_add_text(&j->collector, m->datasets[i], err));
    return LQ_OK;
}

static lq_status read_earlier(struct job *j, const struct args *args, lq_error *err)
{
    const char *const *files;
    const size_t n = args_list(args, "in-file", &files);
    for (size_t i = 0; i < n; i++) {
        struct source *source;
        struct imatrix m = {.sums = true};
        LQ_TRY(source_open_file(&source, files[i], err));
        LQ_TRY(imatrix_read(&m, source, err));
        const lq_status status = add_entries(j, &m, files[i], err);
        imatrix_release(&m);
        if (status != LQ_OK) {
            lq_error_add_file(err, files[i]);
            return status;
        }
    }
    return LQ_OK;
}

/* ---- collecting ---- */

static lq_status run_output(struct job *j, float *logits, lq_error *err)
{
    for (size_t row = 0; row < j->length; row += LOGITS_ROWS) {
        const size_t left = (size_t)j->length - row;
        LQ_TRY(
            engine_logits(&j->engine, row, left < LOGITS_ROWS ? left : LOGITS_ROWS, logits, err));
    }
    return LQ_OK;
}

/* Chunk after chunk; an interruption takes effect between two. */
static lq_status run_chunks(struct job *j, float *logits, lq_error *err)
{
    for (j->done = 0; j->done < j->n_chunks; j->done++) {
        char what[64];
        if (progress_stop(j->ctx->progress)) {
            j->partial = true;
            return LQ_OK;
        }
        LQ_TRY(engine_run(&j->engine, j->tokens.ids + j->done * j->length, 1, err));
        if (j->output)
            LQ_TRY(run_output(j, logits, err));
        snprintf(what, sizeof what, "chunk %zu of %zu", j->done + 1, j->n_chunks);
        progress_step(j->ctx->progress, j->done + 1, j->n_chunks, what);
    }
    return LQ_OK;
}

static lq_status skip_chunks(struct job *j, lq_error *err)
{
    const uint64_t n = j->skip * j->length;
    if (n > j->tokens.n)
        return lq_fail_at(err, LQ_E_MODEL, j->tokens.path, -1,
                          "has %zu tokens: there is nothing after %" PRIu64 " chunks of %" PRIu64,
                          j->tokens.n, j->skip, j->length);
    j->tokens.n -= (size_t)n;
    memmove(j->tokens.ids, j->tokens.ids + n, j->tokens.n * sizeof *j->tokens.ids);
    return LQ_OK;
}

static lq_status collect(struct job *j, const struct args *args, lq_error *err)
{
    const struct observer observer = {collector_see, &j->collector};
    const struct engine_options o = {j->ctx->isa, j->ctx->threads, (uint32_t)j->length, 1, NULL};
    LQ_TRY(eval_model_open(&j->model, j->path, err));
    LQ_TRY(eval_model_spare(&j->model, j->out, err));
    LQ_TRY(eval_tokens_read(&j->tokens, &j->model, args_value(args, "text"), args_value(args, "ids"),
                            err));
    LQ_TRY(skip_chunks(j, err));
    LQ_TRY(eval_tokens_chunks(&j->tokens, j->length, 1, j->most_chunks, &j->n_chunks, err));
    LQ_TRY(engine_open(&j->engine, &j->model.weights, &o, err));
    eval_model_warn_of_length(j->ctx, &j->engine.graph, j->length);
    j->output = args_flag(args, "process-output") && j->engine.graph.causal &&
                j->engine.graph.output.t != j->engine.graph.token_embd;
    float *const logits =
        j->output ? mem_calloc((size_t)j->engine.graph.vocab * LOGITS_ROWS, sizeof *logits) : NULL;
    if (j->output && !logits)
        return lq_fail_memory(err);
    j->engine.observer = &observer;
    lq_status status = run_chunks(j, logits, err);
    if (status == LQ_OK && j->done)
        status = collector_add_text(&j->collector, path_last_part(j->tokens.path), err);
    j->engine.observer = NULL;
    free(logits);
    return status;
}

/* ---- results ---- */

static void warn_of_unused(const struct job *j)
{
    for (size_t i = 0; i < j->collector.n && !j->ctx->quiet; i++) {
        const struct collected *const e = &j->collector.entries[i];
        uint64_t unused = 0;
        for (uint64_t k = 0; k < e->n_counts; k++)
            unused += e->counts[k] == 0;
        if (unused)
            fprintf(j->ctx->err,
                    "lq: warning: %s: %" PRIu64 " of %" PRIu64
                    " experts were never chosen: give a longer text\n",
                    e->name, unused, e->n_counts);
    }
}

static lq_status report(const struct job *j, const uint8_t digest[32], lq_error *err)
{
    const struct context ctx = context_beside(j->ctx, j->out);
    const uint64_t chunks = collector_chunks(&j->collector, j->length);
    char hex[65];
    hex_of(hex, digest, 32);
    progress_clear();
    warn_of_unused(j);
    if (ctx.json) {
        struct json_out o = {0};
        out_object(&o, NULL);
        out_string(&o, "file", j->out);
        out_string(&o, "sha256", hex);
        out_bool(&o, "partial", j->partial);
        out_u64(&o, "context", j->length);
        out_u64(&o, "chunks", chunks);
        out_u64(&o, "entries", j->collector.n);
        out_end(&o, '}');
        return out_print(&o, &ctx, err);
    }
    fprintf(ctx.out, "%s  %s\n", hex, j->out);
    if (!ctx.quiet)
        fprintf(ctx.err, "  %zu entries, %" PRIu64 " chunks of %" PRIu64 " tokens%s\n",
                j->collector.n, chunks, j->length, j->partial ? " (partial: interrupted)" : "");
    if (j->partial && !j->dat && !ctx.quiet)
        fprintf(ctx.err, "  go on with --in-file %s --chunk %" PRIu64 "\n", j->out,
                j->skip + j->done);
    return LQ_OK;
}

static lq_status write_out(struct job *j, lq_error *err)
{
    struct sink *sink;
    uint8_t digest[32];
    LQ_TRY(sink_open(&sink, j->out, SINK_SYNC | SINK_SHA256, err));
    const lq_status status = (j->dat ? collector_write_dat : collector_write)(
        &j->collector, j->length, sink, err);
    if (status != LQ_OK) {
        sink_abort(sink);
        return status;
    }
    LQ_TRY(sink_commit(sink, digest, err));
    return report(j, digest, err);
}

static lq_status run_job(struct job *j, const struct args *args, lq_error *err)
{
    j->out = args_value(args, "o");
    j->path = args_count(args) ? args_at(args, 0) : NULL;
    LQ_TRY(args_u64(args, "ctx", 512, 8, 1 << 20, &j->length, err));
    LQ_TRY(args_u64(args, "chunks", 0, 1, UINT32_MAX, &j->most_chunks, err));
    LQ_TRY(args_u64(args, "chunk", 0, 0, UINT32_MAX, &j->skip, err));
    if (!j->out)
        return lq_fail(err, LQ_E_USAGE, "-o OUT is missing: where the matrix goes");
    const char *const format = args_value(args, "output-format");
    j->dat = format && strcmp(format, "dat") == 0;
    if (format && !j->dat && strcmp(format, "gguf") != 0)
        return lq_fail(err, LQ_E_USAGE, "--output-format %s is none of gguf and dat", format);
    LQ_TRY(read_earlier(j, args, err));
    if (j->path)
        LQ_TRY(collect(j, args, err));
    else if (!j->collector.n)
        return lq_fail(err, LQ_E_USAGE,
                       "give a MODEL and a text, or matrices to join with --in-file");
    if (j->partial && !j->done)
        return lq_fail(err, LQ_E_INTERRUPTED, "%s", "");
    LQ_TRY(write_out(j, err));
    return j->partial ? lq_fail(err, LQ_E_INTERRUPTED, "%s", "") : LQ_OK;
}

static lq_status run(const struct context *ctx, const struct args *args, lq_error *err)
{
    struct job j = {.ctx = ctx};
    const lq_status status = run_job(&j, args, err);
    engine_release(&j.engine);
    eval_model_close(&j.model);
    eval_tokens_release(&j.tokens);
    collector_release(&j.collector);
    return status;
}

static const struct option options[] = {
    {"o", 'o', OPT_VALUE, "OUT", "the importance matrix"},
    {"output-format", 0, OPT_VALUE, "FORMAT", "gguf (default), or dat: the older form"},
    {"text", 0, OPT_VALUE, "FILE", "the text, tokenized as llama-imatrix does it"},
    {"ids", 0, OPT_VALUE, "FILE", "the text as numbers of tokens, separated by blanks or lines"},
    {"ctx", 'c', OPT_VALUE, "N", "tokens in a chunk (512)"},
    {"chunks", 0, OPT_VALUE, "N", "read only so many chunks"},
    {"chunk", 0, OPT_VALUE, "N", "leave out so many chunks at the beginning"},
    {"in-file", 0, OPT_LIST, "FILE", "add to this matrix; may be given several times"},
    {"process-output", 0, OPT_FLAG, NULL, "measure output.weight, too"},
    {0},
};

const struct command command_imatrix = {
    .name = "imatrix",
    .summary = "measure which weights matter, for quantizing",
    .synopsis = "[MODEL --text FILE] [--in-file FILE]... -o OUT [--ctx N] [--chunks N] [--json]",
    .description =
        "Runs the model over a text and sums, for each column of each weight, the squares of the "
        "activations that meet it: the importance matrix that `lq quantize --imatrix` and "
        "llama-quantize take, as llama-imatrix writes it. Experts have sums and counts of their "
        "own. The file is the same on every machine and for every number of threads.\n\n"
        "With --in-file the sums of earlier matrices are added to; without MODEL they are only "
        "joined. Ctrl-C writes what whole chunks have given and says how to go on.",
    .examples = "lq imatrix model-f16.gguf --text text.txt -o imatrix.gguf\n"
                "lq imatrix --in-file one.gguf --in-file two.gguf -o both.gguf",
    .options = options,
    .min_args = 0,
    .max_args = 1,
    .has_json = true,
    .run = run,
};
