/* claims_store.c -- stores whose blobs are named by their digests and listed in manifests: Ollama's, and
 * the OCI image layout (ModelPack among what it may hold). */
#include "libquant/trust/verification.h"

#include "libquant/base/hash.h"
#include "libquant/base/source.h"
#include "libquant/base/text.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_OLLAMA = 1 << 20, MAX_OCI = 16 << 20, MAX_NESTING = 4 };

static const char *join(struct verification *v, const char *folder, const char *entry)
{
    return arena_printf(&v->arena, "%s/%s", folder, entry);
}

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

/* "ALGORITHM:HEX" (or with '-', as in Ollama's file names). CLAIM_NONE: another algorithm. False: no
 * digest at all. */
static bool parse_digest(const char *digest, bool hyphen, enum claim_algorithm *a, const char **hex)
{
    static const char head[] = "sha256", head512[] = "sha512";
    if (!digest)
        return false;
    const size_t n = strcspn(digest, hyphen ? ":-" : ":");
    if (!digest[n] || !n)
        return false;
    *hex = digest + n + 1;
    *a = n == 6 && strncmp(digest, head, n) == 0      ? CLAIM_SHA256
         : n == 6 && strncmp(digest, head512, n) == 0 ? CLAIM_SHA512
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

static lq_status add_ollama_manifest(struct verification *v, const char *name, lq_error *err)
{
    cJSON *root;
    const cJSON *layer;
    LQ_TRY(verify_json(v, name, MAX_OLLAMA, &root, err));
    if (!root)
        return LQ_OK;
    const cJSON *const config = cJSON_GetObjectItemCaseSensitive(root, "config");
    const cJSON *const layers = cJSON_GetObjectItemCaseSensitive(root, "layers");
    lq_status status = LQ_OK;
    if (!cJSON_IsArray(layers))
        status = verify_note(v, name, VERIFY_BAD, NULL, err, "has no list of layers");
    else
        status = verify_note(v, name, VERIFY_CLAIMS, NULL, err, "manifest");
    if (status == LQ_OK && cJSON_IsObject(config))
        status = add_ollama_layer(v, name, config, err);
    cJSON_ArrayForEach(layer, layers)
        if (status == LQ_OK)
            status = add_ollama_layer(v, name, layer, err);
    cJSON_Delete(root);
    return status;
}

/* Names are compared without regard to case: of two that differ in it alone one is hidden. */
static lq_status check_case(struct verification *v, const char *name, lq_error *err)
{
    for (size_t i = 0; i < v->n; i++)
        if (v->items[i].state == VERIFY_CLAIMS && ascii_casecmp(v->items[i].name, name) == 0 &&
            strcmp(v->items[i].name, name) != 0)
            return verify_note(v, name, VERIFY_BAD, NULL, err,
                               "differs from another manifest in upper and lower case alone");
    return LQ_OK;
}

static lq_status see_manifest(struct verification *v, const char *folder, const char *entry,
                              lq_error *err)
{
    const char *const name = join(v, folder, entry);
    if (!name)
        return lq_fail_memory(err);
    if (verify_is_folder(v, name))
        return verify_entries(v, name, see_manifest, err);
    LQ_TRY(check_case(v, name, err));
    return add_ollama_manifest(v, name, err);
}

static lq_status see_ollama_blob(struct verification *v, const char *folder, const char *entry,
                                 lq_error *err)
{
    const char *const name = join(v, folder, entry);
    if (!name)
        return lq_fail_memory(err);
    if (strstr(entry, "-partial"))
        return verify_note(v, name, VERIFY_UNVOUCHED, NULL, err, "a download that was not finished");
    if (!text_starts_with(entry, "sha256-") || !claim_is_hex(entry + 7, 64))
        return verify_note(v, name, VERIFY_UNVOUCHED, NULL, err,
                           "its name is no digest, so nothing vouches for it");
    return verify_claim(v, name, CLAIM_SHA256, entry + 7, CLAIM_NO_SIZE, "name of the blob", NULL,
                        err);
}

lq_status claims_ollama(struct verification *v, lq_error *err)
{
    v->kind = "Ollama store";
    LQ_TRY(verify_entries(v, "manifests", see_manifest, err));
    return verify_entries(v, "blobs", see_ollama_blob, err);
}

/* ---- OCI ---- */

static bool ends_type(const char *type, const char *what)
{
    return type && strstr(type, what) != NULL;
}

/* "data": the content itself, which must have the digest. */
static lq_status check_data(struct verification *v, const char *name, const cJSON *descriptor,
                            enum claim_algorithm a, const char *hex, lq_error *err)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *const data = string_of(descriptor, "data");
    uint8_t digest[32];
    char found[65];
    if (!data || a != CLAIM_SHA256)
        return LQ_OK;
    const size_t len = strlen(data);
    uint8_t *const bytes = mem_calloc(len + 1, 1);
    size_t n = 0, i = 0;
    uint32_t bits = 0;
    if (!bytes)
        return lq_fail_memory(err);
    for (; i < len && data[i] != '='; i++) {
        const char *const c = strchr(alphabet, data[i]);
        if (!c)
            break;
        bits = bits << 6 | (uint32_t)(c - alphabet);
        if (i % 4)
            bytes[n++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    lq_status status = sha256_of(bytes, n, digest, err);
    free(bytes);
    hex_of(found, digest, 32);
    if (status == LQ_OK && strcmp(found, hex) != 0)
        status = verify_note(v, name, VERIFY_BAD, NULL, err,
                             "the embedded data of a descriptor has another digest");
    return status;
}

static lq_status check_annotations(struct verification *v, const char *name, const cJSON *descriptor,
                                   lq_error *err)
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

static lq_status add_document(struct verification *v, const char *name, unsigned depth,
                              lq_error *err);

static lq_status add_descriptor(struct verification *v, const char *from, const cJSON *d,
                                unsigned depth, lq_error *err)
{
    enum claim_algorithm a;
    const char *hex, *const type = string_of(d, "mediaType");
    const char *const digest = string_of(d, "digest");
    uint64_t size;
    if (!parse_digest(digest, false, &a, &hex) || !size_of(d, &size))
        return verify_note(v, from, VERIFY_BAD, NULL, err,
                           "has a descriptor without size or digest");
    if (a == CLAIM_NONE)
        return verify_note(v, from, VERIFY_NOT_CHECKED, NULL, err,
                           "names a blob by an algorithm that is not known: %.100s", digest);
    const char *const name =
        arena_printf(&v->arena, "blobs/%s/%s", claim_algorithm_name(a), hex);
    if (!name)
        return lq_fail_memory(err);
    LQ_TRY(verify_claim(v, name, a, hex, size, from, NULL, err));
    const bool there = v->items[v->n - 1].real;
    LQ_TRY(check_data(v, from, d, a, hex, err));
    LQ_TRY(check_annotations(v, from, d, err));
    if (!there || (!ends_type(type, "image.index.") && !ends_type(type, "image.manifest.") &&
                   !ends_type(type, "manifest.list.") && !ends_type(type, "distribution.manifest.")))
        return LQ_OK;
    if (depth == MAX_NESTING)
        return verify_note(v, name, VERIFY_BAD, NULL, err, "lies more than %d indexes deep",
                           MAX_NESTING);
    return add_document(v, name, depth + 1, err);
}

static lq_status add_list(struct verification *v, const char *from, const cJSON *list,
                          unsigned depth, lq_error *err)
{
    const cJSON *d;
    cJSON_ArrayForEach(d, list)
        LQ_TRY(add_descriptor(v, from, d, depth, err));
    return LQ_OK;
}

/* An index or a manifest. */
static lq_status add_document(struct verification *v, const char *name, unsigned depth,
                              lq_error *err)
{
    cJSON *root;
    LQ_TRY(verify_json(v, name, MAX_OCI, &root, err));
    if (!root)
        return LQ_OK;
    const cJSON *const version = cJSON_GetObjectItemCaseSensitive(root, "schemaVersion");
    const cJSON *const manifests = cJSON_GetObjectItemCaseSensitive(root, "manifests");
    const cJSON *const layers = cJSON_GetObjectItemCaseSensitive(root, "layers");
    const cJSON *const config = cJSON_GetObjectItemCaseSensitive(root, "config");
    lq_status status = LQ_OK;
    if (!cJSON_IsNumber(version) || version->valueint != 2 ||
        (!cJSON_IsArray(manifests) && !cJSON_IsArray(layers)))
        status = verify_note(v, name, VERIFY_BAD, NULL, err,
                             "is neither an image index nor a manifest of schema version 2");
    if (status == LQ_OK && cJSON_IsObject(config))
        status = add_descriptor(v, name, config, depth, err);
    if (status == LQ_OK)
        status = add_list(v, name, manifests, depth, err);
    if (status == LQ_OK)
        status = add_list(v, name, layers, depth, err);
    cJSON_Delete(root);
    return status;
}

static lq_status see_oci_blob(struct verification *v, const char *folder, const char *entry,
                              lq_error *err)
{
    const char *const name = join(v, folder, entry);
    const enum claim_algorithm a = strcmp(folder, "blobs/sha512") == 0 ? CLAIM_SHA512 : CLAIM_SHA256;
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
    const char *const name = join(v, folder, entry);
    if (!name)
        return lq_fail_memory(err);
    if (strcmp(entry, "sha256") == 0 || strcmp(entry, "sha512") == 0)
        return verify_entries(v, name, see_oci_blob, err);
    return verify_note(v, name, VERIFY_NOT_CHECKED, NULL, err,
                       "blobs named by an algorithm that is not known");
}

lq_status claims_oci(struct verification *v, lq_error *err)
{
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
    LQ_TRY(add_document(v, "index.json", 0, err));
    if (!verify_knows(v, "index.json"))
        LQ_TRY(verify_note(v, "index.json", VERIFY_CLAIMS, NULL, err, "index"));
    if (!verify_is_folder(v, "blobs"))
        LQ_TRY(verify_note(v, "blobs", VERIFY_BAD, NULL, err, "is missing"));
    return verify_entries(v, "blobs", see_oci_algorithm, err);
}
