/* kernels.c -- the choice of kernel: the scalar definition, overridden by what the CPU has. */
#include "libquant/codec/kernels.h"

#include "libquant/codec/kernel_list.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

/* One slot of one type. Exactly one of the functions is set. */
struct override {
    const struct type_info *type;
    type_decode_fn *decode;
    type_encode_fn *encode;
};

#define ENCODER(symbol, name) {&type_##symbol, NULL, ISA_FN(encode_##name)},
#define DECODER(symbol, name) {&type_##symbol, ISA_FN(decode_##name), NULL},

#if defined(__x86_64__)
static const struct override avx2[] = {
#define ISA_FN(name) name##_avx2
#include "libquant/codec/kernels.def"
#undef ISA_FN
};

static const struct override avx512[] = {
#define ISA_FN(name) name##_avx512
#include "libquant/codec/kernels.def"
#undef ISA_FN
};
#elif defined(__aarch64__)
static const struct override neon[] = {
#define ISA_FN(name) name##_neon
#include "libquant/codec/kernels.def"
#undef ISA_FN
};
#endif

/* The sets of this architecture, the best one last. */
static const struct {
    enum isa isa;
    const struct override *overrides;
    size_t count;
} sets[] = {
#if defined(__x86_64__)
    {ISA_AVX2,   avx2,   sizeof avx2 / sizeof avx2[0]    },
    {ISA_AVX512, avx512, sizeof avx512 / sizeof avx512[0]},
#elif defined(__aarch64__)
    {ISA_NEON, neon, sizeof neon / sizeof neon[0]},
#else
    {0, NULL, 0},
#endif
};

struct kernel kernel_for(const struct type_info *type, unsigned isa)
{
    struct kernel k = {.decode = type->decode, .encode = type->encode};

    for (size_t s = 0; s < sizeof sets / sizeof sets[0]; s++) {
        for (size_t i = 0; i < sets[s].count && (isa & sets[s].isa); i++) {
            const struct override *const o = &sets[s].overrides[i];
            if (o->type == type && o->encode)
                k.encode = o->encode;
            if (o->type == type && o->decode)
                k.decode = o->decode;
        }
    }
    return k;
}

#if defined(__x86_64__)

/* Which registers the operating system saves: bits 1 and 2 for AVX, also 5 to 7 for AVX-512. */
static unsigned saved_registers(void)
{
    unsigned low, high;

    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

unsigned isa_detect(void)
{
    const unsigned avx2_1 = bit_FMA | bit_OSXSAVE | bit_AVX | bit_F16C;
    const unsigned avx2_7 = bit_AVX2 | bit_BMI2;
    const unsigned avx512_7 = bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL;
    unsigned a, b, c, d, isa = 0;

    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & avx2_1) != avx2_1)
        return 0;
    const unsigned saved = saved_registers();
    if ((saved & 0x06) != 0x06 || !__get_cpuid_count(7, 0, &a, &b, &c, &d))
        return 0;
    if ((b & avx2_7) == avx2_7)
        isa |= ISA_AVX2;
    if (isa && (b & avx512_7) == avx512_7 && (saved & 0xe6) == 0xe6)
        isa |= ISA_AVX512;
    return isa;
}

#elif defined(__aarch64__)

unsigned isa_detect(void)
{
    return ISA_NEON; /* part of the base architecture */
}

#else

unsigned isa_detect(void)
{
    return 0;
}

#endif
