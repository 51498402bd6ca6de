/* tokenizer_open.c -- finds a tokenizer. */
#include "libquant/model/tokenizer_open.h"

#include "formats/format.h"
#include "libquant/base/text.h"
#include "libquant/model/tokenizer_json.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static lq_status from_json(struct tokenizer *t, struct source *s, lq_error *err)
{
    t->source = "tokenizer.json";
    const lq_status status = tokenizer_json_read(&t->json, s, err);
    source_close(s);
    LQ_TRY(status);
    return encoder_from_json(&t->encoder, t->json, err);
}

static lq_status from_metadata(struct tokenizer *t, const char *path, lq_error *err)
{
    t->source = "GGUF metadata";
    if (!t->catalog.path)
        t->catalog.path = path;
    return encoder_from_metadata(&t->encoder, &t->catalog, err);
}

/* What the architecture says of the other files, as metadata. */
static lq_status from_config(struct tokenizer *t, const char *path, lq_error *err)
{
    struct tokenizer_json *json;
    LQ_TRY(model_open_config(&t->model, path, err));
    LQ_TRY(model_tokenizer_json(&t->model, &json, err));
    if (json) { /* from vocab.json and merges.txt; it stays the model's */
        t->source = "vocab.json and merges.txt";
        return encoder_from_json(&t->encoder, json, err);
    }
    LQ_TRY(t->model.arch->vocab(&t->model, &t->catalog, err));
    LQ_TRY(from_metadata(t, path, err));
    t->source = "the tokenizer's files";
    return LQ_OK;
}

static bool has(const char *folder, const char *name)
{
    struct stat st;
    struct text path = {0};
    text_printf(&path, "%s/%s", folder, name);
    const bool found = !path.failed && stat(path.data, &st) == 0;
    text_free(&path);
    return found;
}

static lq_status from_folder(struct tokenizer *t, const char *path, lq_error *err)
{
    struct resolver *files;
    struct source *s;
    if (!has(path, "tokenizer.json") && has(path, "config.json"))
        return from_config(t, path, err);
    if (!has(path, "tokenizer.json")) {
        LQ_TRY(model_open(&t->catalog, path, err)); /* a folder that holds one model file */
        return from_metadata(t, path, err);
    }
    LQ_TRY(resolver_open_folder(&files, path, err));
    lq_status status = files->open(files, "tokenizer.json", &s, err);
    if (status == LQ_OK)
        status = from_json(t, s, err);
    resolver_close(files);
    return status;
}

lq_status tokenizer_open(struct tokenizer *t, const char *path, lq_error *err)
{
    struct stat st;
    struct source *s;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return from_folder(t, path, err);
    if (text_ends_with(path, ".json")) {
        LQ_TRY(source_open_file(&s, path, err));
        return from_json(t, s, err);
    }
    LQ_TRY(model_open(&t->catalog, path, err));
    if (t->catalog.format == &format_gguf)
        return from_metadata(t, path, err);
    const char *const slash = strrchr(path, '/');
    char *const folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    const lq_status status = folder ? from_folder(t, folder, err) : lq_fail_memory(err);
    free(folder);
    return status;
}

void tokenizer_close(struct tokenizer *t)
{
    encoder_free(t->encoder);
    tokenizer_json_free(t->json);
    catalog_release(&t->catalog);
    model_close(&t->model);
    memset(t, 0, sizeof *t);
}
