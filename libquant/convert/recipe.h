/* recipe.h -- which tensor gets which type: the mixes that llama-quantize makes, as data.
 *
 *   mix (Q4_K_M)  -+
 *   model facts   -+-> recipe_choose: for each tensor in turn
 *   tensors       -+     may it be quantized at all?      recipe_names.c   table of name patterns
 *   options       -+     its role, from its name          recipe_names.c   table
 *                        the first rule that holds        recipe_rules.c   table
 *                        a type that its rows can have    recipe.c         table of fallbacks
 *
 * The choices are those of llama.cpp's src/llama-quant.cpp, tensor for tensor. Some rules count the
 * tensors that came before, so the choices depend on the order: GGUF files that are quantized have
 * their tensors in the order of recipe_name_order.
 */
#ifndef LQ_CONVERT_RECIPE_H
#define LQ_CONVERT_RECIPE_H

#include "libquant/catalog/catalog.h"

/* ---- mixes ---- */

enum mix_id {
#define MIX(symbol, number, base, summary) MIX_##symbol,
#define ALIAS(name, symbol, number, base)
#include "libquant/convert/recipe_mixes.def"
#undef MIX
#undef ALIAS
    MIX_COUNT
};

struct mix {
    const char *name;    /* "Q4_K_M", or an alias: "Q4_K" */
    const char *summary; /* one line for the help; NULL for an alias */
    uint32_t number;     /* general.file_type */
    enum mix_id id;      /* of what an alias stands for */
    uint16_t base;       /* the type that most tensors get; LQ_TYPE_NONE: all are kept (COPY) */
};

/* All mixes and aliases in the order of recipe_mixes.def: i from 0 to mix_count() - 1. */
size_t mix_count(void);
const struct mix *mix_at(size_t i);
/* By name without regard to case, or by number in decimal; NULL where there is none. Where several
 * have one number it is the first one. */
const struct mix *mix_by_name(const char *name);

/* ---- what a choice depends on ---- */

/* Facts about a model, from its metadata as GGUF names them. */
struct recipe_model {
    const char *arch;    /* "llama"; "" where unknown */
    uint64_t layers;     /* all, those for multi-token prediction included */
    uint64_t experts;    /* 0: a dense model */
    uint64_t gqa;        /* query heads per key and value head of the first layer; 0: no heads */
    bool shares_kv_70b;  /* one of the big models whose attention values are small and worth bits */
};

/* Reads them. Where a key is missing its value is 0, as for a model that is none; the number of
 * layers then comes from the tensors' names. `arch` belongs to the catalog. */
void recipe_model_read(struct recipe_model *m, const struct catalog *c);

/* A type asked for by name: PATTERN=TYPE, the pattern an ECMAScript regular expression that is
 * searched in the name. */
struct type_pattern {
    char *text; /* as compiled: lower case */
    void *code;
    const struct type_info *type;
};

/* Parses "PATTERN=TYPE". LQ_E_USAGE where it is malformed or the type cannot be made. */
lq_status type_pattern_parse(struct type_pattern *p, const char *text, lq_error *err);
/* LQ_E_USAGE where the search takes more steps than any sensible pattern. */
lq_status type_pattern_search(const struct type_pattern *p, const char *name, bool *found,
                              lq_error *err);
void type_pattern_release(struct type_pattern *p);

/* A type that can be made, by its name; LQ_E_USAGE else. `what` names the option. */
lq_status recipe_type_parse(const struct type_info **out, const char *name, const char *what,
                            lq_error *err);

struct recipe {
    const struct mix *mix;
    bool pure;                              /* the base type everywhere: no mix */
    bool keep_output;                       /* output.weight stays as it is */
    bool has_importance;                    /* an importance matrix is given */
    const struct type_info *output_type;    /* or NULL: of output.weight */
    const struct type_info *embedding_type; /* or NULL: of the token embeddings */
    const struct type_pattern *patterns;    /* the first one that is found counts */
    size_t n_patterns;
};

/* ---- choices ---- */

enum choice_reason {
    CHOICE_KEPT,     /* not to be quantized: keeps the type it has */
    CHOICE_MIX,      /* by the mix */
    CHOICE_PATTERN,  /* by a pattern */
    CHOICE_OPTION,   /* by output_type or embedding_type */
};

struct choice {
    const struct type_info *type;
    const struct type_info *wanted; /* what it would be if rows were whole blocks of it; else type */
    uint8_t reason;                 /* enum choice_reason */
    bool needs_importance;          /* without importance the result is garbage: refuse */
};

/* Chooses for n tensors in their order; `tensor.type` is the type that one which is kept keeps.
 * LQ_E_MODEL where a tensor's rows fit neither the type nor a fallback, LQ_E_USAGE for a pattern
 * that takes too long. */
lq_status recipe_choose(const struct recipe *r, const struct recipe_model *m,
                        const struct tensor *tensors, size_t n, struct choice *choices,
                        lq_error *err);

/* Order of tensors in a quantized GGUF file, for qsort-like use: those outside the layers first,
 * then layer after layer, by name within. */
int recipe_name_order(const char *a, const char *b);
/* The N of a name that begins with "blk.N", else -1. */
int recipe_layer_of(const char *name);

/* Number of matrices stacked in a tensor (experts), each with importance of its own. */
uint64_t recipe_stack(const struct tensor *t);

/* ---- names (recipe_names.c), rules (recipe_rules.c): for recipe.c ---- */

enum role {
    ROLE_OUTPUT = 1 << 0,
    ROLE_EMBEDDING = 1 << 1,
    ROLE_ATTN_Q = 1 << 2,
    ROLE_ATTN_K = 1 << 3,
    ROLE_ATTN_V = 1 << 4, /* and what holds values among others: fused QKV, MLA's KV_B */
    ROLE_ATTN_OUT = 1 << 5,
    ROLE_FFN_UP = 1 << 6,
    ROLE_FFN_GATE = 1 << 7,
    ROLE_FFN_DOWN = 1 << 8,
    ROLE_OTHER = 1 << 9
};

enum role recipe_role(const char *name);
/* False for names of norms, routers, position tables, convolutions, ... */
bool recipe_name_allowed(const char *name, const char *arch);
/* True for tensors of some architectures that stay at 8 bits in every mix. */
bool recipe_name_pinned(const char *name, const char *arch);

/* Circumstances of one tensor; a rule asks for some of them. */
enum circumstance {
    IF_GQA4 = 1 << 0,        /* 4 or more query heads share a key and value head */
    IF_EXPERTS_4UP = 1 << 1, /* 4 or more experts */
    IF_EXPERTS_8 = 1 << 2,   /* exactly 8 */
    IF_70B = 1 << 3,         /* shares_kv_70b */
    IF_FALCON = 1 << 4,
    IF_NOT_FALCON = 1 << 5,
    IF_STACKED = 1 << 6,     /* several matrices in one tensor */
    IF_NOT_BAILING3 = 1 << 7,
    IF_MATRIX = 1 << 8,      /* an importance matrix is given */
    IF_NO_MATRIX = 1 << 9,
    IF_MISFIT = 1 << 10,     /* a row is no whole number of blocks of the base type */
    IF_PINNED = 1 << 11,     /* recipe_name_pinned */
    /* where the tensor's layer is among all: i of n */
    IF_MORE_BITS = 1 << 12,  /* first eighth, last eighth, and every third between */
    IF_FIRST_16TH = 1 << 13,
    IF_FIRST_8TH = 1 << 14,
    IF_MIDDLE = 1 << 15,     /* not in the first and last eighth */
    IF_FIRST_2 = 1 << 16,
    IF_FIRST_4 = 1 << 17,
    IF_SEEN_8TH = 1 << 18    /* fewer such tensors came before than an eighth of the layers */
};

/* The type that the first rule gives; `base` where none holds. */
uint16_t recipe_rule_type(enum mix_id mix, enum role role, unsigned circumstances, uint16_t base);

#endif
