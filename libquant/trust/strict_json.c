/* strict_json.c -- reading signed JSON. */
#include "libquant/trust/strict_json.h"

#include "libquant/base/json.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

/* ---- Base64 ---- */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_put(struct text *out, const void *data, size_t n)
{
    const uint8_t *const p = data;
    for (size_t i = 0; i < n; i += 3) {
        const size_t left = n - i < 3 ? n - i : 3;
        const uint32_t v = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
                           (left > 2 ? p[i + 2] : 0);
        const char quad[4] = {alphabet[v >> 18], alphabet[v >> 12 & 63],
                              left > 1 ? alphabet[v >> 6 & 63] : '=',
                              left > 2 ? alphabet[v & 63] : '='};
        text_put(out, quad, 4);
    }
}

bool base64_strict(struct text *out, const char *text, size_t n)
{
    if (n % 4 != 0)
        return false;
    for (size_t i = 0; i < n; i += 4) {
        const size_t pad = i + 4 < n ? 0 : (size_t)(text[i + 3] == '=') + (text[i + 2] == '=');
        uint32_t v = 0;
        for (size_t k = 0; k < 4 - pad; k++) {
            const char *const at = text[i + k] ? strchr(alphabet, text[i + k]) : NULL;
            if (!at)
                return false;
            v |= (uint32_t)(at - alphabet) << (18 - 6 * k);
        }
        if ((pad == 1 && text[i + 3] != '=') || (pad == 2 && text[i + 3] != '='))
            return false;
        if (pad && v & (pad == 1 ? 0xff : 0xffff)) /* bits that no byte has */
            return false;
        const char bytes[3] = {(char)(v >> 16 & 0xff), (char)(v >> 8 & 0xff), (char)(v & 0xff)};
        text_put(out, bytes, 3 - pad);
    }
    return true;
}

/* ---- documents ---- */

/* cJSON's strings end at a NUL: a reader that goes on would see other text. */
static bool has_nul(const char *data, size_t len)
{
    for (size_t i = 0; i + 1 < len; i++)
        if (data[i] == '\\') {
            if (len - i >= 6 && memcmp(data + i + 1, "u0000", 5) == 0)
                return true;
            i++;
        }
    return false;
}

lq_status strict_document(struct cJSON **out, struct source *s, lq_error *err)
{
    char *data = NULL;
    size_t len;
    LQ_TRY(json_document(out, s, err));
    lq_status status = source_read_all(s, s->size, &data, &len, err);
    if (status == LQ_OK && has_nul(data, len))
        status = lq_fail_at(err, LQ_E_FORMAT, s->name, -1, "a NUL character in a string");
    free(data);
    if (status != LQ_OK) {
        cJSON_Delete(*out);
        *out = NULL;
    }
    return status;
}

lq_status strict_object(const struct cJSON *node, const char *what, const char *const *fields,
                        const char *name, lq_error *err)
{
    if (!cJSON_IsObject(node))
        return lq_fail_at(err, LQ_E_FORMAT, name, -1, "%s is missing, or not an object", what);
    for (const cJSON *c = node->child; c; c = c->next) {
        const char *const *f = fields;
        while (*f && strcmp(*f, c->string) != 0)
            f++;
        if (!*f)
            return lq_fail_at(err, LQ_E_FORMAT, name, -1, "%s has an unknown field \"%.60s\"", what,
                              c->string);
    }
    return LQ_OK;
}

lq_status strict_string(const struct cJSON *node, const char *key, const char **out,
                        const char *name, lq_error *err)
{
    const cJSON *const c = cJSON_GetObjectItemCaseSensitive(node, key);
    if (!cJSON_IsString(c) || !c->valuestring[0])
        return lq_fail_at(err, LQ_E_FORMAT, name, -1, "\"%s\" is missing, empty or not text", key);
    *out = c->valuestring;
    return LQ_OK;
}

lq_status strict_base64(const struct cJSON *node, const char *key, struct text *out,
                        const char *name, lq_error *err)
{
    const char *text = NULL;
    LQ_TRY(strict_string(node, key, &text, name, err));
    if (!base64_strict(out, text, strlen(text)))
        return lq_fail_at(err, LQ_E_FORMAT, name, -1, "\"%s\" is not Base64 in its standard form",
                          key);
    return out->failed ? lq_fail_memory(err) : LQ_OK;
}
