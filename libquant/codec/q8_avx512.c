/* q8_avx512.c -- kernels of Q8_0, Q8_1 and Q8_K for AVX-512. */
#include "libquant/codec/q8_lanes.h"
