/* gemm.h -- matrix products whose every bit is defined.
 *
 *   C (m, n)  =  A (m, k) * transpose of W (n, k)
 *
 * Each element of C is one chain of fused multiply-adds over k, from the first to the last, that
 * begins at +0:   c = fma(a[i][0], w[j][0], 0), c = fma(a[i][1], w[j][1], c), ...
 * How the work is tiled, which instruction set runs it, and how many threads share it can therefore
 * not change a bit. W is a weight matrix as models store it: one row per output.
 *
 * Method: outer products on register tiles (K. Goto and R. van de Geijn, "Anatomy of
 * High-Performance Matrix Multiplication", ACM TOMS 34(3), 2008), with chains that are interrupted
 * (C holds them between blocks of k), never split.
 */
#ifndef LQ_EVAL_GEMM_H
#define LQ_EVAL_GEMM_H

#include <stdbool.h>
#include <stddef.h>

/* The register tile of an instruction set: rows of A by rows of W at a time. */
struct gemm_kernel {
    size_t mr, nr;
    /* c[i * nr + j] for i < mr, j < nr: k steps more, or from +0 on where the chains begin.
     * a: k groups of mr floats; w: k groups of nr floats. w and c are aligned to 64 bytes. */
    void (*tile)(size_t k, const float *a, const float *w, float *c, bool begin);
    /* dst[p * width + i] = src[i * ld + p] for i < 16 and p < k, a multiple of 4. dst is aligned to
     * 64 bytes, and width a multiple of 16. NULL: four rows at a time are as good. */
    void (*transpose)(size_t k, const float *src, size_t ld, float *dst, size_t width);
};

/* The kernel for a mask of enum isa (codec/kernels.h). */
const struct gemm_kernel *gemm_kernel_for(unsigned isa);
/* The scalar one that needs no fused multiply-add instruction; gemm_kernel_for prefers one that
 * uses it. For tests. */
const struct gemm_kernel *gemm_kernel_exact(void);

/* Floats that gemm_pack writes for a matrix of `rows` rows of k elements. */
size_t gemm_packed_floats(const struct gemm_kernel *g, size_t rows, size_t k);

/* Rearranges A (row i at a + i * lda) for the kernel. `packed` holds gemm_packed_floats(g, m, k).
 */
void gemm_pack(const struct gemm_kernel *g, const float *a, size_t lda, size_t m, size_t k,
               float *packed);
/* Rows [first, first + n) only, first a multiple of mr: several threads pack one matrix. */
void gemm_pack_rows(const struct gemm_kernel *g, const float *a, size_t lda, size_t m, size_t k,
                    float *packed, size_t first, size_t n);

/* Where the rows of W come from: floats of columns [p, p + depth) of rows [row, row + n), *ld
 * apart. `room` holds n * depth floats for those that are made for the purpose. */
struct gemm_weights {
    const float *(*fetch)(void *ctx, size_t row, size_t n, size_t p, size_t depth, float *room,
                          size_t *ld);
    void *ctx;
    bool by_columns; /* what fetch gives has one row per column of W */
};

/* For floats in memory, row i at rows + i * ld: fetch is gemm_fetch_rows, ctx one of these. */
struct gemm_matrix {
    const float *rows;
    size_t ld;
};
const float *gemm_fetch_rows(void *ctx, size_t row, size_t n, size_t p, size_t depth, float *room,
                             size_t *ld);
/* The same where W is there transposed: column p at rows + p * ld. Needs by_columns. */
const float *gemm_fetch_columns(void *ctx, size_t row, size_t n, size_t p, size_t depth,
                                float *room, size_t *ld);

/* Columns of W that are fetched at once, but for the last ones: whole blocks of every type. */
enum { GEMM_DEPTH = 256 };

/* Scratch floats that gemm_rows needs for m rows of A. */
size_t gemm_scratch_floats(const struct gemm_kernel *g, size_t m);

/* n columns of C: c[i * ldc + j] for i < m, j < n, from packed A and n rows of W. One thread's
 * share; others may compute other columns of the same C meanwhile. `scratch` is the thread's own.
 */
void gemm_rows(const struct gemm_kernel *g, const float *packed_a, size_t m, size_t k,
               const struct gemm_weights *w, size_t n, float *c, size_t ldc, float *scratch);

#endif
