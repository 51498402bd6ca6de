/* hf_dir.h -- a model as a folder. */
#ifndef LQ_FORMATS_HF_DIR_H
#define LQ_FORMATS_HF_DIR_H

#include "libquant/catalog/catalog.h"

/* Opens what a folder holds: safetensors files with or without an index, or one GGUF model. A
 * Hugging Face cache entry (models--org--name) stands for the snapshot that refs/main names, or for
 * its only one; c->path is then that snapshot. On failure the caller releases c. */
lq_status hf_dir_open_folder(struct catalog *c, const char *path, lq_error *err);

#endif
