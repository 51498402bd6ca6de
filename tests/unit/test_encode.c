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

/* ---- GGUF metadata ---- */

static struct catalog meta;

static struct encoder *open_meta(const char *model, const char *const *tokens, const int32_t *types,
                                 const float *scores, uint64_t n)
{
    lq_error err = {0};
    struct encoder *e;
    memset(&meta, 0, sizeof meta);
    struct bytes *const list = arena_calloc(&meta.arena, n, sizeof *list);
    assert_non_null(list);
    for (uint64_t i = 0; i < n; i++)
        list[i] = (struct bytes){tokens[i], strlen(tokens[i])};
    catalog_set_string(&meta, "tokenizer.ggml.model", model, strlen(model), &err);
    catalog_set_array(&meta, "tokenizer.ggml.tokens", META_STRING, list, n, &err);
    catalog_set_array(&meta, "tokenizer.ggml.token_type", META_I32, types, n, &err);
    if (scores)
        catalog_set_array(&meta, "tokenizer.ggml.scores", META_F32, scores, n, &err);
    catalog_set_uint(&meta, "tokenizer.ggml.unknown_token_id", META_U32, 0, &err);
    assert_int_equal(encoder_from_metadata(&e, &meta, &err), LQ_OK);
    return e;
}

static void close_meta(struct encoder *e)
{
    encoder_free(e);
    catalog_release(&meta);
}

#define BLOCK "\xe2\x96\x81"

static void sentencepiece_merges_the_best_score_and_falls_back_to_bytes(void **state)
{
    static const char *const tokens[] = {"<unk>", "<s>", "</s>", BLOCK, "a", "b", BLOCK "a", "ab", "<0xC3>",
                                         "<0xA9>"};
    static const int32_t types[] = {2, 3, 3, 1, 1, 1, 1, 1, 6, 6};
    static const float scores[] = {0, 0, 0, -9, -9, -9, -2, -1, 0, 0};
    (void)state;
    struct encoder *const e = open_meta("llama", tokens, types, scores, 10);
    assert_ids(e, "ab", 0, "3 7");
    assert_ids(e, "a", ENCODE_ADD, "1 6");
    assert_ids(e, "\xc3\xa9", 0, "3 8 9");
    assert_ids(e, "b</s>a", ENCODE_CONTROL, "3 5 2 6"); /* a blank also comes after a control token */
    close_meta(e);
}

static void wordpiece_marks_every_beginning(void **state)
{
    static const char *const tokens[] = {"[UNK]", BLOCK "un", "able", BLOCK "able", BLOCK "!"};
    static const int32_t types[] = {3, 1, 1, 1, 1};
    (void)state;
    struct encoder *const e = open_meta("bert", tokens, types, NULL, 5);
    assert_ids(e, "Unable able!", 0, "1 2 3 4");
    assert_ids(e, "unx", 0, "0");
    assert_ids(e, BLOCK "able", 0, "0"); /* also that of a word which has the mark in the text */
    close_meta(e);
}

static void unigram_takes_the_best_sum(void **state)
{
    static const char *const tokens[] = {"<unk>", "</s>", BLOCK "a", "b", "ab", BLOCK, BLOCK "ab"};
    static const int32_t types[] = {2, 3, 1, 1, 1, 1, 1};
    static const float scores[] = {0, 0, -2, -2, -1, -2, -5};
    (void)state;
    struct encoder *const e = open_meta("t5", tokens, types, scores, 7);
    catalog_set_bool(&meta, "tokenizer.ggml.add_space_prefix", true, NULL);
    encoder_free(e);
    struct encoder *f;
    assert_int_equal(encoder_from_metadata(&f, &meta, NULL), LQ_OK);
    assert_ids(f, "ab", 0, "5 4");
    assert_ids(f, "axyb", ENCODE_ADD, "2 0 3 1"); /* unknown characters in a row are one */
    close_meta(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merges_go_by_rank_not_by_place),
        cmocka_unit_test(bytes_have_characters_of_their_own),
        cmocka_unit_test(control_tokens_are_read_where_that_is_asked_for),
        cmocka_unit_test(sentencepiece_merges_the_best_score_and_falls_back_to_bytes),
        cmocka_unit_test(wordpiece_marks_every_beginning),
        cmocka_unit_test(unigram_takes_the_best_sum),
        cmocka_unit_test(a_million_equal_letters_take_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
