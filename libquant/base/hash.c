/* hash.c -- SHA-256 by OpenSSL. */
#include "libquant/base/hash.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>

enum { PIECE_BYTES = 128 * 1024 };

struct sha256 {
    EVP_MD_CTX *ctx;
};

struct sha256 *sha256_new(void)
{
    struct sha256 *const h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->ctx = EVP_MD_CTX_new();
    if (!h->ctx || EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) != 1) {
        sha256_free(h);
        return NULL;
    }
    return h;
}

void sha256_update(struct sha256 *h, const void *data, size_t n)
{
    const int ok = EVP_DigestUpdate(h->ctx, data, n);
    assert(ok == 1);
    (void)ok;
}

void sha256_final(struct sha256 *h, uint8_t digest[32])
{
    unsigned len = 32;
    const int ok = EVP_DigestFinal_ex(h->ctx, digest, &len);
    assert(ok == 1 && len == 32);
    (void)ok;
    sha256_free(h);
}

void sha256_free(struct sha256 *h)
{
    if (!h)
        return;
    EVP_MD_CTX_free(h->ctx);
    free(h);
}

lq_status sha256_of(const void *data, size_t n, uint8_t digest[32], lq_error *err)
{
    struct sha256 *const h = sha256_new();
    if (!h)
        return lq_fail_memory(err);
    sha256_update(h, data, n);
    sha256_final(h, digest);
    return LQ_OK;
}

lq_status sha256_of_source(struct source *s, uint8_t digest[32], lq_error *err)
{
    struct sha256 *const h = sha256_new();
    void *const piece = malloc(PIECE_BYTES);
    lq_status status = h && piece ? LQ_OK : lq_fail_memory(err);
    for (uint64_t at = 0; at < s->size && status == LQ_OK;) {
        const uint64_t left = s->size - at;
        const size_t n = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
        status = source_read(s, piece, n, at, err);
        if (status == LQ_OK)
            sha256_update(h, piece, n);
        at += n;
    }
    free(piece);
    if (status == LQ_OK)
        sha256_final(h, digest);
    else
        sha256_free(h);
    return status;
}

void hex_of(char *dst, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        dst[2 * i] = digits[bytes[i] >> 4];
        dst[2 * i + 1] = digits[bytes[i] & 15];
    }
    dst[2 * n] = '\0';
}
