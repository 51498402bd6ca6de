/* digest.c -- the Merkle tree over a model's tensors. */
#include "libquant/trust/digest.h"

#include "libquant/base/hash.h"
#include "libquant/base/threads.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum domain { LEAF, NODE, TENSOR, MODEL };

static void put_byte(struct sha256 *h, enum domain domain)
{
    const uint8_t byte = (uint8_t)domain;
    sha256_update(h, &byte, 1);
}

/* The host is little-endian, as the encoding is. */
static void put_u64(struct sha256 *h, uint64_t v)
{
    sha256_update(h, &v, sizeof v);
}

static void put_text(struct sha256 *h, const char *s)
{
    const size_t n = strlen(s);
    put_u64(h, n);
    sha256_update(h, s, n);
}

uint64_t digest_leaf_count(uint64_t bytes)
{
    return bytes ? (bytes - 1) / DIGEST_LEAF + 1 : 1;
}

struct sha256 *digest_leaf_begin(void)
{
    struct sha256 *const h = sha256_new();
    if (h)
        put_byte(h, LEAF);
    return h;
}

lq_status digest_leaf(const void *data, size_t n, uint8_t leaf[32], lq_error *err)
{
    struct sha256 *const h = digest_leaf_begin();
    if (!h)
        return lq_fail_memory(err);
    sha256_update(h, data, n);
    sha256_final(h, leaf);
    return LQ_OK;
}

/* Leaves nodes[0] as the root of n > 0 nodes. A node without a sibling goes up as it is, which gives
 * the tree of RFC 6962: its left part is the largest power of two. */
static lq_status fold(uint8_t (*nodes)[32], uint64_t n, lq_error *err)
{
    for (; n > 1; n = (n + 1) / 2) {
        for (uint64_t i = 0; i + 1 < n; i += 2) {
            struct sha256 *const h = sha256_new();
            if (!h)
                return lq_fail_memory(err);
            put_byte(h, NODE);
            sha256_update(h, nodes[i], 64);
            sha256_final(h, nodes[i / 2]);
        }
        if (n & 1)
            memmove(nodes[n / 2], nodes[n - 1], 32);
    }
    return LQ_OK;
}

lq_status digest_tensor(struct digest_entry *e, const struct tensor *t, const char *type,
                        uint64_t bytes, uint8_t (*leaves)[32], lq_error *err)
{
    LQ_TRY(fold(leaves, digest_leaf_count(bytes), err));
    struct sha256 *const h = sha256_new();
    if (!h)
        return lq_fail_memory(err);
    put_byte(h, TENSOR);
    put_text(h, t->name);
    put_text(h, type);
    put_u64(h, t->rank);
    for (uint32_t i = 0; i < t->rank; i++)
        put_u64(h, t->dim[i]);
    put_u64(h, bytes);
    sha256_update(h, leaves[0], 32);
    sha256_final(h, e->sha256);
    e->name = t->name;
    return LQ_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct digest_entry *)a)->name, ((const struct digest_entry *)b)->name);
}

lq_status digest_model(const char *label, struct digest_entry *entries, size_t n,
                       uint8_t digest[32], lq_error *err)
{
    uint8_t(*const nodes)[32] = mem_calloc(n + 1, sizeof *nodes);
    if (!nodes)
        return lq_fail_memory(err);
    if (n)
        qsort(entries, n, sizeof *entries, by_name);
    lq_status status = LQ_OK;
    for (size_t i = 0; i < n && status == LQ_OK; i++) {
        memcpy(nodes[i], entries[i].sha256, 32);
        if (i && strcmp(entries[i - 1].name, entries[i].name) == 0) {
            status = lq_fail(err, LQ_E_FORMAT, "two tensors of one name");
            lq_error_add_tensor(err, entries[i].name);
        }
    }
    if (status == LQ_OK)
        status = fold(nodes, n, err);
    struct sha256 *const h = status == LQ_OK ? sha256_new() : NULL;
    if (h) {
        put_byte(h, MODEL);
        put_text(h, label);
        put_u64(h, n);
        sha256_update(h, nodes[0], 32);
        sha256_final(h, digest);
    } else if (status == LQ_OK) {
        status = lq_fail_memory(err);
    }
    free(nodes);
    return status;
}

/* ---- the content digest ---- */

struct content {
    const struct catalog *c;
    uint64_t *first;        /* number of each tensor's first leaf; [n_tensors]: of all */
    uint8_t (*leaves)[32];
    const struct progress *progress;
    /* what threads share */
    pthread_mutex_t lock;
    uint64_t done, bytes;
    bool stopped;
    lq_status status;       /* of the first failure */
    lq_error err;
};

static const struct tensor *tensor_of_leaf(const struct content *d, uint64_t leaf)
{
    size_t low = 0, high = d->c->n_tensors - 1;
    while (low < high) {
        const size_t mid = (low + high + 1) / 2;
        if (d->first[mid] <= leaf)
            low = mid;
        else
            high = mid - 1;
    }
    return &d->c->tensors[low];
}

/* A leaf's bytes. */
struct leaf_data {
    uint8_t *buffer, *data;
    size_t n;
    struct sha256 *hash;
};

/* In a big-endian file only whole blocks can be read: what is read may begin before and end behind. */
static lq_status read_leaf(const struct content *d, uint64_t leaf, struct leaf_data *l,
                           lq_error *err)
{
    const struct tensor *const t = tensor_of_leaf(d, leaf);
    const uint64_t at = (leaf - d->first[t - d->c->tensors]) * DIGEST_LEAF;
    const uint64_t n = t->bytes - at < DIGEST_LEAF ? t->bytes - at : DIGEST_LEAF;
    const uint64_t block = d->c->big_endian ? t->type->block_bytes : 1;
    const uint64_t from = at / block * block, to = (at + n + block - 1) / block * block;
    l->buffer = malloc((size_t)(to - from) + 1);
    l->hash = digest_leaf_begin();
    lq_status status = l->buffer && l->hash ? LQ_OK : lq_fail_memory(err);
    if (status == LQ_OK && n)
        status = catalog_read(d->c, t, l->buffer, (size_t)(to - from), from, err);
    l->data = l->buffer ? l->buffer + (at - from) : NULL;
    l->n = (size_t)n;
    if (status != LQ_OK)
        lq_error_add_tensor(err, t->name);
    return status;
}

/* One leaf, or two side by side. */
static lq_status hash_leaves(const struct content *d, uint64_t leaf, bool two, lq_error *err)
{
    struct leaf_data a = {0}, b = {0};
    lq_status status = read_leaf(d, leaf, &a, err);
    if (status == LQ_OK && two)
        status = read_leaf(d, leaf + 1, &b, err);
    if (status == LQ_OK && two)
        sha256_update_both(a.hash, a.data, a.n, b.hash, b.data, b.n);
    else if (status == LQ_OK)
        sha256_update(a.hash, a.data, a.n);
    if (status == LQ_OK) {
        sha256_final(a.hash, d->leaves[leaf]);
        if (two)
            sha256_final(b.hash, d->leaves[leaf + 1]);
    } else {
        sha256_free(a.hash);
        sha256_free(b.hash);
    }
    free(a.buffer);
    free(b.buffer);
    return status;
}

static void hash_at(struct content *d, uint64_t leaf, bool two)
{
    lq_error err = {0};
    lq_status status = hash_leaves(d, leaf, two, &err);
    pthread_mutex_lock(&d->lock);
    const uint64_t left = d->bytes - d->done, some = two ? 2 * DIGEST_LEAF : DIGEST_LEAF;
    d->done += some < left ? some : left;
    progress_step(d->progress, d->done, d->bytes, tensor_of_leaf(d, leaf)->name);
    if (status == LQ_OK && progress_stop(d->progress))
        status = lq_fail(&err, LQ_E_INTERRUPTED, "interrupted");
    if (status != LQ_OK && d->status == LQ_OK) {
        d->status = status;
        d->err = err;
#pragma omp atomic write
        d->stopped = true;
    }
    pthread_mutex_unlock(&d->lock);
}

static lq_status put_together(const struct content *d, uint8_t digest[32], lq_error *err)
{
    struct digest_entry *const entries = mem_calloc(d->c->n_tensors + 1, sizeof *entries);
    lq_status status = entries ? LQ_OK : lq_fail_memory(err);
    for (size_t i = 0; i < d->c->n_tensors && status == LQ_OK; i++) {
        const struct tensor *const t = &d->c->tensors[i];
        status = digest_tensor(&entries[i], t, t->type->name, t->bytes, d->leaves + d->first[i],
                               err);
    }
    if (status == LQ_OK)
        status = digest_model(DIGEST_CONTENT, entries, d->c->n_tensors, digest, err);
    free(entries);
    return status;
}

static void hash_all(struct content *d, unsigned threads)
{
    const uint64_t n = d->first[d->c->n_tensors];
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads_resolve(threads))
    for (uint64_t leaf = 0; leaf < n; leaf += 2) {
        bool stop;
#pragma omp atomic read
        stop = d->stopped;
        if (!stop)
            hash_at(d, leaf, leaf + 1 < n);
    }
}

lq_status digest_content(const struct catalog *c, unsigned threads,
                         const struct progress *progress, uint8_t digest[32], lq_error *err)
{
    struct content d = {.c = c, .progress = progress, .lock = PTHREAD_MUTEX_INITIALIZER};
    d.first = mem_calloc(c->n_tensors + 1, sizeof *d.first);
    for (size_t i = 0; d.first && i < c->n_tensors; i++) {
        d.first[i + 1] = d.first[i] + digest_leaf_count(c->tensors[i].bytes);
        d.bytes += c->tensors[i].bytes;
    }
    d.leaves = d.first ? mem_calloc((size_t)d.first[c->n_tensors] + 1, sizeof *d.leaves) : NULL;
    if (d.leaves)
        hash_all(&d, threads);
    else
        d.status = lq_fail_memory(&d.err);
    lq_status status = d.status;
    if (status == LQ_OK)
        status = put_together(&d, digest, err);
    else if (err)
        *err = d.err;
    free(d.leaves);
    free(d.first);
    return status;
}
