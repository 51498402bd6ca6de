/* test_digest.c -- the content digest: its tree, what it depends on, and what it does not. */
#include "libquant/base/bytes.h"
#include "libquant/base/hash.h"
#include "libquant/trust/content_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- models in memory ---- */

struct model {
    struct catalog c;
    uint64_t dim[8][2];
};

static void add_file(struct model *m, const void *data, size_t n)
{
    struct file *const f = catalog_add_file(&m->c);
    assert_int_equal(source_open_memory(&f->source, "memory", data, n, NULL), LQ_OK);
    f->name = "memory";
    f->size = n;
}

static struct tensor *add_tensor(struct model *m, const char *name, const struct type_info *type,
                                 uint64_t rows, uint64_t cols, uint64_t offset)
{
    uint64_t *const dim = m->dim[m->c.n_tensors];
    struct tensor *const t = catalog_add_tensor(&m->c);
    dim[0] = rows;
    dim[1] = cols;
    *t = (struct tensor){.name = name, .type = type, .rank = 2, .dim = dim, .offset = offset,
                         .file = (uint32_t)m->c.n_files - 1};
    assert_true(tensor_measure(t));
    return t;
}

static void digest_of(const struct model *m, uint8_t digest[32])
{
    uint8_t again[32];
    assert_int_equal(digest_content(&m->c, 1, NULL, digest, NULL), LQ_OK);
    assert_int_equal(digest_content(&m->c, 3, NULL, again, NULL), LQ_OK);
    assert_memory_equal(digest, again, 32);
}

static void expect(const struct model *a, const struct model *b, bool same)
{
    uint8_t x[32], y[32];
    digest_of(a, x);
    digest_of(b, y);
    assert_int_equal(memcmp(x, y, 32) == 0, same);
}

/* ---- the tree ---- */

/* As RFC 6962 words it. */
static void tree(uint8_t (*leaves)[32], size_t n, uint8_t out[32])
{
    uint8_t node[65] = {1};
    size_t k = 1;
    if (n == 1) {
        memcpy(out, leaves[0], 32);
        return;
    }
    while (2 * k < n)
        k *= 2;
    tree(leaves, k, node + 1);
    tree(leaves + k, n - k, node + 33);
    assert_int_equal(sha256_of(node, sizeof node, out, NULL), LQ_OK);
}

static void any_number_of_leaves_makes_the_tree_of_rfc_6962(void **state)
{
    const struct tensor t = {.name = "w"};
    (void)state;
    for (size_t n = 1; n <= 20; n++) {
        uint8_t leaves[20][32], root[32], expected[32], head[8 + 1 + 8 + 1 + 8 + 8 + 32 + 1] = {2};
        struct digest_entry e;
        const uint64_t bytes = (n - 1) * DIGEST_LEAF + 1, one = 1, none = 0;
        for (size_t i = 0; i < n; i++)
            assert_int_equal(sha256_of(&i, sizeof i, leaves[i], NULL), LQ_OK);
        tree(leaves, n, root);
        memcpy(head + 1, &one, 8), head[9] = 'w';
        memcpy(head + 10, &one, 8), head[18] = 'X';
        memcpy(head + 19, &none, 8);
        memcpy(head + 27, &bytes, 8);
        memcpy(head + 35, root, 32);
        assert_int_equal(sha256_of(head, sizeof head, expected, NULL), LQ_OK);
        assert_int_equal(digest_tensor(&e, &t, "X", bytes, leaves, NULL), LQ_OK);
        assert_memory_equal(e.sha256, expected, 32);
    }
}

static void a_stream_in_pieces_of_any_size_has_the_same_digest(void **state)
{
    enum { COLS = 1000, ROWS = 1500 };
    static const size_t pieces[] = {1 << 20, 1000003, 4096, 77777};
    struct model m = {0};
    uint8_t *const data = malloc(ROWS * COLS * 4);
    uint8_t expected[32], digest[32];
    (void)state;
    for (size_t i = 0; i < ROWS * COLS * 4; i++)
        data[i] = (uint8_t)(i * 2654435761u >> 13);
    add_file(&m, data, ROWS * COLS * 4);
    add_tensor(&m, "b", &type_F32, 1400, COLS, 0);
    add_tensor(&m, "empty", &type_F32, 0, COLS, 0);
    add_tensor(&m, "a", &type_F32, 100, COLS, 1400 * COLS * 4);
    digest_of(&m, expected);
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
        struct digest_entry entries[3] = {{0}};
        struct content_stream s = {.c = &m.c, .entries = entries};
        for (size_t i = 0; i < 3; i++) {
            const struct tensor *const t = &m.c.tensors[i];
            for (uint64_t at = 0; at < t->bytes; at += pieces[p])
                assert_int_equal(
                    content_stream_put(&s, i, data + t->offset + at,
                                       t->bytes - at < pieces[p] ? t->bytes - at : pieces[p], NULL,
                                       NULL),
                    LQ_OK);
        }
        assert_int_equal(content_stream_digest(&m.c, entries, digest, NULL), LQ_OK);
        assert_memory_equal(digest, expected, 32);
        content_stream_release(&s);
    }
    catalog_release(&m.c);
    free(data);
}

/* ---- what it depends on ---- */

static const uint8_t data[64] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static void two_tensors(struct model *m, const char *first)
{
    add_file(m, data, sizeof data);
    add_tensor(m, first, &type_F32, 2, 4, 0);
    add_tensor(m, "b", &type_F32, 1, 8, 32);
}

static void order_files_and_offsets_do_not_matter(void **state)
{
    struct model a = {0}, b = {0};
    (void)state;
    two_tensors(&a, "a");
    add_file(&b, data + 32, 32);
    add_tensor(&b, "b", &type_F32, 1, 8, 0);
    add_file(&b, data, 40);
    add_tensor(&b, "a", &type_F32, 2, 4, 0);
    expect(&a, &b, true);
    catalog_release(&a.c);
    catalog_release(&b.c);
}

static void names_types_shapes_and_bytes_do(void **state)
{
    (void)state;
    for (int change = 0; change < 5; change++) {
        struct model a = {0}, b = {0};
        two_tensors(&a, "a");
        two_tensors(&b, change == 0 ? "A" : "a");
        struct tensor *const t = &b.c.tensors[0];
        if (change == 1)
            t->type = &type_I32;
        if (change == 2)
            b.dim[0][0] = 4, b.dim[0][1] = 2;
        if (change == 3)
            t->offset = 4;
        if (change == 4)
            add_tensor(&b, "c", &type_F32, 0, 4, 0);
        expect(&a, &b, false);
        catalog_release(&a.c);
        catalog_release(&b.c);
    }
}

static void big_endian_files_have_the_digest_of_their_little_endian_twins(void **state)
{
    struct model a = {0}, b = {0};
    uint8_t swapped[64];
    (void)state;
    memcpy(swapped, data, sizeof data);
    bytes_swap(swapped, 16, 4);
    two_tensors(&a, "a");
    add_file(&b, swapped, sizeof swapped);
    add_tensor(&b, "a", &type_F32, 2, 4, 0);
    add_tensor(&b, "b", &type_F32, 1, 8, 32);
    b.c.big_endian = true;
    expect(&a, &b, true);
    catalog_release(&a.c);
    catalog_release(&b.c);
}

static void two_tensors_of_one_name_have_no_digest(void **state)
{
    struct model m = {0};
    uint8_t digest[32];
    lq_error err = {0};
    (void)state;
    two_tensors(&m, "b");
    assert_int_equal(digest_content(&m.c, 1, NULL, digest, &err), LQ_E_FORMAT);
    assert_string_equal(err.tensor, "b");
    catalog_release(&m.c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_leaves_makes_the_tree_of_rfc_6962),
        cmocka_unit_test(a_stream_in_pieces_of_any_size_has_the_same_digest),
        cmocka_unit_test(order_files_and_offsets_do_not_matter),
        cmocka_unit_test(names_types_shapes_and_bytes_do),
        cmocka_unit_test(big_endian_files_have_the_digest_of_their_little_endian_twins),
        cmocka_unit_test(two_tensors_of_one_name_have_no_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
