/* cmd_reproduce.c -- `lq reproduce`: derive a model again from its source, and accept or refuse. */
#include "tools/command.h"

#include "libquant/base/hash.h"
#include "libquant/provenance/reproduce.h"
#include "libquant/trust/dsse.h"

#include <string.h>

static void put_printable(struct text *t, const char *s)
{
    text_put_printable(t, s, strlen(s));
}

/* Whether the envelope's signature has been checked, and with which key. */
struct signature {
    bool checked;
    struct sign_key key;
};

static const char *signature_note(const struct attestation *a, const struct signature *s)
{
    return s->checked ? "signed with this key" : a->in_envelope ? "signature not checked" : "not signed";
}

static lq_status print_text(const struct context *ctx, const struct attestation *a,
                            const struct signature *signature, const struct reproduction *r,
                            const char *output, lq_error *err)
{
    struct text t = {0};
    text_puts(&t, r->why[0] ? "refused: " : "accepted: ");
    put_printable(&t, output ? output : a->subjects[0].name);
    if (r->why[0]) {
        text_puts(&t, ": ");
        put_printable(&t, r->why);
    } else {
        text_puts(&t, output ? " is what the source and the recipe give\n"
                             : " has the digest of what the source and the recipe give\n");
        for (size_t i = 0; i < a->n_subjects; i++) {
            char hex[65];
            hex_of(hex, a->subjects[i].sha256, 32);
            text_printf(&t, "  sha256:%s  ", hex);
            put_printable(&t, a->subjects[i].name);
            text_putc(&t, '\n');
        }
        text_printf(&t, "  attestation: %s", signature_note(a, signature));
    }
    if (!t.failed)
        fprintf(ctx->out, "%s\n", t.data);
    const bool failed = t.failed;
    text_free(&t);
    return failed ? lq_fail_memory(err) : LQ_OK;
}

static lq_status print_json(const struct context *ctx, const struct attestation *a,
                            const struct signature *signature, const struct reproduction *r,
                            const char *output, lq_error *err)
{
    struct json_out j = {0};
    out_object(&j, NULL);
    out_bool(&j, "accepted", !r->why[0]);
    if (r->why[0])
        out_string(&j, "why", r->why);
    else
        out_null(&j, "why");
    if (output)
        out_string(&j, "output", output);
    else
        out_null(&j, "output");
    out_string(&j, "signature", signature->checked ? "verified"
                                : a->in_envelope   ? "not checked"
                                                   : "none");
    out_string(&j, "signer", signature->checked ? signature->key.fingerprint : "unknown");
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
static lq_status check_signature(struct signature *signature, struct source *attestation,
                                 const struct args *args, lq_error *err)
{
    const char *const path = args_value(args, "public-key");
    struct text statement = {0};
    struct source *s;
    if (!path)
        return LQ_OK;
    LQ_TRY(source_open_file(&s, path, err));
    lq_status status = key_read_public(&signature->key, s, err);
    source_close(s);
    if (status == LQ_OK)
        status = verify_statement(&statement, attestation, &signature->key, err);
    signature->checked = status == LQ_OK;
    text_free(&statement);
    return status;
}

static lq_status run(const struct context *ctx, const struct args *args, lq_error *err)
{
    const struct stream_options stream = {.isa = ctx->isa, .threads = ctx->threads,
                                          .progress = ctx->progress};
    const struct reproduce_options o = {.source = args_value(args, "source"),
                                        .output = args_value(args, "output"),
                                        .imatrix = args_value(args, "imatrix"),
                                        .stream = &stream};
    struct attestation a = {0};
    struct reproduction r;
    struct signature signature = {0};
    struct source *s;
    if (!o.source)
        return lq_fail(err, LQ_E_USAGE, "--source DIR is missing: what the model was made of");
    LQ_TRY(source_open_file(&s, args_at(args, 0), err));
    lq_status status = check_signature(&signature, s, args, err);
    if (status == LQ_OK)
        status = attestation_read(&a, s, err);
    source_close(s);
    if (status == LQ_OK)
        status = reproduce(&a, &o, &r, err);
    if (status == LQ_OK || (status == LQ_E_VERIFY && r.why[0])) {
        const lq_status printed =
            (ctx->json ? print_json : print_text)(ctx, &a, &signature, &r, o.output, err);
        status = printed == LQ_OK ? status : printed;
    }
    attestation_release(&a);
    key_release(&signature.key);
    return status;
}

static const struct option options[] = {
    {"source", 0, OPT_VALUE, "DIR", "what the model was made of: a folder, or the file"},
    {"output", 0, OPT_VALUE, "FILE", "what is claimed to be the result; of several files the first"},
    {"public-key", 0, OPT_VALUE, "FILE", "the attestation must be signed with this key"},
    {"imatrix", 0, OPT_VALUE, "FILE", "the importance matrix, where one was used"},
    {0},
};

const struct command command_reproduce = {
    .name = "reproduce",
    .summary = "derive a model again from its source, and accept or refuse it",
    .synopsis = "ATTESTATION --source DIR [--output FILE] [--imatrix FILE]",
    .description =
        "Makes the model again that an attestation (`lq convert --attest`) is about, from its source "
        "and by the recipe that it records, and compares byte for byte as it goes. Nothing is "
        "written. Accepted: exit code 0. Refused, with the first tensor, block or metadata key that "
        "differs: 1. Without --output only digests are compared.",
    .examples = "lq reproduce model.intoto.json --source SmolLM2-135M --output model-q4_k_m.gguf\n"
                "lq reproduce model.intoto.json --source SmolLM2-135M",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .has_json = true,
    .run = run,
};
