/* kquant_decode_lanes.h -- decoders of Q2_K to Q8_K, VL elements at a time as they lie. */
#ifndef LQ_CODEC_KQUANT_DECODE_LANES_H
#define LQ_CODEC_KQUANT_DECODE_LANES_H

#include "libquant/codec/kquant_pack.h"
#include "libquant/codec/simd.h"
#include "libquant/codec/type.h"

/* Bits of VL bytes, from `shift` on. */
LANES vi byte_bits(const uint8_t *p, int shift, int mask)
{
    return vi_and(vi_shr(vi_load_u8(p), shift), vi_splat(mask));
}

LANES void affine_store(float *dst, vi code, float scale, float min)
{
    vf_store(dst, vf_splat(scale) * vf_from_int(code) - vf_splat(min));
}

LANES void symmetric_store(float *dst, vi code, int nmax, float scale)
{
    vf_store(dst, vf_splat(scale) * vf_from_int(vi_sub(code, vi_splat(nmax))));
}

LANES void lanes_q2_k(float *dst, const struct block_q2_k *b)
{
    const float d = load_f16(b->d), dmin = load_f16(b->dmin);

    for (int i = 0; i < SUPER_LEN; i += VL) {
        const uint8_t *const q = b->qs + i / 128 * 32 + i % 32;
        const int sub = b->scales[i / 16];
        affine_store(dst + i, byte_bits(q, i % 128 / 32 * 2, 3), d * (float)(sub & 15),
                     dmin * (float)(sub >> 4));
    }
}

LANES void lanes_q3_k(float *dst, const struct block_q3_k *b)
{
    const float d = load_f16(b->d);
    int8_t scale[16];

    unpack_scales_q3(b->scales, scale);
    for (int i = 0; i < SUPER_LEN; i += VL) {
        const vi low = byte_bits(b->qs + i / 128 * 32 + i % 32, i % 128 / 32 * 2, 3);
        const vi high = byte_bits(b->hmask + i % 32, i / 32, 1);
        symmetric_store(dst + i, vi_or(low, vi_shl(high, 2)), 4, d * (float)scale[i / 16]);
    }
}

/* Q4_K, and Q5_K with its fifth bits. */
LANES void lanes_k4(float *dst, const uint8_t packed[12], const uint8_t *qs, const uint8_t *qh,
                    float d, float dmin)
{
    uint8_t scale[8], min[8];

    unpack_scales_k4(packed, scale, min);
    for (int i = 0; i < SUPER_LEN; i += VL) {
        vi code = byte_bits(qs + i / 64 * 32 + i % 32, i % 64 / 32 * 4, 15);
        if (qh)
            code = vi_or(code, vi_shl(byte_bits(qh + i % 32, i / 32, 1), 4));
        affine_store(dst + i, code, d * (float)scale[i / 32], dmin * (float)min[i / 32]);
    }
}

LANES void lanes_q4_k(float *dst, const struct block_q4_k *b)
{
    lanes_k4(dst, b->scales, b->qs, NULL, load_f16(b->d), load_f16(b->dmin));
}

LANES void lanes_q5_k(float *dst, const struct block_q5_k *b)
{
    lanes_k4(dst, b->scales, b->qs, b->qh, load_f16(b->d), load_f16(b->dmin));
}

LANES void lanes_q6_k(float *dst, const struct block_q6_k *b)
{
    const float d = load_f16(b->d);

    for (int i = 0; i < SUPER_LEN; i += VL) {
        const int half = i / 128, l = i % 128;
        const vi low = byte_bits(b->ql + half * 64 + l % 64, l / 64 * 4, 15);
        const vi high = byte_bits(b->qh + half * 32 + l % 32, l / 32 * 2, 3);
        symmetric_store(dst + i, vi_or(low, vi_shl(high, 4)), 32, d * (float)b->scales[i / 16]);
    }
}

LANES void lanes_q8_k(float *dst, const struct block_q8_k *b)
{
    const vf d = vf_splat(load_f32(b->d));

    for (int i = 0; i < SUPER_LEN; i += VL)
        vf_store(dst + i, d * vf_from_int(vi_load_s8(b->qs + i)));
}

#define DECODE_SUPERBLOCKS(name)                                                                   \
    void ISA_FN(decode_##name)(float *dst, const void *src, size_t n)                              \
    {                                                                                              \
        const struct block_##name *b = src;                                                        \
        for (size_t i = 0; i < n; i += SUPER_LEN)                                                  \
            lanes_##name(dst + i, b++);                                                            \
    }

#endif
