/* iquant_lattice.c -- how each of the types with separate signs is searched, and the way through
 * the rows, which is the same for scalar code and vector kernels. */
#include <float.h>

#include "libquant/codec/iquant.h"

const struct lattice lattice_iq2_xxs = {
    .book = BOOK_IQ2_XXS,
    .block = 32,
    .levels = 3,
    .parity = true,
    .fit_start = true,
    .tries = 6,
    .step = 0.1f,
    .least = 1e-15f,
    .spread = 1.0f,
    .repick = REPICK_ALL,
};

const struct lattice lattice_iq2_xs = {
    .book = BOOK_IQ2_XS,
    .block = 16,
    .levels = 3,
    .parity = true,
    .tries = 9,
    .step = 0.1f,
    .least = 1e-15f,
    .spread = 1.0f,
    .repick = REPICK_OFF,
};

const struct lattice lattice_iq2_s = {
    .book = BOOK_IQ2_S,
    .block = 16,
    .levels = 3,
    .tries = 9,
    .step = 0.1f,
    .least = 1e-8f,
    .spread = 2.0f,
    .floor = 0.25f,
    .repick = REPICK_OFF,
};

const struct lattice lattice_iq3_xxs = {
    .book = BOOK_IQ3_XXS,
    .block = 32,
    .levels = 8,
    .parity = true,
    .tries = 15,
    .step = 0.2f,
    .least = 1e-8f,
    .spread = 2.0f,
    .repick = REPICK_OFF,
};

const struct lattice lattice_iq3_s = {
    .book = BOOK_IQ3_S,
    .block = 32,
    .levels = 8,
    .tries = 9,
    .step = 0.2f,
    .least = FLT_TRUE_MIN, /* that is, only zero is less */
    .spread = 2.0f,
    .repick = REPICK_ANY,
};

void lattice_encode(const struct lattice *l, lattice_search_fn *search, lattice_pack_fn *pack,
                    size_t block_bytes, void *dst, const float *src, size_t rows, size_t cols,
                    const float *importance)
{
    uint8_t *block = dst;

    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < cols; c += IQ_BLOCK) {
            struct found found[IQ_BLOCK / 16];
            float x[IQ_BLOCK];
            memcpy(x, src, sizeof x);
            search(l, x, importance ? importance + c : NULL, found);
            float max = 0;
            for (int i = 0; i < IQ_BLOCK / l->block; i++)
                max = found[i].scale > max ? found[i].scale : max;
            pack(block, found, max);
            src += IQ_BLOCK;
            block += block_bytes;
        }
}
