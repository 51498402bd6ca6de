/* legacy_fused_avx512.c -- kernels of Q4_0 to Q5_1 with fused multiply-adds, see rounding.h, for
 * AVX-512. */
#define CODEC_FUSED
#include "libquant/codec/legacy_avx512.c"
