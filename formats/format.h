/* format.h -- container formats: one const struct each, listed in formats.def.
 *
 * Reading fills a catalog from headers only. Writing is one step, because everything about an
 * output is known before its first byte: `layout` places the tensors of a planned catalog and
 * returns the header; the pipeline then appends header and tensor bytes in order. To add a format:
 * one file here, one line in formats.def.
 */
#ifndef LQ_FORMATS_FORMAT_H
#define LQ_FORMATS_FORMAT_H

#include "libquant/base/text.h"
#include "libquant/catalog/catalog.h"

enum { FORMAT_PROBE_BYTES = 64 };

struct format {
    const char *name;      /* "gguf": as --format takes it */
    const char *summary;   /* one line for `lq help formats` */
    const char *extension; /* ".gguf", or NULL */

    /* Confidence from 0 (no) to 100 that a file that begins with these bytes (at most
     * FORMAT_PROBE_BYTES) is one of this format. NULL for formats that are folders. */
    int (*probe)(const void *head, size_t n);

    /* Fills `c` from `source`, which passes to the catalog, also on failure. `siblings` finds the
     * other files of the model and may be NULL; it is used during the call only. */
    lq_status (*open)(struct catalog *c, struct source *source, struct resolver *siblings,
                      lq_error *err);

    /* For the tensors of `c` whose file is `file`, in order: sets offset (absolute), and
     * files[file].data_offset and size. Appends the header to `header`, exactly data_offset bytes.
     * Between tensors, and after the last up to size, zeros. Of several
     * GGUF files the first gets the metadata, and each the split.* keys, which the caller need not
     * set; each of several safetensors files gets all of it. NULL: read only. */
    lq_status (*layout)(struct catalog *c, uint32_t file, struct text *header, lq_error *err);
};

#define FORMAT(symbol) extern const struct format format_##symbol;
#include "formats/formats.def"
#undef FORMAT

/* NULL where there is none. */
const struct format *format_by_name(const char *name);
size_t format_count(void);
const struct format *format_at(size_t i);

/* Appends the name of file `no` (from 0) of `count`: "PREFIX-00001-of-00003.gguf". */
void format_shard_name(const struct format *f, struct text *out, const char *prefix, uint32_t no,
                       uint32_t count);

/* For readers. Adds `source` as the next of c->files, under its name within the model (NULL: the
 * source's name); closes it on failure (LQ_E_MEMORY). */
lq_status format_add_source(struct catalog *c, struct source *source, const char *name,
                            lq_error *err);
/* Refuses a source that does not begin as one of this format, and says what it is instead. */
lq_status format_require(const struct format *f, struct source *s, lq_error *err);

/* Opens a model, whatever it is: a file (its format is recognised by content), the first of several
 * shards, an index file, a folder as Hugging Face lays it out, a folder that holds one model file.
 * Fills a zeroed catalog; on failure it has been released. Tensor names are unique, every tensor
 * lies within its file. LQ_E_UNSUPPORTED where no format recognises it. */
lq_status model_open(struct catalog *c, const char *path, lq_error *err);

/* The same for bytes at hand (tests, fuzzers): the source passes to the catalog, `siblings` (NULL
 * is allowed) finds the files beside it. c->path is the source's name. */
lq_status model_open_source(struct catalog *c, struct source *source, struct resolver *siblings,
                            lq_error *err);

/* The files beside an opened model: its own folder, or the folder that holds its file. For what is
 * not in a catalog (configuration, tokenizer, card). The caller closes it. */
lq_status model_siblings(const struct catalog *c, struct resolver **out, lq_error *err);

#endif
