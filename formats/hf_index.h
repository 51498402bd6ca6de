/* hf_index.h -- sharded safetensors by their index. */
#ifndef LQ_FORMATS_HF_INDEX_H
#define LQ_FORMATS_HF_INDEX_H

#include "libquant/catalog/catalog.h"

/* Reads the index and the headers of all shards that it names. The source stays the caller's; on
 * failure the caller releases c. */
lq_status hf_index_open(struct catalog *c, struct source *source, struct resolver *siblings,
                        lq_error *err);

#endif
