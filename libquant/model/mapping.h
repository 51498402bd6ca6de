/* mapping.h -- which tensors of a checkpoint become which tensors of the output, checked for
 * completeness. */
#ifndef LQ_MODEL_MAPPING_H
#define LQ_MODEL_MAPPING_H

#include "libquant/model/model.h"

enum { MAPPED_RANK = 4 };

/* One output tensor. */
struct mapped {
    const char *name;                /* in the output */
    const struct tensor_rule *rule;  /* NULL: `values` */
    const struct tensor *const *in;  /* n_in tensors of the model's source */
    uint32_t n_in;
    uint32_t layer;                  /* or UINT32_MAX */
    uint32_t rank;
    uint64_t dim[MAPPED_RANK];       /* outermost first, after the transform */
    bool f32;                        /* stays F32 in every output */
    const struct type_info *packed;  /* the transform makes blocks of this type, or NULL */
    const float *values;             /* of a tensor without source */
    const struct tensor *const *scales; /* of each of in[], where it is stored scaled; or NULL */
    uint64_t order;                  /* place in the output */
};

struct mapping {
    struct mapped *tensors; /* in the order of the output */
    size_t n, cap;
    struct arena arena;
    uint64_t parameters;       /* elements of all output tensors */
    uint64_t shared, experts;  /* elements outside of experts, elements of one expert */
    uint64_t expert_count;
};

/* Maps all tensors of the model. LQ_E_MODEL, with the tensor's name and what the configuration
 * promised, where one is missing, has another shape, or is left over. Fills a zeroed struct. */
lq_status mapping_make(struct mapping *map, struct model *m, lq_error *err);
void mapping_release(struct mapping *map);

/* Appends a zeroed tensor; NULL when out of memory. For arch.extra. */
struct mapped *mapping_add(struct mapping *map);

#endif
