/* safetensors.h -- what is particular to safetensors beside struct format.
 *
 *   u64 N | JSON header of N bytes, padded with spaces | tensor data, packed
 *   header: {"__metadata__": {KEY: STRING},
 *            NAME: {"dtype": D, "shape": [..], "data_offsets": [BEGIN, END]}, ...}
 *
 * Offsets count from the end of the header. Reference: the safetensors crate, tensor.rs.
 */
#ifndef LQ_FORMATS_SAFETENSORS_H
#define LQ_FORMATS_SAFETENSORS_H

#include "libquant/base/text.h"
#include "libquant/catalog/catalog.h"

enum {
    SAFETENSORS_MAX_HEADER = 100000000, /* MAX_HEADER_SIZE */
    SAFETENSORS_MAX_INDEX = 10 << 20,   /* MAX_INDEX_FILE_SIZE of huggingface_hub */
    SAFETENSORS_MAX_RANK = 64,          /* ours, here and below */
    SAFETENSORS_MAX_NAME = 4096
};

/* Reads the header of files[file], whose source is set: appends its tensors, in the order in which
 * their data is stored, and its metadata to c. */
lq_status safetensors_read_header(struct catalog *c, uint32_t file, lq_error *err);

/* struct format.layout: the tensors are stored in the order of the catalog. */
lq_status safetensors_layout(struct catalog *c, uint32_t file, struct text *header, lq_error *err);

/* Puts the tensors of a plan into the order of the reference writer: by file, then the types with
 * the strictest alignment first, then by name. */
void safetensors_sort(struct catalog *c);

/* Appends the text of model.safetensors.index.json for a laid-out catalog of several files. Files
 * are called by the last part of their names. */
lq_status safetensors_index(const struct catalog *c, struct text *out, lq_error *err);

/* The name of the index that a shard "model-00001-of-00002.safetensors" belongs to,
 * "model.safetensors.index.json", is appended to `out`, and the shard's number (from 1) is
 * returned; 0 where the name is not of that form. */
uint32_t safetensors_index_name(struct text *out, const char *name);

#endif
