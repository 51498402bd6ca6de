/* quantize.h -- a GGUF model to a GGUF model of other types: the plan, byte for byte the file that
 * llama-quantize writes, and its execution.
 *
 *   quantize_plan    order, names, types and metadata of the output; reads no weights
 *   quantize_check   what forbids to run it: missing importance, quantized source, same file
 *   quantize_run     streams
 */
#ifndef LQ_CONVERT_QUANTIZE_H
#define LQ_CONVERT_QUANTIZE_H

#include "libquant/convert/imatrix.h"
#include "libquant/convert/recipe.h"
#include "libquant/convert/stream.h"

enum { OVERRIDE_SIZE = 128 }; /* of keys and strings, the NUL included: llama.cpp's limit */

/* KEY=int:N, KEY=float:X, KEY=bool:true, KEY=str:TEXT. Integers become u32 and lose their sign, as
 * llama-quantize writes them. */
struct kv_override {
    char key[OVERRIDE_SIZE];
    uint8_t type;  /* META_U32, META_F32, META_BOOL or META_STRING */
    bool negative; /* the sign of an integer was lost */
    union {
        uint32_t u32; /* META_BOOL too */
        float f32;
        char string[OVERRIDE_SIZE];
    } v;
};

/* LQ_E_USAGE where it is malformed. */
lq_status kv_override_parse(struct kv_override *o, const char *text, lq_error *err);

struct quantize_options {
    struct recipe recipe;          /* has_importance is left to the plan */
    const struct imatrix *imatrix; /* NULL or without entries: none */
    const char *imatrix_path;      /* as given: goes into the metadata */
    const char *const *include, *const *exclude; /* what its entries were chosen by, for the record */
    size_t n_include, n_exclude;
    const struct kv_override *overrides;
    size_t n_overrides;
    const uint32_t *prune; /* numbers of the layers to leave out, ascending, each once */
    size_t n_prune;
    bool allow_requantize;
    bool keep_split; /* as many files as the source has, "OUT-00001-of-0000N.gguf" */
};

struct quantize_plan {
    const struct catalog *source;
    const struct quantize_options *options;
    struct output output;       /* catalog.tensors[i] is made of *in[i] */
    const struct tensor **in;
    struct choice *choices;
    struct step *steps;
    const float **importance;   /* output.importance: NULL for tensors without */
    uint32_t *groups;
    uint64_t bytes_in, bytes_out, elements; /* of the tensors that are written */
    size_t n_quantized;         /* tensors that change their type */
    size_t n_fallbacks;         /* that got another type than the recipe wanted */
    size_t n_without;           /* with a matrix: quantized tensors that it has no entry for */
    size_t n_pruned_layers;
    const char *stale_key;      /* metadata with a value for each layer, those of pruned layers too;
                                   or NULL */
};

/* True where the output tensor i is not simply copied. */
bool quantize_changes(const struct quantize_plan *p, size_t i);

/* Plans `source` -> `path`. Both, and the options, must outlive the plan. The source must be a GGUF
 * model (LQ_E_UNSUPPORTED). Fills a zeroed plan; on failure it has been released. */
lq_status quantize_plan(struct quantize_plan *p, const struct catalog *source, const char *path,
                        const struct quantize_options *options, lq_error *err);

/* LQ_E_USAGE: already quantized, or one file for input and output. LQ_E_MODEL: importance is missing
 * where it is needed, or has another shape than the tensor. */
lq_status quantize_check(const struct quantize_plan *p, lq_error *err);

/* Checks, and writes the output. `digests` (one for each file) may be NULL. */
lq_status quantize_run(struct quantize_plan *p, const struct stream_options *options,
                       uint8_t (*digests)[32], lq_error *err);

void quantize_release(struct quantize_plan *p);

/* ---- quantize_meta.c: for quantize.c ---- */

/* The output's metadata but for the number of layers: what the source has, the version of
 * quantization, the type, overrides, where the importance comes from. Keys and values of the source
 * are shared, not copied. */
lq_status quantize_metadata(struct catalog *out, const struct catalog *source,
                            const struct quantize_options *options, lq_error *err);

/* Sets a u32 as the last entry. */
lq_status quantize_put_u32(struct catalog *out, const char *key, uint32_t value, lq_error *err);

#endif
