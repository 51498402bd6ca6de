/* metadata.h -- general.* metadata: what a model is called, by whom it was made, on what it is based.
 *
 * Where the facts come from, in order of precedence: the caller's override file and name, the model
 * card, config.json, the name of the folder (for a Hugging Face cache: of the cache entry).
 */
#ifndef LQ_MODEL_METADATA_H
#define LQ_MODEL_METADATA_H

#include "libquant/model/mapping.h"

struct metadata_options {
    const char *name;          /* --model-name, or NULL */
    const char *id;            /* what the folder would be called, ORG/NAME or NAME; NULL: as it is */
    struct source *overrides;  /* --metadata: a JSON object of general.* keys, or NULL */
};

/* What file names are made of, and where the name came from. Strings live in the model's arena. */
struct metadata_names {
    const char *name, *basename, *finetune, *version, *size_label; /* or NULL */
    const char *id;        /* what the folder is called, ORG/NAME or NAME */
    const char *name_from; /* "the model card", ... */
};

/* Writes general.type to general.languages. `map` may be NULL (vocabulary only). */
lq_status metadata_write(struct model *m, const struct mapping *map,
                         const struct metadata_options *options, struct catalog *out,
                         struct metadata_names *names, lq_error *err);

/* Writes what the model says about its licence as strings: license, license_name, license_link, as a
 * model card has them; lists with commas. For formats whose metadata are strings. */
lq_status metadata_write_license(struct model *m, struct catalog *out, lq_error *err);

/* "Base-7B-Instruct-v1-Q4_K_M" (without an extension), as gguf-py's naming_convention makes it.
 * `type` may be NULL; `kind` ("vocab") too. NULL when out of memory. */
char *metadata_file_name(const struct metadata_names *names, const char *type, const char *kind,
                         struct arena *a);

#endif
