/* iquant1_fused_neon.c -- kernels of IQ1_S and IQ1_M with fused multiply-adds, see rounding.h, for
 * Advanced SIMD. */
#define CODEC_FUSED
#include "libquant/codec/iquant1_neon.c"
