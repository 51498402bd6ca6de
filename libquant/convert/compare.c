/* compare.c -- how far the values of one tensor are from those of another. */
#include "libquant/convert/compare.h"

#include "libquant/base/threads.h"
#include "libquant/codec/kernels.h"
#include "libquant/codec/num.h"
#include "libquant/convert/make_rows.h"
#include "libquant/model/exact_math.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 65536, LANES = 16 };

/* A tensor cut into pieces: some whole rows each, or where rows are wide, a part of one row. */
struct cut {
    uint64_t rows, cols;
    uint64_t rows_per_piece;
    uint64_t pieces_per_row; /* 1 where a piece has whole rows */
    uint64_t pieces;
};

struct piece {
    uint64_t row, rows; /* whole rows, or one */
    uint64_t col, cols; /* part of that row */
    uint64_t first;     /* index of its first element in the flattened tensor */
};

static struct cut cut_tensor(uint64_t rows, uint64_t cols)
{
    struct cut c = {rows, cols, 1, 1, 0};
    if (rows == 0 || cols == 0)
        return c;
    if (cols <= PIECE) {
        c.rows_per_piece = PIECE / cols;
        c.pieces = (rows - 1) / c.rows_per_piece + 1;
    } else {
        c.pieces_per_row = (cols - 1) / PIECE + 1;
        c.pieces = rows * c.pieces_per_row;
    }
    return c;
}

static struct piece piece_at(const struct cut *c, uint64_t i)
{
    struct piece p = {.row = i / c->pieces_per_row * c->rows_per_piece, .cols = c->cols};
    const uint64_t left = c->rows - p.row;
    p.rows = left < c->rows_per_piece ? left : c->rows_per_piece;
    if (c->pieces_per_row > 1) {
        p.col = i % c->pieces_per_row * PIECE;
        p.cols = c->cols - p.col < PIECE ? c->cols - p.col : PIECE;
    }
    p.first = p.row * c->cols + p.col;
    return p;
}

/* ---- one side ---- */

struct side {
    const struct step *step;
    const struct type_info *type;   /* of a stored tensor that is compared as it is, else NULL */
    const struct type_info *packed; /* of rows that are made in their stored form, else NULL */
    struct kernel kernel;           /* of either */
};

/* One worker's memory for one side. */
struct buffers {
    void *raw;
    float *floats; /* of a piece; of a whole row where a step makes wide rows */
};

struct compared compared_tensor(const struct catalog *c, const struct tensor *const *t)
{
    return (struct compared){.step = {.source = c, .in = t, .n_in = 1}};
}

static bool is_stored(const struct step *s)
{
    return !s->row_from && !s->fill && !s->fill_raw && !s->map && !s->via;
}

static struct side side_of(const struct compared *c, unsigned isa)
{
    struct side side = {.step = &c->step, .packed = c->packed};
    if (is_stored(&c->step))
        side.type = c->step.in[0]->type;
    if (side.type || side.packed)
        side.kernel = kernel_for(side.type ? side.type : side.packed, isa);
    return side;
}

static bool has_floats(const struct side *s)
{
    return !(s->type || s->packed) || s->kernel.decode;
}

/* Elements that a worker's buffers must hold. A step gives whole rows only. */
static uint64_t buffer_elements(const struct side *s, const struct cut *c)
{
    return !s->type && c->cols > PIECE ? c->cols : PIECE;
}

/* Bytes of the buffer that n elements are read to. */
static uint64_t raw_bytes(const struct side *s, uint64_t n)
{
    uint64_t bytes = 0;
    if (!s->packed)
        return make_rows_raw_bytes(s->step, n);
    return type_row_bytes(s->packed, n, &bytes) ? bytes : 0;
}

static lq_status read_stored(const struct side *s, const struct piece *p, void *raw, size_t *len,
                             lq_error *err)
{
    uint64_t at = 0, bytes = 0;
    if (!type_row_bytes(s->type, p->first, &at) ||
        !type_row_bytes(s->type, p->rows * p->cols, &bytes))
        return lq_fail(err, LQ_E_UNSUPPORTED, "rows of type %s end within a byte", s->type->name);
    *len = (size_t)bytes;
    return catalog_read(s->step->source, s->step->in[0], raw, *len, at, err);
}

/* The floats of a piece; *x points to them. */
static lq_status read_floats(const struct side *s, const struct cut *c, const struct piece *p,
                             const struct buffers *b, unsigned isa, const float **x, lq_error *err)
{
    size_t len;
    *x = b->floats + (s->type ? 0 : p->col);
    if (s->packed) {
        LQ_TRY(s->step->fill_raw(s->step, p->row, p->rows, b->raw, err));
        s->kernel.decode(b->floats, b->raw, (size_t)(p->rows * c->cols));
        return LQ_OK;
    }
    if (!s->type)
        return step_floats(s->step, p->row, p->rows, c->cols, b->raw, b->floats, isa, err);
    LQ_TRY(read_stored(s, p, b->raw, &len, err));
    s->kernel.decode(b->floats, b->raw, (size_t)(p->rows * p->cols));
    return LQ_OK;
}

/* ---- sums ---- */

static double join(double lane[LANES])
{
    for (size_t n = LANES / 2; n > 0; n /= 2)
        for (size_t i = 0; i < n; i++)
            lane[i] += lane[i + n];
    return lane[0];
}

/* Adds one element; written so that a loop over the lanes becomes vector instructions. */
#define ADD(lane, x, y)                                                                            \
    do {                                                                                           \
        const double va = (double)(x), vb = (double)(y), d = va - vb;                              \
        const double size = fabs(d);                                                               \
        e2[lane] += d * d;                                                                         \
        a2[lane] += va * va;                                                                       \
        b2[lane] += vb * vb;                                                                       \
        ab[lane] += va * vb;                                                                       \
        max[lane] = size > max[lane] ? size : max[lane];                                           \
    } while (0)

/* All values are finite. */
static void add_finite(struct comparison *out, const float *a, const float *b, size_t n)
{
    double e2[LANES] = {0}, a2[LANES] = {0}, b2[LANES] = {0}, ab[LANES] = {0}, max[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            ADD(k, a[i + k], b[i + k]);
    for (size_t k = 0; i + k < n; k++)
        ADD(k, a[i + k], b[i + k]);
    for (size_t k = 0; k < LANES; k++)
        out->max_error = max[k] > out->max_error ? max[k] : out->max_error;
    out->error2 = join(e2);
    out->a2 = join(a2);
    out->b2 = join(b2);
    out->ab = join(ab);
}

static size_t count_nonfinite(const float *a, const float *b, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += !(f32_is_finite(a[i]) && f32_is_finite(b[i]));
    return count;
}

static uint64_t index_of_error(const float *a, const float *b, size_t n, double size)
{
    for (size_t i = 0; i < n; i++)
        if (fabs((double)a[i] - (double)b[i]) == size)
            return i;
    return 0;
}

/* Compares two pieces; where there are NaNs or infinities both are replaced by copies (in `room`,
 * 2 n floats) that have zeros there. */
static void compare_floats(struct comparison *out, const float *a, const float *b, size_t n,
                           float *room)
{
    out->identical = memcmp(a, b, n * sizeof *a) == 0;
    out->nonfinite = count_nonfinite(a, b, n);
    if (out->nonfinite) {
        for (size_t i = 0; i < n; i++) {
            const bool both = f32_is_finite(a[i]) && f32_is_finite(b[i]);
            room[i] = both ? a[i] : 0;
            room[n + i] = both ? b[i] : 0;
        }
        a = room;
        b = room + n;
    }
    add_finite(out, a, b, n);
    if (out->max_error > 0)
        out->max_index = index_of_error(a, b, n, out->max_error);
}

/* ---- pieces to tensors ---- */

struct job {
    struct side a, b;
    struct cut cut;
    const struct compare_options *options;
    struct comparison *pieces;
    pthread_mutex_t lock; /* of what follows; OpenMP's critical sections leave a global name */
    uint64_t done;        /* elements */
    lq_status status;
    uint64_t failed_piece; /* the lowest, so that every run reports the same failure */
    lq_error err;
};

struct worker {
    struct buffers a, b;
    float *room;
};

/* Where both sides are stored alike, their bytes decide what is identical: a 64-bit integer has
 * more of them than its float. */
static lq_status compare_piece(const struct job *j, const struct worker *w, uint64_t i,
                               lq_error *err)
{
    const struct piece p = piece_at(&j->cut, i);
    const size_t n = (size_t)(p.rows * p.cols);
    struct comparison *const out = &j->pieces[i];
    const bool alike = j->a.type && j->a.type == j->b.type;
    const bool floats = has_floats(&j->a) && has_floats(&j->b);
    out->elements = n;
    if (floats) {
        const float *a = NULL, *b = NULL;
        LQ_TRY(read_floats(&j->a, &j->cut, &p, &w->a, j->options->isa, &a, err));
        LQ_TRY(read_floats(&j->b, &j->cut, &p, &w->b, j->options->isa, &b, err));
        compare_floats(out, a, b, n, w->room);
    }
    if (alike) {
        size_t len = 0;
        if (!floats) {
            LQ_TRY(read_stored(&j->a, &p, w->a.raw, &len, err));
            LQ_TRY(read_stored(&j->b, &p, w->b.raw, &len, err));
        } else {
            uint64_t bytes = 0;
            len = type_row_bytes(j->a.type, n, &bytes) ? (size_t)bytes : 0;
        }
        out->identical = memcmp(w->a.raw, w->b.raw, len) == 0;
    }
    if (out->max_error > 0)
        out->max_index += p.first;
    return LQ_OK;
}

static bool worker_open(struct worker *w, const struct job *j)
{
    const uint64_t na = buffer_elements(&j->a, &j->cut), nb = buffer_elements(&j->b, &j->cut);
    const uint64_t raw_a = raw_bytes(&j->a, na);
    const uint64_t raw_b = raw_bytes(&j->b, nb);
    w->a.raw = mem_calloc((size_t)raw_a, 1);
    w->b.raw = mem_calloc((size_t)raw_b, 1);
    w->a.floats = mem_calloc((size_t)na, sizeof(float));
    w->b.floats = mem_calloc((size_t)nb, sizeof(float));
    w->room = mem_calloc(2 * PIECE, sizeof(float));
    return w->a.raw && w->b.raw && w->a.floats && w->b.floats && w->room;
}

static void worker_close(struct worker *w)
{
    free(w->a.raw);
    free(w->b.raw);
    free(w->a.floats);
    free(w->b.floats);
    free(w->room);
}

/* True where an earlier piece failed. */
static bool given_up(struct job *j, uint64_t i)
{
    pthread_mutex_lock(&j->lock);
    const bool result = j->status != LQ_OK && i > j->failed_piece;
    pthread_mutex_unlock(&j->lock);
    return result;
}

/* Books what became of a piece. */
static void book(struct job *j, uint64_t i, lq_status status, const lq_error *err)
{
    const struct compare_options *const o = j->options;
    pthread_mutex_lock(&j->lock);
    if (status != LQ_OK && (j->status == LQ_OK || i < j->failed_piece)) {
        j->status = status;
        j->failed_piece = i;
        j->err = *err;
    }
    j->done += j->pieces[i].elements;
    progress_step(o->progress, o->progress_done + j->done, o->progress_total,
                  j->a.step->n_in ? j->a.step->in[0]->name : NULL);
    if (j->status == LQ_OK && progress_stop(o->progress)) {
        j->status = lq_fail(&j->err, LQ_E_INTERRUPTED, "interrupted");
        j->failed_piece = i;
    }
    pthread_mutex_unlock(&j->lock);
}

static void work(struct job *j)
{
    struct worker w = {0};
    fenv_t saved;
    const bool ready = worker_open(&w, j);
    fp_enter(&saved);
#pragma omp for schedule(dynamic)
    for (uint64_t i = 0; i < j->cut.pieces; i++) {
        lq_error err = {.offset = -1};
        lq_status status;
        if (given_up(j, i))
            continue;
        status = ready ? compare_piece(j, &w, i, &err) : lq_fail_memory(&err);
        book(j, i, status, &err);
    }
    fp_leave(&saved);
    worker_close(&w);
}

lq_status compare_rows(const struct compared *a, const struct compared *b, uint64_t rows,
                       uint64_t cols, const struct compare_options *options,
                       struct comparison *out, lq_error *err)
{
    struct job j = {
        .a = side_of(a, options->isa), .b = side_of(b, options->isa), .options = options};
    *out = (struct comparison){.identical = true};
    out->opaque = !has_floats(&j.a) || !has_floats(&j.b);
    if (out->opaque && j.a.type != j.b.type)
        return lq_fail(err, LQ_E_UNSUPPORTED, "type %s has no values that could be compared",
                       has_floats(&j.a) ? j.b.type->name : j.a.type->name);
    j.cut = cut_tensor(rows, cols);
    j.pieces = mem_calloc((size_t)j.cut.pieces, sizeof *j.pieces);
    if (!j.pieces)
        return lq_fail_memory(err);
    pthread_mutex_init(&j.lock, NULL);
    const uint64_t most = threads_resolve(options->threads);
    const int threads = (int)(j.cut.pieces < most ? j.cut.pieces + (j.cut.pieces == 0) : most);
#pragma omp parallel num_threads(threads)
    work(&j);
    for (uint64_t i = 0; i < j.cut.pieces; i++)
        comparison_add(out, &j.pieces[i]);
    pthread_mutex_destroy(&j.lock);
    free(j.pieces);
    if (j.status != LQ_OK && err)
        *err = j.err;
    return j.status;
}

/* ---- figures ---- */

void comparison_add(struct comparison *total, const struct comparison *c)
{
    total->elements += c->elements;
    total->nonfinite += c->nonfinite;
    total->identical = total->identical && c->identical;
    total->error2 += c->error2;
    total->a2 += c->a2;
    total->b2 += c->b2;
    total->ab += c->ab;
    if (c->max_error > total->max_error) {
        total->max_error = c->max_error;
        total->max_index = c->max_index;
    }
}

double comparison_rmse(const struct comparison *c)
{
    const uint64_t n = c->elements - c->nonfinite;
    return n ? sqrt(c->error2 / (double)n) : 0;
}

double comparison_snr_db(const struct comparison *c)
{
    const double ratio = c->a2 / c->error2;
    if (!(c->error2 > 0))
        return (double)INFINITY;
    /* 10 / ln(10) */
    return isnormal(ratio) ? 4.342944819032518 * exact_log(ratio) : -(double)INFINITY;
}

double comparison_cosine(const struct comparison *c)
{
    if (!(c->error2 > 0))
        return 1;
    const double norms = sqrt(c->a2) * sqrt(c->b2);
    return norms > 0 ? c->ab / norms : 0;
}
