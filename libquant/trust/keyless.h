/* keyless.h -- signatures by short-lived certificates (Sigstore), verified without network.
 *
 * The certificate names an identity that a provider has vouched for. It is valid for minutes; that the
 * signature was made in these is shown by a signed time, and that it was not made in secret by two logs:
 *
 *   keyless_verify          all of it, in order
 *   keyless_scts            that the certificate is in a certificate log (RFC 6962)
 *   keyless_entry           that the signature is in a transparency log: promise, proof, checkpoint, body
 *   keyless_timestamp       a time told by a timestamp authority (RFC 3161)
 *
 * Sigstore's client specification: https://github.com/sigstore/architecture-docs.
 */
#ifndef LQ_TRUST_KEYLESS_H
#define LQ_TRUST_KEYLESS_H

#include "libquant/trust/bundle.h"
#include "libquant/trust/trusted_root.h"

struct keyless_policy {
    const struct trusted_root *root;
    const char *root_name; /* for people */
    const char *identity;  /* that the certificate must have as an alternative name, exactly */
    const char *issuer;    /* the provider that vouches for it, exactly */
};

/* LQ_E_VERIFY says what does not hold; LQ_E_FORMAT, LQ_E_UNSUPPORTED: it cannot be checked. *at gets the
 * time at which it was signed: the earliest that is proved. */
lq_status keyless_verify(const struct bundle *b, const struct keyless_policy *p, time_t *at,
                         const char *name, lq_error *err);

lq_status keyless_scts(X509 *leaf, X509 *issuer, const struct trusted_root *root, const char *name,
                       lq_error *err);
/* The log must be trusted at all of times[0..n], the last of which the log itself promises, and gets: 0
 * where it promises none. */
lq_status keyless_entry(const struct bundle *b, const struct trusted_root *root, time_t *times, size_t n,
                        const char *name, lq_error *err);
/* The token is one over the bytes data[0..n). */
lq_status keyless_timestamp(const void *token, size_t token_len, const void *data, size_t n,
                            const struct trusted_root *root, time_t *at, const char *name,
                            lq_error *err);

#endif
