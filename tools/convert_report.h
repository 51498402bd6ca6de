/* convert_report.h -- what `lq convert` prints: what it found out, and what it wrote. */
#ifndef LQ_TOOLS_CONVERT_REPORT_H
#define LQ_TOOLS_CONVERT_REPORT_H

#include "tools/command.h"

#include "libquant/convert/convert.h"
#include "libquant/convert/convert_tensors.h"

/* Kind and name of the model, and decisions worth knowing: to ctx->err, before the work begins. */
void convert_report_notes(const struct context *ctx, const struct conversion *c);

/* The files that were written, or, in a dry run, that would be: to ctx->out; JSON where asked. */
lq_status convert_report_print(const struct context *ctx, const struct conversion *c, bool dry_run,
                               lq_error *err);

/* The same for a conversion to safetensors. */
lq_status convert_report_tensors(const struct context *ctx, const struct tensors_conversion *c,
                                 bool dry_run, lq_error *err);

#endif
