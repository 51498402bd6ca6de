/* bundle.c -- reading and writing bundles. */
#include "libquant/trust/bundle.h"

#include "libquant/trust/strict_json.h"

#include <cjson/cJSON.h>
#include <openssl/err.h>
#include <string.h>

enum { MAX_CHAIN = 16 };

#define BUNDLE_TYPE "application/vnd.dev.sigstore.bundle.v0.3+json"

const char *bundle_method_name(enum bundle_method m)
{
    static const char *const names[BUNDLE_METHODS] = {"key", "certificate", "sigstore"};
    return names[m];
}

/* ---- writing ---- */

void bundle_put(struct text *out, const struct dsse *envelope, const struct sign_key *key,
                const STACK_OF(X509) *chain)
{
    text_puts(out, "{\"mediaType\":\"" BUNDLE_TYPE "\",\"verificationMaterial\":{");
    if (!chain)
        text_printf(out, "\"publicKey\":{\"hint\":\"%s\"}", key->fingerprint);
    else
        text_puts(out, "\"x509CertificateChain\":{\"certificates\":[");
    for (int i = 0; chain && i < sk_X509_num(chain); i++) {
        uint8_t *der = NULL;
        const int n = i2d_X509(sk_X509_value(chain, i), &der);
        out->failed = out->failed || n < 0;
        text_puts(out, i ? ",{\"rawBytes\":\"" : "{\"rawBytes\":\"");
        base64_put(out, der, n < 0 ? 0 : (size_t)n);
        text_puts(out, "\"}");
        OPENSSL_free(der);
    }
    text_printf(out, "%s,\"tlogEntries\":[]},\"dsseEnvelope\":", chain ? "]}" : "");
    dsse_put(out, envelope, "");
    text_puts(out, "}\n");
}

/* ---- the three kinds of material ---- */

lq_status bundle_certificate(X509 **out, const cJSON *node, const char *name, lq_error *err)
{
    struct text der = {0};
    lq_status status = strict_base64(node, "rawBytes", &der, name, err);
    if (status == LQ_OK) {
        const uint8_t *at = (const uint8_t *)der.data;
        *out = d2i_X509(NULL, &at, (long)der.len);
        ERR_clear_error();
        if (!*out || at != (const uint8_t *)der.data + der.len)
            status = lq_fail_at(err, LQ_E_FORMAT, name, -1, "a certificate in it is none");
    }
    text_free(&der);
    if (status != LQ_OK) {
        X509_free(*out);
        *out = NULL;
    }
    return status;
}

static lq_status read_key(struct bundle *b, const cJSON *node, const char *name, lq_error *err)
{
    static const char *const fields[] = {"hint", "rawBytes", "keyDetails", NULL};
    LQ_TRY(strict_object(node, "the public key", fields, name, err));
    if (cJSON_GetObjectItemCaseSensitive(node, "rawBytes"))
        return strict_base64(node, "rawBytes", &b->old_key, name, err);
    const cJSON *const hint = cJSON_GetObjectItemCaseSensitive(node, "hint");
    return hint ? strict_string(node, "hint", &b->hint, name, err) : LQ_OK;
}

static lq_status push_certificate(struct bundle *b, const cJSON *node, const char *name,
                                  lq_error *err)
{
    static const char *const fields[] = {"rawBytes", NULL};
    X509 *x = NULL;
    LQ_TRY(strict_object(node, "a certificate", fields, name, err));
    LQ_TRY(bundle_certificate(&x, node, name, err));
    if ((b->chain || (b->chain = sk_X509_new_null())) && sk_X509_push(b->chain, x) > 0)
        return LQ_OK;
    X509_free(x);
    return lq_fail_memory(err);
}

static lq_status read_chain(struct bundle *b, const cJSON *node, const char *name, lq_error *err)
{
    static const char *const fields[] = {"certificates", NULL};
    LQ_TRY(strict_object(node, "the certificate chain", fields, name, err));
    const cJSON *const list = cJSON_GetObjectItemCaseSensitive(node, "certificates"), *c;
    const int n = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;
    if (n < 1 || n > MAX_CHAIN)
        return lq_fail_at(err, LQ_E_FORMAT, name, -1, "a chain of 1 to %d certificates was expected",
                          MAX_CHAIN);
    cJSON_ArrayForEach(c, list) LQ_TRY(push_certificate(b, c, name, err));
    return LQ_OK;
}

static lq_status read_timestamps(struct bundle *b, const cJSON *node, const char *name,
                                 lq_error *err)
{
    static const char *const fields[] = {"rfc3161Timestamps", NULL};
    if (!node)
        return LQ_OK;
    LQ_TRY(strict_object(node, "the timestamps", fields, name, err));
    b->timestamps = cJSON_GetObjectItemCaseSensitive(node, "rfc3161Timestamps");
    if (b->timestamps && !cJSON_IsArray(b->timestamps))
        return lq_fail_at(err, LQ_E_FORMAT, name, -1, "\"rfc3161Timestamps\" is not a list");
    return LQ_OK;
}

static lq_status read_material(struct bundle *b, const cJSON *node, const char *name, lq_error *err)
{
    static const char *const fields[] = {"publicKey", "x509CertificateChain", "certificate",
                                         "tlogEntries", "timestampVerificationData", NULL};
    static lq_status (*const read[])(struct bundle *, const cJSON *, const char *, lq_error *) = {
        read_key, read_chain, push_certificate};
    int found = -1;
    LQ_TRY(strict_object(node, "the verification material", fields, name, err));
    for (int m = 0; m < BUNDLE_METHODS; m++) {
        if (!cJSON_GetObjectItemCaseSensitive(node, fields[m]))
            continue;
        if (found >= 0)
            return lq_fail_at(err, LQ_E_FORMAT, name, -1,
                              "both \"%s\" and \"%s\": by which it is signed cannot be told",
                              fields[found], fields[m]);
        found = m;
    }
    if (found < 0)
        return lq_fail_at(err, LQ_E_FORMAT, name, -1, "neither key nor certificate is named");
    b->method = (enum bundle_method)found;
    b->entries = cJSON_GetObjectItemCaseSensitive(node, "tlogEntries");
    const int n_entries = cJSON_IsArray(b->entries) ? cJSON_GetArraySize(b->entries) : 0;
    if ((b->entries && !cJSON_IsArray(b->entries)) || (n_entries && found != BUNDLE_SIGSTORE))
        return lq_fail_at(err, LQ_E_FORMAT, name, -1,
                          n_entries ? "log entries, which the method %s does not have"
                                    : "\"tlogEntries\" is not a list",
                          bundle_method_name(b->method));
    const cJSON *const times = cJSON_GetObjectItemCaseSensitive(node, "timestampVerificationData");
    if (times && found != BUNDLE_SIGSTORE)
        return lq_fail_at(err, LQ_E_FORMAT, name, -1,
                          "timestamps, which the method %s does not have",
                          bundle_method_name(b->method));
    LQ_TRY(read_timestamps(b, times, name, err));
    return read[found](b, cJSON_GetObjectItemCaseSensitive(node, fields[found]), name, err);
}

/* ---- the whole ---- */

lq_status bundle_read(struct bundle *b, struct source *s, lq_error *err)
{
    static const char *const fields[] = {"mediaType", "verificationMaterial", "dsseEnvelope", NULL};
    const char *type;
    LQ_TRY(strict_document(&b->root, s, err));
    LQ_TRY(strict_object(b->root, "the bundle", fields, s->name, err));
    LQ_TRY(strict_string(b->root, "mediaType", &type, s->name, err));
    if (strcmp(type, BUNDLE_TYPE) != 0)
        return lq_fail_at(err, LQ_E_UNSUPPORTED, s->name, -1,
                          "a bundle of the type \"%.80s\"; " BUNDLE_TYPE " is supported", type);
    LQ_TRY(read_material(b, cJSON_GetObjectItemCaseSensitive(b->root, "verificationMaterial"),
                         s->name, err));
    return dsse_read(&b->envelope, cJSON_GetObjectItemCaseSensitive(b->root, "dsseEnvelope"),
                     s->name, err);
}

void bundle_release(struct bundle *b)
{
    dsse_release(&b->envelope);
    text_free(&b->old_key);
    sk_X509_pop_free(b->chain, X509_free);
    cJSON_Delete(b->root);
    *b = (struct bundle){0};
}
