/* charset.h -- sets of characters, for patterns. */
#ifndef LQ_MODEL_CHARSET_H
#define LQ_MODEL_CHARSET_H

#include "libquant/base/memory.h"
#include "libquant/model/unicode.h"

/* Ranges, in order and apart from each other once charset_settle was called. Zero-initialise; a set
 * that ran out of memory has `failed` set. */
struct charset {
    struct unicode_range *range;
    size_t n, cap;
    uint64_t ascii[2]; /* the same for characters below 128, bit by bit */
    bool failed;
};

void charset_add(struct charset *c, uint32_t first, uint32_t last);
void charset_add_ranges(struct charset *c, const struct unicode_range *r, size_t n);
void charset_add_set(struct charset *c, const struct charset *other);
/* Every character of a set of general categories. */
void charset_add_categories(struct charset *c, uint32_t categories);
/* \s. */
void charset_add_spaces(struct charset *c);
/* \w as Oniguruma has it: of the numbers that are no digits, it counts those of Latin-1. */
void charset_add_words(struct charset *c);
/* What upper and lower case have in common with a character in the set, each way. */
void charset_fold(struct charset *c);
void charset_settle(struct charset *c);
void charset_invert(struct charset *c);
/* Keeps what is in both. */
void charset_intersect(struct charset *c, const struct charset *other);
void charset_free(struct charset *c);

/* For what is not ASCII. */
bool charset_has_wide(const struct charset *c, uint32_t cp);

static inline bool charset_has(const struct charset *c, uint32_t cp)
{
    return cp < 0x80 ? c->ascii[cp >> 6] >> (cp & 63) & 1 : charset_has_wide(c, cp);
}

/* Adds what \p{NAME} stands for, a general category ("L", "Lu", "Letter") or one of the properties
 * that are known. False where the name is none of them. */
bool charset_add_property(struct charset *c, const char *name, size_t len);

#endif
