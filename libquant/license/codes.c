/* codes.c -- one byte for each word of a text. */
#include "libquant/license/codes.h"

#include "libquant/base/memory.h"
#include "libquant/license/word_lists.h"

/* Words that turn what a sentence allows, or by how much. Their order is the index's: after a
 * change it is to be made again. */
static const char *const telling[] = {
    /* Those that forbid or narrow, also in a sentence before the licence. */
    "not",
    "no",
    "nor",
    "neither",
    "never",
    "none",
    "cannot",
    "nothing",
    "nobody",
    "only",
    "solely",
    "exclusively",
    "prohibited",
    "forbidden",
    "noncommercial",
    "noncommercially",
    "commercial",
    "commercially",
    "research",
    "military",
    /* Those that do so within it. */
    "without",
    "unless",
    "except",
    "excluding",
    "may",
    "must",
    "shall",
    "should",
    "can",
    "permitted",
    "allowed",
    "required",
    "hundred",
    "thousand",
    "million",
    "billion",
    "percent",
    "irrevocable",
    "revocable",
    "perpetual",
    "royaltyfree",
    "royaltybearing",
    "exclusive",
    "nonexclusive",
    "transferable",
    "nontransferable",
    "sublicensable",
    "nonsublicensable",
    "days",
    "months",
    "monthly",
    "years",
    "annual",
    "annually",
};
enum { FORBIDDING = 20 };
enum { TELLING = sizeof telling / sizeof telling[0] };
_Static_assert(CODE_NUMBERS + (int)TELLING <= CODE_PLAIN, "codes of words overlap");
_Static_assert((int)TELLING <= WORD_LISTS_MAX, "more words than lists take");

static uint8_t code_of(const struct word_lists *lists, const char *word, size_t len)
{
    unsigned value = 0, digits = 0;
    while (digits < len && word[digits] >= '0' && word[digits] <= '9')
        value = (value * 10 + (unsigned)(word[digits++] - '0')) % CODE_NUMBERS;
    if (len && digits == len)
        return (uint8_t)value;
    for (size_t i = lists->first[(uint8_t)*word]; i; i = lists->next[i - 1])
        if (word_is(telling[i - 1], word, len))
            return (uint8_t)(CODE_NUMBERS + i - 1);
    uint32_t h = UINT32_C(0x811c9dc5); /* FNV-1a */
    for (size_t i = 0; i < len; i++)
        h = (h ^ (uint8_t)word[i]) * UINT32_C(0x01000193);
    h ^= h >> 16;
    return (uint8_t)(CODE_PLAIN + h % (256 - CODE_PLAIN));
}

uint8_t *codes_of(const struct words *w)
{
    struct word_lists lists = {0};
    for (size_t i = 0; i < TELLING; i++)
        word_lists_add(&lists, i, telling[i]);
    uint8_t *const codes = mem_calloc(w->n + 1, 1);
    for (size_t i = 0; codes && i < w->n; i++)
        codes[i] = code_of(&lists, w->stream.data + w->at[i], words_length(w, i));
    return codes;
}

const char *code_word(uint8_t code)
{
    const int i = code - CODE_NUMBERS;
    return i >= 0 && i < (int)TELLING ? telling[i] : NULL;
}

bool code_forbids(uint8_t code)
{
    return code >= CODE_NUMBERS && code < CODE_NUMBERS + FORBIDDING;
}
