/* embedding.h -- what an encoder makes of lines of text: one vector each, pooled from the hidden
 * states of its tokens as the model's metadata says, of length 1; and how near two models' vectors
 * are.
 *
 * A line's vector is a function of the model's bytes and the line's tokens, not of the other lines.
 */
#ifndef LQ_EVAL_EMBEDDING_H
#define LQ_EVAL_EMBEDDING_H

#include "libquant/eval/engine.h"
#include "libquant/eval/figures.h"

/* Tokens of line i: ids[first[i]] to ids[first[i + 1]]; each has one at least. */
struct lines {
    uint32_t *ids;
    size_t *first; /* [n + 1] */
    size_t n;
};

/* Of the cosines of the lines. */
struct cosines {
    struct figure mean;
    double median, p10, p5, p1, min;
};

/* "mean", "cls" (of the first token), "last"; NULL where the model's is another, which is not
 * supported. Without any in its metadata: the mean, as sentence-transformers takes it. */
const char *embedding_pooling(const struct graph *g);

/* Vectors [n, embd] of lines [from, from + n), none of which has more tokens than the engine was
 * opened for. LQ_E_MODEL for a vector of zeros. */
lq_status embed_lines(struct engine *e, const struct lines *l, size_t from, size_t n, float *out,
                      lq_error *err);

/* Cosine of two vectors of n elements. */
double embedding_cosine(const struct engine *e, const float *a, const float *b, size_t n);
/* Of one cosine or more, which it sorts. */
struct cosines cosines_sum_up(double *cosine, size_t n);

#endif
