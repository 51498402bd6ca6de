/* license_duties.c -- what the licence of a model asks, and whether it is there. */
#include "libquant/audit/license_rules.h"

#include <string.h>

static bool has_text(const struct license_facts *f)
{
    for (size_t i = 0; i < f->n_statements; i++)
        if (f->statements[i].kind == STATEMENT_TEXT)
            return true;
    return false;
}

/* Licences that are on the SPDX list can be had by their identifiers: only noted. */
static void check_copy(struct findings *out, const struct license_view *v)
{
    const struct statement *const s = license_main_statement(v->facts);
    bool listed = v->e.n_leaves > 0;
    if (!s || has_text(v->facts))
        return;
    for (size_t i = 0; i < v->e.n_leaves; i++)
        listed &= spdx_license_find(v->e.leaf[i].id, strcspn(v->e.leaf[i].id, " +")) != NULL;
    bool needed = false;
    for (size_t i = 0; i < v->e.n_leaves; i++)
        needed |= license_duty_find(v->e.leaf[i].id, DUTY_COPY) != NULL;
    const bool linked = s->hub == HUB_OTHER && v->facts->license_link && !v->facts->link_missing;
    if (linked || (v->e.n_leaves && !needed))
        return;
    license_report(out, RULE_MISSING_FILE, listed ? SEVERITY_NOTE : SEVERITY_WARNING, s, s->claim,
                   "there is no file LICENSE with the text of \"%.200s\"",
                   s->claim ? s->claim : "?");
}

static void check_notice(struct findings *out, const struct license_view *v,
                         const struct license_duty *d)
{
    const struct statement *const s = license_main_statement(v->facts);
    if (!d->value || license_words_have(&v->facts->notices, d->value))
        return;
    const bool in_card = license_words_have(&v->facts->card, d->value);
    license_report(out, RULE_NOTICE_MISSING, SEVERITY_ERROR, s, d->value, "%s (%s): %s",
                   v->facts->notices.len ? "no notice file has the line"
                                         : "there is no notice file",
                   d->source, in_card ? "the line stands in the card only" : d->value);
}

static void check_display(struct findings *out, const struct license_view *v,
                          const struct license_duty *d)
{
    char text[128];
    for (const char *s = d->value; *s;) {
        const size_t n = strcspn(s, "|");
        if (n < sizeof text) {
            memcpy(text, s, n);
            text[n] = '\0';
            if (license_words_have(&v->facts->card, text))
                return;
        }
        s += n + (s[n] == '|');
    }
    license_report(out, RULE_DISPLAY, SEVERITY_NOTE, license_main_statement(v->facts), d->value,
                   "\"%s\" is to be shown (%s), and is not in the card", d->value, d->source);
}

struct duty_check {
    struct findings *out;
    const struct license_view *v;
};

static void tell(void *ctx, const char *id, const struct license_duty *d)
{
    const struct duty_check *const c = ctx;
    struct findings *const out = c->out;
    const struct license_view *const v = c->v;
    (void)id;
    const struct statement *const s = license_main_statement(v->facts);
    switch (d->kind) {
    case DUTY_NOTICE: check_notice(out, v, d); break;
    case DUTY_DISPLAY: check_display(out, v, d); break;
    case DUTY_REGION:
        license_report(out, RULE_REGION, SEVERITY_WARNING, s, d->value, "%s (%s)", d->value,
                       d->source);
        break;
    case DUTY_THRESHOLD:
        license_report(out, RULE_THRESHOLD, SEVERITY_NOTE, s, d->value, "%s (%s)", d->value,
                       d->source);
        break;
    case DUTY_OUTPUTS:
    case DUTY_NO_TRAINING:
        license_report(out, RULE_OUTPUTS, SEVERITY_NOTE, s, d->value, "%s%s (%s)",
                       d->kind == DUTY_NO_TRAINING ? "not to improve other models: " : "", d->value,
                       d->source);
        break;
    default: break;
    }
}

void license_check_duties(struct findings *out, const struct license_view *v)
{
    const struct statement *const s = license_main_statement(v->facts);
    check_copy(out, v);
    expression_duties(&v->e, tell, &(struct duty_check){out, v});
    for (size_t i = 0; i < v->e.n_leaves; i++)
        if (license_class_of(v->e.leaf[i].id) == LICENSE_UNKNOWN)
            license_report(
                out, RULE_UNKNOWN, SEVERITY_NOTE, s, v->e.leaf[i].id,
                "the text of %s was not read for the table of terms: its class is unknown",
                v->e.leaf[i].id);
}
