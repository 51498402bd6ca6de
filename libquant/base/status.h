/* status.h -- how functions inside the library fail: in one line, described where it is found. */
#ifndef LQ_BASE_STATUS_H
#define LQ_BASE_STATUS_H

#include "libquant/quant.h"

#define LQ_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Hand a failure on. For functions that hold nothing; others `goto out` and release. */
#define LQ_TRY(call)                                                                               \
    do {                                                                                           \
        const lq_status try_status_ = (call);                                                      \
        if (try_status_ != LQ_OK)                                                                  \
            return try_status_;                                                                    \
    } while (0)

/* All return `status`. `err` may be NULL. The file, tensor and offset that err already holds are
 * reset: a failure is described once, by who found it, and may then be given more context. */
lq_status lq_fail(lq_error *err, lq_status status, const char *fmt, ...) LQ_PRINTF(3, 4);
lq_status lq_fail_at(lq_error *err, lq_status status, const char *file, int64_t offset,
                     const char *fmt, ...) LQ_PRINTF(5, 6);
/* LQ_E_IO, "<what>: <strerror(errno)>"; ENOMEM gives LQ_E_MEMORY. */
lq_status lq_fail_errno(lq_error *err, const char *file, const char *what);
lq_status lq_fail_memory(lq_error *err);

/* Add what is missing to a failure that is passed on; what it already holds is kept. */
void lq_error_add_file(lq_error *err, const char *file);
void lq_error_add_tensor(lq_error *err, const char *tensor);

#endif
