/* imatrix_read.c -- the two files that hold an importance matrix.
 *
 *   GGUF     imatrix.datasets, imatrix.chunk_count, imatrix.chunk_size; for each weight NAME
 *            NAME.in_sum2 [stack, cols] sums of squares, NAME.counts [stack] how many were summed
 *            value = sum / count, and 1 for an expert that was never used
 *   legacy   i32 n; n x [ i32 length, name, i32 calls, i32 count, f32 sums[count] ]
 *            then perhaps i32 chunks, i32 length, name of the text
 *            value = sum / calls
 */
#include "libquant/convert/imatrix.h"

#include "formats/format.h"
#include "libquant/base/hash.h"
#include "libquant/base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- GGUF ---- */

static const char sums_suffix[] = ".in_sum2", counts_suffix[] = ".counts";

static lq_status fail_entry(lq_error *err, const struct tensor *t, const char *why)
{
    const lq_status status = lq_fail(err, LQ_E_FORMAT, "the importance matrix cannot be used: %s",
                                     why);
    lq_error_add_tensor(err, t->name);
    return status;
}

/* The count as a number again after it was rounded to a whole one: halves go away from zero. */
static bool round_count(float count, float *out)
{
    if (!(fabsf(count) < 9e18f))
        return false;
    *out = (float)llroundf(count);
    return true;
}

/* Sums to means, part after part. */
static bool divide(float *values, uint64_t n, const float *counts, uint64_t n_counts)
{
    const uint64_t cols = n / n_counts;
    for (uint64_t k = 0; k < n_counts; k++) {
        float count;
        if (!round_count(counts[k], &count))
            return false;
        for (uint64_t i = k * cols; i < (k + 1) * cols; i++)
            values[i] = count > 0.0f ? values[i] / count : 1.0f;
    }
    return true;
}

static lq_status read_pair(struct imatrix *m, const struct catalog *c, const struct tensor *sums,
                           const struct tensor *counts, lq_error *err)
{
    float *values;
    if (sums->type->id != LQ_TYPE_F32 || counts->type->id != LQ_TYPE_F32)
        return fail_entry(err, sums, "sums and counts must be F32");
    if (!counts->elements || !sums->elements || sums->elements % counts->elements != 0)
        return fail_entry(err, sums, "the number of counts does not divide the number of sums");
    if (!imatrix_add(m, sums->name, strlen(sums->name) - strlen(sums_suffix), sums->elements,
                     &values))
        return lq_fail_memory(err);
    float *const n = arena_calloc(&m->arena, (size_t)counts->elements, sizeof *n);
    if (!n)
        return lq_fail_memory(err);
    m->entries[m->n - 1].counts = n;
    m->entries[m->n - 1].n_counts = counts->elements;
    lq_status status = catalog_read(c, sums, values, (size_t)sums->bytes, 0, err);
    if (status == LQ_OK)
        status = catalog_read(c, counts, n, (size_t)counts->bytes, 0, err);
    if (status == LQ_OK && !m->sums && !divide(values, sums->elements, n, counts->elements))
        status = fail_entry(err, counts, "a count is no whole number");
    return status;
}

/* The other half of a pair; NULL where there is none (or no memory: then it counts as missing). */
static const struct tensor *find_partner(const struct catalog *c, const char *name,
                                         const char *suffix, const char *other)
{
    struct text t = {0};
    text_put(&t, name, strlen(name) - strlen(suffix));
    text_puts(&t, other);
    const struct tensor *const found = t.failed ? NULL : catalog_find(c, t.data);
    text_free(&t);
    return found;
}

static lq_status read_pairs(struct imatrix *m, struct catalog *c, lq_error *err)
{
    LQ_TRY(catalog_index(c, err));
    for (size_t i = 0; i < c->n_tensors; i++) {
        const struct tensor *const t = &c->tensors[i];
        if (text_ends_with(t->name, sums_suffix)) {
            const struct tensor *const counts =
                find_partner(c, t->name, sums_suffix, counts_suffix);
            if (!counts)
                return fail_entry(err, t, "the counts that belong to it are missing");
            LQ_TRY(read_pair(m, c, t, counts, err));
        } else if (text_ends_with(t->name, counts_suffix) &&
                   !find_partner(c, t->name, counts_suffix, sums_suffix)) {
            return fail_entry(err, t, "the sums that belong to it are missing");
        }
    }
    if (!m->n)
        return lq_fail(err, LQ_E_FORMAT, "the importance matrix has no entries");
    return LQ_OK;
}

static lq_status read_description(struct imatrix *m, const struct catalog *c, const char *file,
                                  lq_error *err)
{
    uint64_t chunks;
    if (!catalog_meta(c, "imatrix.datasets") || !catalog_meta(c, "imatrix.chunk_size") ||
        !catalog_meta_u64(c, "imatrix.chunk_count", &chunks))
        return lq_fail_at(err, LQ_E_FORMAT, file, -1, "not an importance matrix: the metadata "
                          "imatrix.datasets, imatrix.chunk_count and imatrix.chunk_size is "
                          "missing");
    m->chunks = chunks <= INT32_MAX ? (uint32_t)chunks : 0;
    const struct meta *const datasets = catalog_meta_array(c, "imatrix.datasets", META_STRING);
    if (datasets && datasets->v.array.count) {
        const struct bytes *const names = datasets->v.array.data;
        m->datasets = arena_calloc(&m->arena, (size_t)datasets->v.array.count, sizeof *m->datasets);
        for (size_t i = 0; m->datasets && i < datasets->v.array.count; i++) {
            m->datasets[i] = arena_strndup(&m->arena, names[i].data, names[i].len);
            if (!m->datasets[i])
                return lq_fail_memory(err);
        }
        if (!m->datasets)
            return lq_fail_memory(err);
        m->n_datasets = (size_t)datasets->v.array.count;
        m->dataset = m->datasets[0];
    }
    return LQ_OK;
}

static lq_status read_gguf(struct imatrix *m, struct source *source, lq_error *err)
{
    struct catalog c = {0};
    LQ_TRY(model_open_source(&c, source, NULL, err)); /* on failure it has closed the source */
    lq_status status = read_description(m, &c, source->name, err);
    if (status == LQ_OK)
        status = read_pairs(m, &c, err);
    if (status != LQ_OK)
        lq_error_add_file(err, source->name);
    catalog_release(&c);
    return status;
}

/* ---- legacy ---- */

struct cursor {
    struct source *source;
    uint64_t at;
};

static lq_status take(struct cursor *c, void *dst, uint64_t n, lq_error *err)
{
    if (n > c->source->size - c->at)
        return lq_fail_at(err, LQ_E_FORMAT, c->source->name, (int64_t)c->at,
                          "not an importance matrix, or cut off: %" PRIu64 " bytes are needed here",
                          n);
    LQ_TRY(source_read(c->source, dst, (size_t)n, c->at, err));
    c->at += n;
    return LQ_OK;
}

static lq_status take_i32(struct cursor *c, int32_t *out, int32_t min, const char *what,
                          lq_error *err)
{
    LQ_TRY(take(c, out, sizeof *out, err));
    if (*out >= min)
        return LQ_OK;
    return lq_fail_at(err, LQ_E_FORMAT, c->source->name, (int64_t)c->at - 4,
                      "not an importance matrix: the %s is %d", what, *out);
}

/* A string that its length precedes, cut at a NUL as C programs do. The caller frees it. */
static lq_status take_string(struct cursor *c, char **out, const char *what, lq_error *err)
{
    int32_t len;
    LQ_TRY(take_i32(c, &len, 0, what, err));
    if ((uint64_t)len > c->source->size - c->at)
        return lq_fail_at(err, LQ_E_FORMAT, c->source->name, (int64_t)c->at - 4,
                          "not an importance matrix, or cut off: the %s is %d, more than what "
                          "follows", what, len);
    *out = mem_calloc((size_t)len + 1, 1);
    if (!*out)
        return lq_fail_memory(err);
    const lq_status status = take(c, *out, (uint64_t)len, err);
    if (status != LQ_OK)
        free(*out);
    return status;
}

static lq_status take_entry(struct imatrix *m, struct cursor *c, lq_error *err)
{
    char *name;
    int32_t calls, n = 0;
    float *values = NULL;
    LQ_TRY(take_string(c, &name, "length of a name", err));
    lq_status status = take_i32(c, &calls, INT32_MIN, "number of calls", err);
    if (status == LQ_OK)
        status = take_i32(c, &n, 1, "number of values", err);
    if (status == LQ_OK && (uint64_t)n * sizeof *values > c->source->size - c->at)
        status = lq_fail_at(err, LQ_E_FORMAT, c->source->name, (int64_t)c->at,
                            "cut off: %d values do not fit into the rest of the file", n);
    if (status == LQ_OK && !imatrix_add(m, name, strlen(name), (uint64_t)n, &values))
        status = lq_fail_memory(err);
    if (status == LQ_OK)
        status = take(c, values, (uint64_t)n * sizeof *values, err);
    for (int32_t i = 0; i < n && status == LQ_OK && calls > 0; i++)
        values[i] /= (float)calls;
    free(name);
    return status;
}

static lq_status read_legacy(struct imatrix *m, struct source *source, lq_error *err)
{
    struct cursor c = {source, 0};
    int32_t n, chunks;
    LQ_TRY(take_i32(&c, &n, 1, "number of entries", err));
    for (int32_t i = 0; i < n; i++)
        LQ_TRY(take_entry(m, &c, err));
    if (c.at == source->size)
        return LQ_OK;
    LQ_TRY(take_i32(&c, &chunks, INT32_MIN, "number of chunks", err));
    m->chunks = chunks > 0 ? (uint32_t)chunks : 0;
    if (c.at == source->size)
        return LQ_OK;
    char *name;
    LQ_TRY(take_string(&c, &name, "length of the text's name", err));
    m->dataset = *name ? arena_strdup(&m->arena, name) : NULL;
    const bool failed = *name && !m->dataset;
    free(name);
    return failed ? lq_fail_memory(err) : LQ_OK;
}

/* ---- both ---- */

/* Entries of one name stay in the order of the file. */
static int by_name_and_place(const void *a, const void *b)
{
    const struct imatrix_entry *const x = a, *const y = b;
    const int order = strcmp(x->name, y->name);
    return order ? order : (x->place > y->place) - (x->place < y->place);
}

/* Sorts; of several entries of one name the last one counts. */
static void sort_entries(struct imatrix *m)
{
    size_t kept = 0;
    if (m->n)
        qsort(m->entries, m->n, sizeof *m->entries, by_name_and_place);
    for (size_t i = 0; i < m->n; i++)
        if (i + 1 == m->n || strcmp(m->entries[i].name, m->entries[i + 1].name) != 0)
            m->entries[kept++] = m->entries[i];
    m->n = kept;
}

lq_status imatrix_read(struct imatrix *m, struct source *source, lq_error *err)
{
    char magic[4] = "";
    lq_status status = sha256_of_source(source, m->sha256, err);
    if (status == LQ_OK && source->size >= sizeof magic)
        status = source_read(source, magic, sizeof magic, 0, err);
    if (status == LQ_OK && memcmp(magic, "GGUF", sizeof magic) == 0) {
        status = read_gguf(m, source, err);
    } else {
        if (status == LQ_OK)
            status = read_legacy(m, source, err);
        source_close(source);
    }
    if (status == LQ_OK)
        sort_entries(m);
    else
        imatrix_release(m);
    return status;
}
