/* content_stream.h -- the content digest of tensors whose bytes stream by. */
#ifndef LQ_TRUST_CONTENT_STREAM_H
#define LQ_TRUST_CONTENT_STREAM_H

#include "libquant/trust/digest.h"

/* One stream; several (one for each file) may fill the entries of one model. */
struct content_stream {
    const struct catalog *c;
    struct digest_entry *entries; /* [c->n_tensors], zeroed at first; the caller's */
    /* state */
    size_t tensor;
    uint64_t done;                /* bytes of that tensor */
    uint8_t (*leaves)[32];        /* NULL: no tensor has begun */
    struct sha256 *leaf;          /* NULL: at the beginning of one */
};

/* The next n bytes of tensor number `tensor`. Each tensor's bytes come in order and without gap, one
 * tensor after the other. Where `also` is not NULL it is fed the same bytes. */
lq_status content_stream_put(struct content_stream *s, size_t tensor, const void *data, size_t n,
                             struct sha256 *also, lq_error *err);
void content_stream_release(struct content_stream *s);

/* The digest, when all tensors went through; tensors without bytes need not. Sorts the entries. */
lq_status content_stream_digest(const struct catalog *c, struct digest_entry *entries,
                                uint8_t digest[32], lq_error *err);

#endif
