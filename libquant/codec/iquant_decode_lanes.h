/* iquant_decode_lanes.h -- vector decoders of the codebook types.
 *
 * Scalar code puts together what there is of each group: its codebook entry, packed, and its signs
 * in one number, and its scale. Vectors then take a level and a sign out of it in each lane.
 */
#ifndef LQ_CODEC_IQUANT_DECODE_LANES_H
#define LQ_CODEC_IQUANT_DECODE_LANES_H

#include <stddef.h>

#include "libquant/codec/iquant.h"
#include "libquant/codec/iquant_blocks.h"
#include "libquant/codec/simd_lookup.h"

/* The groups of a block: entries from bit 0, signs (set: minus) up to bit 31. */
struct groups {
    uint32_t entry[64];
    float scale[64];
};

/* Groups of eight elements: levels of two bits, eight signs; `values` are those of the levels. */
LANES void eights(float *dst, const struct groups *g, vf_table4 values)
{
    const vi in_group = vi_and(vi_count_from(0), vi_splat(7));
    const vi minus = vf_bits(vf_splat(-0.0f));

    for (int i = 0; i < IQ_BLOCK; i += VL) {
        const vi element = VL < 8 ? vi_add(in_group, vi_splat(i % 8)) : in_group;
        const vi entry = vi_load_runs(g->entry + i / 8, 8);
        const vi sign = vi_and(vi_shl_each(entry, vi_sub(vi_splat(7), element)), minus);
        const vf value = vf_lookup4(values, vi_shr_each(entry, vi_add(element, element)));
        vf_store(dst + i, vf_from_bits(vi_load_runs(g->scale + i / 8, 8)) *
                              vf_xor(value, vf_from_bits(sign)));
    }
}

/* Groups of four elements: levels of three bits, four signs. */
LANES void fours(float *dst, const struct groups *g, vf_table8 values)
{
    const vi in_group = vi_and(vi_count_from(0), vi_splat(3));
    const vi places = vi_add(in_group, vi_add(in_group, in_group));
    const vi minus = vf_bits(vf_splat(-0.0f));

    for (int i = 0; i < IQ_BLOCK; i += VL) {
        const vi entry = vi_load_runs(g->entry + i / 4, 4);
        const vi sign = vi_and(vi_shl_each(entry, vi_sub(vi_splat(3), in_group)), minus);
        const vf value = vf_lookup8(values, vi_shr_each(entry, places));
        vf_store(dst + i, vf_from_bits(vi_load_runs(g->scale + i / 4, 4)) *
                              vf_xor(value, vf_from_bits(sign)));
    }
}

/* Groups of eight elements -1, 0, 1, to which 1/8 is added, or subtracted if bit 31 is set. */
LANES void shifted_eights(float *dst, const struct groups *g, vf_table4 values)
{
    const vi in_group = vi_and(vi_count_from(0), vi_splat(7));
    const vi minus = vf_bits(vf_splat(-0.0f));

    for (int i = 0; i < IQ_BLOCK; i += VL) {
        const vi element = VL < 8 ? vi_add(in_group, vi_splat(i % 8)) : in_group;
        const vi entry = vi_load_runs(g->entry + i / 8, 8);
        const vf shift = vf_xor(vf_splat(0.125f), vf_from_bits(vi_and(entry, minus)));
        const vf value = vf_lookup4(values, vi_shr_each(entry, vi_add(element, element)));
        vf_store(dst + i, vf_from_bits(vi_load_runs(g->scale + i / 8, 8)) * (value + shift));
    }
}

LANES uint32_t all_signs(uint32_t seven)
{
    return signs_from_seven(seven & 0x7f);
}

/* ---- what there is of each group ---- */

LANES void groups_iq2_xxs(struct groups *g, const struct block_iq2_xxs *b)
{
    const float d = load_f16(b->d);

    for (int i = 0; i < 32; i++) {
        const uint32_t bits = load_u32(b->part[i / 4].signs_scale);
        g->entry[i] = iq2xxs_codes[b->part[i / 4].qs[i % 4]] | all_signs(bits >> i % 4 * 7) << 24;
        g->scale[i] = d * (0.5f + (float)(bits >> 28)) * 0.25f;
    }
}

LANES void groups_iq2_xs(struct groups *g, const struct block_iq2_xs *b)
{
    const float d = load_f16(b->d);

    for (int i = 0; i < 32; i++) {
        const uint32_t bits = load_u16(b->qs[i]);
        const int nibble = b->scales[i / 4] >> (i / 2 % 2 * 4) & 15;
        g->entry[i] = iq2xs_codes[bits & 511] | all_signs(bits >> 9) << 24;
        g->scale[i] = d * (0.5f + (float)nibble) * 0.25f;
    }
}

LANES void groups_iq2_s(struct groups *g, const struct block_iq2_s *b)
{
    const float d = load_f16(b->d);

    for (int i = 0; i < 32; i++) {
        const int high = b->qh[i / 4] >> (i % 4 * 2) & 3;
        const int nibble = b->scales[i / 4] >> (i / 2 % 2 * 4) & 15;
        g->entry[i] = iq2s_codes[b->qs[i] | high << 8] | (uint32_t)b->signs[i] << 24;
        g->scale[i] = d * (0.5f + (float)nibble) * 0.25f;
    }
}

LANES void groups_iq3_xxs(struct groups *g, const struct block_iq3_xxs *b)
{
    const float d = load_f16(b->d);

    for (int i = 0; i < 64; i += 2) {
        const uint32_t bits = load_u32(b->signs_scale[i / 8]);
        const uint32_t signs = all_signs(bits >> i / 2 % 4 * 7);
        g->entry[i] = iq3xxs_codes[b->qs[i]] | signs << 28;
        g->entry[i + 1] = iq3xxs_codes[b->qs[i + 1]] | signs >> 4 << 28;
        g->scale[i] = g->scale[i + 1] = d * (0.5f + (float)(bits >> 28)) * 0.5f;
    }
}

LANES void groups_iq3_s(struct groups *g, const struct block_iq3_s *b)
{
    const float d = load_f16(b->d);

    for (int i = 0; i < 64; i += 2) {
        const uint32_t high = (uint32_t)b->qh[i / 8] >> i % 8;
        const int nibble = b->scales[i / 16] >> (i / 8 % 2 * 4) & 15;
        g->entry[i] = iq3s_codes[b->qs[i] | (high & 1) << 8] | (uint32_t)b->signs[i / 2] << 28;
        g->entry[i + 1] =
            iq3s_codes[b->qs[i + 1] | (high & 2) << 7] | (uint32_t)b->signs[i / 2] >> 4 << 28;
        g->scale[i] = g->scale[i + 1] = d * (float)(1 + 2 * nibble);
    }
}

LANES void groups_iq1_s(struct groups *g, const struct block_iq1_s *b)
{
    const float d = load_f16(b->d);

    for (int i = 0; i < 32; i++) {
        const uint32_t high = load_u16(b->qh[i / 4]);
        g->entry[i] = iq1_codes[b->qs[i] | (high >> i % 4 * 3 & 7) << 8] | high >> 15 << 31;
        g->scale[i] = d * (float)(int)(2 * (high >> 12 & 7) + 1);
    }
}

LANES void groups_iq1_m(struct groups *g, const struct block_iq1_m *b)
{
    uint32_t scale = 0;
    for (int i = 0; i < 4; i++)
        scale |= (uint32_t)load_u16(b->scales[i]) >> 12 << 4 * i;
    const float d = f16_to_f32((uint16_t)scale);

    for (int i = 0; i < 32; i++) {
        const uint32_t high = (uint32_t)b->qh[i / 2] >> i % 2 * 4;
        const uint32_t code = load_u16(b->scales[i / 8]) >> i / 2 % 4 * 3 & 7u;
        g->entry[i] = iq1_codes[b->qs[i] | (high & 7) << 8] | high >> 3 << 31;
        g->scale[i] = d * (float)(int)(2 * code + 1);
    }
}

/* Defines decode_<suffix>_<isa>; values are those of the levels, as a table for `spread`. */
#define DECODE_GROUPS(suffix, make_table, spread, ...)                                             \
    void ISA_FN(decode_##suffix)(float *dst, const void *src, size_t n)                            \
    {                                                                                              \
        static const float values[] = {__VA_ARGS__};                                               \
        const struct block_##suffix *b = src;                                                      \
        struct groups g;                                                                           \
        for (size_t i = 0; i < n; i += IQ_BLOCK) {                                                 \
            groups_##suffix(&g, b++);                                                              \
            spread(dst + i, &g, make_table(values));                                               \
        }                                                                                          \
    }

#endif
