/* test_config.c -- look-ups in configuration files, old spellings and new. */
#include "tests/unit/temp_folder.h"

#include "libquant/model/config.h"

#include <cjson/cJSON.h>

static struct config c;
static struct resolver *files;

static void open_config(const char *json)
{
    temp_write_text("config.json", json);
    memset(&c, 0, sizeof c);
    assert_int_equal(resolver_open_folder(&files, temp_folder, NULL), LQ_OK);
    assert_int_equal(config_open(&c, files, NULL), LQ_OK);
}

static void close_config(void)
{
    config_release(&c);
    resolver_close(files);
}

static double number(const char *names)
{
    const cJSON *const v = config_find(&c, names);
    return v ? v->valuedouble : -1;
}

static void first_name_with_a_value_counts(void **state)
{
    (void)state;
    open_config("{\"n_head\":null,\"heads\":7,\"a\":{\"b\":{\"c\":3}},\"Case\":1}");
    assert_true(number("n_head num_heads heads") == 7);
    assert_true(number("a.b.c") == 3);
    assert_null(config_find(&c, "case"));
    assert_null(config_find(&c, "a.b.c.d"));
    assert_null(config_find(&c, ""));
    close_config();
}

static void the_text_part_goes_before_the_whole(void **state)
{
    (void)state;
    open_config("{\"architectures\":[\"X\"],\"hidden_size\":1,\"width\":2,"
                "\"text_config\":{\"hidden_size\":9}}");
    assert_true(number("hidden_size") == 9);
    assert_true(number("width") == 2);
    assert_string_equal(config_architecture(&c), "X");
    assert_int_equal(config_set_number(&c, "hidden_size", 5, NULL), LQ_OK);
    assert_true(number("hidden_size") == 5);
    close_config();
}

static void defaults_hold_where_the_file_is_silent(void **state)
{
    (void)state;
    open_config("{\"a\":1,\"b\":null}");
    assert_int_equal(config_set_defaults(&c, "{\"a\":5,\"b\":6,\"c\":7}", NULL), LQ_OK);
    assert_true(number("a") == 1 && number("b") == 6 && number("c") == 7);
    close_config();
}

static void kinds_are_checked(void **state)
{
    (void)state;
    uint64_t n = 3;
    double d;
    bool b;
    open_config("{\"n\":-1,\"f\":1.5,\"big\":1e30,\"s\":\"x\",\"ok\":12}");
    assert_int_equal(config_u64(&c, "ok", 100, &n, NULL), LQ_OK);
    assert_int_equal(n, 12);
    assert_int_equal(config_u64(&c, "ok", 11, &n, NULL), LQ_E_MODEL);
    assert_int_equal(config_u64(&c, "n", 100, &n, NULL), LQ_E_MODEL);
    assert_int_equal(config_u64(&c, "f", 100, &n, NULL), LQ_E_MODEL);
    assert_int_equal(config_u64(&c, "big", UINT64_MAX, &n, NULL), LQ_E_MODEL);
    assert_int_equal(config_u64(&c, "s", 100, &n, NULL), LQ_E_MODEL);
    assert_int_equal(config_f64(&c, "s", &d, NULL), LQ_E_MODEL);
    assert_int_equal(config_bool(&c, "n", &b, NULL), LQ_E_MODEL);
    n = 3;
    assert_int_equal(config_u64(&c, "absent", 100, &n, NULL), LQ_OK);
    assert_int_equal(n, 3);
    close_config();
}

static void positions_are_found_in_every_spelling(void **state)
{
    static const char *const spellings[] = {
        "{\"rope_theta\":5000.0,\"rope_scaling\":{\"type\":\"yarn\",\"factor\":4.0},"
        "\"max_position_embeddings\":77}",
        "{\"rope_theta\":5000.0,\"rope_scaling\":{\"rope_type\":\"yarn\",\"factor\":4.0,"
        "\"original_max_position_embeddings\":77}}",
        "{\"rope_parameters\":{\"rope_theta\":5000.0,\"rope_type\":\"yarn\",\"factor\":4.0,"
        "\"original_max_position_embeddings\":77}}",
        "{\"rope_parameters\":{\"full_attention\":{\"rope_theta\":5000.0,\"rope_type\":\"yarn\","
        "\"factor\":4.0,\"original_max_position_embeddings\":77},\"sliding_attention\":"
        "{\"rope_theta\":100.0}}}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        open_config(spellings[i]);
        assert_int_equal(config_resolve_rope(&c, NULL), LQ_OK);
        assert_string_equal(config_string(&c, "rope:rope_type"), "yarn");
        assert_true(number("rope:rope_theta") == 5000 && number("rope:factor") == 4);
        assert_true(number("rope:original_max_position_embeddings") == 77);
        assert_true(number("rope.sliding_attention:rope_theta") == (i == 3 ? 100 : -1));
        close_config();
    }
}

static void a_local_base_makes_two_kinds_of_layers(void **state)
{
    (void)state;
    open_config("{\"rope_theta\":1000000.0,\"rope_local_base_freq\":10000.0,"
                "\"rope_scaling\":{\"rope_type\":\"linear\",\"factor\":8.0}}");
    assert_int_equal(config_resolve_rope(&c, NULL), LQ_OK);
    assert_true(number("rope:rope_theta") == 1000000);
    assert_string_equal(config_string(&c, "rope:rope_type"), "linear");
    assert_true(number("rope.sliding_attention:rope_theta") == 10000);
    assert_string_equal(config_string(&c, "rope.sliding_attention:rope_type"), "default");
    close_config();
}

static void pairs_are_two_positive_numbers(void **state)
{
    uint64_t a = 0, b = 0;
    (void)state;
    open_config("{\"ok\":[128,64],\"zero\":[0,1],\"one\":[1],\"text\":[1,\"2\"],\"half\":[1.5,2]}");
    assert_true(config_pair(config_find(&c, "ok"), &a, &b));
    assert_true(a == 128 && b == 64);
    assert_false(config_pair(config_find(&c, "zero"), &a, &b));
    assert_false(config_pair(config_find(&c, "one"), &a, &b));
    assert_false(config_pair(config_find(&c, "text"), &a, &b));
    assert_false(config_pair(config_find(&c, "half"), &a, &b));
    assert_false(config_pair(NULL, &a, &b));
    close_config();
}

static void a_broken_generation_config_stops_nobody(void **state)
{
    (void)state;
    temp_write_text("generation_config.json", "{\"top_p\": Infinity,}");
    open_config("{\"a\":1}");
    assert_null(c.generation);
    close_config();
}

static void without_config_json_there_is_no_model(void **state)
{
    lq_error err;
    (void)state;
    memset(&c, 0, sizeof c);
    assert_int_equal(resolver_open_folder(&files, temp_folder, NULL), LQ_OK);
    assert_int_equal(config_open(&c, files, &err), LQ_E_MODEL);
    assert_non_null(strstr(err.message, "config.json"));
    close_config();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        temp_test(first_name_with_a_value_counts),
        temp_test(the_text_part_goes_before_the_whole),
        temp_test(defaults_hold_where_the_file_is_silent),
        temp_test(kinds_are_checked),
        temp_test(positions_are_found_in_every_spelling),
        temp_test(a_local_base_makes_two_kinds_of_layers),
        temp_test(pairs_are_two_positive_numbers),
        temp_test(a_broken_generation_config_stops_nobody),
        temp_test(without_config_json_there_is_no_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
