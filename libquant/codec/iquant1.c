/* iquant1.c -- IQ1_S and IQ1_M: ternary vectors of eight from a codebook, 1.56 and 1.75 bits. */
#include "libquant/codec/type.h"

const struct type_info type_IQ1_S = {
    .name = "IQ1_S",
    .id = LQ_TYPE_IQ1_S,
    .block_len = 256,
    .block_bytes = 50,
    .flags = TYPE_QUANTIZED | TYPE_NEEDS_IMPORTANCE,
};

const struct type_info type_IQ1_M = {
    .name = "IQ1_M",
    .id = LQ_TYPE_IQ1_M,
    .block_len = 256,
    .block_bytes = 56,
    .flags = TYPE_QUANTIZED | TYPE_NEEDS_IMPORTANCE,
};
