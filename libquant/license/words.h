/* words.h -- a licence text as the words that count: what the SPDX matching guidelines call equal
 * (case, white space, quotes, dashes, comment signs, list markers, copyright notices, spellings)
 * gives the same words. */
#ifndef LQ_LICENSE_WORDS_H
#define LQ_LICENSE_WORDS_H

#include "libquant/base/status.h"
#include "libquant/base/text.h"

struct words {
    struct text stream; /* every word followed by one blank; begins with a blank */
    uint32_t *at;       /* n offsets of the words in it */
    size_t n, cap;
    uint32_t
        *notices; /* n_notices numbers of words, rising: before these a copyright notice stood */
    size_t n_notices, cap_notices;
};

/* Fills a zeroed struct; words_release also after a failure (LQ_E_MEMORY). Any bytes will do. */
lq_status words_read(struct words *w, const char *text, size_t len, lq_error *err);
/* The same of a stream that was made of words. */
lq_status words_take(struct words *w, const char *stream, size_t len, lq_error *err);
void words_release(struct words *w);

/* Length of word i, without the blank behind it. */
static inline size_t words_length(const struct words *w, size_t i)
{
    return (i + 1 < w->n ? w->at[i + 1] : w->stream.len) - w->at[i] - 1;
}

/* True where the words hold the phrase (words with single blanks between them). */
bool words_have(const struct words *w, const char *phrase);
/* Number of words before the one that follows the phrase; w->n where it does not occur. */
size_t words_after(const struct words *w, const char *phrase);

/* True where a copyright notice was left out within `near` words of word i. */
bool words_notice_near(const struct words *w, size_t i, size_t near);

/* The hash of the word pair that begins at word i (i + 1 < n): 24 bits. */
uint32_t words_pair(const struct words *w, size_t i);
/* SHA-256 of the first n words, cut to 16 bytes. */
lq_status words_digest(const struct words *w, size_t n, uint8_t digest[16], lq_error *err);

#endif
