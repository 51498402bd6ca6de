/* iquant_search_fused.c -- the search of IQ2 and IQ3 with fused multiply-adds, see rounding.h. */
#define CODEC_FUSED
#include "libquant/codec/iquant_search.c"
