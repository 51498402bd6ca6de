/* float8.c -- the unscaled floats below 16 bits of safetensors: F8, F6 and F4. */
#include "libquant/codec/type.h"

const struct type_info type_F8_E4M3 = {
    .name = "F8_E4M3",
    .dtype = "F8_E4M3",
    .id = LQ_TYPE_F8_E4M3,
    .block_len = 1,
    .block_bytes = 1,
    .flags = 0,
};

const struct type_info type_F8_E5M2 = {
    .name = "F8_E5M2",
    .dtype = "F8_E5M2",
    .id = LQ_TYPE_F8_E5M2,
    .block_len = 1,
    .block_bytes = 1,
    .flags = 0,
};

const struct type_info type_F8_E8M0 = {
    .name = "F8_E8M0",
    .dtype = "F8_E8M0",
    .id = LQ_TYPE_F8_E8M0,
    .block_len = 1,
    .block_bytes = 1,
    .flags = 0,
};

const struct type_info type_F8_E4M3FNUZ = {
    .name = "F8_E4M3FNUZ",
    .dtype = "F8_E4M3FNUZ",
    .id = LQ_TYPE_F8_E4M3FNUZ,
    .block_len = 1,
    .block_bytes = 1,
    .flags = 0,
};

const struct type_info type_F8_E5M2FNUZ = {
    .name = "F8_E5M2FNUZ",
    .dtype = "F8_E5M2FNUZ",
    .id = LQ_TYPE_F8_E5M2FNUZ,
    .block_len = 1,
    .block_bytes = 1,
    .flags = 0,
};

const struct type_info type_F6_E2M3 = {
    .name = "F6_E2M3",
    .dtype = "F6_E2M3",
    .id = LQ_TYPE_F6_E2M3,
    .block_len = 4,
    .block_bytes = 3,
    .flags = TYPE_SUBBYTE,
};

const struct type_info type_F6_E3M2 = {
    .name = "F6_E3M2",
    .dtype = "F6_E3M2",
    .id = LQ_TYPE_F6_E3M2,
    .block_len = 4,
    .block_bytes = 3,
    .flags = TYPE_SUBBYTE,
};

const struct type_info type_F4 = {
    .name = "F4",
    .dtype = "F4",
    .id = LQ_TYPE_F4,
    .block_len = 2,
    .block_bytes = 1,
    .flags = TYPE_SUBBYTE,
};
