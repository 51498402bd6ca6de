/* license_open.c -- what `lq license` is given: a folder, a model file, a text. */
#include "formats/format.h"
#include "tools/license_report.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { TEXT_BYTES = 2 << 20, VARIANTS_LIMIT = 64 };

/* A text of its own; of a model file that no format recognises, `err` says so already. */
static lq_status open_text(struct license_facts *f, const char *path, lq_error *err)
{
    struct source *s;
    LQ_TRY(source_open_file(&s, path, err));
    const lq_status status =
        s->size > TEXT_BYTES
            ? lq_fail_at(err, LQ_E_UNSUPPORTED, path, -1,
                         "neither a model that is known here nor a licence text: larger than 2 MiB")
            : license_facts_read_text(f, s, err);
    source_close(s);
    if (status == LQ_OK && f->statements[0].problem)
        return lq_fail_at(err, LQ_E_UNSUPPORTED, path, -1,
                          "neither a model that is known here nor a licence text: %s",
                          f->statements[0].problem);
    return status;
}

/* The models of a folder that holds several: variants of one, as a rule. */
struct variants {
    struct catalog c[VARIANTS_LIMIT];
    const struct catalog *list[VARIANTS_LIMIT];
    size_t n;
    const char *folder;
    lq_status status; /* LQ_E_MEMORY, or LQ_OK */
};

static void open_variant(void *ctx, const char *name)
{
    struct variants *const v = ctx;
    struct text path = {0};
    if (v->n == VARIANTS_LIMIT || !text_ends_with(name, ".gguf"))
        return;
    text_printf(&path, "%s/%s", v->folder, name);
    const lq_status status = path.failed ? LQ_E_MEMORY : model_open(&v->c[v->n], path.data, NULL);
    if (status == LQ_OK) {
        v->list[v->n] = &v->c[v->n];
        v->c[v->n].files[0].name = arena_strdup(&v->c[v->n].arena, name);
        v->status = v->c[v->n].files[0].name ? v->status : LQ_E_MEMORY;
        v->n++;
    } else if (status == LQ_E_MEMORY) {
        v->status = status;
    }
    text_free(&path);
}

/* Within a folder whose model cannot be opened, files are still read, and the metadata of each GGUF
 * model where there are several. */
static lq_status open_folder(struct license_facts *f, const char *path, lq_error *unread,
                             lq_error *err)
{
    struct resolver *files;
    struct variants *const v = mem_calloc(1, sizeof *v);
    if (!v)
        return lq_fail_memory(err);
    v->folder = path;
    lq_status status = resolver_open_folder(&files, path, err);
    if (status == LQ_OK) {
        status = files->list(files, "", open_variant, v, err);
        if (v->status != LQ_OK)
            status = lq_fail_memory(err);
        if (v->n)
            *unread = (lq_error){0};
        if (status == LQ_OK)
            status = license_facts_read(f, path, files, v->list, v->n, err);
        resolver_close(files);
    }
    for (size_t i = 0; i < v->n; i++)
        catalog_release(&v->c[i]);
    free(v);
    return status;
}

lq_status license_open(struct license_facts *f, const char *path, lq_error *unread, lq_error *err)
{
    struct stat st;
    struct catalog c = {0};
    struct resolver *files = NULL;
    lq_error why = {0};
    *unread = (lq_error){0};
    if (stat(path, &st) != 0)
        return lq_fail_errno(err, path, "cannot open");
    lq_status status = model_open(&c, path, &why);
    if (status == LQ_E_MEMORY)
        return lq_fail_memory(err);
    if (status != LQ_OK && S_ISDIR(st.st_mode)) {
        *unread = why;
        return open_folder(f, path, unread, err);
    }
    if (status == LQ_E_UNSUPPORTED)
        return open_text(f, path, err);
    if (status != LQ_OK) {
        if (err)
            *err = why;
        return status;
    }
    status = model_siblings(&c, &files, err);
    if (status == LQ_OK) {
        const struct catalog *const one = &c;
        status = license_facts_read(f, c.path, files, &one, 1, err);
    }
    resolver_close(files);
    catalog_release(&c);
    return status;
}
