/* iquant2.c -- IQ2_XXS, IQ2_XS and IQ2_S: signs and a codebook of magnitudes, 2.06 to 2.56 bits. */
#include "libquant/codec/iquant.h"

#include "libquant/codec/block_type.h"
#include "libquant/codec/iquant_blocks.h"

/* Magnitudes that the levels of a codebook entry stand for; the scale is in eighths. */
static const float magnitude[4] = {8, 25, 43, 0};

/* Eight elements: an entry of a codebook, signs, and a scale. */
static void eight_values(float *dst, uint32_t code, uint32_t signs, float scale)
{
    for (int i = 0; i < 8; i++) {
        const float m = magnitude[code >> 2 * i & 3];
        dst[i] = scale * (signs >> i & 1 ? -m : m);
    }
}

/* ---- IQ2_XXS ---- */

static void values_iq2_xxs(float *dst, const struct block_iq2_xxs *b)
{
    const float d = load_f16(b->d);

    for (int p = 0; p < 8; p++) {
        const uint32_t bits = load_u32(b->part[p].signs_scale);
        const float scale = d * (0.5f + (float)(bits >> 28)) * 0.25f;
        for (int g = 0; g < 4; g++, dst += 8)
            eight_values(dst, iq2xxs_codes[b->part[p].qs[g]],
                         signs_from_seven(bits >> 7 * g & 0x7f), scale);
    }
}

void pack_iq2_xxs(void *block, const struct found *found, float max)
{
    struct block_iq2_xxs *const b = block;

    memset(b, 0, sizeof *b);
    if (max == 0)
        return;
    const float d = max / 31;
    const float inverse = 1 / d;
    store_scale(b->d, d);
    for (int p = 0; p < 8; p++, found++) {
        uint32_t bits = (uint32_t)scale_code(found->scale, inverse, 15) << 28;
        for (int g = 0; !found->empty && g < 4; g++) {
            b->part[p].qs[g] = (uint8_t)found->entry[g];
            bits |= (uint32_t)found->signs[g] << 7 * g;
        }
        store_u32(b->part[p].signs_scale, bits);
    }
}

LATTICE_ENCODE(iq2_xxs)
BLOCK_TYPE(IQ2_XXS, iq2_xxs, IQ_BLOCK, TYPE_NEEDS_IMPORTANCE, finite_f16(b->d))

/* ---- IQ2_XS ---- */

static void values_iq2_xs(float *dst, const struct block_iq2_xs *b)
{
    const float d = load_f16(b->d);

    for (int g = 0; g < 32; g++, dst += 8) {
        const uint32_t bits = load_u16(b->qs[g]);
        const int nibble = b->scales[g / 4] >> (g / 2 % 2 * 4) & 15;
        eight_values(dst, iq2xs_codes[bits & 511], signs_from_seven(bits >> 9),
                     d * (0.5f + (float)nibble) * 0.25f);
    }
}

void pack_iq2_xs(void *block, const struct found *found, float max)
{
    struct block_iq2_xs *const b = block;

    memset(b, 0, sizeof *b);
    if (max == 0)
        return;
    const float d = max / 31;
    const float inverse = 1 / d;
    store_scale(b->d, d);
    for (int p = 0; p < 16; p++, found++) {
        b->scales[p / 2] |= (uint8_t)(scale_code(found->scale, inverse, 15) << p % 2 * 4);
        for (int g = 0; !found->empty && g < 2; g++)
            store_u16(b->qs[2 * p + g], (uint16_t)(found->entry[g] | found->signs[g] << 9));
    }
}

LATTICE_ENCODE(iq2_xs)
BLOCK_TYPE(IQ2_XS, iq2_xs, IQ_BLOCK, TYPE_NEEDS_IMPORTANCE, finite_f16(b->d))

/* ---- IQ2_S ---- */

static void values_iq2_s(float *dst, const struct block_iq2_s *b)
{
    const float d = load_f16(b->d);

    for (int g = 0; g < 32; g++, dst += 8) {
        const int high = b->qh[g / 4] >> (g % 4 * 2) & 3;
        const int nibble = b->scales[g / 4] >> (g / 2 % 2 * 4) & 15;
        eight_values(dst, iq2s_codes[b->qs[g] | high << 8], b->signs[g],
                     d * (0.5f + (float)nibble) * 0.25f);
    }
}

/* Groups of blocks with a scale of zero that are not empty are written even where all are zero. */
void pack_iq2_s(void *block, const struct found *found, float max)
{
    struct block_iq2_s *const b = block;
    const float d = max / 31;
    const float inverse = 1 / d;

    memset(b, 0, sizeof *b);
    store_scale(b->d, d * 0.9875f);
    for (int p = 0; p < 16; p++, found++) {
        if (max != 0)
            b->scales[p / 2] |= (uint8_t)(scale_code(found->scale, inverse, 15) << p % 2 * 4);
        for (int i = 0; !found->empty && i < 2; i++) {
            const int g = 2 * p + i;
            b->qs[g] = (uint8_t)found->entry[i];
            b->qh[g / 4] |= (uint8_t)(found->entry[i] >> 8 << g % 4 * 2);
            b->signs[g] = found->signs[i];
        }
    }
}

LATTICE_ENCODE(iq2_s)
BLOCK_TYPE(IQ2_S, iq2_s, IQ_BLOCK, 0, finite_f16(b->d))
