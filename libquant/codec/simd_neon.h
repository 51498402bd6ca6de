/* simd_neon.h -- the vectors of simd.h with AArch64's Advanced SIMD: four lanes. */
#ifndef LQ_CODEC_SIMD_NEON_H
#define LQ_CODEC_SIMD_NEON_H

#include <arm_neon.h>

#define ISA_SUFFIX      neon
#define VECTOR_REGISTER "w"

enum { VL = 4, GROUPS = 4, PAIRED = 4 };

typedef float32x4_t vf;
typedef int32x4_t vi;
typedef uint32x4_t vm;

LANES vf vf_splat(float f)
{
    return vdupq_n_f32(f);
}

LANES vi vi_splat(int32_t i)
{
    return vdupq_n_s32(i);
}

/* Through bytes, as vld1q_f32 asks for the alignment of float. */
LANES vf vf_load(const float *p)
{
    return vreinterpretq_f32_u8(vld1q_u8((const uint8_t *)p));
}

LANES void vf_store(float *p, vf v)
{
    vst1q_u8((uint8_t *)p, vreinterpretq_u8_f32(v));
}

LANES vi vi_load(const int32_t *p)
{
    return vld1q_s32(p);
}

LANES void vi_store(int32_t *p, vi v)
{
    vst1q_s32(p, v);
}

LANES vm vf_lt(vf a, vf b)
{
    return vcltq_f32(a, b);
}

LANES vm vf_gt(vf a, vf b)
{
    return vcgtq_f32(a, b);
}

LANES vm vf_le(vf a, vf b)
{
    return vcleq_f32(a, b);
}

LANES vm vf_eq(vf a, vf b)
{
    return vceqq_f32(a, b);
}

LANES vf vf_select(vm m, vf a, vf b)
{
    return vbslq_f32(m, a, b);
}

/* Not vminq_f32, which gives NaN where one operand is NaN, and -0 for -0 and +0. */
LANES vf vf_min(vf a, vf b)
{
    return vbslq_f32(vcltq_f32(a, b), a, b);
}

LANES vf vf_max(vf a, vf b)
{
    return vbslq_f32(vcgtq_f32(a, b), a, b);
}

LANES vf vf_clamp(vf v, vf low, vf high)
{
    return vminq_f32(vmaxq_f32(v, low), high);
}

LANES vf vf_fma(vf a, vf b, vf c)
{
    return vfmaq_f32(c, a, b);
}

LANES vf vf_abs(vf v)
{
    return vabsq_f32(v);
}

LANES vf vf_sqrt(vf v)
{
    return vsqrtq_f32(v);
}

LANES vi vf_bits(vf v)
{
    return vreinterpretq_s32_f32(v);
}

LANES vf vf_from_bits(vi v)
{
    return vreinterpretq_f32_s32(v);
}

LANES vi vi_select(vm m, vi a, vi b)
{
    return vbslq_s32(m, a, b);
}

LANES vm vm_and(vm a, vm b)
{
    return vandq_u32(a, b);
}

LANES vm vm_or(vm a, vm b)
{
    return vorrq_u32(a, b);
}

LANES vm vm_andnot(vm a, vm b)
{
    return vbicq_u32(a, b);
}

LANES unsigned vm_lanes(vm m)
{
    static const uint32_t bits[4] = {1, 2, 4, 8};
    return vaddvq_u32(vandq_u32(m, vld1q_u32(bits)));
}

LANES bool vm_any(vm m)
{
    return vmaxvq_u32(m) != 0;
}

LANES bool vm_all(vm m)
{
    return vminvq_u32(m) != 0;
}

LANES vi vi_add(vi a, vi b)
{
    return vaddq_s32(a, b);
}

LANES vi vi_sub(vi a, vi b)
{
    return vsubq_s32(a, b);
}

LANES vi vi_and(vi a, vi b)
{
    return vandq_s32(a, b);
}

LANES vi vi_or(vi a, vi b)
{
    return vorrq_s32(a, b);
}

LANES vi vi_min(vi a, vi b)
{
    return vminq_s32(a, b);
}

LANES vi vi_max(vi a, vi b)
{
    return vmaxq_s32(a, b);
}

LANES vm vi_eq(vi a, vi b)
{
    return vceqq_s32(a, b);
}

LANES vm vi_gt(vi a, vi b)
{
    return vcgtq_s32(a, b);
}

LANES vi vi_shl(vi v, int n)
{
    return vshlq_s32(v, vdupq_n_s32(n));
}

LANES vi vi_shr(vi v, int n)
{
    return vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(v), vdupq_n_s32(-n)));
}

LANES vf vf_from_int(vi v)
{
    return vcvtq_f32_s32(v);
}

/* vcvtq_s32_f32 saturates, and makes 0 of NaN. */
LANES vi vi_from_float(vf v)
{
    const vm fits = vcltq_f32(vabsq_f32(v), vdupq_n_f32(0x1p31f));
    return vbslq_s32(fits, vcvtq_s32_f32(v), vdupq_n_s32(INT32_MIN));
}

LANES vi vi_load_u8(const void *p)
{
    const uint8x8_t bytes = vcreate_u8(load_u32(p));
    return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(vmovl_u8(bytes))));
}

LANES vi vi_load_s8(const void *p)
{
    const int8x8_t bytes = vcreate_s8(load_u32(p));
    return vmovl_s16(vget_low_s16(vmovl_s8(bytes)));
}

LANES vi vi_load_u16(const void *p)
{
    return vreinterpretq_s32_u32(vmovl_u16(vreinterpret_u16_u8(vld1_u8(p))));
}

LANES void vi_store_u16(void *p, vi v)
{
    vst1_u8(p, vreinterpret_u8_u16(vmovn_u32(vreinterpretq_u32_s32(v))));
}

LANES void vi_store_16u8(uint8_t *p, const vi v[4])
{
    const int16x8_t a = vcombine_s16(vmovn_s32(v[0]), vmovn_s32(v[1]));
    const int16x8_t b = vcombine_s16(vmovn_s32(v[2]), vmovn_s32(v[3]));
    vst1q_u8(p, vreinterpretq_u8_s8(vcombine_s8(vmovn_s16(a), vmovn_s16(b))));
}

LANES void vi_store_32u8(uint8_t *p, const vi v[8])
{
    vi_store_16u8(p, v);
    vi_store_16u8(p + 16, v + 4);
}

LANES vf vf_load_f16(const void *p)
{
    return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(p)));
}

LANES void vf_store_f16(void *p, vf v)
{
    vst1_u8(p, vreinterpret_u8_f16(vcvt_f16_f32(v)));
}

LANES uint16_t f16_from_float(float f)
{
    return vget_lane_u16(vreinterpret_u16_f16(vcvt_f16_f32(vdupq_n_f32(f))), 0);
}

LANES float vf_hmax(vf v)
{
    return vmaxvq_f32(v);
}

LANES float vf_hmin(vf v)
{
    return vminvq_f32(v);
}

LANES int32_t vi_hmax(vi v)
{
    return vmaxvq_s32(v);
}

LANES int32_t vi_hmin(vi v)
{
    return vminvq_s32(v);
}

LANES vf vf_pairs(vf a, vf b, bool high)
{
    const float64x2_t x = vreinterpretq_f64_f32(a), y = vreinterpretq_f64_f32(b);
    return vreinterpretq_f32_f64(high ? vtrn2q_f64(x, y) : vtrn1q_f64(x, y));
}

LANES void vf_load_columns(vf *out, const float *const rows[4], int n)
{
    for (int i = 0; i < n; i += 4) {
        const vf r0 = vf_load(rows[0] + i), r1 = vf_load(rows[1] + i);
        const vf r2 = vf_load(rows[2] + i), r3 = vf_load(rows[3] + i);
        const vf a = vtrn1q_f32(r0, r1), b = vtrn2q_f32(r0, r1);
        const vf c = vtrn1q_f32(r2, r3), d = vtrn2q_f32(r2, r3);
        out[i] = vf_pairs(a, c, false);
        out[i + 1] = vf_pairs(b, d, false);
        out[i + 2] = vf_pairs(a, c, true);
        out[i + 3] = vf_pairs(b, d, true);
    }
}

#endif
