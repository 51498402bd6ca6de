/* vocab.c -- kinds of vocabularies, and the arrays they all become. */
#include "libquant/model/vocab.h"

#include "libquant/model/tokenizer_json.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

lq_status vocab_new(struct vocab *v, struct catalog *out, uint32_t n, bool scored, lq_error *err)
{
    v->n = n;
    v->tokens = arena_calloc(&out->arena, n, sizeof *v->tokens);
    v->types = arena_calloc(&out->arena, n, sizeof *v->types);
    v->scores = scored ? arena_calloc(&out->arena, n, sizeof *v->scores) : NULL;
    if (!v->tokens || !v->types || (scored && !v->scores))
        return lq_fail_memory(err);
    for (uint32_t i = 0; i < n; i++) {
        v->types[i] = TOKEN_UNUSED;
        if (scored)
            v->scores[i] = -10000;
    }
    return LQ_OK;
}

lq_status vocab_set(struct vocab *v, struct catalog *out, uint32_t id, const char *text, size_t len,
                    float score, enum token_type type, lq_error *err)
{
    const char *const copy = arena_strndup(&out->arena, text, len);
    if (!copy)
        return lq_fail_memory(err);
    v->tokens[id] = (struct bytes){copy, len};
    v->types[id] = (int32_t)type;
    if (v->scores)
        v->scores[id] = score;
    return LQ_OK;
}

lq_status vocab_fill_gaps(const struct vocab *v, struct catalog *out, lq_error *err)
{
    for (uint32_t i = 0; i < v->n; i++) {
        if (v->tokens[i].data)
            continue;
        char name[24];
        const int len = snprintf(name, sizeof name, "[PAD%u]", i);
        v->tokens[i] = (struct bytes){arena_strndup(&out->arena, name, (size_t)len), (size_t)len};
        if (!v->tokens[i].data)
            return lq_fail_memory(err);
    }
    return LQ_OK;
}

lq_status vocab_write(const struct vocab *v, struct catalog *out, const char *model,
                      const char *pre, lq_error *err)
{
    LQ_TRY(vocab_fill_gaps(v, out, err));
    LQ_TRY(tokens_check_unique(v->tokens, v->n, v->file, err));
    LQ_TRY(catalog_set_string(out, "tokenizer.ggml.model", model, strlen(model), err));
    LQ_TRY(catalog_set_string(out, "tokenizer.ggml.pre", pre, strlen(pre), err));
    LQ_TRY(catalog_set_array(out, "tokenizer.ggml.tokens", META_STRING, v->tokens, v->n, err));
    if (v->scores)
        LQ_TRY(catalog_set_array(out, "tokenizer.ggml.scores", META_F32, v->scores, v->n, err));
    return catalog_set_array(out, "tokenizer.ggml.token_type", META_I32, v->types, v->n, err);
}

static bool framed(const char *s, size_t len, const char *open, const char *close)
{
    const size_t a = strlen(open), b = strlen(close);
    return len >= a && len >= b && memcmp(s, open, a) == 0 && memcmp(s + len - b, close, b) == 0;
}

bool token_looks_special(const char *s, size_t len)
{
    static const char *const names[] = {"<pad>", "<mask>", "<2mass>", "[@BOS@]"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == len && memcmp(names[i], s, len) == 0)
            return true;
    return framed(s, len, "<|", "|>") || framed(s, len, "<\xef\xbd\x9c", "\xef\xbd\x9c>") ||
           framed(s, len, "<unused", ">");
}

/* ---- kinds ---- */

lq_status vocab_bpe(struct model *m, struct catalog *out, lq_error *err)
{
    struct vocab v = {0};
    const char *pre;
    LQ_TRY(vocab_from_json(m, &v, out, err));
    LQ_TRY(pretokenizer_name(m, &pre, err));
    LQ_TRY(vocab_write(&v, out, "gpt2", pre, err));
    return special_tokens_write(m, out, SPECIAL_MERGES, 0, err);
}

static lq_status vocab_sentencepiece(struct model *m, struct catalog *out, lq_error *err)
{
    struct vocab v = {0};
    LQ_TRY(vocab_from_sentencepiece(m, &v, out, err));
    LQ_TRY(vocab_write(&v, out, "llama", "default", err));
    return special_tokens_write(m, out, 0, v.n, err);
}

static bool has_sentencepiece(const struct model *m)
{
    return m->files->exists(m->files, "tokenizer.model");
}

lq_status vocab_sentencepiece_or_bpe(struct model *m, struct catalog *out, lq_error *err)
{
    return has_sentencepiece(m) ? vocab_sentencepiece(m, out, err) : vocab_bpe(m, out, err);
}

static lq_status no_blank_in_front(struct catalog *out, lq_error *err)
{
    return catalog_set_bool(out, "tokenizer.ggml.add_space_prefix", false, err);
}

lq_status vocab_gemma1(struct model *m, struct catalog *out, lq_error *err)
{
    LQ_TRY(vocab_sentencepiece(m, out, err));
    if (!catalog_meta(out, "tokenizer.ggml.eot_token_id")) /* "<end_of_turn>" */
        LQ_TRY(catalog_set_uint(out, "tokenizer.ggml.eot_token_id", META_U32, 107, err));
    return no_blank_in_front(out, err);
}

lq_status vocab_gemma(struct model *m, struct catalog *out, lq_error *err)
{
    LQ_TRY(vocab_sentencepiece(m, out, err));
    return no_blank_in_front(out, err);
}

lq_status vocab_phi3(struct model *m, struct catalog *out, lq_error *err)
{
    const char *const class = cJSON_GetStringValue(
        cJSON_GetObjectItemCaseSensitive(m->config.tokenizer, "tokenizer_class"));
    if (!has_sentencepiece(m) || (class && strcmp(class, "GPT2Tokenizer") == 0))
        return vocab_bpe(m, out, err);
    struct vocab v = {0};
    LQ_TRY(vocab_from_sentencepiece_phi3(m, &v, out, err));
    LQ_TRY(vocab_write(&v, out, "llama", "default", err));
    return special_tokens_write(m, out, 0, v.n, err);
}

/* The ids that files tell come first, then those by name, then what follows the ids. */
lq_status vocab_glm4(struct model *m, struct catalog *out, lq_error *err)
{
    static const struct {
        const char *kind, *text;
    } named[] = {{"eos", "<|endoftext|>"}, {"eot", "<|user|>"}, {"unk", "<|endoftext|>"},
                 {"bos", "<|endoftext|>"}};
    struct special_id ids[4];
    struct vocab v = {0};
    struct tokenizer_json *json;
    const char *pre;
    LQ_TRY(model_tokenizer_json(m, &json, err));
    for (size_t i = 0; i < 4; i++) {
        const int64_t id = added_token_id(json, named[i].text);
        if (id < 0)
            return lq_fail_at(err, LQ_E_MODEL, "tokenizer.json", -1,
                              "has no added token \"%s\", which the model needs", named[i].text);
        ids[i] = (struct special_id){named[i].kind, (uint32_t)id};
    }
    LQ_TRY(vocab_from_json(m, &v, out, err));
    LQ_TRY(pretokenizer_name(m, &pre, err));
    LQ_TRY(vocab_write(&v, out, "gpt2", pre, err));
    return special_tokens_write_with(m, out, SPECIAL_MERGES, 0, ids, 4, err);
}

/* WordPiece marks the rest of a word with "##"; GGUF marks its beginning, with U+2581. */
static lq_status mark_beginnings(struct vocab *v, struct catalog *out, lq_error *err)
{
    for (uint32_t i = 0; i < v->n; i++) {
        struct bytes *const b = &v->tokens[i];
        if (v->types[i] == TOKEN_CONTROL)
            continue;
        if (b->len >= 2 && b->data[0] == '#' && b->data[1] == '#') {
            b->data += 2;
            b->len -= 2;
            continue;
        }
        const char *const marked = arena_printf(&out->arena, "\xe2\x96\x81%s", b->data);
        if (!marked)
            return lq_fail_memory(err);
        *b = (struct bytes){marked, b->len + 3};
    }
    return LQ_OK;
}

static lq_status token_type_count(struct model *m, struct catalog *out, lq_error *err)
{
    uint64_t types = 1;
    LQ_TRY(config_u64(&m->config, "type_vocab_size", UINT32_MAX, &types, err));
    return catalog_set_uint(out, "tokenizer.ggml.token_type_count", META_U32, types, err);
}

lq_status vocab_bert(struct model *m, struct catalog *out, lq_error *err)
{
    struct vocab v = {0};
    struct tokenizer_json *json;
    const char *pre;
    if (strncmp(m->of->name, "XLM", 3) == 0)
        return vocab_xlm_roberta(m, out, err);
    LQ_TRY(model_tokenizer_json(m, &json, err));
    if (json && strcmp(json->type, "BPE") == 0) {
        LQ_TRY(vocab_bpe(m, out, err));
        return token_type_count(m, out, err);
    }
    LQ_TRY(vocab_from_json(m, &v, out, err));
    LQ_TRY(pretokenizer_name(m, &pre, err));
    LQ_TRY(token_type_count(m, out, err));
    LQ_TRY(vocab_fill_gaps(&v, out, err));
    LQ_TRY(mark_beginnings(&v, out, err));
    LQ_TRY(vocab_write(&v, out, "bert", pre, err));
    return special_tokens_write(m, out, 0, v.n, err);
}

/* Llama's own tokenizer as a tokenizer.json: merges with bytes to fall back to. It becomes a
 * SentencePiece vocabulary without scores. */
static bool is_llama_json(const struct tokenizer_json *t)
{
    const char *const decoder =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(t->decoder, "type"));
    return strcmp(t->type, "BPE") == 0 && t->byte_fallback && decoder &&
           strcmp(decoder, "Sequence") == 0;
}

static bool is_byte_token(const struct bytes *b)
{
    return b->len == 6 && memcmp(b->data, "<0x", 3) == 0 && b->data[5] == '>' &&
           strspn(b->data + 3, "0123456789abcdefABCDEF") == 2;
}

static lq_status vocab_llama_json(struct model *m, struct catalog *out, lq_error *err)
{
    struct vocab v = {0};
    LQ_TRY(vocab_from_json(m, &v, out, err));
    v.scores = arena_calloc(&out->arena, v.n, sizeof *v.scores);
    if (!v.scores)
        return lq_fail_memory(err);
    for (uint32_t i = 0; i < v.n; i++) {
        v.scores[i] = -1000;
        if (v.types[i] == TOKEN_NORMAL && is_byte_token(&v.tokens[i]))
            v.types[i] = TOKEN_BYTE;
    }
    LQ_TRY(vocab_write(&v, out, "llama", "default", err));
    return special_tokens_write(m, out, 0, v.n, err);
}

/* Code Llama's infilling tokens, by the size of its vocabulary. */
static lq_status code_llama(struct catalog *out, lq_error *err)
{
    return catalog_set_uint(out, "tokenizer.ggml.eot_token_id", META_U32, 32010, err);
}

lq_status vocab_llama(struct model *m, struct catalog *out, lq_error *err)
{
    struct tokenizer_json *json;
    LQ_TRY(model_tokenizer_json(m, &json, err));
    if (!json && m->files->exists(m->files, "tekken.json"))
        return vocab_tekken(m, out, err);
    const cJSON *const prefix =
        cJSON_GetObjectItemCaseSensitive(m->config.tokenizer, "add_prefix_space");
    if (cJSON_IsBool(prefix))
        LQ_TRY(catalog_set_bool(out, "tokenizer.ggml.add_space_prefix", cJSON_IsTrue(prefix), err));
    if (has_sentencepiece(m))
        LQ_TRY(vocab_sentencepiece(m, out, err));
    else if (json && is_llama_json(json))
        LQ_TRY(vocab_llama_json(m, out, err));
    else
        LQ_TRY(vocab_bpe(m, out, err));
    if (m->dim[DIM_VOCAB] == 32016)
        LQ_TRY(code_llama(out, err));
    if (m->dim[DIM_VOCAB] == 49152) /* Granite's small models, whose files say otherwise */
        LQ_TRY(catalog_set_bool(out, "tokenizer.ggml.add_bos_token", false, err));
    return LQ_OK;
}
