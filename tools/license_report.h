/* license_report.h -- reading what a model says about its licence, and printing it. */
#ifndef LQ_TOOLS_LICENSE_REPORT_H
#define LQ_TOOLS_LICENSE_REPORT_H

#include "libquant/audit/license_rules.h"
#include "tools/command.h"

/* Reads the statements of a folder, a model file with what lies beside it, or a licence text.
 * `unread` gets why a folder's metadata were not read (message empty: they were). The facts are to
 * be released also after a failure. */
lq_status license_open(struct license_facts *f, const char *path, lq_error *unread, lq_error *err);

struct license_report {
    const struct license_facts *model;
    const struct license_facts *const *bases;
    size_t n_bases;
    const struct findings *findings;
};

void license_print_text(const struct license_report *r, const struct context *ctx);
lq_status license_print_json(const struct license_report *r, const struct context *ctx,
                             lq_error *err);

/* The class of an SPDX expression; unknown where it is NULL. */
enum license_class license_class_of_text(const char *means);

/* expression_duties of an SPDX expression; none where it is NULL. */
void license_duties_of(const char *means,
                       void (*each)(void *ctx, const char *id, const struct license_duty *d),
                       void *ctx);

/* For `lq inspect`: appends the licence of an opened model as an SPDX expression, else as it is
 * stated, or nothing. */
lq_status license_line(struct text *out, const struct catalog *c, enum license_class *class,
                       lq_error *err);

/* Warns where the licence of `source` demands a notice that the folder of the output `out` (NULL:
 * it is the source's) does not have. */
void license_warn_of_loss(const struct context *ctx, const char *source, const char *out);

#endif
