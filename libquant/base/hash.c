/* hash.c -- SHA-256. */
#include "libquant/base/hash.h"

#include "libquant/base/sha256_x86.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct sha256 {
    EVP_MD_CTX *ctx;    /* NULL: the rest is used instead */
    uint32_t state[8];
    uint64_t bytes;     /* so far */
    uint8_t block[64];  /* of which bytes % 64 are there */
};

/* ---- by the processor's own instructions ---- */

#if defined(__x86_64__)

/* Asking the processor takes long in a virtual machine: once is enough. */
static bool have_instructions(void)
{
    static _Atomic int known; /* 0: not asked yet, 1: no, 2: yes */
    if (!known)
        known = sha256_x86_here() ? 2 : 1;
    return known == 2;
}

/* Fills the block that was begun. Returns how many bytes that took. */
static size_t fill_block(struct sha256 *h, const uint8_t *p, size_t n)
{
    const size_t begun = (size_t)(h->bytes % 64);
    const size_t some = !begun ? 0 : n < 64 - begun ? n : 64 - begun;
    if (some)
        memcpy(h->block + begun, p, some);
    h->bytes += some;
    if (some && begun + some == 64)
        sha256_x86_blocks(h->state, h->block, 1);
    return some;
}

static void take_in(struct sha256 *h, const uint8_t *p, size_t n)
{
    const size_t some = fill_block(h, p, n);
    const size_t whole = (n - some) / 64 * 64, rest = n - some - whole;
    sha256_x86_blocks(h->state, p + some, whole / 64);
    if (rest)
        memcpy(h->block, p + some + whole, rest);
    h->bytes += whole + rest;
}

static void take_in_both(struct sha256 *a, const uint8_t *pa, size_t na, struct sha256 *b,
                         const uint8_t *pb, size_t nb)
{
    const size_t some_a = fill_block(a, pa, na), some_b = fill_block(b, pb, nb);
    const size_t blocks_a = (na - some_a) / 64, blocks_b = (nb - some_b) / 64;
    const size_t blocks = blocks_a < blocks_b ? blocks_a : blocks_b;
    sha256_x86_blocks2(a->state, pa + some_a, b->state, pb + some_b, blocks);
    a->bytes += 64 * blocks;
    b->bytes += 64 * blocks;
    take_in(a, pa + some_a + 64 * blocks, na - some_a - 64 * blocks);
    take_in(b, pb + some_b + 64 * blocks, nb - some_b - 64 * blocks);
}

#else

static bool have_instructions(void)
{
    return false;
}

static void take_in(struct sha256 *h, const uint8_t *p, size_t n)
{
    (void)h, (void)p, (void)n;
}

static void take_in_both(struct sha256 *a, const uint8_t *pa, size_t na, struct sha256 *b,
                         const uint8_t *pb, size_t nb)
{
    (void)a, (void)pa, (void)na, (void)b, (void)pb, (void)nb;
}

#endif

/* The padding of 5.1.1, and the state in big-endian order. */
static void finish(struct sha256 *h, uint8_t digest[32])
{
    uint8_t end[72] = {0x80};
    const uint64_t bits = h->bytes * 8;
    const size_t begun = (size_t)(h->bytes % 64);
    const size_t n = begun < 56 ? 56 - begun : 120 - begun;
    for (size_t i = 0; i < 8; i++)
        end[n + i] = (uint8_t)(bits >> (56 - 8 * i));
    take_in(h, end, n + 8);
    for (size_t i = 0; i < 32; i++)
        digest[i] = (uint8_t)(h->state[i / 4] >> (24 - 8 * (i % 4)));
}

/* ---- the interface ---- */

struct sha256 *sha256_new(void)
{
    static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    struct sha256 *const h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    memcpy(h->state, initial, sizeof initial);
    if (have_instructions())
        return h;
    h->ctx = EVP_MD_CTX_new();
    if (!h->ctx || EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) != 1) {
        sha256_free(h);
        return NULL;
    }
    return h;
}

void sha256_update(struct sha256 *h, const void *data, size_t n)
{
    if (!n)
        return;
    if (!h->ctx) {
        take_in(h, data, n);
        return;
    }
    const int ok = EVP_DigestUpdate(h->ctx, data, n);
    assert(ok == 1);
    (void)ok;
}

void sha256_update_both(struct sha256 *a, const void *data_a, size_t n_a, struct sha256 *b,
                        const void *data_b, size_t n_b)
{
    if (!a->ctx && !b->ctx && n_a && n_b) {
        take_in_both(a, data_a, n_a, b, data_b, n_b);
        return;
    }
    sha256_update(a, data_a, n_a);
    sha256_update(b, data_b, n_b);
}

void sha256_final(struct sha256 *h, uint8_t digest[32])
{
    unsigned len = 32;
    if (h->ctx) {
        const int ok = EVP_DigestFinal_ex(h->ctx, digest, &len);
        assert(ok == 1 && len == 32);
        (void)ok;
    } else {
        finish(h, digest);
    }
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
    void *const piece = malloc(HASH_PIECE);
    lq_status status = h && piece ? LQ_OK : lq_fail_memory(err);
    for (uint64_t at = 0; at < s->size && status == LQ_OK;) {
        const uint64_t left = s->size - at;
        const size_t n = left < HASH_PIECE ? (size_t)left : HASH_PIECE;
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
