/* token_lookup.c -- a hash table of texts. */
#include "libquant/model/token_lookup.h"

#include <stdlib.h>
#include <string.h>

static uint32_t hash_bytes(const char *s, size_t len)
{
    uint32_t h = 2166136261; /* FNV-1a */
    for (size_t i = 0; i < len; i++)
        h = (h ^ (uint8_t)s[i]) * 16777619;
    return h ^ h >> 15;
}

/* With at most half of the slots taken, honest tokens are found after some tens of steps; more are the
 * work of somebody who wants us to wait. */
enum { MOST_STEPS = 4096 };

lq_status token_lookup_open(struct token_lookup *l, const struct bytes *tokens, uint32_t n,
                            lq_error *err)
{
    *l = (struct token_lookup){.tokens = tokens, .mask = 255};
    while (l->mask / 2 < n)
        l->mask = l->mask * 2 + 1;
    l->slot = mem_calloc((size_t)l->mask + 1, sizeof *l->slot);
    return l->slot ? LQ_OK : lq_fail_memory(err);
}

void token_lookup_close(struct token_lookup *l)
{
    free(l->slot);
    memset(l, 0, sizeof *l);
}

uint32_t *token_slot(const struct token_lookup *l, const char *s, size_t len)
{
    uint32_t h = hash_bytes(s, len);
    for (int step = 0; step < MOST_STEPS; step++, h++) {
        uint32_t *const at = &l->slot[h & l->mask];
        if (!*at)
            return at;
        const struct bytes *const b = &l->tokens[*at - 1];
        if (b->len == len && memcmp(b->data, s, len) == 0)
            return at;
    }
    return NULL;
}

int64_t token_find(const struct token_lookup *l, const char *s, size_t len)
{
    const uint32_t *const slot = token_slot(l, s, len);
    return slot ? (int64_t)*slot - 1 : -1;
}
