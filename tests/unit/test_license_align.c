/* test_license_align.c -- words laid beside words: the codes, and what differs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libquant/base/text.h"
#include "libquant/license/align.h"
#include "libquant/license/codes.h"

/* Differences as "-ab+c": letters that are missing, and those that were added. */
static void check(const char *a, const char *b, const char *want)
{
    struct alignment al = {0};
    struct text t = {0};
    assert_int_equal(
        codes_align(&al, (const uint8_t *)a, strlen(a), (const uint8_t *)b, strlen(b), NULL),
        LQ_OK);
    text_puts(&t, "");
    for (size_t i = 0; i < al.n; i++) {
        const struct difference *const d = &al.list[i];
        text_printf(&t, "%s%s%.*s%s%.*s", i ? " " : "", d->n_a ? "-" : "", (int)d->n_a, a + d->a,
                    d->n_b ? "+" : "", (int)d->n_b, b + d->b);
    }
    assert_string_equal(t.data, want);
    text_free(&t);
    alignment_release(&al);
}

static void the_fewest_edits_are_found(void **state)
{
    (void)state;
    check("", "", "");
    check("abc", "abc", "");
    check("abc", "", "-abc");
    check("", "abc", "+abc");
    check("abc", "axbc", "+x");
    check("abc", "ac", "-b");
    check("abc", "abd", "-c+d");
    check("abcdef", "xbcdey", "-a+x -f+y");
    check("abcabba", "cbabac", "-ab +b -b +c");
}

static void what_was_added_in_one_piece_is_one(void **state)
{
    (void)state;
    check("p. the software is", "p. use the software for fun. the software is",
          "+use the software for fun. ");
    check("aXbc", "aXYXbc", "+YX");
}

static void too_many_differences_are_given_up(void **state)
{
    (void)state;
    uint8_t a[ALIGN_EDITS], b[ALIGN_EDITS];
    struct alignment al = {0};
    memset(a, 1, sizeof a);
    memset(b, 2, sizeof b);
    assert_int_equal(codes_align(&al, a, sizeof a, b, sizeof b, NULL), LQ_OK);
    assert_true(al.too_many);
    assert_int_equal(al.n, 0);
    alignment_release(&al);
}

static uint8_t code_of_word(const char *word)
{
    struct words w = {0};
    assert_int_equal(words_read(&w, word, strlen(word), NULL), LQ_OK);
    assert_int_equal(w.n, 1);
    uint8_t *const codes = codes_of(&w);
    assert_non_null(codes);
    const uint8_t code = *codes;
    free(codes);
    words_release(&w);
    return code;
}

static void words_that_tell_have_codes_of_their_own(void **state)
{
    (void)state;
    assert_string_equal(code_word(code_of_word("not")), "not");
    assert_string_equal(code_word(code_of_word("noncommercial")), "noncommercial");
    assert_null(code_word(code_of_word("knot")));
    assert_true(code_forbids(code_of_word("only")));
    assert_false(code_forbids(code_of_word("may")));
    assert_false(code_forbids(code_of_word("software")));
}

static void no_digit_changes_unseen(void **state)
{
    (void)state;
    static const char *const others[] = {"100", "710", "701", "70", "7000", "7"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_not_equal(code_of_word(others[i]), code_of_word("700"));
    assert_true(code_is_number(code_of_word("99999999999999999999")));
    assert_false(code_is_number(code_of_word("2nd")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fewest_edits_are_found),
        cmocka_unit_test(what_was_added_in_one_piece_is_one),
        cmocka_unit_test(too_many_differences_are_given_up),
        cmocka_unit_test(words_that_tell_have_codes_of_their_own),
        cmocka_unit_test(no_digit_changes_unseen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
