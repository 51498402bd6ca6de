/* format.c -- the table of formats, and opening a model of whatever kind. */
#include "formats/format.h"

#include "formats/hf_dir.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct format *const formats[] = {
#define FORMAT(symbol) &format_##symbol,
#include "formats/formats.def"
#undef FORMAT
};

#define FORMAT_COUNT (sizeof formats / sizeof formats[0])

size_t format_count(void)
{
    return FORMAT_COUNT;
}

const struct format *format_at(size_t i)
{
    return formats[i];
}

const struct format *format_by_name(const char *name)
{
    for (size_t i = 0; i < FORMAT_COUNT; i++)
        if (strcmp(formats[i]->name, name) == 0)
            return formats[i];
    return NULL;
}

void format_shard_name(const struct format *f, struct text *out, const char *prefix, uint32_t no,
                       uint32_t count)
{
    text_printf(out, "%s-%05" PRIu32 "-of-%05" PRIu32 "%s", prefix, no + 1, count, f->extension);
}

lq_status format_add_source(struct catalog *c, struct source *source, const char *name,
                            lq_error *err)
{
    const char *const copy = arena_strdup(&c->arena, name ? name : source->name);
    struct file *const f = copy ? catalog_add_file(c) : NULL;
    if (!f) {
        source_close(source);
        return lq_fail_memory(err);
    }
    f->name = copy;
    f->source = source;
    f->size = source->size;
    return LQ_OK;
}

/* ---- recognising content ---- */

#define PICKLE      "a Python pickle, which only running it could read; get the safetensors version"
#define WEB_PAGE    "a web page, not a model: download the file itself, not its page"
#define BEFORE_GGUF "a GGML file from before GGUF (2023); convert the original model again"

/* What people have at hand instead of a model, by how it begins. */
static const struct kind {
    const char *magic;
    uint8_t len, at;
    const char *what;
} kinds[] = {
/* clang-format off */
#define KIND(magic, at, what) {magic, sizeof magic - 1, at, what}
    KIND("version https://git-lfs", 0,
         "a git-lfs pointer, not the model: the content was not downloaded (git lfs pull)"),
    KIND("<!DOCTYPE", 0, WEB_PAGE),
    KIND("<!doctype", 0, WEB_PAGE),
    KIND("<html", 0, WEB_PAGE),
    KIND("<?xml", 0, "an XML document, not a model: probably a server's error message"),
    KIND("PK\3\4", 0,
         "a zip archive: a PyTorch checkpoint, or NumPy's .npz; get the safetensors version"),
    KIND("\x80\2", 0, PICKLE),
    KIND("\x80\3", 0, PICKLE),
    KIND("\x80\4", 0, PICKLE),
    KIND("\x80\5", 0, PICKLE),
    KIND("\x89HDF", 0, "an HDF5 file (Keras), which is not supported; get the safetensors version"),
    KIND("\x93NUMPY", 0, "a NumPy array, which is not supported"),
    KIND("TFL3", 4, "a TensorFlow Lite model, which is not supported"),
    KIND("lmgg", 0, BEFORE_GGUF),
    KIND("fmgg", 0, BEFORE_GGUF),
    KIND("tjgg", 0, BEFORE_GGUF),
    KIND("algg", 0, BEFORE_GGUF),
    KIND("\x1f\x8b", 0, "compressed with gzip; unpack it first"),
    KIND("\xfd\x37zXZ", 0, "compressed with xz; unpack it first"),
    KIND("\x28\xb5\x2f\xfd", 0, "compressed with zstd; unpack it first"),
    KIND("7z\xbc\xaf", 0, "a 7-Zip archive; unpack it first"),
    KIND("Rar!", 0, "a RAR archive; unpack it first"),
#undef KIND
    /* clang-format on */
};

static lq_status read_head(struct source *s, char head[FORMAT_PROBE_BYTES], size_t *n,
                           lq_error *err)
{
    *n = s->size < FORMAT_PROBE_BYTES ? (size_t)s->size : FORMAT_PROBE_BYTES;
    if (*n == 0)
        return lq_fail_at(err, LQ_E_FORMAT, s->name, -1, "the file is empty");
    return source_read(s, head, *n, 0, err);
}

static lq_status unrecognised(const struct source *s, const char *head, size_t n, lq_error *err)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct kind *const k = &kinds[i];
        if (n >= (size_t)k->at + k->len && memcmp(head + k->at, k->magic, k->len) == 0)
            return lq_fail_at(err, LQ_E_UNSUPPORTED, s->name, -1, "%s", k->what);
    }
    for (size_t i = 0; i < FORMAT_COUNT; i++)
        if (formats[i]->extension && text_ends_with(s->name, formats[i]->extension))
            return lq_fail_at(err, LQ_E_UNSUPPORTED, s->name, -1,
                              "named like a %s file, but does not begin like one; it is damaged or "
                              "something else",
                              formats[i]->name);
    return lq_fail_at(err, LQ_E_UNSUPPORTED, s->name, -1,
                      "not a model in a format that is known here; `lq help formats` lists them");
}

lq_status format_require(const struct format *f, struct source *s, lq_error *err)
{
    char head[FORMAT_PROBE_BYTES];
    size_t n;
    LQ_TRY(read_head(s, head, &n, err));
    return f->probe(head, n) > 0 ? LQ_OK : unrecognised(s, head, n, err);
}

static lq_status recognise(struct source *s, const struct format **out, lq_error *err)
{
    char head[FORMAT_PROBE_BYTES];
    size_t n;
    int best = 0;
    *out = NULL;
    LQ_TRY(read_head(s, head, &n, err));
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        const int score = formats[i]->probe ? formats[i]->probe(head, n) : 0;
        if (score > best) {
            best = score;
            *out = formats[i];
        }
    }
    return *out ? LQ_OK : unrecognised(s, head, n, err);
}

/* ---- opening ---- */

lq_status model_open_source(struct catalog *c, struct source *source, struct resolver *siblings,
                            lq_error *err)
{
    const struct format *f = NULL;
    c->path = arena_strdup(&c->arena, source->name);
    lq_status status = c->path ? recognise(source, &f, err) : lq_fail_memory(err);
    if (status != LQ_OK)
        source_close(source);
    else
        status = f->open(c, source, siblings, err);
    if (status == LQ_OK)
        status = catalog_index(c, err);
    if (status != LQ_OK)
        catalog_release(c);
    return status;
}

/* The folder that a path's last part is in, as text the caller frees; NULL when out of memory. */
static char *folder_of(const char *path)
{
    const char *const slash = strrchr(path, '/');
    return !slash          ? strdup(".")
           : slash == path ? strdup("/")
                           : strndup(path, (size_t)(slash - path));
}

static lq_status open_siblings(struct resolver **out, const char *path, lq_error *err)
{
    char *const folder = path_is_folder(path) ? strdup(path) : folder_of(path);
    if (!folder)
        return lq_fail_memory(err);
    const lq_status status = resolver_open_folder(out, folder, err);
    free(folder);
    return status;
}

lq_status model_open(struct catalog *c, const char *path, lq_error *err)
{
    struct source *source;
    struct resolver *siblings;
    if (path_is_folder(path)) {
        lq_status status = hf_dir_open_folder(c, path, err);
        if (status == LQ_OK)
            status = catalog_index(c, err);
        if (status != LQ_OK)
            catalog_release(c);
        return status;
    }
    LQ_TRY(source_open_file(&source, path, err));
    lq_status status = open_siblings(&siblings, path, err);
    if (status != LQ_OK) {
        source_close(source);
        return status;
    }
    status = model_open_source(c, source, siblings, err);
    resolver_close(siblings);
    return status;
}

lq_status model_siblings(const struct catalog *c, struct resolver **out, lq_error *err)
{
    return open_siblings(out, c->path, err);
}
