/* recipe_pattern.c -- types asked for by name: PATTERN=TYPE. */
#include "libquant/convert/recipe.h"

#include "libquant/base/text.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_PATTERN = 4096,
    /* A search in a name takes some dozens of steps; a pattern like (a+)+$ takes 2^n. */
    MAX_STEPS = 1000000,
    MAX_DEPTH = 100000,
    MAX_HEAP_KIB = 20000
};

/* ---- from ECMAScript, as libstdc++ reads it, to PCRE2 ---- */

static bool is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The escape at p (after the backslash); returns what follows it. Most letters mean themselves, where
 * PCRE2 gives many of them a meaning. */
static const char *put_escape(struct text *out, const char *p)
{
    unsigned value;
    int used = 0;
    if (*p == 'v') {
        text_puts(out, "\\x0b");
    } else if (*p == '0') {
        text_puts(out, "\\x00");
    } else if (*p == 'u' && strspn(p + 1, "0123456789abcdef") >= 4 &&
               sscanf(p + 1, "%4x%n", &value, &used) == 1) {
        text_printf(out, "\\x%02x", value & 0xff); /* a char */
        return p + 1 + used;
    } else if (*p == 'c' && p[1]) {
        text_printf(out, is_letter(p[1]) || is_digit(p[1]) ? "%c" : "\\%c", p[1]);
        return p + 2;
    } else if (is_digit(*p)) {
        const size_t n = strspn(p, "0123456789");
        text_printf(out, "\\g{%.*s}", (int)n, p);
        return p + n;
    } else {
        text_printf(out, is_letter(*p) && !strchr("bdfnrstwxu", *p) ? "%c" : "\\%c", *p);
    }
    return p + 1;
}

static void translate(struct text *out, const char *pattern)
{
    for (const char *p = pattern; *p;) {
        if (*p == '\\' && p[1])
            p = put_escape(out, p + 1);
        else
            text_putc(out, *p++);
    }
}

/* Bytes, not UTF-8, as std::regex over char. */
static lq_status compile(struct type_pattern *p, lq_error *err)
{
    const uint32_t options = PCRE2_DOLLAR_ENDONLY | PCRE2_ALLOW_EMPTY_CLASS |
                             PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP |
                             PCRE2_NEVER_BACKSLASH_C;
    int code = 0;
    size_t at;
    struct text translated = {0};
    translate(&translated, p->text);
    pcre2_compile_context *const context = pcre2_compile_context_create(NULL);
    if (context && !translated.failed) {
        pcre2_set_max_pattern_length(context, MAX_PATTERN);
        p->code = pcre2_compile((PCRE2_SPTR)translated.data, PCRE2_ZERO_TERMINATED, options, &code,
                                &at, context);
    }
    pcre2_compile_context_free(context);
    text_free(&translated);
    if (p->code)
        return LQ_OK;
    PCRE2_UCHAR reason[160];
    if (code == 0)
        return lq_fail_memory(err);
    pcre2_get_error_message(code, reason, sizeof reason);
    return lq_fail(err, LQ_E_USAGE, "--tensor-type: \"%.200s\" is no regular expression: %s",
                   p->text, (const char *)reason);
}

/* ---- patterns ---- */

/* Lower case as llama-quantize makes it before it compiles the pattern: \S becomes \s, which nobody
 * relies on, but the same command shall have the same result. */
static void to_lower(char *s)
{
    for (; *s; s++)
        *s = ascii_lower(*s);
}

lq_status type_pattern_parse(struct type_pattern *p, const char *text, lq_error *err)
{
    const char *const equals = strchr(text, '=');
    *p = (struct type_pattern){0};
    if (!equals || equals == text || !equals[1])
        return lq_fail(err, LQ_E_USAGE, "--tensor-type: \"%.200s\" is not of the form NAME=TYPE, "
                       "as in ffn_down=q6_k", text);
    LQ_TRY(recipe_type_parse(&p->type, equals + 1, "--tensor-type", err));
    p->text = strndup(text, (size_t)(equals - text));
    if (!p->text)
        return lq_fail_memory(err);
    to_lower(p->text);
    const lq_status status = compile(p, err);
    if (status != LQ_OK)
        type_pattern_release(p);
    return status;
}

lq_status type_pattern_search(const struct type_pattern *p, const char *name, bool *found,
                              lq_error *err)
{
    pcre2_match_data *const match = pcre2_match_data_create_from_pattern(p->code, NULL);
    pcre2_match_context *const context = pcre2_match_context_create(NULL);
    lq_status status = LQ_OK;
    *found = false;
    if (!match || !context) {
        status = lq_fail_memory(err);
    } else {
        pcre2_set_match_limit(context, MAX_STEPS);
        pcre2_set_depth_limit(context, MAX_DEPTH);
        pcre2_set_heap_limit(context, MAX_HEAP_KIB);
        const int n = pcre2_match(p->code, (PCRE2_SPTR)name, strlen(name), 0, 0, match, context);
        *found = n >= 0;
        if (n < 0 && n != PCRE2_ERROR_NOMATCH)
            status = lq_fail(err, LQ_E_USAGE, "--tensor-type: searching \"%.200s\" in a name of "
                             "%zu characters takes too long; write a simpler pattern", p->text,
                             strlen(name));
    }
    pcre2_match_context_free(context);
    pcre2_match_data_free(match);
    return status;
}

void type_pattern_release(struct type_pattern *p)
{
    pcre2_code_free(p->code);
    free(p->text);
    *p = (struct type_pattern){0};
}
