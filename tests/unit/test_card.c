/* test_card.c -- front matter of model cards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "libquant/base/text.h"
#include "libquant/base/card.h"

#include <cjson/cJSON.h>

static void check(const char *text, const char *want)
{
    cJSON *card;
    lq_error err = {0};
    if (card_parse(&card, text, strlen(text), "README.md", &err) != LQ_OK)
        fail_msg("refused: %s", err.message);
    char *const got = card ? cJSON_PrintUnformatted(card) : NULL;
    if (want)
        assert_string_equal(got, want);
    else
        assert_null(card);
    cJSON_free(got);
    cJSON_Delete(card);
}

static void check_refused(const char *text, const char *says)
{
    cJSON *card;
    lq_error err = {0};
    assert_int_equal(card_parse(&card, text, strlen(text), "README.md", &err), LQ_E_FORMAT);
    assert_null(card);
    if (!strstr(err.message, says))
        fail_msg("%s", err.message);
}

static void cards_without_front_matter(void **state)
{
    (void)state;
    check("", NULL);
    check("# Title\n", NULL);
    check(" ---\na: 1\n---\n", NULL);
    check("----\na: 1\n---\n", NULL);
    check("---\n---\n", NULL);
    check("---\n- a\n- b\n---\n", NULL);
    check("---\njust text\n---\n", NULL);
}

static void scalars_stay_text(void **state)
{
    (void)state;
    check("---\nversion: 1.10\nlanguage: no\nlicense: mit\nx: 0x10\nd: 2024-01-02\n---\nbody: 1\n",
          "{\"version\":\"1.10\",\"language\":\"no\",\"license\":\"mit\",\"x\":\"0x10\","
          "\"d\":\"2024-01-02\"}");
    check("---\na: null\nb: ~\nc:\nd: true\ne: False\nf: 'null'\ng: \"true\"\n---\n",
          "{\"a\":null,\"b\":null,\"c\":null,\"d\":true,\"e\":false,\"f\":\"null\",\"g\":\"true\"}");
}

static void lists_and_maps(void **state)
{
    (void)state;
    check("---\ntags:\n- a\n- b c\nm: {k: [x, y], z: {}}\n---\n",
          "{\"tags\":[\"a\",\"b c\"],\"m\":{\"k\":[\"x\",\"y\"],\"z\":{}}}");
}

static void line_ends_tabs_and_marks(void **state)
{
    (void)state;
    check("---\r\na: 1\r\nb:\r\n- x\r\n---\r\nrest", "{\"a\":\"1\",\"b\":[\"x\"]}");
    check("\xef\xbb\xbf---\na: 1\n---\n", "{\"a\":\"1\"}");
    check("---\na:\n\t- x\n---\n", "{\"a\":[\"x\"]}");
    check("---\na: 1\n", "{\"a\":\"1\"}"); /* no end: all of it */
}

static void the_last_of_equal_keys_counts(void **state)
{
    (void)state;
    check("---\na: 1\nb: 2\na: 3\n---\n", "{\"b\":\"2\",\"a\":\"3\"}");
}

static void aliases_are_copies_within_bounds(void **state)
{
    (void)state;
    check("---\na: &x [1, 2]\nb: *x\n---\n", "{\"a\":[\"1\",\"2\"],\"b\":[\"1\",\"2\"]}");
    check_refused("---\na: *nothing\n---\n", "alias of nothing");
    struct text t = {0};
    text_puts(&t, "---\na0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 9; i++)
        text_printf(&t, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i, i - 1,
                    i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    text_puts(&t, "---\n");
    check_refused(t.data, "too large");
    text_free(&t);
}

static void what_is_no_yaml_is_refused_with_its_line(void **state)
{
    (void)state;
    check_refused("---\na: 1\nb: [1, 2\n---\n", "line ");
    check_refused("---\na: 1\n  b: 2\n---\n", "line 3");
    check_refused("---\n? [a]\n: b\n---\n", "a key that is no plain text");
}

static void depth_is_bounded(void **state)
{
    (void)state;
    struct text t = {0};
    text_puts(&t, "---\na: ");
    for (int i = 0; i < 5000; i++)
        text_putc(&t, '[');
    text_puts(&t, "\n---\n");
    check_refused(t.data, "deeper");
    text_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cards_without_front_matter),
        cmocka_unit_test(scalars_stay_text),
        cmocka_unit_test(lists_and_maps),
        cmocka_unit_test(line_ends_tabs_and_marks),
        cmocka_unit_test(the_last_of_equal_keys_counts),
        cmocka_unit_test(aliases_are_copies_within_bounds),
        cmocka_unit_test(what_is_no_yaml_is_refused_with_its_line),
        cmocka_unit_test(depth_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
