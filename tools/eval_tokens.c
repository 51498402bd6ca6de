/* eval_tokens.c -- reads tokens. */
#include "tools/eval_tokens.h"

#include "libquant/base/text.h"
#include "libquant/model/encode.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 1 << 30 };

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == ',';
}

static lq_status parse_ids(struct eval_tokens *t, const char *data, size_t len, lq_error *err)
{
    for (size_t i = 0; i < len;) {
        if (is_blank(data[i])) {
            i++;
            continue;
        }
        const size_t start = i;
        uint64_t id = 0;
        for (; i < len && data[i] >= '0' && data[i] <= '9' && id <= INT32_MAX; i++)
            id = id * 10 + (uint64_t)(data[i] - '0');
        if (i == start || id > INT32_MAX || (i < len && !is_blank(data[i])))
            return lq_fail_at(err, LQ_E_FORMAT, t->path, (int64_t)start, "is no list of numbers");
        if (!mem_grow((void **)&t->ids, &t->cap, t->n, sizeof *t->ids))
            return lq_fail_memory(err);
        t->ids[t->n++] = (uint32_t)id;
    }
    return LQ_OK;
}

/* The token that the model puts before a text, by its metadata. */
static void find_bos(struct eval_tokens *t, const struct catalog *c)
{
    uint64_t id;
    const struct meta *const adds = catalog_meta(c, "tokenizer.ggml.add_bos_token");
    const char *const model = catalog_meta_string(c, "tokenizer.ggml.model");
    const bool by_default = model && strcmp(model, "llama") == 0;
    t->has_bos = (adds && adds->type == META_BOOL ? adds->v.u64 != 0 : by_default) &&
                 catalog_meta_u64(c, "tokenizer.ggml.bos_token_id", &id) && id <= UINT32_MAX;
    t->bos = t->has_bos ? (uint32_t)id : 0;
}

/* The text as llama-perplexity tokenizes it: a line end at its very end is left out, and control tokens
 * that it spells out are text. */
static lq_status encode_text(struct eval_tokens *t, const struct catalog *c, const char *data,
                             size_t len, lq_error *err)
{
    struct encoder *encoder;
    struct token_list ids = {0};
    LQ_TRY(encoder_from_metadata(&encoder, c, err));
    len -= len && data[len - 1] == '\n';
    const lq_status status = encoder_encode(encoder, data, len, ENCODE_ADD, &ids, err);
    t->has_bos = encoder_first(encoder, &t->bos);
    encoder_free(encoder);
    t->ids = ids.id;
    t->n = ids.n;
    t->cap = ids.cap;
    return status;
}

lq_status eval_tokens_read(struct eval_tokens *t, const struct eval_model *m, const char *text,
                           const char *ids, lq_error *err)
{
    struct source *source;
    char *data = NULL;
    size_t len;
    if (!text == !ids)
        return lq_fail(err, LQ_E_USAGE, "%s", text ? "--text and --ids are two texts: give one"
                                                   : "--text FILE is missing: what to evaluate on");
    t->path = text ? text : ids;
    if (ids)
        find_bos(t, m->weights.catalog);
    LQ_TRY(source_open_file(&source, t->path, err));
    lq_status status = source_read_all(source, MAX_FILE, &data, &len, err);
    source_close(source);
    if (status == LQ_OK)
        status = text ? encode_text(t, m->weights.catalog, data, len, err)
                      : parse_ids(t, data, len, err);
    free(data);
    return status;
}

lq_status eval_tokens_saved(struct eval_tokens *t, const struct eval_model *m,
                            const struct saved_logits *s, lq_error *err)
{
    t->path = s->source->name;
    find_bos(t, m->weights.catalog);
    t->n = t->cap = s->n_chunks * s->length;
    t->ids = mem_calloc(t->n, sizeof *t->ids);
    if (!t->ids)
        return lq_fail_memory(err);
    memcpy(t->ids, s->tokens, t->n * sizeof *t->ids);
    return LQ_OK;
}

void eval_tokens_release(struct eval_tokens *t)
{
    free(t->ids);
    memset(t, 0, sizeof *t);
}

lq_status eval_tokens_chunks(struct eval_tokens *t, uint64_t length, size_t least, uint64_t most,
                             size_t *n, lq_error *err)
{
    *n = t->n / (size_t)length;
    if (*n < least)
        return lq_fail_at(err, LQ_E_MODEL, t->path, -1,
                          "has %zu tokens; %s of %" PRIu64 " are needed: give a longer text, or a "
                          "smaller --ctx",
                          t->n, least == 1 ? "one chunk" : "two chunks", length);
    if (most && *n > most)
        *n = (size_t)most;
    for (size_t c = 0; t->has_bos && c < *n; c++)
        t->ids[c * length] = t->bos;
    return LQ_OK;
}
