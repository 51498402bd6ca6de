/* test_safetensors.c -- reading safetensors: what the reference checks, and what it leaves. */
#include "tests/unit/format_support.h"

#define I32(name, begin, end)                                                                      \
    "\"" name "\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[" #begin "," #end "]}"

static void accept(const char *header, size_t data)
{
    struct text t = {0};
    put_safetensors(&t, header, data);
    close_opened(open_good(&t));
}

static void reject(const char *header, size_t data, const char *says)
{
    struct text t = {0};
    put_safetensors(&t, header, data);
    refuse(&t, says);
}

/* A tensor's fields, wrong in one of them; 4 bytes of data. */
static void reject_fields(const char *fields, const char *says)
{
    struct text header = {0};
    text_printf(&header, "{\"t\":{%s}}", fields);
    reject(header.data, 4, says);
    text_free(&header);
}

/* ---- what is read ---- */

static void tensors_are_listed_in_stored_order(void **state)
{
    (void)state;
    struct text t = {0};
    put_safetensors(
        &t,
        "{" I32("later", 4, 8) "," I32("sooner", 0, 4) ",\"empty\":{\"dtype\":\"F32\","
                                                       "\"shape\":[0,7],\"data_offsets\":[4,4]}}  ",
        8);
    struct opened *const o = open_good(&t);
    assert_int_equal(o->c.n_tensors, 3);
    assert_string_equal(o->c.tensors[0].name, "sooner");
    assert_string_equal(o->c.tensors[1].name, "empty");
    assert_string_equal(o->c.tensors[2].name, "later");
    assert_int_equal(o->c.tensors[1].rank, 2);
    assert_int_equal(o->c.tensors[1].dim[1], 7);
    assert_int_equal(o->c.tensors[2].offset, o->c.files[0].data_offset + 4);
    assert_ptr_equal(o->c.format, &format_safetensors);
    close_opened(o);
}

static void metadata_becomes_strings_under_its_own_keys(void **state)
{
    (void)state;
    struct text t = {0};
    put_safetensors(&t, "{\"__metadata__\":{\"format\":\"pt\",\"\":\"a\\u0000b\"}}", 0);
    struct opened *const o = open_good(&t);
    assert_int_equal(o->c.n_meta, 2);
    assert_string_equal(catalog_meta_string(&o->c, "format"), "pt");
    assert_int_equal(catalog_meta(&o->c, "")->v.string.len, 3);
    close_opened(o);
}

static void every_dtype_has_its_size(void **state)
{
    (void)state;
    static const struct {
        const char *dtype;
        int bytes; /* of 8 elements */
    } cases[] = {
        {"BOOL",        8 },
        {"F4",          4 },
        {"F6_E2M3",     6 },
        {"F6_E3M2",     6 },
        {"U8",          8 },
        {"I8",          8 },
        {"F8_E5M2",     8 },
        {"F8_E4M3",     8 },
        {"F8_E8M0",     8 },
        {"F8_E4M3FNUZ", 8 },
        {"F8_E5M2FNUZ", 8 },
        {"I16",         16},
        {"U16",         16},
        {"F16",         16},
        {"BF16",        16},
        {"I32",         32},
        {"U32",         32},
        {"F32",         32},
        {"C64",         64},
        {"F64",         64},
        {"I64",         64},
        {"U64",         64},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text header = {0};
        text_printf(&header, "{\"t\":{\"dtype\":\"%s\",\"shape\":[2,4],\"data_offsets\":[0,%d]}}",
                    cases[i].dtype, cases[i].bytes);
        accept(header.data, (size_t)cases[i].bytes);
        text_free(&header);
    }
}

static void legal_oddities_are_accepted(void **state)
{
    (void)state;
    accept("{}", 0);
    accept("{\"__metadata__\":null}", 0);
    accept("{\"__metadata__\":{}}", 0);
    accept("{\n\t\"t\" : {\"shape\":[] ,\"data_offsets\":[0,4], \"dtype\":\"F32\"}\r\n}", 4);
    accept("{\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]}," I32("odd", 3, 7) "}",
           7);
    accept("{\"../../x\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
           1); /* only a name */
    accept("{\"\\u00e9\\ud83d\\ude00\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
           1);
    accept("{\"e\":{\"dtype\":\"F32\",\"shape\":[0,3],\"data_offsets\":[0,0]}}", 0);
}

/* ---- the frame ---- */

static void the_header_must_fit_the_file(void **state)
{
    (void)state;
    static const uint64_t lengths[] = {3, 100, 100000000};
    struct text t = {0};
    struct source *s;
    struct catalog c = {0};
    lq_error err;
    assert_int_equal(source_open_memory(&s, "m", "1234567", 7, NULL), LQ_OK);
    assert_int_equal(format_safetensors.open(&c, s, NULL, &err), LQ_E_FORMAT);
    assert_non_null(strstr(err.message, "7 bytes are too few"));
    catalog_release(&c);
    for (size_t i = 0; i < 3; i++) {
        put_u64(&t, lengths[i]), text_puts(&t, "{}");
        refuse(&t, "but only 2 bytes follow; is the file truncated?");
    }
    put_u64(&t, 100000001), text_puts(&t, "{}");
    refuse(&t, "a header of 100000001 bytes; at most 100000000");
    put_u64(&t, UINT64_MAX), text_puts(&t, "{}");
    refuse(&t, "a header of 18446744073709551615 bytes");
    put_u64(&t, UINT64_MAX - 7), text_puts(&t, "{}");
    refuse(&t, "at most 100000000");
    put_u64(&t, 0), text_puts(&t, "{}");
    refuse(&t, "the header is empty");
}

static void the_header_begins_with_a_brace_and_ends_in_spaces(void **state)
{
    (void)state;
    accept("{}      ", 0);
    reject(" {}", 0, "at byte 8: the header does not begin with '{'");
    reject("\n{}", 0, "does not begin with '{'");
    reject("[]", 0, "does not begin with '{'");
    reject("{}\n", 0, "at byte 10: only spaces may follow the header's JSON, but here is 0x0a");
    reject("{} \t", 0, "0x09");
    reject("{}{}", 0, "0x7b");
    struct text t = {0};
    put_u64(&t, 4), text_put(&t, "{}\0\0", 4);
    refuse(&t, "0x00");
}

static void the_header_is_strict_json(void **state)
{
    (void)state;
    reject("{ ", 0, "invalid JSON: ");
    reject("{" I32("a", 0, 4) ",}", 4, "invalid JSON: a key in quotes was expected");
    reject("{/**/}", 0, "invalid JSON");
    reject("{\"\\ud800\":1}", 0, "not a valid escape");
    reject("{\"\xff\":1}", 0, "not valid UTF-8");
    reject("{\"a\nb\":1}", 0, "control character in a string");
    struct text deep = {0};
    text_puts(&deep, "{\"t\":");
    for (int i = 0; i < 200; i++)
        text_putc(&deep, '[');
    reject(deep.data, 0, "a tensor: an object was expected, but here is an array");
    text_free(&deep);
}

/* ---- names and duplicates ---- */

static void what_appears_twice_is_refused(void **state)
{
    (void)state;
    reject("{" I32("a", 0, 4) "," I32("a", 4, 8) "}", 8, "tensor a: two tensors have this name");
    reject("{\"e\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},"
           "\"e\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}",
           0, "two tensors have this name");
    reject("{\"__metadata__\":{},\"__metadata__\":{}}", 0, "\"__metadata__\" appears twice");
    reject("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0,
           "the metadata key \"k\" appears twice");
    reject_fields("\"dtype\":\"I32\",\"dtype\":\"I32\"", "the field \"dtype\" appears twice");
}

static void names_must_be_there_and_plain(void **state)
{
    (void)state;
    reject("{" I32("", 0, 4) "}", 4, "a tensor has no name");
    reject("{" I32("a\\u0000b", 0, 4) "}", 4, "control character 0x00");
    reject("{" I32("a\\u001bb", 0, 4) "}", 4, "control character 0x1b");
    struct text header = {0};
    text_puts(&header, "{\"");
    for (int i = 0; i < 4097; i++)
        text_putc(&header, 'n');
    text_puts(&header, "\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[0,4]}}");
    reject(header.data, 4, "4097 bytes; at most 4096");
    text_free(&header);
}

static void metadata_holds_strings_only(void **state)
{
    (void)state;
    reject("{\"__metadata__\":{\"k\":1}}", 0, "a value of __metadata__: a string was expected");
    reject("{\"__metadata__\":{\"k\":null}}", 0, "a string was expected, but here is null");
    reject("{\"__metadata__\":[]}", 0, "__metadata__: an object was expected");
    reject("{\"__metadata__\":{\"a\\u0000\":\"\"}}", 0, "NUL");
}

/* ---- fields ---- */

static void a_tensor_is_an_object_with_three_known_fields(void **state)
{
    (void)state;
    reject("{\"t\":[\"I32\",[1],[0,4]]}", 4, "a tensor: an object was expected");
    reject("{\"t\":null}", 0, "a tensor: an object was expected");
    reject_fields("\"shape\":[1],\"data_offsets\":[0,4]",
                  "tensor t: the field \"dtype\" is missing");
    reject_fields("\"dtype\":\"I32\",\"data_offsets\":[0,4]", "the field \"shape\" is missing");
    reject_fields("\"dtype\":\"I32\",\"shape\":[1]", "the field \"data_offsets\" is missing");
    reject_fields("\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1",
                  "unknown field \"x\"");
}

static void dtypes_are_known_names_in_upper_case(void **state)
{
    (void)state;
    reject_fields("\"dtype\":\"i32\"", "the dtype \"i32\" is not one that safetensors has");
    reject_fields("\"dtype\":\"Q4_0\"", "the dtype \"Q4_0\" is not one");
    reject_fields("\"dtype\":\"I32\\u0000\"", "is not one");
    reject_fields("\"dtype\":{\"I32\":null}", "dtype: a string was expected");
    reject_fields("\"dtype\":7", "dtype: a string was expected");
}

static void numbers_are_whole_and_not_negative(void **state)
{
    (void)state;
    static const char *const bad[] = {"1.0",
                                      "1e0",
                                      "-1",
                                      "-0",
                                      "9223372036854775808",
                                      "18446744073709551616",
                                      "99999999999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char fields[100];
        snprintf(fields, sizeof fields, "\"shape\":[%s]", bad[i]);
        reject_fields(fields, "shape: a whole number from 0 to 9223372036854775807");
        snprintf(fields, sizeof fields, "\"data_offsets\":[0,%s]", bad[i]);
        reject_fields(fields, "data_offsets: a whole number from 0");
    }
    reject_fields("\"shape\":[\"1\"]", "shape: a number was expected, but here is a string");
    reject_fields("\"shape\":[01]", "invalid JSON");
    reject_fields("\"shape\":1", "shape: an array was expected");
    reject_fields("\"data_offsets\":[4]", "data_offsets: a number was expected");
    reject_fields("\"data_offsets\":[0,2,4]", "data_offsets (two numbers)");
    reject_fields("\"data_offsets\":[]", "data_offsets: a number was expected");
}

static void more_than_64_dimensions_are_refused(void **state)
{
    (void)state;
    for (int rank = 64; rank <= 65; rank++) {
        struct text header = {0};
        text_puts(&header, "{\"t\":{\"dtype\":\"I32\",\"data_offsets\":[0,4],\"shape\":[1");
        for (int i = 1; i < rank; i++)
            text_puts(&header, ",1");
        text_puts(&header, "]}}");
        if (rank == 64)
            accept(header.data, 4);
        else
            reject(header.data, 4, "more than 64 dimensions");
        text_free(&header);
    }
}

/* ---- sizes and places ---- */

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    static const char *const shapes[] = {"4294967296,4294967296", "4294967296,4294967296,0",
                                         "0,4294967296,4294967296", "9223372036854775807,2",
                                         "4611686018427387904,4"};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        char fields[160];
        snprintf(fields, sizeof fields, "\"dtype\":\"I32\",\"shape\":[%s],\"data_offsets\":[0,4]",
                 shapes[i]);
        reject_fields(fields, "tensor t: its shape has more bytes than 64 bits can count");
    }
}

static void elements_smaller_than_bytes_must_fill_whole_bytes(void **state)
{
    (void)state;
    accept("{\"t\":{\"dtype\":\"F4\",\"shape\":[2,1],\"data_offsets\":[0,1]}}", 1);
    accept("{\"t\":{\"dtype\":\"F6_E2M3\",\"shape\":[2,2],\"data_offsets\":[0,3]}}", 3);
    reject_fields("\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,2]",
                  "3 elements of type F4 are no whole number of bytes");
    reject_fields("\"dtype\":\"F6_E3M2\",\"shape\":[6],\"data_offsets\":[0,4]",
                  "6 elements of type F6_E3M2");
}

static void offsets_must_cover_what_the_shape_needs(void **state)
{
    (void)state;
    reject_fields("\"dtype\":\"I32\",\"shape\":[2],\"data_offsets\":[0,4]",
                  "its shape and dtype need 8 bytes, but data_offsets cover 4");
    reject_fields("\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[4,0]",
                  "data_offsets end before they begin: [4, 0]");
}

static void gaps_overlaps_and_sharing_are_refused(void **state)
{
    (void)state;
    reject("{" I32("a", 4, 8) "}", 8, "tensor a: its data begins at offset 4, after a gap behind");
    reject("{" I32("a", 0, 4) "," I32("b", 8, 12) "}", 12,
           "tensor b: its data begins at offset 8, after");
    reject("{" I32("a", 0, 4) "," I32("b", 2, 6) "}", 6,
           "tensor b: its data begins at offset 2, before");
    reject("{" I32("a", 0, 4) "," I32("b", 0, 4) "}", 4, "before the end of the tensor before it");
    reject("{" I32("a", 0, 4) ",\"e\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[2,2]}}", 4,
           "begins at offset 2, before");
}

static void the_file_ends_with_the_last_tensor(void **state)
{
    (void)state;
    reject("{" I32("a", 0, 4) "}", 3, "tensor a: its 4 bytes would end behind the end of the file");
    reject("{" I32("a", 0, 4) "}", 5, "1 bytes follow the last tensor");
    reject("{}", 1, "1 bytes follow the last tensor");
    reject("{\"t\":{\"dtype\":\"U8\",\"shape\":[9223372036854775807],"
           "\"data_offsets\":[0,9223372036854775807]}}",
           4, "would end behind the end of the file");
}

static void a_file_cut_anywhere_is_refused(void **state)
{
    (void)state;
    struct text t = {0};
    put_safetensors(&t, "{\"__metadata__\":{\"k\":\"v\"}," I32("a", 0, 4) "," I32("b", 4, 8) "}  ",
                    8);
    for (size_t n = 9; n < t.len; n++)
        check_refused(open_named("model", t.data, n, NULL), LQ_E_FORMAT, "");
    close_opened(open_good(&t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_are_listed_in_stored_order),
        cmocka_unit_test(metadata_becomes_strings_under_its_own_keys),
        cmocka_unit_test(every_dtype_has_its_size),
        cmocka_unit_test(legal_oddities_are_accepted),
        cmocka_unit_test(the_header_must_fit_the_file),
        cmocka_unit_test(the_header_begins_with_a_brace_and_ends_in_spaces),
        cmocka_unit_test(the_header_is_strict_json),
        cmocka_unit_test(what_appears_twice_is_refused),
        cmocka_unit_test(names_must_be_there_and_plain),
        cmocka_unit_test(metadata_holds_strings_only),
        cmocka_unit_test(a_tensor_is_an_object_with_three_known_fields),
        cmocka_unit_test(dtypes_are_known_names_in_upper_case),
        cmocka_unit_test(numbers_are_whole_and_not_negative),
        cmocka_unit_test(more_than_64_dimensions_are_refused),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(elements_smaller_than_bytes_must_fill_whole_bytes),
        cmocka_unit_test(offsets_must_cover_what_the_shape_needs),
        cmocka_unit_test(gaps_overlaps_and_sharing_are_refused),
        cmocka_unit_test(the_file_ends_with_the_last_tensor),
        cmocka_unit_test(a_file_cut_anywhere_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
