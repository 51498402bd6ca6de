/* test_json.c -- the pull parser and small documents. */
#include "libquant/base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

/* Parses all of it and returns the events as one letter each, in memory of the caller; what a token
 * holds follows in brackets. '!' is an error. */
static char *events_limited(const char *data, size_t n, size_t limit, lq_error *err)
{
    static const char letters[] = "!.{}[]KSNTFZ";
    struct source *s;
    struct json j;
    struct text out = {0};
    enum json_event event;
    assert_int_equal(source_open_memory(&s, "j", data, n, NULL), LQ_OK);
    assert_int_equal(json_open(&j, s, 0, n, limit, err), LQ_OK);
    do {
        event = json_next(&j);
        text_putc(&out, letters[event]);
        if (event == JSON_KEY || event == JSON_STRING || event == JSON_NUMBER) {
            text_putc(&out, '(');
            text_put(&out, j.token.data, j.token.len);
            text_putc(&out, ')');
        }
    } while (event != JSON_END && event != JSON_ERROR);
    assert_int_equal(json_next(&j), event);
    assert_int_equal(json_status(&j) != LQ_OK, event == JSON_ERROR);
    json_close(&j);
    source_close(s);
    return out.data;
}

static void check_events(const char *document, const char *want)
{
    char *const got = events_limited(document, strlen(document), 0, NULL);
    assert_string_equal(got, want);
    free(got);
}

static void check_refused(const char *document, size_t n, int64_t offset, const char *says)
{
    lq_error err = {0};
    char *const got = events_limited(document, n, 0, &err);
    if (got[strlen(got) - 1] != '!' || !strstr(err.message, says) || err.offset != offset)
        fail_msg("%s: expected at %d \"%s\", but: at %d \"%s\" (%s)", document, (int)offset, says,
                 (int)err.offset, err.message, got);
    assert_int_equal(err.status, LQ_E_FORMAT);
    free(got);
}

#define REFUSE(document, offset, says) check_refused(document, sizeof document - 1, offset, says)

/* ---- what is read ---- */

static void a_document_becomes_events_in_order(void **state)
{
    (void)state;
    check_events("{\"a\": [1, \"x\"], \"b\": {}}", "{K(a)[N(1)S(x)]K(b){}}.");
    check_events("[]", "[].");
    check_events("[true,false,null,[[]]]", "[TFZ[[]]].");
    check_events(" \t\r\n1 \n", "N(1).");
    check_events("\"\"", "S().");
    check_events("{\"a\":1,\"a\":2}",
                 "{K(a)N(1)K(a)N(2)}."); /* duplicates are the caller's matter */
}

static void numbers_keep_all_their_digits(void **state)
{
    (void)state;
    check_events("18446744073709551615", "N(18446744073709551615).");
    check_events("[-0,0.5,-1e5,2E+07,3e-0,10.25e3]",
                 "[N(-0)N(0.5)N(-1e5)N(2E+07)N(3e-0)N(10.25e3)].");
    check_events("123456789012345678901234567890.1", "N(123456789012345678901234567890.1).");
}

static void escapes_become_the_characters_they_stand_for(void **state)
{
    (void)state;
    check_events("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "S(\"\\/\b\f\n\r\t).");
    check_events("\"\\u00e9\\u20AC\\ud83d\\ude00\\u007f\"",
                 "S(\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\x7f).");
    check_events("\"\xc3\xa9/\x7f\"", "S(\xc3\xa9/\x7f).");
}

static void a_nul_character_in_a_string_is_kept(void **state)
{
    (void)state;
    struct source *s;
    struct json j;
    static const char doc[] = "\"a\\u0000b\"";
    assert_int_equal(source_open_memory(&s, "j", doc, sizeof doc - 1, NULL), LQ_OK);
    assert_int_equal(json_open(&j, s, 0, s->size, 0, NULL), LQ_OK);
    assert_int_equal(json_next(&j), JSON_STRING);
    assert_int_equal(j.token.len, 3);
    assert_memory_equal(j.token.data, "a\0b", 4);
    assert_false(json_token_is(&j, "a"));
    json_close(&j);
    source_close(s);
}

static void tokens_may_cross_the_buffer_anywhere(void **state)
{
    (void)state;
    /* the parser reads 64 KiB at a time */
    static const char tail[] = "\"x\\u00e9\\ud83d\\ude00\xc3\xa9\"";
    enum { BUFFER = 65536 };
    char *const data = malloc(BUFFER + sizeof tail);
    for (size_t shift = 0; shift < sizeof tail; shift++) {
        memset(data, ' ', BUFFER);
        memcpy(data + BUFFER - shift, tail, sizeof tail - 1);
        char *const got = events_limited(data, BUFFER - shift + sizeof tail - 1, 0, NULL);
        assert_string_equal(got, "S(x\xc3\xa9\xf0\x9f\x98\x80\xc3\xa9).");
        free(got);
    }
    free(data);
}

static void part_of_a_source_can_be_read(void **state)
{
    (void)state;
    struct source *s;
    struct json j;
    assert_int_equal(source_open_memory(&s, "j", "xx[1]yy", 7, NULL), LQ_OK);
    assert_int_equal(json_open(&j, s, 2, 3, 0, NULL), LQ_OK);
    assert_int_equal(json_next(&j), JSON_ARRAY);
    assert_int_equal(j.token_at, 2);
    assert_int_equal(json_next(&j), JSON_NUMBER);
    assert_int_equal(j.token_at, 3);
    assert_int_equal(json_next(&j), JSON_ARRAY_END);
    assert_int_equal(json_offset(&j), 5);
    assert_int_equal(json_next(&j), JSON_END);
    json_close(&j);
    source_close(s);
}

/* ---- what is refused ---- */

static void other_grammar_is_refused_where_it_begins(void **state)
{
    (void)state;
    REFUSE("", 0, "ends too early");
    REFUSE("{", 1, "a key in quotes was expected");
    REFUSE("[1", 2, "',' or a closing bracket");
    REFUSE("[1,]", 3, "a value was expected");
    REFUSE("{\"a\":1,}", 7, "a key in quotes");
    REFUSE("{a:1}", 1, "a key in quotes");
    REFUSE("{'a':1}", 1, "a key in quotes");
    REFUSE("{\"a\" 1}", 5, "':' was expected");
    REFUSE("{\"a\":}", 5, "a value was expected");
    REFUSE("[1 2]", 3, "',' or a closing bracket");
    REFUSE("[1}", 2, "',' or a closing bracket");
    REFUSE("{\"a\":1]", 6, "',' or a closing bracket");
    REFUSE("{} {}", 3, "something follows the end");
    REFUSE("{}\0", 2, "something follows the end");
    REFUSE("\xef\xbb\xbf{}", 0, "a value was expected"); /* byte order mark */
    REFUSE("[1] // x", 4, "something follows");
    REFUSE("[/**/]", 1, "a value was expected");
    REFUSE("[\f1]", 1, "a value was expected");
}

static void other_numbers_and_words_are_refused(void **state)
{
    (void)state;
    REFUSE("01", 2, "not a number");
    REFUSE("-01", 3, "not a number");
    REFUSE("-", 1, "not a number");
    REFUSE("1.", 2, "not a number");
    REFUSE("1e", 2, "not a number");
    REFUSE("1e+", 3, "not a number");
    REFUSE(".5", 0, "a value was expected");
    REFUSE("+1", 0, "a value was expected");
    REFUSE("1x", 1, "something follows");
    REFUSE("0x10", 1, "something follows");
    REFUSE("NaN", 0, "a value was expected");
    REFUSE("Infinity", 0, "a value was expected");
    REFUSE("-Infinity", 1, "not a number");
    REFUSE("tru", 3, "not a value");
    REFUSE("nul1", 4, "not a value");
    REFUSE("True", 0, "a value was expected");
}

static void broken_strings_are_refused(void **state)
{
    (void)state;
    REFUSE("\"abc", 4, "string without end");
    REFUSE("\"a\nb\"", 2, "control character");
    REFUSE("\"a\0b\"", 2, "control character");
    REFUSE("\"\\x\"", 3, "not a valid escape");
    REFUSE("\"\\u12g4\"", 6, "not a valid escape");
    REFUSE("\"\\ud800\"", 8, "not a valid escape");
    REFUSE("\"\\ud800\\u0041\"", 13, "not a valid escape");
    REFUSE("\"\\udc00\"", 7, "not a valid escape");
    REFUSE("\"\xff\"", 3, "not valid UTF-8");
    REFUSE("\"\xed\xa0\x80\"", 5, "not valid UTF-8");
    REFUSE("\"\xc0\x80\"", 4, "not valid UTF-8");
    REFUSE("\"\xc3\"", 3, "not valid UTF-8");
}

static void depth_is_limited(void **state)
{
    (void)state;
    char data[2 * (JSON_DEPTH + 1) + 1];
    for (int depth = JSON_DEPTH; depth <= JSON_DEPTH + 1; depth++) {
        memset(data, '[', (size_t)depth);
        memset(data + depth, ']', (size_t)depth);
        lq_error err = {0};
        char *const got = events_limited(data, 2 * (size_t)depth, 0, &err);
        assert_int_equal(got[strlen(got) - 1], depth == JSON_DEPTH ? '.' : '!');
        if (depth > JSON_DEPTH)
            assert_non_null(strstr(err.message, "nested too deeply"));
        free(got);
    }
}

static void strings_longer_than_the_limit_are_refused(void **state)
{
    (void)state;
    lq_error err = {0};
    char *got = events_limited("\"12345\"", 7, 5, &err);
    assert_string_equal(got, "S(12345).");
    free(got);
    got = events_limited("\"123456\"", 8, 5, &err);
    assert_string_equal(got, "!");
    assert_non_null(strstr(err.message, "string too long"));
    free(got);
}

static void every_cut_of_a_document_is_refused(void **state)
{
    (void)state;
    static const char doc[] = "{\"k\\u00e9\":[-1.5e+3,true,null,\"\\ud83d\\ude00\"],\"b\":{}}";
    for (size_t n = 0; n < sizeof doc - 1; n++) {
        lq_error err = {0};
        char *const got = events_limited(doc, n, 0, &err);
        assert_int_equal(got[strlen(got) - 1], '!');
        free(got);
    }
    check_events(doc, "{K(k\xc3\xa9)[N(-1.5e+3)TZS(\xf0\x9f\x98\x80)]K(b){}}.");
}

/* ---- expecting ---- */

static void begin(struct json *j, struct source **s, const char *document, lq_error *err)
{
    assert_int_equal(source_open_memory(s, "j", document, strlen(document), NULL), LQ_OK);
    assert_int_equal(json_open(j, *s, 0, (*s)->size, 0, err), LQ_OK);
}

static void end(struct json *j, struct source *s)
{
    json_close(j);
    source_close(s);
}

static void a_number_that_is_not_whole_or_too_large_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"101", "-1", "1.0", "1e0", "-0", "99999999999999999999"};
    struct source *s;
    struct json j;
    lq_error err;
    uint64_t v;
    begin(&j, &s, "100", NULL);
    assert_int_equal(json_u64(&j, 100, "x", &v), LQ_OK);
    assert_int_equal(v, 100);
    end(&j, s);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        begin(&j, &s, bad[i], &err);
        assert_int_equal(json_u64(&j, 100, "the count", &v), LQ_E_FORMAT);
        assert_non_null(
            strstr(err.message, "the count: a whole number from 0 to 100 was expected"));
        assert_int_equal(json_next(&j), JSON_ERROR);
        end(&j, s);
    }
}

static void what_is_expected_is_said(void **state)
{
    (void)state;
    struct source *s;
    struct json j;
    lq_error err;
    begin(&j, &s, " [null]", &err);
    assert_int_equal(json_expect(&j, JSON_ARRAY, "list"), LQ_OK);
    assert_int_equal(json_expect(&j, JSON_STRING, "name"), LQ_E_FORMAT);
    assert_string_equal(err.message, "name: a string was expected, but here is null");
    assert_int_equal(err.offset, 2);
    assert_int_equal(json_status(&j), LQ_E_FORMAT);
    end(&j, s);
}

static void values_can_be_skipped(void **state)
{
    (void)state;
    struct source *s;
    struct json j;
    begin(&j, &s, "{\"a\":{\"b\":[1,[2]]},\"c\":3,\"d\":4}", NULL);
    assert_int_equal(json_next(&j), JSON_OBJECT);
    assert_int_equal(json_next(&j), JSON_KEY);
    assert_int_equal(json_skip(&j), LQ_OK);
    assert_int_equal(json_next(&j), JSON_KEY);
    assert_true(json_token_is(&j, "c"));
    assert_int_equal(json_skip(&j), LQ_OK);
    assert_int_equal(json_next(&j), JSON_KEY);
    assert_true(json_token_is(&j, "d"));
    end(&j, s);
    begin(&j, &s, "[[1,", NULL);
    assert_int_equal(json_skip(&j), LQ_E_FORMAT);
    end(&j, s);
}

static lq_status fail_to_read(struct source *s, void *dst, size_t n, uint64_t at, lq_error *err)
{
    (void)s, (void)dst, (void)n, (void)at;
    return lq_fail(err, LQ_E_IO, "broken disk");
}

static void an_error_of_the_source_is_handed_on(void **state)
{
    (void)state;
    struct source *s;
    struct json j;
    lq_error err;
    begin(&j, &s, "[1]", &err);
    s->read = fail_to_read;
    assert_int_equal(json_next(&j), JSON_ERROR);
    assert_int_equal(json_status(&j), LQ_E_IO);
    assert_string_equal(err.message, "broken disk");
    assert_int_equal(json_expect(&j, JSON_ARRAY, "x"), LQ_E_IO);
    end(&j, s);
}

/* ---- documents ---- */

static lq_status document(const char *text, lq_error *err)
{
    struct source *s;
    cJSON *root = NULL;
    assert_int_equal(source_open_memory(&s, "config.json", text, strlen(text), NULL), LQ_OK);
    const lq_status status = json_document(&root, s, err);
    assert_int_equal(status == LQ_OK, root != NULL);
    cJSON_Delete(root);
    source_close(s);
    return status;
}

static void a_document_is_an_object_without_duplicate_keys(void **state)
{
    (void)state;
    lq_error err;
    assert_int_equal(document("{\"a\":[{\"b\":1},{\"b\":2}],\"A\":0}", &err), LQ_OK);
    assert_int_equal(document("{\"a\":1,\"b\":2,\"a\":1}", &err), LQ_E_FORMAT);
    assert_string_equal(err.message, "the key \"a\" appears twice");
    assert_string_equal(err.file, "config.json");
    assert_int_equal(document("{\"x\":[{\"k\":1,\"k\":1}]}", &err), LQ_E_FORMAT);
    assert_int_equal(document("[1]", &err), LQ_E_FORMAT);
    assert_string_equal(err.message, "the document: an object was expected, but here is an array");
    assert_int_equal(document("{\"a\":1} x", &err), LQ_E_FORMAT);
    assert_int_equal(document("{\"a\":.5}", &err), LQ_E_FORMAT);
    assert_int_equal(document("", &err), LQ_E_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_becomes_events_in_order),
        cmocka_unit_test(numbers_keep_all_their_digits),
        cmocka_unit_test(escapes_become_the_characters_they_stand_for),
        cmocka_unit_test(a_nul_character_in_a_string_is_kept),
        cmocka_unit_test(tokens_may_cross_the_buffer_anywhere),
        cmocka_unit_test(part_of_a_source_can_be_read),
        cmocka_unit_test(other_grammar_is_refused_where_it_begins),
        cmocka_unit_test(other_numbers_and_words_are_refused),
        cmocka_unit_test(broken_strings_are_refused),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(strings_longer_than_the_limit_are_refused),
        cmocka_unit_test(every_cut_of_a_document_is_refused),
        cmocka_unit_test(a_number_that_is_not_whole_or_too_large_is_refused),
        cmocka_unit_test(what_is_expected_is_said),
        cmocka_unit_test(values_can_be_skipped),
        cmocka_unit_test(an_error_of_the_source_is_handed_on),
        cmocka_unit_test(a_document_is_an_object_without_duplicate_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
