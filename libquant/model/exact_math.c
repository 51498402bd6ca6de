/* exact_math.c -- logarithm and power in fixed point. */
#include "libquant/model/exact_math.h"

#include <math.h>
#include <stdint.h>

typedef unsigned __int128 u128;
typedef __int128 i128;

/* ln 2 * 2^64, rounded down. */
static const uint64_t LN2 = 0xb17217f7d1cf79abull;

/* log2 of x as a number with 64 binary places. The fraction comes bit by bit: squaring a mantissa
 * doubles its logarithm. */
static i128 log2_fixed(double x)
{
    int exponent;
    uint64_t m = (uint64_t)ldexp(frexp(x, &exponent), 64); /* [1/2, 1) with 64 places */
    i128 result = (i128)(exponent - 1) * ((i128)1 << 64);
    for (int bit = 63; bit >= 0; bit--) {
        const u128 square = (u128)m * m; /* of m / 2^63 in [1, 2), with 126 places */
        if (square >> 127) {
            m = (uint64_t)(square >> 64);
            result += (i128)1 << bit;
        } else {
            m = (uint64_t)(square >> 63);
        }
    }
    return result;
}

/* 2^f for f with 64 binary places, 0 <= f < 1, as a number in [1, 2] with 62: the series of exp. */
static uint64_t exp2_fixed(uint64_t f)
{
    const uint64_t z = (uint64_t)(((u128)f * LN2) >> 64);
    u128 sum = (u128)1 << 62;
    uint64_t term = (uint64_t)1 << 62;
    for (uint64_t k = 1; term; k++) {
        term = (uint64_t)(((u128)term * z) >> 64) / k;
        sum += term;
    }
    return (uint64_t)sum;
}

double exact_log(double x)
{
    const i128 l = log2_fixed(x);
    const u128 magnitude = (u128)(l < 0 ? -l : l);
    /* 64 places times 64 places; the whole part has at most 11 bits. */
    const u128 high = (magnitude >> 64) * LN2 + ((u128)(uint64_t)magnitude * LN2 >> 64);
    const double r = ldexp((double)high, -64);
    return l < 0 ? -r : r;
}

double exact_pow(double x, double y)
{
    const i128 l = log2_fixed(x); /* at most 75 bits */
    int exponent;
    const i128 m = (i128)ldexp(frexp(y, &exponent), 53); /* y = m * 2^(exponent - 53) */
    /* l * m needs 128 bits: split l so that no product overflows. */
    const int shift = 53 - exponent;
    if (shift > 110)
        return 1;
    if (shift < -10)
        return (l < 0) == (y < 0) ? INFINITY : 0;
    const i128 low = (l & 0xffffffff) * m, high = (l >> 32) * m + (low >> 32);
    const i128 power = shift >= 32 ? high >> (shift - 32) : high * ((i128)1 << (32 - shift));
    const i128 whole = power >> 64;
    if (whole > 1024 || whole < -1070)
        return whole > 0 ? INFINITY : 0;
    return ldexp((double)exp2_fixed((uint64_t)power), (int)whole - 62);
}
