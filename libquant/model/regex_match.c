/* regex_match.c -- runs the program of a pattern over a text. */
#include "libquant/model/regex_parts.h"

#include "libquant/base/text.h"

#include <stdlib.h>
#include <string.h>

/* A place to go back to. */
enum state_kind {
    STATE_BRANCH,  /* go on at pc from pos */
    STATE_RUN,     /* the same, and later with a character less, down to limit */
    STATE_LAZY,    /* take one character more of the run at pc, limit of which were taken, and go on */
    STATE_REGISTER /* register pc held pos */
};

struct regex_state {
    uint8_t kind;
    uint32_t pc;
    size_t pos, limit;
};

/* One attempt to match, and those of the looks within it. */
struct attempt {
    const struct regex *r;
    struct regex_run *run;
    const char *s;
    size_t len;
    size_t reg[REGEX_REGISTERS];
    lq_status status;
    lq_error *err;
};

static bool push(struct attempt *a, struct regex_state state)
{
    struct regex_run *const run = a->run;
    if (!mem_grow((void **)&run->stack, &run->cap, run->n, sizeof *run->stack)) {
        a->status = lq_fail_memory(a->err);
        return false;
    }
    run->stack[run->n++] = state;
    return true;
}

static bool spend(struct attempt *a, size_t steps)
{
    if (a->run->steps >= steps) {
        a->run->steps -= steps;
        return true;
    }
    if (a->status == LQ_OK)
        a->status = lq_fail(a->err, LQ_E_UNSUPPORTED,
                            "a pattern takes too many steps on this text (at its byte %zu)",
                            a->len ? a->len - 1 : 0);
    return false;
}

/* Length of the character at pos where it is in the set, else 0. */
static inline size_t one_of(const struct charset *set, const char *s, size_t len, size_t pos)
{
    uint32_t cp;
    if (pos == len)
        return 0;
    const uint8_t c = (uint8_t)s[pos];
    if (c < 0x80)
        return set->ascii[c >> 6] >> (c & 63) & 1;
    const size_t n = utf8_decode(s + pos, len - pos, &cp);
    return charset_has_wide(set, cp) ? n : 0;
}

static size_t before(const char *s, size_t pos)
{
    do
        pos--;
    while (pos > 0 && ((uint8_t)s[pos] & 0xc0) == 0x80);
    return pos;
}

/* The character before pos, which is not 0. */
static uint32_t char_before(const struct attempt *a, size_t pos)
{
    uint32_t cp;
    const size_t at = before(a->s, pos);
    utf8_decode(a->s + at, a->len - at, &cp);
    return cp;
}

static bool word_at(const struct attempt *a, size_t pos)
{
    uint32_t cp;
    if (pos == a->len)
        return false;
    utf8_decode(a->s + pos, a->len - pos, &cp);
    return unicode_is_word(cp);
}

static bool is_place(const struct attempt *a, enum regex_place place, size_t pos)
{
    const bool at_end = pos == a->len;
    bool edge;
    switch (place) {
    case PLACE_TEXT_BEGIN:    return pos == 0;
    case PLACE_TEXT_END:      return at_end;
    case PLACE_LAST_LINE_END: return at_end || (pos + 1 == a->len && a->s[pos] == '\n');
    case PLACE_LINE_BEGIN:    return pos == 0 || (a->s[pos - 1] == '\n' && !at_end);
    case PLACE_LINE_END:      return at_end || a->s[pos] == '\n';
    default:
        edge = word_at(a, pos) != (pos > 0 && unicode_is_word(char_before(a, pos)));
        return edge == (place == PLACE_WORD_EDGE);
    }
}

/* Takes the characters of a run; false where they are too few. */
static bool take_run(struct attempt *a, uint32_t pc, size_t *pos)
{
    const struct regex_insn *const i = &a->r->code[pc];
    const struct charset *const set = &a->r->sets[i->x];
    const uint32_t most = i->mode == MODE_LAZY ? i->min : i->max;
    uint32_t n = 0;
    size_t at = *pos, least = at, step;
    for (; n < most && (step = one_of(set, a->s, a->len, at)); n++) {
        at += step;
        if (n + 1 == i->min)
            least = at;
    }
    if (!spend(a, n) || n < i->min)
        return false;
    *pos = at;
    if (i->mode == MODE_LAZY)
        return i->max == i->min ||
               push(a, (struct regex_state){STATE_LAZY, pc, at, i->min});
    return i->mode == MODE_POSSESSIVE || at == least ||
           push(a, (struct regex_state){STATE_RUN, pc + 1, at, least});
}

/* Goes back to the last choice above `base`. False where there is none. */
static bool go_back(struct attempt *a, size_t base, uint32_t *pc, size_t *pos)
{
    struct regex_run *const run = a->run;
    while (run->n > base && a->status == LQ_OK && spend(a, 1)) {
        struct regex_state *const top = &run->stack[run->n - 1];
        *pc = top->pc;
        switch (top->kind) {
        case STATE_REGISTER:
            a->reg[top->pc] = top->pos;
            run->n--;
            break;
        case STATE_RUN:
            *pos = top->pos = before(a->s, top->pos);
            if (top->pos == top->limit)
                run->n--;
            return true;
        case STATE_LAZY: {
            const struct regex_insn *const i = &a->r->code[top->pc];
            const size_t n = one_of(&a->r->sets[i->x], a->s, a->len, top->pos);
            if (!n || top->limit == i->max) {
                run->n--;
                break;
            }
            *pos = top->pos += n;
            top->limit++;
            ++*pc;
            return true;
        }
        default:
            *pos = top->pos;
            run->n--;
            return true;
        }
    }
    return false;
}

static bool match(struct attempt *a, uint32_t pc, size_t pos, size_t *end);

/* What stands up to OP_END after pc, as a match of its own. */
static bool match_inner(struct attempt *a, uint32_t pc, size_t pos, size_t *end)
{
    const size_t base = a->run->n;
    const bool found = match(a, pc + 1, pos, end);
    a->run->n = base;
    return found;
}

/* One instruction; false where it does not match. */
static bool step(struct attempt *a, uint32_t *pc, size_t *pos)
{
    const struct regex_insn *const i = &a->r->code[*pc];
    uint32_t cp;
    size_t n, end;
    switch (i->op) {
    case OP_CHAR:
        if (*pos == a->len)
            return false;
        n = utf8_decode(a->s + *pos, a->len - *pos, &cp);
        *pos += n;
        ++*pc;
        return cp == i->x;
    case OP_SET:
        n = one_of(&a->r->sets[i->x], a->s, a->len, *pos);
        *pos += n;
        ++*pc;
        return n != 0;
    case OP_RUN: return take_run(a, (*pc)++, pos);
    case OP_SPLIT:
        *pc = i->x;
        return push(a, (struct regex_state){STATE_BRANCH, i->y, *pos, 0});
    case OP_JUMP: *pc = i->x; return true;
    case OP_BEHIND:
        ++*pc;
        return (*pos > 0 && charset_has(&a->r->sets[i->x], char_before(a, *pos))) != i->negated;
    case OP_ASSERT: ++*pc; return is_place(a, (enum regex_place)i->x, *pos);
    case OP_ENTER:
        ++*pc;
        n = a->reg[i->x];
        a->reg[i->x] = *pos;
        return push(a, (struct regex_state){STATE_REGISTER, i->x, n, 0});
    case OP_AGAIN: *pc = a->reg[i->x] == *pos ? i->y : *pc + 1; return true;
    case OP_LOOK: {
        const bool found = match_inner(a, *pc, *pos, &end);
        *pc = i->x;
        return found != i->negated;
    }
    default: { /* OP_ATOMIC */
        const bool found = match_inner(a, *pc, *pos, &end);
        *pc = i->x;
        *pos = found ? end : *pos;
        return found;
    }
    }
}

static bool match(struct attempt *a, uint32_t pc, size_t pos, size_t *end)
{
    const size_t base = a->run->n;
    for (;;) {
        if (a->r->code[pc].op == OP_END) {
            *end = pos;
            return true;
        }
        if (!spend(a, 1))
            return false;
        if (!step(a, &pc, &pos) && (a->status != LQ_OK || !go_back(a, base, &pc, &pos)))
            return false;
    }
}

lq_status regex_find(const struct regex *r, struct regex_run *run, const char *s, size_t len,
                     size_t from, bool *found, size_t *begin, size_t *end, lq_error *err)
{
    struct attempt a = {.r = r, .run = run, .s = s, .len = len, .err = err};
    for (size_t at = from; at <= len; at++) {
        if (at < len && ((uint8_t)s[at] & 0xc0) == 0x80)
            continue;
        if (r->has_first && !one_of(&r->first, s, len, at))
            continue;
        run->n = 0;
        *found = match(&a, 0, at, end);
        *begin = at;
        if (*found || a.status != LQ_OK)
            return a.status;
    }
    *found = false;
    return LQ_OK;
}

void regex_run_release(struct regex_run *run)
{
    free(run->stack);
    memset(run, 0, sizeof *run);
}
