/* simd_avx2.h -- the vectors of simd.h with AVX2, F16C: eight lanes. */
#ifndef LQ_CODEC_SIMD_AVX2_H
#define LQ_CODEC_SIMD_AVX2_H

#include <immintrin.h>

#define ISA_SUFFIX      avx2
#define VECTOR_REGISTER "x"

enum { VL = 8, GROUPS = 4, PAIRED = 2 };

typedef __m256 vf;
typedef __m256i vi;
typedef __m256 vm;

LANES vf vf_splat(float f)
{
    return _mm256_set1_ps(f);
}

LANES vi vi_splat(int32_t i)
{
    return _mm256_set1_epi32(i);
}

LANES vf vf_load(const float *p)
{
    return _mm256_loadu_ps(p);
}

LANES void vf_store(float *p, vf v)
{
    _mm256_storeu_ps(p, v);
}

LANES vi vi_load(const int32_t *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}

LANES void vi_store(int32_t *p, vi v)
{
    _mm256_storeu_si256((__m256i *)p, v);
}

LANES vf vf_min(vf a, vf b)
{
    return _mm256_min_ps(a, b);
}

LANES vf vf_max(vf a, vf b)
{
    return _mm256_max_ps(a, b);
}

LANES vf vf_clamp(vf v, vf low, vf high)
{
    return _mm256_min_ps(_mm256_max_ps(v, low), high);
}

LANES vf vf_fma(vf a, vf b, vf c)
{
    return _mm256_fmadd_ps(a, b, c);
}

LANES vf vf_abs(vf v)
{
    return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), v);
}

LANES vf vf_sqrt(vf v)
{
    return _mm256_sqrt_ps(v);
}

LANES vm vf_lt(vf a, vf b)
{
    return _mm256_cmp_ps(a, b, _CMP_LT_OQ);
}

LANES vm vf_gt(vf a, vf b)
{
    return _mm256_cmp_ps(a, b, _CMP_GT_OQ);
}

LANES vm vf_le(vf a, vf b)
{
    return _mm256_cmp_ps(a, b, _CMP_LE_OQ);
}

LANES vm vf_eq(vf a, vf b)
{
    return _mm256_cmp_ps(a, b, _CMP_EQ_OQ);
}

LANES vf vf_select(vm m, vf a, vf b)
{
    return _mm256_blendv_ps(b, a, m);
}

LANES vi vf_bits(vf v)
{
    return _mm256_castps_si256(v);
}

LANES vf vf_from_bits(vi v)
{
    return _mm256_castsi256_ps(v);
}

LANES vi vi_select(vm m, vi a, vi b)
{
    return _mm256_blendv_epi8(b, a, _mm256_castps_si256(m));
}

LANES vm vm_and(vm a, vm b)
{
    return _mm256_and_ps(a, b);
}

LANES vm vm_or(vm a, vm b)
{
    return _mm256_or_ps(a, b);
}

LANES vm vm_andnot(vm a, vm b)
{
    return _mm256_andnot_ps(b, a);
}

LANES unsigned vm_lanes(vm m)
{
    return (unsigned)_mm256_movemask_ps(m);
}

LANES bool vm_any(vm m)
{
    return _mm256_movemask_ps(m) != 0;
}

LANES bool vm_all(vm m)
{
    return _mm256_movemask_ps(m) == 0xff;
}

LANES vi vi_add(vi a, vi b)
{
    return _mm256_add_epi32(a, b);
}

LANES vi vi_sub(vi a, vi b)
{
    return _mm256_sub_epi32(a, b);
}

LANES vi vi_and(vi a, vi b)
{
    return _mm256_and_si256(a, b);
}

LANES vi vi_or(vi a, vi b)
{
    return _mm256_or_si256(a, b);
}

LANES vi vi_min(vi a, vi b)
{
    return _mm256_min_epi32(a, b);
}

LANES vi vi_max(vi a, vi b)
{
    return _mm256_max_epi32(a, b);
}

LANES vm vi_eq(vi a, vi b)
{
    return _mm256_castsi256_ps(_mm256_cmpeq_epi32(a, b));
}

LANES vm vi_gt(vi a, vi b)
{
    return _mm256_castsi256_ps(_mm256_cmpgt_epi32(a, b));
}

LANES vi vi_shl(vi v, int n)
{
    return _mm256_slli_epi32(v, n);
}

LANES vi vi_shr(vi v, int n)
{
    return _mm256_srli_epi32(v, n);
}

LANES vf vf_from_int(vi v)
{
    return _mm256_cvtepi32_ps(v);
}

LANES vi vi_from_float(vf v)
{
    return _mm256_cvttps_epi32(v);
}

LANES vi vi_load_u8(const void *p)
{
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64(p));
}

LANES vi vi_load_s8(const void *p)
{
    return _mm256_cvtepi8_epi32(_mm_loadl_epi64(p));
}

LANES vi vi_load_u16(const void *p)
{
    return _mm256_cvtepu16_epi32(_mm_loadu_si128(p));
}

LANES void vi_store_u16(void *p, vi v)
{
    const vi packed =
        _mm256_packus_epi32(_mm256_and_si256(v, _mm256_set1_epi32(0xffff)), _mm256_setzero_si256());
    _mm_storeu_si128(p, _mm256_castsi256_si128(_mm256_permute4x64_epi64(packed, 0x08)));
}

LANES void vi_store_16u8(uint8_t *p, const vi v[2])
{
    const vi low = _mm256_set1_epi32(0xff);
    const vi a = _mm256_packus_epi32(_mm256_and_si256(v[0], low), _mm256_and_si256(v[1], low));
    const vi order = _mm256_setr_epi32(0, 4, 1, 5, 0, 4, 1, 5);
    _mm_storeu_si128((__m128i *)p, _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(
                                       _mm256_packus_epi16(a, a), order)));
}

LANES void vi_store_32u8(uint8_t *p, const vi v[4])
{
    const vi low = _mm256_set1_epi32(0xff);
    const vi a = _mm256_packus_epi32(_mm256_and_si256(v[0], low), _mm256_and_si256(v[1], low));
    const vi b = _mm256_packus_epi32(_mm256_and_si256(v[2], low), _mm256_and_si256(v[3], low));
    const vi order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    _mm256_storeu_si256((__m256i *)p,
                        _mm256_permutevar8x32_epi32(_mm256_packus_epi16(a, b), order));
}

LANES vf vf_load_f16(const void *p)
{
    return _mm256_cvtph_ps(_mm_loadu_si128(p));
}

LANES void vf_store_f16(void *p, vf v)
{
    _mm_storeu_si128(p, _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}

LANES uint16_t f16_from_float(float f)
{
    return _cvtss_sh(f, _MM_FROUND_TO_NEAREST_INT);
}

LANES float vf_hmax(vf v)
{
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
}

LANES float vf_hmin(vf v)
{
    __m128 m = _mm_min_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    m = _mm_min_ps(m, _mm_movehl_ps(m, m));
    return _mm_cvtss_f32(_mm_min_ss(m, _mm_movehdup_ps(m)));
}

LANES int32_t vi_hmax(vi v)
{
    __m128i m = _mm_max_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    m = _mm_max_epi32(m, _mm_shuffle_epi32(m, 0x4e));
    return _mm_cvtsi128_si32(_mm_max_epi32(m, _mm_shuffle_epi32(m, 0xb1)));
}

LANES int32_t vi_hmin(vi v)
{
    __m128i m = _mm_min_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    m = _mm_min_epi32(m, _mm_shuffle_epi32(m, 0x4e));
    return _mm_cvtsi128_si32(_mm_min_epi32(m, _mm_shuffle_epi32(m, 0xb1)));
}

/* Four columns of eight rows: two 4 x 4 transpositions side by side. */
LANES void vf_load_4_columns(vf *out, const float *const rows[8], int i)
{
    vf r[4];

    for (int k = 0; k < 4; k++)
        r[k] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(rows[k] + i)),
                                    _mm_loadu_ps(rows[k + 4] + i), 1);
    const vf a = _mm256_unpacklo_ps(r[0], r[1]), b = _mm256_unpackhi_ps(r[0], r[1]);
    const vf c = _mm256_unpacklo_ps(r[2], r[3]), d = _mm256_unpackhi_ps(r[2], r[3]);
    out[0] = _mm256_shuffle_ps(a, c, 0x44);
    out[1] = _mm256_shuffle_ps(a, c, 0xee);
    out[2] = _mm256_shuffle_ps(b, d, 0x44);
    out[3] = _mm256_shuffle_ps(b, d, 0xee);
}

LANES void vf_load_columns(vf *out, const float *const rows[8], int n)
{
    for (int i = 0; i < n; i += 4)
        vf_load_4_columns(out + i, rows, i);
}

#endif
