/* test_saved_logits.c -- saved logits come back to the stated precision, as llama-perplexity reads
 * them; files whose numbers contradict each other or their size are refused. */
#include "libquant/base/bytes.h"
#include "libquant/eval/saved_logits.h"

#include <math.h>

#include "tests/unit/format_support.h"

enum { VOCAB = 5, LENGTH = 6, CHUNKS = 2 };

/* A file of chunks whose rows are all zeros: every token has a log-probability of 0. */
static void put_file(struct text *t, uint32_t length, uint32_t vocab, uint32_t chunks,
                     uint32_t token, size_t rows)
{
    static const uint8_t row[8 + 2 * (VOCAB + 1)];
    text_puts(t, "_logits_");
    put_u32(t, length);
    put_u32(t, vocab);
    put_u32(t, chunks);
    for (size_t i = 0; i < CHUNKS * LENGTH; i++)
        put_u32(t, token);
    for (size_t i = 0; i < rows; i++)
        text_put(t, row, sizeof row);
}

static lq_status open_saved(struct saved_logits *s, const struct text *t, lq_error *err)
{
    struct source *source;
    assert_false(t->failed);
    assert_int_equal(source_open_memory(&source, "logits", t->data, t->len, err), LQ_OK);
    return saved_logits_open(s, source, err);
}

static void refuse_saved(struct text *t, const char *says)
{
    struct saved_logits s = {0};
    lq_error err = {.offset = -1};
    assert_refused(open_saved(&s, t, &err), &err, LQ_E_FORMAT, says);
    saved_logits_close(&s);
    text_free(t);
}

static void a_file_is_read_as_it_was_laid_out(void **unused)
{
    struct text t = {0};
    struct saved_logits s = {0};
    uint8_t raw[2 * (8 + 2 * (VOCAB + 1))];
    float row[VOCAB];
    (void)unused;
    put_file(&t, LENGTH, VOCAB, CHUNKS, 4, CHUNKS * 2);
    assert_int_equal(open_saved(&s, &t, NULL), LQ_OK);
    assert_int_equal(s.length, LENGTH);
    assert_int_equal(s.vocab, VOCAB);
    assert_int_equal(s.n_chunks, CHUNKS);
    assert_int_equal(s.tokens[CHUNKS * LENGTH - 1], 4);
    assert_int_equal(saved_logits_read(&s, 2, 2, raw, NULL), LQ_OK);
    assert_true(saved_row_decode(row, raw, VOCAB) && row[4] == 0.0f);
    assert_int_not_equal(saved_logits_read(&s, 3, 2, raw, NULL), LQ_OK);
    saved_logits_close(&s);
    text_free(&t);
}

static void files_that_contradict_themselves_are_refused(void **unused)
{
    static const uint32_t bad_lengths[] = {0, 3, SAVED_MAX_LENGTH + 1, UINT32_MAX};
    static const uint32_t bad_vocabs[] = {0, SAVED_MAX_VOCAB + 1, UINT32_MAX};
    struct text t = {0};
    (void)unused;
    text_puts(&t, "_logits_");
    refuse_saved(&t, "no saved logits");
    text_puts(&t, "_logitsX and something that is long enough");
    refuse_saved(&t, "no saved logits");
    for (size_t i = 0; i < 4; i++) {
        put_file(&t, bad_lengths[i], VOCAB, CHUNKS, 4, CHUNKS * 2);
        refuse_saved(&t, "length of a chunk");
    }
    for (size_t i = 0; i < 3; i++) {
        put_file(&t, LENGTH, bad_vocabs[i], CHUNKS, 4, CHUNKS * 2);
        refuse_saved(&t, "vocabulary");
    }
    put_file(&t, LENGTH, VOCAB, 0, 4, CHUNKS * 2);
    refuse_saved(&t, "number of chunks");
    put_file(&t, LENGTH, VOCAB, UINT32_MAX, 4, CHUNKS * 2);
    refuse_saved(&t, "number of chunks");
    put_file(&t, LENGTH, VOCAB, INT32_MAX, 4, CHUNKS * 2);
    refuse_saved(&t, "cut off");
    put_file(&t, SAVED_MAX_LENGTH, SAVED_MAX_VOCAB, INT32_MAX, 4, CHUNKS * 2);
    refuse_saved(&t, "cut off");
    put_file(&t, LENGTH, VOCAB, CHUNKS, 4, CHUNKS * 2 - 1);
    refuse_saved(&t, "cut off");
    put_file(&t, LENGTH, VOCAB, CHUNKS, 4, CHUNKS * 2 + 1);
    refuse_saved(&t, "more bytes follow");
    put_file(&t, LENGTH, VOCAB, CHUNKS, VOCAB, CHUNKS * 2);
    refuse_saved(&t, "token 5 is not among 5");
}

static void rows_come_back_to_the_stated_precision(void **unused)
{
    const float logits[VOCAB] = {3.25f, -1.5f, 0.1f, -12.9f, -20.0f};
    double sum = 0;
    uint8_t raw[8 + 2 * (VOCAB + 1)];
    float row[VOCAB];
    (void)unused;
    for (size_t i = 0; i < VOCAB; i++)
        sum += exp((double)logits[i]);
    saved_row_encode(raw, logits, VOCAB, log(sum));
    assert_int_equal(saved_row_bytes(VOCAB), sizeof raw);
    assert_int_equal(load_u16(raw + 8), 65535);
    assert_int_equal(load_u16(raw + 16), 0);
    assert_int_equal(load_u16(raw + 18), 0); /* padding */
    assert_true(saved_row_decode(row, raw, VOCAB));
    for (size_t i = 0; i < 3; i++)
        assert_true(fabs((double)row[i] - ((double)logits[i] - log(sum))) < 1.3e-4);
    assert_true(row[4] == SAVED_IMPOSSIBLE); /* more than 16 below the largest */
}

static void rows_without_differences_have_one_level(void **unused)
{
    const float logits[VOCAB] = {2, 2, 2, 2, 2};
    uint8_t raw[8 + 2 * (VOCAB + 1)];
    float row[VOCAB];
    (void)unused;
    saved_row_encode(raw, logits, VOCAB, 2 + log(VOCAB));
    assert_true(saved_row_decode(row, raw, VOCAB));
    for (size_t i = 0; i < VOCAB; i++)
        assert_true(fabs((double)row[i] + log(VOCAB)) < 1e-6);
}

static void rows_that_are_no_log_probabilities_are_refused(void **unused)
{
    static const float bad[][2] = {
        {NAN,      -1       },
        {INFINITY, -1       },
        {-1e-4f,   -1       },
        {1e30f,    -1       },
        {1e-4f,    NAN      },
        {1e-4f,    1        },
        {0,        INFINITY },
        {0,        -INFINITY},
        {1e-4f,    -1e30f   },
        {0,        0.01f    },
        {1,        -10      }
    };
    uint8_t raw[8 + 2 * (VOCAB + 1)] = {0};
    float row[VOCAB];
    (void)unused;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        memcpy(raw, bad[i], sizeof bad[i]);
        assert_false(saved_row_decode(row, raw, VOCAB));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_as_it_was_laid_out),
        cmocka_unit_test(files_that_contradict_themselves_are_refused),
        cmocka_unit_test(rows_come_back_to_the_stated_precision),
        cmocka_unit_test(rows_without_differences_have_one_level),
        cmocka_unit_test(rows_that_are_no_log_probabilities_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
