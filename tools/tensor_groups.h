/* tensor_groups.h -- the tensors of repeated layers as one row: blk.{0-29}.attn_k.weight. */
#ifndef LQ_TOOLS_TENSOR_GROUPS_H
#define LQ_TOOLS_TENSOR_GROUPS_H

#include "libquant/catalog/catalog.h"

/* Tensors of one type and shape whose names differ in numbers between dots only. */
struct tensor_group {
    const char *label;          /* the name, with the numbers that occur in braces */
    const struct tensor *first; /* in stored order */
    size_t count;
    uint64_t bytes;
};

/* Groups in the order of their first tensors; everything lives in the arena. LQ_E_MEMORY only. */
lq_status group_tensors(const struct catalog *c, struct arena *arena, struct tensor_group **out,
                        size_t *n, lq_error *err);

#endif
