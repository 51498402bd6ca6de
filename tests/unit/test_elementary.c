/* test_elementary.c -- elementary functions against long double: the errors in units of the last
 * place that libquant/eval/elementary.h states. */
#include "libquant/eval/elementary.h"
#include "libquant/model/exact_math.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { PLACES = 20000, FLOAT = 24, DOUBLE = 53 };

static uint64_t state = 88172645463325252u;

/* From -half to half. */
static double any(double half)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return ((double)(state >> 11) * 0x1p-52 - 1.0) * half;
}

/* Distance in units of the last place of `want` as a type with `digits` bits. */
static double ulps(long double got, long double want, int digits)
{
    int exponent;
    (void)frexpl(want, &exponent);
    return (double)(fabsl(got - want) / ldexpl(1.0L, exponent - digits));
}

/* At x, or at x and y. */
static void within(double error, double limit, const char *what, double x, double y)
{
    if (!(error <= limit))
        fail_msg("%s at %.17g, %.17g: %.4f units of the last place, not %.4f", what, x, y, error,
                 limit);
}

static float exp_float(float x)
{
    f32v v = {0};
    v = v + x;
    exp_f32v(&v);
    return v[0];
}

typedef void double_function(f64v *v);
static double call(double_function *f, double x)
{
    f64v v = {0};
    v = v + x;
    f(&v);
    return v[0];
}

static void call_exp(f64v *v)
{
    exp_f64v(v);
}
static void call_tanh(f64v *v)
{
    tanh_f64v(v);
}
static void call_normal(f64v *v)
{
    normal_f64v(v);
}

static void exp_of_floats(void **unused)
{
    (void)unused;
    for (int i = 0; i < 4 * PLACES; i++) {
        const float x = (float)(any(87.45) + 0.55);
        within(ulps((long double)exp_float(x), expl((long double)x), FLOAT), 1.1, "exp_f32v",
               (double)x, 0);
    }
    assert_true(exp_float(0.0f) == 1.0f && isnan(exp_float(NAN)));
    assert_true(exp_float(-100.0f) == 0.0f && isinf(exp_float(100.0f)));
}

static void exp_of_doubles(void **unused)
{
    (void)unused;
    for (int i = 0; i < PLACES; i++) {
        const double x = i % 2 ? any(708) : any(1);
        within(ulps((long double)call(call_exp, x), expl((long double)x), DOUBLE), 1.0, "exp_f64v",
               x, 0);
    }
    assert_true(call(call_exp, 0.0) == 1.0 && isnan(call(call_exp, NAN)));
    assert_true(call(call_exp, -1000.0) == 0.0 && isinf(call(call_exp, 1000.0)));
}

/* Also of small values, whose results are as small. */
static void tanh_of_doubles(void **unused)
{
    (void)unused;
    for (int i = 0; i < PLACES; i++) {
        const double x = i % 2 ? any(25) : ldexp(any(1), -(i % 64));
        within(ulps((long double)call(call_tanh, x), tanhl((long double)x), DOUBLE), 2.6,
               "tanh_f64v", x, 0);
    }
    assert_true(call(call_tanh, 0.0) == 0.0 && isnan(call(call_tanh, NAN)));
    assert_true(call(call_tanh, 1e300) == 1.0 && call(call_tanh, -1e300) == -1.0);
}

static void the_error_function(void **unused)
{
    (void)unused;
    for (int i = 0; i < PLACES; i++) {
        const double x = any(i % 2 ? 20 : 4);
        const long double want = erfcl(-(long double)x / sqrtl(2.0L)) / 2;
        within(ulps((long double)call(call_normal, x), want, FLOAT), 0.0004, "normal_f64v", x, 0);
    }
    assert_true(isnan(call(call_normal, NAN)));
}

/* Also beside multiples of pi / 2, where sine or cosine are small. */
static void sine_and_cosine(void **unused)
{
    (void)unused;
    for (int i = 0; i < PLACES; i++) {
        double x = any(i % 2 ? 1048576 : 100), sine, cosine;
        if (i % 4 == 3)
            x = (double)(int)x * 0.63 * 1.5707963267948966;
        sin_cos_f64(x, &sine, &cosine);
        within(ulps((long double)sine, sinl((long double)x), DOUBLE), 2.5, "sine", x, 0);
        within(ulps((long double)cosine, cosl((long double)x), DOUBLE), 2.5, "cosine", x, 0);
    }
}

static void logarithms(void **unused)
{
    (void)unused;
    for (int i = 0; i < PLACES; i++) {
        const double x = exp2(any(i % 2 ? 1000 : 2)), got = exact_log(x);
        const long double want = logl((long double)x);
        if (fabsl(want) >= 0.25L)
            within(ulps((long double)got, want, DOUBLE), 0.51, "exact_log", x, 0);
        else
            assert_true(fabsl((long double)got - want) <= 0x1p-60L + fabsl(want) * 0x1p-53L);
    }
    assert_true(exact_log(1.0) == 0.0);
}

static void powers(void **unused)
{
    (void)unused;
    for (int i = 0; i < PLACES; i++) {
        const double x = i % 2 ? exp2(any(30)) : 2.718281828459045;
        const double y = i % 2 ? any(700) / fabs(log(x)) : any(i % 4 ? 20 : 700);
        within(ulps((long double)exact_pow(x, y), powl((long double)x, (long double)y), DOUBLE),
               0.53 + fabs(y) / 1024, "exact_pow", x, y);
    }
    assert_true(exact_pow(10000.0, 0.5) == 100.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp_of_floats),   cmocka_unit_test(exp_of_doubles),
        cmocka_unit_test(tanh_of_doubles), cmocka_unit_test(the_error_function),
        cmocka_unit_test(sine_and_cosine), cmocka_unit_test(logarithms),
        cmocka_unit_test(powers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
