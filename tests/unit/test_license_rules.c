/* test_license_rules.c -- what models say about their licences, what licences ask, and what does
 * not fit together. */
#include "tests/unit/temp_folder.h"

#include "libquant/audit/license_rules.h"

#define CARD(lines) "---\n" lines "---\n\n# A model\n"
#define APACHE      CARD("license: apache-2.0\n")
#define LINKED      "license_link: https://example.org/terms\n"
#define NOTICE_31                                                                                  \
    "Llama 3.1 is licensed under the Llama 3.1 Community License, Copyright \xc2\xa9 Meta "        \
    "Platforms, Inc. All Rights Reserved.\n"

static struct license_facts read_folder(const char *name, const struct catalog *c)
{
    struct license_facts f = {0};
    struct resolver *files;
    assert_int_equal(resolver_open_folder(&files, temp_path(name), NULL), LQ_OK);
    assert_int_equal(license_facts_read(&f, temp_path(name), files, &c, c != NULL, NULL), LQ_OK);
    resolver_close(files);
    return f;
}

/* A folder with a card. */
static void model(const char *name, const char *card)
{
    char path[128];
    temp_mkdir(name);
    snprintf(path, sizeof path, "%s/README.md", name);
    temp_write_text(path, card);
}

/* The findings of a model and its bases (names with blanks between), as "error LIC-A, note LIC-B".
 */
static void check_with(const char *name, const char *bases, const struct catalog *c,
                       const char *want)
{
    struct license_facts m = read_folder(name, c), base[4];
    const struct license_facts *list[4];
    struct findings fs = {0};
    struct text t = {0};
    char one[64];
    size_t n = 0;
    for (const char *s = bases; *s; n++) {
        snprintf(one, sizeof one, "%.*s", (int)strcspn(s, " "), s);
        base[n] = read_folder(one, NULL);
        list[n] = &base[n];
        s += strlen(one) + (s[strlen(one)] == ' ');
    }
    assert_int_equal(license_rules(&fs, &m, list, n, NULL), LQ_OK);
    text_puts(&t, "");
    for (size_t i = 0; i < fs.n; i++)
        text_printf(&t, "%s%s %s", i ? ", " : "", severity_name(fs.list[i].severity),
                    fs.list[i].rule->id);
    assert_string_equal(t.data, want);
    text_free(&t);
    findings_release(&fs);
    license_facts_release(&m);
    while (n--)
        license_facts_release(&base[n]);
}

static void check(const char *name, const char *bases, const char *want)
{
    check_with(name, bases, NULL, want);
}

static void check_conclusion(const char *name, const char *want)
{
    struct license_facts f = read_folder(name, NULL);
    const char *const got = license_conclusion(&f);
    if (want)
        assert_string_equal(got, want);
    else
        assert_null(got);
    license_facts_release(&f);
}

static void set(struct catalog *c, const char *key, const char *value)
{
    assert_int_equal(catalog_set_string(c, key, value, strlen(value), NULL), LQ_OK);
}

/* ---- duties ---- */

static void notices_are_found_however_they_are_written(void **state)
{
    static const char folded[] = "Llama 3.1 is licensed under the Llama 3.1 Community License, "
                                 "Copyright (c) Meta Platforms, "
                                 "Inc. All Rights Reserved.";
    static const char wrapped[] =
        "This folder:\n\n  Llama 3.1 is licensed under the Llama 3.1 Community\n  License,\n"
        "Copyright (C) Meta Platforms,\nInc. All\r\nRights Reserved.\n";
    static const char *const texts[] = {NOTICE_31, folded, wrapped};
    static const char *const names[] = {"m/NOTICE", "m/Notice.txt", "m/notice.md"};
    (void)state;
    model("m", CARD("license: other\nlicense_name: llama3.1\n" LINKED) "Built with Llama\n");
    check("m", "", "error LIC-NOTICE-MISSING, note LIC-THRESHOLD");
    for (size_t i = 0; i < 3; i++) {
        temp_write_text(names[i], texts[i]);
        check("m", "", "note LIC-THRESHOLD");
        assert_int_equal(remove(temp_path(names[i])), 0);
    }
    temp_write_text("m/NOTICE", "Llama 3.2 is licensed under the Llama 3.2 Community License\n");
    check("m", "", "error LIC-NOTICE-MISSING, note LIC-THRESHOLD");
}

static void names_begin_as_the_licence_of_the_base_demands(void **state)
{
    (void)state;
    model("Foo-8B", CARD("license: other\nlicense_name: llama3.1\n" LINKED
                         "base_model: meta-llama/Llama-3.1-8B\n") "Built with Llama\n");
    temp_write_text("Foo-8B/NOTICE", NOTICE_31);
    check("Foo-8B", "", "warning LIC-NAME-PREFIX, note LIC-THRESHOLD");
    model("Llama-Foo", CARD("license: other\nlicense_name: llama3.1\n" LINKED
                            "base_model: meta-llama/Llama-3.1-8B\n") "Built with Llama\n");
    temp_write_text("Llama-Foo/NOTICE", NOTICE_31);
    check("Llama-Foo", "", "note LIC-THRESHOLD");
    model("Foo-7B", CARD("license: other\nlicense_name: llama2\n" LINKED
                         "base_model: meta-llama/Llama-2-7b-hf\n"));
    temp_write_text("Foo-7B/NOTICE",
                    "Llama 2 is licensed under the LLAMA 2 Community License, Copyright (c) Meta "
                    "Platforms, Inc. All Rights Reserved.\n");
    check("Foo-7B", "", "note LIC-OUTPUTS, note LIC-THRESHOLD");
}

static void regions_outputs_and_thresholds_are_told(void **state)
{
    (void)state;
    model("3d", CARD("license: other\nlicense_name: "
                     "LicenseRef-scancode-tencent-hunyuan-3d-2.0-cla\n" LINKED));
    temp_write_text(
        "3d/NOTICE",
        "Tencent Hunyuan 3D 2.0 is licensed under the Tencent Hunyuan 3D 2.0 Community "
        "License Agreement, Copyright \xc2\xa9 2025 Tencent. All Rights Reserved. The "
        "trademark rights of \xe2\x80\x9cTencent Hunyuan\xe2\x80\x9d are owned by Tencent "
        "or its affiliate.");
    check("3d", "", "warning LIC-REGION, note LIC-THRESHOLD, note LIC-OUTPUTS");
    model(
        "EXAONE-x",
        CARD("license: other\nlicense_name: LicenseRef-scancode-exaone-ai-model-1.1-nc\n" LINKED));
    check("EXAONE-x", "", "note LIC-OUTPUTS, note LIC-OUTPUTS");
}

/* ---- bases ---- */

static void freer_terms_than_the_base_are_found(void **state)
{
    (void)state;
    model("nc", CARD("license: cc-by-nc-4.0\n"));
    model("Llama-a", CARD("license: apache-2.0\nbase_model: meta-llama/Llama-3.1-8B\n"));
    check("Llama-a", "", "error LIC-DERIV-RELAXED, note LIC-MISSING-FILE");
    model("b", CARD("license: apache-2.0\nbase_model: google/gemma-2-9b\n"));
    check("b", "", "error LIC-DERIV-RELAXED, note LIC-MISSING-FILE");
    model("c", CARD("license: apache-2.0\nbase_model: x/nc\n"));
    check("c", "nc", "error LIC-NC-BASE, note LIC-MISSING-FILE");
    model("gnu", CARD("license: gpl-3.0\n"));
    check("c", "gnu", "error LIC-DERIV-RELAXED, note LIC-MISSING-FILE");
    model("sa", CARD("license: cc-by-sa-4.0\n"));
    check("c", "sa", "warning LIC-SA, note LIC-MISSING-FILE");
    /* The other way round nothing is relaxed. */
    model("apache", APACHE);
    model("d",
          CARD("license: other\nlicense_name: cc-by-nc-4.0\n" LINKED "base_model: x/apache\n"));
    check("d", "apache", "");
    /* One permissive licence for another: the first one's text has to stay. */
    model("e", CARD("license: mit\n"));
    check("e", "apache", "warning LIC-DERIV-RELAXED, note LIC-MISSING-FILE");
}

static void notices_of_bases_go_along(void **state)
{
    (void)state;
    model("base", APACHE);
    temp_write_text("base/NOTICE", "Base, made by somebody.\n");
    model("m", CARD("license: other\nlicense_name: apache-2.0\n" LINKED "base_model: x/base\n"));
    check("m", "base", "error LIC-NOTICE-MISSING");
    temp_write_text("m/NOTICE", "Base, made by somebody.\n");
    check("m", "base", "");
    model("Llama-nc", CARD("license: other\nlicense_name: cc-by-nc-4.0\n" LINKED
                           "base_model: meta-llama/Llama-3.1-8B\n"));
    check("Llama-nc", "", "error LIC-NOTICE-MISSING, note LIC-DERIV-RELAXED");
    temp_write_text("Llama-nc/NOTICE", NOTICE_31);
    check("Llama-nc", "", "note LIC-DERIV-RELAXED");
}

static void every_link_of_a_chain_is_checked(void **state)
{
    (void)state;
    model("first", CARD("license: cc-by-nc-4.0\n"));
    model("second", CARD("license: cc-by-nc-4.0\nbase_model: x/first\n"));
    model("third",
          CARD("license: other\nlicense_name: cc-by-nc-4.0\n" LINKED "base_model: x/second\n"));
    check("third", "first second", "");
    model("relabelled", CARD("license: mit\nbase_model: x/First\n"));
    model("last", CARD("license: other\nlicense_name: mit\n" LINKED "base_model: x/relabelled\n"));
    check("last", "relabelled first", "error LIC-NC-BASE");
    check("last", "", "note LIC-BASE-UNKNOWN");
}

static void bases_that_cannot_be_merged_are_found(void **state)
{
    (void)state;
    model("gnu", CARD("license: gpl-3.0\n"));
    model("nc", CARD("license: cc-by-nc-4.0\n"));
    model("apache", APACHE);
    model("m1", CARD("license: other\nlicense_name: cc-by-nc-4.0\n" LINKED));
    check("m1", "gnu nc", "error LIC-MERGE-CONFLICT");
    check("m1", "nc apache", "");
    model("m2", CARD("license: other\nlicense_name: cc-by-nc-4.0\n" LINKED
                     "base_model: [meta-llama/Llama-2-7b-hf, x/apache]\n"));
    check("m2", "apache", "error LIC-MERGE-CONFLICT");
    model("exaone",
          CARD("license: other\nlicense_name: LicenseRef-scancode-exaone-ai-model-1.1-nc\n"));
    model("m3", CARD("license: other\nlicense_name: cc-by-nc-4.0\n" LINKED
                     "base_model:\n- meta-llama/Llama-3.1-8B\n- x/exaone\n"));
    check("m3", "exaone", "error LIC-MERGE-CONFLICT");
}

static void a_base_that_may_not_be_changed(void **state)
{
    (void)state;
    model("nd", CARD("license: cc-by-nd-4.0\n"));
    model("q", CARD("license: other\nlicense_name: cc-by-nd-4.0\n" LINKED
                    "base_model: x/nd\nbase_model_relation: quantized\n"));
    check("q", "nd", "error LIC-ND-BASE");
    model("lora", CARD("license: other\nlicense_name: cc-by-nd-4.0\n" LINKED "base_model: x/nd\n"
                       "base_model_relation: adapter\n"));
    check("lora", "nd", "warning LIC-ND-BASE");
}

static void data_sets_that_are_given_are_noted(void **state)
{
    (void)state;
    model("songs", CARD("license: cc-by-nc-4.0\n"));
    model("m", CARD("license: apache-2.0\ndatasets: [x/songs]\n"));
    check("m", "songs", "note LIC-MISSING-FILE, note LIC-DATA-NC");
}

/* ---- cards ---- */

static void cards_of_all_forms_are_read(void **state)
{
    (void)state;
    model("crlf",
          "\xef\xbb\xbf---\r\nlicense: apache-2.0\r\n---\r\n\r\n---\r\nlicense: mit\r\n---\r\n");
    check_conclusion("crlf", "Apache-2.0");
    model("list", CARD("license: [apache-2.0, mit]\n"));
    check_conclusion("list", "Apache-2.0 AND MIT");
    model("none", "# A model\n\n---\nlicense: mit\n---\n");
    check("none", "", "warning LIC-NONE");
    model("empty", CARD("license:\nlanguage: en\n"));
    check("empty", "", "warning LIC-NONE");
    model("deep",
          CARD("license: apache-2.0\na: "
               "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
               "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n"));
    check("deep", "", "warning LIC-CARD-INVALID");
    model("named", CARD("license: The Apache License, Version 2.0\n"));
    check_conclusion("named", "Apache-2.0");
    model("expression", CARD("license: MIT OR (GPL-2.0+ AND isc)\n"));
    check_conclusion("expression", "MIT OR GPL-2.0-or-later AND ISC");
}

static void what_other_needs(void **state)
{
    (void)state;
    model("o1", CARD("license: other\n"));
    check("o1", "", "warning LIC-OTHER-INCOMPLETE, warning LIC-OTHER-INCOMPLETE");
    model("o2", CARD("license: other\nlicense_name: mine\nlicense_link: LICENSE.md\n"));
    check("o2", "", "warning LIC-OTHER-INCOMPLETE");
    temp_write_text("o2/LICENSE.md",
                    "All may do with this model what they like, but on Mondays.\n");
    check("o2", "", "warning LIC-UNKNOWN");
    model("o3", CARD("license: other\nlicense_name: mine\nlicense_link: ../LICENSE\n"));
    check("o3", "", "warning LIC-OTHER-INCOMPLETE");
    model("o4", CARD("license: apache-2.0\nlicense_name: mine\n"));
    check("o4", "", "note LIC-OTHER-INCOMPLETE, note LIC-MISSING-FILE");
}

static void claims_that_name_no_terms(void **state)
{
    (void)state;
    model("f", CARD("license: cc\n"));
    check("f", "", "note LIC-FAMILY");
    model("g", CARD("license: gpl-3.0\n"));
    check("g", "", "note LIC-AMBIGUOUS-GNU, note LIC-MISSING-FILE");
    model("later", CARD("license: gpl-3.0\n") "Under the GPL version 3 or (at your option) any "
                                              "later version.\n");
    check_conclusion("later", "GPL-3.0-or-later");
    check("later", "", "note LIC-MISSING-FILE");
    model("d", CARD("license: BSD-2-Clause-FreeBSD\n"));
    check("d", "", "note LIC-DEPRECATED, note LIC-MISSING-FILE");
    model("u", CARD("license: my-own-licence\n"));
    check("u", "", "warning LIC-UNKNOWN, warning LIC-MISSING-FILE");
    model("unread", CARD("license: apple-amlr\n"));
    check("unread", "", "note LIC-UNKNOWN");
}

/* ---- metadata ---- */

static void metadata_are_compared_with_the_card(void **state)
{
    (void)state;
    struct catalog c = {0};
    model("m", CARD("license: mit\n"));
    set(&c, "general.license", "apache-2.0");
    check_with("m", "", &c,
               "error LIC-METADATA-MISMATCH, note LIC-GGUF-NOTSPDX, note LIC-MISSING-FILE");
    set(&c, "general.license", "MIT");
    check_with("m", "", &c, "note LIC-MISSING-FILE");
    set(&c, "general.license", "mit");
    check_with("m", "", &c, "note LIC-GGUF-NOTSPDX, note LIC-MISSING-FILE");
    model("list", CARD("license: [mit, apache-2.0]\n"));
    set(&c, "general.license", "mit,apache-2.0");
    check_with("list", "", &c, "note LIC-GGUF-NOTSPDX, note LIC-MISSING-FILE");
    model("o", CARD("license: other\nlicense_name: my-terms\n" LINKED));
    set(&c, "general.license", "other");
    set(&c, "general.license.name", "My Terms");
    check_with("o", "", &c, "note LIC-GGUF-NOTSPDX");
    set(&c, "general.license.name", "your-terms");
    check_with("o", "", &c, "error LIC-METADATA-MISMATCH, note LIC-GGUF-NOTSPDX");
    catalog_release(&c);
}

static void all_keys_of_gguf_are_read(void **state)
{
    (void)state;
    struct catalog c = {0};
    struct bytes list[] = {
        {"x/one", 5},
        {"two",   3}
    };
    temp_mkdir("m");
    set(&c, "general.license", "MIT");
    set(&c, "general.name", "Some Model");
    set(&c, "general.organization", "Some Lab");
    set(&c, "general.license.link", "https://example.org");
    assert_int_equal(catalog_set_uint(&c, "general.base_model.count", META_U32, 2, NULL), LQ_OK);
    set(&c, "general.base_model.0.name", "Base One");
    set(&c, "general.base_model.0.organization", "Lab");
    set(&c, "general.base_model.1.repo_url", "https://huggingface.co/lab/base-2");
    assert_int_equal(catalog_set_uint(&c, "general.dataset.count", META_U32, 1, NULL), LQ_OK);
    set(&c, "general.dataset.0.name", "Songs");
    assert_int_equal(catalog_set_array(&c, "general.datasets", META_STRING, list, 2, NULL), LQ_OK);
    struct license_facts f = read_folder("m", &c);
    assert_string_equal(f.name, "Some Model");
    assert_string_equal(f.organization, "Some Lab");
    assert_string_equal(f.license_link, "https://example.org");
    assert_int_equal(f.n_bases, 2);
    assert_string_equal(f.bases[0].name, "Base One");
    assert_string_equal(f.bases[0].organization, "Lab");
    assert_string_equal(f.bases[1].name, "base-2");
    assert_string_equal(f.bases[1].organization, "lab");
    assert_int_equal(f.n_datasets, 3);
    assert_string_equal(f.datasets[1].name, "one");
    assert_int_equal(f.n_statements, 1);
    license_facts_release(&f);
    catalog_release(&c);
}

static void metadata_of_the_wrong_form_are_reported(void **state)
{
    (void)state;
    struct catalog c = {0};
    temp_mkdir("m");
    set(&c, "general.license", "MIT");
    set(&c, "general.base_model.0.name", "A");
    check_with("m", "", &c,
               "warning LIC-METADATA-INVALID, note LIC-MISSING-FILE, note LIC-BASE-UNKNOWN");
    assert_int_equal(catalog_set_uint(&c, "general.base_model.count", META_U32, 1, NULL), LQ_OK);
    check_with("m", "", &c, "note LIC-MISSING-FILE, note LIC-BASE-UNKNOWN");
    assert_int_equal(catalog_set_uint(&c, "general.license", META_U32, 1, NULL), LQ_OK);
    check_with("m", "", &c,
               "warning LIC-METADATA-INVALID, warning LIC-NONE, note LIC-BASE-UNKNOWN");
    catalog_release(&c);
}

static void names_are_compared_without_case_and_signs(void **state)
{
    (void)state;
    struct catalog c = {0};
    assert_true(license_same_name("Llama-3.1-8B", "llama 3.1 8b"));
    assert_true(license_same_name("Some_Model", "some-model"));
    assert_false(license_same_name("Llama-3.1-8B", "Llama-3.1-80B"));
    assert_false(license_same_name("a", ""));
    model("m", CARD("license: other\nlicense_name: mit\n" LINKED "base_model: lab/Base-1B\n"));
    assert_int_equal(catalog_set_uint(&c, "general.base_model.count", META_U32, 1, NULL), LQ_OK);
    set(&c, "general.base_model.0.name", "Base 1B");
    set(&c, "general.base_model.0.organization", "Lab");
    check_with("m", "", &c, "note LIC-BASE-UNKNOWN");
    set(&c, "general.base_model.0.name", "Other 1B");
    check_with("m", "", &c,
               "warning LIC-BASE-MISMATCH, note LIC-BASE-UNKNOWN, note LIC-BASE-UNKNOWN");
    catalog_release(&c);
}

/* ---- code ---- */

static void headers_of_code_are_read(void **state)
{
    (void)state;
    model("m", CARD("license: other\nlicense_name: cc-by-nc-4.0\n" LINKED));
    temp_write_text("m/model.py", "#!/usr/bin/env python3\n# SPDX-License-Identifier: MIT\n");
    temp_write_text("m/kernel.c", "/* SPDX-License-Identifier: Apache-2.0 OR MIT */\n");
    struct license_facts f = read_folder("m", NULL);
    assert_int_equal(f.n_statements, 3);
    assert_string_equal(f.statements[0].claim, "Apache-2.0 OR MIT");
    assert_string_equal(f.statements[1].file, "model.py");
    assert_int_equal(f.statements[1].line, 2);
    license_facts_release(&f);
    check("m", "", "note LIC-CODE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        temp_test(notices_are_found_however_they_are_written),
        temp_test(names_begin_as_the_licence_of_the_base_demands),
        temp_test(regions_outputs_and_thresholds_are_told),
        temp_test(freer_terms_than_the_base_are_found),
        temp_test(notices_of_bases_go_along),
        temp_test(every_link_of_a_chain_is_checked),
        temp_test(bases_that_cannot_be_merged_are_found),
        temp_test(a_base_that_may_not_be_changed),
        temp_test(data_sets_that_are_given_are_noted),
        temp_test(cards_of_all_forms_are_read),
        temp_test(what_other_needs),
        temp_test(claims_that_name_no_terms),
        temp_test(metadata_are_compared_with_the_card),
        temp_test(all_keys_of_gguf_are_read),
        temp_test(metadata_of_the_wrong_form_are_reported),
        temp_test(names_are_compared_without_case_and_signs),
        temp_test(headers_of_code_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
