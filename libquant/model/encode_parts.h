/* encode_parts.h -- an encoder from inside: the stages, and what one text needs on its way. */
#ifndef LQ_MODEL_ENCODE_PARTS_H
#define LQ_MODEL_ENCODE_PARTS_H

#include "libquant/base/text.h"
#include "libquant/model/charsmap.h"
#include "libquant/model/encode.h"
#include "libquant/model/regex.h"
#include "libquant/model/token_lookup.h"
#include "libquant/model/token_trie.h"

#define NO_TOKEN UINT32_MAX
/* SentencePiece's U+2581 for a blank. */
#define LOWER_BLOCK "\xe2\x96\x81"

/* ---- normalizers ---- */

enum normalizer_kind {
    NORMALIZE_FORM,         /* form */
    NORMALIZE_LOWER,
    NORMALIZE_STRIP,        /* blanks at the left, right */
    NORMALIZE_STRIP_ACCENTS,
    NORMALIZE_REPLACE,      /* `from` (or what the regex matches) by `to` */
    NORMALIZE_PREPEND,      /* `to`, in front of what is not empty */
    NORMALIZE_BERT,
    NORMALIZE_NMT,
    NORMALIZE_BYTES,        /* every byte by its character of byte-level BPE */
    NORMALIZE_CHARSMAP,     /* SentencePiece's compiled rules, as Hugging Face's tokenizers applies them */
    NORMALIZE_SENTENCEPIECE /* the same as SentencePiece does, with blanks by U+2581: in front (left), runs of
                          them as one (right) */
};

struct norm_step {
    enum normalizer_kind kind;
    unsigned form; /* enum unicode_form */
    bool left, right;
    bool clean, chinese, accents, lower; /* NORMALIZE_BERT; accents: they are stripped */
    struct regex *regex;
    struct bytes from, to;
    struct charsmap charsmap; /* may be empty */
};

/* ---- pre-tokenizers ---- */

enum pre_kind {
    PRE_SPLIT,     /* at what the regex matches, by behaviour */
    PRE_BLANK,     /* a blank in front of words that have none */
    PRE_BYTES,     /* every byte by its character of byte-level BPE */
    PRE_METASPACE  /* blanks by `to`, which also goes to the front, and a cut before each */
};

enum split_behaviour {
    SPLIT_REMOVED, SPLIT_ISOLATED, SPLIT_PREVIOUS, SPLIT_NEXT, SPLIT_CONTIGUOUS
};

/* PREPEND_MARK: also to what begins with the mark already. */
enum prepend_scheme { PREPEND_ALWAYS, PREPEND_FIRST, PREPEND_NEVER, PREPEND_MARK };

struct pre_step {
    enum pre_kind kind;
    enum split_behaviour behaviour;
    bool invert, cut;
    enum prepend_scheme scheme;
    struct regex *regex;
    struct bytes to;
};

/* ---- added tokens ---- */

struct added_entry {
    uint32_t id;
    struct bytes content;
    bool special, normalized, single_word, lstrip, rstrip;
};

/* ---- the encoder ---- */

struct run;

struct bpe;
struct unigram;
struct spm;

struct encoder {
    struct arena arena;
    const struct bytes *tokens; /* by id; data NULL where there is none */
    uint32_t n_tokens;
    struct token_lookup lookup;
    struct added_entry *added;
    size_t n_added;
    uint8_t *is_added; /* bit by bit, by id; or NULL */
    struct token_trie raw, normal; /* of added tokens, found before and after the normalizer */
    struct norm_step *norm;
    size_t n_norm;
    struct pre_step *pre;
    size_t n_pre;
    bool raw_bytes;   /* the model takes bytes that are no UTF-8 */
    bool lossy_bytes; /* each such byte becomes U+FFFD by itself, as in llama.cpp */
    bool byte_level;  /* tokens are written in the characters of byte-level BPE */
    bool blanks;      /* tokens have U+2581 for blanks, and "<0xHH>" for bytes */
    uint32_t *before, *after; /* what ENCODE_ADD adds */
    size_t n_before, n_after;
    /* One word; what the models keep. */
    lq_status (*word)(struct run *r, const char *s, size_t len);
    struct bpe *bpe;
    struct unigram *unigram;
    struct spm *spm;
    struct token_trie pieces; /* WordPiece */
    uint32_t rest_node;       /* where the later pieces of words begin, behind "##"; or NO_TOKEN */
    uint32_t unk;             /* or NO_TOKEN */
    uint32_t most_chars;      /* longer words are unknown as a whole */
};

/* ---- one text on its way ---- */

struct span {
    uint32_t at, len;
};

struct spans {
    struct span *item;
    size_t n, cap;
};

struct run {
    const struct encoder *e;
    struct regex_run regex; /* its steps are those of the whole text */
    struct text text, next; /* what is worked on, and what a step makes of it */
    struct spans spans, next_spans;
    bool at_start;          /* the segment is the beginning of the text */
    struct token_list *out;
    struct bpe_work *bpe;
    struct unigram_work *unigram;
    struct spm_work *spm;
    lq_error *err;
};

lq_status run_put(struct run *r, uint32_t id);
/* False where the text has taken more steps than any honest one does. */
bool run_spend(struct run *r, size_t steps);
lq_status run_exhausted(const struct run *r);
lq_status spans_put(struct spans *s, size_t at, size_t len, lq_error *err);

/* r->text as the normalizer makes it (encode_normalize.c). */
lq_status normalize(struct run *r);
/* The same for one text; for the contents of added tokens. */
lq_status normalize_text(const struct encoder *e, const char *s, size_t len, struct text *out,
                         lq_error *err);
/* r->text into words, r->spans (encode_split.c). */
lq_status cut_words(struct run *r);

/* Byte-level BPE writes each byte as a character (GPT-2's table); *code is below 0x144. */
uint32_t byte_level_char(uint8_t byte);
/* The byte that a character stands for, or -1. */
int byte_level_byte(uint32_t cp);
void put_byte_level(struct text *out, const char *s, size_t len);

/* ---- making encoders ---- */

/* Both give NULL when out of memory, which the caller reports. */
struct norm_step *encoder_add_norm(struct encoder *e, enum normalizer_kind kind);
struct pre_step *encoder_add_pre(struct encoder *e, enum pre_kind kind);
/* A split at a pattern. */
lq_status encoder_add_split(struct encoder *e, const char *pattern, size_t len,
                            enum split_behaviour behaviour, bool invert, lq_error *err);
/* The cuts that a name in tokenizer.ggml.pre stands for, bytes as characters included, and what else it
 * says (enum pre_flags).
 * LQ_E_UNSUPPORTED where it is not known. */
lq_status encoder_add_named(struct encoder *e, const char *name, unsigned *flags, lq_error *err);
enum pre_flags {
    PRE_IGNORES_MERGES = 1 << 0,
    PRE_ADDS_BOS = 1 << 1,          /* unless the metadata say otherwise */
    PRE_RAW_CHARACTERS = 1 << 2,    /* not byte-level: blanks are U+2581 */
    PRE_MASK_TAKES_BLANKS = 1 << 3  /* those before "<mask>" belong to it */
};
/* Punctuation as the tokenizers library has it. */
#define PUNCTUATION_SET "[\\p{P}$+<=>^`|~]"
/* GPT-2's pattern. */
extern const char gpt2_pattern[];

/* Fills e->lookup from e->tokens; of two ids with one text the first (or last) one counts. */
lq_status encoder_index(struct encoder *e, bool last, lq_error *err);
/* Fills e->raw and e->normal from e->added. */
lq_status encoder_index_added(struct encoder *e, lq_error *err);

/* What BPE does beyond merging. */
struct bpe_options {
    bool ignore_merges;  /* a word that is a token is that token */
    bool byte_fallback;  /* "<0xHH>" for characters that are no tokens */
    bool fuse_unk;
    bool keep_unknown;   /* unknown characters keep their neighbours apart, and are then dropped */
    bool lines_whole;    /* a word of line ends that is a token is that token (Gemma 4) */
    bool last_rank;      /* of a merge that comes twice, the last rank counts */
    uint32_t unk;        /* or NO_TOKEN */
    struct bytes prefix, suffix; /* of all but the first, of the last character of a word */
};
/* Merges are "left right", by rank; those whose parts or result are no tokens are passed over. */
lq_status encoder_set_bpe(struct encoder *e, const struct bytes *merges, uint32_t n,
                          const struct bpe_options *options, lq_error *err);
void bpe_free(struct bpe *b);
void bpe_work_free(struct bpe_work *w);

/* SentencePiece's BPE; scores by id, or NULL. */
lq_status encoder_set_spm(struct encoder *e, const float *scores, lq_error *err);
void spm_work_free(struct spm_work *w);

/* How much worse than the worst token an unknown character is. */
#define UNIGRAM_PENALTY 10
/* Scores by id, which stay the caller's; `usable` says which tokens may be used (NULL: all). */
lq_status encoder_set_unigram(struct encoder *e, const double *scores, const bool *usable,
                              double unk_score, uint32_t unk, bool byte_fallback, lq_error *err);
void unigram_free(struct unigram *u);
void unigram_work_free(struct unigram_work *w);

/* e->unk stands for unknown words. */
lq_status encoder_set_wordpiece(struct encoder *e, struct bytes rest_prefix, uint32_t most_chars,
                                lq_error *err);
void encoder_set_wordlevel(struct encoder *e);

#endif
