/* cmd_verify.c -- `lq verify`: finds out what vouches for the files of a model, and checks all of it. */
#include "tools/command.h"

#include "libquant/provenance/verify_model.h"

#include <inttypes.h>
#include <string.h>

/* As text and JSON name the states. */
static const char *const state_names[] = {
    [VERIFY_PENDING] = "pending",     [VERIFY_OK] = "verified",
    [VERIFY_CHANGED] = "changed",     [VERIFY_MISSING] = "missing",
    [VERIFY_BAD] = "bad",             [VERIFY_UNVOUCHED] = "unvouched",
    [VERIFY_NOT_CHECKED] = "not checked", [VERIFY_CLAIMS] = "claims",
};

/* ---- text ---- */

static void item_row(struct table *t, const struct verify_item *i)
{
    table_cell(t, "%s", state_names[i->state]);
    table_cell(t, "%s", i->name);
    table_cell(t, "%s", i->algorithm == CLAIM_NONE ? "" : claim_algorithm_name(i->algorithm));
    table_cell(t, "%s%s%s", i->source ? i->source : "", i->source && i->why ? ": " : "",
               i->why ? i->why : "");
}

static void print_text(const struct context *ctx, const struct verification *v)
{
    static const enum verify_state order[] = {VERIFY_CHANGED, VERIFY_MISSING, VERIFY_BAD,
                                              VERIFY_NOT_CHECKED, VERIFY_UNVOUCHED, VERIFY_OK,
                                              VERIFY_CLAIMS};
    struct table t = {.align = "llll"};
    table_cell(&t, "state");
    table_cell(&t, "file");
    table_cell(&t, "digest");
    table_cell(&t, "claim");
    for (size_t s = 0; s < sizeof order / sizeof *order; s++)
        for (size_t i = 0; i < v->n; i++)
            if (v->items[i].state == order[s])
                item_row(&t, &v->items[i]);
    table_print(&t, ctx, 0);
    fprintf(ctx->out, "\n%s: %zu verified", v->kind, verify_count(v, VERIFY_OK));
    for (size_t s = 0; s < 5; s++)
        if (verify_count(v, order[s]))
            fprintf(ctx->out, ", %zu %s", verify_count(v, order[s]), state_names[order[s]]);
    fputs(verify_count(v, VERIFY_OK) ? "; by claims that are not signed\n" : "\n", ctx->out);
}

/* ---- JSON ---- */

static void string_or(struct json_out *j, const char *key, const char *s, const char *otherwise)
{
    if (s || otherwise)
        out_string(j, key, s ? s : otherwise);
    else
        out_null(j, key);
}

static void out_item(struct json_out *j, const struct verify_item *i)
{
    out_object(j, NULL);
    out_string(j, "name", i->name);
    out_string(j, "state", state_names[i->state]);
    string_or(j, "algorithm", i->algorithm == CLAIM_NONE ? NULL : claim_algorithm_name(i->algorithm),
              NULL);
    string_or(j, "digest", i->expected, NULL);
    string_or(j, "found", i->found, NULL);
    if (i->size == CLAIM_NO_SIZE)
        out_null(j, "size");
    else
        out_u64(j, "size", i->size);
    string_or(j, "source", i->source, NULL);
    out_string(j, "signer", "unknown");
    out_string(j, "trust_root", "unknown");
    string_or(j, "time", i->time, "unknown");
    string_or(j, "why", i->why, NULL);
    out_end(j, '}');
}

static lq_status print_json(const struct context *ctx, const struct verification *v,
                            const char *path, lq_status verdict, lq_error *err)
{
    struct json_out j = {0};
    out_object(&j, NULL);
    out_string(&j, "path", path);
    out_string(&j, "kind", v->kind);
    out_string(&j, "verdict", verdict == LQ_OK         ? "verified"
                              : verdict == LQ_E_VERIFY ? "not verified"
                                                       : "cannot be checked");
    out_array(&j, "items");
    for (size_t i = 0; i < v->n; i++)
        out_item(&j, &v->items[i]);
    out_end(&j, ']');
    out_end(&j, '}');
    return out_print(&j, ctx, err);
}

/* ---- the command ---- */

static lq_status run(const struct context *ctx, const struct args *args, lq_error *err)
{
    struct verification v = {0};
    const char *const path = args_at(args, 0);
    lq_status status = verify_collect(&v, path, err);
    if (status == LQ_OK)
        status = verify_model(&v, err);
    if (status == LQ_OK)
        status = verify_check(&v, ctx->threads, ctx->progress, err);
    if (status == LQ_OK) {
        const lq_status verdict = verify_verdict(&v);
        if (ctx->json)
            status = print_json(ctx, &v, path, verdict, err);
        else
            print_text(ctx, &v);
        if (status == LQ_OK && verdict == LQ_E_UNSUPPORTED)
            status = lq_fail_at(err, verdict, path, -1, "not everything could be checked");
        else if (status == LQ_OK && verdict != LQ_OK)
            status = lq_fail(err, verdict, "%s", "");
    }
    verification_release(&v);
    return status;
}

const struct command command_verify = {
    .name = "verify",
    .summary = "find out what vouches for the files of a model, and check it",
    .synopsis = "PATH",
    .description =
        "PATH is a file, a folder, a Hugging Face cache, one of its entries or snapshots, Ollama's "
        "store or an OCI image layout. Every claim that is found about a file is checked: lists of "
        "SHA-256 digests, names of blobs, links of snapshots, metadata of downloads, manifests, "
        "git-lfs pointers, the digests and attestations that lq writes, the index of the shards. "
        "What nothing vouches for, and what was not checked, is listed too.\n\n"
        "Exit code 0: everything verified; 1: something does not verify, or nothing vouches for it; "
        "3: it cannot be checked.",
    .examples = "lq verify SmolLM2-135M\n"
                "lq verify model.gguf\n"
                "lq verify ~/.cache/huggingface/hub --json",
    .options = NULL,
    .min_args = 1,
    .max_args = 1,
    .has_json = true,
    .run = run,
};
