/* scale_search_fused.c -- the searches with fused multiply-adds, see rounding.h. */
#define CODEC_FUSED
#include "libquant/codec/scale_search.c"
