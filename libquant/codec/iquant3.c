/* iquant3.c -- IQ3_XXS and IQ3_S: signs and a codebook of four magnitudes, 3.06 and 3.44 bits. */
#include "libquant/codec/iquant.h"

#include "libquant/codec/block_type.h"
#include "libquant/codec/iquant_blocks.h"

/* Four elements: an entry of a codebook, signs, a scale; `magnitude` is what levels stand for. */
static void four_values(float *dst, uint32_t code, uint32_t signs, float scale,
                        const float *magnitude)
{
    for (int i = 0; i < 4; i++) {
        const float m = magnitude[code >> 3 * i & 7];
        dst[i] = scale * (signs >> i & 1 ? -m : m);
    }
}

/* ---- IQ3_XXS ---- */

static void values_iq3_xxs(float *dst, const struct block_iq3_xxs *b)
{
    static const float magnitude[8] = {4, 12, 20, 28, 36, 44, 52, 62};
    const float d = load_f16(b->d);

    for (int g = 0; g < 64; g++, dst += 4) {
        const uint32_t bits = load_u32(b->signs_scale[g / 8]);
        const uint32_t signs = signs_from_seven(bits >> g / 2 % 4 * 7 & 0x7f);
        four_values(dst, iq3xxs_codes[b->qs[g]], signs >> g % 2 * 4,
                    d * (0.5f + (float)(bits >> 28)) * 0.5f, magnitude);
    }
}

void pack_iq3_xxs(void *block, const struct found *found, float max)
{
    struct block_iq3_xxs *const b = block;

    memset(b, 0, sizeof *b);
    if (max == 0)
        return;
    const float d = max / 31;
    const float inverse = 1 / d;
    store_scale(b->d, d * 1.0125f);
    for (int p = 0; p < 8; p++, found++) {
        uint32_t bits = (uint32_t)scale_code(found->scale, inverse, 15) << 28;
        for (int i = 0; !found->empty && i < 8; i++)
            b->qs[8 * p + i] = (uint8_t)found->entry[i];
        for (int i = 0; !found->empty && i < 4; i++)
            bits |= (uint32_t)found->signs[i] << 7 * i;
        store_u32(b->signs_scale[p], bits);
    }
}

LATTICE_ENCODE(iq3_xxs)
BLOCK_TYPE(IQ3_XXS, iq3_xxs, IQ_BLOCK, 0, finite_f16(b->d))

/* ---- IQ3_S ---- */

static void values_iq3_s(float *dst, const struct block_iq3_s *b)
{
    static const float magnitude[8] = {1, 3, 5, 7, 9, 11, 13, 15};
    const float d = load_f16(b->d);

    for (int g = 0; g < 64; g++, dst += 4) {
        const uint32_t high = b->qh[g / 8] >> g % 8 & 1u;
        const int nibble = b->scales[g / 16] >> (g / 8 % 2 * 4) & 15;
        four_values(dst, iq3s_codes[b->qs[g] | high << 8], (uint32_t)b->signs[g / 2] >> g % 2 * 4,
                    d * (float)(1 + 2 * nibble), magnitude);
    }
}

/* The reference does not leave room for the low index bits and the signs of an empty part: those of
 * the parts behind it move up. Such blocks decode to something else than was meant; bytes agree. */
void pack_iq3_s(void *block, const struct found *found, float max)
{
    struct block_iq3_s *const b = block;
    const float d = max / 31;
    const float inverse = 1 / d;
    uint8_t *qs = b->qs;
    uint8_t *signs = b->signs;

    memset(b, 0, sizeof *b);
    store_scale(b->d, d * 1.033f);
    for (int p = 0; p < 8; p++, found++) {
        if (max != 0)
            b->scales[p / 2] |= (uint8_t)(scale_code(found->scale, inverse, 15) << p % 2 * 4);
        if (found->empty)
            continue;
        for (int i = 0; i < 8; i++) {
            *qs++ = (uint8_t)found->entry[i];
            b->qh[p] |= (uint8_t)(found->entry[i] >> 8 << i);
        }
        for (int i = 0; i < 4; i++)
            *signs++ = found->signs[i];
    }
}

LATTICE_ENCODE(iq3_s)
BLOCK_TYPE(IQ3_S, iq3_s, IQ_BLOCK, 0, finite_f16(b->d))
