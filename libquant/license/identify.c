/* identify.c -- licence texts by their words. Measured on all texts of the SPDX list: word pairs
 * name every one of them through new lines, typing errors and other copyright holders. */
#include "libquant/license/identify.h"

#include "libquant/base/memory.h"
#include "libquant/base/text.h"
#include "libquant/license/index.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double match_score = 0.97, modified_score = 0.90, similar_score = 0.50;
static const double part_score = 0.95; /* of a licence's pairs, for it to stand in a longer text */

enum {
    PART_PAIRS = 40, /* of a licence that is looked for in a longer text */
    NOTICE_PAIRS = 20,
    SNIPPETS = 3,         /* passages that are shown, */
    SNIPPET_WORDS = 24,   /* so much of each */
    PASSAGE_WORDS = 8,    /* an addition, and no changed word or name of a holder; */
    PASSAGE_LEADING = 24, /* before the licence, where titles and introductions stand; */
    PASSAGE_SEVERAL = 16, /* between several licences; */
    PASSAGE_KNOWN = 2,    /* pairs of the licence within an addition; */
    PASSAGE_SAMPLES = 3,  /* of a licence of which one pair in four is known */
    MISSING_WORDS = 8
};

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

/* A hash table of pairs; a slot holds pair + 1, and TAKEN where a licence that was found has it. */
struct set {
    uint32_t *slot, mask;
    size_t n, n_sampled; /* distinct pairs; those of them that large texts keep */
};

#define TAKEN UINT32_C(0x80000000)

struct query {
    struct words words;
    uint32_t *pair;    /* that begins at each word but the last */
    struct set whole;  /* of the whole text */
    struct set before; /* of what stands before the appendix; n 0: no appendix */
};

static uint32_t *slot_of(const struct set *s, uint32_t pair)
{
    uint32_t i = (pair * UINT32_C(0x9e3779b1)) >> 8 & s->mask;
    while (s->slot[i] && (s->slot[i] & ~TAKEN) != pair + 1)
        i = (i + 1) & s->mask;
    return &s->slot[i];
}

static lq_status make_set(struct set *s, const uint32_t *pair, size_t n, lq_error *err)
{
    size_t size = 16;
    while (size < 2 * n)
        size *= 2;
    s->slot = mem_calloc(size, sizeof *s->slot);
    if (!s->slot)
        return lq_fail_memory(err);
    s->mask = (uint32_t)size - 1;
    for (size_t i = 0; i < n; i++) {
        uint32_t *const slot = slot_of(s, pair[i]);
        s->n += !*slot;
        s->n_sampled += !*slot && index_sampled(pair[i]);
        *slot = pair[i] + 1;
    }
    return LQ_OK;
}

static uint32_t load_pair(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
}

/* Number of pairs that both have, or 0 where it would be less than `least`. `taken`: those that a
 * licence has taken do not count. */
static size_t shared(const struct index_text *t, const struct set *s, size_t least, bool taken)
{
    const uint8_t *p = pairs_of(t), *const end = p + (size_t)t->count * 3;
    size_t n = 0, may_miss = t->count >= least ? t->count - least : 0;
    if (least > t->count || !s->slot)
        return 0;
    for (; p < end; p += 3) {
        const uint32_t slot = *slot_of(s, load_pair(p));
        if (slot && !(taken && (slot & TAKEN)))
            n++;
        else if (may_miss-- == 0)
            return 0;
    }
    return n;
}

static size_t size_of(const struct index_text *t, const struct set *s)
{
    return t->flags & INDEX_SAMPLED ? s->n_sampled : s->n;
}

/* Twice the shared pairs by the sum of the pairs; 0 where that is less than `least`. */
static double dice(const struct index_text *t, const struct set *s, double least)
{
    const size_t sum = t->count + size_of(t, s);
    const double needed = least * (double)sum / 2;
    if (!s->n || !sum || needed > (double)t->count || needed > (double)size_of(t, s))
        return 0;
    return 2.0 * (double)shared(t, s, (size_t)needed, false) / (double)sum;
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
        if (license_group_has(ids, foreign[i].id, strlen(foreign[i].id)) &&
            words_have(w, foreign[i].phrase))
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

bool license_group_has(const char *ids, const char *id, size_t len)
{
    for (const char *s = ids; *s;) {
        const size_t n = strcspn(s, " ");
        if (n == len && ascii_ncasecmp(s, id, n) == 0)
            return true;
        s += n + (s[n] == ' ');
    }
    return false;
}

/* ---- what is found ---- */

/* The notice within the licence that tells how to use it is not one more finding. */
static bool is_found(const struct identification *out, const struct index_text *t)
{
    for (size_t i = 0; i < out->n; i++)
        if ((t->flags & INDEX_NOTICE) && strcmp(out->found[i].ids, ids_of(t)) == 0)
            return true;
    return false;
}

static void add(struct identification *out, const struct index_text *t, enum text_match how,
                double score)
{
    if (!is_found(out, t) && out->n < IDENTIFY_MAX)
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
static double score_of(const struct index_text *t, const struct query *q, double least)
{
    const double whole = dice(t, &q->whole, least);
    const double before = dice(t, &q->before, whole > least ? whole : least);
    return whole > before ? whole : before;
}

static const struct index_text *nearest(const struct query *q, double *score)
{
    const struct index_text *best = NULL;
    *score = similar_score;
    for (size_t i = 0; i < header()->texts; i++) {
        const struct index_text *const t = text_at(i);
        const double s = score_of(t, q, *score);
        if (s > *score && !is_cc4_other(&q->words, ids_of(t))) {
            *score = s;
            best = t;
        }
    }
    return best;
}

/* The licence of which the most stands in the text, and mostly in what is left of it: whole, but
 * for few pairs, each of which counts against it twice. */
static const struct index_text *longest_part(const struct query *q, double *score)
{
    const struct index_text *best = NULL;
    size_t best_size = 0;
    for (size_t i = 0; i < header()->texts; i++) {
        const struct index_text *const t = text_at(i);
        const size_t scale = t->flags & INDEX_SAMPLED ? 4 : 1, size = t->count * scale;
        if (size < (t->flags & INDEX_NOTICE ? NOTICE_PAIRS : PART_PAIRS) || size <= best_size)
            continue;
        const size_t least = (size_t)ceil(part_score * (double)t->count);
        const size_t n = shared(t, &q->whole, least, false);
        const size_t worth = (n - 2 * (t->count - n)) * scale;
        if (!n || worth <= best_size || is_cc4_other(&q->words, ids_of(t)) ||
            2 * shared(t, &q->whole, 0, true) < t->count)
            continue;
        *score = (double)n / (double)t->count;
        best = t;
        best_size = worth;
    }
    return best;
}

static void take_one(struct query *q, const struct index_text *t)
{
    const uint8_t *p = pairs_of(t), *const end = p + (size_t)t->count * 3;
    for (; p < end; p += 3) {
        uint32_t *const slot = slot_of(&q->whole, load_pair(p));
        if (*slot)
            *slot |= TAKEN;
    }
}

/* The text, and the others of the same licence: with its appendix, its notice. */
static void take(struct query *q, const struct index_text *t)
{
    for (size_t i = 0; i < header()->texts; i++)
        if (text_at(i) == t || strcmp(ids_of(text_at(i)), ids_of(t)) == 0)
            take_one(q, text_at(i));
}

/* All licences that stand whole in the text. True where one of them is known by its pairs in part
 * only. */
static bool find_parts(struct identification *out, struct query *q)
{
    const struct index_text *t;
    double score;
    bool sampled = false;
    while (out->n < IDENTIFY_MAX && (t = longest_part(q, &score)) != NULL) {
        add(out, t, foreign_phrase(&q->words, ids_of(t)) ? TEXT_MODIFIED : TEXT_PART, score);
        take(q, t);
        sampled |= (t->flags & INDEX_SAMPLED) != 0;
    }
    return sampled;
}

/* ---- what differs ---- */

/* A stretch of the text that no licence found in it has. */
struct passage {
    size_t first, last; /* pairs */
    size_t pairs;       /* of them known not to be the licence's */
    bool leading;       /* nothing of the licence stands before it */
};

static bool is_addition(const struct passage *p, bool sampled, bool several)
{
    const size_t least = several ? PASSAGE_SEVERAL : p->leading ? PASSAGE_LEADING : PASSAGE_WORDS;
    return p->pairs >= (sampled ? PASSAGE_SAMPLES : least) && p->last - p->first + 1 >= least;
}

static void put_words(struct text *out, const char *what, const struct words *w, size_t first,
                      size_t last)
{
    const bool cut = last - first >= SNIPPET_WORDS;
    const size_t end = cut ? first + SNIPPET_WORDS : last + 1;
    const size_t at = w->at[first], stop = end < w->n ? w->at[end] : w->stream.len;
    text_printf(out, "%s%s: ", out->len ? "; " : "", what);
    text_put_printable(out, w->stream.data + at, stop - at - 1);
    text_puts(out, cut ? " ..." : "");
}

/* The passages that were added, to `out`; returns how many there are. `sampled`: of the licences
 * found only some pairs are known. */
static size_t put_additions(struct text *out, const struct query *q, bool sampled, bool several)
{
    struct passage p = {.leading = true};
    size_t found = 0, known = 0;
    /* A few pairs that occur in the licence too do not end a passage. */
    const size_t most_known = sampled ? 1 : PASSAGE_KNOWN;
    for (size_t i = 0; i < q->words.n; i++) {
        const bool end = i + 1 == q->words.n;
        const bool ours = !end && (*slot_of(&q->whole, q->pair[i]) & TAKEN);
        if (!end && !ours && (!sampled || index_sampled(q->pair[i]))) {
            p.first = p.pairs++ ? p.first : i;
            p.last = i;
            known = 0;
        }
        known += ours;
        if (!end && !(ours && (known > most_known || !p.pairs)))
            continue;
        if (is_addition(&p, sampled, several) && found++ < SNIPPETS)
            put_words(out, "added", &q->words, p.first + !p.leading, p.last + p.leading);
        p = (struct passage){0};
        known = 0;
    }
    return found;
}

/* Words of the licence that are not in the text, by the pairs that no changed word explains. */
static size_t missing_words(const struct index_text *t, const struct query *q)
{
    const bool sampled = t->flags & INDEX_SAMPLED;
    const bool cut = dice(t, &q->before, 0) > dice(t, &q->whole, 0);
    const struct set *const s = cut ? &q->before : &q->whole;
    const size_t both = shared(t, s, 0, false);
    const size_t missing = t->count - both, added = size_of(t, s) - both;
    return missing > added ? (missing - added) * (sampled ? 4 : 1) : 0;
}

/* What stands behind the end of the terms is no part of them, but for attachments that bind. */
static size_t terms_length(const struct words *w)
{
    const size_t end = words_after(w, "end of terms and conditions");
    if (end == w->n)
        return w->n;
    return strstr(w->stream.data + w->at[end], "attachment ") ? w->n : end;
}

/* The passages among the first n words of the licence that are not in the text; returns the words
 * of the longest. A changed word makes two pairs differ, and so does a word that is not there. */
static size_t put_missing(struct text *out, const struct query *q, const struct words *w, size_t n)
{
    struct passage p = {0};
    size_t shown = 0, known = 0, longest = 0;
    for (size_t i = 0; i < n; i++) {
        const bool end = i + 1 == n;
        if (!end && !*slot_of(&q->whole, words_pair(w, i))) {
            p.first = p.pairs++ ? p.first : i;
            p.last = i;
            known = 0;
        } else if (p.pairs && (end || ++known > PASSAGE_KNOWN)) {
            if (shown++ < SNIPPETS)
                put_words(out, "missing", w, p.first + (p.last > p.first),
                          p.last + (p.last == p.first));
            longest = p.last - p.first > longest ? p.last - p.first : longest;
            p = (struct passage){0};
        }
    }
    return longest;
}

/* The words of the licence itself, where they are kept. */
static void take_words(struct query *q, const struct words *w)
{
    for (size_t i = 0; i + 1 < w->n; i++) {
        uint32_t *const slot = slot_of(&q->whole, words_pair(w, i));
        if (*slot)
            *slot |= TAKEN;
    }
}

/* ---- verdicts ---- */

static lq_status judge_near(struct identification *out, struct query *q, const struct index_text *t,
                            double score, lq_error *err)
{
    struct words kept = {0};
    const char *const phrase = foreign_phrase(&q->words, ids_of(t));
    size_t missing = missing_words(t, q);
    LQ_TRY(license_kept_words(&kept, ids_of(t), err));
    bool sampled = (t->flags & INDEX_SAMPLED) && !kept.n;
    add(out, t, phrase || score < match_score ? TEXT_MODIFIED : TEXT_MATCH, score);
    take(q, t);
    take_words(q, &kept);
    sampled |= find_parts(out, q);
    if (phrase)
        text_printf(&out->differs, "added: %s", phrase);
    const size_t added = put_additions(&out->differs, q, sampled, out->n > 1);
    if (kept.n) /* a text without the appendix lacks nothing there */
        missing = put_missing(&out->differs, q, &kept, q->before.n ? kept.n : terms_length(&kept));
    else if (missing >= MISSING_WORDS)
        text_printf(&out->differs, "%smissing: about %zu words of %s", out->differs.len ? "; " : "",
                    missing, ids_of(t));
    if (added || missing >= MISSING_WORDS)
        out->found[0].how = TEXT_MODIFIED;
    words_release(&kept);
    return LQ_OK;
}

static lq_status judge(struct identification *out, struct query *q, lq_error *err)
{
    double score;
    const struct index_text *const t = nearest(q, &score);
    if (t && score >= modified_score)
        return judge_near(out, q, t, score, err);
    const bool sampled = find_parts(out, q);
    if (out->n)
        (void)put_additions(&out->differs, q, sampled, true);
    else if (t)
        add(out, t, TEXT_SIMILAR, score);
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
    LQ_TRY(make_set(&q->whole, q->pair, n ? n - 1 : 0, err));
    const size_t end = terms_length(&q->words);
    return end < n ? make_set(&q->before, q->pair, end ? end - 1 : 0, err) : LQ_OK;
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
    static const char *const names[] = {"exact",     "match",           "modified",
                                        "contained", "notice of files", "similar"};
    return names[how];
}
