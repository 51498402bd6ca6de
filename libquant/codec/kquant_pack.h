/* kquant_pack.h -- how the K types pack codes and sub-block scales into the bytes of a superblock.
 *
 * codes: 256 small integers, one a byte, in the order of the elements. Shared by the scalar codec
 * and the vector kernels; everything is static, as each instruction set compiles its own copy.
 */
#ifndef LQ_CODEC_KQUANT_PACK_H
#define LQ_CODEC_KQUANT_PACK_H

#include "libquant/codec/blocks.h"

/* Two bits: in each half of the superblock, a byte holds the codes of elements l, l + 32, l + 64
 * and l + 96, from the low bits up. */
static inline void pack_2bit(uint8_t qs[64], const uint8_t codes[256])
{
    for (int half = 0; half < 2; half++) {
        const uint8_t *const c = codes + 128 * half;
        uint8_t *const q = qs + 32 * half;
        for (int l = 0; l < 32; l++)
            q[l] = (uint8_t)(c[l] | c[l + 32] << 2 | c[l + 64] << 4 | c[l + 96] << 6);
    }
}

static inline void unpack_2bit(uint8_t codes[256], const uint8_t qs[64])
{
    for (int half = 0; half < 2; half++) {
        uint8_t *const c = codes + 128 * half;
        const uint8_t *const q = qs + 32 * half;
        for (int l = 0; l < 32; l++) {
            c[l] = q[l] & 3;
            c[l + 32] = q[l] >> 2 & 3;
            c[l + 64] = q[l] >> 4 & 3;
            c[l + 96] = q[l] >> 6;
        }
    }
}

/* Four bits: in each group of 64 elements, a byte holds elements l (low nibble) and l + 32. */
static inline void pack_4bit(uint8_t qs[128], const uint8_t codes[256])
{
    for (int group = 0; group < 4; group++) {
        const uint8_t *const c = codes + 64 * group;
        uint8_t *const q = qs + 32 * group;
        for (int l = 0; l < 32; l++)
            q[l] = (uint8_t)((c[l] & 15) | c[l + 32] << 4);
    }
}

static inline void unpack_4bit(uint8_t codes[256], const uint8_t qs[128])
{
    for (int group = 0; group < 4; group++) {
        uint8_t *const c = codes + 64 * group;
        const uint8_t *const q = qs + 32 * group;
        for (int l = 0; l < 32; l++) {
            c[l] = q[l] & 15;
            c[l + 32] = q[l] >> 4;
        }
    }
}

/* One bit, bit `bit` of every code: bit k of out[l] belongs to element 32 * k + l. */
static inline void pack_1bit(uint8_t out[32], const uint8_t codes[256], int bit)
{
    for (int l = 0; l < 32; l++) {
        int byte = 0;
        for (int k = 0; k < 8; k++)
            byte |= (codes[32 * k + l] >> bit & 1) << k;
        out[l] = (uint8_t)byte;
    }
}

static inline void unpack_1bit(uint8_t codes[256], const uint8_t in[32], int bit)
{
    for (int k = 0; k < 8; k++)
        for (int l = 0; l < 32; l++)
            codes[32 * k + l] |= (uint8_t)((in[l] >> k & 1) << bit);
}

/* Codes 0 to 7 of Q3_K: the low two bits, and the third. */
static inline void pack_q3_k(struct block_q3_k *b, const uint8_t codes[256])
{
    uint8_t low[256];

    for (int i = 0; i < 256; i++)
        low[i] = codes[i] & 3;
    pack_2bit(b->qs, low);
    pack_1bit(b->hmask, codes, 2);
}

static inline void unpack_q3_k(uint8_t codes[256], const struct block_q3_k *b)
{
    unpack_2bit(codes, b->qs);
    unpack_1bit(codes, b->hmask, 2);
}

static inline void pack_q5_k(struct block_q5_k *b, const uint8_t codes[256])
{
    pack_4bit(b->qs, codes);
    pack_1bit(b->qh, codes, 4);
}

static inline void unpack_q5_k(uint8_t codes[256], const struct block_q5_k *b)
{
    unpack_4bit(codes, b->qs);
    unpack_1bit(codes, b->qh, 4);
}

/* Codes 0 to 63 of Q6_K: in each half, nibbles of l and l + 64, then of l + 32 and l + 96; upper
 * two bits as pack_2bit has them. */
static inline void pack_q6_k(struct block_q6_k *b, const uint8_t codes[256])
{
    uint8_t high[256];

    for (int half = 0; half < 2; half++) {
        const uint8_t *const c = codes + 128 * half;
        uint8_t *const q = b->ql + 64 * half;
        for (int l = 0; l < 64; l++)
            q[l] = (uint8_t)((c[l] & 15) | c[l + 64] << 4);
    }
    for (int i = 0; i < 256; i++)
        high[i] = codes[i] >> 4;
    pack_2bit(b->qh, high);
}

static inline void unpack_q6_k(uint8_t codes[256], const struct block_q6_k *b)
{
    uint8_t high[256];

    unpack_2bit(high, b->qh);
    for (int half = 0; half < 2; half++) {
        uint8_t *const c = codes + 128 * half;
        const uint8_t *const h = high + 128 * half;
        const uint8_t *const q = b->ql + 64 * half;
        for (int l = 0; l < 64; l++) {
            c[l] = (uint8_t)((q[l] & 15) | h[l] << 4);
            c[l + 64] = (uint8_t)(q[l] >> 4 | h[l + 64] << 4);
        }
    }
}

/* Eight scales and eight minima of six bits in twelve bytes: those of sub-blocks 0 to 3 lie in the
 * low six bits of bytes 0 to 7; of the others the low nibbles share bytes 8 to 11, and the upper
 * two bits are in what bytes 0 to 7 have left. */
static inline void pack_scales_k4(uint8_t out[12], const uint8_t scale[8], const uint8_t min[8])
{
    for (int j = 0; j < 4; j++) {
        out[j] = (uint8_t)(scale[j] | (scale[j + 4] >> 4) << 6);
        out[j + 4] = (uint8_t)(min[j] | (min[j + 4] >> 4) << 6);
        out[j + 8] = (uint8_t)((scale[j + 4] & 15) | min[j + 4] << 4);
    }
}

static inline void unpack_scales_k4(const uint8_t in[12], uint8_t scale[8], uint8_t min[8])
{
    for (int j = 0; j < 4; j++) {
        scale[j] = in[j] & 63;
        min[j] = in[j + 4] & 63;
        scale[j + 4] = (uint8_t)((in[j + 8] & 15) | in[j] >> 6 << 4);
        min[j + 4] = (uint8_t)(in[j + 8] >> 4 | in[j + 4] >> 6 << 4);
    }
}

/* Sixteen scales of six bits, offset by 32, in twelve bytes: low nibbles of j and j + 8 in byte j,
 * upper two bits of j, j + 4, j + 8, j + 12 in byte 8 + j % 4. */
static inline void pack_scales_q3(uint8_t out[12], const uint8_t scale[16])
{
    for (int j = 0; j < 8; j++)
        out[j] = (uint8_t)((scale[j] & 15) | scale[j + 8] << 4);
    for (int j = 0; j < 4; j++)
        out[8 + j] = (uint8_t)(scale[j] >> 4 | scale[j + 4] >> 4 << 2 | scale[j + 8] >> 4 << 4 |
                               scale[j + 12] >> 4 << 6);
}

static inline void unpack_scales_q3(const uint8_t in[12], int8_t scale[16])
{
    for (int j = 0; j < 16; j++) {
        const int low = j < 8 ? in[j] & 15 : in[j - 8] >> 4;
        const int high = in[8 + j % 4] >> (2 * (j / 4)) & 3;
        scale[j] = (int8_t)((low | high << 4) - 32);
    }
}

#endif
