/* dsse.c -- envelopes. Protocol: DSSE 1.0, https://github.com/secure-systems-lab/dsse. */
#include "libquant/trust/dsse.h"

#include "libquant/base/json.h"
#include "libquant/trust/strict_json.h"

#include <cjson/cJSON.h>
#include <string.h>

void dsse_pae(struct text *out, const char *payload, size_t len)
{
    text_printf(out, "DSSEv1 %zu %s %zu ", strlen(DSSE_IN_TOTO), DSSE_IN_TOTO, len);
    text_put(out, payload, len);
}

lq_status dsse_sign(struct dsse *e, const struct sign_key *key, lq_error *err)
{
    struct text pae = {0};
    dsse_pae(&pae, e->payload.data, e->payload.len);
    const lq_status status = pae.failed ? lq_fail_memory(err)
                                        : key_sign(key, pae.data, pae.len, &e->signature, err);
    text_free(&pae);
    return status;
}

lq_status dsse_verify(const struct dsse *e, const struct sign_key *key, const EVP_MD *digest,
                      lq_error *err)
{
    struct text pae = {0};
    dsse_pae(&pae, e->payload.data, e->payload.len);
    const lq_status status = pae.failed ? lq_fail_memory(err)
                                        : key_verify(key, digest, pae.data, pae.len,
                                                     e->signature.data, e->signature.len, err);
    text_free(&pae);
    return status;
}

void dsse_put(struct text *out, const struct dsse *e, const char *keyid)
{
    text_puts(out, "{\"payload\":\"");
    base64_put(out, e->payload.data, e->payload.len);
    text_puts(out, "\",\"payloadType\":\"" DSSE_IN_TOTO "\",\"signatures\":[{\"sig\":\"");
    base64_put(out, e->signature.data, e->signature.len);
    text_printf(out, "\",\"keyid\":\"%s\"}]}", keyid);
}

lq_status dsse_read(struct dsse *e, const struct cJSON *envelope, const char *name, lq_error *err)
{
    static const char *const fields[] = {"payload", "payloadType", "signatures", NULL};
    static const char *const signature_fields[] = {"sig", "keyid", NULL};
    const char *type = NULL;
    LQ_TRY(strict_object(envelope, "the envelope", fields, name, err));
    LQ_TRY(strict_string(envelope, "payloadType", &type, name, err));
    if (strcmp(type, DSSE_IN_TOTO) != 0)
        return lq_fail_at(err, LQ_E_FORMAT, name, -1,
                          "the payload is \"%.60s\", and not " DSSE_IN_TOTO, type);
    const cJSON *const list = cJSON_GetObjectItemCaseSensitive(envelope, "signatures");
    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) != 1)
        return lq_fail_at(err, LQ_E_FORMAT, name, -1,
                          "an envelope with exactly one signature was expected");
    LQ_TRY(strict_object(list->child, "the signature", signature_fields, name, err));
    const cJSON *const keyid = cJSON_GetObjectItemCaseSensitive(list->child, "keyid");
    if (keyid && !cJSON_IsString(keyid) && !cJSON_IsNull(keyid))
        return lq_fail_at(err, LQ_E_FORMAT, name, -1, "\"keyid\" is neither text nor null");
    LQ_TRY(strict_base64(envelope, "payload", &e->payload, name, err));
    return strict_base64(list->child, "sig", &e->signature, name, err);
}

void dsse_release(struct dsse *e)
{
    text_free(&e->payload);
    text_free(&e->signature);
}

lq_status sign_statement(struct text *out, const char *statement, size_t len,
                         const struct sign_key *key, lq_error *err)
{
    struct dsse e = {0};
    text_put(&e.payload, statement, len);
    const lq_status status = e.payload.failed ? lq_fail_memory(err) : dsse_sign(&e, key, err);
    if (status == LQ_OK) {
        dsse_put(out, &e, key->fingerprint);
        text_putc(out, '\n');
    }
    dsse_release(&e);
    return status == LQ_OK && out->failed ? lq_fail_memory(err) : status;
}

lq_status verify_statement(struct text *statement, struct source *envelope,
                           const struct sign_key *key, lq_error *err)
{
    struct dsse e = {0};
    cJSON *root;
    LQ_TRY(strict_document(&root, envelope, err));
    const bool bare = cJSON_IsObject(root) && !cJSON_GetObjectItemCaseSensitive(root, "payload");
    lq_status status = bare ? lq_fail_at(err, LQ_E_VERIFY, envelope->name, -1, "is not signed")
                            : dsse_read(&e, root, envelope->name, err);
    if (status == LQ_OK)
        status = dsse_verify(&e, key, NULL, err);
    if (status == LQ_OK)
        text_put(statement, e.payload.data, e.payload.len);
    lq_error_add_file(err, envelope->name);
    dsse_release(&e);
    cJSON_Delete(root);
    return status == LQ_OK && statement->failed ? lq_fail_memory(err) : status;
}
