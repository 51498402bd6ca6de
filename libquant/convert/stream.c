/* stream.c -- the pipeline: workers make chunks in any order, chunks are written in order.
 *
 *   chunk numbers   0 1 2 3 4 5 6 7 8 ...
 *                       ^       ^
 *                 committed     next        slots[number % n_slots] hold what lies between
 *
 * A worker claims chunk `next`, waits until its slot is free, makes it, and marks it done. Whoever
 * finds chunk `committed` done writes it, and goes on while the following ones are done too: there
 * is no writer thread, and never more than one writer. The oldest chunk always has a worker, so
 * nobody waits forever. An error travels in its slot and is met in order: the first one by position
 * is reported, whatever the timing.
 */
#include "libquant/convert/stream.h"

#include "libquant/base/threads.h"
#include "libquant/codec/kernels.h"
#include "libquant/convert/make_rows.h"
#include "formats/format.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK_ELEMENTS = 128 * 1024, /* floats of one chunk stay within a core's second-level cache */
    READ_AHEAD = 16 << 20        /* bytes of the source that the system is asked to fetch early */
};

struct slot {
    void **out;  /* encoded rows, one buffer per output */
    size_t *len; /* their lengths */
    bool done;
    lq_status status;
    lq_error err;
};

struct run {
    const struct step *steps;
    size_t n_steps;
    struct output *outputs;
    size_t n_outputs;
    const struct stream_options *options;
    uint64_t *first_chunk; /* number of each step's first chunk; [n_steps]: of all */
    struct sink **sinks;   /* all outputs' files, one output after the other */
    size_t *first_sink;    /* [output]; [n_outputs]: number of sinks */
    struct slot *slots;
    size_t n_slots;
    size_t raw_bytes, float_count; /* of the largest chunk: each worker's buffers */
    size_t *out_bytes;             /* [output] likewise: each slot's buffers */
    uint64_t total;                /* input bytes, for the progress line */

    pthread_mutex_t lock;
    pthread_cond_t freed;
    uint64_t next, committed; /* chunk numbers */
    bool committing;
    lq_status status; /* first failure; no chunk is claimed after it */
    lq_error err;
    uint64_t done; /* input bytes committed */
};

/* ---- cutting tensors into chunks ---- */

static const struct tensor *out_tensor(const struct run *r, size_t step)
{
    return &r->outputs[0].catalog.tensors[step];
}

/* A row that is longer than a chunk may be cut at block boundaries where nothing looks at the whole
 * row: plain copies without importance. Then it is treated as rows of CHUNK_ELEMENTS. */
static bool rows_can_be_cut(const struct run *r, size_t i)
{
    const struct step *const s = &r->steps[i];
    if (s->row_from || s->fill || s->fill_raw || s->map)
        return false;
    for (size_t k = 0; k < r->n_outputs; k++)
        if (r->outputs[k].importance && r->outputs[k].importance[i])
            return false;
    return true;
}

static struct chunk_shape shape_of(const struct run *r, size_t i)
{
    const struct tensor *const t = out_tensor(r, i);
    struct chunk_shape c = {.cols = tensor_cols(t), .rows = tensor_rows(t)};
    const uint64_t asked = r->steps[i].chunk_elements;
    const uint64_t target =
        (asked ? asked : CHUNK_ELEMENTS) / (r->n_outputs < 8 ? r->n_outputs : 8);
    if (c.cols > 2 * CHUNK_ELEMENTS && rows_can_be_cut(r, i)) {
        c.cut = true;
        c.rows_per_chunk = 1;
        c.cols = CHUNK_ELEMENTS;
        c.rows = (t->elements + c.cols - 1) / c.cols;
    } else {
        c.rows_per_chunk = c.cols && c.cols < target ? target / c.cols : 1;
    }
    return c;
}

static uint64_t chunks_of(const struct chunk_shape *c)
{
    return (c->rows + c->rows_per_chunk - 1) / c->rows_per_chunk;
}

static struct chunk chunk_at(const struct run *r, uint64_t number)
{
    size_t low = 0, high = r->n_steps - 1;
    while (low < high) { /* the last step whose first chunk is not after `number` */
        const size_t mid = (low + high + 1) / 2;
        if (r->first_chunk[mid] <= number)
            low = mid;
        else
            high = mid - 1;
    }
    const struct chunk_shape shape = shape_of(r, low);
    const struct tensor *const t = out_tensor(r, low);
    struct chunk c = {.step = low, .cols = shape.cols, .row_len = tensor_cols(t)};
    c.row = (number - r->first_chunk[low]) * shape.rows_per_chunk;
    c.rows = shape.rows - c.row < shape.rows_per_chunk ? shape.rows - c.row : shape.rows_per_chunk;
    if (shape.cut && (c.row + 1) * shape.cols > t->elements)
        c.cols = t->elements - c.row * shape.cols;
    c.first = shape.cut ? c.row * shape.cols : c.row * c.cols;
    return c;
}

static void measure(struct run *r)
{
    for (size_t i = 0; i < r->n_steps; i++) {
        const struct step *const s = &r->steps[i];
        const struct chunk_shape c = shape_of(r, i);
        const uint64_t rows = c.rows < c.rows_per_chunk ? c.rows : c.rows_per_chunk;
        const uint64_t n = rows * c.cols;
        r->first_chunk[i + 1] = r->first_chunk[i] + chunks_of(&c);
        r->float_count = n > r->float_count ? (size_t)n : r->float_count;
        const uint64_t raw = make_rows_raw_bytes(s, n);
        r->raw_bytes = raw > r->raw_bytes ? (size_t)raw : r->raw_bytes;
        for (size_t k = 0; k < r->n_outputs; k++) {
            const uint64_t out = type_bytes(r->outputs[k].catalog.tensors[i].type, n);
            r->out_bytes[k] = out > r->out_bytes[k] ? (size_t)out : r->out_bytes[k];
        }
        for (uint32_t k = 0; k < s->n_in; k++)
            r->total += s->in[k]->bytes;
    }
}

/* ---- workers ---- */

/* Asks the system to fetch what comes after this chunk; only worth it where rows go in order. */
static void read_ahead(const struct run *r, const struct chunk *c)
{
    const struct step *const s = &r->steps[c->step];
    if (!s->n_in || s->row_from || s->fill || s->fill_raw || !s->in[0]->elements)
        return;
    const struct tensor *const t = s->in[0];
    const int fd = s->source->files[t->file].source->fd;
    const double per_element = (double)t->bytes / (double)t->elements;
    const uint64_t from = (uint64_t)((double)c->first * per_element);
    const uint64_t to = (uint64_t)((double)(c->first + c->rows * c->cols) * per_element);
    if (fd >= 0 && from / (READ_AHEAD / 2) != to / (READ_AHEAD / 2))
        (void)posix_fadvise(fd, (off_t)(t->offset + to), READ_AHEAD, POSIX_FADV_WILLNEED);
}

static void make_chunk(const struct run *r, uint64_t number, const struct row_buffers *buffers,
                       struct slot *slot)
{
    const struct chunk c = chunk_at(r, number);
    read_ahead(r, &c);
    slot->status = make_rows(&r->steps[c.step], &c, r->outputs, r->n_outputs, r->options, buffers,
                             slot->out, slot->len, &slot->err);
    if (slot->status != LQ_OK)
        lq_error_add_tensor(&slot->err, out_tensor(r, c.step)->name);
}

/* Appends a chunk to every output. Called by one thread at a time, in order. */
static lq_status write_chunk(struct run *r, uint64_t number, const struct slot *slot, lq_error *err)
{
    const struct chunk c = chunk_at(r, number);
    for (size_t k = 0; k < r->n_outputs; k++) {
        const struct tensor *const t = &r->outputs[k].catalog.tensors[c.step];
        struct sink *const sink = r->sinks[r->first_sink[k] + t->file];
        if (number == r->first_chunk[c.step])
            LQ_TRY(sink_pad(sink, t->offset, err));
        const struct tensor_observer *const o = r->outputs[k].observer;
        struct sha256 *hash;
        if (!o) {
            LQ_TRY(sink_append(sink, slot->out[k], slot->len[k], err));
            continue;
        }
        LQ_TRY(sink_append_unhashed(sink, slot->out[k], slot->len[k], &hash, err));
        LQ_TRY(o->put(o->ctx, c.step, slot->out[k], slot->len[k], hash, err));
    }
    const struct step *const s = &r->steps[c.step];
    uint64_t bytes = 0;
    for (uint32_t k = 0; k < s->n_in; k++)
        bytes += s->in[k]->bytes;
    const uint64_t chunks = r->first_chunk[c.step + 1] - r->first_chunk[c.step];
    r->done += number + 1 == r->first_chunk[c.step + 1] ? bytes - bytes / chunks * (chunks - 1)
                                                        : bytes / chunks;
    progress_step(r->options->progress, r->done, r->total, out_tensor(r, c.step)->name);
    if (progress_stop(r->options->progress))
        return lq_fail(err, LQ_E_INTERRUPTED, "interrupted; nothing was written");
    return LQ_OK;
}

/* Writes every chunk that is due. The lock is held on entry and on return, not while writing. */
static void commit(struct run *r)
{
    r->committing = true;
    for (;;) {
        struct slot *const slot = &r->slots[r->committed % r->n_slots];
        if (r->status != LQ_OK || r->committed == r->next || !slot->done)
            break;
        pthread_mutex_unlock(&r->lock);
        lq_error err = slot->err;
        const lq_status status =
            slot->status == LQ_OK ? write_chunk(r, r->committed, slot, &err) : slot->status;
        pthread_mutex_lock(&r->lock);
        if (status != LQ_OK) {
            r->status = status;
            r->err = err;
        }
        slot->done = false;
        r->committed++;
        pthread_cond_broadcast(&r->freed);
    }
    r->committing = false;
}

static void work(struct run *r, const struct row_buffers *buffers)
{
    const uint64_t n_chunks = r->first_chunk[r->n_steps];
    fenv_t saved;
    fp_enter(&saved);
    pthread_mutex_lock(&r->lock);
    while (r->status == LQ_OK && r->next < n_chunks) {
        const uint64_t number = r->next++;
        while (r->status == LQ_OK && number >= r->committed + r->n_slots)
            pthread_cond_wait(&r->freed, &r->lock);
        if (r->status != LQ_OK)
            break;
        struct slot *const slot = &r->slots[number % r->n_slots];
        pthread_mutex_unlock(&r->lock);
        make_chunk(r, number, buffers, slot);
        pthread_mutex_lock(&r->lock);
        slot->done = true;
        if (!r->committing)
            commit(r);
    }
    pthread_mutex_unlock(&r->lock);
    fp_leave(&saved);
}

/* ---- set-up and end ---- */

static lq_status begin_file(struct output *o, uint32_t file, bool sync, struct sink **sink,
                            lq_error *err)
{
    const unsigned flags = (sync ? SINK_SYNC : 0u) | (o->sha256 ? SINK_SHA256 : 0u);
    struct text header = {0};
    lq_status status = o->format->layout(&o->catalog, file, &header, err);
    if (o->sinks) {
        *sink = o->sinks[file];
        o->sinks[file] = NULL;
    } else if (status == LQ_OK) {
        status = sink_open(sink, o->paths ? o->paths[file] : o->path, flags, err);
    }
    if (status == LQ_OK)
        status = sink_append(*sink, header.data, header.len, err);
    text_free(&header);
    return status;
}

static lq_status begin_outputs(struct run *r, lq_error *err)
{
    for (size_t k = 0; k < r->n_outputs; k++)
        r->first_sink[k + 1] = r->first_sink[k] + r->outputs[k].catalog.n_files;
    r->sinks = mem_calloc(r->first_sink[r->n_outputs], sizeof *r->sinks);
    if (!r->sinks)
        return lq_fail_memory(err);
    for (size_t k = 0; k < r->n_outputs; k++)
        for (uint32_t f = 0; f < r->outputs[k].catalog.n_files; f++)
            LQ_TRY(begin_file(&r->outputs[k], f, r->options->sync,
                              &r->sinks[r->first_sink[k] + f], err));
    return LQ_OK;
}

static lq_status end_outputs(struct run *r, lq_error *err)
{
    const size_t n = r->first_sink[r->n_outputs];
    for (size_t k = 0; k < r->n_outputs; k++)
        for (uint32_t f = 0; f < r->outputs[k].catalog.n_files; f++)
            LQ_TRY(sink_pad(r->sinks[r->first_sink[k] + f], r->outputs[k].catalog.files[f].size,
                            err));
    uint8_t(*const digests)[32] = mem_calloc(n, sizeof *digests);
    if (!digests)
        return lq_fail_memory(err);
    const lq_status status = sink_commit_all(r->sinks, n, digests, err);
    for (size_t k = 0; k < r->n_outputs && status == LQ_OK; k++)
        for (size_t f = 0; r->outputs[k].sha256 && f < r->outputs[k].catalog.n_files; f++)
            memcpy(r->outputs[k].sha256[f], digests[r->first_sink[k] + f], 32);
    free(digests);
    return status;
}

static bool allocate_slots(struct run *r)
{
    r->slots = mem_calloc(r->n_slots, sizeof *r->slots);
    for (size_t i = 0; r->slots && i < r->n_slots; i++) {
        struct slot *const s = &r->slots[i];
        s->out = mem_calloc(r->n_outputs, sizeof *s->out);
        s->len = mem_calloc(r->n_outputs, sizeof *s->len);
        if (!s->out || !s->len)
            return false;
        for (size_t k = 0; k < r->n_outputs; k++)
            if (!(s->out[k] = mem_calloc(r->out_bytes[k], 1)))
                return false;
    }
    return r->slots != NULL;
}

static bool allocate_buffers(const struct run *r, struct row_buffers *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        b[i].raw = mem_calloc(r->raw_bytes, 1);
        b[i].floats = mem_calloc(r->float_count, sizeof(float));
        if (!b[i].raw || !b[i].floats)
            return false;
    }
    return true;
}

static void release(struct run *r, struct row_buffers *buffers, size_t n_buffers)
{
    for (size_t i = 0; r->slots && i < r->n_slots; i++) {
        for (size_t k = 0; r->slots[i].out && k < r->n_outputs; k++)
            free(r->slots[i].out[k]);
        free(r->slots[i].out);
        free(r->slots[i].len);
    }
    for (size_t i = 0; buffers && i < n_buffers; i++) {
        free(buffers[i].raw);
        free(buffers[i].floats);
    }
    for (size_t i = 0; r->sinks && i < r->first_sink[r->n_outputs]; i++)
        sink_abort(r->sinks[i]);
    free(buffers);
    free(r->slots);
    free(r->sinks);
    free(r->first_sink);
    free(r->first_chunk);
    free(r->out_bytes);
}

lq_status stream_run(const struct step *steps, size_t n_steps, struct output *outputs,
                     size_t n_outputs, const struct stream_options *options, lq_error *err)
{
    const unsigned threads = threads_resolve(options->threads);
    struct run r = {.steps = steps, .n_steps = n_steps, .outputs = outputs, .n_outputs = n_outputs,
                    .options = options, .n_slots = 2 * (size_t)threads + 2};
    struct row_buffers *const buffers = mem_calloc(threads, sizeof *buffers);
    r.first_chunk = mem_calloc(n_steps + 1, sizeof *r.first_chunk);
    r.out_bytes = mem_calloc(n_outputs, sizeof *r.out_bytes);
    r.first_sink = mem_calloc(n_outputs + 1, sizeof *r.first_sink);
    lq_status status = LQ_OK;
    if (!buffers || !r.first_chunk || !r.out_bytes || !r.first_sink)
        status = lq_fail_memory(err);
    if (status == LQ_OK) {
        measure(&r);
        if (!allocate_slots(&r) || !allocate_buffers(&r, buffers, threads))
            status = lq_fail_memory(err);
    }
    if (status == LQ_OK)
        status = begin_outputs(&r, err);
    if (status == LQ_OK) {
        pthread_mutex_init(&r.lock, NULL);
        pthread_cond_init(&r.freed, NULL);
        /* A parallel loop of one chunk-eating iteration a thread: a runtime that grants fewer
         * threads than asked still runs all of it. */
#pragma omp parallel for schedule(static, 1) num_threads(threads)
        for (unsigned i = 0; i < threads; i++)
            work(&r, &buffers[i]);
        pthread_cond_destroy(&r.freed);
        pthread_mutex_destroy(&r.lock);
        status = r.status;
        if (status != LQ_OK && err)
            *err = r.err;
    }
    if (status == LQ_OK)
        status = end_outputs(&r, err);
    release(&r, buffers, threads);
    return status;
}
