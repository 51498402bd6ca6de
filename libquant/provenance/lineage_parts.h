/* lineage_parts.h -- the values that a stored block could have, given its scales. For
 * lineage_honest.c. */
#ifndef LQ_PROVENANCE_LINEAGE_PARTS_H
#define LQ_PROVENANCE_LINEAGE_PARTS_H

#include "libquant/codec/iquant.h"
#include "libquant/codec/type.h"

enum { BLOCK_PARTS = 32 }; /* most of a block */

/* Elements under one scale: each is base + unit * level, or, mirrored, that or its negative. */
struct block_part {
    uint16_t len;
    uint16_t n_levels;
    const int8_t *levels; /* NULL: 0, 1, ... n_levels - 1 */
    double unit, base;
    double grain,
        base_grain; /* what one step of the stored scale, and minimum, changes: unit, base */
};

enum shape_flags {
    SHAPE_MIRRORED = 1 << 0, /* levels have a sign */
    SHAPE_PARITY =
        1 << 1, /* of eight signs, one may have been turned so that their number is even */
    SHAPE_REFITTED = 1 << 2, /* the scale may be fitted to the codes after these were chosen */
    SHAPE_MINIMUM = 1 << 3,  /* and so may a minimum of its own */
    SHAPE_ROUNDED = 1 << 4 /* the scale is rounded to half precision after the codes were chosen */
};

/* What the parts of a type have in common. */
struct block_shape {
    const struct type_info *type;
    /* Fills the parts of a stored block and returns how many there are. */
    size_t (*parts)(const void *stored, struct block_part out[BLOCK_PARTS]);
    enum book_id book; /* whose entries are groups of elements; BOOK_COUNT: none */
    uint8_t step;      /* the usual distance of two levels */
    uint8_t flags;     /* enum shape_flags */
};

/* NULL where the type has no such form. */
const struct block_shape *block_shape_of(const struct type_info *type);

#endif
