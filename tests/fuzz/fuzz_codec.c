/* fuzz_codec.c -- arbitrary bytes decoded as every type, in either rounding, by every kernel that runs
 * here: the same floats from all of them, and nothing beyond the row is touched. */
#include "libquant/codec/kernels.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ELEMENTS = 4096 };

/* The same floats to the bit; but sign and payload of a NaN, which only a block with a scale that is
 * no number decodes to, are as the compiler orders operands. */
static bool same_floats(const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(a + i, b + i, sizeof *a) != 0 && !(a[i] != a[i] && b[i] != b[i]))
            return false;
    return true;
}

static void decode_as(const struct type_info *type, const uint8_t *data, size_t size)
{
    static const unsigned sets[] = {ISA_AVX2, ISA_AVX2 | ISA_AVX512, ISA_NEON};
    const unsigned here = isa_detect();
    size_t blocks = size / type->block_bytes;
    if (blocks > ELEMENTS / type->block_len)
        blocks = ELEMENTS / type->block_len;
    const size_t n = blocks * type->block_len, bytes = blocks * type->block_bytes;
    uint8_t *const row = malloc(bytes ? bytes : 1); /* of its own, so that a sanitizer sees its end */
    float *const want = malloc((n + 1) * sizeof *want), *const got = malloc((n + 1) * sizeof *got);
    if (!row || !want || !got || !n) {
        free(row), free(want), free(got);
        return;
    }
    memcpy(row, data, bytes);
    type->decode(want, row, n);
    if (type->check && type->check(row, n) > n)
        abort();
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        if ((sets[i] & here) != sets[i])
            continue;
        kernel_for(type, sets[i]).decode(got, row, n);
        if (!same_floats(got, want, n)) {
            fprintf(stderr, "%s: a kernel (%u) decodes to other floats\n", type->name, sets[i]);
            abort();
        }
    }
    free(row), free(want), free(got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < type_count(); i++) {
        const struct type_info *const fused = type_rounded(type_at(i), ROUNDING_FUSED);
        if (type_at(i)->decode)
            decode_as(type_at(i), data, size);
        if (fused != type_at(i))
            decode_as(fused, data, size);
    }
    return 0;
}
