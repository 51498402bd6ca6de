/* test_sink.c -- output that appears whole or not at all. */
#include "libquant/base/hash.h"
#include "libquant/base/sink.h"
#include "tests/unit/temp_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <signal.h>

static char *read_back(const char *name)
{
    static char data[20000];
    FILE *const f = fopen(temp_path(name), "rb");
    if (!f)
        return NULL;
    data[fread(data, 1, sizeof data - 1, f)] = '\0';
    fclose(f);
    return data;
}

/* Number of entries in the test's folder, hidden ones too. */
static int entries(void)
{
    DIR *const dir = opendir(temp_folder);
    int n = 0;
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 2;
}

static void write_to(const char *path, const char *text)
{
    struct sink *s;
    assert_int_equal(sink_open(&s, path, 0, NULL), LQ_OK);
    assert_int_equal(sink_append(s, text, strlen(text), NULL), LQ_OK);
    assert_int_equal(sink_commit(s, NULL, NULL), LQ_OK);
}

static void a_file_appears_when_it_is_complete(void **state)
{
    (void)state;
    struct sink *s;
    assert_int_equal(sink_open(&s, temp_path("out"), SINK_SYNC, NULL), LQ_OK);
    assert_int_equal(sink_append(s, "abc", 3, NULL), LQ_OK);
    assert_null(read_back("out"));
    assert_int_equal(sink_written(s), 3);
    assert_int_equal(sink_commit(s, NULL, NULL), LQ_OK);
    assert_string_equal(read_back("out"), "abc");
    assert_int_equal(entries(), 1);
}

static void an_aborted_file_leaves_nothing(void **state)
{
    (void)state;
    struct sink *s;
    temp_write_text("out", "old");
    assert_int_equal(sink_open(&s, temp_path("out"), 0, NULL), LQ_OK);
    assert_int_equal(sink_append(s, "new", 3, NULL), LQ_OK);
    assert_int_equal(entries(), 2);
    sink_abort(s);
    assert_string_equal(read_back("out"), "old");
    assert_int_equal(entries(), 1);
    sink_abort(NULL);
}

static void padding_is_zeros_up_to_an_offset(void **state)
{
    (void)state;
    struct sink *s;
    assert_int_equal(sink_open(&s, temp_path("out"), 0, NULL), LQ_OK);
    assert_int_equal(sink_append(s, "x", 1, NULL), LQ_OK);
    assert_int_equal(sink_pad(s, 10000, NULL), LQ_OK);
    assert_int_equal(sink_pad(s, 5, NULL), LQ_OK); /* already beyond */
    assert_int_equal(sink_written(s), 10000);
    assert_int_equal(sink_commit(s, NULL, NULL), LQ_OK);
    const char *const data = read_back("out");
    struct stat st;
    assert_int_equal(stat(temp_path("out"), &st), 0);
    assert_int_equal(st.st_size, 10000);
    for (int i = 1; i < 10000; i++)
        assert_int_equal(data[i], 0);
}

static void what_is_written_is_hashed_on_the_way(void **state)
{
    (void)state;
    struct sink *s;
    uint8_t got[32], want[32];
    assert_int_equal(sink_open(&s, temp_path("out"), SINK_SHA256, NULL), LQ_OK);
    assert_int_equal(sink_append(s, "ab", 2, NULL), LQ_OK);
    assert_int_equal(sink_pad(s, 4, NULL), LQ_OK);
    assert_int_equal(sink_commit(s, got, NULL), LQ_OK);
    sha256_of("ab\0\0", 4, want, NULL);
    assert_memory_equal(got, want, 32);
}

static void the_mode_is_what_the_umask_asks_for(void **state)
{
    (void)state;
    struct stat st;
    const mode_t before = umask(027);
    write_to(temp_path("out"), "x");
    umask(before);
    assert_int_equal(stat(temp_path("out"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
}

static void a_link_stays_and_its_target_is_replaced(void **state)
{
    (void)state;
    struct stat st;
    temp_mkdir("real");
    temp_write_text("real/file", "old");
    temp_link("real/file", "link");
    temp_link("link", "link2");
    write_to(temp_path("link2"), "new");
    assert_string_equal(read_back("real/file"), "new");
    assert_int_equal(lstat(temp_path("link2"), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    temp_link("real/later", "dangling");
    write_to(temp_path("dangling"), "made");
    assert_string_equal(read_back("real/later"), "made");
}

static void what_cannot_be_a_target_is_refused(void **state)
{
    (void)state;
    struct sink *s = (void *)1;
    lq_error err;
    assert_int_equal(sink_open(&s, temp_folder, 0, &err), LQ_E_USAGE);
    assert_null(s);
    assert_int_equal(sink_open(&s, temp_path("none/out"), 0, &err), LQ_E_IO);
    assert_non_null(strstr(err.message, "No such file"));
    temp_link("loop", "loop");
    assert_int_equal(sink_open(&s, temp_path("loop"), 0, &err), LQ_E_IO);
    assert_non_null(strstr(err.message, "Too many levels"));
    assert_int_equal(entries(), 1);
}

static void what_is_no_regular_file_is_written_to_directly(void **state)
{
    (void)state;
    struct stat st;
    char data[4] = "";
    write_to("/dev/null", "x");
    assert_int_equal(stat("/dev/null", &st), 0);
    assert_true(S_ISCHR(st.st_mode));
    assert_int_equal(mkfifo(temp_path("pipe"), 0666), 0);
    const int fd = open(temp_path("pipe"), O_RDWR);
    write_to(temp_path("pipe"), "abc");
    assert_int_equal(read(fd, data, 3), 3);
    assert_memory_equal(data, "abc", 3);
    close(fd);
    assert_int_equal(entries(), 1);
}

static void a_full_disk_is_an_error_that_leaves_nothing(void **state)
{
    (void)state;
    struct sink *s;
    lq_error err;
    struct rlimit before, small = {1000, RLIM_INFINITY};
    static const char zeros[4096];
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(sink_open(&s, temp_path("out"), 0, &err), LQ_OK);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    const lq_status status = sink_append(s, zeros, sizeof zeros, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, LQ_E_IO);
    assert_string_equal(err.file, temp_path("out"));
    assert_non_null(strstr(err.message, "cannot write: File too large"));
    sink_abort(s);
    assert_int_equal(entries(), 0);
}

static void files_that_belong_together_appear_together(void **state)
{
    (void)state;
    struct sink *s[3];
    uint8_t digests[3][32], want[32];
    const char *const names[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sink_open(&s[i], temp_path(names[i]), SINK_SHA256, NULL), LQ_OK);
        assert_int_equal(sink_append(s[i], names[i], 1, NULL), LQ_OK);
    }
    assert_int_equal(sink_commit_all(s, 3, digests, NULL), LQ_OK);
    assert_int_equal(entries(), 3);
    for (int i = 0; i < 3; i++) {
        assert_string_equal(read_back(names[i]), names[i]);
        sha256_of(names[i], 1, want, NULL);
        assert_memory_equal(digests[i], want, 32);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        temp_test(a_file_appears_when_it_is_complete),
        temp_test(an_aborted_file_leaves_nothing),
        temp_test(padding_is_zeros_up_to_an_offset),
        temp_test(what_is_written_is_hashed_on_the_way),
        temp_test(the_mode_is_what_the_umask_asks_for),
        temp_test(a_link_stays_and_its_target_is_replaced),
        temp_test(what_cannot_be_a_target_is_refused),
        temp_test(what_is_no_regular_file_is_written_to_directly),
        temp_test(a_full_disk_is_an_error_that_leaves_nothing),
        temp_test(files_that_belong_together_appear_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
