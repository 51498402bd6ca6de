/* json.c -- the pull parser. Grammar: RFC 8259. */
#include "libquant/base/json.h"

#include "libquant/base/memory.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_SIZE = 64 * 1024, END_OF_TEXT = -1 };

/* What the grammar allows next. */
enum state {
    WANT_ROOT,
    WANT_VALUE,        /* after ':' or, in an array, after ',' */
    WANT_FIRST_VALUE,  /* after '[': a value or ']' */
    WANT_FIRST_KEY,    /* after '{': a key or '}' */
    WANT_KEY,          /* after ',' in an object */
    WANT_COLON,        /* after a key */
    WANT_COMMA_OR_END, /* after a value */
    WANT_NOTHING,      /* after the root value */
    FAILED
};

static const char *const event_name[] = {
    [JSON_ERROR] = "an error",       [JSON_END] = "the end",
    [JSON_OBJECT] = "an object",     [JSON_OBJECT_END] = "the end of an object",
    [JSON_ARRAY] = "an array",       [JSON_ARRAY_END] = "the end of an array",
    [JSON_KEY] = "a key",            [JSON_STRING] = "a string",
    [JSON_NUMBER] = "a number",      [JSON_TRUE] = "true",
    [JSON_FALSE] = "false",          [JSON_NULL] = "null",
};

lq_status json_open(struct json *j, struct source *s, uint64_t at, uint64_t len, size_t token_limit,
                    lq_error *err)
{
    memset(j, 0, sizeof *j);
    j->source = s;
    j->at = j->buffer_at = at;
    j->end = at + len;
    j->token_limit = token_limit ? token_limit : (size_t)64 << 20;
    j->err = err;
    j->state = WANT_ROOT;
    j->buffer = mem_calloc(BUFFER_SIZE, 1);
    return j->buffer ? LQ_OK : lq_fail_memory(err);
}

void json_close(struct json *j)
{
    free(j->buffer);
    j->buffer = NULL;
    text_free(&j->token);
}

lq_status json_fail(struct json *j, const char *fmt, ...)
{
    char message[600];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    j->state = FAILED;
    j->status = LQ_E_FORMAT;
    return lq_fail_at(j->err, LQ_E_FORMAT, j->source->name, (int64_t)j->token_at, "%s", message);
}

static void fail_memory(struct json *j)
{
    j->state = FAILED;
    j->status = lq_fail_memory(j->err);
}

static enum json_event fail(struct json *j, const char *message)
{
    j->token_at = j->buffer_at + j->pos;
    json_fail(j, "invalid JSON: %s", message);
    return JSON_ERROR;
}

/* The next byte without taking it; END_OF_TEXT at the end or after a read error (then FAILED). */
static int peek(struct json *j)
{
    if (j->pos < j->fill)
        return (unsigned char)j->buffer[j->pos];
    if (j->at >= j->end || j->state == FAILED)
        return END_OF_TEXT;
    const uint64_t left = j->end - j->at;
    const size_t n = left < BUFFER_SIZE ? (size_t)left : BUFFER_SIZE;
    const lq_status status = source_read(j->source, j->buffer, n, j->at, j->err);
    if (status != LQ_OK) {
        j->state = FAILED;
        j->status = status;
        return END_OF_TEXT;
    }
    j->buffer_at = j->at;
    j->at += n;
    j->fill = n;
    j->pos = 0;
    return (unsigned char)j->buffer[0];
}

static int take(struct json *j)
{
    const int c = peek(j);
    j->pos += c != END_OF_TEXT;
    return c;
}

static int skip_space(struct json *j)
{
    int c;
    while ((c = peek(j)) == ' ' || c == '\t' || c == '\n' || c == '\r')
        j->pos++;
    return c;
}

static bool hex4(struct json *j, uint32_t *out)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) {
        const int c = take(j);
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0)
            return false;
        v = v << 4 | (uint32_t)digit;
    }
    *out = v;
    return true;
}

/* What follows a backslash. False: not an escape, or half a surrogate pair. */
static bool escape(struct json *j)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const int c = take(j);
    const char *const simple = c > 0 ? strchr(from, c) : NULL;
    if (simple) {
        text_putc(&j->token, to[simple - from]);
        return true;
    }
    uint32_t cp, low;
    if (c != 'u' || !hex4(j, &cp) || (cp >= 0xdc00 && cp < 0xe000))
        return false;
    if (cp >= 0xd800 && cp < 0xdc00) {
        if (take(j) != '\\' || take(j) != 'u' || !hex4(j, &low) || low < 0xdc00 || low >= 0xe000)
            return false;
        cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
    }
    char utf8[4];
    text_put(&j->token, utf8, utf8_encode(utf8, cp));
    return true;
}

/* Reads a string into the token; the opening quote has been taken. */
static bool string(struct json *j)
{
    j->token.len = 0;
    for (;;) {
        if (peek(j) == END_OF_TEXT)
            return j->state == FAILED ? false : (fail(j, "string without end"), false);
        /* Everything up to the next special byte goes over in one piece. */
        size_t n = j->pos;
        while (n < j->fill && (unsigned char)j->buffer[n] >= 0x20 && j->buffer[n] != '"' &&
               j->buffer[n] != '\\')
            n++;
        text_put(&j->token, j->buffer + j->pos, n - j->pos);
        j->pos = n;
        if (j->token.failed)
            return fail_memory(j), false;
        if (j->token.len > j->token_limit)
            return fail(j, "string too long"), false;
        if (n == j->fill)
            continue;
        const int c = take(j);
        if (c == '"')
            break;
        if (c != '\\')
            return j->pos--, fail(j, "control character in a string"), false;
        if (!escape(j))
            return fail(j, "not a valid escape in a string"), false;
    }
    if (!j->token.data)
        text_put(&j->token, "", 0);
    j->token.data[j->token.len] = '\0';
    const size_t bad = utf8_check(j->token.data, j->token.len);
    if (bad != j->token.len)
        return fail(j, "a string is not valid UTF-8"), false;
    return true;
}

/* Takes digits into the token; false if there is none. */
static bool digits(struct json *j)
{
    int c, n = 0;
    while ((c = peek(j)) >= '0' && c <= '9' && n < 4096) {
        text_putc(&j->token, (char)c);
        j->pos++;
        n++;
    }
    return n > 0 && n < 4096;
}

static enum json_event number(struct json *j)
{
    j->token.len = 0;
    if (peek(j) == '-')
        text_putc(&j->token, (char)take(j));
    const bool zero = peek(j) == '0';
    bool ok = digits(j);
    const size_t start = j->token.len && j->token.data[0] == '-';
    ok = ok && (!zero || j->token.len == start + 1);
    if (ok && peek(j) == '.') {
        text_putc(&j->token, (char)take(j));
        ok = digits(j);
    }
    if (ok && (peek(j) == 'e' || peek(j) == 'E')) {
        text_putc(&j->token, (char)take(j));
        if (peek(j) == '+' || peek(j) == '-')
            text_putc(&j->token, (char)take(j));
        ok = digits(j);
    }
    if (j->token.failed) {
        fail_memory(j);
        return JSON_ERROR;
    }
    return ok ? JSON_NUMBER : fail(j, "not a number");
}

static enum json_event literal(struct json *j, const char *word, enum json_event event)
{
    for (const char *p = word; *p; p++)
        if (take(j) != *p)
            return fail(j, "not a value");
    return event;
}

static enum json_event push(struct json *j, char kind)
{
    if (j->depth == JSON_DEPTH)
        return fail(j, "nested too deeply");
    j->stack[j->depth++] = (uint8_t)kind;
    j->pos++;
    j->state = kind == '{' ? WANT_FIRST_KEY : WANT_FIRST_VALUE;
    return kind == '{' ? JSON_OBJECT : JSON_ARRAY;
}

static enum json_event pop(struct json *j)
{
    const char kind = (char)j->stack[--j->depth];
    j->pos++;
    j->state = j->depth ? WANT_COMMA_OR_END : WANT_NOTHING;
    return kind == '{' ? JSON_OBJECT_END : JSON_ARRAY_END;
}

static enum json_event value(struct json *j, int c)
{
    if (c == '{' || c == '[')
        return push(j, (char)c);
    enum json_event event;
    if (c == '"') {
        j->pos++;
        event = string(j) ? JSON_STRING : JSON_ERROR;
    } else if (c == '-' || (c >= '0' && c <= '9')) {
        event = number(j);
    } else if (c == 't') {
        event = literal(j, "true", JSON_TRUE);
    } else if (c == 'f') {
        event = literal(j, "false", JSON_FALSE);
    } else if (c == 'n') {
        event = literal(j, "null", JSON_NULL);
    } else {
        return fail(j, c == END_OF_TEXT ? "ends too early" : "a value was expected");
    }
    if (event != JSON_ERROR)
        j->state = j->depth ? WANT_COMMA_OR_END : WANT_NOTHING;
    return event;
}

static enum json_event key(struct json *j, int c)
{
    if (c != '"')
        return fail(j, "a key in quotes was expected");
    j->pos++;
    if (!string(j))
        return JSON_ERROR;
    j->state = WANT_COLON;
    return JSON_KEY;
}

enum json_event json_next(struct json *j)
{
    if (j->state == FAILED)
        return JSON_ERROR;
    int c = skip_space(j);
    if (j->state == WANT_COMMA_OR_END) {
        const bool object = j->stack[j->depth - 1] == '{';
        if (c == (object ? '}' : ']'))
            return pop(j);
        if (c != ',')
            return j->state == FAILED ? JSON_ERROR : fail(j, "',' or a closing bracket was expected");
        j->pos++;
        j->state = object ? WANT_KEY : WANT_VALUE;
        c = skip_space(j);
    } else if (j->state == WANT_COLON) {
        if (c != ':')
            return j->state == FAILED ? JSON_ERROR : fail(j, "':' was expected");
        j->pos++;
        j->state = WANT_VALUE;
        c = skip_space(j);
    }
    if (j->state == FAILED)
        return JSON_ERROR;
    j->token_at = j->buffer_at + j->pos;
    switch ((enum state)j->state) {
    case WANT_FIRST_KEY:   return c == '}' ? pop(j) : key(j, c);
    case WANT_KEY:         return key(j, c);
    case WANT_FIRST_VALUE: return c == ']' ? pop(j) : value(j, c);
    case WANT_NOTHING:
        return c == END_OF_TEXT ? JSON_END : fail(j, "something follows the end of the document");
    default:               return value(j, c);
    }
}

lq_status json_status(const struct json *j)
{
    return j->status;
}

uint64_t json_offset(const struct json *j)
{
    return j->buffer_at + j->pos;
}

lq_status json_must_be(struct json *j, enum json_event got, enum json_event want, const char *what)
{
    if (got == want)
        return LQ_OK;
    if (got == JSON_ERROR)
        return j->status;
    return json_fail(j, "%s: %s was expected, but here is %s", what, event_name[want],
                     event_name[got]);
}

lq_status json_must_be_u64(struct json *j, enum json_event got, uint64_t max, const char *what,
                           uint64_t *out)
{
    LQ_TRY(json_must_be(j, got, JSON_NUMBER, what));
    if (!text_parse_u64(j->token.data, max, out))
        return json_fail(j, "%s: a whole number from 0 to %" PRIu64 " was expected, not %.40s",
                         what, max, j->token.data);
    return LQ_OK;
}

lq_status json_expect(struct json *j, enum json_event want, const char *what)
{
    return json_must_be(j, json_next(j), want, what);
}

lq_status json_u64(struct json *j, uint64_t max, const char *what, uint64_t *out)
{
    return json_must_be_u64(j, json_next(j), max, what, out);
}

lq_status json_skip_rest(struct json *j, enum json_event first)
{
    if (first != JSON_OBJECT && first != JSON_ARRAY)
        return LQ_OK;
    const uint32_t outside = j->depth - 1;
    while (j->depth > outside)
        if (json_next(j) == JSON_ERROR)
            return j->status;
    return LQ_OK;
}

lq_status json_skip(struct json *j)
{
    const enum json_event first = json_next(j);
    return first == JSON_ERROR ? j->status : json_skip_rest(j, first);
}

bool json_token_is(const struct json *j, const char *s)
{
    const size_t n = strlen(s);
    return j->token.len == n && memcmp(j->token.data, s, n) == 0;
}
