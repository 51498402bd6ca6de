/* iquant1_fused_avx512.c -- kernels of IQ1_S and IQ1_M with fused multiply-adds, see rounding.h,
 * for AVX-512. */
#define CODEC_FUSED
#include "libquant/codec/iquant1_avx512.c"
