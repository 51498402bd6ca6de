/* mapping_parts.h -- what mapping.c is made of. */
#ifndef LQ_MODEL_MAPPING_PARTS_H
#define LQ_MODEL_MAPPING_PARTS_H

#include "libquant/model/mapping.h"

enum { MAPPING_NAME = 512 }; /* longest name, its NUL included */

/* ---- mapping_names.c ---- */

/* The name by which rules look for a source tensor. NULL: out of memory. */
const char *mapping_canonical(const struct model *m, const char *name, struct arena *a);
/* Whether a tensor that no rule asks for may be left out. */
bool mapping_ignorable(const struct model *m, const char *name);
/* Writes a rule's name with its numbers filled in. False: it does not fit. */
bool mapping_expand(char dst[MAPPING_NAME], const char *pattern, int64_t layer, uint64_t expert);

/* ---- mapping_shape.c ---- */

/* Whether the configuration tells all sizes of the rule's shape. */
bool mapping_sized(const struct model *m, const struct tensor_rule *r);
/* LQ_E_MODEL where the tensor has another shape than the rule's. */
lq_status mapping_check_shape(const struct model *m, const char *shape, const struct tensor *t,
                              lq_error *err);
/* Sets rank, dim and packed of an output from its rule and first input. */
lq_status mapping_out_shape(struct mapped *o, const struct model *m, lq_error *err);

#endif
