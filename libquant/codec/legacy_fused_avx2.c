/* legacy_fused_avx2.c -- kernels of Q4_0 to Q5_1 with fused multiply-adds, see rounding.h, for
 * AVX2. */
#define CODEC_FUSED
#include "libquant/codec/legacy_avx2.c"
