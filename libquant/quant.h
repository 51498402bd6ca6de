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

#ifdef __cplusplus
}
#endif
#endif
