/* iquant4_avx2.c -- kernels of IQ4_NL and IQ4_XS for AVX2. */
#include "libquant/codec/kernel_list.h"
#include "libquant/codec/iquant4_lanes.h"
