/* gguf_remarks.c -- what is read, and should be known: names that ggml refuses, and bytes that
 * belong to no tensor, in which something could be hidden. */
#include "formats/gguf.h"

#include "libquant/base/bytes.h"

#include <stdlib.h>
#include <string.h>

struct walk {
    const struct catalog *c;
    struct gguf_remarks *r;
    lq_error *err;
};

/* Of no tensor are the bytes from..to: padding up to the alignment, and what has no reason. */
static lq_status look_between(const struct walk *w, const struct file *f, uint64_t from,
                              uint64_t to)
{
    uint8_t buffer[4096];
    uint64_t padded;
    if (!align_u64(from, w->c->alignment, &padded) || padded > to)
        padded = to;
    w->r->hidden += to - padded;
    while (from < padded) {
        const size_t n = padded - from < sizeof buffer ? (size_t)(padded - from) : sizeof buffer;
        LQ_TRY(source_read(f->source, buffer, n, from, w->err));
        for (size_t i = 0; i < n; i++)
            w->r->dirty += buffer[i] != 0;
        from += n;
    }
    return LQ_OK;
}

static int by_offset(const void *a, const void *b)
{
    const struct tensor *const x = *(const struct tensor *const *)a;
    const struct tensor *const y = *(const struct tensor *const *)b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

/* `order` has room for all tensors. The reader has made sure that none overlap. */
static lq_status look_at_file(const struct walk *w, uint32_t file, const struct tensor **order)
{
    const struct file *const f = &w->c->files[file];
    size_t n = 0;
    for (size_t i = 0; i < w->c->n_tensors; i++)
        if (w->c->tensors[i].file == file && w->c->tensors[i].bytes)
            order[n++] = &w->c->tensors[i];
    if (n)
        qsort(order, n, sizeof *order, by_offset);
    uint64_t at = f->header_end;
    for (size_t i = 0; i < n; i++) {
        LQ_TRY(look_between(w, f, at, order[i]->offset));
        at = order[i]->offset + order[i]->bytes;
    }
    return look_between(w, f, at, f->size);
}

lq_status gguf_remarks(struct gguf_remarks *r, const struct catalog *c, lq_error *err)
{
    const struct walk w = {c, r, err};
    const struct tensor **const order = mem_calloc(c->n_tensors + 1, sizeof *order);
    lq_status status = order ? LQ_OK : lq_fail_memory(err);
    *r = (struct gguf_remarks){0};
    for (size_t i = 0; i < c->n_tensors; i++)
        r->long_names += strlen(c->tensors[i].name) > GGUF_MAX_NAME;
    for (uint32_t i = 0; i < c->n_files && status == LQ_OK; i++)
        status = look_at_file(&w, i, order);
    free(order);
    return status;
}
