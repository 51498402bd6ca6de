/* kquant_fused_avx2.c -- kernels of Q2_K to Q6_K with fused multiply-adds, see rounding.h, for
 * AVX2. */
#define CODEC_FUSED
#include "libquant/codec/kquant_avx2.c"
