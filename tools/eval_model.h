/* eval_model.h -- a model that is evaluated: a GGUF file, or a checkpoint seen as the GGUF model that
 * `lq convert` makes of it. */
#ifndef LQ_TOOLS_EVAL_MODEL_H
#define LQ_TOOLS_EVAL_MODEL_H

#include "libquant/convert/convert.h"
#include "libquant/eval/weights.h"

struct eval_model {
    struct catalog stored;
    struct convert_options options;
    struct conversion conversion;
    struct weights weights; /* what the engine reads */
};

/* Fills a zeroed struct; eval_model_close also after a failure. Do not move it while it is open. */
lq_status eval_model_open(struct eval_model *m, const char *path, lq_error *err);
void eval_model_close(struct eval_model *m);

#endif
