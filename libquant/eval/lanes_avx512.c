/* lanes_avx512.c -- for AVX-512. */
#define LANES lanes_avx512
#include "libquant/eval/lanes_body.h"
