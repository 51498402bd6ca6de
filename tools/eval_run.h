/* eval_run.h -- evaluates a model on a text, and prints the figures: for `lq eval`, and for --eval of the
 * commands that make models. */
#ifndef LQ_TOOLS_EVAL_RUN_H
#define LQ_TOOLS_EVAL_RUN_H

#include "tools/command.h"

#include "libquant/eval/perplexity.h"

enum { EVAL_MIN_LENGTH = 8, EVAL_LENGTH = 512, EVAL_MAX_LENGTH = 1 << 20 };

struct eval_request {
    const char *model, *base; /* base: a model, or saved logits; NULL: none */
    const char *text, *ids;   /* one of them; none with saved logits: their tokens */
    const char *save;         /* where the model's logits go; NULL: nowhere */
    uint64_t length;          /* tokens in a chunk; 0: as saved, else EVAL_LENGTH */
    uint64_t most_chunks;     /* 0: all */
    bool silent;              /* print nothing */
    struct evaluation *result; /* set after success; NULL: not needed */
};

/* After LQ_E_INTERRUPTED what was known has been printed. */
lq_status eval_run(const struct context *ctx, const struct eval_request *q, lq_error *err);

/* --eval FILE of a command that made `model` of `base`; `text` NULL: nothing is asked for. Figures go to
 * *result where that is not NULL. */
#define EVAL_OPTION                                                                                \
    {"eval", 0, OPT_VALUE, "FILE", "measure on this text what the result has lost (lq eval)"}
lq_status eval_loss(const struct context *ctx, const char *text, const char *model,
                    const char *base, struct evaluation *result, lq_error *err);

#endif
