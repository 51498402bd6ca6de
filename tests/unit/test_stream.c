/* test_stream.c -- the pipeline: the same bytes at any number of threads, the first error by
 * position, and nothing left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/format.h"
#include "libquant/convert/stream.h"
#include "tests/unit/temp_folder.h"

enum { N = 5 };

/* A source of five tensors in memory: rows of ordinary length, one very long row, a scalar, an
 * empty tensor, and two experts. */
struct world {
    struct catalog source;
    float *data;
    size_t floats;
    struct step steps[N];
    const struct tensor *in[N][2];
    char path[512];
};

static const uint64_t dims[N + 1][3] = {{300, 512}, {1, 400000}, {1, 1}, {0, 256}, {64, 256}, {64, 256}};

static void add_tensor(struct catalog *c, const char *name, const uint64_t *dim, uint32_t rank,
                       const struct type_info *type, uint64_t *at)
{
    struct tensor *const t = catalog_add_tensor(c);
    assert_non_null(t);
    uint64_t *const d = arena_calloc(&c->arena, 3, sizeof *d);
    memcpy(d, dim, rank * sizeof *d);
    *t = (struct tensor){.name = name, .type = type, .rank = rank, .dim = d, .offset = *at};
    assert_true(tensor_measure(t));
    *at += t->bytes;
}

static struct row_ref stack_two(const struct step *s, uint64_t row)
{
    const uint64_t each = tensor_rows(s->in[0]);
    return (struct row_ref){(uint32_t)(row / each), row % each};
}

static int open_world(void **state)
{
    static const char *const names[N + 1] = {"rows", "long", "scalar", "empty", "e0", "e1"};
    struct world *const w = calloc(1, sizeof *w);
    uint64_t at = 0;
    for (int i = 0; i <= N; i++)
        w->floats += (size_t)(dims[i][0] * dims[i][1]);
    w->data = calloc(w->floats, sizeof *w->data);
    uint64_t seed = 1;
    for (size_t i = 0; i < w->floats; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        w->data[i] = (float)(int32_t)(seed >> 32) * 0x1p-33f;
    }
    for (int i = 0; i <= N; i++)
        add_tensor(&w->source, names[i], dims[i] + (i == 1), i == 1 ? 1 : i == 2 ? 0 : 2,
                   &type_F32, &at);
    struct file *const f = catalog_add_file(&w->source);
    f->name = "memory";
    f->size = w->floats * sizeof *w->data;
    lq_error err;
    assert_int_equal(source_open_memory(&f->source, "memory", w->data, (size_t)f->size, &err), LQ_OK);
    for (int i = 0; i < N; i++) {
        w->in[i][0] = &w->source.tensors[i];
        w->in[i][1] = &w->source.tensors[N];
        w->steps[i] = (struct step){.source = &w->source, .in = w->in[i], .n_in = 1};
    }
    w->steps[4].n_in = 2;
    w->steps[4].row_from = stack_two;
    *state = w;
    const int result = temp_setup(state);
    snprintf(w->path, sizeof w->path, "%s/out.gguf", temp_folder);
    return result;
}

static int close_world(void **state)
{
    struct world *const w = *state;
    unlink(w->path);
    assert_int_equal(rmdir(temp_folder), 0); /* nothing else may be in it */
    catalog_release(&w->source);
    free(w->data);
    free(w);
    return 0;
}

static void plan(struct world *w, struct output *o, const struct type_info *type)
{
    static const uint64_t stacked[3] = {2, 64, 256};
    *o = (struct output){.path = w->path, .format = &format_gguf};
    o->catalog.alignment = 32;
    assert_non_null(catalog_add_file(&o->catalog));
    uint64_t at = 0;
    for (int i = 0; i < N; i++) {
        const struct tensor *const t = &w->source.tensors[i];
        add_tensor(&o->catalog, t->name, i == 4 ? stacked : t->dim, i == 4 ? 3 : t->rank,
                   i == 2 ? &type_F32 : type, &at);
    }
}

static char *read_file(const char *path, size_t *len)
{
    struct source *s;
    char *data;
    assert_int_equal(source_open_file(&s, path, NULL), LQ_OK);
    assert_int_equal(source_read_all(s, 1 << 30, &data, len, NULL), LQ_OK);
    source_close(s);
    return data;
}

static char *run(struct world *w, const struct type_info *type, struct stream_options options,
                 size_t *len)
{
    struct output o;
    lq_error err = {0};
    plan(w, &o, type);
    assert_int_equal(stream_run(w->steps, N, &o, 1, &options, &err), LQ_OK);
    catalog_release(&o.catalog);
    return read_file(w->path, len);
}

static void the_file_is_the_same_at_any_number_of_threads(void **state)
{
    static const unsigned threads[] = {2, 7, 64};
    static const struct type_info *const types[] = {&type_F32, &type_F16, &type_Q8_0, &type_Q4_0};
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        size_t len, len1;
        char *const one = run(*state, types[t], (struct stream_options){.threads = 1}, &len1);
        for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
            char *const more =
                run(*state, types[t], (struct stream_options){.threads = threads[i]}, &len);
            assert_int_equal(len, len1);
            assert_memory_equal(more, one, len);
            free(more);
        }
        free(one);
    }
}

static void a_row_longer_than_a_chunk_is_encoded_as_if_in_one_piece(void **state)
{
    struct world *const w = *state;
    const size_t n = (size_t)dims[1][1];
    size_t len;
    uint64_t bytes;
    char *const file = run(w, &type_Q4_0, (struct stream_options){.threads = 3}, &len);
    assert_true(type_row_bytes(&type_Q4_0, n, &bytes));
    char *const want = calloc((size_t)bytes, 1);
    type_Q4_0.encode(want, w->data + dims[0][0] * dims[0][1], 1, n, NULL);
    struct catalog c = {0};
    assert_int_equal(model_open(&c, w->path, NULL), LQ_OK);
    const struct tensor *const t = catalog_find(&c, "long");
    assert_memory_equal(file + t->offset, want, (size_t)bytes);
    catalog_release(&c);
    free(want);
    free(file);
}

static void rows_of_two_experts_are_stacked_in_order(void **state)
{
    struct world *const w = *state;
    size_t len;
    char *const file = run(w, &type_F32, (struct stream_options){.threads = 3}, &len);
    struct catalog c = {0};
    assert_int_equal(model_open(&c, w->path, NULL), LQ_OK);
    const struct tensor *const t = catalog_find(&c, "e0");
    assert_int_equal(t->elements, 2 * 64 * 256);
    const float *const e0 = w->data + w->source.tensors[4].offset / sizeof(float);
    assert_memory_equal(file + t->offset, e0, 2 * 64 * 256 * sizeof(float));
    catalog_release(&c);
    free(file);
}

static void through_f16(float *x)
{
    uint16_t half;
    type_F16.encode(&half, x, 1, 1, NULL);
    type_F16.decode(x, &half, 1);
}

static void rounding_through_an_intermediate_gives_what_two_runs_give(void **state)
{
    struct world *const w = *state;
    size_t len1, len2;
    for (int i = 0; i < N; i++)
        w->steps[i].via = i == 2 ? NULL : &type_F16;
    char *const once = run(w, &type_Q8_0, (struct stream_options){.threads = 2}, &len1);
    for (int i = 0; i < N; i++)
        w->steps[i].via = NULL;
    for (size_t i = 0; i < w->floats; i++)
        if (i != dims[0][0] * dims[0][1] + dims[1][1])
            through_f16(&w->data[i]);
    char *const twice = run(w, &type_Q8_0, (struct stream_options){.threads = 2}, &len2);
    assert_int_equal(len1, len2);
    assert_memory_equal(once, twice, len1);
    free(once);
    free(twice);
}

static lq_status run_to_failure(struct world *w, struct stream_options options, lq_error *err)
{
    struct output o;
    memset(err, 0, sizeof *err);
    plan(w, &o, &type_Q8_0);
    const lq_status status = stream_run(w->steps, N, &o, 1, &options, err);
    catalog_release(&o.catalog);
    assert_int_equal(access(w->path, F_OK), -1);
    return status;
}

static void the_first_bad_value_is_named_at_any_number_of_threads(void **state)
{
    struct world *const w = *state;
    w->data[100 * 512 + 7] = NAN;
    w->data[299 * 512] = INFINITY;
    w->data[dims[0][0] * dims[0][1] + 5] = INFINITY;
    for (unsigned threads = 1; threads <= 16; threads++) {
        lq_error err;
        const struct stream_options options = {.threads = threads};
        assert_int_equal(run_to_failure(w, options, &err), LQ_E_MODEL);
        assert_string_equal(err.tensor, "rows");
        assert_non_null(strstr(err.message, "element 7 of row 100 is not a number"));
    }
}

static void bad_values_pass_where_that_is_asked_for(void **state)
{
    struct world *const w = *state;
    size_t len;
    w->data[5] = INFINITY;
    free(run(w, &type_F32, (struct stream_options){.threads = 2, .allow_nonfinite = true}, &len));
}

static void a_value_too_large_for_the_type_is_refused(void **state)
{
    struct world *const w = *state;
    lq_error err;
    w->data[3] = 1e30f;
    assert_int_equal(run_to_failure(w, (struct stream_options){.threads = 2}, &err), LQ_E_MODEL);
    assert_non_null(strstr(err.message, "too large for this type"));
}

static bool stop_at_once(void *ctx)
{
    (void)ctx;
    return true;
}

static void an_interrupted_run_leaves_nothing(void **state)
{
    const struct progress progress = {.stop = stop_at_once};
    lq_error err;
    const struct stream_options options = {.threads = 4, .progress = &progress};
    assert_int_equal(run_to_failure(*state, options, &err), LQ_E_INTERRUPTED);
}

static void a_source_that_is_too_short_is_reported_with_its_tensor(void **state)
{
    struct world *const w = *state;
    lq_error err;
    w->source.files[0].source->size -= 4;
    assert_int_equal(run_to_failure(w, (struct stream_options){.threads = 4}, &err), LQ_E_FORMAT);
    assert_string_equal(err.tensor, "e1");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)
    const struct CMUnitTest tests[] = {
        TEST(the_file_is_the_same_at_any_number_of_threads),
        TEST(a_row_longer_than_a_chunk_is_encoded_as_if_in_one_piece),
        TEST(rows_of_two_experts_are_stacked_in_order),
        TEST(rounding_through_an_intermediate_gives_what_two_runs_give),
        TEST(the_first_bad_value_is_named_at_any_number_of_threads),
        TEST(bad_values_pass_where_that_is_asked_for),
        TEST(a_value_too_large_for_the_type_is_refused),
        TEST(an_interrupted_run_leaves_nothing),
        TEST(a_source_that_is_too_short_is_reported_with_its_tensor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
