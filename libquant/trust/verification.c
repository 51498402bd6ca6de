/* verification.c -- items: adding, finding, judging. */
#include "libquant/trust/verification.h"

#include "libquant/base/json.h"
#include "libquant/base/source.h"
#include "libquant/base/text.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    size_t digits;
} algorithms[CLAIM_ALGORITHMS] = {
    [CLAIM_NONE] = {"none",     0  },
    [CLAIM_SHA256] = {"sha256",   64 },
    [CLAIM_SHA512] = {"sha512",   128},
    [CLAIM_GIT_SHA1] = {"git-sha1", 40 },
};

const char *claim_algorithm_name(enum claim_algorithm a)
{
    return algorithms[a].name;
}

bool claim_is_hex(const char *s, size_t n)
{
    return strlen(s) == n && strspn(s, "0123456789abcdef") == n;
}

bool claim_name_stays(const char *name)
{
    if (!*name || *name == '/')
        return false;
    for (const char *p = name;;) {
        const size_t n = strcspn(p, "/");
        if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
            return false;
        p += n;
        if (!*p++)
            return true;
    }
}

/* ---- adding ---- */

const char *verify_join(struct verification *v, const char *folder, const char *entry)
{
    return *folder ? arena_printf(&v->arena, "%s/%s", folder, entry)
                   : arena_strdup(&v->arena, entry);
}

const char *verify_path(struct verification *v, const char *name)
{
    return arena_printf(&v->arena, "%s/%s", v->root, name);
}

lq_status verify_look(struct verification *v, const char *folder, const char *entry,
                      const char **name, const char **path, struct stat *st, lq_error *err)
{
    *name = verify_join(v, folder, entry);
    *path = *name ? verify_path(v, *name) : NULL;
    if (!*path)
        return lq_fail_memory(err);
    return lstat(*path, st) == 0 ? LQ_OK : lq_fail_errno(err, *path, "cannot look at");
}

bool verify_is_folder(struct verification *v, const char *name)
{
    const char *const path = verify_path(v, name);
    struct stat st;
    return path && lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static struct verify_item *add(struct verification *v, const char *name, const char *source,
                               lq_error *err)
{
    if (!mem_grow((void **)&v->items, &v->cap, v->n, sizeof *v->items)) {
        lq_fail_memory(err);
        return NULL;
    }
    struct verify_item *const i = &v->items[v->n];
    *i = (struct verify_item){.name = arena_strdup(&v->arena, name),
                              .size = CLAIM_NO_SIZE,
                              .source = source ? arena_strdup(&v->arena, source) : NULL};
    if (!i->name || (source && !i->source)) {
        lq_fail_memory(err);
        return NULL;
    }
    v->n++;
    return i;
}

lq_status verify_note(struct verification *v, const char *name, enum verify_state state,
                      const char *source, lq_error *err, const char *why, ...)
{
    char text[512];
    va_list args;
    struct verify_item *const i = add(v, name, source, err);
    if (!i)
        return LQ_E_MEMORY;
    va_start(args, why);
    vsnprintf(text, sizeof text, why, args);
    va_end(args);
    i->state = state;
    i->why = arena_strdup(&v->arena, text);
    return i->why ? LQ_OK : lq_fail_memory(err);
}

/* Both canonical; "" and "/" are the root of all. */
static bool lies_in(const char *real, const char *folder)
{
    const size_t n = folder ? strlen(folder) : 0;
    return folder && strncmp(real, folder, n) == 0 &&
           (real[n] == '/' || (n && folder[n - 1] == '/'));
}

lq_status verify_claim(struct verification *v, const char *name, enum claim_algorithm algorithm,
                       const char *expected, uint64_t size, const char *source, const char *time,
                       lq_error *err)
{
    if (!claim_is_hex(expected, algorithms[algorithm].digits))
        return verify_note(v, name, VERIFY_BAD, source, err, "what is claimed is no %s digest",
                           algorithms[algorithm].name);
    struct verify_item *const i = add(v, name, source, err);
    if (!i)
        return LQ_E_MEMORY;
    i->algorithm = algorithm;
    i->size = size;
    i->expected = arena_strdup(&v->arena, expected);
    i->time = time ? arena_strdup(&v->arena, time) : NULL;
    i->path = verify_path(v, name);
    if (!i->expected || !i->path || (time && !i->time))
        return lq_fail_memory(err);
    char *const real = realpath(i->path, NULL);
    i->real = real ? arena_strdup(&v->arena, real) : NULL;
    free(real);
    i->state = i->real ? VERIFY_PENDING : VERIFY_MISSING;
    const bool named = v->only && strcmp(v->only, name) == 0; /* by the user, who may name a link */
    if (i->real && v->contained && !named && !lies_in(i->real, v->root) &&
        !lies_in(i->real, v->shared)) {
        i->state = VERIFY_BAD;
        i->real = NULL;
        i->why = "lies elsewhere, behind a symbolic link that leads out";
    }
    return LQ_OK;
}

/* ---- finding ---- */

/* Claims of one list about one file lie side by side. */
static int by_name(const void *a, const void *b)
{
    const struct verify_item *const x = a, *const y = b;
    int order = strcmp(x->name, y->name);
    if (!order)
        order = strcmp(x->source ? x->source : "", y->source ? y->source : "");
    if (!order)
        order = (int)x->algorithm - (int)y->algorithm;
    if (!order)
        order = (int)x->state - (int)y->state;
    return order ? order
                 : strcmp(x->expected ? x->expected
                          : x->why    ? x->why
                                      : "",
                          y->expected ? y->expected
                          : y->why    ? y->why
                                      : "");
}

void verify_sort(struct verification *v)
{
    if (v->n)
        qsort(v->items, v->n, sizeof *v->items, by_name);
    v->n_sorted = v->n;
}

/* The first item of that name; the number of sorted ones where there is none. */
static size_t first_of(const struct verification *v, const char *name)
{
    size_t low = 0, high = v->n_sorted;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (strcmp(v->items[mid].name, name) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low < v->n_sorted && strcmp(v->items[low].name, name) == 0 ? low : v->n_sorted;
}

struct verify_item *verify_find(const struct verification *v, const char *name,
                                enum verify_state state)
{
    for (size_t i = first_of(v, name); i < v->n_sorted && strcmp(v->items[i].name, name) == 0; i++)
        if (v->items[i].state == state)
            return &v->items[i];
    return NULL;
}

bool verify_knows(const struct verification *v, const char *name)
{
    return first_of(v, name) < v->n_sorted;
}

lq_status verify_refuse_twice(struct verification *v, size_t first, const char *list, lq_error *err)
{
    const size_t n = v->n;
    if (n - first < 2)
        return LQ_OK;
    qsort(v->items + first, n - first, sizeof *v->items, by_name);
    for (size_t i = first + 1; i < n; i++) {
        const struct verify_item *const a = &v->items[i - 1], *const b = &v->items[i];
        if (strcmp(a->name, b->name) == 0 && a->algorithm == b->algorithm && a->expected &&
            b->expected)
            LQ_TRY(verify_note(v, list, VERIFY_BAD, NULL, err, "names %.200s twice%s", a->name,
                               strcmp(a->expected, b->expected) == 0
                                   ? ""
                                   : ", with digests that contradict each other"));
    }
    return LQ_OK;
}

/* ---- strays ---- */

struct strays {
    bool (*is_note)(const char *name, uint64_t size);
    const char **reals; /* what claims are about, sorted */
    size_t n_reals;
};

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A claim may reach a file under another name: through links, in a store that is shared. */
static bool is_claimed(const struct strays *s, const char *path)
{
    char *const real = realpath(path, NULL);
    const char *const key = real;
    const bool found =
        real && s->n_reals && bsearch(&key, s->reals, s->n_reals, sizeof *s->reals, by_text);
    free(real);
    return found;
}

static lq_status see_stray(struct verification *v, const char *folder, const char *entry,
                           lq_error *err)
{
    const char *name, *path;
    struct stat st;
    LQ_TRY(verify_look(v, folder, entry, &name, &path, &st, err));
    if (verify_knows(v, name))
        return LQ_OK;
    if (S_ISDIR(st.st_mode))
        return verify_entries(v, name, see_stray, err);
    if (S_ISLNK(st.st_mode))
        return verify_note(v, name, VERIFY_UNVOUCHED, NULL, err, "a link that no claim is about");
    if (!S_ISREG(st.st_mode))
        return verify_note(v, name, VERIFY_BAD, NULL, err, "is neither a file nor a folder");
    if (v->strays->is_note(name, (uint64_t)st.st_size) || is_claimed(v->strays, path))
        return LQ_OK;
    return verify_note(v, name, VERIFY_UNVOUCHED, NULL, err, "nothing vouches for it");
}

lq_status verify_strays(struct verification *v, const char *folder,
                        bool (*is_note)(const char *name, uint64_t size), lq_error *err)
{
    struct strays s = {.is_note = is_note};
    s.reals = mem_calloc(v->n + 1, sizeof(const char *));
    if (!s.reals)
        return lq_fail_memory(err);
    for (size_t i = 0; i < v->n; i++)
        if (v->items[i].real)
            s.reals[s.n_reals++] = v->items[i].real;
    if (s.n_reals)
        qsort(s.reals, s.n_reals, sizeof *s.reals, by_text);
    v->strays = &s;
    const lq_status status = verify_entries(v, folder, see_stray, err);
    v->strays = NULL;
    free(s.reals);
    return status;
}

/* ---- folders ---- */

lq_status verify_entries(struct verification *v, const char *folder, verify_see *each,
                         lq_error *err)
{
    const char *const path = *folder ? verify_path(v, folder) : v->root;
    DIR *const dir = path ? opendir(path) : NULL;
    char **names = NULL;
    size_t n = 0, cap = 0;
    lq_status status = path ? LQ_OK : lq_fail_memory(err);
    if (!dir)
        return status != LQ_OK || errno == ENOENT || errno == ENOTDIR
                   ? status
                   : lq_fail_errno(err, path, "cannot list");
    for (const struct dirent *e; status == LQ_OK && (e = readdir(dir));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        char *const copy =
            mem_grow((void **)&names, &cap, n, sizeof *names) ? strdup(e->d_name) : NULL;
        if (copy)
            names[n++] = copy;
        else
            status = lq_fail_memory(err);
    }
    closedir(dir);
    if (n)
        qsort(names, n, sizeof *names, by_text);
    for (size_t i = 0; i < n; i++) {
        if (status == LQ_OK)
            status = each(v, folder, names[i], err);
        free(names[i]);
    }
    free(names);
    return status;
}

lq_status verify_json(struct verification *v, const char *name, uint64_t limit, cJSON **out,
                      lq_error *err)
{
    const char *const path = verify_path(v, name);
    struct source *s = NULL;
    lq_error why;
    *out = NULL;
    if (!path)
        return lq_fail_memory(err);
    lq_status status = source_open_file(&s, path, &why);
    if (status == LQ_OK && s->size > limit)
        status = lq_fail(&why, LQ_E_FORMAT, "is larger than such a file may be");
    if (status == LQ_OK)
        status = json_document(out, s, &why);
    source_close(s);
    if (status == LQ_E_MEMORY)
        return lq_fail_memory(err);
    return status == LQ_OK ? LQ_OK : verify_note(v, name, VERIFY_BAD, NULL, err, "%s", why.message);
}

/* ---- judging ---- */

size_t verify_count(const struct verification *v, enum verify_state state)
{
    size_t n = 0;
    for (size_t i = 0; i < v->n; i++)
        n += v->items[i].state == state;
    return n;
}

lq_status verify_verdict(const struct verification *v)
{
    if (verify_count(v, VERIFY_CHANGED) || verify_count(v, VERIFY_MISSING) ||
        verify_count(v, VERIFY_BAD))
        return LQ_E_VERIFY;
    if (verify_count(v, VERIFY_UNVOUCHED) || !verify_count(v, VERIFY_OK))
        return verify_count(v, VERIFY_NOT_CHECKED) ? LQ_E_UNSUPPORTED : LQ_E_VERIFY;
    for (size_t i = 0; i < v->n; i++)
        if (v->items[i].state == VERIFY_NOT_CHECKED && !v->items[i].aside)
            return LQ_E_UNSUPPORTED;
    return LQ_OK;
}

void verification_release(struct verification *v)
{
    free(v->items);
    arena_free(&v->arena);
    *v = (struct verification){0};
}
