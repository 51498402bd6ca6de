/* iquant1.h -- the search of IQ1_S and IQ1_M, shared by scalar code and vector kernels.
 *
 * Elements are scale * (t + shift), t = -1, 0, 1 and shift = +-1/8. The three values t split the
 * elements, sorted, in three runs; all splits are tried. Then groups of eight are moved to the
 * codebook. IQ1_S has one scale and shift for 32 elements, IQ1_M one scale for 16 and a shift for
 * each half of them.
 */
#ifndef LQ_CODEC_IQUANT1_H
#define LQ_CODEC_IQUANT1_H

#include <stdbool.h>
#include <stdint.h>

#include "libquant/codec/rounding.h"

/* One set of them for each rounding. */
#define iq1_plus         ROUNDED(iq1_plus)
#define iq1_minus        ROUNDED(iq1_minus)
#define iq1_scalar_steps ROUNDED(iq1_scalar_steps)
#define iq1_s_blocks     ROUNDED(iq1_s_blocks)
#define iq1_m_block      ROUNDED(iq1_m_block)

enum { IQ1_S_PART = 32, IQ1_M_PART = 16, IQ1_PARTS = 16, IQ1_S_BLOCKS = 2 };

/* What t = -1, 0, 1 stand for, with shift +1/8 and -1/8. */
extern const float iq1_plus[3], iq1_minus[3];

/* The best split: order[0 ... low-1] is -1, order[low ... high-1] is 0, the rest is 1. */
struct iq1_split {
    bool found; /* false: no split explains anything, all weights are 0 */
    int low;
    int high;
    uint32_t minus; /* IQ1_S: the shift is -1/8; IQ1_M: bit 1 says so of the first, bit 0 of the
                       second half */
    float scale;    /* may be negative */
};

/* The elements under one scale. */
struct iq1_part {
    int n;
    const float *x;            /* [n] as they lie in the row */
    const float *weight;       /* [n] */
    bool zero;                 /* too small to be searched: what follows is not looked at */
    uint8_t order[IQ1_S_PART]; /* ascending; equals keep theirs */
    struct iq1_split split;
};

/* The steps that have vector forms. */
struct iq1_steps {
    /* Fills in order and split of count parts, at most IQ1_PARTS, of the same n. */
    void (*split)(struct iq1_part *parts, int count);
    /* The entry, packed, of a list of a codebook that is nearest to eight elements, the first of
     * equals; the first of all where no distance is finite. `values` is iq1_plus or iq1_minus. */
    uint32_t (*nearest)(const uint16_t *list, const float *x, const float *weight,
                        const float *values, float scale);
};

extern const struct iq1_steps iq1_scalar_steps;

/* Encode up to IQ1_S_BLOCKS blocks of 256 elements, or one; importance has as many or is NULL.
 * `sum` is that of the squares of a block, in order, which matters with importance only. */
struct block_iq1_s;
struct block_iq1_m;
void iq1_s_blocks(struct block_iq1_s *b, int count, const float *x, const float *importance,
                  const float *sums, const struct iq1_steps *steps);
void iq1_m_block(struct block_iq1_m *b, const float *x, const float *importance, float sum,
                 const struct iq1_steps *steps);

#endif
