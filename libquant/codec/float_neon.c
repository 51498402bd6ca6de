/* float_neon.c -- conversions of F16 and BF16 with AArch64 Advanced SIMD. */
#include "libquant/codec/kernel_list.h"

#include "libquant/codec/float_lanes.h"
