/* test_gemm.c -- the matrix product: every kernel gives the bits of one chain of fused
 * multiply-adds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libquant/codec/fma.h"
#include "libquant/codec/kernels.h"
#include "libquant/eval/gemm.h"

static uint64_t state = 0x9e3779b97f4a7c15u;

static uint32_t random_bits(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 16);
}

static float from_bits(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static void same_float(float a, float b)
{
    if (a != a && b != b)
        return;
    assert_memory_equal(&a, &b, sizeof a);
}

static void exact_fma_agrees_with_fmaf_on_any_bits(void **unused)
{
    (void)unused;
    for (int i = 0; i < 2000000; i++) {
        const float a = from_bits(random_bits()), b = from_bits(random_bits());
        const float c = from_bits(random_bits());
        same_float(fma_exact(a, b, c), fmaf(a, b, c));
    }
}

/* Sums that nearly cancel, and results that are subnormal: where a double rounding would show. */
static void exact_fma_agrees_with_fmaf_where_sums_cancel_or_underflow(void **unused)
{
    (void)unused;
    for (int i = 0; i < 2000000; i++) {
        const uint32_t ea = 64 + random_bits() % 8, eb = 64 + random_bits() % 8;
        const uint32_t ec = i & 1 ? ea + eb - 127 + 60 : random_bits() % 4;
        const float a = from_bits((random_bits() & 0x807fffff) | (ea + 30) << 23);
        const float b = from_bits((random_bits() & 0x807fffff) | (eb + 30) << 23);
        const float c = i & 2 ? from_bits((random_bits() & 0x807fffff) | (ec & 255) << 23) : -a * b;
        same_float(fma_exact(a, b, c), fmaf(a, b, c));
        const float tiny =
            from_bits((random_bits() & 0x807fffff) | (20 + random_bits() % 40) << 23);
        const float subnormal = from_bits(random_bits() & 0x80ffffff);
        same_float(fma_exact(a, tiny, subnormal), fmaf(a, tiny, subnormal));
    }
}

static void check_product(const struct gemm_kernel *g, size_t m, size_t n, size_t k)
{
    const size_t ldc = n + 3;
    float *const a = calloc(m * k + 1, sizeof *a), *const w = calloc(n * k + 1, sizeof *w);
    float *const c = calloc(m * ldc, sizeof *c);
    float *const transposed = calloc(n * k + 1, sizeof *transposed);
    float *const packed = calloc(gemm_packed_floats(g, m, k) + 1, sizeof *packed);
    float *const scratch = calloc(gemm_scratch_floats(g, m), sizeof *scratch);
    for (size_t i = 0; i < m * k; i++)
        a[i] = (float)(int32_t)random_bits() * 0x1p-31f;
    for (size_t i = 0; i < n * k; i++)
        transposed[i % k * n + i / k] = w[i] = (float)(int32_t)random_bits() * 0x1p-29f;
    for (size_t i = 0; i < m * ldc; i++)
        c[i] = NAN;
    gemm_pack(g, a, k, m, k, packed);
    const size_t split = n / 3;
    struct gemm_matrix as_rows = {w, k}, as_columns = {transposed + split, n};
    const struct gemm_weights head = {gemm_fetch_rows, &as_rows, false},
                              tail = {gemm_fetch_columns, &as_columns, true};
    gemm_rows(g, packed, m, k, &head, split, c, ldc, scratch);
    gemm_rows(g, packed, m, k, &tail, n - split, c + split, ldc, scratch);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < ldc; j++) {
            float want = j < n ? 0.0f : NAN;
            for (size_t p = 0; p < k && j < n; p++)
                want = fmaf(a[i * k + p], w[j * k + p], want);
            same_float(c[i * ldc + j], want);
        }
    free(a);
    free(w);
    free(c);
    free(transposed);
    free(packed);
    free(scratch);
}

static void every_kernel_gives_the_bits_of_one_chain(void **unused)
{
    (void)unused;
    static const size_t shapes[][3] = {
        {1,   1,   1  },
        {6,   16,  256},
        {7,   17,  257},
        {5,   15,  31 },
        {13,  40,  600},
        {12,  32,  512},
        {64,  33,  100},
        {1,   100, 300},
        {800, 210, 270},
        {100, 400, 520}
    };
    const unsigned have = isa_detect();
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        check_product(gemm_kernel_exact(), shapes[s][0], shapes[s][1], shapes[s][2]);
        check_product(gemm_kernel_for(0), shapes[s][0], shapes[s][1], shapes[s][2]);
        for (unsigned isa = 1; isa <= ISA_NEON; isa <<= 1)
            if (have & isa)
                check_product(gemm_kernel_for(isa), shapes[s][0], shapes[s][1], shapes[s][2]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_fma_agrees_with_fmaf_on_any_bits),
        cmocka_unit_test(exact_fma_agrees_with_fmaf_where_sums_cancel_or_underflow),
        cmocka_unit_test(every_kernel_gives_the_bits_of_one_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
