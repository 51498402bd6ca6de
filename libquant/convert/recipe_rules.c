/* recipe_rules.c -- the rules of the mixes: which role gets more, or fewer, bits than the base type.
 *
 * The first row whose mix, role and circumstances all hold gives the type; BASE is the mix's base
 * type and ends the search. They state what llama.cpp's llama_tensor_get_type_impl does
 * (src/llama-quant.cpp) by cases.
 */
#include "libquant/convert/recipe.h"

#define M(mix) (UINT64_C(1) << MIX_##mix)

enum { BASE = 0xfffe, ANY_ROLE = ROLE_OTHER * 2 - 1 };

#define ANY_MIX UINT64_MAX
/* The mixes around 2 bits have rules of their own throughout. */
#define LOW_A (M(IQ2_XXS) | M(IQ2_XS) | M(IQ1_S) | M(IQ1_M))
#define LOW_B (M(IQ2_S) | M(IQ2_M))
#define LOW (LOW_A | LOW_B)
#define IQ4 (M(IQ4_NL) | M(IQ4_XS))

static const struct rule {
    uint64_t mixes;
    uint16_t roles; /* enum role */
    uint16_t type;
    uint32_t when; /* enum circumstance: all of them */
} rules[] = {
    {ANY_MIX, ANY_ROLE, LQ_TYPE_Q8_0, IF_PINNED},

    /* the output matrix, and the embeddings where they are the output matrix too */
    {M(MXFP4_MOE), ROLE_OUTPUT, LQ_TYPE_Q8_0, 0},
    {ANY_MIX, ROLE_OUTPUT, LQ_TYPE_Q8_0, IF_FALCON},
    {ANY_MIX, ROLE_OUTPUT, LQ_TYPE_Q8_0, IF_MISFIT},
    {LOW | M(IQ3_XXS), ROLE_OUTPUT, LQ_TYPE_Q5_K, 0},
    {M(Q8_0), ROLE_OUTPUT, BASE, 0},
    {ANY_MIX, ROLE_OUTPUT, LQ_TYPE_Q6_K, 0},

    {M(MXFP4_MOE), ROLE_FFN_UP | ROLE_FFN_GATE | ROLE_FFN_DOWN, BASE, IF_STACKED},
    {M(MXFP4_MOE), ANY_ROLE, BASE, IF_STACKED | IF_NOT_BAILING3},
    {M(MXFP4_MOE), ANY_ROLE, LQ_TYPE_Q8_0, 0},

    {LOW_A, ROLE_EMBEDDING, LQ_TYPE_Q2_K, 0},
    {LOW_B | M(IQ3_XXS), ROLE_EMBEDDING, LQ_TYPE_IQ3_S, 0},
    {M(TQ1_0) | M(TQ2_0) | M(Q2_0), ROLE_EMBEDDING, LQ_TYPE_Q4_K, 0},

    /* mixes around 2 bits */
    {LOW, ROLE_ATTN_V, LQ_TYPE_Q4_K, IF_GQA4},
    {LOW, ROLE_ATTN_V, LQ_TYPE_Q4_K, IF_EXPERTS_4UP},
    {LOW_B, ROLE_ATTN_V, LQ_TYPE_IQ3_S, 0},
    {LOW_A, ROLE_ATTN_V, LQ_TYPE_Q2_K, 0},
    {LOW, ROLE_ATTN_K, LQ_TYPE_Q4_K, IF_EXPERTS_8},
    {LOW_B, ROLE_FFN_DOWN, LQ_TYPE_IQ3_S, IF_SEEN_8TH},
    {LOW_A, ROLE_FFN_DOWN, LQ_TYPE_Q2_K, IF_SEEN_8TH},
    {LOW, ROLE_ATTN_OUT, LQ_TYPE_Q5_K, IF_EXPERTS_8},
    {M(IQ1_S) | M(IQ1_M), ROLE_ATTN_OUT, LQ_TYPE_IQ2_XXS, 0},
    {LOW_B, ROLE_ATTN_OUT, LQ_TYPE_IQ3_S, 0},
    {LOW, ANY_ROLE, BASE, 0},

    /* attention values: small, and every output depends on them */
    {ANY_MIX, ROLE_ATTN_V, LQ_TYPE_Q8_0, IF_EXPERTS_8},
    {M(Q4_K_M) | M(Q5_K_M), ROLE_ATTN_V, LQ_TYPE_Q6_K, IF_MORE_BITS},
    {M(Q2_K) | M(Q3_K_S) | M(Q3_K_M) | M(IQ3_M) | M(Q4_K_S) | M(Q4_K_M), ROLE_ATTN_V,
     LQ_TYPE_Q5_K, IF_70B},
    {M(Q2_K_S) | M(IQ3_XXS) | M(IQ3_XS) | M(IQ3_S), ROLE_ATTN_V, LQ_TYPE_Q5_K, IF_70B | IF_GQA4},
    {M(Q2_K) | M(Q2_K_S) | M(IQ3_XXS) | M(IQ3_XS) | M(IQ3_S), ROLE_ATTN_V, LQ_TYPE_Q4_K, IF_GQA4},
    {M(Q2_K), ROLE_ATTN_V, LQ_TYPE_Q3_K, 0},
    {M(IQ3_XXS), ROLE_ATTN_V, LQ_TYPE_IQ3_S, IF_NO_MATRIX},
    {M(IQ3_M), ROLE_ATTN_V, LQ_TYPE_Q4_K, 0},
    {M(Q3_K_M), ROLE_ATTN_V, LQ_TYPE_Q5_K, IF_FIRST_2},
    {M(Q3_K_M), ROLE_ATTN_V, LQ_TYPE_Q4_K, 0},
    {M(Q3_K_L), ROLE_ATTN_V, LQ_TYPE_Q5_K, 0},
    {IQ4, ROLE_ATTN_V, LQ_TYPE_Q5_K, IF_GQA4},
    {M(Q4_K_S), ROLE_ATTN_V, LQ_TYPE_Q5_K, IF_FIRST_4},

    {ANY_MIX, ROLE_ATTN_K, LQ_TYPE_Q8_0, IF_EXPERTS_8},
    {M(IQ3_XS), ROLE_ATTN_K | ROLE_ATTN_Q, LQ_TYPE_IQ3_XXS, 0},
    {M(IQ3_XXS), ROLE_ATTN_K | ROLE_ATTN_Q, LQ_TYPE_IQ2_S, 0},

    {M(Q2_K), ROLE_FFN_DOWN, LQ_TYPE_Q3_K, 0},
    {M(Q2_K_S), ROLE_FFN_DOWN, LQ_TYPE_Q4_K, IF_FIRST_8TH},
    {M(IQ3_XXS), ROLE_FFN_DOWN, LQ_TYPE_Q4_K, IF_NO_MATRIX | IF_FIRST_8TH},
    {M(IQ3_XXS), ROLE_FFN_DOWN, LQ_TYPE_Q3_K, IF_NO_MATRIX},
    {M(Q3_K_M), ROLE_FFN_DOWN, LQ_TYPE_Q5_K, IF_FIRST_16TH},
    {M(Q3_K_M), ROLE_FFN_DOWN, LQ_TYPE_Q4_K, IF_NOT_FALCON},
    {M(Q3_K_M), ROLE_FFN_DOWN, LQ_TYPE_Q4_K, IF_MORE_BITS},
    {M(IQ3_M), ROLE_FFN_DOWN, LQ_TYPE_Q4_K, IF_FIRST_8TH},
    {M(IQ3_M), ROLE_FFN_DOWN, LQ_TYPE_Q4_K, IF_EXPERTS_8 | IF_MORE_BITS},
    {M(Q3_K_L), ROLE_FFN_DOWN, LQ_TYPE_Q4_K, IF_FALCON},
    {M(Q3_K_L), ROLE_FFN_DOWN, LQ_TYPE_Q5_K, 0},
    {M(Q4_K_M), ROLE_FFN_DOWN, LQ_TYPE_Q6_K, IF_FALCON | IF_FIRST_16TH},
    {M(Q4_K_M), ROLE_FFN_DOWN, LQ_TYPE_Q5_K, IF_FALCON | IF_MORE_BITS},
    {M(Q4_K_M), ROLE_FFN_DOWN, BASE, IF_FALCON},
    {M(Q4_K_M) | M(Q5_K_M), ROLE_FFN_DOWN, LQ_TYPE_Q6_K, IF_MORE_BITS},
    {IQ4, ROLE_FFN_DOWN, LQ_TYPE_Q5_K, IF_NO_MATRIX | IF_FIRST_8TH},
    {M(Q4_K_S), ROLE_FFN_DOWN, LQ_TYPE_Q5_K, IF_NOT_FALCON | IF_FIRST_8TH},
    {M(Q4_0), ROLE_FFN_DOWN, LQ_TYPE_Q4_1, IF_MATRIX | IF_FIRST_8TH},
    {M(Q5_0), ROLE_FFN_DOWN, LQ_TYPE_Q5_1, IF_MATRIX | IF_FIRST_8TH},

    {M(Q3_K_L), ROLE_ATTN_OUT, LQ_TYPE_Q4_K, IF_FALCON},
    {ANY_MIX, ROLE_ATTN_OUT, BASE, IF_FALCON},
    {M(Q2_K) | M(IQ3_XS) | M(IQ3_XXS) | M(Q3_K_S) | M(Q3_K_M) | IQ4 | M(Q4_K_S) | M(Q4_K_M) |
         M(IQ3_S) | M(IQ3_M),
     ROLE_ATTN_OUT, LQ_TYPE_Q5_K, IF_EXPERTS_8},
    {ANY_MIX, ROLE_ATTN_OUT, BASE, IF_EXPERTS_8},
    {M(Q2_K), ROLE_ATTN_OUT, LQ_TYPE_Q3_K, 0},
    {M(IQ3_XXS), ROLE_ATTN_OUT, LQ_TYPE_IQ3_S, 0},
    {M(Q3_K_M) | M(IQ3_M), ROLE_ATTN_OUT, LQ_TYPE_Q4_K, 0},
    {M(Q3_K_L), ROLE_ATTN_OUT, LQ_TYPE_Q5_K, 0},

    {M(IQ3_XS), ROLE_FFN_GATE | ROLE_FFN_UP, LQ_TYPE_IQ3_XXS, IF_MIDDLE},
};

_Static_assert(MIX_COUNT <= 64, "a set of mixes is 64 bits");

uint16_t recipe_rule_type(enum mix_id mix, enum role role, unsigned circumstances, uint16_t base)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const struct rule *const r = &rules[i];
        if ((r->mixes >> mix & 1) && (r->roles & role) && (r->when & ~circumstances) == 0)
            return r->type == BASE ? base : r->type;
    }
    return base;
}
