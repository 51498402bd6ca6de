/* pair_set.c -- the word pairs of a text. */
#include "libquant/license/pair_set.h"

#include "libquant/base/memory.h"

uint32_t *pair_set_slot(const struct pair_set *s, uint32_t pair)
{
    uint32_t i = (pair * UINT32_C(0x9e3779b1)) >> 8 & s->mask;
    while (s->slot[i] && (s->slot[i] & ~PAIR_TAKEN) != pair + 1)
        i = (i + 1) & s->mask;
    return &s->slot[i];
}

lq_status pair_set_make(struct pair_set *s, const uint32_t *pair, size_t n, lq_error *err)
{
    size_t size = 16;
    while (size < 2 * n)
        size *= 2;
    s->slot = mem_calloc(size, sizeof *s->slot);
    if (!s->slot)
        return lq_fail_memory(err);
    s->mask = (uint32_t)size - 1;
    for (size_t i = 0; i < n; i++) {
        uint32_t *const slot = pair_set_slot(s, pair[i]);
        s->n += !*slot;
        s->n_sampled += !*slot && index_sampled(pair[i]);
        *slot = pair[i] + 1;
    }
    return LQ_OK;
}

size_t pair_set_shared(const struct pair_set *s, const struct index_text *t, size_t least,
                       bool free_only)
{
    size_t n = 0, may_miss = t->count >= least ? t->count - least : 0;
    if (least > t->count || !s->slot)
        return 0;
    for (size_t i = 0; i < t->count; i++) {
        const uint32_t slot = *pair_set_slot(s, index_pair(t, i));
        if (slot && !(free_only && (slot & PAIR_TAKEN)))
            n++;
        else if (may_miss-- == 0)
            return 0;
    }
    return n;
}

double pair_set_dice(const struct pair_set *s, const struct index_text *t, double least)
{
    const size_t size = t->flags & INDEX_SAMPLED ? s->n_sampled : s->n, sum = t->count + size;
    const double needed = least * (double)sum / 2;
    if (!s->n || !sum || needed > (double)t->count || needed > (double)size)
        return 0;
    return 2.0 * (double)pair_set_shared(s, t, (size_t)needed, false) / (double)sum;
}

void pair_set_take(struct pair_set *s, const struct index_text *t)
{
    for (size_t i = 0; i < t->count; i++) {
        uint32_t *const slot = pair_set_slot(s, index_pair(t, i));
        if (*slot)
            *slot |= PAIR_TAKEN;
    }
}
