/* test_gguf.c -- reading GGUF. */
#include "formats/gguf.h"
#include "tests/unit/format_support.h"

/* ---- what is read ---- */

static void every_metadata_type_is_read(void **state)
{
    (void)state;
    struct text t = {0};
    put_gguf(&t, 3, 0, 12);
    put_meta(&t, "u8", META_U8), put_u8(&t, 200);
    put_meta(&t, "i8", META_I8), put_u8(&t, 0xfe);
    put_meta(&t, "u16", META_U16), put_u16(&t, 60000);
    put_meta(&t, "i16", META_I16), put_u16(&t, 0xfffe);
    put_meta_u32(&t, "u32", 4000000000u);
    put_meta(&t, "i32", META_I32), put_u32(&t, 0xfffffffe);
    put_meta(&t, "f32", META_F32), put_f32(&t, 0.1f);
    put_meta(&t, "bool", META_BOOL), put_u8(&t, 1);
    put_meta_string(&t, "string", "text");
    put_meta(&t, "u64", META_U64), put_u64(&t, UINT64_MAX);
    put_meta(&t, "i64", META_I64), put_u64(&t, (uint64_t)-2);
    put_meta(&t, "f64", META_F64), put_u64(&t, 0x3ff8000000000000);
    struct opened *const o = open_good(&t);
    assert_int_equal(o->c.n_meta, 12);
    assert_int_equal(o->c.meta[0].v.u64, 200);
    assert_int_equal(o->c.meta[1].v.i64, -2);
    assert_int_equal(o->c.meta[2].v.u64, 60000);
    assert_int_equal(o->c.meta[3].v.i64, -2);
    assert_int_equal(o->c.meta[4].v.u64, 4000000000u);
    assert_int_equal(o->c.meta[5].v.i64, -2);
    assert_true(o->c.meta[6].v.f64 == (double)0.1f);
    assert_int_equal(o->c.meta[7].v.u64, 1);
    assert_string_equal(o->c.meta[8].v.string.data, "text");
    assert_true(o->c.meta[9].v.u64 == UINT64_MAX);
    assert_int_equal(o->c.meta[10].v.i64, -2);
    assert_true(o->c.meta[11].v.f64 == 1.5);
    assert_ptr_equal(o->c.format, &format_gguf);
    assert_int_equal(o->c.version, 3);
    assert_int_equal(o->c.alignment, 32);
    close_opened(o);
}

static void arrays_of_every_element_type_are_read(void **state)
{
    (void)state;
    struct text t = {0};
    put_gguf(&t, 3, 0, META_TYPE_COUNT - 1);
    for (unsigned type = 0; type < META_TYPE_COUNT; type++) {
        char key[8];
        if (type == META_ARRAY)
            continue;
        snprintf(key, sizeof key, "a%u", type);
        put_meta(&t, key, META_ARRAY);
        put_u32(&t, type);
        put_u64(&t, 3);
        if (type == META_STRING) {
            put_string(&t, "one");
            put_string(&t, "");
            put_u64(&t, 3), text_put(&t, "a\0b", 3);
        } else {
            for (size_t i = 0; i < 3 * meta_type_size(type); i++)
                put_u8(&t, type == META_BOOL ? i & 1 : i + 1);
        }
    }
    struct opened *const o = open_good(&t);
    for (size_t i = 0; i < o->c.n_meta; i++) {
        const struct meta *const m = &o->c.meta[i];
        assert_int_equal(m->type, META_ARRAY);
        assert_int_equal(m->v.array.count, 3);
        if (m->element_type == META_STRING) {
            const struct bytes *const s = m->v.array.data;
            assert_string_equal(s[0].data, "one");
            assert_int_equal(s[1].len, 0);
            assert_int_equal(s[2].len, 3);
            assert_memory_equal(s[2].data, "a\0b", 4);
        } else if (m->element_type != META_BOOL) {
            const unsigned char *const p = m->v.array.data;
            assert_int_equal(p[0], 1);
            assert_int_equal(p[3 * meta_type_size(m->element_type) - 1],
                             3 * meta_type_size(m->element_type));
        }
    }
    close_opened(o);
}

static void shapes_are_turned_to_outermost_first(void **state)
{
    (void)state;
    struct text t = {0};
    put_gguf(&t, 3, 2, 0);
    put_tensor(&t, "w", 3, (const uint64_t[]){64, 3, 2}, LQ_TYPE_Q8_0, 0);
    put_tensor(&t, "scalar", 0, NULL, LQ_TYPE_F32, 416);
    put_padding(&t, 32);
    const uint64_t data = t.len;
    put_zeros(&t, 420);
    struct opened *const o = open_good(&t);
    const struct tensor *const w = catalog_find(&o->c, "w");
    assert_int_equal(w->rank, 3);
    assert_int_equal(w->dim[0], 2);
    assert_int_equal(w->dim[2], 64);
    assert_int_equal(w->elements, 384);
    assert_int_equal(w->bytes, 2 * 3 * 2 * 34);
    assert_int_equal(w->offset, data);
    const struct tensor *const s = catalog_find(&o->c, "scalar");
    assert_int_equal(s->rank, 0);
    assert_int_equal(s->bytes, 4);
    assert_int_equal(tensor_cols(s), 1);
    assert_int_equal(tensor_rows(s), 1);
    close_opened(o);
}

static void version_1_has_narrow_lengths(void **state)
{
    (void)state;
    struct text t = {0};
    text_puts(&t, "GGUF");
    put_u32(&t, 1), put_u32(&t, 1), put_u32(&t, 2);
    put_u32(&t, 3), text_puts(&t, "key"), put_u32(&t, META_STRING), put_u32(&t, 2),
        text_puts(&t, "ab");
    put_u32(&t, 1), text_puts(&t, "a"), put_u32(&t, META_ARRAY), put_u32(&t, META_U16),
        put_u32(&t, 2);
    put_u16(&t, 7), put_u16(&t, 9);
    put_u32(&t, 1), text_puts(&t, "t"), put_u32(&t, 2), put_u32(&t, 4), put_u32(&t, 3);
    put_u32(&t, LQ_TYPE_F32), put_u64(&t, 0);
    put_padding(&t, 32);
    put_zeros(&t, 48);
    struct opened *const o = open_good(&t);
    assert_int_equal(o->c.version, 1);
    assert_string_equal(catalog_meta_string(&o->c, "key"), "ab");
    assert_int_equal(((const uint16_t *)catalog_meta_array(&o->c, "a", META_U16)->v.array.data)[1],
                     9);
    assert_int_equal(o->c.tensors[0].dim[0], 3);
    assert_int_equal(o->c.tensors[0].dim[1], 4);
    close_opened(o);
}

static void big(struct text *t, uint64_t v, size_t size)
{
    for (size_t i = size; i-- > 0;)
        put_u8(t, (unsigned)(v >> 8 * i) & 0xff);
}

static void big_endian_files_are_read_into_host_order(void **state)
{
    (void)state;
    struct text t = {0};
    text_puts(&t, "GGUF");
    big(&t, 3, 4), big(&t, 1, 8), big(&t, 2, 8);
    big(&t, 1, 8), text_puts(&t, "k"), big(&t, META_I16, 4), big(&t, 0xfffe, 2);
    big(&t, 1, 8), text_puts(&t, "a"), big(&t, META_ARRAY, 4), big(&t, META_U32, 4), big(&t, 2, 8);
    big(&t, 7, 4), big(&t, 0x01020304, 4);
    big(&t, 1, 8), text_puts(&t, "t"), big(&t, 1, 4), big(&t, 2, 8), big(&t, LQ_TYPE_F32, 4),
        big(&t, 0, 8);
    put_padding(&t, 32);
    big(&t, 0x3fc00000, 4), big(&t, 0xc0000000, 4);
    struct opened *const o = open_good(&t);
    float x[2];
    assert_true(o->c.big_endian);
    assert_int_equal(o->c.meta[0].v.i64, -2);
    assert_int_equal(((const uint32_t *)o->c.meta[1].v.array.data)[1], 0x01020304);
    assert_int_equal(catalog_read(&o->c, &o->c.tensors[0], x, 8, 0, NULL), LQ_OK);
    assert_true(x[0] == 1.5f && x[1] == -2.0f);
    close_opened(o);
}

static void tensors_may_lie_in_any_order_and_leave_gaps(void **state)
{
    (void)state;
    struct text t = {0};
    put_gguf(&t, 3, 3, 0);
    put_vector(&t, "last", 8, 128);
    put_vector(&t, "first", 8, 0);
    put_vector(&t, "empty", 0, 0);
    put_padding(&t, 32);
    put_zeros(&t, 160);
    struct opened *const o = open_good(&t);
    assert_int_equal(o->c.tensors[0].offset - o->c.tensors[1].offset, 128);
    assert_int_equal(o->c.tensors[2].bytes, 0);
    close_opened(o);
}

static void the_padding_after_the_last_tensor_may_be_missing(void **state)
{
    (void)state;
    struct text t = {0};
    put_gguf(&t, 3, 1, 0);
    put_vector(&t, "t", 3, 0);
    put_padding(&t, 32);
    put_zeros(&t, 12);
    close_opened(open_good(&t));
}

static void a_file_without_tensors_needs_no_padding(void **state)
{
    (void)state;
    struct text t = {0};
    put_gguf(&t, 3, 0, 1);
    put_meta_u32(&t, "k", 1);
    close_opened(open_good(&t));
    put_gguf(&t, 2, 0, 0);
    close_opened(open_good(&t));
}

static void the_alignment_of_the_file_is_used(void **state)
{
    (void)state;
    struct text t = {0};
    put_gguf(&t, 3, 1, 1);
    put_meta_u32(&t, "general.alignment", 256);
    put_vector(&t, "t", 1, 256);
    put_padding(&t, 256);
    put_zeros(&t, 260);
    struct opened *const o = open_good(&t);
    assert_int_equal(o->c.alignment, 256);
    assert_int_equal(o->c.tensors[0].offset, 512);
    close_opened(o);
}

static void names_longer_than_ggml_allows_are_read(void **state)
{
    (void)state;
    char name[201];
    memset(name, 'n', 200);
    name[200] = '\0';
    struct text t = {0};
    put_gguf(&t, 3, 1, 0);
    put_vector(&t, name, 0, 0);
    put_padding(&t, 32);
    struct opened *const o = open_good(&t);
    assert_string_equal(o->c.tensors[0].name, name);
    close_opened(o);
}

/* ---- what is remarked ---- */

static void remark(struct text *t, size_t long_names, uint64_t hidden, uint64_t dirty)
{
    struct opened *const o = open_good(t);
    struct gguf_remarks r;
    lq_error err;
    assert_int_equal(gguf_remarks(&r, &o->c, &err), LQ_OK);
    assert_int_equal(r.long_names, long_names);
    assert_int_equal(r.hidden, hidden);
    assert_int_equal(r.dirty, dirty);
    close_opened(o);
}

static void names_that_ggml_refuses_are_counted(void **state)
{
    (void)state;
    char name[65];
    memset(name, 'n', 64);
    name[64] = '\0';
    struct text t = {0};
    put_gguf(&t, 3, 2, 0);
    put_vector(&t, name, 0, 0);
    put_vector(&t, name + 1, 0, 0); /* 63 bytes */
    put_padding(&t, 32);
    remark(&t, 1, 0, 0);
}

/* Two vectors of 12 bytes, the second at `offset`. */
static void put_two(struct text *t, uint64_t offset)
{
    put_gguf(t, 3, 2, 0);
    put_vector(t, "a", 3, 0);
    put_vector(t, "b", 3, offset);
    put_padding(t, 32);
    put_zeros(t, offset + 12);
}

static void bytes_of_no_tensor_are_counted(void **state)
{
    (void)state;
    struct text t = {0};
    put_two(&t, 32);
    remark(&t, 0, 0, 0); /* without the last padding */
    put_two(&t, 32);
    put_padding(&t, 32);
    remark(&t, 0, 0, 0);
    put_two(&t, 32);
    put_padding(&t, 32);
    put_zeros(&t, 7);
    remark(&t, 0, 7, 0);
    put_two(&t, 96);
    remark(&t, 0, 64, 0);
    put_gguf(&t, 3, 0, 0);
    put_padding(&t, 32);
    put_zeros(&t, 5);
    remark(&t, 0, 5, 0);
}

static void padding_that_is_not_zero_is_counted(void **state)
{
    (void)state;
    struct text t = {0};
    put_gguf(&t, 3, 1, 0);
    put_vector(&t, "t", 3, 0);
    assert_true(t.len % 32 != 0);
    put_u8(&t, 1); /* behind the header */
    put_padding(&t, 32);
    put_zeros(&t, 12);
    put_u8(&t, 0), put_u8(&t, 2), put_u8(&t, 3); /* behind the tensor */
    put_padding(&t, 32);
    remark(&t, 0, 0, 3);
}

/* ---- the header is refused ---- */

static void other_magic_is_not_gguf(void **state)
{
    (void)state;
    struct source *s;
    struct catalog c = {0};
    lq_error err;
    assert_int_equal(source_open_memory(&s, "m", "GGUX\3\0\0\0", 8, &err), LQ_OK);
    assert_int_equal(format_gguf.open(&c, s, NULL, &err), LQ_E_FORMAT);
    assert_non_null(strstr(err.message, "does not begin with \"GGUF\""));
    catalog_release(&c);
}

static void unknown_versions_are_refused(void **state)
{
    (void)state;
    struct text t = {0};
    put_gguf(&t, 0, 0, 0);
    refuse(&t, "version 0");
    put_gguf(&t, 4, 0, 0);
    refuse_as(&t, LQ_E_UNSUPPORTED, "GGUF version 4; versions 1 to 3");
    put_gguf(&t, 0x04000000, 0, 0); /* version 4 in the other byte order */
    refuse_as(&t, LQ_E_UNSUPPORTED, "version 4");
}

static void a_file_cut_anywhere_in_its_header_is_refused(void **state)
{
    (void)state;
    struct text t = {0};
    put_gguf(&t, 3, 1, 3);
    put_meta_u32(&t, "general.alignment", 32);
    put_meta_string(&t, "s", "value");
    put_meta(&t, "a", META_ARRAY), put_u32(&t, META_STRING), put_u64(&t, 2);
    put_string(&t, "x"), put_string(&t, "yz");
    put_vector(&t, "t", 8, 0);
    put_padding(&t, 32);
    put_zeros(&t, 32);
    for (size_t n = 1; n < t.len; n++)
        check_refused(open_named("model", t.data, n, NULL), n < 4 ? LQ_E_UNSUPPORTED : LQ_E_FORMAT,
                      "");
    close_opened(open_good(&t));
}

static void counts_beyond_the_file_are_refused(void **state)
{
    (void)state;
    struct text t = {0};
    put_gguf(&t, 3, 0, 1000);
    put_zeros(&t, 100);
    refuse(&t, "at byte 16: 1000 metadata entries do not fit into 100 bytes");
    put_gguf(&t, 3, 1000, 0);
    put_zeros(&t, 100);
    refuse(&t, "at byte 8: 1000 tensors do not fit into 100 bytes");
    put_gguf(&t, 3, UINT64_MAX, 0);
    refuse(&t, "-1 tensors do not fit");
    put_gguf(&t, 3, 0, (uint64_t)1 << 63);
    refuse(&t, "metadata entries do not fit");
}

/* ---- metadata is refused ---- */

static void one_meta(struct text *t)
{
    put_gguf(t, 3, 0, 1);
}

static void strings_longer_than_the_file_are_refused(void **state)
{
    (void)state;
    struct text t = {0};
    one_meta(&t);
    put_u64(&t, 1000), put_zeros(&t, 50);
    refuse(&t, "at byte 24: a metadata key of 1000 bytes, but only 50 bytes follow");
    one_meta(&t);
    put_meta(&t, "k", META_STRING), put_u64(&t, UINT64_MAX - 7), put_zeros(&t, 50);
    refuse(&t, "a metadata string of 18446744073709551608 bytes");
    one_meta(&t);
    put_meta(&t, "k", META_ARRAY), put_u32(&t, META_STRING), put_u64(&t, 1), put_u64(&t, 9);
    refuse(&t, "a string in an array of 9 bytes, but only 0");
}

static void keys_must_be_there_once_and_plain(void **state)
{
    (void)state;
    struct text t = {0};
    one_meta(&t);
    put_meta_u32(&t, "", 1);
    refuse(&t, "metadata key 0 is empty");
    put_gguf(&t, 3, 0, 3);
    put_meta_u32(&t, "twice", 1), put_meta_u32(&t, "other", 1), put_meta_u32(&t, "twice", 2);
    refuse(&t, "the metadata key \"twice\" appears twice");
    one_meta(&t);
    put_u64(&t, 3), text_put(&t, "a\0b", 3), put_u32(&t, META_U8), put_u8(&t, 0);
    refuse(&t, "has the byte 0x00; keys are printable ASCII");
    one_meta(&t);
    put_meta_u32(&t, "k\xc3\xa9y", 1);
    refuse(&t, "has the byte 0xc3");
    one_meta(&t);
    put_u64(&t, 65536);
    for (int i = 0; i < 65536; i++)
        put_u8(&t, 'k');
    put_u32(&t, META_U8), put_u8(&t, 0);
    refuse(&t, "has 65536 bytes; at most 65535");
}

static void unknown_value_types_are_refused(void **state)
{
    (void)state;
    struct text t = {0};
    one_meta(&t);
    put_meta(&t, "k", 13), put_u64(&t, 0);
    refuse(&t, "metadata \"k\" has the unknown value type 13");
    one_meta(&t);
    put_meta(&t, "k", META_ARRAY), put_u32(&t, 13), put_u64(&t, 0);
    refuse(&t, "array of the unknown value type 13");
    one_meta(&t);
    put_meta(&t, "k", META_ARRAY), put_u32(&t, META_ARRAY), put_u64(&t, 1), put_u32(&t, META_U8),
        put_u64(&t, 0);
    refuse(&t, "array of arrays");
}

static void arrays_longer_than_the_file_are_refused(void **state)
{
    (void)state;
    static const struct {
        uint32_t type;
        uint64_t count;
    } cases[] = {
        {META_U8,     101 },
        {META_U32,    26  },
        {META_F64,    13  },
        {META_STRING, 13  },
        {META_U64,    1000}
    };
    struct text t = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        one_meta(&t);
        put_meta(&t, "k", META_ARRAY), put_u32(&t, cases[i].type), put_u64(&t, cases[i].count);
        put_zeros(&t, 100);
        refuse(&t, "but only 100 bytes follow");
    }
    one_meta(&t);
    put_meta(&t, "k", META_ARRAY), put_u32(&t, META_U64), put_u64(&t, (uint64_t)1 << 61);
    refuse(&t, "at most 1073741824 are allowed");
}

static void a_bool_is_0_or_1(void **state)
{
    (void)state;
    struct text t = {0};
    one_meta(&t);
    put_meta(&t, "k", META_BOOL), put_u8(&t, 2);
    refuse(&t, "a bool is 0 or 1, not 2");
    one_meta(&t);
    put_meta(&t, "k", META_ARRAY), put_u32(&t, META_BOOL), put_u64(&t, 2), put_u8(&t, 1),
        put_u8(&t, 255);
    refuse(&t, "a bool is 0 or 1, not 255");
}

static void the_alignment_must_be_a_power_of_two_of_type_u32(void **state)
{
    (void)state;
    static const uint32_t bad[] = {0, 3, 24, 33, 1 << 21, 0x80000000};
    struct text t = {0};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        one_meta(&t);
        put_meta_u32(&t, "general.alignment", bad[i]);
        refuse(&t, "a power of two up to 1048576 was expected");
    }
    one_meta(&t);
    put_meta(&t, "general.alignment", META_U64), put_u64(&t, 32);
    refuse(&t, "must be of type u32, not u64");
}

/* ---- tensors are refused ---- */

static void one_tensor(struct text *t)
{
    put_gguf(t, 3, 1, 0);
}

static void finish(struct text *t, size_t data)
{
    put_padding(t, 32);
    put_zeros(t, data);
}

static void tensor_names_must_be_there_once_and_plain(void **state)
{
    (void)state;
    struct text t = {0};
    one_tensor(&t);
    put_vector(&t, "", 1, 0), finish(&t, 32);
    refuse(&t, "a tensor has no name");
    put_gguf(&t, 3, 2, 0);
    put_vector(&t, "same", 1, 0), put_vector(&t, "same", 1, 32), finish(&t, 64);
    refuse(&t, "tensor same: two tensors have this name");
    one_tensor(&t);
    put_u64(&t, 3), text_put(&t, "a\0b", 3), put_u32(&t, 0), put_u32(&t, 0), put_u64(&t, 0),
        finish(&t, 32);
    refuse(&t, "control character 0x00");
    one_tensor(&t);
    put_vector(&t, "a\x1b[2J", 1, 0), finish(&t, 32);
    refuse(&t, "control character 0x1b");
    one_tensor(&t);
    put_vector(&t, "a\xff", 1, 0), finish(&t, 32);
    refuse(&t, "not valid UTF-8");
    one_tensor(&t);
    put_u64(&t, 4097);
    for (int i = 0; i < 4097; i++)
        put_u8(&t, 'n');
    put_u32(&t, 0), put_u32(&t, 0), put_u64(&t, 0), finish(&t, 32);
    refuse(&t, "4097 bytes; at most 4096");
}

static void more_than_four_dimensions_are_refused(void **state)
{
    (void)state;
    struct text t = {0};
    one_tensor(&t);
    put_tensor(&t, "t", 5, (const uint64_t[]){1, 1, 1, 1, 1}, LQ_TYPE_F32, 0), finish(&t, 32);
    refuse(&t, "tensor t: 5 dimensions; at most 4");
    one_tensor(&t);
    put_string(&t, "t"), put_u32(&t, 0xffffffff), finish(&t, 64);
    refuse(&t, "4294967295 dimensions");
}

static void shapes_that_overflow_are_refused(void **state)
{
    (void)state;
    static const struct {
        uint64_t ne[4];
        uint32_t type;
    } cases[] = {
  /* those that slip through ggml's check because the product wraps */
        {{INT64_MAX, 4, 1, 1},                         LQ_TYPE_I8  },
        {{(uint64_t)1 << 62, 4, 1, 1},                 LQ_TYPE_I8  },
        {{(uint64_t)1 << 61, 8, 1, 1},                 LQ_TYPE_F32 },
        {{(uint64_t)1 << 62, 2, 1, 1},                 LQ_TYPE_F32 },
        {{(uint64_t)1 << 32, (uint64_t)1 << 32, 0, 1}, LQ_TYPE_F32 }, /* a zero hides nothing */
        {{0, (uint64_t)1 << 32, (uint64_t)1 << 32, 2}, LQ_TYPE_F32 },
        {{(uint64_t)1 << 62, 1, 1, 1},                 LQ_TYPE_F64 },
        {{(uint64_t)1 << 40, (uint64_t)1 << 22, 4, 1}, LQ_TYPE_Q4_0},
    };
    struct text t = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        one_tensor(&t);
        put_tensor(&t, "t", 4, cases[i].ne, cases[i].type, 0), finish(&t, 32);
        refuse(&t, "tensor t: its shape has more elements than 64 bits can count");
    }
    one_tensor(&t);
    put_tensor(&t, "t", 2, (const uint64_t[]){(uint64_t)1 << 62, 2}, LQ_TYPE_I8, 0), finish(&t, 32);
    refuse(&t,
           "would end behind the end of the file"); /* 2^63 bytes: it fits 64 bits, but no file */
    one_tensor(&t);
    put_tensor(&t, "t", 2, (const uint64_t[]){INT64_MAX, 2}, LQ_TYPE_I8, 0), finish(&t, 32);
    refuse(&t, "would end behind the end of the file");
    one_tensor(&t);
    put_tensor(&t, "t", 1, (const uint64_t[]){(uint64_t)1 << 63}, LQ_TYPE_I8, 0), finish(&t, 32);
    refuse(&t, "a dimension is negative");
}

static void unknown_and_removed_types_are_named(void **state)
{
    (void)state;
    struct text t = {0};
    one_tensor(&t);
    put_tensor(&t, "t", 1, (const uint64_t[]){32}, 99, 0), finish(&t, 64);
    refuse_as(&t, LQ_E_UNSUPPORTED,
              "tensor t: stored as type 99, which this version does not know");
    one_tensor(&t);
    put_tensor(&t, "t", 1, (const uint64_t[]){32}, 31, 0), finish(&t, 64);
    refuse_as(&t, LQ_E_UNSUPPORTED, "stored as Q4_0_4_4 (type 31)");
    one_tensor(&t);
    put_tensor(&t, "t", 1, (const uint64_t[]){32}, LQ_TYPE_U8, 0), finish(&t, 64); /* not GGUF's */
    refuse_as(&t, LQ_E_UNSUPPORTED, "type 257");
    one_tensor(&t);
    put_tensor(&t, "t", 1, (const uint64_t[]){32}, 0xffffffff, 0), finish(&t, 64);
    refuse_as(&t, LQ_E_UNSUPPORTED, "type 4294967295");
}

static void rows_must_be_whole_blocks(void **state)
{
    (void)state;
    struct text t = {0};
    one_tensor(&t);
    put_tensor(&t, "t", 2, (const uint64_t[]){48, 2}, LQ_TYPE_Q4_0, 0), finish(&t, 64);
    refuse(&t, "rows of 48 elements are no whole number of Q4_0 blocks of 32 elements");
    one_tensor(&t);
    put_tensor(&t, "t", 0, NULL, LQ_TYPE_Q4_K, 0), finish(&t, 64);
    refuse(&t, "rows of 1 elements");
}

static void data_outside_the_file_is_refused(void **state)
{
    (void)state;
    struct text t = {0};
    one_tensor(&t);
    put_vector(&t, "t", 9, 0), finish(&t, 32);
    refuse(&t, "tensor t: its 36 bytes would end behind the end of the file, which has 96 bytes");
    one_tensor(&t);
    put_vector(&t, "t", 8, 32), finish(&t, 32);
    refuse(&t, "would end behind the end of the file");
    one_tensor(&t);
    put_vector(&t, "t", 8, UINT64_MAX - 31), finish(&t, 32);
    refuse(&t, "would end behind the end of the file"); /* offset + data wraps */
    one_tensor(&t);
    put_vector(&t, "t", 0, 0);
    refuse(&t, "the file ends before the tensors' data begins");
}

static void misaligned_data_is_refused(void **state)
{
    (void)state;
    struct text t = {0};
    one_tensor(&t);
    put_vector(&t, "t", 1, 4), finish(&t, 64);
    refuse(&t, "its offset 4 is not a multiple of the alignment 32");
}

static void tensors_that_share_bytes_are_refused(void **state)
{
    (void)state;
    struct text t = {0};
    put_gguf(&t, 3, 2, 0);
    put_vector(&t, "a", 16, 0), put_vector(&t, "b", 8, 32), finish(&t, 64);
    refuse(&t, "tensor b: its data overlaps that of tensor \"a\"");
    put_gguf(&t, 3, 2, 0);
    put_vector(&t, "a", 8, 0), put_vector(&t, "b", 8, 0), finish(&t, 64);
    refuse(&t, "overlaps");
}

/* ---- size ---- */

static void a_large_vocabulary_takes_memory_near_its_own_size(void **state)
{
    (void)state;
    enum { N = 262144 };
    struct text t = {0};
    put_gguf(&t, 3, 0, 1);
    put_meta(&t, "tokenizer.ggml.tokens", META_ARRAY), put_u32(&t, META_STRING), put_u64(&t, N);
    for (unsigned i = 0; i < N; i++) {
        char token[16];
        snprintf(token, sizeof token, "token%u", i);
        put_string(&t, token);
    }
    struct opened *const o = open_good(&t);
    const struct bytes *const s = o->c.meta[0].v.array.data;
    assert_int_equal(o->c.meta[0].v.array.count, N);
    assert_string_equal(s[N - 1].data, "token262143");
    /* packed: a token follows the one before it and its NUL, but for where a pool ends */
    unsigned together = 0;
    for (unsigned i = 1; i < N; i++)
        together += s[i].data == s[i - 1].data + s[i - 1].len + 1;
    assert_true(together > N - N / 1000);
    close_opened(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_metadata_type_is_read),
        cmocka_unit_test(arrays_of_every_element_type_are_read),
        cmocka_unit_test(shapes_are_turned_to_outermost_first),
        cmocka_unit_test(version_1_has_narrow_lengths),
        cmocka_unit_test(big_endian_files_are_read_into_host_order),
        cmocka_unit_test(tensors_may_lie_in_any_order_and_leave_gaps),
        cmocka_unit_test(the_padding_after_the_last_tensor_may_be_missing),
        cmocka_unit_test(a_file_without_tensors_needs_no_padding),
        cmocka_unit_test(the_alignment_of_the_file_is_used),
        cmocka_unit_test(names_longer_than_ggml_allows_are_read),
        cmocka_unit_test(names_that_ggml_refuses_are_counted),
        cmocka_unit_test(bytes_of_no_tensor_are_counted),
        cmocka_unit_test(padding_that_is_not_zero_is_counted),
        cmocka_unit_test(other_magic_is_not_gguf),
        cmocka_unit_test(unknown_versions_are_refused),
        cmocka_unit_test(a_file_cut_anywhere_in_its_header_is_refused),
        cmocka_unit_test(counts_beyond_the_file_are_refused),
        cmocka_unit_test(strings_longer_than_the_file_are_refused),
        cmocka_unit_test(keys_must_be_there_once_and_plain),
        cmocka_unit_test(unknown_value_types_are_refused),
        cmocka_unit_test(arrays_longer_than_the_file_are_refused),
        cmocka_unit_test(a_bool_is_0_or_1),
        cmocka_unit_test(the_alignment_must_be_a_power_of_two_of_type_u32),
        cmocka_unit_test(tensor_names_must_be_there_once_and_plain),
        cmocka_unit_test(more_than_four_dimensions_are_refused),
        cmocka_unit_test(shapes_that_overflow_are_refused),
        cmocka_unit_test(unknown_and_removed_types_are_named),
        cmocka_unit_test(rows_must_be_whole_blocks),
        cmocka_unit_test(data_outside_the_file_is_refused),
        cmocka_unit_test(misaligned_data_is_refused),
        cmocka_unit_test(tensors_that_share_bytes_are_refused),
        cmocka_unit_test(a_large_vocabulary_takes_memory_near_its_own_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
