/* source_hash.c -- digests of a source's files and tensors, in one reading, on threads of its own. */
#include "libquant/provenance/source_hash.h"

#include "libquant/base/hash.h"
#include "libquant/base/threads.h"
#include "libquant/trust/content_stream.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct source_hash {
    const struct catalog *c;
    uint8_t (*sha256)[32];        /* [n_files] */
    struct digest_entry *entries; /* [n_tensors] */
    uint32_t *order;              /* numbers of the tensors by file and offset */
    pthread_t *threads;
    unsigned n_threads;
    pthread_mutex_t lock;
    size_t next;                  /* file */
    bool stop;
    lq_status status;             /* of the first failure */
    lq_error err;
};

/* ---- one file ---- */

/* The file's tensors, as they follow each other. */
struct tensors {
    const struct source_hash *h;
    struct content_stream stream;
    size_t at; /* index into h->order */
};

/* The piece [from, from + n) of the file goes to the file's hash, and what it holds of tensors to
 * theirs. */
static lq_status put_piece(struct tensors *ts, uint32_t file, const char *piece, uint64_t from,
                           size_t n, struct sha256 *sha, lq_error *err)
{
    const struct catalog *const c = ts->h->c;
    uint64_t at = from; /* what comes before went to the file's hash */
    for (; ts->at < c->n_tensors; ts->at++) {
        const uint32_t number = ts->h->order[ts->at];
        const struct tensor *const t = &c->tensors[number];
        if (t->file != file || t->offset >= from + n)
            break;
        const uint64_t end = t->offset + t->bytes;
        const uint64_t a = t->offset > from ? t->offset : from, b = end < from + n ? end : from + n;
        if (b > a) {
            sha256_update(sha, piece + (at - from), (size_t)(a - at));
            LQ_TRY(content_stream_put(&ts->stream, number, piece + (a - from), (size_t)(b - a), sha,
                                      err));
            at = b;
        }
        if (end > from + n)
            break;
    }
    sha256_update(sha, piece + (at - from), (size_t)(from + n - at));
    return LQ_OK;
}

static size_t first_tensor_of(const struct source_hash *h, uint32_t file)
{
    size_t i = 0;
    while (i < h->c->n_tensors && h->c->tensors[h->order[i]].file < file)
        i++;
    return i;
}

static bool is_stopped(struct source_hash *h)
{
    pthread_mutex_lock(&h->lock);
    const bool stop = h->stop;
    pthread_mutex_unlock(&h->lock);
    return stop;
}

static lq_status hash_pieces(struct source_hash *h, uint32_t file, struct sha256 *sha, char *piece,
                             struct tensors *ts, lq_error *err)
{
    struct source *const s = h->c->files[file].source;
    for (uint64_t at = 0; at < s->size; at += HASH_PIECE) {
        const uint64_t left = s->size - at;
        const size_t n = left < HASH_PIECE ? (size_t)left : HASH_PIECE;
        if (is_stopped(h))
            return LQ_E_INTERRUPTED;
        LQ_TRY(source_read(s, piece, n, at, err));
        if (h->c->big_endian) /* the tensors' bytes are turned: digest_content does that */
            sha256_update(sha, piece, n);
        else
            LQ_TRY(put_piece(ts, file, piece, at, n, sha, err));
    }
    return LQ_OK;
}

static lq_status hash_file(struct source_hash *h, uint32_t file, lq_error *err)
{
    struct tensors ts = {.h = h, .stream = {.c = h->c, .entries = h->entries},
                         .at = first_tensor_of(h, file)};
    struct sha256 *const sha = sha256_new();
    char *const piece = malloc(HASH_PIECE);
    lq_status status = sha && piece ? hash_pieces(h, file, sha, piece, &ts, err)
                                    : lq_fail_memory(err);
    if (status == LQ_OK)
        sha256_final(sha, h->sha256[file]);
    else
        sha256_free(sha);
    free(piece);
    content_stream_release(&ts.stream);
    return status;
}

static void *work(void *ctx)
{
    struct source_hash *const h = ctx;
    pthread_mutex_lock(&h->lock);
    while (!h->stop && h->next < h->c->n_files) {
        const uint32_t file = (uint32_t)h->next++;
        lq_error err = {0};
        pthread_mutex_unlock(&h->lock);
        const lq_status status = hash_file(h, file, &err);
        pthread_mutex_lock(&h->lock);
        if (status != LQ_OK && h->status == LQ_OK) {
            h->status = status;
            h->err = err;
            h->stop = true;
        }
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

/* ---- all files ---- */

static int by_place(const void *pa, const void *pb, void *ctx)
{
    const struct tensor *const tensors = ctx;
    const struct tensor *const a = &tensors[*(const uint32_t *)pa];
    const struct tensor *const b = &tensors[*(const uint32_t *)pb];
    if (a->file != b->file)
        return a->file < b->file ? -1 : 1;
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    return a->bytes < b->bytes ? -1 : a->bytes > b->bytes; /* an empty one before its neighbour */
}

static void join(struct source_hash *h)
{
    for (unsigned i = 0; i < h->n_threads; i++)
        pthread_join(h->threads[i], NULL);
    h->n_threads = 0;
}

static void release(struct source_hash *h)
{
    pthread_mutex_destroy(&h->lock);
    free(h->sha256);
    free(h->entries);
    free(h->order);
    free(h->threads);
    free(h);
}

void source_hash_cancel(struct source_hash *h)
{
    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    h->stop = true;
    pthread_mutex_unlock(&h->lock);
    join(h);
    release(h);
}

lq_status source_hash_start(struct source_hash **out, const struct catalog *c, unsigned threads,
                            lq_error *err)
{
    struct source_hash *const h = *out = mem_calloc(1, sizeof *h);
    if (!h)
        return lq_fail_memory(err);
    const unsigned most = threads_resolve(threads);
    const unsigned n = c->n_files < most ? (unsigned)c->n_files : most;
    h->c = c;
    pthread_mutex_init(&h->lock, NULL);
    h->sha256 = mem_calloc(c->n_files + 1, sizeof *h->sha256);
    h->entries = mem_calloc(c->n_tensors + 1, sizeof *h->entries);
    h->order = mem_calloc(c->n_tensors + 1, sizeof *h->order);
    h->threads = mem_calloc(n + 1, sizeof *h->threads);
    lq_status status = LQ_OK;
    if (!h->sha256 || !h->entries || !h->order || !h->threads)
        status = lq_fail_memory(err);
    for (size_t i = 0; i < c->n_tensors && status == LQ_OK; i++)
        h->order[i] = (uint32_t)i;
    if (status == LQ_OK && c->n_tensors)
        qsort_r(h->order, c->n_tensors, sizeof *h->order, by_place, c->tensors);
    for (; status == LQ_OK && h->n_threads < n; h->n_threads++)
        if (pthread_create(&h->threads[h->n_threads], NULL, work, h) != 0) {
            if (!h->n_threads) /* fewer than wanted do as well */
                status = lq_fail(err, LQ_E_MEMORY, "no thread could be started");
            break;
        }
    if (status != LQ_OK) {
        source_hash_cancel(h);
        *out = NULL;
    }
    return status;
}

lq_status source_hash_finish(struct source_hash *h, uint8_t (*sha256)[32], uint8_t content[32],
                             lq_error *err)
{
    join(h);
    lq_status status = h->status;
    if (status != LQ_OK && err)
        *err = h->err;
    memcpy(sha256, h->sha256, h->c->n_files * sizeof *sha256);
    if (status == LQ_OK)
        status = h->c->big_endian ? digest_content(h->c, 0, NULL, content, err)
                                  : content_stream_digest(h->c, h->entries, content, err);
    release(h);
    return status;
}
