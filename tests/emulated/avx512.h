/* avx512.h -- the AVX-512 instructions that the kernels use, in plain C, lane by lane.
 *
 * Included before everything else by scripts/check-avx512, so that the sixteen-lane kernels are
 * also tested where no CPU can run them. Written from Intel's description of each instruction.
 */
#ifndef TESTS_EMULATED_AVX512_H
#define TESTS_EMULATED_AVX512_H

#include <immintrin.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define __AVX512F__ 1
#define __asm__(...) /* kernels use it to pin registers, which are not there */

#define EMULATED static inline __attribute__((always_inline, unused))

union lanes {
    __m512 f;
    __m512i i;
    float f32[16];
    int32_t i32[16];
    uint32_t u32[16];
    __m128 part[4];
    __m256 half[2];
};

#define EACH(expression)                                                                           \
    do {                                                                                           \
        for (int k = 0; k < 16; k++)                                                               \
            r.expression;                                                                          \
    } while (0)

#define FLOAT_2(name, expression)                                                                  \
    EMULATED __m512 emulated_##name(__m512 va, __m512 vb)                                          \
    {                                                                                              \
        const union lanes a = {.f = va}, b = {.f = vb};                                            \
        union lanes r;                                                                             \
        EACH(f32[k] = expression);                                                                 \
        return r.f;                                                                                \
    }

#define INT_2(name, expression)                                                                    \
    EMULATED __m512i emulated_##name(__m512i va, __m512i vb)                                       \
    {                                                                                              \
        const union lanes a = {.i = va}, b = {.i = vb};                                            \
        union lanes r;                                                                             \
        EACH(u32[k] = (uint32_t)(expression));                                                     \
        return r.i;                                                                                \
    }

FLOAT_2(min_ps, a.f32[k] < b.f32[k] ? a.f32[k] : b.f32[k])
FLOAT_2(max_ps, a.f32[k] > b.f32[k] ? a.f32[k] : b.f32[k])
FLOAT_2(unpacklo_ps, k % 2 ? b.f32[k / 4 * 4 + k % 4 / 2] : a.f32[k / 4 * 4 + k % 4 / 2])
FLOAT_2(unpackhi_ps, k % 2 ? b.f32[k / 4 * 4 + 2 + k % 4 / 2] : a.f32[k / 4 * 4 + 2 + k % 4 / 2])

INT_2(add_epi32, a.u32[k] + b.u32[k])
INT_2(sub_epi32, a.u32[k] - b.u32[k])
INT_2(and_si512, a.u32[k] & b.u32[k])
INT_2(or_si512, a.u32[k] | b.u32[k])
INT_2(min_epi32, a.i32[k] < b.i32[k] ? a.i32[k] : b.i32[k])
INT_2(max_epi32, a.i32[k] > b.i32[k] ? a.i32[k] : b.i32[k])
INT_2(sllv_epi32, b.u32[k] > 31 ? 0 : a.u32[k] << b.u32[k])
INT_2(srlv_epi32, b.u32[k] > 31 ? 0 : a.u32[k] >> b.u32[k])
INT_2(permutexvar_epi32, b.u32[a.u32[k] & 15])

EMULATED __m512 emulated_xor_ps(__m512 va, __m512 vb)
{
    const union lanes a = {.f = va}, b = {.f = vb};
    union lanes r;
    EACH(u32[k] = a.u32[k] ^ b.u32[k]);
    return r.f;
}

EMULATED __m512 emulated_set1_ps(float f)
{
    union lanes r;
    EACH(f32[k] = f);
    return r.f;
}

EMULATED __m512i emulated_set1_epi32(int32_t i)
{
    union lanes r;
    EACH(i32[k] = i);
    return r.i;
}

EMULATED __m512 emulated_load(const void *p)
{
    union lanes r;
    memcpy(&r, p, sizeof r);
    return r.f;
}

EMULATED __m512i emulated_load_int(const void *p)
{
    union lanes r;
    memcpy(&r, p, sizeof r);
    return r.i;
}

EMULATED void emulated_store(void *p, __m512 v)
{
    memcpy(p, &v, sizeof v);
}

EMULATED void emulated_store_int(void *p, __m512i v)
{
    memcpy(p, &v, sizeof v);
}

EMULATED __m512 emulated_abs_ps(__m512 v)
{
    const union lanes a = {.f = v};
    union lanes r;
    EACH(u32[k] = a.u32[k] & 0x7fffffffu);
    return r.f;
}

EMULATED __m512 emulated_sqrt_ps(__m512 v)
{
    const union lanes a = {.f = v};
    union lanes r;
    EACH(f32[k] = sqrtf(a.f32[k]));
    return r.f;
}

EMULATED __mmask16 emulated_cmp_ps_mask(__m512 va, __m512 vb, int op)
{
    const union lanes a = {.f = va}, b = {.f = vb};
    unsigned m = 0;
    for (int k = 0; k < 16; k++) {
        const float x = a.f32[k], y = b.f32[k];
        m |= (unsigned)(op == _CMP_LT_OQ   ? x < y
                        : op == _CMP_GT_OQ ? x > y
                        : op == _CMP_LE_OQ ? x <= y
                        : op == _CMP_EQ_OQ ? x == y
                                           : (abort(), 0))
             << k;
    }
    return (__mmask16)m;
}

EMULATED __mmask16 emulated_cmpeq_epi32_mask(__m512i va, __m512i vb)
{
    const union lanes a = {.i = va}, b = {.i = vb};
    unsigned m = 0;
    for (int k = 0; k < 16; k++)
        m |= (unsigned)(a.i32[k] == b.i32[k]) << k;
    return (__mmask16)m;
}

EMULATED __mmask16 emulated_cmpgt_epi32_mask(__m512i va, __m512i vb)
{
    const union lanes a = {.i = va}, b = {.i = vb};
    unsigned m = 0;
    for (int k = 0; k < 16; k++)
        m |= (unsigned)(a.i32[k] > b.i32[k]) << k;
    return (__mmask16)m;
}

EMULATED __m512 emulated_mask_blend_ps(__mmask16 m, __m512 va, __m512 vb)
{
    const union lanes a = {.f = va}, b = {.f = vb};
    union lanes r;
    EACH(u32[k] = m >> k & 1 ? b.u32[k] : a.u32[k]);
    return r.f;
}

EMULATED __m512i emulated_mask_blend_epi32(__mmask16 m, __m512i va, __m512i vb)
{
    const union lanes a = {.i = va}, b = {.i = vb};
    union lanes r;
    EACH(u32[k] = m >> k & 1 ? b.u32[k] : a.u32[k]);
    return r.i;
}

EMULATED __m512i emulated_maskz_mov_epi32(__mmask16 m, __m512i va)
{
    return emulated_mask_blend_epi32(m, emulated_set1_epi32(0), va);
}

EMULATED __m512 emulated_mask_xor_ps(__m512 src, __mmask16 m, __m512 a, __m512 b)
{
    return emulated_mask_blend_ps(m, src, emulated_xor_ps(a, b));
}

EMULATED __m512i emulated_castps_si512(__m512 v)
{
    return (union lanes){.f = v}.i;
}

EMULATED __m512 emulated_castsi512_ps(__m512i v)
{
    return (union lanes){.i = v}.f;
}

EMULATED __m512i emulated_castsi128_si512(__m128i v)
{
    union lanes r;
    memset(&r, 0xa5, sizeof r); /* the rest is undefined */
    memcpy(&r, &v, sizeof v);
    return r.i;
}

EMULATED __m512i emulated_shift(__m512i v, unsigned n, bool left)
{
    const union lanes a = {.i = v};
    union lanes r;
    EACH(u32[k] = n > 31 ? 0 : left ? a.u32[k] << n : a.u32[k] >> n);
    return r.i;
}

EMULATED __m512 emulated_cvtepi32_ps(__m512i v)
{
    const union lanes a = {.i = v};
    union lanes r;
    EACH(f32[k] = (float)a.i32[k]);
    return r.f;
}

EMULATED __m512i emulated_cvttps_epi32(__m512 v)
{
    const union lanes a = {.f = v};
    union lanes r;
    EACH(i32[k] = a.f32[k] >= -0x1p31f && a.f32[k] < 0x1p31f ? (int32_t)a.f32[k] : INT32_MIN);
    return r.i;
}

EMULATED __m512i emulated_cvtepu8_epi32(__m128i v)
{
    uint8_t a[16];
    union lanes r;
    memcpy(a, &v, sizeof a);
    EACH(i32[k] = a[k]);
    return r.i;
}

EMULATED __m512i emulated_cvtepi8_epi32(__m128i v)
{
    int8_t a[16];
    union lanes r;
    memcpy(a, &v, sizeof a);
    EACH(i32[k] = a[k]);
    return r.i;
}

EMULATED __m512i emulated_cvtepu16_epi32(__m256i v)
{
    uint16_t a[16];
    union lanes r;
    memcpy(a, &v, sizeof a);
    EACH(i32[k] = a[k]);
    return r.i;
}

EMULATED __m256i emulated_cvtepi32_epi16(__m512i v)
{
    const union lanes a = {.i = v};
    uint16_t out[16];
    for (int k = 0; k < 16; k++)
        out[k] = (uint16_t)a.u32[k];
    return _mm256_loadu_si256((const __m256i *)out);
}

EMULATED __m128i emulated_cvtepi32_epi8(__m512i v)
{
    const union lanes a = {.i = v};
    uint8_t out[16];
    for (int k = 0; k < 16; k++)
        out[k] = (uint8_t)a.u32[k];
    return _mm_loadu_si128((const __m128i *)out);
}

EMULATED __m512 emulated_cvtph_ps(__m256i v)
{
    union lanes r;
    r.half[0] = _mm256_cvtph_ps(_mm256_castsi256_si128(v));
    r.half[1] = _mm256_cvtph_ps(_mm256_extracti128_si256(v, 1));
    return r.f;
}

EMULATED __m256i emulated_cvtps_ph(__m512 v, int mode)
{
    const union lanes a = {.f = v};
    if (mode != _MM_FROUND_TO_NEAREST_INT)
        abort();
    return _mm256_set_m128i(_mm256_cvtps_ph(a.half[1], _MM_FROUND_TO_NEAREST_INT),
                            _mm256_cvtps_ph(a.half[0], _MM_FROUND_TO_NEAREST_INT));
}

/* Within each 128-bit part: two of a's lanes, two of b's. */
EMULATED __m512 emulated_shuffle_ps(__m512 va, __m512 vb, unsigned s)
{
    const union lanes a = {.f = va}, b = {.f = vb};
    union lanes r;
    EACH(u32[k] = (k % 4 < 2 ? a : b).u32[k / 4 * 4 + (int)(s >> 2 * (k % 4) & 3)]);
    return r.f;
}

/* Two of a's 128-bit parts, two of b's. */
EMULATED __m512 emulated_shuffle_f32x4(__m512 va, __m512 vb, unsigned s)
{
    const union lanes a = {.f = va}, b = {.f = vb};
    union lanes r;
    EACH(u32[k] = (k < 8 ? a : b).u32[4 * (int)(s >> 2 * (k / 4) & 3) + k % 4]);
    return r.f;
}

EMULATED __m512 emulated_permutexvar_ps(__m512i index, __m512 v)
{
    return emulated_castsi512_ps(emulated_permutexvar_epi32(index, emulated_castps_si512(v)));
}

EMULATED __m512 emulated_permutevar_ps(__m512 v, __m512i index)
{
    const union lanes a = {.f = v}, b = {.i = index};
    union lanes r;
    EACH(u32[k] = a.u32[(uint32_t)k / 4 * 4 + (b.u32[k] & 3)]);
    return r.f;
}

EMULATED __m512 emulated_broadcast_f32x4(__m128 v)
{
    union lanes r;
    r.part[0] = r.part[1] = r.part[2] = r.part[3] = v;
    return r.f;
}

EMULATED __m512 emulated_broadcast_f32x8(__m256 v)
{
    union lanes r;
    r.half[0] = r.half[1] = v;
    return r.f;
}

EMULATED float emulated_reduce_ps(__m512 v, bool max)
{
    const union lanes a = {.f = v};
    float m = a.f32[0];
    for (int k = 1; k < 16; k++)
        m = max ? (a.f32[k] > m ? a.f32[k] : m) : (a.f32[k] < m ? a.f32[k] : m);
    return m;
}

EMULATED int32_t emulated_reduce_epi32(__m512i v, bool max)
{
    const union lanes a = {.i = v};
    int32_t m = a.i32[0];
    for (int k = 1; k < 16; k++)
        m = (max ? a.i32[k] > m : a.i32[k] < m) ? a.i32[k] : m;
    return m;
}

EMULATED __m512i emulated_setr_epi32(int a, int b, int c, int d, int e, int f, int g, int h, int i,
                                     int j, int k, int l, int m, int n, int o, int p)
{
    const int32_t v[16] = {a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p};
    return emulated_load_int(v);
}

#undef _mm512_cmp_ps_mask
#undef _mm512_slli_epi32
#undef _mm512_srli_epi32
#undef _mm512_cvtps_ph
#undef _mm512_shuffle_ps
#undef _mm512_shuffle_f32x4
#undef _mm512_setr_epi32
#define _mm512_min_ps              emulated_min_ps
#define _mm512_max_ps              emulated_max_ps
#define _mm512_unpacklo_ps         emulated_unpacklo_ps
#define _mm512_unpackhi_ps         emulated_unpackhi_ps
#define _mm512_xor_ps              emulated_xor_ps
#define _mm512_add_epi32           emulated_add_epi32
#define _mm512_sub_epi32           emulated_sub_epi32
#define _mm512_and_si512           emulated_and_si512
#define _mm512_or_si512            emulated_or_si512
#define _mm512_min_epi32           emulated_min_epi32
#define _mm512_max_epi32           emulated_max_epi32
#define _mm512_sllv_epi32          emulated_sllv_epi32
#define _mm512_srlv_epi32          emulated_srlv_epi32
#define _mm512_permutexvar_epi32   emulated_permutexvar_epi32
#define _mm512_permutexvar_ps      emulated_permutexvar_ps
#define _mm512_permutevar_ps       emulated_permutevar_ps
#define _mm512_set1_ps             emulated_set1_ps
#define _mm512_set1_epi32          emulated_set1_epi32
#define _mm512_setr_epi32          emulated_setr_epi32
#define _mm512_loadu_ps            emulated_load
#define _mm512_loadu_si512         emulated_load_int
#define _mm512_storeu_ps           emulated_store
#define _mm512_storeu_si512        emulated_store_int
#define _mm512_abs_ps              emulated_abs_ps
#define _mm512_sqrt_ps             emulated_sqrt_ps
#define _mm512_cmp_ps_mask         emulated_cmp_ps_mask
#define _mm512_cmpeq_epi32_mask    emulated_cmpeq_epi32_mask
#define _mm512_cmpgt_epi32_mask    emulated_cmpgt_epi32_mask
#define _mm512_mask_blend_ps       emulated_mask_blend_ps
#define _mm512_mask_blend_epi32    emulated_mask_blend_epi32
#define _mm512_maskz_mov_epi32     emulated_maskz_mov_epi32
#define _mm512_mask_xor_ps         emulated_mask_xor_ps
#define _mm512_castps_si512        emulated_castps_si512
#define _mm512_castsi512_ps        emulated_castsi512_ps
#define _mm512_castsi128_si512     emulated_castsi128_si512
#define _mm512_slli_epi32(v, n)    emulated_shift(v, n, true)
#define _mm512_srli_epi32(v, n)    emulated_shift(v, n, false)
#define _mm512_cvtepi32_ps         emulated_cvtepi32_ps
#define _mm512_cvttps_epi32        emulated_cvttps_epi32
#define _mm512_cvtepu8_epi32       emulated_cvtepu8_epi32
#define _mm512_cvtepi8_epi32       emulated_cvtepi8_epi32
#define _mm512_cvtepu16_epi32      emulated_cvtepu16_epi32
#define _mm512_cvtepi32_epi16      emulated_cvtepi32_epi16
#define _mm512_cvtepi32_epi8       emulated_cvtepi32_epi8
#define _mm512_cvtph_ps            emulated_cvtph_ps
#define _mm512_cvtps_ph            emulated_cvtps_ph
#define _mm512_shuffle_ps          emulated_shuffle_ps
#define _mm512_shuffle_f32x4       emulated_shuffle_f32x4
#define _mm512_broadcast_f32x4     emulated_broadcast_f32x4
#define _mm512_broadcast_f32x8     emulated_broadcast_f32x8
#define _mm512_reduce_max_ps(v)    emulated_reduce_ps(v, true)
#define _mm512_reduce_min_ps(v)    emulated_reduce_ps(v, false)
#define _mm512_reduce_max_epi32(v) emulated_reduce_epi32(v, true)
#define _mm512_reduce_min_epi32(v) emulated_reduce_epi32(v, false)

#endif
