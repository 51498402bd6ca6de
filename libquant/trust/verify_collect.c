/* verify_collect.c -- what kind of place it is, and who gathers the claims there. */
#include "libquant/trust/verification.h"

#include "libquant/base/text.h"
#include "libquant/trust/model_signature.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool has_file(struct verification *v, const char *name)
{
    const char *const path = verify_path(v, name);
    struct stat st;
    return path && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* "part" or "part/...". */
static bool begins_with_part(const char *name, const char *part)
{
    const size_t n = strlen(part);
    return strncmp(name, part, n) == 0 && (!name[n] || name[n] == '/');
}

static bool is_hub_entry(const char *name)
{
    static const char *const kinds[] = {"models--", "datasets--", "spaces--", "kernels--"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (text_starts_with(name, kinds[i]))
            return true;
    return false;
}

static lq_status see_entry(struct verification *v, const char *folder, const char *entry,
                           lq_error *err)
{
    (void)folder, (void)err;
    if (is_hub_entry(entry) && verify_is_folder(v, entry))
        v->kind = "Hugging Face cache";
    return LQ_OK;
}

/* ".../models--X/snapshots/REV/...", ".../models--X/blobs/...": the rest becomes `only` (a folder or
 * a file in the entry). */
static bool split_entry(struct verification *v, char *root)
{
    for (char *slash = strchr(root + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        if (!begins_with_part(slash + 1, "snapshots") && !begins_with_part(slash + 1, "blobs"))
            continue;
        *slash = '\0';
        if (is_hub_entry(path_last_part(root))) {
            v->only = slash + 1;
            return true;
        }
        *slash = '/';
    }
    return false;
}

static lq_status collect_folder(struct verification *v, char *root, lq_error *err)
{
    v->root = root;
    v->kind = "folder";
    if (has_file(v, "oci-layout"))
        return claims_oci(v, err);
    if (verify_is_folder(v, "blobs") && verify_is_folder(v, "manifests"))
        return claims_ollama(v, err);
    LQ_TRY(verify_entries(v, "", see_entry, err));
    if (strcmp(v->kind, "folder") != 0)
        return claims_hub_cache(v, err);
    if (split_entry(v, root) ||
        (is_hub_entry(path_last_part(root)) && verify_is_folder(v, "snapshots"))) {
        v->kind = "Hugging Face cache entry";
        return claims_hub_entry(v, err);
    }
    LQ_TRY(claims_hub_local(v, err));
    return claims_folder(v, err);
}

/* root[0..n) is a folder above the one file that was asked for. True where it is a place that
 * vouches for what lies deep in it: `only` is then relative to it. */
static bool is_place_above(struct verification *v, char *root, size_t n)
{
    static const char *const marks[] = {".cache/huggingface/download", "manifests", "oci-layout"};
    root[n] = '\0';
    v->root = root;
    v->only = root + n + 1;
    const bool blob = text_starts_with(v->only, "blobs/");
    const bool manifest = text_starts_with(v->only, "manifests/");
    if (verify_is_folder(v, marks[0]) ||
        ((blob || manifest) && verify_is_folder(v, "blobs") && verify_is_folder(v, marks[1])) ||
        (blob && has_file(v, marks[2])))
        return true;
    root[n] = '/';
    return false;
}

/* `path`: absolute, of a file. */
static lq_status collect_file(struct verification *v, char *path, lq_error *err)
{
    v->root = path;
    v->kind = "file";
    if (split_entry(v, path)) {
        v->kind = "Hugging Face cache entry";
        return claims_hub_entry(v, err);
    }
    char *const last = strrchr(path, '/');
    bool found = false;
    for (char *slash = last; slash > path && !found; slash--)
        found = *slash == '/' && is_place_above(v, path, (size_t)(slash - path));
    if (found && has_file(v, "oci-layout"))
        return claims_oci(v, err);
    if (found && verify_is_folder(v, "blobs") && verify_is_folder(v, "manifests"))
        return claims_ollama(v, err);
    if (!found) {
        *last = '\0';
        v->root = path;
        v->only = last + 1;
    }
    LQ_TRY(claims_hub_local(v, err));
    return claims_folder(v, err);
}

/* Items of other files than the one asked for, or outside of the snapshot asked for, do not count.
 * Of a list that is asked for, what it claims does. */
static void keep_only(struct verification *v)
{
    size_t kept = 0;
    for (size_t i = 0; i < v->n && v->only; i++) {
        const struct verify_item *const item = &v->items[i];
        if (begins_with_part(item->name, v->only) ||
            (item->source && strcmp(item->source, v->only) == 0))
            v->items[kept++] = *item;
    }
    if (v->only)
        v->n = kept;
}

/* An absolute path without links in its folders; a link at its end stays. */
static char *absolute(struct arena *a, const char *path, lq_error *err)
{
    const char *const slash = strrchr(path, '/');
    char *const folder = arena_strndup(a, path, slash ? (size_t)(slash - path) + 1 : 0);
    char *const real = folder ? realpath(*folder ? folder : ".", NULL) : NULL;
    if (!real) {
        lq_fail_errno(err, path, "cannot open");
        return NULL;
    }
    char *const whole =
        arena_printf(a, "%s/%s", strcmp(real, "/") == 0 ? "" : real, path_last_part(path));
    free(real);
    if (!whole)
        lq_fail_memory(err);
    return whole;
}

lq_status verify_collect(struct verification *v, const char *path, lq_error *err)
{
    struct stat st;
    if (stat(path, &st) != 0 && lstat(path, &st) != 0)
        return lq_fail_errno(err, path, "cannot open");
    const bool is_folder = S_ISDIR(st.st_mode);
    char *const real = is_folder ? realpath(path, NULL) : NULL;
    char *const root =
        is_folder ? (real ? arena_strdup(&v->arena, real) : NULL) : absolute(&v->arena, path, err);
    free(real);
    if (!root)
        return is_folder ? lq_fail_errno(err, path, "cannot open") : LQ_E_IO;
    v->contained = true;
    lq_status status = (is_folder ? collect_folder : collect_file)(v, root, err);
    if (status == LQ_OK && strstr(v->kind, "cache")) /* those of folders were seen among the files */
        status = signature_claims_all(v, err);
    keep_only(v);
    return status;
}
