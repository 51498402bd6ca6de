/* key.c -- reading keys, signing and verifying with them. */
#include "libquant/trust/key.h"

#include "libquant/base/hash.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_FILE_LIMIT = 1 << 20 };

static const struct {
    const char *group, *curve;
    const EVP_MD *(*digest)(void);
} curves[] = {
    {"prime256v1", "P-256", EVP_sha256},
    {"secp384r1", "P-384", EVP_sha384},
    {"secp521r1", "P-521", EVP_sha512},
};

/* ---- what the key is ---- */

static lq_status find_curve(struct sign_key *k, const char *name, lq_error *err)
{
    char group[64], encoding[32];
    size_t n;
    if (!EVP_PKEY_is_a(k->pkey, "EC"))
        return lq_fail_at(err, LQ_E_UNSUPPORTED, name, -1,
                          "not an elliptic curve key; P-256, P-384 and P-521 are supported");
    if (EVP_PKEY_get_utf8_string_param(k->pkey, OSSL_PKEY_PARAM_EC_ENCODING, encoding,
                                       sizeof encoding, &n) != 1 ||
        strcmp(encoding, OSSL_PKEY_EC_ENCODING_GROUP) != 0 ||
        EVP_PKEY_get_group_name(k->pkey, group, sizeof group, &n) != 1)
        return lq_fail_at(err, LQ_E_UNSUPPORTED, name, -1,
                          "the key spells its curve out instead of naming it");
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++) {
        if (strcmp(group, curves[i].group) == 0) {
            k->curve = curves[i].curve;
            k->digest = curves[i].digest();
            return LQ_OK;
        }
    }
    return lq_fail_at(err, LQ_E_UNSUPPORTED, name, -1,
                      "a key on the curve %s; P-256, P-384 and P-521 are supported", group);
}

/* Of the PEM text as OpenSSL writes it, with the point uncompressed: however the file had it. */
static lq_status find_fingerprint(struct sign_key *k, lq_error *err)
{
    uint8_t digest[32];
    char *pem;
    BIO *const bio = BIO_new(BIO_s_mem());
    if (!bio || EVP_PKEY_set_utf8_string_param(k->pkey,
                                               OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                               "uncompressed") != 1 ||
        PEM_write_bio_PUBKEY(bio, k->pkey) != 1) {
        BIO_free(bio);
        return lq_fail_memory(err);
    }
    const long n = BIO_get_mem_data(bio, &pem);
    const lq_status status = sha256_of(pem, (size_t)n, digest, err);
    BIO_free(bio);
    hex_of(k->fingerprint, digest, sizeof digest);
    return status;
}

lq_status key_adopt(struct sign_key *k, EVP_PKEY *pkey, const char *name, lq_error *err)
{
    k->pkey = pkey;
    LQ_TRY(find_curve(k, name, err));
    return find_fingerprint(k, err);
}

void key_release(struct sign_key *k)
{
    EVP_PKEY_free(k->pkey);
    *k = (struct sign_key){0};
}

/* ---- files ---- */

struct question {
    key_passphrase *ask;
    void *ctx;
    lq_status status;
    bool asked;
    lq_error *err;
};

static int answer(char *dst, int size, int writing, void *ctx)
{
    struct question *const q = ctx;
    size_t len = 0;
    (void)writing;
    q->asked = true;
    if (!q->ask)
        return -1;
    q->status = q->ask(q->ctx, dst, (size_t)size, &len, q->err);
    return q->status == LQ_OK ? (int)len : -1;
}

static lq_status open_pem(struct source *s, char **text, size_t *len, BIO **bio, lq_error *err)
{
    LQ_TRY(source_read_all(s, KEY_FILE_LIMIT, text, len, err));
    *bio = BIO_new_mem_buf(*text, (int)*len);
    if (*bio)
        return LQ_OK;
    free(*text);
    return lq_fail_memory(err);
}

lq_status key_read_private(struct sign_key *k, struct source *s, key_passphrase *ask, void *ctx,
                           lq_error *err)
{
    struct question q = {.ask = ask, .ctx = ctx, .err = err};
    char *text;
    size_t len;
    BIO *bio;
    LQ_TRY(open_pem(s, &text, &len, &bio, err));
    EVP_PKEY *const pkey = PEM_read_bio_PrivateKey(bio, NULL, answer, &q);
    ERR_clear_error();
    BIO_free(bio);
    OPENSSL_cleanse(text, len);
    free(text);
    k->is_private = true;
    if (pkey)
        return key_adopt(k, pkey, s->name, err);
    if (q.status != LQ_OK)
        return q.status;
    return lq_fail_at(err, LQ_E_FORMAT, s->name, -1, "%s",
                      !q.asked ? "no private key in PEM form"
                      : !ask   ? "the key is encrypted, and there is no passphrase for it"
                               : "the key cannot be decrypted with this passphrase");
}

lq_status key_read_public(struct sign_key *k, struct source *s, lq_error *err)
{
    char *text;
    size_t len;
    BIO *bio;
    LQ_TRY(open_pem(s, &text, &len, &bio, err));
    EVP_PKEY *const pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    ERR_clear_error();
    BIO_free(bio);
    free(text);
    if (!pkey)
        return lq_fail_at(err, LQ_E_FORMAT, s->name, -1, "no public key in PEM form");
    return key_adopt(k, pkey, s->name, err);
}

/* ---- signatures ---- */

lq_status key_sign(const struct sign_key *k, const void *data, size_t n, struct text *signature,
                   lq_error *err)
{
    uint8_t der[256]; /* P-521 needs 139 */
    size_t len = sizeof der;
    EVP_MD_CTX *const ctx = EVP_MD_CTX_new();
    const bool ok = ctx && EVP_DigestSignInit(ctx, NULL, k->digest, NULL, k->pkey) == 1 &&
                    EVP_DigestSign(ctx, der, &len, data, n) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    if (!ok)
        return lq_fail(err, LQ_E_UNSUPPORTED, "OpenSSL cannot sign with this key");
    text_put(signature, der, len);
    return signature->failed ? lq_fail_memory(err) : LQ_OK;
}

lq_status key_verify(const struct sign_key *k, const EVP_MD *digest, const void *data, size_t n,
                     const void *signature, size_t signature_len, lq_error *err)
{
    EVP_MD_CTX *const ctx = EVP_MD_CTX_new();
    if (!ctx || EVP_DigestVerifyInit(ctx, NULL, digest ? digest : k->digest, NULL, k->pkey) != 1) {
        EVP_MD_CTX_free(ctx);
        return lq_fail_memory(err);
    }
    const int ok = EVP_DigestVerify(ctx, signature, signature_len, data, n);
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return ok == 1 ? LQ_OK : lq_fail(err, LQ_E_VERIFY, "the signature is not one of this key");
}
