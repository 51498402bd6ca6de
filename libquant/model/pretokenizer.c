/* pretokenizer.c -- names the way in which a tokenizer cuts texts into words.
 *
 * As llama.cpp's converter does, by what becomes of one fixed text: that tells apart what cuts alike. The
 * tokens of vocabularies that it has never seen say nothing; for those the definition counts, whose
 * steps are written one a line:
 *   bytes              ByteLevel with GPT-2's pattern      digits / digits together
 *   split BEHAVIOUR PATTERN        (also "split-inverted")  punctuation BEHAVIOUR
 *   anything else by its own name, in lower case
 * ByteLevel without its pattern cuts nothing and is not written.
 */
#include "libquant/base/hash.h"
#include "libquant/base/text.h"
#include "libquant/model/encode.h"
#include "libquant/model/tokenizer_json.h"
#include "libquant/model/vocab.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <string.h>

static const struct {
    const char *name, *arch;
    int ignore_merges;
    const char *steps;
} known[] = {
#define PRE(name, arch, ignore_merges, steps) {name, arch, ignore_merges, steps},
#include "libquant/model/pretokenizers.def"
#undef PRE
};

static const cJSON *get(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static void put_lower(struct text *t, const char *s)
{
    for (; s && *s; s++)
        text_putc(t, ascii_lower(*s));
}

static void line(struct text *t)
{
    if (t->len)
        text_putc(t, '\n');
}

static void put_split(struct text *t, const cJSON *step)
{
    const cJSON *const pattern = get(step, "pattern");
    const char *const regex = cJSON_GetStringValue(get(pattern, "Regex"));
    const char *const string = cJSON_GetStringValue(get(pattern, "String"));
    line(t);
    text_puts(t, cJSON_IsTrue(get(step, "invert")) ? "split-inverted " : "split ");
    put_lower(t, cJSON_GetStringValue(get(step, "behavior")));
    text_puts(t, regex ? " " : " string ");
    text_puts(t, regex ? regex : string ? string : "");
}

static void put_step(struct text *t, const cJSON *step)
{
    const char *const type = cJSON_GetStringValue(get(step, "type"));
    if (!type)
        return;
    if (strcmp(type, "Sequence") == 0) {
        const cJSON *part;
        cJSON_ArrayForEach(part, get(step, "pretokenizers"))
            put_step(t, part);
    } else if (strcmp(type, "Split") == 0) {
        put_split(t, step);
    } else if (strcmp(type, "ByteLevel") == 0) {
        if (!cJSON_IsFalse(get(step, "use_regex"))) {
            line(t);
            text_puts(t, "bytes");
        }
    } else {
        line(t);
        put_lower(t, type);
        if (strcmp(type, "Digits") == 0 && !cJSON_IsTrue(get(step, "individual_digits")))
            text_puts(t, " together");
        if (strcmp(type, "Punctuation") == 0) {
            text_putc(t, ' ');
            put_lower(t, cJSON_GetStringValue(get(step, "behavior")));
        }
    }
}

/* ---- by its definition ---- */

/* A row for the architecture goes before one for all. */
static const char *find(const char *steps, const char *arch, bool ignore_merges)
{
    const char *name = NULL;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].steps, steps) != 0 ||
            (known[i].ignore_merges >= 0 && known[i].ignore_merges != ignore_merges))
            continue;
        if (strcmp(known[i].arch, arch) == 0)
            return known[i].name;
        if (!name && !*known[i].arch)
            name = known[i].name;
    }
    return name;
}

/* ---- by what becomes of a text ---- */

#define HASH(digest, name)
#define CHECK_TEXT(text) static const char check_text[] = text;
#include "libquant/model/pretokenizer_hashes.def"
#undef CHECK_TEXT
#undef HASH

static const struct {
    const char *digest, *name;
} hashes[] = {
#define CHECK_TEXT(text)
#define HASH(digest, name) {digest, name},
#include "libquant/model/pretokenizer_hashes.def"
#undef HASH
#undef CHECK_TEXT
};

lq_status pretokenizer_of_tokens(const uint32_t *id, size_t n, const char **name, lq_error *err)
{
    struct text list = {0};
    uint8_t digest[32];
    char hex[65];
    *name = NULL;
    text_putc(&list, '[');
    for (size_t i = 0; i < n; i++)
        text_printf(&list, "%s%" PRIu32, i ? ", " : "", id[i]);
    text_putc(&list, ']');
    const lq_status status =
        list.failed ? lq_fail_memory(err) : sha256_of(list.data, list.len, digest, err);
    text_free(&list);
    LQ_TRY(status);
    hex_of(hex, digest, sizeof digest);
    for (size_t i = 0; i < sizeof hashes / sizeof *hashes && !*name; i++)
        if (strcmp(hashes[i].digest, hex) == 0)
            *name = hashes[i].name;
    return LQ_OK;
}

/* The id of the token that tokenizer_config.json puts in front of texts; -1: none. */
static int64_t begins_with(const struct model *m, const struct tokenizer_json *t)
{
    const cJSON *const token = get(m->config.tokenizer, "bos_token");
    const char *const text =
        cJSON_GetStringValue(cJSON_IsObject(token) ? get(token, "content") : token);
    const bool added = cJSON_IsTrue(get(m->config.tokenizer, "add_bos_token"));
    return text && added ? added_token_id(t, text) : -1;
}

/* The text as the tokenizer has it, and, where that says nothing of how texts begin, as its
 * configuration has it. */
static lq_status try_text(const struct model *m, const struct tokenizer_json *t,
                          const struct encoder *e, const char **name, lq_error *err)
{
    struct token_list ids = {0};
    const int64_t bos = begins_with(m, t);
    lq_status status = encoder_encode(e, check_text, strlen(check_text),
                                      ENCODE_ADD | ENCODE_CONTROL, &ids, err);
    if (status == LQ_OK && bos >= 0 && ids.n && ids.id[0] != bos) {
        struct token_list with = {0};
        with.id = mem_calloc(ids.n + 1, sizeof *with.id);
        if (with.id) {
            with.id[0] = (uint32_t)bos;
            memcpy(with.id + 1, ids.id, ids.n * sizeof *ids.id);
            status = pretokenizer_of_tokens(with.id, ids.n + 1, name, err);
        } else {
            status = lq_fail_memory(err);
        }
        token_list_free(&with);
    }
    if (status == LQ_OK && !*name)
        status = pretokenizer_of_tokens(ids.id, ids.n, name, err);
    token_list_free(&ids);
    return status;
}

/* *name stays NULL where the tokens are not known, or the tokenizer does what cannot be done here. */
static lq_status by_text(const struct model *m, const struct tokenizer_json *t, const char **name,
                         lq_error *err)
{
    struct encoder *e;
    lq_error why;
    lq_status status = encoder_from_json(&e, t, &why);
    if (status == LQ_OK) {
        status = try_text(m, t, e, name, &why);
        encoder_free(e);
    }
    if (status == LQ_OK || status == LQ_E_UNSUPPORTED || status == LQ_E_MODEL ||
        status == LQ_E_FORMAT)
        return LQ_OK;
    if (err)
        *err = why;
    return status;
}

/* ---- the name ---- */

lq_status pretokenizer_name(struct model *m, const char **name, lq_error *err)
{
    struct tokenizer_json *t;
    *name = NULL;
    LQ_TRY(model_tokenizer_json(m, &t, err));
    if (t)
        LQ_TRY(by_text(m, t, name, err));
    if (*name)
        return LQ_OK;
    struct text steps = {0};
    if (t)
        put_step(&steps, t->pre_tokenizer);
    text_put(&steps, "", 0);
    if (steps.failed)
        return lq_fail_memory(err);
    *name = find(steps.data, m->arch->name, t && t->ignore_merges);
    if (!*name)
        lq_fail_at(err, LQ_E_UNSUPPORTED, t ? t->file : "tokenizer.json", -1,
                   "cuts texts in a way that has no name in GGUF (tokenizer.ggml.pre), so that no "
                   "program would cut them the same way: neither is what it makes of a text known, "
                   "nor are its steps: %.400s",
                   steps.len ? steps.data : "(nothing)");
    text_free(&steps);
    return *name ? LQ_OK : LQ_E_UNSUPPORTED;
}

const char *pretokenizer_steps(const char *name)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].steps;
    return NULL;
}
