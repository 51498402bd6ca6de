/* keyless.c -- a keyless signature, step by step. */
#include "libquant/trust/keyless.h"

#include "libquant/trust/certificate.h"
#include "libquant/trust/strict_json.h"

#include <cjson/cJSON.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

enum { MAX_TIMESTAMPS = 32 };

struct checking {
    const struct bundle *b;
    const struct keyless_policy *p;
    const char *name;
    lq_error *err;
    X509 *leaf;
    time_t times[MAX_TIMESTAMPS + 1]; /* at which the signature is proved to have been there */
    size_t n_times;
};

static lq_status wrong(const struct checking *c, lq_status status, const char *what)
{
    return lq_fail_at(c->err, status, c->name, -1, "%s", what);
}

/* ---- times ---- */

static lq_status add_timestamp(struct checking *c, const cJSON *node)
{
    static const char *const fields[] = {"signedTimestamp", NULL};
    const struct text *const signature = &c->b->envelope.signature;
    struct text token = {0};
    LQ_TRY(strict_object(node, "a timestamp", fields, c->name, c->err));
    lq_status status = strict_base64(node, "signedTimestamp", &token, c->name, c->err);
    if (status == LQ_OK)
        status = keyless_timestamp(token.data, token.len, signature->data, signature->len,
                                   c->p->root, &c->times[c->n_times], c->name, c->err);
    c->n_times += status == LQ_OK;
    text_free(&token);
    return status;
}

static lq_status find_times(struct checking *c)
{
    const cJSON *node;
    if (c->b->timestamps && cJSON_GetArraySize(c->b->timestamps) > MAX_TIMESTAMPS)
        return wrong(c, LQ_E_FORMAT, "too many timestamps");
    cJSON_ArrayForEach(node, c->b->timestamps) LQ_TRY(add_timestamp(c, node));
    LQ_TRY(keyless_entry(c->b, c->p->root, c->times, c->n_times, c->name, c->err));
    c->n_times += c->times[c->n_times] != 0;
    return c->n_times ? LQ_OK
                      : wrong(c, LQ_E_VERIFY, "nothing that is signed tells when the signature was made");
}

/* ---- the certificate ---- */

static lq_status check_validity(const struct checking *c)
{
    for (size_t i = 0; i < c->n_times; i++) {
        time_t at = c->times[i];
        if (X509_cmp_time(X509_get0_notBefore(c->leaf), &at) > 0 ||
            X509_cmp_time(X509_get0_notAfter(c->leaf), &at) < 0)
            return wrong(c, LQ_E_VERIFY, "was signed when the certificate was not valid");
    }
    return LQ_OK;
}

/* The way from the certificate to one of the authorities that are trusted at the time. */
static lq_status find_way(const struct checking *c, time_t at, STACK_OF(X509) **way)
{
    const struct trusted_root *const root = c->p->root;
    lq_status status = wrong(c, LQ_E_VERIFY, "no authority is trusted at the time of the signature");
    for (size_t i = 0; i < root->n_issuers && status != LQ_OK; i++)
        if (at >= root->issuers[i].start && at <= root->issuers[i].end)
            status = certificate_verify(c->b->chain, root->issuers[i].certificates, at, way, c->name,
                                        c->err);
    return status;
}

static lq_status check_certificate(const struct checking *c)
{
    LQ_TRY(check_validity(c));
    for (size_t i = 0; i < c->n_times; i++) {
        STACK_OF(X509) *way = NULL;
        lq_status status = find_way(c, c->times[i], &way);
        if (status == LQ_OK && i == 0)
            status = keyless_scts(c->leaf, sk_X509_value(way, 1), c->p->root, c->name, c->err);
        sk_X509_pop_free(way, X509_free);
        LQ_TRY(status);
    }
    return LQ_OK;
}

/* ---- the identity ---- */

static bool is_text(const ASN1_STRING *s, const char *want)
{
    const int n = s ? ASN1_STRING_length(s) : -1;
    return n >= 0 && (size_t)n == strlen(want) && memcmp(ASN1_STRING_get0_data(s), want, (size_t)n) == 0;
}

/* E-mail addresses, URIs, and user names as Sigstore has them. */
static bool is_identity(const GENERAL_NAME *g, const char *want)
{
    char oid[64];
    if (g->type == GEN_EMAIL || g->type == GEN_URI)
        return is_text(g->d.ia5, want);
    if (g->type != GEN_OTHERNAME || g->d.otherName->value->type != V_ASN1_UTF8STRING)
        return false;
    OBJ_obj2txt(oid, sizeof oid, g->d.otherName->type_id, 1);
    return strcmp(oid, "1.3.6.1.4.1.57264.1.7") == 0 &&
           is_text(g->d.otherName->value->value.utf8string, want);
}

static lq_status check_identity(const struct checking *c)
{
    GENERAL_NAMES *const names = X509_get_ext_d2i(c->leaf, NID_subject_alt_name, NULL, NULL);
    bool found = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        found = found || is_identity(sk_GENERAL_NAME_value(names, i), c->p->identity);
    GENERAL_NAMES_free(names);
    ERR_clear_error();
    if (found)
        return LQ_OK;
    struct text t = {0};
    certificate_put_name(&t, c->leaf);
    lq_fail_at(c->err, LQ_E_VERIFY, c->name, -1, "was signed by %.200s, not by %.200s",
               t.len ? t.data : "nobody", c->p->identity);
    text_free(&t);
    return LQ_E_VERIFY;
}

/* The extension's text: raw (the older one), or as a UTF8String. */
static bool is_issuer(const ASN1_OCTET_STRING *data, bool raw, const char *want)
{
    if (raw)
        return is_text(data, want);
    const uint8_t *at = ASN1_STRING_get0_data(data);
    const uint8_t *const end = at + ASN1_STRING_length(data);
    ASN1_UTF8STRING *const s = d2i_ASN1_UTF8STRING(NULL, &at, ASN1_STRING_length(data));
    const bool same = s && at == end && is_text(s, want);
    ASN1_UTF8STRING_free(s);
    ERR_clear_error();
    return same;
}

static lq_status check_issuer(const struct checking *c)
{
    int found = 0;
    for (int i = 0; i < X509_get_ext_count(c->leaf); i++) {
        X509_EXTENSION *const x = X509_get_ext(c->leaf, i);
        char oid[64];
        OBJ_obj2txt(oid, sizeof oid, X509_EXTENSION_get_object(x), 1);
        const bool raw = strcmp(oid, "1.3.6.1.4.1.57264.1.1") == 0;
        if (!raw && strcmp(oid, "1.3.6.1.4.1.57264.1.8") != 0)
            continue;
        if (!is_issuer(X509_EXTENSION_get_data(x), raw, c->p->issuer))
            return wrong(c, LQ_E_VERIFY, "the identity is vouched for by another provider");
        found++;
    }
    return found ? LQ_OK : wrong(c, LQ_E_VERIFY, "the certificate names no identity provider");
}

/* ---- the whole ---- */

lq_status keyless_verify(const struct bundle *b, const struct keyless_policy *p, time_t *at,
                         const char *name, lq_error *err)
{
    struct checking c = {.b = b, .p = p, .name = name, .err = err,
                         .leaf = sk_X509_value(b->chain, 0)};
    struct sign_key key = {0};
    LQ_TRY(find_times(&c));
    LQ_TRY(check_certificate(&c));
    LQ_TRY(check_identity(&c));
    LQ_TRY(check_issuer(&c));
    lq_status status = key_adopt(&key, X509_get_pubkey(c.leaf), name, err);
    if (status == LQ_OK) /* keyless signatures have this hash on whatever curve */
        status = dsse_verify(&b->envelope, &key, EVP_sha256(), err);
    key_release(&key);
    *at = c.times[0];
    for (size_t i = 1; i < c.n_times; i++)
        *at = c.times[i] < *at ? c.times[i] : *at;
    return status;
}
