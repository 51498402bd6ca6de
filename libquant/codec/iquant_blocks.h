/* iquant_blocks.h -- how the blocks of the IQ types lie in a file.
 *
 * All members are bytes, so that a block can lie at any address. `d` is the scale of the block, an
 * IEEE half. Names are those of ggml: qs are indices into the codebook (low bits), qh their high
 * bits. Elements come in groups of eight or four, one codebook entry each.
 */
#ifndef LQ_CODEC_IQUANT_BLOCKS_H
#define LQ_CODEC_IQUANT_BLOCKS_H

#include <stdint.h>

struct block_iq2_xxs {
    uint8_t d[2];
    /* per 32 elements: four indices; then, in 32 bits, 4 x 7 signs and, on top, a scale of 4 */
    struct {
        uint8_t qs[4];
        uint8_t signs_scale[4];
    } part[8];
};

struct block_iq2_xs {
    uint8_t d[2];
    uint8_t qs[32][2]; /* per group, 16 bits: index of 9, then 7 signs */
    uint8_t scales[8]; /* a nibble per 16 elements */
};

struct block_iq2_s {
    uint8_t d[2];
    uint8_t qs[32];
    uint8_t signs[32];
    uint8_t qh[8];     /* two bits per group */
    uint8_t scales[8]; /* a nibble per 16 elements */
};

struct block_iq3_xxs {
    uint8_t d[2];
    uint8_t qs[64];
    uint8_t signs_scale[8][4]; /* per 32 elements, as in IQ2_XXS */
};

struct block_iq3_s {
    uint8_t d[2];
    uint8_t qs[64];
    uint8_t qh[8]; /* a bit per group */
    uint8_t signs[32];
    uint8_t scales[4]; /* a nibble per 32 elements */
};

struct block_iq1_s {
    uint8_t d[2];
    uint8_t qs[32];
    /* per 32 elements, 16 bits: 4 x 3 of the indices, a scale of 3, the sign of the shift */
    uint8_t qh[8][2];
};

struct block_iq1_m {
    uint8_t qs[32];
    uint8_t qh[16];       /* per 16 elements: 2 x (3 of the index, sign of the shift) */
    uint8_t scales[4][2]; /* per 64 elements, 16 bits: 4 scales of 3, and on top a nibble of d */
};

struct block_iq4_nl { /* 32 elements; qs[j] holds element j (low nibble) and 16 + j (high) */
    uint8_t d[2];
    uint8_t qs[16];
};

struct block_iq4_xs {
    uint8_t d[2];
    uint8_t scales_h[2]; /* two high bits per 32 elements */
    uint8_t scales_l[4]; /* a low nibble per 32 elements */
    uint8_t qs[8][16];   /* per 32 elements, as in IQ4_NL */
};

_Static_assert(sizeof(struct block_iq2_xxs) == 66, "IQ2_XXS");
_Static_assert(sizeof(struct block_iq2_xs) == 74, "IQ2_XS");
_Static_assert(sizeof(struct block_iq2_s) == 82, "IQ2_S");
_Static_assert(sizeof(struct block_iq3_xxs) == 98, "IQ3_XXS");
_Static_assert(sizeof(struct block_iq3_s) == 110, "IQ3_S");
_Static_assert(sizeof(struct block_iq1_s) == 50, "IQ1_S");
_Static_assert(sizeof(struct block_iq1_m) == 56, "IQ1_M");
_Static_assert(sizeof(struct block_iq4_nl) == 18, "IQ4_NL");
_Static_assert(sizeof(struct block_iq4_xs) == 136, "IQ4_XS");

#endif
