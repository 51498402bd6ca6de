/* forge_extension.h -- what forge.c and forge_keyless.c put into certificates. */
#ifndef LQ_TESTS_FORGE_EXTENSION_H
#define LQ_TESTS_FORGE_EXTENSION_H

#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

/* An extension as OpenSSL's configuration writes it. `issuer` may be x. */
static inline void add_extension(X509 *x, X509 *issuer, const char *name, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    X509_EXTENSION *const e = X509V3_EXT_nconf(NULL, &ctx, name, value);
    if (!e) {
        fprintf(stderr, "forge: no extension: %s=%s\n", name, value);
        exit(1);
    }
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
}

#endif
