/* claims_folder.c -- what vouches for the files of a plain folder: lists of checksums, git-lfs pointers,
 * our own digests and attestations; signatures, which need a key. */
#include "libquant/trust/verification.h"

#include "libquant/base/source.h"
#include "libquant/base/text.h"
#include "libquant/trust/file_list.h"
#include "libquant/trust/model_signature.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_SUMS = 64 << 20, MAX_POINTER = 1024, MAX_MANIFEST = 16 << 20 };

/* ---- names ---- */

/* The folder of v->root that a file of claims lies in, with its slash; "" for v->root. */
static const char *folder_of(struct verification *v, const char *name)
{
    const char *const slash = strrchr(name, '/');
    return slash ? arena_strndup(&v->arena, name, (size_t)(slash - name) + 1) : "";
}

static const char *last_part(const char *name)
{
    const char *const slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

/* ---- lists of checksums ---- */

static enum claim_algorithm sums_algorithm(const char *name)
{
    static const struct {
        const char *whole, *suffix;
        enum claim_algorithm algorithm;
    } known[] = {
        {"SHA256SUMS", ".sha256", CLAIM_SHA256},       {"SHA256SUMS.txt", ".sha256sum", CLAIM_SHA256},
        {"sha256sums.txt", ".sha256sums", CLAIM_SHA256}, {"sha256sum.txt", ".sha256.txt", CLAIM_SHA256},
        {"SHA512SUMS", ".sha512", CLAIM_SHA512},       {"sha512sums.txt", ".sha512sum", CLAIM_SHA512},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(last_part(name), known[i].whole) == 0 || text_ends_with(name, known[i].suffix))
            return known[i].algorithm;
    return CLAIM_NONE;
}

/* Undoes the escapes of a line that begins with a backslash: \\ and \n. False: others. */
static bool unescape(char *s)
{
    char *out = s;
    for (; *s; s++) {
        if (*s != '\\') {
            *out++ = *s;
            continue;
        }
        s++;
        if (*s != '\\' && *s != 'n')
            return false;
        *out++ = *s == 'n' ? '\n' : '\\';
    }
    *out = '\0';
    return true;
}

/* "HEX  NAME", "HEX *NAME", "SHA256 (NAME) = HEX", "HEX" alone. *name NULL: alone. */
static bool parse_sum(char *line, size_t digits, char **hex, char **name)
{
    const bool escaped = line[0] == '\\';
    char *s = line + escaped;
    *name = NULL;
    if (text_starts_with(s, "SHA") && strstr(s, " (")) {
        char *const end = strstr(s, ") = ");
        if (!end)
            return false;
        *name = strstr(s, " (") + 2;
        *end = '\0';
        *hex = end + 4;
    } else {
        *hex = s;
        if (strlen(s) > digits) {
            if (s[digits] != ' ' || (s[digits + 1] != ' ' && s[digits + 1] != '*'))
                return false;
            s[digits] = '\0';
            *name = s + digits + 2;
        }
    }
    for (char *c = *hex; *c; c++)
        *c = *c >= 'A' && *c <= 'F' ? (char)(*c - 'A' + 'a') : *c;
    return claim_is_hex(*hex, digits) && (!escaped || (*name && unescape(*name)));
}

/* A name of a list, relative to the list's folder; NULL where it leads out of it. */
static const char *listed_name(struct verification *v, const char *list, const char *name)
{
    while (name[0] == '.' && name[1] == '/')
        name += 2;
    if (!*name || *name == '/' || strcmp(name, "..") == 0 || text_starts_with(name, "../") ||
        text_ends_with(name, "/..") || strstr(name, "/../"))
        return NULL;
    return arena_printf(&v->arena, "%s%s", folder_of(v, list), name);
}

static lq_status add_sum(struct verification *v, const char *list, enum claim_algorithm algorithm,
                         char *line, unsigned number, lq_error *err)
{
    char *hex, *name;
    if (!parse_sum(line, algorithm == CLAIM_SHA512 ? 128 : 64, &hex, &name))
        return verify_note(v, list, VERIFY_BAD, NULL, err, "line %u is no checksum", number);
    const char *about;
    if (name) {
        about = listed_name(v, list, name);
    } else { /* FILE.sha256 with a digest alone */
        const char *const dot = strrchr(list, '.');
        about = dot && dot > last_part(list) ? arena_strndup(&v->arena, list, (size_t)(dot - list))
                                             : NULL;
    }
    if (!about)
        return verify_note(v, list, VERIFY_BAD, NULL, err,
                           "line %u names a file outside of the folder, or none", number);
    return verify_claim(v, about, algorithm, hex, CLAIM_NO_SIZE, list, NULL, err);
}

static lq_status add_sums(struct verification *v, const struct list_file *f,
                          enum claim_algorithm algorithm, lq_error *err)
{
    struct source *s;
    char *data;
    size_t len;
    LQ_TRY(source_open_file(&s, f->path, err));
    lq_status status = source_read_all(s, MAX_SUMS, &data, &len, err);
    source_close(s);
    LQ_TRY(status);
    unsigned number = 0;
    char *rest = data;
    for (char *line; status == LQ_OK && (line = strsep(&rest, "\n")) != NULL;) {
        size_t n = strlen(line);
        number++;
        if (n && line[n - 1] == '\r')
            line[--n] = '\0';
        if (n && line[0] != '#')
            status = add_sum(v, f->name, algorithm, line, number, err);
    }
    free(data);
    return status == LQ_OK ? verify_note(v, f->name, VERIFY_CLAIMS, NULL, err, "checksums") : status;
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

/* `lq digest --json`: files[] with name, size and sha256. */
static lq_status add_digests(struct verification *v, const char *list, const cJSON *root,
                             lq_error *err)
{
    const cJSON *const files = cJSON_GetObjectItemCaseSensitive(root, "files"), *f;
    cJSON_ArrayForEach(f, files) {
        const char *const name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(f, "name"));
        const char *const hex = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(f, "sha256"));
        const cJSON *const size = cJSON_GetObjectItemCaseSensitive(f, "size");
        const char *const about = name && hex ? listed_name(v, list, name) : NULL;
        if (!about)
            return verify_note(v, list, VERIFY_BAD, NULL, err, "has an entry without name or sha256");
        if (strcmp(about, list) == 0)
            continue; /* it was being written when the folder was read */
        LQ_TRY(verify_claim(v, about, CLAIM_SHA256, hex,
                            cJSON_IsNumber(size) && size->valuedouble >= 0
                                ? (uint64_t)size->valuedouble
                                : CLAIM_NO_SIZE,
                            list, NULL, err));
    }
    return LQ_OK;
}

/* subject[] of an in-toto statement. */
static lq_status add_subjects(struct verification *v, const char *list, const cJSON *root,
                              lq_error *err)
{
    const cJSON *const subjects = cJSON_GetObjectItemCaseSensitive(root, "subject"), *s;
    cJSON_ArrayForEach(s, subjects) {
        const char *const name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(s, "name"));
        const char *const hex = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(
            cJSON_GetObjectItemCaseSensitive(s, "digest"), "sha256"));
        const char *const about = name && hex ? listed_name(v, list, name) : NULL;
        if (about)
            LQ_TRY(verify_claim(v, about, CLAIM_SHA256, hex, CLAIM_NO_SIZE, list, NULL, err));
    }
    return LQ_OK;
}

/* False: no file of this kind. */
static lq_status add_manifest(struct verification *v, const struct list_file *f, bool *taken,
                              lq_error *err)
{
    const bool digests = strcmp(last_part(f->name), "lq-digest.json") == 0;
    const bool statement = text_ends_with(f->name, ".intoto.json");
    cJSON *root;
    *taken = digests || statement;
    if (!*taken)
        return LQ_OK;
    LQ_TRY(verify_json(v, f->name, MAX_MANIFEST, &root, err));
    if (!root)
        return LQ_OK;
    lq_status status = (digests ? add_digests : add_subjects)(v, f->name, root, err);
    cJSON_Delete(root);
    if (status == LQ_OK)
        status = verify_note(v, f->name, VERIFY_CLAIMS, NULL, err,
                             digests ? "digests" : "attestation; its signature is not checked here");
    return status;
}

/* ---- signatures ---- */

static bool is_signature(const char *name)
{
    return text_ends_with(name, ".sig") || text_ends_with(name, ".sigstore.json") ||
           text_ends_with(name, ".sigstore");
}

/* ---- the folder ---- */

static lq_status gather(struct verification *v, const struct list_file *f, lq_error *err)
{
    const enum claim_algorithm sums = sums_algorithm(f->name);
    bool taken = false;
    if (sums != CLAIM_NONE)
        return add_sums(v, f, sums, err);
    if (is_signature(f->name))
        return signature_claims(v, f->name, err);
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
    struct list_file f = {.name = entry, .path = verify_path(v, entry)};
    struct stat st;
    bool taken;
    (void)folder;
    if (!f.path)
        return lq_fail_memory(err);
    if (stat(f.path, &st) != 0 || !S_ISREG(st.st_mode))
        return LQ_OK;
    f.size = (uint64_t)st.st_size;
    if (sums_algorithm(entry) != CLAIM_NONE)
        return add_sums(v, &f, sums_algorithm(entry), err);
    if (strcmp(entry, v->only) == 0)
        return gather(v, &f, err);
    if (is_signature(entry))
        return signature_claims(v, entry, err);
    return add_manifest(v, &f, &taken, err);
}

static lq_status claims_file(struct verification *v, lq_error *err)
{
    LQ_TRY(verify_entries(v, "", see_beside, err));
    settle_pointers(v);
    return verify_knows(v, v->only) ? LQ_OK
                                    : verify_note(v, v->only, VERIFY_UNVOUCHED, NULL, err,
                                                  "nothing vouches for it");
}

lq_status claims_folder(struct verification *v, lq_error *err)
{
    if (v->only)
        return claims_file(v, err);
    static const char *const ignore[] = {".cache/huggingface", ".git"};
    const struct file_list_options o = {.ignore = ignore, .n_ignore = 2, .keep_git = true,
                                        .allow_symlinks = true, .problem = problem,
                                        .problem_ctx = v};
    struct file_list l = {0};
    lq_status status = file_list_walk(&l, v->root, &o, err);
    for (size_t i = 0; i < l.n && status == LQ_OK; i++)
        status = gather(v, &l.files[i], err);
    settle_pointers(v);
    for (size_t i = 0; i < l.n && status == LQ_OK; i++)
        if (!verify_knows(v, l.files[i].name))
            status = verify_note(v, l.files[i].name, VERIFY_UNVOUCHED, NULL, err,
                                 "nothing vouches for it");
    file_list_release(&l);
    return status;
}
