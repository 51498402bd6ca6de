/* float8.c -- the unscaled floats below 16 bits of safetensors: F8, F6 and F4.
 *
 * E<n>M<m> is n bits of exponent and m of fraction under a sign. F8_E5M2 is an IEEE format. F8_E4M3
 * has no infinity, and a NaN only where all bits are set (OCP 8-bit Floating Point Specification;
 * E4M3FN elsewhere). The FNUZ formats have neither infinity nor -0, whose code is the NaN, and
 * another bias. F8_E8M0, F6 and F4 are those of the OCP Microscaling Formats Specification: E8M0 is
 * an exponent and nothing else, with a NaN where all bits are set; the others are all finite.
 *
 * What safetensors leaves open: elements of less than a byte start at the least significant bit.
 */
#include "libquant/codec/num.h"
#include "libquant/codec/type.h"

#define NOT_A_NUMBER 0x7fc00000u

/* A float of `width` bits, its fraction `fraction` bits, that is finite. */
static float finite_value(uint32_t code, int width, int fraction, int bias)
{
    const uint32_t sign = code >> (width - 1) << 31;
    const uint32_t mag = code & ((1u << (width - 1)) - 1);
    const uint32_t exponent = mag >> fraction;

    if (exponent == 0) {
        const float unit = f32_from_bits((uint32_t)(128 - bias - fraction) << 23);
        return f32_from_bits(sign | f32_bits((float)mag * unit));
    }
    return f32_from_bits(sign | ((mag << (23 - fraction)) + ((uint32_t)(127 - bias) << 23)));
}

static float nan_with_sign(uint32_t code)
{
    return f32_from_bits((code & 0x80) << 24 | NOT_A_NUMBER);
}

static float value_f8_e4m3(uint8_t code)
{
    return (code & 0x7f) == 0x7f ? nan_with_sign(code) : finite_value(code, 8, 3, 7);
}

static float value_f8_e5m2(uint8_t code)
{
    return (code & 0x7f) > 0x7c ? nan_with_sign(code) : f16_to_f32((uint16_t)(code << 8));
}

static float value_f8_e8m0(uint8_t code)
{
    return f32_from_bits(code == 0xff ? NOT_A_NUMBER
                         : code == 0  ? 0x400000u
                                      : (uint32_t)code << 23);
}

static float value_f8_e4m3fnuz(uint8_t code)
{
    return code == 0x80 ? f32_from_bits(NOT_A_NUMBER) : finite_value(code, 8, 3, 8);
}

static float value_f8_e5m2fnuz(uint8_t code)
{
    return code == 0x80 ? f32_from_bits(NOT_A_NUMBER) : finite_value(code, 8, 2, 16);
}

/* To nearest, ties to even; what is above the largest number, 448, becomes that. */
static uint8_t code_f8_e4m3(float f)
{
    const uint32_t bits = f32_bits(f);
    const uint32_t sign = bits >> 24 & 0x80u;
    const uint32_t mag = bits & 0x7fffffffu;

    if (mag > 0x7f800000u)
        return (uint8_t)(sign | 0x7f);
    if (mag >= 0x43e00000u) /* 448 */
        return (uint8_t)(sign | 0x7e);
    if (mag < 0x3c800000u) /* 2^-6: one unit of the sum is 2^-9, as that of the code */
        return (uint8_t)(sign | (f32_bits(f32_from_bits(mag) + 0x1p14f) - 0x46800000u));
    return (uint8_t)(sign | (((mag + 0x7ffffu + (mag >> 20 & 1u)) >> 20) - (120u << 3)));
}

/* To nearest, ties to even; overflow to infinity. */
static uint8_t code_f8_e5m2(float f)
{
    const uint32_t bits = f32_bits(f);
    const uint32_t sign = bits >> 24 & 0x80u;
    const uint32_t mag = bits & 0x7fffffffu;

    if (mag > 0x7f800000u)
        return (uint8_t)(sign | 0x7f);
    if (mag >= 0x47700000u) /* 61440, halfway between the largest number and 65536 */
        return (uint8_t)(sign | 0x7c);
    if (mag < 0x38800000u) /* 2^-14: one unit of the sum is 2^-16, as that of the code */
        return (uint8_t)(sign | (f32_bits(f32_from_bits(mag) + 0x1p7f) - 0x43000000u));
    return (uint8_t)(sign | (((mag + 0xfffffu + (mag >> 21 & 1u)) >> 21) - (112u << 2)));
}

/* decode_<suffix>, check_<suffix> and encode_<suffix> of the types of one byte. */
#define DECODE_BYTES(suffix, bad)                                                                  \
    static void decode_##suffix(float *dst, const void *src, size_t n)                             \
    {                                                                                              \
        const uint8_t *const codes = src;                                                          \
        for (size_t i = 0; i < n; i++)                                                             \
            dst[i] = value_##suffix(codes[i]);                                                     \
    }                                                                                              \
                                                                                                   \
    static size_t check_##suffix(const void *src, size_t n)                                        \
    {                                                                                              \
        const uint8_t *const codes = src;                                                          \
        for (size_t i = 0; i < n; i++) {                                                           \
            const uint8_t code = codes[i];                                                         \
            if (bad)                                                                               \
                return i;                                                                          \
        }                                                                                          \
        return n;                                                                                  \
    }

#define ENCODE_BYTES(suffix)                                                                       \
    static void encode_##suffix(void *dst, const float *src, size_t rows, size_t cols,             \
                                const float *importance)                                           \
    {                                                                                              \
        uint8_t *const codes = dst;                                                                \
        (void)importance;                                                                          \
        for (size_t i = 0; i < rows * cols; i++)                                                   \
            codes[i] = code_##suffix(load_f32(src + i));                                           \
    }

DECODE_BYTES(f8_e4m3, (code & 0x7f) == 0x7f)
DECODE_BYTES(f8_e5m2, (code & 0x7c) == 0x7c)
DECODE_BYTES(f8_e8m0, code == 0xff)
DECODE_BYTES(f8_e4m3fnuz, code == 0x80)
DECODE_BYTES(f8_e5m2fnuz, code == 0x80)
ENCODE_BYTES(f8_e4m3)
ENCODE_BYTES(f8_e5m2)

static void decode_f6(float *dst, const uint8_t *src, size_t n, int fraction, int bias)
{
    for (size_t i = 0; i < n; i += 4, src += 3) {
        const uint32_t bits = src[0] | (uint32_t)src[1] << 8 | (uint32_t)src[2] << 16;
        for (int k = 0; k < 4; k++)
            *dst++ = finite_value(bits >> 6 * k & 0x3f, 6, fraction, bias);
    }
}

static void decode_f6_e2m3(float *dst, const void *src, size_t n)
{
    decode_f6(dst, src, n, 3, 1);
}

static void decode_f6_e3m2(float *dst, const void *src, size_t n)
{
    decode_f6(dst, src, n, 2, 3);
}

static void decode_f4(float *dst, const void *src, size_t n)
{
    const uint8_t *const codes = src;

    for (size_t i = 0; i < n; i++)
        dst[i] = finite_value(codes[i / 2] >> i % 2 * 4 & 15u, 4, 1, 1);
}

#define SMALL_FLOAT(symbol, elements, bytes, more, decode_fn, encode_fn, check_fn)                 \
    const struct type_info type_##symbol = {                                                       \
        .name = #symbol,                                                                           \
        .dtype = #symbol,                                                                          \
        .id = LQ_TYPE_##symbol,                                                                    \
        .block_len = (elements),                                                                   \
        .block_bytes = (bytes),                                                                    \
        .flags = (more),                                                                           \
        .decode = (decode_fn),                                                                     \
        .encode = (encode_fn),                                                                     \
        .check = (check_fn),                                                                       \
    };

SMALL_FLOAT(F8_E4M3, 1, 1, 0, decode_f8_e4m3, encode_f8_e4m3, check_f8_e4m3)
SMALL_FLOAT(F8_E5M2, 1, 1, 0, decode_f8_e5m2, encode_f8_e5m2, check_f8_e5m2)
SMALL_FLOAT(F8_E8M0, 1, 1, 0, decode_f8_e8m0, NULL, check_f8_e8m0)
SMALL_FLOAT(F8_E4M3FNUZ, 1, 1, 0, decode_f8_e4m3fnuz, NULL, check_f8_e4m3fnuz)
SMALL_FLOAT(F8_E5M2FNUZ, 1, 1, 0, decode_f8_e5m2fnuz, NULL, check_f8_e5m2fnuz)
SMALL_FLOAT(F6_E2M3, 4, 3, TYPE_SUBBYTE, decode_f6_e2m3, NULL, NULL)
SMALL_FLOAT(F6_E3M2, 4, 3, TYPE_SUBBYTE, decode_f6_e3m2, NULL, NULL)
SMALL_FLOAT(F4, 2, 1, TYPE_SUBBYTE, decode_f4, NULL, NULL)
