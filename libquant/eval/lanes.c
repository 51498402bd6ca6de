/* lanes.c -- for the instructions that every machine of a kind has (on AArch64 that is NEON), and the
 * choice among all. */
#define LANES lanes_plain
extern const struct lanes lanes_plain;
#include "libquant/eval/lanes_body.h"

#include "libquant/codec/kernels.h"

const struct lanes *lanes_for(unsigned isa)
{
#if defined(__x86_64__)
    if (isa & ISA_AVX512)
        return &lanes_avx512;
    if (isa & ISA_AVX2)
        return &lanes_avx2;
#endif
    (void)isa;
    return &lanes_plain;
}
