/* iquant2_fused.c -- IQ2_XXS, IQ2_XS and IQ2_S with fused multiply-adds, see rounding.h. */
#define CODEC_FUSED
#include "libquant/codec/iquant2.c"
