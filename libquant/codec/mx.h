/* mx.h -- the scales of MXFP4 and NVFP4, shared by scalar code and vector kernels. */
#ifndef LQ_CODEC_MX_H
#define LQ_CODEC_MX_H

#include <stdint.h>

/* Index: exponent + 149. The last so many floats below 2^(exponent + 1) count as that. */
extern const uint8_t mx_log2_up[277];

/* The E8M0 scale of 32 elements whose largest magnitude is max. */
uint8_t mxfp4_scale(float max);

/* Half the value of an E8M0 scale: the table of FP4 values holds twice the values. */
float mxfp4_unit(uint8_t e);

/* The E4M3 scale (without sign) of 16 elements whose largest magnitude is max. */
uint8_t nvfp4_scale(float max);

/* Half the value of such a scale; 0 for the NaN. */
float nvfp4_unit(uint8_t e);

/* Number of the FP4 value that is nearest to x in units of `unit`, the first of equals. */
uint8_t fp4_nearest(float x, float unit);

#endif
