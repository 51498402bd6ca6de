/* cmd_digest.c -- `lq digest`: what identifies a model, by its files and by its tensors. */
#include "tools/command.h"

#include "formats/format.h"
#include "libquant/base/hash.h"
#include "libquant/provenance/derived_digest.h"
#include "libquant/trust/digest.h"
#include "libquant/trust/file_list.h"
#include "libquant/trust/model_signature.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct digests {
    const struct context *ctx;
    const char *path;
    struct arena arena; /* names that are left out */
    struct file_list list;
    uint8_t root_names[32], root_components[32];
    bool is_model;           /* the tensors could be read: */
    uint8_t content[32];
    bool has_derived;
    uint8_t derived[32];
    lq_error no_model, no_derived; /* why not */
};

/* ---- files ---- */

static bool is_in(const char *model, const char *name)
{
    struct text path = {0};
    struct stat st;
    text_printf(&path, "%s/%s", model, name);
    const bool found = !path.failed && lstat(path.data, &st) == 0;
    text_free(&path);
    return found;
}

/* A name within the model, whose "./" and last "/" do not matter; or, where there is none, a path from
 * here, as `lq sign` takes it. */
static const char *ignored_name(struct digests *d, const char *given)
{
    struct text from_here = {0};
    const char *name = given;
    size_t n;
    while (text_starts_with(name, "./"))
        name += 2;
    for (n = strlen(name); n && name[n - 1] == '/';)
        n--;
    name = arena_strndup(&d->arena, name, n);
    if (name && !is_in(d->path, name) && model_relative(d->path, given, &from_here) &&
        is_in(d->path, from_here.data))
        name = arena_strdup(&d->arena, from_here.data);
    text_free(&from_here);
    return name;
}

static lq_status read_ignored(struct digests *d, const struct args *args,
                              struct file_list_options *o, lq_error *err)
{
    const char *const *given;
    const size_t n = args_list(args, "ignore-paths", &given);
    const char **const names = arena_calloc(&d->arena, n + 1, sizeof *names);
    bool failed = !names;
    for (size_t i = 0; i < n && !failed; i++)
        failed = !(names[i] = ignored_name(d, given[i]));
    o->ignore = names;
    o->n_ignore = n;
    return failed ? lq_fail_memory(err) : LQ_OK;
}

static lq_status hash_files(struct digests *d, const struct args *args, lq_error *err)
{
    struct file_list_options o = {.allow_symlinks = args_flag(args, "allow-symlinks"),
                                  .keep_git = args_flag(args, "no-ignore-git-paths")};
    LQ_TRY(read_ignored(d, args, &o, err));
    LQ_TRY(file_list_walk(&d->list, d->path, &o, err));
    if (!d->list.n)
        return lq_fail_at(err, LQ_E_FORMAT, d->path, -1, "no file in this folder");
    LQ_TRY(file_list_hash(&d->list, d->ctx->threads, d->ctx->progress, err));
    file_list_sort(&d->list, FILE_ORDER_COMPONENTS);
    LQ_TRY(file_list_root(&d->list, d->root_components, err));
    file_list_sort(&d->list, FILE_ORDER_NAME);
    return file_list_root(&d->list, d->root_names, err);
}

/* ---- tensors ---- */

/* What cannot be read as a model still has files; only the system's failures end the command. */
static bool is_final(lq_status status)
{
    return status >= LQ_E_IO;
}

static lq_status hash_model(struct digests *d, lq_error *err)
{
    struct catalog c = {0};
    lq_status status = model_open(&c, d->path, &d->no_model);
    if (status != LQ_OK) {
        if (is_final(status))
            *err = d->no_model;
        return is_final(status) ? status : LQ_OK;
    }
    d->is_model = true;
    status = digest_content(&c, d->ctx->threads, d->ctx->progress, d->content, err);
    if (status == LQ_OK) {
        status = derived_digest(&c, d->ctx->isa, d->ctx->threads, d->ctx->progress, d->derived,
                                &d->no_derived);
        d->has_derived = status == LQ_OK;
        if (status != LQ_OK && is_final(status))
            *err = d->no_derived;
        else
            status = LQ_OK;
    }
    catalog_release(&c);
    return status;
}

/* ---- output ---- */

static void print_line(const struct digests *d, const char *what, const char *algorithm,
                       const uint8_t sha256[32])
{
    char hex[65];
    hex_of(hex, sha256, 32);
    fprintf(d->ctx->out, "%-9s %s:%s\n", what, algorithm, hex);
}

static void print_text(const struct digests *d)
{
    for (size_t i = 0; i < d->list.n; i++) {
        struct text name = {0};
        char hex[65];
        hex_of(hex, d->list.files[i].sha256, 32);
        text_put_printable(&name, d->list.files[i].name, strlen(d->list.files[i].name));
        fprintf(d->ctx->out, "%s  %s\n", hex, name.failed ? "?" : name.data);
        text_free(&name);
    }
    fputc('\n', d->ctx->out);
    print_line(d, "files", "sha256", d->root_components);
    if (memcmp(d->root_components, d->root_names, 32) != 0)
        print_line(d, "by name", "sha256", d->root_names);
    if (d->is_model)
        print_line(d, "content", DIGEST_CONTENT, d->content);
    else
        fprintf(d->ctx->out, "%-9s none: %s\n", "content", d->no_model.message);
    if (d->has_derived)
        print_line(d, "derived", DIGEST_DERIVED, d->derived);
    else if (d->is_model)
        fprintf(d->ctx->out, "%-9s none: %s\n", "derived", d->no_derived.message);
}

static void out_digest(struct json_out *j, const char *key, const char *algorithm,
                       const uint8_t *sha256)
{
    char hex[65];
    struct text t = {0};
    if (!sha256) {
        out_null(j, key);
        return;
    }
    hex_of(hex, sha256, 32);
    text_printf(&t, "%s%s%s", algorithm, *algorithm ? ":" : "", hex);
    out_string(j, key, t.failed ? "" : t.data);
    text_free(&t);
}

static void print_root(const struct digests *d, bool by_name)
{
    char hex[65];
    hex_of(hex, by_name ? d->root_names : d->root_components, 32);
    fprintf(d->ctx->out, "sha256:%s\n", hex);
}

/* With `root`, without the digests over the tensors. */
static lq_status print_json(const struct digests *d, bool root, lq_error *err)
{
    struct json_out j = {0};
    out_object(&j, NULL);
    out_string(&j, "path", d->path);
    out_array(&j, "files");
    for (size_t i = 0; i < d->list.n; i++) {
        out_object(&j, NULL);
        out_string(&j, "name", d->list.files[i].name);
        out_u64(&j, "size", d->list.files[i].size);
        out_digest(&j, "sha256", "", d->list.files[i].sha256);
        out_end(&j, '}');
    }
    out_end(&j, ']');
    out_object(&j, "root");
    out_digest(&j, "by_component", "", d->root_components);
    out_digest(&j, "by_name", "", d->root_names);
    out_end(&j, '}');
    if (!root) {
        out_digest(&j, "content", DIGEST_CONTENT, d->is_model ? d->content : NULL);
        out_digest(&j, "derived", DIGEST_DERIVED, d->has_derived ? d->derived : NULL);
    }
    out_end(&j, '}');
    return out_print(&j, d->ctx, err);
}

/* ---- the command ---- */

static lq_status run(const struct context *ctx, const struct args *args, lq_error *err)
{
    struct digests d = {.ctx = ctx, .path = args_at(args, 0)};
    const bool root = args_flag(args, "root");
    if (args_flag(args, "by-name") && !root)
        return lq_fail(err, LQ_E_USAGE, "--by-name is for --root");
    lq_status status = hash_files(&d, args, err);
    if (status == LQ_OK && !root)
        status = hash_model(&d, err);
    if (status == LQ_OK && ctx->json)
        status = print_json(&d, root, err);
    else if (status == LQ_OK && root)
        print_root(&d, args_flag(args, "by-name"));
    else if (status == LQ_OK)
        print_text(&d);
    file_list_release(&d.list);
    arena_free(&d.arena);
    return status;
}

static const struct option options[] = {
    {"root", 0, OPT_FLAG, NULL, "print only the digest over the files' digests"},
    {"by-name", 0, OPT_FLAG, NULL, "with --root: files in byte order of their whole names"},
    {"ignore-paths", 0, OPT_LIST, "NAME", "leave out this file, or all below this folder"},
    {"no-ignore-git-paths", 0, OPT_FLAG, NULL, "take in .git, .gitignore, ... of the top level"},
    {"allow-symlinks", 0, OPT_FLAG, NULL, "follow symbolic links within the model"},
    {0},
};

const struct command command_digest = {
    .name = "digest",
    .summary = "print what identifies a model: digests of its files and tensors",
    .synopsis = "PATH [options]",
    .description =
        "Prints the SHA-256 of every file, the digest over all of them that model_signing signs, "
        "and two digests over the tensors. The content digest is the same for the same stored "
        "tensors in one file or twenty, safetensors or GGUF. The derived digest is the same for a "
        "checkpoint and its lossless GGUF file: names and layout are those of GGUF, numbers are "
        "widened to 32 bits.",
    .examples = "lq digest model.gguf\n"
                "lq digest SmolLM2-135M --json\n"
                "lq digest SmolLM2-135M --root",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .has_json = true,
    .run = run,
};
