/* cmd_verify.c -- `lq verify`: finds out what vouches for the files of a model, and checks all of it; or
 * compares a model with one signature. */
#include "tools/verify_args.h"

#include "libquant/provenance/verify_model.h"

#include <inttypes.h>
#include <string.h>

/* As text and JSON name the states. */
static const char *const state_names[] = {
    [VERIFY_PENDING] = "pending",     [VERIFY_OK] = "verified",
    [VERIFY_CHANGED] = "changed",     [VERIFY_MISSING] = "missing",
    [VERIFY_BAD] = "bad",             [VERIFY_UNVOUCHED] = "unvouched",
    [VERIFY_NOT_CHECKED] = "not checked", [VERIFY_NOT_LOADED] = "not downloaded",
    [VERIFY_CLAIMS] = "claims",
};

/* ---- text ---- */

/* `name` may come from a certificate. */
static void print_safe(FILE *out, const char *before, const char *name)
{
    struct text t = {0};
    text_put_printable(&t, name, strlen(name));
    fprintf(out, "%s%s", before, t.data ? t.data : "");
    text_free(&t);
}

static void item_row(struct table *t, const struct verify_item *i)
{
    table_cell(t, "%s", state_names[i->state]);
    table_cell(t, "%s", i->name);
    table_cell(t, "%s", i->algorithm == CLAIM_NONE ? "" : claim_algorithm_name(i->algorithm));
    table_cell(t, "%s%s%s", i->source ? i->source : "", i->source && i->why ? ": " : "",
               i->why ? i->why : "");
}

/* How many of the verified claims are signed, and by whom. */
static void print_signed(const struct context *ctx, const struct verification *v)
{
    const char *signer = NULL;
    size_t n_signed = 0, others = 0;
    for (size_t i = 0; i < v->n; i++) {
        if (v->items[i].state != VERIFY_OK || !v->items[i].signer)
            continue;
        others += signer && strcmp(signer, v->items[i].signer) != 0;
        signer = v->items[i].signer;
        n_signed++;
    }
    const size_t n = verify_count(v, VERIFY_OK);
    if (n && !n_signed)
        fputs("; by claims that are not signed", ctx->out);
    else if (n && n_signed == n && !others)
        print_safe(ctx->out, "; signed by ", signer);
    else if (n)
        fprintf(ctx->out, "; %zu of the claims are signed", n_signed);
    fputc('\n', ctx->out);
}

static void print_text(const struct context *ctx, const struct verification *v)
{
    static const enum verify_state order[] = {VERIFY_CHANGED, VERIFY_MISSING, VERIFY_BAD,
                                              VERIFY_NOT_CHECKED, VERIFY_UNVOUCHED,
                                              VERIFY_NOT_LOADED, VERIFY_OK, VERIFY_CLAIMS};
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
    for (size_t s = 0; order[s] != VERIFY_OK; s++)
        if (verify_count(v, order[s]))
            fprintf(ctx->out, ", %zu %s", verify_count(v, order[s]), state_names[order[s]]);
    print_signed(ctx, v);
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
    string_or(j, "signer", i->signer, "unknown");
    string_or(j, "trust_root", i->trust_root, "unknown");
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

/* Prints, and makes the verdict the status. */
static lq_status report(const struct context *ctx, const struct verification *v, const char *path,
                        lq_error *err)
{
    const lq_status verdict = verify_verdict(v);
    if (ctx->json)
        LQ_TRY(print_json(ctx, v, path, verdict, err));
    else
        print_text(ctx, v);
    if (verdict == LQ_E_UNSUPPORTED)
        return lq_fail_at(err, verdict, path, -1, "not everything could be checked");
    return verdict == LQ_OK ? LQ_OK : lq_fail(err, verdict, "%s", "");
}

static lq_status verify_path_of(const struct context *ctx, const struct args *args,
                                const struct verify_args *given, lq_error *err)
{
    struct verification v = {.trust = &given->trust};
    const char *const path = args_at(args, 0);
    lq_status status = verify_collect(&v, path, err);
    if (status == LQ_OK)
        status = verify_model(&v, err);
    if (status == LQ_OK)
        status = verify_check(&v, ctx->threads, ctx->progress, err);
    if (status == LQ_OK)
        status = report(ctx, &v, path, err);
    verification_release(&v);
    return status;
}

/* Of a signature that does not hold, or cannot be checked: machines are told, too. */
static lq_status report_failure(const struct context *ctx, struct verification *v,
                                const char *signature, const char *model, lq_status status,
                                const lq_error *why)
{
    lq_error err;
    if (!ctx->json || status >= LQ_E_IO || status == LQ_E_USAGE)
        return status;
    v->kind = "signature";
    v->n = 0;
    if (verify_note(v, signature, status == LQ_E_VERIFY ? VERIFY_BAD : VERIFY_NOT_CHECKED, NULL, &err,
                    "%s", why->message) == LQ_OK)
        print_json(ctx, v, model, status, &err);
    return status;
}

static lq_status verify_signature(const struct context *ctx, const struct args *args,
                                  const struct verify_args *given, lq_error *err)
{
    struct verification v = {0};
    struct sign_args s = {0};
    const char *const model = args_at(args, 1);
    lq_status status = sign_args_read(&s, ctx, args, model, err);
    s.options.ignore_unsigned = args_flag(args, "ignore-unsigned-files");
    if (status == LQ_OK) {
        status = signature_verify(&v, model, args_value(args, "signature"), given->method,
                                  &given->trust, &s.options, err);
        status = status == LQ_OK ? report(ctx, &v, model, err)
                                 : report_failure(ctx, &v, args_value(args, "signature"), model,
                                                  status, err);
    }
    sign_args_free(&s);
    verification_release(&v);
    return status;
}

static lq_status run(const struct context *ctx, const struct args *args, lq_error *err)
{
    struct verify_args given = {0};
    lq_status status = verify_args_read(&given, ctx, args, err);
    if (status == LQ_OK)
        status = (given.has_method ? verify_signature : verify_path_of)(ctx, args, &given, err);
    verify_args_free(&given);
    return status;
}

static const struct option options[] = {
    {"signature", 0, OPT_VALUE, "FILE", "with a METHOD: the signature"},
    {"public-key", 0, OPT_VALUE, "FILE", "key: that of the signer, in PEM form"},
    {"certificate-chain", 0, OPT_LIST, "FILE", "certificate: the root, and what leads to it"},
    {"log-fingerprints", 0, OPT_FLAG, NULL, "certificate: print the SHA-256 of the certificates"},
    {"trust-config", 0, OPT_VALUE, "FILE", "sigstore: the trusted root"},
    {"identity", 0, OPT_VALUE, "ID", "sigstore: who must have signed"},
    {"identity-provider", 0, OPT_VALUE, "URL", "sigstore: who must vouch for that"},
    {"at-time", 0, OPT_VALUE, "TIME", "the certificates must be valid then (default: now)"},
    {"ignore-unsigned-files", 0, OPT_FLAG, NULL, "files that were not signed are no fault"},
    {"no-ignore-unsigned-files", 0, OPT_FLAG, NULL, "they are (default)"},
    OPTION_SIGN_FILES,
    {0},
};

const struct command command_verify = {
    .name = "verify",
    .summary = "find out what vouches for the files of a model, and check it",
    .synopsis = "PATH | METHOD MODEL --signature FILE [options]",
    .description =
        "PATH is a file, a folder, a Hugging Face cache, one of its entries or snapshots, Ollama's "
        "store or an OCI image layout. Every claim that is found about a file is checked: lists of "
        "SHA-256 digests, names of blobs, links of snapshots, metadata of downloads, manifests, "
        "git-lfs pointers, the digests and attestations that lq writes, the index of the shards; "
        "signatures, where a key or a root is given. What nothing vouches for, and what was not "
        "checked, is listed too.\n\n"
        "With METHOD (`key`, `certificate` or `sigstore`) MODEL must be what the signature says, file by file: "
        "OpenSSF Model Signing v1.0, as `lq sign` and model_signing write it.\n\n"
        "Exit code 0: everything verified; 1: something does not verify, or nothing vouches for it; "
        "3: it cannot be checked.",
    .examples = "lq verify SmolLM2-135M\n"
                "lq verify ~/.cache/huggingface/hub --json\n"
                "lq verify key SmolLM2-135M --signature model.sig --public-key signer.pub",
    .options = options,
    .min_args = 1,
    .max_args = 2,
    .has_json = true,
    .run = run,
};
