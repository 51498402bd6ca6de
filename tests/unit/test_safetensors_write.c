/* test_safetensors_write.c -- safetensors headers and indexes as the reference writes them. */
#include "formats/safetensors.h"
#include "tests/unit/format_support.h"

static struct tensor *plan_tensor(struct catalog *c, const char *name, enum lq_type_id type,
                                  uint64_t n)
{
    struct tensor *const t = catalog_add_tensor(c);
    uint64_t *const dim = arena_calloc(&c->arena, 1, sizeof *dim);
    *dim = n;
    t->name = arena_strdup(&c->arena, name);
    t->type = type_by_id(type);
    t->rank = 1;
    t->dim = dim;
    return t;
}

static struct text laid_out(struct catalog *c, uint32_t file)
{
    struct text t = {0};
    lq_error err = {0};
    if (format_safetensors.layout(c, file, &t, &err) != LQ_OK)
        fail_msg("layout: %s", err.message);
    assert_int_equal(t.len, c->files[file].data_offset);
    assert_int_equal(t.len % 8, 0);
    return t;
}

static void the_header_is_that_of_the_reference(void **state)
{
    (void)state;
    struct catalog c = {0};
    catalog_add_file(&c)->name = "out";
    catalog_set_string(&c, "format", "pt", 2, NULL);
    plan_tensor(&c, "bool", LQ_TYPE_BOOL, 3);
    plan_tensor(&c, "half", LQ_TYPE_F16, 2);
    plan_tensor(&c, "float.b", LQ_TYPE_F32, 1);
    plan_tensor(&c, "float.a", LQ_TYPE_F32, 2)->rank = 0;
    plan_tensor(&c, "none", LQ_TYPE_I64, 0);
    safetensors_sort(&c);
    struct text t = laid_out(&c, 0);
    /* made with safetensors 0.8.0 */
    static const char want[] =
        "{\"__metadata__\":{\"format\":\"pt\"},"
        "\"none\":{\"dtype\":\"I64\",\"shape\":[0],\"data_offsets\":[0,0]},"
        "\"float.a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
        "\"float.b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]},"
        "\"half\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[8,12]},"
        "\"bool\":{\"dtype\":\"BOOL\",\"shape\":[3],\"data_offsets\":[12,15]}}";
    assert_memory_equal(t.data + 8, want, sizeof want - 1);
    for (size_t i = 8 + sizeof want - 1; i < t.len; i++)
        assert_int_equal(t.data[i], ' ');
    assert_int_equal(c.files[0].size, c.files[0].data_offset + 15);
    text_free(&t);
    catalog_release(&c);
}

static void names_are_escaped_as_little_as_possible(void **state)
{
    (void)state;
    struct catalog c = {0};
    catalog_add_file(&c)->name = "out";
    plan_tensor(&c, "a\"b\\c/\xc3\xa9\x7f", LQ_TYPE_U8, 0);
    catalog_set_string(&c, "k", "\b\f\n\r\t\x1f", 6, NULL);
    struct text t = laid_out(&c, 0);
    assert_non_null(memmem(t.data, t.len, "\"a\\\"b\\\\c/\xc3\xa9\x7f\"", 13));
    assert_non_null(memmem(t.data, t.len, "\"\\b\\f\\n\\r\\t\\u001f\"", 18));
    text_free(&t);
    catalog_release(&c);
}

static void an_empty_model_is_an_empty_object(void **state)
{
    (void)state;
    struct catalog c = {0};
    catalog_add_file(&c)->name = "out";
    struct text t = laid_out(&c, 0);
    assert_int_equal(t.len, 16);
    assert_memory_equal(t.data, "\10\0\0\0\0\0\0\0{}      ", 16);
    text_free(&t);
    catalog_release(&c);
}

static void check_layout_refused(struct catalog *c, lq_status status, const char *says)
{
    struct text t = {0};
    lq_error err = {0};
    const lq_status got = format_safetensors.layout(c, 0, &t, &err);
    if (got != status || !strstr(err.message, says))
        fail_msg("expected %d \"%s\", but: %d \"%s\"", (int)status, says, (int)got, err.message);
    text_free(&t);
    catalog_release(c);
}

static void what_safetensors_cannot_hold_is_refused(void **state)
{
    (void)state;
    struct catalog c = {0};
    catalog_add_file(&c)->name = "out";
    plan_tensor(&c, "t", LQ_TYPE_Q4_K, 256);
    check_layout_refused(&c, LQ_E_UNSUPPORTED, "no dtype for Q4_K");
    catalog_add_file(&c)->name = "out";
    catalog_set_uint(&c, "k", META_U32, 1, NULL);
    check_layout_refused(&c, LQ_E_UNSUPPORTED, "hold only strings");
    catalog_add_file(&c)->name = "out";
    plan_tensor(&c, "__metadata__", LQ_TYPE_U8, 1);
    check_layout_refused(&c, LQ_E_MODEL, "not a name");
    catalog_add_file(&c)->name = "out";
    plan_tensor(&c, "t", LQ_TYPE_F4, 3);
    check_layout_refused(&c, LQ_E_MODEL, "no whole number of bytes");
}

static void the_index_is_that_of_transformers(void **state)
{
    (void)state;
    struct catalog c = {0};
    struct text t = {0};
    catalog_add_file(&c)->name = "dir/m-00001-of-00002.safetensors";
    catalog_add_file(&c)->name = "dir/m-00002-of-00002.safetensors";
    plan_tensor(&c, "b\xc3\xa9\xf0\x9f\x98\x80", LQ_TYPE_F32, 2);
    plan_tensor(&c, "a", LQ_TYPE_F16, 3)->file = 1;
    text_free(&t);
    for (uint32_t i = 0; i < 2; i++) {
        struct text header = laid_out(&c, i);
        text_free(&header);
    }
    assert_int_equal(safetensors_index(&c, &t, NULL), LQ_OK);
    assert_string_equal(t.data, "{\n"
                                "  \"metadata\": {\n"
                                "    \"total_size\": 14\n"
                                "  },\n"
                                "  \"weight_map\": {\n"
                                "    \"a\": \"m-00002-of-00002.safetensors\",\n"
                                "    \"b\\u00e9\\ud83d\\ude00\": \"m-00001-of-00002.safetensors\"\n"
                                "  }\n"
                                "}\n");
    text_free(&t);
    catalog_release(&c);
}

static void only_shards_have_an_index(void **state)
{
    (void)state;
    static const struct {
        const char *name, *index;
        uint32_t no;
    } cases[] = {
        {"model-00001-of-00002.safetensors", "model.safetensors.index.json", 1 },
        {"a-b-00012-of-00100.safetensors",   "a-b.safetensors.index.json",   12},
        {"model.safetensors",                "",                             0 },
        {"model-0001-of-0002.safetensors",   "",                             0 },
        {"model-00001-of-00002.safetensor",  "",                             0 },
        {"00001-of-00002.safetensors",       "",                             0 },
        {"",                                 "",                             0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text t = {0};
        assert_int_equal(safetensors_index_name(&t, cases[i].name), cases[i].no);
        assert_string_equal(t.data ? t.data : "", cases[i].index);
        text_free(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_is_that_of_the_reference),
        cmocka_unit_test(names_are_escaped_as_little_as_possible),
        cmocka_unit_test(an_empty_model_is_an_empty_object),
        cmocka_unit_test(what_safetensors_cannot_hold_is_refused),
        cmocka_unit_test(the_index_is_that_of_transformers),
        cmocka_unit_test(only_shards_have_an_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
