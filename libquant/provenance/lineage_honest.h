/* lineage_honest.h -- what an honest quantizer can make of a block. For lineage_change.c. */
#ifndef LQ_PROVENANCE_LINEAGE_HONEST_H
#define LQ_PROVENANCE_LINEAGE_HONEST_H

#include "libquant/codec/type.h"

struct honest;

/* The bounds of a type; NULL where there are none. */
const struct honest *honest_of(const struct type_info *type);

/* How far a stored block is from what an honest quantizer can make of x: the largest of its
 * statistics, each over its bound, so that more than 1 is outside. `stored` decodes to v; `again`
 * are the values of x as our own encoder stores it. All are of a block's length. */
float honest_distance(const struct honest *h, const void *stored, const float *v, const float *x,
                      const float *again);

#endif
