/* fp8_scales.h -- weights as E4M3 with scales, as compressed-tensors has them ("float-quantized"):
 *
 *   NAME.weight        [rows, cols], F8_E4M3
 *   NAME.weight_scale  [1], or [rows / 128, cols / 128] rounded up: weight = number * scale
 *
 * A scale is the largest magnitude of what it is for, divided by 448, the largest E4M3 number, and
 * rounded to the type that it is stored in. Every number is the weight divided by its scale as it is
 * stored, in single precision, rounded to nearest even.
 */
#ifndef LQ_CONVERT_FP8_SCALES_H
#define LQ_CONVERT_FP8_SCALES_H

#include "libquant/base/text.h"
#include "libquant/convert/stream.h"

enum fp8_form {
    FP8_NONE,
    FP8_TENSOR, /* a scale for the whole weight */
    FP8_BLOCK   /* one for each 128 rows and columns */
};
enum { FP8_BLOCK_SIZE = 128 };

struct fp8_weight {
    const char *name;             /* of the weight */
    struct step source;           /* its values: set before fp8_numbers and fp8_measure */
    uint64_t rows, cols;
    uint64_t block;               /* rows and columns that share a scale; 0: all */
    uint64_t scale_rows, scale_cols;
    const struct type_info *scale_type;
    float *scales;                /* after fp8_measure */
};

/* Whether the weight is one of a linear layer within the layers of a model: what FP8 is for. Names
 * and shapes tell: routers of experts, embeddings and the output stay as they are. */
bool fp8_is_for(const struct tensor *t);

/* Fills w for a weight of this shape, but for `source`. Memory is the arena's. */
lq_status fp8_init(struct fp8_weight *w, const struct tensor *t, enum fp8_form form,
                   struct arena *a, lq_error *err);

/* Steps that make the weight's numbers and its scales of what fp8_measure found. */
struct step fp8_numbers(const struct fp8_weight *w);
struct step fp8_scales(const struct fp8_weight *w);

/* Reads n weights and finds their scales, on up to `threads` threads (0: one per processor).
 * LQ_E_MODEL where a weight is infinite or not a number. */
lq_status fp8_measure(struct fp8_weight *w, size_t n, unsigned isa, unsigned threads, lq_error *err);

/* "quantization_config" for config.json: JSON without a newline at the end. `ignored`: names of linear
 * layers that stay as they are. */
void fp8_config(struct text *t, enum fp8_form form, const char *const *ignored, size_t n_ignored);

#endif
