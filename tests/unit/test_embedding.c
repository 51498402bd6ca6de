/* test_embedding.c -- embeddings of lines: pooled as the model says, the same in whatever company,
 * with cosines that are what they say. */
#include "formats/format.h"
#include "libquant/codec/kernels.h"
#include "libquant/eval/embedding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

enum { LENGTH = 8, LINES = 5, MAX_DIM = 64 };

static uint32_t ids[] = {1, 5, 3, 2, /**/ 7, 4, /**/ 1, 5, 3, 2, 6, /**/ 7, 4, 1, 1, /**/ 3};
static size_t first[LINES + 1] = {0, 4, 6, 11, 15, 16};
static const struct lines all = {ids, first, LINES};

struct model {
    struct catalog c;
    struct weights w;
    struct engine e;
};

static lq_status open_tiny(struct model *m, uint64_t pooling, uint32_t sequences, lq_error *err)
{
    const struct engine_options o = {isa_detect(), 2, LENGTH, sequences, NULL};
    memset(m, 0, sizeof *m);
    LQ_TRY(model_open(&m->c, "tests/fuzz/corpus/eval/bert.gguf", err));
    LQ_TRY(catalog_set_uint(&m->c, "bert.pooling_type", META_U32, pooling, err));
    m->w = weights_stored(&m->c);
    return engine_open(&m->e, &m->w, &o, err);
}

static void close_tiny(struct model *m)
{
    engine_release(&m->e);
    catalog_release(&m->c);
}

static void vectors_do_not_depend_on_the_other_lines(void **unused)
{
    struct model m;
    float together[LINES * MAX_DIM], alone[MAX_DIM];
    (void)unused;
    for (uint32_t sequences = 1; sequences < 4; sequences++) {
        assert_int_equal(open_tiny(&m, 1, sequences, NULL), LQ_OK);
        const size_t dim = m.e.graph.embd;
        assert_true(graph_is_encoder(&m.c) && dim <= MAX_DIM);
        assert_int_equal(embed_lines(&m.e, &all, 0, LINES, together, NULL), LQ_OK);
        for (size_t i = 0; i < LINES; i++) {
            assert_int_equal(embed_lines(&m.e, &all, i, 1, alone, NULL), LQ_OK);
            assert_memory_equal(alone, together + i * dim, dim * sizeof *alone);
            assert_true(fabs(m.e.lanes->dot(alone, alone, dim) - 1) < 1e-6);
        }
        close_tiny(&m);
    }
}

/* The vector of line 0 by hand: of its hidden states, as they are after engine_run_shorter. */
static void pool_by_hand(struct model *m, uint64_t pooling, double *want)
{
    const size_t dim = m->e.graph.embd, n = first[1];
    double size = 0;
    assert_int_equal(engine_run_shorter(&m->e, ids, (uint32_t)n, 1, NULL), LQ_OK);
    for (size_t d = 0; d < dim; d++) {
        want[d] = pooling == 3 ? (double)m->e.x[(n - 1) * dim + d] : (double)m->e.x[d];
        for (size_t t = 1; t < n && pooling <= 1; t++)
            want[d] += (double)m->e.x[t * dim + d];
        size += want[d] * want[d];
    }
    for (size_t d = 0; d < dim; d++)
        want[d] /= sqrt(size);
}

static void pooling_is_the_models(void **unused)
{
    static const char *const names[] = {"mean", "mean", "cls", "last"};
    struct model m;
    double want[MAX_DIM];
    float got[MAX_DIM];
    (void)unused;
    for (uint64_t pooling = 0; pooling < 4; pooling++) {
        assert_int_equal(open_tiny(&m, pooling, 2, NULL), LQ_OK);
        assert_string_equal(embedding_pooling(&m.e.graph), names[pooling]);
        assert_int_equal(embed_lines(&m.e, &all, 0, 1, got, NULL), LQ_OK);
        pool_by_hand(&m, pooling, want);
        for (size_t d = 0; d < m.e.graph.embd; d++)
            assert_true(fabs((double)got[d] - want[d]) < 1e-6);
        close_tiny(&m);
    }
}

static void models_that_rank_are_refused(void **unused)
{
    struct model m;
    lq_error err = {.offset = -1};
    float out[MAX_DIM];
    (void)unused;
    assert_int_equal(open_tiny(&m, 4, 2, NULL), LQ_OK);
    assert_int_equal(embed_lines(&m.e, &all, 0, 1, out, &err), LQ_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "pooling_type 4"));
    close_tiny(&m);
    assert_int_equal(open_tiny(&m, 5, 2, &err), LQ_E_MODEL);
    close_tiny(&m);
}

static void cosines_are_what_they_say(void **unused)
{
    const float a[] = {3, 4, 0}, b[] = {4, 3, 0}, c[] = {0, 0, -2};
    double cosine[] = {0.5, 1.0, 0.0};
    struct model m;
    (void)unused;
    assert_int_equal(open_tiny(&m, 1, 1, NULL), LQ_OK);
    assert_true(embedding_cosine(&m.e, a, a, 3) == 1.0);
    assert_true(embedding_cosine(&m.e, a, b, 3) == 0.96);
    assert_true(embedding_cosine(&m.e, a, c, 3) == 0.0);
    close_tiny(&m);
    const struct cosines s = cosines_sum_up(cosine, 3);
    assert_true(s.mean.value == 0.5 && s.median == 0.5 && s.min == 0.0);
    assert_true(fabs(s.p10 - 0.1) < 1e-15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_do_not_depend_on_the_other_lines),
        cmocka_unit_test(pooling_is_the_models),
        cmocka_unit_test(models_that_rank_are_refused),
        cmocka_unit_test(cosines_are_what_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
