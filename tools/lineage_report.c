/* lineage_report.c -- what `lq lineage` found: a verdict, a table, a map of blocks; or JSON. */
#include "tools/lineage_report.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 20, BLOCKS_SHOWN = 10 };

static void put_printable(struct text *t, const char *s)
{
    text_put_printable(t, s, strlen(s));
}

static const char *type_name(const struct type_info *type)
{
    return type ? type->name : "-";
}

/* "as stored", "Q4_K via F16, with importance" */
static void put_way(struct text *t, const struct lineage *l, const struct tensor_lineage *r)
{
    const struct hypothesis *const h = &r->how;
    if (h->copy) {
        text_puts(t, "the same values");
        return;
    }
    text_puts(t, type_name(model_view_type(&l->claimed, r->claimed)));
    text_puts(t, r->derived ? "" : "?");
    if (h->via)
        text_printf(t, " through %s", h->via->name);
    if (h->weighted)
        text_puts(t, " with importance");
    if (h->rounding != ROUNDING_STRICT)
        text_printf(t, ", %s rounding", rounding_name(h->rounding));
}

/* ---- text ---- */

static void figure_cell(struct table *t, const char *fmt, double v)
{
    char text[32];
    snprintf(text, sizeof text, fmt, v);
    table_cell(t, "%s", isnan(v) ? "" : text);
}

static void evidence_cell(struct table *table, const struct lineage *l,
                          const struct tensor_lineage *r)
{
    struct text t = {0};
    if (!r->base)
        text_puts(&t, r->other_shape ? "other shape" : "no counterpart");
    else if (r->derived)
        put_way(&t, l, r);
    else if (r->fitted)
        for (size_t i = 0; i < l->n_bases; i++)
            text_printf(&t, "%s%.4f",
                        i              ? ", "
                        : r->spherical ? "spherical "
                                       : "linear ",
                        r->weight[i]);
    else if (r->rank.low)
        text_printf(&t, "rank %u", (unsigned)r->rank.rank);
    if (r->marked)
        text_printf(&t, "%s%" PRIu64 " of %" PRIu64 " blocks %s", t.len ? ", " : "", r->marked,
                    r->blocks, r->derived ? "differ" : "outside");
    if (r->nonfinite)
        text_printf(&t, "%s%" PRIu64 " NaN or infinite", t.len ? ", " : "", r->nonfinite);
    if (r->more_rows)
        text_printf(&t, "%sfirst %" PRIu64 " rows", t.len ? ", " : "",
                    tensor_rows(r->base) < tensor_rows(r->claimed) ? tensor_rows(r->base)
                                                                   : tensor_rows(r->claimed));
    if (r->base && strcmp(r->base->name, r->claimed->name) != 0) {
        text_puts(&t, t.len ? ", of " : "of ");
        put_printable(&t, r->base->name);
    }
    table_cell(table, "%s", t.failed ? "" : t.data ? t.data : "");
    text_free(&t);
}

/* The least wanted first. */
static int rank_of(const struct tensor_lineage *t)
{
    static const int rank[LINEAGE_VERDICTS] = {
        [LINEAGE_ALTERED] = 0,   [LINEAGE_UNRELATED] = 1, [LINEAGE_UNDETERMINED] = 2,
        [LINEAGE_MERGED] = 3,    [LINEAGE_TUNED] = 4,     [LINEAGE_PARTIAL] = 5,
        [LINEAGE_EXPLAINED] = 6, [LINEAGE_DERIVED] = 7,   [LINEAGE_IDENTICAL] = 8,
    };
    return t->verdict == LINEAGE_UNDETERMINED && t->vector && t->base ? 5 : rank[t->verdict];
}

static int worst_first(const void *pa, const void *pb)
{
    const struct tensor_lineage *const a = *(const struct tensor_lineage *const *)pa;
    const struct tensor_lineage *const b = *(const struct tensor_lineage *const *)pb;
    if (rank_of(a) != rank_of(b))
        return rank_of(a) < rank_of(b) ? -1 : 1;
    return a < b ? -1 : a > b;
}

static void print_table(const struct context *ctx, const struct lineage *l,
                        const struct tensor_lineage *const *sorted, size_t n)
{
    static const char *const head[] = {"tensor", "type",        "verdict",
                                       "change", "correlation", "evidence"};
    struct table t = {.align = l->n_bases > 1 ? "lllrrll" : "lllrrl"};
    for (size_t i = 0; i < sizeof head / sizeof head[0]; i++)
        table_cell(&t, "%s", head[i]);
    if (l->n_bases > 1)
        table_cell(&t, "%s", "base");
    for (size_t i = 0; i < n; i++) {
        const struct tensor_lineage *const r = sorted[i];
        table_cell(&t, "%s", r->claimed->name);
        table_cell(&t, "%s", type_name(model_view_type(&l->claimed, r->claimed)));
        table_cell(&t, "%s", lineage_verdict_name(r->verdict));
        figure_cell(&t, "%.3g", r->change);
        figure_cell(&t, "%.3f", r->correlation);
        evidence_cell(&t, l, r);
        if (l->n_bases > 1)
            table_cell(&t, "%s", r->base ? l->base[r->from].stored.path : "-");
    }
    table_print(&t, ctx, 0);
}

/* A line of 64 cells, from the tensor's first block to its last: '.' none, '#' marked blocks. */
static void print_map(FILE *out, const struct tensor_lineage *r)
{
    char cells[65];
    memset(cells, '.', 64);
    cells[64] = '\0';
    for (size_t i = 0; i < r->n_marks; i++)
        cells[(size_t)((double)r->marks[i].block / (double)(r->blocks ? r->blocks : 1) * 64) & 63] =
            '#';
    fprintf(out, "  [%s]\n", cells);
}

static int farthest_first(const void *pa, const void *pb)
{
    const struct marked_block *const a = pa, *const b = pb;
    if (a->far != b->far)
        return a->far > b->far ? -1 : 1;
    return a->block < b->block ? -1 : a->block > b->block;
}

static void print_blocks(const struct context *ctx, const struct lineage *l,
                         const struct tensor_lineage *r, bool all)
{
    const struct type_info *const type = model_view_type(&l->claimed, r->claimed);
    const uint64_t len = type && !l->claimed.steps ? type->block_len : 1;
    const uint64_t per_row = tensor_cols(r->claimed) / len;
    struct marked_block *const sorted = mem_calloc(r->n_marks, sizeof *sorted);
    struct text name = {0};
    put_printable(&name, r->claimed->name);
    fprintf(ctx->out, "\n%s: %" PRIu64 " of %" PRIu64 " blocks %s\n", name.data ? name.data : "?",
            r->marked, r->blocks, r->derived ? "differ" : "are outside of what is honest");
    text_free(&name);
    print_map(ctx->out, r);
    if (!sorted)
        return;
    memcpy(sorted, r->marks, r->n_marks * sizeof *sorted);
    if (r->n_marks)
        qsort(sorted, r->n_marks, sizeof *sorted, farthest_first);
    size_t i = 0;
    for (; i < r->n_marks && (all || i < BLOCKS_SHOWN); i++) {
        fprintf(ctx->out, "  row %" PRIu64 " block %" PRIu64,
                per_row ? sorted[i].block / per_row : 0,
                per_row ? sorted[i].block % per_row : sorted[i].block);
        if (!r->derived && isinf(sorted[i].far))
            fputs("  beyond every bound", ctx->out);
        else if (!r->derived)
            fprintf(ctx->out, "  %.3g times the bound", (double)sorted[i].far);
        fputc('\n', ctx->out);
    }
    if (r->marked > i)
        fprintf(ctx->out, "  and %" PRIu64 " more\n", r->marked - i);
    free(sorted);
}

static void print_layers(FILE *out, const struct lineage *l)
{
    bool moved = l->n_layers != l->base_layers[l->main];
    for (uint32_t i = 0; i < l->n_layers; i++)
        moved = moved || lineage_layers(l)[i].layer != i;
    if (!moved || !l->n_layers)
        return;
    fprintf(out, "layers come from those of the base:");
    for (uint32_t i = 0; i < l->n_layers; i++) {
        if (lineage_layers(l)[i].found)
            fprintf(out, " %u", (unsigned)lineage_layers(l)[i].layer);
        else
            fputs(" ?", out);
    }
    fprintf(out, " (of %u)\n", (unsigned)l->base_layers[l->main]);
}

void lineage_print_text(const struct context *ctx, const struct lineage *l, bool all)
{
    FILE *const out = ctx->out;
    const struct tensor_lineage **const sorted = mem_calloc(l->n_tensors, sizeof *sorted);
    struct text path = {0};
    put_printable(&path, l->claimed.stored.path);
    fprintf(out, "%s: %s\n  %s\n", lineage_verdict_name(l->verdict), path.data ? path.data : "?",
            l->why);
    text_free(&path);
    print_layers(out, l);
    for (size_t i = 0; sorted && i < l->n_tensors; i++)
        sorted[i] = &l->tensors[i];
    if (sorted && l->n_tensors) {
        const size_t n = all || l->n_tensors < SHOWN ? l->n_tensors : SHOWN;
        qsort(sorted, l->n_tensors, sizeof *sorted, worst_first);
        fputc('\n', out);
        print_table(ctx, l, sorted, n);
        if (n < l->n_tensors)
            fprintf(out, "%zu of %zu tensors; --all shows every one\n", n, l->n_tensors);
        size_t shown = 0;
        for (size_t i = 0; i < l->n_tensors && (all || shown < 3); i++)
            if (sorted[i]->marked && sorted[i]->verdict == LINEAGE_ALTERED) {
                print_blocks(ctx, l, sorted[i], all);
                shown++;
            }
    }
    free(sorted);
}

/* ---- JSON ---- */

static void out_way(struct json_out *j, const struct lineage *l, const struct tensor_lineage *t)
{
    const struct hypothesis *const h = &t->how;
    out_object(j, "how");
    out_bool(j, "copy", h->copy);
    out_string(j, "type", type_name(model_view_type(&l->claimed, t->claimed)));
    if (h->via)
        out_string(j, "through", h->via->name);
    else
        out_null(j, "through");
    out_bool(j, "importance", h->weighted);
    out_string(j, "rounding", rounding_name(h->rounding));
    out_end(j, '}');
}

static void out_blocks(struct json_out *j, const struct tensor_lineage *t)
{
    out_array(j, "blocks_marked");
    for (size_t i = 0; i < t->n_marks; i++) {
        out_object(j, NULL);
        out_u64(j, "block", t->marks[i].block);
        if (!t->derived)
            out_f64(j, "far", (double)t->marks[i].far);
        out_end(j, '}');
    }
    out_end(j, ']');
}

static void out_statistics(struct json_out *j, const struct lineage *l,
                           const struct tensor_lineage *t)
{
    out_f64(j, "change", t->change);
    out_f64(j, "rounding", t->rounding);
    out_f64(j, "correlation", t->correlation);
    out_f64(j, "chance", t->chance);
    out_u64(j, "rows_tested", t->rows_tested);
    out_u64(j, "rows_closer", t->rows_closer);
    if (t->rank.measured) {
        out_u64(j, "rank", t->rank.rank);
        out_bool(j, "low_rank", t->rank.low);
    }
    if (isnan(t->residual))
        return;
    out_array(j, "weights");
    for (size_t i = 0; i < l->n_bases; i++)
        out_f64(j, NULL, t->weight[i]);
    out_end(j, ']');
    out_f64(j, "residual", t->residual);
    out_bool(j, "merged", t->fitted);
    out_bool(j, "spherical", t->spherical);
}

static void out_tensor(struct json_out *j, const struct lineage *l, const struct tensor_lineage *t)
{
    out_object(j, NULL);
    out_string(j, "name", t->claimed->name);
    out_string(j, "type", type_name(model_view_type(&l->claimed, t->claimed)));
    out_string(j, "verdict", lineage_verdict_name(t->verdict));
    if (t->base) {
        out_string(j, "base_tensor", t->base->name);
        out_u64(j, "base", t->from);
    } else {
        out_null(j, "base_tensor");
        out_bool(j, "other_shape", t->other_shape);
    }
    out_bool(j, "first_rows_only", t->more_rows);
    if (t->derived)
        out_way(j, l, t);
    else if (t->base)
        out_statistics(j, l, t);
    out_u64(j, "nonfinite", t->nonfinite);
    out_u64(j, "blocks", t->blocks);
    out_u64(j, "marked", t->marked);
    out_blocks(j, t);
    out_end(j, '}');
}

lq_status lineage_print_json(const struct context *ctx, const struct lineage *l, lq_error *err)
{
    struct json_out j = {0};
    out_object(&j, NULL);
    out_string(&j, "claimed", l->claimed.stored.path);
    out_array(&j, "bases");
    for (size_t i = 0; i < l->n_bases; i++)
        out_string(&j, NULL, l->base[i].stored.path);
    out_end(&j, ']');
    out_string(&j, "verdict", lineage_verdict_name(l->verdict));
    out_string(&j, "why", l->why);
    out_object(&j, "counts");
    for (int v = 0; v < LINEAGE_VERDICTS; v++)
        out_u64(&j, lineage_verdict_name((enum lineage_verdict)v), l->count[v]);
    out_end(&j, '}');
    out_u64(&j, "marked", l->marked);
    out_u64(&j, "main_base", l->main);
    out_u64(&j, "missing", l->missing);
    out_array(&j, "layers");
    for (uint32_t i = 0; i < l->n_layers; i++) {
        out_object(&j, NULL);
        out_u64(&j, "layer", lineage_layers(l)[i].layer);
        out_bool(&j, "found", lineage_layers(l)[i].found);
        out_f64(&j, "likeness", lineage_layers(l)[i].likeness);
        out_end(&j, '}');
    }
    out_end(&j, ']');
    out_u64(&j, "base_layers", l->base_layers[l->main]);
    out_array(&j, "tensors");
    for (size_t i = 0; i < l->n_tensors; i++)
        out_tensor(&j, l, &l->tensors[i]);
    out_end(&j, ']');
    out_end(&j, '}');
    return out_print(&j, ctx, err);
}
