/* iquant4_fused_avx2.c -- kernels of IQ4_NL and IQ4_XS with fused multiply-adds, see rounding.h,
 * for AVX2. */
#define CODEC_FUSED
#include "libquant/codec/iquant4_avx2.c"
