/* multiply.c -- products of activations with stored matrices: tiles of rows are read, decoded and
 * multiplied on any thread. */
#include "libquant/base/threads.h"
#include "libquant/codec/kernels.h"
#include "libquant/eval/engine.h"

#include <omp.h>
#include <pthread.h>
#include <stdlib.h>

enum {
    TILE_ROWS = 192, /* of weights that a thread takes at a time */
    TILE_STEP = 32, /* a multiple of every kernel's columns */
    PACK_ROWS = 48  /* a multiple of every kernel's rows */
};

lq_status engine_grow(void **p, size_t *have, size_t n, size_t size, lq_error *err)
{
    if (n <= *have)
        return LQ_OK;
    free(*p);
    *p = mem_calloc_huge(n, size);
    *have = *p ? n : 0;
    return *p ? LQ_OK : lq_fail_memory(err);
}

lq_status engine_parallel(struct engine *e, size_t n, engine_work *f, void *job, lq_error *err)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    lq_status status = LQ_OK;
    size_t failed = n;
    if (progress_stop(e->progress))
        return lq_fail(err, LQ_E_INTERRUPTED, "%s", "");
#pragma omp parallel num_threads((int)e->threads)
    {
        struct workspace *const w = &e->spaces[omp_get_thread_num()];
        fenv_t saved;
        fp_enter(&saved);
#pragma omp for schedule(dynamic)
        for (size_t i = 0; i < n; i++) {
            lq_error own = {.offset = -1};
            const lq_status s = f(e, job, i, w, &own);
            if (s == LQ_OK)
                continue;
            pthread_mutex_lock(&lock);
            if (i < failed) {
                failed = i;
                status = s;
                if (err)
                    *err = own;
            }
            pthread_mutex_unlock(&lock);
        }
        fp_leave(&saved);
    }
    return status;
}

/* ---- packing ---- */

struct pack_job {
    const float *x;
    size_t ldx, m, k;
    float *packed;
};

static lq_status pack_some(struct engine *e, void *job, size_t i, struct workspace *w,
                           lq_error *err)
{
    const struct pack_job *const j = job;
    const size_t first = i * PACK_ROWS;
    (void)w;
    (void)err;
    gemm_pack_rows(e->gemm, j->x, j->ldx, j->m, j->k, j->packed, first,
                   j->m - first < PACK_ROWS ? j->m - first : PACK_ROWS);
    return LQ_OK;
}

lq_status engine_pack(struct engine *e, const float *x, size_t ldx, size_t m, size_t k,
                      float *packed, lq_error *err)
{
    struct pack_job j = {x, ldx, m, k, packed};
    return engine_parallel(e, (m + PACK_ROWS - 1) / PACK_ROWS, pack_some, &j, err);
}

/* ---- multiplying ---- */

enum { MAX_PRODUCTS = 4 };

struct multiply_job {
    const struct product *p;
    size_t n, tile[MAX_PRODUCTS], first[MAX_PRODUCTS + 1]; /* number of the first tile */
};

/* Stored rows, decoded as they are needed. */
struct stored_rows {
    type_decode_fn *decode;
    const struct type_info *type;
    const uint8_t *raw;
    size_t row_bytes;
};

static const float *fetch_stored(void *ctx, size_t row, size_t n, size_t p, size_t depth,
                                 float *room, size_t *ld)
{
    const struct stored_rows *const s = ctx;
    const uint8_t *raw =
        s->raw + row * s->row_bytes + p / s->type->block_len * s->type->block_bytes;
    for (size_t i = 0; i < n; i++, raw += s->row_bytes)
        s->decode(room + i * depth, raw, depth);
    *ld = depth;
    return room;
}

/* Some rows of a product: read, decoded, multiplied. */
static lq_status multiply_rows(struct engine *e, const struct product *p, size_t row, size_t n,
                               struct workspace *w, lq_error *err)
{
    const struct weights *const source = e->graph.weights;
    const size_t k = (size_t)tensor_cols(p->t);
    const uint64_t bytes = source->raw_bytes(source, p->t, n);
    struct stored_rows stored = {kernel_for(p->t->type, e->isa).decode, p->t->type, NULL,
                                 (size_t)(bytes / n)};
    struct gemm_matrix floats = {NULL, k};
    struct gemm_weights rows = {fetch_stored, &stored, false};
    LQ_TRY(engine_grow(&w->raw, &w->raw_size, bytes, 1, err));
    LQ_TRY(engine_grow((void **)&w->gemm, &w->gemm_size, gemm_scratch_floats(e->gemm, p->m),
                       sizeof *w->gemm, err));
    if (source->stored) {
        LQ_TRY(catalog_read(source->catalog, p->t, w->raw, bytes,
                            (p->row0 + row) * stored.row_bytes, err));
        stored.raw = w->raw;
    } else {
        LQ_TRY(engine_grow((void **)&w->tile, &w->tile_size, n * k, sizeof *w->tile, err));
        LQ_TRY(source->rows(source, p->t, p->row0 + row, n, w->raw, w->tile, e->isa, err));
        floats.rows = w->tile;
        rows = (struct gemm_weights){gemm_fetch_rows, &floats, false};
    }
    gemm_rows(e->gemm, p->packed, p->m, k, &rows, n, p->c + row, p->ldc, w->gemm);
    return LQ_OK;
}

static lq_status multiply_tile(struct engine *e, void *job, size_t i, struct workspace *w,
                               lq_error *err)
{
    const struct multiply_job *const j = job;
    size_t which = 0;
    while (i >= j->first[which + 1])
        which++;
    const struct product *const p = &j->p[which];
    const size_t row = (i - j->first[which]) * j->tile[which];
    const size_t n = p->rows - row < j->tile[which] ? p->rows - row : j->tile[which];
    const lq_status status = multiply_rows(e, p, row, n, w, err);
    if (status != LQ_OK) {
        lq_error_add_tensor(err, p->t->name);
        return status;
    }
    for (size_t r = 0; p->bias && r < p->m; r++)
        e->lanes->add(p->c + r * p->ldc + row, p->bias + row, n);
    return LQ_OK;
}

lq_status engine_multiply(struct engine *e, const struct product *p, size_t n, lq_error *err)
{
    struct multiply_job j = {.p = p, .n = n};
    for (size_t i = 0; i < n; i++) {
        /* Several for each thread, so that all end at the same time. */
        const size_t share = p[i].rows / (4 * (size_t)e->threads);
        const size_t tile = share < TILE_STEP   ? TILE_STEP
                            : share > TILE_ROWS ? TILE_ROWS
                                                : share / TILE_STEP * TILE_STEP;
        j.tile[i] = tile;
        j.first[i + 1] = j.first[i] + (p[i].rows + tile - 1) / tile;
    }
    return engine_parallel(e, j.first[n], multiply_tile, &j, err);
}

lq_status engine_observe(struct engine *e, const struct product *p, const float *x, size_t ld,
                         size_t k, bool each_own, lq_error *err)
{
    struct seen s = {.t = p->t, .each_own = each_own, .x = x, .ld = ld, .m = p->m, .k = k};
    if (!e->observer)
        return LQ_OK;
    s.part = p->t->rank == 3 ? (uint32_t)(p->row0 / p->t->dim[1]) : 0;
    return e->observer->see(e->observer->ctx, e, &s, err);
}
