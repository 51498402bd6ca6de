/* index.h -- the committed index of licence texts, made by scripts/make-license-index.
 *
 * index.bin, little-endian:
 *   header   "LQLI", u32 number of texts, u32 number of pairs, u32 bytes of names
 *   texts    struct index_text each
 *   pairs    3 bytes each: for every text its distinct word pairs, sorted
 *   names    NUL-terminated; identifiers that share a text, with blanks between
 * Of texts with INDEX_SMALL pairs or more only those with index_sampled are kept.
 *
 * texts.bin: u32 number of blocks, and for each u32 bytes and u32 bytes as zlib compresses them;
 * then the blocks. They hold the codes (codes.h) of the texts, or the words of one of the licences
 * that are changed most often. */
#ifndef LQ_LICENSE_INDEX_H
#define LQ_LICENSE_INDEX_H

#include "libquant/license/words.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { INDEX_SMALL = 256 };

enum index_flags {
    INDEX_SAMPLED = 1 << 0,
    INDEX_WITHOUT_APPENDIX = 1 << 1, /* a text cut behind "END OF TERMS AND CONDITIONS" */
    INDEX_NOTICE = 1 << 2,           /* the notice for files, not the licence */
    INDEX_EXCEPTION = 1 << 3         /* an exception to licences, not a licence */
};

struct index_header {
    char magic[4];
    uint32_t texts, pairs, names;
};

struct index_text {
    uint8_t digest[16];
    uint32_t first, count; /* in pairs */
    uint32_t name;         /* offset in names */
    uint16_t flags;
    uint16_t kept;                /* the block of texts.bin with its words; 0: they are not kept */
    uint32_t block, begin, words; /* its codes in texts.bin */
};

static inline bool index_sampled(uint32_t pair)
{
    return (pair & 3) == 0;
}

/* True where the blank-separated list `ids` has this identifier. */
static inline bool index_group_has(const char *ids, const char *id)
{
    const size_t len = strlen(id);
    for (const char *s = ids; (s = strstr(s, id)) != NULL; s++)
        if ((s == ids || s[-1] == ' ') && (s[len] == ' ' || !s[len]))
            return true;
    return false;
}

size_t index_count(void);
const struct index_text *index_text_at(size_t i);
const struct index_text *index_by_digest(const uint8_t digest[16]);
const char *index_ids(const struct index_text *t);
/* Pair i of a text. */
uint32_t index_pair(const struct index_text *t, size_t i);
bool index_has_pair(const struct index_text *t, uint32_t pair);
/* The same text with its appendix, and without: t itself where there is no such form. */
const struct index_text *index_with_appendix(const struct index_text *t);
const struct index_text *index_without_appendix(const struct index_text *t);

/* The codes of a text, t->words of them, to be freed; NULL: out of memory. */
uint8_t *index_codes(const struct index_text *t);
/* Reads the words of the licence where they are kept: of the form that `kept` names, which may be
 * another than this. LQ_E_MEMORY only. */
lq_status index_kept_words(struct words *w, const struct index_text *t, lq_error *err);

#endif
