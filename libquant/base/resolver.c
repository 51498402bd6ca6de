/* resolver.c -- the files of a model that is a folder, and nothing outside it. */
#include "libquant/base/memory.h"
#include "libquant/base/source.h"
#include "libquant/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
    struct resolver base;
    char *path;  /* as given */
    char *real;  /* canonical */
    /* In a Hugging Face cache, the canonical places outside that links may lead to; else NULL. */
    char *blobs, *shared_blobs;
    char **opened; /* names, each once */
    size_t n_opened, cap_opened;
};

/* PATH/NAME with all links followed, or NULL. */
static char *real_child(const char *path, const char *name)
{
    struct text t = {0};
    text_printf(&t, "%s/%s", path, name);
    char *const real = t.failed ? NULL : realpath(t.data, NULL);
    text_free(&t);
    return real;
}

/* CACHE/models--org--name/snapshots/REV: the links of a snapshot lead to the entry's own blobs, or
 * on to the store that all entries of the cache share, which a marker file tells from a folder that
 * merely has the name. False: out of memory. */
static bool find_blobs(struct folder *f)
{
    char *const path = strdup(f->real);
    if (!path)
        return false;
    char *const revision = strrchr(path, '/');
    if (revision)
        *revision = '\0';
    char *const snapshots = revision ? strrchr(path, '/') : NULL;
    if (snapshots && strcmp(snapshots, "/snapshots") == 0) {
        *snapshots = '\0';
        char *const entry = strrchr(path, '/');
        if (entry && (text_starts_with(entry, "/models--") || text_starts_with(entry, "/datasets--"))) {
            f->blobs = real_child(path, "blobs");
            *entry = '\0';
            char *const marker = real_child(path, "blobs/.huggingface-shared-blobs");
            if (marker)
                f->shared_blobs = real_child(path, "blobs");
            free(marker);
        }
    }
    free(path);
    return true;
}

static bool inside(const char *path, const char *folder)
{
    const size_t n = folder ? strlen(folder) : 0;
    return n && strncmp(path, folder, n) == 0 && (path[n] == '/' || strcmp(folder, "/") == 0);
}

bool resolver_allows(const struct resolver *r, const char *real)
{
    const struct folder *const f = (const struct folder *)(const void *)r;
    return inside(real, f->real) || inside(real, f->blobs) || inside(real, f->shared_blobs);
}

bool resolver_name_is_safe(const char *name)
{
    if (!*name || *name == '/' || strlen(name) > 1024)
        return false;
    for (const char *p = name; *p; p++) {
        const unsigned char c = (unsigned char)*p;
        if (c < 0x20 || c == 0x7f || c == '\\' || c == ':')
            return false;
    }
    for (const char *p = name; *p;) {
        const size_t n = strcspn(p, "/");
        if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
            return false;
        p += n;
        if (*p == '/' && !*++p)
            return false;
    }
    return true;
}

static lq_status note_opened(struct folder *f, const char *name, lq_error *err)
{
    for (size_t i = 0; i < f->n_opened; i++)
        if (strcmp(f->opened[i], name) == 0)
            return LQ_OK;
    if (!mem_grow((void **)&f->opened, &f->cap_opened, f->n_opened, sizeof *f->opened))
        return lq_fail_memory(err);
    f->opened[f->n_opened] = strdup(name);
    if (!f->opened[f->n_opened])
        return lq_fail_memory(err);
    f->n_opened++;
    return LQ_OK;
}

size_t resolver_opened(const struct resolver *r, const char *const **names)
{
    const struct folder *const f = (const struct folder *)(const void *)r;
    *names = (const char *const *)f->opened;
    return f->n_opened;
}

static lq_status folder_open(struct resolver *r, const char *name, struct source **out,
                             lq_error *err)
{
    struct folder *const f = (struct folder *)(void *)r;
    *out = NULL;
    if (!resolver_name_is_safe(name))
        return lq_fail_at(err, LQ_E_FORMAT, f->path, -1,
                          "the model names a file \"%.200s\", which would lie outside its folder "
                          "or is no portable file name",
                          name);
    struct text path = {0};
    text_printf(&path, "%s/%s", f->path, name);
    if (path.failed) {
        text_free(&path);
        return lq_fail_memory(err);
    }
    lq_status status = LQ_OK;
    char *const real = realpath(path.data, NULL);
    if (!real)
        status = lq_fail_errno(err, path.data, "cannot open");
    else if (!resolver_allows(r, real))
        status = lq_fail_at(err, LQ_E_FORMAT, path.data, -1,
                            "a symbolic link that leads out of the model's folder");
    else
        status = note_opened(f, name, err);
    if (status == LQ_OK)
        status = source_open_file(out, path.data, err);
    free(real);
    text_free(&path);
    return status;
}

/* No allocation here: the answer is yes or no, not "out of memory". */
static bool is_file_in(int dir, const char *name)
{
    struct stat st;
    return resolver_name_is_safe(name) && fstatat(dir, name, &st, 0) == 0 && S_ISREG(st.st_mode);
}

static bool folder_exists(struct resolver *r, const char *name)
{
    const struct folder *const f = (const struct folder *)(const void *)r;
    const int dir = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return false;
    const bool found = is_file_in(dir, name);
    close(dir);
    return found;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* FOLDER/NAME, or NAME where the folder is "". False: out of memory. */
static bool join(struct text *t, const char *folder, const char *name)
{
    t->len = 0;
    text_printf(t, "%s%s%s", folder, *folder ? "/" : "", name);
    return !t->failed;
}

static lq_status folder_list(struct resolver *r, const char *folder,
                             void (*each)(void *ctx, const char *name), void *ctx, lq_error *err)
{
    const struct folder *const f = (const struct folder *)(const void *)r;
    struct text path = {0};
    text_printf(&path, "%s%s%s", f->path, *folder ? "/" : "", folder);
    DIR *const dir = path.failed ? NULL : opendir(path.data);
    if (!dir) {
        const lq_status status = path.failed ? lq_fail_memory(err)
                                             : lq_fail_errno(err, path.data, "cannot list");
        text_free(&path);
        return status;
    }
    char **names = NULL;
    size_t n = 0, cap = 0;
    lq_status status = LQ_OK;
    for (const struct dirent *e; status == LQ_OK && (e = readdir(dir));) {
        if (!join(&path, folder, e->d_name))
            status = lq_fail_memory(err);
        else if (!folder_exists(r, path.data))
            continue;
        char *const copy = mem_grow((void **)&names, &cap, n, sizeof *names) ? strdup(e->d_name) : NULL;
        if (!copy)
            status = lq_fail_memory(err);
        else
            names[n++] = copy;
    }
    closedir(dir);
    text_free(&path);
    if (n)
        qsort(names, n, sizeof *names, by_bytes);
    for (size_t i = 0; i < n; i++) {
        if (status == LQ_OK)
            each(ctx, names[i]);
        free(names[i]);
    }
    free(names);
    return status;
}

lq_status resolver_open_folder(struct resolver **out, const char *path, lq_error *err)
{
    *out = NULL;
    struct stat st;
    if (stat(path, &st) != 0)
        return lq_fail_errno(err, path, "cannot open");
    if (!S_ISDIR(st.st_mode))
        return lq_fail_at(err, LQ_E_FORMAT, path, -1, "not a folder");
    struct folder *const f = mem_calloc(1, sizeof *f);
    if (!f)
        return lq_fail_memory(err);
    f->base = (struct resolver){.open = folder_open, .exists = folder_exists, .list = folder_list};
    f->path = strdup(path);
    f->real = f->path ? realpath(path, NULL) : NULL;
    if (!f->real) {
        const lq_status status = lq_fail_errno(err, path, "cannot open");
        resolver_close(&f->base);
        return status;
    }
    for (size_t n = strlen(f->path); n > 1 && f->path[n - 1] == '/'; n--)
        f->path[n - 1] = '\0';
    f->base.root = f->path;
    if (!find_blobs(f)) {
        resolver_close(&f->base);
        return lq_fail_memory(err);
    }
    *out = &f->base;
    return LQ_OK;
}

void resolver_close(struct resolver *r)
{
    struct folder *const f = (struct folder *)(void *)r;
    if (!f)
        return;
    free(f->path);
    free(f->real);
    for (size_t i = 0; i < f->n_opened; i++)
        free(f->opened[i]);
    free(f->opened);
    free(f->blobs);
    free(f->shared_blobs);
    free(f);
}
