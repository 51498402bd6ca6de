/* vocab_spm.c -- SentencePiece vocabularies. */
#include "libquant/model/sentencepiece.h"
#include "libquant/model/tokenizer_json.h"
#include "libquant/model/vocab.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

/* SentencePiece's U+2581 for a blank. */
#define BLANK "\xe2\x96\x81"

static enum token_type type_of(const struct piece *p)
{
    /* User-defined pieces count as normal ones here: that is what files in circulation have. */
    return p->type == PIECE_USER_DEFINED ? TOKEN_NORMAL : (enum token_type)p->type;
}

static lq_status set_pieces(struct vocab *v, struct catalog *out, const struct sentencepiece *sp,
                            lq_error *err)
{
    v->file = "tokenizer.model";
    if (sp->n_pieces > v->n)
        return lq_fail_at(err, LQ_E_MODEL, v->file, -1, "has %u tokens, but \"vocab_size\" is %u",
                          sp->n_pieces, v->n);
    for (uint32_t i = 0; i < sp->n_pieces; i++) {
        const struct piece *const p = &sp->pieces[i];
        LQ_TRY(vocab_set(v, out, i, p->text.data, p->text.len, p->score, type_of(p), err));
    }
    return LQ_OK;
}

/* added_tokens.json: {"text": id}. */
static lq_status set_added_file(struct model *m, struct vocab *v, struct catalog *out,
                                lq_error *err)
{
    cJSON *added;
    LQ_TRY(config_document(&added, m->files, "added_tokens.json", err));
    lq_status status = LQ_OK;
    const cJSON *item;
    cJSON_ArrayForEach(item, added)
    {
        const double id = cJSON_IsNumber(item) ? item->valuedouble : -1;
        if (status != LQ_OK || !(id >= 0 && id < v->n))
            continue;
        status = vocab_set(v, out, (uint32_t)id, item->string, strlen(item->string), -1000,
                           TOKEN_USER_DEFINED, err);
    }
    cJSON_Delete(added);
    return status;
}

static void put_with_blanks(struct text *t, const char *s)
{
    for (const char *at; (at = strstr(s, BLANK)); s = at + 3) {
        text_put(t, s, (size_t)(at - s));
        text_putc(t, ' ');
    }
    text_puts(t, s);
}

static lq_status set_decoder_entry(struct vocab *v, struct catalog *out, const cJSON *item,
                                   lq_error *err)
{
    uint64_t id;
    const char *const content =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "content"));
    if (!content || !text_parse_u64(item->string, v->n - 1, &id))
        return LQ_OK;
    const size_t len = strlen(content);
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "special")) ||
        token_looks_special(content, len))
        return vocab_set(v, out, (uint32_t)id, content, len, -1000, TOKEN_CONTROL, err);
    struct text blanks = {0};
    put_with_blanks(&blanks, content);
    const lq_status status =
        blanks.failed ? lq_fail_memory(err)
                      : vocab_set(v, out, (uint32_t)id, len ? blanks.data : "", blanks.len, -1000,
                                  TOKEN_USER_DEFINED, err);
    text_free(&blanks);
    return status;
}

/* tokenizer_config.json: {"added_tokens_decoder": {"id": {"content": ..., "special": ...}}}. */
static lq_status set_decoder(struct model *m, struct vocab *v, struct catalog *out, lq_error *err)
{
    const cJSON *const decoder =
        cJSON_GetObjectItemCaseSensitive(m->config.tokenizer, "added_tokens_decoder");
    const cJSON *item;
    cJSON_ArrayForEach(item, decoder)
        LQ_TRY(set_decoder_entry(v, out, item, err));
    return LQ_OK;
}

/* Phi 3 takes the texts of added tokens as they are, also those of tokenizer.json. */
static lq_status set_added_phi3(struct model *m, struct vocab *v, struct catalog *out,
                                lq_error *err)
{
    struct tokenizer_json *json;
    const cJSON *const decoder =
        cJSON_GetObjectItemCaseSensitive(m->config.tokenizer, "added_tokens_decoder");
    const cJSON *item;
    LQ_TRY(model_tokenizer_json(m, &json, err));
    cJSON_ArrayForEach(item, decoder)
    {
        uint64_t id;
        const char *const text =
            cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "content"));
        const bool special = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "special"));
        if (text && text_parse_u64(item->string, v->n - 1, &id))
            LQ_TRY(vocab_set(v, out, (uint32_t)id, text, strlen(text), -1000,
                             special ? TOKEN_CONTROL : TOKEN_USER_DEFINED, err));
    }
    for (uint32_t i = 0; json && i < json->n_added; i++) {
        const struct added_token *const a = &json->added[i];
        if (a->id < v->n)
            LQ_TRY(vocab_set(v, out, a->id, a->content.data, a->content.len, -1000,
                             a->special ? TOKEN_CONTROL : TOKEN_USER_DEFINED, err));
    }
    return LQ_OK;
}

static lq_status from_sentencepiece(struct model *m, struct vocab *v, struct catalog *out,
                                    bool phi3, lq_error *err)
{
    struct source *s;
    struct sentencepiece sp = {0};
    if (!m->files->exists(m->files, "tokenizer.model"))
        return lq_fail_at(err, LQ_E_MODEL, m->path, -1,
                          "there is no tokenizer.model, which this kind of model needs");
    LQ_TRY(m->files->open(m->files, "tokenizer.model", &s, err));
    lq_status status = sentencepiece_read(&sp, s, err);
    source_close(s);
    uint64_t n = sp.n_pieces;
    if (status == LQ_OK)
        status = config_u64(&m->config, "vocab_size_per_layer_input vocab_size", TOKEN_ID_LIMIT, &n,
                            err);
    if (status == LQ_OK && !n)
        status = lq_fail_at(err, LQ_E_MODEL, "config.json", -1, "\"vocab_size\" is 0");
    if (status == LQ_OK)
        status = vocab_new(v, out, (uint32_t)n, true, err);
    if (status == LQ_OK)
        status = set_pieces(v, out, &sp, err);
    if (status == LQ_OK)
        status = set_added_file(m, v, out, err);
    if (status == LQ_OK)
        status = phi3 ? set_added_phi3(m, v, out, err) : set_decoder(m, v, out, err);
    sentencepiece_release(&sp);
    return status;
}

lq_status vocab_from_sentencepiece(struct model *m, struct vocab *v, struct catalog *out,
                                   lq_error *err)
{
    return from_sentencepiece(m, v, out, false, err);
}

lq_status vocab_from_sentencepiece_phi3(struct model *m, struct vocab *v, struct catalog *out,
                                        lq_error *err)
{
    return from_sentencepiece(m, v, out, true, err);
}
