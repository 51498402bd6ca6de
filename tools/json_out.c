/* json_out.c -- writing JSON. */
#include "tools/opt.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void new_line(struct json_out *j)
{
    text_putc(&j->text, '\n');
    for (uint32_t i = 0; i < j->depth; i++)
        text_puts(&j->text, "  ");
}

/* What comes before a value: the comma, the line, the key. */
static void begin(struct json_out *j, const char *key)
{
    if (j->comma)
        text_putc(&j->text, ',');
    if (j->depth)
        new_line(j);
    if (key) {
        text_put_json(&j->text, key, strlen(key));
        text_puts(&j->text, ": ");
    }
    j->comma = true;
}

static void open_bracket(struct json_out *j, const char *key, char bracket)
{
    begin(j, key);
    text_putc(&j->text, bracket);
    j->depth++;
    j->comma = false;
}

void out_object(struct json_out *j, const char *key)
{
    open_bracket(j, key, '{');
}

void out_array(struct json_out *j, const char *key)
{
    open_bracket(j, key, '[');
}

void out_end(struct json_out *j, char bracket)
{
    j->depth--;
    if (j->comma)
        new_line(j);
    text_putc(&j->text, bracket);
    j->comma = true;
}

void out_string_n(struct json_out *j, const char *key, const char *s, size_t len)
{
    begin(j, key);
    text_put_json(&j->text, s, len);
}

void out_string(struct json_out *j, const char *key, const char *s)
{
    out_string_n(j, key, s, strlen(s));
}

void out_u64(struct json_out *j, const char *key, uint64_t v)
{
    begin(j, key);
    text_printf(&j->text, "%" PRIu64, v);
}

void out_i64(struct json_out *j, const char *key, int64_t v)
{
    begin(j, key);
    text_printf(&j->text, "%" PRId64, v);
}

void out_f64(struct json_out *j, const char *key, double v)
{
    char digits[40];
    if (!isfinite(v)) {
        out_null(j, key);
        return;
    }
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, v);
        if (strtod(digits, NULL) == v)
            break;
    }
    begin(j, key);
    text_puts(&j->text, digits);
}

void out_bool(struct json_out *j, const char *key, bool v)
{
    begin(j, key);
    text_puts(&j->text, v ? "true" : "false");
}

void out_null(struct json_out *j, const char *key)
{
    begin(j, key);
    text_puts(&j->text, "null");
}

lq_status out_print(struct json_out *j, const struct context *ctx, lq_error *err)
{
    const bool failed = j->text.failed;
    progress_clear();
    text_putc(&j->text, '\n');
    if (!failed)
        fwrite(j->text.data, 1, j->text.len, ctx->out);
    text_free(&j->text);
    return failed ? lq_fail_memory(err) : LQ_OK;
}
