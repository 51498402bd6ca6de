/* sink.h -- ordered bytes out: everything is appended, nothing appears under the target's name until
 * it is complete.
 *
 * A regular file is written beside the target as ".NAME.XXXXXX.tmp", synced, given the mode that
 * the umask asks for, and renamed; a target that is a symbolic link has the file it points to
 * replaced. A target that exists and is not a regular file (/dev/null, a pipe, "-" for standard
 * output) is written to directly.
 */
#ifndef LQ_BASE_SINK_H
#define LQ_BASE_SINK_H

#include "libquant/base/source.h"

struct sink;
struct sha256;

enum sink_flags {
    SINK_SYNC = 1 << 0,  /* fsync before the rename */
    SINK_SHA256 = 1 << 1 /* hash on the way */
};

lq_status sink_open(struct sink **out, const char *path, unsigned flags, lq_error *err);
/* Writes nothing: what is appended is compared with `expected`, which must outlive the sink. The first
 * difference is LQ_E_VERIFY at its offset, and so is an end before that of `expected`, at commit.
 * `expected` NULL: for the digest alone. */
lq_status sink_open_compare(struct sink **out, struct source *expected, unsigned flags,
                            lq_error *err);
lq_status sink_append(struct sink *s, const void *data, size_t n, lq_error *err);
/* Appends, and leaves it to the caller to feed the same bytes to *hash (NULL: nothing is hashed): for who
 * hashes them for another purpose, too. */
lq_status sink_append_unhashed(struct sink *s, const void *data, size_t n, struct sha256 **hash,
                               lq_error *err);
/* Appends zeros until `at` bytes have been written. */
lq_status sink_pad(struct sink *s, uint64_t at, lq_error *err);
uint64_t sink_written(const struct sink *s);
/* Publishes under the target's name. `sha256` (32 bytes) may be NULL. Closes the sink in any case. */
lq_status sink_commit(struct sink *s, uint8_t *sha256, lq_error *err);
/* Removes what was written. NULL is allowed. */
void sink_abort(struct sink *s);

/* Several outputs that belong together (shards): nothing is renamed until all are synced. sha256 may
 * be NULL; entries of sinks without SINK_SHA256 are left alone. Closes all sinks in any case. */
lq_status sink_commit_all(struct sink **sinks, size_t n, uint8_t (*sha256)[32], lq_error *err);

#endif
