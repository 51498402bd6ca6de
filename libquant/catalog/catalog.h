/* catalog.h -- what a model file says it holds: files, tensors, typed metadata. Plain data, filled in
 * by a format reader, or by a plan for a file that is to be written.
 *
 *   catalog --+-- files[]    name, source, size
 *             +-- tensors[]  name, type, shape, place in a file     (in stored order)
 *             +-- meta[]     key, typed value                        (in stored order)
 *
 * Everything but the sources lives in the catalog's arena and is released with it. Opening a model
 * fills a catalog from headers only; tensor bytes are read on demand with catalog_read.
 */
#ifndef LQ_CATALOG_CATALOG_H
#define LQ_CATALOG_CATALOG_H

#include "libquant/base/memory.h"
#include "libquant/base/source.h"
#include "libquant/codec/type.h"

/* ---- metadata: the value types are GGUF's, the ids too ---- */

enum meta_type {
    META_U8 = 0,
    META_I8 = 1,
    META_U16 = 2,
    META_I16 = 3,
    META_U32 = 4,
    META_I32 = 5,
    META_F32 = 6,
    META_BOOL = 7,
    META_STRING = 8,
    META_ARRAY = 9,
    META_U64 = 10,
    META_I64 = 11,
    META_F64 = 12,
    META_TYPE_COUNT = 13
};

struct bytes {
    const char *data; /* a NUL follows, but there may be others inside */
    size_t len;
};

struct meta {
    const char *key;
    uint8_t type;         /* enum meta_type */
    uint8_t element_type; /* of a META_ARRAY: any type but META_ARRAY */
    union {
        uint64_t u64; /* META_U*, META_BOOL (0 or 1) */
        int64_t i64;  /* META_I* */
        double f64;   /* META_F64, and META_F32 widened */
        struct bytes string;
        struct {
            uint64_t count;
            const void *data; /* META_STRING: struct bytes[count]; else packed host numbers of
                                 meta_type_size(element_type) bytes each */
        } array;
    } v;
};

/* Bytes of one value of a fixed-size type; 0 for META_STRING and META_ARRAY. */
size_t meta_type_size(unsigned type);
/* "u32", "string", ... ; "?" for no type. */
const char *meta_type_name(unsigned type);

/* ---- tensors ---- */

struct tensor {
    const char *name;
    const struct type_info *type;
    uint32_t rank;       /* 0: a scalar */
    uint32_t file;       /* index into files[] */
    const uint64_t *dim; /* rank sizes, outermost first as in safetensors: dim[rank - 1] is a row */
    uint64_t offset;     /* of the first byte within the file */
    uint64_t bytes;
    uint64_t elements;   /* product of dim */
};

/* Length of a row: the innermost size, 1 for a scalar. */
uint64_t tensor_cols(const struct tensor *t);
/* Number of rows: elements / cols; 0 for an empty tensor. */
uint64_t tensor_rows(const struct tensor *t);
/* Fills elements and bytes from type and dim. False: the sizes overflow, or a row is no whole number
 * of blocks. Sizes are checked for overflow over all dimensions, also where one of them is 0. */
bool tensor_measure(struct tensor *t);

struct file {
    const char *name;      /* within the model, or the path given */
    struct source *source; /* owned by the catalog; NULL in a plan */
    uint64_t size;
    uint64_t header_end;  /* GGUF: padding follows */
    uint64_t data_offset; /* where the tensors' bytes begin */
};

struct catalog {
    struct arena arena;
    const struct format *format; /* who filled it in; NULL in a plan under way */
    const char *path;            /* as the user gave it */
    uint32_t version;            /* of the container format, 0 where it has none */
    uint32_t alignment;          /* of tensor data, bytes (GGUF), else 1 */
    bool big_endian;             /* numbers in the file; metadata here is in host order already */
    struct file *files;
    size_t n_files, cap_files;
    struct tensor *tensors;
    size_t n_tensors, cap_tensors;
    struct meta *meta;
    size_t n_meta, cap_meta;
    struct tensor_index *index; /* by name; built on first use, dropped when tensors change */
};

/* Zero-initialise to begin (an empty catalog); release closes the sources. */
void catalog_release(struct catalog *c);

/* Bytes of all files. */
uint64_t catalog_file_bytes(const struct catalog *c);

/* Add a zeroed element at the end and return it; NULL when out of memory. The pointer is good until
 * the next element of its kind is added. */
struct file *catalog_add_file(struct catalog *c);
struct tensor *catalog_add_tensor(struct catalog *c);
struct meta *catalog_add_meta(struct catalog *c);

/* By name; NULL where there is none. Not safe from several threads until catalog_index was called. */
const struct tensor *catalog_find(const struct catalog *c, const char *name);
/* Builds the index and refuses two tensors of one name (LQ_E_FORMAT). */
lq_status catalog_index(struct catalog *c, lq_error *err);
/* Refuses two metadata entries of one key (LQ_E_FORMAT). */
lq_status catalog_check_keys(const struct catalog *c, lq_error *err);

/* By key; NULL where there is none (or, for the typed ones, where it has another type). Linear. */
const struct meta *catalog_meta(const struct catalog *c, const char *key);
const struct meta *catalog_meta_array(const struct catalog *c, const char *key,
                                      enum meta_type element_type);
/* Any unsigned or non-negative signed integer. */
bool catalog_meta_u64(const struct catalog *c, const char *key, uint64_t *out);
bool catalog_meta_f64(const struct catalog *c, const char *key, double *out);
/* NULL where there is none, or where it holds a NUL. */
const char *catalog_meta_string(const struct catalog *c, const char *key);

/* Set (replace the value in place, or append) -- LQ_E_MEMORY only. Strings are copied. */
lq_status catalog_set_uint(struct catalog *c, const char *key, enum meta_type type, uint64_t value,
                           lq_error *err);
lq_status catalog_set_int(struct catalog *c, const char *key, enum meta_type type, int64_t value,
                          lq_error *err);
lq_status catalog_set_float(struct catalog *c, const char *key, enum meta_type type, double value,
                            lq_error *err);
lq_status catalog_set_bool(struct catalog *c, const char *key, bool value, lq_error *err);
lq_status catalog_set_string(struct catalog *c, const char *key, const char *s, size_t len,
                             lq_error *err);
/* `data` (packed numbers, or struct bytes[count]) must live in the catalog's arena already. */
lq_status catalog_set_array(struct catalog *c, const char *key, enum meta_type element_type,
                            const void *data, uint64_t count, lq_error *err);
/* False where there was none. */
bool catalog_remove_meta(struct catalog *c, const char *key);

/* Reads n bytes at offset `at` of a tensor's data, in host byte order (`at` and n are whole
 * elements or blocks when the file is big-endian). Safe from several threads at once. */
lq_status catalog_read(const struct catalog *c, const struct tensor *t, void *dst, size_t n,
                       uint64_t at, lq_error *err);

#endif
