/* tokenizer_check.c -- whether a vocabulary is one: a known kind, every token once, every merge once,
 * made of tokens and making one. The tokenizers library refuses unknown parts when it loads the file;
 * of a merge that comes twice it takes the last rank and llama.cpp the first. */
#include "libquant/base/status.h"
#include "libquant/base/text.h"
#include "libquant/model/token_lookup.h"
#include "libquant/model/tokenizer_json.h"

#include <stdlib.h>
#include <string.h>

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

/* Enters n texts, those that are there; `what` is said of one that comes twice. Where it is LQ_OK the
 * caller closes l. */
static lq_status make_lookup(struct token_lookup *l, const struct bytes *text, uint32_t n,
                             const char *what, const char *file, lq_error *err)
{
    LQ_TRY(token_lookup_open(l, text, n, err));
    lq_status status = LQ_OK;
    for (uint32_t i = 0; i < n && status == LQ_OK; i++) {
        if (!text[i].data)
            continue;
        uint32_t *const slot = token_slot(l, text[i].data, text[i].len);
        if (!slot)
            status = refuse(file, "too many texts are alike to a hash function, among them",
                            &text[i], err);
        else if (*slot)
            status = refuse(file, what, &text[i], err);
        else
            *slot = i + 1;
    }
    if (status != LQ_OK)
        token_lookup_close(l);
    return status;
}

static const char two_ids[] = "two ids have the token";

lq_status tokens_check_unique(const struct bytes *tokens, uint32_t n, const char *file,
                              lq_error *err)
{
    struct token_lookup l;
    LQ_TRY(make_lookup(&l, tokens, n, two_ids, file, err));
    token_lookup_close(&l);
    return LQ_OK;
}

/* Whether the text is a token as it is or, because the reader writes a blank within a part as U+0120,
 * with blanks in their place. `scratch` has room for it. */
static bool is_token(const struct token_lookup *l, const char *s, size_t len, char *scratch)
{
    if (token_find(l, s, len) >= 0)
        return true;
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        const bool blank = len - i >= 2 && memcmp(s + i, "\xc4\xa0", 2) == 0;
        scratch[n++] = blank ? ' ' : s[i];
        i += blank;
    }
    return n != len && token_find(l, scratch, n) >= 0;
}

/* Why the merge is none, or NULL. `scratch` has room for twice the merge. */
static const char *wrong_with(const struct token_lookup *l, const struct bytes *merge, char *scratch)
{
    static const char unknown[] = "the vocabulary lacks a part or the result of the merge";
    const char *const blank = memchr(merge->data, ' ', merge->len);
    if (!blank)
        return unknown;
    const char *const right = blank + 1;
    const size_t n_left = (size_t)(blank - merge->data), n_right = merge->len - n_left - 1;
    if (!n_left || !n_right)
        return "never ends, because it makes one of its own parts: the merge";
    if (memchr(right, ' ', n_right) || !is_token(l, merge->data, n_left, scratch) ||
        !is_token(l, right, n_right, scratch))
        return unknown;
    char *const joined = scratch + merge->len;
    memcpy(joined, merge->data, n_left);
    memcpy(joined + n_left, right, n_right);
    return is_token(l, joined, n_left + n_right, scratch) ? NULL : unknown;
}

static lq_status check_merges(const struct token_lookup *l, const struct tokenizer_json *t,
                              const char *file, lq_error *err)
{
    struct token_lookup merges;
    size_t longest = 0;
    for (uint32_t i = 0; i < t->n_merges; i++)
        longest = t->merges[i].len > longest ? t->merges[i].len : longest;
    char *const scratch = mem_calloc(longest + 1, 2);
    if (!scratch)
        return lq_fail_memory(err);
    lq_status status = LQ_OK;
    for (uint32_t i = 0; i < t->n_merges && status == LQ_OK; i++) {
        const char *const wrong = wrong_with(l, &t->merges[i], scratch);
        if (wrong)
            status = refuse(file, wrong, &t->merges[i], err);
    }
    free(scratch);
    LQ_TRY(status);
    LQ_TRY(make_lookup(&merges, t->merges, t->n_merges, "comes twice, with two ranks: the merge",
                       file, err));
    token_lookup_close(&merges);
    return LQ_OK;
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
    if (t->scores) /* Unigram has no merges; its tokens are looked at when they are written */
        return LQ_OK;
    struct token_lookup l;
    LQ_TRY(make_lookup(&l, t->vocab, t->n_vocab, two_ids, file, err));
    const lq_status status = check_merges(&l, t, file, err);
    token_lookup_close(&l);
    return status;
}
