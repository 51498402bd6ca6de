/* encode_split.c -- texts into words: what tokenizer.json calls the pre-tokenizer. */
#include "libquant/model/encode_parts.h"

#include <stdlib.h>
#include <string.h>

/* GPT-2's, which "ByteLevel" means when it cuts. */
const char gpt2_pattern[] = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|"
                            "\\s+(?!\\S)|\\s+";

/* ---- byte level ---- */

uint32_t byte_level_char(uint8_t c)
{
    const bool shown = (c >= '!' && c <= '~') || (c >= 0xa1 && c != 0xad);
    if (shown)
        return c;
    /* The others follow from U+0100 on, in their order. */
    return c <= ' ' ? 0x100u + c : c < 0xa1 ? 0x100u + 33 + (c - 0x7fu) : 0x143;
}

int byte_level_byte(uint32_t cp)
{
    if (cp < 0x100)
        return byte_level_char((uint8_t)cp) == cp ? (int)cp : -1;
    if (cp <= 0x120)
        return (int)(cp - 0x100);
    if (cp <= 0x142)
        return (int)(cp - 0x121 + 0x7f);
    return cp == 0x143 ? 0xad : -1;
}

void put_byte_level(struct text *out, const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char utf8[4];
        const uint32_t cp = byte_level_char((uint8_t)s[i]);
        if (cp < 0x80)
            text_putc(out, (char)cp);
        else
            text_put(out, utf8, utf8_encode(utf8, cp));
    }
}

/* ---- cutting ---- */

lq_status spans_put(struct spans *s, size_t at, size_t len, lq_error *err)
{
    if (!len)
        return LQ_OK;
    if (!mem_grow((void **)&s->item, &s->cap, s->n, sizeof *s->item))
        return lq_fail_memory(err);
    s->item[s->n++] = (struct span){(uint32_t)at, (uint32_t)len};
    return LQ_OK;
}

/* Receives the parts of a word, matches and what is between them, and puts what the behaviour makes
 * of them. `held` may still grow. */
struct cutter {
    struct run *r;
    const struct pre_step *step;
    struct span held;
    bool has_held, held_match, last_match;
};

static lq_status let_go(struct cutter *c)
{
    const bool had = c->has_held;
    c->has_held = false;
    return had ? spans_put(&c->r->next_spans, c->held.at, c->held.len, c->r->err) : LQ_OK;
}

/* Whether the part joins the one before it. A part that a match has joined takes no second one. */
static bool joins(const struct cutter *c, bool match)
{
    switch (c->step->behaviour) {
    case SPLIT_CONTIGUOUS: return c->has_held && c->held_match == match;
    case SPLIT_PREVIOUS:   return c->has_held && match && !c->last_match;
    case SPLIT_NEXT:       return c->has_held && !match && c->held_match;
    default:               return false;
    }
}

static lq_status put_part(struct cutter *c, size_t at, size_t len, bool match)
{
    if (c->step->invert)
        match = !match;
    if (joins(c, match)) {
        c->held.len += (uint32_t)len;
        c->held_match &= match;
    } else {
        LQ_TRY(let_go(c));
        c->has_held = !(match && c->step->behaviour == SPLIT_REMOVED);
        c->held = (struct span){(uint32_t)at, (uint32_t)len};
        c->held_match = match;
    }
    c->last_match = match;
    return LQ_OK;
}

/* One word. Matches may be empty: they cut, too. */
static lq_status cut_word(struct run *r, const struct pre_step *step, struct span word)
{
    struct cutter c = {.r = r, .step = step};
    const char *const s = r->text.data + word.at;
    size_t done = 0, from = 0;
    while (from <= word.len) {
        bool found;
        size_t begin, end;
        LQ_TRY(regex_find(step->regex, &r->regex, s, word.len, from, &found, &begin, &end, r->err));
        if (!found)
            break;
        if (begin > done)
            LQ_TRY(put_part(&c, word.at + done, begin - done, false));
        LQ_TRY(put_part(&c, word.at + begin, end - begin, true));
        done = end;
        from = end > begin ? end : end + 1; /* regex_find goes on to the next character */
    }
    if (done < word.len)
        LQ_TRY(put_part(&c, word.at + done, word.len - done, false));
    return let_go(&c);
}

/* ---- steps that rewrite words ---- */

static bool begins_with(const char *s, size_t len, const struct bytes *what)
{
    return len >= what->len && memcmp(s, what->data, what->len) == 0;
}

static lq_status put_blank(struct run *r, struct span word)
{
    const char *const s = r->text.data + word.at;
    const size_t at = r->next.len;
    if (*s != ' ')
        text_putc(&r->next, ' ');
    text_put(&r->next, s, word.len);
    return spans_put(&r->next_spans, at, r->next.len - at, r->err);
}

static lq_status put_bytes(struct run *r, struct span word)
{
    const size_t at = r->next.len;
    put_byte_level(&r->next, r->text.data + word.at, word.len);
    return spans_put(&r->next_spans, at, r->next.len - at, r->err);
}

static lq_status put_metaspace(struct run *r, const struct pre_step *step, struct span word)
{
    const char *const s = r->text.data + word.at;
    const bool first = r->at_start && word.at == 0;
    const size_t at = r->next.len;
    const bool marked = begins_with(s, word.len, &step->to) || *s == ' ';
    if (step->scheme == PREPEND_MARK ||
        (!marked && (step->scheme == PREPEND_ALWAYS || (step->scheme == PREPEND_FIRST && first))))
        text_put(&r->next, step->to.data, step->to.len);
    for (size_t i = 0; i < word.len; i++)
        text_put(&r->next, s[i] == ' ' ? step->to.data : s + i, s[i] == ' ' ? step->to.len : 1);
    if (!step->cut || r->next.failed)
        return spans_put(&r->next_spans, at, r->next.len - at, r->err);
    size_t from = at;
    for (size_t i = at + 1; i < r->next.len; i++)
        if (begins_with(r->next.data + i, r->next.len - i, &step->to)) {
            LQ_TRY(spans_put(&r->next_spans, from, i - from, r->err));
            from = i;
        }
    return spans_put(&r->next_spans, from, r->next.len - from, r->err);
}

static lq_status apply(struct run *r, const struct pre_step *step, struct span word)
{
    switch (step->kind) {
    case PRE_SPLIT: return cut_word(r, step, word);
    case PRE_BLANK: return put_blank(r, word);
    case PRE_BYTES: return put_bytes(r, word);
    default:        return put_metaspace(r, step, word);
    }
}

lq_status cut_words(struct run *r)
{
    r->spans.n = 0;
    LQ_TRY(spans_put(&r->spans, 0, r->text.len, r->err));
    for (size_t i = 0; i < r->e->n_pre; i++) {
        const struct pre_step *const step = &r->e->pre[i];
        r->next_spans.n = 0;
        r->next.len = 0;
        for (size_t k = 0; k < r->spans.n; k++)
            LQ_TRY(apply(r, step, r->spans.item[k]));
        const struct spans spans = r->spans;
        r->spans = r->next_spans;
        r->next_spans = spans;
        if (step->kind == PRE_SPLIT)
            continue;
        const struct text text = r->text;
        r->text = r->next;
        r->next = text;
        if (r->text.failed)
            return lq_fail_memory(r->err);
    }
    return LQ_OK;
}
