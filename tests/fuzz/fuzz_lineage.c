/* fuzz_lineage.c -- arbitrary bytes as the blocks of every type beside arbitrary floats: their distance
 * from what is honest is a number, and nothing beyond a block is read. The input is the block, then the
 * floats. */
#include "libquant/provenance/lineage_honest.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BLOCK = 256 };

/* n bytes of a block of their own, so that a sanitizer sees its end; repeated where the input ends. */
static void *take(const uint8_t *data, size_t size, size_t from, size_t n)
{
    uint8_t *const out = malloc(n);
    if (!out)
        abort();
    for (size_t i = 0; i < n; i++)
        out[i] = data[(from + i) % size];
    return out;
}

static void look_at(const struct honest *h, const uint8_t *data, size_t size)
{
    const struct type_info *const type = h->type;
    void *const stored = take(data, size, 0, type->block_bytes);
    float *const x = take(data, size, type->block_bytes, type->block_len * sizeof *x);
    void *const again_stored = malloc(type->block_bytes);
    float *const v = malloc(BLOCK * sizeof *v), *const again = malloc(BLOCK * sizeof *again);
    if (!again_stored || !v || !again)
        abort();
    type->decode(v, stored, type->block_len);
    type->encode(again_stored, x, 1, type->block_len, NULL);
    type->decode(again, again_stored, type->block_len);
    const struct honest_block b = {stored, v, x, again_stored, again};
    const float far = honest_distance(h, &b);
    const struct honest_block own = {again_stored, again, x, again_stored, again};
    if (!(far >= 0) || honest_distance(h, &own) != 0) {
        fprintf(stderr, "%s: a distance of %g\n", type->name, (double)far);
        abort();
    }
    free(stored), free(x), free(again_stored), free(v), free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (size_t i = 0; size && i < type_count(); i++) {
        const struct honest *const h = honest_of(type_at(i));
        if (h)
            look_at(h, data, size);
    }
    return 0;
}
