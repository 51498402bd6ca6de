/* index.h -- the committed index of licence texts (index.bin), made by scripts/make-license-index.
 *
 *   header   "LQLI", u32 number of texts, u32 number of pairs, u32 bytes of names
 *   texts    struct index_text each
 *   pairs    3 bytes each: for every text its distinct word pairs, sorted
 *   names    NUL-terminated; identifiers that share a text, with blanks between
 *
 * Little-endian. Of texts with INDEX_SMALL pairs or more only those with index_sampled are kept. */
#ifndef LQ_LICENSE_INDEX_H
#define LQ_LICENSE_INDEX_H

#include "libquant/license/words.h"

enum { INDEX_SMALL = 256 };

enum index_flags {
    INDEX_SAMPLED = 1 << 0,
    INDEX_WITHOUT_APPENDIX = 1 << 1, /* a text cut behind "END OF TERMS AND CONDITIONS" */
    INDEX_NOTICE = 1 << 2            /* the notice for files, not the licence */
};

struct index_header {
    char magic[4];
    uint32_t texts, pairs, names;
};

struct index_text {
    uint8_t digest[16];
    uint32_t first, count; /* in pairs */
    uint32_t name;         /* offset in names */
    uint32_t flags;
};

static inline bool index_sampled(uint32_t pair)
{
    return (pair & 3) == 0;
}

/* Reads the words of the first licence of the group `ids` of which they are kept (texts.bin); none
 * where there is none. LQ_E_MEMORY only. */
lq_status license_kept_words(struct words *w, const char *ids, lq_error *err);

#endif
