/* float8_lanes.h -- vector kernels of the 8-bit floats. */
#ifndef LQ_CODEC_FLOAT8_LANES_H
#define LQ_CODEC_FLOAT8_LANES_H

#include <stddef.h>

#include "libquant/codec/simd_lookup.h"
#include "libquant/codec/type.h"

#define NOT_A_NUMBER 0x7fc00000

/* Magnitudes of codes without sign, `fraction` bits of fraction. Below the smallest exponent, a
 * fraction is put behind the leading 1 of twice that, which is then taken away. */
LANES vi magnitudes(vi mag, int fraction, int bias)
{
    const vi bits = vi_shl(mag, 23 - fraction);
    const vi least = vi_splat((128 - bias) << 23);
    const vf subnormal = vf_from_bits(vi_add(bits, least)) - vf_from_bits(least);
    const vm normal = vi_gt(mag, vi_splat((1 << fraction) - 1));
    return vi_select(normal, vi_add(bits, vi_splat((127 - bias) << 23)), vf_bits(subnormal));
}

LANES vi value_f8_e4m3(vi code)
{
    const vi mag = vi_and(code, vi_splat(0x7f));
    const vi value =
        vi_select(vi_eq(mag, vi_splat(0x7f)), vi_splat(NOT_A_NUMBER), magnitudes(mag, 3, 7));
    return vi_or(value, vi_shl(vi_sub(code, mag), 24));
}

LANES vi value_f8_e5m2(vi code)
{
    const vi mag = vi_and(code, vi_splat(0x7f)), infinity = vi_splat(0x7c);
    vi value = vi_select(vi_eq(mag, infinity), vi_splat(NOT_FINITE), magnitudes(mag, 2, 15));
    value = vi_select(vi_gt(mag, infinity), vi_splat(NOT_A_NUMBER), value);
    return vi_or(value, vi_shl(vi_sub(code, mag), 24));
}

LANES vi value_f8_e8m0(vi code)
{
    const vi value = vi_select(vi_eq(code, vi_splat(0)), vi_splat(0x400000), vi_shl(code, 23));
    return vi_select(vi_eq(code, vi_splat(0xff)), vi_splat(NOT_A_NUMBER), value);
}

LANES vi value_fnuz(vi code, int fraction, int bias)
{
    const vi mag = vi_and(code, vi_splat(0x7f));
    const vi value = vi_or(magnitudes(mag, fraction, bias), vi_shl(vi_sub(code, mag), 24));
    return vi_select(vi_eq(code, vi_splat(0x80)), vi_splat(NOT_A_NUMBER), value);
}

LANES vi value_f8_e4m3fnuz(vi code)
{
    return value_fnuz(code, 3, 8);
}

LANES vi value_f8_e5m2fnuz(vi code)
{
    return value_fnuz(code, 2, 16);
}

/* Magnitudes of finite numbers (bits), rounded to codes; see code_f8_e4m3 of float8.c. */
LANES vi rounded(vi mag, int fraction, int bias)
{
    const int shift = 23 - fraction;
    const vi odd = vi_and(vi_shr(mag, shift), vi_splat(1));
    const vi half = vi_splat((1 << (shift - 1)) - 1);
    const vi normal =
        vi_sub(vi_shr(vi_add(mag, vi_add(half, odd)), shift), vi_splat((127 - bias) << fraction));
    /* 2^23 units of a code */
    const vf unit = vf_from_bits(vi_splat((151 - bias - fraction) << 23));
    const vi subnormal = vi_sub(vf_bits(vf_from_bits(mag) + unit), vf_bits(unit));
    return vi_select(vi_gt(vi_splat((128 - bias) << 23), mag), subnormal, normal);
}

LANES vi code_f8_e4m3(vf v)
{
    const vi bits = vf_bits(v), mag = vf_abs_bits(v);
    const vi largest = vi_splat(0x43e00000); /* 448 */
    const vi code = rounded(vi_min(mag, largest), 3, 7);
    return vi_or(vi_select(vi_gt(mag, vi_splat(NOT_FINITE)), vi_splat(0x7f), code),
                 vi_and(vi_shr(bits, 24), vi_splat(0x80)));
}

LANES vi code_f8_e5m2(vf v)
{
    const vi bits = vf_bits(v), mag = vf_abs_bits(v);
    const vi overflow = vi_splat(0x47700000);              /* 61440 */
    const vi code = rounded(vi_min(mag, overflow), 2, 15); /* of 61440: infinity */
    return vi_or(vi_select(vi_gt(mag, vi_splat(NOT_FINITE)), vi_splat(0x7f), code),
                 vi_and(vi_shr(bits, 24), vi_splat(0x80)));
}

/* Define decode_<suffix>_<isa> and encode_<suffix>_<isa>; what does not fill vectors is left to the
 * scalar code. */
#define DECODE_FLOAT8(symbol, suffix)                                                              \
    void ISA_FN(decode_##suffix)(float *dst, const void *src, size_t n)                            \
    {                                                                                              \
        const uint8_t *const codes = src;                                                          \
        const size_t whole = n - n % 16;                                                           \
        for (size_t i = 0; i < whole; i += VL)                                                     \
            vf_store(dst + i, vf_from_bits(value_##suffix(vi_load_u8(codes + i))));                \
        if (whole < n)                                                                             \
            type_##symbol.decode(dst + whole, codes + whole, n - whole);                           \
    }

#define ENCODE_FLOAT8(symbol, suffix)                                                              \
    void ISA_FN(encode_##suffix)(void *dst, const float *src, size_t rows, size_t cols,            \
                                 const float *importance)                                          \
    {                                                                                              \
        uint8_t *const codes = dst;                                                                \
        const size_t n = rows * cols, whole = n - n % 32;                                          \
        for (size_t i = 0; i < whole; i += 32) {                                                   \
            vi code[VF_PER_32];                                                                    \
            for (int k = 0; k < VF_PER_32; k++)                                                    \
                code[k] = code_##suffix(vf_load(src + i + k * VL));                                \
            vi_store_32u8(codes + i, code);                                                        \
        }                                                                                          \
        if (whole < n)                                                                             \
            type_##symbol.encode(codes + whole, src + whole, 1, n - whole, importance);            \
    }

#endif
