/* iquant1_fused.c -- IQ1_S and IQ1_M with fused multiply-adds, see rounding.h. */
#define CODEC_FUSED
#include "libquant/codec/iquant1.c"
