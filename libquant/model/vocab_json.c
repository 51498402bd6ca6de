/* vocab_json.c -- vocabularies of tokenizer.json, with the special tokens that tokenizer_config.json
 * adds to them, as transformers does when it loads the two. */
#include "libquant/model/tokenizer_json.h"
#include "libquant/model/vocab.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

/* SentencePiece's U+2581 for a blank. */
#define BLANK "\xe2\x96\x81"

struct added {
    const char *text;
    size_t len;
    bool special;
};

struct added_list {
    struct added *item;
    size_t n, cap;
};

static bool same(const struct bytes *b, const char *s, size_t len)
{
    return b->data && b->len == len && memcmp(b->data, s, len) == 0;
}

/* The text of a token as tokenizer_config.json has it: a string, or an object with "content". */
static const char *content_of(const cJSON *v)
{
    return cJSON_GetStringValue(cJSON_IsObject(v) ? cJSON_GetObjectItemCaseSensitive(v, "content")
                                                  : v);
}

static lq_status wish(struct added_list *list, const struct tokenizer_json *t, const cJSON *v,
                      bool special, lq_error *err)
{
    const char *const text = content_of(v);
    if (!text || !*text || added_token_id(t, text) >= 0)
        return LQ_OK;
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->item[i].text, text) == 0)
            return LQ_OK;
    if (!mem_grow((void **)&list->item, &list->cap, list->n, sizeof *list->item))
        return lq_fail_memory(err);
    list->item[list->n++] = (struct added){text, strlen(text), special};
    return LQ_OK;
}

/* Tokens that tokenizer_config.json names and tokenizer.json does not list among the added ones. */
static lq_status wishes(struct added_list *list, const struct model *m,
                        const struct tokenizer_json *t, lq_error *err)
{
    static const char *const named[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                        "pad_token", "cls_token", "mask_token"};
    static const char *const lists[] = {"extra_special_tokens", "additional_special_tokens"};
    const cJSON *const config = m->config.tokenizer, *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(config, "added_tokens_decoder"))
        LQ_TRY(wish(list, t, item,
                    cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "special")), err));
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        LQ_TRY(wish(list, t, cJSON_GetObjectItemCaseSensitive(config, named[i]), true, err));
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(config, lists[i]))
            LQ_TRY(wish(list, t, item, true, err));
    return LQ_OK;
}

/* An added token: special ones are control tokens, others are matched as they are written, where a
 * blank is a blank. */
static lq_status set_added(struct vocab *v, struct catalog *out, uint32_t id, const char *text,
                           size_t len, bool special, lq_error *err)
{
    if (special || token_looks_special(text, len))
        return vocab_set(v, out, id, text, len, 0, TOKEN_CONTROL, err);
    struct text t = {0};
    for (size_t i = 0; i < len;) {
        const bool blank = len - i >= 3 && memcmp(text + i, BLANK, 3) == 0;
        text_put(&t, blank ? " " : text + i, 1);
        i += blank ? 3 : 1;
    }
    const lq_status status =
        t.failed ? lq_fail_memory(err)
                 : vocab_set(v, out, id, len ? t.data : "", t.len, 0, TOKEN_USER_DEFINED, err);
    text_free(&t);
    return status;
}

static lq_status set_wishes(struct model *m, struct vocab *v, struct catalog *out,
                            const struct tokenizer_json *t, const struct added_list *list,
                            lq_error *err)
{
    uint32_t next = t->n_tokens;
    for (uint32_t i = 0; i < t->n_added; i++)
        next = t->added[i].id >= next ? t->added[i].id + 1 : next;
    for (size_t i = 0; i < list->n; i++) {
        const struct added *const a = &list->item[i];
        uint32_t id = 0;
        while (id < t->n_vocab && !same(&t->vocab[id], a->text, a->len))
            id++;
        if (id == t->n_vocab)
            id = next++;
        if (id >= v->n) {
            model_note(m,
                       "tokenizer_config.json names the token \"%.60s\", which no tensor has a row "
                       "for: it is left out",
                       a->text);
            continue;
        }
        LQ_TRY(set_added(v, out, id, a->text, a->len, a->special, err));
    }
    return LQ_OK;
}

static lq_status check_ids(const struct tokenizer_json *t, uint64_t n, lq_error *err)
{
    uint32_t largest = t->n_vocab;
    for (uint32_t i = 0; i < t->n_added; i++)
        largest = t->added[i].id >= largest ? t->added[i].id + 1 : largest;
    if (largest <= n)
        return LQ_OK;
    return lq_fail_at(err, LQ_E_MODEL, t->file, -1,
                      "has a token with the id %u, but \"vocab_size\" is %llu", largest - 1,
                      (unsigned long long)n);
}

lq_status vocab_from_json(struct model *m, struct vocab *v, struct catalog *out, lq_error *err)
{
    struct tokenizer_json *t;
    LQ_TRY(model_tokenizer_json(m, &t, err));
    if (!t)
        return lq_fail_at(err, LQ_E_MODEL, m->path, -1,
                          "there is no tokenizer.model and no tokenizer.json");
    uint64_t n = t->n_tokens;
    LQ_TRY(config_u64(&m->config, "vocab_size", TOKEN_ID_LIMIT, &n, err));
    LQ_TRY(check_ids(t, n, err));
    LQ_TRY(vocab_new(v, out, (uint32_t)n, false, err));
    v->file = t->file;
    for (uint32_t i = 0; i < t->n_vocab; i++)
        if (t->vocab[i].data)
            LQ_TRY(vocab_set(v, out, i, t->vocab[i].data, t->vocab[i].len, 0, TOKEN_NORMAL, err));
    for (uint32_t i = 0; i < t->n_added; i++)
        LQ_TRY(set_added(v, out, t->added[i].id, t->added[i].content.data, t->added[i].content.len,
                         t->added[i].special, err));
    struct added_list list = {0};
    lq_status status = wishes(&list, m, t, err);
    if (status == LQ_OK)
        status = set_wishes(m, v, out, t, &list, err);
    free(list.item);
    return status;
}
