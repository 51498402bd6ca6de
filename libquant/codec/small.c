/* small.c -- Q1_0 and Q2_0: one and two bits under a half-precision scale. */
#include "libquant/codec/type.h"

const struct type_info type_Q1_0 = {
    .name = "Q1_0",
    .id = LQ_TYPE_Q1_0,
    .block_len = 128,
    .block_bytes = 18,
    .flags = TYPE_QUANTIZED,
};

const struct type_info type_Q2_0 = {
    .name = "Q2_0",
    .id = LQ_TYPE_Q2_0,
    .block_len = 64,
    .block_bytes = 18,
    .flags = TYPE_QUANTIZED,
};
