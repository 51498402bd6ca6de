/* text.c -- growing byte strings and UTF-8. */
#include "libquant/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(struct text *t, size_t extra)
{
    if (t->failed)
        return false;
    if (extra < t->cap - t->len)
        return true;
    size_t want;
    if (__builtin_add_overflow(t->len, extra, &want) || want > SIZE_MAX / 2 - 64) {
        t->failed = true;
        return false;
    }
    want = want < 2 * t->cap ? 2 * t->cap : want + 64;
    char *const p = realloc(t->data, want);
    if (!p) {
        t->failed = true;
        return false;
    }
    t->data = p;
    t->cap = want;
    return true;
}

void text_put(struct text *t, const void *data, size_t len)
{
    if (!reserve(t, len))
        return;
    if (len)
        memcpy(t->data + t->len, data, len);
    t->len += len;
    t->data[t->len] = '\0';
}

void text_puts(struct text *t, const char *s)
{
    text_put(t, s, strlen(s));
}

void text_printf(struct text *t, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    const int n = vsnprintf(NULL, 0, fmt, args);
    if (n < 0)
        t->failed = true;
    else if (reserve(t, (size_t)n)) {
        vsnprintf(t->data + t->len, (size_t)n + 1, fmt, again);
        t->len += (size_t)n;
    }
    va_end(again);
    va_end(args);
}

void text_free(struct text *t)
{
    free(t->data);
    *t = (struct text){0};
}

size_t utf8_decode(const char *s, size_t len, uint32_t *cp)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *const u = (const unsigned char *)s;
    const size_t n = u[0] < 0x80 ? 1
                     : u[0] < 0xc2 ? 0
                     : u[0] < 0xe0 ? 2
                     : u[0] < 0xf0 ? 3
                     : u[0] < 0xf5 ? 4
                                   : 0;
    *cp = UINT32_MAX;
    if (n == 0 || n > len)
        return 1;
    uint32_t c = n == 1 ? u[0] : u[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((u[i] & 0xc0) != 0x80)
            return 1;
        c = c << 6 | (u[i] & 0x3f);
    }
    if (c < smallest[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return 1;
    *cp = c;
    return n;
}

size_t utf8_check(const char *s, size_t len)
{
    size_t i = 0;
    while (i < len) {
        if ((unsigned char)s[i] < 0x80) {
            i++;
            continue;
        }
        uint32_t cp;
        const size_t n = utf8_decode(s + i, len - i, &cp);
        if (cp == UINT32_MAX)
            return i;
        i += n;
    }
    return len;
}

size_t utf8_encode(char *dst, uint32_t cp)
{
    if (cp < 0x80) {
        dst[0] = (char)cp;
        return 1;
    }
    const size_t n = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, cp >>= 6)
        dst[i] = (char)(0x80 | (cp & 0x3f));
    dst[0] = (char)((0xf00u >> n & 0xff) | cp);
    return n;
}

bool text_steers_display(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
           (c >= 0xe0000 && c <= 0xe007f);
}

void text_put_printable(struct text *t, const char *s, size_t len)
{
    for (size_t i = 0; i < len;) {
        uint32_t cp;
        const size_t n = utf8_decode(s + i, len - i, &cp);
        if (cp == UINT32_MAX || cp < 0x80) {
            if (cp == UINT32_MAX || text_steers_display(cp))
                text_printf(t, "\\x%02x", (unsigned)(unsigned char)s[i]);
            else
                text_putc(t, s[i]);
        } else if (text_steers_display(cp)) {
            text_printf(t, "\\u{%x}", (unsigned)cp);
        } else {
            text_put(t, s + i, n);
        }
        i += n;
    }
}

void text_put_json(struct text *t, const char *s, size_t len)
{
    text_putc(t, '"');
    for (size_t i = 0; i < len;) {
        uint32_t cp;
        const size_t n = utf8_decode(s + i, len - i, &cp);
        if (cp == UINT32_MAX)
            text_puts(t, "\xef\xbf\xbd");
        else if (cp == '"' || cp == '\\')
            text_printf(t, "\\%c", (char)cp);
        else if (cp == '\n')
            text_puts(t, "\\n");
        else if (cp == '\t')
            text_puts(t, "\\t");
        else if (cp == '\r')
            text_puts(t, "\\r");
        else if (cp == '\b')
            text_puts(t, "\\b");
        else if (cp == '\f')
            text_puts(t, "\\f");
        else if (cp < 0x20)
            text_printf(t, "\\u%04x", (unsigned)cp);
        else
            text_put(t, s + i, n);
        i += n;
    }
    text_putc(t, '"');
}

char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

int ascii_casecmp(const char *a, const char *b)
{
    return ascii_ncasecmp(a, b, SIZE_MAX);
}

int ascii_ncasecmp(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const int x = (unsigned char)ascii_lower(a[i]), y = (unsigned char)ascii_lower(b[i]);
        if (x != y || !x)
            return x - y;
    }
    return 0;
}

bool text_ends_with(const char *s, const char *suffix)
{
    const size_t n = strlen(s), m = strlen(suffix);
    return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

bool text_starts_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

const char *path_last_part(const char *path)
{
    const char *const slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool text_parse_u64(const char *s, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;
    if (!*s)
        return false;
    for (; *s; s++) {
        if (*s < '0' || *s > '9' || __builtin_mul_overflow(v, (uint64_t)10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
            return false;
    }
    *out = v;
    return v <= max;
}
