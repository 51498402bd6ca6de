/* sign_args.h -- the options that `lq sign` and `lq verify METHOD` share: keys, certificates, which files
 * of a model count. */
#ifndef LQ_TOOLS_SIGN_ARGS_H
#define LQ_TOOLS_SIGN_ARGS_H

#include "tools/command.h"

#include "libquant/trust/model_signature.h"

struct sign_args {
    struct signature_options options;
    struct text *ignore; /* names of --ignore-paths within the model */
    const char **names;
    size_t n;
};

#define OPTION_SIGN_FILES                                                                          \
    {"ignore-paths", 0, OPT_LIST, "PATH", "leave out this file, or all below this folder"},        \
    {"ignore-git-paths", 0, OPT_FLAG, NULL, "leave out .git, .gitignore, ... (default)"},          \
    {"no-ignore-git-paths", 0, OPT_FLAG, NULL, "take in .git, .gitignore, ... of the top level"},  \
    {"allow-symlinks", 0, OPT_FLAG, NULL, "follow symbolic links within the model"}

#define OPTION_PASSPHRASE                                                                          \
    {"passphrase-file", 0, OPT_VALUE, "FILE", "the private key's passphrase is its first line"},   \
    {"passphrase-env", 0, OPT_VALUE, "NAME", "... or the value of this environment variable"}

/* Of OPTION_SIGN_FILES. LQ_E_USAGE where a path to leave out is not within the model. sign_args_free
 * also after a failure. */
lq_status sign_args_read(struct sign_args *s, const struct context *ctx, const struct args *args,
                         const char *model, lq_error *err);
void sign_args_free(struct sign_args *s);

/* A private key; its passphrase, where it has one, by OPTION_PASSPHRASE or from the terminal. */
lq_status sign_args_private_key(struct sign_key *k, const struct args *args, const char *path,
                                lq_error *err);
/* All certificates of the files that a list option names. */
lq_status sign_args_certificates(STACK_OF(X509) **list, const char *const *paths, size_t n,
                                 lq_error *err);

/* "key" and so on; false: no such method. */
bool sign_method(const char *name, enum bundle_method *m);

#endif
