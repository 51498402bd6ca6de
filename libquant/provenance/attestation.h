/* attestation.h -- who made this file of what: an in-toto statement with SLSA provenance, from which the
 * file can be derived again. docs/attestation.md describes every field. */
#ifndef LQ_PROVENANCE_ATTESTATION_H
#define LQ_PROVENANCE_ATTESTATION_H

#include "libquant/base/text.h"
#include "libquant/convert/convert.h"
#include "libquant/eval/perplexity.h"

#define ATTEST_STATEMENT "https://in-toto.io/Statement/v1"
#define ATTEST_PREDICATE "https://slsa.dev/provenance/v1"
#define ATTEST_BUILD "urn:libquant:derive:v1"
#define ATTEST_MATRIX "importance matrix"
#define ATTEST_PAYLOAD "application/vnd.in-toto+json"

struct attested_file {
    const char *name;
    uint8_t sha256[32];
};

/* What a statement says. `convert.quantize` holds the options of quantizing for both commands. */
struct attestation {
    struct arena arena;
    const char *command;            /* "convert" or "quantize" */
    const char *type;               /* "F16", "Q4_K_M" */
    const char *entry;              /* name of the file that was opened; NULL: the whole folder */
    struct convert_options convert; /* types and out are not used */
    struct metadata_names names;    /* of a conversion; id is part of the recipe, the rest is told */
    struct bytes metadata;          /* content of the --metadata file; data NULL: none */
    bool allow_nonfinite;
    bool has_importance;
    uint8_t imatrix_sha256[32];
    struct attested_file *subjects, *materials;
    size_t n_subjects, n_materials;
    uint8_t content[32], source_content[32]; /* content digests of output and source */
    enum rounding rounding;
    const char *version;
    bool has_evaluation;
    struct evaluation evaluation; /* of the output, its source being the base */
    /* after attestation_read: */
    bool in_envelope;               /* DSSE; its signatures are not looked at here */
    struct type_pattern *patterns;
};

/* Appends the statement as one line of JSON. Deterministic. */
void attestation_put(struct text *out, const struct attestation *a);

/* Appends its libquant_evaluation alone: two evaluations are the same where this text is. */
void attestation_put_evaluation(struct text *out, const struct evaluation *e);

/* Reads a statement, or a DSSE envelope that holds one, into a zeroed struct. LQ_E_FORMAT where it is
 * malformed, LQ_E_UNSUPPORTED where it says what this version cannot derive. attestation_release also
 * after a failure. */
lq_status attestation_read(struct attestation *a, struct source *s, lq_error *err);
void attestation_release(struct attestation *a);

/* ---- attest_run.c: while converting ---- */

struct attest_run;

/* One model that is being made. `output` must be the one that is handed to stream_run: its digests
 * and observer are set. `a` has the recipe, and is filled in. */
struct attested_output {
    struct attestation a;
    struct output *output;
    const char *path; /* of the statement */
};

/* Starts hashing the source; before the run. `files` (NULL is allowed) are the ones beside the
 * weights. Outputs and catalog must stay where they are until the end. */
lq_status attest_begin(struct attest_run **out, const struct catalog *source,
                       struct resolver *files, struct attested_output *outputs, size_t n_outputs,
                       unsigned threads, lq_error *err);
/* After the run: waits for the hashes and fills in the attestations; where the outputs were not made to
 * their end (`made` false), the materials only. Releases in any case. */
lq_status attest_finish(struct attest_run *r, bool made, lq_error *err);
void attest_cancel(struct attest_run *r);

#endif
