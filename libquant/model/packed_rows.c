/* packed_rows.c -- rows of packed weights as floats. The arithmetic is single precision, one rounding
 * for each operation, in the order in which the reference libraries have it. */
#include "libquant/model/packed_parts.h"

#include "libquant/codec/num.h"

#include <inttypes.h>
#include <stdlib.h>

enum { WORD_BITS = 32 };

static lq_status fail_part(const struct tensor *t, lq_error *err, const char *what)
{
    lq_fail(err, LQ_E_MODEL, "%s", what);
    lq_error_add_tensor(err, t->name);
    return LQ_E_MODEL;
}

/* ---- reading a rectangle ---- */

/* Bytes [at, at + width) of rows [row, row + n), each of `stride` bytes, one after the other. */
static lq_status read_rectangle(const struct catalog *source, const struct tensor *t, uint64_t row,
                                uint64_t n, uint64_t stride, uint64_t at, size_t width, void *dst,
                                lq_error *err)
{
    if (width == stride)
        return catalog_read(source, t, dst, (size_t)n * width, row * stride, err);
    for (uint64_t i = 0; i < n; i++)
        LQ_TRY(catalog_read(source, t, (char *)dst + i * width, width, (row + i) * stride + at,
                            err));
    return LQ_OK;
}

/* Floats of any type: rows [row, row + n), columns [col, col + cols) of a matrix of `all` columns. */
static lq_status read_floats(const struct catalog *source, const struct tensor *t, uint64_t row,
                             uint64_t n, uint64_t all, uint64_t col, uint64_t cols, float *dst,
                             lq_error *err)
{
    const size_t size = t->type->block_bytes;
    void *const raw = mem_calloc((size_t)(n * cols), size);
    if (!raw)
        return lq_fail_memory(err);
    const lq_status status = read_rectangle(source, t, row, n, all * size, col * size,
                                            (size_t)cols * size, raw, err);
    if (status == LQ_OK)
        t->type->decode(dst, raw, (size_t)(n * cols));
    free(raw);
    return status;
}

/* ---- packed integers ---- */

/* The number that begins at `bit` of a string of words that lie `stride` apart; it may cross a word. */
static int32_t number_at(const uint32_t *words, size_t stride, uint64_t bit, unsigned bits)
{
    const unsigned shift = bit % WORD_BITS;
    const uint32_t *const w = words + bit / WORD_BITS * stride;
    uint32_t v = *w >> shift;
    if (shift + bits > WORD_BITS)
        v |= w[stride] << (WORD_BITS - shift);
    return (int32_t)(v & ((1u << bits) - 1));
}

/* Where AWQ puts column c of eight. */
static uint64_t interleaved(uint64_t c)
{
    return c / 8 * 8 + c % 8 / 2 + c % 2 * 4;
}

static lq_status read_bytes(const struct catalog *source, const struct packed_grid *g, uint64_t row,
                            uint64_t n, uint64_t col, uint64_t cols, int32_t *dst, lq_error *err)
{
    const size_t count = (size_t)(n * cols);
    uint8_t *const raw = mem_calloc(count, 1);
    if (!raw)
        return lq_fail_memory(err);
    const lq_status status =
        read_rectangle(source, g->t, row, n, tensor_cols(g->t), col, (size_t)cols, raw, err);
    for (size_t i = 0; i < count && status == LQ_OK; i++)
        dst[i] = low_i8(raw[i]);
    free(raw);
    return status;
}

/* Numbers of rows [row, row + n), columns [col, col + cols) of a grid. */
static lq_status read_numbers(const struct catalog *source, const struct packed_grid *g,
                              uint64_t row, uint64_t n, uint64_t col, uint64_t cols, int32_t *dst,
                              lq_error *err)
{
    if (g->t->type->id == LQ_TYPE_I8)
        return read_bytes(source, g, row, n, col, cols, dst, err);
    const uint64_t along = g->down ? row : col, count = g->down ? n : cols;
    const uint64_t from = along * g->bits / WORD_BITS;
    const uint64_t to = ((along + count) * g->bits + WORD_BITS - 1) / WORD_BITS;
    const uint64_t rows = g->down ? to - from : n, width = g->down ? cols : to - from;
    uint32_t *const words = mem_calloc((size_t)(rows * width), sizeof *words);
    if (!words)
        return lq_fail_memory(err);
    const lq_status status = read_rectangle(
        source, g->t, g->down ? from : row, rows, tensor_cols(g->t) * sizeof *words,
        (g->down ? col : from) * sizeof *words, (size_t)width * sizeof *words, words, err);
    for (uint64_t r = 0; r < n && status == LQ_OK; r++)
        for (uint64_t c = 0; c < cols; c++) {
            const uint64_t at = along + (g->down ? r : c);
            const uint64_t index = g->interleaved ? interleaved(at) : at;
            dst[r * cols + c] =
                number_at(g->down ? words + c : words + r * width, g->down ? (size_t)width : 1,
                          index * g->bits - from * WORD_BITS, g->bits);
        }
    free(words);
    return status;
}

/* ---- scale * (number - zero) ---- */

/* What rows need of their scales, all groups of them, and where each column finds its own. */
struct stripe {
    int32_t *numbers, *zeros;
    float *scales;
    uint32_t *group; /* of each column */
};

static bool allocate(struct stripe *s, const struct packed *p, uint64_t n, uint64_t cols)
{
    s->numbers = mem_calloc((size_t)(n * cols), sizeof *s->numbers);
    s->zeros = mem_calloc((size_t)(n * p->groups), sizeof *s->zeros);
    s->scales = mem_calloc((size_t)(n * p->groups), sizeof *s->scales);
    s->group = mem_calloc((size_t)cols, sizeof *s->group);
    return s->numbers && s->zeros && s->scales && s->group;
}

static lq_status read_groups(const struct catalog *source, const struct packed *p, uint64_t col,
                             uint64_t cols, uint32_t *group, lq_error *err)
{
    if (p->group_of)
        LQ_TRY(catalog_read(source, p->group_of, group, (size_t)cols * sizeof *group,
                            col * sizeof *group, err));
    for (uint64_t i = 0; i < cols; i++) {
        if (!p->group_of)
            group[i] = (uint32_t)((col + i) / p->group_size);
        if (group[i] >= p->groups)
            return fail_part(p->group_of, err, "names a group of columns that has no scales");
    }
    return LQ_OK;
}

static lq_status read_stripe(const struct catalog *source, const struct packed *p, uint64_t row,
                             uint64_t n, uint64_t col, uint64_t cols, const struct stripe *s,
                             lq_error *err)
{
    const uint64_t out = p->tensor.dim[0];
    LQ_TRY(read_groups(source, p, col, cols, s->group, err));
    if (p->transposed) {
        LQ_TRY(read_numbers(source, &p->number, col, cols, row, n, s->numbers, err));
        LQ_TRY(read_numbers(source, &p->zero, 0, p->groups, row, n, s->zeros, err));
        return read_floats(source, p->scale, 0, p->groups, out, row, n, s->scales, err);
    }
    LQ_TRY(read_numbers(source, &p->number, row, n, col, cols, s->numbers, err));
    if (p->zero.t)
        LQ_TRY(read_numbers(source, &p->zero, row, n, 0, p->groups, s->zeros, err));
    if (p->scale->elements > 1)
        return read_floats(source, p->scale, row, n, p->groups, 0, p->groups, s->scales, err);
    LQ_TRY(read_floats(source, p->scale, 0, 1, 1, 0, 1, s->scales, err));
    for (uint64_t i = 1; i < n; i++)
        s->scales[i] = s->scales[0];
    return LQ_OK;
}

lq_status packed_rows_affine(const struct catalog *source, const struct packed *p, uint64_t row,
                             uint64_t n, uint64_t col, uint64_t cols, float *dst, lq_error *err)
{
    struct stripe s = {0};
    lq_status status = allocate(&s, p, n, cols) ? LQ_OK : lq_fail_memory(err);
    if (status == LQ_OK)
        status = read_stripe(source, p, row, n, col, cols, &s, err);
    for (uint64_t r = 0; r < n && status == LQ_OK; r++)
        for (uint64_t c = 0; c < cols; c++) {
            const uint64_t g = p->transposed ? s.group[c] * n + r : r * p->groups + s.group[c];
            const int32_t q = s.numbers[p->transposed ? c * n + r : r * cols + c];
            const float x = s.scales[g] * (float)(q - (s.zeros[g] + p->zero_add));
            dst[r * cols + c] = p->times != 0 ? x * p->times : x;
        }
    free(s.numbers);
    free(s.zeros);
    free(s.scales);
    free(s.group);
    return status;
}

/* ---- table[index] * absmax[block] ---- */

/* Largest magnitudes of blocks [from, from + n): stored, or as indices into a second table. */
static lq_status read_absmax(const struct catalog *source, const struct packed *p, uint64_t from,
                             uint64_t n, float *dst, lq_error *err)
{
    const struct tensor *const t = p->part[TABLE_ABSMAX];
    if (!p->nested_block)
        return read_floats(source, t, from, 1, 1, 0, n, dst, err);
    const uint64_t first = from / p->nested_block, last = (from + n - 1) / p->nested_block;
    float table[256];
    uint8_t *const codes = mem_calloc((size_t)n, 1);
    float *const scales = mem_calloc((size_t)(last - first + 1), sizeof *scales);
    lq_status status = codes && scales ? LQ_OK : lq_fail_memory(err);
    if (status == LQ_OK)
        status = catalog_read(source, t, codes, (size_t)n, from, err);
    if (status == LQ_OK)
        status = read_floats(source, p->part[TABLE_NESTED_VALUES], 0, 1, 1, 0, 256, table, err);
    if (status == LQ_OK)
        status = read_floats(source, p->part[TABLE_NESTED_ABSMAX], first, 1, 1, 0,
                             last - first + 1, scales, err);
    for (uint64_t i = 0; i < n && status == LQ_OK; i++) {
        const float scaled = table[codes[i]] * scales[(from + i) / p->nested_block - first];
        dst[i] = scaled + p->nested_offset;
    }
    free(codes);
    free(scales);
    return status;
}

/* The first of two numbers is in the high half of a byte. Blocks run on over the ends of rows. */
lq_status packed_rows_table(const struct catalog *source, const struct packed *p, uint64_t row,
                            uint64_t n, uint64_t col, uint64_t cols, float *dst, lq_error *err)
{
    const uint64_t first = row * p->tensor.dim[1] + col, count = n * cols;
    const uint64_t from = first / 2, bytes = (first + count + 1) / 2 - from;
    const uint64_t block = first / p->block, blocks = (first + count - 1) / p->block - block + 1;
    float table[16];
    uint8_t *const codes = mem_calloc((size_t)bytes, 1);
    float *const absmax = mem_calloc((size_t)blocks, sizeof *absmax);
    lq_status status = codes && absmax ? LQ_OK : lq_fail_memory(err);
    if (status == LQ_OK)
        status = catalog_read(source, p->part[TABLE_INDEX], codes, (size_t)bytes, from, err);
    if (status == LQ_OK)
        status = read_floats(source, p->part[TABLE_VALUES], 0, 1, 1, 0, 16, table, err);
    if (status == LQ_OK)
        status = read_absmax(source, p, block, blocks, absmax, err);
    for (uint64_t i = 0; i < count && status == LQ_OK; i++) {
        const uint64_t at = first + i;
        const unsigned code = codes[at / 2 - from] >> (at % 2 ? 0 : 4) & 15u;
        dst[i] = table[code] * absmax[at / p->block - block];
    }
    free(codes);
    free(absmax);
    return status;
}

/* ---- NVFP4: E2M1 under E4M3 under one number ---- */

/* One row; whole pairs are read, the first in the low half of a byte. */
static lq_status read_nvfp4(const struct catalog *source, const struct packed *p, uint64_t row,
                            uint64_t col, uint64_t cols, float global, float *dst, lq_error *err)
{
    const uint64_t width = p->tensor.dim[1] / 2, groups = p->tensor.dim[1] / NVFP4_GROUP;
    const uint64_t from = col / 2, bytes = (col + cols + 1) / 2 - from;
    const uint64_t group = col / NVFP4_GROUP, n = (col + cols - 1) / NVFP4_GROUP - group + 1;
    uint8_t *const codes = mem_calloc((size_t)bytes, 1);
    float *const x = mem_calloc((size_t)bytes * 2, sizeof *x);
    float *const scales = mem_calloc((size_t)n, sizeof *scales);
    lq_status status = codes && x && scales ? LQ_OK : lq_fail_memory(err);
    if (status == LQ_OK)
        status = catalog_read(source, p->part[NVFP4_NUMBERS], codes, (size_t)bytes,
                              row * width + from, err);
    if (status == LQ_OK)
        status = read_floats(source, p->part[NVFP4_SCALES], row, 1, groups, group, n, scales, err);
    if (status == LQ_OK)
        type_F4.decode(x, codes, (size_t)bytes * 2);
    for (uint64_t i = 0; i < cols && status == LQ_OK; i++) {
        const float scale = scales[(col + i) / NVFP4_GROUP - group] / global;
        dst[i] = x[col + i - from * 2] * scale;
    }
    free(codes);
    free(x);
    free(scales);
    return status;
}

lq_status packed_rows_nvfp4(const struct catalog *source, const struct packed *p, uint64_t row,
                            uint64_t n, uint64_t col, uint64_t cols, float *dst, lq_error *err)
{
    float global;
    LQ_TRY(read_floats(source, p->part[NVFP4_GLOBAL], 0, 1, 1, 0, 1, &global, err));
    for (uint64_t i = 0; i < n; i++)
        LQ_TRY(read_nvfp4(source, p, row + i, col, cols, global, dst + i * cols, err));
    return LQ_OK;
}

lq_status packed_read(const struct catalog *source, const struct tensor *weight, uint64_t first,
                      size_t n, float *dst, lq_error *err)
{
    const struct packed *const p = (const struct packed *)weight;
    const uint64_t cols = weight->dim[1];
    if (!n)
        return LQ_OK;
    if (first % cols == 0 && n % cols == 0)
        return p->scheme->rows(source, p, first / cols, n / cols, 0, cols, dst, err);
    return p->scheme->rows(source, p, first / cols, 1, first % cols, n, dst, err);
}
