/* rounding.h -- a product and a sum in one expression: rounded apart, or fused.
 *
 * The reference computes a * b + c in two roundings where it is compiled for x86-64, and in one
 * where the compiler may contract: clang for AArch64 fuses what stands in one expression of the
 * source. Files of both kinds are about. So each such expression of a codec is written with the
 * functions below, and the source is compiled twice: as <name>.c with two roundings, and, by way of
 * <name>_fused.c, which defines CODEC_FUSED and includes it, with one. ROUNDED(name) is the name
 * that belongs to the rounding being compiled.
 *
 * In a sum of two products clang fuses the left one: a * b + c * d is mul_add(a, b, c * d).
 */
#ifndef LQ_CODEC_ROUNDING_H
#define LQ_CODEC_ROUNDING_H

#include "libquant/codec/fma.h"

#ifdef CODEC_FUSED
#define ROUNDED(name) name##_fused
enum { FUSES = 1 };
#else
#define ROUNDED(name) name
enum { FUSES = 0 };
#endif

/* a * b + c */
static inline float mul_add(float a, float b, float c)
{
    if (!FUSES)
        return a * b + c;
#if defined(__FMA__) || defined(__aarch64__)
    return __builtin_fmaf(a, b, c); /* one instruction */
#else
    return fma_exact(a, b, c);
#endif
}

/* a * b - c */
static inline float mul_sub(float a, float b, float c)
{
    return mul_add(a, b, -c);
}

/* c - a * b */
static inline float sub_mul(float c, float a, float b)
{
    return mul_add(-a, b, c);
}

#endif
