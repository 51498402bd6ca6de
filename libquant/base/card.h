/* card.h -- the front matter of a model card (README.md): YAML between two lines "---". */
#ifndef LQ_BASE_CARD_H
#define LQ_BASE_CARD_H

#include "libquant/base/source.h"

struct cJSON;

/* The front matter as a tree; *out is NULL where the text has none. Scalars are strings as they are
 * written, except null and true and false (a version 1.10 stays "1.10", and the language "no" is no
 * boolean). Of two equal keys the last counts. LQ_E_FORMAT where it is no valid YAML, or is larger or
 * deeper than any card. The caller releases with cJSON_Delete. */
lq_status card_parse(struct cJSON **out, const char *text, size_t len, const char *name,
                     lq_error *err);

/* The same for the model's README.md; *out is NULL where there is no such file. */
lq_status card_read(struct cJSON **out, struct resolver *files, lq_error *err);

#endif
