/* unicode.h -- what tokenizers need to know of characters: classes, lower case, normal forms.
 *
 * All of it is of one version of Unicode, UNICODE_VERSION, whatever the machine's libraries have: the
 * tokens of a text, and with them every figure of an evaluation, must not depend on those. The tables,
 * unicode_data.c, are made by scripts/make-unicode-tables.
 */
#ifndef LQ_MODEL_UNICODE_H
#define LQ_MODEL_UNICODE_H

#include "libquant/base/text.h"

#define UNICODE_VERSION "16.0.0"

enum { UNICODE_END = 0x110000 };

/* General categories, in the order of the tables. */
enum unicode_category {
    UC_LU, UC_LL, UC_LT, UC_LM, UC_LO, UC_MN, UC_MC, UC_ME, UC_ND, UC_NL, UC_NO, UC_PC, UC_PD, UC_PS,
    UC_PE, UC_PI, UC_PF, UC_PO, UC_SM, UC_SC, UC_SK, UC_SO, UC_ZS, UC_ZL, UC_ZP, UC_CC, UC_CF, UC_CS,
    UC_CO, UC_CN,
    UC_COUNT
};

/* Sets of categories, bit by bit. */
#define UC_BIT(c) (1u << (c))
#define UC_LETTERS                                                                                 \
    (UC_BIT(UC_LU) | UC_BIT(UC_LL) | UC_BIT(UC_LT) | UC_BIT(UC_LM) | UC_BIT(UC_LO))
#define UC_MARKS   (UC_BIT(UC_MN) | UC_BIT(UC_MC) | UC_BIT(UC_ME))
#define UC_NUMBERS (UC_BIT(UC_ND) | UC_BIT(UC_NL) | UC_BIT(UC_NO))
#define UC_PUNCTUATION                                                                             \
    (UC_BIT(UC_PC) | UC_BIT(UC_PD) | UC_BIT(UC_PS) | UC_BIT(UC_PE) | UC_BIT(UC_PI) |               \
     UC_BIT(UC_PF) | UC_BIT(UC_PO))
#define UC_SYMBOLS    (UC_BIT(UC_SM) | UC_BIT(UC_SC) | UC_BIT(UC_SK) | UC_BIT(UC_SO))
#define UC_SEPARATORS (UC_BIT(UC_ZS) | UC_BIT(UC_ZL) | UC_BIT(UC_ZP))
#define UC_OTHERS                                                                                  \
    (UC_BIT(UC_CC) | UC_BIT(UC_CF) | UC_BIT(UC_CS) | UC_BIT(UC_CO) | UC_BIT(UC_CN))

/* UC_CN for what is no code point. */
enum unicode_category unicode_category_of(uint32_t cp);
/* Whether the category is one of a set. */
bool unicode_is(uint32_t cp, uint32_t set);
/* White_Space. */
bool unicode_is_space(uint32_t cp);
/* Punctuation, and every ASCII character that is neither letter, digit, blank nor control. */
bool unicode_is_punctuation(uint32_t cp);
/* A character of words: Alphabetic, marks, decimal digits, connectors, joiners (UTS 18, annex C). */
bool unicode_is_word(uint32_t cp);

/* Simple lower case; U+0130 is itself here, and two characters in unicode_put_lower. */
uint32_t unicode_lower(uint32_t cp);
void unicode_put_lower(struct text *out, uint32_t cp);

enum unicode_form { UNICODE_NFC, UNICODE_NFD, UNICODE_NFKC, UNICODE_NFKD };

/* Appends a normal form of well-formed UTF-8, in time and memory linear in its length. */
void unicode_put_normal(struct text *out, const char *s, size_t len, enum unicode_form form);

/* Length of the extended grapheme cluster that s[0..len) begins with, by the rules of UAX 29 for
 * controls, extending characters and prepended marks (those that can join within 5 bytes, which is
 * all that compiled SentencePiece rules ask for). len > 0. */
size_t unicode_grapheme(const char *s, size_t len);

/* ---- tables ---- */

struct unicode_range {
    uint32_t first, last;
};
/* From first to last in steps of 1 or 2: lower case is cp + delta. */
struct unicode_case_run {
    uint32_t first, last;
    int32_t step, delta;
};
struct unicode_decomposition {
    uint32_t cp;
    uint16_t at, len, compatible; /* place in unicode_decomposed */
};
struct unicode_pair {
    uint32_t first, second, composed;
};

/* Runs: first code point << 8 | value, up to the next one. */
extern const uint32_t unicode_category_runs[], unicode_combining_runs[], unicode_decomposed[];
extern const size_t unicode_n_category_runs, unicode_n_combining_runs;
extern const struct unicode_range unicode_alphabetic[], unicode_han[], unicode_grapheme_extend[],
    unicode_grapheme_prepend[], unicode_grapheme_control[];
extern const size_t unicode_n_alphabetic, unicode_n_han, unicode_n_grapheme_extend,
    unicode_n_grapheme_prepend, unicode_n_grapheme_control;
extern const struct unicode_case_run unicode_lower_runs[];
extern const size_t unicode_n_lower_runs;
extern const struct unicode_decomposition unicode_decompositions[];
extern const size_t unicode_n_decompositions;
extern const struct unicode_pair unicode_pairs[];
extern const size_t unicode_n_pairs;

#endif
