/* convert_tensors.h -- any model to safetensors: the same tensors under the same names, as floats.
 * Quantized checkpoints and GGUF files become what their numbers stand for; other integers are
 * copied. Nothing of the model need be understood. */
#ifndef LQ_CONVERT_CONVERT_TENSORS_H
#define LQ_CONVERT_CONVERT_TENSORS_H

#include "libquant/convert/split.h"
#include "libquant/convert/fp8_scales.h"
#include "libquant/model/model.h"

struct packed;

struct tensors_options {
    const struct type_info *type; /* one that is stored as it is; NULL: floats keep theirs, others
                                     become BF16 */
    enum fp8_form fp8;            /* weights of layers become E4M3 with scales */
    const char *out;              /* a file or an existing folder */
    struct split_limits split;
};

struct tensors_conversion {
    struct model model;        /* its source; the configuration where there is one; no more */
    struct arena arena;
    struct step *steps;
    struct output output;
    uint8_t (*digests)[32];    /* of each file, after the run */
    const char *index;         /* path of the index of several files, or NULL */
    struct packed **packed;    /* weights that the source keeps in several tensors */
    size_t n_packed;
    bool *is_part;             /* of the source's tensors: those of which packed weights are made */
    size_t n_dropped;          /* scales, which are in the values now */
    enum fp8_form fp8;
    struct fp8_weight *scaled; /* weights that become E4M3 with scales */
    size_t n_scaled;
    const char **plain;        /* linear layers that do not, without ".weight" */
    size_t n_plain;
    const char *config;        /* path of the config.json that tells so; NULL: none is written */
};

/* Fills a zeroed struct; convert_tensors_release also after a failure. */
lq_status convert_tensors_plan(struct tensors_conversion *c, const char *path,
                               const struct tensors_options *options, lq_error *err);
lq_status convert_tensors_run(struct tensors_conversion *c, const struct stream_options *options,
                              lq_error *err);
void convert_tensors_release(struct tensors_conversion *c);

#endif
