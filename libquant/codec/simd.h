/* simd.h -- vectors of VL single-precision lanes, so that a kernel is written once for all widths.
 *
 * Included by files compiled for one instruction set (suffix _avx2, _avx512, _neon); everything is
 * static. vf holds VL floats, vi VL 32-bit integers, vm VL truth values. The operators of C work on
 * vf lane by lane and round as the scalar ones do; what vf_fma does not do is not fused.
 *
 * What each simd_<isa>.h defines (lane by lane unless said otherwise):
 *
 *   vf_splat vf_load vf_store vi_splat             float memory needs no alignment
 *   vi_load vi_store
 *   vf_load_columns(out, rows, n)                  out[i] = {rows[0][i], ..., rows[VL - 1][i]}, n a
 *                                                  multiple of 16
 *   vf_min(a, b)  vf_max(a, b)                     a < b ? a : b, a > b ? a : b
 *   vf_clamp(v, low, high)                         v is a number
 *   vf_fma(a, b, c)                                a * b + c, rounded once
 *   vf_abs vf_sqrt
 *   vf_lt vf_gt vf_eq vf_le                        false for NaN; vf_eq also +0 = -0
 *   vf_select(m, a, b)  vi_select(m, a, b)         m ? a : b
 *   vm_and vm_or vm_andnot(a, b)                   vm_andnot: a and not b
 *   vm_any vm_all                                  over the lanes
 *   vm_lanes(m)                                    bit i is lane i
 *   vi_add vi_sub vi_and vi_or vi_min vi_max vi_eq vi_gt
 *   vi_shl(v, n) vi_shr(v, n)                      vi_shr brings in zeros
 *   vf_bits vf_from_bits                           reinterpret
 *   vf_from_int                                    convert
 *   vi_from_float                                  toward zero; INT32_MIN if out of range or NaN
 *   vi_load_u8 vi_load_s8 vi_load_u16              VL integers of that size
 *   vi_store_u16                                   the low halves of the lanes
 *   vi_store_16u8(p, v)  vi_store_32u8(p, v)       the low bytes of the 16 or 32 integers in v
 *   vf_load_f16(p)  vf_store_f16(p, v)             halves; no lane of v is NaN
 *   f16_from_float(f)                              one, not NaN
 *   vf_hmin vf_hmax vi_hmin vi_hmax                over the lanes; no NaN
 *   GROUPS  PAIRED                                 vectors that a search works on at a time, and
 *                                                  those of them in one loop; divisors of 8
 */
#ifndef LQ_CODEC_SIMD_H
#define LQ_CODEC_SIMD_H

#include <stdbool.h>

#include "libquant/codec/num.h"
#include "libquant/codec/rounding.h"

/* Kernels are templates: their parameters are constants, to be seen by the optimizer. */
#define LANES static inline __attribute__((always_inline))

#if defined(__AVX512F__)
#include "libquant/codec/simd_avx512.h"
#elif defined(__AVX2__)
#include "libquant/codec/simd_avx2.h"
#elif defined(__aarch64__)
#include "libquant/codec/simd_neon.h"
#else
#error "no instruction set for kernels"
#endif

/* The function of this instruction set and rounding: encode_q4_k becomes encode_q4_k_avx2, or
 * encode_q4_k_fused_avx2. */
#define ISA_PASTE_(name, suffix) name##_##suffix
#define ISA_PASTE(name, suffix)  ISA_PASTE_(name, suffix)
#define ISA_FN(name)             ISA_PASTE(ROUNDED(name), ISA_SUFFIX)

#define VF_PER_32                (32 / VL)

/* v in a register: a compiler that uses it twice is not to load it twice. */
LANES vf vf_loaded(vf v)
{
    __asm__("" : "+" VECTOR_REGISTER(v));
    return v;
}

/* a * b + c, a * b - c and c - a * b, rounded as rounding.h says. */
LANES vf vf_mul_add(vf a, vf b, vf c)
{
    return FUSES ? vf_fma(a, b, c) : (vf)(a * b + c);
}

LANES vf vf_mul_sub(vf a, vf b, vf c)
{
    return FUSES ? vf_fma(a, b, -c) : (vf)(a * b - c);
}

LANES vf vf_sub_mul(vf c, vf a, vf b)
{
    return FUSES ? vf_fma(-a, b, c) : (vf)(c - a * b);
}

/* nearest_i32 of num.h, the same integer for any input. */
LANES vi vi_nearest(vf v)
{
    const vi sum = vf_bits(v + vf_splat(ROUNDER));
    return vi_sub(vi_and(sum, vi_splat(0x7fffff)), vi_splat(0x400000));
}

LANES vi vi_clamp(vi v, int low, int high)
{
    return vi_min(vi_max(v, vi_splat(low)), vi_splat(high));
}

/* {first, first + 1, ...} */
LANES vi vi_count_from(int first)
{
    static const int32_t up[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return vi_add(vi_load(up), vi_splat(first));
}

/* Bits of the magnitudes: ordered as the magnitudes are; infinities and NaNs come last. */
LANES vi vf_abs_bits(vf v)
{
    return vi_and(vf_bits(v), vi_splat(0x7fffffff));
}

#define NOT_FINITE 0x7f800000

#endif
