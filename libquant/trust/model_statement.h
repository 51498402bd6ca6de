/* model_statement.h -- what an OpenSSF Model Signing v1.0 signature says: an in-toto statement with the
 * digest of every file of a model.
 *
 *   subject.digest.sha256 = SHA-256(digest of resource 0 | digest of resource 1 | ...)
 *
 * Specification: https://github.com/ossf/model-signing-spec, v1.0. Files as a whole with SHA-256;
 * shards and other hashes are LQ_E_UNSUPPORTED.
 */
#ifndef LQ_TRUST_MODEL_STATEMENT_H
#define LQ_TRUST_MODEL_STATEMENT_H

#include "libquant/trust/file_list.h"

struct cJSON;
struct text;

struct signed_file {
    const char *name;
    uint8_t sha256[32];
};

struct model_statement {
    struct signed_file *files; /* by name */
    size_t n;
    const char *subject;       /* name that the model had when it was signed */
    const char **ignore;       /* names relative to the model that the signer left out */
    size_t n_ignore;
    struct cJSON *root;        /* what the pointers lead to */
};

/* Appends the statement about a hashed list (in the order in which it is to be written), without the
 * names in o->ignore. */
void model_statement_put(struct text *out, const struct file_list *l, const char *subject,
                         const struct file_list_options *o);
/* Reads a payload whose signature has been verified into a zeroed struct; model_statement_release also
 * after a failure. `name`: of the signature, for messages. LQ_E_VERIFY: the digest over the files is
 * not that of the list. LQ_E_FORMAT: no such statement, or one with two meanings. */
lq_status model_statement_read(struct model_statement *s, const char *payload, size_t len,
                               const char *name, lq_error *err);
void model_statement_release(struct model_statement *s);

/* True for relative names without empty, "." and ".." components, of at most 4096 bytes. */
bool model_name_is_plain(const char *name);
/* True for plain names that can be recorded as left out: no patterns. */
bool model_ignore_is_plain(const char *name);

#endif
