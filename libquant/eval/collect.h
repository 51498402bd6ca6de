/* collect.h -- importance matrices as they are collected: for each weight the sums of the squares
 * of what meets its columns, and how many rows were summed.
 *
 * Squares of one chunk of text are summed in double precision in the order of the tokens, and each
 * chunk's sums are added to floats. So a collection that is written, read back and continued with
 * the next chunk gives the same bits as one that was not interrupted.
 */
#ifndef LQ_EVAL_COLLECT_H
#define LQ_EVAL_COLLECT_H

#include "libquant/base/sink.h"
#include "libquant/eval/engine.h"

struct collected {
    const char *name;       /* of the weight */
    const struct tensor *t; /* of the model at hand, once it was seen */
    uint64_t cols, parts;   /* parts: of a stack, 1 for a matrix */
    uint64_t n_counts;      /* parts, or 1 where all parts see the same rows */
    float *sums;            /* [parts, cols] */
    uint64_t *counts;
};

/* Zero-initialised: an empty collection. */
struct collector {
    struct arena arena;
    struct collected *entries;
    size_t n, cap;
    const char **texts; /* names of the texts */
    size_t n_texts, cap_texts;
};

void collector_release(struct collector *c);

/* An observer of engines that run one chunk at a time: ctx is the collector. */
lq_status collector_see(void *ctx, struct engine *e, const struct seen *s, lq_error *err);

/* Adds what was collected before: sums [n], each count for n / n_counts of them. LQ_E_MODEL where
 * it does not fit to what is there. */
lq_status collector_add(struct collector *c, const char *name, const float *sums, uint64_t n,
                        const float *counts, uint64_t n_counts, lq_error *err);
/* Notes the name of a text, once. */
lq_status collector_add_text(struct collector *c, const char *name, lq_error *err);

/* Whole chunks that the fullest entry has seen. */
uint64_t collector_chunks(const struct collector *c, uint64_t chunk_size);

/* Appends the GGUF file that llama-imatrix writes for the same collection. LQ_E_MODEL for sums that
 * are no finite numbers. */
lq_status collector_write(struct collector *c, uint64_t chunk_size, struct sink *sink,
                          lq_error *err);
/* The same in the older form (".dat"), whose sums are divided: it cannot be gone on with. */
lq_status collector_write_dat(struct collector *c, uint64_t chunk_size, struct sink *sink,
                              lq_error *err);

#endif
