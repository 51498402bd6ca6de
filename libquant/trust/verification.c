/* verification.c -- items: adding, checking, judging. */
#include "libquant/trust/verification.h"

#include "libquant/base/hash.h"
#include "libquant/base/json.h"
#include "libquant/base/source.h"
#include "libquant/base/threads.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PIECE = 128 * 1024 };

static const struct {
    const char *name;
    size_t digits;
} algorithms[CLAIM_ALGORITHMS] = {
    [CLAIM_NONE] = {"none", 0},
    [CLAIM_SHA256] = {"sha256", 64},
    [CLAIM_SHA512] = {"sha512", 128},
    [CLAIM_GIT_SHA1] = {"git-sha1", 40},
};

const char *claim_algorithm_name(enum claim_algorithm a)
{
    return algorithms[a].name;
}

bool claim_is_hex(const char *s, size_t n)
{
    return strlen(s) == n && strspn(s, "0123456789abcdef") == n;
}

/* ---- adding ---- */

const char *verify_path(struct verification *v, const char *name)
{
    return arena_printf(&v->arena, "%s/%s", v->root, name);
}

bool verify_is_folder(struct verification *v, const char *name)
{
    const char *const path = verify_path(v, name);
    return path && path_is_folder(path);
}

static struct verify_item *add(struct verification *v, const char *name, const char *source,
                               lq_error *err)
{
    if (!mem_grow((void **)&v->items, &v->cap, v->n, sizeof *v->items)) {
        lq_fail_memory(err);
        return NULL;
    }
    struct verify_item *const i = &v->items[v->n];
    *i = (struct verify_item){.name = arena_strdup(&v->arena, name), .size = CLAIM_NO_SIZE,
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
    return LQ_OK;
}

struct verify_item *verify_find(const struct verification *v, const char *name,
                                enum verify_state state)
{
    for (size_t i = 0; i < v->n; i++)
        if (v->items[i].state == state && strcmp(v->items[i].name, name) == 0)
            return &v->items[i];
    return NULL;
}

bool verify_knows(const struct verification *v, const char *name)
{
    for (size_t i = 0; i < v->n; i++)
        if (strcmp(v->items[i].name, name) == 0)
            return true;
    return false;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

lq_status verify_entries(struct verification *v, const char *folder,
                         lq_status (*each)(struct verification *v, const char *folder,
                                           const char *entry, lq_error *err),
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
        char *const copy = mem_grow((void **)&names, &cap, n, sizeof *names) ? strdup(e->d_name) : NULL;
        if (copy)
            names[n++] = copy;
        else
            status = lq_fail_memory(err);
    }
    closedir(dir);
    if (n)
        qsort(names, n, sizeof *names, by_bytes);
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
    return status == LQ_OK ? LQ_OK
                           : verify_note(v, name, VERIFY_BAD, NULL, err, "%s", why.message);
}

/* ---- checking ---- */

/* All claims about one file, behind links. */
struct group {
    struct verify_item *const *items;
    size_t n;
};

struct checking {
    const struct progress *progress;
    struct arena *arena;
    /* what threads share */
    pthread_mutex_t lock;
    uint64_t done, total;
    lq_status status; /* of the first failure that ends the run */
    lq_error err;
};

static int by_real(const void *a, const void *b)
{
    const struct verify_item *const x = *(struct verify_item *const *)a;
    const struct verify_item *const y = *(struct verify_item *const *)b;
    return strcmp(x->real, y->real);
}

static int by_name(const void *a, const void *b)
{
    const struct verify_item *const x = a, *const y = b;
    const int order = strcmp(x->name, y->name);
    return order ? order : strcmp(x->source ? x->source : "", y->source ? y->source : "");
}

static EVP_MD_CTX *begin(enum claim_algorithm a, uint64_t size)
{
    const EVP_MD *const md = a == CLAIM_SHA256   ? EVP_sha256()
                             : a == CLAIM_SHA512 ? EVP_sha512()
                                                 : EVP_sha1();
    EVP_MD_CTX *const ctx = EVP_MD_CTX_new();
    char head[32];
    const int n = snprintf(head, sizeof head, "blob %llu", (unsigned long long)size) + 1;
    if (ctx && EVP_DigestInit_ex(ctx, md, NULL) == 1 &&
        (a != CLAIM_GIT_SHA1 || EVP_DigestUpdate(ctx, head, (size_t)n) == 1))
        return ctx;
    EVP_MD_CTX_free(ctx);
    return NULL;
}

/* False: stop. */
static bool report(struct checking *c, const struct verify_item *i, uint64_t n)
{
    bool go_on;
    pthread_mutex_lock(&c->lock);
    c->done += n;
    progress_step(c->progress, c->done, c->total, i->name);
    go_on = c->status == LQ_OK && !progress_stop(c->progress);
    pthread_mutex_unlock(&c->lock);
    return go_on;
}

static lq_status update_all(struct checking *c, const struct verify_item *i, struct source *s,
                            EVP_MD_CTX **ctx, lq_error *err)
{
    void *const piece = malloc(PIECE);
    lq_status status = piece ? LQ_OK : lq_fail_memory(err);
    for (uint64_t at = 0; at < s->size && status == LQ_OK;) {
        const uint64_t left = s->size - at;
        const size_t n = left < PIECE ? (size_t)left : PIECE;
        status = source_read(s, piece, n, at, err);
        for (int a = 1; a < CLAIM_ALGORITHMS && status == LQ_OK; a++)
            if (ctx[a])
                EVP_DigestUpdate(ctx[a], piece, n);
        at += n;
        if (!report(c, i, n))
            status = lq_fail(err, LQ_E_INTERRUPTED, "interrupted");
    }
    free(piece);
    return status;
}

/* Digests of all algorithms that the group asks for. */
static lq_status hash_group(struct checking *c, const struct group *g, uint64_t *size,
                            char (*hex)[129], lq_error *err)
{
    EVP_MD_CTX *ctx[CLAIM_ALGORITHMS] = {0};
    struct source *s;
    LQ_TRY(source_open_file(&s, g->items[0]->real, err));
    lq_status status = LQ_OK;
    *size = s->size;
    for (size_t i = 0; i < g->n && status == LQ_OK; i++) {
        const enum claim_algorithm a = g->items[i]->algorithm;
        if (!ctx[a] && !(ctx[a] = begin(a, s->size)))
            status = lq_fail_memory(err);
    }
    if (status == LQ_OK)
        status = update_all(c, g->items[0], s, ctx, err);
    for (int a = 1; a < CLAIM_ALGORITHMS; a++) {
        uint8_t digest[EVP_MAX_MD_SIZE];
        unsigned n = 0;
        if (ctx[a] && status == LQ_OK && EVP_DigestFinal_ex(ctx[a], digest, &n) == 1)
            hex_of(hex[a], digest, n);
        EVP_MD_CTX_free(ctx[a]);
    }
    source_close(s);
    return status;
}

static void judge(struct checking *c, struct verify_item *i, uint64_t size, const char *found)
{
    const bool same = strcmp(found, i->expected) == 0;
    char text[80];
    i->state = same ? VERIFY_OK : VERIFY_CHANGED;
    if (i->size != CLAIM_NO_SIZE && i->size != size) {
        snprintf(text, sizeof text, "has %llu bytes instead of %llu", (unsigned long long)size,
                 (unsigned long long)i->size);
        i->state = VERIFY_CHANGED;
        i->why = arena_strdup(c->arena, text);
    }
    i->size = size;
    if (!same)
        i->found = arena_strdup(c->arena, found);
}

static void check_group(struct checking *c, const struct group *g)
{
    char hex[CLAIM_ALGORITHMS][129] = {{0}};
    uint64_t size = 0;
    lq_error err = {0};
    const lq_status status = hash_group(c, g, &size, hex, &err);
    pthread_mutex_lock(&c->lock);
    if (status == LQ_OK) {
        for (size_t i = 0; i < g->n; i++)
            judge(c, g->items[i], size, hex[g->items[i]->algorithm]);
    } else if (status == LQ_E_FORMAT) { /* no regular file */
        for (size_t i = 0; i < g->n; i++) {
            g->items[i]->state = VERIFY_BAD;
            g->items[i]->why = arena_strdup(c->arena, err.message);
        }
    } else if (c->status == LQ_OK) {
        c->status = status;
        c->err = err;
    }
    pthread_mutex_unlock(&c->lock);
}

static uint64_t size_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}

lq_status verify_check(struct verification *v, unsigned threads, const struct progress *progress,
                       lq_error *err)
{
    struct checking c = {
        .progress = progress, .arena = &v->arena, .lock = PTHREAD_MUTEX_INITIALIZER};
    struct verify_item **const pending = mem_calloc(v->n + 1, sizeof(struct verify_item *));
    struct group *const groups = mem_calloc(v->n + 1, sizeof *groups);
    size_t n = 0, n_groups = 0;
    if (!pending || !groups)
        c.status = lq_fail_memory(&c.err);
    for (size_t i = 0; i < v->n && c.status == LQ_OK; i++)
        if (v->items[i].state == VERIFY_PENDING)
            pending[n++] = &v->items[i];
    if (n)
        qsort(pending, n, sizeof *pending, by_real);
    for (size_t i = 0; i < n; i++) {
        if (i && strcmp(pending[i - 1]->real, pending[i]->real) == 0) {
            groups[n_groups - 1].n++;
            continue;
        }
        groups[n_groups++] = (struct group){&pending[i], 1};
        c.total += size_of(pending[i]->real);
    }
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads_resolve(threads))
    for (size_t i = 0; i < n_groups; i++)
        check_group(&c, &groups[i]);
    free(pending);
    free(groups);
    if (v->n)
        qsort(v->items, v->n, sizeof *v->items, by_name);
    if (c.status != LQ_OK && err)
        *err = c.err;
    return c.status;
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
