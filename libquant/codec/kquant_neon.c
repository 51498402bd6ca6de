/* kquant_neon.c -- the K types' codecs with AArch64 Advanced SIMD, four superblocks at a time. */
#include "libquant/codec/kernel_list.h"

#include "libquant/codec/kquant_decode_lanes.h"
#include "libquant/codec/kquant_lanes.h"

ENCODE_BATCHES(Q2_K, q2_k)
ENCODE_BATCHES(Q3_K, q3_k)
ENCODE_BATCHES(Q4_K, q4_k)
ENCODE_BATCHES(Q5_K, q5_k)
ENCODE_BATCHES(Q6_K, q6_k)

DECODE_SUPERBLOCKS(q2_k)
DECODE_SUPERBLOCKS(q3_k)
DECODE_SUPERBLOCKS(q4_k)
DECODE_SUPERBLOCKS(q5_k)
DECODE_SUPERBLOCKS(q6_k)
