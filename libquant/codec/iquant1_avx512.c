/* iquant1_avx512.c -- kernels of IQ1_S and IQ1_M for AVX-512. */
#include "libquant/codec/kernel_list.h"
#include "libquant/codec/iquant1_lanes.h"
