/* test_license_expression.c -- SPDX licence expressions and the identifiers of model cards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "libquant/license/expression.h"
#include "libquant/license/spdx.h"

static void check_written(const char *s, const char *want)
{
    struct expression e = {0};
    lq_error err = {0};
    if (expression_parse(&e, s, &err) != LQ_OK)
        fail_msg("'%s' refused: %s", s, err.message);
    assert_string_equal(e.written.data, want);
    expression_release(&e);
}

static void check_refused(const char *s, lq_status status)
{
    struct expression e = {0};
    lq_error err = {0};
    if (expression_parse(&e, s, &err) != status)
        fail_msg("'%s': not refused as it should be", s);
    assert_true(err.message[0] != '\0');
    expression_release(&e);
}

static void check_equal(const char *a, const char *b, bool equal)
{
    struct expression x = {0}, y = {0};
    assert_int_equal(expression_parse(&x, a, NULL), LQ_OK);
    assert_int_equal(expression_parse(&y, b, NULL), LQ_OK);
    assert_int_equal(expression_equal(&x, &y), equal);
    expression_release(&x);
    expression_release(&y);
}

static void one_form_is_written(void **state)
{
    (void)state;
    check_written("apache-2.0", "Apache-2.0");
    check_written("mit or apache-2.0", "MIT OR Apache-2.0");
    check_written("(MIT)", "MIT");
    check_written("MIT AND (ISC OR Zlib)", "MIT AND (ISC OR Zlib)");
    check_written("(MIT AND ISC) OR Zlib", "MIT AND ISC OR Zlib");
    check_written("MPL-1.1+", "MPL-1.1+");
    check_written("gpl-2.0-or-later with classpath-exception-2.0",
                  "GPL-2.0-or-later WITH Classpath-exception-2.0");
    check_written("LicenseRef-llama3", "LicenseRef-llama3");
    check_written("DocumentRef-a:LicenseRef-b", "DocumentRef-a:LicenseRef-b");
    check_written("MIT WITH AdditionRef-x", "MIT WITH AdditionRef-x");
    check_written("NOASSERTION AND MIT", "NOASSERTION AND MIT");
    check_written("NONE", "NONE");
    check_written("((MIT) OR (ISC AND (Zlib OR 0BSD)))", "MIT OR ISC AND (Zlib OR 0BSD)");
}

static void deprecated_ones_are_replaced(void **state)
{
    (void)state;
    check_written("GPL-2.0+", "GPL-2.0-or-later");
    check_written("GPL-2.0", "GPL-2.0-only");
    check_written("GPL-2.0+ WITH Bison-exception-2.2", "GPL-2.0-or-later WITH Bison-exception-2.2");
    struct expression e = {0};
    assert_int_equal(expression_parse(&e, "LGPL-2.1", NULL), LQ_OK);
    assert_int_equal(e.leaf[0].flags, LEAF_DEPRECATED);
    expression_release(&e);
}

static void what_is_no_expression(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "MIT And ISC",
        "MIT AND",
        "AND MIT",
        "MIT OR OR ISC",
        "()",
        "(MIT",
        "MIT)",
        "MIT ISC",
        "GPL-2.0 +",
        "MIT++",
        "licenseref-x",
        "LicenseRef-",
        "NONE OR MIT",
        "NONE WITH Bison-exception-2.2",
        "MIT WITH",
        "LicenseRef-x+",
        "MIT/ISC",
        "DocumentRef-x",
        "LicenseRef-a_b",
        "MIT AND ()",
        "MIT, Apache-2.0",
        "x:y",
        "MIT\nAND ISC",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        check_refused(bad[i], LQ_E_FORMAT);
}

static void limits(void **state)
{
    (void)state;
    struct text t = {0};
    for (int i = 0; i < 65; i++)
        text_puts(&t, "(");
    check_refused(t.data, LQ_E_UNSUPPORTED);
    text_free(&t);
    for (int i = 0; i < 9; i++) /* 2^9 choices */
        text_printf(&t, "%s(LicenseRef-a%d OR LicenseRef-b%d)", i ? " AND " : "", i, i);
    check_refused(t.data, LQ_E_UNSUPPORTED);
    text_free(&t);
    for (int i = 0; i < 5000; i++)
        text_putc(&t, 'a');
    check_refused(t.data, LQ_E_UNSUPPORTED);
    text_free(&t);
}

static void comparison_is_of_meaning(void **state)
{
    (void)state;
    check_equal("MIT OR ISC", "isc OR mit", true);
    check_equal("MIT AND (ISC OR Zlib)", "(Zlib AND MIT) OR (MIT AND ISC)", true);
    check_equal("MIT AND ISC", "MIT OR ISC", false);
    check_equal("MIT", "MIT AND MIT", true);
    check_equal("GPL-2.0+", "GPL-2.0-or-later", true);
    check_equal("GPL-2.0-only", "GPL-2.0-or-later", false);
    check_equal("MIT OR MIT AND ISC", "MIT", false);
}

static void unknown_ones_are_kept(void **state)
{
    (void)state;
    struct expression e = {0};
    assert_int_equal(expression_parse(&e, "my-license OR MIT", NULL), LQ_OK);
    assert_int_equal(e.n_leaves, 2);
    assert_int_equal(e.leaf[0].flags, LEAF_UNKNOWN);
    assert_int_equal(e.leaf[1].flags, 0);
    assert_int_equal(e.n_choices, 2);
    expression_release(&e);
}

static void identifiers_of_the_hub(void **state)
{
    (void)state;
    static const struct {
        const char *hub;
        enum hub_kind kind;
        const char *id;
    } want[] = {
        {"apache-2.0",      HUB_LICENSE,   "Apache-2.0"                                 },
        {"Apache-2.0",      HUB_LICENSE,   "Apache-2.0"                                 },
        {"bsl-1.0",         HUB_LICENSE,   "BSL-1.0"                                    },
        {"odc-by",          HUB_LICENSE,   "ODC-By-1.0"                                 },
        {"etalab-2.0",      HUB_LICENSE,   "etalab-2.0"                                 },
        {"openmdw-1.0",     HUB_LICENSE,   "OpenMDW-1.0"                                },
        {"gpl-3.0",         HUB_AMBIGUOUS, "GPL-3.0-only OR GPL-3.0-or-later"           },
        {"openrail++",      HUB_LICENSE,   "LicenseRef-scancode-bigscience-open-rail-m2"},
        {"bsd",             HUB_FAMILY,    NULL                                         },
        {"other",           HUB_OTHER,     NULL                                         },
        {"unknown",         HUB_NONE,      NULL                                         },
        {"no-such-license", HUB_UNKNOWN,   NULL                                         },
    };
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        const struct hub_license l = hub_license_find(want[i].hub);
        assert_int_equal(l.kind, want[i].kind);
        if (want[i].id)
            assert_string_equal(l.id, want[i].id);
        else
            assert_null(l.id);
    }
}

static void families_are_no_licences(void **state)
{
    (void)state;
    static const char *const families[] = {"bsd", "cc", "gpl", "lgpl", "gfdl", "openrail"};
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        const struct hub_license l = hub_license_find(families[i]);
        assert_int_equal(l.kind, HUB_FAMILY);
        assert_null(l.id);
    }
}

/* Every identifier that the hub's page lists means something, and what it means is an expression.
 */
static void all_of_the_hub(void **state)
{
    (void)state;
    static const char all[] =
        "apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m "
        "bigscience-bloom-rail-1.0 "
        "bigcode-openrail-m afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause "
        "bsd-3-clause-clear c-uda cc cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 "
        "cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0 "
        "cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0 "
        "cdla-permissive-1.0 cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 "
        "eupl-1.2 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 lgpl-3.0 isc h-research "
        "intel-research lppl-1.3c ms-pl apple-ascl apple-amlr mpl-2.0 odc-by odbl openmdw-1.0 "
        "openrail++ osl-3.0 postgresql ofl-1.1 ncsa unlicense zlib pddl lgpl-lr "
        "deepfloyd-if-license "
        "fair-noncommercial-research-license llama2 llama3 llama3.1 llama3.2 llama3.3 llama4 "
        "grok2-community gemma unknown other ";
    char id[64];
    for (const char *s = all; *s; s += strlen(id) + 1) {
        snprintf(id, sizeof id, "%.*s", (int)strcspn(s, " "), s);
        const struct hub_license l = hub_license_find(id);
        if (l.kind == HUB_UNKNOWN)
            fail_msg("'%s' is not known", id);
        struct expression e = {0};
        if (l.id && (expression_parse(&e, l.id, NULL) != LQ_OK || e.leaf[0].flags))
            fail_msg("'%s' means '%s', which is no expression", id, l.id);
        expression_release(&e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_form_is_written),      cmocka_unit_test(deprecated_ones_are_replaced),
        cmocka_unit_test(what_is_no_expression),    cmocka_unit_test(limits),
        cmocka_unit_test(comparison_is_of_meaning), cmocka_unit_test(unknown_ones_are_kept),
        cmocka_unit_test(identifiers_of_the_hub),   cmocka_unit_test(all_of_the_hub),
        cmocka_unit_test(families_are_no_licences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
