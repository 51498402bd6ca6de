/* dsse.h -- in-toto statements in signed envelopes: Dead Simple Signing Envelope 1.0.
 *
 * For attestations: sign_statement makes an envelope of a statement, verify_statement takes one apart
 * again. The bundles of model signatures (bundle.h) hold the same envelope. What is signed is
 *     "DSSEv1" SP length of the type SP type SP length of the payload SP payload
 * over the payload's own bytes; nothing in it is looked at before the signature holds.
 */
#ifndef LQ_TRUST_DSSE_H
#define LQ_TRUST_DSSE_H

#include "libquant/trust/key.h"

#define DSSE_IN_TOTO "application/vnd.in-toto+json"

struct cJSON;

struct dsse {
    struct text payload;   /* decoded */
    struct text signature; /* decoded */
};

/* Appends an envelope (JSON, one line, a newline at its end) with the statement (JSON, any form) to
 * `out`. The key must be a private one. */
lq_status sign_statement(struct text *out, const char *statement, size_t len,
                         const struct sign_key *key, lq_error *err);
/* Reads an envelope of one signature, and appends the statement to `statement` if the key has signed
 * it. LQ_E_VERIFY: it has not. LQ_E_FORMAT: no such envelope, or one that two readers could read in
 * two ways. */
lq_status verify_statement(struct text *statement, struct source *envelope,
                           const struct sign_key *key, lq_error *err);

/* The bytes that are signed for a payload; appends. */
void dsse_pae(struct text *out, const char *payload, size_t len);
/* Signs the payload of `e`. */
lq_status dsse_sign(struct dsse *e, const struct sign_key *key, lq_error *err);
/* `digest` NULL: the one of the key's curve. */
lq_status dsse_verify(const struct dsse *e, const struct sign_key *key, const EVP_MD *digest,
                      lq_error *err);
/* Appends the envelope as JSON without a newline. */
void dsse_put(struct text *out, const struct dsse *e, const char *keyid);
/* Reads {"payload", "payloadType", "signatures": [{"sig", "keyid"}]} into a zeroed struct. `name` is
 * for messages. */
lq_status dsse_read(struct dsse *e, const struct cJSON *envelope, const char *name, lq_error *err);
void dsse_release(struct dsse *e);

#endif
