/* encode_spm.c -- SentencePiece's BPE by scores: of all neighbours that make a token, those of the best
 * score become one, the first ones first; what is no token in the end is written by its bytes. */
#include "libquant/model/encode_parts.h"
#include "libquant/model/pair_heap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct spm {
    const float *scores; /* by id; NULL: all the same */
    uint32_t byte[256];
    size_t longest; /* token, bytes */
};

struct symbol {
    uint32_t at, len; /* len 0: part of another one by now */
    int32_t prev, next;
};

struct spm_work {
    struct symbol *symbol;
    size_t n, cap;
    struct pair_heap heap; /* left, right: symbols; made: their length together */
};

/* Scores as numbers that are lower for better ones; those that are no numbers come last. */
static uint32_t rank_of(float score)
{
    uint32_t bits;
    if (score != score)
        return UINT32_MAX;
    if (score == 0)
        score = 0; /* there are two zeros */
    memcpy(&bits, &score, sizeof bits);
    return bits >> 31 ? bits : ~bits & 0x7fffffff;
}

static lq_status push_pair(struct run *r, const char *s, int32_t left, int32_t right)
{
    const struct spm *const m = r->e->spm;
    const struct symbol *const symbol = r->spm->symbol;
    if (left < 0 || right < 0)
        return LQ_OK;
    const uint32_t len = symbol[left].len + symbol[right].len;
    const int64_t id = len > m->longest ? -1 : token_find(&r->e->lookup, s + symbol[left].at, len);
    if (id < 0)
        return LQ_OK;
    const uint32_t rank = rank_of(m->scores ? m->scores[id] : 0), at = (uint32_t)left;
    const struct pair p = {rank, at, at, (uint32_t)right, len};
    return pair_heap_push(&r->spm->heap, p) ? LQ_OK : lq_fail_memory(r->err);
}

/* Length of a character by its first byte alone. */
static size_t char_length(uint8_t c)
{
    return c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

static lq_status push_chars(struct run *r, const char *s, size_t len)
{
    struct spm_work *const w = r->spm;
    w->n = 0;
    for (size_t at = 0; at < len;) {
        const size_t want = char_length((uint8_t)s[at]), n = want < len - at ? want : len - at;
        if (w->n >= INT32_MAX || !mem_grow((void **)&w->symbol, &w->cap, w->n, sizeof *w->symbol))
            return lq_fail_memory(r->err);
        const int32_t i = (int32_t)w->n++;
        w->symbol[i] = (struct symbol){(uint32_t)at, (uint32_t)n, i - 1, at + n < len ? i + 1 : -1};
        at += n;
    }
    return LQ_OK;
}

static lq_status merge(struct run *r, const char *s)
{
    struct spm_work *const w = r->spm;
    w->heap.n = 0;
    for (size_t i = 1; i < w->n; i++)
        LQ_TRY(push_pair(r, s, (int32_t)i - 1, (int32_t)i));
    while (w->heap.n) {
        const struct pair p = pair_heap_pop(&w->heap);
        struct symbol *const left = &w->symbol[p.left], *const right = &w->symbol[p.right];
        if (!left->len || !right->len || left->len + right->len != p.made)
            continue;
        left->len += right->len;
        right->len = 0;
        left->next = right->next;
        if (right->next >= 0)
            w->symbol[right->next].prev = (int32_t)p.left;
        LQ_TRY(push_pair(r, s, left->prev, (int32_t)p.left));
        LQ_TRY(push_pair(r, s, (int32_t)p.left, left->next));
    }
    return LQ_OK;
}

static lq_status put_bytes(struct run *r, const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const uint32_t id = r->e->spm->byte[(uint8_t)s[i]];
        if (id != NO_TOKEN)
            LQ_TRY(run_put(r, id));
        else if (r->e->unk != NO_TOKEN)
            LQ_TRY(run_put(r, r->e->unk));
    }
    return LQ_OK;
}

static lq_status spm_word(struct run *r, const char *s, size_t len)
{
    if (!r->spm && !(r->spm = mem_calloc(1, sizeof *r->spm)))
        return lq_fail_memory(r->err);
    LQ_TRY(push_chars(r, s, len));
    LQ_TRY(merge(r, s));
    const struct symbol *const symbol = r->spm->symbol;
    for (int32_t i = 0; i >= 0; i = symbol[i].next) {
        const int64_t id = token_find(&r->e->lookup, s + symbol[i].at, symbol[i].len);
        LQ_TRY(id >= 0 ? run_put(r, (uint32_t)id) : put_bytes(r, s + symbol[i].at, symbol[i].len));
    }
    return LQ_OK;
}

lq_status encoder_set_spm(struct encoder *e, const float *scores, lq_error *err)
{
    struct spm *const m = e->spm = arena_calloc(&e->arena, 1, sizeof *m);
    if (!m)
        return lq_fail_memory(err);
    m->scores = scores;
    for (uint32_t i = 0; i < e->n_tokens; i++)
        m->longest = e->tokens[i].len > m->longest ? e->tokens[i].len : m->longest;
    for (unsigned i = 0; i < 256; i++) {
        char name[8];
        const char byte = (char)i;
        const int n = snprintf(name, sizeof name, "<0x%02X>", i);
        int64_t id = token_find(&e->lookup, name, (size_t)n);
        if (id < 0)
            id = token_find(&e->lookup, &byte, 1);
        m->byte[i] = id < 0 ? NO_TOKEN : (uint32_t)id;
    }
    e->word = spm_word;
    return LQ_OK;
}

void spm_work_free(struct spm_work *w)
{
    if (!w)
        return;
    free(w->symbol);
    free(w->heap.item);
    free(w);
}
