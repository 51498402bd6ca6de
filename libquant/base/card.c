/* card.c -- front matter of model cards, by libyaml's event parser: no types are constructed, sizes
 * are bounded, and anchors cannot multiply. */
#include "libquant/base/card.h"

#include "libquant/base/memory.h"
#include "libquant/base/text.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { CARD_LIMIT = 16 << 20, FRONT_MATTER_LIMIT = 1 << 20, NODE_LIMIT = 100000, DEPTH_LIMIT = 64 };

struct anchor {
    char *name;
    const cJSON *node;
};

struct builder {
    yaml_parser_t parser;
    const char *file;
    size_t first_line; /* of the front matter within the file */
    size_t nodes;
    struct anchor *anchors;
    size_t n_anchors, cap_anchors;
    lq_error *err;
};

static lq_status bad(struct builder *b, size_t line, const char *what)
{
    return lq_fail_at(b->err, LQ_E_FORMAT, b->file, -1, "line %zu: %s", b->first_line + line + 1,
                      what);
}

static lq_status next(struct builder *b, yaml_event_t *e)
{
    if (yaml_parser_parse(&b->parser, e))
        return LQ_OK;
    if (b->parser.error == YAML_MEMORY_ERROR)
        return lq_fail_memory(b->err);
    return bad(b, b->parser.problem_mark.line,
               b->parser.problem ? b->parser.problem : "not valid YAML");
}

static bool is_one_of(const char *s, const char *words)
{
    const size_t len = strlen(s);
    for (const char *at = strstr(words, s); len && at; at = strstr(at + 1, s))
        if ((at == words || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
            return true;
    return false;
}

static cJSON *scalar(const yaml_event_t *e)
{
    const char *const s = (const char *)e->data.scalar.value;
    if (e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return cJSON_CreateString(s);
    if (!*s || is_one_of(s, "~ null Null NULL"))
        return cJSON_CreateNull();
    if (is_one_of(s, "true True TRUE"))
        return cJSON_CreateTrue();
    if (is_one_of(s, "false False FALSE"))
        return cJSON_CreateFalse();
    return cJSON_CreateString(s);
}

static size_t count_nodes(const cJSON *node)
{
    size_t n = 1;
    for (const cJSON *c = node->child; c; c = c->next)
        n += count_nodes(c);
    return n;
}

static lq_status remember(struct builder *b, const yaml_char_t *name, const cJSON *node)
{
    if (!name)
        return LQ_OK;
    if (!mem_grow((void **)&b->anchors, &b->cap_anchors, b->n_anchors, sizeof *b->anchors))
        return lq_fail_memory(b->err);
    char *const copy = strdup((const char *)name);
    if (!copy)
        return lq_fail_memory(b->err);
    b->anchors[b->n_anchors++] = (struct anchor){copy, node};
    return LQ_OK;
}

/* A copy of what the alias stands for, within the budget. */
static lq_status alias(struct builder *b, const yaml_event_t *e, cJSON **out)
{
    const char *const name = (const char *)e->data.alias.anchor;
    for (size_t i = b->n_anchors; i-- > 0;)
        if (strcmp(b->anchors[i].name, name) == 0) {
            b->nodes += count_nodes(b->anchors[i].node);
            if (b->nodes > NODE_LIMIT)
                return bad(b, e->start_mark.line, "aliases make it too large");
            *out = cJSON_Duplicate(b->anchors[i].node, true);
            return *out ? LQ_OK : lq_fail_memory(b->err);
        }
    return bad(b, e->start_mark.line, "an alias of nothing");
}

static lq_status build(struct builder *b, const yaml_event_t *e, int depth, cJSON **out);

static lq_status sequence(struct builder *b, cJSON *list, int depth)
{
    for (;;) {
        yaml_event_t e;
        cJSON *item = NULL;
        LQ_TRY(next(b, &e));
        const bool end = e.type == YAML_SEQUENCE_END_EVENT;
        const lq_status status = end ? LQ_OK : build(b, &e, depth, &item);
        yaml_event_delete(&e);
        if (end || status != LQ_OK)
            return status;
        cJSON_AddItemToArray(list, item);
    }
}

/* One key and its value. */
static lq_status pair(struct builder *b, cJSON *map, const yaml_event_t *key, int depth)
{
    yaml_event_t e;
    cJSON *value = NULL;
    if (key->type != YAML_SCALAR_EVENT)
        return bad(b, key->start_mark.line, "a key that is no plain text");
    const char *const name = (const char *)key->data.scalar.value;
    LQ_TRY(next(b, &e));
    const lq_status status = build(b, &e, depth, &value);
    yaml_event_delete(&e);
    LQ_TRY(status);
    /* Not deleted at once: an anchor may point to it. */
    cJSON *const old = cJSON_GetObjectItemCaseSensitive(map, name);
    if (old) {
        free(old->string);
        old->string = strdup("");
    }
    if (!cJSON_AddItemToObject(map, name, value)) {
        cJSON_Delete(value);
        return lq_fail_memory(b->err);
    }
    return LQ_OK;
}

static lq_status mapping(struct builder *b, cJSON *map, int depth)
{
    for (;;) {
        yaml_event_t key;
        LQ_TRY(next(b, &key));
        const bool end = key.type == YAML_MAPPING_END_EVENT;
        const lq_status status = end ? LQ_OK : pair(b, map, &key, depth);
        yaml_event_delete(&key);
        if (end || status != LQ_OK)
            return status;
    }
}

/* The value that begins with the event e. */
static lq_status build(struct builder *b, const yaml_event_t *e, int depth, cJSON **out)
{
    lq_status status = LQ_OK;
    const yaml_char_t *anchor = NULL;
    if (++b->nodes > NODE_LIMIT || depth == DEPTH_LIMIT)
        return bad(b, e->start_mark.line, "larger or deeper than any model card");
    switch (e->type) {
    case YAML_ALIAS_EVENT: return alias(b, e, out);
    case YAML_SCALAR_EVENT:
        *out = scalar(e);
        anchor = e->data.scalar.anchor;
        break;
    case YAML_SEQUENCE_START_EVENT:
        *out = cJSON_CreateArray();
        status = *out ? sequence(b, *out, depth + 1) : LQ_OK;
        anchor = e->data.sequence_start.anchor;
        break;
    case YAML_MAPPING_START_EVENT:
        *out = cJSON_CreateObject();
        status = *out ? mapping(b, *out, depth + 1) : LQ_OK;
        anchor = e->data.mapping_start.anchor;
        break;
    default: return bad(b, e->start_mark.line, "a value was expected");
    }
    if (!*out)
        return lq_fail_memory(b->err);
    if (status == LQ_OK)
        status = remember(b, anchor, *out);
    if (status != LQ_OK) {
        cJSON_Delete(*out);
        *out = NULL;
    }
    return status;
}

/* The document: anything but a mapping counts as no front matter. */
static lq_status document(struct builder *b, cJSON **out)
{
    for (;;) {
        yaml_event_t e;
        LQ_TRY(next(b, &e));
        const yaml_event_type_t type = e.type;
        lq_status status = LQ_OK;
        if (type == YAML_SCALAR_EVENT || type == YAML_SEQUENCE_START_EVENT ||
            type == YAML_MAPPING_START_EVENT || type == YAML_ALIAS_EVENT)
            status = build(b, &e, 0, out);
        yaml_event_delete(&e);
        LQ_TRY(status);
        if (*out || type == YAML_STREAM_END_EVENT)
            break;
    }
    if (*out && !cJSON_IsObject(*out)) {
        cJSON_Delete(*out);
        *out = NULL;
    }
    return LQ_OK;
}

/* Drops the keys that a later one replaced. */
static void drop_replaced(cJSON *node)
{
    for (cJSON *c = node->child; c;) {
        cJSON *const next_one = c->next;
        if (cJSON_IsObject(node) && c->string && !*c->string)
            cJSON_Delete(cJSON_DetachItemViaPointer(node, c));
        else
            drop_replaced(c);
        c = next_one;
    }
}

static lq_status parse(cJSON **out, const struct text *yaml, const char *name, size_t first_line,
                       lq_error *err)
{
    struct builder b = {.file = name, .first_line = first_line, .err = err};
    if (!yaml_parser_initialize(&b.parser))
        return lq_fail_memory(err);
    yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&b.parser, (const unsigned char *)yaml->data, yaml->len);
    const lq_status status = document(&b, out);
    yaml_parser_delete(&b.parser);
    for (size_t i = 0; i < b.n_anchors; i++)
        free(b.anchors[i].name);
    free(b.anchors);
    if (status != LQ_OK) {
        cJSON_Delete(*out);
        *out = NULL;
    } else if (*out) {
        drop_replaced(*out);
    }
    return status;
}

/* Length of the line at s, without its end; *step also counts the end (\n, \r\n, \r). */
static size_t line_length(const char *s, size_t len, size_t *step)
{
    size_t n = 0;
    while (n < len && s[n] != '\n' && s[n] != '\r')
        n++;
    *step = n + (n < len) + (n + 1 < len && s[n] == '\r' && s[n + 1] == '\n');
    return n;
}

static bool is_rule(const char *line, size_t len)
{
    return len == 3 && memcmp(line, "---", 3) == 0;
}

lq_status card_parse(cJSON **out, const char *text, size_t len, const char *name, lq_error *err)
{
    *out = NULL;
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        len -= 3;
    }
    size_t step, n = line_length(text, len, &step);
    if (!is_rule(text, n))
        return LQ_OK;
    struct text yaml = {0};
    while (len -= step, text += step, len) {
        n = line_length(text, len, &step);
        if (is_rule(text, n))
            break;
        /* Tabs are no indentation in YAML, but cards in circulation have them. */
        for (size_t i = 0; i < n; i++)
            text_put(&yaml, text[i] == '\t' ? "  " : text + i, text[i] == '\t' ? 2 : 1);
        text_putc(&yaml, '\n');
        if (yaml.len > FRONT_MATTER_LIMIT)
            break;
    }
    lq_status status = LQ_OK;
    if (yaml.failed)
        status = lq_fail_memory(err);
    else if (yaml.len > FRONT_MATTER_LIMIT)
        status = lq_fail_at(err, LQ_E_FORMAT, name, -1, "the front matter is larger than 1 MiB");
    else if (yaml.len)
        status = parse(out, &yaml, name, 1, err);
    text_free(&yaml);
    return status;
}

lq_status card_read(cJSON **out, struct resolver *files, lq_error *err)
{
    *out = NULL;
    if (!files->exists(files, "README.md"))
        return LQ_OK;
    struct source *s;
    char *data;
    size_t len;
    LQ_TRY(files->open(files, "README.md", &s, err));
    lq_status status = source_read_all(s, CARD_LIMIT, &data, &len, err);
    if (status == LQ_OK) {
        status = card_parse(out, data, len, s->name, err);
        free(data);
    }
    source_close(s);
    return status;
}
