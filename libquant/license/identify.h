/* identify.h -- which licence a text is: by the digest of its words, else by the word pairs that it
 * shares with each text of the index, and by phrases that tell near relatives apart. */
#ifndef LQ_LICENSE_IDENTIFY_H
#define LQ_LICENSE_IDENTIFY_H

#include "libquant/license/words.h"

enum { IDENTIFY_MAX = 8 };

enum text_match {
    TEXT_EXACT,     /* the same words */
    TEXT_MATCH,     /* at least 97 % of the word pairs */
    TEXT_MODIFIED,  /* at least 90 %, or something is in it that the licence does not have */
    TEXT_PART,      /* stands whole in a longer text */
    TEXT_NOTICE,    /* the notice that files under this licence carry, not the licence */
    TEXT_EXCEPTION, /* an exception to a licence */
    TEXT_SIMILAR    /* at least 50 %: like this licence, and not it: unknown terms */
};

struct text_finding {
    const char
        *ids; /* from the index: one identifier, or those that share this text, with blanks */
    enum text_match how;
    double score;          /* of the word pairs, 0 to 1 */
    bool without_appendix; /* "how to apply these terms" is not there */
};

struct identification {
    struct text_finding found[IDENTIFY_MAX]; /* none: no licence text */
    size_t n;
    struct text differs; /* passages that one has and the other has not, where they are known */
};

/* Fills a zeroed struct. The strings of `found` live as long as the program, `differs` until
 * identification_release. LQ_E_MEMORY only. */
lq_status license_identify(struct identification *out, const char *text, size_t len, lq_error *err);
void identification_release(struct identification *id);

/* "exact", "match", ... */
const char *text_match_name(enum text_match how);

/* The index, for its tests: number of texts, names of text i. */
size_t license_index_count(void);
const char *license_index_ids(size_t i);

#endif
