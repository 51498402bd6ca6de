/* claims_hub.c -- what the Hugging Face hub's client leaves on disk: a blob's name, which is the
 * digest that the server told, says what a file is. Nothing of it is signed.
 *
 *   CACHE/models--ORG--NAME/ refs/REVISION            a commit
 *                            blobs/DIGEST             64 digits: SHA-256, 40: git's SHA-1 of the
 * blob snapshots/COMMIT/NAME    link to a blob trees/COMMIT.json        list of the commit's files
 *   DIR/.cache/huggingface/download/NAME.metadata     commit, digest, time
 */
#include "libquant/trust/verification.h"

#include "libquant/base/source.h"
#include "libquant/base/text.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_SMALL = 4096, MAX_TREE = 16 << 20 };

static bool ends_incomplete(const char *name)
{
    return text_ends_with(name, ".incomplete");
}

static enum claim_algorithm algorithm_of(const char *digest)
{
    return claim_is_hex(digest, 64)   ? CLAIM_SHA256
           : claim_is_hex(digest, 40) ? CLAIM_GIT_SHA1
                                      : CLAIM_NONE;
}

/* Text of a small file without the white space at its end; NULL where it cannot be read, or is too
 * large for what it should hold. */
static char *small_text(struct verification *v, const char *name, lq_error *err)
{
    const char *const path = verify_path(v, name);
    struct source *s = NULL;
    char *data = NULL, *copy = NULL;
    size_t len = 0;
    if (path && source_open_file(&s, path, err) == LQ_OK &&
        source_read_all(s, MAX_SMALL, &data, &len, err) == LQ_OK) {
        while (len && strchr(" \t\r\n", data[len - 1]))
            data[--len] = '\0';
        copy = strlen(data) == len ? arena_strdup(&v->arena, data) : NULL;
    }
    source_close(s);
    free(data);
    return copy;
}

/* ---- blobs ---- */

static lq_status see_blob(struct verification *v, const char *folder, const char *entry,
                          lq_error *err)
{
    const char *const name = verify_join(v, folder, entry);
    if (!name)
        return lq_fail_memory(err);
    if (ends_incomplete(entry))
        return verify_note(v, name, VERIFY_UNVOUCHED, NULL, err,
                           "a download that was not finished");
    const enum claim_algorithm a = algorithm_of(entry);
    if (a == CLAIM_NONE)
        return verify_note(v, name, VERIFY_UNVOUCHED, NULL, err,
                           "its name is no digest, so nothing vouches for it");
    return verify_claim(v, name, a, entry, CLAIM_NO_SIZE, "name of the blob", NULL, err);
}

/* ---- snapshots ---- */

/* Length of "models--ORG--NAME/" at the front of a name in a cache; 0 in an entry of its own. */
static size_t entry_length(const char *name)
{
    const size_t n = strcspn(name, "/");
    return strstr(name, "--") && strstr(name, "--") < name + n && name[n] ? n + 1 : 0;
}

/* Where the links of the snapshot that `name` is in may lead. */
static lq_status open_snapshot(struct verification *v, const char *name, struct resolver **out,
                               lq_error *err)
{
    const size_t n = entry_length(name) + strlen("snapshots/");
    const char *const snapshot = arena_strndup(&v->arena, name, n + strcspn(name + n, "/"));
    const char *const path = snapshot ? verify_path(v, snapshot) : NULL;
    return path ? resolver_open_folder(out, path, err) : lq_fail_memory(err);
}

/* A link's claim is the last part of where it leads; it may go on from there to the shared store.
 */
static lq_status see_link(struct verification *v, const char *name, const char *path, lq_error *err)
{
    char target[4096];
    const ssize_t n = readlink(path, target, sizeof target - 1);
    struct resolver *r = NULL;
    target[n > 0 ? n : 0] = '\0';
    const char *const digest = path_last_part(target);
    LQ_TRY(open_snapshot(v, name, &r, err));
    char *const real = realpath(path, NULL);
    lq_status status;
    if (!real)
        status = verify_note(v, name, VERIFY_MISSING, "snapshot", err, "its link leads nowhere");
    else if (!resolver_allows(r, real))
        status = verify_note(v, name, VERIFY_BAD, "snapshot", err,
                             "its link leads out of the cache entry");
    else if (algorithm_of(digest) == CLAIM_NONE)
        status = verify_note(v, name, VERIFY_UNVOUCHED, "snapshot", err,
                             "its link leads to what is not named by a digest");
    else
        status = verify_claim(v, name, algorithm_of(digest), digest, CLAIM_NO_SIZE,
                              "link of the snapshot", NULL, err);
    resolver_close(r);
    free(real);
    return status;
}

static lq_status see_snapshot_file(struct verification *v, const char *folder, const char *entry,
                                   lq_error *err)
{
    const char *name, *path;
    struct stat st;
    LQ_TRY(verify_look(v, folder, entry, &name, &path, &st, err));
    if (S_ISDIR(st.st_mode))
        return verify_entries(v, name, see_snapshot_file, err);
    if (S_ISLNK(st.st_mode))
        return see_link(v, name, path, err);
    if (!S_ISREG(st.st_mode))
        return verify_note(v, name, VERIFY_BAD, NULL, err, "is neither a file nor a link");
    return verify_knows(v, name) /* a plain copy may be in the list of the commit */
               ? LQ_OK
               : verify_note(v, name, VERIFY_UNVOUCHED, NULL, err,
                             "a copy without a digest: nothing vouches for it");
}

static lq_status see_snapshot(struct verification *v, const char *folder, const char *entry,
                              lq_error *err)
{
    const char *const name = verify_join(v, folder, entry);
    if (!name)
        return lq_fail_memory(err);
    if (!claim_is_hex(entry, 40))
        LQ_TRY(verify_note(v, name, VERIFY_BAD, NULL, err, "is no commit"));
    return verify_entries(v, name, see_snapshot_file, err);
}

/* ---- lists of a commit's files ---- */

static const char downloads[] = ".cache/huggingface/download";

static bool is_nothing(struct verification *v, const char *name)
{
    const char *const path = name ? verify_path(v, name) : NULL;
    struct stat st;
    return path && lstat(path, &st) != 0;
}

/* Lists have all files of a commit, also where only some were downloaded. What was downloaded has a
 * blob in a cache, and metadata in a folder. */
static bool was_left(struct verification *v, const char *tree, const char *base, const char *file,
                     const char *digest)
{
    return algorithm_of(digest) != CLAIM_NONE && is_nothing(v, verify_join(v, base, file)) &&
           is_nothing(v, *base ? arena_printf(&v->arena, "%.*sblobs/%s", (int)entry_length(tree),
                                              tree, digest)
                               : arena_printf(&v->arena, "%s/%s.metadata", downloads, file));
}

static lq_status note_left(struct verification *v, const char *name, const char *tree,
                           const char *digest, uint64_t size, lq_error *err)
{
    LQ_TRY(verify_note(v, name, VERIFY_NOT_LOADED, tree, err, "a file of the commit"));
    struct verify_item *const i = &v->items[v->n - 1];
    i->algorithm = algorithm_of(digest);
    i->size = size;
    i->expected = arena_strdup(&v->arena, digest);
    return i->expected ? LQ_OK : lq_fail_memory(err);
}

static lq_status add_tree_file(struct verification *v, const char *tree, const char *base,
                               const cJSON *f, lq_error *err)
{
    const char *const sha256 =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(f, "lfs_sha256"));
    const char *const blob = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(f, "blob_id"));
    const cJSON *const size = cJSON_GetObjectItemCaseSensitive(
        f, sha256 && cJSON_HasObjectItem(f, "lfs_size") ? "lfs_size" : "size");
    if (!claim_name_stays(f->string))
        return verify_note(v, tree, VERIFY_BAD, NULL, err, "names a file outside of the model");
    if (!sha256 && !blob)
        return verify_note(v, tree, VERIFY_BAD, NULL, err, "has no digest of %.200s", f->string);
    const char *const name = verify_join(v, base, f->string);
    if (!name)
        return lq_fail_memory(err);
    const char *const digest = sha256 ? sha256 : blob;
    const uint64_t bytes =
        cJSON_IsNumber(size) && size->valuedouble >= 0 && size->valuedouble < 0x1p53
            ? (uint64_t)size->valuedouble
            : CLAIM_NO_SIZE;
    return was_left(v, tree, base, f->string, digest)
               ? note_left(v, name, tree, digest, bytes, err)
               : verify_claim(v, name, sha256 ? CLAIM_SHA256 : CLAIM_GIT_SHA1, digest, bytes, tree,
                              NULL, err);
}

/* `base`: the folder that the names are in. */
static lq_status add_tree(struct verification *v, const char *tree, const char *base, lq_error *err)
{
    cJSON *root;
    const cJSON *f;
    LQ_TRY(verify_json(v, tree, MAX_TREE, &root, err));
    if (!root)
        return LQ_OK;
    const cJSON *const version = cJSON_GetObjectItemCaseSensitive(root, "format_version");
    const cJSON *const files = cJSON_GetObjectItemCaseSensitive(root, "files");
    lq_status status = LQ_OK;
    if (!cJSON_IsNumber(version) || version->valueint != 1 || !cJSON_IsObject(files)) {
        status = verify_note(v, tree, VERIFY_NOT_CHECKED, NULL, err,
                             "a list of files of a form that is not known");
    } else {
        status = verify_note(v, tree, VERIFY_CLAIMS, NULL, err, "list of a commit's files");
        cJSON_ArrayForEach(f, files) if (status == LQ_OK) status =
            add_tree_file(v, tree, base, f, err);
    }
    cJSON_Delete(root);
    return status;
}

/* trees/COMMIT.json beside snapshots/COMMIT: `folder` ends in "trees". */
static lq_status see_tree(struct verification *v, const char *folder, const char *entry,
                          lq_error *err)
{
    const char *const tree = verify_join(v, folder, entry);
    const size_t above = strlen(folder) - strlen("trees"), len = strlen(entry);
    if (!tree)
        return lq_fail_memory(err);
    if (!text_ends_with(entry, ".json") || len != 45)
        return verify_note(v, tree, VERIFY_UNVOUCHED, NULL, err, "no list of a commit's files");
    const char *const base =
        arena_printf(&v->arena, "%.*ssnapshots/%.40s", (int)above, folder, entry);
    if (!base)
        return lq_fail_memory(err);
    return verify_is_folder(v, base)
               ? add_tree(v, tree, base, err)
               : verify_note(v, tree, VERIFY_CLAIMS, NULL, err, "about a commit that is not here");
}

/* ---- refs ---- */

static lq_status see_ref(struct verification *v, const char *folder, const char *entry,
                         lq_error *err)
{
    const char *const name = verify_join(v, folder, entry);
    lq_error ignored;
    if (!name)
        return lq_fail_memory(err);
    if (verify_is_folder(v, name))
        return verify_entries(v, name, see_ref, err);
    if (text_ends_with(entry, ".tmp"))
        return verify_note(v, name, VERIFY_UNVOUCHED, NULL, err, "left over from a download");
    const char *const commit = small_text(v, name, &ignored);
    if (!commit || !claim_is_hex(commit, 40))
        return verify_note(v, name, VERIFY_BAD, NULL, err, "does not name a commit");
    const char *const snapshot =
        arena_printf(&v->arena, "%.*ssnapshots/%s", (int)entry_length(folder), folder, commit);
    if (!snapshot)
        return lq_fail_memory(err);
    if (!verify_is_folder(v, snapshot))
        return verify_note(v, name, VERIFY_BAD, NULL, err,
                           "names commit %s, of which there is no snapshot", commit);
    return verify_note(v, name, VERIFY_CLAIMS, NULL, err, "names commit %s", commit);
}

/* ---- entries and caches ---- */

static lq_status gather_entry(struct verification *v, const char *entry, lq_error *err)
{
    static const struct {
        const char *folder;
        verify_see *see;
    } parts[] = {
        {"trees",     see_tree    },
        {"snapshots", see_snapshot},
        {"blobs",     see_blob    },
        {"refs",      see_ref     }
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const char *const folder = verify_join(v, entry, parts[i].folder);
        if (!folder)
            return lq_fail_memory(err);
        LQ_TRY(verify_entries(v, folder, parts[i].see, err));
        verify_sort(v); /* a snapshot's files look for themselves in the trees */
    }
    return LQ_OK;
}

/* Locks, marks of files that do not exist, and notes about the shared store hold no part of a
 * model. */
static bool is_note(const char *name, uint64_t size)
{
    const char *const in = name + entry_length(name);
    const char *const last = path_last_part(in);
    if (size == 0)
        return text_starts_with(in, ".no_exist/") || text_starts_with(name, ".locks/") ||
               strcmp(name, "blobs/.huggingface-shared-blobs") == 0;
    return size <= MAX_SMALL &&
           (strcmp(name, "CACHEDIR.TAG") == 0 || strcmp(name, "version.txt") == 0 ||
            (text_starts_with(name, "blobs/") && text_ends_with(last, ".refs")));
}

/* The store that entries of a cache share lies beside an entry that is verified alone. */
static lq_status find_shared(struct verification *v, lq_error *err)
{
    const char *const marker = verify_path(v, "../blobs/.huggingface-shared-blobs");
    const char *const store = verify_path(v, "../blobs");
    struct stat st;
    if (!marker || !store)
        return lq_fail_memory(err);
    if (stat(marker, &st) != 0)
        return LQ_OK;
    char *const real = realpath(store, NULL);
    v->shared = real ? arena_strdup(&v->arena, real) : NULL;
    free(real);
    return v->shared ? LQ_OK : lq_fail_memory(err);
}

lq_status claims_hub_entry(struct verification *v, lq_error *err)
{
    LQ_TRY(find_shared(v, err));
    LQ_TRY(gather_entry(v, "", err));
    return verify_strays(v, "", is_note, err);
}

static lq_status see_entry(struct verification *v, const char *folder, const char *entry,
                           lq_error *err)
{
    (void)folder;
    return strstr(entry, "--") && verify_is_folder(v, entry) ? gather_entry(v, entry, err) : LQ_OK;
}

lq_status claims_hub_cache(struct verification *v, lq_error *err)
{
    LQ_TRY(verify_entries(v, "", see_entry, err));
    return verify_strays(v, "", is_note, err);
}

/* ---- --local-dir ---- */

/* Commit, digest, time in three lines. */
static lq_status add_metadata(struct verification *v, const char *file, const char *name,
                              lq_error *err)
{
    lq_error ignored;
    char *rest = small_text(v, file, &ignored);
    const char *const commit = strsep(&rest, "\n"), *const digest = strsep(&rest, "\n");
    const char *const time = strsep(&rest, "\n");
    const enum claim_algorithm a = digest ? algorithm_of(digest) : CLAIM_NONE;
    if (!commit || !claim_is_hex(commit, 40) || a == CLAIM_NONE || !time || rest)
        return verify_note(v, name, VERIFY_NOT_CHECKED, file, err,
                           "the metadata of its download cannot be read");
    if (!v->commit)
        v->commit = commit;
    else if (strcmp(v->commit, commit) != 0)
        v->commit = "several";
    return verify_claim(v, name, a, digest, CLAIM_NO_SIZE, "metadata of the download", time, err);
}

static lq_status see_download(struct verification *v, const char *folder, const char *entry,
                              lq_error *err)
{
    const char *const file = verify_join(v, folder, entry);
    if (!file)
        return lq_fail_memory(err);
    if (verify_is_folder(v, file))
        return verify_entries(v, file, see_download, err);
    if (ends_incomplete(entry))
        return verify_note(v, file, VERIFY_UNVOUCHED, NULL, err,
                           "a download that was not finished");
    if (!text_ends_with(entry, ".metadata"))
        return LQ_OK;
    const char *const name = file + strlen(downloads) + 1;
    const char *const about = arena_strndup(&v->arena, name, strlen(name) - strlen(".metadata"));
    if (!about)
        return lq_fail_memory(err);
    if (v->only && strcmp(about, v->only) != 0)
        return LQ_OK;
    return add_metadata(v, file, about, err);
}

/* Lists of other commits than the one that all downloads are of say nothing about them. */
static lq_status see_local_tree(struct verification *v, const char *folder, const char *entry,
                                lq_error *err)
{
    const char *const tree = verify_join(v, folder, entry);
    if (!tree)
        return lq_fail_memory(err);
    if (!text_ends_with(entry, ".json"))
        return LQ_OK;
    if (v->commit && (strlen(entry) != 45 || strncmp(v->commit, entry, 40) != 0))
        return verify_note(v, tree, VERIFY_CLAIMS, NULL, err,
                           "about another commit than the downloads");
    return add_tree(v, tree, "", err);
}

/* What the client keeps beside the downloads; metadata and lists were read by see_download and
 * see_local_tree. */
static bool is_local_note(const char *name, uint64_t size)
{
    static const char *const ends[] = {".metadata", ".lock", ".json", "/.gitignore",
                                       "/CACHEDIR.TAG"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (text_ends_with(name, ends[i]))
            return size <= (i == 2 ? MAX_TREE : MAX_SMALL);
    return false;
}

lq_status claims_hub_local(struct verification *v, lq_error *err)
{
    LQ_TRY(verify_entries(v, downloads, see_download, err));
    LQ_TRY(verify_entries(v, ".cache/huggingface/trees", see_local_tree, err));
    verify_sort(v);
    return verify_strays(v, ".cache/huggingface", is_local_note, err);
}
