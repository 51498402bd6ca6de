/* expression.c -- a parser of SPDX licence expressions by recursive descent. */
#include "libquant/license/expression.h"

#include "libquant/base/text.h"
#include "libquant/license/spdx.h"

#include <stdlib.h>
#include <string.h>

/* A set of choices under way. */
struct choices {
    uint64_t *set;
    size_t n;
};

/* A parsed part: what it offers, and how it is written. */
struct part {
    struct choices c;
    struct text written;
    bool is_or;
};

struct parser {
    struct expression *e;
    const char *start, *at;
    int depth;
    lq_error *err;
};

static lq_status bad(const struct parser *p, const char *what)
{
    return lq_fail(p->err, LQ_E_FORMAT, "licence expression, character %zu: %s",
                   (size_t)(p->at - p->start) + 1, what);
}

static lq_status too_large(const struct parser *p)
{
    return lq_fail(p->err, LQ_E_UNSUPPORTED, "the licence expression is too complex");
}

static void part_release(struct part *p)
{
    free(p->c.set);
    text_free(&p->written);
    *p = (struct part){0};
}

static void skip_spaces(struct parser *p)
{
    while (*p->at == ' ')
        p->at++;
}

static bool is_id_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == ':' || c == '_';
}

static size_t id_length(const char *s)
{
    size_t n = 0;
    while (is_id_char(s[n]))
        n++;
    return n;
}

/* True where the operator comes next, all in upper or all in lower case. */
static bool next_is(const struct parser *p, const char *upper, const char *lower)
{
    const size_t n = id_length(p->at);
    return n == strlen(upper) && (memcmp(p->at, upper, n) == 0 || memcmp(p->at, lower, n) == 0);
}

static bool is_operator(const struct parser *p)
{
    return next_is(p, "AND", "and") || next_is(p, "OR", "or") || next_is(p, "WITH", "with");
}

/* ---- leaves ---- */

static bool is_id_string(const char *s, size_t n)
{
    bool letter = false;
    for (size_t i = 0; i < n; i++) {
        if (s[i] == ':' || s[i] == '_')
            return false;
        letter |= s[i] != '-' && s[i] != '.';
    }
    return letter;
}

/* "LicenseRef-x" or "DocumentRef-y:LicenseRef-x" (kind: "LicenseRef-" or "AdditionRef-"). */
static bool is_reference(const char *s, size_t n, const char *kind)
{
    static const char document[] = "DocumentRef-";
    const char *const colon = memchr(s, ':', n);
    if (colon) {
        const size_t head = (size_t)(colon - s), prefix = sizeof document - 1;
        if (head < prefix || memcmp(s, document, prefix) != 0 ||
            !is_id_string(s + prefix, head - prefix))
            return false;
        n -= head + 1;
        s = colon + 1;
    }
    const size_t prefix = strlen(kind);
    return n > prefix && memcmp(s, kind, prefix) == 0 && is_id_string(s + prefix, n - prefix);
}

static bool is_special(const char *s, size_t n)
{
    return (n == 4 && memcmp(s, "NONE", 4) == 0) || (n == 11 && memcmp(s, "NOASSERTION", 11) == 0);
}

/* The identifier and its "+" to `id`, by the list where it is in it. */
static lq_status read_id(struct parser *p, struct text *id, unsigned *flags)
{
    const size_t n = id_length(p->at);
    const bool plus = p->at[n] == '+';
    if (!n || is_operator(p))
        return bad(p, "a licence identifier was expected");
    const struct spdx_license *l = spdx_license_find(p->at, n + plus); /* "GPL-2.0+" is listed */
    const bool whole = l != NULL;
    if (!l)
        l = spdx_license_find(p->at, n);
    const bool reference = is_reference(p->at, n, "LicenseRef-");
    if (!l && !reference &&
        (memchr(p->at, ':', n) || ascii_ncasecmp(p->at, "LicenseRef-", 11) == 0 ||
         ascii_ncasecmp(p->at, "DocumentRef-", 12) == 0))
        return bad(p, "no valid LicenseRef");
    if (plus && !l)
        return bad(p, "'+' stands only behind an identifier of the SPDX list");
    if (l) {
        const char *const now = spdx_replacement(l->id);
        text_puts(id, now ? now : l->id);
        *flags |= l->deprecated ? LEAF_DEPRECATED : 0;
    } else {
        text_put(id, p->at, n);
        *flags |= is_special(p->at, n) ? LEAF_SPECIAL : reference ? 0 : LEAF_UNKNOWN;
    }
    if (plus && !whole)
        text_putc(id, '+');
    p->at += n + plus;
    return LQ_OK;
}

static lq_status read_exception(struct parser *p, struct text *id, unsigned *flags)
{
    skip_spaces(p);
    const size_t n = id_length(p->at);
    if (!n || is_operator(p))
        return bad(p, "an exception was expected behind WITH");
    if (*flags & LEAF_SPECIAL)
        return bad(p, "NONE and NOASSERTION take no exception");
    const char *const known = spdx_exception_find(p->at, n);
    text_puts(id, " WITH ");
    if (known)
        text_puts(id, known);
    else
        text_put(id, p->at, n);
    if (!known && !is_reference(p->at, n, "AdditionRef-"))
        *flags |= LEAF_UNKNOWN;
    p->at += n;
    return LQ_OK;
}

/* Number of the leaf; EXPRESSION_LEAVES where there are too many, or no memory. */
static size_t leaf_number(struct expression *e, const struct text *id, unsigned flags)
{
    for (size_t i = 0; i < e->n_leaves; i++)
        if (ascii_casecmp(e->leaf[i].id, id->data) == 0) {
            e->leaf[i].flags |= flags;
            return i;
        }
    if (e->n_leaves == EXPRESSION_LEAVES)
        return EXPRESSION_LEAVES;
    char *const copy = strdup(id->data);
    if (!copy)
        return EXPRESSION_LEAVES;
    e->leaf[e->n_leaves] = (struct expression_leaf){copy, flags};
    return e->n_leaves++;
}

static lq_status read_leaf(struct parser *p, struct part *out, unsigned *special)
{
    unsigned flags = 0;
    lq_status status = read_id(p, &out->written, &flags);
    if (status == LQ_OK) {
        const char *const before = p->at;
        skip_spaces(p);
        if (p->at > before && next_is(p, "WITH", "with")) {
            p->at += 4;
            status = read_exception(p, &out->written, &flags);
        } else {
            p->at = before;
        }
    }
    LQ_TRY(status);
    if (out->written.failed)
        return lq_fail_memory(p->err);
    const size_t i = leaf_number(p->e, &out->written, flags);
    if (i == EXPRESSION_LEAVES)
        return too_large(p);
    out->c.set = malloc(sizeof *out->c.set);
    if (!out->c.set)
        return lq_fail_memory(p->err);
    out->c.set[0] = UINT64_C(1) << i;
    out->c.n = 1;
    *special |= flags & LEAF_SPECIAL;
    return LQ_OK;
}

/* ---- operators ---- */

static int by_value(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void sort_once(struct choices *c)
{
    size_t n = 0;
    qsort(c->set, c->n, sizeof *c->set, by_value);
    for (size_t i = 0; i < c->n; i++)
        if (!n || c->set[n - 1] != c->set[i])
            c->set[n++] = c->set[i];
    c->n = n;
}

/* a := a OR b, or a AND b. */
static lq_status join(const struct parser *p, struct choices *a, const struct choices *b,
                      bool with_or)
{
    const size_t n = with_or ? a->n + b->n : a->n * b->n;
    uint64_t *const set = malloc(n * sizeof *set);
    if (!set)
        return lq_fail_memory(p->err);
    for (size_t i = 0; i < n; i++)
        set[i] = !with_or   ? a->set[i / b->n] | b->set[i % b->n]
                 : i < a->n ? a->set[i]
                            : b->set[i - a->n];
    free(a->set);
    *a = (struct choices){set, n};
    sort_once(a);
    return a->n > EXPRESSION_CHOICES ? too_large(p) : LQ_OK;
}

static void put_part(struct text *t, const struct part *p, bool within_and)
{
    const bool brackets = within_and && p->is_or;
    text_printf(t, "%s%s%s", brackets ? "(" : "", p->written.data, brackets ? ")" : "");
}

static lq_status combine(const struct parser *p, struct part *a, struct part *b, bool with_or)
{
    LQ_TRY(join(p, &a->c, &b->c, with_or));
    struct text t = {0};
    put_part(&t, a, !with_or);
    text_puts(&t, with_or ? " OR " : " AND ");
    put_part(&t, b, !with_or);
    text_free(&a->written);
    a->written = t;
    a->is_or = with_or;
    return t.failed ? lq_fail_memory(p->err) : LQ_OK;
}

static lq_status parse_or(struct parser *p, struct part *out);

static lq_status parse_term(struct parser *p, struct part *out, unsigned *special)
{
    skip_spaces(p);
    if (*p->at != '(')
        return read_leaf(p, out, special);
    if (++p->depth > EXPRESSION_DEPTH)
        return too_large(p);
    p->at++;
    LQ_TRY(parse_or(p, out));
    skip_spaces(p);
    if (*p->at != ')')
        return bad(p, "')' was expected");
    p->at++;
    p->depth--;
    return LQ_OK;
}

/* True, and past it, where the operator comes next. */
static bool take(struct parser *p, const char *upper, const char *lower)
{
    const char *const before = p->at;
    skip_spaces(p);
    if (next_is(p, upper, lower) && (p->at > before || before[-1] == ')')) {
        p->at += strlen(upper);
        return true;
    }
    p->at = before;
    return false;
}

static lq_status parse_and(struct parser *p, struct part *out, unsigned *special)
{
    LQ_TRY(parse_term(p, out, special));
    while (take(p, "AND", "and")) {
        struct part more = {0};
        lq_status status = parse_term(p, &more, special);
        if (status == LQ_OK)
            status = combine(p, out, &more, false);
        part_release(&more);
        LQ_TRY(status);
    }
    return LQ_OK;
}

static lq_status parse_or(struct parser *p, struct part *out)
{
    unsigned special = 0;
    LQ_TRY(parse_and(p, out, &special));
    bool any = false;
    while (take(p, "OR", "or")) {
        struct part more = {0};
        lq_status status = parse_and(p, &more, &special);
        if (status == LQ_OK)
            status = combine(p, out, &more, true);
        part_release(&more);
        LQ_TRY(status);
        any = true;
    }
    return any && special ? bad(p, "NONE and NOASSERTION are no alternatives") : LQ_OK;
}

lq_status expression_parse(struct expression *e, const char *s, lq_error *err)
{
    struct parser p = {.e = e, .start = s, .at = s, .err = err};
    struct part all = {0};
    if (strnlen(s, EXPRESSION_BYTES + 1) > EXPRESSION_BYTES)
        return too_large(&p);
    lq_status status = parse_or(&p, &all);
    skip_spaces(&p);
    if (status == LQ_OK && *p.at)
        status = bad(&p, is_operator(&p) ? "an operator in the wrong place"
                                         : "an operator was expected");
    if (status == LQ_OK) {
        memcpy(e->choice, all.c.set, all.c.n * sizeof *e->choice);
        e->n_choices = all.c.n;
        e->written = all.written;
        all.written = (struct text){0};
    }
    part_release(&all);
    return status;
}

void expression_release(struct expression *e)
{
    for (size_t i = 0; i < e->n_leaves; i++)
        free(e->leaf[i].id);
    text_free(&e->written);
    *e = (struct expression){0};
}

/* ---- comparison ---- */

bool expression_equal(const struct expression *a, const struct expression *b)
{
    uint64_t as[EXPRESSION_CHOICES];
    if (a->n_leaves != b->n_leaves || a->n_choices != b->n_choices)
        return false;
    for (size_t i = 0; i < b->n_choices; i++) {
        as[i] = 0;
        for (size_t k = 0; k < b->n_leaves; k++) {
            size_t m = 0;
            while (m < a->n_leaves && ascii_casecmp(a->leaf[m].id, b->leaf[k].id) != 0)
                m++;
            if (m == a->n_leaves)
                return false;
            if (b->choice[i] >> k & 1)
                as[i] |= UINT64_C(1) << m;
        }
    }
    qsort(as, b->n_choices, sizeof *as, by_value);
    return memcmp(as, a->choice, a->n_choices * sizeof *as) == 0;
}
