/* float.c -- numbers that stand alone: floats, integers, booleans; and their conversion to single.
 */
#include "libquant/codec/num.h"
#include "libquant/codec/type.h"

/* decode_<name>: every element through an expression of `v`, the element as stored. */
#define DECODE(name, stored, expression)                                                           \
    static void decode_##name(float *dst, const void *src, size_t n)                               \
    {                                                                                              \
        const unsigned char *const p = src;                                                        \
        for (size_t i = 0; i < n; i++) {                                                           \
            stored v;                                                                              \
            memcpy(&v, p + i * sizeof v, sizeof v);                                                \
            dst[i] = (expression);                                                                 \
        }                                                                                          \
    }

DECODE(f16, uint16_t, f16_to_f32(v))
DECODE(bf16, uint16_t, bf16_to_f32(v))
DECODE(f64, double, (float)v)
DECODE(bool, uint8_t, v ? 1.0f : 0.0f)
DECODE(i8, int8_t, (float)v)
DECODE(i16, int16_t, (float)v)
DECODE(i32, int32_t, (float)v)
DECODE(i64, int64_t, (float)v)
DECODE(u8, uint8_t, (float)v)
DECODE(u16, uint16_t, (float)v)
DECODE(u32, uint32_t, (float)v)
DECODE(u64, uint64_t, (float)v)

static void decode_f32(float *dst, const void *src, size_t n)
{
    memcpy(dst, src, n * sizeof *dst);
}

/* encode_<name>: every element through an expression of the single `v`. */
#define ENCODE(name, stored, expression)                                                           \
    static void encode_##name(void *dst, const float *src, size_t rows, size_t cols,               \
                              const float *importance)                                             \
    {                                                                                              \
        unsigned char *const p = dst;                                                              \
        (void)importance;                                                                          \
        for (size_t i = 0; i < rows * cols; i++) {                                                 \
            const float v = load_f32(src + i);                                                     \
            const stored s = (expression);                                                         \
            memcpy(p + i * sizeof s, &s, sizeof s);                                                \
        }                                                                                          \
    }

ENCODE(f16, uint16_t, f32_to_f16(v))
ENCODE(bf16, uint16_t, f32_to_bf16(v))
ENCODE(f64, double, (double)v)

static void encode_f32(void *dst, const float *src, size_t rows, size_t cols,
                       const float *importance)
{
    (void)importance;
    memcpy(dst, src, rows * cols * sizeof *src);
}

/* check_<name>: the exponent bits of a NaN or an infinity are all ones. */
#define CHECK(name, stored, exponent)                                                              \
    static size_t check_##name(const void *src, size_t n)                                          \
    {                                                                                              \
        const unsigned char *const p = src;                                                        \
        for (size_t i = 0; i < n; i++) {                                                           \
            stored v;                                                                              \
            memcpy(&v, p + i * sizeof v, sizeof v);                                                \
            if ((v & (exponent)) == (exponent))                                                    \
                return i;                                                                          \
        }                                                                                          \
        return n;                                                                                  \
    }

CHECK(f16, uint16_t, 0x7c00u)
CHECK(bf16, uint16_t, 0x7f80u)
CHECK(f32, uint32_t, 0x7f800000u)
CHECK(f64, uint64_t, UINT64_C(0x7ff0000000000000))

#define FLOAT_TYPE(symbol, suffix, bytes)                                                          \
    const struct type_info type_##symbol = {                                                       \
        .name = #symbol,                                                                           \
        .dtype = #symbol,                                                                          \
        .id = LQ_TYPE_##symbol,                                                                    \
        .block_len = 1,                                                                            \
        .block_bytes = (bytes),                                                                    \
        .decode = decode_##suffix,                                                                 \
        .encode = encode_##suffix,                                                                 \
        .check = check_##suffix,                                                                   \
    };

FLOAT_TYPE(F16, f16, 2)
FLOAT_TYPE(BF16, bf16, 2)
FLOAT_TYPE(F32, f32, 4)
FLOAT_TYPE(F64, f64, 8)

#define INTEGER_TYPE(symbol, suffix, bytes)                                                        \
    const struct type_info type_##symbol = {                                                       \
        .name = #symbol,                                                                           \
        .dtype = #symbol,                                                                          \
        .id = LQ_TYPE_##symbol,                                                                    \
        .block_len = 1,                                                                            \
        .block_bytes = (bytes),                                                                    \
        .flags = TYPE_INTEGER,                                                                     \
        .decode = decode_##suffix,                                                                 \
    };

INTEGER_TYPE(BOOL, bool, 1)
INTEGER_TYPE(I8, i8, 1)
INTEGER_TYPE(I16, i16, 2)
INTEGER_TYPE(I32, i32, 4)
INTEGER_TYPE(I64, i64, 8)
INTEGER_TYPE(U8, u8, 1)
INTEGER_TYPE(U16, u16, 2)
INTEGER_TYPE(U32, u32, 4)
INTEGER_TYPE(U64, u64, 8)

/* A pair of singles; a complex number has no float value, so it can only be listed and copied. */
const struct type_info type_C64 = {
    .name = "C64",
    .dtype = "C64",
    .id = LQ_TYPE_C64,
    .block_len = 1,
    .block_bytes = 8,
};
