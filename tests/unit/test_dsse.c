/* test_dsse.c -- keys, strict JSON and signed envelopes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libquant/trust/dsse.h"
#include "libquant/trust/strict_json.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

static const char statement[] = "{\"_type\": \"https://in-toto.io/Statement/v1\"}";

static struct source *memory(const char *data, size_t n)
{
    struct source *s;
    assert_int_equal(source_open_memory(&s, "e.json", data, n, NULL), LQ_OK);
    return s;
}

static void generate(struct sign_key *k, const char *curve)
{
    *k = (struct sign_key){.is_private = true};
    assert_int_equal(key_adopt(k, EVP_EC_gen(curve), curve, NULL), LQ_OK);
}

static lq_status verify(const char *envelope, const struct sign_key *k, struct text *out,
                        lq_error *err)
{
    struct source *const s = memory(envelope, strlen(envelope));
    const lq_status status = verify_statement(out, s, k, err);
    source_close(s);
    return status;
}

static void what_is_signed_verifies_with_that_key_only(void **state)
{
    static const char *const curves[] = {"P-256", "P-384", "P-521"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct sign_key key, other;
        struct text envelope = {0}, out = {0};
        generate(&key, curves[i]);
        generate(&other, curves[i]);
        assert_string_equal(key.curve, curves[i]);
        assert_int_equal(sign_statement(&envelope, statement, strlen(statement), &key, NULL), LQ_OK);
        assert_int_equal(verify(envelope.data, &key, &out, NULL), LQ_OK);
        assert_string_equal(out.data, statement);
        assert_int_equal(verify(envelope.data, &other, &out, NULL), LQ_E_VERIFY);
        assert_int_equal(out.len, strlen(statement));
        text_free(&envelope);
        text_free(&out);
        key_release(&key);
        key_release(&other);
    }
}

/* Replaces `from` by `to` once, and verifies. */
static void check_changed(const char *envelope, const struct sign_key *k, const char *from,
                          const char *to, lq_status want)
{
    struct text changed = {0}, out = {0};
    lq_error err = {0};
    const char *const at = strstr(envelope, from);
    assert_non_null(at);
    text_put(&changed, envelope, (size_t)(at - envelope));
    text_puts(&changed, to);
    text_puts(&changed, at + strlen(from));
    const lq_status status = verify(changed.data, k, &out, &err);
    if (status != want)
        fail_msg("%s -> %s: %d %s", from, to, status, err.message);
    assert_int_equal(out.len, status == LQ_OK ? strlen(statement) : 0);
    text_free(&changed);
    text_free(&out);
}

static void changed_envelopes_are_refused(void **state)
{
    struct sign_key key;
    struct text e = {0};
    (void)state;
    generate(&key, "P-256");
    assert_int_equal(sign_statement(&e, statement, strlen(statement), &key, NULL), LQ_OK);
    /* "{"_t" of the statement is eyJfdH */
    check_changed(e.data, &key, "eyJf", "eyJg", LQ_E_VERIFY);
    check_changed(e.data, &key, "eyJf", "ey\\nJf", LQ_E_FORMAT);
    check_changed(e.data, &key, "eyJf", "ey!Jf", LQ_E_FORMAT);
    check_changed(e.data, &key, "eyJf", "ey-_", LQ_E_FORMAT);
    check_changed(e.data, &key, "application/vnd.in-toto+json", "application/json", LQ_E_FORMAT);
    check_changed(e.data, &key, "\"signatures\":[", "\"signatures\":[],\"x\":[", LQ_E_FORMAT);
    check_changed(e.data, &key, "[{\"sig\"", "[{\"sig\":\"MAA=\"},{\"sig\"", LQ_E_FORMAT);
    check_changed(e.data, &key, "{\"payload\"", "{\"payload\":\"e30=\",\"payload\"", LQ_E_FORMAT);
    check_changed(e.data, &key, "{\"payload\"", "{\"more\":1,\"payload\"", LQ_E_FORMAT);
    check_changed(e.data, &key, "\"keyid\":\"", "\"keyid\":\"\\u0000", LQ_E_FORMAT);
    check_changed(e.data, &key, "\"keyid\":\"", "\"keyid\":1,\"k\":\"", LQ_E_FORMAT);
    check_changed(e.data, &key, "\"keyid\":\"", "\"keyid\":\"not used", LQ_OK);
    check_changed(e.data, &key, "\n", "\n{}", LQ_E_FORMAT);
    text_free(&e);
    key_release(&key);
}

static void base64_has_one_form(void **state)
{
    static const char *const bad[] = {"Zg", "Zg=", "Zh==", "Zm9=", "Zm9v\n", "Z===", "====", "Zg==Zg==",
                                      "Zm 9", "Zm9v=", "Zm9_", "=m9v", "Zg=v"};
    static const char *const good[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
                                          {"foob", "Zm9vYg=="}, {"\xff\xfe", "//4="}};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct text t = {0};
        if (base64_strict(&t, bad[i], strlen(bad[i])))
            fail_msg("%s", bad[i]);
        text_free(&t);
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct text t = {0}, back = {0};
        text_puts(&t, "");
        text_puts(&back, "");
        base64_put(&t, good[i][0], strlen(good[i][0]));
        assert_string_equal(t.data ? t.data : "", good[i][1]);
        assert_true(base64_strict(&back, good[i][1], strlen(good[i][1])));
        assert_string_equal(back.data ? back.data : "", good[i][0]);
        text_free(&t);
        text_free(&back);
    }
}

/* ---- keys ---- */

static char *pem_of(EVP_PKEY *pkey, const char *passphrase, size_t *n)
{
    char *data;
    BIO *const bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, pkey, passphrase ? EVP_aes_128_cbc() : NULL,
                                                   passphrase,
                                                   passphrase ? (int)strlen(passphrase) : 0, NULL,
                                                   NULL),
                     1);
    *n = (size_t)BIO_get_mem_data(bio, &data);
    char *const copy = malloc(*n);
    memcpy(copy, data, *n);
    BIO_free(bio);
    return copy;
}

static lq_status say(void *ctx, char *dst, size_t size, size_t *len, lq_error *err)
{
    (void)err;
    *len = strlen(ctx);
    assert_true(*len < size);
    memcpy(dst, ctx, *len);
    return LQ_OK;
}

static void check_private(EVP_PKEY *pkey, const char *passphrase, char *answer, lq_status want,
                          const char *says)
{
    struct sign_key k = {0};
    lq_error err = {0};
    size_t n;
    char *const pem = pem_of(pkey, passphrase, &n);
    struct source *const s = memory(pem, n);
    assert_int_equal(key_read_private(&k, s, answer ? say : NULL, answer, &err), want);
    if (!strstr(err.message, says))
        fail_msg("%s", err.message);
    key_release(&k);
    source_close(s);
    free(pem);
}

static void private_keys_may_be_encrypted(void **state)
{
    EVP_PKEY *const pkey = EVP_EC_gen("P-384");
    (void)state;
    check_private(pkey, NULL, NULL, LQ_OK, "");
    check_private(pkey, "open sesame", (char[]){"open sesame"}, LQ_OK, "");
    check_private(pkey, "open sesame", (char[]){"close"}, LQ_E_FORMAT, "cannot be decrypted");
    check_private(pkey, "open sesame", NULL, LQ_E_FORMAT, "no passphrase");
    EVP_PKEY_free(pkey);
}

static void other_keys_are_refused(void **state)
{
    EVP_PKEY *const rsa = EVP_RSA_gen(2048), *const koblitz = EVP_EC_gen("secp256k1");
    EVP_PKEY *const ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    struct sign_key k = {0};
    struct source *const s = memory("no key", 6);
    (void)state;
    check_private(rsa, NULL, NULL, LQ_E_UNSUPPORTED, "not an elliptic curve key");
    check_private(ed, NULL, NULL, LQ_E_UNSUPPORTED, "not an elliptic curve key");
    check_private(koblitz, NULL, NULL, LQ_E_UNSUPPORTED, "secp256k1");
    assert_int_equal(key_read_public(&k, s, NULL), LQ_E_FORMAT);
    source_close(s);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ed);
    EVP_PKEY_free(koblitz);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_signed_verifies_with_that_key_only),
        cmocka_unit_test(changed_envelopes_are_refused),
        cmocka_unit_test(base64_has_one_form),
        cmocka_unit_test(private_keys_may_be_encrypted),
        cmocka_unit_test(other_keys_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
