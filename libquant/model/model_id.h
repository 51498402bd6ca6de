/* model_id.h -- what the name of a model tells: "Org/Base-7B-Instruct-v0.2". */
#ifndef LQ_MODEL_MODEL_ID_H
#define LQ_MODEL_MODEL_ID_H

#include "libquant/base/memory.h"

/* All NULL where the name does not tell. */
struct model_id {
    const char *name; /* without the organization */
    const char *organization, *basename, *finetune, *version, *size_label;
};

/* `parameters`: of the model, to tell size labels from context lengths; 0 where it is not known.
 * Strings live in the arena. False: out of memory. The rules are those of gguf-py's metadata.py. */
bool model_id_parse(struct model_id *out, const char *id, uint64_t parameters, struct arena *a);

/* "some-model-v1" becomes "Some Model v1": words in lower case get capitals, except versions and
 * what begins with a digit. NULL when out of memory. */
char *model_id_title(const char *s, struct arena *a);

/* "7B", "135M", "8x7B": at least two digits. */
char *model_size_label(uint64_t parameters, uint64_t shared, uint64_t experts,
                       uint64_t expert_count, struct arena *a);

#endif
