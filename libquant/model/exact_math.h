/* exact_math.h -- logarithm and power in integers, for the few figures of a configuration that go
 * into files: the C library's differ in the last bit from machine to machine. */
#ifndef LQ_MODEL_EXACT_MATH_H
#define LQ_MODEL_EXACT_MATH_H

/* Before it is rounded to double, the logarithm is within 2^-60 of the true one, and the power within
 * |y| 2^-63 + 2^-58 of its value; tests/unit/test_elementary.c checks it. */
double exact_log(double x);           /* natural; x > 0, normal */
double exact_pow(double x, double y); /* x > 0, normal; the result must be normal, else 0 or inf */

#endif
