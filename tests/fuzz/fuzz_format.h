/* fuzz_format.h -- what the fuzz targets of formats share: opening bytes, using what was accepted,
 * and writing it back.
 */
#ifndef LQ_TESTS_FUZZ_FORMAT_H
#define LQ_TESTS_FUZZ_FORMAT_H

#include "formats/format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property does not hold. */
static inline void broken(const char *what, const lq_error *err)
{
    char text[2048];
    fprintf(stderr, "%s: %s\n", what, lq_error_text(err, text, sizeof text));
    abort();
}

/* The one other file of the model: whatever it is called, it has these bytes. */
struct fuzz_folder {
    struct resolver base;
    const uint8_t *data;
    size_t size;
};

static inline lq_status fuzz_open_sibling(struct resolver *r, const char *name, struct source **out,
                                          lq_error *err)
{
    const struct fuzz_folder *const f = (const void *)r;
    return source_open_memory(out, name, f->data, f->size, err);
}

static inline bool fuzz_exists(struct resolver *r, const char *name)
{
    (void)name;
    return ((const struct fuzz_folder *)(const void *)r)->data != NULL;
}

/* Reads the ends of every tensor: what a reader accepts must be there. */
static inline void use_tensors(const struct catalog *c)
{
    char buffer[64];
    lq_error err;
    for (size_t i = 0; i < c->n_tensors; i++) {
        const struct tensor *const t = &c->tensors[i];
        const size_t unit = t->type->block_bytes;
        if (t->bytes == 0 || unit > sizeof buffer || (c->big_endian && t->type->block_len > 1))
            continue;
        if (catalog_read(c, t, buffer, unit, 0, &err) != LQ_OK ||
            catalog_read(c, t, buffer, unit, t->bytes - unit, &err) != LQ_OK)
            broken("a tensor that was accepted cannot be read", &err);
    }
}

/* Writes a catalog of one file back and opens the result, which must hold the same. */
static inline void check_round_trip(const struct format *f, struct catalog *c)
{
    struct text t = {0};
    struct catalog again = {0};
    struct source *s;
    lq_error err = {0};
    const size_t n_tensors = c->n_tensors;
    uint64_t bytes = 0;
    for (size_t i = 0; i < n_tensors; i++)
        bytes += c->tensors[i].bytes;
    if (bytes < 1 << 20 && f->layout(c, 0, &t, &err) == LQ_OK && c->files[0].size < 1 << 22) {
        if (t.len != c->files[0].data_offset)
            broken("the header does not end where the data begins", &err);
        while (t.len < c->files[0].size)
            text_putc(&t, '\0');
        if (source_open_memory(&s, "again", t.data, t.len, &err) != LQ_OK ||
            model_open_source(&again, s, NULL, &err) != LQ_OK)
            broken("what was written back is refused", &err);
        if (again.n_tensors != n_tensors)
            broken("what was written back has other tensors", &err);
    }
    text_free(&t);
    catalog_release(&again);
}

static inline lq_status fuzz_open(struct catalog *c, const char *name, const uint8_t *data,
                                  size_t size, const struct fuzz_folder *folder, lq_error *err)
{
    struct source *s;
    if (source_open_memory(&s, name, data, size, err) != LQ_OK)
        return LQ_E_MEMORY;
    return model_open_source(c, s, folder ? (struct resolver *)(uintptr_t)&folder->base : NULL,
                             err);
}

#endif
