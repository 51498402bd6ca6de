/* codes.h -- one byte for each word of a text: what the index keeps of a licence's words in their
 * order, so that a text can be laid beside it word by word. The words that decide what may be done
 * have a code each; numbers and the other words share theirs. */
#ifndef LQ_LICENSE_CODES_H
#define LQ_LICENSE_CODES_H

#include "libquant/license/words.h"

#include <stdbool.h>
#include <stdint.h>

/* A number is its value modulo CODE_NUMBERS: a prime, so that no digit changes unseen. */
enum { CODE_NUMBERS = 61, CODE_PLAIN = 128 };

/* The codes of all words, to be freed; NULL: out of memory. */
uint8_t *codes_of(const struct words *w);
/* "not", "may", ...; NULL where the code is not that of one word. */
const char *code_word(uint8_t code);
/* True for "not", "only", "prohibited", ... */
bool code_forbids(uint8_t code);

static inline bool code_is_number(uint8_t code)
{
    return code < CODE_NUMBERS;
}

#endif
