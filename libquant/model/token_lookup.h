/* token_lookup.h -- tokens by their text. */
#ifndef LQ_MODEL_TOKEN_LOOKUP_H
#define LQ_MODEL_TOKEN_LOOKUP_H

#include "libquant/catalog/catalog.h"

/* Open addressing, a power of two of slots, id + 1 in each or 0. The tokens stay the caller's. */
struct token_lookup {
    const struct bytes *tokens; /* by id */
    uint32_t *slot;
    uint32_t mask;
};

/* An empty table for at most n tokens. */
lq_status token_lookup_open(struct token_lookup *l, const struct bytes *tokens, uint32_t n,
                            lq_error *err);
void token_lookup_close(struct token_lookup *l);

/* The slot of the token, or the empty one where it would be; to be filled with its id + 1. NULL where
 * too many tokens have hashes that are alike, which only happens in files made for it. */
uint32_t *token_slot(const struct token_lookup *l, const char *s, size_t len);
/* The id, or -1. */
int64_t token_find(const struct token_lookup *l, const char *s, size_t len);

#endif
