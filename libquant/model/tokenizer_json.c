/* tokenizer_json.c -- reads tokenizer.json with the pull parser. */
#include "libquant/model/tokenizer_json.h"

#include "libquant/base/json.h"
#include "libquant/model/model.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A string in the pool, until the pool has stopped growing. */
struct span {
    size_t at, len;
    uint32_t id;
    double score, library_score;
};

struct spans {
    struct span *item;
    size_t n, cap;
};

struct reader {
    struct json j;
    struct tokenizer_json *t;
    struct text pool; /* all strings, each followed by a NUL */
    struct spans vocab, merges;
    bool scored, has_vocab, has_merges, has_model, has_added; /* seen so far */
};

/* Parts that would contradict each other if they came twice. */
static lq_status first_time(struct reader *r, bool *seen)
{
    if (*seen)
        return json_fail(&r->j, "\"%.40s\" appears twice", r->j.token.data);
    *seen = true;
    return LQ_OK;
}

/* Readers of GGUF files end a text where a NUL is. */
static lq_status refuse_nul(struct reader *r)
{
    return memchr(r->j.token.data, '\0', r->j.token.len) ? json_fail(&r->j, "a NUL in a token")
                                                         : LQ_OK;
}

/* Remembers the current token. */
static lq_status keep(struct reader *r, struct spans *list, lq_error *err)
{
    LQ_TRY(refuse_nul(r));
    if (!mem_grow((void **)&list->item, &list->cap, list->n, sizeof *list->item))
        return lq_fail_memory(err);
    list->item[list->n++] = (struct span){.at = r->pool.len, .len = r->j.token.len};
    text_put(&r->pool, r->j.token.data, r->j.token.len);
    text_putc(&r->pool, '\0');
    return r->pool.failed ? lq_fail_memory(err) : LQ_OK;
}

/* A value that is a small document of its own, as a tree. */
static lq_status subtree(struct reader *r, cJSON **out, lq_error *err)
{
    const enum json_event first = json_next(&r->j);
    if (first == JSON_NULL)
        return LQ_OK;
    if (first != JSON_OBJECT)
        return json_fail(&r->j, "an object was expected");
    const uint64_t from = r->j.token_at;
    LQ_TRY(json_skip_rest(&r->j, first));
    const uint64_t to = json_offset(&r->j);
    if (to - from > (uint64_t)16 << 20)
        return json_fail(&r->j, "this part of the tokenizer is too large");
    char *const data = mem_calloc(to - from + 1, 1);
    if (!data)
        return lq_fail_memory(err);
    lq_status status = source_read(r->j.source, data, to - from, from, err);
    if (status == LQ_OK && !(*out = cJSON_ParseWithLength(data, to - from)))
        status = json_fail(&r->j, "cannot be read as JSON");
    free(data);
    return status;
}

/* ---- vocabulary ---- */

static lq_status vocab_object(struct reader *r, lq_error *err)
{
    enum json_event e;
    while ((e = json_next(&r->j)) == JSON_KEY) {
        uint64_t id;
        LQ_TRY(keep(r, &r->vocab, err));
        LQ_TRY(json_u64(&r->j, TOKEN_ID_LIMIT - 1, "the id of a token", &id));
        r->vocab.item[r->vocab.n - 1].id = (uint32_t)id;
    }
    return e == JSON_ERROR ? json_status(&r->j) : LQ_OK;
}

/* A decimal number as the tokenizers library reads it (serde_json): its digits as one whole number, as
 * many as 64 bits hold, times or by a power of ten. That is not always the nearest number, and of two
 * ways to cut a word with equal sums of scores the last bit decides. */
static double library_number(const char *s)
{
    const bool negative = *s == '-';
    uint64_t digits = 0;
    int exponent = 0;
    bool fraction = false, full = false;
    for (s += negative; (*s >= '0' && *s <= '9') || *s == '.'; s++) {
        const uint64_t digit = (uint64_t)(*s - '0');
        if (*s == '.') {
            fraction = true;
            continue;
        }
        full |= digits > (UINT64_MAX - digit) / 10;
        if (!full)
            digits = digits * 10 + digit;
        exponent += full && !fraction ? 1 : !full && fraction ? -1 : 0;
    }
    if (*s == 'e' || *s == 'E')
        exponent += (int)strtol(s + 1, NULL, 10);
    if (abs(exponent) > 308)
        return strtod(s, NULL);
    char power[8];
    snprintf(power, sizeof power, "1e%d", abs(exponent));
    const double p = strtod(power, NULL), v = (double)digits;
    return (negative ? -1 : 1) * (exponent < 0 ? v / p : v * p);
}

/* Unigram: [["token", score], ...], ids by position. */
static lq_status vocab_array(struct reader *r, lq_error *err)
{
    enum json_event e;
    r->scored = true;
    while ((e = json_next(&r->j)) == JSON_ARRAY) {
        LQ_TRY(json_expect(&r->j, JSON_STRING, "a token"));
        LQ_TRY(keep(r, &r->vocab, err));
        LQ_TRY(json_expect(&r->j, JSON_NUMBER, "the score of a token"));
        struct span *const s = &r->vocab.item[r->vocab.n - 1];
        s->score = strtod(r->j.token.data, NULL);
        s->library_score = library_number(r->j.token.data);
        if (r->vocab.n > TOKEN_ID_LIMIT)
            return json_fail(&r->j, "too many tokens");
        s->id = (uint32_t)(r->vocab.n - 1);
        LQ_TRY(json_expect(&r->j, JSON_ARRAY_END, "after the score of a token"));
    }
    if (e == JSON_ERROR)
        return json_status(&r->j);
    return e == JSON_ARRAY_END ? LQ_OK : json_fail(&r->j, "a pair of token and score was expected");
}

static lq_status vocab(struct reader *r, lq_error *err)
{
    switch (json_next(&r->j)) {
    case JSON_OBJECT: return vocab_object(r, err);
    case JSON_ARRAY:  return vocab_array(r, err);
    case JSON_ERROR:  return json_status(&r->j);
    default:          return json_fail(&r->j, "the vocabulary should be an object or an array");
    }
}

/* The part of a pair; blanks inside become U+0120, because a blank separates the two. */
static void put_part(struct text *pool, const struct text *token)
{
    for (size_t i = 0; i < token->len; i++)
        if (token->data[i] == ' ')
            text_puts(pool, "\xc4\xa0");
        else
            text_putc(pool, token->data[i]);
}

static lq_status merge_pair(struct reader *r, lq_error *err)
{
    struct spans *const list = &r->merges;
    if (!mem_grow((void **)&list->item, &list->cap, list->n, sizeof *list->item))
        return lq_fail_memory(err);
    const size_t at = r->pool.len;
    LQ_TRY(json_expect(&r->j, JSON_STRING, "the left part of a merge"));
    LQ_TRY(refuse_nul(r));
    put_part(&r->pool, &r->j.token);
    text_putc(&r->pool, ' ');
    LQ_TRY(json_expect(&r->j, JSON_STRING, "the right part of a merge"));
    LQ_TRY(refuse_nul(r));
    put_part(&r->pool, &r->j.token);
    list->item[list->n++] = (struct span){.at = at, .len = r->pool.len - at};
    text_putc(&r->pool, '\0');
    return json_expect(&r->j, JSON_ARRAY_END, "after the two parts of a merge");
}

static lq_status merges(struct reader *r, lq_error *err)
{
    LQ_TRY(json_expect(&r->j, JSON_ARRAY, "\"merges\""));
    for (;;) {
        switch (json_next(&r->j)) {
        case JSON_STRING:    LQ_TRY(keep(r, &r->merges, err)); break;
        case JSON_ARRAY:     LQ_TRY(merge_pair(r, err)); break;
        case JSON_ARRAY_END: return r->pool.failed ? lq_fail_memory(err) : LQ_OK;
        case JSON_ERROR:     return json_status(&r->j);
        default:             return json_fail(&r->j, "a merge should be a string or a pair");
        }
    }
}

/* The value of the current key, where it is one that counts. */
static lq_status setting(struct reader *r, lq_error *err)
{
    struct tokenizer_json *const t = r->t;
    const struct {
        const char *name;
        struct bytes *text;
        bool *flag;
    } known[] = {
        {"unk_token", &t->unk_token, NULL},
        {"continuing_subword_prefix", &t->rest_prefix, NULL},
        {"end_of_word_suffix", &t->word_suffix, NULL},
        {"byte_fallback", NULL, &t->byte_fallback},
        {"ignore_merges", NULL, &t->ignore_merges},
        {"fuse_unk", NULL, &t->fuse_unk},
    };
    size_t k = 0;
    while (k < sizeof known / sizeof *known && !json_token_is(&r->j, known[k].name))
        k++;
    struct bytes *const text = k < sizeof known / sizeof *known ? known[k].text : NULL;
    bool *const flag = k < sizeof known / sizeof *known ? known[k].flag : NULL;
    const bool type = json_token_is(&r->j, "type"), unk_id = json_token_is(&r->j, "unk_id");
    const bool most = json_token_is(&r->j, "max_input_chars_per_word");
    const enum json_event e = json_next(&r->j);
    const struct text *const token = &r->j.token;
    if (type && e == JSON_STRING && token->len < sizeof t->type)
        memcpy(t->type, token->data, token->len + 1);
    if (text && e == JSON_STRING) {
        *text = (struct bytes){arena_strndup(&t->arena, token->data, token->len), token->len};
        if (!text->data)
            return lq_fail_memory(err);
    }
    if (flag && (e == JSON_TRUE || e == JSON_FALSE)) {
        *flag = e == JSON_TRUE;
        t->has_byte_fallback |= flag == &t->byte_fallback;
    }
    if (unk_id && e == JSON_NUMBER)
        t->unk_id = strtoll(token->data, NULL, 10);
    if (most && e == JSON_NUMBER)
        t->most_chars = strtoull(token->data, NULL, 10);
    return json_skip_rest(&r->j, e);
}

static lq_status model_part(struct reader *r, lq_error *err)
{
    enum json_event e;
    LQ_TRY(json_expect(&r->j, JSON_OBJECT, "\"model\""));
    while ((e = json_next(&r->j)) == JSON_KEY) {
        if (json_token_is(&r->j, "vocab")) {
            LQ_TRY(first_time(r, &r->has_vocab));
            LQ_TRY(vocab(r, err));
            continue;
        }
        if (json_token_is(&r->j, "merges")) {
            LQ_TRY(first_time(r, &r->has_merges));
            LQ_TRY(merges(r, err));
            continue;
        }
        LQ_TRY(setting(r, err));
    }
    return e == JSON_ERROR ? json_status(&r->j) : LQ_OK;
}

/* ---- added tokens ---- */

static lq_status added_token(struct reader *r, struct added_token *a, lq_error *err)
{
    enum json_event e;
    bool has_id = false;
    while ((e = json_next(&r->j)) == JSON_KEY) {
        if (json_token_is(&r->j, "id")) {
            uint64_t id;
            LQ_TRY(json_u64(&r->j, TOKEN_ID_LIMIT - 1, "the id of a token", &id));
            a->id = (uint32_t)id;
            has_id = true;
        } else if (json_token_is(&r->j, "content")) {
            LQ_TRY(json_expect(&r->j, JSON_STRING, "the text of a token"));
            LQ_TRY(refuse_nul(r));
            a->content.data = arena_strndup(&r->t->arena, r->j.token.data, r->j.token.len);
            a->content.len = r->j.token.len;
            if (!a->content.data)
                return lq_fail_memory(err);
        } else {
            bool *const flag = json_token_is(&r->j, "special")       ? &a->special
                               : json_token_is(&r->j, "normalized")  ? &a->normalized
                               : json_token_is(&r->j, "single_word") ? &a->single_word
                               : json_token_is(&r->j, "lstrip")      ? &a->lstrip
                               : json_token_is(&r->j, "rstrip")      ? &a->rstrip
                                                                     : NULL;
            e = json_next(&r->j);
            if (flag)
                *flag = e == JSON_TRUE;
            LQ_TRY(json_skip_rest(&r->j, e));
        }
    }
    if (e == JSON_ERROR)
        return json_status(&r->j);
    return has_id && a->content.data ? LQ_OK
                                     : json_fail(&r->j, "an added token lacks its id or its text");
}

static lq_status added_tokens(struct reader *r, lq_error *err)
{
    struct added_token *list = NULL;
    size_t n = 0, cap = 0;
    lq_status status = json_expect(&r->j, JSON_ARRAY, "\"added_tokens\"");
    enum json_event e = JSON_ERROR;
    while (status == LQ_OK && (e = json_next(&r->j)) == JSON_OBJECT) {
        if (!mem_grow((void **)&list, &cap, n, sizeof *list)) {
            status = lq_fail_memory(err);
            break;
        }
        list[n] = (struct added_token){.normalized = true};
        status = added_token(r, &list[n++], err);
    }
    if (status == LQ_OK && e != JSON_ARRAY_END)
        status = e == JSON_ERROR ? json_status(&r->j) : json_fail(&r->j, "an added token was expected");
    if (status == LQ_OK) {
        r->t->added = arena_calloc(&r->t->arena, n, sizeof *list);
        r->t->n_added = (uint32_t)n;
        if (!r->t->added)
            status = lq_fail_memory(err);
        else if (n)
            memcpy(r->t->added, list, n * sizeof *list);
    }
    free(list);
    return status;
}

/* ---- the document ---- */

static lq_status document(struct reader *r, lq_error *err)
{
    struct tokenizer_json *const t = r->t;
    const struct {
        const char *name;
        cJSON **tree;
    } parts[] = {
        {"normalizer", &t->normalizer},
        {"pre_tokenizer", &t->pre_tokenizer},
        {"post_processor", &t->post_processor},
        {"decoder", &t->decoder},
    };
    enum json_event e;
    LQ_TRY(json_expect(&r->j, JSON_OBJECT, "the tokenizer"));
    while ((e = json_next(&r->j)) == JSON_KEY) {
        if (json_token_is(&r->j, "model")) {
            LQ_TRY(first_time(r, &r->has_model));
            LQ_TRY(model_part(r, err));
            continue;
        }
        if (json_token_is(&r->j, "added_tokens")) {
            LQ_TRY(first_time(r, &r->has_added));
            LQ_TRY(added_tokens(r, err));
            continue;
        }
        size_t i = 0;
        while (i < 4 && !json_token_is(&r->j, parts[i].name))
            i++;
        if (i < 4 && *parts[i].tree)
            return json_fail(&r->j, "\"%s\" appears twice", parts[i].name);
        LQ_TRY(i < 4 ? subtree(r, parts[i].tree, err) : json_skip(&r->j));
    }
    if (e == JSON_ERROR)
        return json_status(&r->j);
    return json_expect(&r->j, JSON_END, "after the tokenizer");
}

static struct bytes placed(const char *pool, const struct span *s)
{
    return (struct bytes){pool + s->at, s->len};
}

/* Gives the strings their final place. */
static lq_status settle(struct reader *r, lq_error *err)
{
    struct tokenizer_json *const t = r->t;
    for (size_t i = 0; i < r->vocab.n; i++)
        if (r->vocab.item[i].id >= t->n_vocab)
            t->n_vocab = r->vocab.item[i].id + 1;
    char *const pool = arena_calloc(&t->arena, r->pool.len + 1, 1);
    t->vocab = arena_calloc(&t->arena, t->n_vocab, sizeof *t->vocab);
    t->merges = arena_calloc(&t->arena, r->merges.n, sizeof *t->merges);
    if (r->scored)
        t->scores = arena_calloc(&t->arena, 2 * (size_t)t->n_vocab, sizeof *t->scores);
    if (!pool || !t->vocab || !t->merges || (r->scored && !t->scores))
        return lq_fail_memory(err);
    t->library_scores = r->scored ? t->scores + t->n_vocab : NULL;
    if (r->pool.len)
        memcpy(pool, r->pool.data, r->pool.len);
    for (size_t i = 0; i < r->vocab.n; i++) {
        const struct span *const s = &r->vocab.item[i];
        if (t->vocab[s->id].data)
            return lq_fail_at(err, LQ_E_FORMAT, r->j.source->name, -1,
                              "two tokens have the id %u", s->id);
        t->vocab[s->id] = placed(pool, s);
        if (r->scored) {
            t->scores[s->id] = s->score;
            t->library_scores[s->id] = s->library_score;
        }
    }
    for (size_t i = 0; i < r->merges.n; i++)
        t->merges[i] = placed(pool, &r->merges.item[i]);
    t->n_tokens = (uint32_t)r->vocab.n;
    t->n_merges = (uint32_t)r->merges.n;
    return LQ_OK;
}

static void finish(struct reader *r)
{
    json_close(&r->j);
    text_free(&r->pool);
    free(r->vocab.item);
    free(r->merges.item);
}

lq_status tokenizer_json_read_vocab(struct tokenizer_json *t, struct source *s, lq_error *err)
{
    struct reader r = {.t = t};
    LQ_TRY(json_open(&r.j, s, 0, s->size, 1 << 20, err));
    lq_status status = json_expect(&r.j, JSON_OBJECT, "the vocabulary");
    if (status == LQ_OK)
        status = vocab_object(&r, err);
    if (status == LQ_OK)
        status = json_expect(&r.j, JSON_END, "after the vocabulary");
    if (status == LQ_OK)
        status = settle(&r, err);
    finish(&r);
    return status;
}

lq_status tokenizer_json_read(struct tokenizer_json **out, struct source *s, lq_error *err)
{
    struct reader r = {0};
    *out = NULL;
    r.t = mem_calloc(1, sizeof *r.t);
    if (!r.t)
        return lq_fail_memory(err);
    r.t->unk_id = -1;
    r.t->file = "tokenizer.json";
    lq_status status = json_open(&r.j, s, 0, s->size, 1 << 20, err);
    if (status == LQ_OK)
        status = document(&r, err);
    if (status == LQ_OK)
        status = settle(&r, err);
    if (status == LQ_OK)
        status = tokenizer_json_check(r.t, s->name, err);
    finish(&r);
    if (status == LQ_OK)
        *out = r.t;
    else
        tokenizer_json_free(r.t);
    return status;
}

void tokenizer_json_free(struct tokenizer_json *t)
{
    if (!t)
        return;
    cJSON_Delete(t->normalizer);
    cJSON_Delete(t->pre_tokenizer);
    cJSON_Delete(t->post_processor);
    cJSON_Delete(t->decoder);
    arena_free(&t->arena);
    free(t);
}

lq_status model_tokenizer_json(struct model *m, struct tokenizer_json **out, lq_error *err)
{
    struct resolver *const files = m->files;
    lq_status status = LQ_OK;
    *out = m->tokenizer;
    if (m->tokenizer || m->no_tokenizer_json)
        return LQ_OK;
    if (files->exists(files, "tokenizer.json")) {
        struct source *s;
        LQ_TRY(files->open(files, "tokenizer.json", &s, err));
        status = tokenizer_json_read(&m->tokenizer, s, err);
        source_close(s);
    } else if (files->exists(files, "vocab.json") && files->exists(files, "merges.txt")) {
        status = tokenizer_bpe_files_read(&m->tokenizer, m, err);
    } else {
        m->no_tokenizer_json = true;
    }
    *out = m->tokenizer;
    return status;
}

int64_t added_token_id(const struct tokenizer_json *t, const char *content)
{
    const size_t len = strlen(content);
    for (uint32_t i = 0; t && i < t->n_added; i++)
        if (t->added[i].content.len == len && memcmp(t->added[i].content.data, content, len) == 0)
            return t->added[i].id;
    return -1;
}
