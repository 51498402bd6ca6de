/* quantize_meta.c -- the metadata of a quantized model, in the order in which llama-quantize leaves
 * it: whatever it sets moves to the end.
 */
#include "libquant/convert/quantize.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    QUANTIZATION_VERSION = 2,  /* GGML_QNT_VERSION */
    FILE_TYPE_GUESSED = 1024   /* LLAMA_FTYPE_GUESSED: no file type was stated */
};

/* ---- overrides as given ---- */

static lq_status bad_override(const char *text, const char *why, lq_error *err)
{
    return lq_fail(err, LQ_E_USAGE, "--override-kv: \"%.200s\": %s", text, why);
}

static lq_status parse_int(struct kv_override *o, const char *text, const char *value,
                           lq_error *err)
{
    char *end;
    errno = 0;
    const long long n = strtoll(value, &end, 10);
    if (end == value || *end || errno || n > UINT32_MAX || n < -(long long)UINT32_MAX)
        return bad_override(text, "the value is no integer of 32 bits", err);
    o->type = META_U32;
    o->negative = n < 0;
    o->v.u32 = (uint32_t)(n < 0 ? -n : n);
    return LQ_OK;
}

static lq_status parse_float(struct kv_override *o, const char *text, const char *value,
                             lq_error *err)
{
    char *end;
    const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!plain)
        return lq_fail_memory(err);
    const double x = strtod_l(value, &end, plain);
    freelocale(plain);
    if (end == value || *end)
        return bad_override(text, "the value is no number", err);
    o->type = META_F32;
    o->v.f32 = (float)x;
    return LQ_OK;
}

static lq_status parse_bool(struct kv_override *o, const char *text, const char *value,
                            lq_error *err)
{
    o->type = META_BOOL;
    o->v.u32 = strcmp(value, "true") == 0;
    return o->v.u32 || strcmp(value, "false") == 0
               ? LQ_OK
               : bad_override(text, "a bool is true or false", err);
}

static lq_status parse_string(struct kv_override *o, const char *text, const char *value,
                              lq_error *err)
{
    const size_t len = strlen(value);
    if (len >= OVERRIDE_SIZE)
        return bad_override(text, "a string has at most 127 bytes", err);
    o->type = META_STRING;
    memcpy(o->v.string, value, len + 1);
    return LQ_OK;
}

static const struct {
    const char *prefix;
    lq_status (*parse)(struct kv_override *o, const char *text, const char *value, lq_error *err);
} override_kinds[] = {
    {"int:", parse_int}, {"float:", parse_float}, {"bool:", parse_bool}, {"str:", parse_string}};

lq_status kv_override_parse(struct kv_override *o, const char *text, lq_error *err)
{
    const char *const equals = strchr(text, '=');
    *o = (struct kv_override){0};
    if (!equals || equals == text || equals - text >= OVERRIDE_SIZE)
        return bad_override(text, "not of the form KEY=TYPE:VALUE with a key of at most 127 bytes",
                            err);
    memcpy(o->key, text, (size_t)(equals - text));
    for (size_t i = 0; i < sizeof override_kinds / sizeof override_kinds[0]; i++) {
        const size_t n = strlen(override_kinds[i].prefix);
        if (strncmp(equals + 1, override_kinds[i].prefix, n) == 0)
            return override_kinds[i].parse(o, text, equals + 1 + n, err);
    }
    return bad_override(text, "the type is none of int, float, bool, str", err);
}

/* ---- setting: remove, then append ---- */

lq_status quantize_put_u32(struct catalog *out, const char *key, uint32_t value, lq_error *err)
{
    (void)catalog_remove_meta(out, key);
    return catalog_set_uint(out, key, META_U32, value, err);
}

static lq_status put_string(struct catalog *out, const char *key, const char *s, lq_error *err)
{
    const size_t len = strlen(s);
    (void)catalog_remove_meta(out, key);
    return catalog_set_string(out, key, s, len < OVERRIDE_SIZE ? len : OVERRIDE_SIZE - 1, err);
}

static lq_status put_override(struct catalog *out, const struct kv_override *o, lq_error *err)
{
    (void)catalog_remove_meta(out, o->key);
    switch (o->type) {
    case META_U32: return catalog_set_uint(out, o->key, META_U32, o->v.u32, err);
    case META_F32: return catalog_set_float(out, o->key, META_F32, o->v.f32, err);
    case META_BOOL: return catalog_set_bool(out, o->key, o->v.u32 != 0, err);
    default: return put_string(out, o->key, o->v.string, err);
    }
}

static lq_status put_imatrix(struct catalog *out, const struct quantize_options *o, lq_error *err)
{
    LQ_TRY(put_string(out, "quantize.imatrix.file", o->imatrix_path, err));
    if (o->imatrix->dataset)
        LQ_TRY(put_string(out, "quantize.imatrix.dataset", o->imatrix->dataset, err));
    LQ_TRY(quantize_put_u32(out, "quantize.imatrix.entries_count", (uint32_t)o->imatrix->n, err));
    if (o->imatrix->chunks)
        LQ_TRY(quantize_put_u32(out, "quantize.imatrix.chunks_count", o->imatrix->chunks, err));
    return LQ_OK;
}

/* ---- the file type of a copy ---- */

/* What a file is called whose most frequent type this is; others: 0. */
static const struct {
    uint16_t type, number;
} file_types[] = {
    {LQ_TYPE_F32, 0},      {LQ_TYPE_F16, 1},     {LQ_TYPE_BF16, 32},    {LQ_TYPE_Q4_0, 2},
    {LQ_TYPE_Q4_1, 3},     {LQ_TYPE_Q5_0, 8},    {LQ_TYPE_Q5_1, 9},     {LQ_TYPE_Q8_0, 7},
    {LQ_TYPE_Q2_K, 10},    {LQ_TYPE_Q3_K, 12},   {LQ_TYPE_Q4_K, 15},    {LQ_TYPE_Q5_K, 17},
    {LQ_TYPE_Q6_K, 18},    {LQ_TYPE_TQ1_0, 36},  {LQ_TYPE_TQ2_0, 37},   {LQ_TYPE_IQ2_XXS, 19},
    {LQ_TYPE_IQ2_XS, 20},  {LQ_TYPE_IQ2_S, 28},  {LQ_TYPE_IQ3_XXS, 23}, {LQ_TYPE_IQ1_S, 24},
    {LQ_TYPE_IQ1_M, 31},   {LQ_TYPE_IQ4_NL, 25}, {LQ_TYPE_IQ4_XS, 30},  {LQ_TYPE_IQ3_S, 26},
    {LQ_TYPE_NVFP4, 39},   {LQ_TYPE_Q1_0, 40},   {LQ_TYPE_Q2_0, 41},
};

static uint32_t file_type_number(const struct type_info *type)
{
    for (size_t i = 0; i < sizeof file_types / sizeof file_types[0]; i++)
        if (file_types[i].type == type->id)
            return file_types[i].number;
    return 0;
}

static int by_name_order(const void *a, const void *b)
{
    const struct tensor *const *const x = a, *const *const y = b;
    return recipe_name_order((*x)->name, (*y)->name);
}

/* The type that is the first to be the most frequent, counting in the order of the names. */
static lq_status guess_file_type(const struct catalog *source, uint32_t *out, lq_error *err)
{
    enum { TYPES = 256 }; /* GGUF's ids */
    uint32_t count[TYPES] = {0}, most = 0;
    const struct tensor **const sorted = mem_calloc(source->n_tensors, sizeof *sorted);
    if (!sorted && source->n_tensors)
        return lq_fail_memory(err);
    for (size_t i = 0; i < source->n_tensors; i++)
        sorted[i] = &source->tensors[i];
    if (source->n_tensors)
        qsort(sorted, source->n_tensors, sizeof *sorted, by_name_order);
    *out = FILE_TYPE_GUESSED;
    for (size_t i = 0; i < source->n_tensors; i++) {
        const struct type_info *const type = sorted[i]->type;
        if (++count[type->id % TYPES] > most) {
            most = count[type->id % TYPES];
            *out = file_type_number(type) | FILE_TYPE_GUESSED;
        }
    }
    free(sorted);
    return LQ_OK;
}

static lq_status file_type(const struct catalog *source, const struct mix *mix, uint32_t *out,
                           lq_error *err)
{
    uint64_t stated;
    *out = mix->number;
    if (mix->base != LQ_TYPE_NONE)
        return LQ_OK;
    if (!catalog_meta_u64(source, "general.file_type", &stated))
        return guess_file_type(source, out, err);
    *out = (uint32_t)stated;
    return LQ_OK;
}

/* ---- all of it ---- */

lq_status quantize_metadata(struct catalog *out, const struct catalog *source,
                            const struct quantize_options *options, lq_error *err)
{
    static const char *const split_keys[] = {"split.no", "split.count", "split.tensors.count"};
    uint32_t number;
    LQ_TRY(file_type(source, options->recipe.mix, &number, err));
    for (size_t i = 0; i < source->n_meta; i++) {
        struct meta *const m = catalog_add_meta(out);
        if (!m)
            return lq_fail_memory(err);
        *m = source->meta[i];
    }
    LQ_TRY(quantize_put_u32(out, "general.quantization_version", QUANTIZATION_VERSION, err));
    LQ_TRY(quantize_put_u32(out, "general.file_type", number, err));
    for (size_t i = 0; i < sizeof split_keys / sizeof split_keys[0]; i++)
        (void)catalog_remove_meta(out, split_keys[i]);
    for (size_t i = 0; i < options->n_overrides; i++)
        LQ_TRY(put_override(out, &options->overrides[i], err));
    return options->imatrix && options->imatrix->n ? put_imatrix(out, options, err) : LQ_OK;
}
