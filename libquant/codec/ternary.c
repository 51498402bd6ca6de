/* ternary.c -- TQ1_0 and TQ2_0: -1, 0, 1 times a scale, five or four to a byte. */
#include "libquant/codec/type.h"

const struct type_info type_TQ1_0 = {
    .name = "TQ1_0",
    .id = LQ_TYPE_TQ1_0,
    .block_len = 256,
    .block_bytes = 54,
    .flags = TYPE_QUANTIZED,
};

const struct type_info type_TQ2_0 = {
    .name = "TQ2_0",
    .id = LQ_TYPE_TQ2_0,
    .block_len = 256,
    .block_bytes = 66,
    .flags = TYPE_QUANTIZED,
};
