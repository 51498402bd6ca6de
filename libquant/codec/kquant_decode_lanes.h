/* kquant_decode_lanes.h -- decoders of Q2_K to Q6_K, VL elements at a time as they lie. */
#ifndef LQ_CODEC_KQUANT_DECODE_LANES_H
#define LQ_CODEC_KQUANT_DECODE_LANES_H

#include "libquant/codec/kquant_pack.h"
#include "libquant/codec/simd.h"
#include "libquant/codec/type.h"

/* Elements come in runs of 32 whose codes lie in the same bits of 32 bytes. The functions below are
 * called with constants for the bits, so that each run has its own shifts. */

/* Bits shift, shift + 1, ... under `mask` of each lane. */
LANES vi lane_bits(vi v, int shift, int mask)
{
    return vi_and(shift ? vi_shr(v, shift) : v, vi_splat(mask));
}

/* Q2_K: a run of 32 in bits `shift` and following of q; two scales. */
LANES void run_q2_k(float *dst, const uint8_t *q, int shift, const uint8_t *scales, float d,
                    float dmin)
{
    for (int i = 0; i < 32; i += VL) {
        const vf scale = vf_splat(d * (float)(scales[i / 16] & 15));
        const vf min = vf_splat(dmin * (float)(scales[i / 16] >> 4));
        const vf code = vf_from_int(lane_bits(vi_load_u8(q + i), shift, 3));
        vf_store(dst + i, vf_mul_sub(scale, code, min));
    }
}

LANES void lanes_q2_k(float *dst, const struct block_q2_k *b)
{
    const float d = load_f16(b->d), dmin = load_f16(b->dmin);

    for (int half = 0; half < 2; half++, dst += 128) {
        const uint8_t *const q = b->qs + 32 * half, *const scales = b->scales + 8 * half;
        run_q2_k(dst, q, 0, scales, d, dmin);
        run_q2_k(dst + 32, q, 2, scales + 2, d, dmin);
        run_q2_k(dst + 64, q, 4, scales + 4, d, dmin);
        run_q2_k(dst + 96, q, 6, scales + 6, d, dmin);
    }
}

/* Q3_K: as Q2_K, and bit `third` of h; what is taken off is 4. */
LANES void run_q3_k(float *dst, const uint8_t *q, int shift, const uint8_t *h, int third,
                    const int8_t *scales, float d)
{
    for (int i = 0; i < 32; i += VL) {
        const vi low = lane_bits(vi_load_u8(q + i), shift, 3);
        const vi high = vi_shl(lane_bits(vi_load_u8(h + i), third, 1), 2);
        const vf value = vf_from_int(vi_sub(vi_or(low, high), vi_splat(4)));
        vf_store(dst + i, vf_splat(d * (float)scales[i / 16]) * value);
    }
}

LANES void half_q3_k(float *dst, const struct block_q3_k *b, int half, const int8_t *scales,
                     float d)
{
    const uint8_t *const q = b->qs + 32 * half;

    run_q3_k(dst, q, 0, b->hmask, 4 * half, scales, d);
    run_q3_k(dst + 32, q, 2, b->hmask, 4 * half + 1, scales + 2, d);
    run_q3_k(dst + 64, q, 4, b->hmask, 4 * half + 2, scales + 4, d);
    run_q3_k(dst + 96, q, 6, b->hmask, 4 * half + 3, scales + 6, d);
}

LANES void lanes_q3_k(float *dst, const struct block_q3_k *b)
{
    const float d = load_f16(b->d);
    int8_t scale[16];

    unpack_scales_q3(b->scales, scale);
    half_q3_k(dst, b, 0, scale, d);
    half_q3_k(dst + 128, b, 1, scale + 8, d);
}

/* Q4_K and Q5_K: a run in the low or high nibbles of q, the fifth bit in bit `fifth` of h, if any.
 */
LANES void run_k4(float *dst, const uint8_t *q, int shift, const uint8_t *h, int fifth, float scale,
                  float min)
{
    for (int i = 0; i < 32; i += VL) {
        vi code = lane_bits(vi_load_u8(q + i), shift, 15);
        if (h)
            code = vi_or(code, vi_shl(lane_bits(vi_load_u8(h + i), fifth, 1), 4));
        vf_store(dst + i, vf_mul_sub(vf_splat(scale), vf_from_int(code), vf_splat(min)));
    }
}

/* Group `g` of 64 elements. */
LANES void group_k4(float *dst, const uint8_t *qs, const uint8_t *h, int g, const uint8_t *scale,
                    const uint8_t *min, float d, float dmin)
{
    run_k4(dst + 64 * g, qs + 32 * g, 0, h, 2 * g, d * (float)scale[2 * g],
           dmin * (float)min[2 * g]);
    run_k4(dst + 64 * g + 32, qs + 32 * g, 4, h, 2 * g + 1, d * (float)scale[2 * g + 1],
           dmin * (float)min[2 * g + 1]);
}

LANES void lanes_k4(float *dst, const uint8_t packed[12], const uint8_t *qs, const uint8_t *h,
                    float d, float dmin)
{
    uint8_t scale[8], min[8];

    unpack_scales_k4(packed, scale, min);
    group_k4(dst, qs, h, 0, scale, min, d, dmin);
    group_k4(dst, qs, h, 1, scale, min, d, dmin);
    group_k4(dst, qs, h, 2, scale, min, d, dmin);
    group_k4(dst, qs, h, 3, scale, min, d, dmin);
}

LANES void lanes_q4_k(float *dst, const struct block_q4_k *b)
{
    lanes_k4(dst, b->scales, b->qs, NULL, load_f16(b->d), load_f16(b->dmin));
}

LANES void lanes_q5_k(float *dst, const struct block_q5_k *b)
{
    lanes_k4(dst, b->scales, b->qs, b->qh, load_f16(b->d), load_f16(b->dmin));
}

/* Q6_K: a run in the low or high nibbles of q, upper two bits from `upper` on in h. */
LANES void run_q6_k(float *dst, const uint8_t *q, int shift, const uint8_t *h, int upper,
                    const int8_t *scales, float d)
{
    for (int i = 0; i < 32; i += VL) {
        const vi low = lane_bits(vi_load_u8(q + i), shift, 15);
        const vi high = vi_shl(lane_bits(vi_load_u8(h + i), upper, 3), 4);
        const vf value = vf_from_int(vi_sub(vi_or(low, high), vi_splat(32)));
        vf_store(dst + i, vf_splat(d * (float)scales[i / 16]) * value);
    }
}

LANES void lanes_q6_k(float *dst, const struct block_q6_k *b)
{
    const float d = load_f16(b->d);

    for (int half = 0; half < 2; half++, dst += 128) {
        const uint8_t *const q = b->ql + 64 * half, *const h = b->qh + 32 * half;
        const int8_t *const scales = b->scales + 8 * half;
        run_q6_k(dst, q, 0, h, 0, scales, d);
        run_q6_k(dst + 32, q + 32, 0, h, 2, scales + 2, d);
        run_q6_k(dst + 64, q, 4, h, 4, scales + 4, d);
        run_q6_k(dst + 96, q + 32, 4, h, 6, scales + 6, d);
    }
}

#define DECODE_SUPERBLOCKS(name)                                                                   \
    void ISA_FN(decode_##name)(float *dst, const void *src, size_t n)                              \
    {                                                                                              \
        const struct block_##name *b = src;                                                        \
        for (size_t i = 0; i < n; i += SUPER_LEN)                                                  \
            lanes_##name(dst + i, b++);                                                            \
    }

#endif
