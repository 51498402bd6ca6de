/* tokenizer_check.c -- whether a vocabulary is one: a known kind, every token once, every merge made
 * of tokens and making one. The tokenizers library refuses the same when it loads the file. */
#include "libquant/base/status.h"
#include "libquant/base/text.h"
#include "libquant/model/tokenizer_json.h"

#include <stdlib.h>
#include <string.h>

/* Tokens by text: open addressing, a power of two of slots, id + 1 in each or 0. */
struct lookup {
    const struct bytes *vocab;
    uint32_t *slot;
    uint32_t mask;
};

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

/* The slot of the token, or the empty one where it would be; NULL after MOST_STEPS. */
static uint32_t *slot_of(const struct lookup *l, const char *s, size_t len)
{
    uint32_t h = hash_bytes(s, len);
    for (int step = 0; step < MOST_STEPS; step++, h++) {
        uint32_t *const at = &l->slot[h & l->mask];
        if (!*at || (l->vocab[*at - 1].len == len && memcmp(l->vocab[*at - 1].data, s, len) == 0))
            return at;
    }
    return NULL;
}

static bool in_vocab(const struct lookup *l, const char *s, size_t len)
{
    const uint32_t *const slot = slot_of(l, s, len);
    return slot && *slot;
}

/* "FILE: MESSAGE about TOKEN", with the token made printable. */
static lq_status refuse(const char *file, const char *what, const struct bytes *token, lq_error *err)
{
    struct text shown = {0};
    text_put_printable(&shown, token->data, token->len < 80 ? token->len : 80);
    const lq_status status = shown.failed ? lq_fail_memory(err)
                                          : lq_fail_at(err, LQ_E_FORMAT, file, -1, "%s \"%s\"",
                                                       what, shown.len ? shown.data : "");
    text_free(&shown);
    return status;
}

static lq_status fill(struct lookup *l, const struct tokenizer_json *t, const char *file,
                      lq_error *err)
{
    for (uint32_t id = 0; id < t->n_vocab; id++) {
        const struct bytes *const token = &t->vocab[id];
        if (!token->data)
            continue;
        uint32_t *const slot = slot_of(l, token->data, token->len);
        if (!slot)
            return refuse(file, "too many tokens are alike to a hash function, among them", token, err);
        if (*slot)
            return refuse(file, "two ids have the token", token, err);
        *slot = id + 1;
    }
    return LQ_OK;
}

/* Whether the text is a token as it is or, because the reader writes a blank within a part as U+0120,
 * with blanks in their place. `scratch` has room for it. */
static bool is_token(const struct lookup *l, const char *s, size_t len, char *scratch)
{
    if (in_vocab(l, s, len))
        return true;
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        const bool blank = len - i >= 2 && memcmp(s + i, "\xc4\xa0", 2) == 0;
        scratch[n++] = blank ? ' ' : s[i];
        i += blank;
    }
    return n != len && in_vocab(l, scratch, n);
}

/* `scratch` has room for twice the merge. */
static bool merge_is_known(const struct lookup *l, const struct bytes *merge, char *scratch)
{
    const char *const blank = memchr(merge->data, ' ', merge->len);
    if (!blank)
        return false;
    const char *const right = blank + 1;
    const size_t n_left = (size_t)(blank - merge->data), n_right = merge->len - n_left - 1;
    if (memchr(right, ' ', n_right) || !is_token(l, merge->data, n_left, scratch) ||
        !is_token(l, right, n_right, scratch))
        return false;
    char *const joined = scratch + merge->len;
    memcpy(joined, merge->data, n_left);
    memcpy(joined + n_left, right, n_right);
    return is_token(l, joined, n_left + n_right, scratch);
}

static lq_status check_merges(const struct lookup *l, const struct tokenizer_json *t,
                              const char *file, lq_error *err)
{
    size_t longest = 0;
    for (uint32_t i = 0; i < t->n_merges; i++)
        longest = t->merges[i].len > longest ? t->merges[i].len : longest;
    char *const scratch = mem_calloc(longest + 1, 2);
    if (!scratch)
        return lq_fail_memory(err);
    lq_status status = LQ_OK;
    for (uint32_t i = 0; i < t->n_merges && status == LQ_OK; i++)
        if (!merge_is_known(l, &t->merges[i], scratch))
            status = refuse(file, "the vocabulary lacks a part or the result of the merge",
                            &t->merges[i], err);
    free(scratch);
    return status;
}

lq_status tokenizer_json_check(const struct tokenizer_json *t, const char *file, lq_error *err)
{
    static const char *const known[] = {"", "BPE", "Unigram", "WordPiece", "WordLevel"};
    size_t k = 0;
    while (k < sizeof known / sizeof *known && strcmp(known[k], t->type) != 0)
        k++;
    if (k == sizeof known / sizeof *known)
        return lq_fail_at(err, LQ_E_UNSUPPORTED, file, -1,
                          "the kind of tokenizer is not one of BPE, Unigram, WordPiece, WordLevel");
    if (t->scores) /* Unigram lists may hold a token twice: the first one counts */
        return LQ_OK;
    struct lookup l = {.vocab = t->vocab, .mask = 255};
    while (l.mask / 2 < t->n_tokens)
        l.mask = l.mask * 2 + 1;
    l.slot = mem_calloc((size_t)l.mask + 1, sizeof *l.slot);
    if (!l.slot)
        return lq_fail_memory(err);
    lq_status status = fill(&l, t, file, err);
    if (status == LQ_OK)
        status = check_merges(&l, t, file, err);
    free(l.slot);
    return status;
}
