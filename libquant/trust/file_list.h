/* file_list.h -- the files of a model in a defined order, and their SHA-256.
 *
 *   file_list_walk   every regular file below a folder (or the one file), by the rules of the
 *                    OpenSSF Model Signing specification 1.0: hidden files too, empty ones too,
 *                    names relative with '/', the exclusions only at the top level
 *   file_list_hash   their SHA-256, on all processors
 *   file_list_root   SHA-256 over these digests in the order of the list
 */
#ifndef LQ_TRUST_FILE_LIST_H
#define LQ_TRUST_FILE_LIST_H

#include "libquant/base/memory.h"
#include "libquant/base/progress.h"
#include "libquant/base/status.h"

#include <time.h>

struct list_file {
    const char *name;    /* within the model, with '/'; of a single file its last component */
    const char *path;    /* to open it */
    uint64_t size;
    uint64_t device, inode; /* of the content, behind a link */
    struct timespec mtime, ctime;
    bool link;           /* a symbolic link; the rest is of the file that it leads to */
    uint8_t sha256[32];  /* after file_list_hash */
};

struct stat;
/* A file by what stat says of it. */
struct list_file list_file_of(const char *name, const char *path, const struct stat *st);

struct file_list_options {
    const char *const *ignore; /* names relative to the model: such a file, or all below such a
                                  folder; no patterns */
    size_t n_ignore;
    bool keep_git;       /* else .git, .gitattributes, .github and .gitignore of the top level are
                            left out */
    bool allow_symlinks; /* to files within the model, and from a Hugging Face snapshot to its
                            blobs; else any link is refused */
    /* Is told what would be refused, which is then left out; NULL: the walk ends with that. */
    lq_status (*problem)(void *ctx, const char *name, const lq_error *why, lq_error *err);
    void *problem_ctx;
};

enum file_order {
    FILE_ORDER_NAME,      /* bytes of the whole name: what the specification says */
    FILE_ORDER_COMPONENTS /* component by component: "a/b" before "a-b"; what model_signing does */
};

struct file_list {
    struct list_file *files;
    size_t n, cap;
    uint64_t bytes;      /* sum of sizes */
    bool single;         /* the model is one file */
    struct arena arena;
};

/* Lists the files of the model at `path`, in FILE_ORDER_NAME. LQ_E_VERIFY, naming it, where there is
 * what can neither be listed nor left out silently: a symbolic link that is not allowed, leads out
 * of the model or to a folder, a special file, a name that is not UTF-8 or too long. LQ_E_IO where
 * something cannot be read. Fills a zeroed struct; file_list_release also after a failure. */
lq_status file_list_walk(struct file_list *l, const char *path, const struct file_list_options *o,
                         lq_error *err);
void file_list_release(struct file_list *l);

/* Negative, 0, positive. */
int file_order_compare(enum file_order order, const char *a, const char *b);
void file_list_sort(struct file_list *l, enum file_order order);
/* By name; NULL where there is none. The list must be in FILE_ORDER_NAME. */
struct list_file *file_list_find(const struct file_list *l, const char *name);

/* Hashes all files, the largest first, on `threads` threads (0: one for each processor).
 * LQ_E_VERIFY where a file is not what it was when it was listed, or changes meanwhile. */
lq_status file_list_hash(struct file_list *l, unsigned threads, const struct progress *progress,
                         lq_error *err);

/* SHA-256 over the digests, as they are listed: model_signing's root. */
lq_status file_list_root(const struct file_list *l, uint8_t root[32], lq_error *err);

#endif
