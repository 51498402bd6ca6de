/* model_view.c -- a model under the names that it shares with another one. */
#include "libquant/convert/model_view.h"

#include "formats/format.h"

lq_status model_view_open(struct model_view *v, const char *path, lq_error *err)
{
    LQ_TRY(model_open(&v->stored, path, err));
    v->catalog = &v->stored;
    return catalog_index(&v->stored, err);
}

void model_view_release(struct model_view *v)
{
    convert_release(&v->conversion);
    catalog_release(&v->stored);
}

bool model_view_is_gguf(const struct model_view *v)
{
    return v->steps || v->stored.format == &format_gguf;
}

static bool share_a_name(const struct catalog *a, const struct catalog *b)
{
    for (size_t i = 0; i < a->n_tensors; i++)
        if (catalog_find(b, a->tensors[i].name))
            return true;
    return false;
}

static lq_status see_as_gguf(struct model_view *v, lq_error *err)
{
    static const char *const type = "f32";
    v->options = (struct convert_options){.types = &type, .n_types = 1};
    LQ_TRY(convert_plan(&v->conversion, v->stored.path, &v->options, err));
    v->catalog = &v->conversion.base;
    v->steps = v->conversion.steps;
    return catalog_index(&v->conversion.base, err);
}

lq_status model_view_match(struct model_view *a, struct model_view *b, lq_error *err)
{
    if (model_view_is_gguf(a) == model_view_is_gguf(b) || share_a_name(a->catalog, b->catalog))
        return LQ_OK;
    return see_as_gguf(model_view_is_gguf(a) ? b : a, err);
}

struct compared model_view_rows(const struct model_view *v, const struct tensor *const *t)
{
    if (!v->steps)
        return compared_tensor(v->catalog, t);
    const struct step *const step = &v->steps[*t - v->catalog->tensors];
    return (struct compared){*step, step->fill_raw ? (*t)->type : NULL};
}

const struct type_info *model_view_type(const struct model_view *v, const struct tensor *t)
{
    const struct step *const step = v->steps ? &v->steps[t - v->catalog->tensors] : NULL;
    return !step ? t->type : step->n_in ? step->in[0]->type : NULL;
}
