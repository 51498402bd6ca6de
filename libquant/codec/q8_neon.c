/* q8_neon.c -- kernels of Q8_0, Q8_1 and Q8_K for Advanced SIMD. */
#include "libquant/codec/q8_lanes.h"
