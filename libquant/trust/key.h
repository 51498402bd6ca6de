/* key.h -- elliptic curve keys that sign and verify: P-256 with SHA-256, P-384 with SHA-384, P-521
 * with SHA-512, ECDSA in DER. OpenSSL's EVP does all of it. */
#ifndef LQ_TRUST_KEY_H
#define LQ_TRUST_KEY_H

#include "libquant/base/source.h"
#include "libquant/base/text.h"

#include <openssl/evp.h>

struct sign_key {
    EVP_PKEY *pkey;
    const EVP_MD *digest; /* the one that belongs to the curve */
    const char *curve;    /* "P-256" */
    bool is_private;
    char fingerprint[65]; /* SHA-256 of the public key's PEM text, in hexadecimal digits: what OpenSSF
                             Model Signing calls the hint */
};

/* Puts the passphrase of an encrypted key into dst[0..size) and its length into *len. */
typedef lq_status key_passphrase(void *ctx, char *dst, size_t size, size_t *len, lq_error *err);

/* Read a PEM file of at most 1 MiB. LQ_E_FORMAT: no such key in it, or the passphrase is wrong (or
 * `ask` is NULL and one is needed). LQ_E_UNSUPPORTED: another kind of key, another curve, parameters
 * that are spelt out. Fills a zeroed struct, which key_release releases. */
lq_status key_read_private(struct sign_key *k, struct source *s, key_passphrase *ask, void *ctx,
                           lq_error *err);
lq_status key_read_public(struct sign_key *k, struct source *s, lq_error *err);
/* Takes over a reference to `pkey`, also when it fails. `name` is for messages. */
lq_status key_adopt(struct sign_key *k, EVP_PKEY *pkey, const char *name, lq_error *err);
void key_release(struct sign_key *k);

/* Appends the signature (DER) of data to `signature`. */
lq_status key_sign(const struct sign_key *k, const void *data, size_t n, struct text *signature,
                   lq_error *err);
/* LQ_E_VERIFY where the signature is not that of the data by this key. `digest` NULL: the curve's. */
lq_status key_verify(const struct sign_key *k, const EVP_MD *digest, const void *data, size_t n,
                     const void *signature, size_t signature_len, lq_error *err);

#endif
