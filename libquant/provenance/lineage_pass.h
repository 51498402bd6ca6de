/* lineage_pass.h -- one pass over the rows of a claimed tensor beside those of its bases.
 *
 *   chunk: some whole rows, or a part of a wide one; cut by the shape alone
 *
 * Chunks are read and worked on by any thread. The worker writes to a place of its own for each
 * chunk, and the caller joins them in order: so results do not depend on threads. Memory: a chunk
 * of each side for each thread.
 */
#ifndef LQ_PROVENANCE_LINEAGE_PASS_H
#define LQ_PROVENANCE_LINEAGE_PASS_H

#include "libquant/convert/compare.h"

enum { LINEAGE_BASES = 8 }; /* most bases */

struct pass_chunk {
    uint64_t index;
    uint64_t row, rows, cols;
    uint64_t first;             /* index of the first element in the tensor */
    size_t n;                   /* elements */
    const uint8_t *stored;      /* of the claimed tensor; NULL where it is not seen as stored */
    const uint8_t *base_stored; /* of the first base; NULL likewise */
    const float *claimed;       /* NULL where they were not asked for, or there are none */
    const float *base[LINEAGE_BASES];
    void *room; /* pass.room_bytes for each element and 64 more, of this thread */
    unsigned isa;
};

/* The memory of each thread, kept from pass to pass. */
struct pass_rooms;
struct pass_rooms *pass_rooms_new(unsigned threads);
/* NULL is allowed. */
void pass_rooms_free(struct pass_rooms *r);

struct pass_options {
    unsigned isa;                    /* mask for kernel_for */
    unsigned threads;                /* 0: one per processor */
    struct pass_rooms *rooms;        /* for so many threads at least */
    const struct progress *progress; /* steps in elements: progress_done + ... of progress_total */
    uint64_t progress_done, progress_total;
};

struct pass {
    struct compared claimed;
    struct compared base[LINEAGE_BASES]; /* the first n_bases */
    size_t n_bases;
    uint64_t first_row, rows, cols; /* of the tensor; rows from first_row on */
    bool by_row;                    /* rows must not be cut */
    bool want_claimed;              /* floats of the claimed side */
    bool want_base;                 /* floats of the bases */
    size_t room_bytes;
    void (*work)(void *ctx, const struct pass_chunk *c);
    bool (*enough)(const void *ctx); /* nothing that follows changes the result; or NULL */
    void *ctx;
    const struct pass_options *options;
};

/* Number of chunks of a pass. */
uint64_t pass_chunks(const struct pass *p);

/* Whether a side is seen as it is stored; and the stored type, NULL where its values come from a
 * transform. */
bool pass_is_stored(const struct compared *c);
const struct type_info *pass_stored_type(const struct compared *c);

/* LQ_E_UNSUPPORTED where values are wanted of a type that has none. */
lq_status pass_run(const struct pass *p, lq_error *err);

#endif
