/* eval_run.h -- evaluates a model on a text, and prints the figures: for `lq eval`, and for --eval of the
 * commands that make models. */
#ifndef LQ_TOOLS_EVAL_RUN_H
#define LQ_TOOLS_EVAL_RUN_H

#include "tools/command.h"

struct eval_request {
    const char *model, *base; /* base NULL: none */
    const char *text, *ids;   /* one of them */
    uint64_t length;          /* tokens in a chunk */
    uint64_t most_chunks;     /* 0: all */
};

/* After LQ_E_INTERRUPTED what was known has been printed. */
lq_status eval_run(const struct context *ctx, const struct eval_request *q, lq_error *err);

/* --eval FILE of a command that made `model` of `base`; NULL: nothing is asked for. */
#define EVAL_OPTION                                                                                \
    {"eval", 0, OPT_VALUE, "FILE", "measure on this text what the result has lost (lq eval)"}
lq_status eval_loss(const struct context *ctx, const char *text, const char *model,
                    const char *base, lq_error *err);

#endif
