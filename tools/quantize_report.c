/* quantize_report.c -- what `lq quantize` prints. */
#include "tools/quantize_report.h"

#include "tools/opt.h"

#include "libquant/base/hash.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_SHOWN = 3 };

static const char *const reasons[] = {
    [CHOICE_KEPT] = "kept", [CHOICE_MIX] = "mix", [CHOICE_PATTERN] = "pattern",
    [CHOICE_OPTION] = "option"};

static bool fell_back(const struct choice *c)
{
    return c->type != c->wanted;
}

/* ---- warnings ---- */

/* "3 tensors: a, b, c", "9 tensors: a, b, c and 6 more" of those for which `is` holds. */
static size_t list_names(const struct quantize_plan *p, struct text *t,
                         bool (*is)(const struct quantize_plan *p, size_t i))
{
    const struct catalog *const out = &p->output.catalog;
    struct text names = {0};
    size_t n = 0;
    for (size_t i = 0; i < out->n_tensors; i++) {
        if (!is(p, i) || n++ >= NAMES_SHOWN)
            continue;
        text_puts(&names, n > 1 ? ", " : "");
        text_put_printable(&names, out->tensors[i].name, strlen(out->tensors[i].name));
    }
    text_printf(t, "%zu tensor%s: %s", n, n == 1 ? "" : "s", names.data ? names.data : "");
    if (n > NAMES_SHOWN)
        text_printf(t, " and %zu more", n - NAMES_SHOWN);
    t->failed |= names.failed;
    text_free(&names);
    return n;
}


static bool is_without_importance(const struct quantize_plan *p, size_t i)
{
    return quantize_changes(p, i) && (p->choices[i].type->flags & TYPE_QUANTIZED) &&
           !p->importance[i];
}

/* "Q4_K -> Q5_0 (81), Q6_K -> Q8_0 (10)" */
static void list_fallbacks(const struct quantize_plan *p, struct text *t)
{
    size_t listed = 0;
    for (size_t w = 0; w < type_count(); w++)
        for (size_t g = 0; g < type_count(); g++) {
            size_t n = 0;
            for (size_t i = 0; w != g && i < p->output.catalog.n_tensors; i++)
                n += p->choices[i].wanted == type_at(w) && p->choices[i].type == type_at(g);
            if (n)
                text_printf(t, "%s%s -> %s (%zu)", listed++ ? ", " : "", type_at(w)->name,
                            type_at(g)->name, n);
        }
}

static void print_warning(const struct context *ctx, struct text *t)
{
    if (!t->failed && t->data)
        fprintf(ctx->err, "lq: warning: %s\n", t->data);
    text_free(t);
}

void quantize_report_warnings(const struct quantize_report *r)
{
    const struct quantize_plan *const p = r->plan;
    struct text t = {0};
    if (r->ctx->quiet)
        return;
    if (p->n_fallbacks) {
        text_puts(&t, "rows are no whole number of blocks, so another type takes the place: ");
        list_fallbacks(p, &t);
        print_warning(r->ctx, &t);
    }
    if (p->n_without) {
        text_puts(&t, "the importance matrix has nothing for ");
        list_names(p, &t, is_without_importance);
        print_warning(r->ctx, &t);
    }
    if (p->n_pruned_layers < p->options->n_prune) {
        text_printf(&t, "%zu of the layers to prune are not in the model",
                    p->options->n_prune - p->n_pruned_layers);
        print_warning(r->ctx, &t);
    }
    if (p->stale_key) {
        text_puts(&t, "the metadata ");
        text_put_printable(&t, p->stale_key, strlen(p->stale_key));
        text_puts(&t, " still has a value for each of the layers before pruning, as "
                      "llama-quantize leaves it; llama.cpp will not load the result");
        print_warning(r->ctx, &t);
    }
}

/* ---- text ---- */

static void put_shape(struct text *t, const struct tensor *tensor)
{
    for (uint32_t i = 0; i < tensor->rank; i++)
        text_printf(t, "%s%" PRIu64, i ? " x " : "", tensor->dim[i]);
    text_puts(t, tensor->rank ? "" : "scalar");
}

static void print_tensors(const struct quantize_report *r)
{
    static const char *const head[] = {"tensor", "shape", "from", "to", "size", "new size", ""};
    const struct quantize_plan *const p = r->plan;
    struct table t = {.align = "llllrrl"};
    for (size_t i = 0; i < sizeof head / sizeof head[0]; i++)
        table_cell(&t, "%s", head[i]);
    for (size_t i = 0; i < p->output.catalog.n_tensors; i++) {
        const struct tensor *const out = &p->output.catalog.tensors[i];
        const struct choice *const c = &p->choices[i];
        struct text shape = {0};
        char size[16];
        put_shape(&shape, out);
        table_cell(&t, "%s", out->name);
        table_cell(&t, "%s", shape.data ? shape.data : "");
        table_cell(&t, "%s", p->in[i]->type->name);
        table_cell(&t, "%s", quantize_changes(p, i) ? out->type->name : "-");
        table_cell(&t, "%s", print_size(size, p->in[i]->bytes));
        table_cell(&t, "%s", print_size(size, out->bytes));
        if (fell_back(c))
            table_cell(&t, "instead of %s", c->wanted->name);
        else
            table_cell(&t, "%s", c->reason > CHOICE_MIX ? reasons[c->reason] : "");
        text_free(&shape);
    }
    table_print(&t, r->ctx, 0);
}

/* "81 Q5_0, 27 Q4_K, 109 F32", the most frequent first. */
static void put_types(struct text *t, const struct catalog *c)
{
    size_t last = SIZE_MAX, last_type = 0;
    for (size_t listed = 0;; listed++) {
        size_t best = 0, best_type = 0;
        for (size_t k = 0; k < type_count(); k++) {
            size_t n = 0;
            for (size_t i = 0; i < c->n_tensors; i++)
                n += c->tensors[i].type == type_at(k);
            if (n > best && (n < last || (n == last && k > last_type))) {
                best = n;
                best_type = k;
            }
        }
        if (!best)
            return;
        text_printf(t, "%s%zu %s", listed ? ", " : "", best, type_at(best_type)->name);
        last = best;
        last_type = best_type;
    }
}

static void print_text(const struct quantize_report *r)
{
    const struct quantize_plan *const p = r->plan;
    const struct catalog *const out = &p->output.catalog;
    struct text types = {0};
    char from[16], to[16], reason[sizeof(lq_error)];
    put_types(&types, out);
    if (r->dry_run) {
        print_tensors(r);
        fprintf(r->ctx->out, "\ntensors  %s (%.2f bits per weight) -> %s (%.2f)\n",
                print_size(from, p->bytes_in), bits_per_weight(p->bytes_in, p->elements),
                print_size(to, p->bytes_out), bits_per_weight(p->bytes_out, p->elements));
        fprintf(r->ctx->out, "types    %s\n", types.data ? types.data : "none");
        if (r->refusal)
            fprintf(r->ctx->out, "\nThis would be refused: %s\n",
                    lq_error_text(r->refusal, reason, sizeof reason));
    } else {
        progress_clear();
        for (size_t i = 0; i < out->n_files; i++) {
            struct text name = {0};
            char hex[65];
            hex_of(hex, r->digests[i], 32);
            text_put_printable(&name, out->files[i].name, strlen(out->files[i].name));
            fprintf(r->ctx->out, "%s  %s\n", hex, name.data ? name.data : "");
            text_free(&name);
        }
        fprintf(r->ctx->out, "%s -> %s, %.2f bits per weight: %s\n",
                print_size(from, catalog_file_bytes(p->source)), print_size(to, catalog_file_bytes(out)),
                bits_per_weight(p->bytes_out, p->elements), types.data ? types.data : "none");
    }
    text_free(&types);
}

/* ---- JSON ---- */

static void tensor_json(struct json_out *j, const struct quantize_plan *p, size_t i)
{
    const struct tensor *const out = &p->output.catalog.tensors[i];
    const struct choice *const c = &p->choices[i];
    out_object(j, NULL);
    out_string(j, "name", out->name);
    if (strcmp(out->name, p->in[i]->name) != 0)
        out_string(j, "source", p->in[i]->name);
    out_array(j, "shape");
    for (uint32_t k = 0; k < out->rank; k++)
        out_u64(j, NULL, out->dim[k]);
    out_end(j, ']');
    out_string(j, "from", p->in[i]->type->name);
    out_string(j, "to", c->type->name);
    out_string(j, "chosen_by", reasons[c->reason]);
    if (fell_back(c))
        out_string(j, "instead_of", c->wanted->name);
    out_bool(j, "importance", p->importance[i] != NULL);
    out_u64(j, "bytes_in", p->in[i]->bytes);
    out_u64(j, "bytes_out", out->bytes);
    out_end(j, '}');
}

static lq_status print_json(const struct quantize_report *r, lq_error *err)
{
    const struct quantize_plan *const p = r->plan;
    const struct catalog *const out = &p->output.catalog;
    struct json_out j = {0};
    char text[sizeof(lq_error)];
    out_object(&j, NULL);
    out_string(&j, "input", p->source->path);
    out_string(&j, "type", p->options->recipe.mix->name);
    out_bool(&j, "dry_run", r->dry_run);
    if (r->refusal)
        out_string(&j, "refused", lq_error_text(r->refusal, text, sizeof text));
    out_array(&j, "files");
    for (size_t i = 0; i < out->n_files && !r->dry_run; i++) {
        char hex[65];
        hex_of(hex, r->digests[i], 32);
        out_object(&j, NULL);
        out_string(&j, "name", out->files[i].name);
        out_u64(&j, "size", out->files[i].size);
        out_string(&j, "sha256", hex);
        out_end(&j, '}');
    }
    out_end(&j, ']');
    out_u64(&j, "elements", p->elements);
    out_u64(&j, "bytes_in", p->bytes_in);
    out_u64(&j, "bytes_out", p->bytes_out);
    out_f64(&j, "bits_per_weight", bits_per_weight(p->bytes_out, p->elements));
    out_u64(&j, "quantized", p->n_quantized);
    out_u64(&j, "fallbacks", p->n_fallbacks);
    out_u64(&j, "without_importance", p->n_without);
    out_array(&j, "tensors");
    for (size_t i = 0; i < out->n_tensors; i++)
        tensor_json(&j, p, i);
    out_end(&j, ']');
    out_end(&j, '}');
    return out_print(&j, r->ctx, err);
}

lq_status quantize_report_print(const struct quantize_report *r, lq_error *err)
{
    if (r->ctx->json)
        return print_json(r, err);
    print_text(r);
    return LQ_OK;
}
