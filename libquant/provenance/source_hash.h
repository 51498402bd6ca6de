/* source_hash.h -- digests of a source while it is being converted: its files in their own order,
 * through the page cache, beside the work. */
#ifndef LQ_PROVENANCE_SOURCE_HASH_H
#define LQ_PROVENANCE_SOURCE_HASH_H

#include "libquant/trust/digest.h"

struct source_hash;

/* Starts to hash all files of the catalog, which must stay as it is until the end, on at most
 * `threads` threads (0: one for each processor). */
lq_status source_hash_start(struct source_hash **out, const struct catalog *c, unsigned threads,
                            lq_error *err);
/* Waits; fills sha256[c->n_files] and the content digest. Releases in any case. */
lq_status source_hash_finish(struct source_hash *h, uint8_t (*sha256)[32], uint8_t content[32],
                             lq_error *err);
/* Stops and releases. NULL is allowed. */
void source_hash_cancel(struct source_hash *h);

#endif
