/* pair_heap.h -- neighbours that may become one token, the best first: for encode_bpe.c and
 * encode_spm.c. */
#ifndef LQ_MODEL_PAIR_HEAP_H
#define LQ_MODEL_PAIR_HEAP_H

#include "libquant/base/memory.h"

struct pair {
    uint32_t rank, at;       /* the order: lower ranks first, then earlier places */
    uint32_t left, right, made; /* the caller's */
};

/* Zero-initialise; item is released with free(). */
struct pair_heap {
    struct pair *item;
    size_t n, cap;
};

static inline bool pair_comes_first(const struct pair *a, const struct pair *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

/* False when out of memory. */
static inline bool pair_heap_push(struct pair_heap *h, struct pair p)
{
    if (!mem_grow((void **)&h->item, &h->cap, h->n, sizeof *h->item))
        return false;
    size_t i = h->n++;
    for (; i > 0 && pair_comes_first(&p, &h->item[(i - 1) / 2]); i = (i - 1) / 2)
        h->item[i] = h->item[(i - 1) / 2];
    h->item[i] = p;
    return true;
}

/* The best one; h->n > 0. */
static inline struct pair pair_heap_pop(struct pair_heap *h)
{
    const struct pair top = h->item[0], p = h->item[--h->n];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < h->n; i = child) {
        if (child + 1 < h->n && pair_comes_first(&h->item[child + 1], &h->item[child]))
            child++;
        if (!pair_comes_first(&h->item[child], &p))
            break;
        h->item[i] = h->item[child];
    }
    h->item[i] = p;
    return top;
}

#endif
