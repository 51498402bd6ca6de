/* model_statement.c -- writing and reading what signatures of models say. */
#include "libquant/trust/model_statement.h"

#include "libquant/base/hash.h"
#include "libquant/base/text.h"
#include "libquant/trust/strict_json.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#define STATEMENT_TYPE "https://in-toto.io/Statement/v1"
#define PREDICATE_TYPE "https://model_signing/signature/v1.0"

enum { MAX_NAME = 4096 };

/* ---- names ---- */

bool model_name_is_plain(const char *name)
{
    if (!*name || strlen(name) > MAX_NAME)
        return false;
    for (const char *part = name;; part++) {
        const size_t n = strcspn(part, "/");
        if (!n || (n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
            return false;
        part += n;
        if (!*part)
            return true;
    }
}

bool model_ignore_is_plain(const char *name)
{
    return model_name_is_plain(name) && !strpbrk(name, "*?[");
}

/* ---- writing ---- */

static void put_string(struct text *out, const char *s)
{
    text_put_json(out, s, strlen(s));
}

static void put_serialization(struct text *out, const struct file_list_options *o)
{
    static const char *const git[] = {".git", ".gitattributes", ".github", ".gitignore"};
    text_printf(out, "\"serialization\":{\"method\":\"files\",\"hash_type\":\"sha256\","
                     "\"allow_symlinks\":%s,\"ignore_paths\":[",
                o->allow_symlinks ? "true" : "false");
    for (size_t i = 0; i < o->n_ignore; i++) {
        text_puts(out, i ? "," : "");
        put_string(out, o->ignore[i]);
    }
    for (size_t i = 0; !o->keep_git && i < sizeof git / sizeof *git; i++)
        text_printf(out, "%s\"%s\"", i || o->n_ignore ? "," : "", git[i]);
    text_puts(out, "]}");
}

void model_statement_put(struct text *out, const struct file_list *l, const char *subject,
                         const struct file_list_options *o)
{
    uint8_t root[32];
    char hex[65];
    if (file_list_root(l, root, NULL) != LQ_OK)
        out->failed = true;
    hex_of(hex, root, 32);
    text_puts(out, "{\"_type\":\"" STATEMENT_TYPE "\",\"subject\":[{\"name\":");
    put_string(out, subject);
    text_printf(out, ",\"digest\":{\"sha256\":\"%s\"}}],\"predicateType\":\"" PREDICATE_TYPE
                     "\",\"predicate\":{\"resources\":[", hex);
    for (size_t i = 0; i < l->n; i++) {
        text_puts(out, i ? ",{\"name\":" : "{\"name\":");
        put_string(out, l->single ? "." : l->files[i].name); /* as model_signing calls one file */
        hex_of(hex, l->files[i].sha256, 32);
        text_printf(out, ",\"algorithm\":\"sha256\",\"digest\":\"%s\"}", hex);
    }
    text_puts(out, "],");
    put_serialization(out, o);
    text_puts(out, "}}");
}

/* ---- reading ---- */

/* What is being read, for messages. */
struct reading {
    struct model_statement *s;
    const char *name;
    lq_error *err;
};

static bool parse_sha256(const char *hex, uint8_t digest[32])
{
    static const char digits[] = "0123456789abcdef";
    if (strlen(hex) != 64 || strspn(hex, digits) != 64)
        return false;
    for (size_t i = 0; i < 32; i++)
        digest[i] = (uint8_t)((strchr(digits, hex[2 * i]) - digits) << 4 |
                              (strchr(digits, hex[2 * i + 1]) - digits));
    return true;
}

static lq_status malformed(const struct reading *r, const char *what)
{
    return lq_fail_at(r->err, LQ_E_FORMAT, r->name, -1, "%s", what);
}

/* The field must be this text. */
static lq_status expect(const struct reading *r, const cJSON *node, const char *key,
                        const char *want, lq_status otherwise)
{
    const char *got;
    LQ_TRY(strict_string(node, key, &got, r->name, r->err));
    return strcmp(got, want) == 0
               ? LQ_OK
               : lq_fail_at(r->err, otherwise, r->name, -1,
                            "\"%s\" is \"%.80s\"; \"%s\" is supported", key, got, want);
}

static lq_status read_subject(const struct reading *r, const cJSON *list, uint8_t root[32])
{
    static const char *const fields[] = {"name", "digest", NULL};
    static const char *const digests[] = {"sha256", NULL};
    const char *hex;
    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) != 1)
        return malformed(r, "a statement about exactly one subject was expected");
    LQ_TRY(strict_object(list->child, "the subject", fields, r->name, r->err));
    LQ_TRY(strict_string(list->child, "name", &r->s->subject, r->name, r->err));
    const cJSON *const digest = cJSON_GetObjectItemCaseSensitive(list->child, "digest");
    LQ_TRY(strict_object(digest, "the digest of the subject", digests, r->name, r->err));
    LQ_TRY(strict_string(digest, "sha256", &hex, r->name, r->err));
    return parse_sha256(hex, root) ? LQ_OK : malformed(r, "the subject's SHA-256 is malformed");
}

static lq_status read_serialization(const struct reading *r, const cJSON *node)
{
    static const char *const fields[] = {"method", "hash_type", "allow_symlinks", "ignore_paths",
                                         NULL};
    const char *method;
    if (strict_string(node, "method", &method, r->name, NULL) == LQ_OK &&
        strcmp(method, "shards") == 0) /* with fields of its own */
        return lq_fail_at(r->err, LQ_E_UNSUPPORTED, r->name, -1,
                          "signs shards of files; whole files are supported");
    LQ_TRY(strict_object(node, "\"serialization\"", fields, r->name, r->err));
    LQ_TRY(expect(r, node, "method", "files", LQ_E_UNSUPPORTED));
    LQ_TRY(expect(r, node, "hash_type", "sha256", LQ_E_UNSUPPORTED));
    if (!cJSON_IsBool(cJSON_GetObjectItemCaseSensitive(node, "allow_symlinks")))
        return malformed(r, "\"allow_symlinks\" is missing, or neither true nor false");
    const cJSON *const list = cJSON_GetObjectItemCaseSensitive(node, "ignore_paths"), *c;
    if (!list)
        return LQ_OK;
    if (!cJSON_IsArray(list))
        return malformed(r, "\"ignore_paths\" is not a list");
    r->s->ignore = mem_calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof *r->s->ignore);
    if (!r->s->ignore)
        return lq_fail_memory(r->err);
    cJSON_ArrayForEach(c, list)
    {
        if (!cJSON_IsString(c) || !model_ignore_is_plain(c->valuestring))
            return malformed(r, "leaves out more than single paths within the model: an entry of "
                                "\"ignore_paths\" is empty, absolute, a pattern, \".\" or climbs");
        r->s->ignore[r->s->n_ignore++] = c->valuestring;
    }
    return LQ_OK;
}

static lq_status read_file(const struct reading *r, const cJSON *node, bool alone)
{
    struct signed_file *const f = &r->s->files[r->s->n];
    const char *hex;
    if (!cJSON_IsObject(node))
        return malformed(r, "an entry of \"resources\" is not an object");
    LQ_TRY(strict_string(node, "name", &f->name, r->name, r->err));
    if (!model_name_is_plain(f->name) && !(alone && strcmp(f->name, ".") == 0))
        return malformed(r, "a file's name is absolute, climbs, or has empty or \".\" parts");
    LQ_TRY(expect(r, node, "algorithm", "sha256", LQ_E_UNSUPPORTED));
    LQ_TRY(strict_string(node, "digest", &hex, r->name, r->err));
    if (!parse_sha256(hex, f->sha256))
        return malformed(r, "a digest is not 64 hexadecimal digits in lower case");
    r->s->n++;
    return LQ_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct signed_file *)a)->name, ((const struct signed_file *)b)->name);
}

static bool is_ordered(const struct model_statement *s, enum file_order order)
{
    for (size_t i = 1; i < s->n; i++)
        if (file_order_compare(order, s->files[i - 1].name, s->files[i].name) > 0)
            return false;
    return true;
}

static lq_status check_root(const struct reading *r, const uint8_t want[32])
{
    uint8_t root[32];
    struct sha256 *const h = sha256_new();
    if (!h)
        return lq_fail_memory(r->err);
    for (size_t i = 0; i < r->s->n; i++)
        sha256_update(h, r->s->files[i].sha256, 32);
    sha256_final(h, root);
    return memcmp(root, want, 32) == 0
               ? LQ_OK
               : lq_fail_at(r->err, LQ_E_VERIFY, r->name, -1,
                            "the digest over all files is not that of the files it lists");
}

static lq_status read_files(const struct reading *r, const cJSON *list, const uint8_t root[32])
{
    struct model_statement *const s = r->s;
    const cJSON *c;
    const int n = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;
    if (!n)
        return malformed(r, "signs no file at all");
    s->files = mem_calloc((size_t)n, sizeof *s->files);
    if (!s->files)
        return lq_fail_memory(r->err);
    cJSON_ArrayForEach(c, list) LQ_TRY(read_file(r, c, n == 1));
    LQ_TRY(check_root(r, root));
    if (!is_ordered(s, FILE_ORDER_NAME) && !is_ordered(s, FILE_ORDER_COMPONENTS))
        return malformed(r, "the files are in neither of the orders that have a meaning");
    qsort(s->files, s->n, sizeof *s->files, by_name);
    for (size_t i = 1; i < s->n; i++)
        if (strcmp(s->files[i - 1].name, s->files[i].name) == 0)
            return malformed(r, "one file is listed twice");
    return LQ_OK;
}

static lq_status read_statement(const struct reading *r)
{
    static const char *const fields[] = {"_type", "subject", "predicateType", "predicate", NULL};
    static const char *const parts[] = {"resources", "serialization", NULL};
    const cJSON *const root = r->s->root;
    uint8_t digest[32];
    LQ_TRY(strict_object(root, "the statement", fields, r->name, r->err));
    LQ_TRY(expect(r, root, "_type", STATEMENT_TYPE, LQ_E_UNSUPPORTED));
    LQ_TRY(expect(r, root, "predicateType", PREDICATE_TYPE, LQ_E_UNSUPPORTED));
    LQ_TRY(read_subject(r, cJSON_GetObjectItemCaseSensitive(root, "subject"), digest));
    const cJSON *const predicate = cJSON_GetObjectItemCaseSensitive(root, "predicate");
    LQ_TRY(strict_object(predicate, "the predicate", parts, r->name, r->err));
    LQ_TRY(read_serialization(r, cJSON_GetObjectItemCaseSensitive(predicate, "serialization")));
    return read_files(r, cJSON_GetObjectItemCaseSensitive(predicate, "resources"), digest);
}

lq_status model_statement_read(struct model_statement *s, const char *payload, size_t len,
                               const char *name, lq_error *err)
{
    const struct reading r = {s, name, err};
    struct source *source;
    LQ_TRY(source_open_memory(&source, name, payload, len, err));
    const lq_status status = strict_document(&s->root, source, err);
    source_close(source);
    return status == LQ_OK ? read_statement(&r) : status;
}

void model_statement_release(struct model_statement *s)
{
    free(s->files);
    free(s->ignore);
    cJSON_Delete(s->root);
    *s = (struct model_statement){0};
}
