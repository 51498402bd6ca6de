/* convert.h -- a checkpoint to GGUF, in one or several types, in one pass.
 *
 *   convert_plan   opens, understands, maps, names, lays out; reads headers and small files only.
 *                  Everything that can be refused is refused here
 *   convert_run    streams
 *
 * F32, F16, BF16, Q8_0, TQ1_0 and TQ2_0 give the file that llama.cpp's convert_hf_to_gguf.py gives.
 * Every other type, and every mix, gives the file that `lq quantize` makes of the F32 one, or, with
 * `via`, of the one in that type.
 */
#ifndef LQ_CONVERT_CONVERT_H
#define LQ_CONVERT_CONVERT_H

#include "libquant/convert/plan_steps.h"
#include "libquant/convert/quantize.h"
#include "libquant/convert/split.h"
#include "libquant/model/metadata.h"

struct convert_options {
    const char *const *types; /* names, "auto" among them */
    size_t n_types;
    const char *out;          /* a file, which may hold {type}; a folder; NULL: in the source folder */
    const struct type_info *via; /* F16 or BF16: the intermediate of two-step conversions, or NULL */
    struct metadata_options metadata;
    struct quantize_options quantize; /* for types that are made by quantizing; recipe.mix is set
                                         for each */
    struct split_limits split;
    bool vocab_only;
};

/* One of the models that are written. */
struct convert_output {
    const char *type;     /* as file names have it: "F16", "Q4_K_M" */
    uint32_t file_type;   /* general.file_type */
    const char *path;     /* of the only file, or what the names of several are made of */
    struct output *output;
    struct catalog catalog;      /* of a direct type */
    struct output direct;
    struct quantize_plan quantized;  /* of one that is made by quantizing */
    struct quantize_options quantize;
    const struct mix *mix;       /* NULL: direct */
    struct step *steps;          /* of its own, where blocks are unpacked for it; else NULL */
    const struct type_info *plain;
    uint8_t (*digests)[32];      /* of each file, after convert_run */
};

struct conversion {
    const struct convert_options *options;
    struct model model;
    struct mapping map;
    struct catalog base;    /* the metadata of all outputs; tensors as quantizing starts from */
    struct metadata_names names;
    struct step *steps;     /* [map.n], in the order of the mapping: of direct outputs */
    struct step *sorted;    /* [map.n], in the order of quantized files, or NULL */
    struct convert_output *outputs;
    size_t n_outputs;
};

/* Fills a zeroed struct; convert_release also after a failure. The options must outlive it. */
lq_status convert_plan(struct conversion *c, const char *path, const struct convert_options *options,
                       lq_error *err);

/* Writes all outputs. */
lq_status convert_run(struct conversion *c, const struct stream_options *options, lq_error *err);

void convert_release(struct conversion *c);

#endif
