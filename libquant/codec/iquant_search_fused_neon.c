/* iquant_search_fused_neon.c -- kernels of IQ2 and IQ3 with fused multiply-adds, see rounding.h,
 * for Advanced SIMD. */
#define CODEC_FUSED
#include "libquant/codec/iquant_search_neon.c"
