/* iq_grids.h -- the codebooks of the IQ types, packed: element i of an entry is the bits
 * from 2 * i (IQ1, IQ2: eight elements of 0, 1, 2) or 3 * i (IQ3: four elements of 0 ... 7) on.
 */
#ifndef LQ_CODEC_IQ_GRIDS_H
#define LQ_CODEC_IQ_GRIDS_H

#include <stdint.h>

extern const uint16_t iq2xxs_codes[256];
extern const uint16_t iq2xs_codes[512];
extern const uint16_t iq2s_codes[1024];
extern const uint16_t iq1_codes[2048]; /* of IQ1_S and IQ1_M */
extern const uint16_t iq3xxs_codes[256];
extern const uint16_t iq3s_codes[512];

extern const int8_t iq4_values[16]; /* ascending, of IQ4_NL and IQ4_XS */
extern const int8_t fp4_values[16]; /* twice the E2M1 number of a nibble, of MXFP4 and NVFP4 */

#endif
