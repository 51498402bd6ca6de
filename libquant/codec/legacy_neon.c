/* legacy_neon.c -- kernels of Q4_0 to Q5_1 with AArch64 Advanced SIMD. */
#include "libquant/codec/kernel_list.h"

#include "libquant/codec/legacy_lanes.h"

ENCODE_LEGACY(Q4_0, q4_0, symmetric, 8)
ENCODE_LEGACY(Q4_1, q4_1, affine, 15)
ENCODE_LEGACY(Q5_0, q5_0, symmetric, 16)
ENCODE_LEGACY(Q5_1, q5_1, affine, 31)

DECODE_LEGACY(q4_0, decode_nibbles(dst, b->qs, 0, false, 8, load_f16(b->d), 0.0f, false))
DECODE_LEGACY(q4_1, decode_nibbles(dst, b->qs, 0, false, 0, load_f16(b->d), load_f16(b->m), true))
DECODE_LEGACY(q5_0, decode_nibbles(dst, b->qs, load_u32(b->qh), true, 16, load_f16(b->d), 0, false))
DECODE_LEGACY(q5_1, decode_nibbles(dst, b->qs, load_u32(b->qh), true, 0, load_f16(b->d),
                                   load_f16(b->m), true))
