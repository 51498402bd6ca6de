/* cmd_sign.c -- `lq sign`: signs a model with a key or a certificate. */
#include "tools/sign_args.h"

#include <string.h>

/* What a method needs and does not take. */
static lq_status check_options(enum bundle_method m, const struct args *args, lq_error *err)
{
    const char *const *chain;
    const bool certificate = args_value(args, "signing-certificate") != NULL;
    if (m == BUNDLE_SIGSTORE)
        return lq_fail(err, LQ_E_USAGE,
                       "keyless signing needs an identity provider, a certification authority and a "
                       "log in the network, and lq uses none; 'lq verify sigstore' verifies such "
                       "signatures");
    if (!args_value(args, "private-key"))
        return lq_fail(err, LQ_E_USAGE, "--private-key FILE is needed");
    if (m == BUNDLE_CERTIFICATE && !certificate)
        return lq_fail(err, LQ_E_USAGE, "--signing-certificate FILE is needed");
    if (m == BUNDLE_KEY && (certificate || args_list(args, "certificate-chain", &chain)))
        return lq_fail(err, LQ_E_USAGE, "certificates are for the method certificate");
    return LQ_OK;
}

/* The signer's certificate, then the chain as it is given. */
static lq_status read_chain(STACK_OF(X509) **chain, const struct sign_key *key,
                            const struct args *args, lq_error *err)
{
    const char *const path = args_value(args, "signing-certificate"), *const *paths;
    const size_t n = args_list(args, "certificate-chain", &paths);
    LQ_TRY(sign_args_certificates(chain, &path, 1, err));
    if (sk_X509_num(*chain) != 1)
        return lq_fail_at(err, LQ_E_FORMAT, path, -1, "exactly one certificate was expected");
    if (X509_check_private_key(sk_X509_value(*chain, 0), key->pkey) != 1)
        return lq_fail_at(err, LQ_E_USAGE, path, -1, "is not the certificate of this private key");
    return sign_args_certificates(chain, paths, n, err);
}

static lq_status sign(const struct context *ctx, enum bundle_method m, const char *model,
                      const struct args *args, const struct sign_args *s, lq_error *err)
{
    const char *const given = args_value(args, "signature");
    const char *const path = given ? given : "model.sig";
    struct sign_key key = {0};
    STACK_OF(X509) *chain = NULL;
    size_t n = 0;
    lq_status status = sign_args_private_key(&key, args, args_value(args, "private-key"), err);
    if (status == LQ_OK && m == BUNDLE_CERTIFICATE)
        status = read_chain(&chain, &key, args, err);
    if (status == LQ_OK)
        status = signature_write(model, path, &key, chain, &s->options, &n, err);
    if (status == LQ_OK && !ctx->quiet) {
        const struct context beside = context_beside(ctx, path);
        fprintf(beside.out, "%s: signed %zu file%s with the %s key %s\n", path, n, n == 1 ? "" : "s",
                key.curve, key.fingerprint);
    }
    sk_X509_pop_free(chain, X509_free);
    key_release(&key);
    return status;
}

static lq_status run(const struct context *ctx, const struct args *args, lq_error *err)
{
    enum bundle_method m;
    struct sign_args s = {0};
    if (!sign_method(args_at(args, 0), &m))
        return lq_fail(err, LQ_E_USAGE, "'%.60s' is no method; there are key, certificate, sigstore",
                       args_at(args, 0));
    LQ_TRY(check_options(m, args, err));
    lq_status status = sign_args_read(&s, ctx, args, args_at(args, 1), err);
    if (status == LQ_OK)
        status = sign(ctx, m, args_at(args, 1), args, &s, err);
    sign_args_free(&s);
    return status;
}

static const struct option options[] = {
    {"signature", 0, OPT_VALUE, "FILE", "write the signature here (default: model.sig)"},
    {"private-key", 0, OPT_VALUE, "FILE", "the key, in PEM form: P-256, P-384 or P-521"},
    OPTION_PASSPHRASE,
    {"signing-certificate", 0, OPT_VALUE, "FILE", "certificate: that of the private key"},
    {"certificate-chain", 0, OPT_LIST, "FILE", "certificate: those between it and the root"},
    OPTION_SIGN_FILES,
    {0},
};

const struct command command_sign = {
    .name = "sign",
    .summary = "sign the files of a model",
    .synopsis = "METHOD MODEL --private-key FILE [options]",
    .description =
        "Writes a signature over all files of MODEL, a folder or one file, as OpenSSF Model Signing "
        "v1.0 defines it and model_signing verifies it. METHOD is `key` (who verifies needs the "
        "public key) or `certificate` (who verifies needs the root of the certificate chain). "
        "Keyless signatures (`sigstore`) take services in the network and are only verified.\n\n"
        "A passphrase is read from a file, the environment or the terminal, and never from the "
        "command line. Links, pipes and names that are not UTF-8 are refused and not left out.",
    .examples = "lq sign key SmolLM2-135M --private-key key.pem --signature SmolLM2-135M/model.sig\n"
                "lq sign certificate model.gguf --private-key key.pem --signing-certificate me.pem",
    .options = options,
    .min_args = 2,
    .max_args = 2,
    .run = run,
};
