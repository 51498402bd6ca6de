/* encode_unigram.c -- Unigram: of all ways to write a word as tokens, the one with the best sum of
 * scores (Viterbi's algorithm). Scores are added in double precision, from the left, as both Hugging
 * Face's tokenizers and llama.cpp do it. */
#include "libquant/model/encode_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unigram {
    struct token_trie trie;
    const double *scores; /* by id */
    double unk_score;
    uint32_t unk;
    bool byte_fallback;
    uint32_t byte[256];
};

/* The best way to the byte where it stands; from UINT32_MAX: none yet. */
struct place {
    double score;
    uint32_t from, id;
};

struct unigram_work {
    struct place *place;
    size_t cap;
    uint32_t *back; /* the places of the best way, the last one first */
    size_t n_back, cap_back;
};

static void offer(struct place *p, double score, uint32_t from, uint32_t id)
{
    if (p->from == UINT32_MAX || score > p->score)
        *p = (struct place){score, from, id};
}

/* Offers every token that begins at `at`. */
static lq_status offer_tokens(struct run *r, const char *s, size_t len, size_t at)
{
    const struct unigram *const u = r->e->unigram;
    struct place *const place = r->unigram->place;
    const double score = place[at].score;
    uint32_t cp, node = 0;
    bool single = false;
    const size_t n_char = utf8_decode(s + at, len - at, &cp);
    size_t i = at;
    while (i < len && (node = token_trie_step(&u->trie, node, (uint8_t)s[i]))) {
        const uint32_t id = u->trie.node[node].value;
        i++;
        if (id == NO_TOKEN)
            continue;
        offer(&place[i], score + u->scores[id], (uint32_t)at, id);
        single |= i - at == n_char;
    }
    if (!single)
        offer(&place[at + n_char], score + u->unk_score, (uint32_t)at, u->unk);
    return run_spend(r, i - at + 1) ? LQ_OK : run_exhausted(r);
}

static lq_status make_room(struct run *r, size_t len)
{
    struct unigram_work *w = r->unigram;
    if (!w && !(w = r->unigram = mem_calloc(1, sizeof *w)))
        return lq_fail_memory(r->err);
    if (w->cap < len + 1) {
        struct place *const more = mem_realloc(w->place, len + 1, sizeof *w->place);
        if (!more)
            return lq_fail_memory(r->err);
        w->place = more;
        w->cap = len + 1;
    }
    for (size_t i = 0; i <= len; i++)
        w->place[i] = (struct place){0, UINT32_MAX, NO_TOKEN};
    return LQ_OK;
}

/* Characters without a token: their bytes, where all have tokens, else the unknown one. They may also
 * be "<unk>" itself. */
static lq_status put_unknown(struct run *r, const char *s, size_t len)
{
    const struct unigram *const u = r->e->unigram;
    const int64_t id = token_find(&r->e->lookup, s, len);
    if (id >= 0)
        return run_put(r, (uint32_t)id);
    bool all = u->byte_fallback;
    for (size_t i = 0; i < len && all; i++)
        all = u->byte[(uint8_t)s[i]] != NO_TOKEN;
    if (!all && u->unk == NO_TOKEN)
        return lq_fail(r->err, LQ_E_UNSUPPORTED,
                       "the text has a character that no token stands for, and the tokenizer has no "
                       "token for unknown ones");
    if (!all)
        return run_put(r, u->unk);
    for (size_t i = 0; i < len; i++)
        LQ_TRY(run_put(r, u->byte[(uint8_t)s[i]]));
    return LQ_OK;
}

/* Unknown characters in a row are one. */
static lq_status put_way(struct run *r, const char *s, size_t len)
{
    struct unigram_work *const w = r->unigram;
    w->n_back = 0;
    for (size_t at = len; at > 0; at = w->place[at].from) {
        if (!mem_grow((void **)&w->back, &w->cap_back, w->n_back, sizeof *w->back))
            return lq_fail_memory(r->err);
        w->back[w->n_back++] = (uint32_t)at;
    }
    while (w->n_back) {
        size_t at = w->back[--w->n_back];
        const size_t from = w->place[at].from;
        const uint32_t id = w->place[at].id;
        if (id != r->e->unigram->unk) {
            LQ_TRY(run_put(r, id));
            continue;
        }
        while (w->n_back && w->place[w->back[w->n_back - 1]].id == id)
            at = w->back[--w->n_back];
        LQ_TRY(put_unknown(r, s + from, at - from));
    }
    return LQ_OK;
}

static lq_status unigram_word(struct run *r, const char *s, size_t len)
{
    LQ_TRY(make_room(r, len));
    for (size_t at = 0; at < len;) {
        uint32_t cp;
        LQ_TRY(offer_tokens(r, s, len, at));
        at += utf8_decode(s + at, len - at, &cp);
    }
    return put_way(r, s, len);
}

static void find_bytes(const struct encoder *e, struct unigram *u)
{
    for (unsigned i = 0; i < 256; i++) {
        char name[8];
        const int n = snprintf(name, sizeof name, "<0x%02X>", i);
        const int64_t id = token_find(&e->lookup, name, (size_t)n);
        u->byte[i] = id < 0 ? NO_TOKEN : (uint32_t)id;
    }
}

lq_status encoder_set_unigram(struct encoder *e, const double *scores, const bool *usable,
                              double unk_score, uint32_t unk, bool byte_fallback, lq_error *err)
{
    struct unigram *const u = e->unigram = mem_calloc(1, sizeof *u);
    struct trie_entry *const entry = mem_calloc(e->n_tokens, sizeof *entry);
    size_t n = 0;
    lq_status status = u && entry ? LQ_OK : lq_fail_memory(err);
    for (uint32_t i = 0; i < e->n_tokens && status == LQ_OK; i++)
        if (e->tokens[i].data && e->tokens[i].len && (!usable || usable[i]))
            entry[n++] = (struct trie_entry){e->tokens[i], i};
    if (status == LQ_OK)
        status = token_trie_make(&u->trie, entry, n, err);
    free(entry);
    LQ_TRY(status);
    u->scores = scores;
    u->unk_score = unk_score;
    u->unk = unk;
    u->byte_fallback = byte_fallback;
    find_bytes(e, u);
    e->word = unigram_word;
    return LQ_OK;
}

void unigram_free(struct unigram *u)
{
    if (u)
        token_trie_free(&u->trie);
    free(u);
}

void unigram_work_free(struct unigram_work *w)
{
    if (!w)
        return;
    free(w->place);
    free(w->back);
    free(w);
}
