/* json.h -- reading JSON: a pull parser for the large and the hostile, cJSON for small documents.
 *
 * The pull parser reads a source in one forward pass with bounded memory: it keeps 64-bit integers
 * exact, NUL characters in strings, and the byte offset of every token; RFC 8259 to the letter (no
 * comments, no trailing commas, no BOM, no lone surrogates, UTF-8 only), at most JSON_DEPTH deep.
 *
 *   json_next() gives the next event:
 *     {"a": [1, "x"]}  ->  OBJECT KEY(a) ARRAY NUMBER(1) STRING(x) ARRAY_END OBJECT_END END
 *
 * After JSON_ERROR the error is in j->err, and every later call gives JSON_ERROR again.
 */
#ifndef LQ_BASE_JSON_H
#define LQ_BASE_JSON_H

#include "libquant/base/source.h"
#include "libquant/base/text.h"

enum { JSON_DEPTH = 128 };

enum json_event {
    JSON_ERROR,
    JSON_END,
    JSON_OBJECT,
    JSON_OBJECT_END,
    JSON_ARRAY,
    JSON_ARRAY_END,
    JSON_KEY,
    JSON_STRING,
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL
};

struct json {
    struct source *source;
    uint64_t at, end;     /* the next byte to fetch, the end of the document in the source */
    struct text token;    /* KEY, STRING: the unescaped bytes; NUMBER: its characters */
    uint64_t token_at;    /* offset of the token in the source */
    size_t token_limit;   /* longest string accepted */
    lq_error *err;
    lq_status status;     /* after JSON_ERROR: why */
    char *buffer;
    size_t fill, pos;
    uint64_t buffer_at;
    uint32_t depth;
    uint8_t state;
    uint8_t stack[JSON_DEPTH]; /* '{' or '[' */
};

/* Begins at `at`, ends before at + len (the whole source: 0, s->size). The source stays the
 * caller's. Strings longer than token_limit bytes are an error (0: 64 MiB). */
lq_status json_open(struct json *j, struct source *s, uint64_t at, uint64_t len, size_t token_limit,
                    lq_error *err);
void json_close(struct json *j);

enum json_event json_next(struct json *j);
/* What to return after JSON_ERROR; LQ_OK before. */
lq_status json_status(const struct json *j);
/* The next event must be `want`, else LQ_E_FORMAT: "WHAT: a string was expected, but ...". */
lq_status json_expect(struct json *j, enum json_event want, const char *what);
/* The next event must be a whole number from 0 to max (written without point or exponent). */
lq_status json_u64(struct json *j, uint64_t max, const char *what, uint64_t *out);
/* The same for an event that was read already. */
lq_status json_must_be(struct json *j, enum json_event got, enum json_event want, const char *what);
lq_status json_must_be_u64(struct json *j, enum json_event got, uint64_t max, const char *what,
                           uint64_t *out);
/* Skips the value that comes next (after a KEY, or in an array). */
lq_status json_skip(struct json *j);
/* Skips what is left of a value whose first event was `first`. */
lq_status json_skip_rest(struct json *j, enum json_event first);
/* True where the current token equals the C string s (KEY or STRING). */
bool json_token_is(const struct json *j, const char *s);
/* Offset in the source of the first byte that no event has covered yet. */
uint64_t json_offset(const struct json *j);
/* LQ_E_FORMAT at the current token; ends the reading. */
lq_status json_fail(struct json *j, const char *fmt, ...) LQ_PRINTF(2, 3);

struct cJSON;
/* Reads a small document (at most 16 MiB) into a cJSON tree that the caller releases with
 * cJSON_Delete. The root must be an object; duplicate keys within one object are refused. Look-ups
 * must be the case-sensitive ones. */
lq_status json_document(struct cJSON **out, struct source *s, lq_error *err);

#endif
