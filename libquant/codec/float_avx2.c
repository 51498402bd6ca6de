/* float_avx2.c -- conversions of F16 and BF16 with AVX2. */
#include "libquant/codec/kernel_list.h"

#include "libquant/codec/float_lanes.h"
