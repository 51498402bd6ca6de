/* tokenizer_open.h -- the tokenizer of whatever a path names. */
#ifndef LQ_MODEL_TOKENIZER_OPEN_H
#define LQ_MODEL_TOKENIZER_OPEN_H

#include "libquant/model/encode.h"
#include "libquant/model/model.h"

struct tokenizer {
    struct encoder *encoder;
    const char *source;          /* what it was made from: "tokenizer.json", "GGUF metadata", ... */
    struct model model;          /* these hold what the encoder refers to */
    struct catalog catalog;
    struct tokenizer_json *json;
};

/* A GGUF file: its metadata. A folder: its tokenizer.json; else vocab.json and merges.txt,
 * tokenizer.model, tekken.json, as the architecture in config.json has them. A tokenizer.json by its
 * name. A weight file: its folder. Fills a zeroed struct; tokenizer_close also after a failure. */
lq_status tokenizer_open(struct tokenizer *t, const char *path, lq_error *err);
void tokenizer_close(struct tokenizer *t);

#endif
