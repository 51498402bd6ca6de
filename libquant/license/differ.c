/* differ.c -- where a text departs from a licence. Differences count by what they say: a "not" or a
 * number more or less changes the terms, and so may a passage; another word, a title, an address or
 * a misspelling does not. All are shown. */
#include "libquant/license/differ.h"

#include "libquant/base/memory.h"
#include "libquant/license/align.h"
#include "libquant/license/codes.h"

#include <stdlib.h>
#include <string.h>

enum {
    PASSAGE = 8,         /* words: more than another word or the name of a holder; */
    PASSAGE_BEFORE = 24, /* before the licence, where titles and introductions stand; */
    PASSAGE_BESIDE = 16, /* between several licences */
    SHOWN = 8,           /* differences, */
    SHOWN_WORDS = 24,    /* so much of each; */
    CONTEXT = 3,         /* words before one that is as short as this */
    NEAR = 4             /* words to a notice */
};

/* A licence beside the part of a text in which it stands. */
struct side_by_side {
    struct comparison *c;
    const struct index_text *t;
    uint8_t *codes;    /* of the licence */
    struct words kept; /* its words, where they are known */
    size_t n;          /* of them */
    size_t terms;      /* of which so many before its appendix */
    size_t begin, end; /* words of the text */
    bool alone, repeated;
};

size_t license_terms_length(const struct words *w)
{
    const size_t end = words_after(w, "end of terms and conditions");
    if (end == w->n)
        return w->n;
    return strstr(w->stream.data + w->at[end], "attachment ") ? w->n : end;
}

lq_status comparison_begin(struct comparison *c, const struct words *w, const uint32_t *pair,
                           lq_error *err)
{
    c->words = w;
    c->pair = pair;
    c->codes = codes_of(w);
    c->covered = mem_calloc(w->n + 1, sizeof *c->covered);
    return c->codes && c->covered ? LQ_OK : lq_fail_memory(err);
}

void comparison_release(struct comparison *c)
{
    free(c->codes);
    free(c->covered);
    text_free(&c->serious);
    text_free(&c->minor);
}

/* ---- what a difference says ---- */

static const char *word_at(const struct words *w, size_t i)
{
    return w->stream.data + w->at[i];
}

static bool is_word(const struct words *w, size_t i, const char *word)
{
    const size_t n = strlen(word);
    return words_length(w, i) == n && memcmp(word_at(w, i), word, n) == 0;
}

/* "20xx", "19xx": years tell when, not what. */
static bool is_year(const struct words *w, size_t i)
{
    const char *const s = word_at(w, i);
    return words_length(w, i) == 4 && (memcmp(s, "19", 2) == 0 || memcmp(s, "20", 2) == 0);
}

/* Words of copyright notices and, behind them, of addresses, which others replace. */
static const char *const notice_words[] = {"copyright", "reserved", "street", "st",  "suite",
                                           "floor",     "avenue",   "boston", "usa", "fsf"};
enum { ADDRESS_WORDS = 2, NOTICE_WORDS = sizeof notice_words / sizeof notice_words[0] };

static bool has_notice_word(const struct words *w, size_t first, size_t end, size_t from)
{
    for (size_t i = first; i < w->n && i < end; i++)
        for (size_t k = from; k < NOTICE_WORDS; k++)
            if (is_word(w, i, notice_words[k]))
                return true;
    return false;
}

static bool is_near_address(const struct words *w, size_t at)
{
    return has_notice_word(w, at > NEAR ? at - NEAR : 0, at + NEAR + 1, ADDRESS_WORDS);
}

/* The words that differ are of a notice, or went with one whose line was left out. */
static bool is_of_notice(const struct words *w, size_t first, size_t n)
{
    return n ? has_notice_word(w, first, first + n, 0)
             : is_near_address(w, first) || words_notice_near(w, first, NEAR);
}

/* Two neighbouring letters exchanged, and nothing else. */
static bool is_misspelt(const char *word, const char *s, size_t n)
{
    size_t i = 0;
    if (strlen(word) != n || n < 4)
        return false;
    while (i < n && word[i] == s[i])
        i++;
    return i + 1 < n && word[i] == s[i + 1] && word[i + 1] == s[i] &&
           memcmp(word + i + 2, s + i + 2, n - i - 2) == 0;
}

static bool has_code(const uint8_t *codes, size_t n, uint8_t code)
{
    return memchr(codes, code, n) != NULL;
}

/* A word of the licence is not there, and it is neither misspelt nor moved by a few words. */
static bool is_lost(const struct side_by_side *s, const struct difference *d, size_t i)
{
    const struct words *const w = s->c->words;
    const uint8_t code = s->codes[i];
    const size_t first = s->begin + d->b;
    if (has_code(s->c->codes + first, d->n_b, code))
        return false;
    if (code_is_number(code)) {
        bool year = false;
        for (size_t k = 0; k < d->n_b; k++)
            year |= is_year(w, first + k);
        return !year && !is_near_address(w, first);
    }
    const char *const word = code_word(code);
    for (size_t k = 0; word && k < d->n_b; k++)
        if (is_misspelt(word, word_at(w, first + k), words_length(w, first + k)))
            return false;
    return word != NULL;
}

static bool is_new(const struct side_by_side *s, const struct difference *d, size_t i)
{
    const uint8_t code = s->c->codes[i];
    if (has_code(s->codes + d->a, d->n_a, code))
        return false;
    if (d->a == 0) /* before the licence */
        return code_forbids(code);
    if (code_is_number(code))
        return !is_year(s->c->words, i) && !is_near_address(s->c->words, i);
    return code_word(code) != NULL;
}

/* Of a licence that stands in the text twice the second one is no addition. */
static bool is_repeated(const struct side_by_side *s, size_t i)
{
    const uint32_t *const pair = s->c->pair;
    return s->repeated && i && i + 1 < s->c->words->n && index_has_pair(s->t, pair[i - 1]) &&
           index_has_pair(s->t, pair[i]);
}

/* *at: the word of the text that makes it so, or the first. */
static bool is_serious(const struct side_by_side *s, const struct difference *d, size_t *at)
{
    const size_t first = s->begin + d->b;
    const bool before = d->a == 0; /* the licence: its title */
    const bool notice = is_of_notice(s->c->words, first, d->n_b);
    const size_t most = before || notice ? PASSAGE_BEFORE : PASSAGE;
    size_t added = 0, lost = 0;
    *at = first;
    for (size_t i = first; i < first + d->n_b; i++) {
        const bool repeated = is_repeated(s, i);
        if (!repeated && !(notice && code_is_number(s->c->codes[i])) && is_new(s, d, i)) {
            *at = i;
            return true;
        }
        added += !repeated;
    }
    for (size_t i = d->a; i < d->a + d->n_a && i < s->terms; i++, lost++)
        if (!before && !(notice && code_is_number(s->codes[i])) && is_lost(s, d, i))
            return true;
    return added >= most || lost >= most;
}

/* ---- what is shown ---- */

static void put_words(struct text *out, const struct words *w, size_t first, size_t n)
{
    const size_t shown = n > SHOWN_WORDS ? SHOWN_WORDS : n;
    const size_t at = w->at[first];
    const size_t stop = w->at[first + shown - 1] + words_length(w, first + shown - 1);
    text_put_printable(out, w->stream.data + at, stop - at);
    text_puts(out, shown < n ? " ..." : "");
}

/* Where the words of the licence are not kept those that tell are shown, of others how many. */
static void put_lost(struct text *out, const struct side_by_side *s, const struct difference *d)
{
    size_t others = d->n_a;
    if (s->kept.n) {
        put_words(out, &s->kept, d->a, d->n_a);
        return;
    }
    for (size_t i = d->a; i < d->a + d->n_a; i++) {
        const char *const word = code_word(s->codes[i]);
        if (word)
            text_printf(out, "%s%s", others-- == d->n_a ? "" : " ", word);
    }
    if (d->n_a == 1 && others && code_is_number(s->codes[d->a]))
        text_puts(out, "a number");
    else if (others)
        text_printf(out, "%s%zu word%s", others < d->n_a ? " and " : "", others,
                    others == 1 ? "" : "s");
}

/* From word `at` on where the difference is long. */
static void put_difference(struct side_by_side *s, const struct difference *d, bool serious,
                           size_t at)
{
    struct comparison *const c = s->c;
    struct text *const out = serious ? &c->serious : &c->minor;
    const size_t first = s->begin + d->b, before = first < CONTEXT ? first : CONTEXT;
    if (c->shown == SHOWN && !serious) {
        c->left_out++;
        return;
    }
    c->shown++;
    if (d->n_b) {
        text_printf(out, "%sadded: ", out->len ? "; " : "");
        if (at < first + SHOWN_WORDS / 2)
            at = first;
        else
            at -= CONTEXT;
        text_puts(out, at > first ? "... " : "");
        put_words(out, c->words, at, first + d->n_b - at);
    }
    if (d->n_a) {
        text_printf(out, "%smissing: ", out->len ? "; " : "");
        put_lost(out, s, d);
    }
    if (before && d->n_a <= CONTEXT && d->n_b <= CONTEXT) {
        text_puts(out, ", behind \"");
        put_words(out, c->words, first - before, before);
        text_puts(out, "\"");
    }
}

void comparison_put(const struct comparison *c, struct text *out)
{
    text_puts(out, c->serious.data ? c->serious.data : "");
    text_printf(out, "%s%s", c->serious.len && c->minor.len ? "; " : "",
                c->minor.data ? c->minor.data : "");
    if (c->left_out)
        text_printf(out, "; and %zu more", c->left_out);
    out->failed |= c->serious.failed || c->minor.failed;
}

/* ---- the part of the text ---- */

/* The stretch with the most pairs of the licence and the fewest others, and some words around it;
 * of an exception as many as it lacks: it stands behind a licence whose last words could be taken
 * for its first. */
static void find_part(struct side_by_side *s)
{
    const size_t n = s->c->words->n;
    const bool sampled = s->t->flags & INDEX_SAMPLED;
    size_t from = 0;
    int64_t sum = 0, best = 0;
    for (size_t i = 0; i + 1 < n; i++) {
        if (sampled && !index_sampled(s->c->pair[i]))
            continue;
        if (sum <= 0) {
            sum = 0;
            from = i;
        }
        sum += index_has_pair(s->t, s->c->pair[i]) ? 1 : -1;
        if (sum > best) {
            best = sum;
            s->begin = from;
            s->end = i + 2;
        }
    }
    size_t around = PASSAGE_BEFORE;
    if (s->t->flags & INDEX_EXCEPTION) {
        const size_t found = s->end - s->begin, lacks = s->n > found ? s->n - found : 0;
        around = lacks < around ? lacks : around;
    }
    s->begin -= s->begin < around ? s->begin : around;
    s->end = s->end + around < n ? s->end + around : n;
}

/* What was added at the ends of a part is no part of it. */
static void cut_ends(struct side_by_side *s, struct alignment *al)
{
    struct difference *const first = al->list, *const last = al->list + al->n - 1;
    size_t begin = s->begin, end = s->end;
    if (al->n && first->a == 0 && first->b == 0) {
        begin += first->n_b;
        first->b += first->n_b;
        first->n_b = 0;
    }
    if (al->n && last->a + last->n_a == s->n && s->begin + last->b + last->n_b == s->end) {
        end -= last->n_b;
        last->n_b = 0;
    }
    memset(s->c->covered + begin, true, end - begin);
}

static lq_status compare_part(struct side_by_side *s, bool *modified, lq_error *err)
{
    struct alignment al = {0};
    lq_status status =
        codes_align(&al, s->codes, s->n, s->c->codes + s->begin, s->end - s->begin, err);
    if (status == LQ_OK && s->alone)
        memset(s->c->covered, true, s->c->words->n);
    else if (status == LQ_OK)
        cut_ends(s, &al);
    if (al.too_many) {
        *modified = true;
        text_printf(&s->c->serious, "%smore than %d words differ", s->c->serious.len ? "; " : "",
                    ALIGN_EDITS);
    }
    for (size_t i = 0; i < al.n; i++) {
        const struct difference *const d = &al.list[i];
        size_t at;
        const bool serious = is_serious(s, d, &at);
        *modified |= serious;
        if (d->n_b || (d->n_a && d->a < s->terms))
            put_difference(s, d, serious, at);
    }
    alignment_release(&al);
    return status;
}

lq_status comparison_with(struct comparison *c, const struct index_text *t, bool alone,
                          bool *modified, lq_error *err)
{
    /* A text that ends before its appendix lacks nothing. */
    const bool has_appendix = license_terms_length(c->words) < c->words->n;
    struct side_by_side s = {.c = c, .t = has_appendix ? index_with_appendix(t) : t};
    s.n = s.t->words;
    s.terms = index_without_appendix(s.t)->words;
    s.end = c->words->n;
    s.alone = alone;
    s.repeated = c->words->n > s.n + s.n / 2;
    s.codes = index_codes(s.t);
    lq_status status = s.codes ? LQ_OK : lq_fail_memory(err);
    if (status == LQ_OK)
        status = index_kept_words(&s.kept, t, err);
    uint8_t *const codes = status == LQ_OK ? codes_of(&s.kept) : NULL;
    if (status == LQ_OK && !codes)
        status = lq_fail_memory(err);
    if (status == LQ_OK && (s.kept.n < s.n || memcmp(codes, s.codes, s.n) != 0))
        words_release(&s.kept); /* of another form of the licence */
    free(codes);
    if (!alone)
        find_part(&s);
    if (status == LQ_OK)
        status = compare_part(&s, modified, err);
    words_release(&s.kept);
    free(s.codes);
    return status;
}

size_t comparison_rest(struct comparison *c)
{
    size_t found = 0;
    for (size_t i = 0, run = 0; i <= c->words->n; i++) {
        if (i < c->words->n && !c->covered[i]) {
            run++;
            continue;
        }
        if (run >= PASSAGE_BESIDE && found++ < SHOWN) {
            text_printf(&c->serious, "%sadded: ", c->serious.len ? "; " : "");
            put_words(&c->serious, c->words, i - run, run);
        }
        run = 0;
    }
    return found;
}
