/* test_codec.c -- the type table, the number conversions, and golden bytes of every encoder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "libquant/codec/type.h"
#include "tests/codec_data.h"

enum { ROWS = 3, COLS = 1024, ELEMENTS = ROWS * COLS };

static float input[ELEMENTS], weights[COLS], decoded[ELEMENTS];
static uint8_t bytes[ELEMENTS * 8], again[ELEMENTS * 8 + 1];

static uint64_t fnv1a(const uint8_t *p, size_t n)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * UINT64_C(0x100000001b3);
    return h;
}

static size_t row_bytes(const struct type_info *type, size_t n)
{
    uint64_t size = 0;

    assert_true(type_row_bytes(type, n, &size));
    return (size_t)size;
}

/* What GGUF's specification and ggml say of the sizes. */
static void test_sizes(void **state)
{
    static const struct {
        const char *name;
        uint32_t id;
        unsigned len, bytes;
    } expected[] = {
        {"F32",     0,  1,   4  },
        {"F16",     1,  1,   2  },
        {"Q4_0",    2,  32,  18 },
        {"Q4_1",    3,  32,  20 },
        {"Q5_0",    6,  32,  22 },
        {"Q5_1",    7,  32,  24 },
        {"Q8_0",    8,  32,  34 },
        {"Q8_1",    9,  32,  36 },
        {"Q2_K",    10, 256, 84 },
        {"Q3_K",    11, 256, 110},
        {"Q4_K",    12, 256, 144},
        {"Q5_K",    13, 256, 176},
        {"Q6_K",    14, 256, 210},
        {"Q8_K",    15, 256, 292},
        {"IQ2_XXS", 16, 256, 66 },
        {"IQ2_XS",  17, 256, 74 },
        {"IQ3_XXS", 18, 256, 98 },
        {"IQ1_S",   19, 256, 50 },
        {"IQ4_NL",  20, 32,  18 },
        {"IQ3_S",   21, 256, 110},
        {"IQ2_S",   22, 256, 82 },
        {"IQ4_XS",  23, 256, 136},
        {"I8",      24, 1,   1  },
        {"I16",     25, 1,   2  },
        {"I32",     26, 1,   4  },
        {"I64",     27, 1,   8  },
        {"F64",     28, 1,   8  },
        {"IQ1_M",   29, 256, 56 },
        {"BF16",    30, 1,   2  },
        {"TQ1_0",   34, 256, 54 },
        {"TQ2_0",   35, 256, 66 },
        {"MXFP4",   39, 32,  17 },
        {"NVFP4",   40, 64,  36 },
        {"Q1_0",    41, 128, 18 },
        {"Q2_0",    42, 64,  18 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const struct type_info *const type = type_by_id(expected[i].id);
        assert_non_null(type);
        assert_string_equal(type->name, expected[i].name);
        assert_int_equal(type->block_len, expected[i].len);
        assert_int_equal(type->block_bytes, expected[i].bytes);
    }
    assert_null(type_by_id(4)); /* Q4_2 and Q4_3 are gone */
    assert_null(type_by_id(5));
    assert_null(type_by_id(LQ_TYPE_NONE));
}

static void test_look_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < type_count(); i++) {
        const struct type_info *const type = type_at(i);
        char lower[32];
        size_t n = 0;
        for (; type->name[n]; n++)
            lower[n] = (char)(type->name[n] >= 'A' && type->name[n] <= 'Z' ? type->name[n] + 32
                                                                           : type->name[n]);
        lower[n] = 0;
        assert_ptr_equal(type_by_id(type->id), type);
        assert_ptr_equal(type_by_name(type->name), type);
        assert_ptr_equal(type_by_name(lower), type);
        if (type->dtype)
            assert_ptr_equal(type_by_dtype(type->dtype, strlen(type->dtype)), type);
        assert_true(type->block_len > 0 && type->block_bytes > 0);
    }
    assert_null(type_by_name("Q4_K_M"));
    assert_null(type_by_name("Q4"));
    assert_null(type_by_name(""));
    assert_null(type_by_dtype("F3", 2));
    assert_null(type_by_dtype("F32 ", 4));
    assert_ptr_equal(type_by_dtype("F32 ", 3), &type_F32);
}

static void test_row_bytes(void **state)
{
    uint64_t size = 77;

    (void)state;
    assert_false(type_row_bytes(&type_Q4_K, 255, &size));
    assert_false(type_row_bytes(&type_F64, UINT64_MAX, &size));
    assert_false(type_row_bytes(&type_Q8_K, UINT64_MAX - 255, &size));
    assert_int_equal(size, 77);
    assert_true(type_row_bytes(&type_Q4_K, 512, &size));
    assert_int_equal(size, 288);
    assert_true(type_row_bytes(&type_Q4_K, 0, &size));
    assert_int_equal(size, 0);
}

/* Every half, against its definition. */
static void test_half(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 65536; h++) {
        const int exponent = (int)(h >> 10 & 31), fraction = (int)(h & 0x3ff);
        const float sign = h & 0x8000 ? -1.0f : 1.0f;
        const float got = f16_to_f32((uint16_t)h);
        if (exponent == 31) {
            assert_true(fraction ? isnan(got) : got == sign * INFINITY);
            assert_int_equal(f32_to_f16(got), fraction ? (h & 0x8000) | 0x7e00 : h);
            continue;
        }
        const float expected = exponent ? sign * ldexpf((float)(1024 + fraction), exponent - 25)
                                        : sign * ldexpf((float)fraction, -24);
        assert_int_equal(f32_bits(got), f32_bits(expected));
        assert_int_equal(f32_to_f16(got), h);
    }
}

/* Halfway between two halves: to the even one; one unit beside: to the nearer. */
static void test_half_ties(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 0x7bff; h++) {
        const float a = f16_to_f32((uint16_t)h), b = f16_to_f32((uint16_t)(h + 1));
        const float middle = a + (b - a) / 2;
        assert_int_equal(f32_to_f16(middle), h + (h & 1));
        assert_int_equal(f32_to_f16(nextafterf(middle, a)), h);
        assert_int_equal(f32_to_f16(nextafterf(middle, b)), h + 1);
        assert_int_equal(f32_to_f16(-middle), (h + (h & 1)) | 0x8000);
    }
    assert_int_equal(f32_to_f16(65519.99f), 0x7bff);
    assert_int_equal(f32_to_f16(65520.0f), 0x7c00);
}

static void test_bf16(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 65536; h++) {
        const float f = bf16_to_f32((uint16_t)h);
        assert_int_equal(f32_to_bf16(f), isnan(f) ? h | 0x40 : h);
    }
    assert_int_equal(f32_to_bf16(f32_from_bits(0x3f808000)), 0x3f80); /* ties to even */
    assert_int_equal(f32_to_bf16(f32_from_bits(0x3f818000)), 0x3f82);
    assert_int_equal(f32_to_bf16(f32_from_bits(0x3f808001)), 0x3f81);
    assert_int_equal(f32_to_bf16(f32_from_bits(0x7f7fffff)), 0x7f80);
}

static void test_casts(void **state)
{
    (void)state;
    assert_int_equal(f32_to_i32(NAN), INT32_MIN);
    assert_int_equal(f32_to_i32(INFINITY), INT32_MIN);
    assert_int_equal(f32_to_i32(0x1p31f), INT32_MIN);
    assert_int_equal(f32_to_i32(-0x1p31f), INT32_MIN);
    assert_int_equal(f32_to_i32(-1.99f), -1);
    assert_int_equal(round_i32(0.49999997f), 0);
    assert_int_equal(round_i32(0.5f), 1);
    assert_int_equal(round_i32(-2.5f), -3);
    assert_int_equal(nearest_i32(2.5f), 2);
    assert_int_equal(nearest_i32(-3.5f), -4);
    assert_int_equal(nearest_i32(NAN), 0);
    assert_int_equal(low_i8(INT32_MIN), 0);
    assert_int_equal(low_i8(200), -56);
}

/* FNV-1a of what each encoder makes of one input, without and with importance (0: not possible).
 * All are the bytes that ggml makes (see scripts/interop-codec). */
static const struct golden {
    const char *name;
    uint64_t plain, weighted;
    float error; /* bound of root mean square error / root mean square, without importance */
} goldens[] = {
    {"F32",     UINT64_C(0x0420e84d985dc60f), UINT64_C(0x0420e84d985dc60f), 0.000f    },
    {"F16",     UINT64_C(0x48dd23053529d92b), UINT64_C(0x48dd23053529d92b), 0.0002250f},
    {"BF16",    UINT64_C(0x92c614d57145180b), UINT64_C(0x92c614d57145180b), 0.001771f },
    {"F64",     UINT64_C(0x8f82e19a77fa8ef7), UINT64_C(0x8f82e19a77fa8ef7), 0.000f    },
    {"Q4_0",    UINT64_C(0x78dcbac31d6f486b), UINT64_C(0xe3336f9bbe6452c4), 0.05169f  },
    {"Q4_1",    UINT64_C(0xe404257159dcd6df), UINT64_C(0xff662df9f84afd7f), 0.01770f  },
    {"Q5_0",    UINT64_C(0xaf128edf5357b794), UINT64_C(0x149d63d409931707), 0.02653f  },
    {"Q5_1",    UINT64_C(0x8e54006b9cca4ad4), UINT64_C(0xe78050c380f2ad20), 0.008795f },
    {"Q8_0",    UINT64_C(0x3e97634bff187e2c), UINT64_C(0x3e97634bff187e2c), 0.003278f },
    {"Q8_1",    UINT64_C(0x34fee9c317c8aef3), UINT64_C(0x34fee9c317c8aef3), 0.003278f },
    {"Q2_K",    UINT64_C(0x3e04f13452e8711a), UINT64_C(0x926b01f1f92bd223), 0.1209f   },
    {"Q3_K",    UINT64_C(0xdabe22afff7c24dc), UINT64_C(0xadd53d630b9e4325), 0.09916f  },
    {"Q4_K",    UINT64_C(0xf2d96636eb84c6b6), UINT64_C(0x7cd7eb433e6770f6), 0.02555f  },
    {"Q5_K",    UINT64_C(0xa8ed100531f68dc9), UINT64_C(0x689b87ddb960b573), 0.01263f  },
    {"Q6_K",    UINT64_C(0x67c1f3d5af6fa477), UINT64_C(0x292aa49de6a7f3b8), 0.01138f  },
    {"Q8_K",    UINT64_C(0x8301c46d8a76805a), UINT64_C(0x8301c46d8a76805a), 0.003496f },
    {"IQ1_S",   UINT64_C(0x0000000000000000), UINT64_C(0x0eac2aeb7430e532), 0.000f    },
    {"IQ1_M",   UINT64_C(0x07e875507f686b01), UINT64_C(0xd604bb9b3bc9e16c), 0.3819f   },
    {"IQ2_XXS", UINT64_C(0x0000000000000000), UINT64_C(0x51b9a93be9a4493e), 0.000f    },
    {"IQ2_XS",  UINT64_C(0x0000000000000000), UINT64_C(0x83a61095b36ef735), 0.000f    },
    {"IQ2_S",   UINT64_C(0x8d897b32feea2227), UINT64_C(0xd6133628a2a08b96), 0.2521f   },
    {"IQ3_XXS", UINT64_C(0x24ba469574bd4b7c), UINT64_C(0xfa82457322bc50bc), 0.1475f   },
    {"IQ3_S",   UINT64_C(0xf167f7114c34712a), UINT64_C(0xdaf0d53339ed2cf1), 0.1316f   },
    {"IQ4_NL",  UINT64_C(0x011d1c27cf6fa0c7), UINT64_C(0xd2e9e3d05113b7d6), 0.05954f  },
    {"IQ4_XS",  UINT64_C(0x2e56053a202f73df), UINT64_C(0xd54e25ebcb07adc8), 0.06007f  },
    {"TQ1_0",   UINT64_C(0x007f0c1ebb17fa44), UINT64_C(0x007f0c1ebb17fa44), 0.4857f   },
    {"TQ2_0",   UINT64_C(0xc61a36adc6396caa), UINT64_C(0xc61a36adc6396caa), 0.4857f   },
    {"MXFP4",   UINT64_C(0x2044f7adced37139), UINT64_C(0x2044f7adced37139), 0.1154f   },
    {"NVFP4",   UINT64_C(0x3508eb5533802506), UINT64_C(0x3508eb5533802506), 0.1078f   },
    {"Q1_0",    UINT64_C(0x68a708f6c0d759e5), UINT64_C(0x68a708f6c0d759e5), 0.2918f   },
    {"Q2_0",    UINT64_C(0x6a692d9e08766dea), UINT64_C(0x6a692d9e08766dea), 0.4759f   },
};

static void fill(void)
{
    struct rng r = {2026};

    data_normal(&r, input, COLS);
    data_student(&r, input + COLS, COLS);
    data_positive(&r, input + 2 * COLS, COLS);
    fill_importance(&r, 0, weights, COLS);
}

static float relative_error(void)
{
    double noise = 0, signal = 0;

    for (size_t i = 0; i < ELEMENTS; i++) {
        const double diff = (double)decoded[i] - (double)input[i];
        noise += diff * diff;
        signal += (double)input[i] * (double)input[i];
    }
    return (float)sqrt(noise / signal);
}

static void test_golden(void **state)
{
    const bool print = getenv("PRINT_GOLDENS") != NULL;

    (void)state;
    fill();
    for (size_t i = 0; i < sizeof goldens / sizeof goldens[0]; i++) {
        const struct type_info *const type = type_by_name(goldens[i].name);
        const size_t size = row_bytes(type, ELEMENTS);
        uint64_t plain = 0, weighted;
        float error = 0;
        if (!(type->flags & TYPE_NEEDS_IMPORTANCE)) {
            type->encode(bytes, input, ROWS, COLS, NULL);
            plain = fnv1a(bytes, size);
            type->decode(decoded, bytes, ELEMENTS);
            error = relative_error();
            if (type->check)
                assert_int_equal(type->check(bytes, ELEMENTS), ELEMENTS);
        }
        type->encode(bytes, input, ROWS, COLS, weights);
        weighted = fnv1a(bytes, size);
        if (print) {
            printf("    {\"%s\", UINT64_C(0x%016llx), UINT64_C(0x%016llx), %#.4gf},\n", type->name,
                   (unsigned long long)plain, (unsigned long long)weighted, (double)error * 1.05);
            continue;
        }
        if (plain != goldens[i].plain || weighted != goldens[i].weighted)
            print_error("%s\n", type->name);
        assert_true(plain == goldens[i].plain);
        assert_true(weighted == goldens[i].weighted);
        assert_true(error <= goldens[i].error);
    }
}

/* A rounding changes what a type's functions compute, and nothing else of it. */
static void test_rounding(void **state)
{
    enum rounding rounding;
    int changed = 0;

    (void)state;
    assert_true(rounding_by_name("fused", &rounding) && rounding == ROUNDING_FUSED);
    assert_true(rounding_by_name(rounding_name(ROUNDING_STRICT), &rounding));
    assert_int_equal(rounding, ROUNDING_STRICT);
    assert_false(rounding_by_name("loose", &rounding));
    fill();
    for (size_t i = 0; i < type_count(); i++) {
        const struct type_info *const type = type_at(i);
        const struct type_info *const fused = type_rounded(type, ROUNDING_FUSED);
        assert_ptr_equal(type_rounded(type, ROUNDING_STRICT), type);
        if (fused == type)
            continue;
        assert_string_equal(fused->name, type->name);
        assert_int_equal(fused->id, type->id);
        assert_int_equal(fused->block_bytes, type->block_bytes);
        type->encode(bytes, input, ROWS, COLS, weights);
        fused->encode(again, input, ROWS, COLS, weights);
        changed += memcmp(bytes, again, row_bytes(type, ELEMENTS)) != 0;
    }
    assert_true(changed > 5); /* of so few numbers, not every type has one where it shows */
    assert_ptr_equal(type_rounded(&type_Q8_0, ROUNDING_FUSED), &type_Q8_0);
    assert_ptr_not_equal(type_rounded(&type_Q4_K, ROUNDING_FUSED), &type_Q4_K);
}

/* Rows do not depend on each other, nor on where they lie. */
static void test_rows(void **state)
{
    (void)state;
    fill();
    for (size_t i = 0; i < type_count(); i++) {
        const struct type_info *const type = type_at(i);
        if (!type->encode)
            continue;
        const size_t size = row_bytes(type, COLS);
        for (int weighted = (type->flags & TYPE_NEEDS_IMPORTANCE) != 0; weighted < 2; weighted++) {
            const float *const importance = weighted ? weights : NULL;
            type->encode(bytes, input, ROWS, COLS, importance);
            memset(again, 0xaa, sizeof again);
            type->encode(again, input, 0, COLS, importance);
            assert_int_equal(again[0], 0xaa);
            for (size_t row = 0; row < ROWS; row++) {
                type->encode(again + row * size, input + row * COLS, 1, COLS, importance);
                assert_int_equal(again[(row + 1) * size], 0xaa);
            }
            assert_memory_equal(again, bytes, ROWS * size);
        }
    }
}

/* Every type of ours whose scale is a half at a known place tells which block is wrong. */
static void test_check(void **state)
{
    static const struct {
        const struct type_info *type;
        size_t at;
    } scales[] = {
        {&type_Q4_0, 0  },
        {&type_Q4_1, 2  },
        {&type_Q5_0, 0  },
        {&type_Q5_1, 2  },
        {&type_Q8_0, 0  },
        {&type_Q8_1, 2  },
        {&type_Q2_K, 82 },
        {&type_Q3_K, 108},
        {&type_Q4_K, 2  },
        {&type_Q5_K, 0  },
        {&type_Q6_K, 208}
    };

    (void)state;
    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++) {
        const struct type_info *const type = scales[i].type;
        memset(bytes, 0, sizeof bytes);
        assert_int_equal(type->check(bytes, ELEMENTS), ELEMENTS);
        store_u16(bytes + 2 * type->block_bytes + scales[i].at, 0xfc00);
        assert_int_equal(type->check(bytes, ELEMENTS), 2 * type->block_len);
        assert_int_equal(type->check(bytes, 2 * type->block_len), 2 * type->block_len);
        store_u16(bytes + scales[i].at, 0x7e01);
        assert_int_equal(type->check(bytes, ELEMENTS), 0);
    }
    for (size_t i = 0; i < 8; i++)
        input[i] = (float)i;
    input[5] = NAN;
    assert_int_equal(type_F32.check(input, 8), 5);
    assert_int_equal(type_F32.check(input, 5), 5);
}

static void test_integers(void **state)
{
    static const uint64_t big[] = {UINT64_MAX, UINT64_C(1) << 63, (UINT64_C(1) << 24) + 1};
    static const int8_t small[] = {-128, 127, 0};

    (void)state;
    type_U64.decode(decoded, big, 3);
    assert_true(decoded[0] == 0x1p64f && decoded[1] == 0x1p63f && decoded[2] == 0x1p24f);
    type_I64.decode(decoded, big, 3);
    assert_true(decoded[0] == -1.0f && decoded[1] == -0x1p63f && decoded[2] == 0x1p24f);
    type_I8.decode(decoded, small, 3);
    assert_true(decoded[0] == -128.0f && decoded[1] == 127.0f && decoded[2] == 0.0f);
    type_BOOL.decode(decoded, small, 3);
    assert_true(decoded[0] == 1.0f && decoded[1] == 1.0f && decoded[2] == 0.0f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),     cmocka_unit_test(test_look_up),
        cmocka_unit_test(test_row_bytes), cmocka_unit_test(test_half),
        cmocka_unit_test(test_half_ties), cmocka_unit_test(test_bf16),
        cmocka_unit_test(test_casts),     cmocka_unit_test(test_golden),
        cmocka_unit_test(test_rounding),  cmocka_unit_test(test_rows),
        cmocka_unit_test(test_check),     cmocka_unit_test(test_integers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
