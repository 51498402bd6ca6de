/* simd_avx512.h -- the vectors of simd.h with AVX-512 F, BW, DQ, VL: sixteen lanes. */
#ifndef LQ_CODEC_SIMD_AVX512_H
#define LQ_CODEC_SIMD_AVX512_H

#include <immintrin.h>

#define ISA_SUFFIX      avx512
#define VECTOR_REGISTER "v"

enum { VL = 16, GROUPS = 4, PAIRED = 4 };

typedef __m512 vf;
typedef __m512i vi;
typedef __mmask16 vm;

LANES vf vf_splat(float f)
{
    return _mm512_set1_ps(f);
}

LANES vi vi_splat(int32_t i)
{
    return _mm512_set1_epi32(i);
}

LANES vf vf_load(const float *p)
{
    return _mm512_loadu_ps(p);
}

LANES void vf_store(float *p, vf v)
{
    _mm512_storeu_ps(p, v);
}

LANES vi vi_load(const int32_t *p)
{
    return _mm512_loadu_si512(p);
}

LANES void vi_store(int32_t *p, vi v)
{
    _mm512_storeu_si512(p, v);
}

LANES vf vf_min(vf a, vf b)
{
    return _mm512_min_ps(a, b);
}

LANES vf vf_max(vf a, vf b)
{
    return _mm512_max_ps(a, b);
}

LANES vf vf_clamp(vf v, vf low, vf high)
{
    return _mm512_min_ps(_mm512_max_ps(v, low), high);
}

LANES vf vf_fma(vf a, vf b, vf c)
{
    return _mm512_fmadd_ps(a, b, c);
}

LANES vf vf_abs(vf v)
{
    return _mm512_abs_ps(v);
}

LANES vf vf_sqrt(vf v)
{
    return _mm512_sqrt_ps(v);
}

LANES vm vf_lt(vf a, vf b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ);
}

LANES vm vf_gt(vf a, vf b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ);
}

LANES vm vf_le(vf a, vf b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ);
}

LANES vm vf_eq(vf a, vf b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ);
}

LANES vf vf_select(vm m, vf a, vf b)
{
    return _mm512_mask_blend_ps(m, b, a);
}

LANES vi vf_bits(vf v)
{
    return _mm512_castps_si512(v);
}

LANES vf vf_from_bits(vi v)
{
    return _mm512_castsi512_ps(v);
}

LANES vi vi_select(vm m, vi a, vi b)
{
    return _mm512_mask_blend_epi32(m, b, a);
}

LANES vm vm_and(vm a, vm b)
{
    return (vm)(a & b);
}

LANES vm vm_or(vm a, vm b)
{
    return (vm)(a | b);
}

LANES vm vm_andnot(vm a, vm b)
{
    return (vm)(a & ~b);
}

LANES unsigned vm_lanes(vm m)
{
    return m;
}

LANES bool vm_any(vm m)
{
    return m != 0;
}

LANES bool vm_all(vm m)
{
    return m == 0xffff;
}

LANES vi vi_add(vi a, vi b)
{
    return _mm512_add_epi32(a, b);
}

LANES vi vi_sub(vi a, vi b)
{
    return _mm512_sub_epi32(a, b);
}

LANES vi vi_and(vi a, vi b)
{
    return _mm512_and_si512(a, b);
}

LANES vi vi_or(vi a, vi b)
{
    return _mm512_or_si512(a, b);
}

LANES vi vi_min(vi a, vi b)
{
    return _mm512_min_epi32(a, b);
}

LANES vi vi_max(vi a, vi b)
{
    return _mm512_max_epi32(a, b);
}

LANES vm vi_eq(vi a, vi b)
{
    return _mm512_cmpeq_epi32_mask(a, b);
}

LANES vm vi_gt(vi a, vi b)
{
    return _mm512_cmpgt_epi32_mask(a, b);
}

LANES vi vi_shl(vi v, int n)
{
    return _mm512_slli_epi32(v, (unsigned)n);
}

LANES vi vi_shr(vi v, int n)
{
    return _mm512_srli_epi32(v, (unsigned)n);
}

LANES vf vf_from_int(vi v)
{
    return _mm512_cvtepi32_ps(v);
}

LANES vi vi_from_float(vf v)
{
    return _mm512_cvttps_epi32(v);
}

LANES vi vi_load_u8(const void *p)
{
    return _mm512_cvtepu8_epi32(_mm_loadu_si128(p));
}

LANES vi vi_load_s8(const void *p)
{
    return _mm512_cvtepi8_epi32(_mm_loadu_si128(p));
}

LANES vi vi_load_u16(const void *p)
{
    return _mm512_cvtepu16_epi32(_mm256_loadu_si256(p));
}

LANES void vi_store_u16(void *p, vi v)
{
    _mm256_storeu_si256(p, _mm512_cvtepi32_epi16(v));
}

LANES void vi_store_16u8(uint8_t *p, const vi v[1])
{
    _mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(v[0]));
}

LANES void vi_store_32u8(uint8_t *p, const vi v[2])
{
    vi_store_16u8(p, v);
    vi_store_16u8(p + 16, v + 1);
}

LANES vf vf_load_f16(const void *p)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256(p));
}

LANES void vf_store_f16(void *p, vf v)
{
    _mm256_storeu_si256(p, _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}

LANES uint16_t f16_from_float(float f)
{
    return _cvtss_sh(f, _MM_FROUND_TO_NEAREST_INT);
}

LANES float vf_hmax(vf v)
{
    return _mm512_reduce_max_ps(v);
}

LANES float vf_hmin(vf v)
{
    return _mm512_reduce_min_ps(v);
}

LANES int32_t vi_hmax(vi v)
{
    return _mm512_reduce_max_epi32(v);
}

LANES int32_t vi_hmin(vi v)
{
    return _mm512_reduce_min_epi32(v);
}

/* Sixteen columns of sixteen rows. After the unpacking, u[4 * k + j] has in its 128-bit part p
 * column 4 * p + j of rows 4 * k to 4 * k + 3; the shuffles put equal parts together. */
LANES void vf_load_16_columns(vf *out, const float *const rows[16], int i)
{
    vf u[16];

    for (int k = 0; k < 16; k += 4) {
        const vf r0 = vf_load(rows[k] + i), r1 = vf_load(rows[k + 1] + i);
        const vf r2 = vf_load(rows[k + 2] + i), r3 = vf_load(rows[k + 3] + i);
        const vf a = _mm512_unpacklo_ps(r0, r1), b = _mm512_unpackhi_ps(r0, r1);
        const vf c = _mm512_unpacklo_ps(r2, r3), d = _mm512_unpackhi_ps(r2, r3);
        u[k] = _mm512_shuffle_ps(a, c, 0x44);
        u[k + 1] = _mm512_shuffle_ps(a, c, 0xee);
        u[k + 2] = _mm512_shuffle_ps(b, d, 0x44);
        u[k + 3] = _mm512_shuffle_ps(b, d, 0xee);
    }
    for (int j = 0; j < 4; j++) {
        const vf even = _mm512_shuffle_f32x4(u[j], u[4 + j], 0x88);
        const vf odd = _mm512_shuffle_f32x4(u[j], u[4 + j], 0xdd);
        const vf even2 = _mm512_shuffle_f32x4(u[8 + j], u[12 + j], 0x88);
        const vf odd2 = _mm512_shuffle_f32x4(u[8 + j], u[12 + j], 0xdd);
        out[j] = _mm512_shuffle_f32x4(even, even2, 0x88);
        out[8 + j] = _mm512_shuffle_f32x4(even, even2, 0xdd);
        out[4 + j] = _mm512_shuffle_f32x4(odd, odd2, 0x88);
        out[12 + j] = _mm512_shuffle_f32x4(odd, odd2, 0xdd);
    }
}

LANES void vf_load_columns(vf *out, const float *const rows[16], int n)
{
    for (int i = 0; i < n; i += 16)
        vf_load_16_columns(out + i, rows, i);
}

#endif
