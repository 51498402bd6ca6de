/* plan_steps.c -- transforms of tensors, row by row. */
#include "libquant/convert/plan_steps.h"

#include "libquant/base/bytes.h"
#include "libquant/codec/kernels.h"
#include "libquant/model/packed.h"

#include <stdlib.h>
#include <string.h>

/* Of a chunk of what is stored input first: a chunk's rows are columns of the source, so that a larger
 * chunk means longer reads. Packed weights are unpacked by the whole on top of that. */
enum { TRANSPOSED_ELEMENTS = 1 << 19, PACKED_TRANSPOSED_ELEMENTS = 1 << 20, TILE_ROWS = 16 };

typedef struct row_ref row_from_fn(const struct step *s, uint64_t row);

/* What a step needs beyond its four numbers; lives as long as the plan. */
struct recipe_of_rows {
    row_from_fn *from;                   /* of steps that read rows themselves */
    const struct tensor *const *scales;  /* of in[], or NULL */
    uint64_t scale_rows, scale_cols;     /* rows and columns that share a scale; 0: all of them */
    /* transposes */
    uint64_t group_rows;                 /* rows of the source that belong together */
    uint64_t used_rows;                  /* of these, the first that become columns */
    uint64_t group_cols, every, first;   /* columns that become rows: every `every`-th from first */
};

/* ---- rows from rows ---- */

/* The two halves of a head's rows become pairs: 0 1 2 3 | 4 5 6 7 -> 0 4 1 5 2 6 3 7. Checkpoints
 * rotate halves, GGUF's llama rotates neighbours. arg[0]: rows of a head. */
static struct row_ref from_permuted(const struct step *s, uint64_t row)
{
    const uint64_t head = (uint64_t)s->arg[0], j = row % head;
    return (struct row_ref){0, row - j + (j & 1) * (head / 2) + j / 2};
}

/* Inputs one after the other. arg[0]: rows of each. */
static struct row_ref from_stack(const struct step *s, uint64_t row)
{
    const uint64_t rows = (uint64_t)s->arg[0];
    return (struct row_ref){(uint32_t)(row / rows), row % rows};
}

/* arg[0] rows out of each arg[1], from row arg[2] on, arg[3] rows apart. */
static struct row_ref from_some(const struct step *s, uint64_t row)
{
    const uint64_t taken = (uint64_t)s->arg[0], of = (uint64_t)s->arg[1];
    return (struct row_ref){0, row / taken * of + (uint64_t)s->arg[2] +
                                   row % taken * (uint64_t)s->arg[3]};
}

/* Heads of (query, key, value) become all queries, all keys, all values. arg[0]: rows of a head's
 * part, arg[1]: heads. */
static struct row_ref from_heads(const struct step *s, uint64_t row)
{
    const uint64_t part_rows = (uint64_t)s->arg[0], heads = (uint64_t)s->arg[1];
    const uint64_t part = row / (part_rows * heads), head = row / part_rows % heads;
    return (struct row_ref){0, (head * 3 + part) * part_rows + row % part_rows};
}

static struct row_ref from_itself(const struct step *s, uint64_t row)
{
    (void)s;
    return (struct row_ref){0, row};
}

/* ---- maps ---- */

static void add_one(const struct step *s, float *x, size_t cols)
{
    (void)s;
    for (size_t i = 0; i < cols; i++)
        x[i] += 1.0f;
}

/* ---- reading floats ---- */

/* n elements of a tensor from element `first` on. */
static lq_status decode_at(const struct step *s, const struct tensor *t, uint64_t first, size_t n,
                           float *dst, unsigned isa, lq_error *err)
{
    if (t->type == &type_packed)
        return packed_read(s->source, t, first, n, dst, err);
    const struct kernel k = kernel_for(t->type, isa);
    uint64_t bytes, at;
    if (!k.decode || !type_row_bytes(t->type, n, &bytes) || !type_row_bytes(t->type, first, &at))
        return lq_fail(err, LQ_E_UNSUPPORTED, "type %s cannot be converted to numbers",
                       t->type->name);
    void *const raw = mem_calloc(bytes, 1);
    if (!raw)
        return lq_fail_memory(err);
    const lq_status status = catalog_read(s->source, t, raw, bytes, at, err);
    if (status == LQ_OK)
        k.decode(dst, raw, n);
    free(raw);
    return status;
}

/* Multiplies n elements of a row, from column `first` on, with their scales. */
static lq_status scale_part(const struct step *s, const struct recipe_of_rows *r,
                            struct row_ref ref, uint64_t first, float *x, size_t n, unsigned isa,
                            lq_error *err)
{
    const struct tensor *const scale = r->scales ? r->scales[ref.in] : NULL;
    if (!scale || !n)
        return LQ_OK;
    const uint64_t cols = tensor_cols(s->in[ref.in]);
    const uint64_t row = r->scale_rows ? ref.row / r->scale_rows : 0;
    const uint64_t width = r->scale_cols ? r->scale_cols : cols;
    const uint64_t per_row = (cols + width - 1) / width;
    const uint64_t from = first / width, to = (first + n - 1) / width + 1;
    float *const factors = mem_calloc(to - from, sizeof *factors);
    if (!factors)
        return lq_fail_memory(err);
    const lq_status status =
        decode_at(s, scale, row * per_row + from, (size_t)(to - from), factors, isa, err);
    for (size_t i = 0; i < n && status == LQ_OK; i++)
        x[i] *= factors[(first + i) / width - from];
    free(factors);
    return status;
}

/* ---- fills ---- */

/* How many of the rows from `row` on, at most n, lie one after the other in one input. */
static uint64_t run_length(const struct step *s, const struct recipe_of_rows *r, uint64_t row,
                           uint64_t n)
{
    const struct row_ref first = r->from(s, row);
    uint64_t run = 1;
    for (; run < n; run++) {
        const struct row_ref next = r->from(s, row + run);
        if (next.in != first.in || next.row != first.row + run)
            break;
    }
    return run;
}

/* Rows of a packed weight that lie close to each other (permuted heads): all that lies between is read
 * at once, since a row alone costs as much as many. False: they do not. */
static bool is_span(const struct step *s, const struct recipe_of_rows *r, uint64_t row, uint64_t n,
                    struct row_ref *low, uint64_t *span)
{
    uint64_t high = 0;
    *low = r->from(s, row);
    const uint32_t in = low->in;
    if (s->in[in]->type != &type_packed || run_length(s, r, row, n) == n)
        return false;
    for (uint64_t i = 0; i < n; i++) {
        const struct row_ref ref = r->from(s, row + i);
        if (ref.in != in)
            return false;
        low->row = ref.row < low->row ? ref.row : low->row;
        high = ref.row > high ? ref.row : high;
    }
    *span = high - low->row + 1;
    return *span <= 4 * n;
}

static lq_status fill_span(const struct step *s, uint64_t row, uint64_t n, struct row_ref low,
                           uint64_t span, float *dst, unsigned isa, lq_error *err)
{
    const struct recipe_of_rows *const r = s->data;
    const size_t cols = (size_t)tensor_cols(s->in[0]);
    float *const x = mem_calloc((size_t)span * cols, sizeof *x);
    if (!x)
        return lq_fail_memory(err);
    const lq_status status =
        decode_at(s, s->in[low.in], low.row * cols, (size_t)span * cols, x, isa, err);
    for (uint64_t i = 0; i < n && status == LQ_OK; i++)
        memcpy(dst + i * cols, x + (r->from(s, row + i).row - low.row) * cols, cols * sizeof *x);
    free(x);
    return status;
}

/* Rows that `from` names, of inputs that differ in type or are stored scaled. */
static lq_status fill_rows(const struct step *s, uint64_t row, uint64_t n, float *dst, unsigned isa,
                           lq_error *err)
{
    const struct recipe_of_rows *const r = s->data;
    const size_t cols = (size_t)tensor_cols(s->in[0]);
    struct row_ref low;
    uint64_t span;
    if (is_span(s, r, row, n, &low, &span))
        return fill_span(s, row, n, low, span, dst, isa, err);
    for (uint64_t i = 0; i < n;) {
        struct row_ref ref = r->from(s, row + i);
        const uint64_t run = run_length(s, r, row + i, n - i);
        LQ_TRY(decode_at(s, s->in[ref.in], ref.row * cols, (size_t)run * cols, dst + i * cols, isa,
                         err));
        for (const uint64_t end = i + run; i < end; i++, ref.row++)
            LQ_TRY(scale_part(s, r, ref, 0, dst + i * cols, cols, isa, err));
    }
    return LQ_OK;
}

/* A vector whose elements are permuted as rows would be. */
static lq_status fill_vector(const struct step *s, uint64_t row, uint64_t n, float *dst,
                             unsigned isa, lq_error *err)
{
    const struct recipe_of_rows *const r = s->data;
    const size_t len = (size_t)s->in[0]->elements;
    (void)row;
    (void)n;
    float *const x = mem_calloc(len, sizeof *x);
    if (!x)
        return lq_fail_memory(err);
    const lq_status status = decode_at(s, s->in[0], 0, len, x, isa, err);
    for (size_t i = 0; i < len && status == LQ_OK; i++)
        dst[i] = x[r->from(s, i).row];
    free(x);
    return status;
}

/* Every arg[1]-th column from arg[0] on. */
static lq_status fill_columns(const struct step *s, uint64_t row, uint64_t n, float *dst,
                              unsigned isa, lq_error *err)
{
    const size_t cols = (size_t)tensor_cols(s->in[0]), every = (size_t)s->arg[1];
    float *const x = mem_calloc(cols, sizeof *x);
    lq_status status = x ? LQ_OK : lq_fail_memory(err);
    for (uint64_t i = 0; i < n && status == LQ_OK; i++) {
        status = decode_at(s, s->in[0], (row + i) * cols, cols, x, isa, err);
        for (size_t k = 0; k < cols / every && status == LQ_OK; k++)
            dst[i * (cols / every) + k] = x[k * every + (size_t)s->arg[0]];
    }
    free(x);
    return status;
}

/* `rows` rows of the source, from ref on: every `every`-th of their columns from `first` on becomes a
 * row of dst, `count` of them. A tile at a time, so that what is written lies together. */
static lq_status transpose_tile(const struct step *s, const struct recipe_of_rows *r,
                                struct row_ref ref, uint64_t rows, uint64_t first, size_t span,
                                uint64_t count, float *x, float *dst, unsigned isa, lq_error *err)
{
    const size_t out_cols = (size_t)r->used_rows;
    for (uint64_t j = 0; j < rows; j++, ref.row++) {
        LQ_TRY(decode_at(s, s->in[0], ref.row * r->group_cols + first, span, x + j * span, isa,
                         err));
        LQ_TRY(scale_part(s, r, ref, first, x + j * span, span, isa, err));
    }
    for (uint64_t i = 0; i < count; i++)
        for (uint64_t j = 0; j < rows; j++)
            dst[i * out_cols + j] = x[j * span + i * r->every];
    return LQ_OK;
}

/* Columns become rows. The rows of a chunk are columns that lie side by side, so that each row of
 * the source is read once for a chunk, in one piece. */
static lq_status fill_transposed(const struct step *s, uint64_t row, uint64_t n, float *dst,
                                 unsigned isa, lq_error *err)
{
    const struct recipe_of_rows *const r = s->data;
    const uint64_t per_group = r->group_cols / r->every;
    const size_t out_cols = (size_t)r->used_rows;
    while (n) {
        const uint64_t group = row / per_group, col = row % per_group;
        const uint64_t count = n < per_group - col ? n : per_group - col;
        const size_t span = (size_t)((count - 1) * r->every + 1);
        float *const x = mem_calloc(span, TILE_ROWS * sizeof *x);
        lq_status status = x ? LQ_OK : lq_fail_memory(err);
        for (uint64_t b = 0; b < r->used_rows && status == LQ_OK; b += TILE_ROWS) {
            const uint64_t rows = r->used_rows - b < TILE_ROWS ? r->used_rows - b : TILE_ROWS;
            const struct row_ref ref = {0, group * r->group_rows + b};
            status = transpose_tile(s, r, ref, rows, col * r->every + r->first, span, count, x,
                                    dst + b, isa, err);
        }
        free(x);
        LQ_TRY(status);
        dst += count * out_cols;
        row += count;
        n -= count;
    }
    return LQ_OK;
}

/* arg[0]: columns. */
static lq_status fill_values(const struct step *s, uint64_t row, uint64_t n, float *dst,
                             unsigned isa, lq_error *err)
{
    const size_t cols = (size_t)s->arg[0];
    (void)isa;
    (void)err;
    memcpy(dst, (const float *)s->data + row * cols, n * cols * sizeof *dst);
    return LQ_OK;
}

/* ---- MXFP4: gpt-oss keeps elements 2i and 2i + 1 in byte i, GGUF i and i + 16 ---- */

enum { MX_ELEMENTS = 32, MX_CODES = 16, MX_BLOCK = 17 };

static void repack_block(uint8_t *dst, uint8_t scale, const uint8_t *codes)
{
    dst[0] = scale;
    for (int i = 0; i < MX_CODES; i++) {
        const uint8_t low = (uint8_t)(i & 1 ? codes[i / 2] >> 4 : codes[i / 2] & 15);
        const uint8_t high =
            (uint8_t)(i & 1 ? codes[8 + i / 2] >> 4 : codes[8 + i / 2] & 15);
        dst[1 + i] = (uint8_t)(low | high << 4);
    }
}

/* Rows as from_some says. */
static lq_status fill_mxfp4(const struct step *s, uint64_t row, uint64_t n, void *dst,
                            lq_error *err)
{
    const struct recipe_of_rows *const r = s->data;
    const struct tensor *const t = s->in[0];
    const size_t blocks = (size_t)t->dim[t->rank - 2];
    uint8_t *const codes = mem_calloc(blocks, MX_CODES + 1), *const scales = codes + blocks * MX_CODES;
    uint8_t *out = dst;
    lq_status status = codes ? LQ_OK : lq_fail_memory(err);
    for (uint64_t i = 0; i < n && status == LQ_OK; i++) {
        const uint64_t from = r->from(s, row + i).row;
        status = catalog_read(s->source, t, codes, blocks * MX_CODES, from * blocks * MX_CODES, err);
        if (status == LQ_OK)
            status = catalog_read(s->source, r->scales[0], scales, blocks, from * blocks, err);
        for (size_t b = 0; b < blocks && status == LQ_OK; b++, out += MX_BLOCK)
            repack_block(out, scales[b], codes + b * MX_CODES);
    }
    free(codes);
    return status;
}

/* The numbers that the blocks stand for. */
static lq_status fill_mxfp4_floats(const struct step *s, uint64_t row, uint64_t n, float *dst,
                                   unsigned isa, lq_error *err)
{
    const struct tensor *const t = s->in[0];
    const size_t blocks = (size_t)(t->dim[t->rank - 2] * n);
    void *const packed = mem_calloc(blocks, MX_BLOCK);
    if (!packed)
        return lq_fail_memory(err);
    const lq_status status = fill_mxfp4(s, row, n, packed, err);
    if (status == LQ_OK)
        kernel_for(&type_MXFP4, isa).decode(dst, packed, blocks * MX_ELEMENTS);
    free(packed);
    return status;
}

void plan_step_unpack(struct step *s)
{
    s->fill_raw = NULL;
    s->fill = fill_mxfp4_floats;
    s->via = NULL;
}

/* ---- the steps ---- */

static bool one_type(const struct mapped *t)
{
    for (uint32_t i = 1; i < t->n_in; i++)
        if (t->in[i]->type != t->in[0]->type)
            return false;
    return true;
}

/* How many rows and columns share a scale: the sizes tell, up to a last block that is cut off. */
static lq_status scale_shape(struct recipe_of_rows *r, const struct model *m, const struct mapped *t,
                             lq_error *err)
{
    const struct cJSON *const size =
        config_find(&m->config, "quantization_config.weight_block_size "
                                "quantization_config.config_groups.group_0.weights.block_structure");
    const uint64_t rows = tensor_rows(t->in[0]), cols = tensor_cols(t->in[0]);
    for (uint32_t i = 0; i < t->n_in; i++) {
        const struct tensor *const scale = t->scales[i];
        uint64_t n_rows = 0, n_cols = 0;
        if (!scale)
            continue;
        if (config_pair(size, &r->scale_rows, &r->scale_cols) && scale->elements > 1) {
            n_rows = (rows + r->scale_rows - 1) / r->scale_rows;
            n_cols = (cols + r->scale_cols - 1) / r->scale_cols;
        } else {
            r->scale_rows = scale->elements == rows ? 1 : 0;
            r->scale_cols = 0;
            n_rows = r->scale_rows ? rows : 1;
            n_cols = 1;
        }
        if (scale->elements != n_rows * n_cols || !scale->type->decode) {
            lq_fail(err, LQ_E_MODEL, "its scales do not fit the tensor that they belong to");
            lq_error_add_tensor(err, scale->name);
            return LQ_E_MODEL;
        }
    }
    return LQ_OK;
}

/* Rows by `from`, in the cheapest way that fits. */
static lq_status rows_by(struct step *s, struct recipe_of_rows *r, const struct model *m,
                         const struct mapped *t, row_from_fn *from, lq_error *err)
{
    const bool vector = t->rank == 1 && !t->scales && t->n_in == 1;
    const bool packed = t->in[0]->type == &type_packed;
    if (!vector && one_type(t) && !t->scales && !packed) {
        s->row_from = from == from_itself ? NULL : from;
        return LQ_OK;
    }
    if (vector && from == from_itself)
        return LQ_OK;
    r->from = from;
    s->data = r;
    s->fill = vector ? fill_vector : fill_rows;
    return t->scales ? scale_shape(r, m, t, err) : LQ_OK;
}

static lq_status transposed(struct step *s, struct recipe_of_rows *r, const struct model *m,
                            const struct mapped *t, uint64_t group_rows, uint64_t used_rows,
                            lq_error *err)
{
    const bool every = t->rule->transform == TRANSFORM_TRANSPOSE_EVERY;
    r->group_rows = group_rows;
    r->used_rows = used_rows;
    r->group_cols = tensor_cols(t->in[0]);
    r->every = every ? (uint64_t)t->rule->arg[1] : 1;
    r->first = every ? (uint64_t)t->rule->arg[0] : 0;
    s->data = r;
    s->fill = fill_transposed;
    s->chunk_elements = TRANSPOSED_ELEMENTS;
    return t->scales ? scale_shape(r, m, t, err) : LQ_OK;
}

static void set_args(struct step *s, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    s->arg[0] = (int64_t)a;
    s->arg[1] = (int64_t)b;
    s->arg[2] = (int64_t)c;
    s->arg[3] = (int64_t)d;
}

static lq_status mxfp4(struct step *s, struct recipe_of_rows *r, const struct mapped *t,
                       lq_error *err)
{
    const struct tensor *const blocks = t->in[0], *const scales = t->scales[0];
    const uint64_t every = t->rule->arg[1] ? (uint64_t)t->rule->arg[1] : 1;
    if (blocks->type->id != LQ_TYPE_U8 || scales->type->id != LQ_TYPE_U8 ||
        blocks->dim[blocks->rank - 1] != MX_CODES ||
        scales->elements * MX_CODES != blocks->elements)
        return lq_fail(err, LQ_E_MODEL, "its blocks and scales are not those of MXFP4");
    set_args(s, 1, every, (uint64_t)t->rule->arg[0], 1);
    r->from = from_some;
    r->scales = t->scales;
    s->data = r;
    s->fill_raw = fill_mxfp4;
    return LQ_OK;
}

/* The steps of transforms that pick rows. */
static lq_status picked(struct step *s, struct recipe_of_rows *r, const struct model *m,
                        const struct mapped *t, lq_error *err)
{
    const uint64_t *const d = m->dim;
    const uint64_t first = (uint64_t)t->rule->arg[0], of = (uint64_t)t->rule->arg[1];
    switch ((enum transform)t->rule->transform) {
    case TRANSFORM_PERMUTE_Q:
    case TRANSFORM_PERMUTE_K:
        set_args(s, d[DIM_HEAD_DIM], 0, 0, 0);
        return rows_by(s, r, m, t, from_permuted, err);
    case TRANSFORM_STACK:
        set_args(s, tensor_rows(t->in[0]), 0, 0, 0);
        return rows_by(s, r, m, t, from_stack, err);
    case TRANSFORM_PART:
        set_args(s, t->dim[t->rank - 2], t->dim[t->rank - 2] * of, t->dim[t->rank - 2] * first, 1);
        return rows_by(s, r, m, t, from_some, err);
    case TRANSFORM_EVERY:
        set_args(s, 1, of, first, 1);
        return rows_by(s, r, m, t, from_some, err);
    case TRANSFORM_SKIP_ROWS:
        set_args(s, t->dim[0], t->dim[0], d[DIM_SKIP], 1);
        return rows_by(s, r, m, t, from_some, err);
    case TRANSFORM_HEADS_QKV:
        set_args(s, d[DIM_HEAD_DIM], d[DIM_HEADS], 0, 0);
        return rows_by(s, r, m, t, from_heads, err);
    case TRANSFORM_KV_B_V:
        set_args(s, d[DIM_V_DIM], d[DIM_KV_B], d[DIM_NOPE], 1);
        return rows_by(s, r, m, t, from_some, err);
    default: return rows_by(s, r, m, t, from_itself, err);
    }
}

static lq_status transform(struct step *s, const struct model *m, const struct mapped *t,
                           struct recipe_of_rows *r, lq_error *err)
{
    const struct tensor *const in = t->in[0];
    switch ((enum transform)t->rule->transform) {
    case TRANSFORM_ADD_ONE:
        s->map = add_one;
        return picked(s, r, m, t, err);
    case TRANSFORM_EVERY_COLUMN:
        set_args(s, (uint64_t)t->rule->arg[0], (uint64_t)t->rule->arg[1], 0, 0);
        s->fill = fill_columns;
        return LQ_OK;
    case TRANSFORM_TRANSPOSE:
    case TRANSFORM_TRANSPOSE_EVERY:
        return transposed(s, r, m, t, in->dim[in->rank - 2], in->dim[in->rank - 2], err);
    case TRANSFORM_KV_B_K:
        return transposed(s, r, m, t, m->dim[DIM_KV_B], m->dim[DIM_NOPE], err);
    case TRANSFORM_MXFP4: return mxfp4(s, r, t, err);
    default:              return picked(s, r, m, t, err);
    }
}

lq_status plan_step(struct step *s, const struct model *m, const struct mapped *t, struct arena *a,
                    lq_error *err)
{
    *s = (struct step){.source = &m->source, .in = t->in, .n_in = t->n_in};
    if (!t->rule) {
        s->fill = fill_values;
        s->data = t->values;
        s->arg[0] = (int64_t)t->dim[t->rank - 1];
        return LQ_OK;
    }
    struct recipe_of_rows *const r = arena_calloc(a, 1, sizeof *r);
    if (!r)
        return lq_fail_memory(err);
    r->scales = t->scales;
    lq_status status = LQ_OK;
    for (uint32_t i = 0; i < t->n_in && status == LQ_OK && !t->packed; i++)
        if (!t->in[i]->type->decode && t->in[i]->type != &type_packed)
            status = lq_fail(err, LQ_E_UNSUPPORTED, "type %s cannot be converted to numbers",
                             t->in[i]->type->name);
    if (status == LQ_OK)
        status = transform(s, m, t, r, err);
    if (t->in[0]->type == &type_packed && ((const struct packed *)t->in[0])->transposed)
        s->chunk_elements = PACKED_TRANSPOSED_ELEMENTS;
    if (status != LQ_OK)
        lq_error_add_tensor(err, t->in[0]->name);
    return status;
}
