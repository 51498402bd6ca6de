/* lineage_change.h -- how a tensor differs from its bases where it is no quantization of one. For
 * lineage.c. */
#ifndef LQ_PROVENANCE_LINEAGE_CHANGE_H
#define LQ_PROVENANCE_LINEAGE_CHANGE_H

#include "libquant/provenance/lineage_derive.h"

/* The bounds of the statistics, fixed in advance; docs/lineage.md has their false-alarm rates. */
#define RELATED_SIGMA 6.0 /* of the sign test over rows: 1 in 10^9 */
#define RELATED_CORRELATION                                                                        \
    0.2 /* and the least mean cosine of a row with its own, over the next                          \
         */
#define UNRELATED_SIGMA                                                                            \
    4.0 /* and less than that, with a correlation below the next, is unrelated */
#define UNRELATED_CORRELATION 0.05
#define LEAST_ROWS            64 /* fewer decide nothing */
#define TUNED_FACTOR          2.5 /* less than so many times the rounding may be another quantizer's */
#define FIT_FLOAT             2.0 /* a residual within so many times the rounding is rounding */
#define FIT_QUANTIZED         1.1 /* the same of quantized types, whose rounding is known better */
#define FIT_PRECISION         1e-6 /* of the residual: it is a difference of sums in double precision */

/* Explained, merged, fine-tuned, unrelated or undetermined, with the figures. */
lq_status lineage_examine(struct tensor_lineage *t, struct lineage_pair *p,
                          const struct pass_options *options, lq_error *err);

/* Weights of the bases by least squares (lineage_merge.c). Moves the base that is nearest to the
 * front of the pair. Needs two bases. */
lq_status lineage_fit(struct tensor_lineage *t, struct lineage_pair *p,
                      const struct pass_options *options, lq_error *err);

/* Squared rounding error that storing x in a float type makes on average: a twelfth of the square
 * of the distance to the next number. 0 for other types. */
double rounding_variance(const struct type_info *type, float x);

/* The rank of claimed - base[0] (lineage_rank.c). `noise`: the sum of squares that rounding
 * explains. */
lq_status lineage_rank(struct tensor_lineage *t, const struct lineage_pair *p, double noise,
                       const struct pass_options *options, lq_error *err);

#endif
