/* vocab_tekken.c -- tekken.json: byte-level BPE as Mistral publishes it. Ranks stand for merges, bytes
 * for texts, and the special tokens come first. */
#include "libquant/base/json.h"
#include "libquant/model/base64.h"
#include "libquant/model/tokenizer_json.h"
#include "libquant/model/vocab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first 256 ranks are the single bytes. */
enum { BYTES = 256, VERSION_SIZE = 16 };

struct tekken {
    struct json j;
    struct arena arena;
    struct bytes *token; /* by rank */
    size_t n, cap;
    struct bytes *special; /* by rank */
    size_t n_special, cap_special;
    uint64_t vocab_size, special_count; /* what config promises */
    char version[VERSION_SIZE];
    uint32_t *sorted; /* ranks, by bytes */
};

/* ---- reading ---- */

static lq_status read_config(struct tekken *t)
{
    enum json_event e;
    LQ_TRY(json_expect(&t->j, JSON_OBJECT, "\"config\""));
    while ((e = json_next(&t->j)) == JSON_KEY) {
        uint64_t *const number = json_token_is(&t->j, "default_vocab_size") ? &t->vocab_size
                                 : json_token_is(&t->j, "default_num_special_tokens")
                                     ? &t->special_count
                                     : NULL;
        const bool version = json_token_is(&t->j, "version");
        if (number) {
            LQ_TRY(json_u64(&t->j, TOKEN_ID_LIMIT, "a number of tokens", number));
            continue;
        }
        e = json_next(&t->j);
        if (version && e == JSON_STRING)
            snprintf(t->version, sizeof t->version, "%.15s", t->j.token.data);
        LQ_TRY(json_skip_rest(&t->j, e));
    }
    return e == JSON_ERROR ? json_status(&t->j) : LQ_OK;
}

/* The bytes of the current string token, in Base64 or as they are. */
static lq_status take_bytes(struct tekken *t, bool encoded, struct bytes *out, lq_error *err)
{
    const struct text *const token = &t->j.token;
    if (!encoded && memchr(token->data, '\0', token->len))
        return json_fail(&t->j, "a NUL in a token");
    char *const data = arena_calloc(&t->arena, token->len + 4, 1);
    if (!data)
        return lq_fail_memory(err);
    out->data = data;
    out->len = token->len;
    if (!encoded)
        memcpy(data, token->data, token->len);
    else if (!base64_decode(data, token->data, token->len, &out->len) || !out->len)
        return json_fail(&t->j, "the bytes of a token are no Base64");
    data[out->len] = '\0';
    return LQ_OK;
}

/* {"rank": N, "token_bytes": BASE64} or {"rank": N, "token_str": TEXT}; entries come in order. */
static lq_status read_entry(struct tekken *t, const char *key, bool encoded, size_t rank,
                            struct bytes *out, lq_error *err)
{
    enum json_event e;
    while ((e = json_next(&t->j)) == JSON_KEY) {
        if (json_token_is(&t->j, "rank")) {
            uint64_t given;
            LQ_TRY(json_u64(&t->j, TOKEN_ID_LIMIT, "the rank of a token", &given));
            if (given != rank)
                return json_fail(&t->j, "the rank %zu was expected", rank);
        } else if (json_token_is(&t->j, key)) {
            LQ_TRY(json_expect(&t->j, JSON_STRING, key));
            LQ_TRY(take_bytes(t, encoded, out, err));
        } else {
            LQ_TRY(json_skip(&t->j));
        }
    }
    if (e == JSON_ERROR)
        return json_status(&t->j);
    return out->data ? LQ_OK : json_fail(&t->j, "a token lacks its \"%s\"", key);
}

static lq_status read_list(struct tekken *t, const char *key, bool encoded, struct bytes **list,
                           size_t *n, size_t *cap, lq_error *err)
{
    enum json_event e;
    LQ_TRY(json_expect(&t->j, JSON_ARRAY, "a list of tokens"));
    while ((e = json_next(&t->j)) == JSON_OBJECT) {
        if (*n == TOKEN_ID_LIMIT || !mem_grow((void **)list, cap, *n, sizeof **list))
            return lq_fail_memory(err);
        (*list)[*n] = (struct bytes){NULL, 0};
        LQ_TRY(read_entry(t, key, encoded, *n, &(*list)[*n], err));
        (*n)++;
    }
    if (e == JSON_ERROR)
        return json_status(&t->j);
    return e == JSON_ARRAY_END ? LQ_OK : json_fail(&t->j, "a token was expected");
}

static lq_status read_document(struct tekken *t, lq_error *err)
{
    enum json_event e;
    LQ_TRY(json_expect(&t->j, JSON_OBJECT, "the tokenizer"));
    while ((e = json_next(&t->j)) == JSON_KEY) {
        if (json_token_is(&t->j, "config")) {
            LQ_TRY(read_config(t));
        } else if (json_token_is(&t->j, "vocab") && !t->n) {
            LQ_TRY(read_list(t, "token_bytes", true, &t->token, &t->n, &t->cap, err));
        } else if (json_token_is(&t->j, "special_tokens") && !t->n_special) {
            LQ_TRY(read_list(t, "token_str", false, &t->special, &t->n_special, &t->cap_special,
                             err));
        } else {
            LQ_TRY(json_skip(&t->j));
        }
    }
    if (e == JSON_ERROR)
        return json_status(&t->j);
    return json_expect(&t->j, JSON_END, "after the tokenizer");
}

static lq_status check(const struct tekken *t, const char *file, lq_error *err)
{
    const uint64_t inner = t->vocab_size - t->special_count;
    if (!t->n_special)
        return lq_fail_at(err, LQ_E_UNSUPPORTED, file, -1,
                          "names no special tokens: it is of a version before these were written");
    if (t->special_count > t->vocab_size || t->n_special > t->special_count || inner > t->n ||
        inner < BYTES)
        return lq_fail_at(err, LQ_E_MODEL, file, -1,
                          "promises %llu tokens, %llu of them special, but lists %zu and %zu",
                          (unsigned long long)t->vocab_size, (unsigned long long)t->special_count,
                          t->n, t->n_special);
    for (size_t i = 0; i < BYTES; i++)
        if (t->token[i].len != 1)
            return lq_fail_at(err, LQ_E_MODEL, file, -1,
                              "the first 256 tokens should be the single bytes");
    return LQ_OK;
}

/* ---- merges ---- */

static int compare(const struct bytes *a, const struct bytes *b)
{
    const int c = memcmp(a->data, b->data, a->len < b->len ? a->len : b->len);
    return c ? c : (a->len > b->len) - (a->len < b->len);
}

static int by_bytes(const void *a, const void *b, void *tokens)
{
    const struct bytes *const t = tokens;
    return compare(&t[*(const uint32_t *)a], &t[*(const uint32_t *)b]);
}

static lq_status sort_ranks(struct tekken *t, lq_error *err)
{
    t->sorted = mem_calloc(t->n, sizeof *t->sorted);
    if (!t->sorted)
        return lq_fail_memory(err);
    for (size_t i = 0; i < t->n; i++)
        t->sorted[i] = (uint32_t)i;
    qsort_r(t->sorted, t->n, sizeof *t->sorted, by_bytes, t->token);
    return LQ_OK;
}

/* The rank of these bytes, or -1. */
static int64_t rank_of(const struct tekken *t, const char *data, size_t len)
{
    const struct bytes wanted = {data, len};
    size_t low = 0, high = t->n;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        const int c = compare(&t->token[t->sorted[mid]], &wanted);
        if (c == 0)
            return t->sorted[mid];
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return -1;
}

/* Bytes as the characters that byte-level BPE writes for them (GPT-2's table). */
static void put_bytes(struct text *out, const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const unsigned char c = (unsigned char)data[i];
        const bool shown = (c >= '!' && c <= '~') || (c >= 0xa1 && c != 0xad);
        unsigned code = c;
        char utf8[4];
        if (!shown) /* the others follow from U+0100 on, in their order */
            code = c <= ' ' ? 0x100u + c : c < 0xa1 ? 0x100u + 33 + (c - 0x7f) : 0x143;
        text_put(out, utf8, utf8_encode(utf8, code));
    }
}

struct merge {
    uint32_t left, right;
};

static int by_ranks(const void *a, const void *b)
{
    const struct merge *const x = a, *const y = b;
    if (x->left != y->left)
        return x->left < y->left ? -1 : 1;
    return (x->right > y->right) - (x->right < y->right);
}

/* Every way to make the token of two others, the earlier ones first. */
static lq_status put_merges(const struct tekken *t, size_t rank, struct merge *ways,
                            struct text *pool, size_t *n, const char *file, lq_error *err)
{
    const struct bytes *const b = &t->token[rank];
    size_t found = 0;
    for (size_t at = 1; at < b->len; at++) {
        const int64_t left = rank_of(t, b->data, at);
        const int64_t right = left < 0 ? -1 : rank_of(t, b->data + at, b->len - at);
        if (right >= 0)
            ways[found++] = (struct merge){(uint32_t)left, (uint32_t)right};
    }
    if (!found)
        return lq_fail_at(err, LQ_E_MODEL, file, -1,
                          "the token of rank %zu cannot be made of others", rank);
    qsort(ways, found, sizeof *ways, by_ranks);
    for (size_t i = 0; i < found; i++) {
        put_bytes(pool, t->token[ways[i].left].data, t->token[ways[i].left].len);
        text_putc(pool, ' ');
        put_bytes(pool, t->token[ways[i].right].data, t->token[ways[i].right].len);
        text_putc(pool, '\0');
    }
    *n += found;
    return LQ_OK;
}

/* Texts with a NUL behind each, as an array in the output's arena. */
static lq_status write_texts(struct catalog *out, const char *key, const struct text *pool,
                             size_t n, lq_error *err)
{
    char *at = arena_calloc(&out->arena, pool->len + 1, 1);
    struct bytes *const list = arena_calloc(&out->arena, n, sizeof *list);
    if (!at || !list || pool->failed)
        return lq_fail_memory(err);
    if (pool->len)
        memcpy(at, pool->data, pool->len);
    for (size_t i = 0; i < n; i++, at += list[i - 1].len + 1)
        list[i] = (struct bytes){at, strlen(at)};
    return catalog_set_array(out, key, META_STRING, list, n, err);
}

static lq_status write_merges(struct tekken *t, struct catalog *out, const char *file,
                              lq_error *err)
{
    struct text pool = {0};
    size_t n = 0, longest = 0;
    const size_t inner = (size_t)(t->vocab_size - t->special_count);
    t->n = inner; /* what is beyond is never used */
    LQ_TRY(sort_ranks(t, err));
    for (size_t i = 0; i < inner; i++)
        longest = t->token[i].len > longest ? t->token[i].len : longest;
    struct merge *const ways = mem_calloc(longest, sizeof *ways);
    lq_status status = ways ? LQ_OK : lq_fail_memory(err);
    for (size_t i = BYTES; i < inner && status == LQ_OK; i++)
        status = put_merges(t, i, ways, &pool, &n, file, err);
    if (status == LQ_OK)
        status = write_texts(out, "tokenizer.ggml.merges", &pool, n, err);
    free(ways);
    text_free(&pool);
    return status;
}

/* ---- writing ---- */

static lq_status write_id(const struct tekken *t, struct catalog *out, const char *key,
                          const char *token, const char *instead, lq_error *err)
{
    for (const char *name = token; name; name = name == token ? instead : NULL)
        for (size_t i = 0; i < t->n_special; i++)
            if (strcmp(t->special[i].data, name) == 0)
                return catalog_set_uint(out, key, META_U32, i, err);
    return LQ_OK;
}

static lq_status fill_vocab(const struct tekken *t, struct vocab *v, struct catalog *out,
                            lq_error *err)
{
    const uint32_t special = (uint32_t)t->special_count;
    struct text shown = {0};
    lq_status status = vocab_new(v, out, (uint32_t)t->vocab_size, false, err);
    for (uint32_t i = 0; i < special && status == LQ_OK; i++) {
        char name[32];
        snprintf(name, sizeof name, "<SPECIAL_%u>", i);
        const char *const text = i < t->n_special ? t->special[i].data : name;
        status = vocab_set(v, out, i, text, strlen(text), 0, TOKEN_CONTROL, err);
    }
    for (uint32_t i = 0; i < t->n && status == LQ_OK; i++) {
        shown.len = 0;
        put_bytes(&shown, t->token[i].data, t->token[i].len);
        status = shown.failed ? lq_fail_memory(err)
                              : vocab_set(v, out, special + i, shown.data, shown.len, 0,
                                          TOKEN_NORMAL, err);
    }
    text_free(&shown);
    return status;
}

/* There are none; llama.cpp's converter writes a list of whole zeros behind the tokens. */
static lq_status write_scores(const struct vocab *v, struct catalog *out, lq_error *err)
{
    int32_t *const zeros = arena_calloc(&out->arena, v->n, sizeof *zeros);
    if (!zeros)
        return lq_fail_memory(err);
    LQ_TRY(catalog_set_array(out, "tokenizer.ggml.tokens", META_STRING, v->tokens, v->n, err));
    return catalog_set_array(out, "tokenizer.ggml.scores", META_I32, zeros, v->n, err);
}

/* The names by which llama.cpp knows the templates of earlier versions. */
static lq_status write_template(struct model *m, const struct tekken *t, struct catalog *out,
                                lq_error *err)
{
    static const char *const known[][2] = {{"v3", "mistral-v3-tekken"},
                                           {"v7", "mistral-v7-tekken"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(t->version, known[i][0]) == 0)
            return catalog_set_string(out, "tokenizer.chat_template", known[i][1],
                                      strlen(known[i][1]), err);
    model_note(m, "the chat template that goes with tekken.json of version \"%s\" is not known here: "
                  "the file has none", t->version);
    return LQ_OK;
}

static lq_status write_all(struct model *m, struct tekken *t, struct catalog *out, const char *file,
                           lq_error *err)
{
    struct vocab v = {.file = "tekken.json"};
    if (m->dim[DIM_VOCAB] && t->vocab_size != m->dim[DIM_VOCAB])
        return lq_fail_at(err, LQ_E_MODEL, file, -1, "has %llu tokens, but \"vocab_size\" is %llu",
                          (unsigned long long)t->vocab_size,
                          (unsigned long long)m->dim[DIM_VOCAB]);
    LQ_TRY(catalog_set_string(out, "tokenizer.ggml.model", "gpt2", 4, err));
    LQ_TRY(catalog_set_string(out, "tokenizer.ggml.pre", "tekken", 6, err));
    LQ_TRY(write_merges(t, out, file, err));
    LQ_TRY(write_id(t, out, "tokenizer.ggml.bos_token_id", "<s>", NULL, err));
    LQ_TRY(write_id(t, out, "tokenizer.ggml.eos_token_id", "</s>", NULL, err));
    LQ_TRY(write_id(t, out, "tokenizer.ggml.unknown_token_id", "<unk>", NULL, err));
    LQ_TRY(write_id(t, out, "tokenizer.ggml.padding_token_id", "<pad>", "</s>", err));
    LQ_TRY(fill_vocab(t, &v, out, err));
    LQ_TRY(write_scores(&v, out, err));
    LQ_TRY(vocab_write(&v, out, "gpt2", "tekken", err));
    LQ_TRY(catalog_set_bool(out, "tokenizer.ggml.add_bos_token", true, err));
    LQ_TRY(catalog_set_bool(out, "tokenizer.ggml.add_eos_token", false, err));
    return write_template(m, t, out, err);
}

lq_status vocab_tekken(struct model *m, struct catalog *out, lq_error *err)
{
    struct tekken t = {0};
    struct source *s;
    LQ_TRY(m->files->open(m->files, "tekken.json", &s, err));
    lq_status status = json_open(&t.j, s, 0, s->size, 1 << 20, err);
    if (status == LQ_OK)
        status = read_document(&t, err);
    if (status == LQ_OK)
        status = check(&t, s->name, err);
    if (status == LQ_OK)
        status = write_all(m, &t, out, s->name, err);
    json_close(&t.j);
    source_close(s);
    free(t.token);
    free(t.special);
    free(t.sorted);
    arena_free(&t.arena);
    return status;
}
