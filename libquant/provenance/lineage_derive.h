/* lineage_derive.h -- is a tensor a copy, or a quantization, of a base? For lineage.c. */
#ifndef LQ_PROVENANCE_LINEAGE_DERIVE_H
#define LQ_PROVENANCE_LINEAGE_DERIVE_H

#include "libquant/provenance/lineage.h"

/* A claimed tensor beside the tensors of the bases that have its shape. */
struct lineage_pair {
    struct compared claimed, base[LINEAGE_BASES];
    size_t from[LINEAGE_BASES]; /* which base: base[i] is the model's from[i] */
    const struct tensor *base_tensor[LINEAGE_BASES];
    const struct tensor *place[LINEAGE_BASES]; /* what the steps of base[] point to: never moved */
    size_t n_bases;
    uint64_t rows, cols;          /* compared */
    const struct type_info *type; /* stored, of the claimed one; NULL: it is not seen as stored */
    const struct type_info *precision; /* what the claimed values are stored in, or NULL */
    const struct type_info *base_precision[LINEAGE_BASES]; /* and those of the bases */
    const float *importance;           /* of the columns, for each group of rows; or NULL */
    uint64_t group_rows;
};

/* Base i goes to the front, and what was there to its place. */
void lineage_pair_front(struct lineage_pair *p, size_t i);

/* Tries the ways from a base to the claimed values, the last one that was right (`*last`) first.
 * Where one gives all blocks but at most LINEAGE_ALTERED_MOST of them: sets t->derived, how, from,
 * base, blocks and marks. */
lq_status lineage_derive(struct tensor_lineage *t, const struct lineage_pair *p,
                         struct hypothesis *last, const struct pass_options *options,
                         lq_error *err);

/* After lineage_derive, of a tensor with some blocks that differ: whether encoding with other
 * importance would give most of its blocks, too. Then the way says little: the base's values lie on
 * a grid of the type already, where every quantizer finds them again. */
lq_status lineage_is_on_grid(const struct tensor_lineage *t, const struct lineage_pair *p,
                             bool *out, const struct pass_options *options, lq_error *err);

/* The largest part of a tensor's blocks that may differ where a way still counts as right. */
#define LINEAGE_ALTERED_MOST 0.1

/* The blocks of a chunk that stand out, in order. */
struct mark_list {
    struct marked_block *marks;
    size_t n, cap;
    size_t most;    /* that are kept */
    uint64_t count; /* all */
    bool failed;    /* out of memory */
};
/* Lists for the chunks of a pass. Together they keep a few times LINEAGE_MARKS, and each of them
 * 256 at least: memory is bounded, and what is kept does not depend on threads. NULL: out of
 * memory. */
struct mark_list *marks_new(uint64_t chunks);
void mark_add(struct mark_list *m, uint64_t block, float far);
/* NULL is allowed. */
void marks_free(struct mark_list *lists, uint64_t n);
/* Joins the lists of a pass's chunks into the tensor's, and releases them. */
lq_status marks_join(struct tensor_lineage *t, struct mark_list *lists, uint64_t n, lq_error *err);

#endif
