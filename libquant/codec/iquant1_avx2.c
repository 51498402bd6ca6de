/* iquant1_avx2.c -- kernels of IQ1_S and IQ1_M for AVX2. */
#include "libquant/codec/kernel_list.h"
#include "libquant/codec/iquant1_lanes.h"
