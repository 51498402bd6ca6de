/* lowbit_lanes.h -- vector kernels of MXFP4, NVFP4, Q1_0, Q2_0, TQ1_0 and TQ2_0.
 *
 * Codes are found by comparing with the numbers halfway between two values. Blocks whose numbers
 * are so large or small that the scalar code does not do just that go to the scalar code.
 */
#ifndef LQ_CODEC_LOWBIT_LANES_H
#define LQ_CODEC_LOWBIT_LANES_H

#include <stddef.h>

#include "libquant/codec/iq_grids.h"
#include "libquant/codec/iquant_lanes.h"
#include "libquant/codec/lowbit_blocks.h"
#include "libquant/codec/mx.h"
#include "libquant/codec/type.h"

/* The largest magnitude of n numbers; NaNs do not count. */
LANES float largest_number(const float *x, int n)
{
    vf largest = vf_splat(0.0f);
    for (int i = 0; i < n; i += VL)
        largest = vf_max(vf_abs(vf_load(x + i)), largest);
    return vf_hmax(largest);
}

/* ---- FP4 ---- */

/* Four numbers over and over. */
LANES vf repeat4(const float *t)
{
    float repeated[VL];

    for (int i = 0; i < VL; i++)
        repeated[i] = t[i % 4];
    return vf_load(repeated);
}

/* fp4_nearest where |v| is below 24 units; a NaN gets 0. A tie is the number nearer to 0. */
LANES vi fp4_codes(vf v, float unit)
{
    static const float even[4] = {0.5f, 2.5f, 5.0f, 10.0f};
    const vf mag = vf_abs(v), one = vf_splat(unit);
    const vm upper = vf_gt(mag, vf_splat(3.5f) * one);
    const vf low = vf_splat(1.5f) * one, high = vf_splat(7.0f) * one;
    const vf middle = vf_flip(upper, low, vf_xor(low, high));
    vi code = vi_or(vi_where(upper, vi_splat(4)), vi_where(vf_gt(mag, middle), vi_splat(2)));
    const vf last = vf_lookup4(vf_as_table4(repeat4(even) * one), vi_shr(code, 1));

    code = vi_or(code, vi_where(vf_gt(mag, last), vi_splat(1)));
    const vm negative = vm_and(vf_lt(v, vf_splat(0.0f)), vi_gt(code, vi_splat(0)));
    return vi_or(code, vi_where(negative, vi_splat(8)));
}

/* The codes of 32 numbers, one a byte. */
LANES void fp4_bytes(uint8_t bytes[32], const float *x, float first_unit, float second_unit)
{
    vi codes[VF_PER_32];

    for (int i = 0; i < 32; i += VL)
        codes[i / VL] = fp4_codes(vf_load(x + i), i < 16 ? first_unit : second_unit);
    vi_store_32u8(bytes, codes);
}

/* Two codes a byte: those of n / 2 elements in the low nibbles, of the others in the high ones. */
LANES void pack_nibbles(uint8_t *qs, const uint8_t *bytes, int n)
{
    for (int i = 0; i < n / 2; i += 8)
        store_u64(qs + i, load_u64(bytes + i) | load_u64(bytes + n / 2 + i) << 4);
}

LANES void unpack_nibbles(uint8_t *bytes, const uint8_t *qs, int n)
{
    const uint64_t low = UINT64_C(0x0f0f0f0f0f0f0f0f);

    for (int i = 0; i < n / 2; i += 8) {
        store_u64(bytes + i, load_u64(qs + i) & low);
        store_u64(bytes + n / 2 + i, load_u64(qs + i) >> 4 & low);
    }
}

LANES vf_table16 fp4_table(void)
{
    float values[16];

    for (int i = 0; i < 16; i++)
        values[i] = (float)fp4_values[i];
    return vf_make_table16(values);
}

LANES void fp4_numbers(float *dst, const uint8_t *bytes, int n, vf_table16 table, float unit)
{
    for (int i = 0; i < n; i += VL)
        vf_store(dst + i, vf_lookup16(table, vi_load_u8(bytes + i)) * vf_splat(unit));
}

void ISA_FN(encode_mxfp4)(void *dst, const float *src, size_t rows, size_t cols,
                          const float *importance)
{
    struct block_mxfp4 *b = dst;

    for (size_t n = rows * cols; n; n -= MXFP4_LEN, src += MXFP4_LEN, b++) {
        const float max = largest_number(src, MXFP4_LEN);
        if (max == 0) { /* the unit would be denormal, and slow to compute with */
            memset(b, 0, sizeof *b);
            continue;
        }
        if (!(max >= 0x1p-125f && max < 0x1p127f)) {
            type_MXFP4.encode(b, src, 1, MXFP4_LEN, importance);
            continue;
        }
        uint8_t bytes[32];
        b->e = mxfp4_scale(max);
        fp4_bytes(bytes, src, mxfp4_unit(b->e), mxfp4_unit(b->e));
        pack_nibbles(b->qs, bytes, MXFP4_LEN);
    }
}

void ISA_FN(decode_mxfp4)(float *dst, const void *src, size_t n)
{
    const struct block_mxfp4 *b = src;
    const vf_table16 table = fp4_table();

    for (size_t i = 0; i < n; i += MXFP4_LEN, b++) {
        uint8_t bytes[MXFP4_LEN];
        unpack_nibbles(bytes, b->qs, MXFP4_LEN);
        fp4_numbers(dst + i, bytes, MXFP4_LEN, table, mxfp4_unit(b->e));
    }
}

/* The unit of a scale for comparing with: if it is 0, nothing is larger. */
LANES float comparable(float unit)
{
    return unit > 0 ? unit : __builtin_inff();
}

void ISA_FN(encode_nvfp4)(void *dst, const float *src, size_t rows, size_t cols,
                          const float *importance)
{
    struct block_nvfp4 *b = dst;

    for (size_t n = rows * cols; n; n -= NVFP4_LEN, src += NVFP4_LEN, b++) {
        float unit[4];
        uint8_t bytes[NVFP4_LEN];
        if (!(largest_number(src, NVFP4_LEN) <= 448 * 6)) {
            type_NVFP4.encode(b, src, 1, NVFP4_LEN, importance);
            continue;
        }
        for (int p = 0; p < 4; p++) {
            b->d[p] = nvfp4_scale(largest_number(src + 16 * p, 16));
            unit[p] = comparable(nvfp4_unit(b->d[p]));
        }
        fp4_bytes(bytes, src, unit[0], unit[1]);
        fp4_bytes(bytes + 32, src + 32, unit[2], unit[3]);
        for (int p = 0; p < 4; p++)
            pack_nibbles(b->qs[p], bytes + 16 * p, 16);
    }
}

void ISA_FN(decode_nvfp4)(float *dst, const void *src, size_t n)
{
    const struct block_nvfp4 *b = src;
    const vf_table16 table = fp4_table();

    for (size_t i = 0; i < n; i += NVFP4_LEN, b++) {
        uint8_t bytes[NVFP4_LEN];
        for (int p = 0; p < 4; p++)
            unpack_nibbles(bytes + 16 * p, b->qs[p], 16);
        for (int p = 0; p < 4; p++)
            fp4_numbers(dst + i + 16 * p, bytes + 16 * p, 16, table, nvfp4_unit(b->d[p]));
    }
}

/* ---- Q1_0 ---- */

/* VL blocks: the sums of magnitudes, in order. */
LANES void q1_sums(const float *x, int count, float *sums)
{
    const float *rows[VL];
    vf sum = vf_splat(0.0f);

    for (int k = 0; k < VL; k++)
        rows[k] = x + (k < count ? k : count - 1) * Q1_LEN;
    for (int i = 0; i < Q1_LEN; i += 16) {
        vf column[16];
        vf_load_columns(column, rows, 16);
        for (int j = 0; j < 16; j++)
            sum += vf_abs(column[j]);
        for (int k = 0; k < VL; k++)
            rows[k] += 16;
    }
    vf_store(sums, sum);
}

void ISA_FN(encode_q1_0)(void *dst, const float *src, size_t rows, size_t cols,
                         const float *importance)
{
    const size_t blocks = rows * cols / Q1_LEN;
    struct block_q1_0 *b = dst;
    (void)importance;

    for (size_t first = 0; first < blocks; first += VL) {
        const int count = blocks - first < VL ? (int)(blocks - first) : VL;
        float sums[VL];
        q1_sums(src, count, sums);
        for (int k = 0; k < count; k++, b++) {
            store_f16(b->d, sums[k] / Q1_LEN);
            for (int i = 0; i < 4; i++, src += 32) {
                uint32_t bits = 0;
                for (int j = 0; j < 32; j += VL)
                    bits |= (uint32_t)vm_lanes(vf_le(vf_splat(0.0f), vf_load(src + j))) << j;
                store_u32(b->qs + 4 * i, bits);
            }
        }
    }
}

void ISA_FN(decode_q1_0)(float *dst, const void *src, size_t n)
{
    const struct block_q1_0 *b = src;
    const vi minus = vf_bits(vf_splat(-0.0f));

    for (; n; n -= Q1_LEN, b++) {
        const vf d = vf_splat(load_f16(b->d));
        for (int i = 0; i < Q1_LEN; i += VL) {
            const int clear = (int)~load_u32(b->qs + i / 32 * 4);
            const vi place = vi_sub(vi_splat(31 - i % 32), vi_count_from(0));
            const vi sign = vi_and(vi_shl_each(vi_splat(clear), place), minus);
            vf_store(dst, vf_xor(d, vf_from_bits(sign)));
            dst += VL;
        }
    }
}

/* ---- Q2_0, TQ1_0, TQ2_0: -1, 0, 1 as 0, 1, 2 ---- */

/* Of a number that is less than 1.5 in magnitude, rounded, halves away from 0. */
LANES vi trits(vf v)
{
    return vi_add(vi_where(vf_lt(vf_splat(-0.5f), v), vi_splat(1)),
                  vi_where(vf_le(vf_splat(0.5f), v), vi_splat(1)));
}

/* The maximum has a reciprocal, or there is none. */
LANES bool ordinary(float max)
{
    return max == 0 || (max >= 0x1p-126f && max < __builtin_inff());
}

/* Eight codes of two bits, one a byte, in 16 bits. */
LANES uint64_t pack_pairs(uint64_t bytes)
{
    bytes = (bytes | bytes >> 6) & UINT64_C(0x000f000f000f000f);
    bytes = (bytes | bytes >> 12) & UINT64_C(0x000000ff000000ff);
    return (bytes | bytes >> 24) & 0xffff;
}

void ISA_FN(encode_q2_0)(void *dst, const float *src, size_t rows, size_t cols,
                         const float *importance)
{
    struct block_q2_0 *b = dst;

    for (size_t n = rows * cols; n; n -= Q2_LEN, src += Q2_LEN, b++) {
        const float max = largest_number(src, Q2_LEN);
        uint8_t bytes[Q2_LEN];
        if (!ordinary(max)) {
            type_Q2_0.encode(b, src, 1, Q2_LEN, importance);
            continue;
        }
        const vf inverse = vf_splat(max > 0 ? 1 / max : 0);
        store_f16(b->d, max);
        for (int h = 0; h < Q2_LEN; h += 32) {
            vi codes[VF_PER_32];
            for (int i = 0; i < 32; i += VL)
                codes[i / VL] = trits(vf_load(src + h + i) * inverse);
            vi_store_32u8(bytes + h, codes);
        }
        for (int i = 0; i < Q2_LEN; i += 8)
            store_u16(b->qs + i / 4, (uint16_t)pack_pairs(load_u64(bytes + i)));
    }
}

void ISA_FN(decode_q2_0)(float *dst, const void *src, size_t n)
{
    const struct block_q2_0 *b = src;
    const vi place = vi_and(vi_add(vi_count_from(0), vi_count_from(0)), vi_splat(31));

    for (; n; n -= Q2_LEN, b++) {
        const vf d = vf_splat(load_f16(b->d));
        for (int i = 0; i < Q2_LEN; i += VL) {
            const vi bits = vi_splat((int)(load_u32(b->qs + i / 16 * 4) >> i % 16 * 2));
            const vi code = vi_and(vi_shr_each(bits, place), vi_splat(3));
            vf_store(dst, vf_from_int(vi_sub(code, vi_splat(1))) * d);
            dst += VL;
        }
    }
}

/* Scales of both ternary types; false if the block is one for the scalar code. */
LANES bool ternary_scale(const float *x, uint8_t *d, vf *inverse)
{
    if (!all_finite(x, TERNARY_LEN))
        return false;
    const float max = largest_number(x, TERNARY_LEN);
    store_f16(d, max);
    *inverse = vf_splat(max > 0 ? 1 / max : 0);
    return ordinary(max);
}

void ISA_FN(encode_tq2_0)(void *dst, const float *src, size_t rows, size_t cols,
                          const float *importance)
{
    struct block_tq2_0 *b = dst;

    for (size_t n = rows * cols; n; n -= TERNARY_LEN, src += TERNARY_LEN, b++) {
        vf inverse;
        if (!ternary_scale(src, b->d, &inverse)) {
            type_TQ2_0.encode(b, src, 1, TERNARY_LEN, importance);
            continue;
        }
        for (int h = 0; h < 2; h++) {
            vi q[VF_PER_32];
            for (int i = 0; i < 32; i += VL) {
                vi sum = vi_splat(0);
                for (int k = 0; k < 4; k++) {
                    const vf v = vf_load(src + 128 * h + 32 * k + i) * inverse;
                    sum = vi_or(sum, vi_shl(trits(v), 2 * k));
                }
                q[i / VL] = sum;
            }
            vi_store_32u8(b->qs + 32 * h, q);
        }
    }
}

void ISA_FN(decode_tq2_0)(float *dst, const void *src, size_t n)
{
    const struct block_tq2_0 *b = src;

    for (; n; n -= TERNARY_LEN, b++) {
        const vf d = vf_splat(load_f16(b->d));
        for (int h = 0; h < 2; h++)
            for (int k = 0; k < 4; k++)
                for (int i = 0; i < 32; i += VL) {
                    const vi code =
                        vi_and(vi_shr(vi_load_u8(b->qs + 32 * h + i), 2 * k), vi_splat(3));
                    vf_store(dst, vf_from_int(vi_sub(code, vi_splat(1))) * d);
                    dst += VL;
                }
    }
}

/* VL bytes of `count` digits each, from elements `stride` apart. The division by 243 is of a number
 * that is at least half away from the next quotient, far more than the product is off. */
LANES vi pack_trits_lanes(const float *x, int count, int stride, vf inverse)
{
    vi q = vi_splat(0);

    for (int k = 0; k < 5; k++) {
        q = vi_add(q, vi_add(q, q));
        if (k < count)
            q = vi_add(q, trits(vf_load(x + k * stride) * inverse));
    }
    const vf scaled = vf_from_int(vi_add(vi_shl(q, 8), vi_splat(242)));
    return vi_from_float((scaled + vf_splat(0.5f)) * vf_splat(1.0f / 243));
}

void ISA_FN(encode_tq1_0)(void *dst, const float *src, size_t rows, size_t cols,
                          const float *importance)
{
    struct block_tq1_0 *b = dst;

    for (size_t n = rows * cols; n; n -= TERNARY_LEN, src += TERNARY_LEN, b++) {
        vf inverse;
        vi q[VF_PER_32];
        float last[4 * 16] = {0}; /* the last 16 elements, four rows of four, with room behind */
        if (!ternary_scale(src, b->d, &inverse)) {
            type_TQ1_0.encode(b, src, 1, TERNARY_LEN, importance);
            continue;
        }
        for (int i = 0; i < 32; i += VL)
            q[i / VL] = pack_trits_lanes(src + i, 5, 32, inverse);
        vi_store_32u8(b->qs, q);
        for (int i = 0; i < 16; i += VL)
            q[i / VL] = pack_trits_lanes(src + 160 + i, 5, 16, inverse);
        vi_store_16u8(b->qs + 32, q);
        for (int k = 0; k < 4; k++)
            memcpy(last + 16 * k, src + 240 + 4 * k, 4 * sizeof *last);
        int32_t ends[VL];
        vi_store(ends, pack_trits_lanes(last, 4, 16, inverse));
        for (int i = 0; i < 4; i++)
            b->qh[i] = (uint8_t)ends[i];
    }
}

/* The elements of `bytes` bytes, a multiple of VL. */
LANES float *unpack_trits_lanes(float *dst, const uint8_t *qs, int bytes, int count, vf d)
{
    for (int i = 0; i < bytes; i += VL) {
        vi q = vi_load_u8(qs + i);
        for (int k = 0; k < count; k++) {
            const vi triple = vi_add(q, vi_add(q, q));
            vf_store(dst + k * bytes + i, vf_from_int(vi_sub(vi_shr(triple, 8), vi_splat(1))) * d);
            q = vi_and(triple, vi_splat(0xff));
        }
    }
    return dst + count * bytes;
}

void ISA_FN(decode_tq1_0)(float *dst, const void *src, size_t n)
{
    const struct block_tq1_0 *b = src;

    for (; n; n -= TERNARY_LEN, b++) {
        const vf d = vf_splat(load_f16(b->d));
        uint8_t last[16] = {0};
        float ends[4 * 16];
        dst = unpack_trits_lanes(dst, b->qs, 32, 5, d);
        dst = unpack_trits_lanes(dst, b->qs + 32, 16, 5, d);
        memcpy(last, b->qh, sizeof b->qh);
        unpack_trits_lanes(ends, last, 16, 4, d);
        for (int k = 0; k < 4; k++, dst += 4)
            memcpy(dst, ends + 16 * k, 4 * sizeof *dst);
    }
}

#endif
