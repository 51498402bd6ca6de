/* attestation_read.c -- a statement from JSON: hostile until checked. */
#include "libquant/provenance/attestation.h"

#include "libquant/base/hash.h"
#include "libquant/base/json.h"
#include "libquant/trust/strict_json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- fields ---- */

struct reader {
    struct attestation *a;
    const char *file;
    lq_error *err;
    lq_status status; /* of the first failure; after it every field is NULL, false, 0 */
    int taken;        /* fields of the recipe that were looked at */
};

static void bad(struct reader *r, const char *key, const char *what)
{
    if (r->status == LQ_OK)
        r->status = lq_fail_at(r->err, LQ_E_FORMAT, r->file, -1,
                               "no attestation that can be used: \"%s\" should be %s", key, what);
}

static const cJSON *field(struct reader *r, const cJSON *object, const char *key)
{
    const cJSON *const v = cJSON_GetObjectItemCaseSensitive(object, key);
    r->taken += v != NULL;
    return v;
}

/* A copy in the arena; NULL for null where that is allowed. */
static const char *string_of(struct reader *r, const cJSON *object, const char *key, bool null_too)
{
    const cJSON *const v = field(r, object, key);
    if (null_too && cJSON_IsNull(v))
        return NULL;
    if (!cJSON_IsString(v)) {
        bad(r, key, "a string");
        return NULL;
    }
    const char *const copy = arena_strdup(&r->a->arena, v->valuestring);
    if (!copy && r->status == LQ_OK)
        r->status = lq_fail_memory(r->err);
    return copy;
}

static bool bool_of(struct reader *r, const cJSON *object, const char *key)
{
    const cJSON *const v = field(r, object, key);
    if (!cJSON_IsBool(v))
        bad(r, key, "true or false");
    return cJSON_IsTrue(v);
}

static uint64_t u64_of(struct reader *r, const cJSON *object, const char *key)
{
    const cJSON *const v = field(r, object, key);
    uint64_t n = 0;
    if (!cJSON_IsString(v) || !text_parse_u64(v->valuestring, UINT64_MAX, &n))
        bad(r, key, "a number in a string");
    return n;
}

static const char *const *strings_of(struct reader *r, const cJSON *object, const char *key,
                                     size_t *n)
{
    const cJSON *const v = field(r, object, key), *item;
    *n = 0;
    if (!cJSON_IsArray(v)) {
        bad(r, key, "a list of strings");
        return NULL;
    }
    const char **const list =
        arena_calloc(&r->a->arena, (size_t)cJSON_GetArraySize(v) + 1, sizeof(const char *));
    cJSON_ArrayForEach(item, v) {
        const char *const copy =
            list && cJSON_IsString(item) ? arena_strdup(&r->a->arena, item->valuestring) : NULL;
        if (!copy) {
            bad(r, key, "a list of strings");
            return list;
        }
        list[(*n)++] = copy;
    }
    if (!list && r->status == LQ_OK)
        r->status = lq_fail_memory(r->err);
    return list;
}

static void hex_field(struct reader *r, const cJSON *object, const char *key, uint8_t out[32])
{
    static const char digits[] = "0123456789abcdef";
    const char *const s = cJSON_GetStringValue(field(r, object, key));
    if (!s || strlen(s) != 64 || strspn(s, digits) != 64) {
        bad(r, key, "64 hexadecimal digits in lower case");
        return;
    }
    for (size_t i = 0; i < 32; i++)
        out[i] = (uint8_t)((strchr(digits, s[2 * i]) - digits) << 4 |
                           (strchr(digits, s[2 * i + 1]) - digits));
}

/* ---- the recipe ---- */

static const struct type_info *type_of(struct reader *r, const cJSON *object, const char *key)
{
    const struct type_info *type = NULL;
    const char *const name = string_of(r, object, key, true);
    if (name && r->status == LQ_OK)
        r->status = recipe_type_parse(&type, name, key, r->err);
    return type;
}

static void read_patterns(struct reader *r, const cJSON *object)
{
    struct recipe *const recipe = &r->a->convert.quantize.recipe;
    size_t n;
    const char *const *const list = strings_of(r, object, "tensorTypes", &n);
    r->a->patterns = arena_calloc(&r->a->arena, n + 1, sizeof *r->a->patterns);
    recipe->patterns = r->a->patterns;
    for (size_t i = 0; i < n && r->status == LQ_OK; i++) {
        r->status = r->a->patterns ? type_pattern_parse(&r->a->patterns[i], list[i], r->err)
                                   : lq_fail_memory(r->err);
        recipe->n_patterns += r->status == LQ_OK;
    }
}

static void read_overrides(struct reader *r, const cJSON *object)
{
    struct quantize_options *const q = &r->a->convert.quantize;
    const char *const *const list = strings_of(r, object, "overrides", &q->n_overrides);
    struct kv_override *const o = arena_calloc(&r->a->arena, q->n_overrides + 1, sizeof *o);
    q->overrides = o;
    for (size_t i = 0; i < q->n_overrides && r->status == LQ_OK; i++)
        r->status = o ? kv_override_parse(&o[i], list[i], r->err) : lq_fail_memory(r->err);
}

static void read_prune(struct reader *r, const cJSON *object)
{
    struct quantize_options *const q = &r->a->convert.quantize;
    const char *const *const list = strings_of(r, object, "pruneLayers", &q->n_prune);
    uint32_t *const layers = arena_calloc(&r->a->arena, q->n_prune + 1, sizeof *layers);
    q->prune = layers;
    for (size_t i = 0; i < q->n_prune && r->status == LQ_OK; i++) {
        uint64_t n = 0;
        if (!layers || !text_parse_u64(list[i], UINT16_MAX, &n) || (i && n <= layers[i - 1]))
            bad(r, "pruneLayers", "numbers of layers, ascending");
        else
            layers[i] = (uint32_t)n;
    }
}

static void read_importance(struct reader *r, const cJSON *object)
{
    struct quantize_options *const q = &r->a->convert.quantize;
    const cJSON *const v = field(r, object, "importance");
    const int taken = r->taken;
    r->a->has_importance = !cJSON_IsNull(v);
    if (cJSON_IsNull(v))
        return;
    if (!cJSON_IsObject(v)) {
        bad(r, "importance", "an object or null");
        return;
    }
    q->imatrix_path = string_of(r, v, "name", false);
    hex_field(r, v, "sha256", r->a->imatrix_sha256);
    q->include = strings_of(r, v, "include", &q->n_include);
    q->exclude = strings_of(r, v, "exclude", &q->n_exclude);
    if (cJSON_GetArraySize(v) != 4)
        bad(r, "importance", "name, sha256, include and exclude alone");
    r->taken = taken;
}

static void read_quantize(struct reader *r, const cJSON *o)
{
    struct quantize_options *const q = &r->a->convert.quantize;
    q->recipe.pure = bool_of(r, o, "pure");
    q->recipe.keep_output = bool_of(r, o, "leaveOutputTensor");
    q->recipe.output_type = type_of(r, o, "outputTensorType");
    q->recipe.embedding_type = type_of(r, o, "tokenEmbeddingType");
    read_patterns(r, o);
    read_overrides(r, o);
    read_prune(r, o);
    q->allow_requantize = bool_of(r, o, "allowRequantize");
    q->keep_split = bool_of(r, o, "keepSplit");
    read_importance(r, o);
}

static void read_via(struct reader *r, const cJSON *o)
{
    const char *const name = string_of(r, o, "via", false);
    const struct type_info *const type = name ? type_by_name(name) : NULL;
    if (!type ||
        (type->id != LQ_TYPE_F32 && type->id != LQ_TYPE_F16 && type->id != LQ_TYPE_BF16))
        bad(r, "via", "F32, F16 or BF16");
    else
        r->a->convert.via = type->id == LQ_TYPE_F32 ? NULL : type;
}

static void read_recipe(struct reader *r, const cJSON *o)
{
    struct attestation *const a = r->a;
    struct convert_options *const c = &a->convert;
    r->taken = 0;
    a->command = string_of(r, o, "command", false);
    a->entry = string_of(r, o, "source", false);
    a->type = string_of(r, o, "type", false);
    read_via(r, o);
    const char *const rounding = string_of(r, o, "rounding", false);
    a->names.id = c->metadata.id = string_of(r, o, "modelId", true);
    c->metadata.name = string_of(r, o, "modelName", true);
    a->metadata.data = string_of(r, o, "metadata", true);
    a->metadata.len = a->metadata.data ? strlen(a->metadata.data) : 0;
    c->vocab_only = bool_of(r, o, "vocabOnly");
    c->split.max_bytes = u64_of(r, o, "splitMaxBytes");
    c->split.max_tensors = u64_of(r, o, "splitMaxTensors");
    c->split.empty_first = bool_of(r, o, "splitEmptyFirst");
    a->allow_nonfinite = bool_of(r, o, "allowNonfinite");
    read_quantize(r, o);
    if (r->status != LQ_OK)
        return;
    if (strcmp(a->command, "convert") != 0 && strcmp(a->command, "quantize") != 0)
        bad(r, "command", "convert or quantize");
    if (strcmp(a->entry, ".") == 0)
        a->entry = NULL;
    else if (!resolver_name_is_safe(a->entry))
        bad(r, "source", "the name of a file in the source");
    if (r->status == LQ_OK && !rounding_by_name(rounding, &a->rounding))
        r->status = lq_fail_at(r->err, LQ_E_UNSUPPORTED, r->file, -1,
                               "made with the rounding profile \"%.40s\", which this version does "
                               "not know",
                               rounding);
    if (r->status == LQ_OK && r->taken != cJSON_GetArraySize(o))
        r->status = lq_fail_at(r->err, LQ_E_UNSUPPORTED, r->file, -1,
                               "externalParameters has a parameter that this version does not know");
}

/* ---- files ---- */

/* A list of {name, digest: {sha256 ...}}. Those without SHA-256 are left to `content`. */
static struct attested_file *files_of(struct reader *r, const cJSON *object, const char *key,
                                      size_t *n, uint8_t content[32])
{
    const cJSON *const list = field(r, object, key), *item;
    bool has_content = false;
    *n = 0;
    if (!cJSON_IsArray(list)) {
        bad(r, key, "a list of files");
        return NULL;
    }
    struct attested_file *const files =
        arena_calloc(&r->a->arena, (size_t)cJSON_GetArraySize(list) + 1, sizeof *files);
    if (!files)
        r->status = lq_fail_memory(r->err);
    cJSON_ArrayForEach(item, list) {
        if (r->status != LQ_OK)
            return files;
        const cJSON *const digest = cJSON_GetObjectItemCaseSensitive(item, "digest");
        const char *const name = string_of(r, item, "name", false);
        if (cJSON_GetObjectItemCaseSensitive(digest, "lqContentV1")) {
            uint8_t other[32];
            hex_field(r, digest, "lqContentV1", other);
            if (has_content && memcmp(other, content, 32) != 0)
                bad(r, "lqContentV1", "the same for all");
            memcpy(content, other, 32);
            has_content = true;
        }
        if (!cJSON_GetObjectItemCaseSensitive(digest, "sha256"))
            continue;
        files[*n].name = name;
        hex_field(r, digest, "sha256", files[(*n)++].sha256);
    }
    if (!has_content)
        bad(r, key, "with the digest lqContentV1");
    if (!*n)
        bad(r, key, "a list of files with sha256");
    return files;
}

static void expect_string(struct reader *r, const cJSON *object, const char *key, const char *value)
{
    const char *const s = cJSON_GetStringValue(field(r, object, key));
    if (!s || strcmp(s, value) != 0)
        bad(r, key, value);
}

/* The importance matrix is listed among the materials, and is none of the source's files. */
static void take_matrix(struct reader *r)
{
    struct attestation *const a = r->a;
    size_t kept = 0;
    bool found = false;
    for (size_t i = 0; r->status == LQ_OK && i < a->n_materials; i++) {
        const struct attested_file *const f = &a->materials[i];
        if (strcmp(f->name, ATTEST_MATRIX) != 0)
            a->materials[kept++] = *f;
        else
            found = memcmp(f->sha256, a->imatrix_sha256, 32) == 0;
    }
    if (r->status == LQ_OK && (found != a->has_importance || !kept))
        bad(r, "resolvedDependencies", "the source's files, and the importance matrix of the recipe");
    a->n_materials = kept;
}

/* ---- the evaluation ---- */

/* A finite number, written in decimal. */
static double f64_of(struct reader *r, const cJSON *object, const char *key)
{
    const char *const s = cJSON_GetStringValue(field(r, object, key));
    char *end = NULL;
    const double v = s && s[0] && !s[strspn(s, "+-.0123456789e")] ? strtod(s, &end) : 0.0;
    if (!end || *end || !isfinite(v)) {
        bad(r, key, "a number in a string");
        return 0.0;
    }
    return v;
}

static void digest_of(struct reader *r, const cJSON *object, const char *key, char hex[65])
{
    uint8_t sha256[32] = {0};
    hex_field(r, field(r, object, key), "sha256", sha256);
    hex_of(hex, sha256, 32);
}

/* Null, or all that this version would write: a figure that it does not know it could not check. */
static void read_evaluation(struct reader *r, const cJSON *o)
{
    struct evaluation *const e = &r->a->evaluation;
    if (!o || cJSON_IsNull(o))
        return;
    r->a->has_evaluation = true;
    r->taken = 0;
    e->length = u64_of(r, o, "context");
    e->n_chunks = u64_of(r, o, "chunks");
    e->n = u64_of(r, o, "tokensScored");
    digest_of(r, o, "tokenDigest", e->token_digest);
    digest_of(r, o, "logprobDigest", e->logprob_digest);
    const cJSON *const figures = field(r, o, "figures");
#define FIGURE(name, part) e->summary.part = f64_of(r, figures, #name);
#include "libquant/provenance/attest_figures.def"
#undef FIGURE
    /* two digests have one field each */
    if (r->status == LQ_OK &&
        r->taken != cJSON_GetArraySize(o) + cJSON_GetArraySize(figures) + 2)
        bad(r, "libquant_evaluation", "without fields that this version does not know");
}

static void read_statement(struct reader *r, const cJSON *root)
{
    struct attestation *const a = r->a;
    const cJSON *const predicate = cJSON_GetObjectItemCaseSensitive(root, "predicate");
    const cJSON *const build = cJSON_GetObjectItemCaseSensitive(predicate, "buildDefinition");
    const cJSON *const recipe = cJSON_GetObjectItemCaseSensitive(build, "externalParameters");
    expect_string(r, root, "_type", ATTEST_STATEMENT);
    expect_string(r, root, "predicateType", ATTEST_PREDICATE);
    if (!cJSON_IsObject(build) || !cJSON_IsObject(recipe)) {
        bad(r, "predicate", "SLSA provenance");
        return;
    }
    expect_string(r, build, "buildType", ATTEST_BUILD);
    a->subjects = files_of(r, root, "subject", &a->n_subjects, a->content);
    a->materials = files_of(r, build, "resolvedDependencies", &a->n_materials, a->source_content);
    for (size_t i = 0; i < a->n_subjects && r->status == LQ_OK; i++)
        if (!resolver_name_is_safe(a->subjects[i].name) || strchr(a->subjects[i].name, '/'))
            bad(r, "subject", "the names of files");
    read_recipe(r, recipe);
    take_matrix(r);
    read_evaluation(r, cJSON_GetObjectItemCaseSensitive(predicate, "libquant_evaluation"));
}

/* ---- the envelope ---- */

/* The payload of a DSSE envelope as a document. */
static lq_status open_envelope(struct reader *r, const cJSON *root, cJSON **out)
{
    const char *const type =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "payloadType"));
    const char *const payload =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "payload"));
    if (!payload || !type || strcmp(type, ATTEST_PAYLOAD) != 0)
        return lq_fail_at(r->err, LQ_E_FORMAT, r->file, -1, "no envelope of an in-toto statement");
    struct text statement = {0};
    struct source *s = NULL;
    lq_status status = LQ_OK;
    if (!base64_strict(&statement, payload, strlen(payload)))
        status = lq_fail_at(r->err, LQ_E_FORMAT, r->file, -1, "the payload is no Base64");
    if (status == LQ_OK)
        status = source_open_memory(&s, r->file, statement.data, statement.len, r->err);
    if (status == LQ_OK)
        status = json_document(out, s, r->err);
    source_close(s);
    text_free(&statement);
    r->a->in_envelope = true;
    return status;
}

lq_status attestation_read(struct attestation *a, struct source *s, lq_error *err)
{
    struct reader r = {.a = a, .file = s->name, .err = err};
    cJSON *root = NULL, *inner = NULL;
    r.status = json_document(&root, s, err);
    if (r.status == LQ_OK && cJSON_GetObjectItemCaseSensitive(root, "payload"))
        r.status = open_envelope(&r, root, &inner);
    if (r.status == LQ_OK)
        read_statement(&r, inner ? inner : root);
    cJSON_Delete(inner);
    cJSON_Delete(root);
    return r.status;
}

void attestation_release(struct attestation *a)
{
    for (size_t i = 0; a->patterns && i < a->convert.quantize.recipe.n_patterns; i++)
        type_pattern_release(&a->patterns[i]);
    arena_free(&a->arena);
    *a = (struct attestation){0};
}
