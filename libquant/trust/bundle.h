/* bundle.h -- Sigstore bundles, version 0.3, as OpenSSF Model Signing v1.0 uses them: a signed envelope
 * and what it takes to verify it, which depends on the method:
 *
 *   key          the hint: SHA-256 of the public key's PEM text
 *   certificate  the signer's certificate and those between it and a root
 *   sigstore     the signer's certificate, entries of a transparency log, signed times
 *
 * https://github.com/sigstore/protobuf-specs (sigstore_bundle.proto), in JSON.
 */
#ifndef LQ_TRUST_BUNDLE_H
#define LQ_TRUST_BUNDLE_H

#include "libquant/trust/dsse.h"

#include <openssl/x509.h>

enum bundle_method { BUNDLE_KEY, BUNDLE_CERTIFICATE, BUNDLE_SIGSTORE, BUNDLE_METHODS };

struct cJSON;

struct bundle {
    enum bundle_method method;
    struct dsse envelope;
    const char *hint;       /* key: or NULL */
    struct text old_key;    /* key, as written before version 1.1 of model_signing: PEM text */
    STACK_OF(X509) *chain;  /* certificate: the signer's first; sigstore: the signer's alone */
    const struct cJSON *entries;    /* sigstore: tlogEntries */
    const struct cJSON *timestamps; /* sigstore: rfc3161Timestamps, or NULL */
    struct cJSON *root;     /* what the pointers lead to */
};

/* "key", "certificate", "sigstore" */
const char *bundle_method_name(enum bundle_method m);

/* Reads a bundle into a zeroed struct; bundle_release also after a failure. LQ_E_FORMAT: no bundle, or
 * one that two readers could understand differently. LQ_E_UNSUPPORTED: another version. Nothing in it
 * is verified. */
lq_status bundle_read(struct bundle *b, struct source *s, lq_error *err);
void bundle_release(struct bundle *b);

/* Appends the bundle of a signed envelope as one line of JSON: of the method key where `chain` is NULL,
 * else of the method certificate. */
void bundle_put(struct text *out, const struct dsse *envelope, const struct sign_key *key,
                const STACK_OF(X509) *chain);

/* Decodes one DER certificate that fills the field "rawBytes" of `node`. */
lq_status bundle_certificate(X509 **out, const struct cJSON *node, const char *name, lq_error *err);

#endif
