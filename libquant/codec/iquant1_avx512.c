/* iquant1_avx512.c -- kernels of IQ1_S and IQ1_M for AVX-512. */
#include "libquant/codec/iquant1_lanes.h"

#include "libquant/codec/kernel_list.h"

ENCODE_IQ1(iq1_s, iq1_s_block)
ENCODE_IQ1(iq1_m, iq1_m_block)
