/* safetensors_read.c -- safetensors headers into a catalog.
 *
 * All rules of the reference reader, and those that it leaves to the careful: docs/formats.md.
 */
#include "formats/format.h"
#include "formats/hf_index.h"
#include "formats/safetensors.h"
#include "libquant/base/bytes.h"
#include "libquant/base/json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    struct catalog *c;
    uint32_t file;
    struct json j;
    uint64_t data; /* where the tensors' data begins */
    bool has_metadata;
    lq_error *err;
};

/* ---- one tensor ---- */

enum field { DTYPE = 1, SHAPE = 2, OFFSETS = 4, ALL_FIELDS = 7 };

static lq_status read_dtype(struct reader *r, struct tensor *t)
{
    LQ_TRY(json_expect(&r->j, JSON_STRING, "dtype"));
    t->type = type_by_dtype(r->j.token.data, r->j.token.len);
    if (t->type)
        return LQ_OK;
    json_fail(&r->j, "the dtype \"%.60s\" is not one that safetensors has", r->j.token.data);
    return LQ_E_FORMAT;
}

static lq_status read_shape(struct reader *r, struct tensor *t)
{
    uint64_t dim[SAFETENSORS_MAX_RANK];
    uint32_t rank = 0;
    enum json_event event;
    LQ_TRY(json_expect(&r->j, JSON_ARRAY, "shape"));
    while ((event = json_next(&r->j)) != JSON_ARRAY_END) {
        if (rank == SAFETENSORS_MAX_RANK)
            return json_fail(&r->j, "more than %d dimensions", SAFETENSORS_MAX_RANK);
        LQ_TRY(json_must_be_u64(&r->j, event, INT64_MAX, "shape", &dim[rank]));
        rank++;
    }
    uint64_t *const copy = arena_calloc(&r->c->arena, rank, sizeof *copy);
    if (!copy)
        return lq_fail_memory(r->err);
    memcpy(copy, dim, rank * sizeof *copy);
    t->rank = rank;
    t->dim = copy;
    return LQ_OK;
}

static lq_status read_offsets(struct reader *r, uint64_t *begin, uint64_t *end)
{
    LQ_TRY(json_expect(&r->j, JSON_ARRAY, "data_offsets"));
    LQ_TRY(json_u64(&r->j, INT64_MAX, "data_offsets", begin));
    LQ_TRY(json_u64(&r->j, INT64_MAX, "data_offsets", end));
    return json_expect(&r->j, JSON_ARRAY_END, "data_offsets (two numbers)");
}

static lq_status check_name(struct reader *r)
{
    const struct text *const s = &r->j.token;
    if (s->len == 0)
        return json_fail(&r->j, "a tensor has no name");
    if (s->len > SAFETENSORS_MAX_NAME)
        return json_fail(&r->j, "a tensor name of %zu bytes; at most %d are allowed", s->len,
                         SAFETENSORS_MAX_NAME);
    for (size_t i = 0; i < s->len; i++)
        if ((unsigned char)s->data[i] < 0x20 || s->data[i] == 0x7f)
            return json_fail(&r->j, "a tensor name has the control character 0x%02x",
                             (unsigned)(unsigned char)s->data[i]);
    return LQ_OK;
}

/* The sizes that dtype, shape and offsets claim must agree. */
static lq_status check_size(struct reader *r, struct tensor *t, uint64_t begin, uint64_t end)
{
    uint64_t elements = 1;
    bool fits = true;
    for (uint32_t i = 0; i < t->rank; i++)
        fits = fits && mul_u64(elements, t->dim[i] ? t->dim[i] : 1, &elements);
    if (end < begin)
        return json_fail(&r->j, "data_offsets end before they begin: [%" PRIu64 ", %" PRIu64 "]",
                         begin, end);
    if (fits && !tensor_measure(t) && (t->type->flags & TYPE_SUBBYTE))
        return json_fail(&r->j, "%" PRIu64 " elements of type %s are no whole number of bytes",
                         elements, t->type->name);
    if (!fits || !tensor_measure(t))
        return json_fail(&r->j, "its shape has more bytes than 64 bits can count");
    if (end - begin != t->bytes)
        return json_fail(&r->j,
                         "its shape and dtype need %" PRIu64 " bytes, but data_offsets cover "
                         "%" PRIu64,
                         t->bytes, end - begin);
    t->offset = begin;
    return LQ_OK;
}

static lq_status read_fields(struct reader *r, struct tensor *t)
{
    uint64_t begin = 0, end = 0;
    unsigned seen = 0;
    enum json_event event;
    LQ_TRY(json_expect(&r->j, JSON_OBJECT, "a tensor"));
    while ((event = json_next(&r->j)) == JSON_KEY) {
        const enum field f = json_token_is(&r->j, "dtype")          ? DTYPE
                             : json_token_is(&r->j, "shape")        ? SHAPE
                             : json_token_is(&r->j, "data_offsets") ? OFFSETS
                                                                    : 0;
        if (!f)
            return json_fail(&r->j, "unknown field \"%.60s\"", r->j.token.data);
        if (seen & f)
            return json_fail(&r->j, "the field \"%s\" appears twice", r->j.token.data);
        seen |= f;
        LQ_TRY(f == DTYPE   ? read_dtype(r, t)
               : f == SHAPE ? read_shape(r, t)
                            : read_offsets(r, &begin, &end));
    }
    if (event != JSON_OBJECT_END)
        return json_status(&r->j);
    if (seen != ALL_FIELDS)
        return json_fail(&r->j, "the field \"%s\" is missing",
                         !(seen & DTYPE)   ? "dtype"
                         : !(seen & SHAPE) ? "shape"
                                           : "data_offsets");
    return check_size(r, t, begin, end);
}

static lq_status read_tensor(struct reader *r)
{
    LQ_TRY(check_name(r));
    struct tensor *const t = catalog_add_tensor(r->c);
    const char *const name = arena_strndup(&r->c->arena, r->j.token.data, r->j.token.len);
    if (!t || !name)
        return lq_fail_memory(r->err);
    t->name = name;
    t->file = r->file;
    const lq_status status = read_fields(r, t);
    if (status != LQ_OK)
        lq_error_add_tensor(r->err, name);
    return status;
}

/* ---- metadata ---- */

static lq_status read_metadata(struct reader *r)
{
    enum json_event event;
    if (r->has_metadata)
        return json_fail(&r->j, "\"__metadata__\" appears twice");
    r->has_metadata = true;
    if ((event = json_next(&r->j)) == JSON_NULL)
        return LQ_OK; /* the reference reader takes it for absent */
    LQ_TRY(json_must_be(&r->j, event, JSON_OBJECT, "__metadata__"));
    while ((event = json_next(&r->j)) == JSON_KEY) {
        if (memchr(r->j.token.data, '\0', r->j.token.len))
            return json_fail(&r->j, "a key of __metadata__ has a NUL character");
        struct meta *const m = catalog_add_meta(r->c);
        const char *const key = arena_strndup(&r->c->arena, r->j.token.data, r->j.token.len);
        if (!m || !key)
            return lq_fail_memory(r->err);
        m->key = key;
        m->type = META_STRING;
        LQ_TRY(json_expect(&r->j, JSON_STRING, "a value of __metadata__"));
        m->v.string.len = r->j.token.len;
        m->v.string.data = arena_strndup(&r->c->arena, r->j.token.data, r->j.token.len);
        if (!m->v.string.data)
            return lq_fail_memory(r->err);
    }
    return event == JSON_OBJECT_END ? LQ_OK : json_status(&r->j);
}

/* ---- the header ---- */

static lq_status read_entries(struct reader *r)
{
    enum json_event event;
    LQ_TRY(json_expect(&r->j, JSON_OBJECT, "the header"));
    while ((event = json_next(&r->j)) == JSON_KEY)
        LQ_TRY(json_token_is(&r->j, "__metadata__") ? read_metadata(r) : read_tensor(r));
    return event == JSON_OBJECT_END ? LQ_OK : json_status(&r->j);
}

/* Behind the closing brace, up to the data: spaces and nothing else. */
static lq_status check_padding(struct reader *r, struct source *s)
{
    char buffer[4096];
    for (uint64_t at = json_offset(&r->j); at < r->data;) {
        const uint64_t left = r->data - at;
        const size_t n = left < sizeof buffer ? (size_t)left : sizeof buffer;
        LQ_TRY(source_read(s, buffer, n, at, r->err));
        for (size_t i = 0; i < n; i++)
            if (buffer[i] != ' ')
                return lq_fail_at(r->err, LQ_E_FORMAT, s->name, (int64_t)(at + i),
                                  "only spaces may follow the header's JSON, but here is 0x%02x",
                                  (unsigned)(unsigned char)buffer[i]);
        at += n;
    }
    return LQ_OK;
}

static lq_status check_length(struct source *s, uint64_t *len, lq_error *err)
{
    char head[9];
    if (s->size < 8)
        return lq_fail_at(err, LQ_E_FORMAT, s->name, 0,
                          "%" PRIu64 " bytes are too few for a safetensors file", s->size);
    LQ_TRY(source_read(s, head, 8, 0, err));
    *len = load_u64(head);
    if (*len > SAFETENSORS_MAX_HEADER)
        return lq_fail_at(err, LQ_E_FORMAT, s->name, 0,
                          "a header of %" PRIu64 " bytes; at most %d are allowed", *len,
                          SAFETENSORS_MAX_HEADER);
    if (*len > s->size - 8)
        return lq_fail_at(err, LQ_E_FORMAT, s->name, 0,
                          "a header of %" PRIu64 " bytes, but only %" PRIu64
                          " bytes follow; is the file truncated?",
                          *len, s->size - 8);
    if (*len < 2)
        return lq_fail_at(err, LQ_E_FORMAT, s->name, 0, "the header is empty");
    LQ_TRY(source_read(s, head, 9, 0, err));
    if (head[8] != '{')
        return lq_fail_at(err, LQ_E_FORMAT, s->name, 8, "the header does not begin with '{'");
    return LQ_OK;
}

static int by_place(const void *a, const void *b)
{
    const struct tensor *const x = a, *const y = b;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? -1 : 1;
    return strcmp(x->name, y->name); /* empty tensors: any order will do, but always the same */
}

static lq_status fail_order(struct reader *r, const struct tensor *t, const struct tensor *before,
                            uint64_t at, const struct source *s)
{
    if (before && strcmp(t->name, before->name) == 0)
        lq_fail_at(r->err, LQ_E_FORMAT, s->name, -1, "two tensors have this name");
    else
        lq_fail_at(r->err, LQ_E_FORMAT, s->name, -1,
                   "its data begins at offset %" PRIu64 ", %s the end of the tensor before it at "
                   "%" PRIu64,
                   t->offset, t->offset < at ? "before" : "after a gap behind", at);
    lq_error_add_tensor(r->err, t->name);
    return LQ_E_FORMAT;
}

/* The data must be covered by tensors without gap or overlap, to the end of the file. */
static lq_status check_cover(struct reader *r, struct tensor *first, size_t n, struct source *s)
{
    uint64_t at = r->data;
    if (n)
        qsort(first, n, sizeof *first, by_place);
    for (size_t i = 0; i < n; i++) {
        struct tensor *const t = &first[i];
        if (t->offset != at - r->data)
            return fail_order(r, t, i ? t - 1 : NULL, at - r->data, s);
        if (t->bytes > s->size - at) {
            lq_fail_at(r->err, LQ_E_FORMAT, s->name, (int64_t)at,
                       "its %" PRIu64 " bytes would end behind the end of the file, which has "
                       "%" PRIu64 " bytes; is it truncated?",
                       t->bytes, s->size);
            lq_error_add_tensor(r->err, t->name);
            return LQ_E_FORMAT;
        }
        t->offset = at;
        at += t->bytes;
    }
    if (at != s->size)
        return lq_fail_at(r->err, LQ_E_FORMAT, s->name, (int64_t)at,
                          "%" PRIu64 " bytes follow the last tensor", s->size - at);
    return LQ_OK;
}

lq_status safetensors_read_header(struct catalog *c, uint32_t file, lq_error *err)
{
    struct source *const s = c->files[file].source;
    struct reader r = {.c = c, .file = file, .err = err};
    const size_t first = c->n_tensors, first_meta = c->n_meta;
    uint64_t len = 0;
    LQ_TRY(check_length(s, &len, err));
    r.data = 8 + len;
    c->files[file].data_offset = r.data;
    lq_status status = json_open(&r.j, s, 8, len, SAFETENSORS_MAX_HEADER, err);
    if (status == LQ_OK)
        status = read_entries(&r);
    if (status == LQ_OK)
        status = check_padding(&r, s);
    json_close(&r.j);
    const size_t n_meta = c->n_meta - first_meta, n = c->n_tensors - first;
    const struct catalog own = {
        .path = s->name, .meta = n_meta ? c->meta + first_meta : NULL, .n_meta = n_meta};
    if (status == LQ_OK)
        status = catalog_check_keys(&own, err);
    if (status == LQ_OK)
        status = check_cover(&r, n ? c->tensors + first : NULL, n, s);
    return status;
}

uint32_t safetensors_index_name(struct text *out, const char *name)
{
    /* "-00001-of-00002.safetensors" */
    static const char form[] = "-#####-of-#####.safetensors";
    const size_t n = strlen(name), m = sizeof form - 1;
    uint32_t no = 0;
    if (n < m)
        return 0;
    for (size_t i = 0; i < m; i++) {
        const char c = name[n - m + i];
        if (form[i] == '#' ? c < '0' || c > '9' : c != form[i])
            return 0;
        if (form[i] == '#' && i < 6)
            no = no * 10 + (uint32_t)(c - '0');
    }
    text_put(out, name, n - m);
    text_puts(out, ".safetensors.index.json");
    return no;
}

/* The header's length must make sense and an object begin behind it; what begins so but is wrong
 * otherwise shall be told as a broken safetensors file, not as an unknown one. */
static int safetensors_probe(const void *head, size_t n)
{
    const char *const p = head;
    if (n < 9)
        return 0;
    const bool fits = load_u64(head) <= SAFETENSORS_MAX_HEADER;
    if (p[8] == '{')
        return fits ? 90 : 30;
    return fits && (p[8] == ' ' || p[8] == '\n' || p[8] == '\t' || p[8] == '[') ? 30 : 0;
}

/* `source` is shard `no` of the model whose index is `index`. */
static lq_status open_as_shard(struct catalog *c, const struct source *source, uint32_t no,
                               const char *index, struct resolver *siblings, lq_error *err)
{
    struct source *s;
    if (no != 1)
        return lq_fail_at(err, LQ_E_MODEL, source->name, -1,
                          "file %u of several of a model; open %.200s or the folder", no, index);
    LQ_TRY(siblings->open(siblings, index, &s, err));
    c->format = &format_hf_dir;
    const lq_status status = hf_index_open(c, s, siblings, err);
    source_close(s);
    return status;
}

/* One of several files stands for the whole model where its index is at hand. */
static lq_status safetensors_open(struct catalog *c, struct source *source,
                                  struct resolver *siblings, lq_error *err)
{
    struct text index = {0};
    const uint32_t no = safetensors_index_name(&index, path_last_part(source->name));
    if (index.failed || (siblings && no && siblings->exists(siblings, index.data))) {
        const lq_status status = index.failed
                                     ? lq_fail_memory(err)
                                     : open_as_shard(c, source, no, index.data, siblings, err);
        text_free(&index);
        source_close(source);
        return status;
    }
    text_free(&index);
    c->format = &format_safetensors;
    c->alignment = 1;
    LQ_TRY(format_add_source(c, source, NULL, err));
    return safetensors_read_header(c, 0, err);
}

const struct format format_safetensors = {
    .name = "safetensors",
    .summary = "safetensors, the file of Hugging Face models (read and written, also in shards)",
    .extension = ".safetensors",
    .probe = safetensors_probe,
    .open = safetensors_open,
    .layout = safetensors_layout,
};
