/* model.c -- from a folder to a model whose kind and sizes are known. */
#include "libquant/model/model.h"

#include "formats/format.h"
#include "libquant/model/tokenizer_json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *word, *names;
} dims[DIM_COUNT] = {
#define DIM(symbol, word, names) [DIM_##symbol] = {word, names},
#include "libquant/model/dims.def"
#undef DIM
};

/* Larger than any model's sizes, and small enough that products of three do not overflow. */
static const uint64_t DIM_LIMIT = (uint64_t)1 << 21;
enum { LAYER_LIMIT = 1 << 14 };

void model_note(struct model *m, const char *fmt, ...)
{
    char line[600];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    text_put_printable(&m->notes, line, strlen(line));
    text_putc(&m->notes, '\n');
}

uint64_t model_dim(const struct model *m, const char *word, size_t len, bool *known)
{
    for (size_t i = 0; i < DIM_COUNT; i++)
        if (strlen(dims[i].word) == len && memcmp(dims[i].word, word, len) == 0) {
            *known = true;
            return m->dim[i];
        }
    *known = false;
    return 0;
}

bool model_experts_at(const struct model *m, uint32_t layer)
{
    if (!m->dim[DIM_EXPERTS])
        return false;
    return !m->arch->experts_at || m->arch->experts_at(m, layer);
}

static lq_status read_dims(struct model *m, lq_error *err)
{
    for (size_t i = 0; i < DIM_COUNT; i++)
        LQ_TRY(config_u64(&m->config, dims[i].names, DIM_LIMIT, &m->dim[i], err));
    uint64_t *const d = m->dim;
    if (d[DIM_LAYERS] > LAYER_LIMIT)
        return lq_fail_at(err, LQ_E_MODEL, "config.json", -1, "%llu layers are not credible",
                          (unsigned long long)d[DIM_LAYERS]);
    if (!d[DIM_KV_HEADS])
        d[DIM_KV_HEADS] = d[DIM_HEADS];
    if (d[DIM_KV_HEADS] && d[DIM_HEADS] % d[DIM_KV_HEADS])
        return lq_fail_at(err, LQ_E_MODEL, "config.json", -1,
                          "\"num_attention_heads\" is %llu, no multiple of the %llu key and value "
                          "heads",
                          (unsigned long long)d[DIM_HEADS], (unsigned long long)d[DIM_KV_HEADS]);
    if (!d[DIM_HEAD_DIM] && d[DIM_HEADS]) {
        if (d[DIM_EMBD] % d[DIM_HEADS])
            return lq_fail_at(err, LQ_E_MODEL, "config.json", -1,
                              "%s is %llu, no multiple of the %llu heads, and there is no head_dim",
                              "hidden_size", (unsigned long long)d[DIM_EMBD],
                              (unsigned long long)d[DIM_HEADS]);
        d[DIM_HEAD_DIM] = d[DIM_EMBD] / d[DIM_HEADS];
    }
    return LQ_OK;
}

/* A token goes to at least one of the experts, and at most to all. */
static lq_status check_experts(const struct model *m, lq_error *err)
{
    static const char names[] = "num_experts_per_tok num_experts_per_token top_k_experts";
    const uint64_t experts = m->dim[DIM_EXPERTS];
    uint64_t used = experts;
    LQ_TRY(config_u64(&m->config, names, DIM_LIMIT, &used, err));
    if (!experts || (used && used <= experts))
        return LQ_OK;
    return lq_fail_at(err, LQ_E_MODEL, "config.json", -1,
                      "\"num_experts_per_tok\" is %llu, but there are %llu experts",
                      (unsigned long long)used, (unsigned long long)experts);
}

static lq_status no_architecture(const char *name, lq_error *err)
{
    struct text known = {0};
    for (size_t i = 0; i < arch_count(); i++)
        text_printf(&known, "%s%s", i ? ", " : "", arch_at(i)->name);
    lq_fail_at(err, LQ_E_UNSUPPORTED, "config.json", -1,
               "the architecture %.100s is not supported; supported are the families %s", name,
               known.data ? known.data : "");
    text_free(&known);
    return LQ_E_UNSUPPORTED;
}

/* Finds the row of the architecture and what follows from it. */
static lq_status understand(struct model *m, lq_error *err)
{
    LQ_TRY(config_open(&m->config, m->files, err));
    const char *const name = config_architecture(&m->config);
    if (!name)
        return lq_fail_at(err, LQ_E_MODEL, "config.json", -1,
                          "\"architectures\" is missing: it names the kind of model");
    m->arch = arch_by_class(name, &m->of);
    if (!m->arch)
        return no_architecture(name, err);
    if (m->of->defaults)
        LQ_TRY(config_set_defaults(&m->config, m->of->defaults, err));
    LQ_TRY(config_resolve_rope(&m->config, err));
    LQ_TRY(read_dims(m, err));
    LQ_TRY(check_experts(m, err));
    return m->arch->resolve ? m->arch->resolve(m, err) : LQ_OK;
}

lq_status model_open_config(struct model *m, const char *path, lq_error *err)
{
    LQ_TRY(resolver_open_folder(&m->files, path, err));
    m->path = m->files->root;
    return understand(m, err);
}

lq_status model_open_checkpoint(struct model *m, const char *path, lq_error *err)
{
    LQ_TRY(model_open(&m->source, path, err));
    if (m->source.format && strcmp(m->source.format->name, "gguf") == 0)
        return lq_fail_at(err, LQ_E_UNSUPPORTED, path, -1,
                          "this is a GGUF file already; lq quantize makes other types of it");
    LQ_TRY(model_siblings(&m->source, &m->files, err));
    m->path = m->files->root;
    LQ_TRY(understand(m, err));
    return catalog_index(&m->source, err);
}

void model_close(struct model *m)
{
    tokenizer_json_free(m->tokenizer);
    catalog_release(&m->source);
    config_release(&m->config);
    resolver_close(m->files);
    text_free(&m->notes);
    arena_free(&m->arena);
    memset(m, 0, sizeof *m);
}
