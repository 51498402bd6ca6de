/* meta_text.c -- metadata values for people and for JSON. */
#include "tools/meta_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Element i of an array as a value of its own, without a key. */
static struct meta element(const struct meta *array, uint64_t i)
{
    const size_t size = meta_type_size(array->element_type);
    struct meta m = {.key = "", .type = array->element_type};
    if (m.type == META_STRING) {
        m.v.string = ((const struct bytes *)array->v.array.data)[i];
        return m;
    }
    const char *const at = (const char *)array->v.array.data + i * size;
    uint64_t bits = 0;
    float f;
    memcpy(&bits, at, size); /* little-endian hosts only, see bytes.h */
    switch (m.type) {
    case META_I8: m.v.i64 = (int8_t)bits; break;
    case META_I16: m.v.i64 = (int16_t)bits; break;
    case META_I32: m.v.i64 = (int32_t)bits; break;
    case META_F32:
        memcpy(&f, at, sizeof f);
        m.v.f64 = (double)f;
        break;
    case META_F64: memcpy(&m.v.f64, at, sizeof m.v.f64); break;
    default: m.v.u64 = bits; break;
    }
    return m;
}

/* The shortest decimal that reads back as the same number of its type. */
static void float_text(char dst[40], const struct meta *m)
{
    const double v = m->v.f64;
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(dst, 40, "%.*g", precision, v);
        if (m->type == META_F32 ? strtof(dst, NULL) == (float)v : strtod(dst, NULL) == v)
            break;
    }
}

static void put_scalar(struct text *t, const struct meta *m)
{
    char digits[40];
    switch (m->type) {
    case META_I8:
    case META_I16:
    case META_I32:
    case META_I64: text_printf(t, "%" PRId64, m->v.i64); break;
    case META_F32:
    case META_F64:
        float_text(digits, m);
        text_puts(t, digits);
        break;
    case META_BOOL: text_puts(t, m->v.u64 ? "true" : "false"); break;
    default: text_printf(t, "%" PRIu64, m->v.u64); break;
    }
}

/* Length of the first n characters of s. */
static size_t first_chars(const struct bytes *s, size_t n)
{
    size_t at = 0;
    uint32_t cp;
    while (at < s->len && n-- > 0)
        at += utf8_decode(s->data + at, s->len - at, &cp);
    return at;
}

static void put_item(struct text *t, const struct meta *m, size_t max_chars)
{
    if (m->type != META_STRING) {
        put_scalar(t, m);
        return;
    }
    const size_t n = max_chars ? first_chars(&m->v.string, max_chars) : m->v.string.len;
    text_put_printable(t, m->v.string.data, n);
    text_puts(t, n < m->v.string.len ? "..." : "");
}

char *meta_type_text(char dst[48], const struct meta *m)
{
    if (m->type == META_ARRAY)
        snprintf(dst, 48, "%s[%" PRIu64 "]", meta_type_name(m->element_type), m->v.array.count);
    else
        snprintf(dst, 48, "%s", meta_type_name(m->type));
    return dst;
}

void meta_put_line(struct text *t, const struct meta *m, size_t max_chars, uint64_t max_items)
{
    if (m->type != META_ARRAY) {
        put_item(t, m, max_chars);
        return;
    }
    for (uint64_t i = 0; i < m->v.array.count; i++) {
        text_puts(t, i ? ", " : "");
        if (max_items && i == max_items) {
            text_puts(t, "...");
            break;
        }
        const struct meta item = element(m, i);
        put_item(t, &item, max_chars);
    }
}

/* A string with its line breaks and tabs. */
static void put_text(struct text *t, const struct bytes *s)
{
    for (size_t i = 0; i < s->len;) {
        size_t n = 0;
        while (i + n < s->len && s->data[i + n] != '\n' && s->data[i + n] != '\t')
            n++;
        text_put_printable(t, s->data + i, n);
        i += n;
        if (i < s->len)
            text_putc(t, s->data[i++]);
    }
}

void meta_put_whole(struct text *t, const struct meta *m)
{
    if (m->type == META_STRING) {
        put_text(t, &m->v.string);
        text_putc(t, '\n');
    } else if (m->type != META_ARRAY) {
        put_scalar(t, m);
        text_putc(t, '\n');
    } else {
        for (uint64_t i = 0; i < m->v.array.count; i++) {
            const struct meta item = element(m, i);
            put_item(t, &item, 0);
            text_putc(t, '\n');
        }
    }
}

/* ---- JSON ---- */

static void out_item(struct json_out *j, const char *key, const struct meta *m)
{
    char digits[40];
    switch (m->type) {
    case META_STRING: out_string_n(j, key, m->v.string.data, m->v.string.len); break;
    case META_I8:
    case META_I16:
    case META_I32:
    case META_I64: out_i64(j, key, m->v.i64); break;
    case META_F32:
    case META_F64:
        float_text(digits, m);
        out_f64(j, key, isfinite(m->v.f64) ? strtod(digits, NULL) : m->v.f64);
        break;
    case META_BOOL: out_bool(j, key, m->v.u64 != 0); break;
    default: out_u64(j, key, m->v.u64); break;
    }
}

void meta_out(struct json_out *j, const struct meta *m, uint64_t max_items)
{
    out_object(j, NULL);
    out_string(j, "key", m->key);
    out_string(j, "type", meta_type_name(m->type));
    if (m->type == META_ARRAY) {
        const uint64_t count = m->v.array.count;
        out_string(j, "element_type", meta_type_name(m->element_type));
        out_u64(j, "count", count);
        out_array(j, "value");
        for (uint64_t i = 0; i < count && !(max_items && i == max_items); i++) {
            const struct meta item = element(m, i);
            out_item(j, NULL, &item);
        }
        out_end(j, ']');
    } else {
        out_item(j, "value", m);
    }
    out_end(j, '}');
}
