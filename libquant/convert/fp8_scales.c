/* fp8_scales.c -- scales for weights that become E4M3, and the weights under them. */
#include "libquant/convert/fp8_scales.h"

#include "libquant/base/threads.h"
#include "libquant/codec/kernels.h"
#include "libquant/convert/make_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_ELEMENTS = 1 << 18 };

static const float LARGEST = 448; /* of E4M3 */

/* ---- which weights ---- */

bool fp8_is_for(const struct tensor *t)
{
    static const char *const others[] = {".gate.weight", ".router.weight",
                                         ".shared_expert_gate.weight"};
    if (t->rank != 2 || !text_ends_with(t->name, ".weight") || t->type->flags & TYPE_INTEGER ||
        !strstr(t->name, "layers."))
        return false;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (text_ends_with(t->name, others[i]))
            return false;
    return true;
}

static uint64_t blocks(uint64_t n, uint64_t block)
{
    return block ? (n + block - 1) / block : 1;
}

lq_status fp8_init(struct fp8_weight *w, const struct tensor *t, enum fp8_form form,
                   struct arena *a, lq_error *err)
{
    const uint16_t id = t->type->id;
    const bool plain = id == LQ_TYPE_F32 || id == LQ_TYPE_F16;
    *w = (struct fp8_weight){.name = t->name, .rows = t->dim[0], .cols = t->dim[1],
                             .block = form == FP8_BLOCK ? FP8_BLOCK_SIZE : 0,
                             .scale_type = plain ? t->type : &type_BF16};
    w->scale_rows = blocks(w->rows, w->block);
    w->scale_cols = blocks(w->cols, w->block);
    w->scales = arena_calloc(a, w->scale_rows * w->scale_cols, sizeof *w->scales);
    return w->scales ? LQ_OK : lq_fail_memory(err);
}

/* ---- the steps ---- */

static float *scale_at(const struct fp8_weight *w, uint64_t row, uint64_t col)
{
    return w->block ? &w->scales[row / w->block * w->scale_cols + col / w->block] : w->scales;
}

static lq_status values(const struct fp8_weight *w, uint64_t row, uint64_t n, float *dst,
                        unsigned isa, lq_error *err)
{
    void *const raw = mem_calloc(make_rows_raw_bytes(&w->source, n * w->cols), 1);
    if (!raw)
        return lq_fail_memory(err);
    const lq_status status = step_floats(&w->source, row, n, w->cols, raw, dst, isa, err);
    free(raw);
    return status;
}

static lq_status fill_numbers(const struct step *s, uint64_t row, uint64_t n, float *dst,
                              unsigned isa, lq_error *err)
{
    const struct fp8_weight *const w = s->data;
    LQ_TRY(values(w, row, n, dst, isa, err));
    for (uint64_t i = 0; i < n; i++)
        for (uint64_t k = 0; k < w->cols; k++)
            dst[i * w->cols + k] /= *scale_at(w, row + i, k);
    return LQ_OK;
}

static lq_status fill_scales(const struct step *s, uint64_t row, uint64_t n, float *dst,
                             unsigned isa, lq_error *err)
{
    const struct fp8_weight *const w = s->data;
    (void)isa;
    (void)err;
    memcpy(dst, w->scales + row * w->scale_cols, n * w->scale_cols * sizeof *dst);
    return LQ_OK;
}

struct step fp8_numbers(const struct fp8_weight *w)
{
    return (struct step){.source = w->source.source, .in = w->source.in, .n_in = w->source.n_in,
                         .fill = fill_numbers, .data = w,
                         .chunk_elements = w->source.chunk_elements};
}

struct step fp8_scales(const struct fp8_weight *w)
{
    return (struct step){.source = w->source.source, .in = w->source.in, .n_in = w->source.n_in,
                         .fill = fill_scales, .data = w};
}

/* ---- the scales ---- */

/* The largest magnitudes, in the places of the scales. A row of them is met row by row. */
static lq_status find_maxima(struct fp8_weight *w, unsigned isa, lq_error *err)
{
    const uint64_t per_chunk = w->cols < CHUNK_ELEMENTS ? CHUNK_ELEMENTS / w->cols : 1;
    float *const x = mem_calloc(per_chunk * w->cols, sizeof *x);
    lq_status status = x ? LQ_OK : lq_fail_memory(err);
    for (uint64_t row = 0; row < w->rows && status == LQ_OK; row += per_chunk) {
        const uint64_t n = w->rows - row < per_chunk ? w->rows - row : per_chunk;
        status = values(w, row, n, x, isa, err);
        for (uint64_t i = 0; i < n && status == LQ_OK; i++)
            for (uint64_t k = 0; k < w->cols; k++) {
                const float magnitude = fabsf(x[i * w->cols + k]);
                float *const max = scale_at(w, row + i, k);
                if (!(magnitude <= 3.40282347e38f))
                    status = lq_fail(err, LQ_E_MODEL,
                                     "has a weight that is infinite or not a number, for which "
                                     "there is no scale");
                else if (magnitude > *max)
                    *max = magnitude;
            }
    }
    free(x);
    return status;
}

/* Of zeros only, or so small that its type has no such scale: 1. */
static lq_status make_scales(struct fp8_weight *w, unsigned isa, lq_error *err)
{
    const size_t n = (size_t)(w->scale_rows * w->scale_cols);
    const struct kernel k = kernel_for(w->scale_type, isa);
    void *const stored = mem_calloc(type_bytes(w->scale_type, n), 1);
    if (!stored)
        return lq_fail_memory(err);
    for (size_t i = 0; i < n; i++)
        w->scales[i] /= LARGEST;
    k.encode(stored, w->scales, 1, n, NULL);
    k.decode(w->scales, stored, n);
    for (size_t i = 0; i < n; i++)
        if (w->scales[i] == 0)
            w->scales[i] = 1;
    free(stored);
    return LQ_OK;
}

lq_status fp8_measure(struct fp8_weight *w, size_t n, unsigned isa, unsigned threads, lq_error *err)
{
    lq_status *const status = mem_calloc(n, sizeof *status);
    lq_error *const errors = mem_calloc(n, sizeof *errors);
    lq_status result = status && errors ? LQ_OK : lq_fail_memory(err);
    const int workers = (int)threads_resolve(threads);
#pragma omp parallel for num_threads(workers) schedule(dynamic, 1) if (result == LQ_OK)
    for (size_t i = 0; i < n; i++) {
        fenv_t saved;
        if (result != LQ_OK)
            continue;
        fp_enter(&saved);
        status[i] = find_maxima(&w[i], isa, &errors[i]);
        if (status[i] == LQ_OK)
            status[i] = make_scales(&w[i], isa, &errors[i]);
        fp_leave(&saved);
    }
    for (size_t i = 0; i < n && result == LQ_OK; i++)
        if ((result = status[i]) != LQ_OK) {
            lq_error_add_tensor(&errors[i], w[i].name);
            if (err)
                *err = errors[i];
        }
    free(status);
    free(errors);
    return result;
}

/* ---- what config.json says of them ---- */

void fp8_config(struct text *t, enum fp8_form form, const char *const *ignored, size_t n_ignored)
{
    text_puts(t, "{\"quant_method\": \"compressed-tensors\", \"format\": \"float-quantized\", "
                 "\"quantization_status\": \"compressed\", \"ignore\": [\"lm_head\"");
    for (size_t i = 0; i < n_ignored; i++) {
        text_puts(t, ", ");
        text_put_json(t, ignored[i], strlen(ignored[i]));
    }
    text_printf(t,
                "], \"config_groups\": {\"group_0\": {\"targets\": [\"Linear\"], "
                "\"input_activations\": null, \"output_activations\": null, \"weights\": "
                "{\"num_bits\": 8, \"type\": \"float\", \"symmetric\": true, \"dynamic\": false, "
                "\"strategy\": \"%s\"",
                form == FP8_BLOCK ? "block" : "tensor");
    if (form == FP8_BLOCK)
        text_printf(t, ", \"block_structure\": [%d, %d]", FP8_BLOCK_SIZE, FP8_BLOCK_SIZE);
    text_puts(t, "}}}}");
}
