/* lowbit_blocks.h -- how the blocks of TQ1_0, TQ2_0, Q1_0, Q2_0, MXFP4 and NVFP4 lie in a file.
 * All members are bytes, so that a block can lie at any address. `d` is an IEEE half. */
#ifndef LQ_CODEC_LOWBIT_BLOCKS_H
#define LQ_CODEC_LOWBIT_BLOCKS_H

#include <stdint.h>

enum { TERNARY_LEN = 256, Q1_LEN = 128, Q2_LEN = 64, MXFP4_LEN = 32, NVFP4_LEN = 64 };

/* -1, 0, 1 are the digits 0, 1, 2 of a number in base 3, first element most significant; the byte
 * is that number times 256/243, rounded up, so that multiplying by 3 shifts a digit out on top. */
struct block_tq1_0 {
    uint8_t qs[48]; /* five elements a byte; 32 bytes: elements i + 32 * k; 16: 160 + i + 16 * k */
    uint8_t qh[4];  /* four elements a byte: 240 + i + 4 * k */
    uint8_t d[2];
};

struct block_tq2_0 { /* two bits an element: byte 32 * h + i holds 128 * h + i + 32 * k */
    uint8_t qs[64];
    uint8_t d[2];
};

struct block_q1_0 { /* a bit an element: set for +d, clear for -d */
    uint8_t d[2];
    uint8_t qs[16];
};

struct block_q2_0 { /* two bits an element, in order: -1, 0, 1, 2 times d */
    uint8_t d[2];
    uint8_t qs[16];
};

struct block_mxfp4 { /* e: E8M0 scale; qs[i] holds element i (low nibble) and 16 + i (high), E2M1 */
    uint8_t e;
    uint8_t qs[16];
};

struct block_nvfp4 { /* four parts of 16 with a scale each, E4M3 without sign; qs as above */
    uint8_t d[4];
    uint8_t qs[4][8];
};

_Static_assert(sizeof(struct block_tq1_0) == 54, "TQ1_0");
_Static_assert(sizeof(struct block_tq2_0) == 66, "TQ2_0");
_Static_assert(sizeof(struct block_q1_0) == 18, "Q1_0");
_Static_assert(sizeof(struct block_q2_0) == 18, "Q2_0");
_Static_assert(sizeof(struct block_mxfp4) == 17, "MXFP4");
_Static_assert(sizeof(struct block_nvfp4) == 36, "NVFP4");

#endif
