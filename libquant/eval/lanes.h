/* lanes.h -- what the layers do to rows of floats: the same C for every instruction set, compiled for
 * each (lanes_<isa>.c), so that the compiler's vectors are as wide as the machine's.
 *
 * Every element-wise result has one order of operations. Sums are 16 partial sums by index modulo 16,
 * joined by a fixed tree; maxima are compare-and-select. No result depends on the instruction set.
 */
#ifndef LQ_EVAL_LANES_H
#define LQ_EVAL_LANES_H

#include <stddef.h>
#include <stdint.h>

/* How far two rows of logits are apart; see compare_rows. */
struct row_pair {
    double log_sum_a, log_sum_b; /* log of the sum of exp */
    double divergence;           /* sum of p_a (log p_a - log p_b) */
};

struct lanes {
    /* y = x / sqrt(mean(x^2) + eps) * w; w may be NULL (ones). y may be x. Sums in double. */
    void (*rms_norm)(float *y, const float *x, const float *w, size_t n, double eps);
    /* y = (x - mean) / sqrt(variance + eps) * w + b; w and b may be NULL. */
    void (*layer_norm)(float *y, const float *x, const float *w, const float *b, size_t n,
                       double eps);
    void (*add)(float *y, const float *x, size_t n);       /* y += x */
    void (*add_scaled)(float *y, const float *x, float a, size_t n); /* y += a x */
    void (*multiply)(float *y, const float *x, size_t n);  /* y *= x */
    void (*scale)(float *y, float a, size_t n);            /* y *= a */
    void (*clamp)(float *y, float limit, size_t n);        /* to [-limit, limit] */
    void (*soft_cap)(float *y, float cap, size_t n);       /* y = cap tanh(y / cap) */
    void (*silu)(float *y, size_t n);
    void (*gelu)(float *y, size_t n);      /* y Phi(y) */
    void (*gelu_tanh)(float *y, size_t n); /* with Phi approximated by tanh */
    void (*relu_squared)(float *y, size_t n);
    void (*sigmoid)(float *y, size_t n);
    /* gpt-oss: gate limited from above to 7, up to [-7, 7];
     * gate = (up + 1) gate sigmoid(1.702 gate) */
    void (*swiglu_oai)(float *gate, const float *up, size_t n);
    /* y = exp(y - max) / sum. `sink`: a further logit that takes its share, or NULL. */
    void (*softmax)(float *y, size_t n, const float *sink);
    /* Rotates pairs by angles whose cosines and sines are given: elements i and i + half, or 2i and
     * 2i + 1. */
    void (*rotate_halves)(float *x, const float *cosine, const float *sine, size_t half);
    void (*rotate_pairs)(float *x, const float *cosine, const float *sine, size_t half);
    /* Index of the first largest value. */
    size_t (*argmax)(const float *x, size_t n);
    /* log(sum(exp(x))), in double. Not finite where x is not. */
    double (*log_sum_exp)(const float *x, size_t n);
    /* Both of these sums and the Kullback-Leibler divergence of b from a, in double. */
    void (*compare_rows)(const float *a, const float *b, size_t n, struct row_pair *out);
    /* Sum of a[i] b[i], in double. */
    double (*dot)(const float *a, const float *b, size_t n);
    /* sums[i] += x[i]^2 */
    void (*add_squares)(double *sums, const float *x, size_t n);
};

/* For a mask of enum isa (codec/kernels.h). */
const struct lanes *lanes_for(unsigned isa);

extern const struct lanes lanes_avx2;
extern const struct lanes lanes_avx512;

#endif
