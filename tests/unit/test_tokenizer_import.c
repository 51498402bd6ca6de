/* test_tokenizer_import.c -- tokenizer files into metadata: vocabularies, special tokens, templates,
 * and what is wrong with files that are wrong. */
#include "tests/unit/checkpoint_support.h"

#include "libquant/model/sentencepiece.h"
#include "libquant/model/tokenizer_json.h"
#include "libquant/model/vocab.h"

static struct model model;
static struct catalog out;

static void import(const char *tokenizer, const char *tokenizer_config)
{
    lq_error err = {0};
    char message[2048];
    write_llama(NULL);
    temp_write_text("config.json", llama_config);
    if (tokenizer)
        temp_write_text("tokenizer.json", tokenizer);
    if (tokenizer_config)
        temp_write_text("tokenizer_config.json", tokenizer_config);
    open_model(&model);
    memset(&out, 0, sizeof out);
    if (vocab_llama(&model, &out, &err) != LQ_OK)
        fail_msg("refused: %s", lq_error_text(&err, message, sizeof message));
}

static void release(void)
{
    catalog_release(&out);
    model_close(&model);
}

static const char *token(uint64_t i)
{
    const struct meta *const m = catalog_meta_array(&out, "tokenizer.ggml.tokens", META_STRING);
    assert_non_null(m);
    assert_true(i < m->v.array.count);
    return ((const struct bytes *)m->v.array.data)[i].data;
}

static int type_of(uint64_t i)
{
    const struct meta *const m = catalog_meta_array(&out, "tokenizer.ggml.token_type", META_I32);
    assert_non_null(m);
    assert_true(i < m->v.array.count);
    return ((const int32_t *)m->v.array.data)[i];
}

static int64_t number(const char *key)
{
    const struct meta *const m = catalog_meta(&out, key);
    return m ? (int64_t)m->v.u64 : -1;
}

static const char *string(const char *key)
{
    return catalog_meta_string(&out, key);
}

/* ---- tokenizer.json ---- */

static void byte_level_bpe(void **state)
{
    (void)state;
    import(small_tokenizer, "{\"bos_token\":\"<s>\",\"eos_token\":\"user\xe2\x96\x81word\"}");
    assert_string_equal(string("tokenizer.ggml.model"), "gpt2");
    assert_string_equal(string("tokenizer.ggml.pre"), "gpt-2");
    assert_string_equal(token(2), "ab");
    assert_string_equal(token(4), "user word");
    assert_int_equal(type_of(0), TOKEN_NORMAL);
    assert_int_equal(type_of(3), TOKEN_CONTROL);
    assert_int_equal(type_of(4), TOKEN_USER_DEFINED);
    assert_int_equal(number("tokenizer.ggml.bos_token_id"), 3);
    assert_int_equal(number("tokenizer.ggml.eos_token_id"), 4);
    assert_int_equal(number("tokenizer.ggml.add_bos_token"), 1);
    const struct meta *const merges =
        catalog_meta_array(&out, "tokenizer.ggml.merges", META_STRING);
    assert_int_equal(merges->v.array.count, 1);
    release();
}

static void missing_ids_are_named(void **state)
{
    (void)state;
    import("{\"pre_tokenizer\":{\"type\":\"ByteLevel\"},\"model\":{\"type\":\"BPE\",\"vocab\":"
           "{\"a x\":0,\"b\":3,\"a xb\":2},\"merges\":[[\"a x\",\"b\"]]}}", NULL);
    assert_string_equal(token(1), "[PAD1]");
    assert_int_equal(type_of(1), TOKEN_UNUSED);
    const struct meta *const merges =
        catalog_meta_array(&out, "tokenizer.ggml.merges", META_STRING);
    assert_string_equal(((const struct bytes *)merges->v.array.data)[0].data, "a\xc4\xa0x b");
    release();
}

static void tokens_that_only_the_config_names(void **state)
{
    (void)state;
    import("{\"pre_tokenizer\":{\"type\":\"ByteLevel\"},\"model\":{\"type\":\"BPE\",\"vocab\":"
           "{\"a\":0,\"b\":1},\"merges\":[]}}",
           "{\"pad_token\":\"b\",\"eos_token\":{\"content\":\"<e>\"},"
           "\"additional_special_tokens\":[\"<x>\",\"<y>\",\"<z>\"]}");
    assert_int_equal(type_of(1), TOKEN_CONTROL); /* in the vocabulary already */
    assert_string_equal(token(2), "<e>");
    assert_string_equal(token(3), "<x>");
    assert_string_equal(token(4), "<y>");
    assert_non_null(strstr(model.notes.data, "<z>")); /* there is no row for it */
    release();
}

static void control_tokens_by_their_look(void **state)
{
    static const char *const special[] = {"<pad>", "<|x|>", "<unused12>", "<\xef\xbd\x9cy\xef\xbd\x9c>",
                                          "[@BOS@]"};
    static const char *const plain[] = {"", "<s>", "<|", "|>", "<unused", "x<|y|>"};
    (void)state;
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        assert_true(token_looks_special(special[i], strlen(special[i])));
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        assert_false(token_looks_special(plain[i], strlen(plain[i])));
}

static void check_refused(const char *tokenizer, lq_status want, const char *says)
{
    lq_error err = {0};
    write_llama(NULL);
    temp_write_text("config.json", llama_config);
    temp_write_text("tokenizer.json", tokenizer);
    open_model(&model);
    memset(&out, 0, sizeof out);
    const lq_status status = vocab_llama(&model, &out, &err);
    release();
    if (status != want || !strstr(err.message, says))
        fail_msg("%s: %d, %s", tokenizer, (int)status, err.message);
}

static void wrong_files_are_refused(void **state)
{
    (void)state;
    check_refused("{\"model\":{\"vocab\":{\"a\":0,\"b\":0}}}", LQ_E_FORMAT, "have the id 0");
    check_refused("{\"model\":{\"vocab\":{\"a\":4294967295}}}", LQ_E_FORMAT, "the id of a token");
    check_refused("{\"model\":{\"vocab\":{\"a\":-1}}}", LQ_E_FORMAT, "the id of a token");
    check_refused("{\"model\":{\"vocab\":{\"a\":16777215}}}", LQ_E_MODEL, "\"vocab_size\" is 5");
    check_refused("{\"model\":{\"vocab\":{\"a\":0},\"vocab\":{\"b\":1}}}", LQ_E_FORMAT, "twice");
    check_refused("{\"model\":{\"vocab\":[\"a\"]}}", LQ_E_FORMAT, "pair");
    check_refused("{\"model\":{\"merges\":[1]}}", LQ_E_FORMAT, "a merge");
    check_refused("{\"model\":{\"merges\":[[\"a\"]]}}", LQ_E_FORMAT, "right part");
    check_refused("{\"added_tokens\":[{\"id\":1}]}", LQ_E_FORMAT, "lacks");
    check_refused("{\"added_tokens\":[{\"id\":99,\"content\":\"x\"}]}", LQ_E_MODEL, "id 99");
    check_refused("{\"model\":{\"vocab\":{\"a\":0}},\"pre_tokenizer\":{\"type\":\"Metaspace\"}}",
                  LQ_E_UNSUPPORTED, "metaspace");
    check_refused("{\"model\":{\"vocab\":{\"a\":0}}", LQ_E_FORMAT, "JSON");
    check_refused("[]", LQ_E_FORMAT, "object");
}

/* ---- pre-tokenizers ---- */

static void check_pre(const char *pre, const char *ignore_merges, const char *want)
{
    struct text t = {0};
    text_printf(&t, "{\"pre_tokenizer\":%s,\"model\":{\"type\":\"BPE\",\"ignore_merges\":%s,"
                    "\"vocab\":{\"a\":0},\"merges\":[]}}", pre, ignore_merges);
    import(t.data, NULL);
    assert_string_equal(string("tokenizer.ggml.pre"), want);
    release();
    text_free(&t);
}

#define SPLIT(regex)                                                                               \
    "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":\"" regex \
    "\"},\"behavior\":\"Isolated\",\"invert\":false},{\"type\":\"ByteLevel\",\"use_regex\":false}]}"
#define LLAMA3                                                                                     \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}{1,3}| "         \
    "?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+"

static void pretokenizers_are_named_by_their_steps(void **state)
{
    (void)state;
    check_pre("{\"type\":\"ByteLevel\",\"add_prefix_space\":false}", "false", "gpt-2");
    check_pre(SPLIT(LLAMA3), "true", "llama-bpe");
    check_pre(SPLIT(LLAMA3), "false", "dbrx");
    check_pre("{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Digits\","
              "\"individual_digits\":true},{\"type\":\"ByteLevel\"}]}", "false", "smollm");
}

/* What GPT-2 makes of the text of pretokenizer_hashes.def. */
static const uint32_t gpt2_tokens[] = {
    198, 220, 628, 220, 628, 198, 220, 197, 220, 197, 197, 220, 197, 198, 220, 220, 198, 220, 220,
    220, 198, 220, 220, 220, 220, 198, 220, 220, 220, 220, 220, 198, 8582, 248, 222, 357, 11265, 8,
    30325, 114, 447, 235, 8582, 234, 104, 37929, 357, 48101, 795, 13210, 271, 1673, 36686, 515, 8,
    14519, 227, 12520, 99, 247, 8582, 99, 247, 513, 4747, 23460, 513, 20370, 23460, 2091, 23460,
    20370, 23460, 24840, 23460, 2091, 20370, 513, 13, 18, 513, 492, 18, 513, 986, 18, 28053, 252,
    222, 157, 252, 114, 157, 252, 241, 157, 253, 233, 157, 252, 237, 157, 253, 224, 157, 252, 244,
    157, 252, 115, 157, 252, 253, 157, 253, 223, 157, 252, 253, 157, 252, 95, 157, 252, 114, 157,
    252, 227, 47249, 223, 5633, 22755, 239, 46349, 111, 28839, 101, 18040, 32432, 98, 43291, 1485,
    1415, 24309, 25465, 171, 121, 252, 40103, 1421, 18604, 12466, 121, 16843, 141, 231, 15166,
    12466, 121, 16142, 12466, 239, 141, 232, 30143, 140, 111, 16142, 21169, 21727, 31583, 18849,
    705, 39115, 6, 33153, 15506, 63, 15931, 15931, 16317, 13896, 3228, 9805, 3548, 314, 1053, 587,
    705, 44040, 339, 338, 612, 11, 705, 2200, 345, 1654, 30, 705, 44, 407, 1654, 314, 1183, 787,
    340, 11, 705, 35, 345, 588, 617, 8887, 30, 775, 6, 26979, 257, 6, 75, 43,
};

static void tokens_of_the_fixed_text_tell_the_name(void **state)
{
    static const uint32_t unknown[] = {1, 2, 3};
    const char *name = "";
    (void)state;
    assert_int_equal(pretokenizer_of_tokens(unknown, 3, &name, NULL), LQ_OK);
    assert_null(name);
    assert_int_equal(pretokenizer_of_tokens(gpt2_tokens, sizeof gpt2_tokens / sizeof *gpt2_tokens,
                                            &name, NULL), LQ_OK);
    assert_string_equal(name, "gpt-2");
}

/* ---- special tokens and templates ---- */

static void ids_of_config_json_fill_what_is_silent(void **state)
{
    (void)state;
    write_llama(NULL);
    import(small_tokenizer, "{\"bos_token\":\"<s>\"}");
    assert_int_equal(number("tokenizer.ggml.eos_token_id"), -1);
    release();
    temp_write_text("config.json",
                    "{\"architectures\":[\"LlamaForCausalLM\"],\"hidden_size\":8,"
                    "\"intermediate_size\":6,\"num_hidden_layers\":1,\"num_attention_heads\":2,"
                    "\"num_key_value_heads\":1,\"vocab_size\":5,\"bos_token_id\":1,"
                    "\"eos_token_id\":2,\"pad_token_id\":[0],\"sep_token_id\":-7}");
    open_model(&model);
    memset(&out, 0, sizeof out);
    assert_int_equal(vocab_llama(&model, &out, NULL), LQ_OK);
    assert_int_equal(number("tokenizer.ggml.bos_token_id"), 3); /* tokenizer_config.json first */
    assert_int_equal(number("tokenizer.ggml.eos_token_id"), 2);
    assert_int_equal(number("tokenizer.ggml.padding_token_id"), -1);
    assert_int_equal(number("tokenizer.ggml.seperator_token_id"), -1);
    release();
}

static void templates_from_all_places(void **state)
{
    (void)state;
    temp_write_text("chat_template.jinja", "line\r\nnext\rlast");
    import(small_tokenizer, "{\"bos_token\":\"<s>\"}");
    assert_string_equal(string("tokenizer.chat_template"), "line\nnext\nlast");
    release();
    import(small_tokenizer, "{\"chat_template\":\"here\"}");
    assert_string_equal(string("tokenizer.chat_template"), "here");
    release();
    import(small_tokenizer,
           "{\"chat_template\":[{\"name\":\"default\",\"template\":\"d\"},"
           "{\"name\":\"tool use\",\"template\":\"t\"},{\"name\":\"x\"}]}");
    assert_string_equal(string("tokenizer.chat_template"), "d");
    assert_string_equal(string("tokenizer.chat_template.tool_use"), "t");
    assert_int_equal(catalog_meta_array(&out, "tokenizer.chat_templates", META_STRING)->v.array.count,
                     1);
    release();
}

/* ---- SentencePiece ---- */

static void put_piece(struct text *t, const char *text, float score, int type)
{
    char piece[64];
    const size_t len = strlen(text);
    size_t n = 0;
    piece[n++] = 0x0a; /* field 1, bytes */
    piece[n++] = (char)len;
    memcpy(piece + n, text, len);
    n += len;
    piece[n++] = 0x15; /* field 2, 32 bits */
    memcpy(piece + n, &score, 4);
    n += 4;
    if (type) {
        piece[n++] = 0x18; /* field 3, varint */
        piece[n++] = (char)type;
    }
    text_putc(t, 0x0a);
    text_putc(t, (char)n);
    text_put(t, piece, n);
}

static lq_status read_pieces(struct sentencepiece *sp, const void *data, size_t n, lq_error *err)
{
    struct source *s;
    assert_int_equal(source_open_memory(&s, "tokenizer.model", data, n, err), LQ_OK);
    memset(sp, 0, sizeof *sp);
    const lq_status status = sentencepiece_read(sp, s, err);
    source_close(s);
    return status;
}

static void pieces_have_scores_and_types(void **state)
{
    (void)state;
    struct text t = {0};
    struct sentencepiece sp;
    put_piece(&t, "<unk>", 0, PIECE_UNKNOWN);
    put_piece(&t, "\xe2\x96\x81x", -1.5f, 0);
    put_piece(&t, "<0x0A>", 0, PIECE_BYTE);
    text_put(&t, "\x12\x02\x18\x02", 4);         /* trainer: BPE */
    text_put(&t, "\x1a\x04\x18\x00\x20\x00", 6); /* normalizer: no prefix, blanks kept */
    text_put(&t, "\xaa\x06\x01z", 4);            /* an unknown field */
    assert_int_equal(read_pieces(&sp, t.data, t.len, NULL), LQ_OK);
    assert_int_equal(sp.n_pieces, 3);
    assert_int_equal(sp.pieces[0].type, PIECE_UNKNOWN);
    assert_true(sp.pieces[1].score == -1.5f);
    assert_int_equal(sp.pieces[1].type, PIECE_NORMAL);
    assert_int_equal(sp.model_type, 2);
    assert_false(sp.add_dummy_prefix || sp.remove_extra_whitespaces);
    sentencepiece_release(&sp);
    text_free(&t);
}

/* Every cut, and every changed byte, is read or refused, never followed out of the file. */
static void damaged_pieces_do_no_harm(void **state)
{
    (void)state;
    struct text t = {0};
    struct sentencepiece sp;
    put_piece(&t, "<unk>", 0, PIECE_UNKNOWN);
    put_piece(&t, "abc", -1, 0);
    text_put(&t, "\x1a\x08\x12\x06rules!", 10);
    for (size_t n = 0; n <= t.len; n++) {
        char *const cut = malloc(n ? n : 1);
        memcpy(cut, t.data, n);
        (void)read_pieces(&sp, cut, n, NULL);
        sentencepiece_release(&sp);
        for (size_t i = 0; i < n; i++)
            for (int b = 0; b < 8; b++) {
                cut[i] ^= (char)(1 << b);
                (void)read_pieces(&sp, cut, n, NULL);
                sentencepiece_release(&sp);
                cut[i] ^= (char)(1 << b);
            }
        free(cut);
    }
    text_free(&t);
}

static void check_pieces_refused(const char *data, size_t n)
{
    struct sentencepiece sp;
    lq_error err = {0};
    assert_int_equal(read_pieces(&sp, data, n, &err), LQ_E_FORMAT);
    sentencepiece_release(&sp);
}

static void hostile_pieces_are_refused(void **state)
{
    (void)state;
    check_pieces_refused("", 0);
    check_pieces_refused("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11); /* a length of 2^64 - 1 */
    check_pieces_refused("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12);
    check_pieces_refused("\x0a\x03\x0a\x01\xff", 5);    /* not UTF-8 */
    check_pieces_refused("\x0a\x02\x18\x01", 4);        /* no text */
    check_pieces_refused("\x0a\x05\x0a\x01x\x18\x09", 7); /* no such type */
    check_pieces_refused("\x0b\x0c", 2);                /* a group */
    check_pieces_refused("\x02\x01x", 3);               /* field 0 */
}

static void sentencepiece_vocabulary(void **state)
{
    (void)state;
    struct text t = {0};
    put_piece(&t, "<unk>", 0, PIECE_UNKNOWN);
    put_piece(&t, "<s>", 0, PIECE_CONTROL);
    put_piece(&t, "own", -1, PIECE_USER_DEFINED);
    text_put(&t, "\x12\x02\x18\x02", 4); /* trainer: BPE */
    temp_write("tokenizer.model", t.data, t.len);
    temp_write_text("added_tokens.json", "{\"<tool>\":3,\"far\":77}");
    import(NULL, "{\"add_bos_token\":true,\"add_prefix_space\":false,\"added_tokens_decoder\":{"
                 "\"4\":{\"content\":\"a\xe2\x96\x81z\",\"special\":false},"
                 "\"1\":{\"content\":\"<s>\",\"special\":true},\"900\":{\"content\":\"n\"},"
                 "\"x\":{\"content\":\"n\"}}}");
    assert_string_equal(string("tokenizer.ggml.model"), "llama");
    assert_string_equal(token(3), "<tool>");
    assert_string_equal(token(4), "a z");
    assert_int_equal(type_of(0), TOKEN_UNKNOWN);
    assert_int_equal(type_of(1), TOKEN_CONTROL);
    assert_int_equal(type_of(2), TOKEN_NORMAL);
    assert_int_equal(type_of(4), TOKEN_USER_DEFINED);
    assert_int_equal(number("tokenizer.ggml.add_space_prefix"), 0);
    assert_int_equal(number("tokenizer.ggml.add_bos_token"), 1);
    release();
    text_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        temp_test(byte_level_bpe),
        temp_test(missing_ids_are_named),
        temp_test(tokens_that_only_the_config_names),
        cmocka_unit_test(control_tokens_by_their_look),
        temp_test(wrong_files_are_refused),
        temp_test(pretokenizers_are_named_by_their_steps),
        cmocka_unit_test(tokens_of_the_fixed_text_tell_the_name),
        temp_test(ids_of_config_json_fill_what_is_silent),
        temp_test(templates_from_all_places),
        cmocka_unit_test(pieces_have_scores_and_types),
        cmocka_unit_test(damaged_pieces_do_no_harm),
        cmocka_unit_test(hostile_pieces_are_refused),
        temp_test(sentencepiece_vocabulary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
