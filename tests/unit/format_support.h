/* format_support.h -- for the tests of formats: model files built in memory, folders that are not
 * on disk, and what a refusal must say.
 */
#ifndef LQ_TESTS_FORMAT_SUPPORT_H
#define LQ_TESTS_FORMAT_SUPPORT_H

#include "formats/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- building bytes ---- */

static inline void put_u8(struct text *t, unsigned v)
{
    text_putc(t, (char)v);
}

static inline void put_u16(struct text *t, unsigned v)
{
    const uint16_t x = (uint16_t)v;
    text_put(t, &x, 2);
}

static inline void put_u32(struct text *t, uint64_t v)
{
    const uint32_t x = (uint32_t)v;
    text_put(t, &x, 4);
}

static inline void put_u64(struct text *t, uint64_t v)
{
    text_put(t, &v, 8);
}

static inline void put_f32(struct text *t, float v)
{
    text_put(t, &v, 4);
}

static inline void put_zeros(struct text *t, size_t n)
{
    while (n-- > 0)
        text_putc(t, '\0');
}

/* ---- GGUF ---- */

static inline void put_string(struct text *t, const char *s)
{
    put_u64(t, strlen(s));
    text_puts(t, s);
}

static inline void put_gguf(struct text *t, uint32_t version, uint64_t n_tensors, uint64_t n_meta)
{
    text_puts(t, "GGUF");
    put_u32(t, version);
    put_u64(t, n_tensors);
    put_u64(t, n_meta);
}

/* The key and type of a metadata entry; the value follows. */
static inline void put_meta(struct text *t, const char *key, uint32_t type)
{
    put_string(t, key);
    put_u32(t, type);
}

static inline void put_meta_u32(struct text *t, const char *key, uint32_t v)
{
    put_meta(t, key, META_U32);
    put_u32(t, v);
}

static inline void put_meta_string(struct text *t, const char *key, const char *v)
{
    put_meta(t, key, META_STRING);
    put_string(t, v);
}

/* Sizes in the file's order: the row first. */
static inline void put_tensor(struct text *t, const char *name, uint32_t rank, const uint64_t *ne,
                              uint32_t type, uint64_t offset)
{
    put_string(t, name);
    put_u32(t, rank);
    for (uint32_t i = 0; i < rank; i++)
        put_u64(t, ne[i]);
    put_u32(t, type);
    put_u64(t, offset);
}

static inline void put_vector(struct text *t, const char *name, uint64_t n, uint64_t offset)
{
    put_tensor(t, name, 1, &n, LQ_TYPE_F32, offset);
}

static inline void put_padding(struct text *t, size_t alignment)
{
    while (t->len % alignment)
        put_u8(t, 0);
}

/* ---- safetensors ---- */

static inline void put_safetensors(struct text *t, const char *header, size_t data)
{
    put_u64(t, strlen(header));
    text_puts(t, header);
    put_zeros(t, data);
}

/* ---- a folder in memory ---- */

struct memory_folder {
    struct resolver base;
    struct {
        const char *name;
        const struct text *data;
    } file[8];
    size_t n;
};

static inline bool memory_folder_exists(struct resolver *r, const char *name)
{
    const struct memory_folder *const f = (const void *)r;
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->file[i].name, name) == 0)
            return true;
    return false;
}

static inline lq_status memory_folder_open(struct resolver *r, const char *name,
                                           struct source **out, lq_error *err)
{
    const struct memory_folder *const f = (const void *)r;
    *out = NULL;
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->file[i].name, name) == 0)
            return source_open_memory(out, name, f->file[i].data->data, f->file[i].data->len, err);
    return lq_fail_at(err, LQ_E_IO, name, -1, "cannot open: No such file");
}

static inline struct memory_folder *memory_folder(void)
{
    struct memory_folder *const f = calloc(1, sizeof *f);
    f->base = (struct resolver){.open = memory_folder_open, .exists = memory_folder_exists};
    return f;
}

static inline void add_file(struct memory_folder *f, const char *name, const struct text *data)
{
    f->file[f->n].name = name;
    f->file[f->n++].data = data;
}

/* ---- opening ---- */

/* What came of opening bytes. The bytes are copied to memory of exactly their size, so that a tool
 * that watches memory sees a read past the end. */
struct opened {
    struct catalog c;
    lq_error err;
    lq_status status;
    char *copy;
};

static inline struct opened *open_named(const char *name, const void *data, size_t len,
                                        struct memory_folder *folder)
{
    struct opened *const o = calloc(1, sizeof *o);
    struct source *s;
    o->copy = calloc(len ? len : 1, 1);
    memcpy(o->copy, len ? data : "", len);
    assert_int_equal(source_open_memory(&s, name, o->copy, len, NULL), LQ_OK);
    o->status = model_open_source(&o->c, s, folder ? &folder->base : NULL, &o->err);
    assert_int_equal(o->status, o->status == LQ_OK ? LQ_OK : o->err.status);
    return o;
}

static inline struct opened *open_text(const struct text *t)
{
    assert_false(t->failed);
    return open_named("model", t->data, t->len, NULL);
}

static inline void close_opened(struct opened *o)
{
    catalog_release(&o->c);
    free(o->copy);
    free(o);
}

/* The text has to be accepted. */
static inline struct opened *open_good(struct text *t)
{
    struct opened *const o = open_text(t);
    char message[2048];
    if (o->status != LQ_OK)
        fail_msg("refused: %s", lq_error_text(&o->err, message, sizeof message));
    text_free(t);
    return o;
}

/* What came of a call has to be `status`, with a message that contains `says`. */
static inline void assert_refused(lq_status got, const lq_error *err, lq_status status,
                                  const char *says)
{
    char message[2048] = "accepted";
    if (got != LQ_OK)
        lq_error_text(err, message, sizeof message);
    if (got != status || !strstr(message, says))
        fail_msg("expected %d \"%s\", but: %d \"%s\"", (int)status, says, (int)got, message);
}

static inline void check_refused(struct opened *o, lq_status status, const char *says)
{
    assert_refused(o->status, &o->err, status, says);
    close_opened(o);
}

/* The text has to be refused as malformed, with a message that contains `says`. */
static inline void refuse(struct text *t, const char *says)
{
    check_refused(open_text(t), LQ_E_FORMAT, says);
    text_free(t);
}

static inline void refuse_as(struct text *t, lq_status status, const char *says)
{
    check_refused(open_text(t), status, says);
    text_free(t);
}

#endif
