/* pretokenizer.c -- names the way in which a tokenizer cuts texts into words, from its definition.
 *
 * Steps are written one a line:
 *   bytes              ByteLevel with GPT-2's pattern      digits / digits together
 *   split BEHAVIOUR PATTERN        (also "split-inverted")  punctuation BEHAVIOUR
 *   anything else by its own name, in lower case
 * ByteLevel without its pattern cuts nothing and is not written.
 */
#include "libquant/base/text.h"
#include "libquant/model/tokenizer_json.h"
#include "libquant/model/vocab.h"

#include <cjson/cJSON.h>
#include <string.h>

static const struct {
    const char *name, *arch;
    int ignore_merges;
    const char *steps;
} known[] = {
#define PRE(name, arch, ignore_merges, steps) {name, arch, ignore_merges, steps},
#include "libquant/model/pretokenizers.def"
#undef PRE
};

static const cJSON *get(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static void put_lower(struct text *t, const char *s)
{
    for (; s && *s; s++)
        text_putc(t, ascii_lower(*s));
}

static void line(struct text *t)
{
    if (t->len)
        text_putc(t, '\n');
}

static void put_split(struct text *t, const cJSON *step)
{
    const cJSON *const pattern = get(step, "pattern");
    const char *const regex = cJSON_GetStringValue(get(pattern, "Regex"));
    const char *const string = cJSON_GetStringValue(get(pattern, "String"));
    line(t);
    text_puts(t, cJSON_IsTrue(get(step, "invert")) ? "split-inverted " : "split ");
    put_lower(t, cJSON_GetStringValue(get(step, "behavior")));
    text_puts(t, regex ? " " : " string ");
    text_puts(t, regex ? regex : string ? string : "");
}

static void put_step(struct text *t, const cJSON *step)
{
    const char *const type = cJSON_GetStringValue(get(step, "type"));
    if (!type)
        return;
    if (strcmp(type, "Sequence") == 0) {
        const cJSON *part;
        cJSON_ArrayForEach(part, get(step, "pretokenizers"))
            put_step(t, part);
    } else if (strcmp(type, "Split") == 0) {
        put_split(t, step);
    } else if (strcmp(type, "ByteLevel") == 0) {
        if (!cJSON_IsFalse(get(step, "use_regex"))) {
            line(t);
            text_puts(t, "bytes");
        }
    } else {
        line(t);
        put_lower(t, type);
        if (strcmp(type, "Digits") == 0 && !cJSON_IsTrue(get(step, "individual_digits")))
            text_puts(t, " together");
        if (strcmp(type, "Punctuation") == 0) {
            text_putc(t, ' ');
            put_lower(t, cJSON_GetStringValue(get(step, "behavior")));
        }
    }
}

/* A row for the architecture goes before one for all. */
static const char *find(const char *steps, const char *arch, bool ignore_merges)
{
    const char *name = NULL;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].steps, steps) != 0 ||
            (known[i].ignore_merges >= 0 && known[i].ignore_merges != ignore_merges))
            continue;
        if (strcmp(known[i].arch, arch) == 0)
            return known[i].name;
        if (!name && !*known[i].arch)
            name = known[i].name;
    }
    return name;
}

lq_status pretokenizer_name(struct model *m, const char **name, lq_error *err)
{
    struct tokenizer_json *t;
    LQ_TRY(model_tokenizer_json(m, &t, err));
    struct text steps = {0};
    if (t)
        put_step(&steps, t->pre_tokenizer);
    text_put(&steps, "", 0);
    if (steps.failed)
        return lq_fail_memory(err);
    *name = find(steps.data, m->arch->name, t && t->ignore_merges);
    if (!*name)
        lq_fail_at(err, LQ_E_UNSUPPORTED, "tokenizer.json", -1,
                   "cuts texts in a way that has no name in GGUF (tokenizer.ggml.pre), so that no "
                   "program would cut them the same way: %.400s",
                   steps.len ? steps.data : "(nothing)");
    text_free(&steps);
    return *name ? LQ_OK : LQ_E_UNSUPPORTED;
}

const char *pretokenizer_steps(const char *name)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].steps;
    return NULL;
}
