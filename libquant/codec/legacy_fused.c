/* legacy_fused.c -- Q4_0 to Q5_1 with fused multiply-adds, see rounding.h. */
#define CODEC_FUSED
#include "libquant/codec/legacy.c"
