/* simd_lookup.h -- more for the vectors of simd.h: small tables, masks applied to bits.
 *
 *   vf_table4 vf_table8 vf_table16     what vf_make_table<n>(const float t[n]) makes
 *   vf_lookup4(table, index)           t[index & 3] in each lane; and & 7, & 15 of the others
 */
#ifndef LQ_CODEC_SIMD_LOOKUP_H
#define LQ_CODEC_SIMD_LOOKUP_H

#include "libquant/codec/simd.h"

enum { TABLE8_VECTORS = VL < 8 ? 8 / VL : 1 };

#if defined(__AVX512F__)

typedef __m512 vf_table4, vf_table8, vf_table16;

LANES vf_table4 vf_make_table4(const float *t)
{
    return _mm512_broadcast_f32x4(_mm_loadu_ps(t));
}

LANES vf_table8 vf_make_table8(const float *t)
{
    return _mm512_broadcast_f32x8(_mm256_loadu_ps(t));
}

LANES vf_table16 vf_make_table16(const float *t)
{
    return _mm512_loadu_ps(t);
}

LANES vf_table4 vf_as_table4(vf v)
{
    return v;
}

LANES vf_table8 vf_as_table8(const vf *v)
{
    return *v;
}

LANES vf vf_lookup4(vf_table4 t, vi index)
{
    return _mm512_permutevar_ps(t, index);
}

LANES vf vf_lookup8(vf_table8 t, vi index)
{
    return _mm512_permutexvar_ps(index, t);
}

LANES vf vf_lookup16(vf_table16 t, vi index)
{
    return _mm512_permutexvar_ps(index, t);
}

LANES vf vf_xor(vf a, vf b)
{
    return _mm512_xor_ps(a, b);
}

LANES vi vi_shl_each(vi v, vi n)
{
    return _mm512_sllv_epi32(v, n);
}

LANES vi vi_shr_each(vi v, vi n)
{
    return _mm512_srlv_epi32(v, n);
}

LANES vi vi_load_runs(const void *p, int run)
{
    if (run == 8)
        return _mm512_permutexvar_epi32(
            _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1),
            _mm512_castsi128_si512(_mm_loadl_epi64(p)));
    return _mm512_permutexvar_epi32(
        _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3),
        _mm512_castsi128_si512(_mm_loadu_si128(p)));
}

LANES vi vi_where(vm m, vi v)
{
    return _mm512_maskz_mov_epi32(m, v);
}

LANES vf vf_flip(vm m, vf v, vf bits)
{
    return _mm512_mask_xor_ps(v, m, v, bits);
}

#elif defined(__AVX2__)

typedef __m256 vf_table4, vf_table8;
typedef struct {
    __m256 low, flip; /* entries 0 to 7; what turns them into 8 to 15 */
} vf_table16;

LANES vf_table4 vf_make_table4(const float *t)
{
    return _mm256_broadcast_ps((const __m128 *)t);
}

LANES vf_table8 vf_make_table8(const float *t)
{
    return _mm256_loadu_ps(t);
}

LANES vf_table16 vf_make_table16(const float *t)
{
    const __m256 low = _mm256_loadu_ps(t);
    return (vf_table16){low, _mm256_xor_ps(low, _mm256_loadu_ps(t + 8))};
}

LANES vf_table4 vf_as_table4(vf v)
{
    return v;
}

LANES vf_table8 vf_as_table8(const vf *v)
{
    return *v;
}

LANES vf vf_lookup4(vf_table4 t, vi index)
{
    return _mm256_permutevar_ps(t, index);
}

LANES vf vf_lookup8(vf_table8 t, vi index)
{
    return _mm256_permutevar8x32_ps(t, index);
}

LANES vf vf_lookup16(vf_table16 t, vi index)
{
    const __m256 upper = _mm256_castsi256_ps(_mm256_srai_epi32(_mm256_slli_epi32(index, 28), 31));
    return _mm256_xor_ps(_mm256_permutevar8x32_ps(t.low, index),
                         _mm256_and_ps(upper, _mm256_permutevar8x32_ps(t.flip, index)));
}

LANES vf vf_xor(vf a, vf b)
{
    return _mm256_xor_ps(a, b);
}

LANES vi vi_shl_each(vi v, vi n)
{
    return _mm256_sllv_epi32(v, n);
}

LANES vi vi_shr_each(vi v, vi n)
{
    return _mm256_srlv_epi32(v, n);
}

LANES vi vi_load_runs(const void *p, int run)
{
    if (run == 8)
        return _mm256_set1_epi32((int32_t)load_u32(p));
    return _mm256_permutevar8x32_epi32(_mm256_castsi128_si256(_mm_loadl_epi64(p)),
                                       _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1));
}

LANES vi vi_where(vm m, vi v)
{
    return _mm256_and_si256(_mm256_castps_si256(m), v);
}

LANES vf vf_flip(vm m, vf v, vf bits)
{
    return _mm256_xor_ps(v, _mm256_and_ps(m, bits));
}

#elif defined(__aarch64__)

typedef uint8x16_t vf_table4;
typedef uint8x16x2_t vf_table8;
typedef uint8x16x4_t vf_table16;

LANES vf_table4 vf_make_table4(const float *t)
{
    return vld1q_u8((const uint8_t *)t);
}

LANES vf_table8 vf_make_table8(const float *t)
{
    return vld1q_u8_x2((const uint8_t *)t);
}

LANES vf_table16 vf_make_table16(const float *t)
{
    return vld1q_u8_x4((const uint8_t *)t);
}

LANES vf_table4 vf_as_table4(vf v)
{
    return vreinterpretq_u8_f32(v);
}

LANES vf_table8 vf_as_table8(const vf *v)
{
    return (vf_table8){
        {vreinterpretq_u8_f32(v[0]), vreinterpretq_u8_f32(v[1])}
    };
}

/* Numbers of the four bytes of entry `index`. */
LANES uint8x16_t entry_bytes(vi index, int mask)
{
    const vi first = vmulq_n_s32(vandq_s32(index, vdupq_n_s32(mask)), 0x04040404);
    return vreinterpretq_u8_s32(vaddq_s32(first, vdupq_n_s32(0x03020100)));
}

LANES vf vf_lookup4(vf_table4 t, vi index)
{
    return vreinterpretq_f32_u8(vqtbl1q_u8(t, entry_bytes(index, 3)));
}

LANES vf vf_lookup8(vf_table8 t, vi index)
{
    return vreinterpretq_f32_u8(vqtbl2q_u8(t, entry_bytes(index, 7)));
}

LANES vf vf_lookup16(vf_table16 t, vi index)
{
    return vreinterpretq_f32_u8(vqtbl4q_u8(t, entry_bytes(index, 15)));
}

LANES vf vf_xor(vf a, vf b)
{
    return vreinterpretq_f32_u32(veorq_u32(vreinterpretq_u32_f32(a), vreinterpretq_u32_f32(b)));
}

LANES vi vi_shl_each(vi v, vi n)
{
    return vshlq_s32(v, n);
}

LANES vi vi_shr_each(vi v, vi n)
{
    return vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(v), vnegq_s32(n)));
}

LANES vi vi_load_runs(const void *p, int run)
{
    (void)run; /* at least as many as lanes */
    return vdupq_n_s32((int32_t)load_u32(p));
}

LANES vi vi_where(vm m, vi v)
{
    return vandq_s32(vreinterpretq_s32_u32(m), v);
}

LANES vf vf_flip(vm m, vf v, vf bits)
{
    return vf_xor(v, vreinterpretq_f32_u32(vandq_u32(m, vreinterpretq_u32_f32(bits))));
}

#endif

#endif
