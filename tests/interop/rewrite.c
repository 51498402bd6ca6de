/* rewrite.c -- opens a model and writes it back, for comparisons with other programs.
 *
 *   rewrite dump MODEL                    what was read, one line for each fact
 *   rewrite gguf|safetensors MODEL OUT    one file
 *   rewrite split MODEL PREFIX            as many files as the model has (GGUF or safetensors)
 */
#include "formats/format.h"
#include "formats/safetensors.h"
#include "libquant/base/hash.h"
#include "libquant/base/sink.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int report(const lq_error *err)
{
    char text[2048];
    fprintf(stderr, "%s\n", lq_error_text(err, text, sizeof text));
    return lq_exit_code(err->status);
}

static void dump_array(const struct meta *m)
{
    const size_t n = (size_t)m->v.array.count;
    struct text all = {0};
    uint8_t digest[32];
    char hex[65];
    if (m->element_type != META_STRING) {
        text_put(&all, m->v.array.data, n * meta_type_size(m->element_type));
    } else {
        const struct bytes *const s = m->v.array.data;
        for (size_t i = 0; i < n; i++) {
            text_put(&all, &s[i].len, sizeof s[i].len);
            text_put(&all, s[i].data, s[i].len);
        }
    }
    sha256_of(all.data, all.len, digest, NULL);
    hex_of(hex, digest, 32);
    printf("[%s x %zu] %s\n", meta_type_name(m->element_type), n, hex);
    text_free(&all);
}

static void dump_meta(const struct meta *m)
{
    struct text value = {0};
    printf("meta %s %s ", m->key, meta_type_name(m->type));
    switch (m->type) {
    case META_ARRAY: dump_array(m); break;
    case META_STRING:
        text_put_json(&value, m->v.string.data, m->v.string.len);
        printf("%s\n", value.data);
        break;
    case META_F32:
    case META_F64: printf("%.17g\n", m->v.f64); break;
    case META_I8:
    case META_I16:
    case META_I32:
    case META_I64: printf("%" PRId64 "\n", m->v.i64); break;
    default: printf("%" PRIu64 "\n", m->v.u64); break;
    }
    text_free(&value);
}

static lq_status read_tensor(const struct catalog *c, const struct tensor *t, char **data,
                             lq_error *err)
{
    *data = mem_calloc((size_t)t->bytes, 1);
    return *data ? catalog_read(c, t, *data, (size_t)t->bytes, 0, err) : lq_fail_memory(err);
}

static lq_status dump(const struct catalog *c, lq_error *err)
{
    printf("format %s version %u alignment %u files %zu\n", c->format->name, c->version,
           c->alignment, c->n_files);
    for (size_t i = 0; i < c->n_meta; i++)
        dump_meta(&c->meta[i]);
    for (size_t i = 0; i < c->n_tensors; i++) {
        const struct tensor *const t = &c->tensors[i];
        uint8_t digest[32];
        char hex[65], *data;
        const lq_status status = read_tensor(c, t, &data, err);
        if (status == LQ_OK)
            sha256_of(data, (size_t)t->bytes, digest, err);
        free(data);
        LQ_TRY(status);
        hex_of(hex, digest, 32);
        printf("tensor %s %s [", t->name, t->type->name);
        for (uint32_t k = 0; k < t->rank; k++)
            printf(k ? ",%" PRIu64 : "%" PRIu64, t->dim[k]);
        printf("] %s\n", hex);
    }
    return LQ_OK;
}

/* The plan of a copy: tensors and metadata of `c` in n files with these names. */
static lq_status plan(struct catalog *out, const struct catalog *c, const struct format *f,
                      const char *const *names, size_t n, lq_error *err)
{
    for (size_t i = 0; i < n; i++) {
        struct file *const file = catalog_add_file(out);
        if (!file)
            return lq_fail_memory(err);
        file->name = names[i];
    }
    for (size_t i = 0; i < c->n_meta; i++) {
        struct meta *const m = catalog_add_meta(out);
        if (!m)
            return lq_fail_memory(err);
        *m = c->meta[i];
    }
    for (size_t i = 0; i < c->n_tensors; i++) {
        struct tensor *const t = catalog_add_tensor(out);
        if (!t)
            return lq_fail_memory(err);
        *t = c->tensors[i];
        t->file = n > 1 ? t->file : 0;
    }
    if (f == &format_safetensors)
        safetensors_sort(out);
    return LQ_OK;
}

static lq_status write_file(struct catalog *out, uint32_t file, const struct catalog *c,
                            const struct format *f, lq_error *err)
{
    struct text header = {0};
    struct sink *s = NULL;
    lq_status status = f->layout(out, file, &header, err);
    if (status == LQ_OK)
        status = sink_open(&s, out->files[file].name, 0, err);
    if (status == LQ_OK)
        status = sink_append(s, header.data, header.len, err);
    for (size_t i = 0; i < out->n_tensors && status == LQ_OK; i++) {
        const struct tensor *const t = &out->tensors[i];
        char *data = NULL;
        if (t->file != file)
            continue;
        status = sink_pad(s, t->offset, err);
        if (status == LQ_OK)
            status = read_tensor(c, catalog_find(c, t->name), &data, err);
        if (status == LQ_OK)
            status = sink_append(s, data, (size_t)t->bytes, err);
        free(data);
    }
    if (status == LQ_OK)
        status = sink_pad(s, out->files[file].size, err);
    text_free(&header);
    if (status == LQ_OK)
        return sink_commit(s, NULL, err);
    sink_abort(s);
    return status;
}

static lq_status rewrite(const struct catalog *c, const struct format *f, const char *out_path,
                         size_t n, lq_error *err)
{
    struct catalog out = {0};
    struct text index = {0};
    lq_status status = LQ_OK;
    const char **const names = mem_calloc(n, sizeof *names);
    for (size_t i = 0; i < n; i++) {
        struct text name = {0};
        format_shard_name(f, &name, out_path, (uint32_t)i, (uint32_t)n);
        names[i] = n > 1 ? arena_strdup(&out.arena, name.data) : out_path;
        text_free(&name);
    }
    status = plan(&out, c, f, names, n, err);
    for (uint32_t i = 0; i < n && status == LQ_OK; i++)
        status = write_file(&out, i, c, f, err);
    if (status == LQ_OK && n > 1 && f == &format_safetensors) {
        struct sink *s = NULL;
        struct text name = {0};
        text_printf(&name, "%s.safetensors.index.json", out_path);
        status = safetensors_index(&out, &index, err);
        if (status == LQ_OK)
            status = sink_open(&s, name.data, 0, err);
        if (status == LQ_OK)
            status = sink_append(s, index.data, index.len, err);
        if (status == LQ_OK)
            status = sink_commit(s, NULL, err);
        text_free(&name);
    }
    text_free(&index);
    catalog_release(&out);
    free(names);
    return status;
}

int main(int argc, char **argv)
{
    struct catalog c = {0};
    lq_error err = {0};
    if (argc < 3)
        return 2;
    if (model_open(&c, argv[2], &err) != LQ_OK)
        return report(&err);
    lq_status status = LQ_E_USAGE;
    const struct format *const f = format_by_name(argv[1]);
    if (strcmp(argv[1], "dump") == 0)
        status = dump(&c, &err);
    else if (f && argc == 4)
        status = rewrite(&c, f, argv[3], 1, &err);
    else if (strcmp(argv[1], "split") == 0 && argc == 4)
        status = rewrite(&c, c.format == &format_gguf ? &format_gguf : &format_safetensors, argv[3],
                         c.n_files, &err);
    if (status != LQ_OK)
        report(&err);
    catalog_release(&c);
    return lq_exit_code(status);
}
