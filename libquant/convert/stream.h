/* stream.h -- the pipeline: rows of a source model in, one or several encoded models out, in one pass.
 *
 *   plan (elsewhere)              stream_run
 *   output.catalog: every         for each chunk of rows of each step, on any thread:
 *   tensor's name, type, shape,     read -> decode to float32 -> map -> encode for each output
 *   offset and the metadata       then, in order: append to each output (hashing on the way)
 *   steps: where rows come from
 *
 * The result depends on the source's bytes and the plan alone: not on threads, chunks or instruction
 * set. Memory: (threads + a few) times a chunk, whatever the size of the model or of a tensor.
 */
#ifndef LQ_CONVERT_STREAM_H
#define LQ_CONVERT_STREAM_H

#include "libquant/base/progress.h"
#include "libquant/base/sink.h"
#include "libquant/catalog/catalog.h"

/* The row of an input tensor that an output row is made of. */
struct row_ref {
    uint32_t in;  /* index into step.in */
    uint64_t row; /* of that tensor */
};

/* How one output tensor (of every output: they have the same tensors in the same order) is made.
 * The ways, from the cheapest:
 *   all NULL         the rows of in[0], as they are; where an output has the stored type, its bytes
 *   row_from         each output row is one row of one input: permuted heads, stacked experts,
 *                    split or joined projections
 *   fill             anything else (transposes, packed checkpoints, constants)
 * and `map` after any of them, on the floats of a row. */
struct step {
    const struct catalog *source;
    const struct tensor *const *in; /* n_in tensors of `source`; all rows have the same length as the
                                       output's unless `fill` is set */
    uint32_t n_in;
    struct row_ref (*row_from)(const struct step *s, uint64_t row);
    /* Rows [row, row + n) as floats to dst. `isa` is for kernel_for. Called on any thread. */
    lq_status (*fill)(const struct step *s, uint64_t row, uint64_t n, float *dst, unsigned isa,
                      lq_error *err);
    void (*map)(const struct step *s, float *x, size_t cols);
    int64_t arg[4];   /* parameters of the three functions above */
    const void *data; /* likewise */
    /* Where the output's stored bytes come from something else than encoding floats (repacking
     * MXFP4 blocks, integers that the plan made): rows [row, row + n) in the type that all outputs
     * have for this tensor, to dst. Set instead of the three above. */
    lq_status (*fill_raw)(const struct step *s, uint64_t row, uint64_t n, void *dst, lq_error *err);
    uint64_t chunk_elements; /* so many in a chunk where it saves reading: of sources that are stored
                                input first, rows lie scattered; 0: as usual */
    const struct type_info *via; /* round every value through this type first (the intermediate file
                                    of two-step conversions), or NULL */
};

struct sha256;

/* Is shown the bytes of an output's tensors as they are committed, in their order. Feeds them to `hash`,
 * the file's, too (NULL: there is none): two hashes side by side cost less. */
struct tensor_observer {
    lq_status (*put)(void *ctx, size_t tensor, const void *data, size_t n, struct sha256 *hash,
                     lq_error *err);
    void *ctx;
};

/* One model that is written. */
struct output {
    const char *path;              /* of a single file; of shard k: paths[k] where paths is set */
    const char *const *paths;      /* one per catalog.files[], or NULL */
    struct catalog catalog;        /* tensors, metadata, files; laid out by format->layout */
    const struct format *format;
    /* For tensor i: NULL, or importance of its columns: importance[i][cols * groups[i]], where the
     * rows are split evenly into groups (experts). NULL where no matrix was given. */
    const float *const *importance;
    const uint32_t *groups;
    uint8_t (*sha256)[32];         /* one per file, filled at the end, or NULL */
    const struct tensor_observer *observer; /* or NULL */
    struct sink **sinks;           /* one per file, opened by the caller, to be used (and closed)
                                      instead of the paths; or NULL */
};

struct stream_options {
    unsigned isa;                  /* mask for kernel_for */
    unsigned threads;              /* 0: one per processor */
    bool sync;                     /* fsync outputs */
    bool allow_nonfinite;          /* else NaN and infinities, in what is read or as the result of
                                      encoding, are LQ_E_MODEL, with tensor and index */
    enum rounding rounding;        /* of multiply-adds in the codecs, see codec/type.h */
    const struct progress *progress;
};

/* n_steps is the number of tensors of every output. Outputs appear under their names when all of
 * them are complete, or not at all. */
lq_status stream_run(const struct step *steps, size_t n_steps, struct output *outputs,
                     size_t n_outputs, const struct stream_options *options, lq_error *err);

#endif
