/* regex_parse.c -- patterns into programs: first a tree, then instructions. */
#include "libquant/model/regex_parts.h"

#include "libquant/base/text.h"

#include <stdlib.h>
#include <string.h>

/* Hostile patterns: deeper nesting, longer programs and larger counts are refused. */
enum { MOST_BYTES = 1 << 16, MOST_DEPTH = 64, MOST_CODE = 16384, MOST_COUNT = 4096, MOST_SETS = 512 };

enum node_kind { N_EMPTY, N_CHAR, N_SET, N_CAT, N_ALT, N_REPEAT, N_LOOK, N_BEHIND, N_ATOMIC, N_PLACE };

struct node {
    uint8_t kind, mode;
    bool negated;
    uint32_t x;           /* the character, the set, the place */
    uint32_t min, max;    /* of a repeat */
    uint32_t child, next; /* index + 1, or 0 */
};

struct parser {
    const char *s;
    size_t len, at;
    unsigned depth;
    bool fold; /* (?i) */
    struct node *node;
    size_t n, cap;
    struct regex *r;
    uint32_t registers;
    lq_status status;
    lq_error *err;
};

/* ---- the tree ---- */

static uint32_t fail(struct parser *p, lq_status status, const char *what)
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

/* For what fails without a place in the pattern. */
static uint32_t no_memory(struct parser *p)
{
    if (p->status == LQ_OK)
        p->status = lq_fail_memory(p->err);
    return 0;
}

static uint32_t add(struct parser *p, struct node node)
{
    if (!mem_grow((void **)&p->node, &p->cap, p->n, sizeof *p->node))
        return no_memory(p);
    p->node[p->n] = node;
    return (uint32_t)++p->n;
}

static struct node *at(struct parser *p, uint32_t i)
{
    return &p->node[i - 1];
}

/* The index of a set that equals this one, which is taken over. */
static uint32_t keep_set(struct parser *p, struct charset *set)
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
            fail(p, LQ_E_UNSUPPORTED, "has too many sets of characters");
        else
            no_memory(p);
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
    return add(p, (struct node){.kind = N_SET, .x = keep_set(p, set)});
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
        fail(p, LQ_E_UNSUPPORTED, "has no character's number");
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
            fail(p, LQ_E_UNSUPPORTED, "lacks a brace");
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
        return fail(p, LQ_E_UNSUPPORTED, "has an escape that is not known here");
    return take_char(p);
}

/* \p{NAME}, \P{NAME}, \p{^NAME}, after the backslash. */
static void take_property(struct parser *p, struct charset *set)
{
    struct charset one = {0};
    bool negated = p->s[p->at] == 'P';
    p->at++;
    if (!take(p, "{")) {
        fail(p, LQ_E_UNSUPPORTED, "lacks a brace");
        return;
    }
    if (take(p, "^"))
        negated = !negated;
    const char *const name = p->s + p->at;
    const char *const end = memchr(name, '}', p->len - p->at);
    if (!end || !charset_add_property(&one, name, (size_t)(end - name))) {
        fail(p, LQ_E_UNSUPPORTED, "names a property that is not known here");
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

/* One member: a character, a range, a class, or a set within the set. */
static void take_member(struct parser *p, struct charset *set)
{
    if (next_is(p, "[:")) {
        fail(p, LQ_E_UNSUPPORTED, "has a POSIX class");
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
        first = p->at < p->len ? take_escaped(p) : fail(p, LQ_E_UNSUPPORTED, "ends in a backslash");
    } else {
        first = take_char(p);
    }
    uint32_t last = first;
    if (next_is(p, "-") && p->at + 1 < p->len && p->s[p->at + 1] != ']' && p->s[p->at + 1] != '[') {
        p->at++;
        last = take(p, "\\") && p->at < p->len ? take_escaped(p) : take_char(p);
        if (last < first)
            fail(p, LQ_E_UNSUPPORTED, "has a range that ends before it begins");
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
        fail(p, LQ_E_UNSUPPORTED, "is nested too deeply");
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
        fail(p, LQ_E_UNSUPPORTED, "lacks a bracket");
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
        fail(p, LQ_E_UNSUPPORTED, "lacks a parenthesis");
    return node;
}

/* (?=..) and the like; behind, for one character only. */
static uint32_t take_look(struct parser *p, bool behind, bool negated)
{
    const uint32_t child = close_group(p, take_alternatives(p));
    if (!behind || !child)
        return add(p, (struct node){.kind = N_LOOK, .negated = negated, .child = child});
    struct node *n = at(p, child);
    while ((n->kind == N_ALT || n->kind == N_CAT) && n->child && !at(p, n->child)->next)
        n = at(p, n->child);
    struct charset set = {0};
    uint32_t x = n->x;
    if (n->kind == N_CHAR) {
        charset_add(&set, n->x, n->x);
        x = keep_set(p, &set);
    } else if (n->kind != N_SET) {
        return fail(p, LQ_E_UNSUPPORTED, "looks back over more than one character");
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
            return fail(p, LQ_E_UNSUPPORTED, "has an option that is not known here");
    }
    if (take(p, ":"))
        return close_group(p, take_alternatives(p));
    return fail(p, LQ_E_UNSUPPORTED, "has a group that is not known here");
}

static uint32_t take_group(struct parser *p)
{
    const bool fold = p->fold;
    uint32_t node;
    if (++p->depth > MOST_DEPTH)
        return fail(p, LQ_E_UNSUPPORTED, "is nested too deeply");
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
        return fail(p, LQ_E_UNSUPPORTED, "ends in a backslash");
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
        return add(p, (struct node){.kind = N_SET, .x = keep_set(p, &set)});
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
        return add(p, (struct node){.kind = N_SET, .x = keep_set(p, &set)});
    }
    if (next_is(p, "*") || next_is(p, "+") || next_is(p, "?"))
        return fail(p, LQ_E_UNSUPPORTED, "repeats nothing");
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
        fail(p, LQ_E_UNSUPPORTED, "repeats too often");
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
            return fail(p, LQ_E_UNSUPPORTED, "repeats a repeat too often");
        /* Counts have no possessive form: "{1,3}+" repeats the repeat. */
        const uint8_t mode = take(p, "?")               ? MODE_LAZY
                             : !counted && take(p, "+") ? MODE_POSSESSIVE
                                                        : MODE_GREEDY;
        node = add(p, (struct node){.kind = N_REPEAT, .mode = mode, .min = min, .max = max,
                                    .child = node});
    }
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
        /* A node may be a group's list, which has a place in no other list yet. */
        if (last)
            at(p, last)->next = node;
        else
            at(p, list)->child = node;
        last = node;
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
        if (last)
            at(p, last)->next = node;
        else
            at(p, list)->child = node;
        last = node;
    } while (p->status == LQ_OK && take(p, "|"));
    return list;
}

/* ---- what a node can match ---- */

static bool may_be_empty(struct parser *p, uint32_t i)
{
    const struct node *const n = at(p, i);
    switch (n->kind) {
    case N_CHAR:
    case N_SET:    return false;
    case N_REPEAT: return n->min == 0 || may_be_empty(p, n->child);
    case N_ATOMIC: return may_be_empty(p, n->child);
    case N_CAT:
        for (uint32_t c = n->child; c; c = at(p, c)->next)
            if (!may_be_empty(p, c))
                return false;
        return true;
    case N_ALT:
        for (uint32_t c = n->child; c; c = at(p, c)->next)
            if (may_be_empty(p, c))
                return true;
        return false;
    default: return true;
    }
}

/* Adds the characters that a match can begin with. */
static void add_first(struct parser *p, uint32_t i, struct charset *set)
{
    const struct node *const n = at(p, i);
    switch (n->kind) {
    case N_CHAR: charset_add(set, n->x, n->x); break;
    case N_SET:  charset_add_set(set, &p->r->sets[n->x]); break;
    case N_REPEAT:
    case N_ATOMIC: add_first(p, n->child, set); break;
    case N_CAT:
        for (uint32_t c = n->child; c; c = at(p, c)->next) {
            add_first(p, c, set);
            if (!may_be_empty(p, c))
                break;
        }
        break;
    case N_ALT:
        for (uint32_t c = n->child; c; c = at(p, c)->next)
            add_first(p, c, set);
        break;
    default: break; /* these match nothing by themselves */
    }
}

/* ---- instructions ---- */

static size_t emit(struct parser *p, struct regex_insn insn)
{
    struct regex *const r = p->r;
    if (p->status != LQ_OK)
        return 0;
    if (r->n_code == MOST_CODE) {
        fail(p, LQ_E_UNSUPPORTED, "is too large when its repeats are written out");
        return 0;
    }
    if (!mem_grow((void **)&r->code, &r->cap_code, r->n_code, sizeof *r->code)) {
        no_memory(p);
        return 0;
    }
    r->code[r->n_code] = insn;
    return r->n_code++;
}

static uint32_t here(const struct parser *p)
{
    return (uint32_t)p->r->n_code;
}

static void emit_node(struct parser *p, uint32_t i);

static void emit_alternatives(struct parser *p, uint32_t child)
{
    size_t jump[256];
    size_t n = 0;
    for (uint32_t c = child; c && p->status == LQ_OK; c = at(p, c)->next) {
        if (!at(p, c)->next) {
            emit_node(p, c);
            break;
        }
        if (n == sizeof jump / sizeof *jump) {
            fail(p, LQ_E_UNSUPPORTED, "has too many alternatives");
            return;
        }
        const size_t split = emit(p, (struct regex_insn){.op = OP_SPLIT});
        if (p->status != LQ_OK)
            return;
        p->r->code[split].x = here(p);
        emit_node(p, c);
        jump[n++] = emit(p, (struct regex_insn){.op = OP_JUMP});
        if (p->status == LQ_OK)
            p->r->code[split].y = here(p);
    }
    while (n && p->status == LQ_OK)
        p->r->code[jump[--n]].x = here(p);
}

static void set_choice(struct parser *p, size_t split, bool lazy, uint32_t body, uint32_t after)
{
    if (p->status != LQ_OK)
        return;
    p->r->code[split].x = lazy ? after : body;
    p->r->code[split].y = lazy ? body : after;
}

static void emit_loop(struct parser *p, const struct node n)
{
    const bool empty = may_be_empty(p, n.child);
    const uint32_t loop = here(p);
    const size_t split = emit(p, (struct regex_insn){.op = OP_SPLIT});
    const uint32_t body = here(p), reg = p->registers;
    size_t again = 0;
    if (empty && p->registers++ == REGEX_REGISTERS)
        fail(p, LQ_E_UNSUPPORTED, "repeats what may be empty too often");
    if (empty)
        emit(p, (struct regex_insn){.op = OP_ENTER, .x = reg});
    emit_node(p, n.child);
    if (empty)
        again = emit(p, (struct regex_insn){.op = OP_AGAIN, .x = reg});
    emit(p, (struct regex_insn){.op = OP_JUMP, .x = loop});
    set_choice(p, split, n.mode == MODE_LAZY, body, here(p));
    if (empty && p->status == LQ_OK)
        p->r->code[again].y = here(p);
}

static void emit_general_repeat(struct parser *p, const struct node n)
{
    for (uint32_t i = 0, before = here(p); i < n.min && p->status == LQ_OK; i++) {
        emit_node(p, n.child);
        if (here(p) == before) /* "()" */
            break;
    }
    if (n.max == REGEX_NO_LIMIT) {
        emit_loop(p, n);
        return;
    }
    const size_t from = p->r->n_code;
    for (uint32_t i = n.min; i < n.max && p->status == LQ_OK; i++) {
        const size_t split = emit(p, (struct regex_insn){.op = OP_SPLIT});
        set_choice(p, split, n.mode == MODE_LAZY, here(p), REGEX_NO_LIMIT);
        emit_node(p, n.child);
    }
    for (size_t i = from; i < p->r->n_code; i++) { /* all of them leave to the same place */
        struct regex_insn *const c = &p->r->code[i];
        if (c->op == OP_SPLIT && c->x == REGEX_NO_LIMIT)
            c->x = here(p);
        if (c->op == OP_SPLIT && c->y == REGEX_NO_LIMIT)
            c->y = here(p);
    }
}

static void emit_inner(struct parser *p, struct regex_insn insn, uint32_t child, const struct node *n)
{
    const size_t begin = emit(p, insn);
    if (n)
        emit_general_repeat(p, *n);
    else
        emit_node(p, child);
    emit(p, (struct regex_insn){.op = OP_END});
    if (p->status == LQ_OK)
        p->r->code[begin].x = here(p);
}

static void emit_repeat(struct parser *p, struct node n)
{
    const struct node c = *at(p, n.child);
    if (c.kind == N_SET || c.kind == N_CHAR) {
        struct charset one = {0};
        uint32_t set = c.x;
        if (c.kind == N_CHAR) {
            charset_add(&one, c.x, c.x);
            set = keep_set(p, &one);
        }
        emit(p, (struct regex_insn){.op = OP_RUN, .mode = n.mode, .x = set, .min = n.min,
                                    .max = n.max});
    } else if (n.mode == MODE_POSSESSIVE) {
        n.mode = MODE_GREEDY;
        emit_inner(p, (struct regex_insn){.op = OP_ATOMIC}, 0, &n);
    } else {
        emit_general_repeat(p, n);
    }
}

static void emit_node(struct parser *p, uint32_t i)
{
    if (p->status != LQ_OK)
        return;
    const struct node n = *at(p, i);
    switch (n.kind) {
    case N_EMPTY:  break;
    case N_CHAR:   emit(p, (struct regex_insn){.op = OP_CHAR, .x = n.x}); break;
    case N_SET:    emit(p, (struct regex_insn){.op = OP_SET, .x = n.x}); break;
    case N_PLACE:  emit(p, (struct regex_insn){.op = OP_ASSERT, .x = n.x}); break;
    case N_BEHIND:
        emit(p, (struct regex_insn){.op = OP_BEHIND, .x = n.x, .negated = n.negated});
        break;
    case N_LOOK:
        emit_inner(p, (struct regex_insn){.op = OP_LOOK, .negated = n.negated}, n.child, NULL);
        break;
    case N_ATOMIC: emit_inner(p, (struct regex_insn){.op = OP_ATOMIC}, n.child, NULL); break;
    case N_REPEAT: emit_repeat(p, n); break;
    case N_ALT:    emit_alternatives(p, n.child); break;
    case N_CAT:
        for (uint32_t c = n.child; c; c = at(p, c)->next)
            emit_node(p, c);
        break;
    }
}

/* A run that nothing follows keeps what it took: the first way to match is the match. */
static void settle_last_runs(struct regex *r)
{
    for (size_t i = 0; i < r->n_code; i++) {
        size_t next = i + 1;
        if (r->code[i].op != OP_RUN || r->code[i].mode != MODE_GREEDY)
            continue;
        for (int n = 0; n < 64 && r->code[next].op == OP_JUMP; n++)
            next = r->code[next].x;
        if (r->code[next].op == OP_END)
            r->code[i].mode = MODE_POSSESSIVE;
    }
}

/* `root` for the whole pattern. */
static void finish(struct parser *p, uint32_t root)
{
    emit_node(p, root);
    emit(p, (struct regex_insn){.op = OP_END});
    if (p->status != LQ_OK)
        return;
    settle_last_runs(p->r);
    p->r->has_first = !may_be_empty(p, root);
    if (p->r->has_first)
        add_first(p, root, &p->r->first);
    charset_settle(&p->r->first);
    if (p->r->first.failed)
        no_memory(p);
}

lq_status regex_compile(struct regex **out, const char *pattern, size_t len, lq_error *err)
{
    struct parser p = {.s = pattern, .len = len, .err = err};
    *out = NULL;
    if (utf8_check(pattern, len) != len)
        return lq_fail(err, LQ_E_FORMAT, "a pattern is not valid UTF-8");
    if (len > MOST_BYTES)
        return lq_fail(err, LQ_E_UNSUPPORTED, "a pattern is longer than %d bytes", MOST_BYTES);
    p.r = mem_calloc(1, sizeof *p.r);
    if (!p.r)
        return lq_fail_memory(err);
    const uint32_t root = take_alternatives(&p);
    if (p.status == LQ_OK && p.at < len)
        fail(&p, LQ_E_UNSUPPORTED, "has a parenthesis too many");
    if (p.status == LQ_OK)
        finish(&p, root);
    free(p.node);
    if (p.status == LQ_OK)
        *out = p.r;
    else
        regex_free(p.r);
    return p.status;
}

void regex_free(struct regex *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n_sets; i++)
        charset_free(&r->sets[i]);
    charset_free(&r->first);
    free(r->sets);
    free(r->code);
    free(r);
}
