/* perplexity.h -- how well a model predicts a text, and how far its predictions are from another's.
 *
 * The text's tokens are cut into chunks of one length; in each, the tokens of the second half are
 * predicted from all before them in the chunk, as llama-perplexity does it. Where the model begins
 * texts with a token, that takes the place of each chunk's first.
 */
#ifndef LQ_EVAL_PERPLEXITY_H
#define LQ_EVAL_PERPLEXITY_H

#include "libquant/eval/engine.h"
#include "libquant/eval/figures.h"
#include "libquant/eval/saved_logits.h"

/* Of every scored token, in order. */
struct predictions {
    uint32_t length;    /* of a chunk */
    size_t n_chunks;    /* scored so far */
    size_t n;           /* tokens scored so far: (length - length / 2 - 1) of each chunk */
    double *log_prob;   /* natural, of the token that follows */
    double *base;       /* that of the base model, or NULL */
    double *divergence; /* Kullback-Leibler, of the model from the base; or NULL */
    uint8_t *same_top;  /* both find the same token most likely; or NULL */
};

/* What is said of the predictions. All but the first from a base only. */
struct summary {
    struct figure perplexity, mean_loss;             /* loss: nats for each token */
    struct figure base_perplexity, log_ratio, ratio; /* perplexity / base_perplexity */
    struct figure divergence;                        /* mean */
    double median, p90, p95, p99, p999, max;         /* of the divergence */
    struct figure same_top;                          /* share */
    struct figure mean_change, rms_change;           /* of the right token's probability */
};

/* All that is said of one model and text. */
struct evaluation {
    uint64_t length, n_chunks, n; /* as in the predictions */
    struct summary summary;
    char token_digest[65], logprob_digest[65];
};

/* What the model's predictions are compared with, and where they go. Each may be NULL; of the first
 * two one is. */
struct scoring {
    struct engine *base; /* opened for chunks of the same length, with the same vocabulary */
    const struct saved_logits *saved; /* of the same length, vocabulary and tokens */
    struct sink *save;                /* the model's own logits, as saved_logits.h has them */
};

/* Scores `n_chunks` chunks of tokens. After LQ_E_INTERRUPTED, p holds what was scored. Fills a
 * zeroed struct. */
lq_status predictions_make(struct predictions *p, struct engine *model, const struct scoring *with,
                           const uint32_t *tokens, size_t n_chunks, lq_error *err);
void predictions_release(struct predictions *p);

/* Needs two scored tokens at least. LQ_E_MEMORY only. */
lq_status predictions_sum_up(const struct predictions *p, struct summary *s, lq_error *err);

/* SHA-256, in hex, of the log-probabilities as little-endian doubles in order. */
lq_status predictions_digest(const struct predictions *p, char hex[65], lq_error *err);

#endif
