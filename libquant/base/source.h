/* source.h -- positioned bytes: what every parser reads, and how it finds the files beside it.
 *
 *   source    a file, memory, or a window into another source; parsers never see paths
 *   resolver  opens the other files of a model by the name that the model uses for them
 */
#ifndef LQ_BASE_SOURCE_H
#define LQ_BASE_SOURCE_H

#include "libquant/base/status.h"

#include <stdbool.h>

struct source {
    char *name;    /* for messages: the path as the user gave it, or the name within the model */
    uint64_t size; /* bytes, fixed when opened; a file that shrinks later is an error on read */
    lq_status (*read)(struct source *s, void *dst, size_t n, uint64_t at, lq_error *err);
    void (*close)(struct source *s); /* releases what the kind of source holds, not s itself */
    int fd;                          /* the file's descriptor, or -1 */
};

/* Reads exactly n bytes at offset `at`. Reading past the end is LQ_E_FORMAT ("truncated"); a file
 * that is shorter than when it was opened, LQ_E_IO. Safe from several threads at once. */
lq_status source_read(struct source *s, void *dst, size_t n, uint64_t at, lq_error *err);

/* Opens a regular file (LQ_E_FORMAT for a folder, LQ_E_IO where it cannot be opened). */
lq_status source_open_file(struct source **out, const char *path, lq_error *err);
/* `data` is not copied and must outlive the source. */
lq_status source_open_memory(struct source **out, const char *name, const void *data, size_t size,
                             lq_error *err);
/* True where the source is the regular file that `path` names now. NULL is none. */
bool source_is_file(const struct source *s, const char *path);
/* True where `path` names a folder, also by a symbolic link. */
bool path_is_folder(const char *path);
/* Reads the whole source, at most `limit` bytes (more is LQ_E_FORMAT), into memory that the caller
 * frees; a NUL follows the last byte. */
lq_status source_read_all(struct source *s, uint64_t limit, char **data, size_t *len,
                          lq_error *err);
/* NULL is allowed. */
void source_close(struct source *s);

/* Finds the files of one model. `name` is relative, with '/' between folders. */
struct resolver {
    /* LQ_E_IO where there is no such file. Names that are absolute, climb with "..", or lead out of
     * the model by a symbolic link are refused with LQ_E_FORMAT. */
    lq_status (*open)(struct resolver *r, const char *name, struct source **out, lq_error *err);
    bool (*exists)(struct resolver *r, const char *name);
    /* Calls `each` for the name of every regular file in a folder of the model ("": its own), in byte
     * order of the names; its subfolders are not visited. LQ_E_IO where there is no such folder. */
    lq_status (*list)(struct resolver *r, const char *folder,
                      void (*each)(void *ctx, const char *name), void *ctx, lq_error *err);
    const char *root; /* for messages and for names taken from the folder; never in an output */
};

/* True for names that open accepts: no absolute ones, no "..", ".", or empty parts, no backslash, colon
 * or control character (so that a model means the same on every system), at most 1024 bytes. */
bool resolver_name_is_safe(const char *name);

/* A folder. Symbolic links are followed within the folder only, and, in a Hugging Face cache
 * (.../models--org--name/snapshots/REV), to the blobs folder of that same cache entry and to the
 * blob store that the entries of the cache share. */
lq_status resolver_open_folder(struct resolver **out, const char *path, lq_error *err);
/* True where a canonical path lies where links within the folder may lead. For folders. */
bool resolver_allows(const struct resolver *r, const char *real);
/* Names of the files that were opened so far, each once, in the order of opening. For folders. */
size_t resolver_opened(const struct resolver *r, const char *const **names);
void resolver_close(struct resolver *r);

#endif
