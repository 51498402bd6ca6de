/* regex_compile.c -- trees of patterns into instructions. */
#include "libquant/model/regex_parts.h"

#include "libquant/base/text.h"

#include <stdlib.h>
#include <string.h>

/* ---- what a node can match ---- */

static bool may_be_empty(struct parser *p, uint32_t i)
{
    const struct node *const n = regex_node(p, i);
    switch (n->kind) {
    case N_CHAR:
    case N_SET:    return false;
    case N_REPEAT: return n->min == 0 || may_be_empty(p, n->child);
    case N_ATOMIC: return may_be_empty(p, n->child);
    case N_CAT:
        for (uint32_t c = n->child; c; c = regex_node(p, c)->next)
            if (!may_be_empty(p, c))
                return false;
        return true;
    case N_ALT:
        for (uint32_t c = n->child; c; c = regex_node(p, c)->next)
            if (may_be_empty(p, c))
                return true;
        return false;
    default: return true;
    }
}

/* Adds the characters that a match can begin with. */
static void add_first(struct parser *p, uint32_t i, struct charset *set)
{
    const struct node *const n = regex_node(p, i);
    switch (n->kind) {
    case N_CHAR: charset_add(set, n->x, n->x); break;
    case N_SET:  charset_add_set(set, &p->r->sets[n->x]); break;
    case N_REPEAT:
    case N_ATOMIC: add_first(p, n->child, set); break;
    case N_CAT:
        for (uint32_t c = n->child; c; c = regex_node(p, c)->next) {
            add_first(p, c, set);
            if (!may_be_empty(p, c))
                break;
        }
        break;
    case N_ALT:
        for (uint32_t c = n->child; c; c = regex_node(p, c)->next)
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
        regex_fail(p, LQ_E_UNSUPPORTED, "is too large when its repeats are written out");
        return 0;
    }
    if (!mem_grow((void **)&r->code, &r->cap_code, r->n_code, sizeof *r->code)) {
        regex_no_memory(p);
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
    for (uint32_t c = child; c && p->status == LQ_OK; c = regex_node(p, c)->next) {
        if (!regex_node(p, c)->next) {
            emit_node(p, c);
            break;
        }
        if (n == sizeof jump / sizeof *jump) {
            regex_fail(p, LQ_E_UNSUPPORTED, "has too many alternatives");
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
        regex_fail(p, LQ_E_UNSUPPORTED, "repeats what may be empty too often");
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
    const struct node c = *regex_node(p, n.child);
    if (c.kind == N_SET || c.kind == N_CHAR) {
        struct charset one = {0};
        uint32_t set = c.x;
        if (c.kind == N_CHAR) {
            charset_add(&one, c.x, c.x);
            set = regex_keep_set(p, &one);
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
    const struct node n = *regex_node(p, i);
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
        for (uint32_t c = n.child; c; c = regex_node(p, c)->next)
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
        regex_no_memory(p);
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
    const uint32_t root = regex_parse(&p);
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
