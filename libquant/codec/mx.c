/* mx.c -- MXFP4 and NVFP4: E2M1 numbers under a small floating-point scale. */
#include "libquant/codec/type.h"

const struct type_info type_MXFP4 = {
    .name = "MXFP4",
    .id = LQ_TYPE_MXFP4,
    .block_len = 32,
    .block_bytes = 17,
    .flags = TYPE_QUANTIZED,
};

const struct type_info type_NVFP4 = {
    .name = "NVFP4",
    .id = LQ_TYPE_NVFP4,
    .block_len = 64,
    .block_bytes = 36,
    .flags = TYPE_QUANTIZED,
};
