/* test_packed.c -- weights in several tensors: what they stand for, and parts that do not fit. */
#include "tests/unit/checkpoint_support.h"

#include "formats/format.h"
#include "libquant/model/packed.h"

#include <cjson/cJSON.h>

/* ---- checkpoints of one weight ---- */

static void put(struct checkpoint *c, const char *name, const char *dtype, const char *shape,
                const void *data, size_t bytes)
{
    text_printf(&c->header, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}",
                c->header.len ? "," : "{", name, dtype, shape, c->data.len, c->data.len + bytes);
    text_put(&c->data, data, bytes);
}

static void open_packed(struct model *m, struct checkpoint *c, const char *config)
{
    lq_error err = {0};
    char message[2048];
    write_checkpoint(c, "model.safetensors");
    *c = (struct checkpoint){0};
    *m = (struct model){0};
    if (model_open(&m->source, temp_path("model.safetensors"), &err) != LQ_OK)
        fail_msg("%s", lq_error_text(&err, message, sizeof message));
    assert_int_equal(catalog_index(&m->source, &err), LQ_OK);
    m->config.root = cJSON_Parse(config);
    assert_non_null(m->config.root);
}

static const struct tensor *main_part(const struct model *m)
{
    for (size_t i = 0; i < m->source.n_tensors; i++)
        if (packed_is_main(m, &m->source.tensors[i]))
            return &m->source.tensors[i];
    fail_msg("no packed weight is seen");
    return NULL;
}

static void expect(struct checkpoint *c, const char *config, uint64_t rows, uint64_t cols,
                   const float *want)
{
    struct model m;
    struct packed *p;
    lq_error err = {0};
    char message[2048];
    float got[64], part[2];
    open_packed(&m, c, config);
    if (packed_open(&p, &m, main_part(&m), &m.arena, &err) != LQ_OK)
        fail_msg("%s", lq_error_text(&err, message, sizeof message));
    assert_string_equal(p->tensor.name, "a.weight");
    assert_int_equal(p->tensor.dim[0], rows);
    assert_int_equal(p->tensor.dim[1], cols);
    assert_int_equal(packed_read(&m.source, &p->tensor, 0, rows * cols, got, &err), LQ_OK);
    for (size_t i = 0; i < rows * cols; i++)
        assert_float_equal(got[i], want[i], 0);
    assert_int_equal(packed_read(&m.source, &p->tensor, cols + 1, 2, part, &err), LQ_OK);
    assert_memory_equal(part, got + cols + 1, sizeof part);
    model_close(&m);
}

/* Refused, when it is opened or when it is read, and `part` named. */
static void expect_refused(struct checkpoint *c, const char *config, const char *part)
{
    struct model m;
    struct packed *p;
    lq_error err = {0};
    char message[2048];
    float got[64];
    open_packed(&m, c, config);
    lq_status status = packed_open(&p, &m, main_part(&m), &m.arena, &err);
    if (status == LQ_OK)
        status = packed_read(&m.source, &p->tensor, 0, (size_t)p->tensor.elements, got, &err);
    assert_int_equal(status / 10, 3);
    if (!strstr(lq_error_text(&err, message, sizeof message), part))
        fail_msg("\"%s\" does not name %s", message, part);
    model_close(&m);
}

/* ---- GPTQ and AWQ: 8 inputs, 8 outputs; number = input, but 15 for the last output ---- */

#define GPTQ(more) "{\"quantization_config\":{\"quant_method\":\"gptq\"," more "}}"
#define GPTQ4 GPTQ("\"bits\":4,\"group_size\":4")

#define CT(form, weights)                                                                          \
    "{\"quantization_config\":{\"quant_method\":\"compressed-tensors\",\"format\":\"" form         \
    "\",\"config_groups\":{\"group_0\":{\"weights\":{" weights "}}}}}"

static const uint16_t scales[16] = {0x3c00, 0x3c00, 0x3c00, 0x3c00, 0x3c00, 0x3c00, 0x3c00, 0x3800,
                                    0x4000, 0x4000, 0x4000, 0x4000, 0x4000, 0x4000, 0x4000, 0x4400};
static const uint32_t zeros[2] = {0x21010100, 0x33333337};
static const uint32_t numbers[8] = {0x76543210, 0x76543210, 0x76543210, 0x76543210,
                                    0x76543210, 0x76543210, 0x76543210, 0xffffffff};
static const int32_t by_four[8] = {0, 0, 0, 0, 1, 1, 1, 1};
static const int32_t mixed[8] = {1, 0, 1, 0, 1, 0, 1, 0};

#define LAYER0 "model.layers.0."

static void put_gptq(struct checkpoint *c, const int32_t *order)
{
    put(c, "a.qweight", "I32", "1,8", numbers, sizeof numbers);
    put(c, "a.qzeros", "I32", "2,1", zeros, sizeof zeros);
    put(c, "a.scales", "F16", "2,8", scales, sizeof scales);
    if (order)
        put(c, "a.g_idx", "I32", "8", order, 8 * sizeof *order);
}

/* Weights by the definition, from the numbers above. */
static void by_definition(float *w, const int32_t *order, int add)
{
    static const float scale[2][2] = {{1.0f, 0.5f}, {2.0f, 4.0f}};
    for (int o = 0; o < 8; o++)
        for (int i = 0; i < 8; i++) {
            const int q = o == 7 ? 15 : i, g = order[i];
            w[o * 8 + i] = scale[g][o == 7] * (float)(q - (int)(zeros[g] >> 4 * o & 15) - add);
        }
}

static void gptq_stores_zeros_less_one(void **state)
{
    struct checkpoint c = {0};
    float want[64];
    (void)state;
    by_definition(want, by_four, 1);
    assert_float_equal(want[63], 4.0f * (15 - 4), 0);
    put_gptq(&c, by_four);
    expect(&c, GPTQ4, 8, 8, want);
    put_gptq(&c, NULL);
    expect(&c, GPTQ4, 8, 8, want);
}

static void gptq_v2_stores_zeros(void **state)
{
    struct checkpoint c = {0};
    float want[64];
    (void)state;
    by_definition(want, mixed, 0);
    put_gptq(&c, mixed);
    expect(&c, GPTQ("\"bits\":4,\"group_size\":4,\"checkpoint_format\":\"gptq_v2\""), 8, 8, want);
}

static void gptq_that_does_not_fit_is_refused(void **state)
{
    static const int32_t beyond[8] = {0, 0, 0, 0, 1, 1, 1, 2}, negative[8] = {-1};
    struct checkpoint c = {0};
    (void)state;
    put_gptq(&c, beyond);
    expect_refused(&c, GPTQ4, "a.g_idx");
    put_gptq(&c, negative);
    expect_refused(&c, GPTQ4, "a.g_idx");
    put_gptq(&c, NULL);
    expect_refused(&c, GPTQ("\"bits\":5,\"group_size\":4"), "5 bits");
    put_gptq(&c, NULL);
    expect_refused(&c, GPTQ("\"group_size\":4"), "0 bits");
    put_gptq(&c, NULL);
    expect_refused(&c, GPTQ("\"bits\":4,\"group_size\":3"), "a.qweight");
    put_gptq(&c, NULL);
    expect_refused(&c, GPTQ("\"bits\":4,\"group_size\":2"), "a.scales");
    put_gptq(&c, NULL);
    expect_refused(&c, GPTQ("\"bits\":4,\"group_size\":0.5"), "group_size");
    put_gptq(&c, NULL);
    expect_refused(&c, GPTQ("\"bits\":4,\"group_size\":4,\"checkpoint_format\":\"marlin\""),
                   "marlin");
    put(&c, "a.qweight", "I32", "1,8", numbers, sizeof numbers);
    put(&c, "a.scales", "F16", "2,8", scales, sizeof scales);
    expect_refused(&c, GPTQ4, "a.qzeros");
    put(&c, "a.qweight", "F32", "1,8", numbers, sizeof numbers);
    put(&c, "a.qzeros", "I32", "2,1", zeros, sizeof zeros);
    put(&c, "a.scales", "F16", "2,8", scales, sizeof scales);
    expect_refused(&c, GPTQ4, "F32, where I32");
}

/* A Qwen2 of one layer whose attention output is packed, with a bias that no Qwen2 has. */
static lq_status map_packed_qwen2(const float *bias, size_t *n, lq_error *err)
{
    static const char *const tensors[][2] = {
        {"model.embed_tokens.weight", "5 8"},
        {"model.norm.weight", "8"},
        {LAYER0 "input_layernorm.weight", "8"},
        {LAYER0 "post_attention_layernorm.weight", "8"},
        {LAYER0 "self_attn.q_proj.weight", "8 8"},
        {LAYER0 "self_attn.q_proj.bias", "8"},
        {LAYER0 "self_attn.k_proj.weight", "4 8"},
        {LAYER0 "self_attn.k_proj.bias", "4"},
        {LAYER0 "self_attn.v_proj.weight", "4 8"},
        {LAYER0 "self_attn.v_proj.bias", "4"},
        {LAYER0 "mlp.gate_proj.weight", "6 8"},
        {LAYER0 "mlp.up_proj.weight", "6 8"},
        {LAYER0 "mlp.down_proj.weight", "8 6"},
    };
    struct checkpoint c = {0};
    struct model m;
    struct mapping map = {0};
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++)
        put_shaped(&c, tensors[i][0], tensors[i][1]);
    put(&c, LAYER0 "self_attn.o_proj.qweight", "I32", "1,8", numbers, sizeof numbers);
    put(&c, LAYER0 "self_attn.o_proj.qzeros", "I32", "2,1", zeros, sizeof zeros);
    put(&c, LAYER0 "self_attn.o_proj.scales", "F16", "2,8", scales, sizeof scales);
    put(&c, LAYER0 "self_attn.o_proj.bias", "F32", "8", bias, 8 * sizeof *bias);
    write_checkpoint(&c, "model.safetensors");
    temp_write_text("config.json",
                    "{\"architectures\":[\"Qwen2ForCausalLM\"],\"hidden_size\":8,"
                    "\"intermediate_size\":6,\"num_hidden_layers\":1,\"num_attention_heads\":2,"
                    "\"num_key_value_heads\":1,\"vocab_size\":5,\"tie_word_embeddings\":true,"
                    "\"quantization_config\":{\"quant_method\":\"gptq\",\"bits\":4,"
                    "\"group_size\":4}}");
    open_model(&m);
    const lq_status status = mapping_make(&map, &m, err);
    *n = map.n;
    mapping_release(&map);
    model_close(&m);
    return status;
}

static void a_bias_of_zeros_beside_a_packed_weight_is_left_out(void **state)
{
    static const float none[8] = {0}, some[8] = {[7] = 0.5f};
    lq_error err = {0};
    size_t n;
    (void)state;
    assert_int_equal(map_packed_qwen2(none, &n, &err), LQ_OK);
    assert_int_equal(n, 14);
    assert_int_equal(map_packed_qwen2(some, &n, &err), LQ_E_MODEL);
    assert_string_equal(err.tensor, LAYER0 "self_attn.o_proj.bias");
    assert_non_null(strstr(err.message, "is left over"));
}

static void a_weight_beside_its_packed_form_is_refused(void **state)
{
    static const float weight[1] = {1};
    struct checkpoint c = {0};
    (void)state;
    put_gptq(&c, NULL);
    put(&c, "a.weight", "F32", "1,1", weight, sizeof weight);
    expect_refused(&c, GPTQ4, "a.weight");
}

static void nvfp4_has_two_scales(void **state)
{
    static const uint8_t codes[16] = {0x21, 0x7f, 0, 0, 0, 0, 0, 0, 0x10};
    static const uint8_t scale[2] = {0x38, 0x40}; /* 1, 2 */
    static const float global = 4;
    float want[32] = {0.125f, 0.25f, -1.5f, 1.5f, [16] = 0, 0.25f};
    struct checkpoint c = {0};
    (void)state;
    put(&c, "a.weight_packed", "U8", "2,8", codes, sizeof codes);
    put(&c, "a.weight_scale", "F8_E4M3", "2,1", scale, sizeof scale);
    put(&c, "a.weight_global_scale", "F32", "1", &global, sizeof global);
    expect(&c, CT("nvfp4-pack-quantized", "\"num_bits\":4"), 2, 16, want);
    put(&c, "a.weight_packed", "U8", "2,8", codes, sizeof codes);
    put(&c, "a.weight_scale", "F8_E4M3", "1,2", scale, sizeof scale);
    put(&c, "a.weight_global_scale", "F32", "1", &global, sizeof global);
    expect_refused(&c, CT("nvfp4-pack-quantized", "\"num_bits\":4"), "a.weight_scale");
}

static void awq_interleaves_outputs(void **state)
{
    /* one input for each row; nibbles are outputs 0 2 4 6 1 3 5 7 */
    static const uint32_t rows[8] = {0x75316420, 0x75316420, 0x75316420, 0x75316420,
                                     0x75316420, 0x75316420, 0x75316420, 0};
    static const uint32_t zero[1] = {0x10000000};
    struct checkpoint c = {0};
    float want[64];
    (void)state;
    for (int o = 0; o < 8; o++)
        for (int i = 0; i < 8; i++)
            want[o * 8 + i] =
                (o == 7 ? 0.5f : 1.0f) * (float)((i < 7 ? o : 0) - (o == 7));
    put(&c, "a.qweight", "I32", "8,1", rows, sizeof rows);
    put(&c, "a.qzeros", "I32", "1,1", zero, sizeof zero);
    put(&c, "a.scales", "F16", "1,8", scales, 8 * sizeof *scales);
    expect(&c, "{\"quantization_config\":{\"quant_method\":\"awq\",\"bits\":4,\"group_size\":-1,"
               "\"version\":\"gemm\"}}", 8, 8, want);
}

/* ---- bitsandbytes ---- */

#define BNB "{\"quantization_config\":{\"quant_method\":\"bitsandbytes\"}}"
static const char state_json[] =
    "{\"quant_type\":\"nf4\",\"blocksize\":4,\"dtype\":\"float32\",\"shape\":[2,4]}";

static void put_nf4(struct checkpoint *c, const char *json)
{
    static const uint8_t codes[4] = {0x01, 0x23, 0xfe, 0xdc};
    static const float absmax[2] = {2.0f, 8.0f};
    float table[16];
    for (int i = 0; i < 16; i++)
        table[i] = (float)i / 16;
    put(c, "a.weight", "U8", "4,1", codes, sizeof codes);
    put(c, "a.weight.absmax", "F32", "2", absmax, sizeof absmax);
    put(c, "a.weight.quant_map", "F32", "16", table, sizeof table);
    if (json) {
        char shape[24];
        snprintf(shape, sizeof shape, "%zu", strlen(json));
        put(c, "a.weight.quant_state.bitsandbytes__nf4", "U8", shape, json, strlen(json));
    }
}

static void nf4_is_a_table_under_a_maximum(void **state)
{
    static const float want[8] = {0, 0.125f, 0.25f, 0.375f, 7.5f, 7, 6.5f, 6};
    struct checkpoint c = {0};
    (void)state;
    put_nf4(&c, state_json);
    expect(&c, BNB, 2, 4, want);
}

static void broken_states_are_refused(void **state)
{
    static const char *const broken[] = {
        "{", "[]", "{\"blocksize\":4}", "{\"shape\":[2,4]}",
        "{\"blocksize\":0,\"shape\":[2,4]}", "{\"blocksize\":4,\"shape\":[2]}",
        "{\"blocksize\":4,\"shape\":[-2,4]}", "{\"blocksize\":\"4\",\"shape\":[2,4]}"};
    struct checkpoint c = {0};
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        put_nf4(&c, broken[i]);
        expect_refused(&c, BNB, "quant_state.bitsandbytes__nf4");
    }
    put_nf4(&c, "{\"blocksize\":4,\"shape\":[2,5]}");
    expect_refused(&c, BNB, "a.weight");
    put_nf4(&c, "{\"blocksize\":8,\"shape\":[2,4]}");
    expect_refused(&c, BNB, "a.weight.absmax");
    put_nf4(&c, NULL);
    expect_refused(&c, BNB, "quant_state.bitsandbytes__");
}

static void int8_is_a_number_under_a_row_maximum(void **state)
{
    static const int8_t codes[4] = {127, -128, 1, 64};
    static const float scb[2] = {127.0f, 254.0f};
    const float unit = 7.874015718698502e-3f;
    const float want[4] = {127.0f * 127.0f * unit, -128.0f * 127.0f * unit, 254.0f * unit,
                           64.0f * 254.0f * unit};
    struct checkpoint c = {0};
    struct model m;
    struct packed *p;
    lq_error err = {0};
    float got[4];
    (void)state;
    put(&c, "a.weight", "I8", "2,2", codes, sizeof codes);
    put(&c, "a.SCB", "F32", "2", scb, sizeof scb);
    open_packed(&m, &c, BNB);
    assert_int_equal(packed_open(&p, &m, main_part(&m), &m.arena, &err), LQ_OK);
    assert_int_equal(packed_read(&m.source, &p->tensor, 0, 4, got, &err), LQ_OK);
    assert_memory_equal(got, want, sizeof got);
    model_close(&m);
    put(&c, "a.weight", "I8", "2,2", codes, sizeof codes);
    put(&c, "a.SCB", "F32", "1", scb, 4);
    expect_refused(&c, BNB, "a.SCB");
}

/* ---- compressed-tensors ---- */

#define CT4 CT("pack-quantized", "\"num_bits\":4,\"group_size\":2")

static void put_pack(struct checkpoint *c, int64_t rows, int64_t cols)
{
    static const uint32_t packed[2] = {0x0000f980, 0x00001234};
    static const float scale[4] = {1, 2, 3, 4};
    const int64_t shape[2] = {rows, cols};
    put(c, "a.weight_packed", "I32", "2,1", packed, sizeof packed);
    put(c, "a.weight_scale", "F32", "2,2", scale, sizeof scale);
    put(c, "a.weight_shape", "I64", "2", shape, sizeof shape);
}

static void packed_integers_are_signed(void **state)
{
    static const float want[8] = {-8, 0, 2, 14, -12, -15, -24, -28};
    static const float with_zeros[8] = {-1, 7, 14, 26, 6, 3, -8, -12};
    static const uint32_t zero[2] = {0x21, 0x42};
    struct checkpoint c = {0};
    (void)state;
    put_pack(&c, 2, 4);
    expect(&c, CT4, 2, 4, want);
    put_pack(&c, 2, 4);
    put(&c, "a.weight_zero_point", "I32", "1,2", zero, sizeof zero);
    expect(&c, CT4, 2, 4, with_zeros);
}

static void packed_integers_that_do_not_fit_are_refused(void **state)
{
    struct checkpoint c = {0};
    (void)state;
    put_pack(&c, 2, 9);
    expect_refused(&c, CT4, "a.weight");
    put_pack(&c, -2, 4);
    expect_refused(&c, CT4, "a.weight_shape");
    put_pack(&c, 2, 4);
    expect_refused(&c, CT("pack-quantized", "\"num_bits\":4"), "a.weight_scale");
    put_pack(&c, 2, 4);
    expect_refused(&c, CT("pack-quantized", "\"num_bits\":3,\"group_size\":2"), "3 bits");
    put_pack(&c, 2, 4);
    expect_refused(&c, "{\"quantization_config\":{\"quant_method\":\"compressed-tensors\","
                       "\"format\":\"pack-quantized\"}}", "config_groups");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        temp_test(gptq_stores_zeros_less_one),
        temp_test(gptq_v2_stores_zeros),
        temp_test(gptq_that_does_not_fit_is_refused),
        temp_test(a_bias_of_zeros_beside_a_packed_weight_is_left_out),
        temp_test(a_weight_beside_its_packed_form_is_refused),
        temp_test(nvfp4_has_two_scales),
        temp_test(awq_interleaves_outputs),
        temp_test(nf4_is_a_table_under_a_maximum),
        temp_test(broken_states_are_refused),
        temp_test(int8_is_a_number_under_a_row_maximum),
        temp_test(packed_integers_are_signed),
        temp_test(packed_integers_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
