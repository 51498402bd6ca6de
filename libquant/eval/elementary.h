/* elementary.h -- elementary functions whose every bit is defined: additions, multiplications, divisions
 * and integer operations in one fixed order, without branches. They are written on vectors of the
 * compiler's own (gcc and clang), which become registers of whatever width the instruction set has;
 * each element's result is the same in all.
 *
 * Errors in units of the last place, the largest that were found against 113-bit arithmetic in at least
 * 200,000 places each, and in brackets what tests/unit/test_elementary.c allows:
 *   exp_f32v     1.03 (1.1) of float; 0 below -87, infinite above 88
 *   exp_f64v     0.94 (1.0); 0 below -708, infinite above 709
 *   tanh_f64v    2.37 (2.6)
 *   normal_f64v  1.6e-11 of the value, which is 0.0003 (0.0004) of the floats that it is rounded to; it is the
 *                error function, (1 + erf(x / sqrt 2)) / 2
 *   sin_cos_f64  2.26 (2.5) the sine and 2.20 (2.5) the cosine, for angles up to 2^20
 * and of libquant/model/exact_math.h, which it also tests:
 *   exact_log    0.503 (0.51), where the logarithm is 1/4 or more in magnitude; 2^-62 (2^-60) beyond the
 *                rounding elsewhere
 *   exact_pow    0.52 + |y| / 1024 (0.53 + |y| / 1024) for x^y: the logarithm's error is multiplied by y
 * NaN gives NaN. Functions of vectors work in place: passing vectors by value depends on the instruction
 * set. */
#ifndef LQ_EVAL_ELEMENTARY_H
#define LQ_EVAL_ELEMENTARY_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Compilers split wider vectors than the registers into single elements. */
#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX2__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif
typedef float f32v __attribute__((vector_size(VECTOR_BYTES)));
typedef int32_t i32v __attribute__((vector_size(VECTOR_BYTES)));
typedef float f32h __attribute__((vector_size(VECTOR_BYTES / 2)));
typedef double f64v __attribute__((vector_size(VECTOR_BYTES)));
typedef int64_t i64v __attribute__((vector_size(VECTOR_BYTES)));

#define ELEMENTARY static inline __attribute__((always_inline))

/* mask ? a : b, where mask is a comparison's result: all ones or zeros in each element. */
#define SELECT_F32(mask, a, b)                                                                     \
    ((f32v)(((mask) & (i32v)(a)) | (~(mask) & (i32v)(b))))
#define SELECT_F64(mask, a, b) ((f64v)(((mask) & (i64v)(a)) | (~(mask) & (i64v)(b))))

ELEMENTARY void exp_f32v(f32v *io)
{
    const f32v x = *io, zero = {0};
    const i32v low = x < zero - 87.0f, high = x > zero + 88.0f;
    const f32v limited = SELECT_F32(low, zero - 87.0f, SELECT_F32(high, zero + 88.0f, x));
    /* x = n ln 2 + r. Adding 1.5 * 2^23 rounds to a whole number. */
    const f32v shifted = limited * 1.44269504f + 12582912.0f;
    const f32v n = shifted - 12582912.0f;
    const f32v r = (limited - n * 0.693359375f) - n * -2.12194440e-4f;
    f32v p = r * (1.0f / 5040) + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = (p * r * r + r) + 1.0f;
    /* 2^n: the low bits of `shifted` are n */
    const f32v scale = (f32v)(((i32v)shifted + 127) << 23);
    *io = SELECT_F32(low, zero, SELECT_F32(high, zero + INFINITY, p * scale));
}

/* e^x = (part + 1) * scale, for x from -708 to 709: scale is a power of two, and part is small. */
ELEMENTARY void exp_parts_f64v(const f64v *x, f64v *part, f64v *scale)
{
    const f64v shifted = *x * 1.4426950408889634 + 6755399441055744.0;
    const f64v n = shifted - 6755399441055744.0;
    const f64v r = (*x - n * 0x1.62e42fefa3800p-1) - n * 0x1.ef35793c76730p-45;
    f64v p = r * (1.0 / 6227020800.0) + 1.0 / 479001600.0;
    p = p * r + 1.0 / 39916800.0;
    p = p * r + 1.0 / 3628800.0;
    p = p * r + 1.0 / 362880.0;
    p = p * r + 1.0 / 40320.0;
    p = p * r + 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    *part = p * r * r + r;
    *scale = (f64v)(((i64v)shifted + 1023) << 52);
}

ELEMENTARY void exp_f64v(f64v *io)
{
    const f64v x = *io, zero = {0};
    const i64v low = x < zero - 708.0, high = x > zero + 709.0;
    const f64v limited = SELECT_F64(low, zero - 708.0, SELECT_F64(high, zero + 709.0, x));
    f64v part, scale;
    exp_parts_f64v(&limited, &part, &scale);
    *io = SELECT_F64(low, zero, SELECT_F64(high, zero + (double)INFINITY, (part + 1.0) * scale));
}

/* With e = exp(2x) - 1, which is not formed of exp(2x), whose small values have lost their digits: e / (e + 2) */
ELEMENTARY void tanh_f64v(f64v *io)
{
    const f64v x = *io, zero = {0};
    const i64v negative = x < zero;
    const f64v a = SELECT_F64(negative, -x, x);
    const f64v twice = SELECT_F64(a > zero + 20.0, zero + 40.0, a + a);
    f64v part, scale;
    exp_parts_f64v(&twice, &part, &scale);
    const f64v e = part * scale + (scale - 1.0), t = e / (e + 2.0);
    *io = SELECT_F64(negative, -t, t);
}

/* The normal distribution's share below x, (1 + erf(x / sqrt 2)) / 2. With a = |x| / sqrt 2:
 * erfc(a) = exp(-a^2) t P(2t - 1), t = 2 / (2 + a), P interpolated at Chebyshev nodes. */
ELEMENTARY void normal_f64v(f64v *io)
{
    const f64v x = *io, zero = {0};
    const i64v negative = x < zero;
    const f64v a = SELECT_F64(negative, -x, x) * 0.70710678118654752440;
    const f64v t = 2.0 / (2.0 + a), s = 2.0 * t - 1.0;
    f64v e = -a * a, p = zero + 9.5677846269828218697e-8;
    exp_f64v(&e);
    p = p * s - 1.0083114199774420391e-6;
    p = p * s + 7.8984266970371160335e-7;
    p = p * s + 6.3809757136904462586e-6;
    p = p * s - 0.000011990898260549363426;
    p = p * s - 0.000015448524504303647439;
    p = p * s + 0.0000728044807559124985;
    p = p * s - 0.000018057227143655082403;
    p = p * s - 0.00033170090552246306243;
    p = p * s + 0.00041891069214990460501;
    p = p * s + 0.0015453314913605626961;
    p = p * s - 0.0032396343837742276059;
    p = p * s - 0.010755332736471462239;
    p = p * s + 0.018221118744019427501;
    p = p * s + 0.13973604631512362507;
    p = p * s + 0.3435803421445942667;
    p = p * s + 0.51079135262101148773;
    const f64v tail = 0.5 * e * t * p;
    *io = SELECT_F64(negative, tail, 1.0 - tail);
}

/* For angles up to this in magnitude: its multiples of pi/2 are whole numbers of 20 bits. */
#define SIN_COS_LIMIT 0x1p20
static inline void sin_cos_f64(double x, double *sine, double *cosine)
{
    /* x = n pi/2 + r; pi/2 in parts of 33 bits, so that their products with n are exact. */
    const double n = (x * 0.63661977236758134308 + 6755399441055744.0) - 6755399441055744.0;
    const double r = ((x - n * 0x1.921fb54400000p+0) - n * 0x1.0b4611a600000p-34) -
                     n * 0x1.3198a2e037073p-69;
    const double q = r * r;
    double s = 1.0 / 355687428096000.0;
    s = s * q - 1.0 / 1307674368000.0;
    s = s * q + 1.0 / 6227020800.0;
    s = s * q - 1.0 / 39916800.0;
    s = s * q + 1.0 / 362880.0;
    s = s * q - 1.0 / 5040.0;
    s = s * q + 1.0 / 120.0;
    s = s * q - 1.0 / 6.0;
    s = s * q * r + r;
    double c = 1.0 / 20922789888000.0;
    c = c * q - 1.0 / 87178291200.0;
    c = c * q + 1.0 / 479001600.0;
    c = c * q - 1.0 / 3628800.0;
    c = c * q + 1.0 / 40320.0;
    c = c * q - 1.0 / 720.0;
    c = c * q + 1.0 / 24.0;
    c = c * q - 0.5;
    c = c * q + 1.0;
    const unsigned quarter = (unsigned)(int)n & 3u;
    *sine = quarter == 0 ? s : quarter == 1 ? c : quarter == 2 ? -s : -c;
    *cosine = quarter == 0 ? c : quarter == 1 ? -s : quarter == 2 ? -c : s;
}

#endif
