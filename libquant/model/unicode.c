/* unicode.c -- look-ups in the tables of unicode_data.c, and normal forms (UAX 15). */
#include "libquant/model/unicode.h"

#include "libquant/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* ---- classes ---- */

/* The value of the run that holds cp. */
static unsigned run_value(const uint32_t *runs, size_t n, uint32_t cp, unsigned before)
{
    size_t low = 0, high = n;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (runs[mid] >> 8 <= cp)
            low = mid + 1;
        else
            high = mid;
    }
    return low ? runs[low - 1] & 0xff : before;
}

enum unicode_category unicode_category_of(uint32_t cp)
{
    if (cp >= UNICODE_END)
        return UC_CN;
    return (enum unicode_category)run_value(unicode_category_runs, unicode_n_category_runs, cp, 0);
}

bool unicode_is(uint32_t cp, uint32_t set)
{
    return set >> unicode_category_of(cp) & 1;
}

static bool in_ranges(const struct unicode_range *r, size_t n, uint32_t cp)
{
    size_t low = 0, high = n;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (cp < r[mid].first)
            high = mid;
        else if (cp > r[mid].last)
            low = mid + 1;
        else
            return true;
    }
    return false;
}

bool unicode_is_space(uint32_t cp)
{
    if (cp < 0x80)
        return cp == ' ' || (cp >= '\t' && cp <= '\r');
    return cp == 0x85 || unicode_is(cp, UC_SEPARATORS);
}

bool unicode_is_punctuation(uint32_t cp)
{
    if (cp < 0x80)
        return unicode_is(cp, UC_PUNCTUATION | UC_SYMBOLS);
    return unicode_is(cp, UC_PUNCTUATION);
}

bool unicode_is_word(uint32_t cp)
{
    return unicode_is(cp, UC_LETTERS | UC_MARKS | UC_BIT(UC_ND) | UC_BIT(UC_PC)) || cp == 0x200c ||
           cp == 0x200d || in_ranges(unicode_alphabetic, unicode_n_alphabetic, cp);
}

uint32_t unicode_lower(uint32_t cp)
{
    size_t low = 0, high = unicode_n_lower_runs;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        const struct unicode_case_run *const r = &unicode_lower_runs[mid];
        if (cp < r->first)
            high = mid;
        else if (cp > r->last)
            low = mid + 1;
        else
            return (cp - r->first) % (uint32_t)r->step ? cp : (uint32_t)((int32_t)cp + r->delta);
    }
    return cp;
}

static void put_char(struct text *out, uint32_t cp)
{
    char utf8[4];
    text_put(out, utf8, utf8_encode(utf8, cp));
}

void unicode_put_lower(struct text *out, uint32_t cp)
{
    put_char(out, cp == 0x130 ? 'i' : unicode_lower(cp));
    if (cp == 0x130)
        put_char(out, 0x307);
}

/* ---- normal forms ---- */

/* Hangul syllables are made of letters by rule (Unicode, section 3.12). */
enum {
    SYLLABLES = 0xac00, LEADS = 0x1100, VOWELS = 0x1161, TAILS = 0x11a7,
    N_LEADS = 19, N_VOWELS = 21, N_TAILS = 28,
    N_SYLLABLES = N_LEADS * N_VOWELS * N_TAILS
};

/* Characters with their combining class: cp << 8 | class. */
struct chars {
    uint32_t *item;
    size_t n, cap;
    bool failed;
};

static unsigned class_of(uint32_t cp)
{
    return cp < 0x300 ? 0 : run_value(unicode_combining_runs, unicode_n_combining_runs, cp, 0);
}

static void push(struct chars *c, uint32_t cp)
{
    if (c->failed || !mem_grow((void **)&c->item, &c->cap, c->n, sizeof *c->item)) {
        c->failed = true;
        return;
    }
    c->item[c->n++] = cp << 8 | class_of(cp);
}

static const struct unicode_decomposition *decomposition_of(uint32_t cp)
{
    size_t low = 0, high = unicode_n_decompositions;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        const struct unicode_decomposition *const d = &unicode_decompositions[mid];
        if (d->cp == cp)
            return d;
        if (d->cp < cp)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

static void push_decomposed(struct chars *c, uint32_t cp, bool compatible)
{
    if (cp < 0xa0) {
        push(c, cp);
        return;
    }
    if (cp - SYLLABLES < N_SYLLABLES) {
        const uint32_t s = cp - SYLLABLES;
        push(c, LEADS + s / (N_VOWELS * N_TAILS));
        push(c, VOWELS + s / N_TAILS % N_VOWELS);
        if (s % N_TAILS)
            push(c, TAILS + s % N_TAILS);
        return;
    }
    const struct unicode_decomposition *const d = decomposition_of(cp);
    if (!d || (d->compatible && !compatible)) {
        push(c, cp);
        return;
    }
    for (unsigned i = 0; i < d->len; i++)
        push_decomposed(c, unicode_decomposed[d->at + i], compatible);
}

/* Stable, by class: counting, for runs that are longer than any language has them. */
static bool sort_long(uint32_t *item, size_t n)
{
    size_t at[257] = {0};
    uint32_t *const sorted = mem_calloc(n, sizeof *sorted);
    if (!sorted)
        return false;
    for (size_t i = 0; i < n; i++)
        at[(item[i] & 0xff) + 1]++;
    for (size_t i = 1; i < 257; i++)
        at[i] += at[i - 1];
    for (size_t i = 0; i < n; i++)
        sorted[at[item[i] & 0xff]++] = item[i];
    memcpy(item, sorted, n * sizeof *item);
    free(sorted);
    return true;
}

static bool sort_marks(uint32_t *item, size_t n)
{
    if (n > 32)
        return sort_long(item, n);
    for (size_t i = 1; i < n; i++) {
        const uint32_t v = item[i];
        size_t j = i;
        for (; j > 0 && (item[j - 1] & 0xff) > (v & 0xff); j--)
            item[j] = item[j - 1];
        item[j] = v;
    }
    return true;
}

static void put_in_order(struct chars *c)
{
    for (size_t i = 0; i < c->n;) {
        size_t n = 0;
        while (i + n < c->n && c->item[i + n] & 0xff)
            n++;
        if (n > 1 && !sort_marks(c->item + i, n))
            c->failed = true;
        i += n + 1;
    }
}

/* The character that two make, or 0. */
static uint32_t composed(uint32_t a, uint32_t b)
{
    if (a - LEADS < N_LEADS && b - VOWELS < N_VOWELS)
        return SYLLABLES + ((a - LEADS) * N_VOWELS + (b - VOWELS)) * N_TAILS;
    if (a - SYLLABLES < N_SYLLABLES && (a - SYLLABLES) % N_TAILS == 0 && b - TAILS - 1 < N_TAILS - 1)
        return a + (b - TAILS);
    size_t low = 0, high = unicode_n_pairs;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        const struct unicode_pair *const p = &unicode_pairs[mid];
        if (p->first == a && p->second == b)
            return p->composed;
        if (p->first < a || (p->first == a && p->second < b))
            low = mid + 1;
        else
            high = mid;
    }
    return 0;
}

/* A mark joins the last starter where none of its class, or of a higher one, stands between. */
static void compose(struct chars *c)
{
    size_t n = 0, starter = SIZE_MAX;
    unsigned last = 0;
    for (size_t i = 0; i < c->n; i++) {
        const uint32_t v = c->item[i];
        const unsigned class = v & 0xff;
        if (starter != SIZE_MAX && (n == starter + 1 || (last < class && last))) {
            const uint32_t made = composed(c->item[starter] >> 8, v >> 8);
            if (made) {
                c->item[starter] = made << 8;
                continue;
            }
        }
        if (!class)
            starter = n;
        last = class;
        c->item[n++] = v;
    }
    c->n = n;
}

static void flush(struct text *out, struct chars *c, bool composes)
{
    put_in_order(c);
    if (composes)
        compose(c);
    for (size_t i = 0; i < c->n; i++)
        put_char(out, c->item[i] >> 8);
    c->n = 0;
}

void unicode_put_normal(struct text *out, const char *s, size_t len, enum unicode_form form)
{
    const bool compatible = form == UNICODE_NFKC || form == UNICODE_NFKD;
    const bool composes = form == UNICODE_NFC || form == UNICODE_NFKC;
    struct chars c = {0};
    for (size_t i = 0; i < len && !c.failed;) {
        size_t plain = 0; /* ASCII is itself in all forms, and nothing but a mark joins it */
        while (i + plain < len && !((uint8_t)s[i + plain] & 0x80))
            plain++;
        if (plain > 1) {
            flush(out, &c, composes);
            text_put(out, s + i, plain - 1);
            i += plain - 1;
        }
        uint32_t cp;
        i += utf8_decode(s + i, len - i, &cp);
        push_decomposed(&c, cp, compatible);
    }
    flush(out, &c, composes);
    if (c.failed)
        out->failed = true;
    free(c.item);
}

/* ---- grapheme clusters ---- */

size_t unicode_grapheme(const char *s, size_t len)
{
    uint32_t cp, next;
    size_t n = utf8_decode(s, len, &cp);
    while (n < len) {
        const size_t more = utf8_decode(s + n, len - n, &next);
        const bool control =
            in_ranges(unicode_grapheme_control, unicode_n_grapheme_control, cp) ||
            in_ranges(unicode_grapheme_control, unicode_n_grapheme_control, next);
        if (control && !(cp == '\r' && next == '\n'))
            break;
        if (!control && !in_ranges(unicode_grapheme_extend, unicode_n_grapheme_extend, next) &&
            !in_ranges(unicode_grapheme_prepend, unicode_n_grapheme_prepend, cp))
            break;
        n += more;
        cp = next;
    }
    return n;
}
