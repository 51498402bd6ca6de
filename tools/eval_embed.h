/* eval_embed.h -- evaluates an encoder on lines of text, for eval_run. */
#ifndef LQ_TOOLS_EVAL_EMBED_H
#define LQ_TOOLS_EVAL_EMBED_H

#include "tools/eval_model.h"
#include "tools/eval_run.h"

/* As eval_run; the model is open. */
lq_status eval_embed(const struct context *ctx, const struct eval_request *q,
                     const struct eval_model *model, lq_error *err);

#endif
