/* eval_model.c -- opens what is evaluated. */
#include "tools/eval_model.h"

#include "formats/format.h"
#include "libquant/codec/kernels.h"
#include "libquant/convert/make_rows.h"

#include <inttypes.h>
#include <string.h>

/* ---- a checkpoint's tensors, as steps of its conversion ---- */

static const struct step *step_of(const struct weights *w, const struct tensor *t)
{
    const struct conversion *const c = w->ctx;
    return &c->steps[t - w->catalog->tensors];
}

static uint64_t step_bytes(const struct weights *w, const struct tensor *t, uint64_t n)
{
    const struct step *const s = step_of(w, t);
    uint64_t bytes = 0;
    if (!s->fill_raw)
        return make_rows_raw_bytes(s, n * tensor_cols(t));
    return type_row_bytes(t->type, n * tensor_cols(t), &bytes) ? bytes : 0;
}

static lq_status step_rows(const struct weights *w, const struct tensor *t, uint64_t row,
                           uint64_t n, void *raw, float *dst, unsigned isa, lq_error *err)
{
    const struct step *const s = step_of(w, t);
    const uint64_t cols = tensor_cols(t);
    if (!s->fill_raw)
        return step_floats(s, row, n, cols, raw, dst, isa, err);
    LQ_TRY(s->fill_raw(s, row, n, raw, err));
    kernel_for(t->type, isa).decode(dst, raw, (size_t)(n * cols));
    return LQ_OK;
}

/* Positions that are scaled as a text needs it are not in GGUF's metadata: they exist at run time only. */
static lq_status add_dynamic_positions(struct conversion *c, lq_error *err)
{
    const struct config *const config = &c->model.config;
    const char *const type = config_string(config, "rope:rope_type");
    double factor = 1;
    if (!type || strcmp(type, "dynamic") != 0)
        return LQ_OK;
    LQ_TRY(config_f64(config, "rope:factor", &factor, err));
    const char *const arch = c->model.arch->name;
    const char *const kind = arena_printf(&c->base.arena, "%s.rope.scaling.type", arch);
    const char *const key = arena_printf(&c->base.arena, "%s.rope.scaling.factor", arch);
    if (!kind || !key)
        return lq_fail_memory(err);
    LQ_TRY(catalog_set_string(&c->base, kind, type, strlen(type), err));
    return catalog_set_float(&c->base, key, META_F32, factor, err);
}

lq_status eval_model_open(struct eval_model *m, const char *path, lq_error *err)
{
    static const char *const type = "f32";
    LQ_TRY(model_open(&m->stored, path, err));
    if (m->stored.format == &format_gguf) {
        LQ_TRY(catalog_index(&m->stored, err));
        m->weights = weights_stored(&m->stored);
        return LQ_OK;
    }
    m->options = (struct convert_options){.types = &type, .n_types = 1};
    LQ_TRY(convert_plan(&m->conversion, m->stored.path, &m->options, err));
    LQ_TRY(add_dynamic_positions(&m->conversion, err));
    LQ_TRY(catalog_index(&m->conversion.base, err));
    m->weights = (struct weights){&m->conversion.base, step_rows, step_bytes, &m->conversion, false};
    return LQ_OK;
}

void eval_model_close(struct eval_model *m)
{
    convert_release(&m->conversion);
    catalog_release(&m->stored);
    memset(m, 0, sizeof *m);
}

lq_status eval_model_spare(const struct eval_model *m, const char *out, lq_error *err)
{
    for (size_t i = 0; i < m->stored.n_files; i++)
        if (source_is_file(m->stored.files[i].source, out))
            return lq_fail_at(err, LQ_E_USAGE, out, -1, "is the model: it would be replaced");
    return LQ_OK;
}

void eval_model_warn_of_length(const struct context *ctx, const struct graph *g, uint64_t length)
{
    if (g->context && length > g->context && !ctx->quiet)
        fprintf(ctx->err,
                "lq: warning: the model was trained on texts of %" PRIu32 " tokens, and chunks of %" PRIu64
                " are longer\n",
                g->context, length);
}
