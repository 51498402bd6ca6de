/* hash.h -- SHA-256 (FIPS 180-4): by the processor's instructions for it where x86 has them, else by
 * OpenSSL's EVP. */
#ifndef LQ_BASE_HASH_H
#define LQ_BASE_HASH_H

#include "libquant/base/source.h"

struct sha256;

/* How much of a file to read at a time: it stays in the second-level cache until it is hashed, also of two
 * files at a time, so that the copy out of the page cache costs a read of memory, not two. */
enum { HASH_PIECE = 128 * 1024 };

/* NULL when out of memory. */
struct sha256 *sha256_new(void);
void sha256_update(struct sha256 *h, const void *data, size_t n);
/* Feeds two hashes, which is faster than one after the other on some machines: 1.8 times with x86's
 * instructions. The data may be the same. */
void sha256_update_both(struct sha256 *a, const void *data_a, size_t n_a, struct sha256 *b,
                        const void *data_b, size_t n_b);
/* Writes the digest and releases h. */
void sha256_final(struct sha256 *h, uint8_t digest[32]);
void sha256_free(struct sha256 *h);

/* Digest of one piece of memory. */
lq_status sha256_of(const void *data, size_t n, uint8_t digest[32], lq_error *err);
/* Digest of a whole source, read once. */
lq_status sha256_of_source(struct source *s, uint8_t digest[32], lq_error *err);
/* 64 lower-case hex digits and a NUL. */
void hex_of(char *dst, const uint8_t *bytes, size_t n);

#endif
