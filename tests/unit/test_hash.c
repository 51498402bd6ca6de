/* test_hash.c -- SHA-256, alone and two side by side, against OpenSSL's. */
#include "libquant/base/hash.h"
#include "libquant/base/memory.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIZE = 200000 };

static uint8_t *random_bytes(void)
{
    uint8_t *const data = malloc(SIZE);
    uint32_t x = 1;
    for (size_t i = 0; i < SIZE; i++) {
        x = x * 1664525 + 1013904223;
        data[i] = (uint8_t)(x >> 24);
    }
    return data;
}

static void expect(const uint8_t digest[32], const void *data, size_t n)
{
    uint8_t expected[32];
    assert_int_equal(EVP_Digest(data, n, expected, NULL, EVP_sha256(), NULL), 1);
    assert_memory_equal(digest, expected, 32);
}

static void every_length_gives_openssls_digest(void **state)
{
    uint8_t *const data = random_bytes(), digest[32];
    (void)state;
    for (size_t n = 0; n < 400; n++) {
        assert_int_equal(sha256_of(data + n % 7, n, digest, NULL), LQ_OK);
        expect(digest, data + n % 7, n);
    }
    assert_int_equal(sha256_of(data, SIZE, digest, NULL), LQ_OK);
    expect(digest, data, SIZE);
    free(data);
}

static void pieces_of_any_size_give_the_same_digest(void **state)
{
    static const size_t pieces[] = {1, 63, 64, 65, 127, 1000, 4096, 77777};
    uint8_t *const data = random_bytes(), digest[32];
    (void)state;
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
        struct sha256 *const h = sha256_new();
        assert_non_null(h);
        for (size_t at = 0; at < SIZE; at += pieces[p])
            sha256_update(h, data + at, SIZE - at < pieces[p] ? SIZE - at : pieces[p]);
        sha256_final(h, digest);
        expect(digest, data, SIZE);
    }
    free(data);
}

static void two_side_by_side_do_not_disturb_each_other(void **state)
{
    uint8_t *const data = random_bytes(), digest[32];
    (void)state;
    for (size_t k = 0; k < 300; k++) {
        const size_t first_a = k % 65, first_b = k * 5 % 70, a = k * 331 % 5000, b = k * 977 % 9000;
        struct sha256 *const ha = sha256_new(), *const hb = sha256_new();
        sha256_update(ha, data, first_a);
        sha256_update(hb, data + 1, first_b);
        sha256_update_both(ha, data + first_a, a, hb, data + 1 + first_b, b);
        sha256_update_both(ha, data + first_a + a, 0, hb, data + 1 + first_b + b, 100);
        sha256_update_both(ha, data + first_a + a, 130, hb, data + 1 + first_b + b + 100, 77);
        sha256_final(ha, digest);
        expect(digest, data, first_a + a + 130);
        sha256_final(hb, digest);
        expect(digest, data + 1, first_b + b + 177);
    }
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_gives_openssls_digest),
        cmocka_unit_test(pieces_of_any_size_give_the_same_digest),
        cmocka_unit_test(two_side_by_side_do_not_disturb_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
