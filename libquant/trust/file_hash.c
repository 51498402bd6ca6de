/* file_hash.c -- SHA-256 of many files, on all processors. */
#include "libquant/trust/file_list.h"

#include "libquant/base/hash.h"
#include "libquant/base/source.h"
#include "libquant/base/threads.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

/* What is read stays in the second-level cache until it is hashed, so that the copy out of the page
 * cache costs a read of memory, not two; smaller pieces cost system calls. */
enum { PIECE = 512 * 1024 };

struct hashing {
    struct file_list *list;
    struct list_file **order; /* the largest first, so that the last ones to be finished are small */
    const struct progress *progress;
    unsigned threads;
    /* what threads share */
    pthread_mutex_t lock;
    size_t next;              /* file in order */
    unsigned started;         /* threads that have taken a file */
    uint64_t done;
    bool stopped;
    lq_status status;         /* of the first failure */
    lq_error err;
};

/* A file that a thread is at. A thread takes two at a time where there are enough, because two hashes
 * side by side are faster. */
struct open_file {
    struct list_file *f; /* NULL: none */
    struct source *s;
    struct sha256 *sha;
    uint64_t at;
    void *piece;
    size_t n;            /* bytes in the piece */
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

static void fail(struct hashing *h, lq_status status, const lq_error *err)
{
    pthread_mutex_lock(&h->lock);
    if (h->status == LQ_OK) {
        h->status = status;
        h->err = *err;
    }
    h->stopped = true;
    pthread_mutex_unlock(&h->lock);
}

/* Adds to what is done; false where it is time to stop. */
static bool report(struct hashing *h, const struct list_file *f, uint64_t n)
{
    bool go_on;
    pthread_mutex_lock(&h->lock);
    h->done += n;
    progress_step(h->progress, h->done, h->list->bytes, f->name);
    if (h->status == LQ_OK && progress_stop(h->progress)) {
        h->status = lq_fail(&h->err, LQ_E_INTERRUPTED, "interrupted");
        h->stopped = true;
    }
    go_on = !h->stopped;
    pthread_mutex_unlock(&h->lock);
    return go_on;
}

/* The next file; a second one only where enough are left for the threads that have none. */
static struct list_file *take(struct hashing *h, bool second)
{
    struct list_file *f = NULL;
    pthread_mutex_lock(&h->lock);
    const size_t left = h->list->n - h->next;
    h->started += !second && h->started < h->threads;
    if (!h->stopped && left && (!second || left > h->threads - h->started))
        f = h->order[h->next++];
    pthread_mutex_unlock(&h->lock);
    return f;
}

static void close_file(struct open_file *o)
{
    sha256_free(o->sha);
    source_close(o->s);
    o->sha = NULL;
    o->s = NULL;
    o->f = NULL;
}

static lq_status open_file(struct open_file *o, lq_error *err)
{
    o->at = 0;
    LQ_TRY(source_open_file(&o->s, o->f->path, err));
    o->sha = sha256_new();
    if (!o->sha)
        return lq_fail_memory(err);
    (void)posix_fadvise(o->s->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return unchanged(o->f, o->s->fd, err);
}

/* Where `o` is at no file, begins the next one. */
static void begin(struct hashing *h, struct open_file *o, bool second)
{
    lq_error err = {0};
    if (o->f || !(o->f = take(h, second)))
        return;
    const lq_status status = open_file(o, &err);
    if (status != LQ_OK) {
        fail(h, status, &err);
        close_file(o);
    }
}

static void read_piece(struct hashing *h, struct open_file *o)
{
    lq_error err = {0};
    o->n = 0;
    if (!o->f)
        return;
    const uint64_t left = o->f->size - o->at;
    o->n = left < PIECE ? (size_t)left : PIECE;
    const lq_status status = o->n ? source_read(o->s, o->piece, o->n, o->at, &err) : LQ_OK;
    if (status != LQ_OK) {
        fail(h, status, &err);
        close_file(o);
        o->n = 0;
    }
}

/* After a piece was hashed: at the end of the file its digest is taken. */
static void advance(struct hashing *h, struct open_file *o)
{
    lq_error err = {0};
    if (!o->f)
        return;
    o->at += o->n;
    const bool go_on = report(h, o->f, o->n);
    if (go_on && o->at < o->f->size)
        return;
    const lq_status status = go_on ? unchanged(o->f, o->s->fd, &err) : LQ_OK;
    if (status != LQ_OK)
        fail(h, status, &err);
    if (go_on && status == LQ_OK) {
        sha256_final(o->sha, o->f->sha256);
        o->sha = NULL;
    }
    close_file(o);
}

static void work(struct hashing *h)
{
    struct open_file a = {.piece = malloc(PIECE)}, b = {.piece = malloc(PIECE)};
    lq_error err = {0};
    if (!a.piece || !b.piece)
        fail(h, lq_fail_memory(&err), &err);
    for (;;) {
        begin(h, &a, false);
        begin(h, &b, true);
        if (!a.f && !b.f)
            break;
        read_piece(h, &a);
        read_piece(h, &b);
        if (a.f && b.f)
            sha256_update_both(a.sha, a.piece, a.n, b.sha, b.piece, b.n);
        else if (a.f || b.f)
            sha256_update(a.f ? a.sha : b.sha, a.f ? a.piece : b.piece, a.f ? a.n : b.n);
        advance(h, &a);
        advance(h, &b);
    }
    free(a.piece);
    free(b.piece);
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
    struct hashing h = {.list = l,
                        .progress = progress,
                        .threads = threads_resolve(threads),
                        .lock = PTHREAD_MUTEX_INITIALIZER};
    if (!l->n)
        return LQ_OK;
    h.order = mem_calloc(l->n, sizeof(struct list_file *));
    if (!h.order)
        return lq_fail_memory(err);
    for (size_t i = 0; i < l->n; i++)
        h.order[i] = &l->files[i];
    qsort(h.order, l->n, sizeof *h.order, largest_first);
#pragma omp parallel for schedule(static, 1) num_threads(h.threads)
    for (unsigned i = 0; i < h.threads; i++)
        work(&h);
    free(h.order);
    if (h.status != LQ_OK && err)
        *err = h.err;
    return h.status;
}
