/* Texts into tokens, by small tokenizers that are written out here. The comparison with the libraries
 * that define them is scripts/interop-tokenize. */
#include "libquant/model/encode.h"

#include "libquant/base/text.h"
#include "libquant/model/tokenizer_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct tokenizer_json *json;

static struct encoder *open_json(const char *text)
{
    lq_error err = {0};
    struct source *s;
    struct encoder *e;
    assert_int_equal(source_open_memory(&s, "tokenizer.json", text, strlen(text), &err), LQ_OK);
    const lq_status status = tokenizer_json_read(&json, s, &err);
    source_close(s);
    assert_int_equal(status, LQ_OK);
    assert_int_equal(encoder_from_json(&e, json, &err), LQ_OK);
    return e;
}

static void close_json(struct encoder *e)
{
    encoder_free(e);
    tokenizer_json_free(json);
    json = NULL;
}

/* The ids, written out. */
static const char *ids_of(const struct encoder *e, const char *text, size_t len, unsigned flags)
{
    static char shown[4096];
    lq_error err = {0};
    struct token_list ids = {0};
    struct text out = {0};
    assert_int_equal(encoder_encode(e, text, len, flags, &ids, &err), LQ_OK);
    text_puts(&out, "");
    for (size_t i = 0; i < ids.n; i++)
        text_printf(&out, "%s%u", i ? " " : "", ids.id[i]);
    assert_true(out.len < sizeof shown);
    strcpy(shown, out.len ? out.data : "");
    text_free(&out);
    token_list_free(&ids);
    return shown;
}

#define assert_ids(e, text, flags, expected)                                                       \
    assert_string_equal(ids_of(e, text, strlen(text), flags), expected)

static const char byte_level[] =
    "{\"added_tokens\":[{\"id\":9,\"content\":\"<s>\",\"special\":true,\"normalized\":false}],"
    "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false},"
    "\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"<s>\"}},"
    "{\"Sequence\":{\"id\":\"A\"}}],\"special_tokens\":{\"<s>\":{\"ids\":[9]}}},"
    "\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"c\":2,\"\\u0120\":3,\"ab\":4,\"bc\":5,"
    "\"\\u0120ab\":6,\"\\u00c3\":7,\"\\u00a9\":8},"
    "\"merges\":[\"b c\",\"a b\",\"\\u0120 ab\"]}}";

static void merges_go_by_rank_not_by_place(void **state)
{
    (void)state;
    struct encoder *const e = open_json(byte_level);
    assert_ids(e, "abc", 0, "0 5");
    assert_ids(e, "ab abab", 0, "4 6 4");
    assert_ids(e, "", 0, "");
    close_json(e);
}

static void bytes_have_characters_of_their_own(void **state)
{
    (void)state;
    struct encoder *const e = open_json(byte_level);
    assert_ids(e, "\xc3\xa9", 0, "7 8");
    close_json(e);
}

static void control_tokens_are_read_where_that_is_asked_for(void **state)
{
    (void)state;
    struct encoder *const e = open_json(byte_level);
    assert_ids(e, "a<s>b", ENCODE_CONTROL, "0 9 1");
    assert_ids(e, "a<s>b", 0, "0 1");
    assert_ids(e, "a", ENCODE_ADD, "9 0");
    close_json(e);
}

static void a_million_equal_letters_take_no_time(void **state)
{
    (void)state;
    struct encoder *const e = open_json(byte_level);
    struct token_list ids = {0};
    lq_error err = {0};
    char *const text = malloc(1000000);
    assert_non_null(text);
    memset(text, 'a', 1000000);
    assert_int_equal(encoder_encode(e, text, 1000000, 0, &ids, &err), LQ_OK);
    assert_int_equal(ids.n, 1000000);
    token_list_free(&ids);
    free(text);
    close_json(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merges_go_by_rank_not_by_place),
        cmocka_unit_test(bytes_have_characters_of_their_own),
        cmocka_unit_test(control_tokens_are_read_where_that_is_asked_for),
        cmocka_unit_test(a_million_equal_letters_take_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
