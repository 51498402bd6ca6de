/* test_graph.c -- models whose numbers contradict each other, or whose tensors are missing or of other
 * shapes, are refused with the key or the tensor; values that are no numbers name the layer. */
#include "formats/format.h"
#include "libquant/codec/kernels.h"
#include "libquant/eval/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

enum { LENGTH = 8 };

struct model {
    struct catalog c;
    struct weights w;
    float poison; /* in place of what blk.0.ffn_down.weight holds, where it is not 0 */
};

static lq_status poisoned_rows(const struct weights *w, const struct tensor *t, uint64_t row,
                               uint64_t n, void *raw, float *dst, unsigned isa, lq_error *err)
{
    const struct model *const m = w->ctx;
    const struct weights stored = weights_stored(w->catalog);
    LQ_TRY(stored.rows(&stored, t, row, n, raw, dst, isa, err));
    if (m->poison != 0 && strcmp(t->name, "blk.0.ffn_down.weight") == 0)
        dst[0] = m->poison;
    return LQ_OK;
}

static void open_tiny(struct model *m, const char *name)
{
    char path[128];
    lq_error err = {0};
    snprintf(path, sizeof path, "tests/fuzz/corpus/eval/%s.gguf", name);
    memset(m, 0, sizeof *m);
    assert_int_equal(model_open(&m->c, path, &err), LQ_OK);
    m->w = weights_stored(&m->c);
}

static lq_status run_model(struct model *m, lq_error *err)
{
    static const uint32_t tokens[LENGTH] = {1, 5, 3, 2, 7, 0, 4, 6};
    struct engine e = {0};
    const struct engine_options o = {isa_detect(), 2, LENGTH, 1, NULL};
    lq_status status = engine_open(&e, &m->w, &o, err);
    if (status == LQ_OK)
        status = engine_run(&e, tokens, 1, err);
    if (status == LQ_OK && e.graph.causal) {
        float *const logits = calloc((size_t)LENGTH * e.graph.vocab, sizeof *logits);
        status = engine_logits(&e, 0, LENGTH, logits, err);
        free(logits);
    }
    engine_release(&e);
    return status;
}

/* The model is refused, with all these words; releases it. */
static void refused(struct model *m, lq_status want, const char *word, const char *other)
{
    char text[4096];
    lq_error err = {.offset = -1};
    const lq_status got = run_model(m, &err);
    if (got != want)
        fail_msg("status %d, not %d, where \"%s\" was expected", (int)got, (int)want, word);
    lq_error_text(&err, text, sizeof text);
    if (!strstr(text, word) || !strstr(text, other))
        fail_msg("\"%s\" lacks \"%s\" or \"%s\"", text, word, other);
    catalog_release(&m->c);
}

static void number_refused(const char *model, const char *key, uint64_t value, const char *word)
{
    struct model m;
    lq_error err = {0};
    open_tiny(&m, model);
    assert_int_equal(catalog_set_uint(&m.c, key, META_U32, value, &err), LQ_OK);
    refused(&m, LQ_E_MODEL, word, "");
}

static struct tensor *tensor_of(struct model *m, const char *name)
{
    for (size_t i = 0; i < m->c.n_tensors; i++)
        if (strcmp(m->c.tensors[i].name, name) == 0)
            return &m->c.tensors[i];
    fail_msg("%s is not there", name);
    return NULL;
}

/* The index of names goes when a tensor is added. */
static void forget_names(struct catalog *c)
{
    assert_non_null(catalog_add_tensor(c));
    c->n_tensors--;
}

static void tiny_models_run(void **unused)
{
    static const char *const names[] = {"llama", "qwen2moe", "deepseek2", "gemma3", "bert"};
    (void)unused;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct model m;
        lq_error err = {0};
        open_tiny(&m, names[i]);
        assert_int_equal(run_model(&m, &err), LQ_OK);
        catalog_release(&m.c);
    }
}

static void hostile_numbers_are_refused(void **unused)
{
    (void)unused;
    number_refused("llama", "llama.attention.head_count", 0, "head_count");
    number_refused("llama", "llama.attention.head_count", 3, "key_length");
    number_refused("llama", "llama.attention.head_count_kv", 0, "head_count_kv");
    number_refused("llama", "llama.attention.head_count_kv", 3, "contradict");
    number_refused("llama", "llama.attention.key_length", 0, "key_length");
    number_refused("llama", "llama.attention.key_length", UINT32_MAX, "key_length");
    number_refused("llama", "llama.embedding_length", 16, "shape");
    number_refused("llama", "llama.block_count", 2, "blk.1.");
    number_refused("llama", "llama.block_count", 1000000, "block_count");
    number_refused("llama", "llama.rope.dimension_count", 3, "contradict");
    number_refused("llama", "llama.feed_forward_length", 0, "feed_forward_length");
    number_refused("qwen2moe", "qwen2moe.expert_used_count", 5, "expert_used_count");
    number_refused("qwen2moe", "qwen2moe.expert_used_count", 0, "expert_used_count");
    number_refused("qwen2moe", "qwen2moe.expert_count", 3, "ffn_gate_inp");
    number_refused("qwen2moe", "qwen2moe.expert_count", UINT32_MAX, "expert_count");
    number_refused("deepseek2", "deepseek2.attention.key_length_mla", 4, "key_length_mla");
    number_refused("deepseek2", "deepseek2.expert_group_count", 3, "expert_group_count");
    number_refused("deepseek2", "deepseek2.attention.kv_lora_rank", 7, "contradicts");
}

static void layers_are_not_passed_over(void **unused)
{
    struct model m;
    lq_error err = {0};
    (void)unused;
    open_tiny(&m, "llama");
    struct tensor *const t = tensor_of(&m, "blk.0.attn_norm.weight");
    struct tensor *const more = catalog_add_tensor(&m.c);
    assert_non_null(more);
    *more = *t;
    more->name = "blk.7.attn_norm.weight";
    assert_int_equal(catalog_index(&m.c, &err), LQ_OK);
    refused(&m, LQ_E_MODEL, "block_count", "blk.7.attn_norm.weight");
}

static void unknown_scalings_of_positions_are_refused(void **unused)
{
    struct model m;
    lq_error err = {0};
    (void)unused;
    open_tiny(&m, "llama");
    assert_int_equal(catalog_set_string(&m.c, "llama.rope.scaling.type", "curly", 5, &err), LQ_OK);
    refused(&m, LQ_E_MODEL, "rope.scaling.type", "none that is known");
}

static void groups_of_experts_may_be_none(void **unused)
{
    struct model m;
    lq_error err = {0};
    (void)unused;
    open_tiny(&m, "deepseek2");
    assert_int_equal(catalog_set_uint(&m.c, "deepseek2.expert_group_count", META_U32, 0, &err),
                     LQ_OK);
    assert_int_equal(run_model(&m, &err), LQ_OK);
    catalog_release(&m.c);
}

static void tensors_must_be_there_in_their_shapes(void **unused)
{
    static const char *const needed[] = {"token_embd.weight", "output_norm.weight",
                                         "blk.0.attn_q.weight", "blk.0.attn_output.weight",
                                         "blk.0.attn_norm.weight", "blk.0.ffn_norm.weight",
                                         "blk.0.ffn_up_exps.weight",
                                         "blk.0.ffn_down_exps.weight"};
    static const uint64_t no_rows[] = {0, 8}, turned[] = {16, 8};
    struct model m;
    (void)unused;
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        open_tiny(&m, "qwen2moe");
        tensor_of(&m, needed[i])->name = "absent";
        forget_names(&m.c);
        refused(&m, LQ_E_MODEL, needed[i], "missing");
    }
    open_tiny(&m, "llama");
    tensor_of(&m, "blk.0.ffn_down.weight")->dim = turned;
    refused(&m, LQ_E_MODEL, "blk.0.ffn_down.weight", "[8, 16]");
    open_tiny(&m, "qwen2moe");
    tensor_of(&m, "blk.0.ffn_up_shexp.weight")->dim = no_rows;
    refused(&m, LQ_E_MODEL, "blk.0.ffn_gate_shexp.weight", "shape");
}

static void values_that_are_no_numbers_name_the_layer(void **unused)
{
    struct model m;
    (void)unused;
    open_tiny(&m, "llama");
    m.w = (struct weights){&m.c, poisoned_rows, m.w.raw_bytes, &m, false};
    m.poison = NAN;
    refused(&m, LQ_E_MODEL, "layer 0 gives", "blk.0.ffn_down.weight");
    open_tiny(&m, "llama");
    m.w = (struct weights){&m.c, poisoned_rows, m.w.raw_bytes, &m, false};
    m.poison = INFINITY;
    refused(&m, LQ_E_MODEL, "layer 0 gives", "blk.0.ffn_down.weight");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiny_models_run),
        cmocka_unit_test(hostile_numbers_are_refused),
        cmocka_unit_test(layers_are_not_passed_over),
        cmocka_unit_test(unknown_scalings_of_positions_are_refused),
        cmocka_unit_test(groups_of_experts_may_be_none),
        cmocka_unit_test(tensors_must_be_there_in_their_shapes),
        cmocka_unit_test(values_that_are_no_numbers_name_the_layer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
