/* cmd_compare.c -- `lq compare`: how far the tensors of one model are from those of another. */
#include "tools/command.h"

#include "libquant/convert/model_view.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 20 };

/* A tensor that both models have. */
struct pair {
    const struct tensor *a, *b;
    bool same_shape;
    struct comparison c;
    double rmse, snr_db, cosine;
};

struct job {
    const struct context *ctx;
    struct model_view a, b;
    struct pair *pairs;
    size_t n_pairs;
    size_t n_compared, n_identical;
    const struct tensor **only_a, **only_b;
    size_t n_only_a, n_only_b;
    struct comparison total;
    double below_snr, above_rmse; /* NaN where not asked */
    bool all;
};

/* ---- the two models ---- */

static lq_status open_models(struct job *j, const struct args *args, lq_error *err)
{
    LQ_TRY(model_view_open(&j->a, args_at(args, 0), err));
    LQ_TRY(model_view_open(&j->b, args_at(args, 1), err));
    return model_view_match(&j->a, &j->b, err);
}

/* The stored type of a tensor. */
static const char *type_of(const struct model_view *v, const struct tensor *t)
{
    const struct type_info *const type = model_view_type(v, t);
    return type ? type->name : "-";
}

/* ---- pairing and comparing ---- */

static lq_status pair_up(struct job *j, lq_error *err)
{
    const struct catalog *const ca = j->a.catalog, *const cb = j->b.catalog;
    j->pairs = mem_calloc(ca->n_tensors, sizeof *j->pairs);
    j->only_a = mem_calloc(ca->n_tensors, sizeof *j->only_a);
    j->only_b = mem_calloc(cb->n_tensors, sizeof *j->only_b);
    if (!j->pairs || !j->only_a || !j->only_b)
        return lq_fail_memory(err);
    for (size_t i = 0; i < ca->n_tensors; i++) {
        const struct tensor *const a = &ca->tensors[i];
        const struct tensor *const b = catalog_find(cb, a->name);
        if (!b) {
            j->only_a[j->n_only_a++] = a;
            continue;
        }
        const bool same = a->rank == b->rank &&
                          (a->rank == 0 || memcmp(a->dim, b->dim, a->rank * sizeof *a->dim) == 0);
        j->pairs[j->n_pairs++] = (struct pair){.a = a, .b = b, .same_shape = same};
    }
    for (size_t i = 0; i < cb->n_tensors; i++)
        if (!catalog_find(ca, cb->tensors[i].name))
            j->only_b[j->n_only_b++] = &cb->tensors[i];
    if (!j->n_pairs)
        return lq_fail(err, LQ_E_MODEL, "no tensor of %s has the name of one of %s",
                       j->a.stored.path, j->b.stored.path);
    return LQ_OK;
}

static lq_status compare_pair(const struct job *j, struct pair *p, const struct compare_options *o,
                              lq_error *err)
{
    const struct compared a = model_view_rows(&j->a, &p->a), b = model_view_rows(&j->b, &p->b);
    const lq_status status =
        compare_rows(&a, &b, tensor_rows(p->a), tensor_cols(p->a), o, &p->c, err);
    if (status != LQ_OK) {
        lq_error_add_tensor(err, p->a->name);
        return status;
    }
    p->rmse = comparison_rmse(&p->c);
    p->snr_db = comparison_snr_db(&p->c);
    p->cosine = comparison_cosine(&p->c);
    return LQ_OK;
}

static lq_status compare_all(struct job *j, lq_error *err)
{
    struct compare_options o = {j->ctx->isa, j->ctx->threads, j->ctx->progress, 0, 0};
    for (size_t i = 0; i < j->n_pairs; i++)
        o.progress_total += j->pairs[i].same_shape ? j->pairs[i].a->elements : 0;
    j->total.identical = true;
    for (size_t i = 0; i < j->n_pairs; i++) {
        struct pair *const p = &j->pairs[i];
        if (!p->same_shape)
            continue;
        LQ_TRY(compare_pair(j, p, &o, err));
        comparison_add(&j->total, &p->c);
        j->n_compared++;
        j->n_identical += p->c.identical;
        o.progress_done += p->a->elements;
    }
    return LQ_OK;
}

/* Other shapes first, then the lowest ratio of signal to noise, then as stored. */
static int worst_first(const void *pa, const void *pb)
{
    const struct pair *const a = pa, *const b = pb;
    if (a->same_shape != b->same_shape)
        return a->same_shape ? 1 : -1;
    if (a->c.identical != b->c.identical)
        return a->c.identical ? 1 : -1;
    if (a->snr_db != b->snr_db)
        return a->snr_db < b->snr_db ? -1 : 1;
    return a->a < b->a ? -1 : 1;
}

/* ---- text ---- */

/* "[12, 5]" for an index into the flattened tensor. */
static void index_cell(struct table *t, const struct tensor *tensor, uint64_t index)
{
    struct text text = {0};
    uint64_t inner = tensor->elements;
    text_putc(&text, '[');
    for (uint32_t i = 0; i < tensor->rank; i++) {
        inner /= tensor->dim[i];
        text_printf(&text, "%s%" PRIu64, i ? "," : "", index / inner);
        index %= inner;
    }
    text_putc(&text, ']');
    table_cell(t, "%s", text.failed ? "" : text.data);
    text_free(&text);
}

static void figures_row(struct table *t, const struct pair *p)
{
    if (!p->same_shape || p->c.opaque || p->c.identical || !(p->c.max_error > 0)) {
        table_cell(t, "%s", !p->same_shape   ? "other shape"
                            : p->c.identical ? "identical"
                            : p->c.opaque    ? "other bytes"
                                             : "equal");
        for (size_t i = 0; i < 4; i++)
            table_cell(t, "%s", "");
        return;
    }
    table_cell(t, "%.3g", p->rmse);
    table_cell(t, "%.3g", p->c.max_error);
    index_cell(t, p->a, p->c.max_index);
    table_cell(t, "%.2f", p->snr_db);
    table_cell(t, "%.6f", p->cosine);
}

static size_t print_pairs(const struct job *j)
{
    static const char *const head[] = {"tensor", "types", "RMSE", "max error",
                                       "at",     "SNR dB", "cosine"};
    struct table t = {.align = "llrrlrr"};
    size_t shown = 0;
    for (size_t i = 0; i < sizeof head / sizeof head[0]; i++)
        table_cell(&t, "%s", head[i]);
    for (size_t i = 0; i < j->n_pairs && (j->all || shown < SHOWN); i++) {
        const struct pair *const p = &j->pairs[i];
        if (!j->all && p->c.identical && p->same_shape)
            continue;
        table_cell(&t, "%s", p->a->name);
        if (strcmp(type_of(&j->a, p->a), type_of(&j->b, p->b)) == 0)
            table_cell(&t, "%s", type_of(&j->a, p->a));
        else
            table_cell(&t, "%s, %s", type_of(&j->a, p->a), type_of(&j->b, p->b));
        figures_row(&t, p);
        shown++;
    }
    if (shown)
        table_print(&t, j->ctx, 0);
    else
        text_free(&t.cells);
    return shown;
}

static void print_only(const struct job *j, const char *path, const struct tensor *const *list,
                       size_t n)
{
    if (!n)
        return;
    fprintf(j->ctx->out, "%zu only in %s:", n, path);
    for (size_t i = 0; i < n && (j->all || i < 3); i++) {
        struct text name = {0};
        text_put_printable(&name, list[i]->name, strlen(list[i]->name));
        fprintf(j->ctx->out, "%s %s", i ? "," : "", name.failed ? "?" : name.data);
        text_free(&name);
    }
    fputs(n > 3 && !j->all ? ", ...\n" : "\n", j->ctx->out);
}

static void print_text(const struct job *j)
{
    FILE *const out = j->ctx->out;
    const size_t differ = j->n_pairs - j->n_identical;
    const size_t shown = print_pairs(j);
    if (shown)
        fputc('\n', out);
    if (!j->all && differ > shown)
        fprintf(out, "The %zu worst of %zu that differ; --all shows every tensor.\n", shown,
                differ);
    fprintf(out, "%zu tensors compared, %zu identical", j->n_compared, j->n_identical);
    if (j->n_pairs > j->n_compared)
        fprintf(out, ", %zu of another shape not compared", j->n_pairs - j->n_compared);
    fputc('\n', out);
    if (j->total.nonfinite)
        fprintf(out, "%" PRIu64 " NaN or infinite values left out\n", j->total.nonfinite);
    if (j->total.max_error > 0)
        fprintf(out, "over all values: RMSE %.4g, max error %.4g, SNR %.2f dB, cosine %.6f\n",
                comparison_rmse(&j->total), j->total.max_error, comparison_snr_db(&j->total),
                comparison_cosine(&j->total));
    print_only(j, j->a.stored.path, j->only_a, j->n_only_a);
    print_only(j, j->b.stored.path, j->only_b, j->n_only_b);
}

/* ---- JSON ---- */

static void out_figures(struct json_out *j, const struct comparison *c)
{
    out_bool(j, "identical", c->identical);
    out_u64(j, "elements", c->elements);
    out_u64(j, "nonfinite", c->nonfinite);
    out_f64(j, "rmse", comparison_rmse(c));
    out_f64(j, "max_error", c->max_error);
    out_f64(j, "snr_db", comparison_snr_db(c));
    out_f64(j, "cosine", comparison_cosine(c));
}

static void out_pair(struct json_out *j, const struct job *job, const struct pair *p)
{
    out_object(j, NULL);
    out_string(j, "name", p->a->name);
    out_string(j, "type_a", type_of(&job->a, p->a));
    out_string(j, "type_b", type_of(&job->b, p->b));
    out_bool(j, "same_shape", p->same_shape);
    if (p->same_shape) {
        if (p->c.opaque)
            out_bool(j, "identical", p->c.identical);
        else
            out_figures(j, &p->c);
        if (p->c.max_error > 0)
            out_u64(j, "max_index", p->c.max_index);
    }
    out_end(j, '}');
}

static void out_names(struct json_out *j, const char *key, const struct tensor *const *list,
                      size_t n)
{
    out_array(j, key);
    for (size_t i = 0; i < n; i++)
        out_string(j, NULL, list[i]->name);
    out_end(j, ']');
}

static lq_status print_json(const struct job *job, lq_error *err)
{
    struct json_out j = {0};
    out_object(&j, NULL);
    out_string(&j, "a", job->a.stored.path);
    out_string(&j, "b", job->b.stored.path);
    out_u64(&j, "compared", job->n_compared);
    out_u64(&j, "identical", job->n_identical);
    out_object(&j, "total");
    out_figures(&j, &job->total);
    out_end(&j, '}');
    out_array(&j, "tensors");
    for (size_t i = 0; i < job->n_pairs; i++)
        out_pair(&j, job, &job->pairs[i]);
    out_end(&j, ']');
    out_names(&j, "only_in_a", job->only_a, job->n_only_a);
    out_names(&j, "only_in_b", job->only_b, job->n_only_b);
    out_end(&j, '}');
    return out_print(&j, job->ctx, err);
}

/* ---- the command ---- */

static lq_status number_option(const struct args *args, const char *name, double *out,
                               lq_error *err)
{
    const char *const s = args_value(args, name);
    char *end;
    *out = (double)NAN;
    if (!s)
        return LQ_OK;
    *out = strtod(s, &end);
    if (end == s || *end || !isfinite(*out))
        return lq_fail(err, LQ_E_USAGE, "option --%s: '%s' is not a number", name, s);
    return LQ_OK;
}

/* Where a level was asked for, what could not be compared does not reach it. */
static lq_status judge(const struct job *j, lq_error *err)
{
    size_t bad = 0;
    const bool asked = !isnan(j->below_snr) || !isnan(j->above_rmse);
    for (size_t i = 0; asked && i < j->n_pairs; i++) {
        const struct pair *const p = &j->pairs[i];
        const bool below = !p->c.identical && p->snr_db < j->below_snr;
        bad += !p->same_shape || below || p->rmse > j->above_rmse ||
               (p->c.opaque && !p->c.identical) || (p->c.nonfinite && !p->c.identical);
    }
    if (asked)
        bad += j->n_only_a + j->n_only_b;
    if (!bad)
        return LQ_OK;
    return lq_fail(err, LQ_E_VERIFY, "%zu tensors miss the asked level or their counterpart", bad);
}

static lq_status run_job(struct job *j, const struct args *args, lq_error *err)
{
    LQ_TRY(number_option(args, "fail-below-snr", &j->below_snr, err));
    LQ_TRY(number_option(args, "fail-above-rmse", &j->above_rmse, err));
    j->all = args_flag(args, "all");
    LQ_TRY(open_models(j, args, err));
    LQ_TRY(pair_up(j, err));
    LQ_TRY(compare_all(j, err));
    qsort(j->pairs, j->n_pairs, sizeof *j->pairs, worst_first);
    if (j->ctx->json)
        LQ_TRY(print_json(j, err));
    else
        print_text(j);
    return judge(j, err);
}

static lq_status run(const struct context *ctx, const struct args *args, lq_error *err)
{
    struct job j = {.ctx = ctx};
    const lq_status status = run_job(&j, args, err);
    model_view_release(&j.a);
    model_view_release(&j.b);
    free(j.pairs);
    free(j.only_a);
    free(j.only_b);
    return status;
}

static const struct option options[] = {
    {"all", 'a', OPT_FLAG, NULL, "list every tensor, identical ones too"},
    {"fail-below-snr", 0, OPT_VALUE, "DB",
     "exit with 1 where a tensor's ratio of signal to noise is below this"},
    {"fail-above-rmse", 0, OPT_VALUE, "X",
     "exit with 1 where a tensor's root mean square error is above this (0: where values differ)"},
    {0},
};

const struct command command_compare = {
    .name = "compare",
    .summary = "measure how far the tensors of two models are apart",
    .synopsis = "A B [--all] [--fail-below-snr DB] [--fail-above-rmse X] [--json]",
    .description =
        "Pairs the tensors of A and B by name and compares their values, whatever their formats and "
        "types (a model folder and a GGUF model too: the folder is seen as what `lq convert` makes of "
        "it), worst first: root mean square error, largest error and where it is, ratio of signal "
        "(A) to noise in dB, cosine similarity. Sums have a fixed order, so the figures are the same "
        "on every machine.",
    .examples = "lq compare ./model-folder model-q4_k_m.gguf\n"
                "lq compare model-f16.gguf model-q4_k_m.gguf\n"
                "lq compare a.safetensors b.safetensors --fail-above-rmse 0",
    .options = options,
    .min_args = 2,
    .max_args = 2,
    .has_json = true,
    .run = run,
};
