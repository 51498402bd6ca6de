/* strict_json.h -- small signed JSON documents, read so that no other reader sees something else: no key
 * twice, no unknown key, no NUL in text, Base64 in its one canonical form (RFC 4648, with padding). */
#ifndef LQ_TRUST_STRICT_JSON_H
#define LQ_TRUST_STRICT_JSON_H

#include "libquant/base/source.h"
#include "libquant/base/text.h"

struct cJSON;

/* As json_document, which refuses keys that come twice; NUL characters in text are refused too. */
lq_status strict_document(struct cJSON **out, struct source *s, lq_error *err);
/* `node` must be an object with no other keys than `fields` (ends with NULL); `what` names it. */
lq_status strict_object(const struct cJSON *node, const char *what, const char *const *fields,
                        const char *name, lq_error *err);
/* Text that is not empty, of the field `key`; *out belongs to the document. */
lq_status strict_string(const struct cJSON *node, const char *key, const char **out,
                        const char *name, lq_error *err);
/* Appends what the field `key` encodes; empty text is refused. */
lq_status strict_base64(const struct cJSON *node, const char *key, struct text *out,
                        const char *name, lq_error *err);

/* Appends Base64 of data. */
void base64_put(struct text *out, const void *data, size_t n);
/* Appends what text[0..n) encodes; false where it is not canonical Base64. */
bool base64_strict(struct text *out, const char *text, size_t n);

#endif
