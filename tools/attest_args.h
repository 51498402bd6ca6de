/* attest_args.h -- --attest FILE of the commands that make models. */
#ifndef LQ_TOOLS_ATTEST_ARGS_H
#define LQ_TOOLS_ATTEST_ARGS_H

#include "tools/sign_args.h"

#include "libquant/provenance/attestation.h"

/* Rows for a command's option table. */
#define ATTEST_OPTIONS                                                                             \
    {                                                                                              \
        "attest", 0, OPT_VALUE, "FILE",                                                            \
            "write an attestation from which `lq reproduce` derives the output again"              \
    },                                                                                             \
        {"attest-key", 0, OPT_VALUE, "FILE", "sign the attestation with this private key"},        \
        OPTION_PASSPHRASE

/* The statements of one run. Zeroed: none is asked for, and everything below does nothing. */
struct attest_args {
    struct attested_output *outputs;
    size_t n_outputs;
    char *metadata; /* content of the --metadata file */
    struct arena arena;
    struct attest_run *run;
    const struct sign_key *key; /* the caller's; NULL or zeroed: the statements are not signed */
};

/* Reads --attest-key into a zeroed struct, if it is given; key_release also after a failure. */
lq_status attest_args_key(struct sign_key *k, const struct args *args, lq_error *err);

/* After the plan, before the run. `path` is the value of --attest, or NULL; with several outputs it
 * holds {type}. What the plan points to must stay until attest_args_release. */
lq_status attest_convert(struct attest_args *a, const char *path, struct conversion *c,
                         const struct stream_options *stream, lq_error *err);
lq_status attest_quantize(struct attest_args *a, const char *path, const struct catalog *source,
                          struct quantize_plan *plan, const struct stream_options *stream,
                          lq_error *err);
/* After the run, before the statements: --eval FILE of the model that was made as output number `i`, whose
 * figures its statement will have. `text` NULL: not asked for. */
lq_status attest_args_evaluate(struct attest_args *a, size_t i, const struct context *ctx,
                               const char *text, const char *model, const char *base,
                               lq_error *err);
/* After the run: writes the statements. */
lq_status attest_args_write(struct attest_args *a, lq_error *err);
void attest_args_release(struct attest_args *a);

#endif
