/* charset.c -- sets of characters as sorted ranges. */
#include "libquant/model/charset.h"

#include <stdlib.h>
#include <string.h>

void charset_add(struct charset *c, uint32_t first, uint32_t last)
{
    if (c->failed || first > last)
        return;
    if (c->n && c->range[c->n - 1].last + 1 == first) { /* neighbours come in order, mostly */
        c->range[c->n - 1].last = last;
        return;
    }
    if (!mem_grow((void **)&c->range, &c->cap, c->n, sizeof *c->range)) {
        c->failed = true;
        return;
    }
    c->range[c->n++] = (struct unicode_range){first, last};
}

void charset_add_ranges(struct charset *c, const struct unicode_range *r, size_t n)
{
    for (size_t i = 0; i < n; i++)
        charset_add(c, r[i].first, r[i].last);
}

void charset_add_set(struct charset *c, const struct charset *other)
{
    charset_add_ranges(c, other->range, other->n);
    c->failed |= other->failed;
}

void charset_add_categories(struct charset *c, uint32_t categories)
{
    for (size_t i = 0; i < unicode_n_category_runs; i++) {
        const uint32_t run = unicode_category_runs[i];
        const uint32_t end = i + 1 < unicode_n_category_runs ? unicode_category_runs[i + 1] >> 8
                                                             : (uint32_t)UNICODE_END;
        if (categories >> (run & 0xff) & 1)
            charset_add(c, run >> 8, end - 1);
    }
}

void charset_add_spaces(struct charset *c)
{
    charset_add(c, '\t', '\r');
    charset_add(c, 0x85, 0x85);
    charset_add_categories(c, UC_SEPARATORS);
}

void charset_add_words(struct charset *c)
{
    charset_add_categories(c, UC_LETTERS | UC_MARKS | UC_BIT(UC_ND) | UC_BIT(UC_PC));
    charset_add_ranges(c, unicode_alphabetic, unicode_n_alphabetic);
    charset_add(c, 0xb2, 0xb3);
    charset_add(c, 0xb9, 0xb9);
    charset_add(c, 0xbc, 0xbe);
}

static int by_first(const void *a, const void *b)
{
    const struct unicode_range *const x = a, *const y = b;
    return (x->first > y->first) - (x->first < y->first);
}

void charset_settle(struct charset *c)
{
    size_t n = 0;
    if (c->n)
        qsort(c->range, c->n, sizeof *c->range, by_first);
    for (size_t i = 0; i < c->n; i++) {
        const struct unicode_range r = c->range[i];
        if (n && r.first <= c->range[n - 1].last + 1) {
            if (r.last > c->range[n - 1].last)
                c->range[n - 1].last = r.last;
        } else {
            c->range[n++] = r;
        }
    }
    c->n = n;
    c->ascii[0] = c->ascii[1] = 0;
    for (uint32_t cp = 0, i = 0; cp < 0x80; cp++) {
        while (i < n && c->range[i].last < cp)
            i++;
        if (i < n && c->range[i].first <= cp)
            c->ascii[cp >> 6] |= UINT64_C(1) << (cp & 63);
    }
}

void charset_invert(struct charset *c)
{
    struct charset out = {.failed = c->failed};
    uint32_t from = 0;
    charset_settle(c);
    for (size_t i = 0; i < c->n; i++) {
        if (c->range[i].first > from)
            charset_add(&out, from, c->range[i].first - 1);
        from = c->range[i].last + 1;
    }
    if (from < UNICODE_END)
        charset_add(&out, from, UNICODE_END - 1);
    charset_settle(&out);
    charset_free(c);
    *c = out;
}

void charset_intersect(struct charset *c, const struct charset *other)
{
    struct charset inverse = {0};
    charset_add_set(&inverse, other);
    charset_invert(&inverse);
    charset_invert(c);
    charset_add_set(c, &inverse);
    charset_invert(c);
    charset_free(&inverse);
}

/* Simple case folding, found through lower case: a and b fold alike where their lower cases are the
 * same. U+017F, a small letter, folds with "s" besides. */
static void add_alike(struct charset *c, uint32_t cp)
{
    const uint32_t low = cp == 0x17f ? 's' : unicode_lower(cp);
    charset_add(c, low, low);
    if (low == 's')
        charset_add(c, 0x17f, 0x17f);
    for (size_t i = 0; i < unicode_n_lower_runs; i++) {
        const struct unicode_case_run *const r = &unicode_lower_runs[i];
        const int64_t up = (int64_t)low - r->delta;
        if (up >= r->first && up <= r->last && (up - r->first) % r->step == 0)
            charset_add(c, (uint32_t)up, (uint32_t)up);
    }
}

void charset_fold(struct charset *c)
{
    struct charset more = {0};
    for (size_t i = 0; i < c->n; i++)
        for (uint32_t cp = c->range[i].first; cp <= c->range[i].last && cp < 0x1e944; cp++)
            if (cp < 0x80 || unicode_is(cp, UC_BIT(UC_LU) | UC_BIT(UC_LL) | UC_BIT(UC_LT)))
                add_alike(&more, cp);
    charset_add_set(c, &more);
    charset_free(&more);
    charset_settle(c);
}

void charset_free(struct charset *c)
{
    free(c->range);
    memset(c, 0, sizeof *c);
}

bool charset_has_wide(const struct charset *c, uint32_t cp)
{
    size_t low = 0, high = c->n;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (cp > c->range[mid].last)
            low = mid + 1;
        else
            high = mid;
    }
    return low < c->n && cp >= c->range[low].first;
}

/* ---- properties by name ---- */

static const struct {
    const char *name;
    uint32_t categories;
} category_names[] = {
    {"l", UC_LETTERS},         {"letter", UC_LETTERS},
    {"lu", UC_BIT(UC_LU)},     {"uppercase_letter", UC_BIT(UC_LU)},
    {"ll", UC_BIT(UC_LL)},     {"lowercase_letter", UC_BIT(UC_LL)},
    {"lt", UC_BIT(UC_LT)},     {"titlecase_letter", UC_BIT(UC_LT)},
    {"lm", UC_BIT(UC_LM)},     {"modifier_letter", UC_BIT(UC_LM)},
    {"lo", UC_BIT(UC_LO)},     {"other_letter", UC_BIT(UC_LO)},
    {"m", UC_MARKS},           {"mark", UC_MARKS},
    {"mn", UC_BIT(UC_MN)},     {"nonspacing_mark", UC_BIT(UC_MN)},
    {"mc", UC_BIT(UC_MC)},     {"spacing_mark", UC_BIT(UC_MC)},
    {"me", UC_BIT(UC_ME)},     {"enclosing_mark", UC_BIT(UC_ME)},
    {"n", UC_NUMBERS},         {"number", UC_NUMBERS},
    {"nd", UC_BIT(UC_ND)},     {"decimal_number", UC_BIT(UC_ND)},
    {"nl", UC_BIT(UC_NL)},     {"letter_number", UC_BIT(UC_NL)},
    {"no", UC_BIT(UC_NO)},     {"other_number", UC_BIT(UC_NO)},
    {"p", UC_PUNCTUATION},     {"punctuation", UC_PUNCTUATION},
    {"pc", UC_BIT(UC_PC)},     {"pd", UC_BIT(UC_PD)},
    {"ps", UC_BIT(UC_PS)},     {"pe", UC_BIT(UC_PE)},
    {"pi", UC_BIT(UC_PI)},     {"pf", UC_BIT(UC_PF)},
    {"po", UC_BIT(UC_PO)},     {"s", UC_SYMBOLS},
    {"symbol", UC_SYMBOLS},    {"sm", UC_BIT(UC_SM)},
    {"sc", UC_BIT(UC_SC)},     {"sk", UC_BIT(UC_SK)},
    {"so", UC_BIT(UC_SO)},     {"z", UC_SEPARATORS},
    {"separator", UC_SEPARATORS}, {"zs", UC_BIT(UC_ZS)},
    {"zl", UC_BIT(UC_ZL)},     {"zp", UC_BIT(UC_ZP)},
    {"c", UC_OTHERS},          {"other", UC_OTHERS},
    {"cc", UC_BIT(UC_CC)},     {"cf", UC_BIT(UC_CF)},
    {"cs", UC_BIT(UC_CS)},     {"co", UC_BIT(UC_CO)},
    {"cn", UC_BIT(UC_CN)},
};

static bool named(const char *lower, const char *name)
{
    return strcmp(lower, name) == 0;
}

bool charset_add_property(struct charset *c, const char *name, size_t len)
{
    char lower[32];
    if (len >= sizeof lower)
        return false;
    for (size_t i = 0; i <= len; i++)
        lower[i] = i == len ? '\0' : (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
    for (size_t i = 0; i < sizeof category_names / sizeof *category_names; i++)
        if (named(lower, category_names[i].name)) {
            charset_add_categories(c, category_names[i].categories);
            return true;
        }
    if (named(lower, "han") || named(lower, "script=han"))
        charset_add_ranges(c, unicode_han, unicode_n_han);
    else if (named(lower, "alphabetic") || named(lower, "alpha"))
        charset_add_ranges(c, unicode_alphabetic, unicode_n_alphabetic);
    else if (named(lower, "white_space") || named(lower, "space"))
        charset_add_spaces(c);
    else if (named(lower, "any"))
        charset_add(c, 0, UNICODE_END - 1);
    else
        return false;
    return true;
}
