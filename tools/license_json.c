/* license_json.c -- what `lq license --json` prints. */
#include "tools/license_report.h"

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
    license_duties_of(means, out_duty, &j);
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
