/* trusted_root.c -- reading trusted roots. */
#include "libquant/trust/trusted_root.h"

#include "libquant/base/json.h"
#include "libquant/base/memory.h"
#include "libquant/trust/bundle.h"
#include "libquant/trust/strict_json.h"

#include <cjson/cJSON.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

/* ---- parts ---- */

/* "2021-01-12T11:53:27.000Z" */
static bool parse_time(const char *s, time_t *out)
{
    struct tm tm = {0};
    const char *end = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);
    if (!end)
        return false;
    if (*end == '.')
        end += 1 + strspn(end + 1, "0123456789");
    *out = timegm(&tm);
    return strcmp(end, "Z") == 0;
}

/* `node` holds "validFor"; without an end it lasts. */
static lq_status read_period(const cJSON *node, time_t *start, time_t *end, const char *name,
                             lq_error *err)
{
    const cJSON *const period = cJSON_GetObjectItemCaseSensitive(node, "validFor");
    const cJSON *const first = cJSON_GetObjectItemCaseSensitive(period, "start");
    const cJSON *const last = cJSON_GetObjectItemCaseSensitive(period, "end");
    *end = INT64_MAX;
    if (!cJSON_IsString(first) || !parse_time(first->valuestring, start) ||
        (last && (!cJSON_IsString(last) || !parse_time(last->valuestring, end))))
        return lq_fail_at(err, LQ_E_FORMAT, name, -1, "a \"validFor\" is missing or no period");
    return LQ_OK;
}

static lq_status read_log_id(struct trusted_log *l, const cJSON *node, const char *name,
                             lq_error *err)
{
    struct text id = {0};
    lq_status status = strict_base64(node, "keyId", &id, name, err);
    if (status == LQ_OK && id.len != sizeof l->id)
        status = lq_fail_at(err, LQ_E_FORMAT, name, -1, "the id of a log is not 32 bytes long");
    if (status == LQ_OK)
        memcpy(l->id, id.data, sizeof l->id);
    text_free(&id);
    return status;
}

static lq_status read_log(void *entry, const cJSON *node, const char *name, lq_error *err)
{
    struct trusted_log *const l = entry;
    const cJSON *const key = cJSON_GetObjectItemCaseSensitive(node, "publicKey");
    struct text der = {0};
    LQ_TRY(read_period(key, &l->start, &l->end, name, err));
    LQ_TRY(read_log_id(l, cJSON_GetObjectItemCaseSensitive(node, "logId"), name, err));
    LQ_TRY(strict_base64(key, "rawBytes", &der, name, err));
    const uint8_t *at = (const uint8_t *)der.data;
    l->key = d2i_PUBKEY(NULL, &at, (long)der.len);
    ERR_clear_error();
    text_free(&der);
    return l->key ? LQ_OK : lq_fail_at(err, LQ_E_FORMAT, name, -1, "the key of a log is none");
}

static lq_status read_authority(void *entry, const cJSON *node, const char *name, lq_error *err)
{
    struct trusted_authority *const a = entry;
    const cJSON *const list = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(node, "certChain"), "certificates");
    const cJSON *c;
    LQ_TRY(read_period(node, &a->start, &a->end, name, err));
    if (!(a->certificates = sk_X509_new_null()))
        return lq_fail_memory(err);
    cJSON_ArrayForEach(c, list)
    {
        X509 *x = NULL;
        LQ_TRY(bundle_certificate(&x, c, name, err));
        if (sk_X509_push(a->certificates, x) <= 0) {
            X509_free(x);
            return lq_fail_memory(err);
        }
    }
    return sk_X509_num(a->certificates)
               ? LQ_OK
               : lq_fail_at(err, LQ_E_FORMAT, name, -1, "an authority without certificates");
}

/* ---- the whole ---- */

/* Reads a list of the root into *entries (zeroed, of `size` bytes each). */
static lq_status read_list(const cJSON *root, const char *key, void **entries, size_t *n,
                           size_t size,
                           lq_status (*read)(void *, const cJSON *, const char *, lq_error *),
                           const char *name, lq_error *err)
{
    const cJSON *const list = cJSON_GetObjectItemCaseSensitive(root, key), *c;
    if (list && !cJSON_IsArray(list))
        return lq_fail_at(err, LQ_E_FORMAT, name, -1, "\"%s\" is not a list", key);
    *entries = mem_calloc((size_t)(list ? cJSON_GetArraySize(list) : 0) + 1, size);
    if (!*entries)
        return lq_fail_memory(err);
    cJSON_ArrayForEach(c, list)
    {
        void *const entry = (char *)*entries + *n * size;
        (*n)++;
        LQ_TRY(read(entry, c, name, err));
    }
    return LQ_OK;
}

static lq_status read_root(struct trusted_root *r, const cJSON *root, const char *name,
                           lq_error *err)
{
    const char *type;
    const cJSON *const inner = cJSON_GetObjectItemCaseSensitive(root, "trustedRoot");
    root = inner ? inner : root;
    LQ_TRY(strict_string(root, "mediaType", &type, name, err));
    if (!text_starts_with(type, "application/vnd.dev.sigstore.trustedroot"))
        return lq_fail_at(err, LQ_E_FORMAT, name, -1, "is \"%.80s\", and no trusted root", type);
    LQ_TRY(read_list(root, "tlogs", (void **)&r->logs, &r->n_logs, sizeof *r->logs, read_log, name,
                     err));
    LQ_TRY(read_list(root, "ctlogs", (void **)&r->certificate_logs, &r->n_certificate_logs,
                     sizeof *r->certificate_logs, read_log, name, err));
    LQ_TRY(read_list(root, "certificateAuthorities", (void **)&r->issuers, &r->n_issuers,
                     sizeof *r->issuers, read_authority, name, err));
    return read_list(root, "timestampAuthorities", (void **)&r->clocks, &r->n_clocks,
                     sizeof *r->clocks, read_authority, name, err);
}

lq_status trusted_root_read(struct trusted_root *r, struct source *s, lq_error *err)
{
    cJSON *root;
    LQ_TRY(strict_document(&root, s, err));
    const lq_status status = read_root(r, root, s->name, err);
    cJSON_Delete(root);
    return status;
}

static void release_logs(struct trusted_log *logs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        EVP_PKEY_free(logs[i].key);
    free(logs);
}

static void release_authorities(struct trusted_authority *a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sk_X509_pop_free(a[i].certificates, X509_free);
    free(a);
}

void trusted_root_release(struct trusted_root *r)
{
    release_logs(r->logs, r->n_logs);
    release_logs(r->certificate_logs, r->n_certificate_logs);
    release_authorities(r->issuers, r->n_issuers);
    release_authorities(r->clocks, r->n_clocks);
    *r = (struct trusted_root){0};
}

/* ---- logs ---- */

const struct trusted_log *trusted_log_find(const struct trusted_log *logs, size_t n,
                                           const uint8_t id[32])
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(logs[i].id, id, 32) == 0)
            return &logs[i];
    return NULL;
}

lq_status trusted_log_verify(const struct trusted_log *log, const void *data, size_t n,
                             const void *signature, size_t signature_len, const char *what,
                             const char *name, lq_error *err)
{
    const EVP_MD *const md = EVP_PKEY_is_a(log->key, "ED25519") ? NULL : EVP_sha256();
    EVP_MD_CTX *const ctx = EVP_MD_CTX_new();
    const bool ok = ctx && EVP_DigestVerifyInit(ctx, NULL, md, NULL, log->key) == 1 &&
                    EVP_DigestVerify(ctx, signature, signature_len, data, n) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    if (!ctx)
        return lq_fail_memory(err);
    return ok ? LQ_OK
              : lq_fail_at(err, LQ_E_VERIFY, name, -1, "%s is not signed by the log that it names",
                           what);
}
