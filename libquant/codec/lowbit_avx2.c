/* lowbit_avx2.c -- kernels of MXFP4, NVFP4, Q1_0, Q2_0, TQ1_0 and TQ2_0 for AVX2. */
#include "libquant/codec/kernel_list.h"
#include "libquant/codec/lowbit_lanes.h"
