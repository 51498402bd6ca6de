/* temp_folder.h -- a folder of its own for a test, made before and removed after each. */
#ifndef LQ_TESTS_TEMP_FOLDER_H
#define LQ_TESTS_TEMP_FOLDER_H

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char temp_folder[256];

static inline int temp_remove(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static inline int temp_setup(void **state)
{
    const char *const base = getenv("TMPDIR");
    (void)state;
    snprintf(temp_folder, sizeof temp_folder, "%s/lq-test-XXXXXX", base ? base : "/tmp");
    return mkdtemp(temp_folder) ? 0 : -1;
}

static inline int temp_teardown(void **state)
{
    (void)state;
    return nftw(temp_folder, temp_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* The path of `name` in the folder; four at a time. */
static inline const char *temp_path(const char *name)
{
    static char path[4][512];
    static unsigned next;
    char *const p = path[next++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", temp_folder, name);
    return p;
}

static inline void temp_write(const char *name, const void *data, size_t n)
{
    FILE *const f = fopen(temp_path(name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static inline void temp_write_text(const char *name, const char *text)
{
    temp_write(name, text, strlen(text));
}

static inline void temp_mkdir(const char *name)
{
    assert_int_equal(mkdir(temp_path(name), 0777), 0);
}

static inline void temp_link(const char *target, const char *name)
{
    assert_int_equal(symlink(target, temp_path(name)), 0);
}

#define temp_test(f) cmocka_unit_test_setup_teardown(f, temp_setup, temp_teardown)

#endif
