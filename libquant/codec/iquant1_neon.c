/* iquant1_neon.c -- kernels of IQ1_S and IQ1_M for Advanced SIMD. */
#include "libquant/codec/kernel_list.h"
#include "libquant/codec/iquant1_lanes.h"
