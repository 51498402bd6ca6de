/* encode_normalize.c -- what tokenizer.json calls the normalizer. */
#include "libquant/model/encode_parts.h"
#include "libquant/model/unicode.h"

#include <stdlib.h>
#include <string.h>

static void put_char(struct text *out, uint32_t cp)
{
    char utf8[4];
    text_put(out, utf8, utf8_encode(utf8, cp));
}

static void lower(struct text *out, const char *s, size_t len)
{
    for (size_t i = 0; i < len;) {
        uint32_t cp;
        i += utf8_decode(s + i, len - i, &cp);
        if (cp < 0x80)
            text_putc(out, (char)(cp >= 'A' && cp <= 'Z' ? cp + 32 : cp));
        else
            unicode_put_lower(out, cp);
    }
}

/* Appends what is of none of the categories. */
static void put_without(struct text *out, const char *s, size_t len, uint32_t categories)
{
    for (size_t i = 0, n; i < len; i += n) {
        uint32_t cp;
        n = utf8_decode(s + i, len - i, &cp);
        if (cp < 0x80 || !unicode_is(cp, categories))
            text_put(out, s + i, n);
    }
}

static void strip(struct text *out, const char *s, size_t len, bool left, bool right)
{
    uint32_t cp;
    size_t from = 0, to = len, n;
    while (left && from < len && (n = utf8_decode(s + from, len - from, &cp)) &&
           unicode_is_space(cp))
        from += n;
    while (right && to > from) {
        size_t at = to - 1;
        while (at > from && ((uint8_t)s[at] & 0xc0) == 0x80)
            at--;
        utf8_decode(s + at, to - at, &cp);
        if (!unicode_is_space(cp))
            break;
        to = at;
    }
    text_put(out, s + from, to - from);
}

static void replace_text(struct text *out, const char *s, size_t len, const struct norm_step *step)
{
    const char *const end = s + len;
    if (step->from.len)
        for (const char *at; (at = memmem(s, (size_t)(end - s), step->from.data, step->from.len));
             s = at + step->from.len) {
            text_put(out, s, (size_t)(at - s));
            text_put(out, step->to.data, step->to.len);
        }
    text_put(out, s, (size_t)(end - s));
}

static lq_status replace_matches(struct run *r, const char *s, size_t len,
                                 const struct norm_step *step)
{
    size_t done = 0, from = 0;
    while (from <= len) {
        bool found;
        size_t begin, end;
        LQ_TRY(regex_find(step->regex, &r->regex, s, len, from, &found, &begin, &end, r->err));
        if (!found)
            break;
        text_put(&r->next, s + done, begin - done);
        text_put(&r->next, step->to.data, step->to.len);
        done = end;
        from = end > begin ? end : end + 1;
    }
    text_put(&r->next, s + done, len - done);
    return LQ_OK;
}

/* ---- BERT ---- */

/* CJK ideographs, by the blocks that BERT lists. */
static bool is_chinese(uint32_t cp)
{
    static const struct unicode_range blocks[] = {
        {0x4e00, 0x9fff},   {0x3400, 0x4dbf},   {0x20000, 0x2a6df}, {0x2a700, 0x2b73f},
        {0x2b740, 0x2b81f}, {0x2b920, 0x2ceaf}, {0xf900, 0xfaff},   {0x2f800, 0x2fa1f},
    };
    for (size_t i = 0; cp >= 0x3400 && i < sizeof blocks / sizeof *blocks; i++)
        if (cp >= blocks[i].first && cp <= blocks[i].last)
            return true;
    return false;
}

static void bert_clean(struct text *out, uint32_t cp)
{
    if (cp == 0 || cp == 0xfffd)
        return;
    if (cp == '\t' || cp == '\n' || cp == '\r' || unicode_is(cp, UC_SEPARATORS))
        text_putc(out, ' ');
    else if (!unicode_is(cp, UC_BIT(UC_CC) | UC_BIT(UC_CF) | UC_BIT(UC_CO)))
        put_char(out, cp);
}

static void bert(struct text *out, const char *s, size_t len, const struct norm_step *step)
{
    struct text a = {0}, b = {0};
    for (size_t i = 0; i < len;) {
        uint32_t cp;
        i += utf8_decode(s + i, len - i, &cp);
        const bool apart = step->chinese && is_chinese(cp);
        if (apart)
            text_putc(&a, ' ');
        if (step->clean)
            bert_clean(&a, cp);
        else
            put_char(&a, cp);
        if (apart)
            text_putc(&a, ' ');
    }
    if (step->accents) {
        unicode_put_normal(&b, a.data, a.len, UNICODE_NFD);
        a.len = 0;
        put_without(&a, b.data, b.len, UC_BIT(UC_MN));
    }
    if (step->lower)
        lower(out, a.data, a.len);
    else
        text_put(out, a.data, a.len);
    out->failed |= a.failed || b.failed;
    text_free(&a);
    text_free(&b);
}

/* ---- the others ---- */

/* What SentencePiece's "nmt" rules drop, and what they take for a blank. */
static void nmt(struct text *out, const char *s, size_t len)
{
    for (size_t i = 0, n; i < len; i += n) {
        uint32_t cp;
        n = utf8_decode(s + i, len - i, &cp);
        const bool control = (cp >= 1 && cp <= 8) || cp == 0xb || (cp >= 0xe && cp <= 0x1f) ||
                             cp == 0x7f || cp == 0x8f || cp == 0x9f;
        const bool blank = cp == 9 || cp == 0xa || cp == 0xc || cp == 0xd || cp == 0x1680 ||
                           (cp >= 0x200b && cp <= 0x200f) || cp == 0x2028 || cp == 0x2029 ||
                           cp == 0x2581 || cp == 0xfeff || cp == 0xfffd;
        if (blank)
            text_putc(out, ' ');
        else if (!control)
            text_put(out, s + i, n);
    }
}

/* ---- compiled rules ---- */

/* As the Rust library does it: grapheme clusters of up to 5 bytes are looked up whole, of which the
 * shortest beginning with a rule counts and the rest is lost; others character by character. */
static void by_graphemes(struct text *out, const char *s, size_t len, const struct charsmap *map)
{
    struct bytes to;
    for (size_t i = 0, n; i < len; i += n) {
        n = (uint8_t)s[i] < 0x80 && i + 1 < len && (uint8_t)s[i + 1] < 0x80 && s[i] != '\r'
                ? 1
                : unicode_grapheme(s + i, len - i);
        if (n < 6 && charsmap_find(map, s + i, n, false, &to)) {
            text_put(out, to.data, to.len);
            continue;
        }
        for (size_t k = 0, one; k < n; k += one) {
            uint32_t cp;
            one = utf8_decode(s + i + k, n - k, &cp);
            if (charsmap_find(map, s + i + k, one, false, &to))
                text_put(out, to.data, to.len);
            else
                text_put(out, s + i + k, one);
        }
    }
}

/* As SentencePiece does it: the longest rule at each place. */
static void by_prefixes(struct text *out, const char *s, size_t len, const struct norm_step *step)
{
    const bool prepend = step->left, join = step->right;
    bool prepended = false, in_word = false;
    for (size_t i = 0, n; i < len; i += n) {
        struct bytes to;
        uint32_t cp;
        n = charsmap_find(&step->charsmap, s + i, len - i, true, &to);
        if (!n) {
            n = utf8_decode(s + i, len - i, &cp);
            to = (struct bytes){s + i, n};
        }
        for (size_t k = 0; k < to.len; k++) {
            const bool blank = to.data[k] == ' ';
            if (!blank && !in_word && ((prepend && !prepended) || join)) {
                text_puts(out, LOWER_BLOCK);
                prepended = true;
            }
            if (!blank)
                text_putc(out, to.data[k]);
            else if (!join)
                text_puts(out, LOWER_BLOCK);
            in_word = !blank;
        }
    }
}

static lq_status apply(struct run *r, const struct norm_step *step)
{
    struct text *const out = &r->next;
    const char *const s = r->text.len ? r->text.data : "";
    const size_t len = r->text.len;
    switch (step->kind) {
    case NORMALIZE_FORM:          unicode_put_normal(out, s, len, (enum unicode_form)step->form); break;
    case NORMALIZE_LOWER:         lower(out, s, len); break;
    case NORMALIZE_STRIP:         strip(out, s, len, step->left, step->right); break;
    case NORMALIZE_STRIP_ACCENTS: put_without(out, s, len, UC_MARKS); break;
    case NORMALIZE_BERT:          bert(out, s, len, step); break;
    case NORMALIZE_NMT:           nmt(out, s, len); break;
    case NORMALIZE_BYTES:         put_byte_level(out, s, len); break;
    case NORMALIZE_PREPEND:
        if (len)
            text_put(out, step->to.data, step->to.len);
        text_put(out, s, len);
        break;
    case NORMALIZE_REPLACE:
        if (step->regex)
            return replace_matches(r, s, len, step);
        replace_text(out, s, len, step);
        break;
    case NORMALIZE_CHARSMAP:      by_graphemes(out, s, len, &step->charsmap); break;
    case NORMALIZE_SENTENCEPIECE: by_prefixes(out, s, len, step); break;
    }
    return LQ_OK;
}

lq_status normalize(struct run *r)
{
    for (size_t i = 0; i < r->e->n_norm; i++) {
        r->next.len = 0;
        LQ_TRY(apply(r, &r->e->norm[i]));
        const struct text text = r->text;
        r->text = r->next;
        r->next = text;
        if (r->text.failed || r->next.failed)
            return lq_fail_memory(r->err);
    }
    return LQ_OK;
}
