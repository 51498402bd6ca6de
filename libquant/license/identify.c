/* identify.c -- licence texts by their words. Measured on all texts of the SPDX list: word pairs
 * name every one of them through new lines, typing errors and other copyright holders. */
#include "libquant/license/identify.h"

#include "libquant/base/memory.h"
#include "libquant/license/index.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const double match_score = 0.97, modified_score = 0.90, similar_score = 0.50;
static const double part_score = 0.95; /* of a licence's pairs, for it to stand in a longer text */

enum { PART_PAIRS = 40, NOTICE_PAIRS = 20, SNIPPETS = 3, SNIPPET_WORDS = 8 };

extern const uint8_t lq_license_index[];

static const struct index_header *header(void)
{
    return (const struct index_header *)(const void *)lq_license_index;
}

static const struct index_text *text_at(size_t i)
{
    return (const struct index_text *)(const void *)(lq_license_index +
                                                     sizeof(struct index_header)) +
           i;
}

static const uint8_t *pairs_of(const struct index_text *t)
{
    return lq_license_index + sizeof(struct index_header) +
           header()->texts * sizeof(struct index_text) + (size_t)t->first * 3;
}

static const char *ids_of(const struct index_text *t)
{
    return (const char *)lq_license_index + sizeof(struct index_header) +
           header()->texts * sizeof(struct index_text) + (size_t)header()->pairs * 3 + t->name;
}

size_t license_index_count(void)
{
    return header()->texts;
}

const char *license_index_ids(size_t i)
{
    return ids_of(text_at(i));
}

/* ---- sets of word pairs ---- */

struct set {
    uint32_t *pair; /* sorted, each once */
    size_t n;
};

struct query {
    struct words words;
    struct set all, sampled;           /* of the whole text */
    struct set cut_all, cut_sampled;   /* of what stands before the appendix; empty: no appendix */
    struct set left_all, left_sampled; /* what no licence found has taken */
    size_t cut;                        /* number of words before the appendix */
};

static int by_value(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static lq_status make_sets(struct set *all, struct set *sampled, const struct words *w, size_t n,
                           lq_error *err)
{
    const size_t most = n ? n : 1;
    all->pair = mem_calloc(most, sizeof *all->pair);
    sampled->pair = mem_calloc(most, sizeof *all->pair);
    if (!all->pair || !sampled->pair)
        return lq_fail_memory(err);
    for (size_t i = 0; i + 1 < n; i++)
        all->pair[all->n++] = words_pair(w, i);
    qsort(all->pair, all->n, sizeof *all->pair, by_value);
    size_t kept = 0;
    for (size_t i = 0; i < all->n; i++)
        if (!kept || all->pair[kept - 1] != all->pair[i])
            all->pair[kept++] = all->pair[i];
    all->n = kept;
    for (size_t i = 0; i < all->n; i++)
        if (index_sampled(all->pair[i]))
            sampled->pair[sampled->n++] = all->pair[i];
    return LQ_OK;
}

static uint32_t load_pair(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
}

/* Number of pairs that both have. */
static size_t shared(const struct index_text *t, const struct set *s)
{
    const uint8_t *p = pairs_of(t), *const end = p + (size_t)t->count * 3;
    size_t n = 0, i = 0;
    while (p < end && i < s->n) {
        const uint32_t a = load_pair(p), b = s->pair[i];
        n += a == b;
        p += a <= b ? 3 : 0;
        i += b <= a;
    }
    return n;
}

static double dice(const struct index_text *t, const struct set *s)
{
    const size_t sum = t->count + s->n;
    const size_t less = t->count < s->n ? t->count : s->n;
    if (!sum || 2.0 * (double)less < similar_score * (double)sum)
        return 0;
    return 2.0 * (double)shared(t, s) / (double)sum;
}

static void remove_pairs(struct set *s, const struct index_text *t)
{
    const uint8_t *p = pairs_of(t), *const end = p + (size_t)t->count * 3;
    size_t kept = 0;
    for (size_t i = 0; i < s->n; i++) {
        while (p < end && load_pair(p) < s->pair[i])
            p += 3;
        if (p == end || load_pair(p) != s->pair[i])
            s->pair[kept++] = s->pair[i];
    }
    s->n = kept;
}

/* ---- what tells relatives apart ---- */

/* A licence is not this one where the text has the phrase: its terms are others. */
static const struct {
    const char *id, *phrase;
} foreign[] = {
    {"MIT",          "for good not evil"                                  },
    {"MIT",          "monthly active users"                               },
    {"MIT",          "all advertising materials"                          },
    {"MIT",          "commons clause"                                     },
    {"Apache-2.0",   "modified apache"                                    },
    {"Apache-2.0",   "commons clause"                                     },
    {"Apache-2.0",   "monthly active users"                               },
    {"Apache-2.0",   "non commercial purposes only"                       },
    {"BSD-3-Clause", "all advertising materials mentioning"               },
    {"BSD-3-Clause", "nuclear facility"                                   },
    {"BSD-2-Clause", "neither the name"                                   },
    {"GPL-3.0-only", "remote network interaction use with the gnu general"},
};

static bool is_foreign(const struct words *w, const char *ids)
{
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
        if (license_group_has(ids, foreign[i].id, strlen(foreign[i].id)) &&
            words_have(w, foreign[i].phrase))
            return true;
    return false;
}

/* The Creative Commons 4.0 licences share 98 % of their words; these three stand in those that are
 * so. */
static bool is_cc4_other(const struct words *w, const char *ids)
{
    const size_t n = strlen(ids);
    if (strncmp(ids, "CC-BY", 5) != 0 || strcmp(ids + n - 4, "-4.0") != 0)
        return false;
    return !strstr(w->stream.data, "noncommercial") == !!strstr(ids, "-NC") ||
           !strstr(w->stream.data, "sharealike") == !!strstr(ids, "-SA") ||
           !strstr(w->stream.data, "noderivatives") == !!strstr(ids, "-ND");
}

bool license_group_has(const char *ids, const char *id, size_t len)
{
    for (const char *s = ids; *s;) {
        const size_t n = strcspn(s, " ");
        if (n == len && strncasecmp(s, id, n) == 0)
            return true;
        s += n + (s[n] == ' ');
    }
    return false;
}

/* ---- verdicts ---- */

static void add(struct identification *out, const struct index_text *t, enum text_match how,
                double score)
{
    if (out->n < IDENTIFY_MAX)
        out->found[out->n++] =
            (struct text_finding){ids_of(t), t->flags & INDEX_NOTICE ? TEXT_NOTICE : how, score,
                                  (t->flags & INDEX_WITHOUT_APPENDIX) != 0};
}

static const struct index_text *by_digest(const uint8_t digest[16])
{
    for (size_t i = 0; i < header()->texts; i++)
        if (memcmp(text_at(i)->digest, digest, 16) == 0)
            return text_at(i);
    return NULL;
}

static lq_status find_exact(struct identification *out, const struct query *q, lq_error *err)
{
    uint8_t digest[16];
    LQ_TRY(words_digest(&q->words, q->words.n, digest, err));
    const struct index_text *t = by_digest(digest);
    if (t)
        add(out, t, TEXT_EXACT, 1);
    return LQ_OK;
}

/* The better of the whole text and of what stands before its appendix. */
static double score_of(const struct index_text *t, const struct query *q)
{
    const bool sampled = t->flags & INDEX_SAMPLED;
    const double whole = dice(t, sampled ? &q->sampled : &q->all);
    const double cut = q->cut_all.n ? dice(t, sampled ? &q->cut_sampled : &q->cut_all) : 0;
    return whole > cut ? whole : cut;
}

static const struct index_text *nearest(const struct query *q, double *score)
{
    const struct index_text *best = NULL;
    *score = 0;
    for (size_t i = 0; i < header()->texts; i++) {
        const struct index_text *const t = text_at(i);
        const double s = score_of(t, q);
        if (s > *score && !is_cc4_other(&q->words, ids_of(t))) {
            *score = s;
            best = t;
        }
    }
    return best;
}

/* The licence with the most pairs that stands whole in the text, and mostly in what is left of it.
 */
static const struct index_text *longest_part(const struct query *q, double *score)
{
    const struct index_text *best = NULL;
    size_t best_size = 0;
    for (size_t i = 0; i < header()->texts; i++) {
        const struct index_text *const t = text_at(i);
        const bool sampled = t->flags & INDEX_SAMPLED;
        const size_t size = sampled ? (size_t)t->count * 4 : t->count;
        if (size < (t->flags & INDEX_NOTICE ? NOTICE_PAIRS : PART_PAIRS) || size <= best_size)
            continue;
        const double s = (double)shared(t, sampled ? &q->sampled : &q->all) / (double)t->count;
        if (s < part_score || is_cc4_other(&q->words, ids_of(t)) ||
            2 * shared(t, sampled ? &q->left_sampled : &q->left_all) < t->count)
            continue;
        *score = s;
        best = t;
        best_size = size;
    }
    return best;
}

static void take(struct query *q, const struct index_text *t)
{
    remove_pairs(&q->left_all, t);
    remove_pairs(&q->left_sampled, t);
}

/* All licences that stand whole in the text. */
static void find_parts(struct identification *out, struct query *q)
{
    const struct index_text *t;
    double score;
    while (out->n < IDENTIFY_MAX && (t = longest_part(q, &score)) != NULL) {
        add(out, t, is_foreign(&q->words, ids_of(t)) ? TEXT_MODIFIED : TEXT_PART, score);
        take(q, t);
    }
}

/* Passages of the text that have pairs which the licence, taken away, does not have. */
static void put_differences(struct text *out, const struct query *q, const struct index_text *t)
{
    const struct set *const own = &q->left_all;
    size_t snippets = 0, shown = 0;
    for (size_t i = 0; i + 1 < q->words.n && snippets < SNIPPETS; i++) {
        const uint32_t pair = words_pair(&q->words, i);
        if (((t->flags & INDEX_SAMPLED) && !index_sampled(pair)) || i < shown ||
            !bsearch(&pair, own->pair, own->n, sizeof pair, by_value))
            continue;
        const size_t first = i > 1 ? i - 1 : 0;
        shown = first + SNIPPET_WORDS < q->words.n ? first + SNIPPET_WORDS : q->words.n;
        const char *const s = q->words.stream.data + q->words.at[first];
        const size_t end = shown < q->words.n ? q->words.at[shown] : q->words.stream.len;
        text_puts(out, snippets++ ? "; " : "");
        text_put_printable(out, s, end - q->words.at[first] - 1);
    }
}

static void judge(struct identification *out, struct query *q)
{
    double score;
    const struct index_text *const t = nearest(q, &score);
    struct identification parts = {0};
    const bool changed = t && is_foreign(&q->words, ids_of(t));
    if (t && score >= modified_score) {
        const enum text_match how = changed || score < match_score ? TEXT_MODIFIED : TEXT_MATCH;
        add(out, t, how, score);
        take(q, t);
        if (how == TEXT_MODIFIED)
            put_differences(&out->differs, q, t);
        find_parts(out, q);
        return;
    }
    find_parts(&parts, q);
    if (parts.n)
        *out = parts;
    else if (t && score >= similar_score)
        add(out, t, TEXT_SIMILAR, score);
}

/* What stands behind the end of the terms is no part of them, but for attachments that bind. */
static size_t terms_length(const struct words *w)
{
    const size_t end = words_after(w, "end of terms and conditions");
    if (end == w->n)
        return w->n;
    return strstr(w->stream.data + w->at[end], "attachment ") ? w->n : end;
}

lq_status license_identify(struct identification *out, const char *text, size_t len, lq_error *err)
{
    struct query q = {0};
    lq_status status = words_read(&q.words, text, len, err);
    if (status == LQ_OK)
        status = make_sets(&q.all, &q.sampled, &q.words, q.words.n, err);
    if (status == LQ_OK)
        status = make_sets(&q.left_all, &q.left_sampled, &q.words, q.words.n, err);
    q.cut = status == LQ_OK ? terms_length(&q.words) : 0;
    if (status == LQ_OK && q.cut < q.words.n)
        status = make_sets(&q.cut_all, &q.cut_sampled, &q.words, q.cut, err);
    if (status == LQ_OK)
        status = find_exact(out, &q, err);
    if (status == LQ_OK && !out->n)
        judge(out, &q);
    if (status == LQ_OK && out->differs.failed)
        status = lq_fail_memory(err);
    words_release(&q.words);
    free(q.all.pair);
    free(q.sampled.pair);
    free(q.left_all.pair);
    free(q.left_sampled.pair);
    free(q.cut_all.pair);
    free(q.cut_sampled.pair);
    return status;
}

void identification_release(struct identification *id)
{
    text_free(&id->differs);
    *id = (struct identification){0};
}

const char *text_match_name(enum text_match how)
{
    static const char *const names[] = {"exact",     "match",           "modified",
                                        "contained", "notice of files", "similar"};
    return names[how];
}
