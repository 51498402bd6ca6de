/* pair_set.h -- the word pairs of a text, and how many of a licence's are among them. */
#ifndef LQ_LICENSE_PAIR_SET_H
#define LQ_LICENSE_PAIR_SET_H

#include "libquant/license/index.h"

/* A hash table; a slot holds pair + 1, and PAIR_TAKEN where a licence that was found has it. */
struct pair_set {
    uint32_t *slot, mask;
    size_t n, n_sampled; /* distinct pairs; those of them that large texts keep */
};

#define PAIR_TAKEN UINT32_C(0x80000000)

/* Fills a zeroed struct from n pairs; slot is to be freed. LQ_E_MEMORY only. */
lq_status pair_set_make(struct pair_set *s, const uint32_t *pair, size_t n, lq_error *err);
/* The slot of a pair: 0 where it is not there. */
uint32_t *pair_set_slot(const struct pair_set *s, uint32_t pair);

/* Number of pairs of t that are in the set, or 0 where it would be less than `least`. `free_only`:
 * those that a licence has taken do not count. */
size_t pair_set_shared(const struct pair_set *s, const struct index_text *t, size_t least,
                       bool free_only);
/* Twice the shared pairs by the sum of the pairs; 0 where that is less than `least`. */
double pair_set_dice(const struct pair_set *s, const struct index_text *t, double least);
/* Marks the pairs of t as taken. */
void pair_set_take(struct pair_set *s, const struct index_text *t);

#endif
