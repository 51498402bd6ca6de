/* kernel_list.h -- declarations of all vector kernels, from kernels.def; contracts as in type.h. */
#ifndef LQ_CODEC_KERNEL_LIST_H
#define LQ_CODEC_KERNEL_LIST_H

#include "libquant/codec/type.h"

#define ENCODER(symbol, name)                                                                      \
    type_encode_fn encode_##name##_avx2, encode_##name##_avx512, encode_##name##_neon;
#define DECODER(symbol, name)                                                                      \
    type_decode_fn decode_##name##_avx2, decode_##name##_avx512, decode_##name##_neon;
#include "libquant/codec/kernels.def"
#undef ENCODER
#undef DECODER

#endif
