/* iquant4_fused_avx512.c -- kernels of IQ4_NL and IQ4_XS with fused multiply-adds, see rounding.h,
 * for AVX-512. */
#define CODEC_FUSED
#include "libquant/codec/iquant4_avx512.c"
