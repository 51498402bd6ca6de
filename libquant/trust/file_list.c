/* file_list.c -- the files of a model in a defined order. */
#include "libquant/trust/file_list.h"

#include "libquant/base/hash.h"
#include "libquant/base/source.h"
#include "libquant/base/text.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_DEPTH = 128, MAX_NAME = 4096 };

/* Only at the top level: `sub/.git` belongs to the model. */
static const char *const git_names[] = {".git", ".gitattributes", ".github", ".gitignore"};

struct walk {
    struct file_list *list;
    const struct file_list_options *options;
    struct resolver *root; /* decides where links may lead; NULL for a single file */
    struct text name, path;
    unsigned depth;
};

/* ---- order ---- */

/* The components are compared one by one, so '/' comes before every other byte. */
static int compare_components(const char *a, const char *b)
{
    for (; *a && *a == *b; a++, b++)
        ;
    const unsigned char ca = (unsigned char)*a, cb = (unsigned char)*b;
    if (ca == cb || !ca || !cb)
        return ca - cb;
    return (ca == '/' ? 0 : ca) - (cb == '/' ? 0 : cb);
}

int file_order_compare(enum file_order order, const char *a, const char *b)
{
    return order == FILE_ORDER_COMPONENTS ? compare_components(a, b) : strcmp(a, b);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct list_file *)a)->name, ((const struct list_file *)b)->name);
}

static int by_components(const void *a, const void *b)
{
    return compare_components(((const struct list_file *)a)->name,
                              ((const struct list_file *)b)->name);
}

void file_list_sort(struct file_list *l, enum file_order order)
{
    if (l->n)
        qsort(l->files, l->n, sizeof *l->files,
              order == FILE_ORDER_COMPONENTS ? by_components : by_name);
}

struct list_file *file_list_find(const struct file_list *l, const char *name)
{
    const struct list_file key = {.name = name};
    return l->n ? bsearch(&key, l->files, l->n, sizeof *l->files, by_name) : NULL;
}

/* ---- walking ---- */

static bool is_ignored(const struct file_list_options *o, const char *name)
{
    for (size_t i = 0; !o->keep_git && i < sizeof git_names / sizeof *git_names; i++)
        if (strcmp(name, git_names[i]) == 0)
            return true;
    for (size_t i = 0; i < o->n_ignore; i++)
        if (strcmp(name, o->ignore[i]) == 0)
            return true;
    return false;
}

struct list_file list_file_of(const char *name, const char *path, const struct stat *st)
{
    return (struct list_file){.name = name,
                              .path = path,
                              .size = (uint64_t)st->st_size,
                              .device = (uint64_t)st->st_dev,
                              .inode = (uint64_t)st->st_ino,
                              .mtime = st->st_mtim,
                              .ctime = st->st_ctim};
}

static lq_status add_file(struct walk *w, const struct stat *st, bool link, lq_error *err)
{
    struct file_list *const l = w->list;
    if (!mem_grow((void **)&l->files, &l->cap, l->n, sizeof *l->files))
        return lq_fail_memory(err);
    const char *const name = arena_strndup(&l->arena, w->name.data, w->name.len);
    const char *const path = arena_strndup(&l->arena, w->path.data, w->path.len);
    if (!name || !path || !add_u64(l->bytes, (uint64_t)st->st_size, &l->bytes))
        return lq_fail_memory(err);
    l->files[l->n++] = list_file_of(name, path, st);
    l->files[l->n - 1].link = link;
    return LQ_OK;
}

static lq_status follow_link(struct walk *w, struct stat *st, lq_error *err)
{
    const char *const path = w->path.data;
    if (!w->options->allow_symlinks)
        return lq_fail_at(err, LQ_E_VERIFY, path, -1,
                          "is a symbolic link; links are followed only where that is allowed "
                          "(--allow-symlinks)");
    if (stat(path, st) != 0)
        return lq_fail_at(err, LQ_E_VERIFY, path, -1, "is a symbolic link that leads nowhere");
    char *const real = realpath(path, NULL);
    if (!real)
        return lq_fail_errno(err, path, "cannot follow the symbolic link");
    const bool inside = w->root && resolver_allows(w->root, real);
    free(real);
    if (!inside)
        return lq_fail_at(err, LQ_E_VERIFY, path, -1,
                          "is a symbolic link that leads out of the model's folder");
    if (S_ISDIR(st->st_mode))
        return lq_fail_at(err, LQ_E_VERIFY, path, -1,
                          "is a symbolic link to a folder; what is in it would count twice or "
                          "not at all");
    return LQ_OK;
}

static lq_status visit_folder(struct walk *w, lq_error *err);

/* What w->path and w->name say. */
static lq_status visit(struct walk *w, lq_error *err)
{
    struct stat st;
    bool link = false;
    if (w->name.len > MAX_NAME || utf8_check(w->name.data, w->name.len) != w->name.len)
        return lq_fail_at(err, LQ_E_VERIFY, w->path.data, -1,
                          w->name.len > MAX_NAME ? "has too long a name"
                                                 : "has a name that is not UTF-8");
    if (lstat(w->path.data, &st) != 0)
        return lq_fail_errno(err, w->path.data, "cannot look at");
    if (S_ISLNK(st.st_mode)) {
        link = true;
        LQ_TRY(follow_link(w, &st, err));
    }
    if (S_ISDIR(st.st_mode))
        return visit_folder(w, err);
    if (!S_ISREG(st.st_mode))
        return lq_fail_at(err, LQ_E_VERIFY, w->path.data, -1,
                          "is neither a file nor a folder, and cannot be part of a model");
    return add_file(w, &st, link, err);
}

static lq_status visit_entry(struct walk *w, const char *entry, lq_error *err)
{
    const size_t name_len = w->name.len, path_len = w->path.len;
    text_printf(&w->name, "%s%s", name_len ? "/" : "", entry);
    text_printf(&w->path, "%s%s", text_ends_with(w->path.data, "/") ? "" : "/", entry);
    lq_status status = LQ_OK;
    lq_error problem = {0};
    if (w->name.failed || w->path.failed)
        status = lq_fail_memory(&problem);
    else if (!is_ignored(w->options, w->name.data))
        status = visit(w, &problem);
    if (status == LQ_E_VERIFY && w->options->problem)
        status = w->options->problem(w->options->problem_ctx, w->name.data, &problem, err);
    else if (status != LQ_OK && err)
        *err = problem;
    w->name.len = name_len;
    w->path.len = path_len;
    if (w->name.data)
        w->name.data[name_len] = '\0';
    w->path.data[path_len] = '\0';
    return status;
}

static lq_status visit_folder(struct walk *w, lq_error *err)
{
    if (w->depth == MAX_DEPTH)
        return lq_fail_at(err, LQ_E_VERIFY, w->path.data, -1, "lies more than %d folders deep",
                          MAX_DEPTH);
    DIR *const dir = opendir(w->path.data);
    if (!dir)
        return lq_fail_errno(err, w->path.data, "cannot list");
    lq_status status = LQ_OK;
    w->depth++;
    for (const struct dirent *e; status == LQ_OK && (e = readdir(dir));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            status = visit_entry(w, e->d_name, err);
    w->depth--;
    closedir(dir);
    return status;
}

/* One file is a model too, under its own name, whatever that is. */
static lq_status visit_single(struct walk *w, const struct stat *st, lq_error *err)
{
    const char *const slash = strrchr(w->path.data, '/');
    w->list->single = true;
    text_puts(&w->name, slash ? slash + 1 : w->path.data);
    return w->name.failed ? lq_fail_memory(err) : add_file(w, st, false, err);
}

lq_status file_list_walk(struct file_list *l, const char *path, const struct file_list_options *o,
                         lq_error *err)
{
    struct walk w = {.list = l, .options = o};
    struct stat st;
    lq_status status = LQ_OK;
    if (stat(path, &st) != 0)
        return lq_fail_errno(err, path, "cannot open");
    text_puts(&w.path, path);
    if (w.path.failed)
        status = lq_fail_memory(err);
    else if (S_ISREG(st.st_mode))
        status = visit_single(&w, &st, err);
    else if (!S_ISDIR(st.st_mode))
        status = lq_fail_at(err, LQ_E_FORMAT, path, -1, "neither a file nor a folder");
    else if ((status = resolver_open_folder(&w.root, path, err)) == LQ_OK)
        status = visit_folder(&w, err);
    file_list_sort(l, FILE_ORDER_NAME);
    resolver_close(w.root);
    text_free(&w.name);
    text_free(&w.path);
    return status;
}

void file_list_release(struct file_list *l)
{
    free(l->files);
    arena_free(&l->arena);
    *l = (struct file_list){0};
}

/* ---- root ---- */

lq_status file_list_root(const struct file_list *l, uint8_t root[32], lq_error *err)
{
    struct sha256 *const h = sha256_new();
    if (!h)
        return lq_fail_memory(err);
    for (size_t i = 0; i < l->n; i++)
        sha256_update(h, l->files[i].sha256, 32);
    sha256_final(h, root);
    return LQ_OK;
}
