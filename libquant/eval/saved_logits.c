/* saved_logits.c -- see saved_logits.h for the layout. */
#include "libquant/eval/saved_logits.h"

#include "libquant/base/bytes.h"
#include "libquant/base/memory.h"
#include "libquant/codec/num.h"

#include <inttypes.h>
#include <stdlib.h>

enum { HEADER = 20, ROW_HEADER = 8, LEVELS = 65535, SPAN = 16 };

static const char magic[8] = {'_', 'l', 'o', 'g', 'i', 't', 's', '_'};

size_t saved_rows(uint32_t length)
{
    return length - 1 - length / 2;
}

size_t saved_row_bytes(uint32_t vocab)
{
    return ROW_HEADER + ((size_t)vocab + 1) / 2 * 2 * sizeof(uint16_t);
}

/* ---- reading ---- */

bool saved_logits_probe(struct source *s)
{
    char start[sizeof magic];
    return s->size >= sizeof start && source_read(s, start, sizeof start, 0, NULL) == LQ_OK &&
           memcmp(start, magic, sizeof magic) == 0;
}

/* The number at `at` of the header, from min to max. */
static lq_status header_number(const struct saved_logits *s, const uint8_t *header, size_t at,
                               uint32_t min, uint32_t max, const char *what, uint32_t *out,
                               lq_error *err)
{
    *out = load_u32(header + at);
    if (*out >= min && *out <= max)
        return LQ_OK;
    return lq_fail_at(err, LQ_E_FORMAT, s->source->name, (int64_t)at,
                      "saved logits: %s is %" PRId32 ", which is out of range", what,
                      (int32_t)*out);
}

static lq_status read_header(struct saved_logits *s, lq_error *err)
{
    uint8_t header[HEADER];
    uint32_t chunks;
    if (s->source->size < HEADER || !saved_logits_probe(s->source))
        return lq_fail_at(err, LQ_E_FORMAT, s->source->name, 0, "are no saved logits");
    LQ_TRY(source_read(s->source, header, HEADER, 0, err));
    LQ_TRY(
        header_number(s, header, 8, 4, SAVED_MAX_LENGTH, "the length of a chunk", &s->length, err));
    LQ_TRY(header_number(s, header, 12, 1, SAVED_MAX_VOCAB, "the size of the vocabulary", &s->vocab,
                         err));
    LQ_TRY(header_number(s, header, 16, 1, INT32_MAX, "the number of chunks", &chunks, err));
    s->n_chunks = chunks;
    return LQ_OK;
}

/* None of the products overflows: 2^31 chunks of 2^20 tokens of 2^26 bytes would, so a chunk's
 * bytes are compared with the file's first. */
static lq_status check_size(struct saved_logits *s, lq_error *err)
{
    const uint64_t chunk =
        (uint64_t)s->length * 4 + (uint64_t)saved_rows(s->length) * saved_row_bytes(s->vocab);
    const uint64_t rest = s->source->size - HEADER;
    if (s->n_chunks > rest / chunk)
        return lq_fail_at(err, LQ_E_FORMAT, s->source->name, -1,
                          "saved logits: cut off: %zu chunks of %" PRIu64
                          " bytes do not fit into the file",
                          s->n_chunks, chunk);
    if (rest != s->n_chunks * chunk)
        return lq_fail_at(err, LQ_E_FORMAT, s->source->name,
                          (int64_t)(HEADER + s->n_chunks * chunk),
                          "saved logits: more bytes follow than %zu chunks have", s->n_chunks);
    s->rows_at = HEADER + (uint64_t)s->n_chunks * s->length * 4;
    return LQ_OK;
}

lq_status saved_logits_open(struct saved_logits *s, struct source *source, lq_error *err)
{
    s->source = source;
    LQ_TRY(read_header(s, err));
    LQ_TRY(check_size(s, err));
    const size_t n = s->n_chunks * s->length;
    s->tokens = mem_calloc(n, sizeof *s->tokens);
    if (!s->tokens)
        return lq_fail_memory(err);
    LQ_TRY(source_read(source, s->tokens, n * sizeof *s->tokens, HEADER, err));
    for (size_t i = 0; i < n; i++)
        if (s->tokens[i] >= s->vocab)
            return lq_fail_at(err, LQ_E_FORMAT, source->name, (int64_t)(HEADER + 4 * i),
                              "saved logits: token %" PRIu32 " is not among %" PRIu32, s->tokens[i],
                              s->vocab);
    return LQ_OK;
}

void saved_logits_close(struct saved_logits *s)
{
    source_close(s->source);
    free(s->tokens);
    memset(s, 0, sizeof *s);
}

lq_status saved_logits_read(const struct saved_logits *s, size_t first, size_t n, void *raw,
                            lq_error *err)
{
    const size_t bytes = saved_row_bytes(s->vocab);
    return source_read(s->source, raw, n * bytes, s->rows_at + (uint64_t)first * bytes, err);
}

bool saved_row_decode(float *dst, const void *raw, uint32_t vocab)
{
    const uint8_t *const at = raw;
    const float step = load_f32(at), lowest = load_f32(at + 4);
    /* A largest probability just above 1 comes from rounding. */
    if (!(step >= 0.0f && step <= 1.0f && lowest >= -1e4f &&
          lowest + step * (float)LEVELS <= 1e-3f))
        return false;
    const uint16_t least = step * (float)LEVELS > (float)SPAN - 0.01f; /* level 0: cut off */
    for (uint32_t i = 0; i < vocab; i++) {
        const uint16_t level = load_u16(at + ROW_HEADER + 2 * (size_t)i);
        const float p = step * (float)level + lowest;
        dst[i] = level >= least && p > -(float)SPAN ? p : SAVED_IMPOSSIBLE;
    }
    return true;
}

/* ---- writing ---- */

lq_status saved_logits_begin(struct sink *sink, uint32_t length, uint32_t vocab,
                             const uint32_t *tokens, size_t n_chunks, lq_error *err)
{
    uint8_t header[HEADER];
    memcpy(header, magic, sizeof magic);
    store_u32(header + 8, length);
    store_u32(header + 12, vocab);
    store_u32(header + 16, (uint32_t)n_chunks);
    LQ_TRY(sink_append(sink, header, sizeof header, err));
    return sink_append(sink, tokens, n_chunks * length * sizeof *tokens, err);
}

void saved_row_encode(void *raw, const float *logits, uint32_t vocab, double log_sum)
{
    uint8_t *const at = raw;
    float high = logits[0], low = logits[0];
    for (uint32_t i = 1; i < vocab; i++) {
        high = logits[i] > high ? logits[i] : high;
        low = logits[i] < low ? logits[i] : low;
    }
    low = low < high - (float)SPAN ? high - (float)SPAN : low;
    const float step = (high - low) / (float)LEVELS, inverse = step > 0.0f ? 1.0f / step : 0.0f;
    memset(at, 0, saved_row_bytes(vocab));
    store_f32(at, step);
    store_f32(at + 4, (float)((double)low - log_sum));
    for (uint32_t i = 0; i < vocab && f32_is_finite(inverse); i++) {
        const float level = logits[i] > low ? (logits[i] - low) * inverse : 0.0f;
        /* Adding 1.5 * 2^23 rounds to a whole number, ties to even. */
        const float whole = (level + 12582912.0f) - 12582912.0f;
        store_u16(at + ROW_HEADER + 2 * (size_t)i, (uint16_t)(whole < LEVELS ? whole : LEVELS));
    }
}
