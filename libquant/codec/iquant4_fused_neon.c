/* iquant4_fused_neon.c -- kernels of IQ4_NL and IQ4_XS with fused multiply-adds, see rounding.h,
 * for Advanced SIMD. */
#define CODEC_FUSED
#include "libquant/codec/iquant4_neon.c"
