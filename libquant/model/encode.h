/* encode.h -- texts into the numbers of tokens.
 *
 *   struct encoder *e;
 *   struct token_list ids = {0};
 *   LQ_TRY(encoder_from_json(&e, json, err));            a checkpoint's tokenizer.json, or
 *   LQ_TRY(encoder_from_metadata(&e, catalog, err));     the tokenizer.ggml.* of a GGUF file
 *   LQ_TRY(encoder_encode(e, text, len, ENCODE_ADD | ENCODE_CONTROL, &ids, err));
 *   ... ids.id[0..ids.n)
 *   token_list_free(&ids); encoder_free(e);
 *
 * A text goes through the same stages whatever the source is: added tokens are found in it, what is
 * between them is normalized, cut into words, and each word becomes tokens by the model (BPE,
 * SentencePiece's BPE, Unigram, WordPiece). tokenizer.json says itself what each stage does; for GGUF it
 * follows from tokenizer.ggml.model and .pre.
 *
 * An encoder is not changed by its use: several threads may share one.
 */
#ifndef LQ_MODEL_ENCODE_H
#define LQ_MODEL_ENCODE_H

#include "libquant/catalog/catalog.h"

struct encoder;
struct tokenizer_json;

enum encode_flags {
    ENCODE_ADD = 1 << 0,    /* add what the tokenizer puts around texts: <s>, </s>, [CLS], [SEP] */
    ENCODE_CONTROL = 1 << 1 /* "<s>" in the text is the token; without it, four characters */
};

/* Numbers of tokens; zero-initialise. */
struct token_list {
    uint32_t *id;
    size_t n, cap;
};
void token_list_free(struct token_list *l);

/* What the file says is followed to the letter; what is not known here is LQ_E_UNSUPPORTED. The
 * source must outlive the encoder. On failure *out is NULL. */
lq_status encoder_from_json(struct encoder **out, const struct tokenizer_json *t, lq_error *err);
lq_status encoder_from_metadata(struct encoder **out, const struct catalog *c, lq_error *err);
/* NULL is allowed. */
void encoder_free(struct encoder *e);

/* Appends the tokens of a text (at most 1 GiB) to *out. Bytes that are not UTF-8 become U+FFFD, or what
 * the model has for single bytes. LQ_E_UNSUPPORTED where a pattern of the tokenizer takes too long on
 * this text. */
lq_status encoder_encode(const struct encoder *e, const char *text, size_t len, unsigned flags,
                         struct token_list *out, lq_error *err);

/* The text of a token as the vocabulary has it; data NULL where no token has the number. */
struct bytes encoder_token(const struct encoder *e, uint32_t id);
/* The bytes that a token stands for in a text, appended to *out: "\u0120the" is " the" in byte-level
 * BPE. */
struct text;
void encoder_put_piece(const struct encoder *e, uint32_t id, struct text *out);
/* The token that ENCODE_ADD puts first; false where there is none. */
bool encoder_first(const struct encoder *e, uint32_t *id);
/* Numbers of tokens are below this. */
uint32_t encoder_size(const struct encoder *e);

#endif
