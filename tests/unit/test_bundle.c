/* test_bundle.c -- bundles and statements of signed models: what is written is read, and what two readers
 * could understand in two ways is not. What is done to signatures is in tests/attacks/signatures.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libquant/trust/bundle.h"
#include "libquant/trust/keyless.h"
#include "libquant/trust/model_statement.h"

static struct source *memory(const char *data, size_t n)
{
    struct source *s;
    assert_int_equal(source_open_memory(&s, "model.sig", data, n, NULL), LQ_OK);
    return s;
}

static lq_status read_bundle(const char *text, struct bundle *b)
{
    struct source *const s = memory(text, strlen(text));
    const lq_status status = bundle_read(b, s, NULL);
    source_close(s);
    return status;
}

#define ENVELOPE                                                                                   \
    "\"dsseEnvelope\":{\"payload\":\"e30=\",\"payloadType\":\"application/vnd.in-toto+json\","      \
    "\"signatures\":[{\"sig\":\"AAAA\"}]}}"
#define BUNDLE(material)                                                                           \
    "{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\","                            \
    "\"verificationMaterial\":" material "," ENVELOPE

static void bundles_name_their_method(void **state)
{
    static const struct {
        const char *text;
        lq_status want;
    } cases[] = {
        {BUNDLE("{\"publicKey\":{\"hint\":\"00\"},\"tlogEntries\":[]}"), LQ_OK},
        {BUNDLE("{\"publicKey\":{\"hint\":\"00\"}}"), LQ_OK},
        {BUNDLE("{\"publicKey\":{}}"), LQ_OK},
        {BUNDLE("{\"publicKey\":{\"rawBytes\":\"AAAA\",\"keyDetails\":\"PKIX_ECDSA_P256_SHA_256\"}}"),
         LQ_OK}, /* before model_signing 1.1 */
        {BUNDLE("{}"), LQ_E_FORMAT},
        {BUNDLE("{\"publicKey\":[]}"), LQ_E_FORMAT},
        {BUNDLE("{\"publicKey\":{\"hint\":\"\"}}"), LQ_E_FORMAT},
        {BUNDLE("{\"publicKey\":{\"hint\":\"00\"},\"tlogEntries\":[{}]}"), LQ_E_FORMAT},
        {BUNDLE("{\"publicKey\":{\"hint\":\"00\"},\"tlogEntries\":{}}"), LQ_E_FORMAT},
        {BUNDLE("{\"publicKey\":{\"hint\":\"00\"},\"timestampVerificationData\":{}}"), LQ_E_FORMAT},
        {BUNDLE("{\"publicKey\":{\"hint\":\"00\"},\"certificate\":{\"rawBytes\":\"AAAA\"}}"),
         LQ_E_FORMAT},
        {BUNDLE("{\"certificate\":{\"rawBytes\":\"AAAA\"}}"), LQ_E_FORMAT},
        {BUNDLE("{\"x509CertificateChain\":{\"certificates\":[]}}"), LQ_E_FORMAT},
        {BUNDLE("[]"), LQ_E_FORMAT},
        {"{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.4+json\",\"verificationMaterial\":"
         "{\"publicKey\":{}}," ENVELOPE, LQ_E_UNSUPPORTED},
        {"{}", LQ_E_FORMAT},
        {"", LQ_E_FORMAT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bundle b = {0};
        const lq_status status = read_bundle(cases[i].text, &b);
        if (status != cases[i].want)
            fail_msg("%s: %d", cases[i].text, status);
        bundle_release(&b);
    }
}

static void names_lead_nowhere_else(void **state)
{
    static const char *const plain[] = {"a", ".a", "..a", "a/b", "a..b/...", "a:1:2", "a\\b", "a b"};
    static const char *const others[] = {"", ".", "..", "/a", "a/", "a//b", "./a", "a/.", "a/..",
                                         "../a", "a/../b"};
    (void)state;
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        assert_true(model_name_is_plain(plain[i]));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(model_name_is_plain(others[i]));
    assert_true(model_ignore_is_plain("model.sig"));
    assert_false(model_ignore_is_plain("*.sig"));
    assert_false(model_ignore_is_plain("a?"));
    assert_false(model_ignore_is_plain("[a]"));
}

static void a_statement_is_read_as_it_was_written(void **state)
{
    struct list_file files[] = {{.name = "a/b", .sha256 = {1}}, {.name = "a-b", .sha256 = {2}}};
    const struct file_list l = {.files = files, .n = 2};
    const char *const ignore[] = {"x/y"};
    const struct file_list_options o = {.ignore = ignore, .n_ignore = 1};
    struct model_statement s = {0};
    struct text t = {0};
    (void)state;
    model_statement_put(&t, &l, "my \"model\"", &o);
    assert_false(t.failed);
    assert_int_equal(model_statement_read(&s, t.data, t.len, "model.sig", NULL), LQ_OK);
    assert_string_equal(s.subject, "my \"model\"");
    assert_int_equal(s.n, 2);
    assert_string_equal(s.files[0].name, "a-b"); /* by name now */
    assert_int_equal(s.files[0].sha256[0], 2);
    assert_int_equal(s.n_ignore, 5); /* and git's */
    assert_string_equal(s.ignore[0], "x/y");
    model_statement_release(&s);
    text_free(&t);
}

static void one_file_is_called_a_dot(void **state)
{
    struct list_file file = {.name = "model.gguf"};
    const struct file_list l = {.files = &file, .n = 1, .single = true};
    const struct file_list_options o = {0};
    struct model_statement s = {0};
    struct text t = {0};
    (void)state;
    model_statement_put(&t, &l, "model.gguf", &o);
    assert_int_equal(model_statement_read(&s, t.data, t.len, "model.sig", NULL), LQ_OK);
    assert_string_equal(s.files[0].name, ".");
    model_statement_release(&s);
    text_free(&t);
}

static void trusted_roots_are_read_whole(void **state)
{
#define ROOT "{\"mediaType\":\"application/vnd.dev.sigstore.trustedroot+json;version=0.1\""
    static const struct {
        const char *text;
        lq_status want;
    } cases[] = {
        {ROOT "}", LQ_OK},
        {ROOT ",\"tlogs\":[],\"ctlogs\":[],\"certificateAuthorities\":[],\"more\":1}", LQ_OK},
        {"{\"trustedRoot\":" ROOT "}}", LQ_OK},
        {"{}", LQ_E_FORMAT},
        {ROOT ",\"tlogs\":{}}", LQ_E_FORMAT},
        {ROOT ",\"tlogs\":[{}]}", LQ_E_FORMAT},
        {ROOT ",\"certificateAuthorities\":[{\"validFor\":{\"start\":\"2026-01-01T00:00:00Z\"}}]}",
         LQ_E_FORMAT},
        {ROOT ",\"certificateAuthorities\":[{\"validFor\":{\"start\":\"yesterday\"}}]}", LQ_E_FORMAT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trusted_root r = {0};
        struct source *const s = memory(cases[i].text, strlen(cases[i].text));
        const lq_status status = trusted_root_read(&r, s, NULL);
        if (status != cases[i].want)
            fail_msg("%s: %d", cases[i].text, status);
        trusted_root_release(&r);
        source_close(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bundles_name_their_method),
        cmocka_unit_test(names_lead_nowhere_else),
        cmocka_unit_test(a_statement_is_read_as_it_was_written),
        cmocka_unit_test(one_file_is_called_a_dot),
        cmocka_unit_test(trusted_roots_are_read_whole),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
