/* identify.c -- licence texts by their words. Measured on all texts of the SPDX list: word pairs
 * name every one of them through new lines, typing errors and other copyright holders. */
#include "libquant/license/identify.h"

#include "libquant/base/memory.h"
#include "libquant/base/text.h"
#include "libquant/license/differ.h"
#include "libquant/license/pair_set.h"
#include "libquant/license/spdx.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double match_score = 0.97, modified_score = 0.90, similar_score = 0.50;
static const double part_score = 0.95; /* of a licence's pairs, for it to stand in a longer text */

enum {
    PART_PAIRS = 40,  /* of a licence that is looked for in a longer text */
    NOTICE_PAIRS = 20 /* of a notice or an exception */
};

size_t license_index_count(void)
{
    return index_count();
}

const char *license_index_ids(size_t i)
{
    return index_ids(index_text_at(i));
}

struct query {
    struct words words;
    uint32_t *pair;         /* that begins at each word but the last */
    struct pair_set whole;  /* of the whole text */
    struct pair_set before; /* of what stands before the appendix; n 0: no appendix */
    const struct index_text *found[IDENTIFY_MAX];
};

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
    {"Apache-2.0",   "noncommercial purposes only"                        },
    {"BSD-3-Clause", "all advertising materials mentioning"               },
    {"BSD-3-Clause", "nuclear facility"                                   },
    {"BSD-2-Clause", "neither the name"                                   },
    {"GPL-3.0-only", "remote network interaction use with the gnu general"},
};

/* The phrase that the text has and the licence has not; NULL: none. */
static const char *foreign_phrase(const struct words *w, const char *ids)
{
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
        if (index_group_has(ids, foreign[i].id) && words_have(w, foreign[i].phrase))
            return foreign[i].phrase;
    return NULL;
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

/* ---- what is found ---- */

/* The notice within the licence that tells how to use it is not one more finding. */
static bool is_found(const struct identification *out, const struct index_text *t)
{
    for (size_t i = 0; i < out->n; i++)
        if ((t->flags & INDEX_NOTICE) && strcmp(out->found[i].ids, index_ids(t)) == 0)
            return true;
    return false;
}

static void add(struct identification *out, struct query *q, const struct index_text *t,
                enum text_match how, double score)
{
    if (is_found(out, t) || out->n == IDENTIFY_MAX)
        return;
    q->found[out->n] = t;
    out->found[out->n++] = (struct text_finding){index_ids(t),
                                                 t->flags & INDEX_NOTICE      ? TEXT_NOTICE
                                                 : t->flags & INDEX_EXCEPTION ? TEXT_EXCEPTION
                                                                              : how,
                                                 score, (t->flags & INDEX_WITHOUT_APPENDIX) != 0};
}

/* As many words, and the same pairs. Most changed texts are no longer so, and a first digest costs
 * more than all else that is done here: OpenSSL makes itself ready for it. */
static bool may_be_exact(const struct query *q)
{
    for (size_t i = 0; i < index_count(); i++) {
        const struct index_text *const t = index_text_at(i);
        const size_t size = t->flags & INDEX_SAMPLED ? q->whole.n_sampled : q->whole.n;
        if (t->words == q->words.n && t->count == size &&
            pair_set_shared(&q->whole, t, size, false) == size)
            return true;
    }
    return false;
}

static lq_status find_exact(struct identification *out, struct query *q, lq_error *err)
{
    uint8_t digest[16];
    if (!may_be_exact(q))
        return LQ_OK;
    LQ_TRY(words_digest(&q->words, q->words.n, digest, err));
    const struct index_text *const t = index_by_digest(digest);
    if (t)
        add(out, q, t, TEXT_EXACT, 1);
    return LQ_OK;
}

/* The better of the whole text and of what stands before its appendix. */
static double score_of(const struct index_text *t, const struct query *q, double least)
{
    const double whole = pair_set_dice(&q->whole, t, least);
    const double before = pair_set_dice(&q->before, t, whole > least ? whole : least);
    return whole > before ? whole : before;
}

static const struct index_text *nearest(const struct query *q, double *score)
{
    const struct index_text *best = NULL;
    *score = similar_score;
    for (size_t i = 0; i < index_count(); i++) {
        const struct index_text *const t = index_text_at(i);
        const double s = t->flags & INDEX_EXCEPTION ? 0 : score_of(t, q, *score);
        if (s > *score && !is_cc4_other(&q->words, index_ids(t))) {
            *score = s;
            best = t;
        }
    }
    return best;
}

/* So many pairs of the licence stand in the text; 0 where it does not stand there whole. */
static size_t part_of(const struct query *q, const struct index_text *t)
{
    return pair_set_shared(&q->whole, t, (size_t)ceil(part_score * (double)t->count), false);
}

/* The licence of which the most stands in the text, and mostly in what is left of it: whole, but
 * for few pairs, each of which counts against it twice. An exception goes before a text of the list
 * that has a line more ("insert the GPL here"). */
static const struct index_text *longest_part(const struct query *q, double *score)
{
    const struct index_text *best = NULL;
    size_t best_size = 0;
    for (size_t i = 0; i < index_count(); i++) {
        const struct index_text *const t = index_text_at(i);
        const bool is_short = t->flags & (INDEX_NOTICE | INDEX_EXCEPTION);
        const size_t scale = t->flags & INDEX_SAMPLED ? 4 : 1;
        const size_t weight = scale * (t->flags & INDEX_EXCEPTION ? 25 : 24);
        if (t->count < (is_short ? NOTICE_PAIRS : PART_PAIRS) || t->count * weight <= best_size)
            continue;
        const size_t n = part_of(q, t);
        const size_t worth = (n - 2 * (t->count - n)) * weight;
        if (!n || worth <= best_size || is_cc4_other(&q->words, index_ids(t)) ||
            2 * pair_set_shared(&q->whole, t, 0, true) < t->count)
            continue;
        *score = (double)n / (double)t->count;
        best = t;
        best_size = worth;
    }
    return best;
}

/* The text, and the others of the same licence: with its appendix, its notice. */
static void take(struct query *q, const struct index_text *t)
{
    for (size_t i = 0; i < index_count(); i++)
        if (index_text_at(i) == t || strcmp(index_ids(index_text_at(i)), index_ids(t)) == 0)
            pair_set_take(&q->whole, index_text_at(i));
}

/* Beside the licence that was found first stands an exception. */
static bool has_exception(const struct identification *out)
{
    for (size_t i = 1; i < out->n; i++)
        if (spdx_exception_of_text(out->found[i].ids))
            return !spdx_exception_of_text(out->found[0].ids);
    return false;
}

/* A licence is not changed by an exception that stands beside it. */
static void set_beside_exception(struct identification *out, const struct query *q)
{
    const size_t n = part_of(q, q->found[0]);
    if (out->found[0].how == TEXT_MODIFIED && n && has_exception(out)) {
        out->found[0].how = TEXT_PART;
        out->found[0].score = (double)n / (double)q->found[0]->count;
    }
}

/* All licences that stand whole in the text. */
static void find_parts(struct identification *out, struct query *q)
{
    const struct index_text *t;
    double score;
    while (out->n < IDENTIFY_MAX && (t = longest_part(q, &score)) != NULL) {
        add(out, q, t, TEXT_PART, score);
        take(q, t);
    }
}

/* ---- verdicts ---- */

/* Lays each licence that was found beside the text. */
static lq_status compare(struct identification *out, const struct query *q, lq_error *err)
{
    struct comparison c = {0};
    lq_status status = comparison_begin(&c, &q->words, q->pair, err);
    const enum text_match first = out->found[0].how;
    const bool alone = out->n == 1 && first != TEXT_PART && first != TEXT_EXCEPTION;
    for (size_t i = 0; i < out->n && status == LQ_OK; i++) {
        struct text_finding *const f = &out->found[i];
        bool modified = foreign_phrase(&q->words, f->ids) != NULL;
        status = comparison_with(&c, q->found[i], alone, &modified, err);
        if (modified && f->how != TEXT_NOTICE)
            f->how = TEXT_MODIFIED;
    }
    /* To what more there is an exception cannot be said to belong. */
    const bool whole =
        out->found[0].how == TEXT_MATCH || (out->found[0].how == TEXT_PART && has_exception(out));
    if (status == LQ_OK && comparison_rest(&c) && whole)
        out->found[0].how = TEXT_MODIFIED;
    comparison_put(&c, &out->differs);
    comparison_release(&c);
    return status;
}

static lq_status judge(struct identification *out, struct query *q, lq_error *err)
{
    double score;
    const struct index_text *const t = nearest(q, &score);
    if (t && score >= modified_score) {
        add(out, q, t, score < match_score ? TEXT_MODIFIED : TEXT_MATCH, score);
        take(q, t);
    }
    find_parts(out, q);
    if (out->n) {
        set_beside_exception(out, q);
        return compare(out, q, err);
    }
    if (t)
        add(out, q, t, TEXT_SIMILAR, score);
    return LQ_OK;
}

static lq_status make_query(struct query *q, const char *text, size_t len, lq_error *err)
{
    LQ_TRY(words_read(&q->words, text, len, err));
    const size_t n = q->words.n;
    q->pair = mem_calloc(n + 1, sizeof *q->pair);
    if (!q->pair)
        return lq_fail_memory(err);
    for (size_t i = 0; i + 1 < n; i++)
        q->pair[i] = words_pair(&q->words, i);
    LQ_TRY(pair_set_make(&q->whole, q->pair, n ? n - 1 : 0, err));
    const size_t end = license_terms_length(&q->words);
    return end < n ? pair_set_make(&q->before, q->pair, end ? end - 1 : 0, err) : LQ_OK;
}

lq_status license_identify(struct identification *out, const char *text, size_t len, lq_error *err)
{
    struct query q = {0};
    lq_status status = make_query(&q, text, len, err);
    if (status == LQ_OK)
        status = find_exact(out, &q, err);
    if (status == LQ_OK && !out->n)
        status = judge(out, &q, err);
    if (status == LQ_OK && out->differs.failed)
        status = lq_fail_memory(err);
    words_release(&q.words);
    free(q.pair);
    free(q.whole.slot);
    free(q.before.slot);
    return status;
}

void identification_release(struct identification *id)
{
    text_free(&id->differs);
    *id = (struct identification){0};
}

const char *text_match_name(enum text_match how)
{
    static const char *const names[] = {"exact",           "match",     "modified", "contained",
                                        "notice of files", "exception", "similar"};
    return names[how];
}
