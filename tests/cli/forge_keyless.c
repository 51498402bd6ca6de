/* forge_keyless.c -- a keyless signature of our own making: with its certification authority, certificate
 * log, transparency log and timestamp authority, whose keys nobody else has.
 *
 *   forge_keyless PAYLOAD FOLDER [FLAW]...     writes FOLDER/keyless.sig and FOLDER/trust.json (a
 *                                              ClientTrustConfig), with what is listed in `flaws`
 *
 * It releases nothing: run it without leak checker. The signer is ada@example.org, vouched for by https://id.example.org.
 */
#include "libquant/base/hash.h"
#include "libquant/trust/dsse.h"
#include "libquant/trust/strict_json.h"
#include "tests/cli/forge_extension.h"

#include <inttypes.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/ts.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define IDENTITY "ada@example.org"
#define PROVIDER "https://id.example.org"

enum { LEAVES = 13, LEAF = 9, LOG_OFFSET = 1000 };

static const char *const flaws[] = {
    "other-ca",          /* the certificate is issued by an authority of the same name with another key */
    "ca-period",         /* the authority is trusted for another time only */
    "leaf-expired",      /* the times are after the certificate's */
    "leaf-server",       /* the certificate is for servers */
    "leaf-ca",           /* the certificate is an authority's */
    "issuer-raw",        /* the older of the two names of the provider is another one */
    "issuer-der",        /* the newer one */
    "issuer-none",       /* there is neither */
    "sct-none", "sct-wrong", "sct-twice", "sct-other-log", "sct-period",
    "promise-wrong", "promise-none", "promise-time",
    "timestamp-wrong", "timestamp-none", "timestamp-other", "timestamp-period",
    "times-none",        /* neither promise nor timestamp */
    "proof-none", "proof-hash", "proof-short", "proof-long", "proof-index", "proof-beyond",
    "checkpoint-none", "checkpoint-wrong", "checkpoint-root", "checkpoint-size", "checkpoint-other",
    "log-unknown", "log-period", "entries-two", "entries-none",
    "body-payload", "body-signature", "body-certificate", "body-kind",
    "signature-other", "payload-other", "sha384",
};
static int argc_;
static char **argv_;
static time_t now;

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "forge_keyless: %s\n", what);
    exit(1);
}

static bool has(const char *flaw)
{
    for (int i = 3; i < argc_; i++)
        if (strcmp(argv_[i], flaw) == 0)
            return true;
    return false;
}

static EVP_PKEY *new_key(void)
{
    EVP_PKEY *const key = EVP_EC_gen("P-256");
    return key ? key : (die("no key"), NULL);
}

static void sign_data(struct text *out, EVP_PKEY *key, const void *data, size_t n)
{
    uint8_t sig[256];
    size_t len = sizeof sig;
    EVP_MD_CTX *const ctx = EVP_MD_CTX_new();
    if (EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) != 1 ||
        EVP_DigestSign(ctx, sig, &len, data, n) != 1)
        die("cannot sign");
    text_put(out, sig, len);
    EVP_MD_CTX_free(ctx);
}

static void spki(struct text *out, const EVP_PKEY *key)
{
    uint8_t *der = NULL;
    const int n = i2d_PUBKEY(key, &der);
    text_put(out, der, (size_t)n);
    OPENSSL_free(der);
}

static void key_id(uint8_t id[32], const EVP_PKEY *key)
{
    struct text der = {0};
    spki(&der, key);
    sha256_of(der.data, der.len, id, NULL);
    text_free(&der);
}

static void put64(struct text *out, const void *data, size_t n)
{
    text_putc(out, '"');
    base64_put(out, data, n);
    text_putc(out, '"');
}

/* ---- certificates ---- */

static void extend_raw(X509 *x, const char *oid, const void *data, size_t n)
{
    ASN1_OCTET_STRING *const s = ASN1_OCTET_STRING_new();
    ASN1_OBJECT *const o = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING_set(s, data, (int)n);
    X509_EXTENSION *const e = X509_EXTENSION_create_by_OBJ(NULL, o, 0, s);
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    ASN1_OBJECT_free(o);
    ASN1_OCTET_STRING_free(s);
}

static X509 *new_certificate(const char *name, EVP_PKEY *key, X509 *issuer, time_t from, time_t to)
{
    static long serial = 1000;
    X509 *const x = X509_new();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), serial++);
    if (name)
        X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                                   (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(issuer ? issuer : x));
    X509_set_pubkey(x, key);
    ASN1_TIME_set(X509_getm_notBefore(x), from);
    ASN1_TIME_set(X509_getm_notAfter(x), to);
    return x;
}

static X509 *new_authority(const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key,
                           const char *usage)
{
    X509 *const x = new_certificate(name, key, issuer, now - 86400, now + 365 * 86400);
    X509 *const by = issuer ? issuer : x;
    add_extension(x, by, "basicConstraints", "critical,CA:TRUE");
    add_extension(x, by, "keyUsage", "critical,keyCertSign,cRLSign");
    if (usage)
        add_extension(x, by, "extendedKeyUsage", usage);
    add_extension(x, by, "subjectKeyIdentifier", "hash");
    if (issuer)
        add_extension(x, by, "authorityKeyIdentifier", "keyid:always");
    X509_sign(x, issuer_key, EVP_sha256());
    return x;
}

/* ---- the certificate log ---- */

static void put_sct(struct text *out, X509 *leaf, X509 *issuer, EVP_PKEY *log)
{
    struct text data = {0}, signature = {0}, issuer_spki = {0};
    uint8_t *tbs = NULL, id[32], issuer_id[32], head[8];
    const uint64_t at = (uint64_t)now * 1000;
    const int n = i2d_re_X509_tbs(leaf, &tbs);
    spki(&issuer_spki, X509_get0_pubkey(issuer));
    sha256_of(issuer_spki.data, issuer_spki.len, issuer_id, NULL);
    for (int i = 0; i < 8; i++)
        head[i] = (uint8_t)(at >> (56 - 8 * i));
    text_put(&data, "\0\0", 2);
    text_put(&data, head, 8);
    text_put(&data, "\0\1", 2);
    text_put(&data, issuer_id, 32);
    const uint8_t length[3] = {(uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
    text_put(&data, length, 3);
    text_put(&data, tbs, (size_t)n);
    text_put(&data, "\0\0", 2);
    if (has("sct-wrong"))
        data.data[60] ^= 1;
    sign_data(&signature, log, data.data, data.len);
    key_id(id, log);
    text_putc(out, '\0');
    text_put(out, id, 32);
    text_put(out, head, 8);
    text_put(out, "\0\0\4\3", 4);
    const uint8_t siglen[2] = {(uint8_t)(signature.len >> 8), (uint8_t)signature.len};
    text_put(out, siglen, 2);
    text_put(out, signature.data, signature.len);
    OPENSSL_free(tbs);
    text_free(&data);
    text_free(&signature);
    text_free(&issuer_spki);
}

static void add_scts(X509 *leaf, X509 *issuer, EVP_PKEY *log)
{
    struct text sct = {0}, list = {0};
    uint8_t *der = NULL;
    put_sct(&sct, leaf, issuer, log);
    const size_t copies = has("sct-twice") ? 2 : 1, total = copies * (sct.len + 2);
    const uint8_t lengths[4] = {(uint8_t)(total >> 8), (uint8_t)total, (uint8_t)(sct.len >> 8),
                                (uint8_t)sct.len};
    text_put(&list, lengths, 2);
    for (size_t i = 0; i < copies; i++) {
        text_put(&list, lengths + 2, 2);
        text_put(&list, sct.data, sct.len);
    }
    ASN1_OCTET_STRING *const s = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(s, (const uint8_t *)list.data, (int)list.len);
    const int n = i2d_ASN1_OCTET_STRING(s, &der);
    extend_raw(leaf, "1.3.6.1.4.1.11129.2.4.2", der, (size_t)n);
    OPENSSL_free(der);
    ASN1_OCTET_STRING_free(s);
    text_free(&sct);
    text_free(&list);
}

static X509 *new_leaf(EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, EVP_PKEY *log)
{
    static const char provider[] = PROVIDER, other[] = "https://id.example.com";
    const time_t from = has("leaf-expired") ? now - 900 : now - 300;
    X509 *const x = new_certificate(NULL, key, issuer, from, from + 600);
    if (has("leaf-ca"))
        add_extension(x, issuer, "basicConstraints", "critical,CA:TRUE");
    add_extension(x, issuer, "keyUsage", "critical,digitalSignature");
    add_extension(x, issuer, "extendedKeyUsage", has("leaf-server") ? "serverAuth" : "codeSigning");
    add_extension(x, issuer, "subjectAltName", "critical,email:" IDENTITY);
    add_extension(x, issuer, "authorityKeyIdentifier", "keyid:always");
    if (!has("issuer-none")) {
        const char *const raw = has("issuer-raw") ? other : provider;
        const char *const s = has("issuer-der") ? other : provider;
        struct text der = {0};
        extend_raw(x, "1.3.6.1.4.1.57264.1.1", raw, strlen(raw));
        text_putc(&der, 12);
        text_putc(&der, (char)strlen(s));
        text_puts(&der, s);
        extend_raw(x, "1.3.6.1.4.1.57264.1.8", der.data, der.len);
        text_free(&der);
    }
    X509_sign(x, issuer_key, EVP_sha256());
    if (!has("sct-none"))
        add_scts(x, issuer, log);
    X509_sign(x, issuer_key, EVP_sha256());
    return x;
}

/* ---- the transparency log ---- */

static uint8_t leaves[LEAVES][32];

static void node(uint8_t out[32], const uint8_t l[32], const uint8_t r[32])
{
    uint8_t data[65] = {1};
    memcpy(data + 1, l, 32);
    memcpy(data + 33, r, 32);
    sha256_of(data, 65, out, NULL);
}

static size_t split(size_t n)
{
    size_t k = 1;
    while (2 * k < n)
        k *= 2;
    return k;
}

static void tree(uint8_t out[32], size_t from, size_t n)
{
    uint8_t l[32], r[32];
    if (n == 1) {
        memcpy(out, leaves[from], 32);
        return;
    }
    tree(l, from, split(n));
    tree(r, from + split(n), n - split(n));
    node(out, l, r);
}

/* RFC 6962, 2.1.1: the path of leaf m among n. */
static size_t path(uint8_t (*out)[32], size_t m, size_t from, size_t n)
{
    if (n == 1)
        return 0;
    const size_t k = split(n);
    const size_t len = m < k ? path(out, m, from, k) : path(out, m - k, from + k, n - k);
    if (m < k)
        tree(out[len], from + k, n - k);
    else
        tree(out[len], from, k);
    return len + 1;
}

static void put_body(struct text *out, const struct dsse *e, const X509 *leaf)
{
    uint8_t digest[32];
    char hex[65], *pem;
    BIO *const bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, leaf);
    const long n = BIO_get_mem_data(bio, &pem);
    sha256_of(e->payload.data, e->payload.len, digest, NULL);
    digest[0] ^= has("body-payload");
    hex_of(hex, digest, 32);
    text_printf(out, "{\"apiVersion\":\"0.0.1\",\"kind\":\"%s\",\"spec\":{\"envelopeHash\":"
                     "{\"algorithm\":\"sha256\",\"value\":\"%s\"},\"payloadHash\":{\"algorithm\":"
                     "\"sha256\",\"value\":\"%s\"},\"signatures\":[{\"signature\":",
                has("body-kind") ? "intoto" : "dsse", hex, hex);
    e->signature.data[8] ^= has("body-signature");
    put64(out, e->signature.data, e->signature.len);
    e->signature.data[8] ^= has("body-signature");
    text_puts(out, ",\"verifier\":");
    put64(out, pem, (size_t)n);
    text_puts(out, "}]}}");
    BIO_free(bio);
}

static void put_promise(struct text *out, EVP_PKEY *log, const struct text *body, time_t at)
{
    struct text data = {0}, signature = {0};
    uint8_t id[32];
    char hex[65];
    key_id(id, log);
    hex_of(hex, id, 32);
    text_puts(&data, "{\"body\":");
    put64(&data, body->data, body->len);
    text_printf(&data, ",\"integratedTime\":%lld,\"logID\":\"%s\",\"logIndex\":%d}",
                (long long)at + has("promise-wrong"), hex, LOG_OFFSET + LEAF);
    sign_data(&signature, log, data.data, data.len);
    text_puts(out, "\"inclusionPromise\":{\"signedEntryTimestamp\":");
    put64(out, signature.data, signature.len);
    text_puts(out, "},");
    text_free(&data);
    text_free(&signature);
}

static void put_checkpoint(struct text *out, EVP_PKEY *log, EVP_PKEY *other, const uint8_t root[32])
{
    struct text note = {0}, blob = {0};
    uint8_t id[32], changed[32];
    memcpy(changed, root, 32);
    changed[5] ^= has("checkpoint-root");
    text_printf(&note, "log.example.org - 42\n%d\n", LEAVES + has("checkpoint-size"));
    base64_put(&note, changed, 32);
    text_puts(&note, "\n");
    key_id(id, has("checkpoint-other") ? other : log);
    text_put(&blob, id, 4);
    sign_data(&blob, has("checkpoint-other") ? other : log, note.data, note.len);
    if (has("checkpoint-wrong"))
        note.data[0] = 'L';
    text_puts(&note, "\n\xe2\x80\x94 log.example.org ");
    base64_put(&note, blob.data, blob.len);
    text_puts(&note, "\n");
    text_puts(out, "\"checkpoint\":{\"envelope\":");
    text_put_json(out, note.data, note.len);
    text_puts(out, "}");
    text_free(&note);
    text_free(&blob);
}

static void put_proof(struct text *out, EVP_PKEY *log, EVP_PKEY *other)
{
    uint8_t root[32], hashes[LEAVES][32];
    size_t n = path(hashes, LEAF, 0, LEAVES);
    tree(root, 0, LEAVES);
    hashes[1][3] ^= has("proof-hash");
    n -= has("proof-short");
    if (has("proof-long"))
        memcpy(hashes[n++], root, 32);
    text_printf(out, "\"inclusionProof\":{\"logIndex\":\"%d\",\"rootHash\":",
                has("proof-index") ? LEAF - 1 : has("proof-beyond") ? LEAVES : LEAF);
    put64(out, root, 32);
    text_printf(out, ",\"treeSize\":\"%d\",\"hashes\":[", LEAVES);
    for (size_t i = 0; i < n; i++) {
        text_puts(out, i ? "," : "");
        put64(out, hashes[i], 32);
    }
    text_puts(out, has("checkpoint-none") ? "]" : "],");
    if (!has("checkpoint-none"))
        put_checkpoint(out, log, other, root);
    text_puts(out, "},");
}

static void put_entry(struct text *out, const struct dsse *e, X509 *leaf, X509 *other_leaf,
                      EVP_PKEY *log, EVP_PKEY *other)
{
    struct text body = {0}, data = {0};
    uint8_t id[32];
    const time_t at = has("promise-time") ? now + 400 : now;
    put_body(&body, e, has("body-certificate") ? other_leaf : leaf);
    for (size_t i = 0; i < LEAVES; i++)
        sha256_of(&i, sizeof i, leaves[i], NULL);
    text_putc(&data, '\0');
    text_put(&data, body.data, body.len);
    sha256_of(data.data, data.len, leaves[LEAF], NULL);
    key_id(id, log);
    text_printf(out, "{\"logIndex\":\"%d\",\"logId\":{\"keyId\":", LOG_OFFSET + LEAF);
    put64(out, id, 32);
    text_printf(out, "},\"kindVersion\":{\"kind\":\"dsse\",\"version\":\"0.0.1\"},"
                     "\"integratedTime\":\"%lld\",", (long long)at);
    if (!has("promise-none") && !has("times-none"))
        put_promise(out, log, &body, at);
    if (!has("proof-none"))
        put_proof(out, log, other);
    text_puts(out, "\"canonicalizedBody\":");
    put64(out, body.data, body.len);
    text_puts(out, "}");
    text_free(&body);
    text_free(&data);
}

/* ---- the timestamp authority ---- */

static int tell_time(TS_RESP_CTX *ctx, void *data, long *sec, long *usec)
{
    (void)ctx, (void)data;
    *sec = (long)now;
    *usec = 0;
    return 1;
}

static ASN1_INTEGER *tell_serial(TS_RESP_CTX *ctx, void *data)
{
    ASN1_INTEGER *const n = ASN1_INTEGER_new();
    (void)ctx, (void)data;
    ASN1_INTEGER_set(n, 7);
    return n;
}

static void put_timestamp(struct text *out, const struct dsse *e, X509 *tsa, EVP_PKEY *key)
{
    uint8_t digest[32], *der = NULL;
    TS_REQ *const req = TS_REQ_new();
    TS_MSG_IMPRINT *const imprint = TS_MSG_IMPRINT_new();
    X509_ALGOR *const algorithm = X509_ALGOR_new();
    TS_RESP_CTX *const ctx = TS_RESP_CTX_new();
    BIO *const bio = BIO_new(BIO_s_mem());
    sha256_of(e->signature.data, e->signature.len, digest, NULL);
    digest[0] ^= has("timestamp-other");
    X509_ALGOR_set_md(algorithm, EVP_sha256());
    TS_MSG_IMPRINT_set_algo(imprint, algorithm);
    TS_MSG_IMPRINT_set_msg(imprint, digest, 32);
    TS_REQ_set_version(req, 1);
    TS_REQ_set_msg_imprint(req, imprint);
    TS_REQ_set_cert_req(req, 1);
    i2d_TS_REQ_bio(bio, req);
    TS_RESP_CTX_set_signer_cert(ctx, tsa);
    TS_RESP_CTX_set_signer_key(ctx, key);
    TS_RESP_CTX_set_signer_digest(ctx, EVP_sha256());
    TS_RESP_CTX_set_ess_cert_id_digest(ctx, EVP_sha256());
    TS_RESP_CTX_set_def_policy(ctx, OBJ_txt2obj("1.2.3.4.5", 1));
    TS_RESP_CTX_add_md(ctx, EVP_sha256());
    TS_RESP_CTX_set_time_cb(ctx, tell_time, NULL);
    TS_RESP_CTX_set_serial_cb(ctx, tell_serial, NULL);
    TS_RESP *const response = TS_RESP_create_response(ctx, bio);
    const int n = response ? i2d_TS_RESP(response, &der) : 0;
    if (n <= 0)
        die("no timestamp");
    if (has("timestamp-wrong"))
        der[n - 5] ^= 1;
    put64(out, der, (size_t)n);
    OPENSSL_free(der);
    TS_RESP_free(response);
    TS_RESP_CTX_free(ctx);
    TS_REQ_free(req);
    TS_MSG_IMPRINT_free(imprint);
    X509_ALGOR_free(algorithm);
    BIO_free(bio);
}

/* ---- the trusted root ---- */

static void put_period(struct text *out, bool other)
{
    struct tm tm;
    char start[32], end[32];
    const time_t from = other ? now - 10 * 86400 : now - 86400, to = from + 2 * 86400;
    strftime(start, sizeof start, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&from, &tm));
    strftime(end, sizeof end, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&to, &tm));
    text_printf(out, "\"validFor\":{\"start\":\"%s\",\"end\":\"%s\"}", start, end);
}

static void put_log(struct text *out, const char *list, EVP_PKEY *key, bool other)
{
    struct text der = {0};
    uint8_t id[32];
    spki(&der, key);
    key_id(id, key);
    text_printf(out, "\"%s\":[{\"baseUrl\":\"https://log.example.org\",\"hashAlgorithm\":\"SHA2_256\","
                     "\"publicKey\":{\"rawBytes\":", list);
    put64(out, der.data, der.len);
    text_puts(out, ",\"keyDetails\":\"PKIX_ECDSA_P256_SHA_256\",");
    put_period(out, other);
    text_puts(out, "},\"logId\":{\"keyId\":");
    put64(out, id, 32);
    text_puts(out, "}}],");
    text_free(&der);
}

static void put_authority(struct text *out, const char *list, X509 *const *chain, size_t n, bool other)
{
    text_printf(out, "\"%s\":[{\"subject\":{\"organization\":\"example\",\"commonName\":\"test\"},"
                     "\"uri\":\"https://ca.example.org\",\"certChain\":{\"certificates\":[", list);
    for (size_t i = 0; i < n; i++) {
        uint8_t *der = NULL;
        const int len = i2d_X509(chain[i], &der);
        text_puts(out, i ? ",{\"rawBytes\":" : "{\"rawBytes\":");
        put64(out, der, (size_t)len);
        text_puts(out, "}");
        OPENSSL_free(der);
    }
    text_puts(out, "]},");
    put_period(out, other);
    text_puts(out, "}]");
}

static void write_file(const char *folder, const char *name, const struct text *t)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *const f = fopen(path, "w");
    if (!f || fwrite(t->data, 1, t->len, f) != t->len || fclose(f) != 0)
        die(path);
}

static void read_payload(struct text *t, const char *path)
{
    FILE *const f = fopen(path, "r");
    if (!f)
        die(path);
    for (int c; (c = fgetc(f)) != EOF;)
        text_putc(t, (char)c);
    fclose(f);
}

static void sign_payload(struct dsse *e, EVP_PKEY *key)
{
    struct sign_key k = {.is_private = true, .pkey = key,
                         .digest = has("sha384") ? EVP_sha384() : EVP_sha256()};
    if (dsse_sign(e, &k, NULL) != LQ_OK)
        die("cannot sign");
    if (has("payload-other"))
        e->payload.data[e->payload.len - 2] ^= 1;
}

static void put_bundle(struct text *out, const struct dsse *e, X509 *leaf, const struct text *entry,
                       const struct text *timestamp)
{
    uint8_t *der = NULL;
    const int n = i2d_X509(leaf, &der);
    text_puts(out, "{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\","
                   "\"verificationMaterial\":{\"certificate\":{\"rawBytes\":");
    put64(out, der, (size_t)n);
    text_puts(out, "},\"tlogEntries\":[");
    if (!has("entries-none"))
        text_puts(out, entry->data);
    if (has("entries-two")) {
        text_puts(out, ",");
        text_puts(out, entry->data);
    }
    text_puts(out, "]");
    if (!has("timestamp-none") && !has("times-none"))
        text_printf(out, ",\"timestampVerificationData\":{\"rfc3161Timestamps\":"
                         "[{\"signedTimestamp\":%s}]}", timestamp->data);
    text_puts(out, "},\"dsseEnvelope\":");
    dsse_put(out, e, "");
    text_puts(out, "}\n");
    OPENSSL_free(der);
}

int main(int argc, char **argv)
{
    argc_ = argc;
    argv_ = argv;
    if (argc < 3)
        die("PAYLOAD FOLDER [FLAW]...");
    for (int i = 3; i < argc; i++) {
        size_t k = 0;
        while (k < sizeof flaws / sizeof *flaws && strcmp(flaws[k], argv[i]) != 0)
            k++;
        if (k == sizeof flaws / sizeof *flaws)
            die(argv[i]);
    }
    now = time(NULL) - 7200;
    EVP_PKEY *k[10];
    for (size_t i = 0; i < 10; i++)
        k[i] = new_key();
    EVP_PKEY *const root_key = k[0], *const ca_key = k[1], *const leaf_key = k[2], *const ct_key = k[3],
             *const log_key = k[4], *const tsa_root_key = k[5], *const tsa_key = k[6],
             *const other = k[7];
    X509 *const root = new_authority("test root", root_key, NULL, root_key, NULL);
    X509 *const ca = new_authority("test ca", ca_key, root, root_key, "codeSigning");
    X509 *const other_ca = new_authority("test ca", other, root, k[8], "codeSigning");
    X509 *const tsa_root = new_authority("test clock root", tsa_root_key, NULL, tsa_root_key, NULL);
    X509 *const tsa = new_certificate("test clock", tsa_key, tsa_root, now - 86400, now + 86400 * 30);
    add_extension(tsa, tsa_root, "keyUsage", "critical,digitalSignature");
    add_extension(tsa, tsa_root, "extendedKeyUsage", "critical,timeStamping");
    add_extension(tsa, tsa_root, "authorityKeyIdentifier", "keyid:always");
    X509_sign(tsa, tsa_root_key, EVP_sha256());
    EVP_PKEY *const sct_key = has("sct-other-log") ? other : ct_key;
    X509 *const leaf = has("other-ca") ? new_leaf(leaf_key, other_ca, other, sct_key)
                                       : new_leaf(leaf_key, ca, ca_key, sct_key);
    X509 *const other_leaf = new_leaf(leaf_key, ca, ca_key, sct_key);

    struct dsse e = {0};
    struct text entry = {0}, timestamp = {0}, bundle = {0}, trust = {0};
    read_payload(&e.payload, argv[1]);
    sign_payload(&e, has("signature-other") ? other : leaf_key);
    put_entry(&entry, &e, leaf, other_leaf, log_key, other);
    put_timestamp(&timestamp, &e, tsa, tsa_key);
    put_bundle(&bundle, &e, leaf, &entry, &timestamp);
    write_file(argv[2], "keyless.sig", &bundle);

    X509 *const chain[] = {ca, root}, *const clock[] = {tsa, tsa_root};
    text_puts(&trust, "{\"mediaType\":\"application/vnd.dev.sigstore.clienttrustconfig.v0.1+json\","
                      "\"trustedRoot\":{\"mediaType\":"
                      "\"application/vnd.dev.sigstore.trustedroot+json;version=0.1\",");
    put_log(&trust, "tlogs", has("log-unknown") ? other : log_key, has("log-period"));
    put_authority(&trust, "certificateAuthorities", chain, 2, has("ca-period"));
    text_puts(&trust, ",");
    put_log(&trust, "ctlogs", ct_key, has("sct-period"));
    put_authority(&trust, "timestampAuthorities", clock, 2, has("timestamp-period"));
    text_puts(&trust, "},\"signingConfig\":{\"mediaType\":"
                      "\"application/vnd.dev.sigstore.signingconfig.v0.2+json\",\"caUrls\":[],"
                      "\"oidcUrls\":[],\"rekorTlogUrls\":[],\"tsaUrls\":[],"
                      "\"rekorTlogConfig\":{\"selector\":\"ANY\"},\"tsaConfig\":{\"selector\":\"ANY\"}}}\n");
    write_file(argv[2], "trust.json", &trust);
    return 0;
}
