/* align.c -- the shortest edit script between two sequences: E. W. Myers, "An O(ND) Difference
 * Algorithm and Its Variations", Algorithmica 1 (1986), section 4. */
#include "libquant/license/align.h"

#include "libquant/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* The furthest points of paths with d edits on diagonals -d, -d + 2 ... d, for every d so far: row
 * d begins at d * (d + 1) / 2. */
struct paths {
    const uint8_t *a, *b;
    int64_t n_a, n_b;
    int32_t *x;
    size_t cap;
};

static int32_t *row_of(const struct paths *p, int64_t d)
{
    return p->x + d * (d + 1) / 2;
}

/* Where the last edit of a path with d edits comes from that ends on the diagonal of number j: the
 * diagonal above (a code of b is added) or below (one of a is taken away). */
static bool comes_from_above(const int32_t *before, int64_t d, int64_t j)
{
    return j == 0 || (j != d && before[j - 1] < before[j]);
}

/* Where the path stands after its last edit, before the codes that both have. */
static int64_t start_of(const int32_t *before, int64_t d, int64_t j)
{
    if (d == 0)
        return 0;
    return comes_from_above(before, d, j) ? before[j] : before[j - 1] + 1;
}

/* The fewest edits that can be: codes that one has more often than the other. */
static size_t fewest_edits(const struct paths *p)
{
    int64_t more[256] = {0};
    size_t sum = 0;
    for (int64_t i = 0; i < p->n_a; i++)
        more[p->a[i]]++;
    for (int64_t i = 0; i < p->n_b; i++)
        more[p->b[i]]--;
    for (size_t i = 0; i < 256; i++)
        sum += (size_t)llabs(more[i]);
    return sum;
}

/* One edit more. True: the end is reached. Diagonals so far from the last that ALIGN_EDITS do not
 * lead there are left out: none of the others comes from them. */
static bool extend_paths(const struct paths *p, int64_t d)
{
    const int32_t *const before = d ? row_of(p, d - 1) : NULL;
    int32_t *const row = row_of(p, d);
    const int64_t first = p->n_a - p->n_b - (ALIGN_EDITS - d);
    const int64_t last = p->n_a - p->n_b + (ALIGN_EDITS - d);
    for (int64_t j = first > -d ? (first + d + 1) / 2 : 0; j <= d && 2 * j - d <= last; j++) {
        int64_t x = start_of(before, d, j), y = x - (2 * j - d);
        while (x < p->n_a && y < p->n_b && p->a[x] == p->b[y]) {
            x++;
            y++;
        }
        row[j] = (int32_t)x;
        if (x >= p->n_a && y >= p->n_b)
            return true;
    }
    return false;
}

/* The number of edits; -1: more than ALIGN_EDITS, -2: out of memory. */
static int64_t find_path(struct paths *p)
{
    if (fewest_edits(p) > ALIGN_EDITS)
        return -1;
    for (int64_t d = 0; d <= ALIGN_EDITS; d++) {
        while (p->cap < (size_t)((d + 1) * (d + 2) / 2))
            if (!mem_grow((void **)&p->x, &p->cap, p->cap, sizeof *p->x))
                return -2;
        if (extend_paths(p, d))
            return d;
    }
    return -1;
}

/* Clears the marks of the codes that both have, from the end of the path back. */
static void mark_common(const struct paths *p, int64_t d, bool *in_a, bool *in_b)
{
    int64_t x = p->n_a, y = p->n_b;
    for (; d >= 0; d--) {
        const int64_t j = (x - y + d) / 2;
        const int32_t *const before = d ? row_of(p, d - 1) : NULL;
        const int64_t start = start_of(before, d, j);
        for (; x > start; x--, y--)
            in_a[x - 1] = in_b[y - 1] = false;
        if (d > 0 && comes_from_above(before, d, j))
            y--;
        else
            x--;
    }
}

/* "a [b c] b [x b]": where a run of marked codes can be moved up to the one before it, it is, so
 * that what was added in one piece is seen as one. */
static void join_runs(const uint8_t *s, size_t n, bool *marked)
{
    for (size_t end = 1; end <= n; end++) {
        if (!marked[end - 1] || (end < n && marked[end]))
            continue;
        size_t begin = end, up = 0;
        while (begin && marked[begin - 1])
            begin--;
        while (up < begin && !marked[begin - 1 - up] && s[begin - 1 - up] == s[end - 1 - up])
            up++;
        if (up && up < begin && marked[begin - 1 - up])
            for (size_t i = 0; i < up; i++) {
                marked[begin - 1 - i] = true;
                marked[end - 1 - i] = false;
            }
    }
}

static lq_status list_differences(struct alignment *out, const bool *in_a, size_t n_a,
                                  const bool *in_b, size_t n_b, lq_error *err)
{
    for (size_t i = 0, k = 0; i < n_a || k < n_b; i++, k++) {
        struct difference d = {i, 0, k, 0};
        for (; i < n_a && in_a[i]; i++)
            d.n_a++;
        for (; k < n_b && in_b[k]; k++)
            d.n_b++;
        if (!d.n_a && !d.n_b)
            continue;
        if (out->n == out->cap &&
            !mem_grow((void **)&out->list, &out->cap, out->n, sizeof *out->list))
            return lq_fail_memory(err);
        out->list[out->n++] = d;
    }
    return LQ_OK;
}

lq_status codes_align(struct alignment *out, const uint8_t *a, size_t n_a, const uint8_t *b,
                      size_t n_b, lq_error *err)
{
    struct paths p = {a, b, (int64_t)n_a, (int64_t)n_b, NULL, 0};
    bool *const marked = n_a > INT32_MAX / 2 || n_b > INT32_MAX / 2
                             ? NULL
                             : mem_calloc(n_a + n_b + 1, sizeof *marked);
    const int64_t edits = marked ? find_path(&p) : -2;
    lq_status status = edits == -2 ? lq_fail_memory(err) : LQ_OK;
    out->too_many = edits == -1;
    if (edits >= 0) {
        memset(marked, true, n_a + n_b);
        mark_common(&p, edits, marked, marked + n_a);
        join_runs(a, n_a, marked);
        join_runs(b, n_b, marked + n_a);
        status = list_differences(out, marked, n_a, marked + n_a, n_b, err);
    }
    free(p.x);
    free(marked);
    return status;
}

void alignment_release(struct alignment *al)
{
    free(al->list);
    *al = (struct alignment){0};
}
