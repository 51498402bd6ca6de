/* statement_files.c -- licence texts, notices, use policies and the headers of code, found by the
 * names of files. */
#include "libquant/license/statement.h"

#include "libquant/base/text.h"

#include <stdlib.h>
#include <string.h>

enum {
    TEXT_LIMIT = 2 << 20,   /* no licence has a twentieth of it; lists of third-party notices may */
    TEXTS_LIMIT = 16 << 20, /* of all together */
    HEADER_BYTES = 8192,
    FILES_LIMIT = 256,
    IDS_LIMIT = 1024
};

/* Beginnings of names, in any case. */
static const struct {
    const char *prefix;
    enum statement_kind kind;
} name_kinds[] = {
    {"license",        STATEMENT_TEXT  },
    {"licence",        STATEMENT_TEXT  },
    {"copying",        STATEMENT_TEXT  },
    {"unlicense",      STATEMENT_TEXT  },
    {"notice",         STATEMENT_NOTICE},
    {"use_policy",     STATEMENT_POLICY},
    {"use-policy",     STATEMENT_POLICY},
    {"acceptable_use", STATEMENT_POLICY},
    {"acceptable-use", STATEMENT_POLICY},
    {"prohibited_use", STATEMENT_POLICY},
    {"prohibited-use", STATEMENT_POLICY},
};

static const char *const code_suffixes[] = {".py", ".c",  ".h",  ".cc", ".cpp", ".cu",
                                            ".js", ".ts", ".sh", ".rs", ".go",  ".java"};

struct listing {
    struct license_facts *f;
    struct resolver *files;
    const char *folder; /* "" or "LICENSES" */
    size_t n;
    uint64_t bytes; /* of the texts that were read */
    lq_status status;
    lq_error *err;
};

/* ---- texts ---- */

static bool is_plain_text(const char *s, size_t n)
{
    size_t odd = 0;
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)s[i];
        if (!c)
            return false;
        odd += c < 32 && c != '\n' && c != '\r' && c != '\t' && c != '\f';
    }
    return odd <= n / 100;
}

/* "GPL-2.0 GPL-2.0-only GPL-2.0-or-later" as an expression: what the list still knows, with OR;
 * each with the exception (NULL: none). */
static const char *group_expression(struct arena *a, const char *ids, const char *exception)
{
    struct text t = {0};
    for (const char *s = ids; *s && t.len < IDS_LIMIT;) {
        const size_t n = strcspn(s, " ");
        const struct spdx_license *const l = spdx_license_find(s, n);
        if (!l || !l->deprecated)
            text_printf(&t, "%s%.*s%s%s", t.len ? " OR " : "", (int)n, s, exception ? " WITH " : "",
                        exception ? exception : "");
        s += n + (s[n] == ' ');
    }
    const char *const out = t.failed || !t.len ? NULL : arena_strndup(a, t.data, t.len);
    text_free(&t);
    return out;
}

/* Texts that are what their licence says, each with AND. An exception belongs to the one licence
 * beside it: of several licences or exceptions it is not told which belong together, and they are
 * left out (LIC-EXCEPTION). */
static void set_meaning(struct license_facts *f, struct statement *s)
{
    const char *exception = NULL;
    struct text t = {0};
    size_t licenses = 0, exceptions = 0;
    for (size_t i = 0; i < s->text.n; i++) {
        const struct text_finding *const found = &s->text.found[i];
        const char *const one = spdx_exception_of_text(found->ids);
        if (found->how == TEXT_SIMILAR || found->how == TEXT_MODIFIED)
            return;
        licenses += !one && found->how != TEXT_NOTICE;
        exceptions += one != NULL;
        exception = one ? one : exception;
    }
    s->loose_exception = exceptions && (exceptions > 1 || licenses != 1);
    exception = s->loose_exception ? NULL : exception;
    for (size_t i = 0; i < s->text.n; i++) {
        const struct text_finding *const found = &s->text.found[i];
        if (found->how == TEXT_NOTICE || spdx_exception_of_text(found->ids))
            continue;
        const char *const one = group_expression(&f->arena, found->ids, exception);
        if (one)
            text_printf(&t, "%s(%s)", t.len ? " AND " : "", one);
    }
    if (t.len && !t.failed)
        s->means = license_written(&f->arena, t.data);
    text_free(&t);
}

/* Notices are compared word by word across lines: so as one line, behind a word. */
static void keep_words(struct text *words, const char *data, size_t len)
{
    struct text flat = {0};
    struct words w = {0};
    text_puts(&flat, "notice ");
    for (size_t i = 0; i < len; i++)
        text_putc(&flat, data[i] == '\n' || data[i] == '\r' ? ' ' : data[i]);
    if (!flat.failed && words_read(&w, flat.data, flat.len, NULL) == LQ_OK)
        text_put(words, w.stream.data, w.stream.len);
    else
        words->failed = true;
    words_release(&w);
    text_free(&flat);
}

lq_status statement_read_text(struct license_facts *f, struct source *source,
                              enum statement_kind kind, const char *file, lq_error *err)
{
    char *data = NULL;
    size_t len = 0;
    struct statement *const s = statement_add(f, kind, file, NULL);
    if (!s)
        return lq_fail_memory(err);
    if (source->size > TEXT_LIMIT) {
        s->problem = "larger than 2 MiB: no licence text is, and it was not read";
        return LQ_OK;
    }
    lq_error why = {0};
    lq_status status = source_read_all(source, TEXT_LIMIT, &data, &len, &why);
    if (status == LQ_E_MEMORY)
        return lq_fail_memory(err);
    if (status != LQ_OK) {
        s->problem = arena_strdup(&f->arena, why.message);
        return s->problem ? LQ_OK : lq_fail_memory(err);
    }
    if (!is_plain_text(data, len)) {
        s->problem = "not plain text";
    } else {
        status = license_identify(&s->text, data, len, err);
        if (status == LQ_OK && kind == STATEMENT_TEXT)
            set_meaning(f, s);
        if (kind == STATEMENT_NOTICE)
            keep_words(&f->notices, data, len);
    }
    free(data);
    return f->notices.failed ? lq_fail_memory(err) : status;
}

/* ---- headers of code ---- */

static void put_claim(struct text *t, const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    size_t n = 0;
    while (at + n < end && at[n] != '\n' && at[n] != '\r' && n < 256)
        n++;
    static const char *const tails[] = {"*/", "-->", "\"", "'"};
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        const char *const tail = memmem(at, n, tails[i], strlen(tails[i]));
        n = tail ? (size_t)(tail - at) : n;
    }
    while (n && (at[n - 1] == ' ' || at[n - 1] == '\t'))
        n--;
    text_put(t, at, n);
}

static lq_status read_header(struct license_facts *f, struct source *source, const char *file,
                             lq_error *err)
{
    static const char tag[] = "SPDX-License-Identifier:";
    char head[HEADER_BYTES];
    const size_t n = source->size < sizeof head ? (size_t)source->size : sizeof head;
    if (source_read(source, head, n, 0, NULL) != LQ_OK)
        return LQ_OK;
    const char *const at = memmem(head, n, tag, sizeof tag - 1);
    if (!at)
        return LQ_OK;
    struct statement *const s = statement_add(f, STATEMENT_HEADER, file, "SPDX-License-Identifier");
    struct text claim = {0};
    if (!s)
        return lq_fail_memory(err);
    s->line = 1;
    for (const char *c = head; c < at; c++)
        s->line += *c == '\n';
    put_claim(&claim, at + sizeof tag - 1, head + n);
    const char *const one = claim.len ? claim.data : "";
    const bool ok = !claim.failed && statement_claim(f, s, &one, 1);
    text_free(&claim);
    return ok ? LQ_OK : lq_fail_memory(err);
}

/* ---- names ---- */

static bool kind_of_name(const char *name, bool licenses_folder, enum statement_kind *kind)
{
    for (size_t i = 0; i < sizeof name_kinds / sizeof name_kinds[0]; i++)
        if (ascii_ncasecmp(name, name_kinds[i].prefix, strlen(name_kinds[i].prefix)) == 0) {
            *kind = name_kinds[i].kind;
            return !text_ends_with(name, ".py") && !text_ends_with(name, ".json");
        }
    *kind = STATEMENT_TEXT;
    return licenses_folder && text_ends_with(name, ".txt");
}

static bool is_code(const char *name)
{
    for (size_t i = 0; i < sizeof code_suffixes / sizeof code_suffixes[0]; i++)
        if (text_ends_with(name, code_suffixes[i]))
            return true;
    return false;
}

static void look_at(void *ctx, const char *name)
{
    struct listing *const l = ctx;
    enum statement_kind kind;
    const bool text = kind_of_name(name, *l->folder != '\0', &kind);
    if (l->status != LQ_OK || (!text && !is_code(name)) || l->n++ >= FILES_LIMIT)
        return;
    struct text path = {0};
    struct source *source = NULL;
    lq_error why = {0};
    text_printf(&path, "%s%s%s", l->folder, *l->folder ? "/" : "", name);
    lq_status opened =
        path.failed ? LQ_E_MEMORY : l->files->open(l->files, path.data, &source, &why);
    if (opened == LQ_OK && text && source->size <= TEXT_LIMIT &&
        (l->bytes += source->size) > TEXTS_LIMIT)
        opened = lq_fail(&why, LQ_E_UNSUPPORTED, "the texts before it are 16 MiB already");
    if (path.failed) {
        l->status = lq_fail_memory(l->err);
    } else if (opened != LQ_OK) {
        struct statement *const s = text ? statement_add(l->f, kind, path.data, NULL) : NULL;
        if (s)
            s->problem = arena_strdup(&l->f->arena, why.message);
        if (text && (!s || !s->problem))
            l->status = lq_fail_memory(l->err);
    } else {
        l->status = text ? statement_read_text(l->f, source, kind, path.data, l->err)
                         : read_header(l->f, source, path.data, l->err);
    }
    source_close(source);
    text_free(&path);
}

lq_status statement_read_files(struct license_facts *f, struct resolver *files, lq_error *err)
{
    struct listing l = {.f = f, .files = files, .folder = "", .err = err};
    const lq_status status = files->list(files, "", look_at, &l, err);
    if (status == LQ_E_MEMORY || l.status != LQ_OK)
        return status == LQ_E_MEMORY ? status : l.status;
    l.folder = "LICENSES"; /* the REUSE layout; most models have none */
    return files->list(files, l.folder, look_at, &l, NULL) == LQ_E_MEMORY ? lq_fail_memory(err)
                                                                          : l.status;
}
