/* test_catalog.c -- tensors, metadata and reading through a catalog. */
#include "libquant/catalog/catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- sizes ---- */

static bool measure(enum lq_type_id type, uint32_t rank, const uint64_t *dim, struct tensor *t)
{
    *t = (struct tensor){.type = type_by_id(type), .rank = rank, .dim = dim};
    return tensor_measure(t);
}

static void sizes_follow_from_shape_and_type(void **state)
{
    (void)state;
    struct tensor t;
    assert_true(measure(LQ_TYPE_F32, 2, (const uint64_t[]){3, 5}, &t));
    assert_int_equal(t.elements, 15);
    assert_int_equal(t.bytes, 60);
    assert_int_equal(tensor_cols(&t), 5);
    assert_int_equal(tensor_rows(&t), 3);
    assert_true(measure(LQ_TYPE_F32, 0, NULL, &t));
    assert_int_equal(t.bytes, 4);
    assert_int_equal(tensor_rows(&t), 1);
    assert_true(measure(LQ_TYPE_Q4_K, 3, (const uint64_t[]){2, 3, 512}, &t));
    assert_int_equal(t.bytes, 2 * 3 * 2 * 144);
    assert_int_equal(tensor_rows(&t), 6);
    assert_true(measure(LQ_TYPE_F32, 3, (const uint64_t[]){2, 0, 5}, &t));
    assert_int_equal(t.elements, 0);
    assert_int_equal(t.bytes, 0);
    assert_int_equal(tensor_rows(&t), 0);
    assert_true(measure(LQ_TYPE_F32, 2, (const uint64_t[]){5, 0}, &t));
    assert_int_equal(tensor_rows(&t), 0);
}

static void rows_are_whole_blocks_but_small_elements_only_fill_the_tensor(void **state)
{
    (void)state;
    struct tensor t;
    assert_false(measure(LQ_TYPE_Q4_0, 2, (const uint64_t[]){32, 16}, &t));
    assert_false(measure(LQ_TYPE_Q4_0, 0, NULL, &t));
    assert_true(measure(LQ_TYPE_F4, 2, (const uint64_t[]){2, 3}, &t)); /* rows of 1.5 bytes */
    assert_int_equal(t.bytes, 3);
    assert_true(measure(LQ_TYPE_F6_E2M3, 1, (const uint64_t[]){8}, &t));
    assert_int_equal(t.bytes, 6);
    assert_false(measure(LQ_TYPE_F4, 1, (const uint64_t[]){3}, &t));
    assert_false(measure(LQ_TYPE_F6_E3M2, 1, (const uint64_t[]){2}, &t));
}

static void sizes_that_overflow_are_refused_also_behind_a_zero(void **state)
{
    (void)state;
    const uint64_t big = (uint64_t)1 << 40;
    struct tensor t;
    assert_false(measure(LQ_TYPE_I8, 2, (const uint64_t[]){big, big}, &t));
    assert_false(measure(LQ_TYPE_I8, 3, (const uint64_t[]){big, big, 0}, &t));
    assert_false(measure(LQ_TYPE_I8, 3, (const uint64_t[]){0, big, big}, &t));
    assert_false(measure(LQ_TYPE_F64, 1, (const uint64_t[]){(uint64_t)1 << 61}, &t));
    assert_false(measure(LQ_TYPE_F64, 2, (const uint64_t[]){(uint64_t)1 << 61, 0}, &t));
    assert_false(measure(LQ_TYPE_F4, 2, (const uint64_t[]){UINT64_MAX, 2}, &t));
    assert_true(measure(LQ_TYPE_I8, 1, (const uint64_t[]){UINT64_MAX}, &t));
}

/* ---- looking up ---- */

static void add_tensor(struct catalog *c, const char *name)
{
    struct tensor *const t = catalog_add_tensor(c);
    t->name = arena_strdup(&c->arena, name);
    t->type = type_by_id(LQ_TYPE_F32);
}

static void tensors_are_found_by_name(void **state)
{
    (void)state;
    struct catalog c = {0};
    char name[20];
    assert_null(catalog_find(&c, "x"));
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "t%d", i * 7 % 1000);
        add_tensor(&c, name);
    }
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "t%d", i);
        assert_string_equal(catalog_find(&c, name)->name, name);
    }
    assert_null(catalog_find(&c, "t1000"));
    assert_null(catalog_find(&c, ""));
    add_tensor(&c, "late"); /* the index follows */
    assert_ptr_equal(catalog_find(&c, "late"), &c.tensors[1000]);
    assert_int_equal(catalog_index(&c, NULL), LQ_OK);
    catalog_release(&c);
    assert_null(c.tensors);
}

static void names_that_appear_twice_are_refused(void **state)
{
    (void)state;
    struct catalog c = {.path = "p"};
    lq_error err;
    add_tensor(&c, "b");
    add_tensor(&c, "a");
    add_tensor(&c, "b");
    assert_int_equal(catalog_index(&c, &err), LQ_E_FORMAT);
    assert_string_equal(err.tensor, "b");
    assert_string_equal(err.file, "p");
    catalog_set_uint(&c, "k", META_U8, 1, NULL);
    assert_int_equal(catalog_check_keys(&c, &err), LQ_OK);
    struct meta *const m = catalog_add_meta(&c);
    m->key = "k";
    assert_int_equal(catalog_check_keys(&c, &err), LQ_E_FORMAT);
    assert_string_equal(err.message, "the metadata key \"k\" appears twice");
    catalog_release(&c);
}

/* ---- metadata ---- */

static void metadata_is_read_by_key_and_type(void **state)
{
    (void)state;
    struct catalog c = {0};
    uint64_t u;
    double f;
    static const uint32_t numbers[] = {1, 2, 3};
    assert_int_equal(catalog_set_uint(&c, "u", META_U16, 7, NULL), LQ_OK);
    assert_int_equal(catalog_set_int(&c, "i", META_I32, 8, NULL), LQ_OK);
    assert_int_equal(catalog_set_int(&c, "n", META_I8, -1, NULL), LQ_OK);
    assert_int_equal(catalog_set_float(&c, "f", META_F32, 0.1, NULL), LQ_OK);
    assert_int_equal(catalog_set_bool(&c, "b", true, NULL), LQ_OK);
    assert_int_equal(catalog_set_string(&c, "s", "text", 4, NULL), LQ_OK);
    assert_int_equal(catalog_set_string(&c, "z", "a\0b", 3, NULL), LQ_OK);
    assert_int_equal(catalog_set_array(&c, "a", META_U32, numbers, 3, NULL), LQ_OK);
    assert_true(catalog_meta_u64(&c, "u", &u) && u == 7);
    assert_true(catalog_meta_u64(&c, "i", &u) && u == 8);
    assert_false(catalog_meta_u64(&c, "n", &u));
    assert_false(catalog_meta_u64(&c, "f", &u));
    assert_false(catalog_meta_u64(&c, "none", &u));
    assert_true(catalog_meta_f64(&c, "f", &f) && f == (double)0.1f);
    assert_false(catalog_meta_f64(&c, "u", &f));
    assert_string_equal(catalog_meta_string(&c, "s"), "text");
    assert_null(catalog_meta_string(&c, "z"));
    assert_null(catalog_meta_string(&c, "u"));
    assert_non_null(catalog_meta_array(&c, "a", META_U32));
    assert_null(catalog_meta_array(&c, "a", META_I32));
    assert_null(catalog_meta_array(&c, "u", META_U32));
    catalog_release(&c);
}

static void setting_replaces_in_place_and_appends_what_is_new(void **state)
{
    (void)state;
    struct catalog c = {0};
    uint64_t u;
    catalog_set_uint(&c, "a", META_U8, 1, NULL);
    catalog_set_uint(&c, "b", META_U8, 2, NULL);
    catalog_set_string(&c, "a", "now text", 8, NULL);
    assert_int_equal(c.n_meta, 2);
    assert_string_equal(c.meta[0].key, "a");
    assert_int_equal(c.meta[0].type, META_STRING);
    assert_true(catalog_remove_meta(&c, "a"));
    assert_false(catalog_remove_meta(&c, "a"));
    assert_int_equal(c.n_meta, 1);
    assert_true(catalog_meta_u64(&c, "b", &u) && u == 2);
    catalog_release(&c);
}

static void value_types_have_names_and_sizes(void **state)
{
    (void)state;
    assert_string_equal(meta_type_name(META_F64), "f64");
    assert_string_equal(meta_type_name(13), "?");
    assert_int_equal(meta_type_size(META_BOOL), 1);
    assert_int_equal(meta_type_size(META_I64), 8);
    assert_int_equal(meta_type_size(META_STRING), 0);
    assert_int_equal(meta_type_size(13), 0);
}

/* ---- data ---- */

static void open_data(struct catalog *c, const void *data, size_t n, enum lq_type_id type)
{
    struct file *const f = catalog_add_file(c);
    assert_int_equal(source_open_memory(&f->source, "file", data, n, NULL), LQ_OK);
    f->name = "file";
    add_tensor(c, "t");
    c->tensors[0].type = type_by_id(type);
    c->tensors[0].offset = 1;
    c->tensors[0].bytes = n - 1;
}

static void data_is_read_within_the_tensor_only(void **state)
{
    (void)state;
    struct catalog c = {0};
    char buffer[8];
    lq_error err;
    open_data(&c, "x12345678", 9, LQ_TYPE_I8);
    assert_int_equal(catalog_read(&c, &c.tensors[0], buffer, 3, 2, &err), LQ_OK);
    assert_memory_equal(buffer, "345", 3);
    assert_int_equal(catalog_read(&c, &c.tensors[0], buffer, 8, 1, &err), LQ_E_FORMAT);
    assert_int_equal(catalog_read(&c, &c.tensors[0], buffer, 8, UINT64_MAX, &err), LQ_E_FORMAT);
    assert_string_equal(err.tensor, "t");
    catalog_release(&c);
}

static void big_endian_data_comes_in_host_order(void **state)
{
    (void)state;
    struct catalog c = {.big_endian = true};
    unsigned char buffer[8];
    lq_error err;
    open_data(&c, "x\1\2\3\4\5\6\7\10", 9, LQ_TYPE_F32);
    assert_int_equal(catalog_read(&c, &c.tensors[0], buffer, 8, 0, &err), LQ_OK);
    assert_memory_equal(buffer, "\4\3\2\1\10\7\6\5", 8);
    c.tensors[0].type = type_by_id(LQ_TYPE_BF16);
    assert_int_equal(catalog_read(&c, &c.tensors[0], buffer, 4, 2, &err), LQ_OK);
    assert_memory_equal(buffer, "\4\3\6\5", 4);
    c.tensors[0].type = type_by_id(LQ_TYPE_I8);
    assert_int_equal(catalog_read(&c, &c.tensors[0], buffer, 2, 0, &err), LQ_OK);
    assert_memory_equal(buffer, "\1\2", 2);
    c.tensors[0].type = type_by_id(LQ_TYPE_Q4_0);
    assert_int_equal(catalog_read(&c, &c.tensors[0], buffer, 2, 0, &err), LQ_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "big-endian data of type Q4_0"));
    catalog_release(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_follow_from_shape_and_type),
        cmocka_unit_test(rows_are_whole_blocks_but_small_elements_only_fill_the_tensor),
        cmocka_unit_test(sizes_that_overflow_are_refused_also_behind_a_zero),
        cmocka_unit_test(tensors_are_found_by_name),
        cmocka_unit_test(names_that_appear_twice_are_refused),
        cmocka_unit_test(metadata_is_read_by_key_and_type),
        cmocka_unit_test(setting_replaces_in_place_and_appends_what_is_new),
        cmocka_unit_test(value_types_have_names_and_sizes),
        cmocka_unit_test(data_is_read_within_the_tensor_only),
        cmocka_unit_test(big_endian_data_comes_in_host_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
