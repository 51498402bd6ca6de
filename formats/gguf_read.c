/* gguf_read.c -- GGUF headers into a catalog: versions 1 to 3, either byte order.
 *
 * The header is read once, front to back, through a buffer. Every length and count is compared with
 * the bytes that are left in the file before anything is allocated for it, so that memory stays
 * within a small multiple of the header's own size.
 */
#include "formats/gguf.h"

#include "formats/format.h"
#include "libquant/base/bytes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_SIZE = 64 * 1024, POOL_SIZE = 32 * 1024 };

struct reader {
    struct source *source;
    struct catalog *c;
    lq_error *err;
    uint64_t at; /* offset of the next byte to hand out */
    bool swap;   /* the file's byte order is not ours */
    bool narrow; /* version 1: 32-bit lengths and counts */
    char *pool;  /* room for strings, taken from the arena */
    size_t pool_left;
    size_t pos, fill;
    char buffer[BUFFER_SIZE];
};

static lq_status take(struct reader *r, void *dst, size_t n)
{
    char *p = dst;
    if (n > r->source->size - r->at)
        return source_read(r->source, dst, n, r->at, r->err); /* says that it is truncated */
    while (n > 0) {
        if (r->pos == r->fill) {
            if (n >= BUFFER_SIZE) {
                LQ_TRY(source_read(r->source, p, n, r->at, r->err));
                r->at += n;
                return LQ_OK;
            }
            const uint64_t left = r->source->size - r->at;
            r->fill = left < BUFFER_SIZE ? (size_t)left : BUFFER_SIZE;
            r->pos = 0;
            LQ_TRY(source_read(r->source, r->buffer, r->fill, r->at, r->err));
        }
        const size_t have = r->fill - r->pos < n ? r->fill - r->pos : n;
        memcpy(p, r->buffer + r->pos, have);
        r->pos += have;
        r->at += have;
        p += have;
        n -= have;
    }
    return LQ_OK;
}

static uint64_t left(const struct reader *r)
{
    return r->source->size - r->at;
}

static lq_status take_u32(struct reader *r, uint32_t *v)
{
    LQ_TRY(take(r, v, sizeof *v));
    if (r->swap)
        *v = __builtin_bswap32(*v);
    return LQ_OK;
}

static lq_status take_u64(struct reader *r, uint64_t *v)
{
    LQ_TRY(take(r, v, sizeof *v));
    if (r->swap)
        *v = __builtin_bswap64(*v);
    return LQ_OK;
}

/* A length, count or size of a dimension. */
static lq_status take_size(struct reader *r, uint64_t *v)
{
    uint32_t narrow;
    if (!r->narrow)
        return take_u64(r, v);
    LQ_TRY(take_u32(r, &narrow));
    *v = narrow;
    return LQ_OK;
}

#define FAIL(r, at, ...)                                                                           \
    lq_fail_at((r)->err, LQ_E_FORMAT, (r)->source->name, (int64_t)(at), __VA_ARGS__)

static char *pool_alloc(struct reader *r, size_t n)
{
    if (n > POOL_SIZE / 4)
        return arena_calloc(&r->c->arena, n, 1);
    if (n > r->pool_left) {
        r->pool = arena_calloc(&r->c->arena, POOL_SIZE, 1);
        r->pool_left = r->pool ? POOL_SIZE : 0;
        if (!r->pool)
            return NULL;
    }
    char *const p = r->pool;
    r->pool += n;
    r->pool_left -= n;
    return p;
}

/* `what` is for the message: "a key". */
static lq_status take_string(struct reader *r, const char *what, struct bytes *out)
{
    const uint64_t at = r->at;
    uint64_t len;
    LQ_TRY(take_size(r, &len));
    if (len > left(r))
        return FAIL(r, at, "%s of %" PRIu64 " bytes, but only %" PRIu64 " bytes follow", what, len,
                    left(r));
    if (len > GGUF_MAX_STRING)
        return FAIL(r, at, "%s of %" PRIu64 " bytes; at most %d are allowed", what, len,
                    GGUF_MAX_STRING);
    char *const p = pool_alloc(r, (size_t)len + 1);
    if (!p)
        return lq_fail_memory(r->err);
    LQ_TRY(take(r, p, (size_t)len));
    p[len] = '\0';
    *out = (struct bytes){p, (size_t)len};
    return LQ_OK;
}

/* ---- metadata ---- */

static lq_status take_key(struct reader *r, uint64_t number, const char **key)
{
    const uint64_t at = r->at;
    struct bytes s;
    LQ_TRY(take_string(r, "a metadata key", &s));
    if (s.len == 0)
        return FAIL(r, at, "metadata key %" PRIu64 " is empty", number);
    if (s.len > GGUF_MAX_KEY)
        return FAIL(r, at, "metadata key %" PRIu64 " has %zu bytes; at most %d are allowed", number,
                    s.len, GGUF_MAX_KEY);
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] < 0x20 || s.data[i] > 0x7e)
            return FAIL(r, at,
                        "metadata key %" PRIu64 " (\"%.100s\") has the byte 0x%02x; keys are "
                        "printable ASCII",
                        number, s.data, (unsigned)(unsigned char)s.data[i]);
    *key = s.data;
    return LQ_OK;
}

static lq_status take_scalar(struct reader *r, struct meta *m)
{
    const uint64_t at = r->at;
    const size_t size = meta_type_size(m->type);
    uint64_t bits = 0;
    LQ_TRY(take(r, &bits, size));
    if (r->swap)
        bytes_swap(&bits, 1, size);
    switch (m->type) {
    case META_I8: m->v.i64 = (int8_t)bits; break;
    case META_I16: m->v.i64 = (int16_t)bits; break;
    case META_I32: m->v.i64 = (int32_t)bits; break;
    case META_I64: m->v.i64 = (int64_t)bits; break;
    case META_F32: m->v.f64 = (double)load_f32(&bits); break;
    case META_F64: m->v.f64 = load_f64(&bits); break;
    case META_BOOL:
        if (bits > 1)
            return FAIL(r, at, "metadata \"%.100s\": a bool is 0 or 1, not %" PRIu64, m->key, bits);
        m->v.u64 = bits;
        break;
    default: m->v.u64 = bits; break;
    }
    return LQ_OK;
}

static lq_status take_strings(struct reader *r, struct meta *m)
{
    const size_t n = (size_t)m->v.array.count;
    struct bytes *const s = arena_calloc(&r->c->arena, n, sizeof *s);
    if (!s)
        return lq_fail_memory(r->err);
    for (size_t i = 0; i < n; i++)
        LQ_TRY(take_string(r, "a string in an array", &s[i]));
    m->v.array.data = s;
    return LQ_OK;
}

static lq_status take_numbers(struct reader *r, struct meta *m)
{
    const uint64_t at = r->at;
    const size_t n = (size_t)m->v.array.count, size = meta_type_size(m->element_type);
    unsigned char *const p = arena_calloc(&r->c->arena, n, size);
    if (!p)
        return lq_fail_memory(r->err);
    LQ_TRY(take(r, p, n * size));
    if (r->swap)
        bytes_swap(p, n, size);
    for (size_t i = 0; m->element_type == META_BOOL && i < n; i++)
        if (p[i] > 1)
            return FAIL(r, at + i, "metadata \"%.100s\": a bool is 0 or 1, not %u", m->key,
                        (unsigned)p[i]);
    m->v.array.data = p;
    return LQ_OK;
}

static lq_status take_array(struct reader *r, struct meta *m)
{
    const uint64_t at = r->at;
    uint32_t type;
    uint64_t count, bytes;
    LQ_TRY(take_u32(r, &type));
    LQ_TRY(take_size(r, &count));
    if (type == META_ARRAY)
        return FAIL(r, at, "metadata \"%.100s\" is an array of arrays, which no program reads",
                    m->key);
    if (type >= META_TYPE_COUNT)
        return FAIL(r, at, "metadata \"%.100s\" is an array of the unknown value type %" PRIu32,
                    m->key, type);
    const size_t least = type == META_STRING ? (r->narrow ? 4 : 8) : meta_type_size(type);
    if (count > GGUF_MAX_ELEMENTS)
        return FAIL(r, at, "metadata \"%.100s\" has %" PRIu64 " elements; at most %d are allowed",
                    m->key, count, GGUF_MAX_ELEMENTS);
    if (!mul_u64(count, least, &bytes) || bytes > left(r))
        return FAIL(r, at,
                    "metadata \"%.100s\" has %" PRIu64 " elements of type %s, but only %" PRIu64
                    " bytes follow",
                    m->key, count, meta_type_name(type), left(r));
    m->element_type = (uint8_t)type;
    m->v.array.count = count;
    return type == META_STRING ? take_strings(r, m) : take_numbers(r, m);
}

static lq_status take_meta(struct reader *r, uint64_t number)
{
    struct meta m = {0};
    uint32_t type;
    LQ_TRY(take_key(r, number, &m.key));
    const uint64_t at = r->at;
    LQ_TRY(take_u32(r, &type));
    if (type >= META_TYPE_COUNT)
        return FAIL(r, at, "metadata \"%.100s\" has the unknown value type %" PRIu32, m.key, type);
    m.type = (uint8_t)type;
    LQ_TRY(type == META_ARRAY    ? take_array(r, &m)
           : type == META_STRING ? take_string(r, "a metadata string", &m.v.string)
                                 : take_scalar(r, &m));
    struct meta *const slot = catalog_add_meta(r->c);
    if (!slot)
        return lq_fail_memory(r->err);
    *slot = m;
    return LQ_OK;
}

lq_status gguf_alignment(const struct meta *meta, size_t n, const char *file, uint32_t *out,
                         lq_error *err)
{
    *out = GGUF_ALIGNMENT;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(meta[i].key, GGUF_KEY_ALIGNMENT) != 0)
            continue;
        if (meta[i].type != META_U32)
            return lq_fail_at(err, LQ_E_FORMAT, file, -1,
                              "metadata \"" GGUF_KEY_ALIGNMENT "\" must be of type u32, not %s",
                              meta_type_name(meta[i].type));
        const uint64_t v = meta[i].v.u64;
        if (v == 0 || (v & (v - 1)) != 0 || v > GGUF_MAX_ALIGNMENT)
            return lq_fail_at(err, LQ_E_FORMAT, file, -1,
                              "metadata \"" GGUF_KEY_ALIGNMENT "\" is %" PRIu64
                              "; a power of two up to %d was expected",
                              v, GGUF_MAX_ALIGNMENT);
        *out = (uint32_t)v;
    }
    return LQ_OK;
}

/* ---- tensors ---- */

static lq_status take_name(struct reader *r, const char **name)
{
    const uint64_t at = r->at;
    struct bytes s;
    LQ_TRY(take_string(r, "a tensor name", &s));
    if (s.len == 0)
        return FAIL(r, at, "a tensor has no name");
    if (s.len > GGUF_MAX_NAME_READ)
        return FAIL(r, at, "a tensor name of %zu bytes; at most %d are allowed", s.len,
                    GGUF_MAX_NAME_READ);
    if (utf8_check(s.data, s.len) != s.len)
        return FAIL(r, at, "the tensor name \"%.200s\" is not valid UTF-8", s.data);
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.data[i] < 0x20 || s.data[i] == 0x7f)
            return FAIL(r, at, "the tensor name \"%.200s\" has the control character 0x%02x",
                        s.data, (unsigned)(unsigned char)s.data[i]);
    *name = s.data;
    return LQ_OK;
}

static lq_status take_shape(struct reader *r, struct tensor *t)
{
    const uint64_t at = r->at;
    uint32_t rank;
    LQ_TRY(take_u32(r, &rank));
    if (rank > GGUF_MAX_RANK)
        return FAIL(r, at, "%" PRIu32 " dimensions; at most %d are allowed", rank, GGUF_MAX_RANK);
    uint64_t *const dim = arena_calloc(&r->c->arena, rank, sizeof *dim);
    if (!dim)
        return lq_fail_memory(r->err);
    for (uint32_t i = rank; i-- > 0;) {
        LQ_TRY(take_size(r, &dim[i]));
        if (dim[i] > INT64_MAX)
            return FAIL(r, r->at - 8, "a dimension is negative: %" PRId64, (int64_t)dim[i]);
    }
    t->rank = rank;
    t->dim = dim;
    return LQ_OK;
}

/* Types that GGUF files once had, by their ggml ids. */
static const char *removed_type(uint32_t id)
{
    static const char *const names[] = {
        [4] = "Q4_2",      [5] = "Q4_3",        [31] = "Q4_0_4_4",   [32] = "Q4_0_4_8",
        [33] = "Q4_0_8_8", [36] = "IQ4_NL_4_4", [37] = "IQ4_NL_4_8", [38] = "IQ4_NL_8_8",
    };
    return id < sizeof names / sizeof names[0] ? names[id] : NULL;
}

static lq_status take_type(struct reader *r, struct tensor *t)
{
    const uint64_t at = r->at;
    uint32_t id;
    LQ_TRY(take_u32(r, &id));
    t->type = id < 256 ? type_by_id(id) : NULL;
    if (!t->type && removed_type(id))
        return lq_fail_at(r->err, LQ_E_UNSUPPORTED, r->source->name, (int64_t)at,
                          "stored as %s (type %" PRIu32 "), which GGUF no longer has; quantize the "
                          "original model again",
                          removed_type(id), id);
    if (!t->type)
        return lq_fail_at(r->err, LQ_E_UNSUPPORTED, r->source->name, (int64_t)at,
                          "stored as type %" PRIu32 ", which this version does not know", id);
    if (tensor_cols(t) % t->type->block_len != 0)
        return FAIL(r, at,
                    "rows of %" PRIu64 " elements are no whole number of %s blocks of %u elements",
                    tensor_cols(t), t->type->name, (unsigned)t->type->block_len);
    if (!tensor_measure(t))
        return FAIL(r, at, "its shape has more elements than 64 bits can count");
    return LQ_OK;
}

/* t->offset stays relative to the data until the end of the header is known. */
static lq_status take_tensor(struct reader *r, uint32_t file)
{
    struct tensor *const t = catalog_add_tensor(r->c);
    if (!t)
        return lq_fail_memory(r->err);
    t->file = file;
    LQ_TRY(take_name(r, &t->name));
    lq_status status = take_shape(r, t);
    if (status == LQ_OK)
        status = take_type(r, t);
    if (status == LQ_OK)
        status = take_u64(r, &t->offset);
    if (status != LQ_OK)
        lq_error_add_tensor(r->err, t->name);
    return status;
}

/* ---- where the data lies ---- */

static int by_offset(const void *a, const void *b)
{
    const struct tensor *const x = *(const struct tensor *const *)a;
    const struct tensor *const y = *(const struct tensor *const *)b;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return (x > y) - (x < y);
}

/* ggml wants the tensors back to back in the order of the header. Any placement is accepted here in
 * which no two share bytes. */
static lq_status check_overlap(struct reader *r, const struct tensor *first, size_t n)
{
    const struct tensor **const order = mem_calloc(n, sizeof *order);
    if (!order)
        return lq_fail_memory(r->err);
    size_t m = 0;
    for (size_t i = 0; i < n; i++)
        if (first[i].bytes)
            order[m++] = &first[i];
    qsort(order, m, sizeof *order, by_offset);
    lq_status status = LQ_OK;
    for (size_t i = 1; i < m && status == LQ_OK; i++)
        if (order[i]->offset < order[i - 1]->offset + order[i - 1]->bytes) {
            status = FAIL(r, order[i]->offset, "its data overlaps that of tensor \"%.100s\"",
                          order[i - 1]->name);
            lq_error_add_tensor(r->err, order[i]->name);
        }
    free(order);
    return status;
}

static lq_status place(struct reader *r, struct tensor *first, size_t n, uint32_t alignment,
                       struct file *f)
{
    uint64_t data = r->at;
    if (n > 0 && (!align_u64(data, alignment, &data) || data > f->size))
        return FAIL(r, r->at, "the file ends before the tensors' data begins");
    f->header_end = r->at;
    f->data_offset = data;
    for (size_t i = 0; i < n; i++) {
        struct tensor *const t = &first[i];
        uint64_t end;
        lq_status status = LQ_OK;
        if (t->offset % alignment != 0)
            status = FAIL(r, -1, "its offset %" PRIu64 " is not a multiple of the alignment %u",
                          t->offset, alignment);
        else if (!add_u64(t->offset, data, &t->offset) || !add_u64(t->offset, t->bytes, &end) ||
                 end > f->size)
            status = FAIL(r, t->offset > INT64_MAX ? -1 : (int64_t)t->offset,
                          "its %" PRIu64 " bytes would end behind the end of the file, which has "
                          "%" PRIu64 " bytes; is it truncated?",
                          t->bytes, f->size);
        if (status != LQ_OK) {
            lq_error_add_tensor(r->err, t->name);
            return status;
        }
    }
    return check_overlap(r, first, n);
}

/* ---- the header ---- */

static lq_status take_version(struct reader *r, uint32_t file)
{
    char magic[4];
    uint32_t version;
    LQ_TRY(take(r, magic, sizeof magic));
    if (memcmp(magic, "GGUF", 4) != 0)
        return FAIL(r, 0, "not a GGUF file: it does not begin with \"GGUF\"");
    LQ_TRY(take_u32(r, &version));
    /* There is no flag for the byte order: a small number read the wrong way round is a large one
     * with empty low bytes. */
    if (version != 0 && (version & 0xffff) == 0) {
        r->swap = true;
        version = __builtin_bswap32(version);
    }
    if (version < 1 || version > GGUF_VERSION)
        return lq_fail_at(r->err, version ? LQ_E_UNSUPPORTED : LQ_E_FORMAT, r->source->name, 4,
                          "GGUF version %" PRIu32 "; versions 1 to %d are known", version,
                          GGUF_VERSION);
    r->narrow = version == 1;
    if (file > 0 && r->swap != r->c->big_endian)
        return FAIL(r, 4, "its byte order is not that of the first file");
    r->c->big_endian = r->swap;
    if (file == 0)
        r->c->version = version;
    return LQ_OK;
}

static lq_status take_header(struct reader *r, uint32_t file)
{
    uint64_t n_tensors, n_meta;
    LQ_TRY(take_version(r, file));
    LQ_TRY(take_size(r, &n_tensors));
    LQ_TRY(take_size(r, &n_meta));
    /* The smallest entries: a one-byte key with a one-byte value, a one-byte name of a scalar. */
    const uint64_t length = r->narrow ? 4 : 8;
    if (n_meta > left(r) / (length + 1 + 4 + 1))
        return FAIL(r, 8 + length, "%" PRId64 " metadata entries do not fit into %" PRIu64 " bytes",
                    (int64_t)n_meta, left(r));
    if (n_tensors > left(r) / (length + 1 + 4 + 4 + 8))
        return FAIL(r, 8, "%" PRId64 " tensors do not fit into %" PRIu64 " bytes",
                    (int64_t)n_tensors, left(r));
    const size_t first_meta = r->c->n_meta, first = r->c->n_tensors;
    uint32_t alignment;
    for (uint64_t i = 0; i < n_meta; i++)
        LQ_TRY(take_meta(r, i));
    const struct catalog own = {.path = r->source->name,
                                .meta = n_meta ? r->c->meta + first_meta : NULL,
                                .n_meta = (size_t)n_meta};
    LQ_TRY(catalog_check_keys(&own, r->err));
    LQ_TRY(gguf_alignment(own.meta, own.n_meta, own.path, &alignment, r->err));
    if (file == 0)
        r->c->alignment = alignment;
    for (uint64_t i = 0; i < n_tensors; i++)
        LQ_TRY(take_tensor(r, file));
    return place(r, n_tensors ? r->c->tensors + first : NULL, (size_t)n_tensors, alignment,
                 &r->c->files[file]);
}

lq_status gguf_read_header(struct catalog *c, uint32_t file, lq_error *err)
{
    struct reader *const r = mem_calloc(1, sizeof *r);
    if (!r)
        return lq_fail_memory(err);
    r->source = c->files[file].source;
    r->c = c;
    r->err = err;
    const lq_status status = take_header(r, file);
    free(r);
    return status;
}

static int gguf_probe(const void *head, size_t n)
{
    return n >= 4 && memcmp(head, "GGUF", 4) == 0 ? 100 : 0;
}

static lq_status gguf_open(struct catalog *c, struct source *source, struct resolver *siblings,
                           lq_error *err)
{
    c->format = &format_gguf;
    LQ_TRY(format_add_source(c, source, NULL, err));
    LQ_TRY(gguf_read_header(c, 0, err));
    return gguf_open_split(c, siblings, err);
}

const struct format format_gguf = {
    .name = "gguf",
    .summary = "GGUF, the file of llama.cpp and its relatives (read: versions 1 to 3; written: 3)",
    .extension = ".gguf",
    .probe = gguf_probe,
    .open = gguf_open,
    .layout = gguf_layout,
};
