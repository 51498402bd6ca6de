/* safetensors_write.c -- headers and indexes, byte for byte as the reference writes them. */
#include "formats/format.h"
#include "formats/safetensors.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The order of the reference's enum Dtype; its writer stores the last kind first. */
static const char *const dtypes[] = {
    "BOOL",    "F4",          "F6_E2M3",     "F6_E3M2", "U8",  "I8",  "F8_E5M2", "F8_E4M3",
    "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "I16",     "U16", "F16", "BF16",    "I32",
    "U32",     "F32",         "C64",         "F64",     "I64", "U64",
};

static size_t dtype_rank(const struct type_info *type)
{
    size_t i = 0;
    while (i < sizeof dtypes / sizeof dtypes[0] &&
           !(type->dtype && strcmp(dtypes[i], type->dtype) == 0))
        i++;
    return i;
}

static int by_stored_order(const void *a, const void *b)
{
    const struct tensor *const x = a, *const y = b;
    if (x->file != y->file)
        return x->file < y->file ? -1 : 1;
    const size_t rx = dtype_rank(x->type), ry = dtype_rank(y->type);
    if (rx != ry)
        return rx > ry ? -1 : 1;
    return strcmp(x->name, y->name);
}

void safetensors_sort(struct catalog *c)
{
    free(c->index);
    c->index = NULL;
    if (c->n_tensors)
        qsort(c->tensors, c->n_tensors, sizeof *c->tensors, by_stored_order);
}

static lq_status put_metadata(const struct catalog *c, struct text *out, lq_error *err)
{
    text_puts(out, "\"__metadata__\":{");
    for (size_t i = 0; i < c->n_meta; i++) {
        const struct meta *const m = &c->meta[i];
        if (m->type != META_STRING)
            return lq_fail(err, LQ_E_UNSUPPORTED,
                           "the metadata \"%.200s\" is of type %s; safetensors files hold only "
                           "strings",
                           m->key, meta_type_name(m->type));
        text_puts(out, i ? "," : "");
        text_put_json(out, m->key, strlen(m->key));
        text_putc(out, ':');
        text_put_json(out, m->v.string.data, m->v.string.len);
    }
    text_putc(out, '}');
    return LQ_OK;
}

static lq_status check_tensor(struct tensor *t, lq_error *err)
{
    lq_status status = LQ_OK;
    if (!t->type->dtype)
        status = lq_fail(err, LQ_E_UNSUPPORTED, "safetensors has no dtype for %s", t->type->name);
    else if (!*t->name || strcmp(t->name, "__metadata__") == 0)
        status = lq_fail(err, LQ_E_MODEL, "not a name for a tensor in a safetensors file");
    else if (!tensor_measure(t))
        status = lq_fail(err, LQ_E_MODEL, "its elements are no whole number of bytes");
    if (status != LQ_OK)
        lq_error_add_tensor(err, t->name);
    return status;
}

static lq_status put_tensor(struct tensor *t, uint64_t begin, struct text *out, lq_error *err)
{
    uint64_t end;
    LQ_TRY(check_tensor(t, err));
    if (!add_u64(begin, t->bytes, &end) || end > INT64_MAX)
        return lq_fail(err, LQ_E_MODEL, "the model is too large for a file");
    text_put_json(out, t->name, strlen(t->name));
    text_printf(out, ":{\"dtype\":\"%s\",\"shape\":[", t->type->dtype);
    for (uint32_t i = 0; i < t->rank; i++)
        text_printf(out, i ? ",%" PRIu64 : "%" PRIu64, t->dim[i]);
    text_printf(out, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", begin, end);
    t->offset = begin;
    return LQ_OK;
}

lq_status safetensors_layout(struct catalog *c, uint32_t file, struct text *header, lq_error *err)
{
    const size_t start = header->len;
    struct file *const f = &c->files[file];
    bool comma = c->n_meta > 0;
    uint64_t size = 0;
    text_put(header, "\0\0\0\0\0\0\0\0{", 9);
    if (c->n_meta > 0)
        LQ_TRY(put_metadata(c, header, err));
    for (size_t i = 0; i < c->n_tensors; i++) {
        struct tensor *const t = &c->tensors[i];
        if (t->file != file)
            continue;
        text_puts(header, comma ? "," : "");
        LQ_TRY(put_tensor(t, size, header, err));
        size += t->bytes;
        comma = true;
    }
    text_putc(header, '}');
    while (!header->failed && (header->len - start) % 8 != 0)
        text_putc(header, ' ');
    if (header->failed)
        return lq_fail_memory(err);
    const uint64_t len = header->len - start - 8;
    if (len > SAFETENSORS_MAX_HEADER)
        return lq_fail(err, LQ_E_UNSUPPORTED,
                       "the header would have %" PRIu64 " bytes; at most %d are allowed", len,
                       SAFETENSORS_MAX_HEADER);
    memcpy(header->data + start, &len, 8);
    if (file == 0)
        c->alignment = 1;
    f->data_offset = 8 + len;
    f->size = f->data_offset + size;
    for (size_t i = 0; i < c->n_tensors; i++)
        if (c->tensors[i].file == file)
            c->tensors[i].offset += f->data_offset;
    return LQ_OK;
}

/* ---- the index of several files: as Python's json.dumps(index, indent=2, sort_keys=True) ---- */

/* A JSON string of ASCII characters only. */
static void put_ascii_json(struct text *out, const char *s)
{
    struct text json = {0};
    text_put_json(&json, s, strlen(s));
    out->failed |= json.failed;
    for (size_t i = 0; i < json.len;) {
        uint32_t cp;
        const size_t n = utf8_decode(json.data + i, json.len - i, &cp);
        if (cp < 0x7f)
            text_putc(out, json.data[i]);
        else if (cp < 0x10000)
            text_printf(out, "\\u%04x", (unsigned)cp);
        else
            text_printf(out, "\\u%04x\\u%04x", (unsigned)(0xd800 + ((cp - 0x10000) >> 10)),
                        (unsigned)(0xdc00 + ((cp - 0x10000) & 0x3ff)));
        i += n;
    }
    text_free(&json);
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct tensor *const *)a)->name,
                  (*(const struct tensor *const *)b)->name);
}

lq_status safetensors_index(const struct catalog *c, struct text *out, lq_error *err)
{
    const struct tensor **const order = mem_calloc(c->n_tensors, sizeof *order);
    if (!order)
        return lq_fail_memory(err);
    uint64_t total = 0;
    for (size_t i = 0; i < c->n_tensors; i++) {
        order[i] = &c->tensors[i];
        total += order[i]->bytes;
    }
    qsort(order, c->n_tensors, sizeof *order, by_name);
    text_printf(out, "{\n  \"metadata\": {\n    \"total_size\": %" PRIu64 "\n  },\n", total);
    text_puts(out, "  \"weight_map\": {");
    for (size_t i = 0; i < c->n_tensors; i++) {
        const char *const path = c->files[order[i]->file].name;
        text_puts(out, i ? ",\n    " : "\n    ");
        put_ascii_json(out, order[i]->name);
        text_puts(out, ": ");
        put_ascii_json(out, path_last_part(path));
    }
    text_puts(out, c->n_tensors ? "\n  }\n}\n" : "}\n}\n");
    free(order);
    return out->failed ? lq_fail_memory(err) : LQ_OK;
}
