/* rope_factors.h -- tensors of frequency factors that position scalings turn into. */
#ifndef LQ_MODEL_ROPE_FACTORS_H
#define LQ_MODEL_ROPE_FACTORS_H

#include "libquant/model/mapping.h"

/* Adds rope_freqs.weight where the scaling is "llama3". For arch.extra. */
lq_status rope_factors_llama3(struct model *m, struct mapping *map, lq_error *err);

#endif
