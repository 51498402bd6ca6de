/* vocab.h -- tokenizer files into tokenizer.ggml.* metadata.
 *
 * Each function writes everything about the tokenizer for one kind of model, in the order in which
 * llama.cpp's converter writes it, and is what arch.vocab points to. LQ_E_MODEL where the files are
 * missing or contradict the configuration.
 */
#ifndef LQ_MODEL_VOCAB_H
#define LQ_MODEL_VOCAB_H

#include "libquant/model/model.h"

/* tokenizer.ggml.token_type */
enum token_type {
    TOKEN_NORMAL = 1,
    TOKEN_UNKNOWN = 2,
    TOKEN_CONTROL = 3,
    TOKEN_USER_DEFINED = 4,
    TOKEN_UNUSED = 5,
    TOKEN_BYTE = 6
};

/* SentencePiece where there is a tokenizer.model, else what tokenizer.json is. */
lq_status vocab_llama(struct model *m, struct catalog *out, lq_error *err);
/* Byte-level BPE from tokenizer.json. */
lq_status vocab_bpe(struct model *m, struct catalog *out, lq_error *err);

/* SentencePiece where there is a tokenizer.model, else byte-level BPE. */
lq_status vocab_sentencepiece_or_bpe(struct model *m, struct catalog *out, lq_error *err);
/* SentencePiece, no blank put in front of texts; the first Gemma's has infilling tokens. */
lq_status vocab_gemma1(struct model *m, struct catalog *out, lq_error *err);
lq_status vocab_gemma(struct model *m, struct catalog *out, lq_error *err);
/* SentencePiece whose added tokens are taken as they are; Phi 4: byte-level BPE. */
lq_status vocab_phi3(struct model *m, struct catalog *out, lq_error *err);
/* Byte-level BPE whose special tokens are known by name. */
lq_status vocab_glm4(struct model *m, struct catalog *out, lq_error *err);
/* Unigram, from sentencepiece.bpe.model or tokenizer.json. */
lq_status vocab_xlm_roberta(struct model *m, struct catalog *out, lq_error *err);
/* WordPiece; RoBERTa: byte-level BPE, XLM-RoBERTa: Unigram. */
lq_status vocab_bert(struct model *m, struct catalog *out, lq_error *err);

/* tekken.json. */
lq_status vocab_tekken(struct model *m, struct catalog *out, lq_error *err);

/* ---- parts ---- */

/* All arrays have n elements and live in the output's arena. */
struct vocab {
    struct bytes *tokens;
    float *scores; /* or NULL */
    int32_t *types;
    uint32_t n;
    const char *file; /* where the tokens are from, for messages */
};

/* Arrays for n tokens, all "[PAD<id>]" and unused. */
lq_status vocab_new(struct vocab *v, struct catalog *out, uint32_t n, bool scored, lq_error *err);
/* Replaces one token; the text is copied. */
lq_status vocab_set(struct vocab *v, struct catalog *out, uint32_t id, const char *text, size_t len,
                    float score, enum token_type type, lq_error *err);
/* Gives the ids that no token has their names. */
lq_status vocab_fill_gaps(const struct vocab *v, struct catalog *out, lq_error *err);
/* Sets tokenizer.ggml.model, .pre, .tokens, .scores, .token_type. LQ_E_FORMAT where two tokens are the
 * same: programs look tokens up by their texts, and llama.cpp ends where it finds two. */
lq_status vocab_write(const struct vocab *v, struct catalog *out, const char *model,
                      const char *pre, lq_error *err);

/* Fills v from tokenizer.model with what added_tokens.json and tokenizer_config.json add. */
lq_status vocab_from_sentencepiece(struct model *m, struct vocab *v, struct catalog *out,
                                   lq_error *err);
/* The same, but added tokens are those of Phi 3: those of tokenizer.json count too. */
lq_status vocab_from_sentencepiece_phi3(struct model *m, struct vocab *v, struct catalog *out,
                                        lq_error *err);
/* Fills v from tokenizer.json as byte-level BPE and WordPiece have it. */
lq_status vocab_from_json(struct model *m, struct vocab *v, struct catalog *out, lq_error *err);

/* Tokens that models mean as control tokens although they are not marked as special. */
bool token_looks_special(const char *text, size_t len);

/* ---- special tokens ---- */

enum special_flags {
    SPECIAL_MERGES = 1 << 0,   /* write the merges too */
    SPECIAL_NO_TEMPLATE = 1 << 1
};

/* Writes merges, the ids of special tokens, which of them are added to a text, chat templates and
 * normaliser flags. Ids from n_vocab on are dropped (0: no limit). */
lq_status special_tokens_write(struct model *m, struct catalog *out, unsigned flags,
                               uint32_t n_vocab, lq_error *err);

/* The same with ids that hold for kinds ("eos", "eot", ...) of which the files say nothing. */
struct special_id {
    const char *kind;
    uint32_t id;
};
lq_status special_tokens_write_with(struct model *m, struct catalog *out, unsigned flags,
                                    uint32_t n_vocab, const struct special_id *ids, size_t n_ids,
                                    lq_error *err);

/* ---- pre-tokenizers ---- */

/* The name that llama.cpp has for how tokenizer.json cuts a text before BPE (tokenizer.ggml.pre): by what
 * it makes of a text, or, where that is not known, by its definition. LQ_E_UNSUPPORTED where none is
 * known. */
lq_status pretokenizer_name(struct model *m, const char **name, lq_error *err);
/* The same from the tokens of the fixed text; *name is NULL where they are not known. */
lq_status pretokenizer_of_tokens(const uint32_t *id, size_t n, const char **name, lq_error *err);
/* The cuts that the name stands for, in the notation of pretokenizer.c; NULL where it is not one that
 * pretokenizer_name gives. */
const char *pretokenizer_steps(const char *name);

#endif
