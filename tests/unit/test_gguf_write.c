/* test_gguf_write.c -- laying out GGUF files, and models in several files. */
#include "tests/unit/format_support.h"

/* ---- helpers ---- */

static struct tensor *plan_tensor(struct catalog *c, const char *name, enum lq_type_id type,
                                  uint32_t rank, const uint64_t *dim)
{
    struct tensor *const t = catalog_add_tensor(c);
    uint64_t *const copy = arena_calloc(&c->arena, rank, sizeof *copy);
    memcpy(copy, rank ? dim : copy, rank * sizeof *copy);
    t->name = arena_strdup(&c->arena, name);
    t->type = type_by_id(type);
    t->rank = rank;
    t->dim = copy;
    return t;
}

static void plan_files(struct catalog *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        catalog_add_file(c)->name = "out";
}

/* The file as it would be: header, and zeros for the tensors. */
static struct text laid_out(struct catalog *c, uint32_t file)
{
    struct text t = {0};
    lq_error err = {0};
    if (format_gguf.layout(c, file, &t, &err) != LQ_OK)
        fail_msg("layout: %s", err.message);
    assert_int_equal(t.len, c->files[file].data_offset);
    put_zeros(&t, c->files[file].size - t.len);
    return t;
}

static void check_layout_refused(struct catalog *c, lq_status status, const char *says)
{
    struct text t = {0};
    lq_error err = {0};
    const lq_status got = format_gguf.layout(c, 0, &t, &err);
    if (got != status || !strstr(err.message, says))
        fail_msg("expected %d \"%s\", but: %d \"%s\"", (int)status, says, (int)got, err.message);
    text_free(&t);
    catalog_release(c);
}

static void check_same(const struct text *a, const struct text *b)
{
    assert_int_equal(a->len, b->len);
    assert_memory_equal(a->data, b->data, a->len);
}

/* ---- one file ---- */

static void what_was_read_is_written_back_byte_for_byte(void **state)
{
    (void)state;
    struct text t = {0};
    put_gguf(&t, 3, 3, 9);
    put_meta_string(&t, "general.architecture", "llama");
    put_meta(&t, "i8", META_I8), put_u8(&t, 0xfe);
    put_meta(&t, "u16", META_U16), put_u16(&t, 60000);
    put_meta(&t, "f32", META_F32), put_f32(&t, 0.1f);
    put_meta(&t, "f64", META_F64), put_u64(&t, 0x3fb999999999999a);
    put_meta(&t, "bool", META_BOOL), put_u8(&t, 1);
    put_meta_u32(&t, "general.alignment", 64);
    put_meta(&t, "tokens", META_ARRAY), put_u32(&t, META_STRING), put_u64(&t, 2);
    put_string(&t, "a"), put_u64(&t, 3), text_put(&t, "\0\xff\n", 3);
    put_meta(&t, "empty", META_ARRAY), put_u32(&t, META_F32), put_u64(&t, 0);
    put_tensor(&t, "w", 2, (const uint64_t[]){32, 3}, LQ_TYPE_Q4_0, 0);
    put_vector(&t, "b", 3, 64);
    put_tensor(&t, "c", 4, (const uint64_t[]){2, 1, 1, 2}, LQ_TYPE_F16, 128);
    put_padding(&t, 64);
    put_zeros(&t, 192);
    struct opened *const o = open_text(&t);
    assert_int_equal(o->status, LQ_OK);
    struct text again = laid_out(&o->c, 0);
    check_same(&t, &again);
    text_free(&t);
    text_free(&again);
    close_opened(o);
}

static void only_outer_dimensions_of_one_that_are_too_many_are_dropped(void **state)
{
    (void)state;
    struct catalog c = {0};
    plan_files(&c, 1);
    plan_tensor(&c, "a", LQ_TYPE_F32, 6, (const uint64_t[]){1, 1, 1, 2, 1, 3});
    plan_tensor(&c, "b", LQ_TYPE_F32, 2, (const uint64_t[]){1, 1});
    plan_tensor(&c, "c", LQ_TYPE_F32, 0, NULL);
    plan_tensor(&c, "d", LQ_TYPE_F32, 2, (const uint64_t[]){0, 5});
    struct text t = laid_out(&c, 0);
    catalog_release(&c);
    struct opened *const o = open_good(&t);
    assert_int_equal(o->c.tensors[0].rank, 4);
    assert_int_equal(o->c.tensors[0].dim[0], 1);
    assert_int_equal(o->c.tensors[0].dim[1], 2);
    assert_int_equal(o->c.tensors[0].dim[3], 3);
    assert_int_equal(o->c.tensors[1].rank, 2);
    assert_int_equal(o->c.tensors[2].rank, 1); /* GGUF has no scalars */
    assert_int_equal(o->c.tensors[2].elements, 1);
    assert_int_equal(o->c.tensors[3].rank, 2);
    assert_int_equal(o->c.tensors[3].elements, 0);
    close_opened(o);
}

static void the_header_ends_aligned_even_without_tensors(void **state)
{
    (void)state;
    struct catalog c = {0};
    plan_files(&c, 1);
    catalog_set_uint(&c, "k", META_U32, 1, NULL);
    struct text t = laid_out(&c, 0);
    assert_int_equal(t.len % 32, 0);
    text_free(&t);
    catalog_release(&c);
}

static void what_gguf_cannot_hold_is_refused(void **state)
{
    (void)state;
    char name[65] = "";
    memset(name, 'n', 64);
    struct catalog c = {0};
    plan_files(&c, 1);
    plan_tensor(&c, name, LQ_TYPE_F32, 1, (const uint64_t[]){1});
    check_layout_refused(&c, LQ_E_UNSUPPORTED, "the name has 64 bytes");
    plan_files(&c, 1);
    plan_tensor(&c, "t", LQ_TYPE_F32, 5, (const uint64_t[]){2, 1, 1, 1, 1});
    check_layout_refused(&c, LQ_E_UNSUPPORTED, "5 dimensions; GGUF has at most 4");
    plan_files(&c, 1);
    plan_tensor(&c, "t", LQ_TYPE_U8, 1, (const uint64_t[]){1});
    check_layout_refused(&c, LQ_E_UNSUPPORTED, "GGUF has no type U8");
    plan_files(&c, 1);
    plan_tensor(&c, "t", LQ_TYPE_Q4_K, 1, (const uint64_t[]){32});
    check_layout_refused(&c, LQ_E_MODEL, "no whole number of Q4_K blocks");
    plan_files(&c, 1);
    catalog_set_uint(&c, "general.alignment", META_U32, 48, NULL);
    check_layout_refused(&c, LQ_E_FORMAT, "a power of two");
    plan_files(&c, 1);
    for (int i = 0; i < 2; i++)
        plan_tensor(&c, i ? "b" : "a", LQ_TYPE_I8, 1, (const uint64_t[]){(uint64_t)1 << 62});
    check_layout_refused(&c, LQ_E_MODEL, "too large for a file");
}

/* ---- several files ---- */

static struct catalog two_files(void)
{
    struct catalog c = {0};
    plan_files(&c, 2);
    catalog_set_string(&c, "general.architecture", "llama", 5, NULL);
    plan_tensor(&c, "a", LQ_TYPE_F32, 1, (const uint64_t[]){2});
    plan_tensor(&c, "b", LQ_TYPE_F32, 1, (const uint64_t[]){3})->file = 1;
    plan_tensor(&c, "c", LQ_TYPE_F32, 1, (const uint64_t[]){4})->file = 1;
    return c;
}

static void each_of_several_files_says_which_it_is(void **state)
{
    (void)state;
    struct catalog c = two_files();
    struct text first = laid_out(&c, 0), second = laid_out(&c, 1);
    struct memory_folder *const folder = memory_folder();
    add_file(folder, "m-00002-of-00002.gguf", &second);
    struct opened *const o = open_named("dir/m-00001-of-00002.gguf", first.data, first.len, folder);
    assert_int_equal(o->status, LQ_OK);
    assert_int_equal(o->c.n_files, 2);
    assert_string_equal(o->c.files[0].name, "m-00001-of-00002.gguf");
    assert_string_equal(o->c.files[1].name, "m-00002-of-00002.gguf");
    assert_int_equal(o->c.n_tensors, 3);
    assert_int_equal(o->c.tensors[2].file, 1);
    assert_int_equal(o->c.tensors[2].offset, c.tensors[2].offset);
    assert_int_equal(o->c.n_meta, 4);
    assert_string_equal(o->c.meta[1].key, "split.no");
    assert_int_equal(o->c.meta[1].type, META_U16);
    assert_string_equal(o->c.meta[2].key, "split.count");
    assert_int_equal(o->c.meta[2].v.u64, 2);
    assert_string_equal(o->c.meta[3].key, "split.tensors.count");
    assert_int_equal(o->c.meta[3].type, META_I32);
    assert_int_equal(o->c.meta[3].v.i64, 3);
    close_opened(o);
    /* the second has nothing but its place in the set */
    assert_int_equal(second.data[16], 3);
    text_free(&first);
    text_free(&second);
    free(folder);
    catalog_release(&c);
}

static void split_keys_keep_the_places_that_they_had(void **state)
{
    (void)state;
    struct catalog c = two_files();
    struct text t = {0};
    /* as llama-gguf-split leaves them, with another count before and a key behind */
    catalog_set_uint(&c, "split.no", META_U16, 7, NULL);
    catalog_set_int(&c, "split.tensors.count", META_I32, 7, NULL);
    catalog_set_uint(&c, "split.count", META_U16, 7, NULL);
    catalog_set_uint(&c, "last", META_U8, 7, NULL);
    assert_int_equal(format_gguf.layout(&c, 0, &t, NULL), LQ_OK);
    const char *const no = memmem(t.data, t.len, "split.no", 8);
    const char *const total = memmem(t.data, t.len, "split.tensors.count", 19);
    const char *const count = memmem(t.data, t.len, "split.count", 11);
    assert_true(no && no < total && total < count &&
                count < (char *)memmem(t.data, t.len, "last", 4));
    assert_int_equal(no[12], 0);
    assert_int_equal(total[23], 3);
    assert_int_equal(count[15], 2);
    text_free(&t);
    catalog_release(&c);
}

static void joining_several_files_leaves_the_split_keys_out(void **state)
{
    (void)state;
    struct catalog c = {0};
    plan_files(&c, 1);
    catalog_set_uint(&c, "split.no", META_U16, 0, NULL);
    catalog_set_uint(&c, "split.count", META_U16, 3, NULL);
    catalog_set_uint(&c, "k", META_U8, 7, NULL);
    struct text t = laid_out(&c, 0);
    assert_null(memmem(t.data, t.len, "split", 5));
    catalog_release(&c);
    struct opened *const o = open_good(&t);
    assert_int_equal(o->c.n_meta, 1);
    close_opened(o);
}

/* Opens the first of two files after `edit` was made to the plan of the second. */
static void refuse_second(void (*edit)(struct catalog *c), const char *name, lq_status status,
                          const char *says)
{
    struct catalog c = two_files(), other = two_files();
    struct text first = laid_out(&c, 0);
    edit(&other);
    struct text second = {0};
    if (other.n_files > 1) {
        text_free(&second);
        second = laid_out(&other, 1);
    } else {
        text_puts(&second, "version https://git-lfs.github.com/spec/v1\n");
    }
    struct memory_folder *const folder = memory_folder();
    add_file(folder, name, &second);
    check_refused(open_named("m-00001-of-00002.gguf", first.data, first.len, folder), status, says);
    text_free(&first);
    text_free(&second);
    free(folder);
    catalog_release(&c);
    catalog_release(&other);
}

static void edit_nothing(struct catalog *c)
{
    (void)c;
}

static void edit_count(struct catalog *c)
{
    plan_files(c, 1);
}

static void edit_tensors(struct catalog *c)
{
    plan_tensor(c, "d", LQ_TYPE_F32, 1, (const uint64_t[]){4})->file = 1;
}

static void edit_name(struct catalog *c)
{
    c->tensors[2].name = "a";
}

static void edit_to_pointer(struct catalog *c)
{
    c->n_files = 1;
}

static void sets_that_do_not_fit_together_are_refused(void **state)
{
    (void)state;
    refuse_second(edit_nothing, "other.gguf", LQ_E_MODEL,
                  "file 2 of 2, m-00002-of-00002.gguf, is missing");
    refuse_second(edit_count, "m-00002-of-00002.gguf", LQ_E_MODEL, "is file 2 of 2");
    refuse_second(edit_tensors, "m-00002-of-00002.gguf", LQ_E_MODEL,
                  "has 3 tensors by its metadata, but the 2 files hold 4");
    refuse_second(edit_name, "m-00002-of-00002.gguf", LQ_E_FORMAT,
                  "m-00002-of-00002.gguf: tensor a: two tensors have this name");
    refuse_second(edit_to_pointer, "m-00002-of-00002.gguf", LQ_E_UNSUPPORTED, "a git-lfs pointer");
}

static void a_later_file_must_not_contradict_the_first(void **state)
{
    (void)state;
    struct catalog c = two_files();
    struct text first = laid_out(&c, 0);
    struct memory_folder *const folder = memory_folder();
    for (int same = 0; same < 2; same++) {
        struct text second = {0};
        put_gguf(&second, 3, 2, 4);
        put_meta_string(&second, "general.architecture", same ? "llama" : "bert");
        put_meta(&second, "split.no", META_U16), put_u16(&second, 1);
        put_meta(&second, "split.count", META_U16), put_u16(&second, 2);
        put_meta_u32(&second, "split.tensors.count", 3);
        put_vector(&second, "b", 3, 0), put_vector(&second, "c", 4, 32);
        put_padding(&second, 32), put_zeros(&second, 64);
        folder->n = 0;
        add_file(folder, "m-00002-of-00002.gguf", &second);
        struct opened *const o = open_named("m-00001-of-00002.gguf", first.data, first.len, folder);
        if (same) {
            assert_int_equal(o->status, LQ_OK);
            close_opened(o);
        } else {
            check_refused(o, LQ_E_MODEL, "\"general.architecture\" differs from that of the first");
        }
        text_free(&second);
    }
    text_free(&first);
    free(folder);
    catalog_release(&c);
}

static void one_of_several_files_is_not_a_model(void **state)
{
    (void)state;
    struct catalog c = two_files();
    struct text first = laid_out(&c, 0), second = laid_out(&c, 1);
    struct memory_folder *const folder = memory_folder();
    check_refused(open_named("d/m-00002-of-00002.gguf", second.data, second.len, folder),
                  LQ_E_MODEL, "file 2 of 2 of a model; open the first, m-00001-of-00002.gguf");
    check_refused(open_named("renamed.gguf", first.data, first.len, folder), LQ_E_MODEL,
                  "must be named NAME-00001-of-00002.gguf");
    check_refused(open_named("m-00001-of-00002.gguf", first.data, first.len, NULL),
                  LQ_E_UNSUPPORTED, "the others cannot be reached");
    text_free(&first);
    text_free(&second);
    free(folder);
    catalog_release(&c);
    struct text t = {0};
    put_gguf(&t, 3, 0, 1);
    put_meta(&t, "split.count", META_U16), put_u16(&t, 2);
    refuse(&t, "does not say which");
    put_gguf(&t, 3, 0, 2);
    put_meta(&t, "split.count", META_U16), put_u16(&t, 2);
    put_meta(&t, "split.no", META_U16), put_u16(&t, 2);
    refuse(&t, "does not say which");
    put_gguf(&t, 3, 0, 1);
    put_meta_u32(&t, "split.count", 65536);
    refuse(&t, "65536 files; at most 65535");
}

static void a_set_of_one_file_is_a_file(void **state)
{
    (void)state;
    struct text t = {0};
    put_gguf(&t, 3, 0, 2);
    put_meta(&t, "split.no", META_U16), put_u16(&t, 0);
    put_meta(&t, "split.count", META_U16), put_u16(&t, 1);
    close_opened(open_good(&t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_read_is_written_back_byte_for_byte),
        cmocka_unit_test(only_outer_dimensions_of_one_that_are_too_many_are_dropped),
        cmocka_unit_test(the_header_ends_aligned_even_without_tensors),
        cmocka_unit_test(what_gguf_cannot_hold_is_refused),
        cmocka_unit_test(each_of_several_files_says_which_it_is),
        cmocka_unit_test(split_keys_keep_the_places_that_they_had),
        cmocka_unit_test(joining_several_files_leaves_the_split_keys_out),
        cmocka_unit_test(sets_that_do_not_fit_together_are_refused),
        cmocka_unit_test(a_later_file_must_not_contradict_the_first),
        cmocka_unit_test(one_of_several_files_is_not_a_model),
        cmocka_unit_test(a_set_of_one_file_is_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
