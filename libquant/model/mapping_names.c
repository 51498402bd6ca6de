/* mapping_names.c -- names of tensors: brought into one form, ignored, filled in. */
#include "libquant/model/mapping_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Buffers and computed-on-load constants that checkpoints of older software carry along. */
static const char *const ignored_everywhere[] = {
    "*.rotary_emb.inv_freq", "*.attention.masked_bias", "*.attention.bias",
    "*.attn.masked_bias",    "*.attn.bias",             NULL,
};

static char *replaced(struct arena *a, const char *name, const struct rename *r)
{
    const size_t n = strlen(name), from = strlen(r->from);
    const char *at = NULL;
    if (r->kind == RENAME_ANYWHERE)
        at = strstr(name, r->from);
    else if (n >= from && r->kind == RENAME_PREFIX && memcmp(name, r->from, from) == 0)
        at = name;
    else if (n >= from && r->kind == RENAME_SUFFIX && strcmp(name + n - from, r->from) == 0)
        at = name + n - from;
    if (!at)
        return arena_strdup(a, name);
    return arena_printf(a, "%.*s%s%s", (int)(at - name), name, r->to, at + from);
}

const char *mapping_canonical(const struct model *m, const char *name, struct arena *a)
{
    static const struct rename language_model = {RENAME_ANYWHERE, "language_model.", ""};
    name = strstr(name, language_model.from) ? replaced(a, name, &language_model) : name;
    if (name && m->of->prefix)
        name = arena_printf(a, "%s%s", m->of->prefix, name);
    for (const struct rename *r = m->arch->renames; name && r && r->from; r++)
        name = replaced(a, name, r);
    return name;
}

/* '*' stands for any number of any characters. */
static bool matches(const char *pattern, const char *name)
{
    for (; *pattern && *pattern != '*'; pattern++, name++)
        if (*pattern != *name)
            return false;
    if (!*pattern)
        return !*name;
    for (; ; name++) {
        if (matches(pattern + 1, name))
            return true;
        if (!*name)
            return false;
    }
}

/* Scales of activations in quantized checkpoints: GGUF has no use for them. */
static const char *const ignored_if_quantized[] = {
    "*.input_scale", "*.activation_scale", "*_activation_scale", "*.k_scale",
    "*.v_scale", "*.input_zero_point", "*.weight_format", "*.weight_g_idx", "*.qscale_act",
    "*.input_global_scale", NULL,
};

bool mapping_ignorable(const struct model *m, const char *name)
{
    const struct arch *const arch = m->arch;
    const bool quantized = config_find(&m->config, "quantization_config") != NULL;
    for (const char *const *p = ignored_if_quantized; *p && quantized; p++)
        if (matches(*p, name))
            return true;
    for (const char *const *p = ignored_everywhere; *p; p++)
        if (matches(*p, name))
            return true;
    for (const char *const *p = arch->ignored; p && *p; p++)
        if (matches(*p, name))
            return true;
    return false;
}

bool mapping_expand(char dst[MAPPING_NAME], const char *pattern, int64_t layer, uint64_t expert)
{
    size_t n = 0;
    while (*pattern) {
        const bool bid = strncmp(pattern, "{bid}", 5) == 0, xid = strncmp(pattern, "{xid}", 5) == 0;
        if (n + 24 > MAPPING_NAME)
            return false;
        if (bid || xid) {
            const uint64_t number = bid ? (uint64_t)layer : expert;
            n += (size_t)snprintf(dst + n, MAPPING_NAME - n, "%" PRIu64, number);
            pattern += 5;
        } else {
            dst[n++] = *pattern++;
        }
    }
    dst[n] = '\0';
    return true;
}
