/* trusted_root.h -- what keyless signatures are verified with: Sigstore's trusted root, a file that the user
 * supplies. It names the keys of the transparency logs and of the certificate logs, and the certificates
 * of the authorities that issue to signers and that tell the time, each with the period in which it counts.
 *
 * https://github.com/sigstore/protobuf-specs (sigstore_trustroot.proto), in JSON: a TrustedRoot, or the
 * ClientTrustConfig that holds one.
 */
#ifndef LQ_TRUST_TRUSTED_ROOT_H
#define LQ_TRUST_TRUSTED_ROOT_H

#include "libquant/base/source.h"

#include <openssl/x509.h>
#include <time.h>

struct trusted_log {
    uint8_t id[32];
    EVP_PKEY *key;
    time_t start, end; /* both inclusive */
};

struct trusted_authority {
    STACK_OF(X509) *certificates;
    time_t start, end;
};

struct trusted_root {
    struct trusted_log *logs, *certificate_logs;
    struct trusted_authority *issuers, *clocks;
    size_t n_logs, n_certificate_logs, n_issuers, n_clocks;
};

/* Fills a zeroed struct; trusted_root_release also after a failure. LQ_E_FORMAT: no such file. */
lq_status trusted_root_read(struct trusted_root *r, struct source *s, lq_error *err);
void trusted_root_release(struct trusted_root *r);

/* The one of n logs with this id; NULL: it is not trusted. */
const struct trusted_log *trusted_log_find(const struct trusted_log *logs, size_t n,
                                           const uint8_t id[32]);
/* LQ_E_VERIFY where the signature of data (with SHA-256; of Ed25519 keys without) is not the log's. */
lq_status trusted_log_verify(const struct trusted_log *log, const void *data, size_t n,
                             const void *signature, size_t signature_len, const char *what,
                             const char *name, lq_error *err);

#endif
