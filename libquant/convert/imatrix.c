/* imatrix.c -- importance matrices in memory: look-up, choice of entries, checks. */
#include "libquant/convert/imatrix.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void imatrix_release(struct imatrix *m)
{
    free(m->entries);
    arena_free(&m->arena);
    *m = (struct imatrix){0};
}

bool imatrix_add(struct imatrix *m, const char *name, size_t name_len, uint64_t n, float **values)
{
    struct imatrix_entry e = {.n = n, .place = m->n};
    e.name = arena_strndup(&m->arena, name, name_len);
    e.values = *values = arena_calloc(&m->arena, (size_t)n, sizeof **values);
    if (!e.name || !e.values || !mem_grow((void **)&m->entries, &m->cap, m->n, sizeof e))
        return false;
    m->entries[m->n++] = e;
    return true;
}

const struct imatrix_entry *imatrix_find(const struct imatrix *m, const char *name)
{
    size_t low = 0, high = m->n;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        const int order = strcmp(m->entries[mid].name, name);
        if (order == 0)
            return &m->entries[mid];
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

static void keep_if(struct imatrix *m, const char *const *texts, size_t n, bool contains)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->n; i++) {
        bool found = false;
        for (size_t k = 0; k < n && !found; k++)
            found = strstr(m->entries[i].name, texts[k]) != NULL;
        if (found == contains)
            m->entries[kept++] = m->entries[i];
    }
    m->n = kept;
}

void imatrix_include(struct imatrix *m, const char *const *texts, size_t n)
{
    keep_if(m, texts, n, true);
}

void imatrix_exclude(struct imatrix *m, const char *const *texts, size_t n)
{
    keep_if(m, texts, n, false);
}

/* llama-quantize refuses what is not finite; it takes negative importance, whose weighted errors
 * are then maximised. No measurement gives one: the file is damaged. */
lq_status imatrix_check(const struct imatrix *m, lq_error *err)
{
    for (size_t i = 0; i < m->n; i++) {
        const struct imatrix_entry *const e = &m->entries[i];
        for (uint64_t k = 0; k < e->n; k++) {
            if (isfinite(e->values[k]) && e->values[k] >= 0.0f)
                continue;
            const lq_status status =
                lq_fail(err, LQ_E_MODEL, "the importance matrix has %s at index %" PRIu64
                        "; make it anew, or leave the tensor out with --exclude-weights",
                        isfinite(e->values[k]) ? "a negative value" : "a value that is no finite "
                        "number", k);
            lq_error_add_tensor(err, e->name);
            return status;
        }
    }
    return LQ_OK;
}
