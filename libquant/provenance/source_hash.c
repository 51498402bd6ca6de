/* source_hash.c -- digests of a source's files and tensors, on threads of its own. */
#include "libquant/provenance/source_hash.h"

#include "libquant/base/hash.h"
#include "libquant/base/threads.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 1 << 20 };

/* The work: item i < n_files is a whole file, from beginning to end; the others are leaves of the
 * content digest. Both go through the sources in their own order. */
struct source_hash {
    const struct catalog *c;
    uint8_t (*sha256)[32]; /* [n_files] */
    struct content_digest *content;
    pthread_t *threads;
    unsigned n_threads;
    pthread_mutex_t lock;
    uint64_t next;         /* item */
    bool stop;
    lq_status status;      /* of the first failure */
    lq_error err;
};

static bool is_stopped(struct source_hash *h)
{
    pthread_mutex_lock(&h->lock);
    const bool stop = h->stop;
    pthread_mutex_unlock(&h->lock);
    return stop;
}

static lq_status hash_file(struct source_hash *h, size_t file, lq_error *err)
{
    struct source *const s = h->c->files[file].source;
    struct sha256 *const sha = sha256_new();
    char *const piece = malloc(PIECE);
    lq_status status = sha && piece ? LQ_OK : lq_fail_memory(err);
    for (uint64_t at = 0; at < s->size && status == LQ_OK; at += PIECE) {
        const uint64_t left = s->size - at;
        const size_t n = left < PIECE ? (size_t)left : PIECE;
        status = is_stopped(h) ? LQ_E_INTERRUPTED : source_read(s, piece, n, at, err);
        if (status == LQ_OK)
            sha256_update(sha, piece, n);
    }
    if (status == LQ_OK)
        sha256_final(sha, h->sha256[file]);
    else
        sha256_free(sha);
    free(piece);
    return status;
}

static void *work(void *ctx)
{
    struct source_hash *const h = ctx;
    const uint64_t n = h->c->n_files + content_digest_leaves(h->content);
    pthread_mutex_lock(&h->lock);
    while (!h->stop && h->next < n) {
        const uint64_t item = h->next++;
        lq_error err = {0};
        pthread_mutex_unlock(&h->lock);
        const lq_status status = item < h->c->n_files
                                     ? hash_file(h, (size_t)item, &err)
                                     : content_digest_leaf(h->content, item - h->c->n_files, &err);
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

static void join(struct source_hash *h)
{
    for (unsigned i = 0; i < h->n_threads; i++)
        pthread_join(h->threads[i], NULL);
    h->n_threads = 0;
}

static void release(struct source_hash *h)
{
    pthread_mutex_destroy(&h->lock);
    content_digest_free(h->content);
    free(h->sha256);
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
    const unsigned n = threads_resolve(threads);
    h->c = c;
    pthread_mutex_init(&h->lock, NULL);
    h->sha256 = mem_calloc(c->n_files + 1, sizeof *h->sha256);
    h->threads = mem_calloc(n, sizeof *h->threads);
    lq_status status = h->sha256 && h->threads ? content_digest_new(&h->content, c, err)
                                               : lq_fail_memory(err);
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
    if (status == LQ_OK)
        status = content_digest_finish(h->content, content, err);
    else if (err)
        *err = h->err;
    memcpy(sha256, h->sha256, h->c->n_files * sizeof *sha256);
    release(h);
    return status;
}
