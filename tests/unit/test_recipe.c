/* test_recipe.c -- the types that mixes give, against what llama-quantize gives; names, patterns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libquant/convert/recipe.h"
#include "tests/unit/recipe_expected.h"

/* ---- models as catalogs ---- */

static void add_tensor(struct catalog *c, const char *name, uint64_t stack, uint64_t rows,
                       uint64_t cols)
{
    struct tensor *const t = catalog_add_tensor(c);
    assert_non_null(t);
    uint64_t *const dim = arena_calloc(&c->arena, 3, sizeof *dim);
    assert_non_null(dim);
    *t = (struct tensor){.name = arena_strdup(&c->arena, name), .type = &type_F16};
    t->rank = stack ? 3 : rows ? 2 : 1;
    uint64_t *d = dim;
    if (stack)
        *d++ = stack;
    if (rows)
        *d++ = rows;
    *d = cols;
    t->dim = dim;
    assert_true(tensor_measure(t));
}

static void add_layer(struct catalog *c, const struct expected_model *m, uint32_t layer)
{
    const uint64_t kv = m->embd / m->heads * m->kv, experts = m->experts;
    const struct {
        const char *name;
        bool there;
        uint64_t stack, rows, cols;
    } all[] = {
        {"attn_k", !m->fused, 0, kv, m->embd},
        {"attn_norm", true, 0, 0, m->embd},
        {"attn_output", true, 0, m->embd, m->embd},
        {"attn_q", !m->fused, 0, m->embd, m->embd},
        {"attn_qkv", m->fused, 0, m->embd + 2 * kv, m->embd},
        {"attn_v", !m->fused, 0, kv, m->embd},
        {"ffn_down", !experts, 0, m->embd, m->ff},
        {"ffn_down_exps", experts, experts, m->embd, m->ff},
        {"ffn_gate", !experts && !m->fused, 0, m->ff, m->embd},
        {"ffn_gate_exps", experts, experts, m->ff, m->embd},
        {"ffn_gate_inp", experts, 0, experts, m->embd},
        {"ffn_up", !experts, 0, m->ff, m->embd},
        {"ffn_up_exps", experts, experts, m->ff, m->embd},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        char name[64];
        snprintf(name, sizeof name, "blk.%u.%s.weight", layer, all[i].name);
        if (all[i].there)
            add_tensor(c, name, all[i].stack, all[i].rows, all[i].cols);
    }
}

static void set_key(struct catalog *c, const char *arch, const char *name, uint64_t value)
{
    char key[64];
    snprintf(key, sizeof key, "%s.%s", arch, name);
    assert_int_equal(catalog_set_uint(c, key, META_U32, value, NULL), LQ_OK);
}

static void build(struct catalog *c, const struct expected_model *m)
{
    catalog_set_string(c, "general.architecture", m->arch, strlen(m->arch), NULL);
    set_key(c, m->arch, "block_count", m->layers);
    set_key(c, m->arch, "attention.head_count", m->heads);
    set_key(c, m->arch, "attention.head_count_kv", m->kv);
    if (m->experts)
        set_key(c, m->arch, "expert_count", m->experts);
    if (!m->tied)
        add_tensor(c, "output.weight", 0, 1024, m->embd);
    add_tensor(c, "token_embd.weight", 0, 1024, m->embd);
    for (uint32_t i = 0; i < m->layers; i++)
        add_layer(c, m, i);
}

/* ---- every mix, against llama-quantize ---- */

static const char *chosen(const struct catalog *c, const struct choice *choices, const char *name)
{
    for (size_t i = 0; i < c->n_tensors; i++)
        if (strcmp(c->tensors[i].name, name) == 0)
            return choices[i].type->name;
    fail_msg("no tensor %s", name);
    return "";
}

/* One tensor kind of all layers: "2*Q5_K,14*Q4_K", up to the end or a space. */
static void check_kind(const struct expected *e, const struct catalog *c,
                       const struct choice *choices, const char *kind, const char *runs)
{
    unsigned layer = 0;
    while (*runs && *runs != ' ') {
        char type[16], name[96];
        unsigned n = 1;
        int used = 0;
        if (sscanf(runs, "%u*%15[A-Z0-9_]%n", &n, type, &used) < 2) {
            n = 1;
            assert_int_equal(sscanf(runs, "%15[A-Z0-9_]%n", type, &used), 1);
        }
        for (; n-- > 0; layer++) {
            const bool outside = strcmp(kind, "output") == 0 || strcmp(kind, "token_embd") == 0;
            if (outside)
                snprintf(name, sizeof name, "%s.weight", kind);
            else
                snprintf(name, sizeof name, "blk.%u.%s.weight", layer, kind);
            if (strcmp(chosen(c, choices, name), type) != 0)
                fail_msg("%s, %s%s: %s is %s, not %s", e->model, e->mix,
                         e->matrix ? " with a matrix" : "", name, chosen(c, choices, name), type);
        }
        runs += used;
        runs += *runs == ',';
    }
}

static void check_mix(const struct expected *e, const struct catalog *c)
{
    struct recipe_model model;
    struct choice *const choices = calloc(c->n_tensors, sizeof *choices);
    const struct recipe recipe = {.mix = mix_by_name(e->mix), .has_importance = e->matrix};
    recipe_model_read(&model, c);
    assert_int_equal(recipe_choose(&recipe, &model, c->tensors, c->n_tensors, choices, NULL),
                     LQ_OK);
    for (const char *group = e->types; *group;) {
        const char *const equals = strchr(group, '=');
        for (const char *kind = group; kind < equals;) {
            char name[32];
            const size_t n = strcspn(kind, "+=");
            snprintf(name, sizeof name, "%.*s", (int)n, kind);
            check_kind(e, c, choices, name, equals + 1);
            kind += n + 1;
        }
        group += strcspn(group, " ");
        group += *group == ' ';
    }
    free(choices);
}

static void test_mixes(void **state)
{
    (void)state;
    size_t checked = 0;
    for (size_t i = 0; i < sizeof expected_models / sizeof expected_models[0]; i++) {
        struct catalog c = {0};
        build(&c, &expected_models[i]);
        for (size_t k = 0; k < sizeof expected / sizeof expected[0]; k++)
            if (strcmp(expected[k].model, expected_models[i].name) == 0) {
                check_mix(&expected[k], &c);
                checked++;
            }
        catalog_release(&c);
    }
    assert_int_equal(checked, sizeof expected / sizeof expected[0]);
}

/* ---- names of mixes ---- */

static void test_mix_names(void **state)
{
    (void)state;
    assert_string_equal(mix_by_name("q4_k_m")->name, "Q4_K_M");
    assert_string_equal(mix_by_name("Q4_k")->name, "Q4_K");
    assert_int_equal(mix_by_name("Q4_K")->id, MIX_Q4_K_M);
    assert_int_equal(mix_by_name("Q4_K")->number, 15);
    /* The alias comes first, and gives a file its name. */
    assert_string_equal(mix_by_name("15")->name, "Q4_K");
    assert_string_equal(mix_by_name("0")->name, "F32");
    assert_string_equal(mix_by_name("copy")->name, "COPY");
    assert_int_equal(mix_by_name("COPY")->base, LQ_TYPE_NONE);
    assert_null(mix_by_name("4"));
    assert_null(mix_by_name("Q4_K_"));
    assert_null(mix_by_name("15x"));
    assert_null(mix_by_name(""));
    for (size_t i = 0; i < mix_count(); i++) {
        const struct mix *const m = mix_at(i);
        assert_ptr_equal(mix_by_name(m->name), m);
        assert_true(m->base == LQ_TYPE_NONE || type_by_id(m->base)->encode);
    }
}

/* ---- names of tensors ---- */

static void test_allowed(void **state)
{
    static const struct {
        const char *name, *arch;
        bool allowed;
    } cases[] = {
        {"blk.0.attn_q.weight", "llama", true},
        {"output.weight", "llama", true},
        {"blk.0.attn_q.bias", "llama", false},
        {"blk.0.attn_q_norm.weight", "qwen3", false},
        {"token_embd_norm.weight", "bloom", false},
        {"blk.0.ffn_gate_inp.weight", "llama", false},
        {"blk.0.ffn_gate_inp_shexp.weight", "qwen2moe", true},
        {"position_embd.weight", "gpt2", false},
        {"v.position_embd.weight", "clip", false},
        {"v.patch_embd.weight", "clip", false},
        {"token_types.weight", "bert", false},
        {"blk.0.ssm_conv1d.weight", "mamba", false},
        {"blk.0.ssm_in.weight", "mamba", true},
        {"blk.0.time_mix_w1.weight", "rwkv6", false},
        {"blk.0.time_mix_key.weight", "rwkv6", true},
        {"blk.0.attn_k_b.weight", "deepseek2", true},
        {"blk.0.attn_k_b.weight", "glm5-next", false},
        {"per_layer_model_proj.weight", "gemma3n", false},
        {"per_layer_token_embd.weight", "gemma3n", true},
        {"blk.0.attn_rot_embd", "llama", false},
        {"five5", "llama", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (recipe_name_allowed(cases[i].name, cases[i].arch) != cases[i].allowed)
            fail_msg("%s of %s", cases[i].name, cases[i].arch);
}

static void test_order(void **state)
{
    static const char *const sorted[] = {"a.weight", "blk.x.weight", "output.weight",
                                         "token_embd.weight", "blk.0.b", "blk.2.a", "blk.10.a"};
    (void)state;
    for (size_t i = 0; i < sizeof sorted / sizeof sorted[0]; i++)
        for (size_t k = 0; k < sizeof sorted / sizeof sorted[0]; k++) {
            const int order = recipe_name_order(sorted[i], sorted[k]);
            assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
        }
    assert_int_equal(recipe_layer_of("blk.99999999999.a"), -1);
    assert_int_equal(recipe_layer_of("dec.blk.1.a"), -1);
}

/* ---- facts ---- */

static void test_model_facts(void **state)
{
    static const int32_t heads[] = {6, 0, 8}, kv[] = {2, 0, 1};
    struct catalog c = {0};
    struct recipe_model m;
    (void)state;
    recipe_model_read(&m, &c);
    assert_string_equal(m.arch, "");
    assert_int_equal(m.gqa, 0);
    catalog_set_string(&c, "general.architecture", "deci", 4, NULL);
    catalog_set_array(&c, "deci.attention.head_count", META_I32, heads, 3, NULL);
    catalog_set_array(&c, "deci.attention.head_count_kv", META_I32, kv, 3, NULL);
    add_tensor(&c, "blk.7.attn_q.weight", 0, 4, 256);
    recipe_model_read(&m, &c);
    assert_int_equal(m.gqa, 3);
    assert_int_equal(m.layers, 8); /* from the names */
    assert_false(m.shares_kv_70b);
    set_key(&c, "deci", "block_count", 80);
    recipe_model_read(&m, &c);
    assert_true(m.shares_kv_70b);
    catalog_release(&c);
}

/* ---- options ---- */

static struct choice choose_one(const struct recipe *r, const char *name, uint64_t rows,
                                uint64_t cols, const struct type_info *type, lq_status status)
{
    struct catalog c = {0};
    struct recipe_model m;
    struct choice choice = {0};
    lq_error err;
    add_tensor(&c, name, 0, rows, cols);
    c.tensors[0].type = type;
    recipe_model_read(&m, &c);
    assert_int_equal(recipe_choose(r, &m, c.tensors, 1, &choice, &err), status);
    catalog_release(&c);
    return choice;
}

static void test_options(void **state)
{
    (void)state;
    struct recipe r = {.mix = mix_by_name("Q4_K_M"), .output_type = &type_Q5_1,
                       .embedding_type = &type_BF16};
    assert_ptr_equal(choose_one(&r, "output.weight", 8, 256, &type_F16, LQ_OK).type, &type_Q5_1);
    assert_ptr_equal(choose_one(&r, "token_embd.weight", 8, 256, &type_F16, LQ_OK).type,
                     &type_BF16);
    r.embedding_type = NULL; /* the embeddings are the output matrix */
    assert_ptr_equal(choose_one(&r, "token_embd.weight", 8, 256, &type_F16, LQ_OK).type,
                     &type_Q5_1);
    r.output_type = NULL;
    r.keep_output = true;
    assert_ptr_equal(choose_one(&r, "output.weight", 8, 256, &type_F16, LQ_OK).type, &type_F16);
    assert_ptr_equal(choose_one(&r, "a.weight", 8, 256, &type_I32, LQ_OK).type, &type_I32);
    assert_ptr_equal(choose_one(&r, "a.weight", 1, 256, &type_F16, LQ_OK).type, &type_F16);
    const struct choice c = choose_one(&r, "a.weight", 2, 48, &type_F16, LQ_OK);
    assert_ptr_equal(c.type, &type_F16);
    assert_ptr_equal(c.wanted, &type_Q4_K);
    r.keep_output = false;
    r.output_type = &type_Q6_K; /* types that are asked for have no fallback */
    choose_one(&r, "output.weight", 2, 48, &type_F16, LQ_E_MODEL);
    r.mix = mix_by_name("Q1_0"); /* nor has this one */
    choose_one(&r, "a.weight", 2, 64, &type_F16, LQ_E_MODEL);
    r.mix = mix_by_name("COPY");
    assert_ptr_equal(choose_one(&r, "a.weight", 2, 64, &type_Q4_1, LQ_OK).type, &type_Q4_1);
}

static void test_needs_importance(void **state)
{
    (void)state;
    struct recipe r = {.mix = mix_by_name("Q2_K_S")};
    assert_true(choose_one(&r, "a.weight", 2, 256, &type_F16, LQ_OK).needs_importance);
    r.mix = mix_by_name("Q2_K");
    assert_false(choose_one(&r, "a.weight", 2, 256, &type_F16, LQ_OK).needs_importance);
    r.mix = mix_by_name("IQ3_XXS");
    assert_true(choose_one(&r, "a.weight", 2, 256, &type_F16, LQ_OK).needs_importance);
    r.embedding_type = &type_IQ3_XXS;
    assert_false(choose_one(&r, "token_embd.weight", 2, 256, &type_F16, LQ_OK).needs_importance);
    r.embedding_type = &type_IQ2_XXS; /* has no encoder without */
    assert_true(choose_one(&r, "token_embd.weight", 2, 256, &type_F16, LQ_OK).needs_importance);
}

/* ---- patterns ---- */

static bool finds(const char *pattern, const char *name)
{
    struct type_pattern p;
    lq_error err;
    bool found = false;
    assert_int_equal(type_pattern_parse(&p, pattern, &err), LQ_OK);
    assert_int_equal(type_pattern_search(&p, name, &found, &err), LQ_OK);
    type_pattern_release(&p);
    return found;
}

static void test_patterns(void **state)
{
    static const char *const bad[] = {"attn_v", "=q4_0", "attn_v=", "attn_v=q4_9", "attn_v=q8_k",
                                      "attn_v=q8_1", "attn_v=i32", "attn_v=f8_e4m3", "(=q4_0",
                                      "a[=q4_0", "a{2,1}=q4_0"};
    (void)state;
    assert_true(finds("attn_v=q4_0", "blk.3.attn_v.weight"));
    assert_true(finds("ATTN_V=Q4_0", "blk.3.attn_v.weight"));
    assert_false(finds("attn_v=q4_0", "blk.3.ATTN_V.weight"));
    assert_true(finds("blk\\.(1|3)\\.attn=q4_0", "blk.3.attn_v.weight"));
    assert_false(finds("^attn=q4_0", "blk.3.attn_v.weight"));
    assert_true(finds("\\d\\d$=q4_0", "blk.10"));
    /* escapes as libstdc++ reads ECMAScript: letters that mean nothing stand for themselves */
    assert_true(finds("^\\Attn=q4_0", "attn"));
    assert_true(finds("^\\cattn$=q4_0", "attn"));
    assert_true(finds("^\\hole\\Z$=q4_0", "holez"));
    assert_true(finds("^\\u0066fn\\x2eup=q4_0", "ffn.up"));
    assert_true(finds("^(f)\\1n=q4_0", "ffn"));
    assert_true(finds("\\bffn\\.[^\\d]p\\b=q4_0", "blk.ffn.up"));
    assert_false(finds("\\v\\0=q4_0", "v0"));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct type_pattern p;
        lq_error err;
        if (type_pattern_parse(&p, bad[i], &err) != LQ_E_USAGE)
            fail_msg("%s", bad[i]);
    }
}

static void test_pattern_limits(void **state)
{
    struct type_pattern p;
    lq_error err;
    bool found;
    char name[64];
    (void)state;
    memset(name, 'a', sizeof name);
    name[sizeof name - 1] = '\0';
    assert_int_equal(type_pattern_parse(&p, "(a*)*(a*)*(a*)*b=q4_0", &err), LQ_OK);
    const lq_status status = type_pattern_search(&p, name, &found, &err);
    assert_true(status == LQ_E_USAGE || (status == LQ_OK && !found));
    type_pattern_release(&p);
    assert_int_equal(type_pattern_parse(&p, "((a+)+)+[bc]\\1d=q4_0", &err), LQ_OK);
    strcpy(name + sizeof name - 4, "bxd");
    assert_int_equal(type_pattern_search(&p, name, &found, &err), LQ_E_USAGE);
    type_pattern_release(&p);
}

static void test_first_pattern(void **state)
{
    struct type_pattern p[2];
    lq_error err;
    (void)state;
    assert_int_equal(type_pattern_parse(&p[0], "attn_v=q8_0", &err), LQ_OK);
    assert_int_equal(type_pattern_parse(&p[1], "attn=q5_0", &err), LQ_OK);
    struct recipe r = {.mix = mix_by_name("Q4_K_M"), .patterns = p, .n_patterns = 2};
    assert_ptr_equal(choose_one(&r, "blk.0.attn_v.weight", 2, 256, &type_F16, LQ_OK).type,
                     &type_Q8_0);
    assert_ptr_equal(choose_one(&r, "blk.0.attn_q.weight", 2, 256, &type_F16, LQ_OK).type,
                     &type_Q5_0);
    r.mix = mix_by_name("BF16"); /* then patterns do not apply */
    assert_ptr_equal(choose_one(&r, "blk.0.attn_q.weight", 2, 256, &type_F16, LQ_OK).type,
                     &type_BF16);
    type_pattern_release(&p[0]);
    type_pattern_release(&p[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mixes),         cmocka_unit_test(test_mix_names),
        cmocka_unit_test(test_allowed),       cmocka_unit_test(test_order),
        cmocka_unit_test(test_model_facts),   cmocka_unit_test(test_options),
        cmocka_unit_test(test_needs_importance), cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_pattern_limits), cmocka_unit_test(test_first_pattern),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
