/* lanes_avx2.c -- for AVX2. */
#define LANES lanes_avx2
#include "libquant/eval/lanes_body.h"
