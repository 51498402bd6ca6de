/* codec_data.h -- rows of numbers that make codecs stumble, the same on every machine.
 *
 * Only integer arithmetic and single IEEE operations, no libm but sqrt, and no two random numbers
 * in an order that C leaves open: the golden digests depend on these numbers.
 */
#ifndef TESTS_CODEC_DATA_H
#define TESTS_CODEC_DATA_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "libquant/codec/num.h"

struct rng {
    uint64_t state;
};

/* splitmix64 */
static inline uint64_t rng_next(struct rng *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline uint32_t rng_below(struct rng *r, uint32_t n)
{
    return (uint32_t)((rng_next(r) >> 32) * n >> 32);
}

/* 0 <= u < 1, on a grid of 2^-24 */
static inline float rng_uniform(struct rng *r)
{
    return (float)(rng_next(r) >> 40) * 0x1p-24f;
}

/* Nearly normal: the sum of twelve uniform numbers, as integers. */
static inline float rng_normal(struct rng *r)
{
    int64_t sum = 0;

    for (int i = 0; i < 6; i++) {
        const uint64_t u = rng_next(r);
        sum += (int64_t)(u & 0xffffff) + (int64_t)(u >> 40);
    }
    return (float)(sum - 6 * (1 << 24)) * 0x1p-24f;
}

/* 2^e for any e of a single, also below the normal range. */
static inline float power_of_two(int e)
{
    return e < -126 ? f32_from_bits(e < -149 ? 0 : UINT32_C(1) << (e + 149))
                    : f32_from_bits((uint32_t)(e + 127) << 23);
}

static void data_normal(struct rng *r, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = 0.02f * rng_normal(r);
}

static void data_bf16(struct rng *r, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = bf16_to_f32(f32_to_bf16(0.05f * rng_normal(r)));
}

/* Two degrees of freedom: heavy tails. */
static void data_student(struct rng *r, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float a = rng_normal(r), b = rng_normal(r);
        x[i] = 0.01f * rng_normal(r) / sqrtf((a * a + b * b) * 0.5f + 1e-6f);
    }
}

/* A difference of products of normals has the Laplace distribution. */
static void data_laplace(struct rng *r, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float a = rng_normal(r) * rng_normal(r);
        const float b = rng_normal(r) * rng_normal(r);
        x[i] = 0.02f * (a - b);
    }
}

static void data_sparse(struct rng *r, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = rng_below(r, 10) < 8 ? 0.0f : rng_normal(r);
}

/* Constant runs of 16 or 32, so that some sub-blocks are constant. */
static void data_constant(struct rng *r, float *x, size_t n)
{
    float v = 0.0f;

    for (size_t i = 0; i < n; i++) {
        if (i % 16 == 0 && (i % 32 == 0 || rng_below(r, 2)))
            v = rng_below(r, 4) ? rng_normal(r) : 0.0f;
        x[i] = v;
    }
}

static void data_denormal(struct rng *r, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = f32_from_bits((uint32_t)rng_next(r) & 0x807fffffu);
}

static void data_huge(struct rng *r, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = rng_normal(r) * power_of_two(93 + (int)(i / 256 % 32));
}

/* Every 256 elements another order of magnitude, down to where scales vanish in half precision. */
static void data_tiny(struct rng *r, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = rng_normal(r) * power_of_two(-6 - (int)(i / 256 % 56));
}

static void data_mixed(struct rng *r, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float v = rng_normal(r);
        x[i] = v * power_of_two((int)rng_below(r, 40) - 20);
    }
}

static void data_positive(struct rng *r, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = 0.5f + rng_uniform(r);
}

static void data_grid(struct rng *r, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)((int)rng_below(r, 17) - 8);
}

/* Zero superblocks, zero sub-blocks, a single element in zeros. */
static void data_zero(struct rng *r, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = i / 256 % 4 == 1 && i / 32 % 2 == 0 ? rng_normal(r) : 0.0f;
    for (size_t i = 512; i < n; i += 2048) {
        const float v = rng_normal(r);
        x[i + rng_below(r, 256)] = v;
    }
}

static void data_nan(struct rng *r, float *x, size_t n)
{
    static const uint32_t special[] = {0x7f800000u, 0xff800000u, 0x7fc00000u, 0xffc00000u};

    for (size_t i = 0; i < n; i++)
        x[i] = rng_below(r, 300) ? rng_normal(r) : f32_from_bits(special[rng_below(r, 4)]);
}

/* Around the ends of the range of halves, and halfway between two of them. */
static void data_half(struct rng *r, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint16_t code = (uint16_t)(rng_next(r) & 0xffffu);
        const float h = f16_to_f32((code & 0x7c00u) == 0x7c00u ? 0x7bffu : code);
        const uint32_t jitter = (uint32_t[]){0, 1, 0xfff, 0x1000, 0x1001}[rng_below(r, 5)];
        x[i] = f32_from_bits(f32_bits(i / 256 % 3 ? h : h * 126.99f) + jitter);
    }
}

/* Any number at all; NaNs have the usual payload. */
static void data_bits(struct rng *r, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t u = (uint32_t)rng_next(r);
        x[i] = f32_from_bits((u & 0x7fffffffu) > 0x7f800000u ? (u & 0xffc00000u) | 0x400000u : u);
    }
}

static void data_signed_zero(struct rng *r, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float v = i / 32 % 3 == 0 ? 0.0f : i / 32 % 3 == 1 ? 1.5f : 0x1p-100f;
        x[i] = rng_below(r, 2) ? -v : v;
    }
}

struct generator {
    const char *name;
    void (*fill)(struct rng *r, float *x, size_t n);
};

static const struct generator generators[] = {
    {"normal",      data_normal     },
    {"bf16",        data_bf16       },
    {"student",     data_student    },
    {"laplace",     data_laplace    },
    {"sparse",      data_sparse     },
    {"constant",    data_constant   },
    {"denormal",    data_denormal   },
    {"huge",        data_huge       },
    {"tiny",        data_tiny       },
    {"mixed",       data_mixed      },
    {"positive",    data_positive   },
    {"grid",        data_grid       },
    {"zero",        data_zero       },
    {"nan",         data_nan        },
    {"half",        data_half       },
    {"bits",        data_bits       },
    {"signed-zero", data_signed_zero},
};

enum { GENERATORS = sizeof generators / sizeof generators[0] };

/* Importance of n columns: 0 all positive over some orders of magnitude, 1 with a fifth of zeros, a
 * zero superblock and zero sub-blocks, 2 constant. */
enum { IMPORTANCE_KINDS = 3 };

static void fill_importance(struct rng *r, int kind, float *w, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float v = rng_normal(r);
        w[i] = kind == 2 ? 1.0f : v * v * power_of_two((int)rng_below(r, 12) - 6) + 1e-6f;
        if (kind == 1 && (rng_below(r, 5) == 0 || i / 256 == 1 || i / 32 % 7 == 3))
            w[i] = 0.0f;
    }
}

#endif
