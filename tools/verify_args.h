/* verify_args.h -- what `lq verify` is given to verify signatures with. */
#ifndef LQ_TOOLS_VERIFY_ARGS_H
#define LQ_TOOLS_VERIFY_ARGS_H

#include "tools/sign_args.h"

#include "libquant/trust/keyless.h"

struct verify_args {
    bool has_method; /* else it is PATH that is verified */
    enum bundle_method method;
    struct signature_trust trust;
    struct sign_key key;    /* what `trust` points to */
    struct text roots_name;
    struct trusted_root root;
    struct keyless_policy keyless;
};

/* LQ_E_USAGE where the method lacks an option, or one is for another method. verify_args_free also after
 * a failure. */
lq_status verify_args_read(struct verify_args *v, const struct context *ctx, const struct args *args,
                           lq_error *err);
void verify_args_free(struct verify_args *v);

#endif
