/* derived_digest.h -- the digest of what a model's tensors say, whatever they are stored as: names and
 * layout of GGUF, numbers widened to F32. */
#ifndef LQ_PROVENANCE_DERIVED_DIGEST_H
#define LQ_PROVENANCE_DERIVED_DIGEST_H

#include "libquant/base/progress.h"
#include "libquant/catalog/catalog.h"

/* Of an opened model: a GGUF model as it is, any other as what `lq convert --type f32` makes of it.
 * Fails as convert_plan does where the architecture is not known or the model is incomplete. */
lq_status derived_digest(const struct catalog *c, unsigned isa, unsigned threads,
                         const struct progress *progress, uint8_t digest[32], lq_error *err);

#endif
