/* block_type.h -- the row of the type table for a type whose blocks are all alike. */
#ifndef LQ_CODEC_BLOCK_TYPE_H
#define LQ_CODEC_BLOCK_TYPE_H

#include "libquant/codec/num.h"
#include "libquant/codec/rounding.h"
#include "libquant/codec/type.h"

/* Defines type_<symbol>, with decode and check block after block. In sight must be
 *     struct block_<suffix>
 *     void values_<suffix>(float dst[len], const struct block_<suffix> *b)
 *     type_encode_fn encode_<suffix>
 * `good` is an expression that tells whether the scales of the block b are numbers. */
#define BLOCK_TYPE(symbol, suffix, len, more, good)                                                \
    static void decode_##suffix(float *dst, const void *src, size_t n)                             \
    {                                                                                              \
        const struct block_##suffix *b = src;                                                      \
        for (size_t i = 0; i < n; i += (len))                                                      \
            values_##suffix(dst + i, b++);                                                         \
    }                                                                                              \
                                                                                                   \
    static size_t check_##suffix(const void *src, size_t n)                                        \
    {                                                                                              \
        const struct block_##suffix *b = src;                                                      \
        for (size_t i = 0; i < n; i += (len), b++)                                                 \
            if (!(good))                                                                           \
                return i;                                                                          \
        return n;                                                                                  \
    }                                                                                              \
                                                                                                   \
    const struct type_info ROUNDED(type_##symbol) = {                                              \
        .name = #symbol,                                                                           \
        .id = LQ_TYPE_##symbol,                                                                    \
        .block_len = (len),                                                                        \
        .block_bytes = sizeof(struct block_##suffix),                                              \
        .flags = TYPE_QUANTIZED | (more),                                                          \
        .decode = decode_##suffix,                                                                 \
        .encode = encode_##suffix,                                                                 \
        .check = check_##suffix,                                                                   \
    };

#endif
