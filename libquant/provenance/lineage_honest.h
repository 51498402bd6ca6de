/* lineage_honest.h -- what an honest quantizer can make of a block, without its importance matrix.
 * For lineage_change.c.
 *
 * An honest quantizer of a type chooses scales for reasons of its own (importance, search), and
 * then gives every element the code that is nearest under these scales. So there are two questions:
 *
 *   CODES   is every element as near as the stored scales allow? In steps between levels: how much
 *           farther than the nearest level the worst element is. It does not depend on importance.
 *           Where a type's scale is fitted after the codes were chosen: is there any scale under
 *           which they are the nearest? Of codebooks, see book_distance
 *   PART    are the scales worth having? The squared error of a part over that of our own encoder
 *           without importance, with an allowance for the grain of the stored scales
 *   BLOCK   the same over the whole block
 */
#ifndef LQ_PROVENANCE_LINEAGE_HONEST_H
#define LQ_PROVENANCE_LINEAGE_HONEST_H

#include "libquant/codec/type.h"

enum honest_statistic { HONEST_CODES, HONEST_PART, HONEST_BLOCK, HONEST_STATISTICS };

struct honest {
    const struct type_info *type;
    float bound[HONEST_STATISTICS];
};

/* The bounds of a type; NULL where there are none. */
const struct honest *honest_of(const struct type_info *type);

/* A stored block and what it claims to be made of. */
struct honest_block {
    const void *stored;       /* decodes to v */
    const float *v, *x;       /* x: the base's values */
    const void *again_stored; /* x as our own encoder stores it; decodes to again */
    const float *again;
};

void honest_measure(const struct honest *h, const struct honest_block *b,
                    double out[HONEST_STATISTICS]);

/* How far a block is from what an honest quantizer can make: the largest of its statistics, each
 * over its bound, so that more than 1 is outside. 0 where x has a NaN or an infinity. */
float honest_distance(const struct honest *h, const struct honest_block *b);

#endif
