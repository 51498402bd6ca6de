/* kquant_fused_neon.c -- kernels of Q2_K to Q6_K with fused multiply-adds, see rounding.h, for
 * Advanced SIMD. */
#define CODEC_FUSED
#include "libquant/codec/kquant_neon.c"
