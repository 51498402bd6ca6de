/* sentencepiece.h -- what a SentencePiece model file (tokenizer.model) holds: a protocol buffer,
 * sentencepiece_model.proto. */
#ifndef LQ_MODEL_SENTENCEPIECE_H
#define LQ_MODEL_SENTENCEPIECE_H

#include "libquant/catalog/catalog.h"

enum piece_type {
    PIECE_NORMAL = 1,
    PIECE_UNKNOWN = 2,
    PIECE_CONTROL = 3,
    PIECE_USER_DEFINED = 4,
    PIECE_UNUSED = 5,
    PIECE_BYTE = 6
};

struct piece {
    struct bytes text; /* UTF-8 */
    float score;
    uint8_t type; /* enum piece_type */
};

struct sentencepiece {
    struct piece *pieces;
    uint32_t n_pieces;
    int32_t model_type; /* 1 Unigram, 2 BPE, 3 word, 4 character */
    bool add_dummy_prefix, remove_extra_whitespaces;
    struct bytes charsmap; /* compiled normalisation rules, or data NULL */
    struct arena arena;
};

/* Fills a zeroed struct; sentencepiece_release also after a failure. */
lq_status sentencepiece_read(struct sentencepiece *sp, struct source *s, lq_error *err);
void sentencepiece_release(struct sentencepiece *sp);

#endif
