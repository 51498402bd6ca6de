/* iquant4_neon.c -- kernels of IQ4_NL and IQ4_XS for Advanced SIMD. */
#include "libquant/codec/kernel_list.h"
#include "libquant/codec/iquant4_lanes.h"
