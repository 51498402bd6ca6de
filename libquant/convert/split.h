/* split.h -- outputs of several files: which tensor goes into which, and what the files are called. */
#ifndef LQ_CONVERT_SPLIT_H
#define LQ_CONVERT_SPLIT_H

#include "libquant/catalog/catalog.h"

struct split_limits {
    uint64_t max_bytes;   /* of tensors in a file; 0: no limit */
    uint64_t max_tensors; /* in a file; 0: no limit */
    bool empty_first;     /* no tensors in the first file of several */
};

/* Deals the tensors of `c` out to files in their order, a tensor larger than the limit alone. Returns
 * the number of files. */
uint32_t split_deal_out(struct catalog *c, const struct split_limits *limits);

/* Makes the files of `c` n, and names them as shards of `path`, whose extension gives way: *paths
 * [n], which belong to the catalog, are in the order of the files. */
lq_status split_name_files(struct catalog *c, const char *path, uint32_t n,
                           const char *const **paths, lq_error *err);

/* LQ_E_USAGE where a file of `out`, by its name, is one that `source` reads. */
lq_status split_check_targets(const struct catalog *out, const struct catalog *source, lq_error *err);

#endif
