/* recipe_names.c -- what a tensor's name says: its role, and whether it may be quantized at all. */
#include "libquant/convert/recipe.h"

#include "libquant/base/text.h"

#include <string.h>

/* ---- roles ---- */

enum match { EQUALS, CONTAINS };

static const struct {
    const char *text;
    uint8_t match;
    uint16_t role;
} roles[] = {
    /* the first one that matches */
    {"output.weight", EQUALS, ROLE_OUTPUT},
    {"token_embd.weight", EQUALS, ROLE_EMBEDDING},
    {"per_layer_token_embd.weight", EQUALS, ROLE_EMBEDDING},
    {"attn_qkv.weight", CONTAINS, ROLE_ATTN_V},
    {"attn_kv_b.weight", CONTAINS, ROLE_ATTN_V},
    {"attn_v.weight", CONTAINS, ROLE_ATTN_V},
    {"attn_k.weight", CONTAINS, ROLE_ATTN_K},
    {"attn_q.weight", CONTAINS, ROLE_ATTN_Q},
    {"attn_output.weight", CONTAINS, ROLE_ATTN_OUT},
    {"ffn_up", CONTAINS, ROLE_FFN_UP},
    {"ffn_gate", CONTAINS, ROLE_FFN_GATE},
    {"ffn_down", CONTAINS, ROLE_FFN_DOWN},
};

static bool matches(const char *name, const char *text, unsigned match)
{
    return match == EQUALS ? strcmp(name, text) == 0 : strstr(name, text) != NULL;
}

enum role recipe_role(const char *name)
{
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
        if (matches(name, roles[i].text, roles[i].match))
            return (enum role)roles[i].role;
    return ROLE_OTHER;
}

/* ---- what is never quantized ---- */

static const struct {
    const char *text;
    uint8_t match;
    const char *arch; /* of this architecture only, or NULL */
} excluded[] = {
    {"_norm.weight", CONTAINS, NULL},
    /* routing to experts */
    {"ffn_gate_inp.weight", CONTAINS, NULL},
    {"ffn_gate_tid2eid.weight", CONTAINS, NULL},
    /* Gemma 3n: a few weights each */
    {"altup", CONTAINS, NULL},
    {"laurel", CONTAINS, NULL},
    {"per_layer_model_proj", CONTAINS, NULL},
    /* tables of positions and token types */
    {"position_embd.weight", EQUALS, NULL},
    {"token_types.weight", EQUALS, NULL},
    {"attn_rel_b.weight", CONTAINS, NULL},
    /* short convolutions */
    {"ssm_conv1d", CONTAINS, NULL},
    {"shortconv.conv.weight", CONTAINS, NULL},
    /* MiniMax: the indexer */
    {"indexer.k_proj.weight", CONTAINS, NULL},
    {"indexer.q_proj.weight", CONTAINS, NULL},
    {"hc_", CONTAINS, "glm5-next"},
    {"indexer.attn_q_b", CONTAINS, "glm5-next"},
    {"indexer.attn_k", CONTAINS, "glm5-next"},
    {"indexer.proj", CONTAINS, "glm5-next"},
    {"indexer_compressor_gate", CONTAINS, "glm5-next"},
    {"indexer_compressor_ape", CONTAINS, "glm5-next"},
    {"ssm_f_a.weight", CONTAINS, "glm5-next"},
    {"ssm_f_b.weight", CONTAINS, "glm5-next"},
    {"ssm_g_a.weight", CONTAINS, "glm5-next"},
    {"ssm_g_b.weight", CONTAINS, "glm5-next"},
    {"ssm_beta.weight", CONTAINS, "glm5-next"},
    {"attn_kv_a_mqa.weight", CONTAINS, "glm5-next"},
    {"attn_k_b.weight", CONTAINS, "glm5-next"},
    {"attn_v_b.weight", CONTAINS, "glm5-next"},
    /* RWKV: low-rank factors of the time mix */
    {"time_mix_first.weight", CONTAINS, NULL},
    {"time_mix_w0.weight", CONTAINS, NULL},
    {"time_mix_w1.weight", CONTAINS, NULL},
    {"time_mix_w2.weight", CONTAINS, NULL},
    {"time_mix_v0.weight", CONTAINS, NULL},
    {"time_mix_v1.weight", CONTAINS, NULL},
    {"time_mix_v2.weight", CONTAINS, NULL},
    {"time_mix_a0.weight", CONTAINS, NULL},
    {"time_mix_a1.weight", CONTAINS, NULL},
    {"time_mix_a2.weight", CONTAINS, NULL},
    {"time_mix_g1.weight", CONTAINS, NULL},
    {"time_mix_g2.weight", CONTAINS, NULL},
    {"time_mix_decay_w1.weight", CONTAINS, NULL},
    {"time_mix_decay_w2.weight", CONTAINS, NULL},
    {"time_mix_lerp_fused.weight", CONTAINS, NULL},
    /* vision and audio */
    {".position_embd", CONTAINS, NULL},
    {"sam.pos_embd", CONTAINS, NULL},
    {"sam.neck.", CONTAINS, NULL},
    {"sam.net_", CONTAINS, NULL},
    {".rel_pos", CONTAINS, NULL},
    {".patch_embd", CONTAINS, NULL},
    {".patch_merger", CONTAINS, NULL},
    {"a.rvq.codebook", CONTAINS, NULL},
    {"mm.a.code_embd", CONTAINS, NULL},
};

static const struct {
    const char *arch, *text;
} pinned[] = {
    {"glm5-next", "attn_q_a"},
    {"glm5-next", "attn_q_b"},
    {"glm5-next", "nextn.eh_proj"},
};

bool recipe_name_allowed(const char *name, const char *arch)
{
    /* llama.cpp takes "not found" for "at the end" in names that are one byte shorter than what it
     * looks for; no model has such names, but the files shall be the same. */
    if (!text_ends_with(name, "weight") && strlen(name) != strlen("weight") - 1)
        return false;
    for (size_t i = 0; i < sizeof excluded / sizeof excluded[0]; i++)
        if ((!excluded[i].arch || strcmp(excluded[i].arch, arch) == 0) &&
            matches(name, excluded[i].text, excluded[i].match))
            return false;
    return true;
}

bool recipe_name_pinned(const char *name, const char *arch)
{
    for (size_t i = 0; i < sizeof pinned / sizeof pinned[0]; i++)
        if (strcmp(pinned[i].arch, arch) == 0 && strstr(name, pinned[i].text))
            return true;
    return false;
}

/* ---- layers and order ---- */

int recipe_layer_of(const char *name)
{
    int layer = 0;
    if (!text_starts_with(name, "blk.") || name[4] < '0' || name[4] > '9')
        return -1;
    for (const char *p = name + 4; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(layer, 10, &layer) ||
            __builtin_add_overflow(layer, *p - '0', &layer))
            return -1;
    return layer;
}

int recipe_name_order(const char *a, const char *b)
{
    const int la = recipe_layer_of(a), lb = recipe_layer_of(b);
    return la != lb ? (la < lb ? -1 : 1) : strcmp(a, b);
}
