/* text.h -- growing byte strings, UTF-8 checks, and text made safe for a terminal. */
#ifndef LQ_BASE_TEXT_H
#define LQ_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A growing byte string, always NUL-terminated once something was put in. When memory runs out
 * `failed` is set and everything put in later is dropped: check once, at the end.
 * Zero-initialised struct: an empty text. data belongs to the text until text_free. */
struct text {
    char *data;
    size_t len, cap;
    bool failed;
};

void text_put(struct text *t, const void *data, size_t len);
void text_puts(struct text *t, const char *s);
void text_printf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_free(struct text *t);

static inline void text_putc(struct text *t, char c)
{
    if (t->failed || t->len + 2 > t->cap) {
        text_put(t, &c, 1);
        return;
    }
    t->data[t->len++] = c;
    t->data[t->len] = '\0';
}

/* Index of the first byte that is not part of well-formed UTF-8 (no overlong forms, no surrogates,
 * nothing above U+10FFFF), or len. */
size_t utf8_check(const char *s, size_t len);

/* Decodes the character at s[0..len), len > 0. Returns its length and sets *cp; where the bytes are
 * no character, returns 1 and sets *cp to UINT32_MAX. */
size_t utf8_decode(const char *s, size_t len, uint32_t *cp);

/* Writes a code point (<= 0x10ffff) as UTF-8 to dst[0..4) and returns its length. */
size_t utf8_encode(char *dst, uint32_t cp);

/* True for characters that change how the text around them is shown: controls, line and paragraph
 * separators, bidirectional marks and isolates, byte order marks, tag characters. */
bool text_steers_display(uint32_t cp);

/* Appends s with control characters, bidirectional marks and invalid bytes written as \xNN or
 * \u{NNNN}: what comes from a file never steers a terminal. */
void text_put_printable(struct text *t, const char *s, size_t len);

/* Appends s as a JSON string with its quotes, escaped as little as RFC 8259 allows (the bytes that
 * serde_json and jq give). Bytes that are not UTF-8 become U+FFFD. */
void text_put_json(struct text *t, const char *s, size_t len);

/* Case of ASCII letters alone, the same in every locale (in a Turkish one strcasecmp would not find
 * "I8" in "i8"). Order is that of strcasecmp and strncasecmp in the C locale: by lower-case bytes.
 */
char ascii_lower(char c);
int ascii_casecmp(const char *a, const char *b);
int ascii_ncasecmp(const char *a, const char *b, size_t n);

bool text_ends_with(const char *s, const char *suffix);
bool text_starts_with(const char *s, const char *prefix);

/* What follows the last '/' of a path: within it, "" where it ends in one. The part before is
 * path[0 .. result - path). */
const char *path_last_part(const char *path);

/* Parses a whole decimal number without sign; false where there is anything else or it is larger
 * than max. */
bool text_parse_u64(const char *s, uint64_t max, uint64_t *out);

#endif
