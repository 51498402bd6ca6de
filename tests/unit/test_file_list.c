/* test_file_list.c -- which files a model is, in which order, and the digest of all of them. */
#include "libquant/base/hash.h"
#include "libquant/trust/file_hash.h"
#include "tests/unit/temp_folder.h"

static lq_status walk(struct file_list *l, struct file_list_options o, lq_error *err)
{
    *l = (struct file_list){0};
    return file_list_walk(l, temp_folder, &o, err);
}

static void expect_names(const struct file_list *l, const char *names)
{
    char got[1000] = "";
    for (size_t i = 0; i < l->n; i++)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", i ? " " : "",
                 l->files[i].name);
    assert_string_equal(got, names);
}

static void expect_refusal(struct file_list_options o, const char *why)
{
    struct file_list l;
    lq_error err = {0};
    assert_int_equal(walk(&l, o, &err), LQ_E_VERIFY);
    assert_non_null(strstr(err.message, why));
    file_list_release(&l);
}

/* The tree of the reference: the names in which the two orders differ, and git's files. */
static void make_tree(void)
{
    static const char *const folders[] = {"a", "sub", "sub/.git", ".git", "empty"};
    static const char *const files[10] = {"a/b", "a-b", "a.txt", ".hidden", "sub/.git/conf",
                                        "sub/x.txt", ".git/HEAD", ".gitignore", ".gitmodules",
                                        "zero"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        temp_mkdir(folders[i]);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        temp_write_text(files[i], i == 9 ? "" : files[i]);
}

static void the_orders_differ_where_a_name_goes_on_after_a_folder_s(void **state)
{
    struct file_list l;
    (void)state;
    make_tree();
    assert_int_equal(walk(&l, (struct file_list_options){0}, NULL), LQ_OK);
    expect_names(&l, ".gitmodules .hidden a-b a.txt a/b sub/.git/conf sub/x.txt zero");
    assert_non_null(file_list_find(&l, "a/b"));
    assert_null(file_list_find(&l, "a"));
    file_list_sort(&l, FILE_ORDER_COMPONENTS);
    expect_names(&l, ".gitmodules .hidden a/b a-b a.txt sub/.git/conf sub/x.txt zero");
    file_list_release(&l);
}

static void what_is_to_be_ignored_is_left_out_with_all_below_it(void **state)
{
    static const char *const ignore[] = {"sub", "a/b", "zero"};
    struct file_list l;
    (void)state;
    make_tree();
    assert_int_equal(walk(&l, (struct file_list_options){.ignore = ignore, .n_ignore = 3,
                                                         .keep_git = true}, NULL), LQ_OK);
    expect_names(&l, ".git/HEAD .gitignore .gitmodules .hidden a-b a.txt");
    file_list_release(&l);
}

static void a_single_file_is_a_model(void **state)
{
    struct file_list l = {0};
    (void)state;
    temp_write_text("m.gguf", "x");
    assert_int_equal(file_list_walk(&l, temp_path("m.gguf"), &(struct file_list_options){0}, NULL),
                     LQ_OK);
    assert_true(l.single);
    expect_names(&l, "m.gguf");
    file_list_release(&l);
}

static void links_are_followed_where_that_is_allowed_and_only_within(void **state)
{
    const struct file_list_options follow = {.allow_symlinks = true};
    struct file_list l;
    (void)state;
    temp_mkdir("m");
    temp_write_text("m/a", "a");
    temp_link("a", "m/b");
    expect_refusal((struct file_list_options){0}, "is a symbolic link");
    assert_int_equal(walk(&l, follow, NULL), LQ_OK);
    expect_names(&l, "m/a m/b");
    assert_true(l.files[1].link && !l.files[0].link);
    file_list_release(&l);
    temp_link("/etc/passwd", "m/c");
    expect_refusal(follow, "leads out");
    remove(temp_path("m/c"));
    temp_link("nowhere", "m/c");
    expect_refusal(follow, "leads nowhere");
    remove(temp_path("m/c"));
    temp_link("../m", "m/c");
    expect_refusal(follow, "to a folder");
}

static void what_is_no_file_is_never_left_out_silently(void **state)
{
    (void)state;
    temp_write_text("bad-\xff", "x");
    expect_refusal((struct file_list_options){0}, "not UTF-8");
    remove(temp_path("bad-\xff"));
    assert_int_equal(mkfifo(temp_path("pipe"), 0666), 0);
    expect_refusal((struct file_list_options){0}, "neither a file nor a folder");
}

static void the_root_is_over_the_digests_as_they_are_listed(void **state)
{
    struct file_list l;
    uint8_t expected[32], root[32], all[64];
    (void)state;
    temp_write_text("a", "abc");
    temp_write_text("b", "");
    assert_int_equal(walk(&l, (struct file_list_options){0}, NULL), LQ_OK);
    assert_int_equal(file_list_hash(&l, 2, NULL, NULL), LQ_OK);
    assert_int_equal(sha256_of("abc", 3, all, NULL), LQ_OK);
    assert_int_equal(sha256_of("", 0, all + 32, NULL), LQ_OK);
    assert_int_equal(sha256_of(all, 64, expected, NULL), LQ_OK);
    assert_int_equal(file_list_root(&l, root, NULL), LQ_OK);
    assert_memory_equal(root, expected, 32);
    file_list_release(&l);
}

static void a_file_that_changes_after_it_was_listed_is_noticed(void **state)
{
    struct file_list l;
    lq_error err = {0};
    (void)state;
    temp_write_text("a", "abc");
    assert_int_equal(walk(&l, (struct file_list_options){0}, NULL), LQ_OK);
    remove(temp_path("a"));
    temp_write_text("a", "abd");
    assert_int_equal(file_list_hash(&l, 1, NULL, &err), LQ_E_VERIFY);
    assert_non_null(strstr(err.message, "was changed"));
    file_list_release(&l);
}

/* Writes to the file as soon as a piece of it was hashed. */
static void disturb(void *ctx, uint64_t done, uint64_t total, const char *what)
{
    (void)ctx, (void)done, (void)total;
    temp_write_text(what, "other text");
}

static void note_failure(void *ctx, const struct hash_job *job, const lq_error *why)
{
    assert_string_equal(job->file->name, "disturbed");
    assert_non_null(strstr(why->message, "was changed while"));
    ++*(int *)ctx;
}

static void a_file_that_changes_while_it_is_hashed_has_no_digest(void **state)
{
    static const struct progress progress = {.step = disturb};
    struct file_list l;
    lq_error err = {0};
    int failures = 0;
    (void)state;
    temp_write_text("disturbed", "text");
    assert_int_equal(walk(&l, (struct file_list_options){0}, NULL), LQ_OK);
    assert_int_equal(file_list_hash(&l, 1, &progress, &err), LQ_E_VERIFY);
    assert_non_null(strstr(err.message, "was changed while"));
    const struct hash_job job = {.file = &l.files[0], .sha256 = true};
    assert_int_equal(file_hash(&job, 1, 1, NULL, note_failure, &failures, &err), LQ_OK);
    assert_int_equal(failures, 1); /* it is not any more what was listed */
    file_list_release(&l);
}

static void one_reading_gives_every_digest_that_is_asked_for(void **state)
{
    struct file_list l;
    uint8_t sha512[64], git_sha1[20];
    char hex[129];
    (void)state;
    temp_write_text("hello", "Hello, World!");
    assert_int_equal(walk(&l, (struct file_list_options){0}, NULL), LQ_OK);
    const struct hash_job job = {&l.files[0], true, sha512, git_sha1};
    assert_int_equal(file_hash(&job, 1, 1, NULL, NULL, NULL, NULL), LQ_OK);
    hex_of(hex, l.files[0].sha256, 32);
    assert_string_equal(hex, "dffd6021bb2bd5b0af676290809ec3a53191dd81c7f70a4b28688a362182986f");
    hex_of(hex, sha512, 64);
    assert_string_equal(hex, "374d794a95cdcfd8b35993185fef9ba368f160d8daf432d08ba9f1ed1e5abe6c"
                             "c69291e0fa2fe0006a52570ef18c19def4e617c33ce52ef0a6e5fbe318cb0387");
    hex_of(hex, git_sha1, 20);
    assert_string_equal(hex, "b45ef6fec89518d314f546fd6c3025367b721684");
    file_list_release(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        temp_test(the_orders_differ_where_a_name_goes_on_after_a_folder_s),
        temp_test(what_is_to_be_ignored_is_left_out_with_all_below_it),
        temp_test(a_single_file_is_a_model),
        temp_test(links_are_followed_where_that_is_allowed_and_only_within),
        temp_test(what_is_no_file_is_never_left_out_silently),
        temp_test(the_root_is_over_the_digests_as_they_are_listed),
        temp_test(a_file_that_changes_after_it_was_listed_is_noticed),
        temp_test(a_file_that_changes_while_it_is_hashed_has_no_digest),
        temp_test(one_reading_gives_every_digest_that_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
