/* collect.c -- sums of squares, and the file they are written to (imatrix_read.c has its layout).
 */
#include "libquant/eval/collect.h"

#include "formats/format.h"
#include "libquant/codec/num.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void collector_release(struct collector *c)
{
    free(c->entries);
    free(c->texts);
    arena_free(&c->arena);
    memset(c, 0, sizeof *c);
}

/* ---- entries ---- */

static struct collected *find(struct collector *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->entries[i].name, name) == 0)
            return &c->entries[i];
    return NULL;
}

static struct collected *add_entry(struct collector *c, const char *name, uint64_t cols,
                                   uint64_t parts, uint64_t n_counts)
{
    struct collected e = {.cols = cols, .parts = parts, .n_counts = n_counts};
    uint64_t n;
    if (!mul_u64(cols, parts, &n) || !mem_grow((void **)&c->entries, &c->cap, c->n, sizeof e))
        return NULL;
    e.name = arena_strdup(&c->arena, name);
    e.sums = arena_calloc(&c->arena, (size_t)n, sizeof *e.sums);
    e.counts = arena_calloc(&c->arena, (size_t)n_counts, sizeof *e.counts);
    if (!e.name || !e.sums || !e.counts)
        return NULL;
    c->entries[c->n] = e;
    return &c->entries[c->n++];
}

static lq_status fail_size(const char *name, lq_error *err)
{
    const lq_status status =
        lq_fail(err, LQ_E_MODEL, "was collected before in another shape: of another model?");
    lq_error_add_tensor(err, name);
    return status;
}

/* The entry of the tensor that is seen. */
static lq_status entry_of(struct collector *c, const struct seen *s, struct collected **out,
                          lq_error *err)
{
    const uint64_t parts = s->t->rank == 3 ? s->t->dim[0] : 1, counts = s->each_own ? parts : 1;
    for (size_t i = 0; i < c->n; i++)
        if (c->entries[i].t == s->t) {
            *out = &c->entries[i];
            return LQ_OK;
        }
    struct collected *e = find(c, s->t->name);
    if (!e && !(e = add_entry(c, s->t->name, s->k, parts, counts)))
        return lq_fail_memory(err);
    /* What was read back does not tell columns from parts. */
    if (e->cols * e->parts != s->k * parts || e->n_counts != counts)
        return fail_size(s->t->name, err);
    e->cols = s->k;
    e->parts = parts;
    e->t = s->t;
    *out = e;
    return LQ_OK;
}

/* ---- seeing ---- */

enum { COLUMNS = 256 }; /* that a thread sums at a time */

struct sum_job {
    const struct seen *seen;
    float *sums;
};

static lq_status sum_columns(struct engine *e, void *job, size_t i, struct workspace *w,
                             lq_error *err)
{
    const struct sum_job *const j = job;
    const struct seen *const s = j->seen;
    const size_t first = i * COLUMNS, n = s->k - first < COLUMNS ? s->k - first : COLUMNS;
    double sum[COLUMNS] = {0};
    (void)w;
    (void)err;
    for (size_t r = 0; r < s->m; r++)
        e->lanes->add_squares(sum, s->x + r * s->ld + first, n);
    for (size_t k = 0; k < n; k++)
        j->sums[first + k] = (float)((double)j->sums[first + k] + sum[k]);
    return LQ_OK;
}

lq_status collector_see(void *ctx, struct engine *e, const struct seen *s, lq_error *err)
{
    struct collected *entry = NULL;
    LQ_TRY(entry_of(ctx, s, &entry, err));
    struct sum_job j = {s, entry->sums + s->part * entry->cols};
    if (s->each_own)
        entry->counts[s->part] += s->m;
    else if (s->part == 0)
        entry->counts[0] += s->m;
    return engine_parallel(e, (s->k + COLUMNS - 1) / COLUMNS, sum_columns, &j, err);
}

/* ---- what was collected before ---- */

lq_status collector_add(struct collector *c, const char *name, const float *sums, uint64_t n,
                        const float *counts, uint64_t n_counts, lq_error *err)
{
    struct collected *e = find(c, name);
    if (!e && !(e = add_entry(c, name, n / n_counts, n_counts, n_counts)))
        return lq_fail_memory(err);
    if (e->cols * e->parts != n || e->n_counts != n_counts)
        return fail_size(name, err);
    for (uint64_t i = 0; i < n; i++)
        e->sums[i] += sums[i];
    for (uint64_t i = 0; i < n_counts; i++)
        e->counts[i] += counts[i] > 0 && counts[i] < 9e18f ? (uint64_t)counts[i] : 0;
    return LQ_OK;
}

lq_status collector_add_text(struct collector *c, const char *name, lq_error *err)
{
    for (size_t i = 0; i < c->n_texts; i++)
        if (strcmp(c->texts[i], name) == 0)
            return LQ_OK;
    char *const copy = arena_strdup(&c->arena, name);
    if (!copy || !mem_grow((void **)&c->texts, &c->cap_texts, c->n_texts, sizeof *c->texts))
        return lq_fail_memory(err);
    c->texts[c->n_texts++] = copy;
    return LQ_OK;
}

uint64_t collector_chunks(const struct collector *c, uint64_t chunk_size)
{
    uint64_t most = 0;
    for (size_t i = 0; i < c->n; i++)
        for (uint64_t k = 0; k < c->entries[i].n_counts; k++)
            most = c->entries[i].counts[k] > most ? c->entries[i].counts[k] : most;
    return most / chunk_size;
}

/* ---- writing ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct collected *)a)->name, ((const struct collected *)b)->name);
}

static void sort_entries(struct collector *c)
{
    if (c->n)
        qsort(c->entries, c->n, sizeof *c->entries, by_name);
}

static lq_status add_tensor(struct catalog *c, const char *name, const char *suffix, uint64_t rows,
                            uint64_t cols, lq_error *err)
{
    struct tensor *const t = catalog_add_tensor(c);
    uint64_t *const dim = arena_calloc(&c->arena, 2, sizeof *dim);
    if (!t || !dim || !(t->name = arena_printf(&c->arena, "%s%s", name, suffix)))
        return lq_fail_memory(err);
    /* ggml leaves out an outer size of 1. */
    dim[0] = rows;
    dim[1] = cols;
    t->type = type_by_id(LQ_TYPE_F32);
    t->rank = rows == 1 ? 1 : 2;
    t->dim = dim + (rows == 1);
    return tensor_measure(t) ? LQ_OK : lq_fail_memory(err);
}

static lq_status plan_metadata(const struct collector *c, uint64_t chunk_size, struct catalog *out,
                               lq_error *err)
{
    struct bytes *const texts = arena_calloc(&out->arena, c->n_texts + 1, sizeof *texts);
    if (!texts || !catalog_add_file(out))
        return lq_fail_memory(err);
    out->files[0].name = "imatrix.gguf";
    for (size_t i = 0; i < c->n_texts; i++)
        texts[i] = (struct bytes){c->texts[i], strlen(c->texts[i])};
    LQ_TRY(catalog_set_string(out, "general.type", "imatrix", 7, err));
    LQ_TRY(catalog_set_array(out, "imatrix.datasets", META_STRING, texts, c->n_texts, err));
    LQ_TRY(catalog_set_uint(out, "imatrix.chunk_count", META_U32, collector_chunks(c, chunk_size),
                            err));
    return catalog_set_uint(out, "imatrix.chunk_size", META_U32, chunk_size, err);
}

static lq_status check_finite(const struct collected *e, lq_error *err)
{
    if (f32_all_finite(e->sums, (size_t)(e->cols * e->parts)))
        return LQ_OK;
    lq_fail(err, LQ_E_MODEL, "gets values whose squares are infinite or no numbers");
    lq_error_add_tensor(err, e->name);
    return LQ_E_MODEL;
}

/* Counts as floats, exact up to 2^24 rows as in every such file. */
static lq_status append_entry(const struct collected *e, const struct catalog *plan, size_t i,
                              struct sink *sink, lq_error *err)
{
    const uint64_t n = e->cols * e->parts;
    LQ_TRY(check_finite(e, err));
    LQ_TRY(sink_pad(sink, plan->tensors[2 * i].offset, err));
    LQ_TRY(sink_append(sink, e->sums, (size_t)n * sizeof *e->sums, err));
    LQ_TRY(sink_pad(sink, plan->tensors[2 * i + 1].offset, err));
    for (uint64_t k = 0; k < e->n_counts; k++) {
        const float count = (float)e->counts[k];
        LQ_TRY(sink_append(sink, &count, sizeof count, err));
    }
    return LQ_OK;
}

static lq_status write_planned(struct collector *c, uint64_t chunk_size, struct catalog *plan,
                               struct text *header, struct sink *sink, lq_error *err)
{
    LQ_TRY(plan_metadata(c, chunk_size, plan, err));
    for (size_t i = 0; i < c->n; i++) {
        const struct collected *const e = &c->entries[i];
        LQ_TRY(add_tensor(plan, e->name, ".in_sum2", e->n_counts, e->cols * e->parts / e->n_counts,
                          err));
        LQ_TRY(add_tensor(plan, e->name, ".counts", e->n_counts, 1, err));
    }
    LQ_TRY(format_gguf.layout(plan, 0, header, err));
    LQ_TRY(sink_append(sink, header->data, header->len, err));
    for (size_t i = 0; i < c->n; i++)
        LQ_TRY(append_entry(&c->entries[i], plan, i, sink, err));
    return sink_pad(sink, plan->files[0].size, err);
}

lq_status collector_write(struct collector *c, uint64_t chunk_size, struct sink *sink,
                          lq_error *err)
{
    struct catalog plan = {.alignment = 32};
    struct text header = {0};
    sort_entries(c);
    const lq_status status = write_planned(c, chunk_size, &plan, &header, sink, err);
    text_free(&header);
    catalog_release(&plan);
    return status;
}

/* ---- the older form ---- */

static lq_status append_i32(struct sink *sink, uint64_t value, lq_error *err)
{
    const int32_t v = value > INT32_MAX ? INT32_MAX : (int32_t)value;
    return sink_append(sink, &v, sizeof v, err);
}

static lq_status append_string(struct sink *sink, const char *s, lq_error *err)
{
    LQ_TRY(append_i32(sink, strlen(s), err));
    return sink_append(sink, s, strlen(s), err);
}

static uint64_t most_rows(const struct collected *e)
{
    uint64_t most = 0;
    for (uint64_t k = 0; k < e->n_counts; k++)
        most = e->counts[k] > most ? e->counts[k] : most;
    return most;
}

/* Readers divide by the number of chunks, so means are multiplied with it; an expert that was never chosen
 * has a mean of 1, as llama-imatrix writes it. */
static lq_status append_dat(const struct collected *e, uint64_t chunk_size, struct sink *sink,
                            lq_error *err)
{
    const uint64_t chunks = (most_rows(e) + chunk_size - 1) / chunk_size, n = e->cols * e->parts;
    if (n > INT32_MAX)
        return lq_fail(err, LQ_E_UNSUPPORTED, "%s has more columns than the .dat form can hold",
                       e->name);
    LQ_TRY(check_finite(e, err));
    LQ_TRY(append_string(sink, e->name, err));
    LQ_TRY(append_i32(sink, chunks, err));
    LQ_TRY(append_i32(sink, n, err));
    for (uint64_t i = 0; i < n; i++) {
        const uint64_t count = e->counts[i / (n / e->n_counts)];
        const float mean = count ? e->sums[i] / (float)count : 1.0f, v = mean * (float)chunks;
        LQ_TRY(sink_append(sink, &v, sizeof v, err));
    }
    return LQ_OK;
}

lq_status collector_write_dat(struct collector *c, uint64_t chunk_size, struct sink *sink,
                              lq_error *err)
{
    uint64_t entries = 0;
    sort_entries(c);
    for (size_t i = 0; i < c->n; i++)
        entries += most_rows(&c->entries[i]) > 0;
    LQ_TRY(append_i32(sink, entries, err));
    for (size_t i = 0; i < c->n; i++)
        if (most_rows(&c->entries[i]) > 0)
            LQ_TRY(append_dat(&c->entries[i], chunk_size, sink, err));
    LQ_TRY(append_i32(sink, collector_chunks(c, chunk_size), err));
    return append_string(sink, c->n_texts ? c->texts[c->n_texts - 1] : "", err);
}
