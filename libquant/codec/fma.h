/* fma.h -- one fused multiply-add of floats, the same on every machine. */
#ifndef LQ_CODEC_FMA_H
#define LQ_CODEC_FMA_H

#include <stdint.h>
#include <string.h>

/* a * b + c with a single rounding, from double arithmetic that every machine has.
 *
 * The product of two floats is exact in double. The sum is rounded to odd there: truncated, and its
 * last bit set where that lost anything. A result in round-to-odd with at least two more bits than
 * a float rounds on to the float nearest to the exact sum, subnormals included (S. Boldo and G.
 * Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to
 * odd", IEEE Transactions on Computers 57(4), 2008). libm's fmaf may be 20 times slower. */
static inline float fma_exact(float a, float b, float c)
{
    const double product = (double)a * (double)b, addend = (double)c;
    const double sum = product + addend;
    /* The rounding error of the sum, exactly (Knuth's TwoSum); NaN where the sum is not finite. */
    const double back = sum - product;
    const double error = (product - (sum - back)) + (addend - back);
    uint64_t bits;
    memcpy(&bits, &sum, sizeof bits);
    /* Away from zero where the error points there, else towards it: either way to odd. Written
     * without a branch, so that it can run in vector registers. */
    const uint64_t inexact = (uint64_t)((error < 0.0) | (error > 0.0)) & ~bits & 1;
    const uint64_t outward = (uint64_t)((error > 0.0) == (sum > 0.0));
    bits += inexact * (2 * outward - 1);
    double odd;
    memcpy(&odd, &bits, sizeof odd);
    return (float)odd;
}

#endif
