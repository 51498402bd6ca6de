/* expression.h -- SPDX licence expressions (SPDX specification 3, annex on licence expressions):
 * parsed, written in one form, compared, taken apart into what the user may choose from. */
#ifndef LQ_LICENSE_EXPRESSION_H
#define LQ_LICENSE_EXPRESSION_H

#include "libquant/base/status.h"
#include "libquant/base/text.h"

enum {
    EXPRESSION_BYTES = 4096,
    EXPRESSION_DEPTH = 64,
    EXPRESSION_LEAVES = 64,
    EXPRESSION_CHOICES = 256
};

enum leaf_flags {
    LEAF_UNKNOWN = 1 << 0, /* no identifier of the list: kept as it is written */
    LEAF_DEPRECATED =
        1 << 1,           /* the list has replaced it; `id` is the replacement where there is one */
    LEAF_SPECIAL = 1 << 2 /* NONE, NOASSERTION */
};

struct expression_leaf {
    char *id; /* "Apache-2.0", "GPL-2.0-only WITH Classpath-exception-2.0", "LicenseRef-x" */
    unsigned flags;
};

/* Zero-initialise; expression_release also after a failure. */
struct expression {
    struct expression_leaf leaf[EXPRESSION_LEAVES]; /* each distinct one once */
    size_t n_leaves;
    /* The disjunctive normal form: who uses the work picks one choice, and all the leaves whose
     * bits it has apply. Sorted; each once. */
    uint64_t choice[EXPRESSION_CHOICES];
    size_t n_choices;
    struct text written; /* with operators in upper case, and no needless parentheses */
};

/* LQ_E_FORMAT with what is wrong and where; LQ_E_UNSUPPORTED where it is larger than the limits. */
lq_status expression_parse(struct expression *e, const char *s, lq_error *err);
void expression_release(struct expression *e);

/* True where both leave the same choices, in whatever form. */
bool expression_equal(const struct expression *a, const struct expression *b);

#endif
