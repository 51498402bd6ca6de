/* iquant3_fused.c -- IQ3_XXS and IQ3_S with fused multiply-adds, see rounding.h. */
#define CODEC_FUSED
#include "libquant/codec/iquant3.c"
