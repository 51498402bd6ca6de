/* encode_json.c -- encoders as tokenizer.json describes them: the file format of Hugging Face's
 * tokenizers library, whose behaviour is the definition. */
#include "libquant/model/base64.h"
#include "libquant/model/encode_parts.h"
#include "libquant/model/tokenizer_json.h"
#include "libquant/model/unicode.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const cJSON *get(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static const char *string_of(const cJSON *object, const char *name, const char *fallback)
{
    const char *const s = cJSON_GetStringValue(get(object, name));
    return s ? s : fallback;
}

static bool flag_of(const cJSON *object, const char *name, bool fallback)
{
    const cJSON *const v = get(object, name);
    return cJSON_IsBool(v) ? cJSON_IsTrue(v) : fallback;
}

static struct bytes bytes_of(const char *s)
{
    return (struct bytes){s, strlen(s)};
}

static lq_status unsupported(const char *what, const char *name, lq_error *err)
{
    return lq_fail_at(err, LQ_E_UNSUPPORTED, "tokenizer.json", -1,
                      "has the %s \"%.60s\", which is not known here", what, name);
}

/* ---- normalizer ---- */

static lq_status add_norm(struct encoder *e, enum normalizer_kind kind, struct norm_step **step,
                          lq_error *err)
{
    *step = encoder_add_norm(e, kind);
    return *step ? LQ_OK : lq_fail_memory(err);
}

static lq_status norm_sequence(struct encoder *e, const cJSON *n, lq_error *err);

static lq_status norm_form(struct encoder *e, const char *type, lq_error *err)
{
    static const char *const names[] = {"NFC", "NFD", "NFKC", "NFKD"};
    static const enum unicode_form forms[] = {UNICODE_NFC, UNICODE_NFD, UNICODE_NFKC, UNICODE_NFKD};
    struct norm_step *step;
    for (size_t i = 0; i < 4; i++)
        if (strcmp(names[i], type) == 0) {
            LQ_TRY(add_norm(e, NORMALIZE_FORM, &step, err));
            step->form = forms[i];
            return LQ_OK;
        }
    return unsupported("normalizer", type, err);
}

static lq_status norm_replace(struct encoder *e, const cJSON *n, lq_error *err)
{
    struct norm_step *step;
    const cJSON *const pattern = get(n, "pattern");
    const char *const regex = string_of(pattern, "Regex", NULL);
    LQ_TRY(add_norm(e, NORMALIZE_REPLACE, &step, err));
    step->from = bytes_of(string_of(pattern, "String", ""));
    step->to = bytes_of(string_of(n, "content", ""));
    return regex ? regex_compile(&step->regex, regex, strlen(regex), err) : LQ_OK;
}

static lq_status norm_bert(struct encoder *e, const cJSON *n, lq_error *err)
{
    struct norm_step *step;
    LQ_TRY(add_norm(e, NORMALIZE_BERT, &step, err));
    step->clean = flag_of(n, "clean_text", true);
    step->chinese = flag_of(n, "handle_chinese_chars", true);
    step->lower = flag_of(n, "lowercase", true);
    step->accents = flag_of(n, "strip_accents", step->lower);
    return LQ_OK;
}

static lq_status norm_charsmap(struct encoder *e, const cJSON *n, lq_error *err)
{
    struct norm_step *step;
    const char *const text = string_of(n, "precompiled_charsmap", "");
    const size_t len = strlen(text);
    char *const data = arena_calloc(&e->arena, len / 4 * 3 + 4, 1);
    size_t size;
    if (!data)
        return lq_fail_memory(err);
    if (!base64_decode(data, text, len, &size))
        return lq_fail_at(err, LQ_E_FORMAT, "tokenizer.json", -1,
                          "\"precompiled_charsmap\" is no Base64");
    LQ_TRY(add_norm(e, NORMALIZE_CHARSMAP, &step, err));
    return size ? charsmap_open(&step->charsmap, data, size, err) : LQ_OK;
}

static lq_status add_normalizer(struct encoder *e, const cJSON *n, lq_error *err)
{
    static const struct {
        const char *type;
        enum normalizer_kind kind;
    } plain[] = {{"Lowercase", NORMALIZE_LOWER}, {"StripAccents", NORMALIZE_STRIP_ACCENTS},
                 {"Nmt", NORMALIZE_NMT}, {"ByteLevel", NORMALIZE_BYTES}};
    const char *const type = string_of(n, "type", "");
    struct norm_step *step;
    e->byte_level |= strcmp(type, "ByteLevel") == 0;
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (strcmp(plain[i].type, type) == 0)
            return add_norm(e, plain[i].kind, &step, err);
    if (strcmp(type, "Sequence") == 0)
        return norm_sequence(e, n, err);
    if (strcmp(type, "Replace") == 0)
        return norm_replace(e, n, err);
    if (strcmp(type, "BertNormalizer") == 0)
        return norm_bert(e, n, err);
    if (strcmp(type, "Prepend") == 0) {
        LQ_TRY(add_norm(e, NORMALIZE_PREPEND, &step, err));
        step->to = bytes_of(string_of(n, "prepend", ""));
        return LQ_OK;
    }
    if (strcmp(type, "Strip") == 0) {
        LQ_TRY(add_norm(e, NORMALIZE_STRIP, &step, err));
        step->left = flag_of(n, "strip_left", true);
        step->right = flag_of(n, "strip_right", true);
        return LQ_OK;
    }
    if (strcmp(type, "Precompiled") == 0)
        return norm_charsmap(e, n, err);
    return norm_form(e, type, err);
}

static lq_status norm_sequence(struct encoder *e, const cJSON *n, lq_error *err)
{
    const cJSON *part;
    cJSON_ArrayForEach(part, get(n, "normalizers"))
        LQ_TRY(add_normalizer(e, part, err));
    return LQ_OK;
}

/* ---- pre-tokenizer ---- */

static lq_status behaviour_of(const cJSON *step, const char *fallback, enum split_behaviour *b,
                              lq_error *err)
{
    static const char *const names[] = {"Removed", "Isolated", "MergedWithPrevious",
                                        "MergedWithNext", "Contiguous"};
    const char *const name = string_of(step, "behavior", fallback);
    for (unsigned i = 0; i < 5; i++)
        if (strcmp(names[i], name) == 0) {
            *b = (enum split_behaviour)i;
            return LQ_OK;
        }
    return unsupported("behavior", name, err);
}

static lq_status split_by(struct encoder *e, const char *pattern, enum split_behaviour b,
                          lq_error *err)
{
    return encoder_add_split(e, pattern, strlen(pattern), b, false, err);
}

/* A text as a pattern that matches it. */
static lq_status split_at_text(struct encoder *e, const char *text, enum split_behaviour b,
                               bool invert, lq_error *err)
{
    struct text pattern = {0};
    for (size_t i = 0, len = strlen(text), n; i < len; i += n) {
        uint32_t cp;
        n = utf8_decode(text + i, len - i, &cp);
        text_printf(&pattern, "\\x{%x}", cp == UINT32_MAX ? 0xfffdu : cp);
    }
    const lq_status status =
        pattern.failed ? lq_fail_memory(err)
        : pattern.len  ? encoder_add_split(e, pattern.data, pattern.len, b, invert, err)
                       : LQ_OK;
    text_free(&pattern);
    return status;
}

static lq_status pre_split(struct encoder *e, const cJSON *p, lq_error *err)
{
    enum split_behaviour b = SPLIT_REMOVED;
    const cJSON *const pattern = get(p, "pattern");
    const char *const regex = string_of(pattern, "Regex", NULL);
    const bool invert = flag_of(p, "invert", false);
    LQ_TRY(behaviour_of(p, "", &b, err));
    if (!regex)
        return split_at_text(e, string_of(pattern, "String", ""), b, invert, err);
    return encoder_add_split(e, regex, strlen(regex), b, invert, err);
}

static lq_status pre_bytes(struct encoder *e, const cJSON *p, lq_error *err)
{
    if (flag_of(p, "add_prefix_space", true) && !encoder_add_pre(e, PRE_BLANK))
        return lq_fail_memory(err);
    if (flag_of(p, "use_regex", true))
        LQ_TRY(split_by(e, gpt2_pattern, SPLIT_ISOLATED, err));
    e->byte_level = true;
    return encoder_add_pre(e, PRE_BYTES) ? LQ_OK : lq_fail_memory(err);
}

static lq_status pre_metaspace(struct encoder *e, const cJSON *p, lq_error *err)
{
    const bool old = flag_of(p, "add_prefix_space", true);
    const char *const scheme = string_of(p, "prepend_scheme", old ? "always" : "never");
    struct pre_step *const step = encoder_add_pre(e, PRE_METASPACE);
    if (!step)
        return lq_fail_memory(err);
    step->to = bytes_of(string_of(p, "replacement", LOWER_BLOCK));
    step->cut = flag_of(p, "split", true);
    step->scheme = strcmp(scheme, "never") == 0   ? PREPEND_NEVER
                   : strcmp(scheme, "first") == 0 ? PREPEND_FIRST
                                                  : PREPEND_ALWAYS;
    return LQ_OK;
}

#define WORD          "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200c}\\x{200d}"
#define WORD_OR_SIGNS "[" WORD "]+|[^" WORD "\\s]+"

static lq_status add_pre_tokenizer(struct encoder *e, const cJSON *p, lq_error *err)
{
    const char *const type = string_of(p, "type", "");
    enum split_behaviour b = SPLIT_ISOLATED;
    if (strcmp(type, "Sequence") == 0) {
        const cJSON *part;
        cJSON_ArrayForEach(part, get(p, "pretokenizers"))
            LQ_TRY(add_pre_tokenizer(e, part, err));
        return LQ_OK;
    }
    if (strcmp(type, "Split") == 0)
        return pre_split(e, p, err);
    if (strcmp(type, "ByteLevel") == 0)
        return pre_bytes(e, p, err);
    if (strcmp(type, "Metaspace") == 0)
        return pre_metaspace(e, p, err);
    if (strcmp(type, "Digits") == 0)
        return split_by(e, flag_of(p, "individual_digits", false) ? "\\p{N}" : "\\p{N}+",
                        SPLIT_ISOLATED, err);
    if (strcmp(type, "Punctuation") == 0) {
        LQ_TRY(behaviour_of(p, "Isolated", &b, err));
        return split_by(e, PUNCTUATION_SET, b, err);
    }
    if (strcmp(type, "BertPreTokenizer") == 0) {
        LQ_TRY(split_by(e, "\\s", SPLIT_REMOVED, err));
        return split_by(e, PUNCTUATION_SET, SPLIT_ISOLATED, err);
    }
    if (strcmp(type, "WhitespaceSplit") == 0)
        return split_by(e, "\\s", SPLIT_REMOVED, err);
    if (strcmp(type, "Whitespace") == 0)
        return encoder_add_split(e, WORD_OR_SIGNS, strlen(WORD_OR_SIGNS), SPLIT_REMOVED, true, err);
    if (strcmp(type, "CharDelimiterSplit") == 0)
        return split_at_text(e, string_of(p, "delimiter", ""), SPLIT_REMOVED, false, err);
    return unsupported("pre-tokenizer", type, err);
}

/* ---- post-processor ---- */

struct ids {
    uint32_t *id;
    size_t n, cap;
};

static lq_status put_id(struct ids *list, uint32_t id, lq_error *err)
{
    if (!mem_grow((void **)&list->id, &list->cap, list->n, sizeof *list->id))
        return lq_fail_memory(err);
    list->id[list->n++] = id;
    return LQ_OK;
}

/* "special_tokens": {"[CLS]": {"ids": [101]}}. */
static lq_status put_special(struct ids *list, const cJSON *specials, const char *name,
                             lq_error *err)
{
    const cJSON *v;
    cJSON_ArrayForEach(v, get(get(specials, name), "ids"))
    {
        if (!(v->valuedouble >= 0 && v->valuedouble < TOKEN_ID_LIMIT))
            return lq_fail_at(err, LQ_E_FORMAT, "tokenizer.json", -1,
                              "the post-processor has no number of a token for \"%.60s\"", name);
        LQ_TRY(put_id(list, (uint32_t)v->valuedouble, err));
    }
    return LQ_OK;
}

static lq_status post_template(const cJSON *p, struct ids *before, struct ids *after, lq_error *err)
{
    const cJSON *piece;
    bool seen = false;
    cJSON_ArrayForEach(piece, get(p, "single"))
    {
        const char *const name = string_of(get(piece, "SpecialToken"), "id", NULL);
        seen |= get(piece, "Sequence") != NULL;
        if (name)
            LQ_TRY(put_special(seen ? after : before, get(p, "special_tokens"), name, err));
    }
    return LQ_OK;
}

/* ["[SEP]", 102] */
static lq_status put_pair(struct ids *list, const cJSON *pair, lq_error *err)
{
    const cJSON *const v = cJSON_GetArrayItem(pair, 1);
    if (!cJSON_IsNumber(v) || !(v->valuedouble >= 0 && v->valuedouble < TOKEN_ID_LIMIT))
        return lq_fail_at(err, LQ_E_FORMAT, "tokenizer.json", -1,
                          "the post-processor has no number of a token");
    return put_id(list, (uint32_t)v->valuedouble, err);
}

/* Later processors of a sequence put theirs around what the earlier ones made. */
static lq_status add_post(const cJSON *p, struct ids *before, struct ids *after, lq_error *err)
{
    const char *const type = string_of(p, "type", "");
    if (strcmp(type, "Sequence") == 0) {
        const cJSON *part;
        cJSON_ArrayForEach(part, get(p, "processors"))
        {
            struct ids inner = {0};
            lq_status status = add_post(part, &inner, after, err);
            for (size_t i = 0; i < before->n && status == LQ_OK; i++)
                status = put_id(&inner, before->id[i], err);
            free(before->id);
            *before = inner;
            LQ_TRY(status);
        }
        return LQ_OK;
    }
    if (strcmp(type, "TemplateProcessing") == 0)
        return post_template(p, before, after, err);
    if (strcmp(type, "RobertaProcessing") == 0 || strcmp(type, "BertProcessing") == 0) {
        LQ_TRY(put_pair(before, get(p, "cls"), err));
        return put_pair(after, get(p, "sep"), err);
    }
    return strcmp(type, "ByteLevel") == 0 ? LQ_OK : unsupported("post-processor", type, err);
}

static lq_status settle_ids(struct encoder *e, const struct ids *list, uint32_t **id, size_t *n,
                            lq_error *err)
{
    *n = list->n;
    *id = arena_calloc(&e->arena, list->n, sizeof **id);
    if (!*id)
        return lq_fail_memory(err);
    if (list->n)
        memcpy(*id, list->id, list->n * sizeof **id);
    return LQ_OK;
}

static lq_status set_post(struct encoder *e, const cJSON *p, lq_error *err)
{
    struct ids before = {0}, after = {0};
    lq_status status = p ? add_post(p, &before, &after, err) : LQ_OK;
    if (status == LQ_OK)
        status = settle_ids(e, &before, &e->before, &e->n_before, err);
    if (status == LQ_OK)
        status = settle_ids(e, &after, &e->after, &e->n_after, err);
    free(before.id);
    free(after.id);
    return status;
}

/* ---- the model ---- */

static lq_status set_added(struct encoder *e, const struct tokenizer_json *t, lq_error *err)
{
    e->added = arena_calloc(&e->arena, t->n_added, sizeof *e->added);
    e->n_added = t->n_added;
    if (!e->added)
        return lq_fail_memory(err);
    for (uint32_t i = 0; i < t->n_added; i++) {
        const struct added_token *const a = &t->added[i];
        const int64_t in_vocab = token_find(&e->lookup, a->content.data, a->content.len);
        e->added[i] = (struct added_entry){
            .id = in_vocab >= 0 ? (uint32_t)in_vocab : a->id, .content = a->content,
            .special = a->special, .normalized = a->normalized, .single_word = a->single_word,
            .lstrip = a->lstrip, .rstrip = a->rstrip};
    }
    return encoder_index_added(e, err);
}

static uint32_t unk_of(const struct encoder *e, const struct tokenizer_json *t)
{
    const int64_t id = t->unk_token.data ? token_find(&e->lookup, t->unk_token.data, t->unk_token.len)
                                         : -1;
    return id < 0 ? NO_TOKEN : (uint32_t)id;
}

static lq_status set_bpe(struct encoder *e, const struct tokenizer_json *t, lq_error *err)
{
    const struct bpe_options options = {
        .ignore_merges = t->ignore_merges, .byte_fallback = t->byte_fallback,
        .fuse_unk = t->fuse_unk, .last_rank = true, .unk = e->unk,
        .prefix = t->rest_prefix, .suffix = t->word_suffix};
    return encoder_set_bpe(e, t->merges, t->n_merges, &options, err);
}

static lq_status set_unigram(struct encoder *e, const struct tokenizer_json *t, lq_error *err)
{
    double least = INFINITY;
    for (uint32_t i = 0; i < t->n_vocab; i++)
        least = t->library_scores[i] < least ? t->library_scores[i] : least;
    e->unk = t->unk_id >= 0 && t->unk_id < t->n_vocab ? (uint32_t)t->unk_id : NO_TOKEN;
    return encoder_set_unigram(e, t->library_scores, NULL, least - UNIGRAM_PENALTY, e->unk,
                               t->byte_fallback, err);
}

static lq_status set_model(struct encoder *e, const struct tokenizer_json *t, lq_error *err)
{
    const uint32_t most = t->most_chars && t->most_chars < UINT32_MAX ? (uint32_t)t->most_chars : 100;
    const struct bytes rest = t->rest_prefix.data ? t->rest_prefix : bytes_of("##");
    e->unk = unk_of(e, t);
    e->blanks = !e->byte_level;
    if (strcmp(t->type, "BPE") == 0 || (!*t->type && t->n_merges))
        return set_bpe(e, t, err);
    if (t->scores)
        return set_unigram(e, t, err);
    e->blanks = false;
    if (strcmp(t->type, "WordPiece") == 0)
        return encoder_set_wordpiece(e, rest, most, err);
    if (strcmp(t->type, "WordLevel") != 0)
        return unsupported("model", t->type, err);
    encoder_set_wordlevel(e);
    return LQ_OK;
}

lq_status encoder_from_json(struct encoder **out, const struct tokenizer_json *t, lq_error *err)
{
    struct encoder *const e = mem_calloc(1, sizeof *e);
    *out = NULL;
    if (!e)
        return lq_fail_memory(err);
    e->tokens = t->vocab;
    e->n_tokens = t->n_vocab;
    lq_status status = encoder_index(e, false, err);
    if (status == LQ_OK && t->normalizer)
        status = add_normalizer(e, t->normalizer, err);
    if (status == LQ_OK && t->pre_tokenizer)
        status = add_pre_tokenizer(e, t->pre_tokenizer, err);
    if (status == LQ_OK)
        status = set_model(e, t, err);
    if (status == LQ_OK)
        status = set_added(e, t, err);
    if (status == LQ_OK)
        status = set_post(e, t->post_processor, err);
    if (status == LQ_OK)
        *out = e;
    else
        encoder_free(e);
    return status;
}
