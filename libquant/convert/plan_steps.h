/* plan_steps.h -- how each tensor of a mapped checkpoint is made: transforms as pipeline steps. */
#ifndef LQ_CONVERT_PLAN_STEPS_H
#define LQ_CONVERT_PLAN_STEPS_H

#include "libquant/convert/stream.h"
#include "libquant/model/mapping.h"

/* Makes the step of one output tensor. What it points to lives in `a` and in the mapping.
 * LQ_E_UNSUPPORTED where the stored type has no values. */
lq_status plan_step(struct step *s, const struct model *m, const struct mapped *t, struct arena *a,
                    lq_error *err);

/* Makes floats of a step that repacks blocks (fill_raw): for an output of another type. */
void plan_step_unpack(struct step *s);

#endif
