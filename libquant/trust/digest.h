/* digest.h -- one digest for all tensors of a model, however they are spread over files.
 *
 *   leaf    SHA-256(00 | 1 MiB of a tensor's bytes)         any thread, any order
 *   root    Merkle tree (RFC 6962) over a tensor's leaves   node = SHA-256(01 | left | right)
 *   tensor  SHA-256(02 | name, type, shape, bytes, root)
 *   digest  SHA-256(03 | label, count, Merkle tree over the tensors in byte order of their names)
 *
 * docs/digest.md defines it to the byte.
 */
#ifndef LQ_TRUST_DIGEST_H
#define LQ_TRUST_DIGEST_H

#include "libquant/base/progress.h"
#include "libquant/catalog/catalog.h"

enum { DIGEST_LEAF = 1 << 20 };

#define DIGEST_CONTENT "lq-content-v1"
#define DIGEST_DERIVED "lq-derived-v1"

struct sha256;

/* A tensor's part. */
struct digest_entry {
    const char *name;
    uint8_t sha256[32];
};

/* Leaves of a tensor of so many bytes: one for no bytes. */
uint64_t digest_leaf_count(uint64_t bytes);
/* n is DIGEST_LEAF, less for the last leaf. */
lq_status digest_leaf(const void *data, size_t n, uint8_t leaf[32], lq_error *err);
/* The same piece by piece: update and finish what it returns (NULL: no memory). */
struct sha256 *digest_leaf_begin(void);

/* Puts a tensor's leaves together (they are used up). `type` is the name of the type that the bytes
 * are in; name and shape are t's. */
lq_status digest_tensor(struct digest_entry *e, const struct tensor *t, const char *type,
                        uint64_t bytes, uint8_t (*leaves)[32], lq_error *err);

/* The digest of all; sorts the entries. LQ_E_FORMAT where two have one name. */
lq_status digest_model(const char *label, struct digest_entry *entries, size_t n,
                       uint8_t digest[32], lq_error *err);

/* The content digest: over the tensors as they are stored, numbers in little-endian order. */
lq_status digest_content(const struct catalog *c, unsigned threads,
                         const struct progress *progress, uint8_t digest[32], lq_error *err);

#endif
