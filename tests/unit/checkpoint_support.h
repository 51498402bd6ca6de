/* checkpoint_support.h -- small checkpoints in the temporary folder of a test. */
#ifndef LQ_TESTS_CHECKPOINT_SUPPORT_H
#define LQ_TESTS_CHECKPOINT_SUPPORT_H

#include "tests/unit/temp_folder.h"

#include "libquant/model/mapping.h"

#include <inttypes.h>

/* A safetensors file under way: tensors of type F32 whose elements count up from `first`. */
struct checkpoint {
    struct text header, data;
};

static inline void put_tensor_f32(struct checkpoint *c, const char *name, const uint64_t *dim,
                                  uint32_t rank, float first)
{
    const size_t from = c->data.len;
    uint64_t n = 1;
    text_printf(&c->header, "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[", c->header.len ? "," : "{",
                name);
    for (uint32_t i = 0; i < rank; i++) {
        text_printf(&c->header, "%s%" PRIu64, i ? "," : "", dim[i]);
        n *= dim[i];
    }
    for (uint64_t i = 0; i < n; i++) {
        const float value = first + (float)i;
        text_put(&c->data, &value, sizeof value);
    }
    text_printf(&c->header, "],\"data_offsets\":[%zu,%zu]}", from, c->data.len);
}

/* Shape as text: "8 4". */
static inline void put_shaped(struct checkpoint *c, const char *name, const char *shape)
{
    uint64_t dim[4];
    uint32_t rank = 0;
    for (const char *p = shape; *p;) {
        char *end;
        dim[rank++] = strtoull(p, &end, 10);
        p = end + strspn(end, " ");
    }
    put_tensor_f32(c, name, dim, rank, 0);
}

static inline void write_checkpoint(struct checkpoint *c, const char *name)
{
    struct text file = {0};
    text_putc(&c->header, '}');
    const uint64_t len = c->header.len;
    text_put(&file, &len, sizeof len);
    text_put(&file, c->header.data, c->header.len);
    text_put(&file, c->data.data, c->data.len);
    assert_false(file.failed);
    temp_write(name, file.data, file.len);
    text_free(&file);
    text_free(&c->header);
    text_free(&c->data);
}

/* A Llama of one layer: 2 heads of 4, 1 key and value head, 6 wide feed-forward, 5 tokens. `but`: the
 * tensor that is left out, or NULL. */
static inline void write_llama(const char *but)
{
    static const char *const tensors[][2] = {
        {"model.embed_tokens.weight", "5 8"},
        {"lm_head.weight", "5 8"},
        {"model.norm.weight", "8"},
        {"model.layers.0.input_layernorm.weight", "8"},
        {"model.layers.0.self_attn.q_proj.weight", "8 8"},
        {"model.layers.0.self_attn.k_proj.weight", "4 8"},
        {"model.layers.0.self_attn.v_proj.weight", "4 8"},
        {"model.layers.0.self_attn.o_proj.weight", "8 8"},
        {"model.layers.0.post_attention_layernorm.weight", "8"},
        {"model.layers.0.mlp.gate_proj.weight", "6 8"},
        {"model.layers.0.mlp.up_proj.weight", "6 8"},
        {"model.layers.0.mlp.down_proj.weight", "8 6"},
        {"model.layers.0.self_attn.rotary_emb.inv_freq", "2"},
    };
    struct checkpoint c = {0};
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++)
        if (!but || strcmp(but, tensors[i][0]) != 0)
            put_shaped(&c, tensors[i][0], tensors[i][1]);
    write_checkpoint(&c, "model.safetensors");
}

static const char llama_config[] =
    "{\"architectures\":[\"LlamaForCausalLM\"],\"model_type\":\"llama\",\"hidden_size\":8,"
    "\"intermediate_size\":6,\"num_hidden_layers\":1,\"num_attention_heads\":2,"
    "\"num_key_value_heads\":1,\"vocab_size\":5}";

/* A byte-level BPE of 5 tokens, two of them added. */
static const char small_tokenizer[] =
    "{\"added_tokens\":[{\"id\":3,\"content\":\"<s>\",\"special\":true,\"normalized\":false},"
    "{\"id\":4,\"content\":\"user\xe2\x96\x81word\",\"special\":false}],"
    "\"normalizer\":null,\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"use_regex\":true},"
    "\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":"
    "{\"id\":\"<s>\",\"type_id\":0}},{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}],\"pair\":[]},"
    "\"decoder\":{\"type\":\"ByteLevel\"},\"model\":{\"type\":\"BPE\",\"vocab\":"
    "{\"a\":0,\"b\":1,\"ab\":2},\"merges\":[\"a b\"]}}";

static inline void open_model(struct model *m)
{
    lq_error err = {0};
    char message[2048];
    *m = (struct model){0};
    if (model_open_checkpoint(m, temp_folder, &err) != LQ_OK)
        fail_msg("refused: %s", lq_error_text(&err, message, sizeof message));
}

#endif
