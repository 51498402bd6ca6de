/* make_rows.c -- one chunk of the pipeline: read, decode, map, encode. */
#include "libquant/convert/make_rows.h"

#include "libquant/base/bytes.h"
#include "libquant/codec/kernels.h"
#include "libquant/codec/num.h"

#include <inttypes.h>
#include <string.h>

/* Rows that lie apart are read one by one, unless reading all that lies between costs at most this
 * many times as much. */
enum { SPAN_FACTOR = 2 };

static bool is_plain(const struct step *s)
{
    return !s->fill && !s->fill_raw;
}

/* Bytes of the raw buffer in front of the scratch for `via`. */
static uint64_t source_bytes(const struct step *s, uint64_t n)
{
    if (!is_plain(s))
        return 0;
    const uint64_t bytes = type_bytes(s->in[0]->type, n);
    return s->row_from ? bytes * (1 + SPAN_FACTOR) : bytes;
}

uint64_t make_rows_raw_bytes(const struct step *s, uint64_t n)
{
    return source_bytes(s, n) + (s->via ? type_bytes(s->via, n) : 0);
}

/* Brings rows that row_from scatters into one piece. The rows of a chunk mostly lie close to each
 * other in one tensor (permuted heads), or in a few runs (stacked experts). */
static lq_status gather(const struct step *s, uint64_t row, uint64_t n, uint64_t row_bytes,
                        char *raw, lq_error *err)
{
    char *const span = raw + n * row_bytes;
    uint64_t low = UINT64_MAX, high = 0;
    const uint32_t in = s->row_from(s, row).in;
    bool one_tensor = true;
    for (uint64_t i = 0; i < n; i++) {
        const struct row_ref ref = s->row_from(s, row + i);
        one_tensor = one_tensor && ref.in == in;
        low = ref.row < low ? ref.row : low;
        high = ref.row > high ? ref.row : high;
    }
    if (one_tensor && high - low < SPAN_FACTOR * n) {
        LQ_TRY(catalog_read(s->source, s->in[in], span, (high - low + 1) * row_bytes,
                            low * row_bytes, err));
        for (uint64_t i = 0; i < n; i++)
            memcpy(raw + i * row_bytes, span + (s->row_from(s, row + i).row - low) * row_bytes,
                   row_bytes);
        return LQ_OK;
    }
    for (uint64_t i = 0; i < n;) {
        const struct row_ref ref = s->row_from(s, row + i);
        uint64_t run = 1;
        for (; i + run < n; run++) {
            const struct row_ref next = s->row_from(s, row + i + run);
            if (next.in != ref.in || next.row != ref.row + run)
                break;
        }
        LQ_TRY(catalog_read(s->source, s->in[ref.in], raw + i * row_bytes, run * row_bytes,
                            ref.row * row_bytes, err));
        i += run;
    }
    return LQ_OK;
}

/* Stored bytes of the chunk to raw. */
static lq_status read_raw(const struct step *s, const struct chunk *c, void *raw, lq_error *err)
{
    const struct type_info *const type = s->in[0]->type;
    if (s->row_from)
        return gather(s, c->row, c->rows, type_bytes(type, c->cols), raw, err);
    return catalog_read(s->source, s->in[0], raw, type_bytes(type, c->rows * c->cols),
                        type_bytes(type, c->first), err);
}

static lq_status fail_value(const struct chunk *c, uint64_t at, const char *what, lq_error *err)
{
    return lq_fail(err, LQ_E_MODEL,
                   "element %" PRIu64 " of row %" PRIu64 " %s; --allow-nonfinite passes such "
                   "values on",
                   (c->first + at) % c->row_len, (c->first + at) / c->row_len, what);
}

static lq_status check_floats(const struct chunk *c, const float *x, lq_error *err)
{
    const size_t n = (size_t)(c->rows * c->cols);
    if (f32_all_finite(x, n))
        return LQ_OK;
    size_t at = 0;
    while (f32_is_finite(x[at]))
        at++;
    return fail_value(c, at, x[at] != x[at] ? "is not a number (NaN)" : "is infinite", err);
}

static lq_status check_stored(const struct chunk *c, const struct type_info *type,
                              const void *stored, const char *what, lq_error *err)
{
    const size_t n = (size_t)(c->rows * c->cols);
    const size_t at = type->check ? type->check(stored, n) : n;
    return at == n ? LQ_OK : fail_value(c, at, what, err);
}

/* What a two-step conversion does to the values: through the intermediate type and back. */
static void round_through(const struct step *s, const struct chunk *c, const struct row_buffers *b,
                          unsigned isa)
{
    const struct kernel k = kernel_for(s->via, isa);
    const size_t n = (size_t)(c->rows * c->cols);
    void *const room = (char *)b->raw + source_bytes(s, n);
    k.encode(room, b->floats, (size_t)c->rows, (size_t)c->cols, NULL);
    k.decode(b->floats, room, n);
}

void encode_rows(const struct row_encoding *e, uint64_t row, uint64_t rows, uint64_t cols,
                 const float *x, void *dst, unsigned isa)
{
    const struct kernel k = kernel_for(e->type, isa);
    if (!e->importance) {
        k.encode(dst, x, (size_t)rows, (size_t)cols, NULL);
        return;
    }
    /* Rows of one expert share their importance: encode up to the next expert's first row. */
    const uint64_t row_bytes = type_bytes(e->type, cols);
    for (uint64_t i = 0; i < rows;) {
        const uint64_t group = (row + i) / e->group_rows;
        const uint64_t left = (group + 1) * e->group_rows - (row + i);
        const uint64_t n = left < rows - i ? left : rows - i;
        k.encode((char *)dst + i * row_bytes, x + i * cols, (size_t)n, (size_t)cols,
                 e->importance + group * cols);
        i += n;
    }
}

static void encode(const struct output *o, const struct chunk *c, const float *x, void *dst,
                   const struct stream_options *options)
{
    const struct tensor *const t = &o->catalog.tensors[c->step];
    const struct row_encoding e = {type_rounded(t->type, options->rounding),
                                   o->importance ? o->importance[c->step] : NULL,
                                   tensor_rows(t) / (o->groups ? o->groups[c->step] : 1)};
    encode_rows(&e, c->row, c->rows, c->cols, x, dst, options->isa);
}

/* True where the output's bytes are the source's bytes. */
static bool copies(const struct step *s, const struct tensor *out)
{
    return is_plain(s) && !s->map && s->in[0]->type == out->type &&
           (!s->via || s->via == out->type);
}

/* The chunk as floats: where the source is float32 and nothing changes it, where it was read to. */
static lq_status to_floats(const struct step *s, const struct chunk *c, const struct row_buffers *b,
                           unsigned isa, enum rounding rounding, const float **x, lq_error *err)
{
    *x = b->floats;
    if (s->fill) {
        LQ_TRY(s->fill(s, c->row, c->rows, b->floats, isa, err));
    } else if (s->in[0]->type->id == LQ_TYPE_F32 && !s->map && !s->via) {
        *x = b->raw;
    } else {
        const struct kernel k = kernel_for(type_rounded(s->in[0]->type, rounding), isa);
        if (!k.decode)
            return lq_fail(err, LQ_E_UNSUPPORTED, "type %s cannot be converted to numbers",
                           s->in[0]->type->name);
        k.decode(b->floats, b->raw, (size_t)(c->rows * c->cols));
    }
    for (uint64_t i = 0; s->map && i < c->rows; i++)
        s->map(s, b->floats + i * c->cols, (size_t)c->cols);
    if (s->via)
        round_through(s, c, b, isa);
    return LQ_OK;
}

lq_status step_floats(const struct step *s, uint64_t row, uint64_t n, uint64_t cols, void *raw,
                      float *dst, unsigned isa, lq_error *err)
{
    const struct chunk c = {.row = row, .rows = n, .cols = cols, .first = row * cols, .row_len = cols};
    const struct row_buffers b = {raw, dst};
    const float *x;
    if (is_plain(s))
        LQ_TRY(read_raw(s, &c, raw, err));
    LQ_TRY(to_floats(s, &c, &b, isa, ROUNDING_STRICT, &x, err));
    if (x != dst)
        memcpy(dst, x, (size_t)(n * cols) * sizeof *dst);
    return LQ_OK;
}

lq_status make_rows(const struct step *s, const struct chunk *c, const struct output *outputs,
                    size_t n_outputs, const struct stream_options *options,
                    const struct row_buffers *buffers, void *const *out, size_t *len, lq_error *err)
{
    const float *x = NULL;
    if (is_plain(s))
        LQ_TRY(read_raw(s, c, buffers->raw, err));
    for (size_t k = 0; k < n_outputs; k++) {
        const struct tensor *const t = &outputs[k].catalog.tensors[c->step];
        len[k] = (size_t)type_bytes(t->type, c->rows * c->cols);
        if (s->fill_raw) {
            LQ_TRY(s->fill_raw(s, c->row, c->rows, out[k], err));
        } else if (copies(s, t)) {
            memcpy(out[k], buffers->raw, len[k]);
        } else {
            if (!x) {
                LQ_TRY(to_floats(s, c, buffers, options->isa, options->rounding, &x, err));
                if (!options->allow_nonfinite)
                    LQ_TRY(check_floats(c, x, err));
            }
            encode(&outputs[k], c, x, out[k], options);
        }
        if (!options->allow_nonfinite)
            LQ_TRY(check_stored(c, t->type, out[k],
                                copies(s, t) ? "is infinite or not a number"
                                             : "is too large for this type",
                                err));
    }
    return LQ_OK;
}
