/* lineage_derive.c -- encodes a base's values as a quantizer would, and compares block by block.
 *
 * Which way a tensor came is found out on a few rows; then the whole tensor is checked against that
 * one. Its answer is exact: a block that differs is not what that way gives.
 */
#include "libquant/provenance/lineage_derive.h"

#include "libquant/codec/kernels.h"
#include "libquant/convert/make_rows.h"

#include <stdlib.h>
#include <string.h>

enum {
    PROBE = 4096, /* elements of a probe, at least a row; tensors of two probes are tried whole */
    MOST_WAYS = 1 + 2 * 2 * 4
};

/* ---- marks ---- */

struct mark_list *marks_new(uint64_t chunks)
{
    struct mark_list *const lists = mem_calloc((size_t)chunks + 1, sizeof *lists);
    const uint64_t share = 8 * (uint64_t)LINEAGE_MARKS / (chunks + 1);
    for (uint64_t i = 0; lists && i < chunks; i++)
        lists[i].most = share > 256 ? (size_t)share : 256;
    return lists;
}

void mark_add(struct mark_list *m, uint64_t block, float far)
{
    m->count++;
    if (m->n >= m->most || m->failed)
        return;
    if (!mem_grow((void **)&m->marks, &m->cap, m->n, sizeof *m->marks))
        m->failed = true;
    else
        m->marks[m->n++] = (struct marked_block){block, far};
}

void marks_free(struct mark_list *lists, uint64_t n)
{
    for (uint64_t i = 0; lists && i < n; i++)
        free(lists[i].marks);
    free(lists);
}

lq_status marks_join(struct tensor_lineage *t, struct mark_list *lists, uint64_t n, lq_error *err)
{
    size_t total = 0;
    bool failed = false;
    t->marked = 0;
    for (uint64_t i = 0; i < n; i++) {
        t->marked += lists[i].count;
        total += lists[i].n;
        failed = failed || lists[i].failed;
    }
    total = total < LINEAGE_MARKS ? total : LINEAGE_MARKS;
    free(t->marks);
    t->n_marks = 0;
    t->marks = mem_calloc(total, sizeof *t->marks);
    failed = failed || !t->marks;
    for (uint64_t i = 0; i < n && !failed; i++)
        for (size_t k = 0; k < lists[i].n && t->n_marks < total; k++)
            t->marks[t->n_marks++] = lists[i].marks[k];
    marks_free(lists, n);
    return failed ? lq_fail_memory(err) : LQ_OK;
}

/* ---- one way, over some rows ---- */

struct attempt {
    const struct lineage_pair *pair;
    struct hypothesis how;
    const struct type_info *base_type; /* of the first base where it is seen as stored */
    struct mark_list *lists;           /* of each chunk */
    uint64_t blocks, most;             /* more than `most` differing blocks are enough */
    uint64_t differing;                /* atomic: so far */
};

static bool any_differs(const uint8_t *a, const uint8_t *b, size_t n)
{
    return memcmp(a, b, n) != 0;
}

/* Compares block after block; a chunk that is equal costs one comparison. */
static void compare_blocks(struct attempt *a, const struct pass_chunk *c, const void *x,
                           const void *y, size_t len, size_t bytes)
{
    const uint8_t *const px = x, *const py = y;
    const size_t blocks = c->n / len;
    struct mark_list *const list = &a->lists[c->index];
    if (any_differs(px, py, blocks * bytes))
        for (size_t i = 0; i < blocks; i++)
            if (any_differs(px + i * bytes, py + i * bytes, bytes))
                mark_add(list, c->first / len + i, 0);
    if (list->count)
        __atomic_fetch_add(&a->differing, list->count, __ATOMIC_RELAXED);
}

static bool differs_enough(const void *ctx)
{
    const struct attempt *const a = ctx;
    return __atomic_load_n(&a->differing, __ATOMIC_RELAXED) > a->most;
}

static void try_copy(void *ctx, const struct pass_chunk *c)
{
    struct attempt *const a = ctx;
    const struct type_info *const type = a->pair->type;
    if (type && type == a->base_type)
        compare_blocks(a, c, c->stored, c->base_stored, type->block_len, type->block_bytes);
    else
        compare_blocks(a, c, c->claimed, c->base[0], type ? type->block_len : 1,
                       (type ? type->block_len : 1) * sizeof(float));
}

/* The room holds the encoded chunk. Where the claimed side is not seen as stored, it has been
 * brought to its values by the transforms of its architecture: then values are compared. */
static void try_encoding(void *ctx, const struct pass_chunk *c)
{
    struct attempt *const a = ctx;
    const struct lineage_pair *const p = a->pair;
    const struct row_encoding e = {type_rounded(p->type, a->how.rounding),
                                   a->how.weighted ? p->importance : NULL, p->group_rows};
    encode_rows(&e, c->row, c->rows, c->cols, c->base[0], c->room, c->isa);
    compare_blocks(a, c, c->stored, c->room, p->type->block_len, p->type->block_bytes);
}

/* The same for a claimed side whose values alone are seen: they are rounded to `via` of the base.
 */
static void try_rounding(void *ctx, const struct pass_chunk *c)
{
    compare_blocks(ctx, c, c->claimed, c->base[0], 1, sizeof(float));
}

static struct pass pass_of(struct attempt *a, size_t base, const struct pass_options *options)
{
    const struct lineage_pair *const p = a->pair;
    struct pass pass = {.claimed = p->claimed,
                        .base = {p->base[base]},
                        .n_bases = 1,
                        .rows = p->rows,
                        .cols = p->cols,
                        .ctx = a,
                        .options = options};
    a->base_type = pass_stored_type(&p->base[base]);
    pass.base[0].step.via = a->how.via ? type_rounded(a->how.via, a->how.rounding) : NULL;
    if (a->how.copy) {
        pass.work = try_copy;
        pass.want_claimed = pass.want_base = !p->type || p->type != a->base_type;
    } else if (p->type) {
        pass.work = try_encoding;
        pass.want_base = true;
        pass.by_row = a->how.weighted;
        pass.room_bytes = p->type->block_bytes / p->type->block_len + 1;
    } else {
        pass.work = try_rounding;
        pass.want_claimed = pass.want_base = true;
    }
    return pass;
}

/* Tries a way on rows [first, first + n). Where it differs in more than `most` blocks, how many is
 * not exact. The lists of marks are the caller's where `lists` is not NULL. */
static lq_status attempt(struct attempt *a, size_t base, uint64_t first, uint64_t n, double most,
                         struct mark_list **lists, uint64_t *n_lists,
                         const struct pass_options *options, lq_error *err)
{
    struct pass pass = pass_of(a, base, options);
    const uint64_t len = a->pair->type ? a->pair->type->block_len : 1;
    pass.first_row = first;
    pass.rows = n;
    pass.enough = differs_enough;
    a->blocks = n * a->pair->cols / len;
    a->most = (uint64_t)((double)a->blocks * most);
    a->differing = 0;
    const uint64_t chunks = pass_chunks(&pass);
    a->lists = marks_new(chunks);
    lq_status status = a->lists ? pass_run(&pass, err) : lq_fail_memory(err);
    if (status == LQ_OK && lists) {
        *lists = a->lists;
        *n_lists = chunks;
    } else {
        marks_free(a->lists, chunks);
    }
    a->lists = NULL;
    return status;
}

/* ---- which ways there are ---- */

static bool has_values(const struct compared *c)
{
    const struct type_info *const type = pass_stored_type(c);
    return !type || type->decode;
}

static bool is_integer(const struct compared *c)
{
    return c->step.n_in && (c->step.in[0]->type->flags & TYPE_INTEGER);
}

static bool may_copy(const struct lineage_pair *p, size_t base)
{
    return (p->type && p->type == pass_stored_type(&p->base[base])) ||
           (has_values(&p->claimed) && has_values(&p->base[base]));
}

static bool may_encode(const struct lineage_pair *p, size_t base, const struct hypothesis *h)
{
    const struct compared *const b = &p->base[base];
    const struct type_info *const via = h->via, *const type = p->type;
    if (is_integer(b) || is_integer(&p->claimed) || !has_values(b) || !has_values(&p->claimed))
        return false;
    if (via && (via == type || via == pass_stored_type(b) || p->cols % via->block_len || b->packed))
        return false;
    if (!type || type == &type_F32)
        return via && !h->weighted;
    return type->encode &&
           (h->weighted ? type->flags & TYPE_QUANTIZED : !(type->flags & TYPE_NEEDS_IMPORTANCE));
}

/* Whether the rounding makes a difference to a way. */
static bool is_distinct(const struct lineage_pair *p, const struct hypothesis *h)
{
    return h->rounding == ROUNDING_STRICT ||
           (p->type && type_rounded(p->type, h->rounding) != p->type) ||
           (h->via && type_rounded(h->via, h->rounding) != h->via);
}

/* The ways from base number `base`, the likeliest first. */
static size_t list_ways(const struct lineage_pair *p, size_t base, struct hypothesis *ways)
{
    const struct type_info *const vias[] = {NULL, &type_F16, &type_BF16, &type_Q8_0};
    const enum rounding roundings[] = {ROUNDING_STRICT, ROUNDING_FUSED};
    size_t n = 0;
    if (may_copy(p, base))
        ways[n++] = (struct hypothesis){.copy = true};
    for (size_t r = 0; r < sizeof roundings / sizeof *roundings; r++)
        for (int weighted = p->importance != NULL; weighted >= 0; weighted--)
            for (size_t v = 0; v < sizeof vias / sizeof *vias; v++) {
                const struct hypothesis h = {
                    .weighted = weighted, .rounding = roundings[r], .via = vias[v]};
                if (may_encode(p, base, &h) && is_distinct(p, &h))
                    ways[n++] = h;
            }
    return n;
}

static bool same_way(const struct hypothesis *a, const struct hypothesis *b)
{
    return a->copy == b->copy && a->weighted == b->weighted && a->rounding == b->rounding &&
           a->via == b->via;
}

/* ---- choosing ---- */

struct candidate {
    size_t base;
    struct hypothesis how;
    uint64_t matching, probed; /* blocks */
};

static lq_status probe(struct candidate *c, const struct lineage_pair *p,
                       const struct pass_options *options, lq_error *err)
{
    struct attempt a = {.pair = p, .how = c->how};
    uint64_t n = p->cols < PROBE ? PROBE / (p->cols ? p->cols : 1) : 1;
    uint64_t at[2] = {0, p->rows / 2};
    const size_t places = p->rows > 2 * n ? 2 : 1;
    n = places == 1 ? p->rows : n;
    c->matching = c->probed = 0;
    for (size_t i = 0; i < places; i++) {
        LQ_TRY(attempt(&a, c->base, at[i], n, 1.0, NULL, NULL, options, err));
        c->probed += a.blocks;
        c->matching += a.blocks - a.differing;
    }
    return LQ_OK;
}

/* Tries a candidate on the whole tensor, and keeps what it found where that is better than what
 * there is. */
static lq_status settle(struct tensor_lineage *t, const struct candidate *c,
                        const struct lineage_pair *p, const struct pass_options *options,
                        lq_error *err)
{
    struct attempt a = {.pair = p, .how = c->how};
    struct mark_list *lists = NULL;
    uint64_t n_lists = 0;
    LQ_TRY(attempt(&a, c->base, 0, p->rows, LINEAGE_ALTERED_MOST, &lists, &n_lists, options, err));
    if (a.differing > a.most || (t->derived && a.differing >= t->marked)) {
        marks_free(lists, n_lists);
        return LQ_OK;
    }
    t->derived = true;
    t->how = c->how;
    t->from = p->from[c->base];
    t->base = p->base_tensor[c->base];
    t->blocks = a.blocks;
    return marks_join(t, lists, n_lists, err);
}

/* All candidates: the last right way of every base first. */
static size_t list_candidates(struct candidate *out, const struct lineage_pair *p,
                              const struct hypothesis *last)
{
    size_t n = 0;
    for (int pass = 0; pass < 2; pass++)
        for (size_t b = 0; b < p->n_bases; b++) {
            struct hypothesis ways[MOST_WAYS];
            const size_t n_ways = list_ways(p, b, ways);
            for (size_t w = 0; w < n_ways; w++)
                if (same_way(&ways[w], last) == (pass == 0))
                    out[n++] = (struct candidate){.base = b, .how = ways[w]};
        }
    return n;
}

lq_status lineage_derive(struct tensor_lineage *t, const struct lineage_pair *p,
                         struct hypothesis *last, const struct pass_options *options, lq_error *err)
{
    struct candidate list[LINEAGE_BASES * MOST_WAYS];
    const struct pass_options quiet = {.isa = options->isa, .threads = 1, .rooms = options->rooms};
    const size_t n = list_candidates(list, p, last);
    size_t probed = 0, best = 0;
    for (size_t i = 0; i < n; i++) {
        LQ_TRY(probe(&list[i], p, &quiet, err));
        probed = i + 1;
        best = list[i].matching > list[best].matching ? i : best;
        if (list[i].matching == list[i].probed)
            break;
    }
    if (n && list[best].matching * 2 >= list[best].probed) {
        LQ_TRY(settle(t, &list[best], p, options, err));
        /* Ways that agree on the probe may differ elsewhere. */
        for (size_t i = 0; i < n && (!t->derived || t->marked); i++) {
            if (i >= probed)
                LQ_TRY(probe(&list[i], p, &quiet, err));
            if (i != best && list[i].matching == list[best].matching)
                LQ_TRY(settle(t, &list[i], p, options, err));
        }
    }
    if (t->derived)
        *last = t->how;
    return LQ_OK;
}

/* The types that are encoded in the same way whatever the importance. */
static bool uses_importance(const struct type_info *type)
{
    static const struct type_info *const without[] = {
        &type_Q8_0, &type_MXFP4, &type_NVFP4, &type_TQ1_0, &type_TQ2_0, &type_Q1_0, &type_Q2_0};
    bool uses = type && (type->flags & TYPE_QUANTIZED);
    for (size_t i = 0; i < sizeof without / sizeof *without; i++)
        uses = uses && type != without[i];
    return uses;
}

lq_status lineage_is_on_grid(const struct tensor_lineage *t, const struct lineage_pair *p,
                             bool *out, const struct pass_options *options, lq_error *err)
{
    struct lineage_pair other = *p;
    struct attempt a = {.pair = &other};
    struct hypothesis ways[MOST_WAYS];
    size_t base = 0;
    *out = false;
    while (base < p->n_bases && p->from[base] != t->from)
        base++;
    if (base == p->n_bases || !uses_importance(p->type))
        return LQ_OK;
    if (t->how.copy) { /* of bytes, or of values that the type happens to hold */
        *out = pass_stored_type(&p->base[base]) != p->type;
        return LQ_OK;
    }
    float *const ones = mem_calloc((size_t)p->cols, sizeof *ones);
    if (!ones)
        return lq_fail_memory(err);
    for (uint64_t i = 0; i < p->cols; i++)
        ones[i] = 1;
    other.importance = ones;
    other.group_rows = p->rows;
    const size_t n = list_ways(&other, base, ways);
    lq_status status = LQ_OK;
    for (size_t i = 0; i < n && status == LQ_OK && !*out; i++) {
        if (ways[i].copy || ways[i].weighted == t->how.weighted)
            continue;
        a.how = ways[i];
        status = attempt(&a, base, 0, p->rows, 0.5, NULL, NULL, options, err);
        *out = status == LQ_OK && a.differing <= a.most;
    }
    free(ones);
    return status;
}
