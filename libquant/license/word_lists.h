/* word_lists.h -- the words of a short table by their first letter, so that few are looked at for
 * each word of a text. */
#ifndef LQ_LICENSE_WORD_LISTS_H
#define LQ_LICENSE_WORD_LISTS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { WORD_LISTS_MAX = 64 };

/* Numbers of words, each plus one; 0 ends a list. Zero-initialised: no words. */
struct word_lists {
    uint8_t first[256], next[WORD_LISTS_MAX];
};

/* Word i of the table, i < WORD_LISTS_MAX. */
static inline void word_lists_add(struct word_lists *l, size_t i, const char *word)
{
    uint8_t *const first = &l->first[(uint8_t)*word];
    l->next[i] = *first;
    *first = (uint8_t)(i + 1);
}

/* Word i, followed by a NUL, is the one of len bytes. */
static inline int word_is(const char *word, const char *s, size_t len)
{
    return strncmp(word, s, len) == 0 && !word[len];
}

#endif
