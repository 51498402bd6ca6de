/* iquant_decode_avx2.c -- decoders of the codebook types for AVX2. */
#include "libquant/codec/iquant_decode_lanes.h"

#include "libquant/codec/kernel_list.h"

DECODE_GROUPS(iq2_xxs, vf_make_table4, eights, 8, 25, 43, 0)
DECODE_GROUPS(iq2_xs, vf_make_table4, eights, 8, 25, 43, 0)
DECODE_GROUPS(iq2_s, vf_make_table4, eights, 8, 25, 43, 0)
DECODE_GROUPS(iq3_xxs, vf_make_table8, fours, 4, 12, 20, 28, 36, 44, 52, 62)
DECODE_GROUPS(iq3_s, vf_make_table8, fours, 1, 3, 5, 7, 9, 11, 13, 15)
DECODE_GROUPS(iq1_s, vf_make_table4, shifted_eights, -1, 0, 1, 2)
DECODE_GROUPS(iq1_m, vf_make_table4, shifted_eights, -1, 0, 1, 2)
