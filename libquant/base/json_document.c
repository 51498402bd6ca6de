/* json_document.c -- small JSON documents as trees. The only file that decides how cJSON is used. */
#include "libquant/base/json.h"

#include "libquant/base/memory.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

enum { DOCUMENT_LIMIT = 16 << 20 };

static int by_key(const void *a, const void *b)
{
    return strcmp((*(const cJSON *const *)a)->string, (*(const cJSON *const *)b)->string);
}

/* Refuses an object at or below `node` that holds a key twice: two readers of such a document may
 * see two different models. The recursion is as deep as the document, at most JSON_DEPTH. */
static lq_status refuse_duplicates(const cJSON *node, const char *name, lq_error *err)
{
    size_t n = 0;
    for (const cJSON *c = node->child; c; c = c->next, n++)
        LQ_TRY(refuse_duplicates(c, name, err));
    if (!cJSON_IsObject(node) || n < 2)
        return LQ_OK;
    const cJSON **const keys = mem_calloc(n, sizeof *keys);
    if (!keys)
        return lq_fail_memory(err);
    size_t i = 0;
    for (const cJSON *c = node->child; c; c = c->next)
        keys[i++] = c;
    qsort(keys, n, sizeof *keys, by_key);
    lq_status status = LQ_OK;
    for (i = 1; i < n && status == LQ_OK; i++)
        if (strcmp(keys[i - 1]->string, keys[i]->string) == 0)
            status = lq_fail_at(err, LQ_E_FORMAT, name, -1, "the key \"%.100s\" appears twice",
                                keys[i]->string);
    free(keys);
    return status;
}

/* The pull parser goes first: it knows the grammar to the letter, bounds the depth (which bounds
 * the recursion here and in cJSON), and says where a document is wrong. A NUL, which would end a string
 * of cJSON's, is refused. */
static lq_status check_grammar(struct source *s, lq_error *err)
{
    struct json j;
    LQ_TRY(json_open(&j, s, 0, s->size, 0, err));
    lq_status status = json_expect(&j, JSON_OBJECT, "the document");
    for (enum json_event e = JSON_OBJECT; status == LQ_OK && e != JSON_END;) {
        e = json_next(&j);
        if (e == JSON_ERROR)
            status = json_status(&j);
        else if ((e == JSON_KEY || e == JSON_STRING) && memchr(j.token.data, '\0', j.token.len))
            status = json_fail(&j, "a NUL in a string");
    }
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
    if (root)
        status = refuse_duplicates(root, s->name, err);
    if (status != LQ_OK) {
        cJSON_Delete(root);
        root = NULL;
    }
    *out = root;
    return status;
}
