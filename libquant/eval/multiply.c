/* multiply.c -- products of activations with stored matrices: tiles of rows are read, decoded and
 * multiplied on any thread. */
#include "libquant/base/threads.h"
#include "libquant/eval/engine.h"

#include <omp.h>
#include <pthread.h>
#include <stdlib.h>

enum {
    TILE_FLOATS = 64 * 1024, /* of a decoded tile: it stays in the second-level cache */
    TILE_STEP = 32,          /* rows: a multiple of every kernel's */
    PACK_ROWS = 48           /* a multiple of every kernel's rows */
};

lq_status engine_grow(void **p, size_t *have, size_t n, size_t size, lq_error *err)
{
    if (n <= *have)
        return LQ_OK;
    free(*p);
    *p = mem_calloc(n, size);
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

static lq_status pack_some(struct engine *e, void *job, size_t i, struct workspace *w, lq_error *err)
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

static lq_status multiply_tile(struct engine *e, void *job, size_t i, struct workspace *w,
                               lq_error *err)
{
    const struct multiply_job *const j = job;
    const struct weights *const source = e->graph.weights;
    size_t which = 0;
    while (i >= j->first[which + 1])
        which++;
    const struct product *const p = &j->p[which];
    const size_t row = (i - j->first[which]) * j->tile[which];
    const size_t n = p->rows - row < j->tile[which] ? p->rows - row : j->tile[which];
    const size_t k = (size_t)tensor_cols(p->t);
    LQ_TRY(engine_grow(&w->raw, &w->raw_size, source->raw_bytes(source, p->t, n), 1, err));
    LQ_TRY(engine_grow((void **)&w->tile, &w->tile_size, n * k, sizeof *w->tile, err));
    LQ_TRY(engine_grow((void **)&w->gemm, &w->gemm_size, gemm_scratch_floats(e->gemm, n),
                       sizeof *w->gemm, err));
    const lq_status status =
        source->rows(source, p->t, p->row0 + row, n, w->raw, w->tile, e->isa, err);
    if (status != LQ_OK) {
        lq_error_add_tensor(err, p->t->name);
        return status;
    }
    gemm_rows(e->gemm, p->packed, p->m, k, w->tile, k, n, p->c + row, p->ldc, w->gemm);
    for (size_t r = 0; p->bias && r < p->m; r++)
        e->lanes->add(p->c + r * p->ldc + row, p->bias + row, n);
    return LQ_OK;
}

lq_status engine_multiply(struct engine *e, const struct product *p, size_t n, lq_error *err)
{
    struct multiply_job j = {.p = p, .n = n};
    for (size_t i = 0; i < n; i++) {
        const size_t k = (size_t)tensor_cols(p[i].t);
        size_t tile = TILE_FLOATS / k;
        const size_t share = p[i].rows / (2 * (size_t)e->threads);
        tile = share < tile ? share : tile;
        tile = tile < TILE_STEP ? TILE_STEP : tile / TILE_STEP * TILE_STEP;
        j.tile[i] = tile;
        j.first[i + 1] = j.first[i] + (p[i].rows + tile - 1) / tile;
    }
    return engine_parallel(e, j.first[n], multiply_tile, &j, err);
}
