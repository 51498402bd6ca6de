/* recipe.c -- chooses a type for every tensor of a model. */
#include "libquant/convert/recipe.h"

#include "libquant/base/text.h"

#include <string.h>

/* ---- mixes ---- */

static const struct mix mixes[] = {
#define MIX(symbol, number, base, summary) {#symbol, summary, number, MIX_##symbol, LQ_TYPE_##base},
#define ALIAS(name, symbol, number, base) {name, NULL, number, MIX_##symbol, LQ_TYPE_##base},
#include "libquant/convert/recipe_mixes.def"
#undef MIX
#undef ALIAS
};

size_t mix_count(void)
{
    return sizeof mixes / sizeof mixes[0];
}

const struct mix *mix_at(size_t i)
{
    return &mixes[i];
}

const struct mix *mix_by_name(const char *name)
{
    uint64_t number;
    for (size_t i = 0; i < mix_count(); i++)
        if (ascii_casecmp(mixes[i].name, name) == 0)
            return &mixes[i];
    if (text_parse_u64(name, UINT32_MAX, &number))
        for (size_t i = 0; i < mix_count(); i++)
            if (mixes[i].number == number)
                return &mixes[i];
    return NULL;
}

lq_status recipe_type_parse(const struct type_info **out, const char *name, const char *what,
                            lq_error *err)
{
    const struct type_info *const type = type_by_name(name);
    if (!type)
        return lq_fail(err, LQ_E_USAGE, "%s: there is no tensor type \"%s\"", what, name);
    if (!type->encode || type->id > 255 || (type->flags & (TYPE_INTEGER | TYPE_INTERNAL)))
        return lq_fail(err, LQ_E_USAGE, "%s: %s is no type that weights can be stored in", what,
                       type->name);
    *out = type;
    return LQ_OK;
}

/* ---- shapes ---- */

/* Size of dimension k, counted from the innermost one; 1 where the tensor has fewer. */
static uint64_t size_of(const struct tensor *t, uint32_t k)
{
    return k < t->rank ? t->dim[t->rank - 1 - k] : 1;
}

uint64_t recipe_stack(const struct tensor *t)
{
    return size_of(t, 2);
}

static bool is_vector(const struct tensor *t)
{
    for (uint32_t k = 1; k < t->rank; k++)
        if (size_of(t, k) > 1)
            return false;
    return true;
}

static bool rows_fit(const struct tensor *t, const struct type_info *type)
{
    return tensor_cols(t) % type->block_len == 0;
}

/* What takes the place of a type whose blocks are longer than the tensor's rows allow. */
static const struct {
    uint16_t type, instead;
} fallbacks[] = {
    {LQ_TYPE_IQ1_S, LQ_TYPE_IQ4_NL},   {LQ_TYPE_IQ1_M, LQ_TYPE_IQ4_NL},
    {LQ_TYPE_IQ2_XXS, LQ_TYPE_IQ4_NL}, {LQ_TYPE_IQ2_XS, LQ_TYPE_IQ4_NL},
    {LQ_TYPE_IQ2_S, LQ_TYPE_IQ4_NL},   {LQ_TYPE_IQ3_XXS, LQ_TYPE_IQ4_NL},
    {LQ_TYPE_IQ3_S, LQ_TYPE_IQ4_NL},   {LQ_TYPE_IQ4_XS, LQ_TYPE_IQ4_NL},
    {LQ_TYPE_Q2_0, LQ_TYPE_Q4_0},      {LQ_TYPE_Q2_K, LQ_TYPE_Q4_0},
    {LQ_TYPE_Q3_K, LQ_TYPE_Q4_0},      {LQ_TYPE_TQ1_0, LQ_TYPE_Q4_0},
    {LQ_TYPE_TQ2_0, LQ_TYPE_Q4_0},     {LQ_TYPE_Q4_K, LQ_TYPE_Q5_0},
    {LQ_TYPE_Q5_K, LQ_TYPE_Q5_1},      {LQ_TYPE_Q6_K, LQ_TYPE_Q8_0},
};

/* NULL where llama.cpp defines none. Blocks of 32 have no smaller ones to fall back to. */
static const struct type_info *fallback_for(const struct tensor *t, const struct type_info *type)
{
    const struct type_info *instead = type->block_len <= 32 ? type : NULL;
    for (size_t i = 0; i < sizeof fallbacks / sizeof fallbacks[0]; i++)
        if (fallbacks[i].type == type->id)
            instead = type_by_id(fallbacks[i].instead);
    if (instead && !rows_fit(t, instead))
        instead = type_by_id(LQ_TYPE_F16);
    return instead;
}

/* ---- choosing ---- */

/* What the rules know while they go through a model's tensors. */
struct chooser {
    const struct recipe *r;
    const struct recipe_model *m;
    const struct type_info *base;
    bool tied;              /* no output matrix: the embeddings serve as it */
    uint64_t n_attn_v;      /* tensors of ROLE_ATTN_V in all */
    uint64_t seen_v, seen_up, seen_gate, seen_down; /* that the mix has already decided */
};

static uint64_t *seen_of(struct chooser *c, enum role role)
{
    switch (role) {
    case ROLE_ATTN_V: return &c->seen_v;
    case ROLE_FFN_UP: return &c->seen_up;
    case ROLE_FFN_GATE: return &c->seen_gate;
    case ROLE_FFN_DOWN: return &c->seen_down;
    default: return NULL;
    }
}

static unsigned if_true(bool holds, unsigned circumstance)
{
    return holds ? circumstance : 0;
}

/* What depends on the model and the tensor's shape and name. */
static unsigned circumstances_of(const struct chooser *c, const struct tensor *t)
{
    const struct recipe_model *const m = c->m;
    const bool falcon = strcmp(m->arch, "falcon") == 0;
    return if_true(m->gqa >= 4, IF_GQA4) | if_true(m->experts >= 4, IF_EXPERTS_4UP) |
           if_true(m->experts == 8, IF_EXPERTS_8) | if_true(m->shares_kv_70b, IF_70B) |
           (falcon ? IF_FALCON : IF_NOT_FALCON) | if_true(recipe_stack(t) > 1, IF_STACKED) |
           if_true(strcmp(m->arch, "bailingmoe3") != 0, IF_NOT_BAILING3) |
           (c->r->has_importance ? IF_MATRIX : IF_NO_MATRIX) |
           if_true(!rows_fit(t, c->base), IF_MISFIT) |
           if_true(recipe_name_pinned(t->name, m->arch), IF_PINNED);
}

/* Where layer i of n is. */
static unsigned position_of(uint64_t i, uint64_t n)
{
    const bool first = i < n / 8, last = i >= 7 * n / 8;
    return if_true(first || last || (i - n / 8) % 3 == 2, IF_MORE_BITS) |
           if_true(i < n / 16, IF_FIRST_16TH) | if_true(first, IF_FIRST_8TH) |
           if_true(!first && !last, IF_MIDDLE) | if_true(i < 2, IF_FIRST_2) |
           if_true(i < 4, IF_FIRST_4);
}

static const struct type_info *choose_by_mix(struct chooser *c, const struct tensor *t)
{
    enum role role = recipe_role(t->name);
    if (role == ROLE_EMBEDDING && c->tied)
        role = ROLE_OUTPUT;
    if (role == ROLE_OUTPUT && c->r->output_type)
        return c->r->output_type;

    unsigned when = circumstances_of(c, t);
    uint64_t *const seen = seen_of(c, role);
    if (seen) {
        const uint64_t n = role == ROLE_ATTN_V ? c->n_attn_v : c->m->layers;
        const int layer = recipe_layer_of(t->name);
        /* In a mixture of experts a layer may have several such tensors: only the name tells. */
        const bool by_name = role != ROLE_ATTN_V && c->m->experts > 1 && layer >= 0;
        when |= position_of(by_name ? (uint64_t)layer : *seen, n) |
                if_true(*seen < n / 8, IF_SEEN_8TH);
        ++*seen;
    }
    return type_by_id(recipe_rule_type(c->r->mix->id, role, when, c->base->id));
}

static lq_status search_patterns(const struct recipe *r, const char *name,
                                 const struct type_info **type, lq_error *err)
{
    *type = NULL;
    for (size_t i = 0; i < r->n_patterns; i++) {
        bool found;
        LQ_TRY(type_pattern_search(&r->patterns[i], name, &found, err));
        if (found) {
            *type = r->patterns[i].type;
            return LQ_OK;
        }
    }
    return LQ_OK;
}

/* Integers are never quantized, whatever they are called. */
static bool may_quantize(const struct recipe *r, const struct recipe_model *m,
                         const struct tensor *t)
{
    return r->mix->base != LQ_TYPE_NONE && !is_vector(t) && t->type->decode &&
           !(t->type->flags & TYPE_INTEGER) && recipe_name_allowed(t->name, m->arch) &&
           !(r->keep_output && recipe_role(t->name) == ROLE_OUTPUT);
}

/* The types asked for by name; *type stays NULL where none is. */
static lq_status choose_by_option(const struct recipe *r, const struct tensor *t,
                                  const struct type_info **type, lq_error *err)
{
    const enum role role = recipe_role(t->name);
    *type = NULL;
    if (role == ROLE_OUTPUT) {
        *type = r->output_type;
    } else if (role == ROLE_EMBEDDING && r->embedding_type) {
        /* Gemma's table of per-layer embeddings is one too, and large: a pattern may single it
         * out. */
        const struct type_info *pattern = NULL;
        if (strcmp(t->name, "per_layer_token_embd.weight") == 0)
            LQ_TRY(search_patterns(r, t->name, &pattern, err));
        if (!pattern)
            *type = r->embedding_type;
    }
    return LQ_OK;
}

static lq_status misfit(const struct tensor *t, const struct type_info *type, lq_error *err)
{
    const lq_status status = lq_fail(
        err, LQ_E_MODEL, "its rows have %llu elements, which is no multiple of %u as %s needs; "
        "choose another type for it with --tensor-type", (unsigned long long)tensor_cols(t),
        type->block_len, type->name);
    lq_error_add_tensor(err, t->name);
    return status;
}

static lq_status choose(struct chooser *c, const struct tensor *t, struct choice *choice,
                        lq_error *err)
{
    *choice = (struct choice){.type = t->type, .wanted = t->type, .reason = CHOICE_KEPT};
    if (!may_quantize(c->r, c->m, t))
        return LQ_OK;
    const struct type_info *type;
    LQ_TRY(choose_by_option(c->r, t, &type, err));
    if (type) {
        choice->reason = CHOICE_OPTION;
        choice->type = choice->wanted = type;
        return rows_fit(t, type) ? LQ_OK : misfit(t, type, err);
    }
    choice->reason = CHOICE_MIX;
    choice->type = choice->wanted = c->base;
    if (!(c->base->flags & TYPE_QUANTIZED))
        return LQ_OK; /* F16, BF16, F32: no mix, and patterns do not apply */
    LQ_TRY(search_patterns(c->r, t->name, &type, err));
    if (type)
        choice->reason = CHOICE_PATTERN;
    else
        type = c->r->pure ? c->base : choose_by_mix(c, t);
    choice->wanted = type;
    choice->type = rows_fit(t, type) ? type : fallback_for(t, type);
    return choice->type ? LQ_OK : misfit(t, type, err);
}

/* Types that are garbage without importance; the embeddings and the output matrix get along. */
static bool needs_importance(const struct recipe *r, const struct tensor *t,
                             const struct type_info *type)
{
    static const uint16_t needing[] = {LQ_TYPE_IQ3_XXS, LQ_TYPE_IQ2_XXS, LQ_TYPE_IQ2_XS,
                                       LQ_TYPE_IQ2_S,   LQ_TYPE_IQ1_M,   LQ_TYPE_IQ1_S};
    if (type->flags & TYPE_NEEDS_IMPORTANCE)
        return true;
    if (recipe_role(t->name) & (ROLE_EMBEDDING | ROLE_OUTPUT))
        return false;
    for (size_t i = 0; i < sizeof needing / sizeof needing[0]; i++)
        if (needing[i] == type->id)
            return true;
    return type->id == LQ_TYPE_Q2_K && r->mix->id == MIX_Q2_K_S;
}

lq_status recipe_choose(const struct recipe *r, const struct recipe_model *m,
                        const struct tensor *tensors, size_t n, struct choice *choices,
                        lq_error *err)
{
    struct chooser c = {.r = r, .m = m, .base = type_by_id(r->mix->base), .tied = true};
    for (size_t i = 0; i < n; i++) {
        const enum role role = recipe_role(tensors[i].name);
        c.n_attn_v += role == ROLE_ATTN_V;
        c.tied = c.tied && role != ROLE_OUTPUT;
    }
    for (size_t i = 0; i < n; i++) {
        LQ_TRY(choose(&c, &tensors[i], &choices[i], err));
        choices[i].needs_importance = needs_importance(r, &tensors[i], choices[i].type);
    }
    return LQ_OK;
}
