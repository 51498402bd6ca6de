/* attestation_write.c -- a statement as JSON. */
#include "libquant/provenance/attestation.h"

#include "libquant/base/hash.h"

#include <inttypes.h>
#include <string.h>

/* ---- JSON, without spaces ---- */

static void put_key(struct text *t, const char *key)
{
    const char last = t->len ? t->data[t->len - 1] : '\0';
    if (last && last != '{' && last != '[')
        text_putc(t, ',');
    if (key) {
        text_put_json(t, key, strlen(key));
        text_putc(t, ':');
    }
}

static void put_open(struct text *t, const char *key, char bracket)
{
    put_key(t, key);
    text_putc(t, bracket);
}

static void put_string(struct text *t, const char *key, const char *s)
{
    put_key(t, key);
    if (s)
        text_put_json(t, s, strlen(s));
    else
        text_puts(t, "null");
}

static void put_bool(struct text *t, const char *key, bool v)
{
    put_key(t, key);
    text_puts(t, v ? "true" : "false");
}

/* As a string: a number would be rounded by readers that keep doubles. */
static void put_u64(struct text *t, const char *key, uint64_t v)
{
    put_key(t, key);
    text_printf(t, "\"%" PRIu64 "\"", v);
}

static void put_hex(struct text *t, const char *key, const uint8_t sha256[32])
{
    char hex[65];
    hex_of(hex, sha256, 32);
    put_string(t, key, hex);
}

static void put_strings(struct text *t, const char *key, const char *const *list, size_t n)
{
    put_open(t, key, '[');
    for (size_t i = 0; i < n; i++)
        put_string(t, NULL, list[i]);
    text_putc(t, ']');
}

/* ---- the recipe ---- */

static const char *type_name(const struct type_info *type)
{
    return type ? type->name : NULL;
}

static void put_override(struct text *t, const struct kv_override *o)
{
    struct text s = {0};
    text_printf(&s, "%s=", o->key);
    if (o->type == META_U32)
        text_printf(&s, "int:%" PRIu32, o->v.u32);
    else if (o->type == META_F32)
        text_printf(&s, "float:%.9g", (double)o->v.f32);
    else if (o->type == META_BOOL)
        text_printf(&s, "bool:%s", o->v.u32 ? "true" : "false");
    else
        text_printf(&s, "str:%s", o->v.string);
    put_string(t, NULL, s.failed ? "" : s.data);
    t->failed = t->failed || s.failed;
    text_free(&s);
}

static void put_pattern(struct text *t, const struct type_pattern *p)
{
    struct text s = {0};
    text_printf(&s, "%s=%s", p->text, p->type->name);
    put_string(t, NULL, s.failed ? "" : s.data);
    t->failed = t->failed || s.failed;
    text_free(&s);
}

static void put_importance(struct text *t, const struct attestation *a)
{
    const struct quantize_options *const q = &a->convert.quantize;
    if (!a->has_importance) {
        put_string(t, "importance", NULL);
        return;
    }
    put_open(t, "importance", '{');
    put_string(t, "name", q->imatrix_path);
    put_hex(t, "sha256", a->imatrix_sha256);
    put_strings(t, "include", q->include, q->n_include);
    put_strings(t, "exclude", q->exclude, q->n_exclude);
    text_putc(t, '}');
}

static void put_quantize(struct text *t, const struct attestation *a)
{
    const struct quantize_options *const q = &a->convert.quantize;
    put_bool(t, "pure", q->recipe.pure);
    put_bool(t, "leaveOutputTensor", q->recipe.keep_output);
    put_string(t, "outputTensorType", type_name(q->recipe.output_type));
    put_string(t, "tokenEmbeddingType", type_name(q->recipe.embedding_type));
    put_open(t, "tensorTypes", '[');
    for (size_t i = 0; i < q->recipe.n_patterns; i++)
        put_pattern(t, &q->recipe.patterns[i]);
    text_putc(t, ']');
    put_open(t, "overrides", '[');
    for (size_t i = 0; i < q->n_overrides; i++)
        put_override(t, &q->overrides[i]);
    text_putc(t, ']');
    put_open(t, "pruneLayers", '[');
    for (size_t i = 0; i < q->n_prune; i++)
        put_u64(t, NULL, q->prune[i]);
    text_putc(t, ']');
    put_bool(t, "allowRequantize", q->allow_requantize);
    put_bool(t, "keepSplit", q->keep_split);
    put_importance(t, a);
}

static void put_recipe(struct text *t, const struct attestation *a)
{
    const struct convert_options *const c = &a->convert;
    put_open(t, "externalParameters", '{');
    put_string(t, "command", a->command);
    put_string(t, "source", a->entry ? a->entry : ".");
    put_string(t, "type", a->type);
    put_string(t, "via", c->via ? c->via->name : "F32");
    put_string(t, "rounding", rounding_name(a->rounding));
    put_string(t, "modelId", a->names.id);
    put_string(t, "modelName", c->metadata.name);
    put_key(t, "metadata");
    if (a->metadata.data)
        text_put_json(t, a->metadata.data, a->metadata.len);
    else
        text_puts(t, "null");
    put_bool(t, "vocabOnly", c->vocab_only);
    put_u64(t, "splitMaxBytes", c->split.max_bytes);
    put_u64(t, "splitMaxTensors", c->split.max_tensors);
    put_bool(t, "splitEmptyFirst", c->split.empty_first);
    put_bool(t, "allowNonfinite", a->allow_nonfinite);
    put_quantize(t, a);
    text_putc(t, '}');
}

static void put_names(struct text *t, const struct metadata_names *n)
{
    put_open(t, "internalParameters", '{');
    put_open(t, "resolvedNames", '{');
    put_string(t, "name", n->name);
    put_string(t, "basename", n->basename);
    put_string(t, "finetune", n->finetune);
    put_string(t, "version", n->version);
    put_string(t, "sizeLabel", n->size_label);
    text_puts(t, "}}");
}

/* ---- files ---- */

/* `content` NULL: a file that is not known as tensors. */
static void put_file(struct text *t, const char *name, const uint8_t *sha256, const uint8_t *content)
{
    put_open(t, NULL, '{');
    put_string(t, "name", name);
    put_open(t, "digest", '{');
    if (sha256)
        put_hex(t, "sha256", sha256);
    if (content)
        put_hex(t, "lqContentV1", content);
    text_puts(t, "}}");
}

static void put_materials(struct text *t, const struct attestation *a)
{
    put_open(t, "resolvedDependencies", '[');
    for (size_t i = 0; i < a->n_materials; i++)
        put_file(t, a->materials[i].name, a->materials[i].sha256, NULL);
    put_file(t, "tensors of the source", NULL, a->source_content);
    if (a->has_importance)
        put_file(t, ATTEST_MATRIX, a->imatrix_sha256, NULL);
    text_putc(t, ']');
}

/* ---- the evaluation ---- */

/* 17 digits tell every double from every other. */
static void put_f64(struct text *t, const char *key, double v)
{
    put_key(t, key);
    text_printf(t, "\"%.17g\"", v);
}

static void put_evaluation(struct text *t, const char *key, const struct evaluation *e)
{
    put_open(t, key, '{');
    put_u64(t, "context", e->length);
    put_u64(t, "chunks", e->n_chunks);
    put_u64(t, "tokensScored", e->n);
    put_open(t, "tokenDigest", '{');
    put_string(t, "sha256", e->token_digest);
    text_putc(t, '}');
    put_open(t, "logprobDigest", '{');
    put_string(t, "sha256", e->logprob_digest);
    text_putc(t, '}');
    put_open(t, "figures", '{');
#define FIGURE(name, field) put_f64(t, #name, e->summary.field);
#include "libquant/provenance/attest_figures.def"
#undef FIGURE
    text_puts(t, "}}");
}

void attestation_put_evaluation(struct text *out, const struct evaluation *e)
{
    put_evaluation(out, NULL, e);
}

void attestation_put(struct text *t, const struct attestation *a)
{
    put_open(t, NULL, '{');
    put_string(t, "_type", ATTEST_STATEMENT);
    put_open(t, "subject", '[');
    for (size_t i = 0; i < a->n_subjects; i++)
        put_file(t, a->subjects[i].name, a->subjects[i].sha256, a->content);
    text_putc(t, ']');
    put_string(t, "predicateType", ATTEST_PREDICATE);
    put_open(t, "predicate", '{');
    put_open(t, "buildDefinition", '{');
    put_string(t, "buildType", ATTEST_BUILD);
    put_recipe(t, a);
    put_names(t, &a->names);
    put_materials(t, a);
    text_putc(t, '}');
    put_open(t, "runDetails", '{');
    put_open(t, "builder", '{');
    put_string(t, "id", "urn:libquant:lq");
    put_open(t, "version", '{');
    put_string(t, "libquant", a->version);
    text_puts(t, "}}}");
    if (a->has_evaluation)
        put_evaluation(t, "libquant_evaluation", &a->evaluation);
    else
        put_string(t, "libquant_evaluation", NULL);
    text_puts(t, "}}\n");
}
