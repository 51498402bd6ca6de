/* test_eval_layers.c -- rows of layers: the same bits for every instruction set. */
#include "libquant/codec/kernels.h"
#include "libquant/eval/lanes.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

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
        cmocka_unit_test(rows_have_the_same_bits_for_every_instruction_set),
        cmocka_unit_test(sums_over_a_vocabulary_are_what_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
