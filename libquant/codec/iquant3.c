/* iquant3.c -- IQ3_XXS and IQ3_S: signs and a codebook of four magnitudes, 3.06 and 3.44 bits. */
#include "libquant/codec/type.h"

const struct type_info type_IQ3_XXS = {
    .name = "IQ3_XXS",
    .id = LQ_TYPE_IQ3_XXS,
    .block_len = 256,
    .block_bytes = 98,
    .flags = TYPE_QUANTIZED,
};

const struct type_info type_IQ3_S = {
    .name = "IQ3_S",
    .id = LQ_TYPE_IQ3_S,
    .block_len = 256,
    .block_bytes = 110,
    .flags = TYPE_QUANTIZED,
};
