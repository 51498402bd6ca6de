/* float8_neon.c -- kernels of the 8-bit floats for Advanced SIMD. */
#include "libquant/codec/float8_lanes.h"

#include "libquant/codec/kernel_list.h"

DECODE_FLOAT8(F8_E4M3, f8_e4m3)
DECODE_FLOAT8(F8_E5M2, f8_e5m2)
DECODE_FLOAT8(F8_E8M0, f8_e8m0)
DECODE_FLOAT8(F8_E4M3FNUZ, f8_e4m3fnuz)
DECODE_FLOAT8(F8_E5M2FNUZ, f8_e5m2fnuz)
ENCODE_FLOAT8(F8_E4M3, f8_e4m3)
ENCODE_FLOAT8(F8_E5M2, f8_e5m2)
