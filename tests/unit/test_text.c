/* test_text.c -- byte strings, UTF-8, text for terminals and JSON, and error messages. */
#include "libquant/base/status.h"
#include "libquant/base/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void text_grows_and_stays_terminated(void **state)
{
    (void)state;
    struct text t = {0};
    for (int i = 0; i < 10000; i++)
        text_printf(&t, "%d,", i);
    assert_int_equal(t.len, strlen(t.data));
    assert_memory_equal(t.data, "0,1,2,", 6);
    assert_string_equal(t.data + t.len - 5, "9999,");
    text_put(&t, "a\0b", 3);
    assert_memory_equal(t.data + t.len - 3, "a\0b", 4);
    text_free(&t);
    text_put(&t, NULL, 0);
    assert_int_equal(t.len, 0);
    text_puts(&t, "");
    assert_string_equal(t.data, "");
    text_free(&t);
}

static void text_that_cannot_grow_says_so_once_and_keeps_what_it_has(void **state)
{
    (void)state;
    struct text t = {0};
    text_puts(&t, "kept");
    text_put(&t, "x", SIZE_MAX - 2);
    assert_true(t.failed);
    text_puts(&t, "dropped");
    assert_string_equal(t.data, "kept");
    text_free(&t);
}

static void utf8_is_checked_to_the_letter(void **state)
{
    (void)state;
    static const struct {
        const char *s;
        size_t good; /* bytes before the first bad one */
    } cases[] = {
        {"",                  0},
        {"abc",               3},
        {"\xc2\x80",          2},
        {"\xdf\xbf",          2},
        {"\xe0\xa0\x80",      3},
        {"\xed\x9f\xbf",      3},
        {"\xee\x80\x80",      3},
        {"\xf0\x90\x80\x80",  4},
        {"\xf4\x8f\xbf\xbf",  4},
        {"a\x80",             1}, /* continuation without lead */
        {"a\xc0\x80",         1}, /* overlong NUL */
        {"a\xc1\xbf",         1}, /* overlong */
        {"a\xe0\x9f\xbf",     1}, /* overlong */
        {"a\xf0\x8f\xbf\xbf", 1}, /* overlong */
        {"a\xed\xa0\x80",     1}, /* surrogate */
        {"a\xed\xbf\xbf",     1},
        {"a\xf4\x90\x80\x80", 1}, /* above U+10FFFF */
        {"a\xf5\x80\x80\x80", 1},
        {"a\xff",             1},
        {"a\xc3",             1}, /* cut */
        {"a\xe2\x82",         1},
        {"a\xf0\x9f\x98",     1},
        {"a\xe2\x82z",        1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(utf8_check(cases[i].s, strlen(cases[i].s)), cases[i].good);
}

static void every_code_point_survives_encoding_and_decoding(void **state)
{
    (void)state;
    for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
        char s[4];
        uint32_t back;
        const size_t n = utf8_encode(s, cp);
        if (cp >= 0xd800 && cp < 0xe000)
            continue;
        assert_int_equal(utf8_decode(s, n, &back), n);
        assert_int_equal(back, cp);
    }
}

static void check_printable(const char *s, size_t n, const char *want)
{
    struct text t = {0};
    text_put_printable(&t, s, n);
    assert_string_equal(t.data, want);
    text_free(&t);
}

static void what_steers_a_terminal_is_shown_as_a_code(void **state)
{
    (void)state;
    check_printable("a\x1b[31mb\n\0\x7f", 10, "a\\x1b[31mb\\x0a\\x00\\x7f");
    check_printable("\xc2\x9b\xe2\x80\xae\xe2\x81\xa6\xef\xbb\xbf", 11,
                    "\\u{9b}\\u{202e}\\u{2066}\\u{feff}");
    check_printable("\xff\xc3", 2, "\\xff\\xc3");
    check_printable("\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80", 9,
                    "\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80");
}

static void json_strings_escape_what_they_must(void **state)
{
    (void)state;
    struct text t = {0};
    text_put_json(&t, "\"\\/\b\f\n\r\t\x01\0\x7f\xc3\xa9\xff", 14);
    assert_string_equal(t.data,
                        "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u0000\x7f\xc3\xa9\xef\xbf\xbd\"");
    text_free(&t);
    text_put_json(&t, "", 0);
    assert_string_equal(t.data, "\"\"");
    text_free(&t);
}

static void beginnings_and_ends_are_compared(void **state)
{
    (void)state;
    assert_true(text_ends_with("a.gguf", ".gguf"));
    assert_true(text_ends_with("a", ""));
    assert_false(text_ends_with("gguf", ".gguf"));
    assert_true(text_starts_with("models--x", "models--"));
    assert_false(text_starts_with("model", "models--"));
}

static void the_last_part_of_a_path_follows_its_last_slash(void **state)
{
    (void)state;
    assert_string_equal(path_last_part("a/b/c.gguf"), "c.gguf");
    assert_string_equal(path_last_part("c.gguf"), "c.gguf");
    assert_string_equal(path_last_part("/c"), "c");
    assert_string_equal(path_last_part("a/"), "");
    assert_string_equal(path_last_part(""), "");
}

static void whole_numbers_are_parsed_exactly(void **state)
{
    (void)state;
    uint64_t v = 0;
    assert_true(text_parse_u64("18446744073709551615", UINT64_MAX, &v));
    assert_true(v == UINT64_MAX);
    assert_true(text_parse_u64("007", 7, &v));
    assert_int_equal(v, 7);
    assert_false(text_parse_u64("18446744073709551616", UINT64_MAX, &v));
    assert_false(text_parse_u64("99999999999999999999999", UINT64_MAX, &v));
    assert_false(text_parse_u64("8", 7, &v));
    assert_false(text_parse_u64("", 7, &v));
    assert_false(text_parse_u64("-1", 7, &v));
    assert_false(text_parse_u64("+1", 7, &v));
    assert_false(text_parse_u64(" 1", 7, &v));
    assert_false(text_parse_u64("1 ", 7, &v));
    assert_false(text_parse_u64("0x1", 7, &v));
}

/* ---- errors ---- */

static void an_error_reads_as_one_sentence(void **state)
{
    (void)state;
    lq_error err;
    char text[2048];
    assert_int_equal(lq_fail_at(&err, LQ_E_FORMAT, "m.gguf", 12, "bad %s", "key"), LQ_E_FORMAT);
    lq_error_add_tensor(&err, "t");
    assert_string_equal(lq_error_text(&err, text, sizeof text),
                        "m.gguf: at byte 12: tensor t: bad key");
    lq_fail(&err, LQ_E_USAGE, "no");
    assert_string_equal(lq_error_text(&err, text, sizeof text), "no");
    lq_error_add_file(&err, "first");
    lq_error_add_file(&err, "second"); /* what is there is kept */
    assert_string_equal(lq_error_text(&err, text, sizeof text), "first: no");
    assert_string_equal(lq_error_text(&err, text, 4), "fir");
}

static void errors_never_steer_a_terminal(void **state)
{
    (void)state;
    lq_error err;
    lq_fail_at(&err, LQ_E_FORMAT,
               "a\x1b\xff"
               "b",
               -1, "x\n\xe2\x80\xae\xc3\xa9");
    assert_string_equal(err.file, "a??b");
    assert_string_equal(err.message, "x??\xc3\xa9");
    lq_fail(&err, LQ_E_FORMAT, "%.2s|", "a\xc3\xa9"); /* a precision that cuts a character in two */
    assert_string_equal(err.message, "a?|");
    lq_error_add_tensor(&err, "\x9b");
    assert_string_equal(err.tensor, "?");
}

static void long_names_are_cut_between_characters(void **state)
{
    (void)state;
    lq_error err;
    char name[1000];
    for (size_t i = 0; i + 1 < sizeof name; i += 2)
        memcpy(name + i, "\xc3\xa9", 2);
    name[998] = '\0';
    lq_fail_at(&err, LQ_E_FORMAT, name, -1, "x");
    assert_int_equal(strlen(err.file), sizeof err.file - 2);
    assert_int_equal(utf8_check(err.file, strlen(err.file)), strlen(err.file));
    lq_fail(&err, LQ_E_FORMAT, "%s%s", name, name);
    assert_int_equal(utf8_check(err.message, strlen(err.message)), strlen(err.message));
}

static void no_error_need_be_asked_for(void **state)
{
    (void)state;
    assert_int_equal(lq_fail(NULL, LQ_E_IO, "x"), LQ_E_IO);
    assert_int_equal(lq_fail_memory(NULL), LQ_E_MEMORY);
    errno = ENOMEM;
    assert_int_equal(lq_fail_errno(NULL, "f", "x"), LQ_E_MEMORY);
    errno = EACCES;
    assert_int_equal(lq_fail_errno(NULL, "f", "x"), LQ_E_IO);
    lq_error_add_file(NULL, "f");
    lq_error_add_tensor(NULL, "t");
}

static void exit_codes_follow_from_the_status(void **state)
{
    (void)state;
    assert_int_equal(lq_exit_code(LQ_OK), 0);
    assert_int_equal(lq_exit_code(LQ_E_VERIFY), 1);
    assert_int_equal(lq_exit_code(LQ_E_USAGE), 2);
    assert_int_equal(lq_exit_code(LQ_E_FORMAT), 3);
    assert_int_equal(lq_exit_code(LQ_E_UNSUPPORTED), 3);
    assert_int_equal(lq_exit_code(LQ_E_MODEL), 3);
    assert_int_equal(lq_exit_code(LQ_E_IO), 4);
    assert_int_equal(lq_exit_code(LQ_E_MEMORY), 4);
    assert_int_equal(lq_exit_code(LQ_E_INTERRUPTED), 130);
}

static void case_of_ascii_letters_alone_is_passed_over(void **state)
{
    (void)state;
    assert_int_equal(ascii_casecmp("q4_k_M", "Q4_K_m"), 0);
    assert_true(ascii_casecmp("a", "B") < 0);
    assert_true(ascii_casecmp("Z", "_") > 0); /* by lower-case bytes, as in the C locale */
    assert_true(ascii_casecmp("ab", "abc") < 0);
    assert_true(ascii_casecmp("\xc3\xa9", "\xc3\x89") > 0);
    assert_int_equal(ascii_ncasecmp("MIT-0", "mit", 3), 0);
    assert_true(ascii_ncasecmp("MIT-0", "mit", 4) > 0);
    assert_int_equal(ascii_ncasecmp("a", "b", 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_grows_and_stays_terminated),
        cmocka_unit_test(text_that_cannot_grow_says_so_once_and_keeps_what_it_has),
        cmocka_unit_test(utf8_is_checked_to_the_letter),
        cmocka_unit_test(every_code_point_survives_encoding_and_decoding),
        cmocka_unit_test(what_steers_a_terminal_is_shown_as_a_code),
        cmocka_unit_test(json_strings_escape_what_they_must),
        cmocka_unit_test(beginnings_and_ends_are_compared),
        cmocka_unit_test(the_last_part_of_a_path_follows_its_last_slash),
        cmocka_unit_test(whole_numbers_are_parsed_exactly),
        cmocka_unit_test(an_error_reads_as_one_sentence),
        cmocka_unit_test(errors_never_steer_a_terminal),
        cmocka_unit_test(long_names_are_cut_between_characters),
        cmocka_unit_test(no_error_need_be_asked_for),
        cmocka_unit_test(exit_codes_follow_from_the_status),
        cmocka_unit_test(case_of_ascii_letters_alone_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
