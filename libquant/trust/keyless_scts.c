/* keyless_scts.c -- the signed certificate timestamp within a certificate: RFC 6962, section 3. */
#include "libquant/trust/keyless.h"

#include "libquant/base/hash.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

enum { VERSION_1 = 0, PRECERTIFICATE = 1, HASH_SHA256 = 4, SIGN_ECDSA = 3 };

struct sct {
    const uint8_t *log_id;
    uint64_t milliseconds;
    const uint8_t *extensions, *signature;
    size_t extensions_len, signature_len;
};

static size_t be16(const uint8_t *p)
{
    return (size_t)p[0] << 8 | p[1];
}

/* One SCT that fills data[0..n). */
static bool parse_sct(struct sct *s, const uint8_t *data, size_t n)
{
    if (n < 1 + 32 + 8 + 2 || data[0] != VERSION_1)
        return false;
    s->log_id = data + 1;
    s->milliseconds = 0;
    for (size_t i = 33; i < 41; i++)
        s->milliseconds = s->milliseconds << 8 | data[i];
    s->extensions_len = be16(data + 41);
    s->extensions = data + 43;
    const size_t at = 43 + s->extensions_len;
    if (n < at + 4 || data[at] != HASH_SHA256 || data[at + 1] != SIGN_ECDSA)
        return false;
    s->signature_len = be16(data + at + 2);
    s->signature = data + at + 4;
    return n == at + 4 + s->signature_len;
}

/* The list in the extension must hold exactly one. */
static lq_status find_sct(struct sct *s, const ASN1_OCTET_STRING *list, const char *name,
                          lq_error *err)
{
    const uint8_t *const data = ASN1_STRING_get0_data(list);
    const size_t n = (size_t)ASN1_STRING_length(list);
    if (n < 4 || be16(data) != n - 2 || be16(data + 2) != n - 4)
        return lq_fail_at(err, LQ_E_VERIFY, name, -1,
                          "the certificate has not exactly one timestamp of a certificate log");
    return parse_sct(s, data + 4, n - 4)
               ? LQ_OK
               : lq_fail_at(err, LQ_E_FORMAT, name, -1,
                            "the certificate log's timestamp is of an unknown form");
}

/* What the log has signed: the certificate as it was before the timestamp was put in. */
static lq_status put_signed(struct text *out, const struct sct *s, X509 *leaf, X509 *issuer,
                            int extension, lq_error *err)
{
    uint8_t *der = NULL, issuer_id[32], head[8];
    X509 *const before = X509_dup(leaf);
    lq_status status = LQ_E_MEMORY;
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(issuer), &der);
    if (before && n > 0 && sha256_of(der, (size_t)n, issuer_id, err) == LQ_OK) {
        OPENSSL_free(der);
        der = NULL;
        X509_EXTENSION_free(X509_delete_ext(before, extension));
        n = i2d_re_X509_tbs(before, &der);
        if (n > 0 && n < 1 << 24)
            status = LQ_OK;
    }
    if (status == LQ_OK) {
        for (int i = 0; i < 8; i++)
            head[i] = (uint8_t)(s->milliseconds >> (56 - 8 * i));
        text_put(out, "\0\0", 2); /* version 1, certificate timestamp */
        text_put(out, head, 8);
        text_put(out, "\0\1", 2);
        text_put(out, issuer_id, 32);
        const uint8_t length[3] = {(uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
        text_put(out, length, 3);
        text_put(out, der, (size_t)n);
        /* with their length, which stands before them */
        text_put(out, s->extensions - 2, s->extensions_len + 2);
    }
    OPENSSL_free(der);
    X509_free(before);
    return status == LQ_OK && !out->failed ? LQ_OK : lq_fail_memory(err);
}

static lq_status verify_sct(const struct sct *s, X509 *leaf, X509 *issuer, int extension,
                            const struct trusted_root *root, const char *name, lq_error *err)
{
    const struct trusted_log *const log =
        trusted_log_find(root->certificate_logs, root->n_certificate_logs, s->log_id);
    const time_t at = (time_t)(s->milliseconds / 1000);
    struct text data = {0};
    if (!log)
        return lq_fail_at(err, LQ_E_VERIFY, name, -1,
                          "the certificate is in a certificate log that is not trusted");
    if (at < log->start || at > log->end)
        return lq_fail_at(err, LQ_E_VERIFY, name, -1,
                          "the certificate log is not trusted for the time that it states");
    lq_status status = put_signed(&data, s, leaf, issuer, extension, err);
    if (status == LQ_OK)
        status = trusted_log_verify(log, data.data, data.len, s->signature, s->signature_len,
                                    "the certificate's timestamp", name, err);
    text_free(&data);
    return status;
}

lq_status keyless_scts(X509 *leaf, X509 *issuer, const struct trusted_root *root, const char *name,
                       lq_error *err)
{
    const int extension = X509_get_ext_by_NID(leaf, NID_ct_precert_scts, -1);
    struct sct s = {0};
    if (extension < 0 || X509_get_ext_by_NID(leaf, NID_ct_precert_scts, extension) >= 0)
        return lq_fail_at(err, LQ_E_VERIFY, name, -1,
                          "the certificate has not exactly one timestamp of a certificate log");
    const ASN1_OCTET_STRING *const data =
        X509_EXTENSION_get_data(X509_get_ext(leaf, extension));
    const uint8_t *at = ASN1_STRING_get0_data(data);
    ASN1_OCTET_STRING *const list = d2i_ASN1_OCTET_STRING(NULL, &at, ASN1_STRING_length(data));
    ERR_clear_error();
    if (!list)
        return lq_fail_at(err, LQ_E_FORMAT, name, -1, "the certificate log's timestamp is malformed");
    lq_status status = find_sct(&s, list, name, err);
    if (status == LQ_OK)
        status = verify_sct(&s, leaf, issuer, extension, root, name, err);
    ASN1_OCTET_STRING_free(list);
    return status;
}
