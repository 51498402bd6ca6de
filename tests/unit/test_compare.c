/* test_compare.c -- the figures of lq compare: against plain sums, and whatever the threads. */
#include "libquant/convert/compare.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Two models of one F32 tensor each, in memory. */
struct fixture {
    float *data[2];
    struct catalog catalog[2];
    const struct tensor *tensor[2];
    uint64_t dim[2], n;
};

static float random_value(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(int32_t)*state * 0x1p-31f;
}

static void fixture_open(struct fixture *f, uint64_t rows, uint64_t cols)
{
    uint32_t state = 1;
    memset(f, 0, sizeof *f);
    f->dim[0] = rows;
    f->dim[1] = cols;
    f->n = rows * cols;
    for (int k = 0; k < 2; k++) {
        lq_error err;
        f->data[k] = malloc(f->n * sizeof(float) + 1);
        assert_non_null(f->data[k]);
        struct file *const file = catalog_add_file(&f->catalog[k]);
        assert_int_equal(source_open_memory(&file->source, "memory", f->data[k],
                                            f->n * sizeof(float), &err),
                         LQ_OK);
        struct tensor *const t = catalog_add_tensor(&f->catalog[k]);
        *t = (struct tensor){.name = "t", .type = &type_F32, .rank = 2, .dim = f->dim};
        assert_true(tensor_measure(t));
        f->tensor[k] = t;
    }
    for (uint64_t i = 0; i < f->n; i++) {
        f->data[0][i] = random_value(&state);
        f->data[1][i] = f->data[0][i] + 0.01f * random_value(&state);
    }
}

static void fixture_close(struct fixture *f)
{
    for (int k = 0; k < 2; k++) {
        catalog_release(&f->catalog[k]);
        free(f->data[k]);
    }
}

static struct comparison compare(struct fixture *f, unsigned threads)
{
    const struct compare_options options = {.threads = threads};
    const struct compared a = compared_tensor(&f->catalog[0], &f->tensor[0]);
    const struct compared b = compared_tensor(&f->catalog[1], &f->tensor[1]);
    struct comparison c;
    lq_error err;
    assert_int_equal(compare_rows(&a, &b, f->dim[0], f->dim[1], &options, &c, &err), LQ_OK);
    return c;
}

static void assert_near(double got, double expected)
{
    assert_true(fabs(got - expected) <= 1e-12 * fabs(expected));
}

static void check_shape(uint64_t rows, uint64_t cols)
{
    struct fixture f;
    fixture_open(&f, rows, cols);
    const uint64_t at = f.n - f.n / 3 - 1;
    f.data[1][at] = f.data[0][at] + 3;
    long double e2 = 0, a2 = 0, b2 = 0, ab = 0;
    for (uint64_t i = 0; i < f.n; i++) {
        const long double a = (long double)f.data[0][i], b = (long double)f.data[1][i];
        e2 += (a - b) * (a - b);
        a2 += a * a;
        b2 += b * b;
        ab += a * b;
    }
    const struct comparison c = compare(&f, 1);
    assert_int_equal(c.elements, f.n);
    assert_false(c.identical);
    assert_near(c.error2, (double)e2);
    assert_near(c.a2, (double)a2);
    assert_near(c.b2, (double)b2);
    assert_near(c.ab, (double)ab);
    assert_int_equal(c.max_index, at);
    assert_near(c.max_error, fabs((double)f.data[0][at] - (double)f.data[1][at]));
    assert_near(comparison_snr_db(&c), (double)(10 * log10l(a2 / e2)));
    for (unsigned threads = 2; threads < 6; threads++) {
        const struct comparison again = compare(&f, threads);
        assert_memory_equal(&again.error2, &c.error2, sizeof c.error2);
        assert_memory_equal(&again.ab, &c.ab, sizeof c.ab);
        assert_int_equal(again.max_index, at);
    }
    fixture_close(&f);
}

static void sums_are_right_for_narrow_rows(void **state)
{
    (void)state;
    check_shape(1000, 256);
    check_shape(7, 13);
    check_shape(1, 1);
}

static void sums_are_right_for_rows_wider_than_a_piece(void **state)
{
    (void)state;
    check_shape(3, 65536 + 17);
    check_shape(1, 300000);
    check_shape(2, 65536);
}

static void empty_tensors_are_identical(void **state)
{
    struct fixture f;
    (void)state;
    fixture_open(&f, 0, 256);
    const struct comparison c = compare(&f, 2);
    assert_true(c.identical);
    assert_true(comparison_rmse(&c) == 0);
    assert_true(comparison_cosine(&c) == 1);
    fixture_close(&f);
}

static void nonfinite_values_are_counted_and_left_out(void **state)
{
    struct fixture f;
    (void)state;
    fixture_open(&f, 10, 100);
    memcpy(f.data[1], f.data[0], f.n * sizeof(float));
    f.data[0][5] = NAN;
    f.data[1][700] = INFINITY;
    struct comparison c = compare(&f, 1);
    assert_int_equal(c.nonfinite, 2);
    assert_false(c.identical);
    assert_true(c.error2 == 0);
    f.data[1][5] = NAN;
    f.data[0][700] = INFINITY;
    c = compare(&f, 1);
    assert_int_equal(c.nonfinite, 2);
    assert_true(c.identical);
    fixture_close(&f);
}

/* The rows of a tensor as a conversion would give them: the last one first. */
static struct row_ref reversed(const struct step *s, uint64_t row)
{
    return (struct row_ref){0, (uint64_t)s->arg[0] - 1 - row};
}

static void rows_of_a_step_are_compared(void **state)
{
    static const uint64_t shapes[][2] = {{50, 64}, {3, 65536 + 256}};
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        const uint64_t rows = shapes[i][0], cols = shapes[i][1];
        const struct compare_options options = {.threads = 2};
        struct fixture f;
        struct comparison c;
        lq_error err;
        fixture_open(&f, rows, cols);
        for (uint64_t row = 0; row < rows; row++)
            memcpy(f.data[1] + row * cols, f.data[0] + (rows - 1 - row) * cols,
                   cols * sizeof(float));
        struct compared a = compared_tensor(&f.catalog[0], &f.tensor[0]);
        const struct compared b = compared_tensor(&f.catalog[1], &f.tensor[1]);
        a.step.row_from = reversed;
        a.step.arg[0] = (int64_t)rows;
        assert_int_equal(compare_rows(&a, &b, rows, cols, &options, &c, &err), LQ_OK);
        assert_true(c.identical);
        fixture_close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_right_for_narrow_rows),
        cmocka_unit_test(sums_are_right_for_rows_wider_than_a_piece),
        cmocka_unit_test(empty_tensors_are_identical),
        cmocka_unit_test(nonfinite_values_are_counted_and_left_out),
        cmocka_unit_test(rows_of_a_step_are_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
