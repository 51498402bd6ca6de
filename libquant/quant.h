/* quant.h -- the public interface of libquant: open, inspect, convert and quantize model files.
 *
 * Everything public is declared here, has the prefix lq_ or LQ_, and is the only thing the shared
 * library exports. Handles are opaque; option structs start with their own size, so that fields can
 * be added at the end without breaking programs that were compiled earlier.
 *
 * Ownership: what a function returns through a pointer named `out` belongs to the caller and is
 * released by the matching lq_..._close; strings and arrays reached through a handle belong to it.
 * A function that can fail returns lq_status (0 is success) and, where `err` is not NULL, fills it.
 * Nothing here prints, exits, or reads the environment.
 */
#ifndef LIBQUANT_QUANT_H
#define LIBQUANT_QUANT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LQ_VERSION "0.1.0"

#if defined(__GNUC__)
#define LQ_API __attribute__((visibility("default")))
#else
#define LQ_API
#endif

/* Outcome of a call. The numbers are those of the exit codes of `lq`, grouped in tens:
 * status / 10 is the exit code where it is below 10. */
typedef enum lq_status {
    LQ_OK = 0,
    LQ_E_VERIFY = 10,      /* a verification failed, or findings at or above the asked level */
    LQ_E_USAGE = 20,       /* the caller's options contradict each other or name nothing */
    LQ_E_FORMAT = 30,      /* the input is malformed */
    LQ_E_UNSUPPORTED = 31, /* the input is well-formed, but of a kind that is not handled */
    LQ_E_MODEL = 32,       /* the model does not fit together: missing tensor, wrong shape, ... */
    LQ_E_IO = 40,          /* the operating system refused: open, read, write, rename, disk full */
    LQ_E_MEMORY = 41,      /* out of memory */
    LQ_E_INTERRUPTED = 130 /* the caller asked to stop */
} lq_status;

/* Exit code of `lq` for a status (0, 1, 2, 3, 4 or 130). */
LQ_API int lq_exit_code(lq_status status);

/* What went wrong, for people. `message` is a whole sentence part that says what was expected and
 * what to do; `file` and `tensor` are empty and `offset` is -1 where they do not apply. */
typedef struct lq_error {
    lq_status status;
    int64_t offset;    /* byte offset in `file`, or -1 */
    char file[512];    /* path as the user gave it, or the file inside the model */
    char tensor[256];  /* name of the tensor, cut if longer */
    char message[768]; /* UTF-8, one line; bytes that came from a file are escaped */
} lq_error;

/* Writes "FILE: at byte OFFSET: tensor NAME: MESSAGE" (the parts that exist) to dst, always
 * terminated. Returns dst. */
LQ_API char *lq_error_text(const lq_error *err, char *dst, size_t size);

/* Version of the library that is linked, as LQ_VERSION is that of the header. */
LQ_API const char *lq_version(void);

/* ---- types ---- */

/* How a kind of stored number is laid out: n elements (a whole number of blocks) take
 * n / block_elements * block_bytes bytes. */
typedef struct lq_type_layout {
    const char *name; /* "Q4_K", as llama.cpp prints it */
    uint32_t gguf_id; /* ggml_type; 256 and above: does not exist in GGUF */
    uint32_t block_elements, block_bytes;
    int can_decode, can_encode, needs_importance;
} lq_type_layout;

LQ_API size_t lq_type_count(void);
/* Type number i, 0 to lq_type_count() - 1, or by name (in any case). LQ_E_USAGE: no such type. */
LQ_API lq_status lq_type_at(size_t i, lq_type_layout *out);
LQ_API lq_status lq_type_find(const char *name, lq_type_layout *out);

/* Encodes `rows` rows of `cols` floats each to dst, which holds exactly dst_size bytes. importance:
 * cols weights that count for every row, or NULL. The bytes are the same on every machine. Decoding
 * is the inverse: n floats from src, which holds exactly src_size bytes. */
LQ_API lq_status lq_encode(const char *type, const float *src, size_t rows, size_t cols,
                           const float *importance, void *dst, size_t dst_size, lq_error *err);
LQ_API lq_status lq_decode(const char *type, const void *src, size_t src_size, float *dst, size_t n,
                           lq_error *err);

/* ---- models ---- */

/* An open model: a GGUF file (or the first of its shards), a safetensors file or index, or a folder
 * as Hugging Face lays it out. Only headers are read. A handle may be used by several threads. */
typedef struct lq_model lq_model;

typedef struct lq_tensor {
    const char *name;
    const char *type;
    uint32_t rank;
    const uint64_t *dim; /* rank sizes, outermost first; the last one is a row */
    uint64_t elements, bytes;
} lq_tensor;

LQ_API lq_status lq_model_open(lq_model **out, const char *path, lq_error *err);
LQ_API void lq_model_close(lq_model *model); /* NULL is allowed */

LQ_API const char *lq_model_format(const lq_model *model); /* "gguf", "safetensors", ... */
LQ_API size_t lq_model_tensor_count(const lq_model *model);
/* LQ_E_USAGE: no such tensor. */
LQ_API lq_status lq_model_tensor(const lq_model *model, size_t i, lq_tensor *out);
LQ_API lq_status lq_model_find(const lq_model *model, const char *name, size_t *i);

/* Elements [first, first + n) of tensor i as floats; first and n are whole blocks. */
LQ_API lq_status lq_model_read(const lq_model *model, size_t i, uint64_t first, size_t n,
                               float *dst, lq_error *err);
/* Stored bytes [at, at + n) of tensor i. */
LQ_API lq_status lq_model_read_stored(const lq_model *model, size_t i, uint64_t at, size_t n,
                                      void *dst, lq_error *err);

/* Metadata: the keys in stored order, and values by key. NULL or 0 return: no such key, or its
 * value is of another type. */
LQ_API size_t lq_model_key_count(const lq_model *model);
LQ_API const char *lq_model_key(const lq_model *model, size_t i);
LQ_API const char *lq_model_string(const lq_model *model, const char *key);
LQ_API int lq_model_integer(const lq_model *model, const char *key, uint64_t *out);
LQ_API int lq_model_number(const lq_model *model, const char *key, double *out);

#ifdef __cplusplus
}
#endif
#endif
