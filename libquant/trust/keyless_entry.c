/* keyless_entry.c -- the entry of a transparency log that a bundle carries: Rekor, entries of the kind
 * dsse 0.0.1. Proofs of inclusion: RFC 6962, section 2.1.1, and RFC 9162, 2.1.3.2. */
#include "libquant/trust/keyless.h"

#include "libquant/base/hash.h"
#include "libquant/base/json.h"
#include "libquant/trust/strict_json.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

enum { MAX_PROOF = 64 };

struct entry {
    const char *name; /* of the signature, for messages */
    lq_error *err;
    const cJSON *node, *proof;
    const char *body64;
    struct text body;
    uint64_t index;        /* over all parts of the log */
    uint64_t time;         /* 0: none */
    uint64_t proof_index, size; /* in the part that the proof is about */
    uint8_t root[32];
    const struct trusted_log *log;
};

static lq_status wrong(const struct entry *e, lq_status status, const char *what)
{
    return lq_fail_at(e->err, status, e->name, -1, "%s", what);
}

/* ---- fields ---- */

/* 64-bit numbers are written as text. */
static lq_status read_u64(const struct entry *e, const cJSON *node, const char *key, uint64_t *out)
{
    const char *s;
    LQ_TRY(strict_string(node, key, &s, e->name, e->err));
    return text_parse_u64(s, INT64_MAX, out)
               ? LQ_OK
               : lq_fail_at(e->err, LQ_E_FORMAT, e->name, -1, "\"%s\" is no number", key);
}

/* Base64 of exactly 32 bytes. */
static lq_status read_32(const struct entry *e, const cJSON *node, const char *key, uint8_t out[32])
{
    struct text t = {0};
    lq_status status = strict_base64(node, key, &t, e->name, e->err);
    if (status == LQ_OK && t.len != 32)
        status = lq_fail_at(e->err, LQ_E_FORMAT, e->name, -1, "\"%s\" is not 32 bytes long", key);
    if (status == LQ_OK)
        memcpy(out, t.data, 32);
    text_free(&t);
    return status;
}

static lq_status read_entry(struct entry *e, const struct trusted_root *root)
{
    static const char *const fields[] = {"logIndex", "logId", "kindVersion", "integratedTime",
                                         "inclusionPromise", "inclusionProof", "canonicalizedBody",
                                         NULL};
    static const char *const proof_fields[] = {"logIndex", "rootHash", "treeSize", "hashes",
                                               "checkpoint", NULL};
    const char *kind, *version;
    uint8_t id[32];
    LQ_TRY(strict_object(e->node, "the log entry", fields, e->name, e->err));
    const cJSON *const kinds = cJSON_GetObjectItemCaseSensitive(e->node, "kindVersion");
    LQ_TRY(strict_string(kinds, "kind", &kind, e->name, e->err));
    LQ_TRY(strict_string(kinds, "version", &version, e->name, e->err));
    if (strcmp(kind, "dsse") != 0 || strcmp(version, "0.0.1") != 0)
        return lq_fail_at(e->err, LQ_E_UNSUPPORTED, e->name, -1,
                          "a log entry of the kind %.40s %.20s; dsse 0.0.1 is supported", kind,
                          version);
    LQ_TRY(read_u64(e, e->node, "logIndex", &e->index));
    if (cJSON_GetObjectItemCaseSensitive(e->node, "integratedTime"))
        LQ_TRY(read_u64(e, e->node, "integratedTime", &e->time));
    LQ_TRY(strict_string(e->node, "canonicalizedBody", &e->body64, e->name, e->err));
    LQ_TRY(strict_base64(e->node, "canonicalizedBody", &e->body, e->name, e->err));
    LQ_TRY(read_32(e, cJSON_GetObjectItemCaseSensitive(e->node, "logId"), "keyId", id));
    e->log = trusted_log_find(root->logs, root->n_logs, id);
    if (!e->log)
        return wrong(e, LQ_E_VERIFY, "the entry is of a log that is not trusted");
    e->proof = cJSON_GetObjectItemCaseSensitive(e->node, "inclusionProof");
    if (!e->proof)
        return wrong(e, LQ_E_VERIFY, "the log entry has no proof of inclusion");
    LQ_TRY(strict_object(e->proof, "the proof of inclusion", proof_fields, e->name, e->err));
    LQ_TRY(read_u64(e, e->proof, "logIndex", &e->proof_index));
    LQ_TRY(read_u64(e, e->proof, "treeSize", &e->size));
    return read_32(e, e->proof, "rootHash", e->root);
}

/* ---- promise: the signed entry timestamp ---- */

/* Over the entry in canonical JSON (RFC 8785). */
static lq_status check_promise(const struct entry *e, time_t *at)
{
    const cJSON *const promise = cJSON_GetObjectItemCaseSensitive(e->node, "inclusionPromise");
    struct text data = {0}, signature = {0};
    char id[65];
    *at = 0;
    if (!promise)
        return LQ_OK;
    hex_of(id, e->log->id, 32);
    text_printf(&data, "{\"body\":\"%s\",\"integratedTime\":%" PRIu64 ",\"logID\":\"%s\","
                       "\"logIndex\":%" PRIu64 "}",
                e->body64, e->time, id, e->index);
    lq_status status =
        strict_base64(promise, "signedEntryTimestamp", &signature, e->name, e->err);
    if (status == LQ_OK && data.failed)
        status = lq_fail_memory(e->err);
    if (status == LQ_OK)
        status = trusted_log_verify(e->log, data.data, data.len, signature.data, signature.len,
                                    "the log's promise", e->name, e->err);
    *at = (time_t)e->time;
    if (status == LQ_OK && !e->time)
        status = wrong(e, LQ_E_VERIFY, "the log's promise is for no time");
    text_free(&data);
    text_free(&signature);
    return status;
}

/* At the times that others have signed, and the log itself. */
static lq_status check_period(const struct entry *e, const time_t *times, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (times[i] < e->log->start || times[i] > e->log->end)
            return wrong(e, LQ_E_VERIFY, "the log is not trusted at the time of the signature");
    return LQ_OK;
}

/* ---- proof: the way up the tree ---- */

static lq_status hash_node(uint8_t out[32], const uint8_t left[32], const uint8_t right[32],
                           lq_error *err)
{
    uint8_t data[65] = {1};
    memcpy(data + 1, left, 32);
    memcpy(data + 33, right, 32);
    return sha256_of(data, sizeof data, out, err);
}

static lq_status hash_leaf(const struct entry *e, uint8_t out[32])
{
    struct sha256 *const h = sha256_new();
    if (!h)
        return lq_fail_memory(e->err);
    sha256_update(h, "", 1);
    sha256_update(h, e->body.data, e->body.len);
    sha256_final(h, out);
    return LQ_OK;
}

static lq_status read_hashes(const struct entry *e, uint8_t (*hashes)[32], int *n)
{
    const cJSON *const list = cJSON_GetObjectItemCaseSensitive(e->proof, "hashes"), *c;
    struct text t = {0};
    lq_status status = LQ_OK;
    *n = 0;
    if (list && (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > MAX_PROOF))
        return wrong(e, LQ_E_FORMAT, "the hashes of the proof are no list, or too many");
    cJSON_ArrayForEach(c, list)
    {
        t.len = 0;
        if (!cJSON_IsString(c) || !base64_strict(&t, c->valuestring, strlen(c->valuestring)) ||
            t.len != 32) {
            status = wrong(e, LQ_E_FORMAT, "a hash of the proof is none");
            break;
        }
        memcpy(hashes[(*n)++], t.data, 32);
    }
    text_free(&t);
    return status;
}

static lq_status check_proof(const struct entry *e)
{
    uint8_t hashes[MAX_PROOF][32], now[32];
    int n;
    if (e->proof_index >= e->size)
        return wrong(e, LQ_E_VERIFY, "the proof is for an entry beyond the end of the log");
    LQ_TRY(read_hashes(e, hashes, &n));
    LQ_TRY(hash_leaf(e, now));
    /* Below `inner` both neighbours are there; above, the entry is in the last, incomplete part. */
    const uint64_t differ = e->proof_index ^ (e->size - 1);
    const int inner = differ ? 64 - __builtin_clzll(differ) : 0;
    const int border = inner < 64 ? __builtin_popcountll(e->proof_index >> inner) : 0;
    if (n != inner + border)
        return wrong(e, LQ_E_VERIFY, "the proof of inclusion has not the length that it must have");
    for (int k = 0; k < n; k++) {
        const bool left = k < inner && !(e->proof_index >> k & 1);
        LQ_TRY(left ? hash_node(now, now, hashes[k], e->err)
                    : hash_node(now, hashes[k], now, e->err));
    }
    return memcmp(now, e->root, 32) == 0
               ? LQ_OK
               : wrong(e, LQ_E_VERIFY, "the proof does not show that the entry is in the log");
}

/* ---- checkpoint: who says so ---- */

/* "— NAME BASE64": the signatures with our log's key hint; at least one. */
static lq_status check_note_signatures(const struct entry *e, const char *note, size_t len,
                                       const char *lines)
{
    static const char dash[] = "\xe2\x80\x94 ";
    struct text blob = {0};
    lq_status status = LQ_OK;
    int found = 0;
    for (const char *s = lines; *s && status == LQ_OK;) {
        const size_t n = strcspn(s, "\n");
        const char *const space = text_starts_with(s, dash) ? strchr(s + strlen(dash), ' ') : NULL;
        blob.len = 0;
        if (!space || space > s + n || s[n] != '\n' ||
            !base64_strict(&blob, space + 1, n - (size_t)(space + 1 - s)) || blob.len < 5) {
            status = wrong(e, LQ_E_FORMAT, "a signature of the checkpoint is malformed");
            break;
        }
        if (memcmp(blob.data, e->log->id, 4) == 0) {
            found++;
            status = trusted_log_verify(e->log, note, len, blob.data + 4, blob.len - 4,
                                        "the checkpoint", e->name, e->err);
        }
        s += n + 1;
    }
    text_free(&blob);
    if (status != LQ_OK)
        return status;
    return found ? LQ_OK : wrong(e, LQ_E_VERIFY, "the checkpoint is not signed by the entry's log");
}

/* Origin, size and root hash, one a line. */
static lq_status check_note(const struct entry *e, const char *note)
{
    const char *const size = strchr(note, '\n') + 1;
    const size_t n_size = strcspn(size, "\n");
    char number[24];
    uint64_t value;
    if (!n_size || n_size >= sizeof number || size[n_size] != '\n')
        return wrong(e, LQ_E_FORMAT, "the checkpoint has not origin, size and root");
    memcpy(number, size, n_size);
    number[n_size] = '\0';
    const char *const hash = size + n_size + 1;
    struct text root = {0};
    const bool ok = text_parse_u64(number, INT64_MAX, &value) &&
                    base64_strict(&root, hash, strcspn(hash, "\n")) && root.len == 32;
    const bool same = ok && value == e->size && memcmp(root.data, e->root, 32) == 0;
    text_free(&root);
    if (!ok)
        return wrong(e, LQ_E_FORMAT, "the checkpoint has not origin, size and root");
    return same ? LQ_OK
                : wrong(e, LQ_E_VERIFY, "the checkpoint is of another state of the log than the proof");
}

static lq_status check_checkpoint(const struct entry *e)
{
    const cJSON *const checkpoint = cJSON_GetObjectItemCaseSensitive(e->proof, "checkpoint");
    const char *note;
    if (!checkpoint)
        return wrong(e, LQ_E_VERIFY, "the proof of inclusion has no checkpoint");
    LQ_TRY(strict_string(checkpoint, "envelope", &note, e->name, e->err));
    const char *const gap = strstr(note, "\n\n");
    if (!gap || strstr(gap + 1, "\n\n") || gap == note || !strchr(note, '\n'))
        return wrong(e, LQ_E_FORMAT, "the checkpoint is no signed note");
    LQ_TRY(check_note_signatures(e, note, (size_t)(gap - note) + 1, gap + 2));
    return check_note(e, note);
}

/* ---- body: that the entry is about this signature ---- */

static bool same_certificate(const cJSON *verifier, const X509 *leaf)
{
    struct text pem = {0};
    const char *const s = cJSON_GetStringValue(verifier);
    X509 *x = NULL;
    if (s && base64_strict(&pem, s, strlen(s))) {
        BIO *const bio = BIO_new_mem_buf(pem.data, (int)pem.len);
        x = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
        BIO_free(bio);
        ERR_clear_error();
    }
    const bool same = x && X509_cmp(x, leaf) == 0;
    X509_free(x);
    text_free(&pem);
    return same;
}

static lq_status check_spec(const struct entry *e, const cJSON *spec, const struct bundle *b)
{
    const cJSON *const hash = cJSON_GetObjectItemCaseSensitive(spec, "payloadHash");
    const cJSON *const list = cJSON_GetObjectItemCaseSensitive(spec, "signatures");
    const char *algorithm, *value;
    struct text signature = {0};
    uint8_t digest[32];
    char hex[65];
    LQ_TRY(strict_string(hash, "algorithm", &algorithm, e->name, e->err));
    LQ_TRY(strict_string(hash, "value", &value, e->name, e->err));
    LQ_TRY(sha256_of(b->envelope.payload.data, b->envelope.payload.len, digest, e->err));
    hex_of(hex, digest, 32);
    if (strcmp(algorithm, "sha256") != 0 || strcmp(value, hex) != 0)
        return wrong(e, LQ_E_VERIFY, "the log entry is about another payload");
    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) != 1)
        return wrong(e, LQ_E_VERIFY, "the log entry has not exactly one signature");
    LQ_TRY(strict_base64(list->child, "signature", &signature, e->name, e->err));
    const bool same = signature.len == b->envelope.signature.len &&
                      memcmp(signature.data, b->envelope.signature.data, signature.len) == 0;
    text_free(&signature);
    if (!same)
        return wrong(e, LQ_E_VERIFY, "the log entry is about another signature");
    return same_certificate(cJSON_GetObjectItemCaseSensitive(list->child, "verifier"),
                            sk_X509_value(b->chain, 0))
               ? LQ_OK
               : wrong(e, LQ_E_VERIFY, "the log entry is about another certificate");
}

static lq_status check_body(const struct entry *e, const struct bundle *b)
{
    struct source *s;
    cJSON *root;
    const char *kind, *version;
    LQ_TRY(source_open_memory(&s, e->name, e->body.data, e->body.len, e->err));
    lq_status status = strict_document(&root, s, e->err);
    source_close(s);
    LQ_TRY(status);
    status = strict_string(root, "kind", &kind, e->name, e->err);
    if (status == LQ_OK)
        status = strict_string(root, "apiVersion", &version, e->name, e->err);
    if (status == LQ_OK && (strcmp(kind, "dsse") != 0 || strcmp(version, "0.0.1") != 0))
        status = wrong(e, LQ_E_VERIFY, "the log entry is of another kind than the bundle says");
    if (status == LQ_OK)
        status = check_spec(e, cJSON_GetObjectItemCaseSensitive(root, "spec"), b);
    cJSON_Delete(root);
    return status;
}

/* ---- the whole ---- */

lq_status keyless_entry(const struct bundle *b, const struct trusted_root *root, time_t *times, size_t n,
                        const char *name, lq_error *err)
{
    struct entry e = {.name = name, .err = err};
    if (!b->entries || cJSON_GetArraySize(b->entries) != 1)
        return wrong(&e, LQ_E_VERIFY, "a bundle with exactly one log entry was expected");
    e.node = b->entries->child;
    lq_status status = read_entry(&e, root);
    if (status == LQ_OK)
        status = check_promise(&e, &times[n]);
    if (status == LQ_OK)
        status = check_period(&e, times, n + (times[n] != 0));
    if (status == LQ_OK)
        status = check_proof(&e);
    if (status == LQ_OK)
        status = check_checkpoint(&e);
    if (status == LQ_OK)
        status = check_body(&e, b);
    text_free(&e.body);
    return status;
}
