/* license_report.c -- what `lq license` prints. */
#include "tools/license_report.h"

#include <stdlib.h>
#include <string.h>

static const char *or_dash(const char *s)
{
    return s ? s : "-";
}

/* "GPL-2.0-only or GPL-2.0-or-later": those that share a text, without those that are deprecated.
 */
static void put_ids(struct text *t, const char *ids)
{
    const size_t begin = t->len;
    for (const char *s = ids; *s;) {
        const size_t n = strcspn(s, " ");
        const struct spdx_license *const l = spdx_license_find(s, n);
        if (!(l && l->deprecated))
            text_printf(t, "%s%.*s", t->len > begin ? " or " : "", (int)n, s);
        s += n + (s[n] == ' ');
    }
    if (t->len == begin)
        text_puts(t, ids);
}

/* What it is, and how sure. */
static void put_text_match(struct text *t, const struct identification *id)
{
    for (size_t i = 0; i < id->n; i++) {
        text_puts(t, i ? "; " : "");
        put_ids(t, id->found[i].ids);
        text_printf(t, ", %s, %.1f %%", text_match_name(id->found[i].how),
                    100 * id->found[i].score);
    }
    if (!id->n)
        text_puts(t, "no licence text that is known");
}

static void put_says(struct text *t, const struct statement *s)
{
    if (s->problem)
        text_printf(t, "not read: %s", s->problem);
    else if (s->claim)
        text_puts(t, s->claim);
    else if (s->kind == STATEMENT_TEXT)
        put_text_match(t, &s->text);
    else
        text_puts(t, "-");
}

static void put_place(struct text *t, const char *file, size_t line, const char *key)
{
    text_puts(t, or_dash(file));
    if (line)
        text_printf(t, ":%zu", line);
    if (key)
        text_printf(t, " %s", key);
}

/* A cell whose text is put together; the table makes it printable. */
static void cell_of(struct table *t, struct text *s)
{
    table_cell(t, "%s", s->data ? s->data : "");
    t->cells.failed |= s->failed;
    text_free(s);
}

enum license_class license_class_of_text(const char *means)
{
    struct expression *const e = calloc(1, sizeof *e);
    enum license_class class = LICENSE_UNKNOWN;
    if (e && means && expression_parse(e, means, NULL) == LQ_OK)
        class = expression_class(e);
    if (e)
        expression_release(e);
    free(e);
    return class;
}

static void print_summary(const struct license_report *r, const struct context *ctx)
{
    struct table t = {.align = "ll"};
    const char *const means = license_conclusion(r->model);
    const char *const cells[][2] = {
        {"model",   or_dash(r->model->name)                         },
        {"licence", means ? means : "not known"                     },
        {"class",   license_class_text(license_class_of_text(means))},
    };
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        table_cell(&t, "%s", cells[i][0]);
        table_cell(&t, "%s", cells[i][1]);
    }
    for (size_t i = 0; i < r->model->n_bases; i++) {
        const struct license_origin *const o = &r->model->bases[i];
        table_cell(&t, "%s", "made from");
        table_cell(&t, "%s%s%s", o->organization ? o->organization : "", o->organization ? "/" : "",
                   o->name);
    }
    for (size_t i = 0; i < r->n_bases; i++) {
        const char *const base = license_conclusion(r->bases[i]);
        table_cell(&t, "%s", "base given");
        table_cell(&t, "%s: %s", r->bases[i]->path, base ? base : "not known");
    }
    table_print(&t, ctx, 0);
}

/* Words that differ in texts that still are the licence; those of changed texts are a finding. */
static void print_differences(const struct license_report *r, const struct context *ctx)
{
    struct text t = {0};
    for (size_t i = 0; i < r->model->n_statements; i++) {
        const struct statement *const s = &r->model->statements[i];
        if (s->kind != STATEMENT_TEXT || !s->text.differs.len || s->text.found[0].how != TEXT_MATCH)
            continue;
        text_puts(&t, "words of ");
        text_put_printable(&t, s->file, strlen(s->file));
        text_puts(&t, " that differ: ");
        text_put_printable(&t, s->text.differs.data, s->text.differs.len);
        text_putc(&t, '\n');
    }
    if (t.data && !t.failed)
        fwrite(t.data, 1, t.len, ctx->out);
    text_free(&t);
}

static void print_statements(const struct license_report *r, const struct context *ctx)
{
    struct table t = {.align = "llll"};
    static const char *const head[] = {"statement", "where", "says", "that is"};
    if (!r->model->n_statements)
        return;
    fputc('\n', ctx->out);
    for (size_t i = 0; i < sizeof head / sizeof head[0]; i++)
        table_cell(&t, "%s", head[i]);
    for (size_t i = 0; i < r->model->n_statements; i++) {
        const struct statement *const s = &r->model->statements[i];
        struct text where = {0}, says = {0};
        put_place(&where, s->file, s->line, s->key);
        put_says(&says, s);
        table_cell(&t, "%s", statement_kind_name(s->kind));
        cell_of(&t, &where);
        cell_of(&t, &says);
        table_cell(&t, "%s", or_dash(s->means));
    }
    table_print(&t, ctx, 0);
    print_differences(r, ctx);
}

/* Calls `each` for every duty of the conclusion, each once. */
static void for_duties(const char *means,
                       void (*each)(void *ctx, const char *id, const struct license_duty *d),
                       void *ctx)
{
    struct expression *const e = calloc(1, sizeof *e);
    const struct license_duty *d;
    if (e && means && expression_parse(e, means, NULL) == LQ_OK)
        for (size_t i = 0; i < e->n_leaves; i++)
            for (size_t n = 0; (d = license_duty_at(e->leaf[i].id, n)) != NULL; n++) {
                bool before = false;
                for (size_t k = 0; k < i; k++)
                    for (size_t m = 0; !before && license_duty_at(e->leaf[k].id, m); m++)
                        before = license_duty_at(e->leaf[k].id, m) == d;
                if (!before)
                    each(ctx, e->leaf[i].id, d);
            }
    if (e)
        expression_release(e);
    free(e);
}

static void duty_row(void *ctx, const char *id, const struct license_duty *d)
{
    struct table *const t = ctx;
    (void)id;
    table_cell(t, "%s", duty_text(d->kind));
    table_cell(t, "%s", or_dash(d->value));
    table_cell(t, "%s", d->source);
}

static void print_duties(const struct license_report *r, const struct context *ctx)
{
    struct table t = {.align = "lll"};
    static const char *const head[] = {"it asks", "what", "where it says so"};
    for (size_t i = 0; i < sizeof head / sizeof head[0]; i++)
        table_cell(&t, "%s", head[i]);
    for_duties(license_conclusion(r->model), duty_row, &t);
    if (t.n > 3) {
        fputc('\n', ctx->out);
        table_print(&t, ctx, 0);
    } else {
        text_free(&t.cells);
    }
}

static void put_line(struct text *t, const char *indent, const char *s)
{
    text_puts(t, indent);
    text_put_printable(t, s, strlen(s));
    text_putc(t, '\n');
}

static void print_findings(const struct license_report *r, const struct context *ctx)
{
    struct text t = {0};
    for (size_t i = 0; i < r->findings->n; i++) {
        const struct finding *const f = &r->findings->list[i];
        struct text head = {0};
        text_printf(&head, "%-7s  %s  ", severity_name(f->severity), f->rule->id);
        if (f->file)
            put_place(&head, f->file, f->line, f->location);
        text_putc(&t, '\n');
        put_line(&t, "", head.data ? head.data : "");
        put_line(&t, "         ", f->message);
        if (f->evidence && !strstr(f->message, f->evidence))
            put_line(&t, "         found: ", f->evidence);
        put_line(&t, "         to do: ", f->rule->help);
        text_free(&head);
    }
    if (t.data && !t.failed)
        fwrite(t.data, 1, t.len, ctx->out);
    text_free(&t);
}

void license_print_text(const struct license_report *r, const struct context *ctx)
{
    print_summary(r, ctx);
    print_statements(r, ctx);
    print_duties(r, ctx);
    print_findings(r, ctx);
    const size_t errors = findings_count(r->findings, SEVERITY_ERROR);
    const size_t warnings = findings_count(r->findings, SEVERITY_WARNING) - errors;
    const size_t notes = r->findings->n - errors - warnings;
    fprintf(ctx->out,
            "\n%zu error%s, %zu warning%s, %zu note%s. Index: %s, %zu texts.\n"
            "This reports what was found; it is no legal advice.\n",
            errors, errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s", notes,
            notes == 1 ? "" : "s", spdx_list_version(), license_index_count());
}

/* ---- JSON ---- */

static void out_optional(struct json_out *j, const char *key, const char *s)
{
    if (s)
        out_string(j, key, s);
    else
        out_null(j, key);
}

static void out_match(struct json_out *j, const struct statement *s)
{
    out_array(j, "matches");
    for (size_t i = 0; i < s->text.n; i++) {
        const struct text_finding *const t = &s->text.found[i];
        out_object(j, NULL);
        out_string(j, "ids", t->ids);
        out_string(j, "how", text_match_name(t->how));
        out_f64(j, "score", t->score);
        out_bool(j, "without_appendix", t->without_appendix);
        out_end(j, '}');
    }
    out_end(j, ']');
    out_optional(j, "differs", s->text.differs.data);
}

static void out_statements(struct json_out *j, const struct license_facts *f)
{
    out_array(j, "statements");
    for (size_t i = 0; i < f->n_statements; i++) {
        const struct statement *const s = &f->statements[i];
        out_object(j, NULL);
        out_string(j, "kind", statement_kind_name(s->kind));
        out_string(j, "file", s->file);
        out_optional(j, "key", s->key);
        if (s->line)
            out_u64(j, "line", s->line);
        else
            out_null(j, "line");
        out_optional(j, "claim", s->claim);
        out_optional(j, "expression", s->means);
        out_optional(j, "problem", s->problem);
        if (s->kind == STATEMENT_TEXT)
            out_match(j, s);
        out_end(j, '}');
    }
    out_end(j, ']');
}

static void out_duty(void *ctx, const char *id, const struct license_duty *d)
{
    struct json_out *const j = ctx;
    out_object(j, NULL);
    out_string(j, "license", id);
    out_string(j, "kind", duty_name(d->kind));
    out_optional(j, "value", d->value);
    out_string(j, "source", d->source);
    out_end(j, '}');
}

static void out_origins(struct json_out *j, const struct license_facts *f)
{
    out_array(j, "made_from");
    for (size_t i = 0; i < f->n_bases; i++) {
        out_object(j, NULL);
        out_optional(j, "organization", f->bases[i].organization);
        out_string(j, "name", f->bases[i].name);
        out_string(j, "file", f->bases[i].file);
        out_string(j, "key", f->bases[i].key);
        out_end(j, '}');
    }
    out_end(j, ']');
}

static void out_bases(struct json_out *j, const struct license_report *r)
{
    out_array(j, "bases");
    for (size_t i = 0; i < r->n_bases; i++) {
        const char *const means = license_conclusion(r->bases[i]);
        out_object(j, NULL);
        out_string(j, "path", r->bases[i]->path);
        out_optional(j, "license", means);
        out_string(j, "class", license_class_name(license_class_of_text(means)));
        out_end(j, '}');
    }
    out_end(j, ']');
}

static void out_findings(struct json_out *j, const struct findings *fs)
{
    out_array(j, "findings");
    for (size_t i = 0; i < fs->n; i++) {
        const struct finding *const f = &fs->list[i];
        out_object(j, NULL);
        out_string(j, "rule", f->rule->id);
        out_string(j, "severity", severity_name(f->severity));
        out_optional(j, "file", f->file);
        out_optional(j, "location", f->location);
        if (f->line)
            out_u64(j, "line", f->line);
        else
            out_null(j, "line");
        out_string(j, "message", f->message);
        out_optional(j, "evidence", f->evidence);
        out_string(j, "help", f->rule->help);
        out_end(j, '}');
    }
    out_end(j, ']');
}

lq_status license_print_json(const struct license_report *r, const struct context *ctx,
                             lq_error *err)
{
    struct json_out j = {0};
    const char *const means = license_conclusion(r->model);
    out_object(&j, NULL);
    out_string(&j, "path", r->model->path);
    out_optional(&j, "name", r->model->name);
    out_optional(&j, "license", means);
    out_string(&j, "class", license_class_name(license_class_of_text(means)));
    out_statements(&j, r->model);
    out_array(&j, "obligations");
    for_duties(means, out_duty, &j);
    out_end(&j, ']');
    out_origins(&j, r->model);
    out_bases(&j, r);
    out_findings(&j, r->findings);
    out_object(&j, "index");
    out_string(&j, "version", spdx_list_version());
    out_u64(&j, "texts", license_index_count());
    out_end(&j, '}');
    out_string(&j, "note", "This reports what was found; it is no legal advice.");
    out_end(&j, '}');
    return out_print(&j, ctx, err);
}
