/* file_hash.c -- digests of many files, on all processors. */
#include "libquant/trust/file_hash.h"

#include "libquant/base/hash.h"
#include "libquant/base/source.h"
#include "libquant/base/threads.h"

#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct hashing {
    const struct hash_job *
        *order; /* the largest first, so that the last to be finished are small */
    size_t n;
    const struct progress *progress;
    unsigned threads;
    void (*failed)(void *ctx, const struct hash_job *job, const lq_error *why);
    void *ctx;
    /* what threads share */
    pthread_mutex_t lock;
    size_t next;      /* file in order */
    unsigned started; /* threads that have taken a file */
    uint64_t done, bytes;
    bool stopped;
    lq_status status; /* of the failure that ends the run */
    lq_error err;
};

/* A file that a thread is at. A thread takes two at a time where there are enough, because two
 * hashes side by side are faster. */
struct open_file {
    const struct hash_job *job; /* NULL: none */
    struct source *s;
    struct sha256 *sha256; /* those that are wanted */
    EVP_MD_CTX *sha512, *git_sha1;
    uint64_t at;
    void *piece;
    size_t n; /* bytes in the piece */
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

static void fail(struct hashing *h, const struct hash_job *job, lq_status status,
                 const lq_error *err)
{
    pthread_mutex_lock(&h->lock);
    if (h->failed && job && status != LQ_E_MEMORY) {
        h->failed(h->ctx, job, err);
    } else {
        if (h->status == LQ_OK) {
            h->status = status;
            h->err = *err;
        }
        h->stopped = true;
    }
    pthread_mutex_unlock(&h->lock);
}

/* Adds to what is done; false where it is time to stop. */
static bool report(struct hashing *h, const struct list_file *f, uint64_t n)
{
    bool go_on;
    pthread_mutex_lock(&h->lock);
    h->done += n;
    progress_step(h->progress, h->done, h->bytes, f->name);
    if (h->status == LQ_OK && progress_stop(h->progress)) {
        h->status = lq_fail(&h->err, LQ_E_INTERRUPTED, "interrupted");
        h->stopped = true;
    }
    go_on = !h->stopped;
    pthread_mutex_unlock(&h->lock);
    return go_on;
}

/* The next file; a second one only where enough are left for the threads that have none. */
static const struct hash_job *take(struct hashing *h, bool second)
{
    const struct hash_job *job = NULL;
    pthread_mutex_lock(&h->lock);
    const size_t left = h->n - h->next;
    h->started += !second && h->started < h->threads;
    if (!h->stopped && left && (!second || left > h->threads - h->started))
        job = h->order[h->next++];
    pthread_mutex_unlock(&h->lock);
    return job;
}

/* ---- the hashes of one file ---- */

/* `head`: what is hashed before the file. */
static lq_status begin_md(EVP_MD_CTX **ctx, const EVP_MD *md, const char *head, size_t n,
                          lq_error *err)
{
    *ctx = EVP_MD_CTX_new();
    return *ctx && EVP_DigestInit_ex(*ctx, md, NULL) == 1 && EVP_DigestUpdate(*ctx, head, n) == 1
               ? LQ_OK
               : lq_fail_memory(err);
}

static lq_status begin_hashes(struct open_file *o, lq_error *err)
{
    char head[32];
    const int n = snprintf(head, sizeof head, "blob %" PRIu64, o->job->file->size) + 1;
    if (o->job->sha256 && !(o->sha256 = sha256_new()))
        return lq_fail_memory(err);
    if (o->job->sha512)
        LQ_TRY(begin_md(&o->sha512, EVP_sha512(), "", 0, err));
    if (o->job->git_sha1)
        LQ_TRY(begin_md(&o->git_sha1, EVP_sha1(), head, (size_t)n, err));
    return LQ_OK;
}

static void finish_hashes(struct open_file *o)
{
    if (o->sha256)
        sha256_final(o->sha256, o->job->file->sha256);
    o->sha256 = NULL;
    if (o->sha512)
        EVP_DigestFinal_ex(o->sha512, o->job->sha512, NULL);
    if (o->git_sha1)
        EVP_DigestFinal_ex(o->git_sha1, o->job->git_sha1, NULL);
}

static void update_hashes(struct open_file *a, struct open_file *b)
{
    struct open_file *const both[] = {a, b};
    if (a->sha256 && b->sha256)
        sha256_update_both(a->sha256, a->piece, a->n, b->sha256, b->piece, b->n);
    for (int i = 0; i < 2; i++) {
        struct open_file *const o = both[i];
        if (o->sha256 && !(a->sha256 && b->sha256))
            sha256_update(o->sha256, o->piece, o->n);
        if (o->sha512)
            EVP_DigestUpdate(o->sha512, o->piece, o->n);
        if (o->git_sha1)
            EVP_DigestUpdate(o->git_sha1, o->piece, o->n);
    }
}

/* ---- one file ---- */

static void close_file(struct open_file *o)
{
    sha256_free(o->sha256);
    EVP_MD_CTX_free(o->sha512);
    EVP_MD_CTX_free(o->git_sha1);
    source_close(o->s);
    *o = (struct open_file){.piece = o->piece};
}

static lq_status open_file(struct open_file *o, lq_error *err)
{
    LQ_TRY(source_open_file(&o->s, o->job->file->path, err));
    LQ_TRY(begin_hashes(o, err));
    (void)posix_fadvise(o->s->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return unchanged(o->job->file, o->s->fd, err);
}

/* Where `o` is at no file, begins the next one that can be opened. */
static void begin(struct hashing *h, struct open_file *o, bool second)
{
    while (!o->job && (o->job = take(h, second))) {
        lq_error err = {0};
        const lq_status status = open_file(o, &err);
        if (status == LQ_OK)
            return;
        fail(h, o->job, status, &err);
        close_file(o);
    }
}

static void read_piece(struct hashing *h, struct open_file *o)
{
    lq_error err = {0};
    o->n = 0;
    if (!o->job)
        return;
    const uint64_t left = o->job->file->size - o->at;
    o->n = left < HASH_PIECE ? (size_t)left : HASH_PIECE;
    const lq_status status = o->n ? source_read(o->s, o->piece, o->n, o->at, &err) : LQ_OK;
    if (status != LQ_OK) {
        fail(h, o->job, status, &err);
        close_file(o);
    }
}

/* After a piece was hashed: at the end of the file its digests are taken. */
static void advance(struct hashing *h, struct open_file *o)
{
    lq_error err = {0};
    if (!o->job)
        return;
    o->at += o->n;
    const bool go_on = report(h, o->job->file, o->n);
    if (go_on && o->at < o->job->file->size)
        return;
    const lq_status status = go_on ? unchanged(o->job->file, o->s->fd, &err) : LQ_OK;
    if (status != LQ_OK)
        fail(h, o->job, status, &err);
    else if (go_on)
        finish_hashes(o);
    close_file(o);
}

static void work(struct hashing *h)
{
    struct open_file a = {.piece = malloc(HASH_PIECE)}, b = {.piece = malloc(HASH_PIECE)};
    lq_error err = {0};
    if (!a.piece || !b.piece)
        fail(h, NULL, lq_fail_memory(&err), &err);
    for (;;) {
        begin(h, &a, false);
        begin(h, &b, true);
        if (!a.job && !b.job)
            break;
        read_piece(h, &a);
        read_piece(h, &b);
        update_hashes(&a, &b);
        advance(h, &a);
        advance(h, &b);
    }
    free(a.piece);
    free(b.piece);
}

/* ---- all files ---- */

static int largest_first(const void *a, const void *b)
{
    const uint64_t na = (*(const struct hash_job *const *)a)->file->size;
    const uint64_t nb = (*(const struct hash_job *const *)b)->file->size;
    return na > nb ? -1 : na < nb;
}

lq_status file_hash(const struct hash_job *jobs, size_t n, unsigned threads,
                    const struct progress *progress,
                    void (*failed)(void *ctx, const struct hash_job *job, const lq_error *why),
                    void *ctx, lq_error *err)
{
    struct hashing h = {.n = n,
                        .progress = progress,
                        .threads = threads_resolve(threads),
                        .failed = failed,
                        .ctx = ctx,
                        .lock = PTHREAD_MUTEX_INITIALIZER};
    if (!n)
        return LQ_OK;
    h.order = mem_calloc(n, sizeof(const struct hash_job *));
    if (!h.order)
        return lq_fail_memory(err);
    for (size_t i = 0; i < n; i++) {
        h.order[i] = &jobs[i];
        h.bytes += jobs[i].file->size;
    }
    qsort(h.order, n, sizeof *h.order, largest_first);
#pragma omp parallel for schedule(static, 1) num_threads(h.threads)
    for (unsigned i = 0; i < h.threads; i++)
        work(&h);
    free(h.order);
    if (h.status != LQ_OK && err)
        *err = h.err;
    return h.status;
}

lq_status file_list_hash(struct file_list *l, unsigned threads, const struct progress *progress,
                         lq_error *err)
{
    struct hash_job *const jobs = mem_calloc(l->n + 1, sizeof *jobs);
    if (!jobs)
        return lq_fail_memory(err);
    for (size_t i = 0; i < l->n; i++)
        jobs[i] = (struct hash_job){.file = &l->files[i], .sha256 = true};
    const lq_status status = file_hash(jobs, l->n, threads, progress, NULL, NULL, err);
    free(jobs);
    return status;
}
