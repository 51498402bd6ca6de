/* regex.h -- regular expressions as tokenizers use them to cut texts, on our own Unicode tables.
 *
 * The syntax is Oniguruma's, as Hugging Face's tokenizers library has it, as far as tokenizers need it:
 *   a . [a-z\s\p{L}&&[^x]] [^...] \s \S \d \D \w \W \h \H \p{Lu} \P{L} \p{^L} \p{Han} \n \xHH \x{H..} \uHHHH
 *   x* x+ x? x{n,m}, lazy (x+?) and possessive (x++); (..) (?:..) (?i:..) (?i) (?>..) a|b
 *   (?=..) (?!..) (?<=c) (?<!c) (of one character) ^ $ \A \z \Z \b \B
 * Groups capture nothing. Anything else is LQ_E_UNSUPPORTED, with what and where.
 *
 * Matching goes back over its steps, the first alternative first; each step is counted, so that a
 * hostile pattern ends in an error and not in a long wait.
 */
#ifndef LQ_MODEL_REGEX_H
#define LQ_MODEL_REGEX_H

#include "libquant/base/memory.h"
#include "libquant/base/status.h"

struct regex;

/* The pattern is UTF-8. On failure *out is NULL. */
lq_status regex_compile(struct regex **out, const char *pattern, size_t len, lq_error *err);
/* NULL is allowed. */
void regex_free(struct regex *r);

/* What matching needs besides the pattern; zero-initialise, set `steps`, and use for many matches.
 * One for each thread. */
struct regex_run {
    uint64_t steps; /* how many may still be made */
    struct regex_state *stack;
    size_t n, cap;
};
void regex_run_release(struct regex_run *run);

/* The first match that begins at `from` or later in well-formed UTF-8. *found tells whether there is
 * one. LQ_E_UNSUPPORTED where the steps run out. */
lq_status regex_find(const struct regex *r, struct regex_run *run, const char *s, size_t len,
                     size_t from, bool *found, size_t *begin, size_t *end, lq_error *err);

#endif
