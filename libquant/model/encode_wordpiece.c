/* encode_wordpiece.c -- WordPiece: a word's longest beginning that is a token, then the longest of the
 * rest, and so on; a word with a rest that no token begins is unknown. WordLevel: whole words. */
#include "libquant/model/encode_parts.h"

#include <stdlib.h>
#include <string.h>

static bool too_long(const struct encoder *e, const char *s, size_t len)
{
    size_t chars = 0;
    if (len <= e->most_chars)
        return false;
    for (size_t i = 0; i < len; i++)
        chars += ((uint8_t)s[i] & 0xc0) != 0x80;
    return chars > e->most_chars;
}

/* The longest token from a node on: its length, or 0. */
static size_t longest(struct run *r, uint32_t node, const char *s, size_t len, uint32_t *id)
{
    const struct token_trie *const t = &r->e->pieces;
    size_t best = 0, i = 0;
    while (i < len && (node = token_trie_step(t, node, (uint8_t)s[i]))) {
        i++;
        if (t->node[node].value != NO_TOKEN) {
            best = i;
            *id = t->node[node].value;
        }
    }
    return run_spend(r, i + 1) ? best : 0;
}

static lq_status put_unknown(struct run *r)
{
    return r->e->unk == NO_TOKEN ? LQ_OK : run_put(r, r->e->unk);
}

static lq_status wordpiece_word(struct run *r, const char *s, size_t len)
{
    const struct encoder *const e = r->e;
    const size_t before = r->out->n;
    if (too_long(e, s, len))
        return put_unknown(r);
    for (size_t at = 0, n; at < len; at += n) {
        uint32_t id = 0;
        n = at && e->rest_node == NO_TOKEN
                ? 0
                : longest(r, at ? e->rest_node : 0, s + at, len - at, &id);
        if (!n) {
            r->out->n = before;
            return run_spend(r, 1) ? put_unknown(r) : run_exhausted(r);
        }
        LQ_TRY(run_put(r, id));
    }
    return LQ_OK;
}

static lq_status wordlevel_word(struct run *r, const char *s, size_t len)
{
    const int64_t id = token_find(&r->e->lookup, s, len);
    return id < 0 ? put_unknown(r) : run_put(r, (uint32_t)id);
}

lq_status encoder_set_wordpiece(struct encoder *e, struct bytes rest_prefix, uint32_t most_chars,
                                lq_error *err)
{
    struct trie_entry *const entry = mem_calloc(e->n_tokens, sizeof *entry);
    size_t n = 0;
    lq_status status = entry ? LQ_OK : lq_fail_memory(err);
    for (uint32_t i = 0; i < e->n_tokens && status == LQ_OK; i++)
        if (e->tokens[i].data && e->tokens[i].len)
            entry[n++] = (struct trie_entry){e->tokens[i], i};
    if (status == LQ_OK)
        status = token_trie_make(&e->pieces, entry, n, err);
    free(entry);
    e->most_chars = most_chars;
    e->rest_node = 0;
    for (size_t i = 0; i < rest_prefix.len; i++) {
        e->rest_node = token_trie_step(&e->pieces, e->rest_node, (uint8_t)rest_prefix.data[i]);
        if (!e->rest_node) { /* no token has it */
            e->rest_node = NO_TOKEN;
            break;
        }
    }
    e->word = wordpiece_word;
    return status;
}

void encoder_set_wordlevel(struct encoder *e)
{
    e->word = wordlevel_word;
}
