/* model_view.h -- a model under the names, and with the rows, that it shares with another one.
 *
 * A checkpoint that is put beside a GGUF model is seen as the GGUF model that it would be converted
 * to: other names, and rows in another order. Everything else is seen as it is stored.
 */
#ifndef LQ_CONVERT_MODEL_VIEW_H
#define LQ_CONVERT_MODEL_VIEW_H

#include "libquant/convert/compare.h"
#include "libquant/convert/convert.h"

struct model_view {
    struct catalog stored;
    struct convert_options options;
    struct conversion conversion;
    const struct catalog *catalog; /* what is seen: `stored`, or the conversion's */
    const struct step *steps; /* of the conversion: one for each tensor of the catalog; or NULL */
};

/* Opens a zeroed view, which must not move afterwards; model_view_release also after a failure. */
lq_status model_view_open(struct model_view *v, const char *path, lq_error *err);
void model_view_release(struct model_view *v);

/* Whether its names are those of GGUF. */
bool model_view_is_gguf(const struct model_view *v);

/* Gives `a` and `b` names in common where one is a GGUF model and the other is not, and no name is
 * shared. Fails as convert_plan does. */
lq_status model_view_match(struct model_view *a, struct model_view *b, lq_error *err);

/* Where the rows of a tensor of v->catalog come from; *t must live as long as the result. */
struct compared model_view_rows(const struct model_view *v, const struct tensor *const *t);

/* The stored type of a tensor; NULL where it is made of nothing that is stored. */
const struct type_info *model_view_type(const struct model_view *v, const struct tensor *t);

#endif
