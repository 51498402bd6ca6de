/* sink.c -- ordered output that appears whole or not at all. */
#include "libquant/base/sink.h"

#include "libquant/base/hash.h"
#include "libquant/base/memory.h"
#include "libquant/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct sink {
    char *target; /* resolved: what rename() replaces */
    char *temp;   /* NULL: written to directly */
    int fd;       /* -1: nothing is written */
    struct source *expected; /* what is appended should be this, or NULL */
    unsigned flags;
    uint64_t written;
    struct sha256 *hash;
};

/* Where a path that is a symbolic link leads, also if nothing is there yet. NULL with errno. */
static char *follow_links(const char *path)
{
    char *at = strdup(path);
    for (int hops = 0; at; hops++) {
        char link[4096];
        const ssize_t n = readlink(at, link, sizeof link - 1);
        if (n < 0)
            return at;
        link[n] = '\0';
        const char *const slash = strrchr(at, '/');
        struct text next = {0};
        if (link[0] != '/' && slash)
            text_put(&next, at, (size_t)(slash - at) + 1);
        text_puts(&next, link);
        free(at);
        at = next.failed || hops == 40 ? NULL : strdup(next.data);
        errno = hops == 40 ? ELOOP : ENOMEM;
        text_free(&next);
    }
    return NULL;
}

/* The mode a newly created file gets. umask() cannot be read without setting it, and setting it is
 * visible to other threads; /proc tells without. */
static mode_t mode_from_umask(void)
{
    unsigned mask = 022;
    FILE *const f = fopen("/proc/self/status", "re");
    char line[256];
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "Umask: %o", &mask) == 1)
            break;
    if (f)
        fclose(f);
    return 0666 & ~(mode_t)mask;
}

static lq_status open_temp(struct sink *s, lq_error *err)
{
    const char *const last = path_last_part(s->target);
    const int dir_len = (int)(last - s->target);
    struct text t = {0};
    text_printf(&t, "%.*s.%.200s.XXXXXX.tmp", dir_len, s->target, last);
    if (t.failed) {
        text_free(&t);
        return lq_fail_memory(err);
    }
    s->temp = t.data;
    s->fd = mkostemps(s->temp, 4, O_CLOEXEC);
    if (s->fd >= 0 && fchmod(s->fd, mode_from_umask()) == 0)
        return LQ_OK;
    const lq_status status = lq_fail_errno(err, s->target, "cannot create");
    if (s->fd < 0) {
        free(s->temp);
        s->temp = NULL;
    }
    return status;
}

static lq_status open_target(struct sink *s, const char *path, lq_error *err)
{
    if (strcmp(path, "-") == 0) {
        s->target = strdup("standard output");
        s->fd = s->target ? dup(STDOUT_FILENO) : -1;
        return s->fd >= 0 ? LQ_OK : lq_fail_errno(err, path, "cannot write");
    }
    s->target = follow_links(path);
    if (!s->target)
        return lq_fail_errno(err, path, "cannot follow the symbolic link");
    struct stat st;
    if (stat(s->target, &st) != 0 || S_ISREG(st.st_mode))
        return open_temp(s, err);
    if (S_ISDIR(st.st_mode))
        return lq_fail_at(err, LQ_E_USAGE, path, -1, "is a folder; name a file to write");
    s->fd = open(s->target, O_WRONLY | O_CLOEXEC);
    return s->fd >= 0 ? LQ_OK : lq_fail_errno(err, path, "cannot write");
}

lq_status sink_open(struct sink **out, const char *path, unsigned flags, lq_error *err)
{
    *out = NULL;
    struct sink *const s = mem_calloc(1, sizeof *s);
    if (!s)
        return lq_fail_memory(err);
    s->fd = -1;
    s->flags = flags;
    lq_status status = open_target(s, path, err);
    if (status == LQ_OK && (flags & SINK_SHA256) && !(s->hash = sha256_new()))
        status = lq_fail_memory(err);
    if (status != LQ_OK) {
        sink_abort(s);
        return status;
    }
    *out = s;
    return LQ_OK;
}

lq_status sink_open_compare(struct sink **out, struct source *expected, unsigned flags,
                            lq_error *err)
{
    struct sink *const s = *out = mem_calloc(1, sizeof *s);
    if (!s)
        return lq_fail_memory(err);
    s->fd = -1;
    s->expected = expected;
    if (!(flags & SINK_SHA256) || (s->hash = sha256_new()))
        return LQ_OK;
    free(s);
    *out = NULL;
    return lq_fail_memory(err);
}

static lq_status compare(struct sink *s, const unsigned char *data, size_t n, lq_error *err)
{
    unsigned char there[16 * 1024];
    while (n > 0) {
        const uint64_t left = s->expected->size - s->written;
        size_t some = n < sizeof there ? n : sizeof there;
        some = some < left ? some : (size_t)left;
        if (!some)
            return lq_fail_at(err, LQ_E_VERIFY, s->expected->name, (int64_t)s->written,
                              "ends here, and should go on");
        LQ_TRY(source_read(s->expected, there, some, s->written, err));
        if (memcmp(there, data, some) != 0) {
            size_t i = 0;
            while (there[i] == data[i])
                i++;
            return lq_fail_at(err, LQ_E_VERIFY, s->expected->name, (int64_t)(s->written + i),
                              "has the byte %02x, and should have %02x", there[i], data[i]);
        }
        data += some;
        n -= some;
        s->written += some;
    }
    return LQ_OK;
}

lq_status sink_append(struct sink *s, const void *data, size_t n, lq_error *err)
{
    struct sha256 *hash;
    const lq_status status = sink_append_unhashed(s, data, n, &hash, err);
    if (hash)
        sha256_update(hash, data, n);
    return status;
}

lq_status sink_append_unhashed(struct sink *s, const void *data, size_t n, struct sha256 **hash,
                               lq_error *err)
{
    const char *p = data;
    *hash = s->hash;
    if (s->expected)
        return compare(s, data, n, err);
    if (s->fd < 0) {
        s->written += n;
        return LQ_OK;
    }
    while (n > 0) {
        const ssize_t put = write(s->fd, p, n < (1u << 30) ? n : 1u << 30);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return lq_fail_errno(err, s->target, "cannot write");
        p += put;
        n -= (size_t)put;
        s->written += (uint64_t)put;
    }
    return LQ_OK;
}

lq_status sink_pad(struct sink *s, uint64_t at, lq_error *err)
{
    static const char zeros[4096];
    while (s->written < at) {
        const uint64_t left = at - s->written;
        LQ_TRY(sink_append(s, zeros, left < sizeof zeros ? (size_t)left : sizeof zeros, err));
    }
    return LQ_OK;
}

uint64_t sink_written(const struct sink *s)
{
    return s->written;
}

static void sink_free(struct sink *s)
{
    if (s->fd >= 0)
        close(s->fd);
    sha256_free(s->hash);
    free(s->target);
    free(s->temp);
    free(s);
}

void sink_abort(struct sink *s)
{
    if (!s)
        return;
    if (s->temp)
        unlink(s->temp);
    sink_free(s);
}

/* A full disk may be noticed only here: by the sync, or by close on a network file system. */
static lq_status flush(struct sink *s, lq_error *err)
{
    if (s->expected && s->written < s->expected->size)
        return lq_fail_at(err, LQ_E_VERIFY, s->expected->name, (int64_t)s->written,
                          "goes on here, and should end");
    if (s->fd < 0)
        return LQ_OK;
    if (s->temp && (s->flags & SINK_SYNC) && fsync(s->fd) != 0)
        return lq_fail_errno(err, s->target, "cannot write");
    const int closed = close(s->fd);
    s->fd = -1;
    return closed == 0 || errno == EINTR ? LQ_OK : lq_fail_errno(err, s->target, "cannot write");
}

static lq_status publish(struct sink *s, lq_error *err)
{
    if (s->temp && rename(s->temp, s->target) != 0)
        return lq_fail_errno(err, s->target, "cannot rename the finished file to this name");
    free(s->temp);
    s->temp = NULL;
    return LQ_OK;
}

lq_status sink_commit_all(struct sink **sinks, size_t n, uint8_t (*sha256)[32], lq_error *err)
{
    lq_status status = LQ_OK;
    for (size_t i = 0; i < n && status == LQ_OK; i++)
        status = flush(sinks[i], err);
    for (size_t i = 0; i < n && status == LQ_OK; i++) {
        status = publish(sinks[i], err);
        if (status == LQ_OK && sinks[i]->hash && sha256) {
            sha256_final(sinks[i]->hash, sha256[i]);
            sinks[i]->hash = NULL;
        }
    }
    for (size_t i = 0; i < n; i++) {
        sink_abort(sinks[i]);
        sinks[i] = NULL;
    }
    return status;
}

lq_status sink_commit(struct sink *s, uint8_t *sha256, lq_error *err)
{
    return sink_commit_all(&s, 1, (uint8_t(*)[32])(void *)sha256, err);
}
