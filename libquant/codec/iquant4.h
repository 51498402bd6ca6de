/* iquant4.h -- the search of IQ4_NL and IQ4_XS, shared by scalar code and vector kernels. */
#ifndef LQ_CODEC_IQUANT4_H
#define LQ_CODEC_IQUANT4_H

#include <stdint.h>

#include "libquant/codec/rounding.h"

/* One set of them for each rounding. */
#define iq4_nearest   ROUNDED(iq4_nearest)
#define iq4_scale     ROUNDED(iq4_scale)
#define iq4_spread    ROUNDED(iq4_spread)
#define iq4_codes     ROUNDED(iq4_codes)
#define iq4_xs_scales ROUNDED(iq4_xs_scales)

enum { IQ4_PART = 32, IQ4_TRIES = 7 };

/* Number of the value that is nearest to x, the lower one of two. */
uint8_t iq4_nearest(float x);

/* The best scale of 32 elements, possibly negative; 0 for what counts as all zero. `spread` is
 * added to the squares in the weights; importance has as many elements as x or is NULL. */
float iq4_scale(const float *x, const float *importance, float spread);

/* Twice the mean square of n elements. */
float iq4_spread(const float *x, int n);

/* Writes the codes of 32 elements under a scale of 1 / inverse. */
void iq4_codes(uint8_t *qs, const float *x, float inverse);

/* Block scale and 6-bit part scales from those of the parts; inverse[i] is that of the scale that
 * part i is coded with. */
struct block_iq4_xs;
void iq4_xs_scales(struct block_iq4_xs *b, const float *scales, float *inverse);

#endif
