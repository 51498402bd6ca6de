/* Patterns of tokenizers, and what is known of characters. The comparison over every character and many
 * texts is scripts/interop-tokenize. */
#include "libquant/base/text.h"
#include "libquant/model/regex.h"
#include "libquant/model/unicode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The matches of a pattern in a text, with bars between them. */
static const char *matches(const char *pattern, const char *s)
{
    static char shown[1024];
    struct regex *r;
    struct regex_run run = {.steps = 100000};
    struct text out = {0};
    lq_error err = {0};
    char *const alone = malloc(strlen(pattern)); /* without what ends a string */
    assert_non_null(alone);
    memcpy(alone, pattern, strlen(pattern));
    const lq_status compiled = regex_compile(&r, alone, strlen(pattern), &err);
    free(alone);
    if (compiled != LQ_OK)
        return "refused";
    const size_t len = strlen(s);
    lq_status status = LQ_OK;
    text_puts(&out, "");
    for (size_t from = 0; from <= len;) {
        bool found;
        size_t begin, end;
        status = regex_find(r, &run, s, len, from, &found, &begin, &end, &err);
        if (status != LQ_OK || !found)
            break;
        text_putc(&out, '|');
        text_put(&out, s + begin, end - begin);
        from = end > begin ? end : end + 1;
    }
    regex_run_release(&run);
    regex_free(r);
    strcpy(shown, status == LQ_OK ? out.len ? out.data : "" : "too long");
    text_free(&out);
    return shown;
}

#define assert_matches(pattern, text, expected) assert_string_equal(matches(pattern, text), expected)

static void words_are_cut_as_gpt2_does(void **state)
{
    (void)state;
    assert_matches("'s| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
                   "It's 12  a\n\n", "|It|'s| 12| | a|\n\n");
}

static void the_first_alternative_wins(void **state)
{
    (void)state;
    assert_matches("a|ab", "abab", "|a|a");
    assert_matches("a??b|a", "ab", "|ab");
}

static void repeats_are_greedy_lazy_or_keep_what_they_have(void **state)
{
    (void)state;
    assert_matches("a+a", "aaa", "|aaa");
    assert_matches("a++a", "aaa", "");
    assert_matches("a+?", "aaa", "|a|a|a");
    assert_matches("(?>a|ab)c", "abc", "");
    assert_matches("a{2,3}", "aaaaa", "|aaa|aa");
    assert_matches("a{1,2}+b", "aaaab", "|aaaab"); /* a repeat of a repeat, as in Oniguruma */
    assert_matches("(?:ab?)*c", "aababc", "|aababc");
}

static void repeats_of_nothing_end(void **state)
{
    (void)state;
    assert_matches("(?:a*)*b", "aab", "|aab");
    assert_matches("(){9}x", "x", "|x");
    assert_matches("(?:|a)+", "aa", "|||");
}

static void sets_have_ranges_classes_and_intersections(void **state)
{
    (void)state;
    assert_matches("[a-c\\d&&[^b]]+", "abc1b2", "|a|c1|2");
    assert_matches("[^\\s\\p{Lu}]+", "aB c", "|a|c");
    assert_matches("[]a]+", "]a", "|]a");
    assert_matches("\\x{3b1}|\\u03b2", "\xce\xb1\xce\xb2", "|\xce\xb1|\xce\xb2");
}

static void case_is_passed_over_where_asked(void **state)
{
    (void)state;
    assert_matches("(?i:'s)|x", "'S's'\xc5\xbfX", "|'S|'s|'\xc5\xbf");
    assert_matches("a(?i)b|c", "aBCc", "|aB|C|c");
}

static void looks_take_nothing(void **state)
{
    (void)state;
    assert_matches("a(?=b)", "abac", "|a");
    assert_matches("a(?!b)", "abac", "|a");
    assert_matches("(?<!a)b", "abb", "|b");
    assert_matches("\\p{N}{1,3}(?=(?:\\p{N}{3})*$)", "1234567", "|1|234|567");
    assert_matches("(?=(\\d{3})+(?!\\d))", "1234", "|");
}

static void what_is_not_known_is_refused(void **state)
{
    static const char *const bad[] = {"(", ")", "[a", "\\p{Nonsense}", "\\k<x>", "a{9999}", "*a", "(?<n>a)",
                                      "[b-a]", "[\\", "[a-\\", "\\", "\\x", "(?<=ab)c", "[[:alpha:]]", "\xff"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_string_equal(matches(bad[i], "a"), "refused");
}

static void hostile_patterns_come_to_an_end(void **state)
{
    (void)state;
    assert_matches("(a+)+b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "too long");
    assert_string_equal(matches("((((((a{999}){999}){999}){999}){999}){999})", "a"), "refused");
}

static const char *normal(const char *s, enum unicode_form form)
{
    static char shown[4096];
    struct text out = {0};
    unicode_put_normal(&out, s, strlen(s), form);
    assert_false(out.failed);
    assert_true(out.len < sizeof shown);
    strcpy(shown, out.len ? out.data : "");
    text_free(&out);
    return shown;
}

static void normal_forms(void **state)
{
    (void)state;
    assert_string_equal(normal("\xc3\xa9", UNICODE_NFD), "e\xcc\x81");
    assert_string_equal(normal("e\xcc\x81", UNICODE_NFC), "\xc3\xa9");
    assert_string_equal(normal("\xef\xac\x81", UNICODE_NFC), "\xef\xac\x81");
    assert_string_equal(normal("\xef\xac\x81", UNICODE_NFKC), "fi");
    /* Marks come in the order of their classes; a mark is kept from its letter by one of its class. */
    assert_string_equal(normal("s\xcc\x87\xcc\xa3", UNICODE_NFC), "\xe1\xb9\xa9");
    assert_string_equal(normal("\xed\x95\x9c", UNICODE_NFD), "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab");
    assert_string_equal(normal("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", UNICODE_NFC), "\xed\x95\x9c");
}

static void many_marks_are_put_in_order(void **state)
{
    char text[401] = "", *at = text;
    (void)state;
    for (int i = 0; i < 100; i++, at += 4)
        memcpy(at, i % 2 ? "\xcc\x81\xcc\xa3" : "\xcc\xa3\xcc\x81", 5);
    const char *const out = normal(text, UNICODE_NFD);
    for (int i = 0; i < 200; i++)
        assert_memory_equal(out + 2 * i, i < 100 ? "\xcc\xa3" : "\xcc\x81", 2);
}

static void classes_are_those_of_the_stated_version(void **state)
{
    (void)state;
    assert_int_equal(unicode_category_of('a'), UC_LL);
    assert_int_equal(unicode_category_of(0x16d40), UC_LM); /* new in 16.0 */
    assert_int_equal(unicode_category_of(0x323b0), UC_CN); /* new in 17.0 */
    assert_int_equal(unicode_category_of(0x10ffff), UC_CN);
    assert_int_equal(unicode_category_of(UINT32_MAX), UC_CN);
    assert_int_equal(unicode_lower(0x10d50), 0x10d70);
    assert_true(unicode_is_space(0x3000) && !unicode_is_space(0x200b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_cut_as_gpt2_does),
        cmocka_unit_test(the_first_alternative_wins),
        cmocka_unit_test(repeats_are_greedy_lazy_or_keep_what_they_have),
        cmocka_unit_test(repeats_of_nothing_end),
        cmocka_unit_test(sets_have_ranges_classes_and_intersections),
        cmocka_unit_test(case_is_passed_over_where_asked),
        cmocka_unit_test(looks_take_nothing),
        cmocka_unit_test(what_is_not_known_is_refused),
        cmocka_unit_test(hostile_patterns_come_to_an_end),
        cmocka_unit_test(normal_forms),
        cmocka_unit_test(many_marks_are_put_in_order),
        cmocka_unit_test(classes_are_those_of_the_stated_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
