/* lineage_layers.c -- finds layers that were left out, moved or repeated, by samples of their
 * weights.
 *
 * A layer's sample is two rows' beginnings of each of its matrices. Two layers are as alike as the
 * mean cosine of the samples that both have. Samples of unrelated weights have cosines of about
 * 1/sqrt(elements), so LIKE is tens of standard deviations away from chance.
 */
#include "libquant/provenance/lineage_layers.h"

#include "libquant/base/text.h"
#include "libquant/convert/make_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS = 12, PART = 256, SAMPLE = 2 * PART, MOST_LAYERS = 1024 };

#define LIKE   0.3 /* least mean cosine of a layer with what it continues */
#define MARGIN 0.1 /* and by how much it must beat all others */

/* ---- names ---- */

/* The first part between dots that is a number: *begin, *end. */
static bool find_number(const char *name, const char **begin, const char **end, uint32_t *layer)
{
    for (const char *p = name; *p;) {
        const size_t len = strcspn(p, "."), digits = strspn(p, "0123456789");
        char number[8];
        uint64_t value;
        if (len && digits == len && len < sizeof number) {
            memcpy(number, p, len);
            number[len] = '\0';
            if (text_parse_u64(number, 999999, &value)) {
                *begin = p;
                *end = p + len;
                *layer = (uint32_t)value;
                return true;
            }
        }
        p += len + (p[len] == '.');
    }
    return false;
}

bool layers_number(const char *name, uint32_t *layer)
{
    const char *begin, *end;
    return find_number(name, &begin, &end, layer);
}

static uint32_t count_layers(const struct catalog *c)
{
    uint32_t n = 0, layer;
    for (size_t i = 0; i < c->n_tensors; i++)
        if (layers_number(c->tensors[i].name, &layer) && layer >= n)
            n = layer + 1;
    return n;
}

static const struct tensor *find_renumbered(const struct catalog *c, const char *begin,
                                            const char *end, const char *name, uint32_t layer,
                                            bool *failed)
{
    struct text t = {0};
    text_printf(&t, "%.*s%u%s", (int)(begin - name), name, layer, end);
    const struct tensor *const found = t.failed ? NULL : catalog_find(c, t.data);
    *failed = t.failed;
    text_free(&t);
    return found;
}

lq_status layers_counterpart(const struct lineage *l, size_t base, const struct tensor *claimed,
                             const struct tensor **out, lq_error *err)
{
    const struct catalog *const c = l->base[base].catalog;
    const char *begin, *end;
    uint32_t layer;
    bool failed = false;
    if (!find_number(claimed->name, &begin, &end, &layer)) {
        *out = catalog_find(c, claimed->name);
        /* an output matrix that is the embeddings, tied in the base */
        if (!*out && strcmp(claimed->name, "output.weight") == 0)
            *out = catalog_find(c, "token_embd.weight");
        return LQ_OK;
    }
    if (layer < l->n_layers)
        layer = l->layers[base * l->n_layers + layer].layer;
    *out = find_renumbered(c, begin, end, claimed->name, layer, &failed);
    return failed ? lq_fail_memory(err) : LQ_OK;
}

/* ---- samples ---- */

struct samples {
    const struct model_view *view;
    uint32_t layers;
    float *values;  /* [layers][PARTS][SAMPLE] */
    uint8_t *there; /* [layers][PARTS] */
};

/* Names of the matrices of a layer, without what stands before them. */
struct parts {
    const char *end[PARTS];
    size_t n;
};

static bool is_matrix(const struct model_view *v, const struct tensor *t)
{
    const struct type_info *const type = model_view_type(v, t);
    const struct compared c = model_view_rows(v, &t);
    const bool has_values = c.step.fill || (type && type->decode);
    return t->rank >= 2 && tensor_rows(t) > 1 && tensor_cols(t) >= 16 && !c.packed && has_values &&
           !(type && (type->flags & TYPE_INTEGER));
}

static void list_parts(struct parts *p, const struct model_view *v)
{
    for (size_t i = 0; i < v->catalog->n_tensors && p->n < PARTS; i++) {
        const struct tensor *const t = &v->catalog->tensors[i];
        const char *begin, *end;
        uint32_t layer;
        bool known = false;
        if (!find_number(t->name, &begin, &end, &layer) || !is_matrix(v, t))
            continue;
        for (size_t k = 0; k < p->n; k++)
            known = known || strcmp(p->end[k], end) == 0;
        if (!known)
            p->end[p->n++] = end;
    }
}

static size_t part_of(const struct parts *p, const char *end)
{
    size_t k = 0;
    while (k < p->n && strcmp(p->end[k], end) != 0)
        k++;
    return k;
}

static lq_status sample_rows(const struct model_view *v, const struct tensor *t, float *out,
                             unsigned isa, lq_error *err)
{
    const struct compared c = model_view_rows(v, &t);
    const uint64_t cols = tensor_cols(t), rows[2] = {0, tensor_rows(t) / 2};
    void *const raw = mem_calloc((size_t)make_rows_raw_bytes(&c.step, cols) + 1, 1);
    float *const x = mem_calloc((size_t)cols, sizeof *x);
    lq_status status = raw && x ? LQ_OK : lq_fail_memory(err);
    for (int i = 0; i < 2 && status == LQ_OK; i++) {
        status = step_floats(&c.step, rows[i], 1, cols, raw, x, isa, err);
        for (size_t k = 0; k < PART && k < cols && status == LQ_OK; k++)
            out[i * PART + (int)k] = isfinite(x[k]) ? x[k] : 0;
    }
    free(raw);
    free(x);
    return status;
}

static lq_status take_samples(struct samples *s, const struct parts *parts, unsigned isa,
                              lq_error *err)
{
    const struct catalog *const c = s->view->catalog;
    s->values = mem_calloc((size_t)s->layers * PARTS, SAMPLE * sizeof *s->values);
    s->there = mem_calloc((size_t)s->layers, PARTS);
    if (!s->values || !s->there)
        return lq_fail_memory(err);
    for (size_t i = 0; i < c->n_tensors; i++) {
        const char *begin, *end;
        uint32_t layer;
        if (!find_number(c->tensors[i].name, &begin, &end, &layer) || layer >= s->layers ||
            !is_matrix(s->view, &c->tensors[i]))
            continue;
        const size_t part = part_of(parts, end), at = layer * (size_t)PARTS + part;
        if (part == parts->n || s->there[at])
            continue;
        LQ_TRY(sample_rows(s->view, &c->tensors[i], s->values + at * SAMPLE, isa, err));
        s->there[at] = 1;
    }
    return LQ_OK;
}

static void samples_free(struct samples *s)
{
    free(s->values);
    free(s->there);
}

/* Mean cosine of the parts that both layers have; 0 where there are none. */
static double likeness(const struct samples *a, uint32_t i, const struct samples *b, uint32_t j)
{
    double sum = 0;
    int n = 0;
    for (size_t p = 0; p < PARTS; p++) {
        const size_t ai = i * (size_t)PARTS + p, bj = j * (size_t)PARTS + p;
        const float *const x = a->values + ai * SAMPLE, *const y = b->values + bj * SAMPLE;
        double xx = 0, yy = 0, xy = 0;
        if (!a->there[ai] || !b->there[bj])
            continue;
        for (size_t k = 0; k < SAMPLE; k++) {
            xx += (double)x[k] * (double)x[k];
            yy += (double)y[k] * (double)y[k];
            xy += (double)x[k] * (double)y[k];
        }
        n++;
        sum += xx > 0 && yy > 0 ? xy / (sqrt(xx) * sqrt(yy)) : 0;
    }
    return n ? sum / n : 0;
}

/* ---- the map ---- */

static struct layer_match match(const struct samples *a, uint32_t i, const struct samples *b)
{
    struct layer_match best = {.layer = i};
    double first = -2, second = -2;
    for (uint32_t j = 0; j < b->layers; j++) {
        const double like = likeness(a, i, b, j);
        if (like > first) {
            second = first;
            first = like;
            best.layer = j;
        } else if (like > second) {
            second = like;
        }
    }
    best.likeness = first;
    best.found = first >= LIKE && first >= second + MARGIN;
    /* Of layers that are alike, and where nothing is alike, the name decides. */
    if (i < b->layers && (!best.found || likeness(a, i, b, i) >= first - MARGIN)) {
        best.layer = i;
        best.likeness = likeness(a, i, b, i);
        best.found = best.likeness >= LIKE;
    } else if (!best.found) {
        best.layer = i;
    }
    return best;
}

static lq_status map_base(struct lineage *l, size_t base, const struct samples *claimed,
                          const struct parts *parts, unsigned isa, lq_error *err)
{
    struct layer_match *const out = l->layers + base * l->n_layers;
    struct samples b = {.view = &l->base[base]};
    b.layers = l->base_layers[base];
    const lq_status status = take_samples(&b, parts, isa, err);
    for (uint32_t i = 0; i < l->n_layers && status == LQ_OK; i++)
        out[i] = match(claimed, i, &b);
    samples_free(&b);
    return status;
}

lq_status layers_map(struct lineage *l, const struct lineage_options *options, lq_error *err)
{
    struct samples claimed = {.view = &l->claimed};
    struct parts parts = {0};
    bool few = true;
    claimed.layers = count_layers(l->claimed.catalog);
    for (size_t b = 0; b < l->n_bases; b++) {
        l->base_layers[b] = count_layers(l->base[b].catalog);
        few = few && l->base_layers[b] <= MOST_LAYERS;
    }
    if (claimed.layers > MOST_LAYERS || !few)
        return LQ_OK; /* no such model is known: names alone decide */
    l->n_layers = claimed.layers;
    l->layers = mem_calloc(l->n_layers * l->n_bases, sizeof *l->layers);
    if (!l->layers)
        return lq_fail_memory(err);
    list_parts(&parts, &l->claimed);
    lq_status status = take_samples(&claimed, &parts, options->isa, err);
    for (size_t b = 0; b < l->n_bases && status == LQ_OK; b++)
        status = map_base(l, b, &claimed, &parts, options->isa, err);
    samples_free(&claimed);
    return status;
}
