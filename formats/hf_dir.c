/* hf_dir.c -- a model as a folder: which of its files are the model.
 *
 * What the folder has beside tensors (configuration, tokenizer, card) is read by others, through
 * model_siblings. Checkpoints that are pickles (pytorch_model.bin) are never opened.
 */
#include "formats/hf_dir.h"

#include "formats/format.h"
#include "formats/hf_index.h"
#include "formats/safetensors.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- choosing ---- */

/* What a folder has that could be its model. Shards count as their first file or index. */
struct choice {
    struct resolver *folder;
    struct arena arena;
    const char **names;
    size_t n, cap;
    const char *orphan; /* a safetensors shard without index */
    const char *other;  /* a checkpoint in a format that is not read */
    bool failed;        /* out of memory */
};

static bool is_unread_checkpoint(const char *name)
{
    static const char *const suffixes[] = {
        ".bin", ".pt", ".pth", ".ckpt", ".h5", ".keras", ".msgpack", ".onnx", ".npz", ".pdparams",
    };
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
        if (text_ends_with(name, suffixes[i]))
            return true;
    return false;
}

/* "...-00002-of-00003.gguf", but not the first */
static bool is_later_gguf(const char *name)
{
    static const char form[] = "-#####-of-#####.gguf";
    const size_t n = strlen(name), m = sizeof form - 1;
    if (n < m)
        return false;
    for (size_t i = 0; i < m; i++) {
        const char c = name[n - m + i];
        if (form[i] == '#' ? c < '0' || c > '9' : c != form[i])
            return false;
    }
    return strncmp(name + n - m + 1, "00001", 5) != 0;
}

static void add_name(struct choice *x, const char *name)
{
    const char *const copy = arena_strdup(&x->arena, name);
    if (!copy || !mem_grow((void **)&x->names, &x->cap, x->n, sizeof *x->names)) {
        x->failed = true;
        return;
    }
    x->names[x->n++] = copy;
}

static void look_at(void *ctx, const char *name)
{
    struct choice *const x = ctx;
    struct text index = {0};
    if (text_ends_with(name, ".safetensors.index.json") ||
        (text_ends_with(name, ".gguf") && !is_later_gguf(name))) {
        add_name(x, name);
    } else if (text_ends_with(name, ".safetensors")) {
        if (!safetensors_index_name(&index, name))
            add_name(x, name);
        else if (index.failed)
            x->failed = true;
        else if (!x->folder->exists(x->folder, index.data) && !x->orphan)
            x->orphan = arena_strdup(&x->arena, name);
    } else if (is_unread_checkpoint(name) && !x->other) {
        x->other = arena_strdup(&x->arena, name);
    }
    text_free(&index);
}

static const char *find_name(const struct choice *x, const char *name)
{
    for (size_t i = 0; i < x->n; i++)
        if (strcmp(x->names[i], name) == 0)
            return x->names[i];
    return NULL;
}

static lq_status fail_none(const struct choice *x, const char *path, lq_error *err)
{
    if (x->orphan)
        return lq_fail_at(err, LQ_E_MODEL, path, -1,
                          "holds %.100s, but not the index (.safetensors.index.json) that says "
                          "which files belong together; is the download complete?",
                          x->orphan);
    if (x->other)
        return lq_fail_at(err, LQ_E_UNSUPPORTED, path, -1,
                          "holds a model only as %.100s, which is not read here; look for a "
                          "safetensors version of it",
                          x->other);
    return lq_fail_at(err, LQ_E_UNSUPPORTED, path, -1,
                      "holds no model: no .safetensors and no .gguf file");
}

static lq_status fail_several(const struct choice *x, const char *path, lq_error *err)
{
    struct text list = {0};
    for (size_t i = 0; i < x->n && i < 4; i++)
        text_printf(&list, "%s%.100s", i ? ", " : "", x->names[i]);
    if (x->n > 4)
        text_puts(&list, ", ...");
    const lq_status status =
        list.failed ? lq_fail_memory(err)
                    : lq_fail_at(err, LQ_E_MODEL, path, -1,
                                 "holds several models; name the one that is meant: %s", list.data);
    text_free(&list);
    return status;
}

/* The file that stands for the model. Names that Hugging Face's own loader looks for go before
 * others, such as the consolidated.safetensors that some models have besides. */
static lq_status choose(struct choice *x, const char *path, const char **name, lq_error *err)
{
    LQ_TRY(x->folder->list(x->folder, "", look_at, x, err));
    if (x->failed)
        return lq_fail_memory(err);
    const char *const single = find_name(x, "model.safetensors");
    const char *const index = find_name(x, "model.safetensors.index.json");
    if (single && index)
        return lq_fail_at(err, LQ_E_MODEL, path, -1,
                          "holds both model.safetensors and model.safetensors.index.json, which "
                          "may be two models; name the file that is meant");
    *name = single ? single : index ? index : x->n == 1 ? x->names[0] : NULL;
    if (*name)
        return LQ_OK;
    return x->n ? fail_several(x, path, err) : fail_none(x, path, err);
}

/* ---- a Hugging Face cache entry ---- */

static bool is_commit(const char *s, size_t n)
{
    return n == 40 && strspn(s, "0123456789abcdef") >= 40;
}

/* Sets `revision` to what refs/main says, or leaves it empty where there is none. */
static lq_status read_ref(const char *entry, struct text *revision, lq_error *err)
{
    struct text path = {0};
    text_printf(&path, "%s/refs/main", entry);
    struct stat st;
    struct source *s = NULL;
    char *data = NULL;
    size_t n = 0;
    lq_status status = LQ_OK;
    if (path.failed)
        status = lq_fail_memory(err);
    else if (stat(path.data, &st) == 0)
        status = source_open_file(&s, path.data, err);
    if (s) {
        status = source_read_all(s, 256, &data, &n, err);
        while (status == LQ_OK && n && (data[n - 1] == '\n' || data[n - 1] == ' '))
            n--;
        if (status == LQ_OK && !is_commit(data, n))
            status = lq_fail_at(err, LQ_E_FORMAT, path.data, -1, "not a commit (40 hex digits)");
        else if (status == LQ_OK)
            text_put(revision, data, n);
    }
    free(data);
    source_close(s);
    text_free(&path);
    return status;
}

static lq_status only_snapshot(const char *snapshots, struct text *revision, lq_error *err)
{
    DIR *const dir = opendir(snapshots);
    size_t n = 0;
    if (!dir)
        return lq_fail_errno(err, snapshots, "cannot list");
    for (const struct dirent *e; (e = readdir(dir));)
        if (e->d_name[0] != '.' && n++ == 0)
            text_puts(revision, e->d_name);
    closedir(dir);
    if (n != 1)
        return lq_fail_at(err, LQ_E_MODEL, snapshots, -1,
                          "%zu snapshots and no refs/main; name the snapshot that is meant", n);
    return LQ_OK;
}

/* Where `path` is a cache entry, appends its snapshot's path to `out`; else `path` itself. */
static lq_status find_folder(const char *path, struct text *out, lq_error *err)
{
    struct text snapshots = {0}, refs = {0}, revision = {0};
    text_printf(&snapshots, "%s/snapshots", path);
    text_printf(&refs, "%s/refs", path);
    lq_status status = LQ_OK;
    if (snapshots.failed || refs.failed) {
        status = lq_fail_memory(err);
    } else if (!path_is_folder(snapshots.data) || !path_is_folder(refs.data)) {
        text_puts(out, path);
    } else {
        status = read_ref(path, &revision, err);
        if (status == LQ_OK && revision.len == 0)
            status = only_snapshot(snapshots.data, &revision, err);
        if (status == LQ_OK)
            text_printf(out, "%s/%s", snapshots.data, revision.data);
    }
    if (status == LQ_OK && (out->failed || revision.failed))
        status = lq_fail_memory(err);
    text_free(&snapshots);
    text_free(&refs);
    text_free(&revision);
    return status;
}

/* ---- opening ---- */

static lq_status open_chosen(struct catalog *c, struct resolver *folder, const char *name,
                             lq_error *err)
{
    struct source *source;
    LQ_TRY(folder->open(folder, name, &source, err));
    if (text_ends_with(name, ".index.json")) {
        c->format = &format_hf_dir;
        const lq_status status = hf_index_open(c, source, folder, err);
        source_close(source);
        return status;
    }
    const bool gguf = text_ends_with(name, ".gguf");
    const struct format *const f = gguf ? &format_gguf : &format_safetensors;
    const lq_status status = format_require(f, source, err);
    if (status != LQ_OK) {
        source_close(source);
        return status;
    }
    LQ_TRY(f->open(c, source, folder, err));
    c->files[0].name = arena_strdup(&c->arena, name);
    if (!gguf)
        c->format = &format_hf_dir;
    return c->files[0].name ? LQ_OK : lq_fail_memory(err);
}

lq_status hf_dir_open_folder(struct catalog *c, const char *path, lq_error *err)
{
    struct choice x = {0};
    struct text folder = {0};
    const char *name = NULL;
    lq_status status = find_folder(path, &folder, err);
    if (status == LQ_OK && !(c->path = arena_strdup(&c->arena, folder.data)))
        status = lq_fail_memory(err);
    if (status == LQ_OK)
        status = resolver_open_folder(&x.folder, c->path, err);
    if (status == LQ_OK)
        status = choose(&x, c->path, &name, err);
    if (status == LQ_OK)
        status = open_chosen(c, x.folder, name, err);
    resolver_close(x.folder);
    free(x.names);
    arena_free(&x.arena);
    text_free(&folder);
    return status;
}

/* An index file, opened by its own name. */
static int hf_dir_probe(const void *head, size_t n)
{
    const char *const p = head;
    size_t i = 0;
    while (i < n && (p[i] == ' ' || p[i] == '\n' || p[i] == '\r' || p[i] == '\t'))
        i++;
    return i < n && p[i] == '{' ? 40 : 0;
}

static lq_status hf_dir_open(struct catalog *c, struct source *source, struct resolver *siblings,
                             lq_error *err)
{
    c->format = &format_hf_dir;
    const lq_status status = hf_index_open(c, source, siblings, err);
    source_close(source);
    return status;
}

const struct format format_hf_dir = {
    .name = "hf_dir",
    .summary = "a folder as Hugging Face lays it out, or its model.safetensors.index.json (read)",
    .probe = hf_dir_probe,
    .open = hf_dir_open,
};
