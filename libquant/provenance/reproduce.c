/* reproduce.c -- re-derive or refuse. */
#include "libquant/provenance/reproduce.h"

#include "formats/format.h"
#include "libquant/base/hash.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The path that outputs are planned under: nothing is written. */
static const char no_path[] = "derived.gguf";

struct job {
    struct attestation *a;
    const struct reproduce_options *o;
    char *why;
    size_t why_size;
    char *source_path;
    char *output_path;             /* of the first file that is claimed, or NULL */
    struct imatrix imatrix;
    struct source *metadata;
    /* of a conversion */
    struct conversion conversion;
    /* of quantizing */
    struct catalog quantize_source;
    struct quantize_plan plan;
    /* of both */
    const struct catalog *source;
    struct resolver *files;        /* beside the weights, or NULL */
    struct output *output;
    const struct step *steps;
    struct source **claimed;       /* [n_files], or NULL */
    struct sink **sinks;
    uint8_t (*digests)[32];
};

/* Refused: says why, unless an earlier reason was found. */
static lq_status refuse(struct job *j, lq_error *err, const char *fmt, ...) LQ_PRINTF(3, 4);
static lq_status refuse(struct job *j, lq_error *err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(j->why, j->why_size, fmt, args);
    va_end(args);
    return lq_fail(err, LQ_E_VERIFY, "%s", "");
}

/* ---- inputs ---- */

lq_status reproduce_source(char **out, const struct attestation *a, const char *given,
                           lq_error *err)
{
    struct stat st;
    struct text path = {0};
    if (stat(given, &st) != 0)
        return lq_fail_errno(err, given, "cannot open");
    text_puts(&path, given);
    if (S_ISDIR(st.st_mode) && a->entry)
        text_printf(&path, "/%s", a->entry);
    if (path.failed)
        text_free(&path);
    *out = path.data;
    return *out ? LQ_OK : lq_fail_memory(err);
}

/* Of an output that is given as a folder, the first file in it. */
static lq_status find_output(struct job *j, lq_error *err)
{
    const char *const given = j->o->output;
    struct stat st;
    struct text path = {0};
    if (!given)
        return LQ_OK;
    text_puts(&path, given);
    if (j->a->n_subjects && stat(given, &st) == 0 && S_ISDIR(st.st_mode))
        text_printf(&path, "/%s", j->a->subjects[0].name);
    if (path.failed)
        text_free(&path);
    j->output_path = path.data;
    return j->output_path ? LQ_OK : lq_fail_memory(err);
}

static lq_status read_importance(struct job *j, lq_error *err)
{
    struct quantize_options *const q = &j->a->convert.quantize;
    struct source *s;
    if (!j->a->has_importance)
        return LQ_OK;
    if (!j->o->imatrix)
        return lq_fail(err, LQ_E_USAGE,
                       "it was made with an importance matrix (\"%.200s\"): give the file with "
                       "--imatrix",
                       q->imatrix_path);
    LQ_TRY(source_open_file(&s, j->o->imatrix, err));
    LQ_TRY(imatrix_read(&j->imatrix, s, err));
    if (memcmp(j->imatrix.sha256, j->a->imatrix_sha256, 32) != 0)
        return refuse(j, err, "%.300s is not the importance matrix that the attestation names",
                      j->o->imatrix);
    if (q->n_exclude)
        imatrix_exclude(&j->imatrix, q->exclude, q->n_exclude);
    if (q->n_include)
        imatrix_include(&j->imatrix, q->include, q->n_include);
    q->imatrix = &j->imatrix;
    return imatrix_check(&j->imatrix, err);
}

/* ---- plans ---- */

static lq_status plan_convert(struct job *j, lq_error *err)
{
    struct convert_options *const c = &j->a->convert;
    struct conversion *const plan = &j->conversion;
    if (j->a->metadata.data) {
        LQ_TRY(source_open_memory(&j->metadata, "the attestation's metadata", j->a->metadata.data,
                                  j->a->metadata.len, err));
        c->metadata.overrides = j->metadata;
    }
    c->types = &j->a->type;
    c->n_types = 1;
    c->out = no_path;
    LQ_TRY(convert_plan(plan, j->source_path, c, err));
    const struct convert_output *const o = &plan->outputs[0];
    j->source = &plan->model.source;
    j->files = plan->model.files;
    j->output = o->output;
    j->steps = o->steps ? o->steps : o->mix ? plan->sorted : plan->steps;
    return LQ_OK;
}

static lq_status plan_quantize(struct job *j, lq_error *err)
{
    struct quantize_options *const q = &j->a->convert.quantize;
    q->recipe.mix = mix_by_name(j->a->type);
    if (!q->recipe.mix)
        return lq_fail(err, LQ_E_UNSUPPORTED, "the attestation names an unknown type \"%.40s\"",
                       j->a->type);
    LQ_TRY(model_open(&j->quantize_source, j->source_path, err));
    LQ_TRY(quantize_plan(&j->plan, &j->quantize_source, no_path, q, err));
    LQ_TRY(quantize_check(&j->plan, err));
    j->source = &j->quantize_source;
    j->output = &j->plan.output;
    j->steps = j->plan.steps;
    return LQ_OK;
}

/* ---- what is claimed to be the result ---- */

/* The files of a split model lie beside the first, under the names of the attestation. */
static lq_status open_claimed(struct job *j, lq_error *err)
{
    const size_t n = j->output->catalog.n_files;
    const char *const path = j->output_path;
    if (!path)
        return LQ_OK;
    j->claimed = mem_calloc(n, sizeof(struct source *));
    if (!j->claimed)
        return lq_fail_memory(err);
    for (size_t i = 0; i < n; i++) {
        struct text t = {0};
        if (n == 1)
            text_puts(&t, path);
        else
            text_printf(&t, "%.*s%s", (int)(path_last_part(path) - path), path,
                        j->a->subjects[i].name);
        const lq_status status = t.failed ? lq_fail_memory(err)
                                          : source_open_file(&j->claimed[i], t.data, err);
        text_free(&t);
        LQ_TRY(status);
    }
    return LQ_OK;
}

/* Metadata and list of tensors, so that a difference in the header has a name. A file that cannot be
 * read as a model is compared as bytes. */
static void compare_headers(struct job *j)
{
    struct catalog c = {0};
    lq_error ignored;
    if (!j->output_path || model_open(&c, j->output_path, &ignored) != LQ_OK)
        return;
    reproduce_compare_headers(&j->output->catalog, &c, j->why, j->why_size);
    catalog_release(&c);
}

/* ---- the run ---- */

static lq_status open_sinks(struct job *j, lq_error *err)
{
    const size_t n = j->output->catalog.n_files;
    j->sinks = mem_calloc(n, sizeof(struct sink *));
    j->digests = mem_calloc(n, sizeof *j->digests);
    if (!j->sinks || !j->digests)
        return lq_fail_memory(err);
    for (size_t i = 0; i < n; i++)
        LQ_TRY(sink_open_compare(&j->sinks[i], j->claimed ? j->claimed[i] : NULL, SINK_SHA256, err));
    j->output->sinks = j->sinks;
    j->output->sha256 = j->digests;
    return LQ_OK;
}

/* Says where the claimed file differs first, which a comparing sink has found. */
static lq_status explain(struct job *j, const struct stream_options *stream, const lq_error *found,
                         lq_error *err)
{
    uint32_t file = 0;
    while (strcmp(j->claimed[file]->name, found->file) != 0 &&
           file + 1 < j->output->catalog.n_files)
        file++;
    struct source *const s = j->claimed[file];
    const uint64_t offset = (uint64_t)found->offset;
    if (offset >= s->size || !strstr(found->message, "byte"))
        return refuse(j, err, "%s at byte %llu", found->message, (unsigned long long)offset);
    LQ_TRY(reproduce_explain(j->steps, j->output, file, s, offset, stream, j->why, j->why_size,
                             err));
    return lq_fail(err, LQ_E_VERIFY, "%s", "");
}

static const struct attested_file *material(const struct attestation *a, const char *name)
{
    for (size_t i = 0; i < a->n_materials; i++)
        if (strcmp(a->materials[i].name, name) == 0)
            return &a->materials[i];
    return NULL;
}

/* Whether one file is the whole source, and was given itself: then its name does not matter. */
static bool is_one_file(const struct job *j, const struct attestation *found)
{
    struct stat st;
    return j->a->entry && j->a->n_materials == 1 && found->n_materials == 1 &&
           stat(j->o->source, &st) == 0 && S_ISREG(st.st_mode);
}

static lq_status check_materials(struct job *j, struct attestation *found, lq_error *err)
{
    const struct attestation *const a = j->a;
    if (is_one_file(j, found))
        found->materials[0].name = a->materials[0].name;
    for (size_t i = 0; i < a->n_materials; i++) {
        const struct attested_file *const m = &a->materials[i], *const f = material(found, m->name);
        if (!f)
            return refuse(j, err, "the source's file %.200s is not there, or was not needed",
                          m->name);
        if (memcmp(f->sha256, m->sha256, 32) != 0)
            return refuse(j, err, "the source's file %.200s is not the one that the attestation names",
                          m->name);
    }
    for (size_t i = 0; i < found->n_materials; i++)
        if (!material(a, found->materials[i].name))
            return refuse(j, err, "the source's file %.200s was needed, and the attestation does not "
                                  "name it",
                          found->materials[i].name);
    if (memcmp(found->source_content, a->source_content, 32) != 0)
        return refuse(j, err, "the source has other tensors than the attestation says");
    return LQ_OK;
}

static lq_status check_subjects(struct job *j, const struct attestation *found, lq_error *err)
{
    const struct attestation *const a = j->a;
    for (size_t i = 0; i < a->n_subjects; i++)
        if (memcmp(j->digests[i], a->subjects[i].sha256, 32) != 0)
            return j->claimed
                       ? refuse(j, err, "the file is what source and recipe give, but the "
                                        "attestation is of another one: SHA-256 of %.200s differs",
                                a->subjects[i].name)
                       : refuse(j, err, "source and recipe give another file than the attestation's "
                                        "%.200s; --output FILE shows where it differs",
                                a->subjects[i].name);
    if (memcmp(found->content, a->content, 32) != 0)
        return refuse(j, err, "the attestation's content digest is not that of the file");
    return LQ_OK;
}

static lq_status run(struct job *j, lq_error *err)
{
    struct stream_options stream = *j->o->stream;
    struct attested_output attested = {.output = j->output};
    struct attest_run *hashes;
    stream.allow_nonfinite = j->a->allow_nonfinite;
    stream.rounding = j->a->rounding;
    LQ_TRY(open_sinks(j, err));
    lq_error found = {0};
    LQ_TRY(attest_begin(&hashes, j->source, j->files, &attested, 1, stream.threads, err));
    const bool other_header = j->why[0];
    const lq_status made = other_header ? LQ_E_VERIFY
                                        : stream_run(j->steps, j->output->catalog.n_tensors,
                                                     j->output, 1, &stream, &found);
    if (made != LQ_OK && made != LQ_E_VERIFY) {
        attest_cancel(hashes);
        *err = found;
        return made;
    }
    lq_status status = attest_finish(hashes, made == LQ_OK, err);
    if (status == LQ_OK) /* a changed source explains a changed result */
        status = check_materials(j, &attested.a, err);
    if (status == LQ_OK && made == LQ_OK)
        status = check_subjects(j, &attested.a, err);
    else if (status == LQ_OK)
        status = other_header ? lq_fail(err, LQ_E_VERIFY, "%s", "") : explain(j, &stream, &found, err);
    attestation_release(&attested.a);
    return status;
}

static void release(struct job *j)
{
    const size_t n = j->output ? j->output->catalog.n_files : 0;
    for (size_t i = 0; i < n; i++) {
        if (j->claimed)
            source_close(j->claimed[i]);
        if (j->sinks)
            sink_abort(j->sinks[i]);
    }
    free(j->claimed);
    free(j->sinks);
    free(j->digests);
    quantize_release(&j->plan);
    catalog_release(&j->quantize_source);
    convert_release(&j->conversion);
    source_close(j->metadata);
    imatrix_release(&j->imatrix);
    free(j->source_path);
    free(j->output_path);
}

lq_status reproduce(struct attestation *a, const struct reproduce_options *o,
                    struct reproduction *result, lq_error *err)
{
    struct job j = {.a = a, .o = o, .why = result->why, .why_size = sizeof result->why};
    result->why[0] = '\0';
    lq_status status = reproduce_source(&j.source_path, a, o->source, err);
    if (status == LQ_OK)
        status = find_output(&j, err);
    if (status == LQ_OK)
        status = read_importance(&j, err);
    if (status == LQ_OK)
        status = strcmp(a->command, "convert") == 0 ? plan_convert(&j, err)
                                                    : plan_quantize(&j, err);
    if (status == LQ_OK && j.output->catalog.n_files != a->n_subjects)
        status = refuse(&j, err, "source and recipe give %zu files, the attestation names %zu",
                        j.output->catalog.n_files, a->n_subjects);
    if (status == LQ_OK)
        status = open_claimed(&j, err);
    if (status == LQ_OK) {
        compare_headers(&j);
        status = run(&j, err);
    }
    release(&j);
    return status;
}
