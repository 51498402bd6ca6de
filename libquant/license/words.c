/* words.c -- the words of a licence text, by the SPDX matching guidelines. */
#include "libquant/license/words.h"

#include "libquant/base/hash.h"
#include "libquant/base/memory.h"
#include "libquant/license/word_lists.h"

#include <stdlib.h>
#include <string.h>

enum { COPYRIGHT_LINE = 200, COPYRIGHT_SIGN = 1 /* the sign within folded text */ };

/* Words that the guidelines call equal. */
static const char *const equal_words[][2] = {
    {"acknowledgment",  "acknowledgement"},
    {"analogue",        "analog"         },
    {"analyse",         "analyze"        },
    {"artefact",        "artifact"       },
    {"authorisation",   "authorization"  },
    {"authorised",      "authorized"     },
    {"calibre",         "caliber"        },
    {"cancelled",       "canceled"       },
    {"capitalisations", "capitalizations"},
    {"catalogue",       "catalog"        },
    {"categorise",      "categorize"     },
    {"centre",          "center"         },
    {"emphasised",      "emphasized"     },
    {"favour",          "favor"          },
    {"favourite",       "favorite"       },
    {"fulfil",          "fulfill"        },
    {"fulfilment",      "fulfillment"    },
    {"https",           "http"           },
    {"initialise",      "initialize"     },
    {"judgment",        "judgement"      },
    {"labelling",       "labeling"       },
    {"labour",          "labor"          },
    {"licence",         "license"        },
    {"maximise",        "maximize"       },
    {"modelled",        "modeled"        },
    {"modelling",       "modeling"       },
    {"offence",         "offense"        },
    {"optimise",        "optimize"       },
    {"organisation",    "organization"   },
    {"organise",        "organize"       },
    {"owner",           "holder"         },
    {"practise",        "practice"       },
    {"programme",       "program"        },
    {"realise",         "realize"        },
    {"recognise",       "recognize"      },
    {"signalling",      "signaling"      },
    {"utilisation",     "utilization"    },
    {"whilst",          "while"          },
    {"wilful",          "wilfull"        },
};
enum { EQUAL_WORDS = sizeof equal_words / sizeof equal_words[0] };
_Static_assert((int)EQUAL_WORDS <= WORD_LISTS_MAX, "more words than lists take");

/* ---- characters ---- */

/* What a character beyond ASCII counts as: '\'', '-', ' ', 'c' for the copyright sign, 'w' for a
 * character that is a word of its own (scripts without blanks), 0 for nothing, 'x' for itself. */
static char kind_of(uint32_t cp)
{
    if (cp == 0x2018 || cp == 0x2019 || cp == 0x201a || cp == 0x201b ||
        (cp >= 0x201c && cp <= 0x201f) || cp == 0x2032 || cp == 0x2033 || cp == 0xab ||
        cp == 0xbb || cp == 0xb4)
        return '\'';
    if ((cp >= 0x2010 && cp <= 0x2015) || cp == 0x2212)
        return '-';
    if (cp == 0xfeff || cp == 0xad || (cp >= 0x200b && cp <= 0x200f))
        return 0;
    if (cp == 0xa9)
        return 'c';
    if (cp == 0x85 || cp == 0xa0 || cp == 0x2022 || cp == 0xb7 || (cp >= 0x2000 && cp <= 0x206f) ||
        cp == 0x3000 || (cp >= 0x3001 && cp <= 0x303f) || cp == UINT32_MAX ||
        (cp >= 0x25a0 && cp <= 0x25ff))
        return ' ';
    return cp >= 0x2e80 && cp <= 0x9fff ? 'w' : 'x';
}

/* Letters of Latin-1, Greek and Cyrillic in lower case: the scripts of the list's texts that have
 * cases. */
static uint32_t lower_of(uint32_t cp)
{
    if ((cp >= 0xc0 && cp <= 0xde && cp != 0xd7) || (cp >= 0x391 && cp <= 0x3a9) ||
        (cp >= 0x410 && cp <= 0x42f))
        return cp + 32;
    return cp >= 0x400 && cp <= 0x40f ? cp + 80 : cp == 0x178 ? 0xff : cp == 0x152 ? 0x153 : cp;
}

/* Lower case, one kind of quotes, dashes and line ends; the copyright sign as COPYRIGHT_SIGN. */
static void fold(struct text *out, const char *s, size_t len)
{
    for (size_t i = 0, step; i < len; i += step) {
        const char c = s[i];
        step = 1;
        if (c >= 'A' && c <= 'Z') {
            text_putc(out, (char)(c + 32));
        } else if (c == '\r') {
            text_putc(out, '\n');
        } else if (c == '"' || c == '`') {
            text_putc(out, '\'');
        } else if (c && (unsigned char)c < 0x80) {
            text_putc(out, c == COPYRIGHT_SIGN ? ' ' : c);
        } else if (c) {
            uint32_t cp;
            char letter[4];
            step = utf8_decode(s + i, len - i, &cp);
            const char kind = kind_of(cp);
            if (kind == 'c')
                text_putc(out, COPYRIGHT_SIGN);
            else if (kind == 'x')
                text_put(out, letter, utf8_encode(letter, lower_of(cp)));
            else if (kind == 'w')
                text_printf(out, " %.*s ", (int)step, s + i);
            else if (kind)
                text_putc(out, kind);
        }
    }
}

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80;
}

/* ---- lines ---- */

static bool has_year(const char *s, size_t n)
{
    for (size_t i = 0; i + 4 <= n; i++)
        if ((s[i] == '1' && s[i + 1] == '9') || (s[i] == '2' && s[i + 1] == '0'))
            return true;
    return memmem(s, n, "year>", 5) || memmem(s, n, "yyyy", 4) || memmem(s, n, "[year]", 6);
}

static bool begins(const char *s, size_t n, const char *prefix)
{
    return n >= strlen(prefix) && memcmp(s, prefix, strlen(prefix)) == 0;
}

/* "Copyright (c) 2024 Somebody. All rights reserved." */
static bool is_copyright_notice(const char *s, size_t n)
{
    static const char reserved[] = "all rights reserved";
    if (n >= COPYRIGHT_LINE)
        return false;
    if (begins(s, n, reserved))
        return true;
    const bool sign = memchr(s, COPYRIGHT_SIGN, n) != NULL;
    if (begins(s, n, "copyright") || begins(s, n, "portions copyright"))
        return sign || memmem(s, n, "(c)", 3) || has_year(s, n) || memmem(s, n, "<copyright", 10) ||
               memmem(s, n, reserved, sizeof reserved - 1);
    /* "(c)" may also be the third item of a list. */
    return (n && *s == COPYRIGHT_SIGN) || (begins(s, n, "(c)") && has_year(s, n));
}

/* Past the signs that make a line a comment; what is left is read as if they were not there. */
static size_t comment_length(const char *s, size_t n)
{
    size_t i = 0;
    while (i < n && !is_word_char(s[i]) && s[i] != '(' && s[i] != '<' && s[i] != COPYRIGHT_SIGN)
        i++;
    if (begins(s + i, n - i, "rem ") || begins(s + i, n - i, "dnl "))
        i += 4;
    return i;
}

/* ---- words ---- */

static bool is_number_or_letter(const char *word, size_t n)
{
    if (n == 1)
        return true;
    if (n == 2 && word[0] >= '0' && word[0] <= '9' && word[1] >= '0' && word[1] <= '9')
        return true;
    return n <= 5 && strspn(word, "ivx") >= n;
}

/* "a)", "(iv)", "2. ": wherever it stands, so that breaking lines elsewhere changes nothing. */
static bool is_list_marker(const char *word, size_t n, const char *after, const char *end)
{
    if (after >= end || !is_number_or_letter(word, n))
        return false;
    return *after == ')' ||
           (*after == '.' && (after + 1 == end || after[1] == ' ' || after[1] == '\t'));
}

static lq_status add_word(struct words *w, const struct word_lists *equal, const char *word,
                          size_t n, lq_error *err)
{
    for (size_t i = equal->first[(uint8_t)*word]; i; i = equal->next[i - 1])
        if (word_is(equal_words[i - 1][0], word, n)) {
            word = equal_words[i - 1][1];
            n = strlen(word);
            break;
        }
    static const char copyright[] = "copyright ";
    if (w->n && n + 1 == sizeof copyright - 1 && memcmp(word, copyright, n) == 0 &&
        strcmp(w->stream.data + w->at[w->n - 1], copyright) == 0)
        return LQ_OK;
    if (w->n == w->cap && !mem_grow((void **)&w->at, &w->cap, w->n, sizeof *w->at))
        return lq_fail_memory(err);
    w->at[w->n++] = (uint32_t)w->stream.len;
    text_put(&w->stream, word, n);
    text_putc(&w->stream, ' ');
    return w->stream.failed ? lq_fail_memory(err) : LQ_OK;
}

/* "(c)" behind "copyright" or before a year; else it is the third item of a list. */
static bool is_copyright_sign(const struct words *w, const char *s, const char *end)
{
    static const char copyright[] = "copyright ";
    if (end - s < 3 || memcmp(s, "(c)", 3) != 0)
        return false;
    if (w->n && strcmp(w->stream.data + w->at[w->n - 1], copyright) == 0)
        return true;
    for (s += 3; s < end && (*s == ' ' || *s == '\t'); s++) {
    }
    return end - s >= 4 && (memcmp(s, "19", 2) == 0 || memcmp(s, "20", 2) == 0);
}

/* The words of one line: letters and digits; quotes and dashes within a word are left out. */
static lq_status read_line(struct words *w, const struct word_lists *equal, const char *s,
                           const char *end, lq_error *err)
{
    char word[128];
    while (s < end) {
        if (*s == COPYRIGHT_SIGN || is_copyright_sign(w, s, end)) {
            LQ_TRY(add_word(w, equal, "copyright", 9, err));
            s += *s == COPYRIGHT_SIGN ? 1 : 3;
            continue;
        }
        if (!is_word_char(*s)) {
            s++;
            continue;
        }
        size_t n = 0;
        for (; s < end && (is_word_char(*s) ||
                           ((*s == '\'' || *s == '-') && s + 1 < end && is_word_char(s[1])));
             s++)
            if (*s != '\'' && *s != '-' && n + 1 < sizeof word)
                word[n++] = *s;
        word[n] = '\0';
        if (!is_list_marker(word, n, s, end))
            LQ_TRY(add_word(w, equal, word, n, err));
    }
    return LQ_OK;
}

static lq_status note_notice(struct words *w, lq_error *err)
{
    if (w->n_notices && w->notices[w->n_notices - 1] == w->n)
        return LQ_OK;
    if (!mem_grow((void **)&w->notices, &w->cap_notices, w->n_notices, sizeof *w->notices))
        return lq_fail_memory(err);
    w->notices[w->n_notices++] = (uint32_t)w->n;
    return LQ_OK;
}

lq_status words_read(struct words *w, const char *text, size_t len, lq_error *err)
{
    struct text folded = {0};
    struct word_lists equal = {0};
    for (size_t i = 0; i < EQUAL_WORDS; i++)
        word_lists_add(&equal, i, equal_words[i][0]);
    fold(&folded, text, len);
    lq_status status = folded.failed || len > UINT32_MAX / 2 ? lq_fail_memory(err) : LQ_OK;
    text_putc(&w->stream, ' ');
    const char *s = folded.data, *const end = folded.data + folded.len;
    while (status == LQ_OK && s < end) {
        const char *const stop = memchr(s, '\n', (size_t)(end - s));
        const char *const next = stop ? stop : end;
        const char *const line = s + comment_length(s, (size_t)(next - s));
        status = is_copyright_notice(line, (size_t)(next - line))
                     ? note_notice(w, err)
                     : read_line(w, &equal, line, next, err);
        s = next + 1;
    }
    text_free(&folded);
    return status;
}

lq_status words_take(struct words *w, const char *stream, size_t len, lq_error *err)
{
    for (size_t i = 0; i < len; i++)
        w->cap += stream[i] == ' ';
    w->at = mem_calloc(w->cap, sizeof *w->at);
    text_put(&w->stream, stream, len);
    if (!w->at || w->stream.failed)
        return lq_fail_memory(err);
    for (size_t i = 0; i + 1 < len; i++)
        if (stream[i] == ' ')
            w->at[w->n++] = (uint32_t)i + 1;
    return LQ_OK;
}

void words_release(struct words *w)
{
    text_free(&w->stream);
    free(w->at);
    free(w->notices);
    *w = (struct words){0};
}

/* ---- questions ---- */

static const char *find(const struct words *w, const char *phrase)
{
    const size_t n = strlen(phrase);
    for (const char *at = w->stream.data; at && (at = strstr(at, phrase)); at++)
        if (at > w->stream.data && at[-1] == ' ' && at[n] == ' ')
            return at;
    return NULL;
}

bool words_have(const struct words *w, const char *phrase)
{
    return find(w, phrase) != NULL;
}

size_t words_after(const struct words *w, const char *phrase)
{
    const char *const at = find(w, phrase);
    if (!at)
        return w->n;
    const size_t end = (size_t)(at - w->stream.data) + strlen(phrase);
    size_t i = 0;
    while (i < w->n && w->at[i] < end)
        i++;
    return i;
}

bool words_notice_near(const struct words *w, size_t i, size_t near)
{
    size_t low = 0, high = w->n_notices;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (w->notices[middle] + near < i)
            low = middle + 1;
        else
            high = middle;
    }
    return low < w->n_notices && w->notices[low] <= i + near;
}

uint32_t words_pair(const struct words *w, size_t i)
{
    const char *const s = w->stream.data + w->at[i];
    const char *const end = w->stream.data + (i + 2 < w->n ? w->at[i + 2] : w->stream.len);
    uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a, and a last mix */
    for (const char *c = s; c < end; c++)
        h = (h ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    h ^= h >> 32;
    h *= UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(h >> 40);
}

lq_status words_digest(const struct words *w, size_t n, uint8_t digest[16], lq_error *err)
{
    uint8_t whole[32];
    const size_t len = n < w->n ? w->at[n] : w->stream.len;
    LQ_TRY(sha256_of(w->stream.data, len, whole, err));
    memcpy(digest, whole, 16);
    return LQ_OK;
}
