/* verify_args.c -- keys, roots and times from the command line. */
#include "tools/verify_args.h"

#include "libquant/trust/certificate.h"

#include <string.h>

/* ---- time ---- */

/* "2026-11-29", "2026-11-29T10:00:00Z", or seconds since 1970. */
static bool parse_time(const char *s, time_t *out)
{
    static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"};
    uint64_t seconds;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct tm tm = {0};
        const char *const end = strptime(s, forms[i], &tm);
        if (end && !*end) {
            const struct tm read = tm;
            *out = timegm(&tm); /* makes the 3rd of March of a 31st of February */
            return tm.tm_mday == read.tm_mday && tm.tm_sec == read.tm_sec;
        }
    }
    if (!text_parse_u64(s, INT64_MAX, &seconds))
        return false;
    *out = (time_t)seconds;
    return true;
}

static lq_status read_time(struct verify_args *v, const struct args *args, lq_error *err)
{
    const char *const given = args_value(args, "at-time");
    v->trust.at = time(NULL);
    if (given && !parse_time(given, &v->trust.at))
        return lq_fail(err, LQ_E_USAGE,
                       "option --at-time: '%.40s' is neither 2026-11-29 nor 2026-11-29T10:00:00Z nor "
                       "a number of seconds",
                       given);
    return LQ_OK;
}

/* ---- which options a method takes ---- */

static const struct {
    const char *name;
    unsigned methods; /* 1 << enum bundle_method */
    bool needed;
} taken[] = {
    {"public-key",        1 << BUNDLE_KEY,         true },
    {"certificate-chain", 1 << BUNDLE_CERTIFICATE, true },
    {"log-fingerprints",  1 << BUNDLE_CERTIFICATE, false},
    {"at-time",           1 << BUNDLE_CERTIFICATE, false},
    {"trust-config",      1 << BUNDLE_SIGSTORE,    true },
    {"identity",          1 << BUNDLE_SIGSTORE,    true },
    {"identity-provider", 1 << BUNDLE_SIGSTORE,    true },
};

static lq_status check_method(const struct verify_args *v, const struct args *args, lq_error *err)
{
    const char *const method = bundle_method_name(v->method);
    if (!args_value(args, "signature"))
        return lq_fail(err, LQ_E_USAGE, "--signature FILE is needed");
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        const bool fits = (taken[i].methods >> v->method & 1) != 0;
        const bool given = args_given(args, taken[i].name);
        if (given && !fits)
            return lq_fail(err, LQ_E_USAGE, "option --%s is not for the method %s", taken[i].name,
                           method);
        if (fits && taken[i].needed && !given)
            return lq_fail(err, LQ_E_USAGE, "the method %s needs --%s", method, taken[i].name);
    }
    if (args_flag(args, "ignore-unsigned-files") && args_flag(args, "no-ignore-unsigned-files"))
        return lq_fail(err, LQ_E_USAGE,
                       "--ignore-unsigned-files and --no-ignore-unsigned-files contradict");
    return LQ_OK;
}

/* Of PATH: options that ask for something of one signature. */
static lq_status check_path(const struct args *args, lq_error *err)
{
    static const char *const method_only[] = {
        "signature", "ignore-unsigned-files", "no-ignore-unsigned-files", "ignore-paths",
        "ignore-git-paths", "no-ignore-git-paths", "allow-symlinks"};
    for (size_t i = 0; i < sizeof method_only / sizeof *method_only; i++)
        if (args_given(args, method_only[i]))
            return lq_fail(err, LQ_E_USAGE,
                           "option --%s needs a METHOD before the model: key, certificate or sigstore",
                           method_only[i]);
    return LQ_OK;
}

/* ---- keys and roots ---- */

static lq_status read_key(struct verify_args *v, const char *path, lq_error *err)
{
    struct source *s;
    LQ_TRY(source_open_file(&s, path, err));
    const lq_status status = key_read_public(&v->key, s, err);
    source_close(s);
    v->trust.key = &v->key;
    return status;
}

static lq_status read_roots(struct verify_args *v, const struct context *ctx,
                            const struct args *args, lq_error *err)
{
    const char *const *paths;
    const size_t n = args_list(args, "certificate-chain", &paths);
    LQ_TRY(sign_args_certificates(&v->trust.roots, paths, n, err));
    for (size_t i = 0; i < n; i++)
        text_printf(&v->roots_name, "%s%s", i ? ", " : "", paths[i]);
    v->trust.roots_name = v->roots_name.data;
    for (int i = 0; i < sk_X509_num(v->trust.roots) && args_flag(args, "log-fingerprints"); i++) {
        struct text t = {0};
        certificate_put_fingerprint(&t, sk_X509_value(v->trust.roots, i));
        text_puts(&t, "  ");
        certificate_put_name(&t, sk_X509_value(v->trust.roots, i));
        fprintf(ctx->err, "%s\n", t.failed ? "" : t.data);
        text_free(&t);
    }
    return v->roots_name.failed ? lq_fail_memory(err) : LQ_OK;
}

/* The three belong together, also without a method. */
static lq_status read_keyless(struct verify_args *v, const struct args *args, lq_error *err)
{
    const char *const path = args_value(args, "trust-config");
    struct source *s;
    v->keyless = (struct keyless_policy){&v->root, path, args_value(args, "identity"),
                                         args_value(args, "identity-provider")};
    if (!path && !v->keyless.identity && !v->keyless.issuer)
        return LQ_OK;
    if (!path || !v->keyless.identity || !v->keyless.issuer)
        return lq_fail(err, LQ_E_USAGE,
                       "--trust-config, --identity and --identity-provider are needed together");
    LQ_TRY(source_open_file(&s, path, err));
    const lq_status status = trusted_root_read(&v->root, s, err);
    source_close(s);
    v->trust.keyless = &v->keyless;
    return status;
}

lq_status verify_args_read(struct verify_args *v, const struct context *ctx, const struct args *args,
                           lq_error *err)
{
    v->has_method = args_count(args) == 2;
    if (v->has_method && !sign_method(args_at(args, 0), &v->method))
        return lq_fail(err, LQ_E_USAGE, "'%.60s' is no method; there are key, certificate, sigstore",
                       args_at(args, 0));
    LQ_TRY(v->has_method ? check_method(v, args, err) : check_path(args, err));
    LQ_TRY(read_time(v, args, err));
    const char *const key = args_value(args, "public-key");
    if (key)
        LQ_TRY(read_key(v, key, err));
    LQ_TRY(read_keyless(v, args, err));
    return args_given(args, "certificate-chain") ? read_roots(v, ctx, args, err) : LQ_OK;
}

void verify_args_free(struct verify_args *v)
{
    key_release(&v->key);
    sk_X509_pop_free(v->trust.roots, X509_free);
    text_free(&v->roots_name);
    trusted_root_release(&v->root);
}
