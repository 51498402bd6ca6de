/* certificate.h -- X.509 certificates of signers: reading, and the way from one to a trusted root. */
#ifndef LQ_TRUST_CERTIFICATE_H
#define LQ_TRUST_CERTIFICATE_H

#include "libquant/base/source.h"
#include "libquant/base/text.h"

#include <openssl/x509.h>
#include <time.h>

/* Appends all certificates of a PEM file (at most 1 MiB) to *list, which is made where it is NULL.
 * LQ_E_FORMAT where there is none, or one that cannot be read. */
lq_status certificates_read(STACK_OF(X509) **list, struct source *s, lq_error *err);

/* Verifies that chain[0] is the certificate of somebody who signs, at the time `at`:
 *
 *   - it leads over the rest of `chain` and the other certificates in `trusted` to a self-signed one in
 *     `trusted`, every issuer being a CA that may issue what it issues (RFC 5280, section 6)
 *   - all are valid at that time, signed with SHA-256 or better, without critical extensions that are
 *     not understood
 *   - it is no CA itself, may be used for digital signatures, and for signing code
 *
 * LQ_E_VERIFY says what does not hold. LQ_E_FORMAT: no self-signed certificate in `trusted`. `way`, if
 * not NULL, gets the path that was found, chain[0] first, which the caller releases. `name` is for
 * messages. */
lq_status certificate_verify(STACK_OF(X509) *chain, STACK_OF(X509) *trusted, time_t at,
                             STACK_OF(X509) **way, const char *name, lq_error *err);

/* Appends the subject ("CN=Ada,O=Example"), or the first alternative name where that is empty. */
void certificate_put_name(struct text *out, const X509 *x);
/* Appends the SHA-256 over the DER form as hexadecimal digits. */
void certificate_put_fingerprint(struct text *out, const X509 *x);
/* Appends "2026-11-29T10:00:00Z". */
void time_put(struct text *out, time_t t);

#endif
