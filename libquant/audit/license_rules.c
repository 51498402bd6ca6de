/* license_rules.c -- all rules of `lq license` over a model and its bases. */
#include "libquant/audit/license_rules.h"

#include "libquant/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct rule rules[LICENSE_RULES] = {
#define RULE(symbol, id, severity, summary, help) {id, severity, summary, help},
#include "libquant/audit/license_rules.def"
#undef RULE
};

size_t license_rule_count(void)
{
    return LICENSE_RULES;
}

const struct rule *license_rule_at(size_t i)
{
    return &rules[i];
}

void license_report(struct findings *out, enum license_rule rule, enum severity severity,
                    const struct statement *at, const char *evidence, const char *fmt, ...)
{
    char message[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    findings_add(out,
                 &(struct finding){.rule = &rules[rule],
                                   .severity = severity,
                                   .file = at ? at->file : NULL,
                                   .location = at ? at->key : NULL,
                                   .line = at ? at->line : 0,
                                   .evidence = evidence},
                 "%s", message);
}

/* ---- which statement counts ---- */

const struct statement *license_first_statement(const struct license_facts *f,
                                                enum statement_kind kind, bool with_meaning)
{
    for (size_t i = 0; i < f->n_statements; i++) {
        const struct statement *const s = &f->statements[i];
        if (s->kind == kind && !s->problem && (s->claim || kind == STATEMENT_TEXT) &&
            (s->means || !with_meaning))
            return s;
    }
    return NULL;
}

const struct statement *license_main_statement(const struct license_facts *f)
{
    static const enum statement_kind order[] = {STATEMENT_CARD, STATEMENT_METADATA,
                                                STATEMENT_CONFIG, STATEMENT_TEXT};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        const struct statement *const s = license_first_statement(f, order[i], false);
        /* "other", and a family of licences, are what the text says. */
        if (s && !(s->claim && !s->means && (s->hub == HUB_OTHER || s->family)))
            return s;
    }
    return NULL;
}

const char *license_conclusion(const struct license_facts *f)
{
    const struct statement *const s = license_main_statement(f);
    /* What the card leaves open, a text may tell: which version of the Gemma terms, for instance.
     */
    for (size_t i = 0; s && s->hub == HUB_AMBIGUOUS && s->means && i < f->n_statements; i++) {
        const struct statement *const t = &f->statements[i];
        if (t->kind == STATEMENT_TEXT && t->means && strstr(s->means, t->means))
            return t->means;
    }
    return s ? s->means : NULL;
}

/* ---- expressions ---- */

bool license_parse(struct expression *e, const char *s)
{
    *e = (struct expression){0};
    if (s && expression_parse(e, s, NULL) == LQ_OK)
        return true;
    expression_release(e);
    return false;
}

/* ---- all of them ---- */

static struct license_view *view_of(const struct license_facts *f)
{
    struct license_view *const v = mem_calloc(1, sizeof *v);
    if (v) {
        v->facts = f;
        (void)license_parse(&v->e, license_conclusion(f));
    }
    return v;
}

static void view_free(struct license_view *v)
{
    if (v)
        expression_release(&v->e);
    free(v);
}

lq_status license_rules(struct findings *out, const struct license_facts *model,
                        const struct license_facts *const *bases, size_t n_bases, lq_error *err)
{
    struct license_view *const v = view_of(model);
    struct license_view **const views = mem_calloc(n_bases + 1, sizeof *views);
    bool ok = v && views;
    for (size_t i = 0; i < n_bases && ok; i++)
        ok = (views[i] = view_of(bases[i])) != NULL;
    if (ok) {
        license_check_statements(out, v);
        license_check_duties(out, v);
        license_check_bases(out, v, (const struct license_view *const *)views, n_bases);
        findings_sort(out);
    }
    for (size_t i = 0; i < n_bases && views; i++)
        view_free(views[i]);
    free(views);
    view_free(v);
    return ok && !out->failed ? LQ_OK : lq_fail_memory(err);
}
