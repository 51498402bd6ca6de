/* vocab_unigram.c -- Unigram vocabularies (XLM-RoBERTa, BGE-M3, multilingual E5): pieces with scores,
 * and compiled rules of normalisation. */
#include "libquant/model/base64.h"
#include "libquant/model/sentencepiece.h"
#include "libquant/model/tokenizer_json.h"
#include "libquant/model/vocab.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rules {
    bool blank_in_front, join_blanks;
    struct bytes charsmap; /* data NULL: none */
};

/* ---- from SentencePiece ---- */

/* fairseq, where the model comes from, has <s> <pad> </s> <unk> in front of the pieces, which have
 * three of their own there: ids move up by one, and the last row is <mask>'s, or none's. */
static lq_status from_pieces(struct model *m, struct vocab *v, struct catalog *out,
                             const struct sentencepiece *sp, lq_error *err)
{
    static const struct {
        const char *text;
        enum token_type type;
    } first[] = {{"<s>", TOKEN_CONTROL}, {"<pad>", TOKEN_CONTROL}, {"</s>", TOKEN_CONTROL},
                 {"<unk>", TOKEN_UNKNOWN}};
    uint64_t n = 0;
    LQ_TRY(config_u64(&m->config, "vocab_size", TOKEN_ID_LIMIT, &n, err));
    n = n > sp->n_pieces ? n : sp->n_pieces;
    if (n < 4 || sp->model_type != 1)
        return lq_fail_at(err, LQ_E_MODEL, "sentencepiece.bpe.model", -1,
                          "is no Unigram model of at least 4 pieces");
    LQ_TRY(vocab_new(v, out, (uint32_t)n, true, err));
    for (uint32_t i = 0; i < 4; i++)
        LQ_TRY(vocab_set(v, out, i, first[i].text, strlen(first[i].text), 0, first[i].type, err));
    for (uint32_t i = 3; i + 1 < n; i++) {
        char name[24];
        const struct piece *const p = i < sp->n_pieces ? &sp->pieces[i] : NULL;
        snprintf(name, sizeof name, "[PAD%u]", i);
        if (p)
            LQ_TRY(vocab_set(v, out, i + 1, p->text.data, p->text.len, p->score,
                             p->type == PIECE_USER_DEFINED ? TOKEN_NORMAL
                                                           : (enum token_type)p->type,
                             err));
        else
            LQ_TRY(vocab_set(v, out, i + 1, name, strlen(name), -10000, TOKEN_UNUSED, err));
    }
    return LQ_OK;
}

static lq_status read_pieces(struct model *m, struct vocab *v, struct catalog *out,
                             struct rules *rules, lq_error *err)
{
    struct source *s;
    struct sentencepiece sp = {0};
    LQ_TRY(m->files->open(m->files, "sentencepiece.bpe.model", &s, err));
    lq_status status = sentencepiece_read(&sp, s, err);
    source_close(s);
    if (status == LQ_OK)
        status = from_pieces(m, v, out, &sp, err);
    v->file = "sentencepiece.bpe.model";
    rules->blank_in_front = sp.add_dummy_prefix;
    rules->join_blanks = sp.remove_extra_whitespaces;
    if (status == LQ_OK && sp.charsmap.len) {
        rules->charsmap.len = sp.charsmap.len;
        rules->charsmap.data = arena_strndup(&out->arena, sp.charsmap.data, sp.charsmap.len);
        if (!rules->charsmap.data)
            status = lq_fail_memory(err);
    }
    sentencepiece_release(&sp);
    return status;
}

/* ---- from tokenizer.json ---- */

static lq_status decode_base64(struct catalog *out, const char *text, struct bytes *bytes,
                               lq_error *err)
{
    const size_t len = strlen(text);
    char *const data = arena_calloc(&out->arena, len / 4 * 3 + 4, 1);
    if (!data)
        return lq_fail_memory(err);
    bytes->data = data;
    return base64_decode(data, text, len, &bytes->len)
               ? LQ_OK
               : lq_fail_at(err, LQ_E_FORMAT, "tokenizer.json", -1,
                            "\"precompiled_charsmap\" is no Base64");
}

static const cJSON *get(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* The compiled rules, in a normaliser or in one of a sequence. */
static const char *charsmap_of(const cJSON *normalizer)
{
    const cJSON *part;
    const char *found = cJSON_GetStringValue(get(normalizer, "precompiled_charsmap"));
    cJSON_ArrayForEach(part, get(normalizer, "normalizers"))
        if (!found)
            found = charsmap_of(part);
    return found;
}

static bool config_flag(const struct model *m, const char *name, bool fallback)
{
    const cJSON *const v = get(m->config.tokenizer, name);
    return cJSON_IsBool(v) ? cJSON_IsTrue(v) : fallback;
}

/* Whether tokenizer_config.json names the token as one with a role. */
static bool has_role(const struct model *m, const struct bytes *token)
{
    static const char *const roles[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                        "pad_token", "cls_token", "mask_token"};
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        const cJSON *const v = get(m->config.tokenizer, roles[i]);
        const char *const text = cJSON_GetStringValue(cJSON_IsObject(v) ? get(v, "content") : v);
        if (text && strlen(text) == token->len && memcmp(text, token->data, token->len) == 0)
            return true;
    }
    return false;
}

static bool is_added(const struct tokenizer_json *t, uint32_t id)
{
    for (uint32_t i = 0; i < t->n_added; i++)
        if (t->added[i].id == id)
            return true;
    return false;
}

static lq_status from_json(struct model *m, const struct tokenizer_json *t, struct vocab *v,
                           struct catalog *out, struct rules *rules, lq_error *err)
{
    uint64_t n = 0;
    LQ_TRY(config_u64(&m->config, "vocab_size", TOKEN_ID_LIMIT, &n, err));
    LQ_TRY(vocab_new(v, out, (uint32_t)(n > t->n_vocab ? n : t->n_vocab), true, err));
    const char *const unk =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(m->config.tokenizer, "unk_token"));
    int64_t unk_id = unk ? added_token_id(t, unk) : -1;
    if (unk_id < 0)
        unk_id = t->unk_id >= 0 ? t->unk_id : 3;
    for (uint32_t i = 0; i < t->n_vocab; i++) {
        const struct bytes *const b = &t->vocab[i];
        const enum token_type type = i == unk_id         ? TOKEN_UNKNOWN
                                     : has_role(m, b)    ? TOKEN_CONTROL
                                     : is_added(t, i)    ? TOKEN_USER_DEFINED
                                                         : TOKEN_NORMAL;
        LQ_TRY(vocab_set(v, out, i, b->data, b->len, (float)t->scores[i], type, err));
    }
    v->file = t->file;
    rules->blank_in_front = config_flag(m, "add_prefix_space", true);
    rules->join_blanks = config_flag(m, "clean_up_tokenization_spaces", false);
    const char *const charsmap = charsmap_of(t->normalizer);
    return charsmap ? decode_base64(out, charsmap, &rules->charsmap, err) : LQ_OK;
}

lq_status vocab_xlm_roberta(struct model *m, struct catalog *out, lq_error *err)
{
    struct vocab v = {0};
    struct rules rules = {0};
    struct tokenizer_json *json;
    uint64_t types = 1;
    LQ_TRY(model_tokenizer_json(m, &json, err));
    if (m->files->exists(m->files, "sentencepiece.bpe.model"))
        LQ_TRY(read_pieces(m, &v, out, &rules, err));
    else if (json && json->scores)
        LQ_TRY(from_json(m, json, &v, out, &rules, err));
    else
        return lq_fail_at(err, LQ_E_MODEL, m->path, -1,
                          "there is no sentencepiece.bpe.model and no tokenizer.json with a "
                          "Unigram model");
    LQ_TRY(config_u64(&m->config, "type_vocab_size", UINT32_MAX, &types, err));
    LQ_TRY(vocab_write(&v, out, "t5", "default", err));
    LQ_TRY(catalog_set_bool(out, "tokenizer.ggml.add_space_prefix", rules.blank_in_front, err));
    LQ_TRY(catalog_set_uint(out, "tokenizer.ggml.token_type_count", META_U32, types, err));
    LQ_TRY(catalog_set_bool(out, "tokenizer.ggml.remove_extra_whitespaces", rules.join_blanks, err));
    if (rules.charsmap.len)
        LQ_TRY(catalog_set_array(out, "tokenizer.ggml.precompiled_charsmap", META_U8,
                                 rules.charsmap.data, rules.charsmap.len, err));
    return special_tokens_write(m, out, 0, v.n, err);
}
