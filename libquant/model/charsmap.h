/* charsmap.h -- SentencePiece's compiled rules of normalization: a double array of the texts to be
 * replaced (Darts-clone), then the replacements, each with a NUL behind it. */
#ifndef LQ_MODEL_CHARSMAP_H
#define LQ_MODEL_CHARSMAP_H

#include "libquant/catalog/catalog.h"

struct charsmap {
    const char *units; /* of 4 bytes, little-endian, at any address */
    uint32_t n_units;
    const char *texts;
    size_t n_texts;
};

/* The bytes stay the caller's. LQ_E_FORMAT where they are no such rules. */
lq_status charsmap_open(struct charsmap *m, const char *data, size_t len, lq_error *err);

/* The longest (or else shortest) text with a rule that s begins with: its length, 0 where there is none,
 * and what takes its place. */
size_t charsmap_find(const struct charsmap *m, const char *s, size_t len, bool longest,
                     struct bytes *replacement);

#endif
