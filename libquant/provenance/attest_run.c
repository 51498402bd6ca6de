/* attest_run.c -- collects what an attestation says while the model is being made. */
#include "libquant/provenance/attestation.h"

#include "formats/format.h"
#include "libquant/base/hash.h"
#include "libquant/provenance/source_hash.h"
#include "libquant/trust/content_stream.h"

#include <stdlib.h>
#include <string.h>

static const char index_name[] = "model.safetensors.index.json";

/* Of one output: its tensors as they are committed. */
struct observed {
    struct tensor_observer observer;
    struct content_stream stream;
    struct digest_entry *entries;
};

struct attest_run {
    const struct catalog *source;
    struct source_hash *hash;
    struct attested_output *outputs;
    size_t n_outputs;
    struct observed *observed;
    struct attested_file *beside; /* files beside the weights */
    size_t n_beside;
    struct arena arena;
};

/* Names in a statement are those within the model; of a file that was given by its path, the last
 * part of that. */
static const char *name_of(const struct catalog *c, size_t file)
{
    const char *const name = c->files[file].name;
    const bool is_folder = c->format && !c->format->probe;
    return is_folder ? name : path_last_part(name);
}

static lq_status observe(void *ctx, size_t tensor, const void *data, size_t n, struct sha256 *hash,
                         lq_error *err)
{
    return content_stream_put(&((struct observed *)ctx)->stream, tensor, data, n, hash, err);
}

static lq_status hash_small(struct attest_run *r, struct resolver *files, const char *name,
                            lq_error *err)
{
    struct attested_file *const f = &r->beside[r->n_beside++];
    struct source *s;
    f->name = arena_strdup(&r->arena, name);
    LQ_TRY(f->name ? files->open(files, name, &s, err) : lq_fail_memory(err));
    const lq_status status = sha256_of_source(s, f->sha256, err);
    source_close(s);
    return status;
}

/* The small files that the conversion has read, and the index, which was read before. */
static lq_status hash_beside(struct attest_run *r, struct resolver *files, lq_error *err)
{
    const char *const *names;
    const size_t n = files ? resolver_opened(files, &names) : 0;
    r->beside = arena_calloc(&r->arena, n + 2, sizeof *r->beside);
    if (!r->beside)
        return lq_fail_memory(err);
    for (size_t i = 0; i < n; i++) {
        bool seen = strcmp(names[i], index_name) == 0;
        for (size_t k = 0; k < r->source->n_files; k++)
            seen = seen || strcmp(r->source->files[k].name, names[i]) == 0;
        if (!seen)
            LQ_TRY(hash_small(r, files, names[i], err));
    }
    return files && r->source->n_files > 1 && files->exists(files, index_name)
               ? hash_small(r, files, index_name, err)
               : LQ_OK;
}

lq_status attest_begin(struct attest_run **out, const struct catalog *source,
                       struct resolver *files, struct attested_output *outputs, size_t n_outputs,
                       unsigned threads, lq_error *err)
{
    struct attest_run *const r = *out = mem_calloc(1, sizeof *r);
    if (!r)
        return lq_fail_memory(err);
    *r = (struct attest_run){.source = source, .outputs = outputs, .n_outputs = n_outputs};
    r->observed = mem_calloc(n_outputs + 1, sizeof *r->observed);
    lq_status status = r->observed ? LQ_OK : lq_fail_memory(err);
    for (size_t i = 0; i < n_outputs && status == LQ_OK; i++) {
        struct observed *const o = &r->observed[i];
        struct output *const output = outputs[i].output;
        o->entries = mem_calloc(output->catalog.n_tensors + 1, sizeof *o->entries);
        if (!o->entries)
            status = lq_fail_memory(err);
        o->stream = (struct content_stream){.c = &output->catalog, .entries = o->entries};
        o->observer = (struct tensor_observer){observe, o};
        output->observer = &o->observer;
    }
    if (status == LQ_OK)
        status = hash_beside(r, files, err);
    if (status == LQ_OK)
        status = source_hash_start(&r->hash, source, threads, err);
    if (status != LQ_OK) {
        attest_cancel(r);
        *out = NULL;
    }
    return status;
}

void attest_cancel(struct attest_run *r)
{
    if (!r)
        return;
    source_hash_cancel(r->hash);
    for (size_t i = 0; r->observed && i < r->n_outputs; i++) {
        content_stream_release(&r->observed[i].stream);
        free(r->observed[i].entries);
        r->outputs[i].output->observer = NULL;
    }
    free(r->observed);
    arena_free(&r->arena);
    free(r);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct attested_file *)a)->name, ((const struct attested_file *)b)->name);
}

static lq_status fill_materials(const struct attest_run *r, struct attestation *a,
                                uint8_t (*sha256)[32], lq_error *err)
{
    const size_t n = r->source->n_files + r->n_beside;
    a->materials = arena_calloc(&a->arena, n + 1, sizeof *a->materials);
    if (!a->materials)
        return lq_fail_memory(err);
    for (size_t i = 0; i < n; i++) {
        struct attested_file *const f = &a->materials[i];
        if (i < r->n_beside)
            *f = r->beside[i];
        else
            memcpy(f->sha256, sha256[i - r->n_beside], 32);
        f->name = arena_strdup(&a->arena, i < r->n_beside ? f->name
                                                          : name_of(r->source, i - r->n_beside));
        if (!f->name)
            return lq_fail_memory(err);
    }
    qsort(a->materials, n, sizeof *a->materials, by_name);
    a->n_materials = n;
    return LQ_OK;
}

static lq_status fill_subjects(struct attested_output *o, lq_error *err)
{
    struct attestation *const a = &o->a;
    const struct catalog *const c = &o->output->catalog;
    a->subjects = arena_calloc(&a->arena, c->n_files, sizeof *a->subjects);
    if (!a->subjects)
        return lq_fail_memory(err);
    for (size_t i = 0; i < c->n_files; i++) {
        a->subjects[i].name = arena_strdup(&a->arena, path_last_part(c->files[i].name));
        if (!a->subjects[i].name)
            return lq_fail_memory(err);
        memcpy(a->subjects[i].sha256, o->output->sha256[i], 32);
    }
    a->n_subjects = c->n_files;
    return LQ_OK;
}

lq_status attest_finish(struct attest_run *r, bool made, lq_error *err)
{
    uint8_t(*const sha256)[32] = mem_calloc(r->source->n_files + 1, sizeof *sha256);
    uint8_t content[32] = {0};
    lq_status status = sha256 ? source_hash_finish(r->hash, sha256, content, err)
                              : lq_fail_memory(err);
    if (sha256)
        r->hash = NULL;
    for (size_t i = 0; i < r->n_outputs && status == LQ_OK; i++) {
        struct attested_output *const o = &r->outputs[i];
        memcpy(o->a.source_content, content, 32);
        status = fill_materials(r, &o->a, sha256, err);
        if (status == LQ_OK && made)
            status = content_stream_digest(&o->output->catalog, r->observed[i].entries,
                                           o->a.content, err);
        if (status == LQ_OK && made)
            status = fill_subjects(o, err);
    }
    free(sha256);
    attest_cancel(r);
    return status;
}
