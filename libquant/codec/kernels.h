/* kernels.h -- which codec function runs: the scalar definition, or what an instruction set puts in
 * its place. A vector kernel gives the same bytes as the scalar function, always. */
#ifndef LQ_CODEC_KERNELS_H
#define LQ_CODEC_KERNELS_H

#include "libquant/codec/type.h"

enum isa {
    ISA_AVX2 = 1 << 0, /* with FMA, F16C and BMI2, as every CPU since 2013 that has AVX2 */
    ISA_AVX512 = 1 << 1, /* F, BW, DQ, VL, VBMI not needed */
    ISA_NEON = 1 << 2
};

/* Instruction sets that this CPU and operating system run, as a mask of enum isa. */
unsigned isa_detect(void);

struct kernel {
    type_decode_fn *decode;
    type_encode_fn *encode;
};

/* Kernels of a type for a mask of instruction sets (what isa_detect() lacks must not be in it):
 * the scalar ones, overridden by AVX2, then AVX-512, or by NEON. Thread-safe, cheap. */
struct kernel kernel_for(const struct type_info *type, unsigned isa);

#endif
