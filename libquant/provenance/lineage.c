/* lineage.c -- opens the models, pairs their tensors, and looks at each pair. */
#include "libquant/provenance/lineage.h"

#include "libquant/convert/recipe.h"
#include "libquant/provenance/lineage_change.h"
#include "libquant/provenance/lineage_derive.h"
#include "libquant/provenance/lineage_layers.h"
#include "libquant/provenance/lineage_verdict.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- opening ---- */

static lq_status open_all(struct lineage *l, const char *claimed, const char *const *bases,
                          size_t n_bases, lq_error *err)
{
    if (n_bases > LINEAGE_BASES)
        return lq_fail(err, LQ_E_USAGE, "%zu bases are too many: at most %d", n_bases,
                       LINEAGE_BASES);
    LQ_TRY(model_view_open(&l->claimed, claimed, err));
    for (size_t i = 0; i < n_bases; i++) {
        l->n_bases = i + 1;
        LQ_TRY(model_view_open(&l->base[i], bases[i], err));
    }
    /* A claimed checkpoint may take on the names of a GGUF base; then the others must follow. */
    for (int twice = 0; twice < 2; twice++)
        for (size_t i = 0; i < n_bases; i++)
            LQ_TRY(model_view_match(&l->claimed, &l->base[i], err));
    return LQ_OK;
}

/* ---- pairing ---- */

/* How the tensor of a base fits: not at all, the first rows, or all. */
enum fit { FIT_NOT, FIT_ROWS, FIT_ALL };

static bool is_vocabulary(const struct tensor *t)
{
    const enum role role = recipe_role(t->name);
    return role == ROLE_EMBEDDING || role == ROLE_OUTPUT || strstr(t->name, "embed_tokens") ||
           strstr(t->name, "lm_head") || strstr(t->name, "word_embeddings");
}

static enum fit fit_of(const struct tensor *claimed, const struct tensor *base)
{
    if (claimed->elements == base->elements && tensor_cols(claimed) == tensor_cols(base)) {
        /* GGUF drops outer sizes of one */
        const uint32_t ra = claimed->rank, rb = base->rank, n = ra < rb ? ra : rb;
        bool same = true;
        for (uint32_t i = 1; i <= n; i++)
            same = same && claimed->dim[ra - i] == base->dim[rb - i];
        return same ? FIT_ALL : FIT_NOT;
    }
    if (is_vocabulary(claimed) && claimed->rank == 2 && base->rank == 2 &&
        tensor_cols(claimed) == tensor_cols(base) && tensor_rows(base) && tensor_rows(claimed))
        return FIT_ROWS;
    return FIT_NOT;
}

static void set_importance(struct lineage_pair *p, const struct tensor *base,
                           const struct imatrix *m)
{
    const struct imatrix_entry *const e = m ? imatrix_find(m, base->name) : NULL;
    const uint64_t stack = recipe_stack(base);
    if (!e || !stack || e->n % stack || e->n / stack != tensor_cols(base) ||
        tensor_rows(base) % stack)
        return;
    p->importance = e->values;
    p->group_rows = tensor_rows(base) / stack;
}

/* Rows that both have. */
static uint64_t rows_of_both(const struct tensor *a, const struct tensor *b)
{
    return tensor_rows(a) < tensor_rows(b) ? tensor_rows(a) : tensor_rows(b);
}

/* Collects what the bases have for a claimed tensor: all of its rows where any base has; else bases that
 * have as many of its first rows as the first of them. */
static lq_status make_pair(struct lineage *l, struct tensor_lineage *t, struct lineage_pair *p,
                           const struct lineage_options *o, lq_error *err)
{
    p->claimed = model_view_rows(&l->claimed, &t->claimed);
    p->type = pass_stored_type(&p->claimed);
    p->precision = model_view_type(&l->claimed, t->claimed);
    p->rows = tensor_rows(t->claimed);
    p->cols = tensor_cols(t->claimed);
    const struct tensor *bases[LINEAGE_BASES];
    enum fit fits[LINEAGE_BASES], best = FIT_NOT;
    for (size_t i = 0; i < l->n_bases; i++) {
        LQ_TRY(layers_counterpart(l, i, t->claimed, &bases[i], err));
        fits[i] = bases[i] ? fit_of(t->claimed, bases[i]) : FIT_NOT;
        best = fits[i] > best ? fits[i] : best;
        t->other_shape = t->other_shape || (bases[i] && fits[i] == FIT_NOT);
    }
    t->more_rows = best == FIT_ROWS;
    for (size_t i = 0; i < l->n_bases; i++) {
        if (best == FIT_NOT || fits[i] != best)
            continue;
        const uint64_t rows = rows_of_both(t->claimed, bases[i]);
        const size_t n = p->n_bases;
        if (n && rows != p->rows)
            continue;
        p->n_bases++;
        p->rows = rows;
        p->base_tensor[n] = p->place[n] = bases[i];
        p->from[n] = i;
        p->base[n] = model_view_rows(&l->base[i], &p->place[n]);
        p->base_precision[n] = model_view_type(&l->base[i], bases[i]);
        if (n == 0)
            set_importance(p, bases[i], o->imatrix);
    }
    return LQ_OK;
}

/* ---- one tensor ---- */

static void only_base(struct lineage_pair *p, size_t from)
{
    size_t at = 0;
    while (at + 1 < p->n_bases && p->from[at] != from)
        at++;
    lineage_pair_front(p, at);
    p->n_bases = 1;
}

static struct tensor_lineage blank(const struct tensor_lineage *t)
{
    const double none = (double)NAN;
    return (struct tensor_lineage){.claimed = t->claimed,
                                   .verdict = LINEAGE_UNDETERMINED,
                                   .other_shape = t->other_shape,
                                   .more_rows = t->more_rows,
                                   .change = none,
                                   .rounding = none,
                                   .correlation = none,
                                   .chance = none,
                                   .residual = none};
}

/* Where a base's values lie on a grid of the type already, blocks that differ may be another
 * matrix's: they are no alteration as long as all are honest. */
static lq_status explain_instead(struct tensor_lineage *t, const struct lineage_pair *p,
                                 const struct pass_options *c, lq_error *err)
{
    struct tensor_lineage again = blank(t);
    struct lineage_pair one = *p;
    bool on_grid;
    LQ_TRY(lineage_is_on_grid(t, p, &on_grid, c, err));
    if (!on_grid)
        return LQ_OK;
    only_base(&one, t->from);
    const lq_status status = lineage_examine(&again, &one, c, err);
    if (status == LQ_OK &&
        (again.verdict == LINEAGE_EXPLAINED || again.verdict == LINEAGE_ALTERED)) {
        free(t->marks);
        *t = again;
    } else {
        free(again.marks);
    }
    return status;
}

static lq_status look_at(struct lineage *l, struct tensor_lineage *t, struct hypothesis *last,
                         const struct lineage_options *o, const struct pass_options *c,
                         lq_error *err)
{
    struct lineage_pair p = {0};
    *t = blank(t);
    LQ_TRY(make_pair(l, t, &p, o, err));
    if (!p.n_bases)
        return LQ_OK;
    t->base = p.base_tensor[0];
    t->from = p.from[0];
    LQ_TRY(lineage_derive(t, &p, last, c, err));
    if (t->derived && t->marked)
        LQ_TRY(explain_instead(t, &p, c, err));
    if (t->derived) {
        t->verdict = t->marked     ? LINEAGE_ALTERED
                     : t->how.copy ? LINEAGE_IDENTICAL
                                   : LINEAGE_DERIVED;
        return LQ_OK;
    }
    return t->verdict == LINEAGE_UNDETERMINED ? lineage_examine(t, &p, c, err) : LQ_OK;
}

/* A tensor that several bases have alike is taken from the one that most tensors come from. */
static lq_status prefer_base(struct lineage *l, const struct lineage_options *o,
                             const struct pass_options *c, lq_error *err)
{
    size_t count[LINEAGE_BASES] = {0}, most = 0;
    for (size_t i = 0; i < l->n_tensors; i++)
        if (l->tensors[i].base)
            count[l->tensors[i].from]++;
    for (size_t b = 1; b < l->n_bases; b++)
        most = count[b] > count[most] ? b : most;
    for (size_t i = 0; i < l->n_tensors; i++) {
        struct tensor_lineage *const t = &l->tensors[i];
        struct lineage_pair p = {0};
        struct hypothesis how = t->how;
        if (!t->derived || t->marked || t->from == most)
            continue;
        LQ_TRY(make_pair(l, t, &p, o, err));
        only_base(&p, most);
        if (p.from[0] != most)
            continue;
        struct tensor_lineage again = {.claimed = t->claimed};
        const lq_status status = lineage_derive(&again, &p, &how, c, err);
        if (status == LQ_OK && again.derived && !again.marked) {
            t->base = again.base;
            t->from = most;
            t->how = again.how;
            t->verdict = again.how.copy ? LINEAGE_IDENTICAL : LINEAGE_DERIVED;
        }
        free(again.marks);
        LQ_TRY(status);
    }
    return LQ_OK;
}

/* Keeps as many of a tensor's marks as are left of those of all tensors. */
static void limit_marks(struct tensor_lineage *t, size_t *left)
{
    if (t->n_marks > *left) {
        struct marked_block *const fewer = mem_realloc(t->marks, *left + 1, sizeof *fewer);
        t->marks = fewer ? fewer : t->marks;
        t->n_marks = *left;
    }
    *left -= t->n_marks;
}

static lq_status look_at_each(struct lineage *l, const struct lineage_options *o,
                              struct pass_options *c, lq_error *err)
{
    struct hypothesis last = {.copy = true};
    size_t marks = LINEAGE_ALL_MARKS;
    for (size_t i = 0; i < l->n_tensors; i++)
        c->progress_total += l->tensors[i].claimed->elements;
    for (size_t i = 0; i < l->n_tensors; i++) {
        struct tensor_lineage *const t = &l->tensors[i];
        const lq_status status = look_at(l, t, &last, o, c, err);
        if (status != LQ_OK) {
            lq_error_add_tensor(err, t->claimed->name);
            return status;
        }
        c->progress_done += t->claimed->elements;
        limit_marks(t, &marks);
    }
    return l->n_bases > 1 ? prefer_base(l, o, c, err) : LQ_OK;
}

static lq_status look_at_all(struct lineage *l, const struct lineage_options *o, lq_error *err)
{
    struct pass_options c = {.isa = o->isa, .threads = o->threads, .progress = o->progress};
    c.rooms = pass_rooms_new(o->threads);
    const lq_status status = c.rooms ? look_at_each(l, o, &c, err) : lq_fail_memory(err);
    pass_rooms_free(c.rooms);
    return status;
}

/* ---- the model ---- */

static lq_status list_tensors(struct lineage *l, lq_error *err)
{
    const struct catalog *const c = l->claimed.catalog;
    l->tensors = mem_calloc(c->n_tensors, sizeof *l->tensors);
    if (!l->tensors)
        return lq_fail_memory(err);
    l->n_tensors = c->n_tensors;
    for (size_t i = 0; i < c->n_tensors; i++)
        l->tensors[i].claimed = &c->tensors[i];
    return LQ_OK;
}

lq_status lineage_find(struct lineage *l, const char *claimed, const char *const *bases,
                       size_t n_bases, const struct lineage_options *options, lq_error *err)
{
    LQ_TRY(open_all(l, claimed, bases, n_bases, err));
    LQ_TRY(list_tensors(l, err));
    LQ_TRY(layers_map(l, options, err));
    LQ_TRY(look_at_all(l, options, err));
    return lineage_judge(l, err);
}

void lineage_release(struct lineage *l)
{
    for (size_t i = 0; i < l->n_tensors; i++)
        free(l->tensors[i].marks);
    free(l->tensors);
    free(l->layers);
    for (size_t i = 0; i < l->n_bases; i++)
        model_view_release(&l->base[i]);
    model_view_release(&l->claimed);
}
