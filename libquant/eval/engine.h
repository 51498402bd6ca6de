/* engine.h -- runs a graph over sequences of tokens.
 *
 *   weights: read and decoded tile by tile, never held; activations: float32
 *   all sequences of a batch have the same length and see only themselves
 *
 * The hidden states are a function of the model's bytes and the tokens: not of the batch, the number of
 * threads or the instruction set.
 */
#ifndef LQ_EVAL_ENGINE_H
#define LQ_EVAL_ENGINE_H

#include "libquant/base/progress.h"
#include "libquant/eval/gemm.h"
#include "libquant/eval/graph.h"
#include "libquant/eval/lanes.h"

/* A thread's own memory, grown as needed. */
struct workspace {
    void *raw;
    float *tile, *gemm, *scores, *packed;
    size_t raw_size, tile_size, gemm_size, scores_size, packed_size;
};

struct engine;

/* What meets a matrix: m rows of k floats, ld apart. */
struct seen {
    const struct tensor *t;
    uint32_t part;  /* of a stack of matrices: which one */
    bool each_own;  /* the parts see rows of their own (experts), not all the same ones */
    const float *x;
    size_t ld, m, k;
};

struct observer {
    lq_status (*see)(void *ctx, struct engine *e, const struct seen *s, lq_error *err);
    void *ctx;
};

struct engine {
    struct graph graph;
    const struct gemm_kernel *gemm;
    const struct lanes *lanes;
    unsigned isa, threads;
    uint32_t length, max_sequences;
    const struct observer *observer; /* or NULL */
    const struct progress *progress; /* asked whether to stop, or NULL */
    struct workspace *spaces;        /* one for each thread */
    size_t tokens;                   /* of this batch */
    /* tokens x ... */
    float *x, *h, *o, *q, *k, *v, *att, *ff, *packed, *slots, *extra;
    float *routing, *share;
    uint32_t *chosen;
};

struct engine_options {
    unsigned isa, threads; /* threads 0: one per processor */
    uint32_t length;       /* of a sequence */
    uint32_t max_sequences; /* in a batch */
    const struct progress *progress;
};

/* Fills a zeroed struct; engine_release also after a failure. `w` must outlive it. */
lq_status engine_open(struct engine *e, const struct weights *w, const struct engine_options *o,
                      lq_error *err);
void engine_release(struct engine *e);

/* Hidden states of n_sequences x length tokens (ids below graph.vocab), in e->x. */
lq_status engine_run(struct engine *e, const uint32_t *tokens, uint32_t n_sequences, lq_error *err);

/* The same of sequences of another length, up to that of the engine; n_sequences x length is at most the
 * number of tokens that the engine has room for. */
lq_status engine_run_shorter(struct engine *e, const uint32_t *tokens, uint32_t length,
                             uint32_t n_sequences, lq_error *err);

/* Logits [n, vocab] of rows [first, first + n) of e->x. */
lq_status engine_logits(struct engine *e, size_t first, size_t n, float *logits, lq_error *err);

/* ---- parts of the engine ---- */

typedef lq_status engine_work(struct engine *e, void *job, size_t i, struct workspace *w,
                              lq_error *err);
/* Calls f for every i below n, on all threads. The failure with the lowest i counts. */
lq_status engine_parallel(struct engine *e, size_t n, engine_work *f, void *job, lq_error *err);

/* c[i * ldc + j] = row i of the packed matrix times row (row0 + j) of t, plus bias[j]. */
struct product {
    const struct tensor *t;
    uint64_t row0;
    size_t rows;
    const float *bias; /* [rows], or NULL */
    const float *packed;
    size_t m;
    float *c;
    size_t ldc;
};
lq_status engine_multiply(struct engine *e, const struct product *p, size_t n, lq_error *err);
/* Packs x [m, k] (rows ldx apart) into `packed`. */
lq_status engine_pack(struct engine *e, const float *x, size_t ldx, size_t m, size_t k,
                      float *packed, lq_error *err);
/* Makes room for n elements of `size` bytes. */
lq_status engine_grow(void **p, size_t *have, size_t n, size_t size, lq_error *err);

/* Shows x, the rows that p multiplies, to the observer, if there is one. each_own: see struct seen. */
lq_status engine_observe(struct engine *e, const struct product *p, const float *x, size_t ld,
                         size_t k, bool each_own, lq_error *err);

/* e->o = attention(h) */
lq_status engine_attention(struct engine *e, const struct layer *l, const float *h,
                           uint32_t n_sequences, lq_error *err);
/* e->att = softmax(e->q e->k) e->v */
lq_status engine_scores(struct engine *e, const struct layer *l, uint32_t n_sequences,
                        lq_error *err);
/* e->o = feed-forward(h) */
lq_status engine_feed_forward(struct engine *e, const struct layer *l, const float *h,
                              lq_error *err);
/* e->o = experts(h) */
lq_status engine_experts(struct engine *e, const struct layer *l, const float *h, lq_error *err);
/* c = down(act(gate(h)) * up(h)), h packed in e->packed; uses e->ff. */
struct mlp {
    struct product gate, up, down; /* gate.t NULL: none, or both in up */
    uint32_t ff;
    bool both;
    bool expert; /* of several: the rows are its own */
};
lq_status engine_mlp(struct engine *e, const struct mlp *m, lq_error *err);
void engine_activate(const struct engine *e, float *gate, float *up, size_t n);
void engine_norm(const struct engine *e, const struct norm *n, float *y, const float *x);

#endif
