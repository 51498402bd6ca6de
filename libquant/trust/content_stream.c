/* content_stream.c -- the content digest of tensors whose bytes stream by. */
#include "libquant/trust/content_stream.h"

#include "libquant/base/hash.h"

#include <assert.h>
#include <stdlib.h>

static lq_status begin(struct content_stream *s, size_t tensor, lq_error *err)
{
    const uint64_t n = digest_leaf_count(s->c->tensors[tensor].bytes);
    s->tensor = tensor;
    s->done = 0;
    s->leaves = mem_calloc((size_t)n, sizeof *s->leaves);
    return s->leaves ? LQ_OK : lq_fail_memory(err);
}

static lq_status end(struct content_stream *s, lq_error *err)
{
    const struct tensor *const t = &s->c->tensors[s->tensor];
    const lq_status status =
        digest_tensor(&s->entries[s->tensor], t, t->type->name, t->bytes, s->leaves, err);
    free(s->leaves);
    s->leaves = NULL;
    return status;
}

lq_status content_stream_put(struct content_stream *s, size_t tensor, const void *data, size_t n,
                             struct sha256 *also, lq_error *err)
{
    const uint64_t bytes = s->c->tensors[tensor].bytes;
    const char *p = data;
    assert(!s->leaves || s->tensor == tensor);
    while (n > 0) {
        if (!s->leaves)
            LQ_TRY(begin(s, tensor, err));
        if (!s->leaf && !(s->leaf = digest_leaf_begin()))
            return lq_fail_memory(err);
        const size_t left = DIGEST_LEAF - (size_t)(s->done % DIGEST_LEAF);
        const size_t some = n < left ? n : left;
        if (also)
            sha256_update_both(s->leaf, p, some, also, p, some);
        else
            sha256_update(s->leaf, p, some);
        p += some;
        n -= some;
        s->done += some;
        assert(s->done <= bytes);
        if (s->done % DIGEST_LEAF == 0 || s->done == bytes) {
            sha256_final(s->leaf, s->leaves[(s->done - 1) / DIGEST_LEAF]);
            s->leaf = NULL;
        }
        if (s->done == bytes)
            LQ_TRY(end(s, err));
    }
    return LQ_OK;
}

void content_stream_release(struct content_stream *s)
{
    sha256_free(s->leaf);
    free(s->leaves);
    s->leaf = NULL;
    s->leaves = NULL;
}

lq_status content_stream_digest(const struct catalog *c, struct digest_entry *entries,
                                uint8_t digest[32], lq_error *err)
{
    for (size_t i = 0; i < c->n_tensors; i++) {
        const struct tensor *const t = &c->tensors[i];
        uint8_t leaf[1][32];
        if (entries[i].name)
            continue;
        assert(t->bytes == 0);
        LQ_TRY(digest_leaf("", 0, leaf[0], err));
        LQ_TRY(digest_tensor(&entries[i], t, t->type->name, 0, leaf, err));
    }
    return digest_model(DIGEST_CONTENT, entries, c->n_tensors, digest, err);
}
