/* cmd_reproduce.c -- `lq reproduce`: derive a model again from its source, and accept or refuse. */
#include "tools/eval_run.h"

#include "libquant/base/hash.h"
#include "libquant/provenance/reproduce.h"
#include "libquant/trust/dsse.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void put_printable(struct text *t, const char *s)
{
    text_put_printable(t, s, strlen(s));
}

/* What is printed. */
struct verdict {
    struct attestation a;
    struct reproduction r;
    const char *output;   /* NULL: none was given */
    bool signed_by_key;   /* the envelope's signature has been checked */
    struct sign_key key;
    bool evaluated;       /* the figures have been computed again */
};

static const char *signature_note(const struct verdict *v)
{
    return v->signed_by_key ? "signed with this key"
           : v->a.in_envelope ? "signature not checked"
                              : "not signed";
}

static void put_accepted(struct text *t, const struct verdict *v)
{
    const struct attestation *const a = &v->a;
    text_puts(t, v->output ? " is what the source and the recipe give\n"
                           : " has the digest of what the source and the recipe give\n");
    for (size_t i = 0; i < a->n_subjects; i++) {
        char hex[65];
        hex_of(hex, a->subjects[i].sha256, 32);
        text_printf(t, "  sha256:%s  ", hex);
        put_printable(t, a->subjects[i].name);
        text_putc(t, '\n');
    }
    text_printf(t, "  attestation: %s", signature_note(v));
    if (a->has_evaluation)
        text_printf(t, "\n  evaluation: perplexity %.6f, %" PRIu64 " tokens scored: %s",
                    a->evaluation.summary.perplexity.value, a->evaluation.n,
                    v->evaluated ? "computed again, and the same" : "not computed again");
}

static lq_status print_text(const struct context *ctx, const struct verdict *v, lq_error *err)
{
    struct text t = {0};
    text_puts(&t, v->r.why[0] ? "refused: " : "accepted: ");
    put_printable(&t, v->output ? v->output : v->a.subjects[0].name);
    if (v->r.why[0]) {
        text_puts(&t, ": ");
        put_printable(&t, v->r.why);
    } else {
        put_accepted(&t, v);
    }
    if (!t.failed)
        fprintf(ctx->out, "%s\n", t.data);
    const bool failed = t.failed;
    text_free(&t);
    return failed ? lq_fail_memory(err) : LQ_OK;
}

static void string_or_null(struct json_out *j, const char *key, const char *s)
{
    if (s)
        out_string(j, key, s);
    else
        out_null(j, key);
}

static lq_status print_json(const struct context *ctx, const struct verdict *v, lq_error *err)
{
    const struct attestation *const a = &v->a;
    const bool accepted = !v->r.why[0];
    struct json_out j = {0};
    out_object(&j, NULL);
    out_bool(&j, "accepted", accepted);
    string_or_null(&j, "why", accepted ? NULL : v->r.why);
    string_or_null(&j, "output", v->output);
    out_string(&j, "signature", v->signed_by_key   ? "verified"
                                : a->in_envelope ? "not checked"
                                                 : "none");
    out_string(&j, "signer", v->signed_by_key ? v->key.fingerprint : "unknown");
    out_string(&j, "evaluation", v->evaluated        ? "verified"
                                 : a->has_evaluation ? "not checked"
                                                     : "none");
    out_array(&j, "subjects");
    for (size_t i = 0; i < a->n_subjects; i++) {
        char hex[65];
        hex_of(hex, a->subjects[i].sha256, 32);
        out_object(&j, NULL);
        out_string(&j, "name", a->subjects[i].name);
        out_string(&j, "sha256", hex);
        out_end(&j, '}');
    }
    out_end(&j, ']');
    out_end(&j, '}');
    return out_print(&j, ctx, err);
}

/* With --public-key the attestation must be one that this key has signed. */
static lq_status check_signature(struct verdict *v, struct source *attestation,
                                 const struct args *args, lq_error *err)
{
    const char *const path = args_value(args, "public-key");
    struct text statement = {0};
    struct source *s;
    if (!path)
        return LQ_OK;
    LQ_TRY(source_open_file(&s, path, err));
    lq_status status = key_read_public(&v->key, s, err);
    source_close(s);
    if (status == LQ_OK)
        status = verify_statement(&statement, attestation, &v->key, err);
    v->signed_by_key = status == LQ_OK;
    text_free(&statement);
    return status;
}

/* Whether both are written in the same way: to the last bit of every figure. */
static bool same_evaluation(const struct evaluation *a, const struct evaluation *b)
{
    struct text x = {0}, y = {0};
    attestation_put_evaluation(&x, a);
    attestation_put_evaluation(&y, b);
    const bool same = !x.failed && !y.failed && strcmp(x.data, y.data) == 0;
    text_free(&x);
    text_free(&y);
    return same;
}

/* Computes the figures again from the output, which has been accepted, and the source. */
static lq_status check_evaluation(const struct context *ctx, struct verdict *v,
                                  const struct reproduce_options *o, const char *text, lq_error *err)
{
    const struct evaluation *const claimed = &v->a.evaluation;
    struct evaluation found = {0};
    char *base = NULL;
    if (claimed->length < EVAL_MIN_LENGTH || claimed->length > EVAL_MAX_LENGTH)
        return lq_fail(err, LQ_E_UNSUPPORTED, "the attestation's context of %" PRIu64 " tokens",
                       claimed->length);
    LQ_TRY(reproduce_source(&base, &v->a, o->source, err));
    const struct eval_request q = {.model = o->output, .base = base, .text = text,
                                   .length = claimed->length, .silent = true, .result = &found};
    const lq_status status = eval_run(ctx, &q, err);
    free(base);
    LQ_TRY(status);
    v->evaluated = same_evaluation(&found, claimed);
    if (v->evaluated)
        return LQ_OK;
    if (strcmp(found.token_digest, claimed->token_digest) != 0)
        snprintf(v->r.why, sizeof v->r.why, "the text %.300s is not the one that it was evaluated on",
                 text);
    else
        snprintf(v->r.why, sizeof v->r.why,
                 "the evaluation gives other figures than the attestation's: perplexity %.17g, and "
                 "%.17g is claimed",
                 found.summary.perplexity.value, claimed->summary.perplexity.value);
    return lq_fail(err, LQ_E_VERIFY, "%s", "");
}

static lq_status check(const struct context *ctx, struct verdict *v, const struct reproduce_options *o,
                       const char *text, lq_error *err)
{
    if (text && !v->a.has_evaluation)
        return lq_fail(err, LQ_E_USAGE, "--eval: the attestation has no evaluation");
    if (o->imatrix && !v->a.has_importance)
        return lq_fail(err, LQ_E_USAGE, "--imatrix: it was made without an importance matrix");
    LQ_TRY(reproduce(&v->a, o, &v->r, err));
    return text ? check_evaluation(ctx, v, o, text, err) : LQ_OK;
}

static lq_status run(const struct context *ctx, const struct args *args, lq_error *err)
{
    const struct stream_options stream = {.isa = ctx->isa, .threads = ctx->threads,
                                          .progress = ctx->progress};
    const struct reproduce_options o = {.source = args_value(args, "source"),
                                        .output = args_value(args, "output"),
                                        .imatrix = args_value(args, "imatrix"),
                                        .stream = &stream};
    const char *const text = args_value(args, "eval");
    struct verdict v = {.output = o.output};
    struct source *s;
    if (!o.source)
        return lq_fail(err, LQ_E_USAGE, "--source DIR is missing: what the model was made of");
    if (text && !o.output)
        return lq_fail(err, LQ_E_USAGE, "--eval needs --output FILE: what is evaluated");
    LQ_TRY(source_open_file(&s, args_at(args, 0), err));
    lq_status status = check_signature(&v, s, args, err);
    if (status == LQ_OK)
        status = attestation_read(&v.a, s, err);
    source_close(s);
    if (status == LQ_OK)
        status = check(ctx, &v, &o, text, err);
    if (status == LQ_E_VERIFY && ctx->json && !v.r.why[0]) /* the signature is not that of the key */
        snprintf(v.r.why, sizeof v.r.why, "%s", err->message);
    if (status == LQ_OK || (status == LQ_E_VERIFY && v.r.why[0])) {
        const lq_status printed = (ctx->json ? print_json : print_text)(ctx, &v, err);
        status = printed == LQ_OK ? status : printed;
    }
    attestation_release(&v.a);
    key_release(&v.key);
    return status;
}

static const struct option options[] = {
    {"source", 0, OPT_VALUE, "DIR", "what the model was made of: a folder, or the file"},
    {"output", 0, OPT_VALUE, "FILE", "what is claimed to be the result; of several files the first, or their folder"},
    {"public-key", 0, OPT_VALUE, "FILE", "the attestation must be signed with this key"},
    {"imatrix", 0, OPT_VALUE, "FILE", "the importance matrix, where one was used"},
    {"eval", 0, OPT_VALUE, "FILE", "compute the evaluation's figures again, from the text it was made on"},
    {0},
};

const struct command command_reproduce = {
    .name = "reproduce",
    .summary = "derive a model again from its source, and accept or refuse it",
    .synopsis = "ATTESTATION --source DIR [--output FILE] [--imatrix FILE] [--eval FILE]",
    .description =
        "Makes the model again that an attestation (`lq convert --attest`) is about, from its source "
        "and by the recipe that it records, and compares byte for byte as it goes. Nothing is "
        "written. Accepted: exit code 0. Refused, with the first tensor, block or metadata key that "
        "differs: 1. Without --output only digests are compared. The figures of an evaluation are "
        "computed again where --eval gives the text.",
    .examples = "lq reproduce model.intoto.json --source SmolLM2-135M --output model-q4_k_m.gguf\n"
                "lq reproduce model.intoto.json --source SmolLM2-135M",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .has_json = true,
    .run = run,
};
