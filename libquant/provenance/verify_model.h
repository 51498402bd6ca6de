/* verify_model.h -- whether the files of a sharded model fit together: what a verification can say of
 * a model's own lists. */
#ifndef LQ_PROVENANCE_VERIFY_MODEL_H
#define LQ_PROVENANCE_VERIFY_MODEL_H

#include "libquant/trust/verification.h"

/* Where a folder of the verification has an index of safetensors files: opens the model, which checks
 * every tensor against index and shards, and looks for shards that the index does not name. Adds items
 * for what is wrong. */
lq_status verify_model(struct verification *v, lq_error *err);

#endif
