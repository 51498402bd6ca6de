/* kquant_fused.c -- Q2_K to Q6_K with fused multiply-adds, see rounding.h. */
#define CODEC_FUSED
#include "libquant/codec/kquant.c"
