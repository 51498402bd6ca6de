/* test_license_text.c -- licence texts: what counts as the same words, and what tells relatives
 * apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "libquant/license/identify.h"
#include "libquant/license/index.h"
#include "libquant/license/spdx.h"

#define GRANT                                                                                      \
    "Permission is hereby granted, free of charge, to any person obtaining a copy of this "        \
    "software\n"                                                                                   \
    "and associated documentation files (the \"Software\"), to deal in the Software without\n"     \
    "restriction, including without limitation the rights to use, copy, modify, merge, publish,\n" \
    "distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom "   \
    "the\n"                                                                                        \
    "Software is furnished to do so"
#define CONDITION                                                                                  \
    ", subject to the following conditions:\n\nThe above copyright notice and this permission\n"   \
    "notice shall be included in all copies or substantial portions of the Software.\n\n"
#define WARRANTY                                                                                   \
    "THE SOFTWARE IS PROVIDED \"AS IS\", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, "       \
    "INCLUDING\n"                                                                                  \
    "BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND\n" \
    "NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY "       \
    "CLAIM,\n"                                                                                     \
    "DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING "    \
    "FROM,\n"                                                                                      \
    "OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.\n"
#define MIT "MIT License\n\nCopyright (c) 2024 Somebody\n\n" GRANT CONDITION WARRANTY
#define ISC                                                                                        \
    "Permission to use, copy, modify, and/or distribute this software for any purpose with or\n"   \
    "without fee is hereby granted, provided that the above copyright notice and this "            \
    "permission\n"                                                                                 \
    "notice appear in all copies.\n\nTHE SOFTWARE IS PROVIDED \"AS IS\" AND THE AUTHOR DISCLAIMS " \
    "ALL\n"                                                                                        \
    "WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY " \
    "AND\n"                                                                                        \
    "FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR\n"      \
    "CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR "         \
    "PROFITS,\n"                                                                                   \
    "WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR "    \
    "IN\n"                                                                                         \
    "CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.\n"

#define BSD_GRANT                                                                                  \
    "Redistribution and use in source and binary forms, with or without modification, are "        \
    "permitted provided that the following conditions are met:\n\n"                                \
    "1. Redistributions of source code must retain the above copyright notice, this list of "      \
    "conditions and the following disclaimer.\n\n"                                                 \
    "2. Redistributions in binary form must reproduce the above copyright notice, this list of "   \
    "conditions and the following disclaimer in the documentation and/or other materials "         \
    "provided with the distribution.\n\n"
#define BSD_NAMES                                                                                  \
    "Neither the name of the copyright holder nor the names of its contributors may be used to "   \
    "endorse or promote products derived from this software without specific prior written "       \
    "permission.\n\n"
#define BSD_ADVERTISING                                                                            \
    "3. All advertising materials mentioning features or use of this software must display the "   \
    "following acknowledgement: This product includes software developed by the organization.\n\n"
#define BSD_WARRANTY                                                                               \
    "THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS \"AS IS\" AND ANY "       \
    "EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE IMPLIED WARRANTIES OF "     \
    "MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE DISCLAIMED. IN NO EVENT SHALL THE "  \
    "COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, "   \
    "EXEMPLARY, OR CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF "          \
    "SUBSTITUTE GOODS OR SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) "      \
    "HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY, OR "    \
    "TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE OF THIS "          \
    "SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.\n"

static void check_words(const char *text, const char *want)
{
    struct words w = {0};
    assert_int_equal(words_read(&w, text, strlen(text), NULL), LQ_OK);
    assert_string_equal(w.stream.data, want);
    struct words again = {0};
    assert_int_equal(words_read(&again, w.stream.data, w.stream.len, NULL), LQ_OK);
    assert_string_equal(again.stream.data, want);
    words_release(&again);
    words_release(&w);
}

static void the_same_words(void **state)
{
    (void)state;
    check_words("The \"Software\" is", " the software is ");
    check_words("\xef\xbb\xbfThe \xe2\x80\x9cSoftware\xe2\x80\x9d\r\n\tis", " the software is ");
    check_words("// The\n// Software\xc2\xa0is\n", " the software is ");
    check_words("a) non-commercial licence, (ii) sub\xe2\x80\x90license\n",
                " noncommercial license sublicense ");
    check_words("Copyright (c) 2024 Me\nwords", " words ");
    check_words("# \xc2\xa9 2024 Me. All rights reserved.\nwords", " words ");
    check_words("see \xc2\xa9 and copyright (c) now", " see copyright and copyright now ");
    check_words("(c) You must retain\nall", " you must retain all ");
    check_words("\xc3\x89TAT \xd0\x9b", " \xc3\xa9tat \xd0\xbb ");
    check_words("no\xe2\x80\x94"
                "never\xe2\x80\x93 or - so",
                " nonever or so ");
    check_words("see https://x", " see http x ");
    check_words("version 2.0 of", " version 2 0 of ");
    check_words("\xff\xfe\n", " ");
    check_words("", " ");
}

/* The first finding; NULL ids: none may be found. */
static void check_is(const char *text, const char *ids, enum text_match how, size_t n)
{
    struct identification id = {0};
    assert_int_equal(license_identify(&id, text, strlen(text), NULL), LQ_OK);
    assert_int_equal(id.n, n);
    if (n) {
        assert_string_equal(id.found[0].ids, ids);
        assert_int_equal(id.found[0].how, how);
    }
    identification_release(&id);
}

static void relatives_are_told_apart(void **state)
{
    (void)state;
    check_is(MIT, "MIT", TEXT_EXACT, 1);
    check_is("The licence:\n\n" GRANT CONDITION WARRANTY, "MIT", TEXT_MATCH, 1);
    check_is("MIT No Attribution\n\n" GRANT ".\n\n" WARRANTY, "MIT-0", TEXT_EXACT, 1);
    check_is("JSON License\n" GRANT CONDITION
             "The Software shall be used for Good, not Evil.\n" WARRANTY,
             "JSON", TEXT_EXACT, 1);
    check_is(ISC, "ISC", TEXT_MATCH, 1);
}

static void the_bsd_licences_are_told_apart(void **state)
{
    (void)state;
    check_is("Copyright (c) 2020 A\n\n" BSD_GRANT BSD_WARRANTY, "BSD-2-Clause", TEXT_EXACT, 1);
    check_is("Copyright (c) 2020 A\n\n" BSD_GRANT "3. " BSD_NAMES BSD_WARRANTY, "BSD-3-Clause",
             TEXT_EXACT, 1);
    struct identification id = {0};
    static const char four[] = BSD_GRANT BSD_ADVERTISING "4. " BSD_NAMES BSD_WARRANTY;
    assert_int_equal(license_identify(&id, four, sizeof four - 1, NULL), LQ_OK);
    assert_true(id.n >= 1);
    assert_memory_equal(id.found[0].ids, "BSD-4-Clause", 12);
    identification_release(&id);
}

/* What the guidelines call the same, and what they do not. */
static void a_text_is_named_through_other_layouts(void **state)
{
    struct text t = {0};
    (void)state;
    for (const char *s = MIT; *s; s++) /* upper case */
        text_putc(&t, *s >= 'a' && *s <= 'z' ? (char)(*s - 32) : *s);
    check_is(t.data, "MIT", TEXT_EXACT, 1);
    text_free(&t);
    text_puts(&t, "# ");
    for (const char *s = MIT; *s; s++) /* comments */
        text_printf(&t, *s == '\n' ? "%c# " : "%c", *s);
    check_is(t.data, "MIT", TEXT_EXACT, 1);
    text_free(&t);
    for (const char *s = MIT; *s; s++) /* other lines */
        text_putc(&t, *s == ' ' && s[1] == 't' ? '\n' : *s == '\n' && s[1] != '\n' ? ' ' : *s);
    check_is(t.data, "MIT", TEXT_EXACT, 1);
    text_free(&t);
    check_is("Copyright 2031 Some Laboratory. All rights reserved.\n\xc2\xa9 2032 Others\n\n"
             "MIT License\n\n" GRANT CONDITION WARRANTY,
             "MIT", TEXT_EXACT, 1);
}

static void what_differs_is_named_both_ways(void **state)
{
    (void)state;
    struct identification id = {0};
    static const char more[] = BSD_GRANT
        "3. " BSD_NAMES
        "Nobody may use this software for the control of reactors or of aircraft.\n" BSD_WARRANTY;
    assert_int_equal(license_identify(&id, more, sizeof more - 1, NULL), LQ_OK);
    assert_int_equal(id.found[0].how, TEXT_MODIFIED);
    assert_non_null(strstr(id.differs.data,
                           "added: nobody may use this software for the control of "
                           "reactors or of aircraft"));
    identification_release(&id);
    static const char less[] = MIT;
    char cut[sizeof less];
    const char *const from = strstr(less, "TORT OR OTHERWISE");
    const size_t head = (size_t)(from - less);
    memcpy(cut, less, head);
    snprintf(cut + head, sizeof cut - head, "%s", strstr(less, "USE OR OTHER"));
    assert_int_equal(license_identify(&id, cut, strlen(cut), NULL), LQ_OK);
    assert_string_equal(id.found[0].ids, "MIT");
    assert_int_equal(id.found[0].how, TEXT_MODIFIED);
    assert_non_null(strstr(id.differs.data, "missing: tort or otherwise arising from out of or in "
                                            "connection with the software or the"));
    identification_release(&id);
}

/* One word, of `from` in MIT, becomes `to`. */
static void check_change(const char *from, const char *to, enum text_match how, const char *shown)
{
    struct identification id = {0};
    struct text t = {0};
    const char *const at = strstr(MIT, from);
    assert_non_null(at);
    text_put(&t, MIT, (size_t)(at - MIT));
    text_printf(&t, "%s%s", to, at + strlen(from));
    assert_int_equal(license_identify(&id, t.data, t.len, NULL), LQ_OK);
    assert_string_equal(id.found[0].ids, "MIT");
    if (id.found[0].how != how || !strstr(id.differs.data, shown))
        fail_msg("%s: %s: %s", to, text_match_name(id.found[0].how), id.differs.data);
    identification_release(&id);
    text_free(&t);
}

static void one_word_that_turns_the_terms_is_named(void **state)
{
    (void)state;
    check_change("shall be included", "shall not be included", TEXT_MODIFIED,
                 "added: not, behind \"permission notice shall\"");
    check_change("BUT NOT LIMITED", "BUT LIMITED", TEXT_MODIFIED,
                 "missing: not, behind \"implied including but\"");
    check_change("shall be included", "may be included", TEXT_MODIFIED,
                 "added: may; missing: shall");
    check_change("is hereby granted", "is never granted", TEXT_MODIFIED,
                 "added: never; missing: hereby");
    /* Another word is shown, and does not make it another licence; nor does a misspelling. */
    check_change("hereby granted", "herewith granted", TEXT_MATCH,
                 "added: herewith; missing: hereby");
    check_change("shall be included", "shlal be included", TEXT_MATCH, "added: shlal");
}

static void a_licence_that_stands_there_twice_is_not_modified(void **state)
{
    (void)state;
    check_is(MIT "\n\nCopyright (c) 2025 Others\n\n" GRANT CONDITION WARRANTY, "MIT", TEXT_MATCH,
             1);
    struct identification id = {0};
    static const char turned[] =
        MIT "\n\nCopyright (c) 2025 Others\n\n" GRANT ", but not on Mondays" CONDITION WARRANTY;
    assert_int_equal(license_identify(&id, turned, sizeof turned - 1, NULL), LQ_OK);
    assert_int_equal(id.found[0].how, TEXT_MODIFIED);
    if (!strstr(id.differs.data, "but not on mondays"))
        fail_msg("%s", id.differs.data);
    identification_release(&id);
}

static void a_part_of_a_licence_is_not_taken_for_it(void **state)
{
    (void)state;
    struct identification id = {0};
    static const char text[] = MIT;
    assert_int_equal(license_identify(&id, text, sizeof text * 6 / 10, NULL), LQ_OK);
    assert_true(id.n == 0 || id.found[0].how == TEXT_SIMILAR);
    identification_release(&id);
}

static void additions_make_a_text_modified(void **state)
{
    (void)state;
    struct identification id = {0};
    static const char text[] = MIT
        "If the Software is used in products with more than 5 million monthly active users, the "
        "name of the model shall be displayed prominently on the user interface.\n";
    assert_int_equal(license_identify(&id, text, sizeof text - 1, NULL), LQ_OK);
    assert_true(id.n >= 1);
    assert_string_equal(id.found[0].ids, "MIT");
    assert_int_equal(id.found[0].how, TEXT_MODIFIED);
    identification_release(&id);
}

static void several_in_one_file(void **state)
{
    (void)state;
    struct identification id = {0};
    static const char text[] = MIT "\n---\n\nParts are under these terms:\n\n" ISC;
    assert_int_equal(license_identify(&id, text, sizeof text - 1, NULL), LQ_OK);
    assert_int_equal(id.n, 2);
    assert_true(strcmp(id.found[0].ids, "MIT") == 0 || strcmp(id.found[1].ids, "MIT") == 0);
    assert_true(strcmp(id.found[0].ids, "ISC") == 0 || strcmp(id.found[1].ids, "ISC") == 0);
    identification_release(&id);
}

static void what_is_no_licence(void **state)
{
    (void)state;
    check_is("", NULL, TEXT_EXACT, 0);
    check_is("# A model\n\nThis model was trained on text. Licensed under MIT, see LICENSE.\n",
             NULL, TEXT_EXACT, 0);
    check_is("int main(void)\n{\n    return 0;\n}\n", NULL, TEXT_EXACT, 0);
}

static void the_notice_of_files_is_no_licence(void **state)
{
    (void)state;
    check_is("// Copyright 2024 Somebody\n//\n"
             "// Licensed under the Apache License, Version 2.0 (the \"License\");\n"
             "// you may not use this file except in compliance with the License.\n"
             "// You may obtain a copy of the License at\n//\n"
             "//     https://www.apache.org/licenses/LICENSE-2.0\n//\n"
             "// Unless required by applicable law or agreed to in writing, software\n"
             "// distributed under the License is distributed on an \"AS IS\" BASIS,\n"
             "// WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.\n"
             "// See the License for the specific language governing permissions and\n"
             "// limitations under the License.\n",
             "Apache-2.0", TEXT_NOTICE, 1);
}

#define FMT                                                                                        \
    "--- Optional exception to the license ---\n\nAs an exception, if, as a result of your "       \
    "compiling your source code, portions of this Software are embedded into a "                   \
    "machine-executable "                                                                          \
    "object form of such source code, you may redistribute such embedded portions in such object " \
    "form without including the above copyright and permission notices.\n"

static void exceptions_stand_beside_licences(void **state)
{
    (void)state;
    struct identification id = {0};
    check_is(FMT, "fmt-exception", TEXT_EXCEPTION, 1);
    assert_int_equal(license_identify(&id, MIT FMT, strlen(MIT FMT), NULL), LQ_OK);
    assert_int_equal(id.n, 2);
    assert_string_equal(id.found[0].ids, "MIT");
    assert_int_equal(id.found[0].how, TEXT_PART);
    assert_string_equal(id.found[1].ids, "fmt-exception");
    assert_int_equal(id.found[1].how, TEXT_EXCEPTION);
    identification_release(&id);
    assert_string_equal(spdx_exception_of_text("fmt-exception"), "fmt-exception");
    assert_string_equal(spdx_exception_of_text("wxWindows WxWindows-exception-3.1"),
                        "WxWindows-exception-3.1");
    assert_string_equal(spdx_exception_of_text("GPL-3.0-with-GCC-exception"), "GCC-exception-3.1");
    assert_null(spdx_exception_of_text("eCos-2.0"));
    assert_null(spdx_exception_of_text("MIT"));
}

static void short_texts_keep_all_their_pairs(void **state)
{
    (void)state;
    size_t n = 0;
    for (size_t i = 0; i < index_count(); i++) {
        const struct index_text *const t = index_text_at(i);
        if (t->words >= 60)
            continue;
        n++;
        assert_false(t->flags & INDEX_SAMPLED);
        assert_true(t->words < 2 || t->count > 0);
    }
    assert_true(n > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_words),
        cmocka_unit_test(relatives_are_told_apart),
        cmocka_unit_test(the_bsd_licences_are_told_apart),
        cmocka_unit_test(a_text_is_named_through_other_layouts),
        cmocka_unit_test(what_differs_is_named_both_ways),
        cmocka_unit_test(one_word_that_turns_the_terms_is_named),
        cmocka_unit_test(a_licence_that_stands_there_twice_is_not_modified),
        cmocka_unit_test(a_part_of_a_licence_is_not_taken_for_it),
        cmocka_unit_test(additions_make_a_text_modified),
        cmocka_unit_test(several_in_one_file),
        cmocka_unit_test(exceptions_stand_beside_licences),
        cmocka_unit_test(short_texts_keep_all_their_pairs),
        cmocka_unit_test(what_is_no_licence),
        cmocka_unit_test(the_notice_of_files_is_no_licence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
