/* float_lanes.h -- F16 and BF16, VL numbers at a time. */
#ifndef LQ_CODEC_FLOAT_LANES_H
#define LQ_CODEC_FLOAT_LANES_H

#include "libquant/codec/simd.h"
#include "libquant/codec/type.h"

/* Every NaN with the payload that the conversion by hardware turns into F16_NAN. */
LANES vf vf_canonical(vf v)
{
    const vi nan = vi_or(vi_and(vf_bits(v), vi_splat(INT32_MIN)), vi_splat(0x7fc00000));
    return vf_select(vf_eq(v, v), v, vf_from_bits(nan));
}

/* The scalar f32_to_bf16, in the low halves. */
LANES vi vi_bf16(vf v)
{
    const vi bits = vf_bits(v), high = vi_shr(bits, 16);
    const vi odd = vi_and(high, vi_splat(1));
    const vi rounded = vi_shr(vi_add(bits, vi_add(odd, vi_splat(0x7fff))), 16);
    return vi_select(vf_eq(v, v), rounded, vi_or(high, vi_splat(0x40)));
}

void ISA_FN(encode_f16)(void *dst, const float *src, size_t rows, size_t cols,
                        const float *importance)
{
    uint8_t *const out = dst;
    const size_t n = rows * cols;
    size_t i = 0;

    for (; i + VL <= n; i += VL)
        vf_store_f16(out + 2 * i, vf_canonical(vf_load(src + i)));
    type_F16.encode(out + 2 * i, src + i, 1, n - i, importance);
}

void ISA_FN(encode_bf16)(void *dst, const float *src, size_t rows, size_t cols,
                         const float *importance)
{
    uint8_t *const out = dst;
    const size_t n = rows * cols;
    size_t i = 0;

    for (; i + VL <= n; i += VL)
        vi_store_u16(out + 2 * i, vi_bf16(vf_load(src + i)));
    type_BF16.encode(out + 2 * i, src + i, 1, n - i, importance);
}

void ISA_FN(decode_f16)(float *dst, const void *src, size_t n)
{
    const uint8_t *const in = src;
    size_t i = 0;

    for (; i + VL <= n; i += VL)
        vf_store(dst + i, vf_load_f16(in + 2 * i));
    type_F16.decode(dst + i, in + 2 * i, n - i);
}

void ISA_FN(decode_bf16)(float *dst, const void *src, size_t n)
{
    const uint8_t *const in = src;
    size_t i = 0;

    for (; i + VL <= n; i += VL)
        vf_store(dst + i, vf_from_bits(vi_shl(vi_load_u16(in + 2 * i), 16)));
    type_BF16.decode(dst + i, in + 2 * i, n - i);
}

#endif
