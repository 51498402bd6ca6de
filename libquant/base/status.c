/* status.c -- filling in lq_error. */
#include "libquant/base/status.h"

#include "libquant/base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Copies a C string, cut between characters to fit. What could steer a terminal, and bytes that are
 * not UTF-8 (also a character that a format's precision cut in two), are shown as '?'. */
static void copy_printable(char *dst, size_t size, const char *src)
{
    const size_t len = src ? strlen(src) : 0;
    size_t out = 0;
    for (size_t i = 0; i < len;) {
        uint32_t cp;
        const size_t n = utf8_decode(src + i, len - i, &cp);
        const bool shown = cp != UINT32_MAX && !text_steers_display(cp);
        if (out + (shown ? n : 1) >= size)
            break;
        if (shown)
            memcpy(dst + out, src + i, n);
        else
            dst[out] = '?';
        out += shown ? n : 1;
        i += n;
    }
    dst[out] = '\0';
}

static void fill(lq_error *err, lq_status status, const char *file, int64_t offset, const char *fmt,
                 va_list args)
{
    if (!err)
        return;
    char message[sizeof err->message];
    vsnprintf(message, sizeof message, fmt, args);
    err->status = status;
    err->offset = offset;
    err->tensor[0] = '\0';
    copy_printable(err->file, sizeof err->file, file);
    copy_printable(err->message, sizeof err->message, message);
}

lq_status lq_fail(lq_error *err, lq_status status, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fill(err, status, NULL, -1, fmt, args);
    va_end(args);
    return status;
}

lq_status lq_fail_at(lq_error *err, lq_status status, const char *file, int64_t offset,
                     const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fill(err, status, file, offset, fmt, args);
    va_end(args);
    return status;
}

lq_status lq_fail_errno(lq_error *err, const char *file, const char *what)
{
    const int code = errno;
    return lq_fail_at(err, code == ENOMEM ? LQ_E_MEMORY : LQ_E_IO, file, -1, "%s: %s", what,
                      strerror(code));
}

lq_status lq_fail_memory(lq_error *err)
{
    return lq_fail(err, LQ_E_MEMORY, "out of memory");
}

void lq_error_add_file(lq_error *err, const char *file)
{
    if (err && !err->file[0])
        copy_printable(err->file, sizeof err->file, file);
}

void lq_error_add_tensor(lq_error *err, const char *tensor)
{
    if (err && !err->tensor[0])
        copy_printable(err->tensor, sizeof err->tensor, tensor);
}

int lq_exit_code(lq_status status)
{
    return status < 100 ? (int)status / 10 : (int)status;
}

char *lq_error_text(const lq_error *err, char *dst, size_t size)
{
    char at[40] = "";
    if (err->offset >= 0)
        snprintf(at, sizeof at, "at byte %" PRId64 ": ", err->offset);
    snprintf(dst, size, "%s%s%s%s%s%s%s", err->file, err->file[0] ? ": " : "", at,
             err->tensor[0] ? "tensor " : "", err->tensor, err->tensor[0] ? ": " : "",
             err->message);
    return dst;
}

const char *lq_version(void)
{
    return LQ_VERSION;
}
