/* file_hash.h -- digests of many files, each read once, on all processors. */
#ifndef LQ_TRUST_FILE_HASH_H
#define LQ_TRUST_FILE_HASH_H

#include "libquant/trust/file_list.h"

/* One file, and what is wanted of it. */
struct hash_job {
    struct list_file *file;
    bool sha256;        /* goes to the file's own sha256 */
    uint8_t *sha512;    /* [64], or NULL: not wanted */
    uint8_t *git_sha1;  /* [20]: of the blob that git makes of the file; or NULL */
};

/* Hashes the files of all jobs, the largest first, on `threads` threads (0: one for each processor).
 * A file that cannot be read, is not what it was when it was listed, or changes meanwhile: `failed` is
 * told (by one thread at a time), and the rest goes on; where it is NULL, that ends the run. */
lq_status file_hash(const struct hash_job *jobs, size_t n, unsigned threads,
                    const struct progress *progress,
                    void (*failed)(void *ctx, const struct hash_job *job, const lq_error *why),
                    void *ctx, lq_error *err);

#endif
