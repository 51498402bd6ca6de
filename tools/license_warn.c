/* license_warn.c -- what other commands say about the licence of a model. */
#include "formats/format.h"
#include "libquant/base/source.h"
#include "tools/license_report.h"

#include <stdlib.h>
#include <string.h>

/* The folder that an output goes into. */
static char *folder_of(const char *out)
{
    const char *const slash = strrchr(out, '/');
    if (path_is_folder(out))
        return strdup(out);
    return slash ? strndup(out, slash == out ? 1 : (size_t)(slash - out)) : strdup(".");
}

/* Fills the words of the notice files of a folder; none where there is no such folder. */
static void read_notices(struct license_facts *f, const char *folder)
{
    struct resolver *files;
    if (resolver_open_folder(&files, folder, NULL) != LQ_OK)
        return;
    (void)statement_read_files(f, files, NULL);
    resolver_close(files);
}

static void warn(const struct context *ctx, const char *means, const char *line, const char *folder)
{
    struct text t = {0};
    text_puts(&t, "the source is under ");
    text_put_printable(&t, means, strlen(means));
    text_puts(&t, line ? ", which demands a notice with every copy; "
                       : " and has a notice that has to go with copies; ");
    text_put_printable(&t, folder, strlen(folder));
    text_puts(&t, line ? " has no file NOTICE with the line \"" : " has no file NOTICE");
    text_puts(&t, line ? line : "");
    text_puts(&t, line ? "\"" : "");
    if (!t.failed)
        fprintf(ctx->err, "lq: warning: %s\n", t.data);
    text_free(&t);
}

void license_warn_of_loss(const struct context *ctx, const char *source, const char *out)
{
    struct license_facts from = {0}, to = {0};
    lq_error unread;
    char *const folder = out && strcmp(out, "-") != 0 ? folder_of(out) : NULL;
    if (folder && license_open(&from, source, &unread, NULL) == LQ_OK) {
        const char *const means = license_conclusion(&from);
        struct expression *const e = calloc(1, sizeof *e);
        read_notices(&to, folder);
        if (e && means && expression_parse(e, means, NULL) == LQ_OK) {
            const struct license_duty *const d = license_duty_find(e->leaf[0].id, DUTY_NOTICE);
            if (d && (d->value ? !license_words_have(&to.notices, d->value)
                               : from.notices.len && !to.notices.len))
                warn(ctx, means, d->value, folder);
        }
        if (e)
            expression_release(e);
        free(e);
    }
    license_facts_release(&from);
    license_facts_release(&to);
    free(folder);
}

lq_status license_line(struct text *out, const struct catalog *c, enum license_class *class,
                       lq_error *err)
{
    struct license_facts f = {0};
    struct resolver *files = NULL;
    lq_status status = LQ_OK;
    /* A GGUF file speaks for itself; what lies beside it may belong to another. */
    if (c->format != &format_gguf)
        status = model_siblings(c, &files, err);
    if (status == LQ_OK)
        status = license_facts_read(&f, c->path, files, &c, 1, err);
    resolver_close(files);
    const char *const means = status == LQ_OK ? license_conclusion(&f) : NULL;
    const struct statement *const s = status == LQ_OK ? license_main_statement(&f) : NULL;
    *class = license_class_of_text(means);
    if (means || (s && s->claim))
        text_puts(out, means ? means : s->claim);
    license_facts_release(&f);
    return status == LQ_OK && out->failed ? lq_fail_memory(err) : status;
}
