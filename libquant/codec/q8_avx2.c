/* q8_avx2.c -- kernels of Q8_0, Q8_1 and Q8_K for AVX2. */
#include "libquant/codec/q8_lanes.h"
