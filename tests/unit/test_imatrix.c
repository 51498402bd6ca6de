/* test_imatrix.c -- importance matrices: both forms of file, what is refused, choice of entries. */
#include "tests/unit/format_support.h"

#include <math.h>

#include "libquant/convert/imatrix.h"

static lq_status read_text(struct imatrix *m, const struct text *t, lq_error *err)
{
    struct source *s;
    assert_false(t->failed);
    assert_int_equal(source_open_memory(&s, "matrix", t->data ? t->data : "", t->len, err), LQ_OK);
    return imatrix_read(m, s, err);
}

/* The text has to be refused, with a message that contains `says`. */
static void refuse_matrix(struct text *t, const char *says)
{
    struct imatrix m = {0};
    lq_error err = {0};
    assert_refused(read_text(&m, t, &err), &err, LQ_E_FORMAT, says);
    assert_null(m.entries);
    text_free(t);
}

static void check_entry(const struct imatrix *m, const char *name, size_t n, const float *values)
{
    const struct imatrix_entry *const e = imatrix_find(m, name);
    if (!e)
        fail_msg("no entry %s", name);
    assert_int_equal(e->n, n);
    for (size_t i = 0; i < n; i++)
        assert_true(e->values[i] == values[i]);
}

/* ---- legacy ---- */

static void put_entry(struct text *t, const char *name, int32_t calls, size_t n, const float *sums)
{
    put_u32(t, strlen(name));
    text_puts(t, name);
    put_u32(t, (uint32_t)calls);
    put_u32(t, n);
    text_put(t, sums, n * sizeof *sums);
}

static void test_legacy(void **state)
{
    static const float a[] = {1, 2, 10}, b[] = {5}, a2[] = {3, 6};
    struct text t = {0};
    struct imatrix m = {0};
    (void)state;
    put_u32(&t, 3);
    put_entry(&t, "b.weight", 0, 1, b);  /* no calls: the values as they are */
    put_entry(&t, "a.weight", 3, 3, a);
    put_entry(&t, "a.weight", 2, 2, a2); /* the later one counts */
    assert_int_equal(read_text(&m, &t, NULL), LQ_OK);
    assert_int_equal(m.n, 2);
    check_entry(&m, "a.weight", 2, (const float[]){1.5f, 3});
    check_entry(&m, "b.weight", 1, (const float[]){5});
    assert_null(m.dataset);
    assert_int_equal(m.chunks, 0);
    imatrix_release(&m);

    put_u32(&t, 77);
    assert_int_equal(read_text(&m, &t, NULL), LQ_OK);
    assert_int_equal(m.chunks, 77);
    assert_null(m.dataset);
    imatrix_release(&m);

    put_u32(&t, 8);
    text_puts(&t, "text.txt");
    assert_int_equal(read_text(&m, &t, NULL), LQ_OK);
    assert_string_equal(m.dataset, "text.txt");
    imatrix_release(&m);
    text_free(&t);
}

static void test_legacy_division(void **state)
{
    static const float sums[] = {1, 1e-45f, 3e38f};
    struct text t = {0};
    struct imatrix m = {0};
    (void)state;
    put_u32(&t, 1);
    put_entry(&t, "w", 16777217, 3, sums); /* the divisor as a float: 16777216 */
    assert_int_equal(read_text(&m, &t, NULL), LQ_OK);
    check_entry(&m, "w", 3, (const float[]){0x1p-24f, 1e-45f / 16777216.0f, 3e38f / 16777216.0f});
    imatrix_release(&m);
    text_free(&t);
}

static void test_legacy_refused(void **state)
{
    static const float a[] = {1, 2};
    struct text t = {0};
    (void)state;
    refuse_matrix(&t, "cut off");
    put_u32(&t, 0);
    refuse_matrix(&t, "number of entries is 0");
    put_u32(&t, 0x7fffffff);
    refuse_matrix(&t, "cut off");
    put_u32(&t, 1);
    put_u32(&t, 0xffffffff);
    refuse_matrix(&t, "length of a name is -1");
    put_u32(&t, 1);
    put_u32(&t, 0x7fffffff);
    text_puts(&t, "name");
    refuse_matrix(&t, "more than what follows");
    put_u32(&t, 1);
    put_entry(&t, "w", 1, 0, a);
    refuse_matrix(&t, "number of values is 0");
    put_u32(&t, 1);
    put_u32(&t, 1);
    text_puts(&t, "w");
    put_u32(&t, 1);
    put_u32(&t, 0x7fffffff);
    put_u32(&t, 0);
    refuse_matrix(&t, "do not fit into the rest");
    put_u32(&t, 2);
    put_entry(&t, "w", 1, 2, a);
    refuse_matrix(&t, "cut off");
    put_u32(&t, 1);
    put_entry(&t, "w", 1, 2, a);
    put_u16(&t, 1);
    refuse_matrix(&t, "cut off");
}

/* ---- GGUF ---- */

struct matrix_tensor {
    const char *name;
    uint64_t cols, rows;
    const float *values;
};

/* A GGUF matrix; `keys` of 3: all that it must have. */
static void put_matrix(struct text *t, int keys, size_t n, const struct matrix_tensor *tensors)
{
    uint64_t at = 0;
    put_gguf(t, 3, n, (uint64_t)keys);
    if (keys > 0) {
        put_meta(t, "imatrix.datasets", META_ARRAY);
        put_u32(t, META_STRING);
        put_u64(t, 2);
        put_string(t, "first");
        put_string(t, "second");
    }
    if (keys > 1)
        put_meta_u32(t, "imatrix.chunk_count", 9);
    if (keys > 2)
        put_meta_u32(t, "imatrix.chunk_size", 512);
    for (size_t i = 0; i < n; i++) {
        const uint64_t ne[] = {tensors[i].cols, tensors[i].rows};
        put_tensor(t, tensors[i].name, 2, ne, LQ_TYPE_F32, at);
        at += (ne[0] * ne[1] * 4 + 31) / 32 * 32;
    }
    for (size_t i = 0; i < n; i++) {
        put_padding(t, 32);
        text_put(t, tensors[i].values, (size_t)(tensors[i].cols * tensors[i].rows) * 4);
    }
    put_padding(t, 32);
}

static void test_gguf(void **state)
{
    static const float sums[] = {1, 2, 3, 4, 5, 6}, counts[] = {2, 0, 2.5f}, one[] = {4};
    const struct matrix_tensor tensors[] = {
        {"w.counts", 1, 3, counts}, {"w.in_sum2", 2, 3, sums}, {"other", 2, 3, sums},
        {"v.in_sum2", 6, 1, sums},  {"v.counts", 1, 1, one}};
    struct text t = {0};
    struct imatrix m = {0};
    (void)state;
    put_matrix(&t, 3, 5, tensors);
    assert_int_equal(read_text(&m, &t, NULL), LQ_OK);
    assert_int_equal(m.n, 2);
    /* Each expert by its own count; unused ones are 1; counts are rounded, halves away from 0. */
    check_entry(&m, "w", 6, (const float[]){0.5f, 1, 1, 1, 5.0f / 3, 2});
    check_entry(&m, "v", 6, (const float[]){0.25f, 0.5f, 0.75f, 1, 1.25f, 1.5f});
    assert_string_equal(m.dataset, "first");
    assert_int_equal(m.chunks, 9);
    imatrix_release(&m);
    text_free(&t);
}

static void test_gguf_refused(void **state)
{
    static const float v[] = {1, 2, 3, 4, 5, 6};
    static const float odd[] = {NAN, 1};
    struct text t = {0};
    (void)state;
    put_matrix(&t, 2, 2, (const struct matrix_tensor[]){{"w.counts", 1, 1, v}, {"w.in_sum2", 2, 1, v}});
    refuse_matrix(&t, "imatrix.chunk_size");
    put_matrix(&t, 3, 0, NULL);
    refuse_matrix(&t, "no entries");
    put_matrix(&t, 3, 1, (const struct matrix_tensor[]){{"w.counts", 1, 1, v}});
    refuse_matrix(&t, "w.counts: ");
    put_matrix(&t, 3, 1, (const struct matrix_tensor[]){{"w.in_sum2", 2, 1, v}});
    refuse_matrix(&t, "counts that belong to it are missing");
    put_matrix(&t, 3, 2, (const struct matrix_tensor[]){{"w.counts", 1, 2, v}, {"w.in_sum2", 3, 1, v}});
    refuse_matrix(&t, "does not divide");
    put_matrix(&t, 3, 2, (const struct matrix_tensor[]){{"w.counts", 0, 1, v}, {"w.in_sum2", 3, 1, v}});
    refuse_matrix(&t, "does not divide");
    put_matrix(&t, 3, 2, (const struct matrix_tensor[]){{"w.counts", 1, 2, odd}, {"w.in_sum2", 2, 2, v}});
    refuse_matrix(&t, "no whole number");
}

/* ---- choice and checks ---- */

static void make(struct imatrix *m, float bad)
{
    static const char *const names[] = {"blk.0.attn_q.weight", "blk.0.ffn_up.weight",
                                        "blk.1.attn_q.weight"};
    struct text t = {0};
    put_u32(&t, 3);
    for (int i = 0; i < 3; i++) {
        const float values[] = {1, i == 1 ? bad : 0};
        put_entry(&t, names[i], 1, 2, values);
    }
    assert_int_equal(read_text(m, &t, NULL), LQ_OK);
    text_free(&t);
}

static void test_choice(void **state)
{
    struct imatrix m = {0};
    (void)state;
    make(&m, 1);
    imatrix_include(&m, (const char *const[]){"ffn", "blk.1"}, 2);
    assert_int_equal(m.n, 2);
    assert_non_null(imatrix_find(&m, "blk.0.ffn_up.weight"));
    assert_non_null(imatrix_find(&m, "blk.1.attn_q.weight"));
    assert_null(imatrix_find(&m, "blk.0.attn_q.weight"));
    imatrix_exclude(&m, (const char *const[]){"none", "ffn"}, 2);
    assert_int_equal(m.n, 1);
    imatrix_exclude(&m, (const char *const[]){"blk"}, 1);
    assert_int_equal(m.n, 0);
    assert_null(imatrix_find(&m, "blk.1.attn_q.weight"));
    imatrix_release(&m);
}

static void test_values(void **state)
{
    static const float bad[] = {-1, NAN, INFINITY, -INFINITY};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct imatrix m = {0};
        lq_error err = {0};
        make(&m, bad[i]);
        assert_int_equal(imatrix_check(&m, &err), LQ_E_MODEL);
        assert_string_equal(err.tensor, "blk.0.ffn_up.weight");
        assert_non_null(strstr(err.message, "index 1"));
        imatrix_exclude(&m, (const char *const[]){"ffn_up"}, 1);
        assert_int_equal(imatrix_check(&m, &err), LQ_OK);
        imatrix_release(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_legacy),         cmocka_unit_test(test_legacy_division),
        cmocka_unit_test(test_legacy_refused), cmocka_unit_test(test_gguf),
        cmocka_unit_test(test_gguf_refused),   cmocka_unit_test(test_choice),
        cmocka_unit_test(test_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
