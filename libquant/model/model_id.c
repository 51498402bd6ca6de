/* model_id.c -- parses names of models. */
#include "libquant/model/model_id.h"

#include "libquant/base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PART_LIMIT = 64 };

/* What a part of a name may be; a part can be several things. */
enum kind { BASENAME = 1, SIZE = 2, FINETUNE = 4, VERSION = 8, TYPE = 16 };

struct part {
    char *s;
    unsigned kinds;
};

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static const char *skip_digits(const char *s)
{
    while (digit(*s))
        s++;
    return s;
}

/* [v|iter]1.2.3 */
static bool is_version(const char *s)
{
    if (ascii_ncasecmp(s, "iter", 4) == 0)
        s += 4;
    else if (ascii_lower(*s) == 'v')
        s++;
    const char *at = skip_digits(s);
    if (at == s)
        return false;
    while (*at == '.' && digit(at[1]))
        at = skip_digits(at + 1);
    return !*at;
}

/* q4, iq3_x, q4_K, ..., f16, bf16, fp32 */
static bool is_type(const char *s)
{
    const char *at = s + (ascii_lower(*s) == 'i');
    if (ascii_lower(*at) == 'q' && digit(at[1])) {
        at += 2;
        while (*at == '_' && (letter(at[1]) || digit(at[1]) || at[1] == '_'))
            at += 2;
        return !*at;
    }
    at = s + (ascii_lower(*s) == 'b');
    if (ascii_lower(*at) != 'f')
        return false;
    at += 1 + (ascii_lower(at[1]) == 'p');
    return strcmp(at, "16") == 0 || strcmp(at, "32") == 0;
}

/* [A|8x]7[.5]B[1], or a word */
static bool is_size(const char *s)
{
    static const char *const words[] = {"small", "mini", "medium", "large", "xl", "xxl"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (ascii_casecmp(s, words[i]) == 0)
            return true;
    const char *at = skip_digits(s);
    if (at == s && ascii_lower(*s) == 'a')
        at = s + 1;
    else if (at > s && ascii_lower(*at) == 'x')
        at++;
    else
        at = s;
    const char *const number = at;
    at = skip_digits(at);
    if (at == number)
        return false;
    if ((*at == '.' || *at == '_') && digit(at[1]))
        at = skip_digits(at + 1);
    if (!*at || !strchr("kmbt", ascii_lower(*at)))
        return false;
    at++;
    return !*at || (digit(*at) && !at[1]);
}

static bool is_finetune(const char *s)
{
    static const char *const words[] = {"chat", "instruct", "vision", "lora"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (ascii_casecmp(s, words[i]) == 0)
            return true;
    return false;
}

/* Brings a size label into its usual form, in place: 7_5b, 7b1 and 1.7b become 7.5B, 7.1b, 1.7B. */
static void normalize_size(char *s)
{
    size_t n = strlen(s);
    for (char *c = s; *c; c++)
        if (*c == '_')
            *c = '.';
    if (digit(s[n - 1])) {
        s[n] = s[n - 2]; /* the copy has room for one more */
        s[n - 2] = '.';
        s[++n] = '\0';
    }
    if (n > 1 && digit(s[n - 2]) && strchr("kmbt", s[n - 1]))
        s[n - 1] = upper(s[n - 1]);
}

/* Whether the label is a number that is far from the model's size: then it is a context length. */
static bool is_far(const char *s, uint64_t parameters)
{
    static const char units[] = "KMBT";
    static const double scales[] = {1e3, 1e6, 1e9, 1e12};
    const size_t n = strlen(s);
    char number[64];
    if (!parameters || n < 2 || n > sizeof number)
        return false;
    memcpy(number, s, n - 1);
    number[n - 1] = '\0';
    if (number[strspn(number, "0123456789.")])
        return false;
    const char *const unit = strchr(units, s[n - 1]);
    const double label = strtod(number, NULL) * (unit ? scales[unit - units] : 1e-3);
    return fabs(label - (double)parameters) > (double)(7 * parameters / 8);
}

static void annotate(struct part *p, size_t i, uint64_t parameters)
{
    if (is_version(p->s)) {
        p->kinds |= VERSION;
    } else if (is_type(p->s)) {
        p->kinds |= TYPE;
        for (char *c = p->s; *c; c++)
            *c = upper(*c);
    } else if (i > 0 && is_size(p->s)) {
        normalize_size(p->s);
        if (is_far(p->s, parameters)) {
            p->kinds |= FINETUNE;
            char *const last = p->s + strlen(p->s) - 1;
            *last = ascii_lower(*last);
        } else {
            p->kinds |= SIZE;
        }
    } else if (i > 0 && is_finetune(p->s)) {
        p->kinds |= FINETUNE;
    }
}

/* Words like "small" are no size where a number is given as well. */
static void prefer_numbers(struct part *parts, size_t n)
{
    bool number = false;
    for (size_t i = 0; i < n; i++)
        number = number || (parts[i].kinds & SIZE && strpbrk(parts[i].s, "0123456789"));
    for (size_t i = 0; i < n && number; i++)
        if (parts[i].kinds & SIZE && !strpbrk(parts[i].s, "0123456789."))
            parts[i].kinds &= ~(unsigned)SIZE;
}

static void find_basename(struct part *parts, size_t n)
{
    bool at_start = true;
    for (size_t i = 0; i < n; i++) {
        struct part *const p = &parts[i];
        if (at_start && ((!p->kinds && letter(*p->s)) || p->kinds & VERSION)) {
            p->kinds |= BASENAME;
            continue;
        }
        at_start = false;
        if (!p->kinds)
            p->kinds = FINETUNE;
    }
    /* A version at the end is no part of the base's name. */
    for (size_t i = n; i-- > 0 && parts[i].kinds & BASENAME && parts[i].kinds != BASENAME;)
        parts[i].kinds &= ~(unsigned)BASENAME;
}

static bool seen_before(const struct part *parts, size_t i, unsigned kind)
{
    for (size_t k = 0; k < i; k++)
        if (parts[k].kinds & kind && strcmp(parts[k].s, parts[i].s) == 0)
            return true;
    return false;
}

/* Joins the parts that are of the kind and not of the other. */
static bool join(const char **out, const struct part *parts, size_t n, unsigned kind, unsigned but,
                 struct arena *a)
{
    struct text t = {0};
    for (size_t i = 0; i < n; i++)
        if (parts[i].kinds & kind && !(parts[i].kinds & but) &&
            !(kind == SIZE && seen_before(parts, i, SIZE)))
            text_printf(&t, "%s%s", t.len ? "-" : "", parts[i].s);
    *out = t.len ? arena_strdup(a, t.data) : NULL;
    const bool ok = !t.failed && (*out || !t.len);
    text_free(&t);
    return ok;
}

/* Cuts at '-'; empty parts are dropped. More than PART_LIMIT: false, no name is that long. */
static bool split(struct part *parts, size_t *n, const char *s, struct arena *a, bool *memory)
{
    *n = 0;
    while (*s) {
        const size_t len = strcspn(s, "-");
        if (len) {
            if (*n == PART_LIMIT)
                return false;
            char *const copy = arena_calloc(a, len + 2, 1);
            if (!copy)
                return *memory = false;
            memcpy(copy, s, len);
            parts[(*n)++] = (struct part){copy, 0};
        }
        s += len + (s[len] == '-');
    }
    return true;
}

bool model_id_parse(struct model_id *out, const char *id, uint64_t parameters, struct arena *a)
{
    struct part parts[PART_LIMIT];
    size_t n;
    bool memory = true;
    *out = (struct model_id){0};
    if (strchr(id, ' '))
        return (out->name = arena_strdup(a, id)) != NULL;
    const char *const slash = strchr(id, '/');
    if (slash && *id != '.' &&
        !(out->organization = arena_strndup(a, id, (size_t)(slash - id))))
        return false;
    if (!(out->name = arena_strdup(a, slash ? slash + 1 : id)))
        return false;
    if (!split(parts, &n, out->name, a, &memory))
        return memory;
    for (size_t i = 0; i < n; i++)
        annotate(&parts[i], i, parameters);
    prefer_numbers(parts, n);
    find_basename(parts, n);
    if (!join(&out->basename, parts, n, BASENAME, 0, a) ||
        !join(&out->size_label, parts, n, SIZE, 0, a) ||
        !join(&out->finetune, parts, n, FINETUNE, 0, a) ||
        !join(&out->version, parts, n, VERSION, BASENAME, a))
        return false;
    if (!out->size_label && !out->finetune && !out->version)
        out->basename = NULL; /* too little to tell base from rest */
    return true;
}

/* A word that gets no capital: a version, or one that begins with a digit. */
static bool keeps_case(const char *w, size_t len)
{
    size_t i = 1;
    if (digit(*w))
        return true;
    if (*w != 'v')
        return false;
    while (i < len && digit(w[i]))
        i++;
    if (i == 1)
        return false;
    while (i + 1 < len && w[i] == '.' && digit(w[i + 1]))
        for (i++; i < len && digit(w[i]); i++)
            ;
    return i == len;
}

static bool is_lower(const char *w, size_t len)
{
    bool any = false;
    for (size_t i = 0; i < len; i++) {
        if (w[i] >= 'A' && w[i] <= 'Z')
            return false;
        any = any || (w[i] >= 'a' && w[i] <= 'z');
    }
    return any;
}

char *model_id_title(const char *s, struct arena *a)
{
    static const char gaps[] = "- \t\r\n\v\f";
    struct text t = {0};
    while (*(s += strspn(s, gaps))) {
        const size_t len = strcspn(s, gaps);
        const bool capital = is_lower(s, len) && !keeps_case(s, len);
        if (t.len)
            text_putc(&t, ' ');
        for (size_t i = 0; i < len; i++)
            text_putc(&t, capital && (!i || !letter(s[i - 1])) ? upper(s[i]) : s[i]);
        s += len;
    }
    char *const copy = t.failed ? NULL : arena_strndup(a, t.len ? t.data : "", t.len);
    text_free(&t);
    return copy;
}

char *model_size_label(uint64_t parameters, uint64_t shared, uint64_t experts,
                       uint64_t expert_count, struct arena *a)
{
    const double count = (double)(expert_count ? shared + experts : parameters);
    const char unit = count > 1e12 ? 'T' : count > 1e9 ? 'B' : count > 1e6 ? 'M' : 'K';
    const double scaled = count * (unit == 'T'   ? 1e-12
                                   : unit == 'B' ? 1e-9
                                   : unit == 'M' ? 1e-6
                                                 : 1e-3);
    /* One digit before the point asks for one after it, none for two. */
    const double rounded = nearbyint(scaled);
    const int places = rounded >= 10 ? 0 : rounded >= 1 ? 1 : 2;
    if (expert_count)
        return arena_printf(a, "%llux%.*f%c", (unsigned long long)expert_count, places, scaled,
                            unit);
    return arena_printf(a, "%.*f%c", places, scaled, unit);
}
