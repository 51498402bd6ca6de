/* test_metadata.c -- general.* metadata: names of models taken apart, precedence of sources. */
#include "tests/unit/checkpoint_support.h"

#include "libquant/model/metadata.h"
#include "libquant/model/model_id.h"

/* ---- names: the expectations were made with gguf-py's Metadata.get_model_id_components ---- */

static const struct {
    const char *id;
    uint64_t parameters;
    const char *name, *organization, *basename, *finetune, *version, *size_label;
} ids[] = {
#include "tests/unit/model_ids.h"
};

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void names_are_taken_apart(void **state)
{
    (void)state;
    struct arena a = {0};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct model_id p;
        assert_true(model_id_parse(&p, ids[i].id, ids[i].parameters, &a));
        if (!same(p.name, ids[i].name) || !same(p.organization, ids[i].organization) ||
            !same(p.basename, ids[i].basename) || !same(p.finetune, ids[i].finetune) ||
            !same(p.version, ids[i].version) || !same(p.size_label, ids[i].size_label))
            fail_msg("%s (%" PRIu64 "): %s, %s, %s, %s, %s, %s", ids[i].id, ids[i].parameters,
                     p.name, p.organization, p.basename, p.finetune, p.version, p.size_label);
    }
    arena_free(&a);
}

static void long_names_do_no_harm(void **state)
{
    (void)state;
    struct arena a = {0};
    struct model_id p;
    struct text t = {0};
    for (int i = 0; i < 1000; i++)
        text_puts(&t, "a-7b1-");
    assert_true(model_id_parse(&p, t.data, 0, &a));
    assert_null(p.basename);
    text_free(&t);
    arena_free(&a);
}

static void titles(void **state)
{
    static const char *const cases[][2] = {
        {"some-model-v1.5", "Some Model v1.5"}, {"SmolLM2-135M-Instruct", "SmolLM2 135M Instruct"},
        {"7b-chat", "7b Chat"},                 {"vicuna", "Vicuna"},
        {" a--b ", "A B"},                      {"smol2lm x.y", "Smol2Lm X.Y"},
        {"", ""},                               {"v2", "v2"},
    };
    (void)state;
    struct arena a = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(model_id_title(cases[i][0], &a), cases[i][1]);
    arena_free(&a);
}

static void size_labels(void **state)
{
    (void)state;
    struct arena a = {0};
    assert_string_equal(model_size_label(134515008, 0, 0, 0, &a), "135M");
    assert_string_equal(model_size_label(4196608, 0, 0, 0, &a), "4.2M");
    assert_string_equal(model_size_label(7241732096, 0, 0, 0, &a), "7.2B");
    assert_string_equal(model_size_label(70553706496, 0, 0, 0, &a), "71B");
    assert_string_equal(model_size_label(46702792704, 1605640192, 5637144576, 8, &a), "8x7.2B");
    assert_string_equal(model_size_label(1000000, 0, 0, 0, &a), "1000K");
    assert_string_equal(model_size_label(400, 0, 0, 0, &a), "0.40K");
    assert_string_equal(model_size_label(1026000000000, 0, 0, 0, &a), "1.0T");
    arena_free(&a);
}

/* ---- a model ---- */

static struct model model;
static struct catalog out;
static struct metadata_names names;

static void write_metadata(const struct metadata_options *options)
{
    lq_error err = {0};
    memset(&out, 0, sizeof out);
    open_model(&model);
    if (metadata_write(&model, NULL, options, &out, &names, &err) != LQ_OK)
        fail_msg("refused: %s", err.message);
}

static void release(void)
{
    catalog_release(&out);
    model_close(&model);
}

static void check_string(const char *key, const char *want)
{
    const char *const got = catalog_meta_string(&out, key);
    if (!same(got, want))
        fail_msg("%s: %s instead of %s", key, got, want);
}

static void the_card_goes_first(void **state)
{
    const struct metadata_options options = {0};
    (void)state;
    write_llama(NULL);
    temp_write_text("config.json", llama_config);
    temp_write_text("README.md",
                    "---\nname: The Card\nlicense: [mit, apache-2.0]\nlanguage: no\ntags: [a, b]\n"
                    "pipeline_tag: c\nbase_model: org/base-model-7b-v2\ndatasets:\n- x/y\n"
                    "- {name: Z, doi: 10.1/2}\nversion: 1.10\n---\n");
    write_metadata(&options);
    check_string("general.type", "model");
    check_string("general.name", "The Card");
    check_string("general.version", "1.10");
    check_string("general.license", "mit,apache-2.0");
    check_string("general.base_model.0.name", "Base Model 7b v2");
    check_string("general.base_model.0.organization", "Org");
    check_string("general.base_model.0.repo_url", "https://huggingface.co/org/base-model-7b-v2");
    check_string("general.dataset.0.organization", "X");
    check_string("general.dataset.1.name", "Z");
    check_string("general.dataset.1.doi", "10.1/2");
    const struct meta *const tags = catalog_meta_array(&out, "general.tags", META_STRING);
    const struct meta *const languages = catalog_meta_array(&out, "general.languages", META_STRING);
    assert_int_equal(tags->v.array.count, 3);
    assert_int_equal(languages->v.array.count, 1);
    assert_string_equal(((const struct bytes *)languages->v.array.data)[0].data, "no");
    assert_string_equal(names.name_from, "the model card");
    release();
}

static void the_caller_goes_before_all(void **state)
{
    static const char overrides[] =
        "{\"general.name\":\"From File\",\"general.author\":\"A\",\"general.tags\":[\"t\"],"
        "\"general.base_models\":[{\"name\":\"B\"}]}";
    struct metadata_options options = {0};
    (void)state;
    write_llama(NULL);
    temp_write_text("config.json", llama_config);
    temp_write_text("README.md", "---\nname: The Card\ntags: [a]\n---\n");
    assert_int_equal(source_open_memory(&options.overrides, "m.json", overrides, strlen(overrides),
                                        NULL), LQ_OK);
    write_metadata(&options);
    check_string("general.name", "From File");
    check_string("general.author", "A");
    check_string("general.base_model.0.name", "B");
    release();
    options.name = "From Caller";
    write_metadata(&options);
    check_string("general.name", "From Caller");
    assert_string_equal(names.name_from, "--model-name");
    release();
    source_close(options.overrides);
}

static void a_broken_card_is_noted_and_ignored(void **state)
{
    const struct metadata_options options = {0};
    (void)state;
    write_llama(NULL);
    temp_write_text("config.json",
                    "{\"architectures\":[\"LlamaForCausalLM\"],\"hidden_size\":8,"
                    "\"num_attention_heads\":2,\"_name_or_path\":\"org/great-model-0.1K-chat\"}");
    temp_write_text("README.md", "---\na: [\n---\n");
    write_metadata(&options);
    check_string("general.name", "Great Model 0.1K Chat");
    assert_string_equal(names.name_from, "config.json");
    assert_non_null(strstr(model.notes.data, "model card is ignored"));
    release();
}

static void a_path_is_no_name(void **state)
{
    const struct metadata_options options = {0};
    (void)state;
    write_llama(NULL);
    temp_write_text("config.json",
                    "{\"architectures\":[\"LlamaForCausalLM\"],\"hidden_size\":8,"
                    "\"num_attention_heads\":2,\"_name_or_path\":\"/home/me/model\"}");
    write_metadata(&options);
    assert_string_equal(names.name_from, "the folder's name");
    release();
}

static void file_names(void **state)
{
    (void)state;
    struct arena a = {0};
    struct metadata_names n = {.name = "My Model/x"};
    assert_string_equal(metadata_file_name(&n, "F16", NULL, &a), "My-Model-x-F16");
    n = (struct metadata_names){.name = "N", .basename = " Base ", .finetune = "it x",
                                .version = "v1", .size_label = "7B"};
    assert_string_equal(metadata_file_name(&n, "Q4_K_M", NULL, &a), "Base-7B-it-x-v1-Q4_K_M");
    n = (struct metadata_names){0};
    assert_string_equal(metadata_file_name(&n, NULL, "vocab", &a), "ggml-model-vocab");
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_taken_apart),
        cmocka_unit_test(long_names_do_no_harm),
        cmocka_unit_test(titles),
        cmocka_unit_test(size_labels),
        temp_test(the_card_goes_first),
        temp_test(the_caller_goes_before_all),
        temp_test(a_broken_card_is_noted_and_ignored),
        temp_test(a_path_is_no_name),
        cmocka_unit_test(file_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
