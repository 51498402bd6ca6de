/* packed.c -- schemes of quantized checkpoints: which tensors belong together, and whether they fit.
 *
 * The layouts are those of AutoGPTQ and GPTQModel, AutoAWQ, bitsandbytes and compressed-tensors. Only
 * matrices are packed; what a scheme leaves out is stored as floats and is no concern of this file.
 */
#include "libquant/model/packed_parts.h"

#include "libquant/base/json.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define CONFIG "quantization_config."

const struct type_info type_packed = {
    .name = "packed", .id = LQ_TYPE_NONE, .block_len = 1, .block_bytes = 4};

/* ---- complaints ---- */

static lq_status wrong(const struct tensor *t, const char *what, lq_error *err)
{
    lq_fail(err, LQ_E_MODEL, "%s", what);
    lq_error_add_tensor(err, t->name);
    return LQ_E_MODEL;
}

static lq_status unsupported(const char *what, const char *value, lq_error *err)
{
    return lq_fail_at(err, LQ_E_UNSUPPORTED, "config.json", -1,
                      "the checkpoint is quantized with %s %.60s, which is not read here; take the "
                      "one that it was made from",
                      what, value);
}

/* Where a matrix of this shape is expected; 0 rows or columns: a vector of the other. */
static lq_status must_be(const struct tensor *t, uint64_t rows, uint64_t cols, lq_error *err)
{
    const uint64_t r = t->rank == 2 ? t->dim[0] : 0, c = t->rank ? t->dim[t->rank - 1] : 1;
    if (t->rank <= 2 && r == rows && c == cols)
        return LQ_OK;
    lq_fail(err, LQ_E_MODEL, "does not fit the weight that it belongs to: %" PRIu64 " x %" PRIu64
            " is expected", rows ? rows : 1, cols);
    lq_error_add_tensor(err, t->name);
    return LQ_E_MODEL;
}

static lq_status must_be_type(const struct tensor *t, uint16_t type, lq_error *err)
{
    if (!t || t->type->id == type)
        return LQ_OK;
    lq_fail(err, LQ_E_MODEL, "has type %s, where %s is expected", t->type->name,
            type_by_id(type)->name);
    lq_error_add_tensor(err, t->name);
    return LQ_E_MODEL;
}

static lq_status must_be_float(const struct tensor *t, lq_error *err)
{
    if (t->type->decode && !(t->type->flags & TYPE_INTEGER) && t->type->block_len == 1)
        return LQ_OK;
    return wrong(t, "is no tensor of floats, as scales must be", err);
}

/* ---- shapes ---- */

static lq_status set_shape(struct packed *p, uint64_t rows, uint64_t cols, struct arena *a,
                           lq_error *err)
{
    uint64_t *const dim = arena_calloc(a, 2, sizeof *dim);
    if (!dim)
        return lq_fail_memory(err);
    dim[0] = rows;
    dim[1] = cols;
    p->tensor.rank = 2;
    p->tensor.dim = dim;
    if (!rows || !cols || cols > UINT32_MAX || !tensor_measure(&p->tensor))
        return wrong(p->part[0], "stands for a weight of no possible shape", err);
    p->tensor.bytes = p->part[0]->bytes; /* for the progress line */
    return LQ_OK;
}

/* Words that hold n numbers. */
static uint64_t words(uint64_t n, unsigned bits)
{
    return (n * bits + 31) / 32;
}

static lq_status must_be_matrix(const struct tensor *t, lq_error *err)
{
    if (t->rank == 2 && t->dim[0] && t->dim[1] && t->dim[0] < UINT32_MAX && t->dim[1] < UINT32_MAX)
        return LQ_OK;
    return wrong(t, "is no matrix, as packed weights must be", err);
}

/* A configured group size: -1, null and none are all columns. */
static lq_status group_size(struct packed *p, const struct cJSON *v, lq_error *err)
{
    const uint64_t cols = p->tensor.dim[1];
    const bool whole = !v || cJSON_IsNull(v) || (cJSON_IsNumber(v) && v->valuedouble == -1);
    if (!whole && (!cJSON_IsNumber(v) || !(v->valuedouble >= 1 && v->valuedouble <= UINT32_MAX) ||
                   v->valuedouble != floor(v->valuedouble)))
        return lq_fail_at(err, LQ_E_MODEL, "config.json", -1, "group_size is no size of groups");
    p->group_size = whole ? cols : (uint64_t)v->valuedouble;
    if (cols % p->group_size && !p->group_of) {
        lq_fail(err, LQ_E_MODEL, "groups of %" PRIu64 " do not divide its %" PRIu64 " inputs",
                p->group_size, cols);
        lq_error_add_tensor(err, p->part[0]->name);
        return LQ_E_MODEL;
    }
    p->groups = (cols + p->group_size - 1) / p->group_size;
    return LQ_OK;
}

static lq_status order_of_groups(struct packed *p, const struct tensor *t, lq_error *err)
{
    p->group_of = t;
    if (!t)
        return LQ_OK;
    LQ_TRY(must_be_type(t, LQ_TYPE_I32, err));
    return must_be(t, 0, p->tensor.dim[1], err);
}

/* ---- GPTQ and AWQ: input first ---- */

enum { STORED_NUMBERS, STORED_ZEROS, STORED_SCALES, STORED_ORDER };

static lq_status bits_of(const struct model *m, unsigned *bits, const char *allowed, lq_error *err)
{
    uint64_t v = 0;
    LQ_TRY(config_u64(&m->config, CONFIG "bits " CONFIG "w_bit", 64, &v, err));
    char digit[8] = "?";
    if (v < 10)
        digit[0] = (char)('0' + v);
    if (!strstr(allowed, digit))
        return lq_fail_at(err, LQ_E_UNSUPPORTED, "config.json", -1,
                          "weights of %" PRIu64 " bits are not read here; known are %s", v, allowed);
    *bits = (unsigned)v;
    return LQ_OK;
}

/* Numbers, zeros and scales as both have them; `bits` and directions are set. */
static lq_status fit_stored(struct packed *p, const struct model *m, lq_error *err)
{
    const uint64_t out = p->tensor.dim[0];
    p->transposed = true;
    p->number.t = p->part[STORED_NUMBERS];
    p->zero.t = p->part[STORED_ZEROS];
    p->scale = p->part[STORED_SCALES];
    LQ_TRY(must_be_type(p->zero.t, LQ_TYPE_I32, err));
    LQ_TRY(must_be_float(p->scale, err));
    LQ_TRY(group_size(p, config_find(&m->config, CONFIG "group_size " CONFIG "q_group_size"), err));
    LQ_TRY(must_be(p->scale, p->groups, out, err));
    return must_be(p->zero.t, p->groups, words(out, p->zero.bits), err);
}

static lq_status fit_gptq(struct packed *p, const struct model *m, struct arena *a, lq_error *err)
{
    const struct tensor *const t = p->part[STORED_NUMBERS];
    const char *const form = config_string(&m->config, CONFIG "checkpoint_format");
    unsigned bits = 0;
    LQ_TRY(bits_of(m, &bits, "2, 3, 4, 8", err));
    if (form && strcmp(form, "gptq") != 0 && strcmp(form, "gptq_v2") != 0)
        return unsupported("GPTQ in the format", form, err);
    if (t->dim[0] * 32 % bits || (bits == 3 && t->dim[0] % 3))
        return wrong(t, "has no whole number of rows in the bits that config.json tells", err);
    LQ_TRY(set_shape(p, t->dim[1], t->dim[0] * 32 / bits, a, err));
    LQ_TRY(order_of_groups(p, p->part[STORED_ORDER], err));
    p->number = (struct packed_grid){.bits = (uint8_t)bits, .down = true};
    p->zero = (struct packed_grid){.bits = (uint8_t)bits};
    p->zero_add = form && strcmp(form, "gptq_v2") == 0 ? 0 : 1; /* v1 stores zeros less one */
    return fit_stored(p, m, err);
}

static lq_status fit_awq(struct packed *p, const struct model *m, struct arena *a, lq_error *err)
{
    const struct tensor *const t = p->part[STORED_NUMBERS];
    const char *const version = config_string(&m->config, CONFIG "version");
    unsigned bits = 0;
    LQ_TRY(bits_of(m, &bits, "4", err));
    if (version && strcmp(version, "gemm") != 0 && strcmp(version, "GEMM") != 0)
        return unsupported("AWQ for", version, err);
    LQ_TRY(set_shape(p, t->dim[1] * 8, t->dim[0], a, err));
    p->number = p->zero = (struct packed_grid){.bits = (uint8_t)bits, .interleaved = true};
    return fit_stored(p, m, err);
}

/* ---- compressed-tensors ---- */

/* "weights" of the only group of layers. */
static lq_status weights_config(const struct model *m, const struct cJSON **out, lq_error *err)
{
    const struct cJSON *const groups = config_find(&m->config, CONFIG "config_groups");
    const struct cJSON *const first = cJSON_IsObject(groups) ? groups->child : NULL;
    *out = cJSON_GetObjectItemCaseSensitive(first, "weights");
    if (!cJSON_IsObject(*out))
        return lq_fail_at(err, LQ_E_MODEL, "config.json", -1,
                          "quantization_config.config_groups does not tell how weights are stored");
    if (first->next)
        return unsupported("several groups of layers in the way", "compressed-tensors", err);
    return LQ_OK;
}

/* Scales and zeros beside numbers, output first: one, one for each row, or for groups of columns. */
static lq_status fit_beside(struct packed *p, const struct model *m, const struct tensor *order,
                            lq_error *err)
{
    const struct cJSON *weights;
    const uint64_t out = p->tensor.dim[0];
    LQ_TRY(weights_config(m, &weights, err));
    LQ_TRY(must_be_float(p->scale, err));
    LQ_TRY(order_of_groups(p, order, err));
    LQ_TRY(group_size(p, cJSON_GetObjectItemCaseSensitive(weights, "group_size"), err));
    if (p->scale->elements == 1 && p->groups == 1 && !p->zero.t)
        return LQ_OK;
    if (p->scale->rank != 1 || p->groups != 1)
        return must_be(p->scale, out, p->groups, err);
    return must_be(p->scale, 0, out, err);
}

enum { CT_NUMBERS, CT_SCALES, CT_SHAPE, CT_ZEROS, CT_ORDER };

/* The two sizes that weight_shape holds. */
static lq_status read_shape(const struct packed *p, const struct model *m, int64_t shape[2],
                            lq_error *err)
{
    const struct tensor *const t = p->part[CT_SHAPE];
    int32_t narrow[2];
    LQ_TRY(must_be(t, 0, 2, err));
    if (t->type->id == LQ_TYPE_I64)
        return catalog_read(&m->source, t, shape, 2 * sizeof *shape, 0, err);
    LQ_TRY(must_be_type(t, LQ_TYPE_I32, err));
    LQ_TRY(catalog_read(&m->source, t, narrow, sizeof narrow, 0, err));
    shape[0] = narrow[0];
    shape[1] = narrow[1];
    return LQ_OK;
}

static lq_status fit_pack_quantized(struct packed *p, const struct model *m, struct arena *a,
                                    lq_error *err)
{
    const struct cJSON *weights;
    int64_t shape[2];
    LQ_TRY(weights_config(m, &weights, err));
    const struct cJSON *const n = cJSON_GetObjectItemCaseSensitive(weights, "num_bits");
    const double bits = cJSON_IsNumber(n) ? n->valuedouble : 0;
    if (bits != 2 && bits != 4 && bits != 8)
        return lq_fail_at(err, LQ_E_UNSUPPORTED, "config.json", -1,
                          "weights of %g bits are not read here; known are 2, 4, 8", bits);
    LQ_TRY(read_shape(p, m, shape, err));
    if (shape[0] <= 0 || shape[1] <= 0 || shape[0] > UINT32_MAX || shape[1] > UINT32_MAX)
        return wrong(p->part[CT_SHAPE], "holds no shape of a matrix", err);
    LQ_TRY(set_shape(p, (uint64_t)shape[0], (uint64_t)shape[1], a, err));
    p->number = (struct packed_grid){.t = p->part[CT_NUMBERS], .bits = (uint8_t)bits};
    LQ_TRY(must_be(p->number.t, p->tensor.dim[0], words(p->tensor.dim[1], p->number.bits), err));
    p->scale = p->part[CT_SCALES];
    p->zero = (struct packed_grid){.t = p->part[CT_ZEROS], .bits = (uint8_t)bits, .down = true};
    p->zero_add = p->zero.t ? 0 : 1 << (p->number.bits - 1);
    LQ_TRY(fit_beside(p, m, p->part[CT_ORDER], err));
    if (!p->zero.t)
        return LQ_OK;
    LQ_TRY(must_be_type(p->zero.t, LQ_TYPE_I32, err));
    return must_be(p->zero.t, words(p->tensor.dim[0], p->zero.bits), p->groups, err);
}

enum { INT_NUMBERS, INT_SCALES, INT_ZEROS };

static lq_status fit_int_quantized(struct packed *p, const struct model *m, struct arena *a,
                                   lq_error *err)
{
    const struct tensor *const t = p->part[INT_NUMBERS];
    LQ_TRY(set_shape(p, t->dim[0], t->dim[1], a, err));
    p->number = (struct packed_grid){.t = t, .bits = 8};
    p->scale = p->part[INT_SCALES];
    p->zero = (struct packed_grid){.t = p->part[INT_ZEROS], .bits = 8};
    LQ_TRY(must_be_type(p->zero.t, LQ_TYPE_I8, err));
    LQ_TRY(fit_beside(p, m, NULL, err));
    if (p->zero.t && p->zero.t->elements != p->tensor.dim[0] * p->groups)
        return wrong(p->zero.t, "does not fit the weight that it belongs to", err);
    return LQ_OK;
}

static lq_status fit_nvfp4(struct packed *p, const struct model *m, struct arena *a, lq_error *err)
{
    const struct tensor *const t = p->part[NVFP4_NUMBERS], *const scale = p->part[NVFP4_SCALES];
    const struct tensor *const global = p->part[NVFP4_GLOBAL];
    (void)m;
    LQ_TRY(set_shape(p, t->dim[0], t->dim[1] * 2, a, err));
    LQ_TRY(must_be_float(scale, err));
    LQ_TRY(must_be_float(global, err));
    if (p->tensor.dim[1] % NVFP4_GROUP)
        return wrong(t, "has no whole number of groups of 16 inputs", err);
    LQ_TRY(must_be(scale, p->tensor.dim[0], p->tensor.dim[1] / NVFP4_GROUP, err));
    if (global->elements != 1)
        return wrong(global, "is not one number", err);
    return LQ_OK;
}

/* ---- bitsandbytes ---- */

static lq_status fit_bnb_int8(struct packed *p, const struct model *m, struct arena *a,
                              lq_error *err)
{
    const struct tensor *const t = p->part[INT_NUMBERS];
    (void)m;
    LQ_TRY(set_shape(p, t->dim[0], t->dim[1], a, err));
    p->number = (struct packed_grid){.t = t, .bits = 8};
    p->scale = p->part[INT_SCALES];
    p->groups = 1;
    p->group_size = t->dim[1];
    p->times = 7.874015718698502e-3f; /* 1 / 127 */
    LQ_TRY(must_be_float(p->scale, err));
    return must_be(p->scale, 0, t->dim[0], err);
}

static bool whole_number(const struct cJSON *v, double max, uint64_t *out)
{
    if (!cJSON_IsNumber(v) || !(v->valuedouble >= 1 && v->valuedouble <= max) ||
        v->valuedouble != floor(v->valuedouble))
        return false;
    *out = (uint64_t)v->valuedouble;
    return true;
}

/* The state's JSON: shape, block sizes, offset. False: something is missing or of another kind. */
static bool read_state(struct packed *p, const struct cJSON *state, uint64_t shape[2])
{
    uint64_t *const nested = &p->nested_block;
    const struct cJSON *const offset = cJSON_GetObjectItemCaseSensitive(state, "nested_offset");
    if (!config_pair(cJSON_GetObjectItemCaseSensitive(state, "shape"), &shape[0], &shape[1]) ||
        !whole_number(cJSON_GetObjectItemCaseSensitive(state, "blocksize"), 1 << 20, &p->block))
        return false;
    if (!p->part[TABLE_NESTED_ABSMAX])
        return true;
    p->nested_offset = cJSON_IsNumber(offset) ? (float)offset->valuedouble : 0;
    return cJSON_IsNumber(offset) && isfinite(p->nested_offset) &&
           whole_number(cJSON_GetObjectItemCaseSensitive(state, "nested_blocksize"), 1 << 20,
                        nested);
}

static lq_status open_state(struct packed *p, const struct model *m, uint64_t shape[2],
                            lq_error *err)
{
    const struct tensor *const t = p->part[TABLE_STATE];
    enum { STATE_LIMIT = 4096 };
    char text[STATE_LIMIT];
    struct cJSON *state = NULL;
    struct source *source = NULL;
    LQ_TRY(must_be_type(t, LQ_TYPE_U8, err));
    if (t->bytes > STATE_LIMIT)
        return wrong(t, "is too long for the state of a quantized weight", err);
    LQ_TRY(catalog_read(&m->source, t, text, (size_t)t->bytes, 0, err));
    LQ_TRY(source_open_memory(&source, t->name, text, (size_t)t->bytes, err));
    lq_status status = json_document(&state, source, err);
    source_close(source);
    if (status == LQ_OK && !read_state(p, state, shape))
        status = wrong(t, "is not the state of a quantized weight", err);
    cJSON_Delete(state);
    return status;
}

static lq_status must_count(const struct tensor *t, uint64_t n, lq_error *err)
{
    if (t->elements == n)
        return LQ_OK;
    lq_fail(err, LQ_E_MODEL,
            "has %" PRIu64 " elements, where the weight that it belongs to needs %" PRIu64,
            t->elements, n);
    lq_error_add_tensor(err, t->name);
    return LQ_E_MODEL;
}

static lq_status fit_bnb_table(struct packed *p, const struct model *m, struct arena *a,
                               lq_error *err)
{
    const struct tensor *const *const part = p->part;
    uint64_t shape[2];
    LQ_TRY(open_state(p, m, shape, err));
    LQ_TRY(set_shape(p, shape[0], shape[1], a, err));
    const uint64_t n = p->tensor.elements, blocks = (n + p->block - 1) / p->block;
    LQ_TRY(must_count(part[TABLE_INDEX], (n + 1) / 2, err));
    LQ_TRY(must_count(part[TABLE_ABSMAX], blocks, err));
    LQ_TRY(must_count(part[TABLE_VALUES], 16, err));
    LQ_TRY(must_be_float(part[TABLE_VALUES], err));
    if (!p->nested_block)
        return must_be_float(part[TABLE_ABSMAX], err);
    if (!part[TABLE_NESTED_VALUES])
        return wrong(part[TABLE_NESTED_ABSMAX], "has no nested_quant_map beside it", err);
    LQ_TRY(must_be_type(part[TABLE_ABSMAX], LQ_TYPE_U8, err));
    LQ_TRY(must_be_float(part[TABLE_NESTED_ABSMAX], err));
    LQ_TRY(must_be_float(part[TABLE_NESTED_VALUES], err));
    LQ_TRY(must_count(part[TABLE_NESTED_VALUES], 256, err));
    return must_count(part[TABLE_NESTED_ABSMAX],
                      (blocks + p->nested_block - 1) / p->nested_block, err);
}

/* ---- the table ---- */

static const struct packed_scheme schemes[] = {
    {"gptq", NULL, LQ_TYPE_I32, true, {".qweight", ".qzeros", ".scales", "?.g_idx"}, fit_gptq,
     packed_rows_affine},
    {"awq", NULL, LQ_TYPE_I32, true, {".qweight", ".qzeros", ".scales"}, fit_awq,
     packed_rows_affine},
    {"compressed-tensors", "pack-quantized", LQ_TYPE_I32, true,
     {".weight_packed", ".weight_scale", ".weight_shape", "?.weight_zero_point",
      "?.weight_g_idx"}, fit_pack_quantized, packed_rows_affine},
    {"compressed-tensors", "nvfp4-pack-quantized", LQ_TYPE_U8, true,
     {".weight_packed", ".weight_scale", ".weight_global_scale"}, fit_nvfp4, packed_rows_nvfp4},
    {"compressed-tensors", "int-quantized naive-quantized", LQ_TYPE_I8, false,
     {".weight", ".weight_scale", "?.weight_zero_point"}, fit_int_quantized, packed_rows_affine},
    {"bitsandbytes", NULL, LQ_TYPE_I8, false, {".weight", ".SCB"}, fit_bnb_int8,
     packed_rows_affine},
    {"bitsandbytes", NULL, LQ_TYPE_U8, false,
     {".weight", ".weight.absmax", ".weight.quant_map", ".weight.quant_state.bitsandbytes__*",
      "?.weight.nested_absmax", "?.weight.nested_quant_map"}, fit_bnb_table, packed_rows_table},
};
enum { N_SCHEMES = sizeof schemes / sizeof *schemes };

/* Ways of quantizing whose tensors are floats under scales, or MXFP4 (mapping.c). */
static const char *const plain_methods[] = {"fp8", "mxfp4"};
static const char plain_formats[] = "float-quantized naive-quantized";

static bool among(const char *words, const char *word)
{
    const size_t len = strlen(word);
    for (const char *p = words; (p = strstr(p, word)) != NULL; p += len)
        if ((p == words || p[-1] == ' ') && (!p[len] || p[len] == ' '))
            return true;
    return false;
}

static bool applies(const struct packed_scheme *s, const char *method, const char *format)
{
    return strcmp(s->method, method) == 0 && (!s->formats || (format && among(s->formats, format)));
}

lq_status packed_check_config(const struct model *m, lq_error *err)
{
    const char *const method = config_string(&m->config, CONFIG "quant_method");
    const char *const format = config_string(&m->config, CONFIG "format");
    if (!method)
        return LQ_OK;
    for (size_t i = 0; i < sizeof plain_methods / sizeof *plain_methods; i++)
        if (strcmp(method, plain_methods[i]) == 0)
            return LQ_OK;
    if (strcmp(method, "compressed-tensors") == 0 && (!format || among(plain_formats, format)))
        return LQ_OK;
    for (size_t i = 0; i < N_SCHEMES; i++)
        if (applies(&schemes[i], method, format))
            return LQ_OK;
    return unsupported(method, format ? format : "", err);
}

lq_status packed_check_absent(const struct model *m, lq_error *err)
{
    const char *const method = config_string(&m->config, CONFIG "quant_method");
    const char *const format = config_string(&m->config, CONFIG "format");
    for (size_t i = 0; method && i < N_SCHEMES; i++)
        if (applies(&schemes[i], method, format) && !(format && among(plain_formats, format)))
            return lq_fail_at(err, LQ_E_MODEL, "config.json", -1,
                              "says that weights are quantized (%.60s), but no tensor \"NAME%s\" of "
                              "type %s is there",
                              method, schemes[i].parts[0], type_by_id(schemes[i].type)->name);
    return LQ_OK;
}

static const struct packed_scheme *scheme_of(const struct model *m, const struct tensor *t)
{
    const char *const method = config_string(&m->config, CONFIG "quant_method");
    const char *const format = config_string(&m->config, CONFIG "format");
    for (size_t i = 0; method && i < N_SCHEMES; i++) {
        const struct packed_scheme *const s = &schemes[i];
        if (applies(s, method, format) && text_ends_with(t->name, s->parts[0]) &&
            (s->last || t->type->id == s->type))
            return s;
    }
    return NULL;
}

bool packed_is_main(const struct model *m, const struct tensor *t)
{
    return scheme_of(m, t) != NULL;
}

/* The part of a name; a '*' at the end stands for one of the tables of 4 bits. */
static const struct tensor *find_part(const struct model *m, const char *stem, size_t len,
                                      const char *suffix, char name[700])
{
    static const char *const tables[] = {"nf4", "fp4"};
    const size_t n = strlen(suffix);
    const bool either = suffix[n - 1] == '*';
    const struct tensor *found = NULL;
    for (size_t i = 0; i < (either ? 2 : 1) && !found; i++) {
        snprintf(name, 700, "%.*s%.*s%s", (int)(len < 500 ? len : 500), stem, (int)(n - either),
                 suffix, either ? tables[i] : "");
        found = catalog_find(&m->source, name);
    }
    return found;
}

lq_status packed_open(struct packed **out, const struct model *m, const struct tensor *t,
                      struct arena *a, lq_error *err)
{
    const struct packed_scheme *const s = scheme_of(m, t);
    const size_t stem = strlen(t->name) - strlen(s->parts[0]);
    struct packed *const p = *out = arena_calloc(a, 1, sizeof *p);
    if (!p || !(p->tensor.name = arena_printf(a, "%.*s.weight", (int)stem, t->name)))
        return lq_fail_memory(err);
    const struct tensor *const plain = catalog_find(&m->source, p->tensor.name);
    if (plain && plain != t)
        return wrong(plain, "is there beside the parts that it is packed in", err);
    p->tensor.type = &type_packed;
    p->tensor.file = t->file;
    p->tensor.offset = t->offset;
    p->scheme = s;
    p->part[0] = t;
    for (size_t i = 1; i < PACKED_PARTS && s->parts[i]; i++) {
        const bool optional = s->parts[i][0] == '?';
        char name[700];
        p->part[i] = find_part(m, t->name, stem, s->parts[i] + optional, name);
        if (!p->part[i] && !optional) {
            lq_fail(err, LQ_E_MODEL, "is missing: \"%.300s\" needs it", t->name);
            lq_error_add_tensor(err, name);
            return LQ_E_MODEL;
        }
    }
    LQ_TRY(must_be_type(t, s->type, err));
    LQ_TRY(must_be_matrix(t, err));
    return s->fit(p, m, a, err);
}

bool packed_comes_last(const struct packed *p)
{
    return p->scheme->last;
}
