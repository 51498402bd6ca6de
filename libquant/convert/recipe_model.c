/* recipe_model.c -- the facts about a model that its metadata gives and the recipe needs. */
#include "libquant/convert/recipe.h"

#include <stdio.h>
#include <string.h>

static uint64_t read_key(const struct catalog *c, const char *arch, const char *name)
{
    char key[192];
    uint64_t value = 0;
    if ((size_t)snprintf(key, sizeof key, "%s.%s", arch, name) < sizeof key)
        (void)catalog_meta_u64(c, key, &value);
    return value;
}

/* The first layer's value of a key that holds one for all layers or one for each. */
static bool read_first(const struct catalog *c, const char *arch, const char *name, uint64_t *out)
{
    char key[192];
    if ((size_t)snprintf(key, sizeof key, "%s.%s", arch, name) >= sizeof key)
        return false;
    const struct meta *m = catalog_meta_array(c, key, META_U32);
    if (!m)
        m = catalog_meta_array(c, key, META_I32);
    if (!m)
        return catalog_meta_u64(c, key, out);
    int32_t first = 0; /* signed in older files; never negative in a sound one */
    if (m->v.array.count)
        memcpy(&first, m->v.array.data, sizeof first);
    *out = first > 0 ? (uint64_t)first : 0;
    return true;
}

/* Models of these sizes get more bits for attention values, in llama.cpp's terms "70B". */
static const struct {
    const char *arch;
    uint64_t layers;
    bool if_grouped; /* only where heads share keys and values, and it is no mixture of 8 experts */
} big_models[] = {
    {"llama", 80, true}, {"llama-embed", 80, true}, {"qwen2", 80, false},
    {"deci", 80, false}, {"olmo", 80, false},       {"jais2", 68, false},
};

static bool is_big(const char *arch, uint64_t layers, bool grouped)
{
    for (size_t i = 0; i < sizeof big_models / sizeof big_models[0]; i++)
        if (strcmp(big_models[i].arch, arch) == 0)
            return big_models[i].layers == layers && (grouped || !big_models[i].if_grouped);
    return false;
}

static uint64_t count_layers(const struct catalog *c)
{
    int last = -1;
    for (size_t i = 0; i < c->n_tensors; i++) {
        const int layer = recipe_layer_of(c->tensors[i].name);
        last = layer > last ? layer : last;
    }
    return (uint64_t)(last + 1);
}

void recipe_model_read(struct recipe_model *m, const struct catalog *c)
{
    const char *const arch = catalog_meta_string(c, "general.architecture");
    uint64_t heads = 0, heads_kv;
    *m = (struct recipe_model){.arch = arch ? arch : ""};
    m->layers = read_key(c, m->arch, "block_count");
    m->experts = read_key(c, m->arch, "expert_count");
    (void)read_first(c, m->arch, "attention.head_count", &heads);
    heads_kv = heads;
    (void)read_first(c, m->arch, "attention.head_count_kv", &heads_kv);
    m->gqa = heads_kv ? heads / heads_kv : 0;
    if (!m->layers)
        m->layers = count_layers(c);

    const uint64_t predicting = read_key(c, m->arch, "nextn_predict_layers");
    const uint64_t decoding = m->layers - (predicting < m->layers ? predicting : 0);
    m->shares_kv_70b = is_big(m->arch, decoding, heads != heads_kv && m->experts != 8);

    /* Layers that exist only when the model runs. */
    const uint64_t loops = read_key(c, m->arch, "num_loops");
    if (strcmp(m->arch, "nanbeige") == 0 && loops > 1 && loops <= 512)
        m->layers = decoding * loops;
    if (strcmp(m->arch, "graniteswitch") == 0)
        m->layers = decoding + 1;
}
