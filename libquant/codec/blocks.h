/* blocks.h -- how the blocks of the legacy and K types lie in a file.
 *
 * All members are bytes, so that a block can lie at any address. Fields of two bytes are IEEE
 * halves. `d` is the scale, `m` or `dmin` that of the minimum; element = scale * code - minimum.
 */
#ifndef LQ_CODEC_BLOCKS_H
#define LQ_CODEC_BLOCKS_H

#include <stdint.h>

/* ---- legacy: 32 elements. qs[j] holds element j in the low and 16 + j in the high nibble; ---- */
/* ---- qh is a 32-bit number whose bit i is the fifth bit of element i                       ----
 */

enum { LEGACY_LEN = 32 };

struct block_q4_0 {
    uint8_t d[2];
    uint8_t qs[16];
};

struct block_q4_1 {
    uint8_t d[2];
    uint8_t m[2];
    uint8_t qs[16];
};

struct block_q5_0 {
    uint8_t d[2];
    uint8_t qh[4];
    uint8_t qs[16];
};

struct block_q5_1 {
    uint8_t d[2];
    uint8_t m[2];
    uint8_t qh[4];
    uint8_t qs[16];
};

struct block_q8_0 {
    uint8_t d[2];
    int8_t qs[32];
};

struct block_q8_1 {
    uint8_t d[2];
    uint8_t s[2]; /* d times the sum of the codes */
    int8_t qs[32];
};

/* ---- K types: superblocks of 256 elements in sub-blocks of 16 or 32, each with a small integer
 * ---- scale; kquant_pack.h says how codes and scales are packed                                 */

enum { SUPER_LEN = 256 };

struct block_q2_k {
    uint8_t scales[16]; /* low nibble scale, high nibble minimum */
    uint8_t qs[64];
    uint8_t d[2];
    uint8_t dmin[2];
};

struct block_q3_k {
    uint8_t hmask[32]; /* third bits */
    uint8_t qs[64];
    uint8_t scales[12]; /* 16 scales of 6 bits, offset by 32 */
    uint8_t d[2];
};

struct block_q4_k {
    uint8_t d[2];
    uint8_t dmin[2];
    uint8_t scales[12]; /* 8 scales and 8 minima of 6 bits */
    uint8_t qs[128];
};

struct block_q5_k {
    uint8_t d[2];
    uint8_t dmin[2];
    uint8_t scales[12];
    uint8_t qh[32]; /* fifth bits */
    uint8_t qs[128];
};

struct block_q6_k {
    uint8_t ql[128]; /* low four bits */
    uint8_t qh[64];  /* upper two bits */
    int8_t scales[16];
    uint8_t d[2];
};

struct block_q8_k {
    uint8_t d[4]; /* single */
    int8_t qs[256];
    uint8_t bsums[32]; /* 16 sums of 16 codes, as int16 */
};

_Static_assert(sizeof(struct block_q4_0) == 18, "Q4_0");
_Static_assert(sizeof(struct block_q4_1) == 20, "Q4_1");
_Static_assert(sizeof(struct block_q5_0) == 22, "Q5_0");
_Static_assert(sizeof(struct block_q5_1) == 24, "Q5_1");
_Static_assert(sizeof(struct block_q8_0) == 34, "Q8_0");
_Static_assert(sizeof(struct block_q8_1) == 36, "Q8_1");
_Static_assert(sizeof(struct block_q2_k) == 84, "Q2_K");
_Static_assert(sizeof(struct block_q3_k) == 110, "Q3_K");
_Static_assert(sizeof(struct block_q4_k) == 144, "Q4_K");
_Static_assert(sizeof(struct block_q5_k) == 176, "Q5_K");
_Static_assert(sizeof(struct block_q6_k) == 210, "Q6_K");
_Static_assert(sizeof(struct block_q8_k) == 292, "Q8_K");

#endif
