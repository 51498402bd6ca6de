/* rope_factors.h -- tensors of frequency factors that position scalings turn into. */
#ifndef LQ_MODEL_ROPE_FACTORS_H
#define LQ_MODEL_ROPE_FACTORS_H

#include "libquant/model/mapping.h"

/* Adds rope_freqs.weight where the scaling is "llama3". For arch.extra. */
lq_status rope_factors_llama3(struct model *m, struct mapping *map, lq_error *err);

/* Adds rope_factors_long.weight and rope_factors_short.weight where the scaling is "longrope" or
 * "su". For arch.extra. */
lq_status rope_factors_longrope(struct model *m, struct mapping *map, lq_error *err);
/* The attention factor that goes with them. For struct hparam.make. */
lq_status rope_longrope_attention(struct model *m, const struct hparam *h, struct catalog *out,
                                  lq_error *err);

#endif
