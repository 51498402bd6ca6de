/* iquant4_avx512.c -- kernels of IQ4_NL and IQ4_XS for AVX-512. */
#include "libquant/codec/kernel_list.h"
#include "libquant/codec/iquant4_lanes.h"
