/* regex_parse.c -- patterns into trees. */
#include "libquant/model/regex_parts.h"

#include "libquant/base/text.h"

#include <stdlib.h>
#include <string.h>

/* ---- the tree ---- */

uint32_t regex_fail(struct parser *p, lq_status status, const char *what)
{
    if (p->status == LQ_OK) {
        struct text shown = {0};
        text_put_printable(&shown, p->s, p->len < 200 ? p->len : 200);
        p->status = shown.failed ? lq_fail_memory(p->err)
                                 : lq_fail(p->err, status, "the pattern %s at its byte %zu: %s", what,
                                           p->at, shown.len ? shown.data : "");
        text_free(&shown);
    }
    return 0;
}

uint32_t regex_no_memory(struct parser *p)
{
    if (p->status == LQ_OK)
        p->status = lq_fail_memory(p->err);
    return 0;
}

static uint32_t add(struct parser *p, struct node node)
{
    if (!mem_grow((void **)&p->node, &p->cap, p->n, sizeof *p->node))
        return regex_no_memory(p);
    p->node[p->n] = node;
    return (uint32_t)++p->n;
}

uint32_t regex_keep_set(struct parser *p, struct charset *set)
{
    struct regex *const r = p->r;
    charset_settle(set);
    for (size_t i = 0; i < r->n_sets; i++)
        if (r->sets[i].n == set->n && (!set->n || memcmp(r->sets[i].range, set->range,
                                                         set->n * sizeof *set->range) == 0)) {
            charset_free(set);
            return (uint32_t)i;
        }
    if (set->failed || r->n_sets == MOST_SETS ||
        !mem_grow((void **)&r->sets, &r->cap_sets, r->n_sets, sizeof *r->sets)) {
        if (r->n_sets == MOST_SETS)
            regex_fail(p, LQ_E_UNSUPPORTED, "has too many sets of characters");
        else
            regex_no_memory(p);
        charset_free(set);
        return 0;
    }
    r->sets[r->n_sets] = *set;
    return (uint32_t)r->n_sets++;
}

static uint32_t add_set(struct parser *p, struct charset *set)
{
    if (p->fold)
        charset_fold(set);
    return add(p, (struct node){.kind = N_SET, .x = regex_keep_set(p, set)});
}

/* ---- characters ---- */

static bool more(const struct parser *p)
{
    return p->status == LQ_OK && p->at < p->len;
}

static bool next_is(const struct parser *p, const char *word)
{
    const size_t n = strlen(word);
    return p->len - p->at >= n && memcmp(p->s + p->at, word, n) == 0;
}

static bool take(struct parser *p, const char *word)
{
    if (!next_is(p, word))
        return false;
    p->at += strlen(word);
    return true;
}

static uint32_t take_char(struct parser *p)
{
    uint32_t cp = 0;
    p->at += utf8_decode(p->s + p->at, p->len - p->at, &cp);
    return cp;
}

/* Hexadecimal digits, at least one and at most `most`. */
static uint32_t take_hex(struct parser *p, int most)
{
    uint32_t v = 0;
    int n = 0;
    for (; n < most && p->at < p->len; n++, p->at++) {
        const char c = p->s[p->at];
        const char *const digits = "0123456789abcdef";
        const char *const d = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;
        if (!d)
            break;
        v = v << 4 | (uint32_t)(d - digits);
    }
    if (!n || v >= UNICODE_END)
        regex_fail(p, LQ_E_UNSUPPORTED, "has no character's number");
    return v;
}

/* After the backslash: a character that stands for itself or has a name. */
static uint32_t take_escaped(struct parser *p)
{
    static const char names[] = "nrtfvae0", values[] = "\n\r\t\f\v\a\x1b";
    const char c = p->s[p->at];
    const char *const name = c ? strchr(names, c) : NULL;
    if (take(p, "x{")) {
        const uint32_t cp = take_hex(p, 6);
        if (!take(p, "}"))
            regex_fail(p, LQ_E_UNSUPPORTED, "lacks a brace");
        return cp;
    }
    if (take(p, "x"))
        return take_hex(p, 2);
    if (take(p, "u"))
        return take_hex(p, 4);
    if (name) {
        p->at++;
        return (uint8_t)values[name - names];
    }
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '1' && c <= '9'))
        return regex_fail(p, LQ_E_UNSUPPORTED, "has an escape that is not known here");
    return take_char(p);
}

/* \p{NAME}, \P{NAME}, \p{^NAME}, after the backslash. */
static void take_property(struct parser *p, struct charset *set)
{
    struct charset one = {0};
    bool negated = p->s[p->at] == 'P';
    p->at++;
    if (!take(p, "{")) {
        regex_fail(p, LQ_E_UNSUPPORTED, "lacks a brace");
        return;
    }
    if (take(p, "^"))
        negated = !negated;
    const char *const name = p->s + p->at;
    const char *const end = memchr(name, '}', p->len - p->at);
    if (!end || !charset_add_property(&one, name, (size_t)(end - name))) {
        regex_fail(p, LQ_E_UNSUPPORTED, "names a property that is not known here");
    } else {
        p->at += (size_t)(end - name) + 1;
        if (negated)
            charset_invert(&one);
        charset_add_set(set, &one);
    }
    charset_free(&one);
}

/* \s and the like, after the backslash. False where it is none of them. */
static bool take_class(struct parser *p, struct charset *set)
{
    static const char kinds[] = "sSdDwWhH";
    const char c = p->at < p->len ? p->s[p->at] : 0;
    if (c == 'p' || c == 'P') {
        take_property(p, set);
        return true;
    }
    const char *const kind = c ? strchr(kinds, c) : NULL;
    if (!kind)
        return false;
    struct charset one = {0};
    p->at++;
    switch (*kind | 32) {
    case 's': charset_add_spaces(&one); break;
    case 'd': charset_add_categories(&one, UC_BIT(UC_ND)); break;
    case 'w': charset_add_words(&one); break;
    default:
        charset_add(&one, '0', '9');
        charset_add(&one, 'A', 'F');
        charset_add(&one, 'a', 'f');
        break;
    }
    if (*kind < 'a')
        charset_invert(&one);
    charset_add_set(set, &one);
    charset_free(&one);
    return true;
}

/* ---- sets ---- */

static void take_set(struct parser *p, struct charset *set);

/* Behind a backslash. */
static uint32_t take_escaped_if_there(struct parser *p)
{
    return p->at < p->len ? take_escaped(p)
                          : regex_fail(p, LQ_E_UNSUPPORTED, "ends in a backslash");
}

/* One member: a character, a range, a class, or a set within the set. */
static void take_member(struct parser *p, struct charset *set)
{
    if (next_is(p, "[:")) {
        regex_fail(p, LQ_E_UNSUPPORTED, "has a POSIX class");
        return;
    }
    if (take(p, "[")) {
        struct charset inner = {0};
        take_set(p, &inner);
        charset_add_set(set, &inner);
        charset_free(&inner);
        return;
    }
    uint32_t first;
    if (take(p, "\\")) {
        if (take_class(p, set))
            return;
        first = take_escaped_if_there(p);
    } else {
        first = take_char(p);
    }
    uint32_t last = first;
    if (next_is(p, "-") && p->at + 1 < p->len && p->s[p->at + 1] != ']' && p->s[p->at + 1] != '[') {
        p->at++;
        last = take(p, "\\") ? take_escaped_if_there(p) : take_char(p);
        if (last < first)
            regex_fail(p, LQ_E_UNSUPPORTED, "has a range that ends before it begins");
    }
    charset_add(set, first, last);
}

/* After "[". "&&" binds weaker than everything else. */
static void take_set(struct parser *p, struct charset *set)
{
    struct charset all = {0};
    bool joined = false;
    const bool negated = take(p, "^");
    if (++p->depth > MOST_DEPTH)
        regex_fail(p, LQ_E_UNSUPPORTED, "is nested too deeply");
    for (bool first = true; more(p) && (first || !next_is(p, "]")); first = false) {
        if (!take(p, "&&")) {
            take_member(p, set);
            continue;
        }
        if (joined)
            charset_intersect(&all, set);
        else
            charset_add_set(&all, set);
        joined = true;
        charset_free(set);
    }
    if (!take(p, "]"))
        regex_fail(p, LQ_E_UNSUPPORTED, "lacks a bracket");
    if (joined)
        charset_intersect(set, &all);
    charset_free(&all);
    if (p->fold)
        charset_fold(set);
    charset_settle(set);
    if (negated)
        charset_invert(set);
    p->depth--;
}

/* ---- expressions ---- */

static uint32_t take_alternatives(struct parser *p);

static uint32_t close_group(struct parser *p, uint32_t node)
{
    if (!take(p, ")"))
        regex_fail(p, LQ_E_UNSUPPORTED, "lacks a parenthesis");
    return node;
}

/* (?=..) and the like; behind, for one character only. */
static uint32_t take_look(struct parser *p, bool behind, bool negated)
{
    const uint32_t child = close_group(p, take_alternatives(p));
    if (!behind || !child)
        return add(p, (struct node){.kind = N_LOOK, .negated = negated, .child = child});
    struct node *n = regex_node(p, child);
    while ((n->kind == N_ALT || n->kind == N_CAT) && n->child && !regex_node(p, n->child)->next)
        n = regex_node(p, n->child);
    struct charset set = {0};
    uint32_t x = n->x;
    if (n->kind == N_CHAR) {
        charset_add(&set, n->x, n->x);
        x = regex_keep_set(p, &set);
    } else if (n->kind != N_SET) {
        return regex_fail(p, LQ_E_UNSUPPORTED, "looks back over more than one character");
    }
    return add(p, (struct node){.kind = N_BEHIND, .negated = negated, .x = x});
}

/* After "(?": (?:..) (?i:..) (?i) (?-i:..) (?>..) and looks. */
static uint32_t take_special(struct parser *p)
{
    if (take(p, ":"))
        return close_group(p, take_alternatives(p));
    if (take(p, ">")) {
        const uint32_t child = close_group(p, take_alternatives(p));
        return add(p, (struct node){.kind = N_ATOMIC, .child = child});
    }
    if (next_is(p, "=") || next_is(p, "!") || next_is(p, "<=") || next_is(p, "<!")) {
        const bool behind = take(p, "<"), negated = next_is(p, "!");
        p->at++;
        return take_look(p, behind, negated);
    }
    bool on = true;
    while (more(p) && (next_is(p, "i") || next_is(p, "-") || next_is(p, "m") || next_is(p, "s"))) {
        const char c = p->s[p->at++];
        if (c == '-')
            on = false;
        else if (c == 'i')
            p->fold = on;
        else
            return regex_fail(p, LQ_E_UNSUPPORTED, "has an option that is not known here");
    }
    if (take(p, ":"))
        return close_group(p, take_alternatives(p));
    return regex_fail(p, LQ_E_UNSUPPORTED, "has a group that is not known here");
}

static uint32_t take_group(struct parser *p)
{
    const bool fold = p->fold;
    uint32_t node;
    if (++p->depth > MOST_DEPTH)
        return regex_fail(p, LQ_E_UNSUPPORTED, "is nested too deeply");
    if (take(p, "?")) {
        size_t i = p->at;
        while (i < p->len && (p->s[i] == 'i' || p->s[i] == '-'))
            i++;
        const bool for_rest = i > p->at && i < p->len && p->s[i] == ')';
        if (for_rest) { /* (?i), for the rest of the enclosing group, whose end puts it back */
            p->fold = p->s[i - 1] == 'i' && p->s[p->at] != '-';
            p->at = i + 1;
            p->depth--;
            return add(p, (struct node){.kind = N_EMPTY});
        }
        node = take_special(p);
    } else {
        node = close_group(p, take_alternatives(p));
    }
    p->fold = fold;
    p->depth--;
    return node;
}

static uint32_t add_place(struct parser *p, enum regex_place place)
{
    return add(p, (struct node){.kind = N_PLACE, .x = place});
}

static uint32_t add_char(struct parser *p, uint32_t cp)
{
    struct charset set = {0};
    if (!p->fold)
        return add(p, (struct node){.kind = N_CHAR, .x = cp});
    charset_add(&set, cp, cp);
    return add_set(p, &set);
}

static uint32_t take_backslash(struct parser *p)
{
    static const char places[] = "AzZbB";
    static const enum regex_place place[] = {PLACE_TEXT_BEGIN, PLACE_TEXT_END, PLACE_LAST_LINE_END,
                                             PLACE_WORD_EDGE, PLACE_NO_WORD_EDGE};
    struct charset set = {0};
    if (p->at == p->len)
        return regex_fail(p, LQ_E_UNSUPPORTED, "ends in a backslash");
    const char *const known = p->s[p->at] ? strchr(places, p->s[p->at]) : NULL;
    if (known) {
        p->at++;
        return add_place(p, place[known - places]);
    }
    if (take_class(p, &set))
        return add_set(p, &set);
    return add_char(p, take_escaped(p));
}

static uint32_t take_atom(struct parser *p)
{
    struct charset set = {0};
    if (take(p, "("))
        return take_group(p);
    if (take(p, "[")) {
        take_set(p, &set);
        return add(p, (struct node){.kind = N_SET, .x = regex_keep_set(p, &set)});
    }
    if (take(p, "\\"))
        return take_backslash(p);
    if (take(p, "^"))
        return add_place(p, PLACE_LINE_BEGIN);
    if (take(p, "$"))
        return add_place(p, PLACE_LINE_END);
    if (take(p, ".")) {
        charset_add(&set, '\n', '\n');
        charset_invert(&set);
        return add(p, (struct node){.kind = N_SET, .x = regex_keep_set(p, &set)});
    }
    if (next_is(p, "*") || next_is(p, "+") || next_is(p, "?"))
        return regex_fail(p, LQ_E_UNSUPPORTED, "repeats nothing");
    return add_char(p, take_char(p));
}

static bool take_number(struct parser *p, uint32_t *v)
{
    const size_t from = p->at;
    *v = 0;
    for (; p->at < p->len && p->s[p->at] >= '0' && p->s[p->at] <= '9'; p->at++)
        *v = *v <= MOST_COUNT ? *v * 10 + (uint32_t)(p->s[p->at] - '0') : *v;
    return p->at > from;
}

/* {n}, {n,}, {,m}, {n,m}; anything else is the characters themselves. */
static bool take_counts(struct parser *p, uint32_t *min, uint32_t *max)
{
    const size_t from = p->at;
    if (!take(p, "{"))
        return false;
    const bool has_min = take_number(p, min);
    bool has_max = false;
    *max = *min;
    if (take(p, ",")) {
        has_max = take_number(p, max);
        if (!has_max)
            *max = REGEX_NO_LIMIT;
    }
    if (!take(p, "}") || (!has_min && !has_max)) {
        p->at = from;
        return false;
    }
    if (*min > MOST_COUNT || (has_max && *max > MOST_COUNT) || *min > *max)
        regex_fail(p, LQ_E_UNSUPPORTED, "repeats too often");
    return true;
}

static uint32_t take_repeats(struct parser *p, uint32_t node)
{
    for (int n = 0; more(p); n++) {
        uint32_t min = 0, max = REGEX_NO_LIMIT;
        bool counted = false;
        if (take(p, "+"))
            min = 1;
        else if (take(p, "?"))
            max = 1;
        else if (!take(p, "*") && !(counted = take_counts(p, &min, &max)))
            break;
        if (n == 8)
            return regex_fail(p, LQ_E_UNSUPPORTED, "repeats a repeat too often");
        /* Counts have no possessive form: "{1,3}+" repeats the repeat. */
        const uint8_t mode = take(p, "?")               ? MODE_LAZY
                             : !counted && take(p, "+") ? MODE_POSSESSIVE
                                                        : MODE_GREEDY;
        node = add(p, (struct node){.kind = N_REPEAT, .mode = mode, .min = min, .max = max,
                                    .child = node});
    }
    return node;
}

/* Puts a node into a list behind its last one, or 0 where it is empty. Returns the new last one. A node
 * may be a group's list, which has a place in no other list yet. */
static uint32_t put_behind(struct parser *p, uint32_t list, uint32_t last, uint32_t node)
{
    if (last)
        regex_node(p, last)->next = node;
    else
        regex_node(p, list)->child = node;
    return node;
}

static uint32_t take_sequence(struct parser *p)
{
    const uint32_t list = add(p, (struct node){.kind = N_CAT});
    uint32_t last = 0;
    while (more(p) && !next_is(p, "|") && !next_is(p, ")")) {
        const uint32_t atom = take_atom(p);
        const uint32_t node = atom ? take_repeats(p, atom) : 0;
        if (!node)
            return 0;
        last = put_behind(p, list, last, node);
    }
    return list;
}

static uint32_t take_alternatives(struct parser *p)
{
    const uint32_t list = add(p, (struct node){.kind = N_ALT});
    uint32_t last = 0;
    do {
        const uint32_t node = take_sequence(p);
        if (!node || !list)
            return 0;
        last = put_behind(p, list, last, node);
    } while (p->status == LQ_OK && take(p, "|"));
    return list;
}

uint32_t regex_parse(struct parser *p)
{
    const uint32_t root = take_alternatives(p);
    if (p->status == LQ_OK && p->at < p->len)
        regex_fail(p, LQ_E_UNSUPPORTED, "has a parenthesis too many");
    return root;
}
