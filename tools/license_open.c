/* license_open.c -- what `lq license` is given: a folder, a model file, a text. */
#include "formats/format.h"
#include "tools/license_report.h"

#include <string.h>
#include <sys/stat.h>

enum { TEXT_BYTES = 2 << 20 };

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

/* Within a folder whose model cannot be opened, files are still read. */
static lq_status open_folder(struct license_facts *f, const char *path, lq_error *err)
{
    struct resolver *files;
    LQ_TRY(resolver_open_folder(&files, path, err));
    const lq_status status = license_facts_read(f, path, files, NULL, err);
    resolver_close(files);
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
        return open_folder(f, path, err);
    }
    if (status == LQ_E_UNSUPPORTED)
        return open_text(f, path, err);
    if (status != LQ_OK) {
        if (err)
            *err = why;
        return status;
    }
    status = model_siblings(&c, &files, err);
    if (status == LQ_OK)
        status = license_facts_read(f, c.path, files, &c, err);
    resolver_close(files);
    catalog_release(&c);
    return status;
}
