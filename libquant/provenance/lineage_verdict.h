/* lineage_verdict.h -- from the verdicts of the tensors to that of the model. For lineage.c. */
#ifndef LQ_PROVENANCE_LINEAGE_VERDICT_H
#define LQ_PROVENANCE_LINEAGE_VERDICT_H

#include "libquant/provenance/lineage.h"

/* Sets counts, missing, verdict and why. LQ_E_MODEL where no tensor has a counterpart of its name.
 */
lq_status lineage_judge(struct lineage *l, lq_error *err);

#endif
