/* verification.h -- what vouches for the files of a model, and whether it holds.
 *
 *   verify_collect    finds out what kind of place it is, and gathers claims:
 *       claims_folder.c   git-lfs pointers, our digests and attestations, signatures
 *       claims_sums.c     SHA256SUMS and its kind
 *       claims_hub.c      Hugging Face cache (blobs, snapshots, refs, trees) and --local-dir metadata
 *       claims_store.c    Ollama's store, OCI image layout with ModelPack
 *   verify_check      hashes every file that a claim is about, once, and judges (verify_check.c)
 *
 * One item for each claim, one for each file without any, one for each thing that is wrong. What was
 * not checked is an item, too. docs/verify.md describes the states.
 */
#ifndef LQ_TRUST_VERIFICATION_H
#define LQ_TRUST_VERIFICATION_H

#include "libquant/base/memory.h"
#include "libquant/base/progress.h"
#include "libquant/base/status.h"

#include <stdio.h>
#include <sys/stat.h>

enum verify_state {
    VERIFY_PENDING,     /* a claim that is to be checked */
    VERIFY_OK,          /* the file has the digest and size that are claimed */
    VERIFY_CHANGED,     /* it has not */
    VERIFY_MISSING,     /* claimed, and not there (or a git-lfs pointer is there instead) */
    VERIFY_BAD,         /* something else is wrong: `why` says what */
    VERIFY_UNVOUCHED,   /* nothing says what the file should be */
    VERIFY_NOT_CHECKED, /* cannot be checked: `why` says for lack of what */
    VERIFY_NOT_LOADED,  /* left on the hub: of a model of which only some files were downloaded */
    VERIFY_CLAIMS       /* a file that holds the claims; what vouches for it is unknown */
};

enum claim_algorithm { CLAIM_NONE, CLAIM_SHA256, CLAIM_SHA512, CLAIM_GIT_SHA1, CLAIM_ALGORITHMS };

#define CLAIM_NO_SIZE UINT64_MAX

struct verify_item {
    const char *name;     /* within the place that is verified */
    const char *path;     /* NULL where there is nothing to open */
    const char *real;     /* the same behind all links */
    enum verify_state state;
    enum claim_algorithm algorithm;
    const char *expected; /* hexadecimal digits, or NULL */
    const char *found;    /* what is there instead, or NULL */
    uint64_t size;        /* or CLAIM_NO_SIZE */
    const char *source;   /* of the claim: "SHA256SUMS", or NULL */
    const char *why;      /* a sentence part for people, or NULL */
    bool aside;           /* the verdict does not hang on it: a signature beside other claims */
    const char *time;     /* when the claim was made, as far as it says; or NULL: unknown */
    const char *signer;   /* who has signed the claim, and */
    const char *trust_root; /* why that is believed; NULL: nobody, or unknown */
};

struct signature_trust;

struct verification {
    struct arena arena;
    struct verify_item *items;
    size_t n, cap;
    size_t n_sorted;      /* items that verify_sort has put in order */
    const char *root;     /* folder that names are relative to */
    bool contained;       /* `root` is canonical, and claims must be about files in it, or */
    const char *shared;   /* in this store beside it, or NULL */
    const char *kind;     /* "folder", "Hugging Face cache", ... */
    const char *only;     /* name of the one file that was asked for, or NULL */
    const struct signature_trust *trust; /* what signatures are verified with; NULL: nothing */
    const char *commit;   /* that all downloads of a --local-dir are of; NULL: none seen */
    const struct strays *strays; /* of verify_strays */
};

/* ---- the whole ---- */

/* Fills a zeroed struct; verification_release also after a failure. LQ_E_IO where the place cannot be
 * read. What is wrong within it becomes an item. */
lq_status verify_collect(struct verification *v, const char *path, lq_error *err);
/* Leaves no item pending; sorts by name. */
lq_status verify_check(struct verification *v, unsigned threads, const struct progress *progress,
                       lq_error *err);
/* LQ_OK: all verified. LQ_E_VERIFY: something does not verify, or nothing vouches for a file.
 * LQ_E_UNSUPPORTED: nothing is wrong, but something could not be checked that no other claim covers. */
lq_status verify_verdict(const struct verification *v);
size_t verify_count(const struct verification *v, enum verify_state state);
void verification_release(struct verification *v);

/* "sha256", "sha512", "git-sha1"; "none" */
const char *claim_algorithm_name(enum claim_algorithm a);

/* ---- for those who gather (all return LQ_E_MEMORY only) ---- */

/* Adds one item: a claim about v->root/name. Malformed digests and files that lie elsewhere become
 * VERIFY_BAD, files that are not there VERIFY_MISSING. `size` may be CLAIM_NO_SIZE, `time` NULL. Strings
 * are copied. */
lq_status verify_claim(struct verification *v, const char *name, enum claim_algorithm algorithm,
                       const char *expected, uint64_t size, const char *source, const char *time,
                       lq_error *err);
lq_status verify_note(struct verification *v, const char *name, enum verify_state state,
                      const char *source, lq_error *err, const char *why, ...) LQ_PRINTF(6, 7);
/* Items by name from now on, for the two that follow: those that are added later are not looked at. */
void verify_sort(struct verification *v);
/* The item of `name` in this state; NULL where there is none. */
struct verify_item *verify_find(const struct verification *v, const char *name,
                                enum verify_state state);
/* True where there is any item of that name. */
bool verify_knows(const struct verification *v, const char *name);
/* Where `list`, whose claims are the items from `first` on, names a file twice, says so. */
lq_status verify_refuse_twice(struct verification *v, size_t first, const char *list, lq_error *err);
/* An item for each file below v->root/folder that no claim is about (after verify_sort). `is_note`
 * tells which names the store keeps for itself: left out. Links are not followed. */
lq_status verify_strays(struct verification *v, const char *folder,
                        bool (*is_note)(const char *name, uint64_t size), lq_error *err);

/* Exactly n lower-case hexadecimal digits. */
bool claim_is_hex(const char *s, size_t n);
/* True for a relative name that stays below the folder it is relative to: no "..", ".", or empty part.
 * Any other character is a file's own affair. */
bool claim_name_stays(const char *name);
/* "v->root/name" in the arena; NULL when out of memory. */
const char *verify_path(struct verification *v, const char *name);
/* Calls `each` for the entries of v->root/folder in byte order, "." and ".." left out. A folder that is
 * not there has none. */
typedef lq_status verify_see(struct verification *v, const char *folder, const char *entry,
                             lq_error *err);
lq_status verify_entries(struct verification *v, const char *folder, verify_see *each, lq_error *err);
/* A folder, and no link to one. */
bool verify_is_folder(struct verification *v, const char *name);
/* "folder/entry" in the arena, "entry" where folder is ""; NULL when out of memory. */
const char *verify_join(struct verification *v, const char *folder, const char *entry);
/* What stands at an entry, not what a link leads to: its name, its path (both in the arena) and its
 * status. LQ_E_IO where it cannot be looked at. */
lq_status verify_look(struct verification *v, const char *folder, const char *entry,
                      const char **name, const char **path, struct stat *st, lq_error *err);

struct cJSON;
/* Reads v->root/name as a JSON object of at most `limit` bytes. *out NULL with LQ_OK: it is none; an
 * item VERIFY_BAD says why. */
lq_status verify_json(struct verification *v, const char *name, uint64_t limit, struct cJSON **out,
                      lq_error *err);

/* ---- who gathers ---- */

lq_status claims_folder(struct verification *v, lq_error *err);
struct list_file;
/* Where f is a list of checksums by its name, adds what it claims. */
lq_status claims_sums(struct verification *v, const struct list_file *f, bool *taken, lq_error *err);
/* Of a cache (folders models--...), of one entry of it, of a snapshot alone. */
lq_status claims_hub_cache(struct verification *v, lq_error *err);
lq_status claims_hub_entry(struct verification *v, lq_error *err);
/* What .cache/huggingface of a --local-dir says. */
lq_status claims_hub_local(struct verification *v, lq_error *err);
lq_status claims_ollama(struct verification *v, lq_error *err);
lq_status claims_oci(struct verification *v, lq_error *err);

#endif
