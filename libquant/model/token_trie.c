/* token_trie.c -- a trie in one array, made from sorted texts level by level. */
#include "libquant/model/token_trie.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 64 << 20 };

static int by_text(const void *a, const void *b)
{
    const struct trie_entry *const x = a, *const y = b;
    const size_t n = x->text.len < y->text.len ? x->text.len : y->text.len;
    const int c = memcmp(x->text.data, y->text.data, n);
    if (c)
        return c;
    if (x->text.len != y->text.len)
        return x->text.len < y->text.len ? -1 : 1;
    return (x->value > y->value) - (x->value < y->value);
}

/* The entries that a node stands for, all the same up to its depth. */
struct part {
    size_t from, to, depth;
};

struct maker {
    struct token_trie *t;
    struct part *part; /* by node */
    size_t cap_nodes, cap_parts;
};

static bool add(struct maker *m, uint8_t byte, struct part part)
{
    struct token_trie *const t = m->t;
    if (t->n == UINT32_MAX || !mem_grow((void **)&t->node, &m->cap_nodes, t->n, sizeof *t->node) ||
        !mem_grow((void **)&m->part, &m->cap_parts, t->n, sizeof *m->part))
        return false;
    t->node[t->n] = (struct trie_node){.value = UINT32_MAX, .byte = byte};
    m->part[t->n++] = part;
    return true;
}

/* Appends the children of a node. */
static bool expand(struct maker *m, uint32_t node, const struct trie_entry *entries)
{
    struct part p = m->part[node];
    if (entries[p.from].text.len == p.depth) {
        m->t->node[node].value = entries[p.from].value;
        while (p.from < p.to && entries[p.from].text.len == p.depth)
            p.from++;
    }
    m->t->node[node].child = (uint32_t)m->t->n;
    while (p.from < p.to) {
        const uint8_t byte = (uint8_t)entries[p.from].text.data[p.depth];
        size_t end = p.from + 1;
        while (end < p.to && (uint8_t)entries[end].text.data[p.depth] == byte)
            end++;
        if (!add(m, byte, (struct part){p.from, end, p.depth + 1}))
            return false;
        m->t->node[node].n++;
        p.from = end;
    }
    return true;
}

lq_status token_trie_make(struct token_trie *t, struct trie_entry *entries, size_t n, lq_error *err)
{
    struct maker m = {.t = t};
    size_t bytes = 0;
    *t = (struct token_trie){0};
    if (!n)
        return LQ_OK;
    for (size_t i = 0; i < n && bytes <= MOST_BYTES; i++)
        bytes += entries[i].text.len;
    if (bytes > MOST_BYTES)
        return lq_fail(err, LQ_E_UNSUPPORTED, "the texts of the tokens are longer than %d MiB together",
                       MOST_BYTES >> 20);
    qsort(entries, n, sizeof *entries, by_text);
    bool ok = add(&m, 0, (struct part){0, n, 0});
    for (size_t i = 0; ok && i < t->n; i++)
        ok = expand(&m, (uint32_t)i, entries);
    free(m.part);
    return ok ? LQ_OK : lq_fail_memory(err);
}

void token_trie_free(struct token_trie *t)
{
    free(t->node);
    *t = (struct token_trie){0};
}

uint32_t token_trie_step(const struct token_trie *t, uint32_t node, uint8_t byte)
{
    if (!t->n)
        return 0;
    const struct trie_node *const n = &t->node[node];
    if (n->n == 256)
        return n->child + byte;
    uint32_t low = n->child, high = n->child + n->n;
    while (low < high) {
        const uint32_t mid = low + (high - low) / 2;
        if (t->node[mid].byte < byte)
            low = mid + 1;
        else
            high = mid;
    }
    return low < n->child + n->n && t->node[low].byte == byte ? low : 0;
}
