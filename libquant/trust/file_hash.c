/* file_hash.c -- SHA-256 of many files, on all processors. */
#include "libquant/trust/file_list.h"

#include "libquant/base/hash.h"
#include "libquant/base/source.h"
#include "libquant/base/threads.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

/* What is read stays in the second-level cache until it is hashed, so that the copy out of the page
 * cache costs a read of memory, not two; smaller pieces cost system calls. */
enum { PIECE = 1 << 20 };

struct hashing {
    struct file_list *list;
    struct list_file **order; /* the largest first, so that the last ones to be finished are small */
    const struct progress *progress;
    uint64_t done;
    bool stopped;
    lq_status status; /* of the first failure */
    lq_error err;
};

static lq_status unchanged(const struct list_file *f, int fd, lq_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return lq_fail_errno(err, f->path, "cannot look at");
    if ((uint64_t)st.st_dev != f->device || (uint64_t)st.st_ino != f->inode ||
        (uint64_t)st.st_size != f->size || st.st_mtim.tv_sec != f->mtime.tv_sec ||
        st.st_mtim.tv_nsec != f->mtime.tv_nsec || st.st_ctim.tv_sec != f->ctime.tv_sec ||
        st.st_ctim.tv_nsec != f->ctime.tv_nsec)
        return lq_fail_at(err, LQ_E_VERIFY, f->path, -1,
                          "was changed while it was being checked; try again when nobody writes "
                          "to it");
    return LQ_OK;
}

/* Adds to what is done, and tells whether to stop. */
static bool report(struct hashing *h, const struct list_file *f, uint64_t n)
{
    bool stop;
#pragma omp critical
    {
        h->done += n;
        progress_step(h->progress, h->done, h->list->bytes, f->name);
        stop = h->status != LQ_OK || progress_stop(h->progress);
    }
    return stop;
}

static lq_status hash_content(struct hashing *h, struct list_file *f, struct source *s,
                              struct sha256 *sha, void *piece, lq_error *err)
{
    for (uint64_t at = 0; at < f->size;) {
        const uint64_t left = f->size - at;
        const size_t n = left < PIECE ? (size_t)left : PIECE;
        LQ_TRY(source_read(s, piece, n, at, err));
        sha256_update(sha, piece, n);
        at += n;
        if (report(h, f, n))
            return lq_fail(err, LQ_E_INTERRUPTED, "interrupted");
    }
    return LQ_OK;
}

static lq_status hash_file(struct hashing *h, struct list_file *f, void *piece, lq_error *err)
{
    struct source *s;
    LQ_TRY(source_open_file(&s, f->path, err));
    struct sha256 *const sha = sha256_new();
    lq_status status = sha ? unchanged(f, s->fd, err) : lq_fail_memory(err);
    (void)posix_fadvise(s->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    if (status == LQ_OK)
        status = hash_content(h, f, s, sha, piece, err);
    if (status == LQ_OK)
        status = unchanged(f, s->fd, err);
    if (status == LQ_OK)
        sha256_final(sha, f->sha256);
    else
        sha256_free(sha);
    source_close(s);
    return status;
}

static void hash_at(struct hashing *h, size_t i)
{
    lq_error err = {0};
    void *const piece = malloc(PIECE);
    const lq_status status =
        piece ? hash_file(h, h->order[i], piece, &err) : lq_fail_memory(&err);
    free(piece);
    if (status == LQ_OK)
        return;
#pragma omp critical
    if (h->status == LQ_OK) {
        h->status = status;
        h->err = err;
#pragma omp atomic write
        h->stopped = true;
    }
}

static int largest_first(const void *a, const void *b)
{
    const struct list_file *const fa = *(const struct list_file *const *)a;
    const struct list_file *const fb = *(const struct list_file *const *)b;
    return fa->size > fb->size ? -1 : fa->size < fb->size;
}

lq_status file_list_hash(struct file_list *l, unsigned threads, const struct progress *progress,
                         lq_error *err)
{
    struct hashing h = {.list = l, .progress = progress};
    if (!l->n)
        return LQ_OK;
    h.order = mem_calloc(l->n, sizeof(struct list_file *));
    if (!h.order)
        return lq_fail_memory(err);
    for (size_t i = 0; i < l->n; i++)
        h.order[i] = &l->files[i];
    qsort(h.order, l->n, sizeof *h.order, largest_first);
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads_resolve(threads))
    for (size_t i = 0; i < l->n; i++) {
        bool stop;
#pragma omp atomic read
        stop = h.stopped;
        if (!stop)
            hash_at(&h, i);
    }
    free(h.order);
    if (h.status != LQ_OK && err)
        *err = h.err;
    return h.status;
}
