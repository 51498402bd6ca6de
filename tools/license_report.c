/* license_report.c -- what `lq license` prints, for people. */
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

void license_duties_of(const char *means,
                       void (*each)(void *ctx, const char *id, const struct license_duty *d),
                       void *ctx)
{
    struct expression *const e = calloc(1, sizeof *e);
    if (e && means && expression_parse(e, means, NULL) == LQ_OK)
        expression_duties(e, each, ctx);
    if (e)
        expression_release(e);
    free(e);
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
    license_duties_of(license_conclusion(r->model), duty_row, &t);
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
