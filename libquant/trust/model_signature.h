/* model_signature.h -- signing a model, and verifying that it is what was signed.
 *
 *   signature_write    hashes the files of a model and writes a bundle
 *   signature_verify   verifies a bundle, then compares the files with what it says: each file, and
 *                      each thing that is wrong, becomes an item of a verification
 *   signature_claims   for signatures that were come upon: verifies where that is possible, and adds
 *                      what they say as claims
 */
#ifndef LQ_TRUST_MODEL_SIGNATURE_H
#define LQ_TRUST_MODEL_SIGNATURE_H

#include "libquant/trust/bundle.h"
#include "libquant/trust/file_list.h"
#include "libquant/trust/verification.h"

struct keyless_policy;

/* What signatures are verified with; what is NULL is not there. */
struct signature_trust {
    const struct sign_key *key;             /* method key */
    STACK_OF(X509) *roots;                  /* method certificate: roots, and what helps to get there */
    const char *roots_name;                 /* for people: the file */
    time_t at;                              /* the time at which certificates must be valid */
    const struct keyless_policy *keyless;   /* method sigstore */
};

struct signature_options {
    struct file_list_options files; /* names in `ignore` are relative to the model */
    bool ignore_unsigned;           /* files that were not signed are no fault */
    unsigned threads;
    const struct progress *progress;
};

/* Signs the model at `model` and writes the bundle to `path`. The signature itself is left out where it
 * lies in the model. `chain` NULL: method key, else method certificate, chain[0] being the certificate
 * of `key`. *n_files, if not NULL: how many files were signed. LQ_E_VERIFY where there is what cannot
 * be signed, as file_list_walk says. */
lq_status signature_write(const char *model, const char *path, const struct sign_key *key,
                          const STACK_OF(X509) *chain, const struct signature_options *o,
                          size_t *n_files, lq_error *err);

/* Fills a zeroed verification, whose verdict (verify_verdict) is then that about the model. LQ_E_VERIFY:
 * the signature itself does not verify, or is of another method. LQ_E_FORMAT, LQ_E_UNSUPPORTED: it
 * cannot be checked. */
lq_status signature_verify(struct verification *v, const char *model, const char *path,
                           enum bundle_method method, const struct signature_trust *trust,
                           const struct signature_options *o, lq_error *err);

/* Whether a file of this name is a signature. */
bool signature_is_name(const char *name);
/* Adds what is to be said about the signature at v->root/name: claims about the files beside it where
 * v->trust has what it takes, else that it was not checked. */
lq_status signature_claims(struct verification *v, const char *name, lq_error *err);
/* The same for every signature among the items there are, where v->trust has anything to verify with. */
lq_status signature_claims_all(struct verification *v, lq_error *err);

/* Appends the name that `path` has within the model: its folder must be there. False: it is not within
 * it, or is the model itself. */
bool model_relative(const char *model, const char *path, struct text *name);

#endif
