/* legacy_fused_neon.c -- kernels of Q4_0 to Q5_1 with fused multiply-adds, see rounding.h, for
 * Advanced SIMD. */
#define CODEC_FUSED
#include "libquant/codec/legacy_neon.c"
