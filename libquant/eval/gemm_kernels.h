/* gemm_kernels.h -- the register tiles of each instruction set, in gemm_<isa>.c. */
#ifndef LQ_EVAL_GEMM_KERNELS_H
#define LQ_EVAL_GEMM_KERNELS_H

#include "libquant/eval/gemm.h"

extern const struct gemm_kernel gemm_kernel_avx2;
extern const struct gemm_kernel gemm_kernel_avx512;
extern const struct gemm_kernel gemm_kernel_neon;

#endif
