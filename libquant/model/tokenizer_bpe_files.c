/* tokenizer_bpe_files.c -- BPE as two files, vocab.json and merges.txt: the form that came before
 * tokenizer.json. How texts are cut is not in the files; the tokenizer's class tells. */
#include "libquant/base/json.h"
#include "libquant/model/model.h"
#include "libquant/model/tokenizer_json.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

enum { MERGES_LIMIT = 256 << 20 };

/* Pre-tokenizers by class, as in tokenizer.json. */
static const struct {
    const char *class;
    const char *pre_tokenizer;
} classes[] = {
    {"Qwen2Tokenizer",
     "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":"
     "\"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}| "
     "?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+\"},"
     "\"behavior\":\"Isolated\",\"invert\":false},{\"type\":\"ByteLevel\",\"use_regex\":false}]}"},
    {"GPT2Tokenizer", "{\"type\":\"ByteLevel\"}"},
};

static const char *pre_tokenizer_of(const struct model *m)
{
    const char *const class = cJSON_GetStringValue(
        cJSON_GetObjectItemCaseSensitive(m->config.tokenizer, "tokenizer_class"));
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        const size_t len = strlen(classes[i].class);
        if (class && strncmp(class, classes[i].class, len) == 0)
            return classes[i].pre_tokenizer;
    }
    return strncmp(m->arch->name, "qwen", 4) == 0 ? classes[0].pre_tokenizer
                                                  : classes[1].pre_tokenizer;
}

static lq_status read_vocab(struct tokenizer_json *t, struct model *m, lq_error *err)
{
    struct source *s;
    LQ_TRY(m->files->open(m->files, "vocab.json", &s, err));
    const lq_status status = tokenizer_json_read_vocab(t, s, err);
    source_close(s);
    return status;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* The two parts of a line; false where it has another number of them. */
static bool two_parts(const char *line, size_t len, struct bytes part[2])
{
    int n = 0;
    for (size_t i = 0; i < len;) {
        while (i < len && is_blank(line[i]))
            i++;
        const size_t from = i;
        while (i < len && !is_blank(line[i]))
            i++;
        if (i == from)
            break;
        if (n == 2)
            return false;
        part[n++] = (struct bytes){line + from, i - from};
    }
    return n == 2;
}

static lq_status put_merge(struct tokenizer_json *t, size_t *cap, struct bytes **list,
                           const struct bytes part[2], lq_error *err)
{
    if (!mem_grow((void **)list, cap, t->n_merges, sizeof **list))
        return lq_fail_memory(err);
    const size_t len = part[0].len + 1 + part[1].len;
    char *const copy = arena_calloc(&t->arena, len + 1, 1);
    if (!copy)
        return lq_fail_memory(err);
    memcpy(copy, part[0].data, part[0].len);
    copy[part[0].len] = ' ';
    memcpy(copy + part[0].len + 1, part[1].data, part[1].len);
    (*list)[t->n_merges++] = (struct bytes){copy, len};
    return LQ_OK;
}

/* A first line that begins with '#' is a comment, and lines may be empty. `file` is for messages. */
static lq_status parse_merges(struct tokenizer_json *t, const char *file, const char *text,
                              size_t len, lq_error *err)
{
    struct bytes *list = NULL;
    size_t cap = 0;
    lq_status status = LQ_OK;
    for (size_t at = 0, line = 0; at < len && status == LQ_OK; line++) {
        const char *const end = memchr(text + at, '\n', len - at);
        const size_t n = end ? (size_t)(end - text) - at : len - at;
        struct bytes part[2];
        size_t blank = at;
        while (blank < at + n && is_blank(text[blank]))
            blank++;
        if (blank == at + n || (line == 0 && text[at] == '#'))
            ;
        else if (two_parts(text + at, n, part))
            status = put_merge(t, &cap, &list, part, err);
        else
            status = lq_fail_at(err, LQ_E_FORMAT, file, (int64_t)at,
                                "line %zu is no pair of tokens", line + 1);
        at += n + 1;
    }
    if (status == LQ_OK && t->n_merges) {
        t->merges = arena_calloc(&t->arena, t->n_merges, sizeof *list);
        if (t->merges)
            memcpy(t->merges, list, t->n_merges * sizeof *list);
        else
            status = lq_fail_memory(err);
    }
    free(list);
    return status;
}

static lq_status read_merges(struct tokenizer_json *t, struct model *m, lq_error *err)
{
    struct source *s;
    char *text;
    size_t len;
    LQ_TRY(m->files->open(m->files, "merges.txt", &s, err));
    lq_status status = source_read_all(s, MERGES_LIMIT, &text, &len, err);
    if (status == LQ_OK) {
        const char *const nul = memchr(text, '\0', len);
        const size_t bad = utf8_check(text, len);
        if (nul)
            status = lq_fail_at(err, LQ_E_FORMAT, s->name, nul - text, "a NUL in the text");
        else if (bad != len)
            status = lq_fail_at(err, LQ_E_FORMAT, s->name, (int64_t)bad, "is not valid UTF-8");
        else
            status = parse_merges(t, s->name, text, len, err);
        free(text);
    }
    if (status == LQ_OK)
        status = tokenizer_json_check(t, s->name, err);
    source_close(s);
    return status;
}

/* The end of a text is a special token of every such tokenizer, said or not. */
static lq_status add_end_of_text(struct tokenizer_json *t, lq_error *err)
{
    static const char text[] = "<|endoftext|>";
    for (uint32_t id = 0; id < t->n_vocab; id++) {
        const struct bytes *const b = &t->vocab[id];
        if (!b->data || b->len != strlen(text) || memcmp(b->data, text, b->len) != 0)
            continue;
        t->added = arena_calloc(&t->arena, 1, sizeof *t->added);
        if (!t->added)
            return lq_fail_memory(err);
        t->added[0] = (struct added_token){.id = id, .content = *b, .special = true};
        t->n_added = 1;
    }
    return LQ_OK;
}

lq_status tokenizer_bpe_files_read(struct tokenizer_json **out, struct model *m, lq_error *err)
{
    struct tokenizer_json *const t = mem_calloc(1, sizeof *t);
    *out = NULL;
    if (!t)
        return lq_fail_memory(err);
    strcpy(t->type, "BPE");
    t->separate_files = true;
    t->file = "vocab.json";
    t->unk_id = -1;
    t->pre_tokenizer = cJSON_Parse(pre_tokenizer_of(m));
    lq_status status = t->pre_tokenizer ? read_vocab(t, m, err) : lq_fail_memory(err);
    if (status == LQ_OK)
        status = read_merges(t, m, err);
    if (status == LQ_OK)
        status = add_end_of_text(t, err);
    if (status == LQ_OK)
        *out = t;
    else
        tokenizer_json_free(t);
    return status;
}
