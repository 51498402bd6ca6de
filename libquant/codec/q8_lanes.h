/* q8_lanes.h -- kernels of Q8_0, Q8_1 and Q8_K. */
#ifndef LQ_CODEC_Q8_LANES_H
#define LQ_CODEC_Q8_LANES_H

#include "libquant/codec/kernel_list.h"
#include "libquant/codec/legacy_lanes.h"

/* round_i32 of num.h */
LANES vi vi_round(vf v)
{
    const vi sign = vi_and(vf_bits(v), vi_splat(INT32_MIN));
    return vi_from_float(v + vf_from_bits(vi_or(sign, vi_splat(0x3effffff))));
}

void ISA_FN(encode_q8_0)(void *dst, const float *src, size_t rows, size_t cols,
                         const float *importance)
{
    struct block_q8_0 *b = dst;
    const size_t n = rows * cols;
    vf v[VF_PER_32];
    vi code[VF_PER_32];

    for (size_t i = 0; i < n; i += LEGACY_LEN, b++) {
        load_32(v, src + i);
        const int largest = largest_bits(v);
        if (largest >= NOT_FINITE) {
            type_Q8_0.encode(b, src + i, 1, LEGACY_LEN, importance);
            continue;
        }
        const float d = f32_from_bits((uint32_t)largest) / 127.0f;
        const vf inverse = vf_splat(d != 0.0f ? 1.0f / d : 0.0f);
        store_u16(b->d, f16_from_float(d));
        for (int k = 0; k < VF_PER_32; k++)
            code[k] = vi_round(v[k] * inverse);
        vi_store_32u8((uint8_t *)b->qs, code);
    }
}

LANES void decode_bytes(float *dst, const int8_t *qs, int n, float d)
{
    for (int i = 0; i < n; i += VL)
        vf_store(dst + i, vf_from_int(vi_load_s8(qs + i)) * vf_splat(d));
}

/* decode_<name>: block after block. */
#define DECODE_Q8(name, len, scale)                                                                \
    void ISA_FN(decode_##name)(float *dst, const void *src, size_t n)                              \
    {                                                                                              \
        const struct block_##name *b = src;                                                        \
        for (size_t i = 0; i < n; i += (len), b++)                                                 \
            decode_bytes(dst + i, b->qs, (len), (scale));                                          \
    }

DECODE_Q8(q8_0, LEGACY_LEN, load_f16(b->d))
DECODE_Q8(q8_1, LEGACY_LEN, load_f16(b->d))
DECODE_Q8(q8_k, SUPER_LEN, load_f32(b->d))

#endif
