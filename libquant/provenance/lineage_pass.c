/* lineage_pass.c -- reads the chunks of a claimed tensor and of its bases, on several threads. */
#include "libquant/provenance/lineage_pass.h"

#include "libquant/base/threads.h"
#include "libquant/codec/kernels.h"
#include "libquant/convert/make_rows.h"

#include <pthread.h>
#include <stdlib.h>

enum { CHUNK = 131072 }; /* elements: a multiple of every block */

struct cut {
    uint64_t rows_per_chunk, parts_per_row, chunks;
};

bool pass_is_stored(const struct compared *c)
{
    const struct step *const s = &c->step;
    return !c->packed && !s->row_from && !s->fill && !s->fill_raw && !s->map && !s->via;
}

const struct type_info *pass_stored_type(const struct compared *c)
{
    return c->packed ? c->packed : pass_is_stored(c) ? c->step.in[0]->type : NULL;
}

static struct cut cut_of(const struct pass *p)
{
    struct cut c = {1, 1, 0};
    bool whole = p->by_row || !pass_is_stored(&p->claimed);
    for (size_t i = 0; i < p->n_bases; i++)
        whole = whole || !pass_is_stored(&p->base[i]);
    if (!p->rows || !p->cols)
        return c;
    if (p->cols <= CHUNK || whole) {
        c.rows_per_chunk = p->cols < CHUNK ? CHUNK / p->cols : 1;
        c.chunks = (p->rows - 1) / c.rows_per_chunk + 1;
    } else {
        c.parts_per_row = (p->cols - 1) / CHUNK + 1;
        c.chunks = p->rows * c.parts_per_row;
    }
    return c;
}

uint64_t pass_chunks(const struct pass *p)
{
    return cut_of(p).chunks;
}

static struct pass_chunk chunk_at(const struct pass *p, const struct cut *c, uint64_t i)
{
    struct pass_chunk k = {.index = i, .cols = p->cols, .isa = p->options->isa};
    const uint64_t row = i / c->parts_per_row * c->rows_per_chunk;
    const uint64_t left = p->rows - row, part = i % c->parts_per_row * CHUNK;
    k.row = p->first_row + row;
    k.rows = left < c->rows_per_chunk ? left : c->rows_per_chunk;
    if (c->parts_per_row > 1)
        k.cols = p->cols - part < CHUNK ? p->cols - part : CHUNK;
    k.first = k.row * p->cols + part;
    k.n = (size_t)(k.rows * k.cols);
    return k;
}

/* ---- a worker ---- */

/* A buffer that grows. */
struct room {
    void *data;
    size_t size;
};

struct side_room {
    struct room raw, floats;
};

struct worker {
    struct side_room claimed, base[LINEAGE_BASES];
    struct room scratch;
};

struct pass_rooms {
    unsigned n;
    struct worker workers[];
};

struct pass_rooms *pass_rooms_new(unsigned threads)
{
    const unsigned n = threads_resolve(threads);
    struct pass_rooms *const r = mem_calloc(1, sizeof *r + n * sizeof r->workers[0]);
    if (r)
        r->n = n;
    return r;
}

static void side_close(struct side_room *r)
{
    free(r->raw.data);
    free(r->floats.data);
}

void pass_rooms_free(struct pass_rooms *r)
{
    for (unsigned t = 0; r && t < r->n; t++) {
        side_close(&r->workers[t].claimed);
        for (size_t i = 0; i < LINEAGE_BASES; i++)
            side_close(&r->workers[t].base[i]);
        free(r->workers[t].scratch.data);
    }
    free(r);
}

static uint64_t stored_bytes(const struct type_info *type, uint64_t n)
{
    uint64_t bytes = 0;
    return type_row_bytes(type, n, &bytes) ? bytes : 0;
}

static bool make_room(struct room *r, uint64_t count, size_t size)
{
    uint64_t bytes;
    if (!mul_u64(count, size, &bytes) || bytes > SIZE_MAX)
        return false;
    if (r->size >= bytes && r->data)
        return true;
    free(r->data);
    r->data = mem_realloc(NULL, (size_t)bytes + 1, 1);
    r->size = r->data ? (size_t)bytes : 0;
    return r->data != NULL;
}

static bool side_open(struct side_room *r, const struct compared *c, uint64_t n, bool floats)
{
    const uint64_t bytes =
        c->packed ? stored_bytes(c->packed, n) : make_rows_raw_bytes(&c->step, n);
    return make_room(&r->raw, bytes, 1) && (!floats || make_room(&r->floats, n, sizeof(float)));
}

static bool worker_open(struct worker *w, const struct pass *p, const struct cut *c)
{
    uint64_t n = c->parts_per_row > 1 ? CHUNK : c->rows_per_chunk * p->cols;
    if (c->parts_per_row == 1 && c->rows_per_chunk > p->rows)
        n = p->rows * p->cols;
    bool ok = side_open(&w->claimed, &p->claimed, n, p->want_claimed);
    for (size_t i = 0; i < p->n_bases && ok; i++)
        ok = side_open(&w->base[i], &p->base[i], n, p->want_base);
    return ok && make_room(&w->scratch, n + 64, p->room_bytes);
}

/* Stored bytes to raw where the side is seen as stored, and floats where they are wanted. */
static lq_status read_side(const struct compared *c, const struct pass_chunk *k,
                           const struct side_room *r, bool want_floats, const uint8_t **stored,
                           const float **floats, lq_error *err)
{
    const struct type_info *const type = pass_stored_type(c);
    *floats = NULL;
    *stored = NULL;
    if (c->packed) {
        LQ_TRY(c->step.fill_raw(&c->step, k->row, k->rows, r->raw.data, err));
    } else if (type) {
        uint64_t at = 0, bytes = 0;
        if (!type_row_bytes(type, k->first, &at) || !type_row_bytes(type, k->n, &bytes))
            return lq_fail(err, LQ_E_UNSUPPORTED, "rows of type %s end within a byte", type->name);
        LQ_TRY(catalog_read(c->step.source, c->step.in[0], r->raw.data, (size_t)bytes, at, err));
    }
    *stored = type ? r->raw.data : NULL;
    if (!want_floats)
        return LQ_OK;
    *floats = r->floats.data;
    if (!type)
        return step_floats(&c->step, k->row, k->rows, k->cols, r->raw.data, r->floats.data, k->isa,
                           err);
    const struct kernel kernel = kernel_for(type, k->isa);
    if (!kernel.decode)
        return lq_fail(err, LQ_E_UNSUPPORTED, "type %s has no values that could be compared",
                       type->name);
    kernel.decode(r->floats.data, r->raw.data, k->n);
    return LQ_OK;
}

static lq_status do_chunk(const struct pass *p, const struct worker *w, struct pass_chunk *k,
                          lq_error *err)
{
    const uint8_t *stored;
    LQ_TRY(read_side(&p->claimed, k, &w->claimed, p->want_claimed, &k->stored, &k->claimed, err));
    for (size_t i = 0; i < p->n_bases; i++) {
        LQ_TRY(read_side(&p->base[i], k, &w->base[i], p->want_base, &stored, &k->base[i], err));
        if (i == 0)
            k->base_stored = stored;
    }
    k->room = w->scratch.data;
    p->work(p->ctx, k);
    return LQ_OK;
}

/* ---- all chunks ---- */

struct run {
    const struct pass *pass;
    struct cut cut;
    pthread_mutex_t lock; /* of what follows */
    unsigned workers;     /* that have begun */
    uint64_t next;        /* chunk */
    uint64_t done;        /* elements */
    bool enough;
    lq_status status;
    uint64_t failed; /* the lowest chunk, so that every run reports the same failure */
    lq_error err;
};

/* The next chunk; false where there is none, or no more is wanted: all that come later are of no
 * use after a failure. */
static bool take_chunk(struct run *r, uint64_t *i)
{
    pthread_mutex_lock(&r->lock);
    const bool more = r->next < r->cut.chunks && !r->enough && r->status == LQ_OK;
    *i = r->next;
    r->next += more;
    pthread_mutex_unlock(&r->lock);
    return more;
}

static void book(struct run *r, const struct pass_chunk *k, lq_status status, const lq_error *err)
{
    const struct pass *const p = r->pass;
    const struct pass_options *const o = p->options;
    pthread_mutex_lock(&r->lock);
    if (status != LQ_OK && (r->status == LQ_OK || k->index < r->failed)) {
        r->status = status;
        r->failed = k->index;
        r->err = *err;
    }
    r->done += k->n;
    r->enough = r->enough || (p->enough && p->enough(p->ctx));
    progress_step(o->progress, o->progress_done + r->done, o->progress_total,
                  p->claimed.step.n_in ? p->claimed.step.in[0]->name : NULL);
    if (r->status == LQ_OK && progress_stop(o->progress)) {
        r->status = lq_fail(&r->err, LQ_E_INTERRUPTED, "interrupted");
        r->failed = k->index;
    }
    pthread_mutex_unlock(&r->lock);
}

static void *work(void *ctx)
{
    struct run *const r = ctx;
    fenv_t saved;
    uint64_t i;
    pthread_mutex_lock(&r->lock);
    struct worker *const w = &r->pass->options->rooms->workers[r->workers++];
    pthread_mutex_unlock(&r->lock);
    const bool ready = worker_open(w, r->pass, &r->cut);
    fp_enter(&saved);
    while (take_chunk(r, &i)) {
        struct pass_chunk k = chunk_at(r->pass, &r->cut, i);
        lq_error err = {.offset = -1};
        const lq_status status = ready ? do_chunk(r->pass, w, &k, &err) : lq_fail_memory(&err);
        book(r, &k, status, &err);
    }
    fp_leave(&saved);
    return NULL;
}

/* Threads of its own: there is a pass for every tensor, many of them small, and OpenMP's threads
 * spin between two parallel regions. Where one cannot be had, the others do its work. */
lq_status pass_run(const struct pass *p, lq_error *err)
{
    struct run r = {.pass = p, .cut = cut_of(p)};
    const unsigned most = threads_resolve(p->options->threads);
    const unsigned limit = most < p->options->rooms->n ? most : p->options->rooms->n;
    const size_t wanted = (size_t)(r.cut.chunks < limit ? r.cut.chunks : limit);
    pthread_t *const threads = wanted > 1 ? mem_calloc(wanted, sizeof *threads) : NULL;
    size_t n = 0;
    pthread_mutex_init(&r.lock, NULL);
    while (threads && n + 1 < wanted && pthread_create(&threads[n], NULL, work, &r) == 0)
        n++;
    work(&r);
    while (n > 0)
        pthread_join(threads[--n], NULL);
    free(threads);
    pthread_mutex_destroy(&r.lock);
    if (r.status != LQ_OK && err)
        *err = r.err;
    return r.status;
}
