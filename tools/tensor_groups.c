/* tensor_groups.c -- the tensors of repeated layers as one row. */
#include "tools/tensor_groups.h"

#include "libquant/base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NUMBERS = 4 }; /* in a name; further ones are text */

struct member {
    const char *pattern; /* the name with '#' for numbers */
    uint32_t number[MAX_NUMBERS];
    uint32_t n_numbers;
    const struct tensor *tensor; /* position in the catalog breaks ties */
};

/* Length of the number that fills a dotted part of a name at s, or 0. */
static size_t number_length(const char *name, const char *s)
{
    const size_t n = strspn(s, "0123456789");
    const bool whole = (s == name || s[-1] == '.') && (s[n] == '.' || s[n] == '\0');
    return whole && n < 9 && !(n > 1 && *s == '0') ? n : 0;
}

static bool split(struct member *m, struct arena *arena)
{
    const char *const name = m->tensor->name;
    char *p = arena_calloc(arena, strlen(name) + 1, 1);
    m->pattern = p;
    if (!p)
        return false;
    for (const char *s = name; *s;) {
        const size_t n = m->n_numbers < MAX_NUMBERS ? number_length(name, s) : 0;
        if (n) {
            m->number[m->n_numbers++] = (uint32_t)strtoul(s, NULL, 10);
            *p++ = '#';
            s += n;
        } else {
            *p++ = *s++;
        }
    }
    return true;
}

static int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* Orders by pattern, type and shape: 0 for members of one group. */
static int compare_kind(const struct member *a, const struct member *b)
{
    const struct tensor *const s = a->tensor, *const t = b->tensor;
    int d = strcmp(a->pattern, b->pattern);
    if (d == 0)
        d = compare_u64(a->n_numbers, b->n_numbers);
    if (d == 0)
        d = compare_u64(s->type->id, t->type->id);
    if (d == 0)
        d = compare_u64(s->rank, t->rank);
    for (uint32_t i = 0; d == 0 && i < s->rank; i++)
        d = compare_u64(s->dim[i], t->dim[i]);
    return d;
}

static int compare_members(const void *pa, const void *pb)
{
    const struct member *const a = pa, *const b = pb;
    const int d = compare_kind(a, b);
    return d ? d : (a->tensor > b->tensor) - (a->tensor < b->tensor);
}

static int compare_numbers(const void *a, const void *b)
{
    return compare_u64(*(const uint32_t *)a, *(const uint32_t *)b);
}

static int compare_groups(const void *a, const void *b)
{
    const struct tensor *const s = ((const struct tensor_group *)a)->first;
    const struct tensor *const t = ((const struct tensor_group *)b)->first;
    return (s > t) - (s < t);
}

/* Appends the values that number k takes: "7", "{0-3,6,9-11}". */
static void put_numbers(struct text *t, const struct member *m, size_t count, size_t k,
                        uint32_t *scratch)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        scratch[i] = m[i].number[k];
    qsort(scratch, count, sizeof *scratch, compare_numbers);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || scratch[i] != scratch[i - 1])
            scratch[n++] = scratch[i];
    text_puts(t, n > 1 ? "{" : "");
    for (size_t i = 0; i < n;) {
        size_t last = i;
        while (last + 1 < n && scratch[last + 1] == scratch[last] + 1)
            last++;
        text_printf(t, "%s%" PRIu32, i ? "," : "", scratch[i]);
        if (last > i)
            text_printf(t, "%c%" PRIu32, last > i + 1 ? '-' : ',', scratch[last]);
        i = last + 1;
    }
    text_puts(t, n > 1 ? "}" : "");
}

static const char *make_label(const struct member *m, size_t count, uint32_t *scratch,
                              struct arena *arena)
{
    struct text t = {0};
    size_t k = 0;
    const char *s = m->tensor->name;
    if (count == 1)
        return s;
    while (*s) {
        const size_t n = k < m->n_numbers ? number_length(m->tensor->name, s) : 0;
        if (n)
            put_numbers(&t, m, count, k++, scratch);
        else
            text_putc(&t, *s);
        s += n ? n : 1;
    }
    const char *const label = t.failed ? NULL : arena_strndup(arena, t.data, t.len);
    text_free(&t);
    return label;
}

/* Cuts the sorted members into groups. */
static bool make_groups(const struct member *m, size_t n, struct arena *arena, uint32_t *scratch,
                        struct tensor_group *groups, size_t *n_groups)
{
    for (size_t i = 0; i < n;) {
        struct tensor_group *const g = &groups[(*n_groups)++];
        g->first = m[i].tensor;
        for (; i + g->count < n && compare_kind(&m[i], &m[i + g->count]) == 0; g->count++)
            g->bytes += m[i + g->count].tensor->bytes;
        if (!(g->label = make_label(&m[i], g->count, scratch, arena)))
            return false;
        i += g->count;
    }
    qsort(groups, *n_groups, sizeof *groups, compare_groups);
    return true;
}

lq_status group_tensors(const struct catalog *c, struct arena *arena, struct tensor_group **out,
                        size_t *n, lq_error *err)
{
    const size_t count = c->n_tensors;
    struct member *const m = arena_calloc(arena, count + 1, sizeof *m);
    uint32_t *const scratch = arena_calloc(arena, count + 1, sizeof *scratch);
    *out = arena_calloc(arena, count + 1, sizeof **out);
    *n = 0;
    if (!m || !scratch || !*out)
        return lq_fail_memory(err);
    for (size_t i = 0; i < count; i++) {
        m[i].tensor = &c->tensors[i];
        if (!split(&m[i], arena))
            return lq_fail_memory(err);
    }
    qsort(m, count, sizeof *m, compare_members);
    return make_groups(m, count, arena, scratch, *out, n) ? LQ_OK : lq_fail_memory(err);
}
