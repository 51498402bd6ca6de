/* claims_sums.c -- lists of checksums: SHA256SUMS and its kind, in the forms of coreutils, of BSD
 * and of `openssl dgst`, or a digest alone in FILE.sha256. */
#include "libquant/trust/verification.h"

#include "libquant/base/source.h"
#include "libquant/base/text.h"
#include "libquant/trust/file_list.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_SUMS = 16 << 20 };

/* ---- what kind of list a name says it is ---- */

enum trait { CHECKED, UNKNOWN, WEAK, BY_LENGTH };

/* Algorithms by the names that tools give them, in lines and in names of lists. */
static const struct algorithm {
    const char *name, *alias;
    enum trait trait;
    size_t digits;
    enum claim_algorithm claim;
} algorithms[] = {
    {"SHA256",   "SHA2-256", CHECKED,   64,  CLAIM_SHA256},
    {"SHA512",   "SHA2-512", CHECKED,   128, CLAIM_SHA512},
    {"SHA1",     "SHA",      WEAK,      40,  CLAIM_NONE  },
    {"MD5",      "MD5",      WEAK,      32,  CLAIM_NONE  },
    {"SHA384",   "SHA2-384", UNKNOWN,   96,  CLAIM_NONE  },
    {"SHA224",   "SHA2-224", UNKNOWN,   56,  CLAIM_NONE  },
    {"SHA3-256", "SHA3",     UNKNOWN,   64,  CLAIM_NONE  },
    {"SHA3-512", "SHA3",     UNKNOWN,   128, CLAIM_NONE  },
    {"BLAKE2b",  "B2",       UNKNOWN,   128, CLAIM_NONE  },
    {"BLAKE3",   "B3",       UNKNOWN,   64,  CLAIM_NONE  },
    {"check",    "checksum", BY_LENGTH, 0,   CLAIM_NONE  }, /* checksums.txt */
};

/* Of a digest in a list that names none; NULL where no common one has so many digits. */
static const struct algorithm *algorithm_of_length(size_t digits)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++)
        if (digits && algorithms[i].digits == digits)
            return &algorithms[i];
    return NULL;
}

static const struct algorithm *algorithm_named(const char *name, size_t n)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++) {
        const struct algorithm *const a = &algorithms[i];
        if ((strlen(a->name) == n && ascii_ncasecmp(a->name, name, n) == 0) ||
            (strlen(a->alias) == n && ascii_ncasecmp(a->alias, name, n) == 0))
            return a;
    }
    return NULL;
}

/* Length of `s` without `end`, in whatever case; 0 where it does not end so. */
static size_t without(const char *s, size_t n, const char *end)
{
    const size_t k = strlen(end);
    return n > k && ascii_ncasecmp(s + n - k, end, k) == 0 ? n - k : 0;
}

/* SHA256SUMS, SHA256, sha256sum.txt, FILE.sha256, FILE.sha256sum, FILE.sha256.txt. `stem`: length
 * of FILE. */
static const struct algorithm *list_algorithm(const char *name, size_t *stem)
{
    const char *const last = path_last_part(name), *dot;
    size_t n = strlen(last), shorter;
    if ((shorter = without(last, n, ".txt")))
        n = shorter;
    if ((shorter = without(last, n, "sums")) || (shorter = without(last, n, "sum")))
        n = shorter;
    for (dot = last + n; dot > last && dot[-1] != '.'; dot--)
        ;
    *stem = dot > last ? (size_t)(dot - 1 - name) : 0;
    const struct algorithm *const a = algorithm_named(dot, n - (size_t)(dot - last));
    return a && (dot > last || strlen(last) > n || a->trait == CHECKED) ? a : NULL;
}

/* ---- lines ---- */

struct line {
    const struct algorithm *algorithm;
    char *hex, *name; /* name NULL: a digest alone */
};

/* Undoes the escapes of a line that begins with a backslash: \\, \n and \r. False: others. */
static bool unescape(char *s)
{
    char *out = s;
    for (; *s; s++) {
        if (*s != '\\') {
            *out++ = *s;
            continue;
        }
        s++;
        if (*s != '\\' && *s != 'n' && *s != 'r')
            return false;
        *out++ = *s == 'n' ? '\n' : *s == 'r' ? '\r' : '\\';
    }
    *out = '\0';
    return true;
}

/* "SHA256 (NAME) = HEX", with or without the spaces; the last bracket counts. */
static bool parse_tagged(char *s, struct line *l)
{
    const size_t n = strcspn(s, " (");
    char *const open = s + n + (s[n] == ' '), *const end = strrchr(s, ')');
    const struct algorithm *const algorithm = algorithm_named(s, n);
    if (!algorithm || *open != '(' || !end || end < open)
        return false;
    char *hex = end + 1 + strspn(end + 1, " ");
    if (*hex++ != '=')
        return false;
    *end = '\0';
    *l = (struct line){algorithm, hex + strspn(hex, " "), open + 1};
    return true;
}

/* "HEX  NAME", "HEX *NAME", "HEX NAME" (BSD's reverse form; also with a tab), "HEX". */
static bool parse_plain(char *s, struct line *l)
{
    const size_t n = strspn(s, "0123456789abcdefABCDEF");
    l->hex = s;
    if (!s[n])
        return n > 0;
    if (s[n] != ' ' && s[n] != '\t')
        return false;
    s[n] = '\0';
    l->name = s + n + 1 + (s[n + 1] == ' ' || s[n + 1] == '*');
    return true;
}

/* `l->algorithm` is that of the list, unless the line names its own. */
static bool parse_line(char *s, struct line *l)
{
    const bool escaped = s[0] == '\\';
    s += escaped;
    if (!parse_tagged(s, l) && !parse_plain(s, l))
        return false;
    for (char *c = l->hex; *c; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
    return !escaped || (l->name && unescape(l->name));
}

/* ---- claims ---- */

/* The name within the place, of what a list calls `name`; NULL where that is outside of its folder.
 */
static const char *listed_name(struct verification *v, const char *list, const char *name)
{
    const char *const slash = strrchr(list, '/');
    while (name[0] == '.' && name[1] == '/')
        name += 2;
    if (!claim_name_stays(name))
        return NULL;
    return slash ? arena_printf(&v->arena, "%.*s/%s", (int)(slash - list), list, name)
                 : arena_strdup(&v->arena, name);
}

static lq_status add_line(struct verification *v, const char *list,
                          const struct algorithm *algorithm, size_t stem, char *text,
                          unsigned number, lq_error *err)
{
    struct line l = {.algorithm = algorithm};
    bool parsed = parse_line(text, &l);
    if (parsed && l.algorithm->trait == BY_LENGTH)
        parsed = (l.algorithm = algorithm_of_length(strlen(l.hex))) != NULL;
    if (!parsed || !claim_is_hex(l.hex, l.algorithm->digits))
        return verify_note(v, list, VERIFY_BAD, NULL, err, "line %u is no checksum", number);
    const char *const about = l.name ? listed_name(v, list, l.name)
                              : stem ? arena_strndup(&v->arena, list, stem)
                                     : NULL;
    if (!about)
        return verify_note(v, list, VERIFY_BAD, NULL, err,
                           "line %u names a file outside of the folder, or none", number);
    if (strcmp(about, list) == 0)
        return LQ_OK; /* it was being written when the line was made, and cannot hold its own digest */
    if (l.algorithm->trait == CHECKED)
        return verify_claim(v, about, l.algorithm->claim, l.hex, CLAIM_NO_SIZE, list, NULL, err);
    LQ_TRY(verify_note(v, about, VERIFY_NOT_CHECKED, list, err,
                       l.algorithm->trait == WEAK
                           ? "%s digests prove nothing: other files with the "
                             "same one can be made"
                           : "%s digests are not checked here",
                       l.algorithm->name));
    v->items[v->n - 1].aside = true;
    return LQ_OK;
}

static lq_status add_lines(struct verification *v, const char *list,
                           const struct algorithm *algorithm, size_t stem, char *data,
                           lq_error *err)
{
    const size_t first = v->n;
    unsigned number = 0;
    data += text_starts_with(data, "\xef\xbb\xbf") ? 3 : 0; /* a byte order mark */
    for (char *line; (line = strsep(&data, "\n")) != NULL;) {
        size_t n = strlen(line);
        number++;
        if (n && line[n - 1] == '\r')
            line[--n] = '\0';
        line += strspn(line, " \t");
        if (*line && *line != '#')
            LQ_TRY(add_line(v, list, algorithm, stem, line, number, err));
    }
    if (v->n == first)
        return verify_note(v, list, VERIFY_BAD, NULL, err, "lists nothing");
    LQ_TRY(verify_refuse_twice(v, first, list, err));
    return verify_note(v, list, VERIFY_CLAIMS, NULL, err, "checksums");
}

lq_status claims_sums(struct verification *v, const struct list_file *f, bool *taken, lq_error *err)
{
    size_t stem, len;
    const struct algorithm *const algorithm = list_algorithm(f->name, &stem);
    struct source *s = NULL;
    char *data = NULL;
    lq_error why = {0};
    *taken = algorithm != NULL;
    if (!algorithm)
        return LQ_OK;
    lq_status status = source_open_file(&s, f->path, &why);
    if (status == LQ_OK && s->size > MAX_SUMS)
        status = lq_fail(&why, LQ_E_FORMAT, "is larger than such a list may be");
    if (status == LQ_OK)
        status = source_read_all(s, MAX_SUMS, &data, &len, &why);
    source_close(s);
    if (status == LQ_OK && strlen(data) != len)
        status = lq_fail(&why, LQ_E_FORMAT, "holds a NUL: it is no text");
    if (status == LQ_E_MEMORY)
        status = lq_fail_memory(err);
    else if (status != LQ_OK)
        status = verify_note(v, f->name, VERIFY_BAD, NULL, err, "%s", why.message);
    else
        status = add_lines(v, f->name, algorithm, stem, data, err);
    free(data);
    return status;
}
