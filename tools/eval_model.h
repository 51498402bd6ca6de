/* eval_model.h -- a model that is evaluated: a GGUF file, or a checkpoint seen as the GGUF model that
 * `lq convert` makes of it. */
#ifndef LQ_TOOLS_EVAL_MODEL_H
#define LQ_TOOLS_EVAL_MODEL_H

#include "tools/command.h"

#include "libquant/convert/convert.h"
#include "libquant/eval/graph.h"

struct eval_model {
    struct catalog stored;
    struct convert_options options;
    struct conversion conversion;
    struct weights weights; /* what the engine reads */
};

/* Fills a zeroed struct; eval_model_close also after a failure. Do not move it while it is open. */
lq_status eval_model_open(struct eval_model *m, const char *path, lq_error *err);
void eval_model_close(struct eval_model *m);

/* LQ_E_USAGE where `out`, which is to be written, is one of the model's files. */
lq_status eval_model_spare(const struct eval_model *m, const char *out, lq_error *err);

/* Warns where chunks of `length` tokens are longer than the texts that the model was trained on. */
void eval_model_warn_of_length(const struct context *ctx, const struct graph *g, uint64_t length);

/* How many sequences of `length` tokens are evaluated at a time and share what is read and decoded.
 */
static inline uint32_t eval_sequences(uint64_t length)
{
    enum { BATCH_TOKENS = 2048 };
    return length < BATCH_TOKENS ? (uint32_t)(BATCH_TOKENS / length) : 1;
}

#endif
