/* iquant_search_avx2.c -- kernels of the IQ2 and IQ3 types for AVX2. */
#include "libquant/codec/iquant_search_lanes.h"

#include "libquant/codec/iquant_blocks.h"
#include "libquant/codec/kernel_list.h"

ENCODE_LATTICE(iq2_xxs, 8, 32, 6)
ENCODE_LATTICE(iq2_xs, 8, 16, 9)
ENCODE_LATTICE(iq2_s, 8, 16, 9)
ENCODE_LATTICE(iq3_xxs, 4, 32, 15)
ENCODE_LATTICE(iq3_s, 4, 32, 9)
