/* lineage_rank.c -- does the difference of two matrices have few directions, as LoRA leaves it?
 *
 * The difference D (m x n) is sketched from both sides: S = P D Q with P (SKETCH x m) and Q (n x
 * SKETCH) of random signs, which keep rank and, nearly, the ratio of strong to weak directions. The
 * sketch is small, whatever the size of D, and D is read once.
 *
 * Noise of variance v in every element of D gives S elements of variance v m n, and the largest
 * singular value of such a matrix exceeds sqrt(v m n) (2 sqrt(SKETCH) + 5.26) with a probability of
 * at most 10^-6 (Davidson and Szarek 2001, theorem II.13). v is what storing the claimed values
 * rounds away, with room for the square of NOISE_FACTOR. The rank is the number of singular values
 * above that. It is only said to be low where no more than MOST_RANK are, where a gap parts them
 * from the rest (after training of all weights they fall off without one), and where what is left
 * is no more than rounding.
 */
#include "libquant/provenance/lineage_change.h"

#include "libquant/base/threads.h"
#include "libquant/convert/make_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SKETCH = 96, MOST_RANK = 64, CHUNK = 262144 };

#define NOISE_FACTOR 2.0
#define GAP          2.0
/* What rounding leaves is known well for quantized types; to a float type, a small change is not
 * rounded at random. */
#define REST_QUANTIZED 1.1
#define REST_FLOAT     4.0

/* Random signs: SplitMix64 (Steele, Lea, Flood 2014) of a position. */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* SKETCH signs for row or column i of one side. */
static void signs(float out[SKETCH], uint64_t i, unsigned side)
{
    uint64_t bits = 0;
    for (unsigned k = 0; k < SKETCH; k++) {
        if (k % 64 == 0)
            bits = mix(4 * i + 2 * (k / 64) + side);
        out[k] = bits >> k % 64 & 1 ? 1.0f : -1.0f;
    }
}

struct sketch {
    uint64_t rows, cols, rows_per_chunk;
    struct side {
        const struct compared *rows;
        void *raw;
        float *x;
    } claimed, base;
    float *q;  /* [cols][SKETCH] */
    double *y; /* [rows_per_chunk][SKETCH]: rows of D Q */
    double s[SKETCH][SKETCH];
};

static lq_status read_rows(const struct sketch *k, struct side *s, uint64_t row, uint64_t n,
                           unsigned isa, lq_error *err)
{
    return step_floats(&s->rows->step, row, n, k->cols, s->raw, s->x, isa, err);
}

/* Row r of the chunk: D's row times Q. Each row is one thread's, so its sum has one order. */
static void project(const struct sketch *k, uint64_t r)
{
    const float *const a = k->claimed.x + r * k->cols, *const b = k->base.x + r * k->cols;
    double *const y = k->y + r * SKETCH;
    memset(y, 0, SKETCH * sizeof *y);
    for (uint64_t i = 0; i < k->cols; i++) {
        const double d = (double)a[i] - (double)b[i];
        const float *const q = k->q + i * SKETCH;
        if (!isfinite(d))
            continue;
        for (size_t j = 0; j < SKETCH; j++)
            y[j] += d * (double)q[j];
    }
}

static lq_status sketch_chunk(struct sketch *k, uint64_t row, uint64_t n,
                              const struct pass_options *o, lq_error *err)
{
    const int threads = (int)threads_resolve(o->threads);
    LQ_TRY(read_rows(k, &k->claimed, row, n, o->isa, err));
    LQ_TRY(read_rows(k, &k->base, row, n, o->isa, err));
#pragma omp parallel for num_threads(threads) schedule(static)
    for (uint64_t r = 0; r < n; r++)
        project(k, r);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (size_t i = 0; i < SKETCH; i++)
        for (uint64_t r = 0; r < n; r++) {
            const bool minus = !(mix(4 * (row + r) + 2 * (i / 64) + 1) >> i % 64 & 1);
            for (size_t j = 0; j < SKETCH; j++)
                k->s[i][j] += minus ? -k->y[r * SKETCH + j] : k->y[r * SKETCH + j];
        }
    return LQ_OK;
}

/* One-sided Jacobi: turns pairs of rows until all are orthogonal; their lengths are then the
 * singular values (Golub and Van Loan, section 8.6.3). */
static void orthogonalize(double s[SKETCH][SKETCH])
{
    bool turned = true;
    for (int sweep = 0; sweep < 40 && turned; sweep++) {
        turned = false;
        for (size_t p = 0; p < SKETCH; p++)
            for (size_t q = p + 1; q < SKETCH; q++) {
                double pp = 0, qq = 0, pq = 0;
                for (size_t k = 0; k < SKETCH; k++) {
                    pp += s[p][k] * s[p][k];
                    qq += s[q][k] * s[q][k];
                    pq += s[p][k] * s[q][k];
                }
                if (!(fabs(pq) > 1e-14 * sqrt(pp) * sqrt(qq)))
                    continue;
                const double zeta = (qq - pp) / (2 * pq);
                const double t = (zeta >= 0 ? 1 : -1) / (fabs(zeta) + sqrt(1 + zeta * zeta));
                const double c = 1 / sqrt(1 + t * t), sine = c * t;
                turned = true;
                for (size_t k = 0; k < SKETCH; k++) {
                    const double x = s[p][k], y = s[q][k];
                    s[p][k] = c * x - sine * y;
                    s[q][k] = sine * x + c * y;
                }
            }
    }
}

static int largest_first(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* `noise` is the mean square of an element of S that rounding explains, `most` how many times that
 * may be left in the directions beyond the rank. */
static void count_directions(double s[SKETCH][SKETCH], double noise, double most,
                             struct rank_result *out)
{
    const double bound = NOISE_FACTOR * sqrt(noise) * (2 * sqrt(SKETCH) + 5.26);
    double value[SKETCH], rest = 0;
    uint32_t n = 0;
    orthogonalize(s);
    for (size_t i = 0; i < SKETCH; i++) {
        double length2 = 0;
        for (size_t k = 0; k < SKETCH; k++)
            length2 += s[i][k] * s[i][k];
        value[i] = sqrt(length2);
    }
    qsort(value, SKETCH, sizeof *value, largest_first);
    while (n < SKETCH && value[n] > bound)
        n++;
    for (uint32_t i = n; i < SKETCH; i++)
        rest += value[i] * value[i];
    out->measured = true;
    out->rank = n;
    out->low = n > 0 && n <= MOST_RANK && value[n - 1] >= GAP * value[n] &&
               rest <= most * noise * (SKETCH - n) * (SKETCH - n);
}

static bool side_open(struct side *s, const struct compared *rows, uint64_t n)
{
    s->rows = rows;
    s->raw = mem_calloc((size_t)make_rows_raw_bytes(&rows->step, n) + 1, 1);
    s->x = mem_calloc((size_t)n, sizeof *s->x);
    return s->raw && s->x;
}

static lq_status sketch_all(struct sketch *k, const struct pass_options *o, lq_error *err)
{
    for (uint64_t i = 0; i < k->cols; i++)
        signs(k->q + i * SKETCH, i, 0);
    for (uint64_t row = 0; row < k->rows; row += k->rows_per_chunk) {
        const uint64_t left = k->rows - row;
        LQ_TRY(sketch_chunk(k, row, left < k->rows_per_chunk ? left : k->rows_per_chunk, o, err));
        if (progress_stop(o->progress))
            return lq_fail(err, LQ_E_INTERRUPTED, "interrupted");
    }
    return LQ_OK;
}

lq_status lineage_rank(struct tensor_lineage *t, const struct lineage_pair *p, double noise,
                       const struct pass_options *options, lq_error *err)
{
    /* Of a smaller matrix the whole may look low; of a wider one, the signs take too much memory.
     */
    if (p->rows < 2 * SKETCH || p->cols < 2 * SKETCH || p->cols > 1 << 18 || p->claimed.packed ||
        p->base[0].packed || t->nonfinite)
        return LQ_OK;
    struct sketch *const k = mem_calloc(1, sizeof *k);
    if (!k)
        return lq_fail_memory(err);
    k->rows = p->rows;
    k->cols = p->cols;
    k->rows_per_chunk = p->cols < CHUNK ? CHUNK / p->cols : 1;
    const uint64_t n = k->rows_per_chunk * k->cols;
    k->q = mem_calloc((size_t)k->cols, SKETCH * sizeof *k->q);
    k->y = mem_calloc((size_t)k->rows_per_chunk, SKETCH * sizeof *k->y);
    lq_status status = LQ_OK;
    if (!k->q || !k->y || !side_open(&k->claimed, &p->claimed, n) ||
        !side_open(&k->base, &p->base[0], n))
        status = lq_fail_memory(err);
    else
        status = sketch_all(k, options, err);
    if (status == LQ_OK) {
        const bool quantized = p->type && (p->type->flags & TYPE_QUANTIZED);
        count_directions(k->s, noise, quantized ? REST_QUANTIZED : REST_FLOAT, &t->rank);
    }
    free(k->claimed.raw);
    free(k->claimed.x);
    free(k->base.raw);
    free(k->base.x);
    free(k->q);
    free(k->y);
    free(k);
    return status;
}
