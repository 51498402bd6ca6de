/* iquant4.c -- IQ4_NL and IQ4_XS: four bits that index 16 non-uniform values. */
#include "libquant/codec/type.h"

const struct type_info type_IQ4_NL = {
    .name = "IQ4_NL",
    .id = LQ_TYPE_IQ4_NL,
    .block_len = 32,
    .block_bytes = 18,
    .flags = TYPE_QUANTIZED,
};

const struct type_info type_IQ4_XS = {
    .name = "IQ4_XS",
    .id = LQ_TYPE_IQ4_XS,
    .block_len = 256,
    .block_bytes = 136,
    .flags = TYPE_QUANTIZED,
};
