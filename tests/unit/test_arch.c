/* test_arch.c -- the table of architectures, and how a checkpoint is held against it. */
#include "tests/unit/checkpoint_support.h"

#include "libquant/convert/plan_steps.h"
#include "libquant/model/exact_math.h"
#include "libquant/model/vocab.h"

#include <math.h>

/* ---- the table itself ---- */

static void names_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < arch_count(); i++) {
        const struct arch_class *of = NULL;
        assert_ptr_equal(arch_by_name(arch_at(i)->name), arch_at(i));
        for (const struct arch_class *c = arch_at(i)->classes; c->name; c++) {
            assert_ptr_equal(arch_by_class(c->name, &of), arch_at(i));
            assert_ptr_equal(of, c);
        }
    }
    assert_null(arch_by_name("no such thing"));
}

/* Every shape is made of known words, every name of known placeholders. */
static void rules_are_well_formed(void **state)
{
    (void)state;
    struct model m = {0};
    for (size_t i = 0; i < DIM_COUNT; i++)
        m.dim[i] = 64;
    for (size_t i = 0; i < arch_count(); i++) {
        assert_non_null(arch_at(i)->vocab);
        for (const struct tensor_rule *r = arch_at(i)->tensors; r->from; r++) {
            for (const char *p = r->shape; *p;) {
                const size_t len = strcspn(p, " */");
                bool known = *p >= '0' && *p <= '9';
                if (!known)
                    model_dim(&m, p, len, &known);
                if (!known)
                    fail_msg("%s: %s: unknown word %.*s", arch_at(i)->name, r->from, (int)len, p);
                p += len + (p[len] != '\0');
            }
            assert_true((strstr(r->from, "{bid}") != NULL) == (strstr(r->to, "{bid}") != NULL));
            assert_true((strstr(r->from, "{xid}") != NULL) == (r->transform == TRANSFORM_STACK));
            if (r->transform == TRANSFORM_STACK)
                assert_true(r->arg[0] > 0 && r->arg[0] < DIM_COUNT);
            if (r->transform == TRANSFORM_PART || r->transform == TRANSFORM_EVERY ||
                r->transform == TRANSFORM_EVERY_COLUMN)
                assert_true(r->arg[1] > 0);
        }
    }
}

static void defaults_are_valid_json(void **state)
{
    (void)state;
    for (size_t i = 0; i < arch_count(); i++)
        for (const struct arch_class *c = arch_at(i)->classes; c->name; c++) {
            struct config config = {0};
            if (c->defaults)
                assert_int_equal(config_set_defaults(&config, c->defaults, NULL), LQ_OK);
            config_release(&config);
        }
}

/* ---- a checkpoint ---- */

static void check_refused(const char *config, const char *tensor, const char *says)
{
    struct model m = {0};
    struct mapping map = {0};
    lq_error err = {0};
    temp_write_text("config.json", config);
    lq_status status = model_open_checkpoint(&m, temp_folder, &err);
    if (status == LQ_OK)
        status = mapping_make(&map, &m, &err);
    mapping_release(&map);
    model_close(&m);
    if (status != LQ_E_MODEL || !strstr(err.message, says) || strcmp(err.tensor, tensor) != 0)
        fail_msg("status %d, tensor \"%s\": %s", (int)status, err.tensor, err.message);
}

static void a_complete_model_is_mapped(void **state)
{
    (void)state;
    struct model m;
    struct mapping map = {0};
    write_llama(NULL);
    temp_write_text("config.json", llama_config);
    open_model(&m);
    assert_int_equal(mapping_make(&map, &m, NULL), LQ_OK);
    assert_int_equal(map.n, 12);
    assert_string_equal(map.tensors[0].name, "output.weight"); /* by the source's names */
    assert_string_equal(map.tensors[1].name, "token_embd.weight");
    assert_true(map.tensors[2].f32); /* a norm */
    assert_false(map.tensors[0].f32);
    assert_int_equal(map.parameters, 2 * 40 + 3 * 8 + 64 + 32 + 32 + 64 + 3 * 48);
    assert_non_null(strstr(m.notes.data, "1 tensors"));
    mapping_release(&map);
    model_close(&m);
}

static void a_missing_tensor_is_named(void **state)
{
    (void)state;
    write_llama("model.layers.0.mlp.up_proj.weight");
    check_refused(llama_config, "model.layers.0.mlp.up_proj.weight", "is missing");
    write_llama("model.norm.weight");
    check_refused(llama_config, "model.norm.weight", "is missing");
    write_llama("lm_head.weight");
    check_refused(llama_config, "lm_head.weight", "is missing");
}

static const char two_layers[] =
    "{\"architectures\":[\"LlamaForCausalLM\"],\"hidden_size\":8,\"intermediate_size\":6,"
    "\"num_hidden_layers\":2,\"num_attention_heads\":2,\"num_key_value_heads\":1,"
    "\"vocab_size\":5}";
static const char other_width[] =
    "{\"architectures\":[\"LlamaForCausalLM\"],\"hidden_size\":8,\"intermediate_size\":7,"
    "\"num_hidden_layers\":1,\"num_attention_heads\":2,\"num_key_value_heads\":1,"
    "\"vocab_size\":5}";
static const char no_layers[] =
    "{\"architectures\":[\"LlamaForCausalLM\"],\"hidden_size\":8,\"intermediate_size\":6,"
    "\"num_hidden_layers\":0,\"num_attention_heads\":2,\"num_key_value_heads\":1,"
    "\"vocab_size\":5}";

static void config_and_tensors_must_agree(void **state)
{
    (void)state;
    write_llama(NULL);
    check_refused(two_layers, "model.layers.1.input_layernorm.weight", "promises 2 layers");
    check_refused(other_width, "model.layers.0.mlp.gate_proj.weight",
                  "has the shape [6, 8], but the configuration promises [7, 8]");
    check_refused(no_layers, "model.layers.0.input_layernorm.weight", "is left over");
}

static void tied_embeddings_need_no_output(void **state)
{
    (void)state;
    struct model m;
    struct mapping map = {0};
    write_llama("lm_head.weight");
    temp_write_text("config.json",
                    "{\"architectures\":[\"LlamaForCausalLM\"],\"hidden_size\":8,"
                    "\"intermediate_size\":6,\"num_hidden_layers\":1,\"num_attention_heads\":2,"
                    "\"num_key_value_heads\":1,\"vocab_size\":5,\"tie_word_embeddings\":true}");
    open_model(&m);
    assert_int_equal(mapping_make(&map, &m, NULL), LQ_OK);
    assert_int_equal(map.n, 11);
    mapping_release(&map);
    model_close(&m);
}

static void hostile_sizes_are_refused(void **state)
{
    static const char *const configs[] = {
        "{\"architectures\":[\"LlamaForCausalLM\"],\"num_hidden_layers\":1e9}",
        "{\"architectures\":[\"LlamaForCausalLM\"],\"num_hidden_layers\":100000}",
        "{\"architectures\":[\"LlamaForCausalLM\"],\"hidden_size\":4294967296}",
        "{\"architectures\":[\"LlamaForCausalLM\"],\"hidden_size\":-8}",
        "{\"architectures\":[\"LlamaForCausalLM\"],\"hidden_size\":[8]}",
        "{\"architectures\":[\"LlamaForCausalLM\"],\"hidden_size\":9,\"num_attention_heads\":2}",
        "{\"architectures\":[]}",
        "{}",
    };
    (void)state;
    write_llama(NULL);
    for (size_t i = 0; i < sizeof configs / sizeof *configs; i++) {
        struct model m = {0};
        temp_write_text("config.json", configs[i]);
        assert_int_equal(model_open_checkpoint(&m, temp_folder, NULL), LQ_E_MODEL);
        model_close(&m);
    }
}

static void unknown_architectures_are_named(void **state)
{
    (void)state;
    struct model m = {0};
    lq_error err;
    write_llama(NULL);
    temp_write_text("config.json", "{\"architectures\":[\"FancyForCausalLM\"]}");
    assert_int_equal(model_open_checkpoint(&m, temp_folder, &err), LQ_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "FancyForCausalLM"));
    assert_non_null(strstr(err.message, "qwen2"));
    model_close(&m);
}

/* ---- transforms ---- */

static const struct mapped *find(const struct mapping *map, const char *name)
{
    for (size_t i = 0; i < map->n; i++)
        if (strcmp(map->tensors[i].name, name) == 0)
            return &map->tensors[i];
    fail_msg("%s is not there", name);
    return NULL;
}

/* Heads of 4 rows: halves (0 1 | 2 3) become pairs 0 2 1 3. */
static void query_rows_are_permuted(void **state)
{
    (void)state;
    static const uint64_t want[] = {0, 2, 1, 3, 4, 6, 5, 7};
    struct model m;
    struct mapping map = {0};
    struct step s;
    write_llama(NULL);
    temp_write_text("config.json", llama_config);
    open_model(&m);
    assert_int_equal(mapping_make(&map, &m, NULL), LQ_OK);
    assert_int_equal(plan_step(&s, &m, find(&map, "blk.0.attn_q.weight"), &map.arena, NULL), LQ_OK);
    for (uint64_t i = 0; i < 8; i++)
        assert_int_equal(s.row_from(&s, i).row, want[i]);
    assert_int_equal(plan_step(&s, &m, find(&map, "blk.0.attn_v.weight"), &map.arena, NULL), LQ_OK);
    assert_null(s.row_from);
    mapping_release(&map);
    model_close(&m);
}

static void gpt2_projections_are_transposed(void **state)
{
    static const char *const tensors[][2] = {
        {"wte.weight", "3 4"},           {"wpe.weight", "2 4"},
        {"ln_f.weight", "4"},            {"ln_f.bias", "4"},
        {"h.0.ln_1.weight", "4"},        {"h.0.ln_1.bias", "4"},
        {"h.0.ln_2.weight", "4"},        {"h.0.ln_2.bias", "4"},
        {"h.0.attn.c_attn.weight", "4 12"}, {"h.0.attn.c_attn.bias", "12"},
        {"h.0.attn.c_proj.weight", "4 4"},  {"h.0.attn.c_proj.bias", "4"},
        {"h.0.mlp.c_fc.weight", "4 16"},    {"h.0.mlp.c_fc.bias", "16"},
        {"h.0.mlp.c_proj.weight", "16 4"},  {"h.0.mlp.c_proj.bias", "4"},
        {"h.0.attn.bias", "1 1 2 2"},
    };
    (void)state;
    struct checkpoint c = {0};
    struct model m;
    struct mapping map = {0};
    struct step s;
    float x[5 * 4];
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++)
        put_shaped(&c, tensors[i][0], tensors[i][1]);
    write_checkpoint(&c, "model.safetensors");
    temp_write_text("config.json", "{\"architectures\":[\"GPT2LMHeadModel\"],\"n_embd\":4,"
                                   "\"n_head\":2,\"n_layer\":1,\"vocab_size\":3,"
                                   "\"n_positions\":2}");
    open_model(&m);
    assert_int_equal(mapping_make(&map, &m, NULL), LQ_OK);
    const struct mapped *const t = find(&map, "blk.0.attn_qkv.weight");
    assert_true(t->dim[0] == 12 && t->dim[1] == 4);
    assert_int_equal(plan_step(&s, &m, t, &map.arena, NULL), LQ_OK);
    assert_int_equal(s.fill(&s, 3, 5, x, 0, NULL), LQ_OK); /* rows 3 to 7 */
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < 4; k++)
            assert_true(x[i * 4 + k] == (float)(12 * k + 3 + i));
    mapping_release(&map);
    model_close(&m);
}

/* ---- figures that go into files ---- */

static void powers_and_logarithms_are_exact_enough(void **state)
{
    (void)state;
    assert_true(exact_pow(2, 10) == 1024 && exact_pow(10000, 0) == 1 && exact_pow(9, 0.5) == 3);
    assert_true(exact_pow(500000, 0.5) == 707.10678118654752440);
    assert_true(exact_pow(4, -2) == 0.0625);
    assert_true(isinf(exact_pow(1e300, 10)) && exact_pow(1e300, -10) == 0);
    assert_true(exact_log(1) == 0);
    assert_true(exact_log(10) == 2.302585092994045684);
    assert_true(exact_log(0.5) == -0.693147180559945309);
}

static void llama3_frequencies_become_factors(void **state)
{
    (void)state;
    struct model m;
    struct mapping map = {0};
    write_llama(NULL);
    temp_write_text(
        "config.json",
        "{\"architectures\":[\"LlamaForCausalLM\"],\"hidden_size\":8,\"intermediate_size\":6,"
        "\"num_hidden_layers\":1,\"num_attention_heads\":2,\"num_key_value_heads\":1,"
        "\"vocab_size\":5,\"rope_theta\":500000.0,\"rope_scaling\":{\"rope_type\":\"llama3\","
        "\"factor\":32.0,\"low_freq_factor\":1.0,\"high_freq_factor\":4.0,"
        "\"original_max_position_embeddings\":8192}}");
    open_model(&m);
    assert_int_equal(mapping_make(&map, &m, NULL), LQ_OK);
    assert_string_equal(map.tensors[0].name, "rope_freqs.weight");
    assert_int_equal(map.tensors[0].dim[0], 2);
    assert_true(map.tensors[0].values[0] == 1.0f);
    assert_true(map.tensors[0].values[1] > 1.0f && map.tensors[0].values[1] < 32.0f);
    mapping_release(&map);
    model_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_unique),
        cmocka_unit_test(rules_are_well_formed),
        cmocka_unit_test(defaults_are_valid_json),
        temp_test(a_complete_model_is_mapped),
        temp_test(a_missing_tensor_is_named),
        temp_test(config_and_tensors_must_agree),
        temp_test(tied_embeddings_need_no_output),
        temp_test(hostile_sizes_are_refused),
        temp_test(unknown_architectures_are_named),
        temp_test(query_rows_are_permuted),
        temp_test(gpt2_projections_are_transposed),
        cmocka_unit_test(powers_and_logarithms_are_exact_enough),
        temp_test(llama3_frequencies_become_factors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
