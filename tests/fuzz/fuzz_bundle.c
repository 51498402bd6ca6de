/* fuzz_bundle.c -- signatures of models and what belongs to them: the bytes are read as a bundle, as a
 * statement, as a trusted root, as a certificate and as a timestamp. What is read as a bundle is written
 * and read again as the same. */
#include "libquant/trust/certificate.h"
#include "libquant/trust/keyless.h"
#include "libquant/trust/model_statement.h"
#include "libquant/trust/strict_json.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    abort();
}

static struct source *memory(const void *data, size_t size)
{
    struct source *s;
    if (source_open_memory(&s, "signature", data, size, NULL) != LQ_OK)
        fail("no memory");
    return s;
}

/* One log, whose id is zeros: entries of it are looked at up to the first signature. */
static const struct trusted_root *trusted(void)
{
    static struct trusted_log log = {.end = INT64_MAX};
    static const struct trusted_root root = {.logs = &log, .n_logs = 1, .certificate_logs = &log,
                                             .n_certificate_logs = 1};
    if (!log.key)
        log.key = EVP_EC_gen("P-256");
    return &root;
}

static void try_statement(const char *payload, size_t len)
{
    struct model_statement s = {0};
    lq_error err = {0};
    if (model_statement_read(&s, payload, len, "statement", &err) == LQ_OK) {
        for (size_t i = 0; i < s.n; i++)
            if (!model_name_is_plain(s.files[i].name) && strcmp(s.files[i].name, ".") != 0)
                fail("a name that leads elsewhere");
        if (!s.n)
            fail("a statement about nothing");
    } else if (!err.message[0]) {
        fail("refused without a reason");
    }
    model_statement_release(&s);
}

static void write_again(const struct bundle *b)
{
    struct text t = {0};
    struct bundle again = {0};
    const struct sign_key key = {.fingerprint = "00"};
    bundle_put(&t, &b->envelope, &key, b->method == BUNDLE_CERTIFICATE ? b->chain : NULL);
    struct source *const s = memory(t.data, t.len);
    if (bundle_read(&again, s, NULL) != LQ_OK)
        fail("not read again");
    if (again.envelope.payload.len != b->envelope.payload.len ||
        memcmp(again.envelope.payload.data, b->envelope.payload.data, b->envelope.payload.len) != 0)
        fail("read as something else");
    source_close(s);
    bundle_release(&again);
    text_free(&t);
}

static void try_bundle(const uint8_t *data, size_t size)
{
    struct bundle b = {0};
    struct source *const s = memory(data, size);
    const struct keyless_policy policy = {trusted(), "root", "ada@example.org", "https://id.example.org"};
    lq_error err = {0};
    time_t at;
    if (bundle_read(&b, s, &err) == LQ_OK) {
        if (b.method == BUNDLE_SIGSTORE) {
            if (keyless_verify(&b, &policy, &at, "signature", &err) == LQ_OK)
                fail("verified what nobody has signed");
        } else {
            write_again(&b);
        }
        try_statement(b.envelope.payload.data, b.envelope.payload.len);
    } else if (!err.message[0]) {
        fail("refused without a reason");
    }
    bundle_release(&b);
    source_close(s);
}

static void try_certificate(const uint8_t *data, size_t size)
{
    const uint8_t *at = data;
    X509 *const x = d2i_X509(NULL, &at, (long)size);
    struct text name = {0};
    if (x) {
        certificate_put_name(&name, x);
        if (keyless_scts(x, x, trusted(), "certificate", NULL) == LQ_OK)
            fail("verified what nobody has signed");
    }
    text_free(&name);
    X509_free(x);
    ERR_clear_error();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trusted_root root = {0};
    struct source *const s = memory(data, size);
    time_t at;
    (void)trusted_root_read(&root, s, NULL);
    trusted_root_release(&root);
    source_close(s);
    try_bundle(data, size);
    try_statement((const char *)data, size);
    try_certificate(data, size);
    if (keyless_timestamp(data, size, "x", 1, trusted(), &at, "timestamp", NULL) == LQ_OK)
        fail("verified what nobody has signed");
    return 0;
}
