/* eval_tokens.h -- the text that a model is evaluated on, as tokens. */
#ifndef LQ_TOOLS_EVAL_TOKENS_H
#define LQ_TOOLS_EVAL_TOKENS_H

#include "tools/eval_model.h"

#include "libquant/eval/saved_logits.h"

struct eval_tokens {
    const char *path;
    uint32_t *ids;
    size_t n, cap;
    uint32_t bos;  /* the token that texts begin with */
    bool has_bos;  /* the model has one and adds it */
};

/* From a file of text, or one of numbers (`ids`): one of the two is NULL. Fills a zeroed struct;
 * eval_tokens_release also after a failure. */
lq_status eval_tokens_read(struct eval_tokens *t, const struct eval_model *m, const char *text,
                           const char *ids, lq_error *err);
/* Those of saved logits, whose own then differ from them only where texts begin. */
lq_status eval_tokens_saved(struct eval_tokens *t, const struct eval_model *m,
                            const struct saved_logits *s, lq_error *err);
/* Cuts the tokens into *n chunks of `length`, `most` at most where that is not 0, and puts the token that
 * texts begin with in the place of each one's first. LQ_E_MODEL where there are fewer than `least` (1 or
 * 2) chunks. */
lq_status eval_tokens_chunks(struct eval_tokens *t, uint64_t length, size_t least, uint64_t most,
                             size_t *n, lq_error *err);
void eval_tokens_release(struct eval_tokens *t);

#endif
