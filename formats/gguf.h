/* gguf.h -- GGUF on disk, and what its reader and writer share.
 *
 *   u32 "GGUF"  u32 version  u64 n_tensors  u64 n_kv
 *   n_kv      x [ string key | i32 type | value ]            array value: i32 type, u64 n, n values
 *   n_tensors x [ string name | u32 rank | u64 ne[rank] | i32 type | u64 offset ]
 *   zeros to general.alignment (32)
 *   tensor data, each padded with zeros to the alignment; offsets count from here
 *
 * string = u64 length, bytes. ne[0] is the row: the reverse of a catalog's dim[]. In version 1
 * lengths, counts and ne[] are 32 bits. A big-endian file has all numbers big-endian, data too.
 * Reference: ggml's docs/gguf.md and gguf.cpp.
 */
#ifndef LQ_FORMATS_GGUF_H
#define LQ_FORMATS_GGUF_H

#include "libquant/base/text.h"
#include "libquant/catalog/catalog.h"

enum {
    GGUF_VERSION = 3,
    GGUF_ALIGNMENT = 32,          /* without general.alignment */
    GGUF_MAX_ALIGNMENT = 1 << 20, /* ours: nobody asks for more than a page */
    GGUF_MAX_RANK = 4,            /* GGML_MAX_DIMS */
    GGUF_MAX_KEY = 65535,         /* gguf.md */
    GGUF_MAX_NAME = 63,           /* GGML_MAX_NAME - 1: what ggml can load */
    GGUF_MAX_NAME_READ = 4096,    /* ours: other programs write longer ones */
    GGUF_MAX_STRING = 1 << 30,    /* GGUF_MAX_STRING_LENGTH */
    GGUF_MAX_ELEMENTS = 1 << 30,  /* GGUF_MAX_ARRAY_ELEMENTS */
    GGUF_MAX_FILES = 65535        /* split.count is a u16 */
};

#define GGUF_KEY_ALIGNMENT     "general.alignment"
#define GGUF_KEY_SPLIT_NO      "split.no"
#define GGUF_KEY_SPLIT_COUNT   "split.count"
#define GGUF_KEY_SPLIT_TENSORS "split.tensors.count"

/* Finds general.alignment among n entries and checks it; GGUF_ALIGNMENT where there is none.
 * `file` is for messages. */
lq_status gguf_alignment(const struct meta *meta, size_t n, const char *file, uint32_t *out,
                         lq_error *err);

/* Reads the header of files[file], whose source is set: appends its tensors and metadata to c. */
lq_status gguf_read_header(struct catalog *c, uint32_t file, lq_error *err);

/* Where the metadata of `c` (one file, read) says that it is the first of several: opens the others
 * through `siblings` and appends their tensors. */
lq_status gguf_open_split(struct catalog *c, struct resolver *siblings, lq_error *err);

/* What is read, and should be known. */
struct gguf_remarks {
    size_t long_names; /* tensors with names over GGUF_MAX_NAME: ggml refuses them */
    uint64_t hidden;   /* bytes that belong to no tensor, and that no padding needs */
    uint64_t dirty;    /* bytes of padding that are not zero */
};

/* Of a model that was read from GGUF files; reads their padding. */
lq_status gguf_remarks(struct gguf_remarks *r, const struct catalog *c, lq_error *err);

/* struct format.layout */
lq_status gguf_layout(struct catalog *c, uint32_t file, struct text *header, lq_error *err);

#endif
