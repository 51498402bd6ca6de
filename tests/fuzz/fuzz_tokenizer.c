/* fuzz_tokenizer.c -- the small files of a checkpoint: tokenizer.json, tokenizer.model, the model
 * card. The first byte chooses. */
#include "libquant/base/card.h"
#include "libquant/model/sentencepiece.h"
#include "libquant/model/tokenizer_json.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_bytes(const struct bytes *b)
{
    if (b->data && b->data[b->len] != '\0')
        abort();
}

static void tokenizer(struct source *s)
{
    struct tokenizer_json *t;
    if (tokenizer_json_read(&t, s, NULL) != LQ_OK) {
        if (t)
            abort();
        return;
    }
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->n_vocab; i++) {
        check_bytes(&t->vocab[i]);
        n += t->vocab[i].data != NULL;
    }
    for (uint32_t i = 0; i < t->n_merges; i++)
        check_bytes(&t->merges[i]);
    for (uint32_t i = 0; i < t->n_added; i++)
        check_bytes(&t->added[i].content);
    if (n != t->n_tokens || t->n_vocab > TOKEN_ID_LIMIT)
        abort();
    tokenizer_json_free(t);
}

static void pieces(struct source *s)
{
    struct sentencepiece sp = {0};
    if (sentencepiece_read(&sp, s, NULL) == LQ_OK)
        for (uint32_t i = 0; i < sp.n_pieces; i++) {
            check_bytes(&sp.pieces[i].text);
            if (sp.pieces[i].type < PIECE_NORMAL || sp.pieces[i].type > PIECE_BYTE)
                abort();
        }
    sentencepiece_release(&sp);
}

static void card(const uint8_t *data, size_t size)
{
    cJSON *c;
    if (card_parse(&c, (const char *)data, size, "README.md", NULL) != LQ_OK && c)
        abort();
    cJSON_Delete(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct source *s;
    if (!size)
        return 0;
    if (data[0] % 3 == 2) {
        card(data + 1, size - 1);
        return 0;
    }
    if (source_open_memory(&s, "f", data + 1, size - 1, NULL) != LQ_OK)
        return 0;
    if (data[0] % 3 == 0)
        tokenizer(s);
    else
        pieces(s);
    source_close(s);
    return 0;
}
