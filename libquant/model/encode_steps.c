/* encode_steps.c -- the pre-tokenizers that tokenizer.ggml.pre names. */
#include "libquant/model/encode_parts.h"
#include "libquant/model/vocab.h"

#include <string.h>

enum {
    IGNORES_MERGES = PRE_IGNORES_MERGES,
    ADDS_BOS = PRE_ADDS_BOS,
    RAW_CHARACTERS = PRE_RAW_CHARACTERS,
    MASK_TAKES_BLANKS = PRE_MASK_TAKES_BLANKS
};

static const struct {
    const char *name;
    unsigned flags;
    const char *as, *steps;
} names[] = {
#define NAME(name, flags, as, steps) {name, flags, as, steps},
#include "libquant/model/pre_names.def"
#undef NAME
};

/* Patterns may hold line ends: a step begins in a line with a word that is one's name. */
static const char *step_end(const char *s)
{
    static const char *const words[] = {"split isolated ", "bytes", "digits", "punctuation "};
    for (; *s; s++)
        for (size_t i = 0; *s == '\n' && i < sizeof words / sizeof *words; i++)
            if (text_starts_with(s + 1, words[i]))
                return s;
    return s;
}

static lq_status add_step(struct encoder *e, const char *s, size_t len, lq_error *err)
{
    static const struct {
        const char *step, *pattern;
        enum split_behaviour behaviour;
    } known[] = {
        {"digits", "\\p{N}", SPLIT_ISOLATED},
        {"digits together", "\\p{N}+", SPLIT_ISOLATED},
        {"punctuation contiguous", PUNCTUATION_SET, SPLIT_CONTIGUOUS},
    };
    static const char split[] = "split isolated ";
    const size_t n = strlen(split);
    if (len == 5 && memcmp(s, "bytes", 5) == 0) {
        LQ_TRY(encoder_add_split(e, gpt2_pattern, strlen(gpt2_pattern), SPLIT_ISOLATED, false, err));
        e->byte_level = true;
        return encoder_add_pre(e, PRE_BYTES) ? LQ_OK : lq_fail_memory(err);
    }
    if (len > n && memcmp(s, split, n) == 0)
        return encoder_add_split(e, s + n, len - n, SPLIT_ISOLATED, false, err);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i].step) == len && memcmp(known[i].step, s, len) == 0)
            return encoder_add_split(e, known[i].pattern, strlen(known[i].pattern),
                                     known[i].behaviour, false, err);
    return lq_fail(err, LQ_E_UNSUPPORTED, "the step \"%.*s\" is not known here", (int)len, s);
}

lq_status encoder_add_named(struct encoder *e, const char *name, unsigned *flags, lq_error *err)
{
    size_t i = 0;
    while (i < sizeof names / sizeof *names && strcmp(names[i].name, name) != 0)
        i++;
    const bool listed = i < sizeof names / sizeof *names;
    const char *s = !listed          ? pretokenizer_steps(name)
                    : names[i].steps ? names[i].steps
                                     : pretokenizer_steps(names[i].as);
    *flags = listed ? names[i].flags : 0;
    if (!s)
        return lq_fail(err, LQ_E_UNSUPPORTED,
                       "the pre-tokenizer \"%.60s\" (tokenizer.ggml.pre) is not known here", name);
    while (*s) {
        const char *const end = step_end(s);
        LQ_TRY(add_step(e, s, (size_t)(end - s), err));
        s = end + (*end != 0);
    }
    if (e->byte_level || *flags & PRE_RAW_CHARACTERS)
        return LQ_OK;
    e->byte_level = true;
    return encoder_add_pre(e, PRE_BYTES) ? LQ_OK : lq_fail_memory(err);
}
