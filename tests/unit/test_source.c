/* test_source.c -- positioned bytes, folders, memory, hashes. */
#include "libquant/base/bytes.h"
#include "libquant/base/hash.h"
#include "libquant/base/memory.h"
#include "libquant/base/source.h"
#include "tests/unit/temp_folder.h"

/* ---- sources ---- */

static void check_reads(struct source *s)
{
    char buffer[8];
    lq_error err;
    assert_int_equal(s->size, 10);
    assert_int_equal(source_read(s, buffer, 4, 3, &err), LQ_OK);
    assert_memory_equal(buffer, "3456", 4);
    assert_int_equal(source_read(s, buffer, 1, 9, &err), LQ_OK);
    assert_int_equal(buffer[0], '9');
    assert_int_equal(source_read(s, buffer, 0, 10, &err), LQ_OK);
    assert_int_equal(source_read(s, buffer, 2, 9, &err), LQ_E_FORMAT);
    assert_string_equal(err.message,
                        "truncated: 2 bytes expected here, but the file has 10 bytes in all");
    assert_int_equal(err.offset, 9);
    assert_int_equal(source_read(s, buffer, 1, 10, &err), LQ_E_FORMAT);
    assert_int_equal(source_read(s, buffer, 8, UINT64_MAX - 3, &err), LQ_E_FORMAT);
    assert_int_equal(source_read(s, buffer, SIZE_MAX, 1, &err), LQ_E_FORMAT);
}

static void files_and_memory_read_alike(void **state)
{
    (void)state;
    struct source *s;
    temp_write_text("f", "0123456789");
    assert_int_equal(source_open_file(&s, temp_path("f"), NULL), LQ_OK);
    check_reads(s);
    source_close(s);
    assert_int_equal(source_open_memory(&s, "m", "0123456789", 10, NULL), LQ_OK);
    check_reads(s);
    source_close(s);
    assert_int_equal(source_open_memory(&s, "m", NULL, 0, NULL), LQ_OK);
    assert_int_equal(source_read(s, NULL, 0, 0, NULL), LQ_OK);
    source_close(s);
    source_close(NULL);
}

static void a_file_that_shrinks_is_an_error_and_no_signal(void **state)
{
    (void)state;
    struct source *s;
    char buffer[8];
    lq_error err;
    temp_write_text("f", "0123456789");
    assert_int_equal(source_open_file(&s, temp_path("f"), NULL), LQ_OK);
    assert_int_equal(truncate(temp_path("f"), 4), 0);
    assert_int_equal(source_read(s, buffer, 8, 0, &err), LQ_E_IO);
    assert_string_equal(err.message, "the file became shorter while it was being read");
    assert_int_equal(err.offset, 4);
    source_close(s);
}

static void only_regular_files_are_opened(void **state)
{
    (void)state;
    struct source *s = (void *)1;
    lq_error err;
    assert_int_equal(source_open_file(&s, temp_folder, &err), LQ_E_FORMAT);
    assert_null(s);
    assert_int_equal(source_open_file(&s, temp_path("none"), &err), LQ_E_IO);
    assert_string_equal(err.message, "cannot open: No such file or directory");
    assert_int_equal(mkfifo(temp_path("pipe"), 0666), 0);
    assert_int_equal(source_open_file(&s, temp_path("pipe"), &err),
                     LQ_E_FORMAT); /* does not hang */
    assert_int_equal(source_open_file(&s, "/dev/null", &err), LQ_E_FORMAT);
}

static void a_source_can_be_read_whole_up_to_a_limit(void **state)
{
    (void)state;
    struct source *s;
    char *data;
    size_t n;
    lq_error err;
    assert_int_equal(source_open_memory(&s, "m", "0123456789", 10, NULL), LQ_OK);
    assert_int_equal(source_read_all(s, 10, &data, &n, &err), LQ_OK);
    assert_int_equal(n, 10);
    assert_string_equal(data, "0123456789");
    free(data);
    assert_int_equal(source_read_all(s, 9, &data, &n, &err), LQ_E_FORMAT);
    assert_string_equal(err.message, "10 bytes; a file of this kind has at most 9");
    assert_null(data);
    source_close(s);
}

/* ---- folders ---- */

static lq_status open_in(const char *folder, const char *name, lq_error *err)
{
    struct resolver *r;
    struct source *s;
    assert_int_equal(resolver_open_folder(&r, folder, NULL), LQ_OK);
    const lq_status status = r->open(r, name, &s, err);
    source_close(s);
    resolver_close(r);
    return status;
}

static void a_folder_opens_its_files_by_name(void **state)
{
    (void)state;
    struct resolver *r;
    struct source *s;
    temp_mkdir("sub");
    temp_write_text("a", "1");
    temp_write_text("sub/b", "22");
    temp_link("sub/b", "link");
    assert_int_equal(resolver_open_folder(&r, temp_folder, NULL), LQ_OK);
    assert_int_equal(r->open(r, "sub/b", &s, NULL), LQ_OK);
    assert_int_equal(s->size, 2);
    assert_string_equal(s->name, temp_path("sub/b"));
    source_close(s);
    assert_int_equal(r->open(r, "link", &s, NULL), LQ_OK);
    source_close(s);
    assert_true(r->exists(r, "a"));
    assert_true(r->exists(r, "sub/b"));
    assert_false(r->exists(r, "sub"));
    assert_false(r->exists(r, "none"));
    assert_int_equal(r->open(r, "none", &s, NULL), LQ_E_IO);
    assert_int_equal(r->open(r, "sub", &s, NULL), LQ_E_FORMAT);
    resolver_close(r);
    resolver_close(NULL);
}

static void names_that_leave_the_folder_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",      "/etc/passwd", "..", "../x",  "a/../x", "a/..", ".",    "./a",
        "a/./b", "a//b",        "a/", "..\\x", "a\\b",   "c:x",  "a\nb", "a\x7f",
    };
    char longest[1026];
    lq_error err;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(resolver_name_is_safe(bad[i]));
        assert_int_equal(open_in(temp_folder, bad[i], &err), LQ_E_FORMAT);
        assert_non_null(strstr(err.message, "outside its folder or is no portable file name"));
    }
    memset(longest, 'a', 1025);
    longest[1025] = '\0';
    assert_false(resolver_name_is_safe(longest));
    longest[1024] = '\0';
    assert_true(resolver_name_is_safe(longest));
    assert_true(resolver_name_is_safe("a..b/..c/.d/...")); /* unusual, but inside */
}

static void links_that_leave_the_folder_are_refused(void **state)
{
    (void)state;
    lq_error err;
    temp_mkdir("model");
    temp_mkdir("model2");
    temp_write_text("outside", "1");
    temp_write_text("model2/x", "1");
    temp_link("../outside", "model/link");
    temp_link("../model2/x", "model/near"); /* a folder whose name merely begins alike */
    temp_link("..", "model/up");
    temp_link("self", "model/self");
    assert_int_equal(open_in(temp_path("model"), "link", &err), LQ_E_FORMAT);
    assert_non_null(strstr(err.message, "a symbolic link that leads out of the model's folder"));
    assert_int_equal(open_in(temp_path("model"), "near", &err), LQ_E_FORMAT);
    assert_int_equal(open_in(temp_path("model"), "up/outside", &err), LQ_E_FORMAT);
    assert_int_equal(open_in(temp_path("model"), "self", &err), LQ_E_IO);
}

static void a_snapshots_links_lead_to_its_own_blobs_only(void **state)
{
    (void)state;
    lq_error err;
    temp_mkdir("models--a--b");
    temp_mkdir("models--a--b/blobs");
    temp_mkdir("models--a--b/snapshots");
    temp_mkdir("models--a--b/snapshots/rev");
    temp_mkdir("models--a--c");
    temp_mkdir("models--a--c/blobs");
    temp_write_text("models--a--b/blobs/x", "1");
    temp_write_text("models--a--c/blobs/x", "1");
    temp_link("../../blobs/x", "models--a--b/snapshots/rev/own");
    temp_link("../../../models--a--c/blobs/x", "models--a--b/snapshots/rev/foreign");
    assert_int_equal(open_in(temp_path("models--a--b/snapshots/rev"), "own", &err), LQ_OK);
    assert_int_equal(open_in(temp_path("models--a--b/snapshots/rev"), "foreign", &err),
                     LQ_E_FORMAT);
    /* the store that all entries share, once its marker is there */
    temp_mkdir("blobs");
    temp_mkdir("blobs/ab");
    temp_write_text("blobs/ab/hash", "1");
    temp_link("../../blobs/ab/hash", "models--a--b/blobs/shared");
    temp_link("../../blobs/shared", "models--a--b/snapshots/rev/shared");
    assert_int_equal(open_in(temp_path("models--a--b/snapshots/rev"), "shared", &err), LQ_E_FORMAT);
    temp_write_text("blobs/.huggingface-shared-blobs", "1\n");
    assert_int_equal(open_in(temp_path("models--a--b/snapshots/rev"), "shared", &err), LQ_OK);
}

static void collect(void *ctx, const char *name)
{
    strcat(strcat(ctx, name), ";");
}

static void a_folder_lists_its_files_in_order_of_bytes(void **state)
{
    (void)state;
    struct resolver *r;
    char names[200] = "";
    temp_mkdir("folder");
    temp_write_text("b", "");
    temp_write_text("B", "");
    temp_write_text("a", "");
    temp_write_text(".hidden", "");
    temp_write_text("folder/inner", "");
    temp_link("nowhere", "dangling");
    assert_int_equal(resolver_open_folder(&r, temp_folder, NULL), LQ_OK);
    assert_int_equal(r->list(r, "", collect, names, NULL), LQ_OK);
    assert_string_equal(names, ".hidden;B;a;b;");
    resolver_close(r);
}

static void what_is_no_folder_is_refused(void **state)
{
    (void)state;
    struct resolver *r = (void *)1;
    lq_error err;
    temp_write_text("f", "");
    assert_int_equal(resolver_open_folder(&r, temp_path("f"), &err), LQ_E_FORMAT);
    assert_null(r);
    assert_int_equal(resolver_open_folder(&r, temp_path("none"), &err), LQ_E_IO);
}

/* ---- memory, bytes, hashes ---- */

static void arenas_give_zeroed_aligned_memory(void **state)
{
    (void)state;
    struct arena a = {0};
    unsigned char *small[100];
    for (size_t i = 0; i < 100; i++) {
        const size_t n = i * i * 13;
        small[i] = arena_calloc(&a, n, 1);
        assert_non_null(small[i]);
        assert_int_equal((uintptr_t)small[i] % 16, 0);
        for (size_t k = 0; k < n; k++)
            assert_int_equal(small[i][k], 0);
        memset(small[i], (int)i, n);
    }
    for (size_t i = 0; i < 100; i++)
        for (size_t k = 0; k < i * i * 13; k++)
            assert_int_equal(small[i][k], i);
    assert_null(arena_calloc(&a, SIZE_MAX / 2, 4));
    assert_null(arena_calloc(&a, SIZE_MAX - 8, 1));
    assert_null(arena_strndup(&a, "x", SIZE_MAX));
    assert_string_equal(arena_strndup(&a, "abc", 2), "ab");
    assert_string_equal(arena_printf(&a, "%d-%s", 7, "x"), "7-x");
    arena_free(&a);
    arena_free(&a);
}

static void sizes_that_overflow_are_noticed(void **state)
{
    (void)state;
    uint64_t v;
    void *array = NULL;
    size_t cap = 0;
    assert_false(add_u64(UINT64_MAX, 1, &v));
    assert_false(mul_u64((uint64_t)1 << 32, (uint64_t)1 << 32, &v));
    assert_false(align_u64(UINT64_MAX - 3, 32, &v));
    assert_true(align_u64(33, 32, &v));
    assert_int_equal(v, 64);
    assert_true(align_u64(64, 32, &v));
    assert_int_equal(v, 64);
    assert_true(align_u64(0, 32, &v));
    assert_int_equal(v, 0);
    assert_null(mem_calloc(SIZE_MAX, 2));
    assert_null(mem_calloc_huge(SIZE_MAX, 2));
    assert_null(mem_calloc_huge(SIZE_MAX, 1));
    assert_null(mem_realloc(NULL, SIZE_MAX, 2));
    for (size_t i = 0; i < 1000; i++) {
        assert_true(mem_grow(&array, &cap, i, 8));
        assert_true(cap > i);
    }
    cap = SIZE_MAX / 2 + 1;
    assert_false(mem_grow(&array, &cap, cap, 8));
    free(array);
}

static void large_blocks_are_zeroed_and_lie_on_huge_pages(void **state)
{
    static const size_t sizes[] = {1, 256 << 10, (2 << 20) + 1};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int again = 0; again < 2; again++) { /* the second time out of what was freed */
            unsigned char *const p = mem_calloc_huge(sizes[i], 1);
            assert_non_null(p);
            assert_true(sizes[i] == 1 || (uintptr_t)p % (2 << 20) == 0);
            for (size_t b = 0; b < sizes[i]; b++)
                assert_int_equal(p[b], 0);
            memset(p, 0xff, sizes[i]);
            free(p);
        }
}

static void bytes_are_swapped_element_by_element(void **state)
{
    (void)state;
    unsigned char b[] = {1, 2, 3, 4, 5, 6, 7, 8};
    bytes_swap(b, 4, 2);
    assert_memory_equal(b, "\2\1\4\3\6\5\10\7", 8);
    bytes_swap(b, 2, 4);
    assert_memory_equal(b, "\3\4\1\2\7\10\5\6", 8);
    bytes_swap(b, 1, 8);
    assert_memory_equal(b, "\6\5\10\7\2\1\4\3", 8);
    bytes_swap(b, 8, 1);
    assert_memory_equal(b, "\6\5\10\7\2\1\4\3", 8);
    bytes_swap(b, 0, 4);
    assert_int_equal(load_u16("\1\2"), 0x0201);
    assert_true(load_f32("\0\0\x80\x3f") == 1.0f);
}

static void sha256_is_that_of_the_standard(void **state)
{
    (void)state;
    uint8_t digest[32];
    char hex[65];
    assert_int_equal(sha256_of("abc", 3, digest, NULL), LQ_OK);
    hex_of(hex, digest, 32);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    struct sha256 *const h = sha256_new();
    sha256_update(h, "a", 1);
    sha256_update(h, "", 0);
    sha256_update(h, "bc", 2);
    sha256_final(h, digest);
    hex_of(hex, digest, 32);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256_free(sha256_new());
    sha256_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        temp_test(files_and_memory_read_alike),
        temp_test(a_file_that_shrinks_is_an_error_and_no_signal),
        temp_test(only_regular_files_are_opened),
        cmocka_unit_test(a_source_can_be_read_whole_up_to_a_limit),
        temp_test(a_folder_opens_its_files_by_name),
        temp_test(names_that_leave_the_folder_are_refused),
        temp_test(links_that_leave_the_folder_are_refused),
        temp_test(a_snapshots_links_lead_to_its_own_blobs_only),
        temp_test(a_folder_lists_its_files_in_order_of_bytes),
        temp_test(what_is_no_folder_is_refused),
        cmocka_unit_test(arenas_give_zeroed_aligned_memory),
        cmocka_unit_test(sizes_that_overflow_are_noticed),
        cmocka_unit_test(large_blocks_are_zeroed_and_lie_on_huge_pages),
        cmocka_unit_test(bytes_are_swapped_element_by_element),
        cmocka_unit_test(sha256_is_that_of_the_standard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
