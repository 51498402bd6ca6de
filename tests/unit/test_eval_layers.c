/* test_eval_layers.c -- elementary functions against long double, and rows of layers: the same bits for
 * every instruction set. */
#include "libquant/codec/kernels.h"
#include "libquant/eval/elementary.h"
#include "libquant/eval/lanes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Distance in units of the last place of `want` as a type with `digits` bits. */
static double ulps(long double got, long double want, int digits)
{
    int exponent;
    (void)frexpl(want, &exponent);
    return (double)(fabsl(got - want) / ldexpl(1.0L, exponent - digits));
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

static void exponentials_are_within_one_and_a_half_units(void **unused)
{
    (void)unused;
    for (float x = -86.9f; x < 88.0f; x += 0.00371f)
        assert_true(ulps((long double)exp_float(x), expl((long double)x), 24) < 1.5);
    for (double x = -707.9; x < 709.0; x += 0.0137)
        assert_true(ulps((long double)call(call_exp, x), expl((long double)x), 53) < 1.5);
    assert_true(exp_float(0.0f) == 1.0f && call(call_exp, 0.0) == 1.0);
    assert_true(exp_float(-100.0f) == 0.0f && isinf(exp_float(100.0f)) && isnan(exp_float(NAN)));
    assert_true(call(call_exp, -1000.0) == 0.0 && isinf(call(call_exp, 1000.0)));
}

static void other_functions_keep_the_stated_errors(void **unused)
{
    (void)unused;
    for (double x = -25; x < 25; x += 0.00173) {
        const long double cdf = erfcl(-(long double)x / sqrtl(2.0L)) / 2;
        assert_true(fabsl((long double)call(call_tanh, x) - tanhl((long double)x)) < 4e-16L);
        assert_true(fabsl((long double)call(call_normal, x) - cdf) < 3e-11L * cdf);
    }
    for (double x = 0; x < 100000; x += 17.31) {
        double s, c;
        sin_cos_f64(x, &s, &c);
        assert_true(fabsl((long double)s - sinl((long double)x)) < 3e-16L);
        assert_true(fabsl((long double)c - cosl((long double)x)) < 3e-16L);
    }
}

enum { N = 77 };

/* Runs every function of rows on the same values, one result after the other. */
static size_t run_all(const struct lanes *l, double *out)
{
    float x[N], w[N], y[N];
    size_t n = 0;
    struct row_pair pair;
    for (size_t i = 0; i < N; i++) {
        x[i] = (float)((i * 7919) % 1000) / 97.0f - 5.0f;
        w[i] = (float)((i * 104729) % 1000) / 300.0f - 1.5f;
    }
#define KEEP(call)                                                                                 \
    do {                                                                                           \
        memcpy(y, x, sizeof y);                                                                    \
        call;                                                                                      \
        for (size_t i_ = 0; i_ < N; i_++)                                                          \
            out[n++] = (double)y[i_];                                                              \
    } while (0)
    KEEP(l->rms_norm(y, x, w, N, 1e-5));
    KEEP(l->layer_norm(y, x, w, w, N, 1e-5));
    KEEP(l->add_scaled(y, w, 0.37f, N));
    KEEP(l->clamp(y, 2.0f, N));
    KEEP(l->soft_cap(y, 3.0f, N));
    KEEP(l->silu(y, N));
    KEEP(l->gelu(y, N));
    KEEP(l->gelu_tanh(y, N));
    KEEP(l->relu_squared(y, N));
    KEEP(l->sigmoid(y, N));
    KEEP(l->swiglu_oai(y, w, N));
    KEEP(l->softmax(y, N, NULL));
    KEEP(l->softmax(y, N, &w[3]));
    KEEP(l->rotate_halves(y, w, w + 20, 20));
    KEEP(l->rotate_pairs(y, w, w + 20, 20));
    l->compare_rows(x, w, N, &pair);
    out[n++] = pair.divergence;
    out[n++] = pair.log_sum_a;
    out[n++] = pair.log_sum_b;
    out[n++] = l->log_sum_exp(x, N);
    return n;
}

static void rows_have_the_same_bits_for_every_instruction_set(void **unused)
{
    static double plain[16 * N], other[16 * N];
    const size_t n = run_all(lanes_for(0), plain);
    const unsigned have = isa_detect();
    (void)unused;
    for (unsigned isa = 1; isa <= ISA_NEON; isa <<= 1) {
        if (!(have & isa))
            continue;
        run_all(lanes_for(isa), other);
        assert_memory_equal(plain, other, n * sizeof *plain);
    }
}

static void sums_over_a_vocabulary_are_what_they_say(void **unused)
{
    const struct lanes *const l = lanes_for(isa_detect());
    float a[N], b[N];
    long double sum_a = 0, sum_b = 0, divergence = 0;
    struct row_pair pair;
    (void)unused;
    for (size_t i = 0; i < N; i++) {
        a[i] = (float)((i * 7919) % 1000) / 97.0f - 5.0f;
        b[i] = a[i] + (float)((i * 104729) % 100) / 300.0f;
        sum_a += expl((long double)a[i]);
        sum_b += expl((long double)b[i]);
    }
    for (size_t i = 0; i < N; i++)
        divergence += expl((long double)a[i]) / sum_a *
                      ((long double)a[i] - logl(sum_a) - (long double)b[i] + logl(sum_b));
    l->compare_rows(a, b, N, &pair);
    assert_true(fabsl((long double)pair.log_sum_a - logl(sum_a)) < 1e-14L);
    assert_true(fabsl((long double)pair.log_sum_b - logl(sum_b)) < 1e-14L);
    assert_true(fabsl((long double)pair.divergence - divergence) < 1e-14L);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exponentials_are_within_one_and_a_half_units),
        cmocka_unit_test(other_functions_keep_the_stated_errors),
        cmocka_unit_test(rows_have_the_same_bits_for_every_instruction_set),
        cmocka_unit_test(sums_over_a_vocabulary_are_what_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
