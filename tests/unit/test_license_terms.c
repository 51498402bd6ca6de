/* test_license_terms.c -- the table of terms: what each licence is and asks, what may be made of
 * what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "libquant/license/identify.h"
#include "libquant/license/spdx.h"
#include "libquant/license/terms.h"

static void check_class(const char *hub, enum license_class want)
{
    struct expression e = {0};
    const struct hub_license l = hub_license_find(hub);
    if (!l.id)
        fail_msg("'%s' is no licence", hub);
    assert_int_equal(expression_parse(&e, l.id, NULL), LQ_OK);
    if (expression_class(&e) != want)
        fail_msg("'%s' is %s", hub, license_class_name(expression_class(&e)));
    expression_release(&e);
}

static void every_identifier_of_the_hub_has_its_class(void **state)
{
    static const struct {
        enum license_class class;
        const char *ids;
    } want[] = {
        {LICENSE_OSI,
         "apache-2.0 mit afl-3.0 artistic-2.0 bsl-1.0 bsd-2-clause bsd-3-clause ecl-2.0 epl-1.0 "
         "epl-2.0 eupl-1.1 eupl-1.2 agpl-3.0 gpl-2.0 gpl-3.0 lgpl-2.1 lgpl-3.0 isc lppl-1.3c ms-pl "
         "mpl-2.0 osl-3.0 postgresql ofl-1.1 ncsa unlicense zlib "},
        {LICENSE_OPEN,
         "bsd-3-clause-clear cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 "
         "cc-by-sa-4.0 wtfpl openmdw-1.0 lgpl-lr "},
        {LICENSE_OPEN_DATA,
         "c-uda cdla-sharing-1.0 cdla-permissive-1.0 cdla-permissive-2.0 etalab-2.0 odc-by odbl "
         "pddl "},
        {LICENSE_RESTRICTED,
         "bigscience-openrail-m creativeml-openrail-m bigscience-bloom-rail-1.0 bigcode-openrail-m "
         "openrail++ "},
        {LICENSE_COMMUNITY, "llama2 llama3 llama3.1 llama3.2 llama3.3 llama4 gemma "},
        {LICENSE_NC,
         "cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 "},
        {LICENSE_ND, "cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 "},
        /* Their texts were not read. */
        {LICENSE_UNKNOWN,
         "h-research intel-research apple-ascl apple-amlr deepfloyd-if-license "
         "fair-noncommercial-research-license grok2-community "},
    };
    char id[64];
    (void)state;
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
        for (const char *s = want[i].ids; *s; s += strlen(id) + 1) {
            snprintf(id, sizeof id, "%.*s", (int)strcspn(s, " "), s);
            check_class(id, want[i].class);
        }
}

/* Each row of the table is about a licence that there is. */
static void rows_are_about_licences_that_are_known(void **state)
{
    static const char *const ids[] = {
#define TERMS(id, class, flags, source) id,
#define DUTY(id, kind, value, source) id,
#include "libquant/license/terms.def"
#undef TERMS
#undef DUTY
    };
    (void)state;
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        const size_t n = strcspn(ids[i], "*");
        bool found = spdx_license_find(ids[i], n) || strcmp(ids[i], "LicenseRef-llama3") == 0;
        for (size_t k = 0; k < license_index_count() && !found; k++) {
            const char *const names = license_index_ids(k);
            found = strncmp(names, ids[i], n) == 0 && (ids[i][n] || !names[n] || names[n] == ' ');
        }
        if (!found)
            fail_msg("'%s' is no licence of the list or of the index", ids[i]);
        char bare[96];
        snprintf(bare, sizeof bare, "%.*s", (int)n, ids[i]);
        assert_non_null(license_terms_find(ids[i][n] ? "CC-BY-4.0" : bare));
    }
}

/* Every licence of models whose text is in the index has a row. */
static void model_licences_have_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < license_index_count(); i++) {
        const char *const ids = license_index_ids(i);
        if (strncmp(ids, "LicenseRef-", 11) == 0 && !license_terms_find(ids))
            fail_msg("'%s' has no row of terms", ids);
    }
}

static void the_user_picks_the_best_choice(void **state)
{
    static const struct {
        const char *expression;
        enum license_class class;
    } want[] = {
        {"MIT OR CC-BY-NC-4.0", LICENSE_OSI},
        {"MIT AND CC-BY-NC-4.0", LICENSE_NC},
        {"MIT AND LicenseRef-x", LICENSE_UNKNOWN},
        {"MIT OR LicenseRef-x", LICENSE_OSI},
        {"Apache-2.0+", LICENSE_OSI},
        {"GPL-2.0-only WITH Classpath-exception-2.0", LICENSE_OSI},
        {"Zed", LICENSE_UNKNOWN},
        {"0BSD", LICENSE_OSI},
    };
    (void)state;
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        struct expression e = {0};
        assert_int_equal(expression_parse(&e, want[i].expression, NULL), LQ_OK);
        assert_int_equal(expression_class(&e), want[i].class);
        expression_release(&e);
    }
}

#define LLAMA "LicenseRef-scancode-llama-3.1-license-2024"
#define RAIL  "LicenseRef-scancode-bigscience-open-rail-m"

static void what_may_be_made_of_what(void **state)
{
    static const struct {
        const char *base, *derived;
        enum compatibility want;
    } cases[] = {
        {"MIT", "Apache-2.0", COMPATIBLE},
        {"Apache-2.0", LLAMA, COMPATIBLE},
        {LLAMA, "Apache-2.0", INCOMPATIBLE},
        {LLAMA, LLAMA, COMPATIBLE},
        {LLAMA, "CC-BY-NC-4.0", COMPATIBLE_NOTE},
        {RAIL, "MIT", INCOMPATIBLE},
        {RAIL, "LicenseRef-scancode-bigcode-open-rail-m-v1", COMPATIBLE},
        {"CC-BY-NC-4.0", "Apache-2.0", INCOMPATIBLE},
        {"CC-BY-NC-4.0", "LicenseRef-scancode-flux-1-nc", COMPATIBLE},
        {"CC-BY-SA-4.0", "Apache-2.0", INCOMPATIBLE},
        {"CC-BY-SA-4.0", "GPL-3.0-only", COMPATIBLE_NOTE},
        {"GPL-2.0-only", "MIT", INCOMPATIBLE},
        {"GPL-2.0-or-later", "GPL-3.0-only", COMPATIBLE},
        {"MPL-2.0", "MIT", INCOMPATIBLE},
        {"MPL-2.0", "GPL-3.0-only", COMPATIBLE},
        {"LicenseRef-x", "MIT", COMPATIBLE_UNKNOWN},
        {"CC-BY-ND-4.0", "CC-BY-4.0", INCOMPATIBLE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (license_compatible(cases[i].base, cases[i].derived) != cases[i].want)
            fail_msg("%s under %s", cases[i].base, cases[i].derived);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_identifier_of_the_hub_has_its_class),
        cmocka_unit_test(rows_are_about_licences_that_are_known),
        cmocka_unit_test(model_licences_have_rows),
        cmocka_unit_test(the_user_picks_the_best_choice),
        cmocka_unit_test(what_may_be_made_of_what),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
