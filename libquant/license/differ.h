/* differ.h -- where a text departs from the licences that it resembles, word by word, and whether
 * that changes the terms. */
#ifndef LQ_LICENSE_DIFFER_H
#define LQ_LICENSE_DIFFER_H

#include "libquant/license/index.h"

struct comparison {
    const struct words *words;  /* of the text */
    const uint32_t *pair;       /* that begins at each word but the last */
    uint8_t *codes;             /* of the words */
    bool *covered;              /* words that a licence explains */
    struct text serious, minor; /* what differs, as people read it */
    size_t shown, left_out;
};

/* Fills a zeroed struct for a text, which must outlive it; comparison_release also after a failure
 * (LQ_E_MEMORY). */
lq_status comparison_begin(struct comparison *c, const struct words *w, const uint32_t *pair,
                           lq_error *err);
/* Compares the text with a licence: as a whole, or, where it is not alone in it, the part in which
 * it stands. *modified: words differ that may change the terms. LQ_E_MEMORY only. */
lq_status comparison_with(struct comparison *c, const struct index_text *t, bool alone,
                          bool *modified, lq_error *err);
/* Passages that none of the licences explains: adds them, and returns how many there are. */
size_t comparison_rest(struct comparison *c);
/* Appends what differs, the serious first. */
void comparison_put(const struct comparison *c, struct text *out);
void comparison_release(struct comparison *c);

/* Number of words before what stands behind the end of the terms, which is no part of them, but for
 * attachments that bind. */
size_t license_terms_length(const struct words *w);

#endif
