/* derived_digest.c -- the digest over tensors after the architecture's row, widened to F32. */
#include "libquant/provenance/derived_digest.h"

#include "formats/format.h"
#include "libquant/base/threads.h"
#include "libquant/convert/convert.h"
#include "libquant/convert/make_rows.h"
#include "libquant/trust/digest.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { LEAF_FLOATS = DIGEST_LEAF / sizeof(float) };

struct derived {
    const struct tensor *tensors; /* names and shapes, of GGUF */
    size_t n;
    const struct step *steps;     /* [n] */
    unsigned isa;
    const struct progress *progress;
    pthread_mutex_t lock;         /* of what threads share */
    uint64_t done, total;         /* elements */
    /* of the tensor at hand */
    const struct tensor *t;
    const struct step *s;
    uint8_t (*leaves)[32];
    bool stopped;
    lq_status status;             /* of the first failure */
    lq_error err;
};

/* Integers, and what has no value as a float, keep their type. */
static bool is_widened(const struct tensor *t)
{
    return t->type->decode && !(t->type->flags & TYPE_INTEGER);
}

/* ---- one tensor ---- */

/* Rows [row, row + n) as floats. */
static lq_status rows_of(const struct derived *d, uint64_t row, uint64_t n, float *dst,
                         lq_error *err)
{
    const uint64_t cols = tensor_cols(d->t);
    uint64_t bytes = make_rows_raw_bytes(d->s, n * cols);
    if (d->s->fill_raw && !type_row_bytes(d->t->type, n * cols, &bytes))
        return lq_fail_memory(err);
    void *const raw = mem_calloc((size_t)bytes + 1, 1);
    if (!raw)
        return lq_fail_memory(err);
    lq_status status;
    if (!d->s->fill_raw) {
        status = step_floats(d->s, row, n, cols, raw, dst, d->isa, err);
    } else if ((status = d->s->fill_raw(d->s, row, n, raw, err)) == LQ_OK) {
        d->t->type->decode(dst, raw, (size_t)(n * cols));
    }
    free(raw);
    return status;
}

/* Leaves [leaf, leaf + n): makes the rows that they lie in, and hashes them. */
static lq_status hash_leaves(const struct derived *d, uint64_t leaf, uint64_t n, lq_error *err)
{
    const uint64_t cols = tensor_cols(d->t), from = leaf * LEAF_FLOATS;
    const uint64_t end = from + n * LEAF_FLOATS;
    const uint64_t to = end < d->t->elements ? end : d->t->elements;
    const uint64_t row = cols ? from / cols : 0, after = cols ? (to + cols - 1) / cols : 0;
    float *const floats = mem_calloc((size_t)((after - row) * cols) + 1, sizeof *floats);
    if (!floats)
        return lq_fail_memory(err);
    lq_status status = after > row ? rows_of(d, row, after - row, floats, err) : LQ_OK;
    for (uint64_t i = leaf; i < leaf + n && status == LQ_OK; i++) {
        const uint64_t at = i * LEAF_FLOATS;
        const uint64_t count = at >= to ? 0 : to - at < LEAF_FLOATS ? to - at : LEAF_FLOATS;
        status = digest_leaf(floats + (at - row * cols), (size_t)count * sizeof(float),
                             d->leaves[i], err);
    }
    free(floats);
    return status;
}

static void hash_group(struct derived *d, uint64_t leaf, uint64_t n)
{
    lq_error err = {0};
    fenv_t saved;
    fp_enter(&saved);
    lq_status status = hash_leaves(d, leaf, n, &err);
    fp_leave(&saved);
    pthread_mutex_lock(&d->lock);
    const uint64_t left = d->total - d->done, some = n * LEAF_FLOATS;
    d->done += some < left ? some : left;
    progress_step(d->progress, d->done, d->total, d->t->name);
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

/* A row that is longer than a leaf is made once for all leaves that begin in it, or twice. */
static lq_status hash_floats(struct derived *d, uint64_t leaves, unsigned threads, lq_error *err)
{
    const uint64_t group = tensor_cols(d->t) / LEAF_FLOATS + 1;
    d->stopped = false;
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads_resolve(threads))
    for (uint64_t leaf = 0; leaf < leaves; leaf += group) {
        bool stop;
#pragma omp atomic read
        stop = d->stopped;
        if (!stop)
            hash_group(d, leaf, leaves - leaf < group ? leaves - leaf : group);
    }
    if (d->status != LQ_OK && err)
        *err = d->err;
    return d->status;
}

/* Rows of integers, as they are stored or made. */
static lq_status hash_stored(struct derived *d, uint64_t leaves, lq_error *err)
{
    const struct tensor *const t = d->t;
    uint8_t *const data = mem_calloc((size_t)t->bytes + 1, 1);
    if (!data)
        return lq_fail_memory(err);
    lq_status status = !t->elements ? LQ_OK
                       : d->s->fill_raw
                           ? d->s->fill_raw(d->s, 0, tensor_rows(t), data, err)
                           : catalog_read(d->s->source, d->s->in[0], data, (size_t)t->bytes, 0, err);
    for (uint64_t i = 0; i < leaves && status == LQ_OK; i++) {
        const uint64_t at = i * DIGEST_LEAF;
        const uint64_t n = t->bytes - at < DIGEST_LEAF ? t->bytes - at : DIGEST_LEAF;
        status = digest_leaf(data + at, (size_t)n, d->leaves[i], err);
    }
    free(data);
    return status;
}

static lq_status hash_tensor(struct derived *d, size_t i, struct digest_entry *e, unsigned threads,
                             lq_error *err)
{
    d->t = &d->tensors[i];
    d->s = &d->steps[i];
    const bool widened = is_widened(d->t);
    const uint64_t bytes = widened ? d->t->elements * sizeof(float) : d->t->bytes;
    const uint64_t leaves = digest_leaf_count(bytes);
    d->leaves = mem_calloc((size_t)leaves, sizeof *d->leaves);
    if (!d->leaves)
        return lq_fail_memory(err);
    lq_status status =
        widened ? hash_floats(d, leaves, threads, err) : hash_stored(d, leaves, err);
    if (status == LQ_OK)
        status = digest_tensor(e, d->t, widened ? "F32" : d->t->type->name, bytes, d->leaves, err);
    free(d->leaves);
    if (status != LQ_OK)
        lq_error_add_tensor(err, d->t->name);
    return status;
}

/* ---- the model ---- */

static lq_status hash_all(struct derived *d, unsigned threads, uint8_t digest[32], lq_error *err)
{
    struct digest_entry *const entries = mem_calloc(d->n + 1, sizeof *entries);
    lq_status status = entries ? LQ_OK : lq_fail_memory(err);
    for (size_t i = 0; i < d->n; i++)
        d->total += d->tensors[i].elements;
    for (size_t i = 0; i < d->n && status == LQ_OK; i++)
        status = hash_tensor(d, i, &entries[i], threads, err);
    if (status == LQ_OK)
        status = digest_model(DIGEST_DERIVED, entries, d->n, digest, err);
    free(entries);
    return status;
}

static lq_status of_gguf(struct derived *d, const struct catalog *c, unsigned threads,
                         uint8_t digest[32], lq_error *err)
{
    struct step *const steps = mem_calloc(c->n_tensors + 1, sizeof *steps);
    const struct tensor **const in = mem_calloc(c->n_tensors + 1, sizeof(const struct tensor *));
    lq_status status = steps && in ? LQ_OK : lq_fail_memory(err);
    for (size_t i = 0; i < c->n_tensors && status == LQ_OK; i++) {
        in[i] = &c->tensors[i];
        steps[i] = (struct step){.source = c, .in = &in[i], .n_in = 1};
    }
    d->tensors = c->tensors;
    d->n = c->n_tensors;
    d->steps = steps;
    if (status == LQ_OK)
        status = hash_all(d, threads, digest, err);
    free(in);
    free(steps);
    return status;
}

static lq_status of_checkpoint(struct derived *d, const struct catalog *c, unsigned threads,
                               uint8_t digest[32], lq_error *err)
{
    static const char *const type = "f32";
    const struct convert_options options = {.types = &type, .n_types = 1};
    struct conversion conversion = {0};
    lq_status status = convert_plan(&conversion, c->path, &options, err);
    if (status == LQ_OK) {
        d->tensors = conversion.base.tensors;
        d->n = conversion.base.n_tensors;
        d->steps = conversion.steps;
        status = hash_all(d, threads, digest, err);
    }
    convert_release(&conversion);
    return status;
}

lq_status derived_digest(const struct catalog *c, unsigned isa, unsigned threads,
                         const struct progress *progress, uint8_t digest[32], lq_error *err)
{
    struct derived d = {.isa = isa, .progress = progress, .lock = PTHREAD_MUTEX_INITIALIZER};
    return c->format == &format_gguf ? of_gguf(&d, c, threads, digest, err)
                                     : of_checkpoint(&d, c, threads, digest, err);
}
