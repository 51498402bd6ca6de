/* lineage_report.h -- prints what `lq lineage` found. */
#ifndef LQ_TOOLS_LINEAGE_REPORT_H
#define LQ_TOOLS_LINEAGE_REPORT_H

#include "tools/command.h"

#include "libquant/provenance/lineage.h"

/* `all`: every tensor and every block. */
void lineage_print_text(const struct context *ctx, const struct lineage *l, bool all);
lq_status lineage_print_json(const struct context *ctx, const struct lineage *l, lq_error *err);

#endif
