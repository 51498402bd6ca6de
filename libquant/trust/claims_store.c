/* claims_store.c -- stores whose blobs are named by their digests and listed in manifests:
 * Ollama's, and the OCI image layout (ModelPack among what it may hold). */
#include "libquant/trust/verification.h"

#include "libquant/base/hash.h"
#include "libquant/base/source.h"
#include "libquant/base/text.h"
#include "libquant/trust/strict_json.h"

#include <cjson/cJSON.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_OLLAMA = 1 << 20, MAX_OCI = 4 << 20, MAX_NESTING = 4, MAX_DOCUMENTS = 4096 };

static const char *string_of(const cJSON *object, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

/* A descriptor's size; false where it has none that is one. */
static bool size_of(const cJSON *descriptor, uint64_t *size)
{
    const cJSON *const v = cJSON_GetObjectItemCaseSensitive(descriptor, "size");
    if (!cJSON_IsNumber(v) || v->valuedouble < 0 || v->valuedouble > 9007199254740992.0 ||
        v->valuedouble != (double)(uint64_t)v->valuedouble)
        return false;
    *size = (uint64_t)v->valuedouble;
    return true;
}

/* "ALGORITHM:HEX" (or with '-', as in Ollama's file names). CLAIM_NONE: another algorithm. False:
 * no digest at all. */
static bool parse_digest(const char *digest, bool hyphen, enum claim_algorithm *a, const char **hex)
{
    if (!digest)
        return false;
    const size_t n = strcspn(digest, hyphen ? ":-" : ":");
    if (!digest[n] || !n)
        return false;
    *hex = digest + n + 1;
    *a = n == 6 && text_starts_with(digest, "sha256")   ? CLAIM_SHA256
         : n == 6 && text_starts_with(digest, "sha512") ? CLAIM_SHA512
                                                        : CLAIM_NONE;
    return *a == CLAIM_NONE || claim_is_hex(*hex, *a == CLAIM_SHA256 ? 64 : 128);
}

/* ---- Ollama ---- */

static lq_status add_ollama_layer(struct verification *v, const char *manifest, const cJSON *layer,
                                  lq_error *err)
{
    enum claim_algorithm a;
    const char *hex;
    uint64_t size;
    if (!parse_digest(string_of(layer, "digest"), true, &a, &hex) || a != CLAIM_SHA256 ||
        !size_of(layer, &size))
        return verify_note(v, manifest, VERIFY_BAD, NULL, err,
                           "has a layer without size or SHA-256 digest");
    const char *const name = arena_printf(&v->arena, "blobs/sha256-%s", hex);
    return name ? verify_claim(v, name, CLAIM_SHA256, hex, size, manifest, NULL, err)
                : lq_fail_memory(err);
}

static lq_status add_ollama_layers(struct verification *v, const char *name, const cJSON *root,
                                   lq_error *err)
{
    const cJSON *const version = cJSON_GetObjectItemCaseSensitive(root, "schemaVersion");
    const cJSON *const config = cJSON_GetObjectItemCaseSensitive(root, "config");
    const cJSON *const layers = cJSON_GetObjectItemCaseSensitive(root, "layers"), *layer;
    if (!cJSON_IsNumber(version) || version->valueint != 2 || !cJSON_IsObject(config) ||
        !cJSON_IsArray(layers))
        return verify_note(v, name, VERIFY_BAD, NULL, err,
                           "is no manifest of schema version 2 with config and layers");
    LQ_TRY(verify_note(v, name, VERIFY_CLAIMS, NULL, err, "manifest"));
    LQ_TRY(add_ollama_layer(v, name, config, err));
    cJSON_ArrayForEach(layer, layers)
        LQ_TRY(add_ollama_layer(v, name, layer, err));
    return LQ_OK;
}

static lq_status see_manifest(struct verification *v, const char *folder, const char *entry,
                              lq_error *err)
{
    const char *const name = verify_join(v, folder, entry);
    cJSON *root;
    if (!name)
        return lq_fail_memory(err);
    if (verify_is_folder(v, name))
        return verify_entries(v, name, see_manifest, err);
    LQ_TRY(verify_json(v, name, MAX_OLLAMA, &root, err));
    const lq_status status = root ? add_ollama_layers(v, name, root, err) : LQ_OK;
    cJSON_Delete(root);
    return status;
}

static int without_case(const void *a, const void *b)
{
    return ascii_casecmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names are compared without regard to case: of two that differ in it alone one is hidden. */
static lq_status check_case(struct verification *v, lq_error *err)
{
    const char **const names = mem_calloc(v->n + 1, sizeof(const char *));
    lq_status status = names ? LQ_OK : lq_fail_memory(err);
    size_t n = 0;
    for (size_t i = 0; names && i < v->n; i++)
        if (v->items[i].state == VERIFY_CLAIMS)
            names[n++] = v->items[i].name;
    if (n)
        qsort(names, n, sizeof *names, without_case);
    for (size_t i = 1; i < n && status == LQ_OK; i++)
        if (ascii_casecmp(names[i - 1], names[i]) == 0)
            status = verify_note(v, names[i], VERIFY_BAD, NULL, err,
                                 "differs from another manifest in upper and lower case alone");
    free(names);
    return status;
}

static lq_status see_ollama_blob(struct verification *v, const char *folder, const char *entry,
                                 lq_error *err)
{
    const char *const name = verify_join(v, folder, entry);
    if (!name)
        return lq_fail_memory(err);
    if (strstr(entry, "-partial"))
        return verify_note(v, name, VERIFY_UNVOUCHED, NULL, err,
                           "a download that was not finished");
    if (!text_starts_with(entry, "sha256-") || !claim_is_hex(entry + 7, 64))
        return verify_note(v, name, VERIFY_UNVOUCHED, NULL, err,
                           "its name is no digest, so nothing vouches for it");
    return verify_claim(v, name, CLAIM_SHA256, entry + 7, CLAIM_NO_SIZE, "name of the blob", NULL,
                        err);
}

/* Nothing else belongs into a store. */
static bool is_no_note(const char *name, uint64_t size)
{
    (void)name, (void)size;
    return false;
}

lq_status claims_ollama(struct verification *v, lq_error *err)
{
    v->kind = "Ollama store";
    LQ_TRY(verify_entries(v, "manifests", see_manifest, err));
    LQ_TRY(check_case(v, err));
    LQ_TRY(verify_entries(v, "blobs", see_ollama_blob, err));
    verify_sort(v);
    return verify_strays(v, "", is_no_note, err);
}

/* ---- OCI ---- */

/* "data": the content itself, which must have size and digest. */
static lq_status check_data(struct verification *v, const char *name, const cJSON *descriptor,
                            enum claim_algorithm a, const char *hex, uint64_t size, lq_error *err)
{
    const cJSON *const data = cJSON_GetObjectItemCaseSensitive(descriptor, "data");
    struct text content = {0};
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    char found[2 * EVP_MAX_MD_SIZE + 1];
    if (!data)
        return LQ_OK;
    bool same = cJSON_IsString(data) &&
                base64_strict(&content, data->valuestring, strlen(data->valuestring)) &&
                content.len == size &&
                EVP_Digest(content.data ? content.data : "", content.len, digest, &n,
                           a == CLAIM_SHA256 ? EVP_sha256() : EVP_sha512(), NULL) == 1;
    text_free(&content);
    hex_of(found, digest, n);
    same = same && strcmp(found, hex) == 0;
    return same ? LQ_OK
                : verify_note(v, name, VERIFY_BAD, NULL, err,
                              "the embedded data of a descriptor has another size or digest");
}

static lq_status check_annotations(struct verification *v, const char *name,
                                   const cJSON *descriptor, lq_error *err)
{
    static const char *const keys[] = {"org.cncf.model.filepath", "org.cnai.model.filepath",
                                       "org.opencontainers.image.title"};
    const cJSON *const annotations = cJSON_GetObjectItemCaseSensitive(descriptor, "annotations");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *const path = string_of(annotations, keys[i]);
        if (path && !resolver_name_is_safe(path))
            return verify_note(v, name, VERIFY_BAD, NULL, err,
                               "a layer's annotation %s would lead out of the model: \"%.100s\"",
                               keys[i], path);
    }
    return LQ_OK;
}

/* The index and the manifests that were read: each once, however often it is named. */
struct documents {
    const char **seen;
    size_t n, cap;
};

static bool is_document(const char *type)
{
    static const char *const types[] = {
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (type && strcmp(type, types[i]) == 0)
            return true;
    return false;
}

static lq_status add_document(struct verification *v, struct documents *d, const char *name,
                              unsigned depth, lq_error *err);

/* What a descriptor in `from` says of its blob. *is_there: the blob can be read. */
static lq_status add_blob(struct verification *v, const char *from, const cJSON *descriptor,
                          const char **name, bool *is_there, lq_error *err)
{
    enum claim_algorithm a;
    const char *hex, *const digest = string_of(descriptor, "digest");
    uint64_t size;
    *is_there = false;
    if (!parse_digest(digest, false, &a, &hex) || !size_of(descriptor, &size))
        return verify_note(v, from, VERIFY_BAD, NULL, err,
                           "has a descriptor without size or digest");
    if (a == CLAIM_NONE)
        return verify_note(v, from, VERIFY_NOT_CHECKED, NULL, err,
                           "names a blob by an algorithm that is not known: %.100s", digest);
    *name = arena_printf(&v->arena, "blobs/%s/%s", claim_algorithm_name(a), hex);
    if (!*name)
        return lq_fail_memory(err);
    LQ_TRY(verify_claim(v, *name, a, hex, size, from, NULL, err));
    *is_there = v->items[v->n - 1].state == VERIFY_PENDING;
    LQ_TRY(check_data(v, from, descriptor, a, hex, size, err));
    return check_annotations(v, from, descriptor, err);
}

static lq_status add_descriptor(struct verification *v, struct documents *d, const char *from,
                                const cJSON *descriptor, unsigned depth, lq_error *err)
{
    const char *name = NULL;
    bool is_there;
    LQ_TRY(add_blob(v, from, descriptor, &name, &is_there, err));
    if (!is_there || !is_document(string_of(descriptor, "mediaType")))
        return LQ_OK;
    if (depth == MAX_NESTING)
        return verify_note(v, name, VERIFY_BAD, NULL, err, "lies more than %d indexes deep",
                           MAX_NESTING);
    return add_document(v, d, name, depth + 1, err);
}

/* The manifests of an index must be of kinds that are known: what they name would be passed over.
 */
static lq_status add_list(struct verification *v, struct documents *d, const char *from,
                          const cJSON *list, bool of_documents, unsigned depth, lq_error *err)
{
    const cJSON *descriptor;
    cJSON_ArrayForEach(descriptor, list)
    {
        const char *const type = string_of(descriptor, "mediaType");
        LQ_TRY(add_descriptor(v, d, from, descriptor, depth, err));
        if (of_documents && !is_document(type))
            LQ_TRY(verify_note(v, from, VERIFY_NOT_CHECKED, NULL, err,
                               "names a manifest of a type that is not known: %.100s",
                               type ? type : "none"));
    }
    return LQ_OK;
}

/* What an index or a manifest names. */
static lq_status add_descriptors(struct verification *v, struct documents *d, const char *name,
                                 const cJSON *root, unsigned depth, lq_error *err)
{
    const cJSON *const version = cJSON_GetObjectItemCaseSensitive(root, "schemaVersion");
    const cJSON *const manifests = cJSON_GetObjectItemCaseSensitive(root, "manifests");
    const cJSON *const layers = cJSON_GetObjectItemCaseSensitive(root, "layers");
    const cJSON *const config = cJSON_GetObjectItemCaseSensitive(root, "config");
    const cJSON *const subject = cJSON_GetObjectItemCaseSensitive(root, "subject");
    if (!cJSON_IsNumber(version) || version->valueint != 2 ||
        cJSON_IsArray(manifests) == cJSON_IsArray(layers) ||
        (cJSON_IsArray(layers) && !cJSON_IsObject(config)))
        return verify_note(v, name, VERIFY_BAD, NULL, err,
                           "is neither an image index nor a manifest of schema version 2");
    if (config)
        LQ_TRY(add_descriptor(v, d, name, config, depth, err));
    if (subject)
        LQ_TRY(add_descriptor(v, d, name, subject, depth, err));
    LQ_TRY(add_list(v, d, name, manifests, true, depth, err));
    return add_list(v, d, name, layers, false, depth, err);
}

static lq_status add_document(struct verification *v, struct documents *d, const char *name,
                              unsigned depth, lq_error *err)
{
    cJSON *root;
    for (size_t i = 0; i < d->n; i++)
        if (strcmp(d->seen[i], name) == 0)
            return LQ_OK;
    if (!mem_grow((void **)&d->seen, &d->cap, d->n, sizeof *d->seen))
        return lq_fail_memory(err);
    d->seen[d->n++] = name;
    if (d->n > MAX_DOCUMENTS)
        return verify_note(v, name, VERIFY_NOT_CHECKED, NULL, err,
                           "is one of more than %d manifests, and was not read", MAX_DOCUMENTS);
    LQ_TRY(verify_json(v, name, MAX_OCI, &root, err));
    const lq_status status = root ? add_descriptors(v, d, name, root, depth, err) : LQ_OK;
    cJSON_Delete(root);
    return status;
}

static lq_status see_oci_blob(struct verification *v, const char *folder, const char *entry,
                              lq_error *err)
{
    const char *const name = verify_join(v, folder, entry);
    const enum claim_algorithm a =
        strcmp(folder, "blobs/sha512") == 0 ? CLAIM_SHA512 : CLAIM_SHA256;
    if (!name)
        return lq_fail_memory(err);
    return claim_is_hex(entry, a == CLAIM_SHA256 ? 64 : 128)
               ? verify_claim(v, name, a, entry, CLAIM_NO_SIZE, "name of the blob", NULL, err)
               : verify_note(v, name, VERIFY_UNVOUCHED, NULL, err,
                             "its name is no digest, so nothing vouches for it");
}

static lq_status see_oci_algorithm(struct verification *v, const char *folder, const char *entry,
                                   lq_error *err)
{
    const char *const name = verify_join(v, folder, entry);
    if (!name)
        return lq_fail_memory(err);
    if (strcmp(entry, "sha256") == 0 || strcmp(entry, "sha512") == 0)
        return verify_entries(v, name, see_oci_blob, err);
    if (!verify_is_folder(v, name))
        return LQ_OK; /* a stray */
    return verify_note(v, name, VERIFY_NOT_CHECKED, NULL, err,
                       "blobs named by an algorithm that is not known");
}

lq_status claims_oci(struct verification *v, lq_error *err)
{
    struct documents d = {0};
    cJSON *layout;
    v->kind = "OCI image layout";
    LQ_TRY(verify_json(v, "oci-layout", MAX_OCI, &layout, err));
    const char *const version = string_of(layout, "imageLayoutVersion");
    const bool known = version && strcmp(version, "1.0.0") == 0;
    cJSON_Delete(layout);
    if (layout && !known)
        LQ_TRY(verify_note(v, "oci-layout", VERIFY_BAD, NULL, err,
                           "imageLayoutVersion should be \"1.0.0\""));
    else if (layout)
        LQ_TRY(verify_note(v, "oci-layout", VERIFY_CLAIMS, NULL, err, "version of the layout"));
    lq_status status = add_document(v, &d, "index.json", 0, err);
    free(d.seen);
    LQ_TRY(status);
    verify_sort(v);
    if (!verify_knows(v, "index.json"))
        LQ_TRY(verify_note(v, "index.json", VERIFY_CLAIMS, NULL, err, "index"));
    if (!verify_is_folder(v, "blobs"))
        LQ_TRY(verify_note(v, "blobs", VERIFY_BAD, NULL, err, "is missing"));
    LQ_TRY(verify_entries(v, "blobs", see_oci_algorithm, err));
    verify_sort(v);
    return verify_strays(v, "", is_no_note, err);
}
