/* lowbit_neon.c -- kernels of MXFP4, NVFP4, Q1_0, Q2_0, TQ1_0 and TQ2_0 for Advanced SIMD. */
#include "libquant/codec/kernel_list.h"
#include "libquant/codec/lowbit_lanes.h"
