/* iquant_search_fused_avx512.c -- kernels of IQ2 and IQ3 with fused multiply-adds, see rounding.h,
 * for AVX-512. */
#define CODEC_FUSED
#include "libquant/codec/iquant_search_avx512.c"
