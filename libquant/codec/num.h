/* num.h -- the few number conversions that every codec shares, with one meaning on every machine.
 *
 * C leaves casts from float to integer undefined out of range and NaN; compilers and CPUs differ
 * there. The formats' reference encoder runs on x86, so its answers are the definition: INT32_MIN.
 */
#ifndef LQ_CODEC_NUM_H
#define LQ_CODEC_NUM_H

#include "libquant/base/bytes.h"

#include <stdbool.h>
#include <stddef.h>

#define F16_INF 0x7c00u
#define F16_NAN 0x7e00u

static inline uint32_t f32_bits(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}

static inline float f32_from_bits(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

static inline bool f32_is_finite(float f)
{
    return (f32_bits(f) & 0x7f800000u) != 0x7f800000u;
}

/* Written so that the loop becomes vector instructions. */
static inline bool f32_all_finite(const float *x, size_t n)
{
    uint32_t found = 0;
    for (size_t i = 0; i < n; i++)
        found |= (uint32_t)!f32_is_finite(x[i]);
    return !found;
}

/* IEEE half to single: exact; a signalling NaN becomes quiet, as in hardware. */
static inline float f16_to_f32(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
    const uint32_t exponent = h >> 10 & 0x1fu;
    const uint32_t fraction = h & 0x3ffu;

    if (exponent == 0)
        return f32_from_bits(sign | f32_bits((float)fraction * 0x1p-24f));
    if (exponent == 31)
        return f32_from_bits(sign | 0x7f800000u | fraction << 13 | (fraction ? 0x400000u : 0));
    return f32_from_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

/* Single to IEEE half: to nearest, ties to even, overflow to infinity. Every NaN becomes F16_NAN
 * with its sign. */
static inline uint16_t f32_to_f16(float f)
{
    const uint32_t bits = f32_bits(f);
    const uint32_t sign = bits >> 16 & 0x8000u;
    uint32_t mag = bits & 0x7fffffffu;

    if (mag > 0x7f800000u)
        return (uint16_t)(sign | F16_NAN);
    if (mag >= 0x477ff000u) /* 65520, halfway between the largest half and 65536 */
        return (uint16_t)(sign | F16_INF);
    if (mag < 0x38800000u) /* below 2^-14: one unit of the sum is 2^-24, as that of the half */
        return (uint16_t)(sign | (f32_bits(f32_from_bits(mag) + 0.5f) - 0x3f000000u));
    mag += 0xfffu + (mag >> 13 & 1u);
    return (uint16_t)(sign | (mag - 0x38000000u) >> 13);
}

static inline float bf16_to_f32(uint16_t h)
{
    return f32_from_bits((uint32_t)h << 16);
}

/* To nearest, ties to even; a NaN keeps sign and upper payload and becomes quiet. */
static inline uint16_t f32_to_bf16(float f)
{
    const uint32_t bits = f32_bits(f);

    if ((bits & 0x7fffffffu) > 0x7f800000u)
        return (uint16_t)(bits >> 16 | 0x40u);
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

/* Half precision as it lies in a block. */
static inline float load_f16(const void *p)
{
    return f16_to_f32(load_u16(p));
}

static inline void store_f16(void *p, float f)
{
    store_u16(p, f32_to_f16(f));
}

/* Neither NaN nor infinite. */
static inline int finite_f16(const void *p)
{
    return (load_u16(p) & F16_INF) != F16_INF;
}

/* Toward zero, as (int32_t)f does; INT32_MIN for what does not fit and for NaN. */
static inline int32_t f32_to_i32(float f)
{
    return f >= -0x1p31f && f < 0x1p31f ? (int32_t)f : INT32_MIN;
}

/* Half away from zero, as (int32_t)roundf(f) does: adding the number just below one half carries
 * into the integer part if and only if the fraction is at least one half. */
static inline int32_t round_i32(float f)
{
    return f32_to_i32(f + f32_from_bits(0x3effffffu | (f32_bits(f) & 0x80000000u)));
}

/* Two's complement truncation, without the implementation-defined cast. */
static inline int8_t low_i8(int32_t v)
{
    return (int8_t)(((v & 0xff) ^ 0x80) - 0x80);
}

/* 1.5 * 2^23: floats from 2^23 to 2^24 are integers, so that a sum with it is rounded to one, and has
 * that one in its low bits. */
#define ROUNDER 12582912.0f

/* To the nearest integer, ties to even, for |f| up to 2^22; beyond, and for NaN, what the reference
 * encoder makes of it: the low bits of the sum with ROUNDER. */
static inline int32_t nearest_i32(float f)
{
    return (int32_t)(f32_bits(f + ROUNDER) & 0x7fffffu) - 0x400000;
}

static inline int32_t clamp_i32(int32_t v, int32_t low, int32_t high)
{
    return v < low ? low : v > high ? high : v;
}

#endif
