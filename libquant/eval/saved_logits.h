/* saved_logits.h -- the log-probabilities of a reference run in a file, so that other models can be
 * compared with it without running it again: the file that llama-perplexity writes and reads
 * (--kl-divergence-base), in both directions.
 *
 *   "_logits_", i32 length of a chunk, i32 vocabulary, i32 chunks
 *   i32 tokens [chunks][length]
 *   rows [chunks][length - 1 - length / 2]: f32 step, f32 lowest, u16 level [vocabulary, rounded up
 * to an even number]; natural log-probability = lowest + step * level
 *
 * A row spans at most 16 below its largest logit in 65535 steps, so that a log-probability is
 * stored to 1.3e-4; what lies further down has level 0 and is taken for impossible by who reads it.
 */
#ifndef LQ_EVAL_SAVED_LOGITS_H
#define LQ_EVAL_SAVED_LOGITS_H

#include "libquant/base/sink.h"

enum {
    SAVED_MAX_LENGTH = 1 << 20, /* tokens in a chunk */
    SAVED_MAX_VOCAB = 1 << 24
};

struct saved_logits {
    struct source *source;
    uint32_t length, vocab;
    size_t n_chunks;
    uint32_t *tokens; /* [n_chunks][length], each below vocab */
    uint64_t rows_at; /* offset of the first row */
};

/* True where the source begins as such a file does. */
bool saved_logits_probe(struct source *s);
/* Reads all but the rows of a zeroed struct, which owns the source from then on; saved_logits_close
 * also after a failure. LQ_E_FORMAT where a number is out of range, or the file's size is not the
 * one that its numbers ask for. */
lq_status saved_logits_open(struct saved_logits *s, struct source *source, lq_error *err);
void saved_logits_close(struct saved_logits *s);

/* Bytes of a row, and rows of a chunk. */
size_t saved_row_bytes(uint32_t vocab);
size_t saved_rows(uint32_t length);

/* Reads n rows, `first` of them counted through all chunks, into raw [n * saved_row_bytes]. */
lq_status saved_logits_read(const struct saved_logits *s, size_t first, size_t n, void *raw,
                            lq_error *err);
/* A row's log-probabilities; SAVED_IMPOSSIBLE for those that were cut off and those at -16 or
 * below, which llama-perplexity skips, too. False where its two numbers make no log-probabilities.
 */
bool saved_row_decode(float *dst, const void *raw, uint32_t vocab);
#define SAVED_IMPOSSIBLE (-1e4f)

/* Appends what stands before the rows. */
lq_status saved_logits_begin(struct sink *sink, uint32_t length, uint32_t vocab,
                             const uint32_t *tokens, size_t n_chunks, lq_error *err);
/* A row of finite logits, whose exponentials have a sum of this logarithm, as it is stored. */
void saved_row_encode(void *raw, const float *logits, uint32_t vocab, double log_sum);

#endif
