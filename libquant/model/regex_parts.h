/* regex_parts.h -- a compiled pattern: what regex_parse.c makes and regex_match.c runs. */
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

#endif
