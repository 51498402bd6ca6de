/* lineage_parts.c -- unpacks the scales of a stored block, for every quantized type. */
#include "libquant/provenance/lineage_parts.h"

#include "libquant/codec/iq_grids.h"
#include "libquant/codec/iquant_blocks.h"
#include "libquant/codec/kquant_pack.h"
#include "libquant/codec/lowbit_blocks.h"
#include "libquant/codec/mx.h"
#include "libquant/codec/num.h"

#include <math.h>

static const int8_t iq2_levels[3] = {8, 25, 43};
static const int8_t iq3_xxs_levels[8] = {4, 12, 20, 28, 36, 44, 52, 62};
static const int8_t iq3_s_levels[8] = {1, 3, 5, 7, 9, 11, 13, 15};

/* ---- one part ---- */

static struct block_part linear(size_t len, size_t levels, double unit, double base)
{
    return (struct block_part){
        .len = (uint16_t)len, .n_levels = (uint16_t)levels, .unit = unit, .base = base};
}

static struct block_part table(size_t len, size_t n, const int8_t *levels, double unit)
{
    return (struct block_part){
        .len = (uint16_t)len, .n_levels = (uint16_t)n, .levels = levels, .unit = unit};
}

static double half(const uint8_t *p)
{
    return (double)load_f16(p);
}

/* ---- blocks with one scale ---- */

#define ONE_PART(suffix, part)                                                                     \
    static size_t parts_##suffix(const void *stored, struct block_part *out)                       \
    {                                                                                              \
        const struct block_##suffix *const b = stored;                                             \
        out[0] = part;                                                                             \
        return 1;                                                                                  \
    }

ONE_PART(q4_0, linear(32, 16, half(b->d), -8 * half(b->d)))
ONE_PART(q5_0, linear(32, 32, half(b->d), -16 * half(b->d)))
ONE_PART(q8_0, linear(32, 256, half(b->d), -128 * half(b->d)))
ONE_PART(q4_1, linear(32, 16, half(b->d), half(b->m)))
ONE_PART(q5_1, linear(32, 32, half(b->d), half(b->m)))
ONE_PART(tq1_0, linear(256, 3, half(b->d), -half(b->d)))
ONE_PART(tq2_0, linear(256, 3, half(b->d), -half(b->d)))
ONE_PART(q1_0, linear(128, 2, 2 * half(b->d), -half(b->d)))
ONE_PART(q2_0, linear(64, 4, half(b->d), -half(b->d)))
ONE_PART(iq4_nl, table(32, 16, iq4_values, half(b->d)))
ONE_PART(mxfp4, table(32, 16, fp4_values, (double)mxfp4_unit(b->e)))

static size_t parts_nvfp4(const void *stored, struct block_part *out)
{
    const struct block_nvfp4 *const b = stored;
    for (size_t i = 0; i < 4; i++)
        out[i] = table(16, 16, fp4_values, (double)nvfp4_unit(b->d[i]));
    return 4;
}

/* ---- superblocks ---- */

static void add_grain(struct block_part *out, size_t n, double grain, double base_grain)
{
    for (size_t i = 0; i < n; i++) {
        out[i].grain = fabs(grain);
        out[i].base_grain = fabs(base_grain);
    }
}

static size_t parts_q2_k(const void *stored, struct block_part *out)
{
    const struct block_q2_k *const b = stored;
    const double d = half(b->d), dmin = half(b->dmin);
    for (size_t i = 0; i < 16; i++)
        out[i] = linear(16, 4, d * (b->scales[i] & 15), -dmin * (b->scales[i] >> 4));
    add_grain(out, 16, d, dmin);
    return 16;
}

static size_t parts_q3_k(const void *stored, struct block_part *out)
{
    const struct block_q3_k *const b = stored;
    const double d = half(b->d);
    int8_t scale[16];
    unpack_scales_q3(b->scales, scale);
    for (size_t i = 0; i < 16; i++)
        out[i] = linear(16, 8, d * scale[i], -4 * d * scale[i]);
    add_grain(out, 16, d, 0);
    return 16;
}

static size_t parts_k4(struct block_part *out, size_t levels, double d, double dmin,
                       const uint8_t packed[12])
{
    uint8_t scale[8], min[8];
    unpack_scales_k4(packed, scale, min);
    for (size_t i = 0; i < 8; i++)
        out[i] = linear(32, levels, d * scale[i], -dmin * min[i]);
    add_grain(out, 8, d, dmin);
    return 8;
}

static size_t parts_q4_k(const void *stored, struct block_part *out)
{
    const struct block_q4_k *const b = stored;
    return parts_k4(out, 16, half(b->d), half(b->dmin), b->scales);
}

static size_t parts_q5_k(const void *stored, struct block_part *out)
{
    const struct block_q5_k *const b = stored;
    return parts_k4(out, 32, half(b->d), half(b->dmin), b->scales);
}

static size_t parts_q6_k(const void *stored, struct block_part *out)
{
    const struct block_q6_k *const b = stored;
    const double d = half(b->d);
    for (size_t i = 0; i < 16; i++)
        out[i] = linear(16, 64, d * b->scales[i], -32 * d * b->scales[i]);
    add_grain(out, 16, d, 0);
    return 16;
}

static size_t parts_iq4_xs(const void *stored, struct block_part *out)
{
    const struct block_iq4_xs *const b = stored;
    const double d = half(b->d);
    const uint32_t high = load_u16(b->scales_h);
    for (size_t i = 0; i < 8; i++) {
        const uint32_t code = (b->scales_l[i / 2] >> i % 2 * 4 & 15u) | (high >> 2 * i & 3) << 4;
        out[i] = table(32, 16, iq4_values, d * ((int)code - 32));
    }
    add_grain(out, 8, d, 0);
    return 8;
}

/* ---- codebooks ---- */

static size_t parts_iq2_xxs(const void *stored, struct block_part *out)
{
    const struct block_iq2_xxs *const b = stored;
    const double d = half(b->d) * 0.25;
    for (size_t i = 0; i < 8; i++)
        out[i] = table(32, 3, iq2_levels, d * (0.5 + (load_u32(b->part[i].signs_scale) >> 28)));
    add_grain(out, 8, d, 0);
    return 8;
}

static size_t parts_iq2_nibbles(struct block_part *out, double d, const uint8_t scales[8])
{
    for (size_t i = 0; i < 16; i++)
        out[i] = table(16, 3, iq2_levels, d * 0.25 * (0.5 + (scales[i / 2] >> i % 2 * 4 & 15)));
    add_grain(out, 16, d * 0.25, 0);
    return 16;
}

static size_t parts_iq2_xs(const void *stored, struct block_part *out)
{
    const struct block_iq2_xs *const b = stored;
    return parts_iq2_nibbles(out, half(b->d), b->scales);
}

static size_t parts_iq2_s(const void *stored, struct block_part *out)
{
    const struct block_iq2_s *const b = stored;
    return parts_iq2_nibbles(out, half(b->d), b->scales);
}

static size_t parts_iq3_xxs(const void *stored, struct block_part *out)
{
    const struct block_iq3_xxs *const b = stored;
    const double d = half(b->d) * 0.5;
    for (size_t i = 0; i < 8; i++)
        out[i] = table(32, 8, iq3_xxs_levels, d * (0.5 + (load_u32(b->signs_scale[i]) >> 28)));
    add_grain(out, 8, d, 0);
    return 8;
}

static size_t parts_iq3_s(const void *stored, struct block_part *out)
{
    const struct block_iq3_s *const b = stored;
    const double d = half(b->d);
    for (size_t i = 0; i < 8; i++)
        out[i] = table(32, 8, iq3_s_levels, d * (1 + 2 * (b->scales[i / 2] >> i % 2 * 4 & 15)));
    add_grain(out, 8, 2 * d, 0);
    return 8;
}

/* Groups of eight, as each may have a shift of its own. */
static struct block_part ternary(double unit, bool minus)
{
    return linear(8, 3, unit, unit * (minus ? -1.125 : -0.875));
}

static size_t parts_iq1_s(const void *stored, struct block_part *out)
{
    const struct block_iq1_s *const b = stored;
    const double d = half(b->d);
    for (size_t i = 0; i < 32; i++) {
        const uint32_t high = load_u16(b->qh[i / 4]);
        out[i] = ternary(d * (2 * (high >> 12 & 7) + 1), high & 0x8000);
    }
    add_grain(out, 32, 2 * d, 0);
    return 32;
}

static size_t parts_iq1_m(const void *stored, struct block_part *out)
{
    const struct block_iq1_m *const b = stored;
    uint32_t bits = 0;
    for (int i = 0; i < 4; i++)
        bits |= (uint32_t)load_u16(b->scales[i]) >> 12 << 4 * i;
    const double d = (double)f16_to_f32((uint16_t)bits);
    for (size_t i = 0; i < 32; i++) {
        const uint32_t code = load_u16(b->scales[i / 8]) >> i / 2 % 4 * 3 & 7u;
        out[i] = ternary(d * (2 * code + 1), b->qh[i / 2] >> i % 2 * 4 & 8);
    }
    add_grain(out, 32, 2 * d, 0);
    return 32;
}

/* ---- the table ---- */

static const struct block_shape shapes[] = {
  /* type, parts, codebook, step, flags */
    {&type_Q4_0,    parts_q4_0,    BOOK_COUNT,   1,  SHAPE_REFITTED | SHAPE_ROUNDED                },
    {&type_Q4_1,    parts_q4_1,    BOOK_COUNT,   1,  SHAPE_REFITTED | SHAPE_MINIMUM | SHAPE_ROUNDED},
    {&type_Q5_0,    parts_q5_0,    BOOK_COUNT,   1,  SHAPE_REFITTED | SHAPE_ROUNDED                },
    {&type_Q5_1,    parts_q5_1,    BOOK_COUNT,   1,  SHAPE_REFITTED | SHAPE_MINIMUM | SHAPE_ROUNDED},
    {&type_Q8_0,    parts_q8_0,    BOOK_COUNT,   1,  SHAPE_ROUNDED                                 },
    {&type_Q2_K,    parts_q2_k,    BOOK_COUNT,   1,  0                                             },
    {&type_Q3_K,    parts_q3_k,    BOOK_COUNT,   1,  0                                             },
    {&type_Q4_K,    parts_q4_k,    BOOK_COUNT,   1,  0                                             },
    {&type_Q5_K,    parts_q5_k,    BOOK_COUNT,   1,  0                                             },
    {&type_Q6_K,    parts_q6_k,    BOOK_COUNT,   1,  0                                             },
    {&type_IQ4_NL,  parts_iq4_nl,  BOOK_COUNT,   16, SHAPE_ROUNDED                                 },
    {&type_IQ4_XS,  parts_iq4_xs,  BOOK_COUNT,   16, SHAPE_ROUNDED                                 },
    {&type_MXFP4,   parts_mxfp4,   BOOK_COUNT,   1,  0                                             },
    {&type_NVFP4,   parts_nvfp4,   BOOK_COUNT,   1,  0                                             },
    {&type_TQ1_0,   parts_tq1_0,   BOOK_COUNT,   1,  SHAPE_ROUNDED                                 },
    {&type_TQ2_0,   parts_tq2_0,   BOOK_COUNT,   1,  SHAPE_ROUNDED                                 },
    {&type_Q1_0,    parts_q1_0,    BOOK_COUNT,   1,  SHAPE_ROUNDED                                 },
    {&type_Q2_0,    parts_q2_0,    BOOK_COUNT,   1,  SHAPE_ROUNDED                                 },
    {&type_IQ2_XXS, parts_iq2_xxs, BOOK_IQ2_XXS, 17, SHAPE_MIRRORED | SHAPE_PARITY                 },
    {&type_IQ2_XS,  parts_iq2_xs,  BOOK_IQ2_XS,  17, SHAPE_MIRRORED | SHAPE_PARITY                 },
    {&type_IQ2_S,   parts_iq2_s,   BOOK_IQ2_S,   17, SHAPE_MIRRORED                                },
    {&type_IQ3_XXS, parts_iq3_xxs, BOOK_IQ3_XXS, 8,  SHAPE_MIRRORED | SHAPE_PARITY                 },
    {&type_IQ3_S,   parts_iq3_s,   BOOK_IQ3_S,   2,  SHAPE_MIRRORED                                },
    {&type_IQ1_S,   parts_iq1_s,   BOOK_IQ1,     1,  0                                             },
    {&type_IQ1_M,   parts_iq1_m,   BOOK_IQ1,     1,  0                                             },
};

const struct block_shape *block_shape_of(const struct type_info *type)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (shapes[i].type == type)
            return &shapes[i];
    return NULL;
}
