/* forge.c -- makes keys, certificates and signatures for the tests, also those that nobody should accept.
 *
 *   forge key CURVE FILE [PASSPHRASE]       FILE, and FILE.pub; CURVE: P-256, ..., RSA
 *   forge cert FILE NAME KEY ISSUER ISSUER-KEY [EXTENSION=VALUE | from=DAYS | to=DAYS | md=NAME]...
 *                                           ISSUER "-": self-signed; days are relative to now
 *   forge sign KEY PAYLOAD FILE [CERT]...   a bundle whose payload is the file PAYLOAD, byte for byte;
 *                                           KEY "raw:FILE": r and s one after the other instead of DER,
 *                                           "md=NAME:FILE": with another digest
 *   forge payload FILE                      prints the payload of a bundle
 *   forge reroot FILE                       prints a payload with the right digest over all files
 */
#include "libquant/base/hash.h"
#include "libquant/trust/bundle.h"
#include "libquant/trust/strict_json.h"
#include "tests/cli/forge_extension.h"

#include <cjson/cJSON.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "forge: %s\n", what);
    exit(1);
}

static FILE *open_file(const char *path, const char *mode)
{
    FILE *const f = fopen(path, mode);
    if (!f)
        die(path);
    return f;
}

static EVP_PKEY *read_key(const char *path)
{
    FILE *const f = open_file(path, "r");
    EVP_PKEY *const key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
    fclose(f);
    return key ? key : (die(path), NULL);
}

static X509 *read_certificate(const char *path)
{
    FILE *const f = open_file(path, "r");
    X509 *const x = PEM_read_X509(f, NULL, NULL, NULL);
    fclose(f);
    return x ? x : (die(path), NULL);
}

static void read_file(struct text *t, const char *path)
{
    FILE *const f = open_file(path, "r");
    for (int c; (c = fgetc(f)) != EOF;)
        text_putc(t, (char)c);
    fclose(f);
}

/* ---- key ---- */

static void make_key(int argc, char **argv)
{
    EVP_PKEY *const key = strcmp(argv[0], "RSA") == 0 ? EVP_RSA_gen(2048)
                          : strcmp(argv[0], "ED25519") == 0
                              ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                              : EVP_EC_gen(argv[0]);
    char name[4096];
    const bool locked = argc > 2;
    if (!key)
        die(argv[0]);
    FILE *f = open_file(argv[1], "w");
    PEM_write_PKCS8PrivateKey(f, key, locked ? EVP_aes_256_cbc() : NULL, locked ? argv[2] : NULL,
                              locked ? (int)strlen(argv[2]) : 0, NULL, NULL);
    fclose(f);
    snprintf(name, sizeof name, "%s.pub", argv[1]);
    f = open_file(name, "w");
    PEM_write_PUBKEY(f, key);
    fclose(f);
    EVP_PKEY_free(key);
}

/* ---- cert ---- */

static void make_certificate(int argc, char **argv)
{
    EVP_PKEY *const key = read_key(argv[2]), *const issuer_key = read_key(argv[4]);
    X509 *const x = X509_new();
    X509 *const issuer = strcmp(argv[3], "-") == 0 ? x : read_certificate(argv[3]);
    const EVP_MD *md = EVP_sha256();
    static unsigned char serial[8];
    FILE *f = open_file("/dev/urandom", "r");
    if (fread(serial, 1, 8, f) != 8)
        die("no random bytes");
    fclose(f);
    serial[0] &= 0x7f;
    X509_set_version(x, 2);
    BIGNUM *const number = BN_bin2bn(serial, 8, NULL);
    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x));
    BN_free(number);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                               (const unsigned char *)argv[1], -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(issuer));
    X509_set_pubkey(x, key);
    X509_gmtime_adj(X509_getm_notBefore(x), -86400);
    X509_gmtime_adj(X509_getm_notAfter(x), 365 * 86400);
    for (int i = 5; i < argc; i++) {
        char *const value = strchr(argv[i], '=');
        if (!value)
            die(argv[i]);
        *value = '\0';
        if (strcmp(argv[i], "from") == 0)
            X509_gmtime_adj(X509_getm_notBefore(x), atol(value + 1) * 86400);
        else if (strcmp(argv[i], "to") == 0)
            X509_gmtime_adj(X509_getm_notAfter(x), atol(value + 1) * 86400);
        else if (strcmp(argv[i], "md") == 0)
            md = EVP_get_digestbyname(value + 1);
        else
            add_extension(x, issuer, argv[i], value + 1);
    }
    if (!X509_sign(x, issuer_key, md))
        die("cannot sign the certificate");
    f = open_file(argv[0], "w");
    PEM_write_X509(f, x);
    fclose(f);
    if (issuer != x)
        X509_free(issuer);
    X509_free(x);
    EVP_PKEY_free(key);
    EVP_PKEY_free(issuer_key);
}

/* ---- sign ---- */

static void make_raw(struct text *signature)
{
    const unsigned char *at = (const unsigned char *)signature->data;
    ECDSA_SIG *const sig = d2i_ECDSA_SIG(NULL, &at, (long)signature->len);
    unsigned char raw[64];
    BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32);
    ECDSA_SIG_free(sig);
    text_free(signature);
    text_put(signature, raw, sizeof raw);
}

static void sign(int argc, char **argv)
{
    const bool raw = text_starts_with(argv[0], "raw:"), other = text_starts_with(argv[0], "md=");
    char *const colon = strchr(argv[0], ':');
    EVP_PKEY *const pkey = read_key(raw || other ? colon + 1 : argv[0]);
    struct sign_key key = {.is_private = true, .pkey = pkey, .digest = EVP_sha256()};
    struct dsse e = {0};
    struct text out = {0};
    STACK_OF(X509) *chain = NULL;
    EVP_PKEY_up_ref(pkey);
    struct sign_key known = {0};
    if (key_adopt(&known, pkey, "key", NULL) == LQ_OK) /* other curves and RSA: nothing is known */
        key.digest = known.digest;
    memcpy(key.fingerprint, known.fingerprint, sizeof key.fingerprint);
    if (other) {
        *colon = '\0';
        key.digest = EVP_get_digestbyname(argv[0] + 3);
    }
    read_file(&e.payload, argv[1]);
    if (dsse_sign(&e, &key, NULL) != LQ_OK)
        die("cannot sign");
    if (raw)
        make_raw(&e.signature);
    for (int i = 3; i < argc; i++) {
        chain = chain ? chain : sk_X509_new_null();
        sk_X509_push(chain, read_certificate(argv[i]));
    }
    bundle_put(&out, &e, &key, chain);
    FILE *const f = open_file(argv[2], "w");
    fwrite(out.data, 1, out.len, f);
    fclose(f);
    text_free(&out);
    dsse_release(&e);
    sk_X509_pop_free(chain, X509_free);
    key_release(&known);
    EVP_PKEY_free(pkey);
}

/* ---- payload ---- */

static void print_payload(char **argv)
{
    struct text t = {0}, payload = {0};
    read_file(&t, argv[0]);
    cJSON *const root = cJSON_Parse(t.data);
    const cJSON *const e = cJSON_GetObjectItemCaseSensitive(root, "dsseEnvelope");
    if (strict_base64(e, "payload", &payload, argv[0], NULL) != LQ_OK)
        die("no payload");
    fwrite(payload.data, 1, payload.len, stdout);
    cJSON_Delete(root);
    text_free(&t);
    text_free(&payload);
}

/* ---- reroot ---- */

static void put_root(char **argv)
{
    struct text t = {0}, digests = {0};
    uint8_t root[32];
    char hex[65];
    read_file(&t, argv[0]);
    cJSON *const doc = cJSON_Parse(t.data);
    const cJSON *const subject = cJSON_GetObjectItemCaseSensitive(doc, "subject"), *c;
    const cJSON *const list = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(doc, "predicate"), "resources");
    const cJSON *const old = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(subject->child, "digest"), "sha256");
    cJSON_ArrayForEach(c, list)
    {
        const char *s = cJSON_GetObjectItemCaseSensitive(c, "digest")->valuestring;
        for (unsigned byte; sscanf(s, "%2x", &byte) == 1; s += 2)
            text_putc(&digests, (char)byte);
    }
    if (sha256_of(digests.data ? digests.data : "", digests.len, root, NULL) != LQ_OK)
        die("no memory");
    hex_of(hex, root, 32);
    const char *const at = strstr(t.data, old->valuestring);
    printf("%.*s%s%s", (int)(at - t.data), t.data, hex, at + 64);
    cJSON_Delete(doc);
    text_free(&t);
    text_free(&digests);
}

int main(int argc, char **argv)
{
    if (argc >= 4 && strcmp(argv[1], "key") == 0)
        make_key(argc - 2, argv + 2);
    else if (argc >= 7 && strcmp(argv[1], "cert") == 0)
        make_certificate(argc - 2, argv + 2);
    else if (argc >= 5 && strcmp(argv[1], "sign") == 0)
        sign(argc - 2, argv + 2);
    else if (argc == 3 && strcmp(argv[1], "payload") == 0)
        print_payload(argv + 2);
    else if (argc == 3 && strcmp(argv[1], "reroot") == 0)
        put_root(argv + 2);
    else
        die("key, cert, sign, payload or reroot");
    return 0;
}
