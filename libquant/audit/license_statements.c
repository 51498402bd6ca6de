/* license_statements.c -- the statements of one model, each by itself and against the others. */
#include "libquant/audit/license_rules.h"

#include "libquant/base/text.h"

#include <string.h>

/* ---- expressions ---- */

/* One licence; an exception that one of them leaves out may be meant: the hub's identifiers cannot
 * say it. */
static bool is_same_licence(const char *a, const char *b)
{
    const size_t n = strcspn(a, " ");
    return ascii_casecmp(a, b) == 0 ||
           ((!a[n] || !strchr(b, ' ')) && n == strcspn(b, " ") && ascii_ncasecmp(a, b, n) == 0);
}

/* True where the two may mean the same: they share a licence, and neither is surely more. */
static bool may_agree(const char *a, const char *b)
{
    struct expression x, y;
    bool share = false;
    const bool ok = license_parse(&x, a), both = license_parse(&y, b);
    for (size_t i = 0; ok && both && i < x.n_leaves; i++)
        for (size_t k = 0; k < y.n_leaves; k++)
            share |= is_same_licence(x.leaf[i].id, y.leaf[k].id);
    expression_release(&x);
    expression_release(&y);
    return share;
}

static bool is_gnu_ambiguous(const char *means)
{
    return means && strstr(means, "GPL-") && strstr(means, "-only") && strstr(means, " OR ") &&
           strstr(means, "-or-later");
}

/* ---- one statement ---- */

static void check_problem(struct findings *out, const struct statement *s)
{
    const enum license_rule rule = s->kind == STATEMENT_CARD       ? RULE_CARD_INVALID
                                   : s->kind == STATEMENT_METADATA ? RULE_METADATA_INVALID
                                   : s->kind == STATEMENT_CONFIG   ? RULE_METADATA_INVALID
                                                                   : RULE_FILE_INVALID;
    license_report(out, rule, SEVERITY_ERROR, s, s->problem, "%s: %s",
                   license_rule_at(rule)->summary, s->problem);
}

static void check_text(struct findings *out, const struct statement *s)
{
    if (!s->text.n) {
        license_report(out, RULE_UNKNOWN, SEVERITY_WARNING, s, NULL,
                       "the text is none of the licences of the index");
        return;
    }
    if (s->loose_exception)
        license_report(out, RULE_EXCEPTION, SEVERITY_NOTE, s, NULL,
                       "the text has an exception, and it is not told to which licence it belongs");
    for (size_t i = 0; i < s->text.n; i++) {
        const struct text_finding *const t = &s->text.found[i];
        if (t->how == TEXT_SIMILAR)
            license_report(out, RULE_UNKNOWN, SEVERITY_WARNING, s, t->ids,
                           "the text is like %s (%.0f %% of its word pairs), and is not it", t->ids,
                           100 * t->score);
        else if (t->how == TEXT_MODIFIED)
            license_report(out, RULE_FILE_MODIFIED, SEVERITY_WARNING, s, s->text.differs.data,
                           "the text is a changed %s (%.1f %% of the word pairs)", t->ids,
                           100 * t->score);
    }
}

static void check_deprecated(struct findings *out, const struct statement *s)
{
    struct expression e;
    const struct spdx_license *const l = spdx_license_find(s->claim, strlen(s->claim));
    bool old = l && l->deprecated;
    if (license_parse(&e, s->claim)) {
        for (size_t i = 0; i < e.n_leaves; i++)
            old |= (e.leaf[i].flags & LEAF_DEPRECATED) != 0;
        expression_release(&e);
    }
    if (old && s->hub != HUB_AMBIGUOUS)
        license_report(out, RULE_DEPRECATED, SEVERITY_NOTE, s, s->claim,
                       "the identifier is deprecated; write \"%s\"", s->means ? s->means : "?");
}

static bool is_spdx_form(const char *claim)
{
    struct expression e;
    bool same = license_parse(&e, claim) && strcmp(e.written.data, claim) == 0;
    for (size_t i = 0; i < e.n_leaves; i++)
        same &= !(e.leaf[i].flags & LEAF_UNKNOWN);
    expression_release(&e);
    return same;
}

static void check_claim(struct findings *out, const struct license_view *v,
                        const struct statement *s)
{
    if (s->family)
        license_report(out, RULE_FAMILY, SEVERITY_NOTE, s, s->claim,
                       "\"%s\" is a family of licences: it names no terms", s->claim);
    else if (s->hub == HUB_NONE || (s->hub == HUB_UNKNOWN && !s->means))
        license_report(out, RULE_UNKNOWN, SEVERITY_WARNING, s, s->claim,
                       "\"%.200s\" is no licence that is known here", s->claim);
    else
        check_deprecated(out, s);
    if (s == license_main_statement(v->facts) && is_gnu_ambiguous(s->means))
        license_report(out, RULE_AMBIGUOUS_GNU, SEVERITY_NOTE, s, s->claim,
                       "it is not said whether it is %s", s->means);
    if (s->key && strcmp(s->key, "general.license") == 0 && !is_spdx_form(s->claim))
        license_report(out, RULE_NOT_SPDX, SEVERITY_NOTE, s, s->claim,
                       "\"%.200s\" is no SPDX expression%s%s", s->claim,
                       s->means ? "; that is " : "", s->means ? s->means : "");
}

/* ---- "other" ---- */

static void check_other(struct findings *out, const struct license_view *v)
{
    const struct license_facts *const f = v->facts;
    const struct statement *s = license_first_statement(f, STATEMENT_CARD, false);
    if (!s)
        s = license_first_statement(f, STATEMENT_METADATA, false);
    if (!s)
        return;
    if (s->hub != HUB_OTHER) {
        if (f->license_name && s->kind == STATEMENT_CARD)
            license_report(out, RULE_OTHER_INCOMPLETE, SEVERITY_NOTE, s, f->license_name,
                           "license_name counts only where `license` is \"other\"");
        return;
    }
    if (!f->license_name)
        license_report(out, RULE_OTHER_INCOMPLETE, SEVERITY_WARNING, s, s->claim,
                       "\"other\" without license_name");
    if (f->link_missing)
        license_report(out, RULE_OTHER_INCOMPLETE, SEVERITY_WARNING, s, f->license_link,
                       "license_link names the file \"%.200s\", which is not there",
                       f->license_link);
    else if (!f->license_link && !license_first_statement(f, STATEMENT_TEXT, false))
        license_report(out, RULE_OTHER_INCOMPLETE, SEVERITY_WARNING, s, s->claim,
                       "\"other\" without license_link and without a file LICENSE");
}

/* ---- statements against each other ---- */

static void check_card_and_text(struct findings *out, const struct license_facts *f,
                                const struct statement *card, enum license_rule rule)
{
    const struct statement *other = NULL;
    bool agrees = false;
    for (size_t i = 0; i < f->n_statements; i++) {
        const struct statement *const s = &f->statements[i];
        if (s->kind != STATEMENT_TEXT || !s->means)
            continue;
        if (may_agree(card->means, s->means))
            agrees = true;
        else if (!other)
            other = s;
    }
    if (other && agrees)
        license_report(out, RULE_SECOND_TEXT, SEVERITY_NOTE, other, other->means,
                       "this text is %s, the model is stated to be under %s", other->means,
                       card->means);
    else if (other)
        license_report(out, rule, SEVERITY_ERROR, other, card->claim,
                       "the text is %s, but %s says \"%s\"", other->means, card->file, card->claim);
}

static void check_metadata(struct findings *out, const struct license_facts *f,
                           const struct statement *card)
{
    for (size_t i = 0; i < f->n_statements; i++) {
        const struct statement *const s = &f->statements[i];
        if ((s->kind != STATEMENT_METADATA && s->kind != STATEMENT_CONFIG) || s->problem ||
            s == card)
            continue;
        const bool names_differ = !s->means && !card->means && s->hub == HUB_OTHER &&
                                  card->hub == HUB_OTHER && f->metadata_license_name &&
                                  f->license_name &&
                                  !license_same_name(f->metadata_license_name, f->license_name);
        if (names_differ)
            license_report(out, RULE_METADATA_MISMATCH, SEVERITY_ERROR, s, f->metadata_license_name,
                           "the name of the licence is \"%.200s\", but %s says \"%.200s\"",
                           f->metadata_license_name, card->file, f->license_name);
        else if (s->means && card->means && !may_agree(s->means, card->means))
            license_report(out, RULE_METADATA_MISMATCH, SEVERITY_ERROR, s, s->claim,
                           "it says \"%.200s\", but %s says \"%.200s\"", s->claim, card->file,
                           card->claim);
    }
}

static void check_agreement(struct findings *out, const struct license_facts *f)
{
    const struct statement *s = license_first_statement(f, STATEMENT_CARD, false);
    const bool card = s != NULL;
    if (!s)
        s = license_first_statement(f, STATEMENT_METADATA, true);
    if (!s)
        s = license_first_statement(f, STATEMENT_CONFIG, true);
    if (!s)
        return;
    if (s->means)
        check_card_and_text(out, f, s, card ? RULE_CARD_FILE_MISMATCH : RULE_METADATA_MISMATCH);
    check_metadata(out, f, s);
}

static void check_code(struct findings *out, const struct license_view *v)
{
    const char *const conclusion = license_conclusion(v->facts);
    for (size_t i = 0; i < v->facts->n_statements && conclusion; i++) {
        const struct statement *const s = &v->facts->statements[i];
        if (s->kind == STATEMENT_HEADER && s->means && !may_agree(s->means, conclusion)) {
            license_report(out, RULE_CODE, SEVERITY_NOTE, s, s->claim,
                           "this file is under %s, the model under %s", s->means, conclusion);
            return;
        }
    }
}

/* ---- what is not there ---- */

static void check_presence(struct findings *out, const struct license_facts *f)
{
    bool any = false, card_problem = false;
    const struct statement *card = NULL;
    for (size_t i = 0; i < f->n_statements; i++) {
        const struct statement *const s = &f->statements[i];
        any |= !s->problem && s->kind != STATEMENT_NOTICE && s->kind != STATEMENT_POLICY &&
               s->kind != STATEMENT_HEADER;
        card_problem |= s->problem && s->kind == STATEMENT_CARD;
        if (s->kind == STATEMENT_CARD)
            card = s;
    }
    const struct statement readme = {.file = "README.md"};
    if (!any && !card_problem)
        license_report(out, RULE_NONE, SEVERITY_WARNING, NULL, NULL,
                       "no file and no key states a licence");
    else if (f->has_card && !card)
        license_report(out, RULE_MISSING_CARD, SEVERITY_WARNING, &readme, NULL,
                       "the front matter has no `license`");
}

void license_check_statements(struct findings *out, const struct license_view *v)
{
    for (size_t i = 0; i < v->facts->n_statements; i++) {
        const struct statement *const s = &v->facts->statements[i];
        if (s->problem)
            check_problem(out, s);
        else if (s->kind == STATEMENT_TEXT)
            check_text(out, s);
        else if (s->claim)
            check_claim(out, v, s);
        if (s->kind == STATEMENT_TEXT && s == license_main_statement(v->facts) &&
            is_gnu_ambiguous(s->means))
            license_report(out, RULE_AMBIGUOUS_GNU, SEVERITY_NOTE, s, s->means,
                           "the text does not tell whether it is %s", s->means);
    }
    check_presence(out, v->facts);
    check_other(out, v);
    check_agreement(out, v->facts);
    check_code(out, v);
}
