/* claims_folder.c -- what vouches for the files of a plain folder: lists of checksums, git-lfs
 * pointers, our own digests and attestations; signatures, which need a key. */
#include "libquant/trust/verification.h"

#include "libquant/base/json.h"
#include "libquant/base/source.h"
#include "libquant/base/text.h"
#include "libquant/trust/file_list.h"
#include "libquant/trust/model_signature.h"
#include "libquant/trust/strict_json.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_POINTER = 1024, MAX_MANIFEST = 16 << 20 };

/* ---- names ---- */

/* The name within the place, of what a list calls `name`; NULL where that is outside of its folder.
 */
static const char *listed_name(struct verification *v, const char *list, const char *name)
{
    if (!claim_name_stays(name))
        return NULL;
    return arena_printf(&v->arena, "%.*s%s", (int)(path_last_part(list) - list), list, name);
}

/* ---- git-lfs pointers ---- */

/* The canonical form, and no other: version, oid, size; extensions sort between. */
static bool parse_pointer(const char *text, size_t len, char oid[65], uint64_t *size)
{
    static const char head[] = "version https://git-lfs.github.com/spec/v1\n";
    const char *s = text + strlen(head);
    char number[24];
    if (len >= MAX_POINTER || strlen(text) != len || !text_starts_with(text, head))
        return false;
    while (text_starts_with(s, "ext-") && strchr(s, '\n'))
        s = strchr(s, '\n') + 1;
    if (!text_starts_with(s, "oid sha256:") || strlen(s) < 11 + 64 + 7)
        return false;
    memcpy(oid, s + 11, 64);
    oid[64] = '\0';
    s += 11 + 64;
    if (!claim_is_hex(oid, 64) || !text_starts_with(s, "\nsize "))
        return false;
    s += 6;
    const size_t digits = strspn(s, "0123456789");
    if (!digits || digits >= sizeof number || strcmp(s + digits, "\n") != 0 ||
        (s[0] == '0' && digits > 1))
        return false;
    memcpy(number, s, digits);
    number[digits] = '\0';
    return text_parse_u64(number, UINT64_MAX, size);
}

static bool is_pointer(const char *text)
{
    return text_starts_with(text, "version https://git-lfs.github.com/") ||
           text_starts_with(text, "version https://hawser.github.com/") ||
           text_starts_with(text, "version http://git-media.io/");
}

static lq_status see_pointer(struct verification *v, const struct list_file *f, bool *pointer,
                             lq_error *err)
{
    struct source *s;
    char text[MAX_POINTER + 1] = "", oid[65];
    uint64_t size;
    const size_t n = f->size < MAX_POINTER ? (size_t)f->size : MAX_POINTER;
    LQ_TRY(source_open_file(&s, f->path, err));
    const lq_status status = n <= s->size ? source_read(s, text, n, 0, err) : LQ_OK;
    source_close(s);
    LQ_TRY(status);
    *pointer = is_pointer(text);
    if (!*pointer)
        return LQ_OK;
    if (f->size >= MAX_POINTER || !parse_pointer(text, n, oid, &size))
        return verify_note(v, f->name, VERIFY_BAD, "git-lfs", err,
                           "begins as a git-lfs pointer, and is none");
    LQ_TRY(verify_note(v, f->name, VERIFY_MISSING, "git-lfs pointer", err,
                       "the content was not downloaded, only its git-lfs pointer (%llu bytes)",
                       (unsigned long long)size));
    struct verify_item *const i = &v->items[v->n - 1];
    i->algorithm = CLAIM_SHA256;
    i->size = size;
    i->expected = arena_strdup(&v->arena, oid);
    return i->expected ? LQ_OK : lq_fail_memory(err);
}

/* ---- digests and attestations of ours ---- */

static lq_status add_listed(struct verification *v, const char *list, const cJSON *name,
                            const cJSON *hex, const cJSON *size, lq_error *err)
{
    if (!cJSON_IsString(name) || !cJSON_IsString(hex))
        return verify_note(v, list, VERIFY_BAD, NULL, err, "has an entry without name or SHA-256");
    const char *const about = listed_name(v, list, name->valuestring);
    if (!about)
        return verify_note(v, list, VERIFY_BAD, NULL, err,
                           "names a file outside of the folder: \"%.200s\"", name->valuestring);
    if (strcmp(about, list) == 0)
        return LQ_OK; /* it was being written when the folder was read */
    const bool sized = cJSON_IsNumber(size) && size->valuedouble >= 0 && size->valuedouble < 0x1p53;
    return verify_claim(v, about, CLAIM_SHA256, hex->valuestring,
                        sized ? (uint64_t)size->valuedouble : CLAIM_NO_SIZE, list, NULL, err);
}

/* `lq digest --json`: files[] with name, size and sha256. */
static lq_status add_digests(struct verification *v, const char *list, const cJSON *root,
                             lq_error *err)
{
    const cJSON *const files = cJSON_GetObjectItemCaseSensitive(root, "files"), *f;
    if (!cJSON_IsArray(files) || !files->child)
        return verify_note(v, list, VERIFY_BAD, NULL, err, "lists no files");
    cJSON_ArrayForEach(f, files)
        LQ_TRY(add_listed(v, list, cJSON_GetObjectItemCaseSensitive(f, "name"),
                          cJSON_GetObjectItemCaseSensitive(f, "sha256"),
                          cJSON_GetObjectItemCaseSensitive(f, "size"), err));
    return verify_note(v, list, VERIFY_CLAIMS, NULL, err, "digests");
}

/* subject[] of an in-toto statement. */
static lq_status add_subjects(struct verification *v, const char *list, const cJSON *root,
                              lq_error *err)
{
    const cJSON *const subjects = cJSON_GetObjectItemCaseSensitive(root, "subject"), *s;
    if (!cJSON_IsArray(subjects) || !subjects->child)
        return verify_note(v, list, VERIFY_BAD, NULL, err, "is about no file");
    cJSON_ArrayForEach(s, subjects)
    {
        const cJSON *const digest = cJSON_GetObjectItemCaseSensitive(s, "digest");
        LQ_TRY(add_listed(v, list, cJSON_GetObjectItemCaseSensitive(s, "name"),
                          cJSON_GetObjectItemCaseSensitive(digest, "sha256"), NULL, err));
    }
    return verify_note(v, list, VERIFY_CLAIMS, NULL, err, "attestation");
}

/* Of an envelope's claims, items[first..n), the last of which is about the envelope itself. */
static lq_status sign_claims(struct verification *v, const char *list, size_t first, lq_error *err)
{
    const struct sign_key *const key = v->trust ? v->trust->key : NULL;
    struct verify_item *const own = &v->items[v->n - 1];
    const char *const path = verify_path(v, list);
    struct text statement = {0};
    struct source *s;
    lq_error why = {0};
    if (!path)
        return lq_fail_memory(err);
    if (own->state != VERIFY_CLAIMS)
        return LQ_OK;
    if (!key) {
        own->why = "attestation; --public-key is needed to check its signature";
        return LQ_OK;
    }
    LQ_TRY(source_open_file(&s, path, err));
    const lq_status status = verify_statement(&statement, s, key, &why);
    source_close(s);
    text_free(&statement);
    if (status != LQ_OK)
        return status == LQ_E_VERIFY || status == LQ_E_FORMAT
                   ? verify_note(v, list, VERIFY_BAD, NULL, err,
                                 "an attestation whose signature does not verify: %s", why.message)
                   : lq_fail(err, status, "%s", why.message);
    const char *const signer = arena_printf(&v->arena, "%s key %s", key->curve, key->fingerprint);
    if (!signer)
        return lq_fail_memory(err);
    for (size_t i = first; i + 1 < v->n; i++) {
        v->items[i].signer = signer;
        v->items[i].trust_root = "the public key";
    }
    own->why = "attestation, signed";
    return LQ_OK;
}

/* A statement, or a DSSE envelope around one. */
static lq_status add_statement(struct verification *v, const char *list, const cJSON *root,
                               lq_error *err)
{
    const cJSON *const payload = cJSON_GetObjectItemCaseSensitive(root, "payload");
    struct text statement = {0};
    struct source *s = NULL;
    cJSON *inner = NULL;
    lq_error why = {0};
    if (!payload)
        return add_subjects(v, list, root, err);
    lq_status status = LQ_OK;
    if (!cJSON_IsString(payload) ||
        !base64_strict(&statement, payload->valuestring, strlen(payload->valuestring)))
        status = lq_fail(&why, LQ_E_FORMAT, "has a payload that is no Base64");
    if (status == LQ_OK)
        status = source_open_memory(&s, list, statement.data, statement.len, &why);
    if (status == LQ_OK)
        status = json_document(&inner, s, &why);
    source_close(s);
    text_free(&statement);
    const size_t first = v->n;
    if (status == LQ_OK && (status = add_subjects(v, list, inner, err)) == LQ_OK)
        status = sign_claims(v, list, first, err);
    else
        status = status >= LQ_E_IO
                     ? status
                     : verify_note(v, list, VERIFY_BAD, NULL, err, "%s", why.message);
    cJSON_Delete(inner);
    return status;
}

/* *taken false: no file of this kind. */
static lq_status add_manifest(struct verification *v, const struct list_file *f, bool *taken,
                              lq_error *err)
{
    const bool digests = strcmp(path_last_part(f->name), "lq-digest.json") == 0;
    const bool statement = text_ends_with(f->name, ".intoto.json");
    const size_t first = v->n;
    cJSON *root;
    *taken = digests || statement;
    if (!*taken)
        return LQ_OK;
    LQ_TRY(verify_json(v, f->name, MAX_MANIFEST, &root, err));
    if (!root)
        return LQ_OK;
    lq_status status = (digests ? add_digests : add_statement)(v, f->name, root, err);
    cJSON_Delete(root);
    return status == LQ_OK ? verify_refuse_twice(v, first, f->name, err) : status;
}

/* ---- signatures ---- */

/* Of kinds that others check: PGP's, minisign's. */
static bool is_foreign_signature(const char *name)
{
    return text_ends_with(name, ".asc") || text_ends_with(name, ".gpg") ||
           text_ends_with(name, ".minisig");
}

static lq_status note_foreign(struct verification *v, const char *name, lq_error *err)
{
    LQ_TRY(verify_note(v, name, VERIFY_NOT_CHECKED, NULL, err,
                       "a signature of a kind that is not checked here (gpg, minisign)"));
    v->items[v->n - 1].aside = true;
    return LQ_OK;
}

/* ---- the folder ---- */

static lq_status gather(struct verification *v, const struct list_file *f, lq_error *err)
{
    bool taken = false;
    LQ_TRY(claims_sums(v, f, &taken, err));
    if (taken)
        return LQ_OK;
    if (signature_is_name(f->name))
        return signature_claims(v, f->name, err);
    if (is_foreign_signature(f->name))
        return note_foreign(v, f->name, err);
    LQ_TRY(add_manifest(v, f, &taken, err));
    return taken || !f->size ? LQ_OK : see_pointer(v, f, &taken, err);
}

/* Where a pointer lies in the content's place nothing was changed: the content is missing. */
static void settle_pointers(struct verification *v)
{
    for (size_t i = 0; i < v->n; i++) {
        struct verify_item *const item = &v->items[i];
        const struct verify_item *const pointer =
            item->state == VERIFY_PENDING ? verify_find(v, item->name, VERIFY_MISSING) : NULL;
        if (!pointer)
            continue;
        item->state = VERIFY_MISSING;
        item->why = pointer->why;
    }
}

static lq_status problem(void *ctx, const char *name, const lq_error *why, lq_error *err)
{
    return verify_note(ctx, name, VERIFY_BAD, NULL, err, "%s", why->message);
}

/* Of one file that is asked for: itself, and what lies beside it; not all that its folder holds. */
static lq_status see_beside(struct verification *v, const char *folder, const char *entry,
                            lq_error *err)
{
    struct list_file f = {.name = verify_join(v, folder, entry)};
    struct stat st;
    bool taken;
    f.path = f.name ? verify_path(v, f.name) : NULL;
    if (!f.path)
        return lq_fail_memory(err);
    if (stat(f.path, &st) != 0 || !S_ISREG(st.st_mode))
        return LQ_OK;
    f.size = (uint64_t)st.st_size;
    if (strcmp(f.name, v->only) == 0)
        return gather(v, &f, err);
    if (signature_is_name(entry))
        return signature_claims(v, entry, err);
    LQ_TRY(claims_sums(v, &f, &taken, err));
    return taken ? LQ_OK : add_manifest(v, &f, &taken, err);
}

static lq_status claims_file(struct verification *v, lq_error *err)
{
    const size_t n = (size_t)(path_last_part(v->only) - v->only);
    const char *const folder = arena_strndup(&v->arena, v->only, n ? n - 1 : 0);
    if (!folder)
        return lq_fail_memory(err);
    LQ_TRY(verify_entries(v, folder, see_beside, err));
    verify_sort(v);
    settle_pointers(v);
    return verify_knows(v, v->only)
               ? LQ_OK
               : verify_note(v, v->only, VERIFY_UNVOUCHED, NULL, err, "nothing vouches for it");
}

lq_status claims_folder(struct verification *v, lq_error *err)
{
    if (v->only)
        return claims_file(v, err);
    static const char *const ignore[] = {".cache/huggingface", ".git"};
    const struct file_list_options o = {.ignore = ignore,
                                        .n_ignore = 2,
                                        .keep_git = true,
                                        .allow_symlinks = true,
                                        .problem = problem,
                                        .problem_ctx = v};
    struct file_list l = {0};
    lq_status status = file_list_walk(&l, v->root, &o, err);
    for (size_t i = 0; i < l.n && status == LQ_OK; i++)
        status = gather(v, &l.files[i], err);
    verify_sort(v);
    settle_pointers(v);
    for (size_t i = 0; i < l.n && status == LQ_OK; i++)
        if (!verify_knows(v, l.files[i].name))
            status = verify_note(v, l.files[i].name, VERIFY_UNVOUCHED, NULL, err,
                                 "nothing vouches for it");
    file_list_release(&l);
    return status;
}
