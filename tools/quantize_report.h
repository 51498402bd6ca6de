/* quantize_report.h -- what `lq quantize` prints: the plan, the result, what to know about them. */
#ifndef LQ_TOOLS_QUANTIZE_REPORT_H
#define LQ_TOOLS_QUANTIZE_REPORT_H

#include "tools/command.h"

#include "libquant/convert/quantize.h"

struct quantize_report {
    const struct context *ctx;
    const struct quantize_plan *plan;
    bool dry_run;
    const lq_error *refusal; /* why a dry run could not be done in earnest, or NULL */
    uint8_t (*digests)[32];  /* of the files written; NULL in a dry run */
};

/* Fallbacks, missing importance, layers to prune that are not there: to ctx->err. */
void quantize_report_warnings(const struct quantize_report *r);

/* The table of a dry run, or the line about what was written; JSON where asked: to ctx->out. */
lq_status quantize_report_print(const struct quantize_report *r, lq_error *err);

#endif
