/* weights.h -- where the rows of a model's tensors come from: a file as it is stored, or a checkpoint
 * seen as the GGUF model that it would become (tools/eval_side.c). Evaluation sees no difference. */
#ifndef LQ_EVAL_WEIGHTS_H
#define LQ_EVAL_WEIGHTS_H

#include "libquant/catalog/catalog.h"

struct weights {
    const struct catalog *catalog; /* GGUF's names, shapes and metadata; indexed */
    /* Rows [row, row + n) as floats to dst; `raw` holds raw_bytes(...) bytes. Called on any thread. */
    lq_status (*rows)(const struct weights *w, const struct tensor *t, uint64_t row, uint64_t n,
                      void *raw, float *dst, unsigned isa, lq_error *err);
    uint64_t (*raw_bytes)(const struct weights *w, const struct tensor *t, uint64_t n);
    const void *ctx;
    bool stored; /* rows are as the catalogue has them: they may be read and decoded without `rows` */
};

/* The tensors as `c` stores them; it must outlive the result. */
struct weights weights_stored(const struct catalog *c);

#endif
