/* align.h -- two sequences of codes laid beside each other, and where they differ. */
#ifndef LQ_LICENSE_ALIGN_H
#define LQ_LICENSE_ALIGN_H

#include "libquant/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* n_a codes of the first from a on stand where n_b codes of the second from b on stand. */
struct difference {
    size_t a, n_a, b, n_b;
};

struct alignment {
    struct difference *list; /* in their order */
    size_t n, cap;
    bool too_many; /* more than ALIGN_EDITS codes differ: the list is empty */
};

enum { ALIGN_EDITS = 1500 };

/* The fewest codes that have to be taken away or added to make b of a. Fills a zeroed struct;
 * alignment_release also after a failure (LQ_E_MEMORY). */
lq_status codes_align(struct alignment *out, const uint8_t *a, size_t n_a, const uint8_t *b,
                      size_t n_b, lq_error *err);
void alignment_release(struct alignment *al);

#endif
