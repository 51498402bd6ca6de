/* digest.c -- the Merkle tree over a model's tensors. */
#include "libquant/trust/digest.h"

#include "libquant/base/hash.h"
#include "libquant/base/threads.h"

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

struct content_digest {
    const struct catalog *c;
    uint64_t *first;        /* number of each tensor's first leaf; [n_tensors]: of all */
    uint8_t (*leaves)[32];
    uint64_t bytes;
};

lq_status content_digest_new(struct content_digest **out, const struct catalog *c, lq_error *err)
{
    struct content_digest *const d = *out = mem_calloc(1, sizeof *d);
    if (!d)
        return lq_fail_memory(err);
    d->c = c;
    d->first = mem_calloc(c->n_tensors + 1, sizeof *d->first);
    for (size_t i = 0; d->first && i < c->n_tensors; i++) {
        d->first[i + 1] = d->first[i] + digest_leaf_count(c->tensors[i].bytes);
        d->bytes += c->tensors[i].bytes;
    }
    d->leaves = d->first ? mem_calloc((size_t)d->first[c->n_tensors] + 1, sizeof *d->leaves) : NULL;
    if (d->leaves)
        return LQ_OK;
    content_digest_free(d);
    *out = NULL;
    return lq_fail_memory(err);
}

void content_digest_free(struct content_digest *d)
{
    if (!d)
        return;
    free(d->first);
    free(d->leaves);
    free(d);
}

uint64_t content_digest_leaves(const struct content_digest *d)
{
    return d->first[d->c->n_tensors];
}

uint64_t content_digest_bytes(const struct content_digest *d)
{
    return d->bytes;
}

static const struct tensor *tensor_of_leaf(const struct content_digest *d, uint64_t leaf)
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

/* In a big-endian file only whole blocks can be read: what is read may begin before and end behind. */
lq_status content_digest_leaf(struct content_digest *d, uint64_t leaf, lq_error *err)
{
    const struct tensor *const t = tensor_of_leaf(d, leaf);
    const uint64_t at = (leaf - d->first[t - d->c->tensors]) * DIGEST_LEAF;
    const uint64_t n = t->bytes - at < DIGEST_LEAF ? t->bytes - at : DIGEST_LEAF;
    const uint64_t block = d->c->big_endian ? t->type->block_bytes : 1;
    const uint64_t from = at / block * block, to = (at + n + block - 1) / block * block;
    uint8_t *const buffer = malloc((size_t)(to - from) + 1);
    lq_status status = buffer ? LQ_OK : lq_fail_memory(err);
    if (status == LQ_OK && n)
        status = catalog_read(d->c, t, buffer, (size_t)(to - from), from, err);
    if (status == LQ_OK)
        status = digest_leaf(buffer + (at - from), (size_t)n, d->leaves[leaf], err);
    free(buffer);
    if (status != LQ_OK)
        lq_error_add_tensor(err, t->name);
    return status;
}

lq_status content_digest_finish(const struct content_digest *d, uint8_t digest[32], lq_error *err)
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

/* ---- on threads of OpenMP ---- */

struct content_run {
    struct content_digest *d;
    const struct progress *progress;
    uint64_t done;
    bool stopped;
    lq_status status; /* of the first failure */
    lq_error err;
};

static void hash_at(struct content_run *r, uint64_t leaf)
{
    lq_error err = {0};
    lq_status status = content_digest_leaf(r->d, leaf, &err);
#pragma omp critical
    {
        const struct tensor *const t = tensor_of_leaf(r->d, leaf);
        const uint64_t left = r->d->bytes - r->done, n = t->bytes < DIGEST_LEAF ? t->bytes : DIGEST_LEAF;
        r->done += n < left ? n : left;
        progress_step(r->progress, r->done, r->d->bytes, t->name);
        if (status == LQ_OK && progress_stop(r->progress))
            status = lq_fail(&err, LQ_E_INTERRUPTED, "interrupted");
        if (status != LQ_OK && r->status == LQ_OK) {
            r->status = status;
            r->err = err;
#pragma omp atomic write
            r->stopped = true;
        }
    }
}

lq_status digest_content(const struct catalog *c, unsigned threads,
                         const struct progress *progress, uint8_t digest[32], lq_error *err)
{
    struct content_run r = {.progress = progress};
    LQ_TRY(content_digest_new(&r.d, c, err));
    const uint64_t n = content_digest_leaves(r.d);
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads_resolve(threads))
    for (uint64_t leaf = 0; leaf < n; leaf++) {
        bool stop;
#pragma omp atomic read
        stop = r.stopped;
        if (!stop)
            hash_at(&r, leaf);
    }
    lq_status status = r.status;
    if (status == LQ_OK)
        status = content_digest_finish(r.d, digest, err);
    else if (err)
        *err = r.err;
    content_digest_free(r.d);
    return status;
}
