/* license_rules.h -- whether what a model says about its licence fits together, and fits its bases.
 */
#ifndef LQ_AUDIT_LICENSE_RULES_H
#define LQ_AUDIT_LICENSE_RULES_H

#include "libquant/audit/finding.h"
#include "libquant/license/statement.h"
#include "libquant/license/terms.h"

/* Evaluates all rules of license_rules.def. `bases` are the facts of models (or data sets) that
 * this one was made from, along the chain in any order; those that no other names count as its own.
 */
lq_status license_rules(struct findings *out, const struct license_facts *model,
                        const struct license_facts *const *bases, size_t n_bases, lq_error *err);

/* The SPDX expression that the statements come to: that of the card, else of metadata, of
 * configuration, of the text; NULL where none is known. */
const char *license_conclusion(const struct license_facts *f);

size_t license_rule_count(void);
const struct rule *license_rule_at(size_t i);

/* ---- for the files that implement it ---- */

enum license_rule {
#define RULE(symbol, id, severity, summary, help) RULE_##symbol,
#include "libquant/audit/license_rules.def"
#undef RULE
    LICENSE_RULES
};

/* A model with its conclusion, parsed (n_choices 0: none). */
struct license_view {
    const struct license_facts *facts;
    struct expression e;
};

void license_report(struct findings *out, enum license_rule rule, enum severity severity,
                    const struct statement *at, const char *evidence, const char *fmt, ...)
    LQ_PRINTF(6, 7);
void license_check_statements(struct findings *out, const struct license_view *v);
void license_check_duties(struct findings *out, const struct license_view *v);
void license_check_bases(struct findings *out, const struct license_view *model,
                         const struct license_view *const *bases, size_t n);
/* The first statement of a kind, where asked one whose meaning is known; NULL where there is none.
 */
const struct statement *license_first_statement(const struct license_facts *f,
                                                enum statement_kind kind, bool with_meaning);
/* False, and e released, where s (or NULL) is no expression. */
bool license_parse(struct expression *e, const char *s);
/* The first statement that the conclusion rests on; NULL where there is none. */
const struct statement *license_main_statement(const struct license_facts *f);

#endif
