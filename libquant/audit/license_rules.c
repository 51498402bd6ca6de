/* license_rules.c -- the statements of one model against each other. */
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

static const struct statement *first_of(const struct license_facts *f, enum statement_kind kind,
                                        bool with_meaning)
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
        const struct statement *const s = first_of(f, order[i], false);
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

static bool parse(struct expression *e, const char *s)
{
    *e = (struct expression){0};
    if (s && expression_parse(e, s, NULL) == LQ_OK)
        return true;
    expression_release(e);
    return false;
}

/* True where the two may mean the same: they share a licence, and neither is surely more. */
static bool may_agree(const char *a, const char *b)
{
    struct expression x, y;
    bool share = false;
    const bool ok = parse(&x, a), both = parse(&y, b);
    for (size_t i = 0; ok && both && i < x.n_leaves; i++)
        for (size_t k = 0; k < y.n_leaves; k++)
            share |= ascii_casecmp(x.leaf[i].id, y.leaf[k].id) == 0;
    expression_release(&x);
    expression_release(&y);
    return share;
}

static bool is_gnu_ambiguous(const char *means)
{
    return means && strstr(means, "GPL-") && strstr(means, "-only OR ") &&
           strstr(means, "-or-later");
}

/* ---- one statement ---- */

static void check_problem(struct findings *out, const struct statement *s)
{
    const enum license_rule rule = s->kind == STATEMENT_CARD       ? RULE_CARD_INVALID
                                   : s->kind == STATEMENT_METADATA ? RULE_METADATA_INVALID
                                   : s->kind == STATEMENT_CONFIG   ? RULE_METADATA_INVALID
                                                                   : RULE_FILE_INVALID;
    license_report(out, rule, SEVERITY_ERROR, s, s->problem, "%s: %s", rules[rule].summary,
                   s->problem);
}

static void check_text(struct findings *out, const struct statement *s)
{
    if (!s->text.n) {
        license_report(out, RULE_UNKNOWN, SEVERITY_WARNING, s, NULL,
                       "the text is none of the licences of the index");
        return;
    }
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
    if (parse(&e, s->claim)) {
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
    bool same = parse(&e, claim) && strcmp(e.written.data, claim) == 0;
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
    const struct statement *s = first_of(f, STATEMENT_CARD, false);
    if (!s)
        s = first_of(f, STATEMENT_METADATA, false);
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
    else if (!f->license_link && !first_of(f, STATEMENT_TEXT, false))
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
    const struct statement *s = first_of(f, STATEMENT_CARD, false);
    const bool card = s != NULL;
    if (!s)
        s = first_of(f, STATEMENT_METADATA, true);
    if (!s)
        s = first_of(f, STATEMENT_CONFIG, true);
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

/* ---- all of them ---- */

static struct license_view *view_of(const struct license_facts *f)
{
    struct license_view *const v = mem_calloc(1, sizeof *v);
    if (v) {
        v->facts = f;
        (void)parse(&v->e, license_conclusion(f));
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
