/* iquant2.c -- IQ2_XXS, IQ2_XS and IQ2_S: signs and a codebook of magnitudes, 2.06 to 2.56 bits. */
#include "libquant/codec/type.h"

const struct type_info type_IQ2_XXS = {
    .name = "IQ2_XXS",
    .id = LQ_TYPE_IQ2_XXS,
    .block_len = 256,
    .block_bytes = 66,
    .flags = TYPE_QUANTIZED | TYPE_NEEDS_IMPORTANCE,
};

const struct type_info type_IQ2_XS = {
    .name = "IQ2_XS",
    .id = LQ_TYPE_IQ2_XS,
    .block_len = 256,
    .block_bytes = 74,
    .flags = TYPE_QUANTIZED | TYPE_NEEDS_IMPORTANCE,
};

const struct type_info type_IQ2_S = {
    .name = "IQ2_S",
    .id = LQ_TYPE_IQ2_S,
    .block_len = 256,
    .block_bytes = 82,
    .flags = TYPE_QUANTIZED,
};
