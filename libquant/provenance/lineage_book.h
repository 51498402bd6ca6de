/* lineage_book.h -- whether the codebook entries of a part are near its values. For
 * lineage_honest.c.
 */
#ifndef LQ_PROVENANCE_LINEAGE_BOOK_H
#define LQ_PROVENANCE_LINEAGE_BOOK_H

#include "libquant/provenance/lineage_parts.h"

/* Of the groups of a part, which decode to v: how far the worst one's entry is from the point that
 * x rounds to. In the squared distance of the farthest entry in that point's list of neighbours, or
 * in squared steps where the point is an entry itself; under the scale, of all there are, that is
 * best for the group. An encoder that rounds, and takes what it likes of the neighbours, gives 1 at
 * most, whatever its scales and its importance are. Not for a unit of 0. */
double book_distance(const struct block_shape *s, const struct block_part *p, const float *v,
                     const float *x);

#endif
