/* split.c -- outputs of several files. */
#include "libquant/convert/split.h"

#include "formats/format.h"
#include "libquant/base/source.h"
#include "libquant/base/text.h"

#include <string.h>

uint32_t split_deal_out(struct catalog *c, const struct split_limits *limits)
{
    const uint64_t most = limits->max_bytes, most_tensors = limits->max_tensors;
    uint32_t file = limits->empty_first ? 1 : 0;
    uint64_t bytes = 0, n = 0;
    for (size_t i = 0; i < c->n_tensors; i++) {
        struct tensor *const t = &c->tensors[i];
        if (n && ((most_tensors && n >= most_tensors) || (most && bytes + t->bytes > most))) {
            file++;
            bytes = n = 0;
        }
        t->file = file;
        bytes += t->bytes;
        n++;
    }
    return file + 1;
}

lq_status split_name_files(struct catalog *c, const char *path, uint32_t n,
                           const char *const **paths, lq_error *err)
{
    const char *const extension = c->format->extension;
    const size_t cut = text_ends_with(path, extension) ? strlen(extension) : 0;
    const char *const stem = arena_strndup(&c->arena, path, strlen(path) - cut);
    const char **const names = arena_calloc(&c->arena, n, sizeof *names);
    if (!stem || !names)
        return lq_fail_memory(err);
    for (uint32_t i = 0; i < n; i++) {
        struct text name = {0};
        format_shard_name(c->format, &name, stem, i, n);
        names[i] = name.failed ? NULL : arena_strdup(&c->arena, name.data);
        text_free(&name);
        if (!names[i] || (i >= c->n_files && !catalog_add_file(c)))
            return lq_fail_memory(err);
        c->files[i].name = names[i];
    }
    *paths = names;
    return LQ_OK;
}

lq_status split_check_targets(const struct catalog *out, const struct catalog *source, lq_error *err)
{
    for (size_t i = 0; i < out->n_files; i++)
        for (size_t k = 0; k < source->n_files; k++)
            if (source_is_file(source->files[k].source, out->files[i].name))
                return lq_fail_at(err, LQ_E_USAGE, out->files[i].name, -1,
                                  "input and output are the same file");
    return LQ_OK;
}
