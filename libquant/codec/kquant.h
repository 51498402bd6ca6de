/* kquant.h -- the parameters of the K types that the scalar codec and the vector kernels share. */
#ifndef LQ_CODEC_KQUANT_H
#define LQ_CODEC_KQUANT_H

#include "libquant/codec/scale_search.h"

/* Q2_K, Q4_K, Q5_K: element = d * scale * code - dmin * min. What differs between the three. */
struct affine_type {
    int len;                    /* of a sub-block */
    int nmax;                   /* largest code */
    int top;                    /* largest integer scale */
    float sigma;                /* sigma2 = sigma * mean square of the superblock */
    bool offset;                /* weights without importance: root mean square + |x|, or |x| */
    struct affine_trials plain; /* without importance */
};

static const struct affine_type q2_k = {
    16, 3, 15, 1.0f, false, {-0.5f, 0.1f, 15, true}
};
static const struct affine_type q4_k = {
    32, 15, 63, 2.0f, true, {-1.0f, 0.1f, 20, false}
};
static const struct affine_type q5_k = {
    32, 31, 63, 2.0f, true, {-0.5f, 0.1f, 15, false}
};

/* Trials under an importance matrix, also of the legacy types. */
static const struct affine_trials weighted_trials = {-0.9f, 0.05f, 36, false};

#endif
