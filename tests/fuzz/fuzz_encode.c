/* fuzz_encode.c -- hostile tokenizers on hostile texts. The first byte chooses between a tokenizer.json
 * ('j') and a GGUF file ('g'); four bytes have its length, and the rest is the text. Also compiled
 * rules of normalization ('c'), and patterns ('r'). */
#include "formats/format.h"
#include "libquant/base/bytes.h"
#include "libquant/base/text.h"
#include "libquant/model/charsmap.h"
#include "libquant/model/encode.h"
#include "libquant/model/regex.h"
#include "libquant/model/tokenizer_json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const char *tokenizer, *text;
    size_t tokenizer_len, text_len;
};

static void encode(const struct encoder *e, const struct input *in)
{
    struct token_list ids = {0};
    struct text piece = {0};
    for (unsigned flags = 0; flags < 4; flags++) {
        ids.n = 0;
        if (encoder_encode(e, in->text, in->text_len, flags, &ids, NULL) != LQ_OK)
            continue;
        for (size_t i = 0; i < ids.n && i < 1000; i++) {
            piece.len = 0;
            encoder_put_piece(e, ids.id[i], &piece);
        }
    }
    token_list_free(&ids);
    text_free(&piece);
}

static void by_json(const struct input *in)
{
    struct source *s;
    struct tokenizer_json *t;
    struct encoder *e;
    if (source_open_memory(&s, "tokenizer.json", in->tokenizer, in->tokenizer_len, NULL) != LQ_OK)
        return;
    if (tokenizer_json_read(&t, s, NULL) == LQ_OK) {
        if (encoder_from_json(&e, t, NULL) == LQ_OK)
            encode(e, in);
        else if (e)
            abort();
        encoder_free(e);
    }
    tokenizer_json_free(t);
    source_close(s);
}

static void by_metadata(const struct input *in)
{
    struct source *s;
    struct catalog c = {0};
    struct encoder *e;
    if (source_open_memory(&s, "m.gguf", in->tokenizer, in->tokenizer_len, NULL) != LQ_OK)
        return;
    if (model_open_source(&c, s, NULL, NULL) != LQ_OK)
        return;
    if (encoder_from_metadata(&e, &c, NULL) == LQ_OK)
        encode(e, in);
    encoder_free(e);
    catalog_release(&c);
}

static void by_rules(const struct input *in)
{
    struct charsmap m;
    struct bytes to;
    if (charsmap_open(&m, in->tokenizer, in->tokenizer_len, NULL) != LQ_OK)
        return;
    for (size_t i = 0; i < in->text_len; i++)
        for (int longest = 0; longest < 2; longest++) {
            const size_t n = charsmap_find(&m, in->text + i, in->text_len - i, longest, &to);
            if (n > in->text_len - i || (n && to.data[to.len]))
                abort();
        }
}

static void by_pattern(const struct input *in)
{
    struct regex *r;
    struct regex_run run = {.steps = 1 << 20};
    const size_t len = utf8_check(in->text, in->text_len);
    if (regex_compile(&r, in->tokenizer, in->tokenizer_len, NULL) != LQ_OK)
        return;
    for (size_t from = 0; from <= len;) {
        bool found;
        size_t begin, end;
        if (regex_find(r, &run, in->text, len, from, &found, &begin, &end, NULL) != LQ_OK || !found)
            break;
        if (begin < from || end < begin || end > len)
            abort();
        from = end > begin ? end : end + 1;
    }
    regex_run_release(&run);
    regex_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 5)
        return 0;
    const uint32_t want = load_u32(data + 1);
    const size_t n = want < size - 5 ? want : size - 5;
    const struct input in = {(const char *)data + 5, (const char *)data + 5 + n, n, size - 5 - n};
    switch (data[0]) {
    case 'j': by_json(&in); break;
    case 'g': by_metadata(&in); break;
    case 'c': by_rules(&in); break;
    case 'r': by_pattern(&in); break;
    default:  break;
    }
    return 0;
}
