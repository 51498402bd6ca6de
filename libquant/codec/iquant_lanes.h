/* iquant_lanes.h -- what the vector kernels of the IQ types share. */
#ifndef LQ_CODEC_IQUANT_LANES_H
#define LQ_CODEC_IQUANT_LANES_H

#include <stddef.h>

#include "libquant/codec/simd_lookup.h"

/* n is a multiple of VL; src has no alignment. */
LANES void copy_floats(float *dst, const float *src, int n)
{
    for (int i = 0; i < n; i += VL)
        vf_store(dst + i, vf_load(src + i));
}

/* Of n elements (a multiple of VL): neither NaN nor infinite. */
LANES bool all_finite(const float *x, int n)
{
    vi largest = vi_splat(0);

    for (int i = 0; i < n; i += VL)
        largest = vi_max(largest, vf_abs_bits(vf_load(x + i)));
    return vi_hmax(largest) < NOT_FINITE;
}

/* sums[k] = the sum of squares, in order, of the n elements at x + k * n, k < count <= VL; n is a
 * multiple of 16. */
LANES void square_sums(const float *x, int n, int count, float *sums)
{
    const float *rows[VL];
    vf sum = vf_splat(0.0f);
    float out[VL];

    for (int k = 0; k < VL; k++)
        rows[k] = x + (size_t)(k < count ? k : count - 1) * (size_t)n;
    for (int i = 0; i < n; i += 16) {
        vf column[16];
        vf_load_columns(column, rows, 16);
        for (int j = 0; j < 16; j++)
            sum = vf_mul_add(column[j], column[j], sum);
        for (int k = 0; k < VL; k++)
            rows[k] += 16;
    }
    vf_store(out, sum);
    for (int k = 0; k < count; k++)
        sums[k] = out[k];
}

#endif
