/* iquant1_fused_avx2.c -- kernels of IQ1_S and IQ1_M with fused multiply-adds, see rounding.h, for
 * AVX2. */
#define CODEC_FUSED
#include "libquant/codec/iquant1_avx2.c"
