/* source.c -- files and memory as positioned bytes. */
#include "libquant/base/source.h"

#include "libquant/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

lq_status source_read(struct source *s, void *dst, size_t n, uint64_t at, lq_error *err)
{
    uint64_t end;
    if (!add_u64(at, n, &end) || end > s->size)
        return lq_fail_at(err, LQ_E_FORMAT, s->name, at > INT64_MAX ? -1 : (int64_t)at,
                          "truncated: %zu bytes expected here, but the file has %" PRIu64
                          " bytes in all",
                          n, s->size);
    return n ? s->read(s, dst, n, at, err) : LQ_OK;
}

static lq_status read_file(struct source *s, void *dst, size_t n, uint64_t at, lq_error *err)
{
    char *p = dst;
    while (n > 0) {
        /* The kernel transfers at most 2 GiB - 4 KiB a call. */
        const ssize_t got = pread(s->fd, p, n < (1u << 30) ? n : 1u << 30, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return lq_fail_errno(err, s->name, "cannot read");
        if (got == 0)
            return lq_fail_at(err, LQ_E_IO, s->name, (int64_t)at,
                              "the file became shorter while it was being read");
        p += got;
        at += (uint64_t)got;
        n -= (size_t)got;
    }
    return LQ_OK;
}

static void close_file(struct source *s)
{
    close(s->fd);
}

static struct source *source_new(const char *name)
{
    struct source *const s = mem_calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->fd = -1;
    s->name = strdup(name);
    if (!s->name) {
        free(s);
        return NULL;
    }
    return s;
}

lq_status source_open_file(struct source **out, const char *path, lq_error *err)
{
    *out = NULL;
    /* O_NONBLOCK: opening a pipe that nobody writes to must not hang. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return lq_fail_errno(err, path, "cannot open");
    struct stat st;
    if (fstat(fd, &st) != 0) {
        const lq_status status = lq_fail_errno(err, path, "cannot examine");
        close(fd);
        return status;
    }
    if (!S_ISREG(st.st_mode)) {
        close(fd);
        return lq_fail_at(err, LQ_E_FORMAT, path, -1, "not a regular file");
    }
    struct source *const s = source_new(path);
    if (!s) {
        close(fd);
        return lq_fail_memory(err);
    }
    s->fd = fd;
    s->size = (uint64_t)st.st_size;
    s->read = read_file;
    s->close = close_file;
    *out = s;
    return LQ_OK;
}

struct memory_source {
    struct source base;
    const char *data;
};

static lq_status read_memory(struct source *s, void *dst, size_t n, uint64_t at, lq_error *err)
{
    (void)err;
    memcpy(dst, ((struct memory_source *)(void *)s)->data + at, n);
    return LQ_OK;
}

lq_status source_open_memory(struct source **out, const char *name, const void *data, size_t size,
                             lq_error *err)
{
    *out = NULL;
    struct memory_source *const m = mem_calloc(1, sizeof *m);
    if (!m)
        return lq_fail_memory(err);
    m->base = (struct source){.name = strdup(name), .size = size, .read = read_memory, .fd = -1};
    m->data = data;
    if (!m->base.name) {
        free(m);
        return lq_fail_memory(err);
    }
    *out = &m->base;
    return LQ_OK;
}

bool source_is_file(const struct source *s, const char *path)
{
    struct stat a, b;
    return s && s->fd >= 0 && fstat(s->fd, &a) == 0 && stat(path, &b) == 0 && S_ISREG(b.st_mode) &&
           a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

bool path_is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

lq_status source_read_all(struct source *s, uint64_t limit, char **data, size_t *len, lq_error *err)
{
    *data = NULL;
    if (s->size > limit)
        return lq_fail_at(err, LQ_E_FORMAT, s->name, -1,
                          "%" PRIu64 " bytes; a file of this kind has at most %" PRIu64, s->size,
                          limit);
    char *const p = mem_calloc((size_t)s->size + 1, 1);
    if (!p)
        return lq_fail_memory(err);
    const lq_status status = source_read(s, p, (size_t)s->size, 0, err);
    if (status != LQ_OK) {
        free(p);
        return status;
    }
    *data = p;
    *len = (size_t)s->size;
    return LQ_OK;
}

void source_close(struct source *s)
{
    if (!s)
        return;
    if (s->close)
        s->close(s);
    free(s->name);
    free(s);
}
