/* attest_args.c -- from a planned run to the statements about it. */
#include "tools/attest_args.h"

#include "tools/eval_run.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_METADATA = 16 << 20 };

/* ---- set-up ---- */

/* The name of a source that is a file; NULL for a folder. */
static const char *entry_of(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0 || S_ISDIR(st.st_mode))
        return NULL;
    return path_last_part(path);
}

/* `path` with {type} replaced. */
static lq_status statement_path(struct attest_args *a, struct attested_output *o, const char *path,
                                size_t n_outputs, lq_error *err)
{
    const char *const place = strstr(path, "{type}");
    struct text t = {0};
    if (!place && n_outputs > 1)
        return lq_fail(err, LQ_E_USAGE,
                       "several types need several attestations: put {type} into \"%.200s\"", path);
    text_put(&t, path, place ? (size_t)(place - path) : strlen(path));
    for (const char *s = o->a.type; place && *s; s++)
        text_putc(&t, *s >= 'A' && *s <= 'Z' ? (char)(*s - 'A' + 'a') : *s);
    text_puts(&t, place ? place + strlen("{type}") : "");
    o->path = t.failed ? NULL : arena_strdup(&a->arena, t.data);
    text_free(&t);
    return o->path ? LQ_OK : lq_fail_memory(err);
}

static void set_common(struct attestation *a, const char *command, const char *type,
                       const char *source, const struct stream_options *stream)
{
    const struct quantize_options *const q = &a->convert.quantize;
    a->command = command;
    a->type = type;
    a->entry = entry_of(source);
    a->allow_nonfinite = stream->allow_nonfinite;
    a->rounding = stream->rounding;
    a->version = lq_version();
    a->has_importance = q->imatrix && q->imatrix->n;
    if (a->has_importance)
        memcpy(a->imatrix_sha256, q->imatrix->sha256, sizeof a->imatrix_sha256);
}

/* Reads the file of --metadata, which becomes part of the recipe. */
static lq_status read_metadata(struct attest_args *a, const struct convert_options *o,
                               struct bytes *out, lq_error *err)
{
    size_t len = 0;
    if (!o->metadata.overrides)
        return LQ_OK;
    if (!a->metadata)
        LQ_TRY(source_read_all(o->metadata.overrides, MAX_METADATA, &a->metadata, &len, err));
    *out = (struct bytes){a->metadata, strlen(a->metadata)};
    return LQ_OK;
}

lq_status attest_convert(struct attest_args *a, const char *path, struct conversion *c,
                         const struct stream_options *stream, lq_error *err)
{
    if (!path)
        return LQ_OK;
    a->outputs = mem_calloc(c->n_outputs, sizeof *a->outputs);
    if (!a->outputs)
        return lq_fail_memory(err);
    for (; a->n_outputs < c->n_outputs; a->n_outputs++) {
        const struct convert_output *const made = &c->outputs[a->n_outputs];
        struct attested_output *const o = &a->outputs[a->n_outputs];
        o->output = made->output;
        o->a.convert = *c->options;
        o->a.names = c->names;
        set_common(&o->a, "convert", made->mix ? made->mix->name : made->plain->name,
                   c->options->vocab_only ? c->model.path : c->model.source.path, stream);
        LQ_TRY(read_metadata(a, c->options, &o->a.metadata, err));
        LQ_TRY(statement_path(a, o, path, c->n_outputs, err));
    }
    return attest_begin(&a->run, &c->model.source, c->model.files, a->outputs, a->n_outputs,
                        stream->threads, err);
}

lq_status attest_quantize(struct attest_args *a, const char *path, const struct catalog *source,
                          struct quantize_plan *plan, const struct stream_options *stream,
                          lq_error *err)
{
    if (!path)
        return LQ_OK;
    a->outputs = mem_calloc(1, sizeof *a->outputs);
    if (!a->outputs)
        return lq_fail_memory(err);
    a->n_outputs = 1;
    a->outputs->output = &plan->output;
    a->outputs->a.convert.quantize = *plan->options;
    set_common(&a->outputs->a, "quantize", plan->options->recipe.mix->name, source->path, stream);
    LQ_TRY(statement_path(a, a->outputs, path, 1, err));
    return attest_begin(&a->run, source, NULL, a->outputs, 1, stream->threads, err);
}

/* ---- the end ---- */

lq_status attest_args_key(struct sign_key *k, const struct args *args, lq_error *err)
{
    const char *const path = args_value(args, "attest-key");
    if (!path)
        return LQ_OK;
    if (!args_value(args, "attest"))
        return lq_fail(err, LQ_E_USAGE, "--attest-key is for --attest");
    return sign_args_private_key(k, args, path, err);
}

lq_status attest_args_evaluate(struct attest_args *a, size_t i, const struct context *ctx,
                               const char *text, const char *model, const char *base, lq_error *err)
{
    struct attestation *const statement = a->n_outputs ? &a->outputs[i].a : NULL;
    if (statement)
        statement->has_evaluation = text != NULL;
    return eval_loss(ctx, text, model, base, statement ? &statement->evaluation : NULL, err);
}

/* The statement, in an envelope where there is a key. */
static lq_status put_statement(struct text *t, const struct attested_output *o,
                               const struct sign_key *key, lq_error *err)
{
    struct text statement = {0};
    attestation_put(&statement, &o->a);
    lq_status status = statement.failed ? lq_fail_memory(err) : LQ_OK;
    if (status == LQ_OK && key && key->pkey)
        status = sign_statement(t, statement.data, statement.len, key, err);
    else if (status == LQ_OK)
        text_put(t, statement.data, statement.len);
    text_free(&statement);
    return status == LQ_OK && t->failed ? lq_fail_memory(err) : status;
}

static lq_status write_statement(const struct attested_output *o, const struct sign_key *key,
                                 lq_error *err)
{
    struct text t = {0};
    struct sink *s = NULL;
    lq_status status = put_statement(&t, o, key, err);
    if (status == LQ_OK)
        status = sink_open(&s, o->path, SINK_SYNC, err);
    if (status == LQ_OK)
        status = sink_append(s, t.data, t.len, err);
    if (status == LQ_OK)
        status = sink_commit(s, NULL, err);
    else
        sink_abort(s);
    text_free(&t);
    return status;
}

lq_status attest_args_write(struct attest_args *a, lq_error *err)
{
    if (!a->run)
        return LQ_OK;
    lq_status status = attest_finish(a->run, true, err);
    a->run = NULL;
    for (size_t i = 0; i < a->n_outputs && status == LQ_OK; i++)
        status = write_statement(&a->outputs[i], a->key, err);
    return status;
}

void attest_args_release(struct attest_args *a)
{
    attest_cancel(a->run);
    for (size_t i = 0; i < a->n_outputs; i++)
        arena_free(&a->outputs[i].a.arena); /* the rest belongs to the plan */
    free(a->outputs);
    free(a->metadata);
    arena_free(&a->arena);
    *a = (struct attest_args){0};
}
