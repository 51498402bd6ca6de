/* iquant4_fused.c -- IQ4_NL and IQ4_XS with fused multiply-adds, see rounding.h. */
#define CODEC_FUSED
#include "libquant/codec/iquant4.c"
