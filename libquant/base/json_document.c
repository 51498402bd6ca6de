/* json_document.c -- small JSON documents as trees. The only file that decides how cJSON is used. */
#include "libquant/base/json.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

enum { DOCUMENT_LIMIT = 16 << 20 };

static int by_key(const void *a, const void *b)
{
    return strcmp((*(const cJSON *const *)a)->string, (*(const cJSON *const *)b)->string);
}

/* The first key that an object at or below `node` holds twice, or NULL. Two readers of such a
 * document may see two different models. */
static const char *duplicate_key(const cJSON *node)
{
    size_t n = 0;
    for (const cJSON *c = node->child; c; c = c->next, n++) {
        const char *const below = duplicate_key(c);
        if (below)
            return below;
    }
    if (!cJSON_IsObject(node) || n < 2)
        return NULL;
    const cJSON **const keys = malloc(n * sizeof *keys);
    if (!keys)
        return "(out of memory)";
    size_t i = 0;
    for (const cJSON *c = node->child; c; c = c->next)
        keys[i++] = c;
    qsort(keys, n, sizeof *keys, by_key);
    const char *found = NULL;
    for (i = 1; i < n && !found; i++)
        if (strcmp(keys[i - 1]->string, keys[i]->string) == 0)
            found = keys[i]->string;
    free(keys);
    return found;
}

/* The pull parser goes first: it knows the grammar to the letter, bounds the depth (which bounds
 * the recursion here and in cJSON), and says where a document is wrong. */
static lq_status check_grammar(struct source *s, lq_error *err)
{
    struct json j;
    LQ_TRY(json_open(&j, s, 0, s->size, 0, err));
    lq_status status = json_expect(&j, JSON_OBJECT, "the document");
    if (status == LQ_OK)
        status = json_skip_rest(&j, JSON_OBJECT);
    if (status == LQ_OK)
        status = json_expect(&j, JSON_END, "after the document");
    json_close(&j);
    return status;
}

lq_status json_document(struct cJSON **out, struct source *s, lq_error *err)
{
    *out = NULL;
    char *data;
    size_t len;
    LQ_TRY(source_read_all(s, DOCUMENT_LIMIT, &data, &len, err));
    lq_status status = check_grammar(s, err);
    cJSON *root = NULL;
    if (status == LQ_OK && !(root = cJSON_ParseWithLength(data, len)))
        status = lq_fail_at(err, LQ_E_FORMAT, s->name, -1, "cannot be read as JSON");
    free(data);
    const char *const twice = root ? duplicate_key(root) : NULL;
    if (twice) {
        status = lq_fail_at(err, LQ_E_FORMAT, s->name, -1, "the key \"%.100s\" appears twice",
                            twice);
        cJSON_Delete(root);
        root = NULL;
    }
    *out = root;
    return status;
}
