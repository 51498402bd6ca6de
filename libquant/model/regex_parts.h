/* regex_parts.h -- patterns from inside: regex_parse.c makes a tree, regex_compile.c a program of it,
 * regex_match.c runs that. */
#ifndef LQ_MODEL_REGEX_PARTS_H
#define LQ_MODEL_REGEX_PARTS_H

#include "libquant/model/charset.h"
#include "libquant/model/regex.h"

enum { REGEX_REGISTERS = 32 };
#define REGEX_NO_LIMIT UINT32_MAX

enum regex_op {
    OP_END,
    OP_CHAR,   /* the character x */
    OP_SET,    /* a character of set x */
    OP_RUN,    /* min to max characters of set x, by mode */
    OP_SPLIT,  /* goes on at x, and at y if that fails */
    OP_JUMP,   /* to x */
    OP_LOOK,   /* what follows, up to OP_END, must match here (negated: must not); goes on at x */
    OP_BEHIND, /* the character before is in set x (negated: is not, or there is none) */
    OP_ATOMIC, /* matches what follows, up to OP_END, in the first way only; goes on at x */
    OP_ASSERT, /* the place is of kind x, enum regex_place */
    OP_ENTER,  /* remembers the place in register x */
    OP_AGAIN   /* goes on at y where the place is still that of register x */
};

enum regex_mode { MODE_GREEDY, MODE_LAZY, MODE_POSSESSIVE };

enum regex_place {
    PLACE_TEXT_BEGIN, PLACE_TEXT_END, PLACE_LAST_LINE_END, PLACE_LINE_BEGIN, PLACE_LINE_END,
    PLACE_WORD_EDGE, PLACE_NO_WORD_EDGE
};

struct regex_insn {
    uint8_t op, mode;
    bool negated;
    uint32_t x, y, min, max;
};

struct regex {
    struct regex_insn *code;
    size_t n_code, cap_code;
    struct charset *sets;
    size_t n_sets, cap_sets;
    bool has_first;       /* every match begins with a character of `first` */
    struct charset first;
};

/* ---- while it is made ---- */

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

static inline struct node *regex_node(struct parser *p, uint32_t i)
{
    return &p->node[i - 1];
}

/* All of these are in regex_parse.c. The tree of the pattern: the index of its root, or 0. */
uint32_t regex_parse(struct parser *p);
/* Both return 0; the first failure counts. */
uint32_t regex_fail(struct parser *p, lq_status status, const char *what);
uint32_t regex_no_memory(struct parser *p);
/* The index of a set that equals this one, which is taken over. */
uint32_t regex_keep_set(struct parser *p, struct charset *set);

#endif
