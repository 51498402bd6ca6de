/* tokenizer_json.h -- what a tokenizer.json holds, as plain data: the file format of Hugging Face's
 * tokenizers library. Read in one pass, in memory near the size of the file. */
#ifndef LQ_MODEL_TOKENIZER_JSON_H
#define LQ_MODEL_TOKENIZER_JSON_H

#include "libquant/catalog/catalog.h"

struct cJSON;
struct model;

/* Ids above this are refused: no vocabulary comes near. */
enum { TOKEN_ID_LIMIT = 1 << 24 };

struct added_token {
    uint32_t id;
    struct bytes content;
    bool special, normalized, single_word, lstrip, rstrip;
};

struct tokenizer_json {
    char type[24];          /* of the model: "BPE", "Unigram", "WordPiece", "WordLevel" */
    struct bytes *vocab;    /* n_vocab, by id; data NULL where no token has the id */
    double *scores;         /* Unigram: by id, else NULL */
    double *library_scores; /* the same, as the tokenizers library reads them: not always the nearest */
    uint32_t n_vocab;       /* largest id + 1 */
    uint32_t n_tokens;      /* entries of the vocabulary */
    struct bytes *merges;   /* "left right" with one blank; a blank inside a part is U+0120 */
    uint32_t n_merges;
    struct added_token *added;
    uint32_t n_added;
    bool byte_fallback, has_byte_fallback, ignore_merges;
    bool separate_files;     /* it comes from vocab.json and merges.txt */
    const char *file;        /* where the vocabulary is from, for messages */
    int64_t unk_id;          /* Unigram: or -1 */
    struct bytes unk_token;  /* or data NULL */
    struct bytes rest_prefix, word_suffix; /* BPE, WordPiece: of a word's later parts, of its last; or NULL */
    bool fuse_unk;           /* BPE: unknown characters in a row are one token */
    uint64_t most_chars;     /* WordPiece: longer words are unknown; 0: nothing said */
    struct cJSON *normalizer, *pre_tokenizer, *post_processor, *decoder; /* or NULL */
    struct arena arena;
};

/* Reads the document. On failure *out is NULL. */
lq_status tokenizer_json_read(struct tokenizer_json **out, struct source *s, lq_error *err);
/* Refuses a kind that is not known, a token that has two ids, a merge that comes twice, that makes one of
 * its parts, or that is of or into something that is no token. For the functions that read one; `file`
 * is for messages: where the merges are from. */
lq_status tokenizer_json_check(const struct tokenizer_json *t, const char *file, lq_error *err);
/* Refuses n texts of which two are the same; entries whose data is NULL are passed over. */
lq_status tokens_check_unique(const struct bytes *tokens, uint32_t n, const char *file,
                              lq_error *err);
/* NULL is allowed. */
void tokenizer_json_free(struct tokenizer_json *t);

/* Reads vocab.json, {"token": id, ...}, into the vocabulary of a zeroed struct. */
lq_status tokenizer_json_read_vocab(struct tokenizer_json *t, struct source *s, lq_error *err);
/* The same tokenizer as separate files, vocab.json and merges.txt. On failure *out is NULL. */
lq_status tokenizer_bpe_files_read(struct tokenizer_json **out, struct model *m, lq_error *err);

/* The model's tokenizer.json, or what is in vocab.json and merges.txt, read once; *out is NULL where
 * it has neither. */
lq_status model_tokenizer_json(struct model *m, struct tokenizer_json **out, lq_error *err);

/* Id of the added token of this text, or -1. */
int64_t added_token_id(const struct tokenizer_json *t, const char *content);

#endif
