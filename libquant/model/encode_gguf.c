/* encode_gguf.c -- encoders as the tokenizer.ggml.* metadata of GGUF files describe them. What the keys
 * do not say (the defaults of ids, what is added to texts, how blanks are treated) is as llama.cpp has
 * it; how words are cut is as the tokenizer was defined by those who trained it. */
#include "libquant/model/encode_parts.h"
#include "libquant/model/tokenizer_json.h"
#include "libquant/model/vocab.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define KEY(name) "tokenizer.ggml." name

struct maker {
    struct encoder *e;
    const struct catalog *c;
    const int32_t *types; /* by id, or NULL: all normal */
    const float *scores;  /* by id, or NULL */
    uint32_t bos, eos, sep, unk; /* or NO_TOKEN */
    bool add_bos, add_eos, add_sep, prefix, mask_takes_blanks;
    lq_error *err;
};

static lq_status fail(const struct maker *m, const char *what)
{
    return lq_fail_at(m->err, LQ_E_MODEL, m->c->path, -1, "%s", what);
}

static enum token_type type_of(const struct maker *m, uint32_t id)
{
    return m->types ? (enum token_type)m->types[id] : TOKEN_NORMAL;
}

static bool flag_of(const struct maker *m, const char *key, bool fallback)
{
    const struct meta *const v = catalog_meta(m->c, key);
    return v && v->type == META_BOOL ? v->v.u64 != 0 : fallback;
}

/* The id of a key where the vocabulary has it, else the default, where it has that. */
static uint32_t id_of(const struct maker *m, const char *key, uint32_t fallback)
{
    uint64_t id;
    if (catalog_meta_u64(m->c, key, &id) && id < m->e->n_tokens)
        return (uint32_t)id;
    return fallback < m->e->n_tokens ? fallback : NO_TOKEN;
}

/* ---- arrays ---- */

static lq_status read_arrays(struct maker *m)
{
    const struct meta *const tokens = catalog_meta_array(m->c, KEY("tokens"), META_STRING);
    const struct meta *const types = catalog_meta_array(m->c, KEY("token_type"), META_I32);
    const struct meta *const scores = catalog_meta_array(m->c, KEY("scores"), META_F32);
    if (!tokens || !tokens->v.array.count)
        return fail(m, "has no tokenizer: tokenizer.ggml.tokens is missing");
    if (tokens->v.array.count > TOKEN_ID_LIMIT)
        return fail(m, "has too many tokens");
    m->e->tokens = tokens->v.array.data;
    m->e->n_tokens = (uint32_t)tokens->v.array.count;
    if ((types && types->v.array.count < m->e->n_tokens) ||
        (scores && scores->v.array.count < m->e->n_tokens))
        return fail(m, "has fewer token types or scores than tokens");
    m->types = types ? types->v.array.data : NULL;
    m->scores = scores ? scores->v.array.data : NULL;
    return encoder_index(m->e, true, m->err);
}

/* Phi 3's control tokens take the blanks after them along, all but three; the files do not say so, and
 * the model's name must do, as in llama.cpp. */
static bool is_phi3(const struct maker *m)
{
    const char *const name = catalog_meta_string(m->c, "general.name");
    return name && (strcasestr(name, "phi-3") || strcasestr(name, "phi3"));
}

static bool takes_no_blanks(const struct bytes *token)
{
    static const char *const names[] = {"<unk>", "<s>", "<|endoftext|>"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == token->len && memcmp(names[i], token->data, token->len) == 0)
            return true;
    return false;
}

/* Control and unknown tokens are found in texts where that is asked for, user-defined ones always. */
static lq_status set_added(struct maker *m)
{
    struct encoder *const e = m->e;
    const bool phi3 = is_phi3(m);
    size_t n = 0;
    for (uint32_t id = 0; id < e->n_tokens; id++)
        n += type_of(m, id) >= TOKEN_UNKNOWN && type_of(m, id) <= TOKEN_USER_DEFINED;
    e->added = arena_calloc(&e->arena, n, sizeof *e->added);
    if (!e->added)
        return lq_fail_memory(m->err);
    for (uint32_t id = 0; id < e->n_tokens; id++) {
        const enum token_type type = type_of(m, id);
        const struct bytes *const b = &e->tokens[id];
        if (type < TOKEN_UNKNOWN || type > TOKEN_USER_DEFINED)
            continue;
        const bool mask = m->mask_takes_blanks && b->len == 6 && memcmp(b->data, "<mask>", 6) == 0;
        e->added[e->n_added++] = (struct added_entry){
            .id = id, .content = *b, .special = type != TOKEN_USER_DEFINED, .lstrip = mask,
            .rstrip = phi3 && !takes_no_blanks(b)};
    }
    return encoder_index_added(e, m->err);
}

static lq_status set_around(struct maker *m)
{
    struct encoder *const e = m->e;
    e->before = arena_calloc(&e->arena, 3, sizeof *e->before);
    if (!e->before)
        return lq_fail_memory(m->err);
    e->after = e->before + 1;
    if (m->add_bos && m->bos != NO_TOKEN)
        e->before[e->n_before++] = m->bos;
    if (m->add_sep && m->sep != NO_TOKEN)
        e->after[e->n_after++] = m->sep;
    if (m->add_eos && m->eos != NO_TOKEN)
        e->after[e->n_after++] = m->eos;
    return LQ_OK;
}

/* ---- models ---- */

static lq_status add_norm(struct maker *m, enum normalizer_kind kind, struct norm_step **step)
{
    *step = encoder_add_norm(m->e, kind);
    return *step ? LQ_OK : lq_fail_memory(m->err);
}

static lq_status escape_blanks(struct maker *m)
{
    struct norm_step *step;
    LQ_TRY(add_norm(m, NORMALIZE_REPLACE, &step));
    step->from = (struct bytes){" ", 1};
    step->to = (struct bytes){LOWER_BLOCK, 3};
    m->e->blanks = true;
    return LQ_OK;
}

static lq_status make_bpe(struct maker *m)
{
    const char *const pre = catalog_meta_string(m->c, KEY("pre"));
    const char *const model = catalog_meta_string(m->c, KEY("model"));
    const bool gemma4 = model && strcmp(model, "gemma4") == 0;
    const struct meta *const merges = catalog_meta_array(m->c, KEY("merges"), META_STRING);
    struct bpe_options options = {.keep_unknown = true, .unk = NO_TOKEN};
    unsigned flags;
    if (!merges || merges->v.array.count > UINT32_MAX)
        return fail(m, "has byte pair encoding without tokenizer.ggml.merges");
    LQ_TRY(encoder_add_named(m->e, gemma4 ? "gemma4" : pre ? pre : "default", &flags, m->err));
    options.ignore_merges = flags & PRE_IGNORES_MERGES;
    options.byte_fallback = options.lines_whole = flags & PRE_RAW_CHARACTERS;
    m->add_bos = flags & PRE_ADDS_BOS;
    m->mask_takes_blanks = flags & PRE_MASK_TAKES_BLANKS;
    m->e->lossy_bytes = true;
    if (flags & PRE_RAW_CHARACTERS)
        LQ_TRY(escape_blanks(m));
    return encoder_set_bpe(m->e, merges->v.array.data, (uint32_t)merges->v.array.count, &options,
                           m->err);
}

static lq_status make_spm(struct maker *m)
{
    struct norm_step *step;
    m->prefix = flag_of(m, KEY("add_space_prefix"), true);
    if (m->prefix) {
        LQ_TRY(add_norm(m, NORMALIZE_PREPEND, &step));
        step->to = (struct bytes){LOWER_BLOCK, 3};
    }
    m->add_bos = true;
    m->e->raw_bytes = true;
    m->e->unk = m->unk;
    LQ_TRY(escape_blanks(m));
    return encoder_set_spm(m->e, m->scores, m->err);
}

static lq_status make_unigram(struct maker *m)
{
    struct encoder *const e = m->e;
    struct norm_step *step;
    const struct meta *map = catalog_meta_array(m->c, KEY("precompiled_charsmap"), META_U8);
    double *const scores = arena_calloc(&e->arena, e->n_tokens, sizeof *scores);
    bool *const usable = arena_calloc(&e->arena, e->n_tokens, sizeof *usable);
    float least = INFINITY;
    if (!map)
        map = catalog_meta_array(m->c, KEY("precompiled_charsmap"), META_I8);
    if (!scores || !usable)
        return lq_fail_memory(m->err);
    LQ_TRY(add_norm(m, NORMALIZE_SENTENCEPIECE, &step));
    step->left = flag_of(m, KEY("add_space_prefix"), false);
    step->right = flag_of(m, KEY("remove_extra_whitespaces"), false);
    if (map)
        LQ_TRY(charsmap_open(&step->charsmap, map->v.array.data, (size_t)map->v.array.count, m->err));
    for (uint32_t i = 0; i < e->n_tokens; i++) {
        const enum token_type type = type_of(m, i);
        const float score = m->scores ? m->scores[i] : 0;
        usable[i] = type == TOKEN_NORMAL || type == TOKEN_USER_DEFINED || type == TOKEN_UNUSED;
        scores[i] = type == TOKEN_USER_DEFINED ? 0 : (double)score;
        if (type == TOKEN_NORMAL && score < least)
            least = score;
    }
    m->add_eos = true;
    e->lossy_bytes = true;
    e->blanks = true;
    return encoder_set_unigram(e, scores, usable, (double)(least - UNIGRAM_PENALTY), m->unk, false,
                               m->err);
}

static lq_status make_wordpiece(struct maker *m)
{
    struct encoder *const e = m->e;
    struct norm_step *step;
    struct pre_step *mark;
    LQ_TRY(add_norm(m, NORMALIZE_BERT, &step));
    step->clean = step->chinese = true;
    step->lower = flag_of(m, KEY("normalizer.lowercase"), true);
    step->accents = flag_of(m, KEY("normalizer.strip_accents"), step->lower);
    LQ_TRY(encoder_add_split(e, "\\s", 2, SPLIT_REMOVED, false, m->err));
    LQ_TRY(encoder_add_split(e, PUNCTUATION_SET, strlen(PUNCTUATION_SET), SPLIT_ISOLATED, false,
                             m->err));
    /* Beginnings of words are marked in the vocabulary, not their rests. */
    if (!(mark = encoder_add_pre(e, PRE_METASPACE)))
        return lq_fail_memory(m->err);
    mark->to = (struct bytes){LOWER_BLOCK, 3};
    mark->scheme = PREPEND_MARK;
    m->add_bos = m->add_sep = true;
    e->unk = m->unk;
    e->lossy_bytes = true;
    e->blanks = true;
    return encoder_set_wordpiece(e, (struct bytes){"", 0}, UINT32_MAX, m->err);
}

/* ---- kinds ---- */

static const struct {
    const char *model;
    lq_status (*make)(struct maker *m);
    uint32_t bos, eos, sep, unk; /* where the metadata do not say */
} kinds[] = {
    {"gpt2", make_bpe, 11, 11, NO_TOKEN, NO_TOKEN},
    {"gemma4", make_bpe, NO_TOKEN, NO_TOKEN, NO_TOKEN, NO_TOKEN},
    {"llama", make_spm, 1, 2, NO_TOKEN, 0},
    {"t5", make_unigram, NO_TOKEN, 1, NO_TOKEN, 2},
    {"bert", make_wordpiece, 101, NO_TOKEN, 102, 100},
};

static lq_status make(struct maker *m)
{
    const char *const model = catalog_meta_string(m->c, KEY("model"));
    size_t k = 0;
    if (!model)
        return fail(m, "has no tokenizer: tokenizer.ggml.model is missing");
    while (k < sizeof kinds / sizeof *kinds && strcmp(kinds[k].model, model) != 0)
        k++;
    if (k == sizeof kinds / sizeof *kinds)
        return lq_fail_at(m->err, LQ_E_UNSUPPORTED, m->c->path, -1,
                          "has a tokenizer of the kind \"%.40s\", which is not known here", model);
    LQ_TRY(read_arrays(m));
    m->bos = id_of(m, KEY("bos_token_id"), kinds[k].bos);
    m->eos = id_of(m, KEY("eos_token_id"), kinds[k].eos);
    m->sep = id_of(m, KEY("seperator_token_id"), kinds[k].sep);
    m->unk = id_of(m, KEY("unknown_token_id"), kinds[k].unk);
    LQ_TRY(kinds[k].make(m));
    const bool bert = kinds[k].make == make_wordpiece; /* has both whatever the keys say */
    m->add_bos = bert || flag_of(m, KEY("add_bos_token"), m->add_bos);
    m->add_eos = !bert && flag_of(m, KEY("add_eos_token"), m->add_eos);
    LQ_TRY(set_added(m));
    return set_around(m);
}

lq_status encoder_from_metadata(struct encoder **out, const struct catalog *c, lq_error *err)
{
    struct maker m = {.e = mem_calloc(1, sizeof *m.e), .c = c, .err = err};
    *out = NULL;
    if (!m.e)
        return lq_fail_memory(err);
    const lq_status status = make(&m);
    if (status == LQ_OK)
        *out = m.e;
    else
        encoder_free(m.e);
    return status;
}
