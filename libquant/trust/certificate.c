/* certificate.c -- paths of certificates. OpenSSL builds and checks them; what signers of models need
 * beyond that is checked here. */
#include "libquant/trust/certificate.h"

#include "libquant/base/hash.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

enum { FILE_LIMIT = 1 << 20, MAX_WAY = 8 };

/* ---- files ---- */

static lq_status read_all(STACK_OF(X509) **list, BIO *bio, const char *name, lq_error *err)
{
    X509 *x;
    int n = 0;
    if (!*list && !(*list = sk_X509_new_null()))
        return lq_fail_memory(err);
    for (; (x = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL; n++)
        if (sk_X509_push(*list, x) <= 0) {
            X509_free(x);
            return lq_fail_memory(err);
        }
    const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    if (n && at_end)
        return LQ_OK;
    return lq_fail_at(err, LQ_E_FORMAT, name, -1, n ? "a certificate in it cannot be read"
                                                    : "no certificate in PEM form");
}

lq_status certificates_read(STACK_OF(X509) **list, struct source *s, lq_error *err)
{
    char *text;
    size_t len;
    LQ_TRY(source_read_all(s, FILE_LIMIT, &text, &len, err));
    BIO *const bio = BIO_new_mem_buf(text, (int)len);
    const lq_status status = bio ? read_all(list, bio, s->name, err) : lq_fail_memory(err);
    BIO_free(bio);
    free(text);
    return status;
}

/* ---- printing ---- */

void time_put(struct text *out, time_t t)
{
    struct tm tm;
    char s[32];
    if (gmtime_r(&t, &tm) && strftime(s, sizeof s, "%Y-%m-%dT%H:%M:%SZ", &tm))
        text_puts(out, s);
    else
        text_puts(out, "unknown");
}

static void put_bio(struct text *out, BIO *bio)
{
    char *data;
    const long n = BIO_get_mem_data(bio, &data);
    text_put_printable(out, data, n > 0 ? (size_t)n : 0);
}

void certificate_put_name(struct text *out, const X509 *x)
{
    const X509_NAME *const subject = X509_get_subject_name(x);
    BIO *const bio = BIO_new(BIO_s_mem());
    if (!bio) {
        out->failed = true;
        return;
    }
    if (X509_NAME_entry_count(subject)) {
        X509_NAME_print_ex(bio, subject, 0,
                           (XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB));
    } else {
        GENERAL_NAMES *const names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
        if (names && sk_GENERAL_NAME_num(names))
            GENERAL_NAME_print(bio, sk_GENERAL_NAME_value(names, 0));
        GENERAL_NAMES_free(names);
    }
    put_bio(out, bio);
    BIO_free(bio);
    ERR_clear_error();
}

void certificate_put_fingerprint(struct text *out, const X509 *x)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned n;
    char hex[2 * EVP_MAX_MD_SIZE + 1];
    if (X509_digest(x, EVP_sha256(), digest, &n) != 1) {
        out->failed = true;
        return;
    }
    hex_of(hex, digest, n);
    text_puts(out, hex);
}

/* ---- what each certificate may do ---- */

static lq_status refuse(const X509 *x, const char *name, const char *why, lq_error *err)
{
    struct text t = {0};
    certificate_put_name(&t, x);
    lq_fail_at(err, LQ_E_VERIFY, name, -1, "the certificate of %.200s: %s",
               t.len ? t.data : "nobody", why);
    text_free(&t);
    return LQ_E_VERIFY;
}

/* Whether the extended key usage has code signing; `otherwise` where there is none. */
static bool signs_code(X509 *x, bool otherwise)
{
    const uint32_t flags = X509_get_extension_flags(x);
    return flags & EXFLAG_XKUSAGE ? (X509_get_extended_key_usage(x) & XKU_CODE_SIGN) != 0
                                  : otherwise;
}

static lq_status check_signer(X509 *x, const char *name, lq_error *err)
{
    const uint32_t flags = X509_get_extension_flags(x);
    if (flags & EXFLAG_INVALID)
        return refuse(x, name, "an extension is malformed", err);
    if (X509_check_ca(x) || (flags & EXFLAG_CA))
        return refuse(x, name, "is one of a certification authority, not of a signer", err);
    if (!(flags & EXFLAG_KUSAGE) || !(X509_get_key_usage(x) & KU_DIGITAL_SIGNATURE))
        return refuse(x, name, "is not meant for digital signatures (key usage)", err);
    if (!signs_code(x, false))
        return refuse(x, name, "is not meant for signing code (extended key usage)", err);
    return LQ_OK;
}

static lq_status check_issuer(X509 *x, bool root, const char *name, lq_error *err)
{
    const uint32_t flags = X509_get_extension_flags(x);
    if (X509_check_ca(x) != 1)
        return refuse(x, name, "is not one of a certification authority, and issues others", err);
    if ((flags & EXFLAG_KUSAGE) && !(X509_get_key_usage(x) & KU_KEY_CERT_SIGN))
        return refuse(x, name, "may not issue certificates (key usage)", err);
    if (!root && (flags & EXFLAG_XKUSAGE) && !signs_code(x, true) &&
        !(X509_get_extended_key_usage(x) & XKU_ANYEKU))
        return refuse(x, name, "may not issue certificates for signing code", err);
    return LQ_OK;
}

/* ---- the way to the root ---- */

static bool is_self_signed(X509 *x)
{
    return (X509_get_extension_flags(x) & EXFLAG_SS) && X509_self_signed(x, 1) == 1;
}

/* Self-signed ones into the store, the others, and those of the bundle, into `untrusted`. */
static lq_status sort_out(X509_STORE *store, STACK_OF(X509) *untrusted, STACK_OF(X509) *chain,
                          STACK_OF(X509) *trusted, const char *name, lq_error *err)
{
    int roots = 0;
    for (int i = 0; i < sk_X509_num(trusted); i++) {
        X509 *const x = sk_X509_value(trusted, i);
        const bool root = is_self_signed(x);
        roots += root;
        if (root ? X509_STORE_add_cert(store, x) != 1 : sk_X509_push(untrusted, x) <= 0)
            return lq_fail_memory(err);
    }
    for (int i = 1; i < sk_X509_num(chain); i++)
        if (sk_X509_push(untrusted, sk_X509_value(chain, i)) <= 0)
            return lq_fail_memory(err);
    return roots ? LQ_OK
                 : lq_fail_at(err, LQ_E_FORMAT, name, -1,
                              "no certificate that is trusted is a root (self-signed)");
}

static lq_status check_way(STACK_OF(X509) *way, const char *name, lq_error *err)
{
    const int n = sk_X509_num(way);
    if (n < 2)
        return refuse(sk_X509_value(way, 0), name, "signs itself", err);
    LQ_TRY(check_signer(sk_X509_value(way, 0), name, err));
    for (int i = 1; i < n; i++)
        LQ_TRY(check_issuer(sk_X509_value(way, i), i == n - 1, name, err));
    return LQ_OK;
}

static lq_status explain(X509_STORE_CTX *ctx, X509 *leaf, time_t at, const char *name,
                         lq_error *err)
{
    X509 *const x = X509_STORE_CTX_get_current_cert(ctx);
    const int code = X509_STORE_CTX_get_error(ctx);
    struct text t = {0};
    text_puts(&t, X509_verify_cert_error_string(code));
    if (code == X509_V_ERR_CERT_HAS_EXPIRED || code == X509_V_ERR_CERT_NOT_YET_VALID) {
        text_puts(&t, " (at ");
        time_put(&t, at);
        text_puts(&t, ")");
    }
    refuse(x ? x : leaf, name, t.failed ? "is not valid" : t.data, err);
    text_free(&t);
    return LQ_E_VERIFY;
}

static lq_status find_way(X509_STORE_CTX *ctx, X509_STORE *store, STACK_OF(X509) *untrusted,
                          STACK_OF(X509) *chain, time_t at, const char *name, lq_error *err)
{
    X509 *const leaf = sk_X509_value(chain, 0);
    if (X509_STORE_CTX_init(ctx, store, leaf, untrusted) != 1)
        return lq_fail_memory(err);
    X509_VERIFY_PARAM *const p = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(p, at);
    X509_VERIFY_PARAM_set_depth(p, MAX_WAY);
    X509_VERIFY_PARAM_set_auth_level(p, 2); /* 112 bits: neither SHA-1 nor short keys */
    if (X509_verify_cert(ctx) != 1)
        return explain(ctx, leaf, at, name, err);
    return check_way(X509_STORE_CTX_get0_chain(ctx), name, err);
}

lq_status certificate_verify(STACK_OF(X509) *chain, STACK_OF(X509) *trusted, time_t at,
                             STACK_OF(X509) **way, const char *name, lq_error *err)
{
    X509_STORE *const store = X509_STORE_new();
    X509_STORE_CTX *const ctx = X509_STORE_CTX_new();
    STACK_OF(X509) *const untrusted = sk_X509_new_null();
    lq_status status = store && ctx && untrusted
                           ? sort_out(store, untrusted, chain, trusted, name, err)
                           : lq_fail_memory(err);
    if (status == LQ_OK)
        status = find_way(ctx, store, untrusted, chain, at, name, err);
    if (status == LQ_OK && way && !(*way = X509_STORE_CTX_get1_chain(ctx)))
        status = lq_fail_memory(err);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    sk_X509_free(untrusted);
    ERR_clear_error();
    return status;
}
