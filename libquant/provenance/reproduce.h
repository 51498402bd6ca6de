/* reproduce.h -- re-derive or refuse: makes a model again from its source and the recipe of an
 * attestation, and compares byte for byte as it goes. Nothing is written. */
#ifndef LQ_PROVENANCE_REPRODUCE_H
#define LQ_PROVENANCE_REPRODUCE_H

#include "libquant/provenance/attestation.h"

struct reproduce_options {
    const char *source;   /* the folder of the source, or the file that the attestation names */
    const char *output;   /* what is claimed to be the result: its first file, or a folder that holds it
                             under the attestation's name; NULL: only the digests of the attestation
                             are compared */
    const char *imatrix;  /* the importance matrix, where one was used; else NULL */
    const struct stream_options *stream;
};

/* Why it is refused, for people: one line, `why` empty where it is accepted. */
struct reproduction {
    char why[1024];
};

/* LQ_OK: accepted. LQ_E_VERIFY: refused, result->why says why. Others: it could not be checked. `a` is
 * changed: options that the arguments give are set. */
lq_status reproduce(struct attestation *a, const struct reproduce_options *o,
                    struct reproduction *result, lq_error *err);

/* The path of the model that `given`, a folder or the file itself, has under the attestation's name for
 * it; the caller frees it. */
lq_status reproduce_source(char **out, const struct attestation *a, const char *given,
                           lq_error *err);

/* ---- reproduce_diff.c: for reproduce.c ---- */

/* The first difference in metadata or in the list of tensors, or "". Keys that a layout adds (split.*)
 * are left out. */
void reproduce_compare_headers(const struct catalog *derived, const struct catalog *claimed,
                               char *why, size_t size);

/* What lies at byte `offset` of file number `file`, where the claimed file differs: says tensor, block
 * and values. */
lq_status reproduce_explain(const struct step *steps, struct output *derived, uint32_t file,
                            struct source *claimed, uint64_t offset,
                            const struct stream_options *stream, char *why, size_t size,
                            lq_error *err);

#endif
