/* make_rows.h -- one chunk of the pipeline: read, decode, map, encode. */
#ifndef LQ_CONVERT_MAKE_ROWS_H
#define LQ_CONVERT_MAKE_ROWS_H

#include "libquant/convert/stream.h"

/* How a tensor is cut: chunks of rows_per_chunk rows of cols elements. Where `cut`, the rows are
 * pieces of the tensor seen as one long row, and the last may be shorter. */
struct chunk_shape {
    uint64_t rows, cols, rows_per_chunk;
    bool cut;
};

struct chunk {
    size_t step;
    uint64_t row, rows, cols;
    uint64_t first;   /* index of its first element in the output tensor */
    uint64_t row_len; /* of the output tensor, for messages (cols is shorter in a cut row) */
};

/* A worker's own memory. */
struct row_buffers {
    void *raw; /* stored bytes of the source, then scratch for `via` */
    float *floats;
};

/* Bytes of the raw buffer that a chunk of n elements of this step needs. */
uint64_t make_rows_raw_bytes(const struct step *s, uint64_t n);

/* Makes the chunk's rows for each output: out[k] gets len[k] bytes. Thread-safe. */
lq_status make_rows(const struct step *s, const struct chunk *c, const struct output *outputs,
                    size_t n_outputs, const struct stream_options *options,
                    const struct row_buffers *buffers, void *const *out, size_t *len,
                    lq_error *err);

/* Rows [row, row + n) of the step's output as floats, without encoding, for who only measures.
 * `raw` holds make_rows_raw_bytes(s, n * cols) bytes, dst n * cols floats. */
lq_status step_floats(const struct step *s, uint64_t row, uint64_t n, uint64_t cols, void *raw,
                      float *dst, unsigned isa, lq_error *err);

/* How rows are encoded. */
struct row_encoding {
    const struct type_info *type; /* as type_rounded() gives it */
    const float *importance; /* of the columns, for each group of rows; or NULL */
    uint64_t group_rows;     /* rows of the tensor that share their importance (an expert's) */
};

/* Encodes rows [row, row + rows) of a tensor, whose values are x, to dst. */
void encode_rows(const struct row_encoding *e, uint64_t row, uint64_t rows, uint64_t cols,
                 const float *x, void *dst, unsigned isa);

#endif
