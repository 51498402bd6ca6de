/* test_quantize.c -- plans of quantization: order, metadata, pruning, files, refusals, and one run. */
#include "tests/unit/format_support.h"
#include "tests/unit/temp_folder.h"

#include "libquant/convert/quantize.h"

/* ---- a source: two or three layers of attn_v and a norm, in an order that is not the output's ---- */

enum { COLS = 256 };

static void add_tensor(struct text *t, const char *name, uint64_t rows, uint32_t type, uint64_t *at)
{
    const uint64_t ne[] = {COLS, rows};
    const uint64_t bytes = type == LQ_TYPE_Q8_0 ? COLS / 32 * 34 * rows
                           : type == LQ_TYPE_F16 ? 2 * COLS * rows
                                                 : 4 * COLS * rows;
    put_tensor(t, name, rows > 1 ? 2 : 1, ne, type, *at);
    *at += (bytes + 31) / 32 * 32;
}

/* With `stated` the file says its type; `type` is that of the matrices. */
static struct opened *source(bool stated, uint32_t type)
{
    static const char *const names[] = {
        "token_embd.weight",   "blk.10.attn_v.weight", "blk.2.attn_v.weight",
        "blk.2.attn_norm.weight", "blk.0.attn_v.weight", "output_norm.weight"};
    struct text t = {0};
    uint64_t at = 0;
    put_gguf(&t, 3, 6, stated ? 7 : 6);
    put_meta_string(&t, "general.architecture", "llama");
    put_meta_u32(&t, "general.quantization_version", 1);
    put_meta_u32(&t, "llama.block_count", 11);
    if (stated)
        put_meta_u32(&t, "general.file_type", 17);
    put_meta(&t, "split.count", META_U16);
    put_u16(&t, 1);
    put_meta_string(&t, "general.name", "Name");
    put_meta(&t, "llama.numbers", META_ARRAY);
    put_u32(&t, META_I32);
    put_u64(&t, 2);
    put_u32(&t, 7);
    put_u32(&t, 8);
    for (size_t i = 0; i < 6; i++)
        add_tensor(&t, names[i], strstr(names[i], "norm") ? 1 : 4,
                   strstr(names[i], "norm") ? LQ_TYPE_F32 : type, &at);
    put_padding(&t, 32);
    put_zeros(&t, (size_t)at);
    return open_good(&t);
}

static struct quantize_plan plan(const struct opened *o, const struct quantize_options *options)
{
    struct quantize_plan p = {0};
    lq_error err;
    if (quantize_plan(&p, &o->c, "out.gguf", options, &err) != LQ_OK)
        fail_msg("%s", err.message);
    return p;
}

static void check_names(const struct quantize_plan *p, size_t n, const char *const *names)
{
    assert_int_equal(p->output.catalog.n_tensors, n);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(p->output.catalog.tensors[i].name, names[i]);
}

/* Keys in their order, and the u32 among their values. */
static void check_meta(const struct quantize_plan *p, const char *expected)
{
    struct text t = {0};
    for (size_t i = 0; i < p->output.catalog.n_meta; i++) {
        const struct meta *const m = &p->output.catalog.meta[i];
        text_puts(&t, m->key);
        if (m->type == META_U32)
            text_printf(&t, "=%u", (unsigned)m->v.u64);
        if (m->type == META_STRING)
            text_printf(&t, "=%s", m->v.string.data);
        if (m->type == META_F32)
            text_printf(&t, "=%g", m->v.f64);
        if (m->type == META_BOOL)
            text_printf(&t, "=%s", m->v.u64 ? "true" : "false");
        text_putc(&t, '\n');
    }
    assert_string_equal(t.data, expected);
    text_free(&t);
}

/* ---- order and metadata ---- */

static void test_order(void **state)
{
    static const char *const names[] = {"output_norm.weight",     "token_embd.weight",
                                        "blk.0.attn_v.weight",    "blk.2.attn_norm.weight",
                                        "blk.2.attn_v.weight",    "blk.10.attn_v.weight"};
    (void)state;
    struct opened *const o = source(true, LQ_TYPE_F16);
    const struct quantize_options options = {.recipe.mix = mix_by_name("Q4_K_M")};
    struct quantize_plan p = plan(o, &options);
    check_names(&p, 6, names);
    check_meta(&p, "general.architecture=llama\nllama.block_count=11\ngeneral.name=Name\n"
                   "llama.numbers\ngeneral.quantization_version=2\ngeneral.file_type=15\n");
    assert_ptr_equal(p.output.catalog.tensors[1].type, &type_Q6_K);
    assert_ptr_equal(p.output.catalog.tensors[3].type, &type_F32);
    assert_int_equal(p.n_quantized, 4);
    assert_int_equal(p.elements, (4 * 4 + 2) * COLS);
    quantize_release(&p);
    close_opened(o);
}

static void test_overrides(void **state)
{
    static const char *const texts[] = {"general.name=str:Other", "a.int=int:-7",
                                        "a.float=float:2.5", "a.bool=bool:true",
                                        "general.name=str:Last", "llama.block_count=int:12"};
    struct kv_override overrides[6];
    (void)state;
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(kv_override_parse(&overrides[i], texts[i], NULL), LQ_OK);
    assert_true(overrides[1].negative);
    struct opened *const o = source(true, LQ_TYPE_F16);
    const struct quantize_options options = {
        .recipe.mix = mix_by_name("Q8_0"), .overrides = overrides, .n_overrides = 6};
    struct quantize_plan p = plan(o, &options);
    check_meta(&p, "general.architecture=llama\nllama.numbers\ngeneral.quantization_version=2\n"
                   "general.file_type=7\na.int=7\na.float=2.5\na.bool=true\ngeneral.name=Last\n"
                   "llama.block_count=12\n");
    quantize_release(&p);
    close_opened(o);
}

static void test_override_syntax(void **state)
{
    static const char *const bad[] = {"", "k", "=int:1", "k=", "k=1", "k=int:", "k=int:x",
                                      "k=int:1x", "k=int:4294967296", "k=float:", "k=float:1,5",
                                      "k=bool:yes", "k=bool:", "k=u8:1", "k=INT:1"};
    char text[300];
    struct kv_override o;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (kv_override_parse(&o, bad[i], NULL) != LQ_E_USAGE)
            fail_msg("%s", bad[i]);
    assert_int_equal(kv_override_parse(&o, "k=str:", NULL), LQ_OK);
    assert_int_equal(kv_override_parse(&o, "k=str:a=b:c", NULL), LQ_OK);
    assert_string_equal(o.v.string, "a=b:c");
    assert_int_equal(kv_override_parse(&o, "k=int:4294967295", NULL), LQ_OK);
    snprintf(text, sizeof text, "%0127d=str:%0127d", 0, 0);
    assert_int_equal(kv_override_parse(&o, text, NULL), LQ_OK);
    snprintf(text, sizeof text, "%0128d=int:1", 0);
    assert_int_equal(kv_override_parse(&o, text, NULL), LQ_E_USAGE);
    snprintf(text, sizeof text, "k=str:%0128d", 0);
    assert_int_equal(kv_override_parse(&o, text, NULL), LQ_E_USAGE);
}

/* What a copy is called: as the file says, else by its most frequent type. */
static void test_copy(void **state)
{
    const struct quantize_options options = {.recipe.mix = mix_by_name("COPY")};
    uint64_t number;
    (void)state;
    for (int stated = 0; stated < 2; stated++) {
        struct opened *const o = source(stated, LQ_TYPE_Q8_0);
        struct quantize_plan p = plan(o, &options);
        assert_true(catalog_meta_u64(&p.output.catalog, "general.file_type", &number));
        assert_int_equal(number, stated ? 17 : 1024 + 7);
        assert_int_equal(p.n_quantized, 0);
        assert_int_equal(quantize_check(&p, NULL), LQ_OK);
        quantize_release(&p);
        close_opened(o);
    }
}

/* ---- pruning ---- */

static void test_prune(void **state)
{
    static const uint32_t two[] = {2}, none[] = {0, 2, 10}, missing[] = {5, 7};
    static const char *const without_two[] = {"output_norm.weight", "token_embd.weight",
                                              "blk.0.attn_v.weight", "blk.1.attn_v.weight"};
    uint64_t layers;
    (void)state;
    struct opened *const o = source(true, LQ_TYPE_F16);
    struct quantize_options options = {
        .recipe.mix = mix_by_name("Q4_K_M"), .prune = two, .n_prune = 1};
    struct quantize_plan p = plan(o, &options);
    check_names(&p, 4, without_two);
    assert_string_equal(p.in[3]->name, "blk.10.attn_v.weight");
    assert_true(catalog_meta_u64(&p.output.catalog, "llama.block_count", &layers));
    assert_int_equal(layers, 2);
    assert_int_equal(p.n_pruned_layers, 1);
    quantize_release(&p);

    options.prune = none;
    options.n_prune = 3;
    p = plan(o, &options);
    check_names(&p, 2, without_two);
    assert_true(catalog_meta_u64(&p.output.catalog, "llama.block_count", &layers));
    assert_int_equal(layers, 0);
    quantize_release(&p);

    options.prune = missing; /* numbers close up from the first one on, as in llama-quantize */
    options.n_prune = 2;
    p = plan(o, &options);
    assert_int_equal(p.n_pruned_layers, 0);
    assert_string_equal(p.output.catalog.tensors[5].name, "blk.3.attn_v.weight");
    quantize_release(&p);
    close_opened(o);
}

/* ---- importance ---- */

static void test_importance(void **state)
{
    float values[COLS + 1] = {1};
    struct imatrix_entry entries[] = {
        {.name = "blk.0.attn_v.weight",  .values = values, .n = COLS, .place = 0},
        {.name = "blk.10.attn_v.weight", .values = values, .n = COLS, .place = 1},
    };
    struct imatrix matrix = {.entries = entries, .n = 2, .dataset = "text", .chunks = 3};
    char path[200];
    lq_error err = {0};
    (void)state;
    snprintf(path, sizeof path, "%0150d", 7);
    struct opened *const o = source(true, LQ_TYPE_F16);
    struct quantize_options options = {.recipe.mix = mix_by_name("Q2_K_S")};
    struct quantize_plan p = plan(o, &options);
    assert_int_equal(quantize_check(&p, &err), LQ_E_MODEL);
    assert_non_null(strstr(err.message, "--imatrix"));
    quantize_release(&p);

    options.recipe.mix = mix_by_name("IQ2_XS"); /* attn_v is Q2_K there, and needs none */
    options.imatrix = &matrix;
    options.imatrix_path = path;
    p = plan(o, &options);
    path[127] = '\0'; /* what goes into the metadata */
    assert_string_equal(catalog_meta_string(&p.output.catalog, "quantize.imatrix.file"), path);
    assert_string_equal(p.output.catalog.meta[p.output.catalog.n_meta - 1].key,
                        "quantize.imatrix.chunks_count");
    assert_int_equal(quantize_check(&p, &err), LQ_OK);
    assert_int_equal(p.n_without, 2); /* the embeddings and layer 2 */
    assert_ptr_equal(p.importance[2], values);
    assert_null(p.importance[4]);
    quantize_release(&p);

    entries[1].n++;
    p = plan(o, &options);
    assert_int_equal(quantize_check(&p, &err), LQ_E_MODEL);
    assert_string_equal(err.tensor, "blk.10.attn_v.weight");
    assert_non_null(strstr(err.message, "257 values"));
    quantize_release(&p);
    close_opened(o);
}

/* ---- sources and files ---- */

static void test_requantize(void **state)
{
    struct quantize_options options = {.recipe.mix = mix_by_name("Q4_0")};
    lq_error err = {0};
    (void)state;
    struct opened *const o = source(true, LQ_TYPE_Q8_0);
    struct quantize_plan p = plan(o, &options);
    assert_int_equal(quantize_check(&p, &err), LQ_E_USAGE);
    assert_non_null(strstr(err.message, "--allow-requantize"));
    options.allow_requantize = true;
    assert_int_equal(quantize_check(&p, &err), LQ_OK);
    quantize_release(&p);
    close_opened(o);
}

static void test_not_gguf(void **state)
{
    struct text t = {0};
    struct quantize_plan p = {0};
    const struct quantize_options options = {.recipe.mix = mix_by_name("Q4_0")};
    lq_error err = {0};
    (void)state;
    put_safetensors(&t, "{\"a.weight\":{\"dtype\":\"F16\",\"shape\":[1,2],\"data_offsets\":[0,4]}}", 4);
    struct opened *const o = open_good(&t);
    assert_int_equal(quantize_plan(&p, &o->c, "out", &options, &err), LQ_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "lq convert"));
    close_opened(o);
}

/* ---- a run: written, read again, the same file refused ---- */

static void test_run(void **state)
{
    const struct stream_options stream = {.threads = 2};
    struct quantize_options options = {.recipe.mix = mix_by_name("Q8_0"), .keep_split = true};
    struct quantize_plan p = {0};
    struct catalog written = {0};
    uint8_t digest[1][32];
    lq_error err = {0};
    (void)state;
    struct opened *const o = source(true, LQ_TYPE_F16);
    assert_int_equal(quantize_plan(&p, &o->c, temp_path("out.gguf"), &options, &err), LQ_OK);
    assert_int_equal(quantize_run(&p, &stream, digest, &err), LQ_OK);
    quantize_release(&p);
    close_opened(o);

    const char *const path = temp_path("out-00001-of-00001.gguf");
    assert_int_equal(model_open(&written, path, &err), LQ_OK);
    assert_ptr_equal(catalog_find(&written, "token_embd.weight")->type, &type_Q8_0);
    options.keep_split = false;
    options.allow_requantize = true;
    options.recipe.mix = mix_by_name("Q4_0");
    assert_int_equal(quantize_plan(&p, &written, path, &options, &err), LQ_OK);
    assert_int_equal(quantize_run(&p, &stream, NULL, &err), LQ_E_USAGE);
    assert_non_null(strstr(err.message, "same file"));
    quantize_release(&p);
    catalog_release(&written);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),           cmocka_unit_test(test_overrides),
        cmocka_unit_test(test_override_syntax), cmocka_unit_test(test_copy),
        cmocka_unit_test(test_prune),           cmocka_unit_test(test_importance),
        cmocka_unit_test(test_requantize),      cmocka_unit_test(test_not_gguf),
        temp_test(test_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
