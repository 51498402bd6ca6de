/* encode_bpe.c -- byte pair encoding: the two neighbours of the best rank become one token, again and
 * again. */
#include "libquant/model/encode_parts.h"
#include "libquant/model/pair_heap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What two tokens become. Open addressing; `left` NO_TOKEN marks an empty slot. */
struct merge {
    uint32_t left, right, rank, made;
};

enum { SHORT_CHARS = 0x800, MOST_PROBES = 4096 };

struct bpe {
    struct bpe_options options;
    struct merge *merge;
    uint64_t mask;
    uint32_t short_char[SHORT_CHARS]; /* tokens of the characters of at most two bytes */
    uint32_t byte[256];               /* "<0xHH>" */
};

struct symbol {
    uint32_t id;
    int32_t prev, next; /* -1: none */
};

/* Words that came before, direct mapped: texts repeat their words. */
enum { CACHE_SIZE = 1 << 14, CACHE_KEY = 26, CACHE_IDS = 8 };
struct cached {
    uint32_t hash;
    uint8_t len, n;
    char key[CACHE_KEY];
    uint32_t id[CACHE_IDS];
};

struct bpe_work {
    struct symbol *symbol;
    size_t n, cap;
    struct pair_heap heap;
    struct cached *cache;
};

/* ---- merges ---- */

static uint64_t hash_pair(uint32_t left, uint32_t right)
{
    uint64_t h = ((uint64_t)left << 32 | right) * UINT64_C(0x9e3779b97f4a7c15);
    h ^= h >> 32;
    return h * UINT64_C(0xd6e8feb86659fd93) >> 20;
}

/* The slot of a merge, or an empty one; NULL where too many hashes are alike. */
static struct merge *merge_slot(const struct bpe *b, uint32_t left, uint32_t right)
{
    uint64_t h = hash_pair(left, right);
    for (int i = 0; i < MOST_PROBES; i++, h++) {
        struct merge *const m = &b->merge[h & b->mask];
        if (m->left == NO_TOKEN || (m->left == left && m->right == right))
            return m;
    }
    return NULL;
}

static const struct merge *merge_of(const struct bpe *b, uint32_t left, uint32_t right)
{
    const struct merge *const m = merge_slot(b, left, right);
    return m && m->left != NO_TOKEN ? m : NULL;
}

/* A part of a merge: readers write a blank within it as U+0120. */
static int64_t find_part(const struct encoder *e, const char *s, size_t len, struct text *scratch)
{
    const int64_t id = token_find(&e->lookup, s, len);
    if (id >= 0)
        return id;
    scratch->len = 0;
    for (size_t i = 0; i < len; i++) {
        const bool blank = len - i >= 2 && memcmp(s + i, "\xc4\xa0", 2) == 0;
        text_putc(scratch, blank ? ' ' : s[i]);
        i += blank;
    }
    return scratch->len == len ? -1 : token_find(&e->lookup, scratch->data, scratch->len);
}

/* The result: the left part, and the right one without the mark of a continued word. */
static int64_t find_made(const struct encoder *e, const struct bpe *b, uint32_t left, uint32_t right,
                         struct text *scratch)
{
    const struct bytes *const l = &e->tokens[left], *const r = &e->tokens[right];
    const size_t skip = b->options.prefix.len < r->len ? b->options.prefix.len : 0;
    scratch->len = 0;
    text_put(scratch, l->data, l->len);
    text_put(scratch, r->data + skip, r->len - skip);
    return scratch->len ? token_find(&e->lookup, scratch->data, scratch->len) : -1;
}

static lq_status add_merges(struct encoder *e, struct bpe *b, const struct bytes *merges, uint32_t n,
                            lq_error *err)
{
    struct text scratch = {0};
    for (uint32_t rank = 0; rank < n; rank++) {
        const char *const s = merges[rank].data;
        const char *const blank = merges[rank].len > 1 ? memchr(s + 1, ' ', merges[rank].len - 1) : NULL;
        if (!blank)
            continue;
        const size_t n_left = (size_t)(blank - s);
        const int64_t left = find_part(e, s, n_left, &scratch);
        const int64_t right = find_part(e, blank + 1, merges[rank].len - n_left - 1, &scratch);
        const int64_t made = left < 0 || right < 0
                                 ? -1
                                 : find_made(e, b, (uint32_t)left, (uint32_t)right, &scratch);
        struct merge *const m = made < 0 ? NULL : merge_slot(b, (uint32_t)left, (uint32_t)right);
        if (m && (m->left == NO_TOKEN || b->options.last_rank))
            *m = (struct merge){(uint32_t)left, (uint32_t)right, rank, (uint32_t)made};
    }
    const bool failed = scratch.failed;
    text_free(&scratch);
    return failed ? lq_fail_memory(err) : LQ_OK;
}

static void find_chars(const struct encoder *e, struct bpe *b)
{
    for (uint32_t cp = 0; cp < SHORT_CHARS; cp++) {
        char utf8[4];
        const int64_t id = token_find(&e->lookup, utf8, utf8_encode(utf8, cp));
        b->short_char[cp] = id < 0 ? NO_TOKEN : (uint32_t)id;
    }
    for (unsigned i = 0; i < 256; i++) {
        char name[8];
        const int n = snprintf(name, sizeof name, "<0x%02X>", i);
        const int64_t id = token_find(&e->lookup, name, (size_t)n);
        b->byte[i] = id < 0 ? NO_TOKEN : (uint32_t)id;
    }
}

/* ---- words into symbols ---- */

static lq_status push(struct run *r, uint32_t id)
{
    struct bpe_work *const w = r->bpe;
    if (w->n >= INT32_MAX || !mem_grow((void **)&w->symbol, &w->cap, w->n, sizeof *w->symbol))
        return lq_fail_memory(r->err);
    w->symbol[w->n] = (struct symbol){id, (int32_t)w->n - 1, (int32_t)w->n + 1};
    w->n++;
    return LQ_OK;
}

/* The token of a character, with what the model puts around the inner and the last ones of a word. */
static uint32_t char_token(struct run *r, const char *s, size_t len, bool first, bool last)
{
    const struct bpe *const b = r->e->bpe;
    const struct bytes *const prefix = first ? NULL : &b->options.prefix;
    const struct bytes *const suffix = last ? &b->options.suffix : NULL;
    if ((prefix && prefix->len) || (suffix && suffix->len)) {
        r->next.len = 0;
        if (prefix)
            text_put(&r->next, prefix->data, prefix->len);
        text_put(&r->next, s, len);
        if (suffix)
            text_put(&r->next, suffix->data, suffix->len);
        const int64_t id = r->next.failed ? -1 : token_find(&r->e->lookup, r->next.data, r->next.len);
        return id < 0 ? NO_TOKEN : (uint32_t)id;
    }
    uint32_t cp;
    if (len <= 2 && utf8_decode(s, len, &cp) == len && cp < SHORT_CHARS)
        return b->short_char[cp];
    const int64_t id = token_find(&r->e->lookup, s, len);
    return id < 0 ? NO_TOKEN : (uint32_t)id;
}

/* The bytes of a character that is no token; *done false where one of them has none. */
static lq_status push_bytes(struct run *r, const char *s, size_t len, bool *done)
{
    const struct bpe *const b = r->e->bpe;
    *done = false;
    for (size_t i = 0; i < len; i++)
        if (b->byte[(uint8_t)s[i]] == NO_TOKEN)
            return LQ_OK;
    *done = true;
    for (size_t i = 0; i < len; i++)
        LQ_TRY(push(r, b->byte[(uint8_t)s[i]]));
    return LQ_OK;
}

static lq_status push_word(struct run *r, const char *s, size_t len)
{
    const struct bpe *const b = r->e->bpe;
    bool was_unk = false;
    r->bpe->n = 0;
    for (size_t i = 0, n; i < len; i += n) {
        uint32_t cp;
        bool done = false;
        n = utf8_decode(s + i, len - i, &cp);
        const uint32_t id = char_token(r, s + i, n, i == 0, i + n == len);
        if (id != NO_TOKEN) {
            LQ_TRY(push(r, id));
            was_unk = false;
            continue;
        }
        if (b->options.byte_fallback)
            LQ_TRY(push_bytes(r, s + i, n, &done));
        if (done) {
            was_unk = false;
        } else if (b->options.unk != NO_TOKEN) {
            if (!(was_unk && b->options.fuse_unk))
                LQ_TRY(push(r, b->options.unk));
            was_unk = true;
        } else if (b->options.keep_unknown) {
            LQ_TRY(push(r, NO_TOKEN));
        }
    }
    if (r->bpe->n)
        r->bpe->symbol[r->bpe->n - 1].next = -1;
    return LQ_OK;
}

/* ---- merging ---- */

/* Short words: the best of all pairs, each time. */
enum { SHORT_WORD = 24 };

static size_t merge_short(const struct bpe *b, struct symbol *s, size_t n)
{
    const struct merge *pair[SHORT_WORD];
    for (size_t i = 0; i + 1 < n; i++)
        pair[i] = merge_of(b, s[i].id, s[i + 1].id);
    while (n > 1) {
        size_t best = n;
        for (size_t i = 0; i + 1 < n; i++)
            if (pair[i] && (best == n || pair[i]->rank < pair[best]->rank))
                best = i;
        if (best == n)
            break;
        s[best].id = pair[best]->made;
        for (size_t i = best + 1; i + 1 < n; i++) {
            s[i].id = s[i + 1].id;
            pair[i] = i + 2 < n ? pair[i + 1] : NULL;
        }
        n--;
        pair[best] = best + 1 < n ? merge_of(b, s[best].id, s[best + 1].id) : NULL;
        if (best)
            pair[best - 1] = merge_of(b, s[best - 1].id, s[best].id);
    }
    return n;
}

static lq_status push_pair(struct run *r, int32_t left, int32_t right)
{
    if (left < 0 || right < 0)
        return LQ_OK;
    const struct symbol *const s = r->bpe->symbol;
    const struct merge *const m = merge_of(r->e->bpe, s[left].id, s[right].id);
    if (!m)
        return LQ_OK;
    const struct pair p = {m->rank, (uint32_t)left, m->left, m->right, m->made};
    return pair_heap_push(&r->bpe->heap, p) ? LQ_OK : lq_fail_memory(r->err);
}

/* Long words: a heap of pairs; those whose symbols have changed since are passed over. Symbols that
 * became part of their left neighbour are marked with next = INT32_MIN. */
static lq_status merge_long(struct run *r)
{
    struct bpe_work *const w = r->bpe;
    w->heap.n = 0;
    for (size_t i = 0; i + 1 < w->n; i++)
        LQ_TRY(push_pair(r, (int32_t)i, (int32_t)i + 1));
    while (w->heap.n) {
        const struct pair p = pair_heap_pop(&w->heap);
        struct symbol *const left = &w->symbol[p.at];
        if (left->next < 0 || left->id != p.left || w->symbol[left->next].id != p.right)
            continue;
        struct symbol *const right = &w->symbol[left->next];
        left->id = p.made;
        left->next = right->next;
        right->next = INT32_MIN;
        if (left->next >= 0)
            w->symbol[left->next].prev = (int32_t)p.at;
        LQ_TRY(push_pair(r, left->prev, (int32_t)p.at));
        LQ_TRY(push_pair(r, (int32_t)p.at, left->next));
    }
    size_t n = 0;
    for (int32_t i = 0; i >= 0; i = w->symbol[i].next)
        w->symbol[n++].id = w->symbol[i].id;
    w->n = n;
    return LQ_OK;
}

/* ---- words ---- */

static uint32_t hash_word(const char *s, size_t len)
{
    uint32_t h = 2166136261;
    for (size_t i = 0; i < len; i++)
        h = (h ^ (uint8_t)s[i]) * 16777619;
    return h ^ h >> 15;
}

static lq_status put_cached(struct run *r, const struct cached *c)
{
    for (unsigned i = 0; i < c->n; i++)
        LQ_TRY(run_put(r, c->id[i]));
    return LQ_OK;
}

/* The word's tokens, from r->out.n on, for when it comes again. */
static void remember(struct run *r, struct cached *c, uint32_t hash, const char *s, size_t len,
                     size_t from)
{
    const size_t n = r->out->n - from;
    if (n > CACHE_IDS)
        return;
    c->hash = hash;
    c->len = (uint8_t)len;
    c->n = (uint8_t)n;
    memcpy(c->key, s, len);
    if (n)
        memcpy(c->id, r->out->id + from, n * sizeof *c->id);
}

static bool only_line_ends(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (s[i] != '\n')
            return false;
    return true;
}

static lq_status encode_word(struct run *r, const char *s, size_t len)
{
    const struct bpe *const b = r->e->bpe;
    struct bpe_work *const w = r->bpe;
    if (b->options.ignore_merges || (b->options.lines_whole && only_line_ends(s, len))) {
        const int64_t id = token_find(&r->e->lookup, s, len);
        if (id >= 0)
            return run_put(r, (uint32_t)id);
    }
    LQ_TRY(push_word(r, s, len));
    if (w->n <= SHORT_WORD)
        w->n = merge_short(b, w->symbol, w->n);
    else
        LQ_TRY(merge_long(r));
    for (size_t i = 0; i < w->n; i++)
        if (w->symbol[i].id != NO_TOKEN)
            LQ_TRY(run_put(r, w->symbol[i].id));
    return LQ_OK;
}

static lq_status bpe_word(struct run *r, const char *s, size_t len)
{
    if (!r->bpe) {
        r->bpe = mem_calloc(1, sizeof *r->bpe);
        if (r->bpe)
            r->bpe->cache = mem_calloc(CACHE_SIZE, sizeof *r->bpe->cache);
        if (!r->bpe || !r->bpe->cache)
            return lq_fail_memory(r->err);
    }
    if (len > CACHE_KEY)
        return encode_word(r, s, len);
    const uint32_t hash = hash_word(s, len);
    struct cached *const c = &r->bpe->cache[hash % CACHE_SIZE];
    if (c->hash == hash && c->len == len && memcmp(c->key, s, len) == 0)
        return put_cached(r, c);
    const size_t from = r->out->n;
    LQ_TRY(encode_word(r, s, len));
    remember(r, c, hash, s, len, from);
    return LQ_OK;
}

lq_status encoder_set_bpe(struct encoder *e, const struct bytes *merges, uint32_t n,
                          const struct bpe_options *options, lq_error *err)
{
    struct bpe *const b = e->bpe = mem_calloc(1, sizeof *b);
    if (!b)
        return lq_fail_memory(err);
    b->options = *options;
    b->mask = 255;
    while (b->mask / 2 < n)
        b->mask = b->mask * 2 + 1;
    b->merge = mem_calloc((size_t)b->mask + 1, sizeof *b->merge);
    if (!b->merge)
        return lq_fail_memory(err);
    for (size_t i = 0; i <= b->mask; i++)
        b->merge[i].left = NO_TOKEN;
    find_chars(e, b);
    e->word = bpe_word;
    return add_merges(e, b, merges, n, err);
}

void bpe_free(struct bpe *b)
{
    if (b)
        free(b->merge);
    free(b);
}

void bpe_work_free(struct bpe_work *w)
{
    if (!w)
        return;
    free(w->symbol);
    free(w->heap.item);
    free(w->cache);
    free(w);
}
