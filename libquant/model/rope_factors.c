/* rope_factors.c -- scalings of frequencies as tensors: Llama 3's, and LongRoPE's. */
#include "libquant/model/rope_factors.h"

#include "libquant/model/exact_math.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

/* 2 pi in single precision: all of this is done in single precision, as in the definition of the
 * scaling (transformers, modeling_rope_utils.py), division by reciprocals included. */
static const float TWO_PI = 6.2831853071795864769f;

struct scaling {
    double theta, factor, low, high, length;
};

/* How many times slower the frequency becomes. */
static float factor_of(const struct scaling *s, float frequency)
{
    const float wavelength = 1.0f / frequency * TWO_PI;
    if (wavelength < (float)(s->length / s->high))
        return 1;
    if (wavelength > (float)(s->length / s->low))
        return (float)s->factor;
    const float turns = 1.0f / wavelength * (float)s->length;
    const float smooth = (turns - (float)s->low) / (float)(s->high - s->low);
    return 1.0f / ((1.0f - smooth) / (float)s->factor + smooth);
}

lq_status rope_factors_llama3(struct model *m, struct mapping *map, lq_error *err)
{
    const char *const type = config_string(&m->config, "rope:rope_type");
    if (!type || strcmp(type, "llama3") != 0)
        return LQ_OK;
    struct scaling s = {10000, 8, 1, 4, 8192};
    LQ_TRY(config_f64(&m->config, "rope:rope_theta", &s.theta, err));
    LQ_TRY(config_f64(&m->config, "rope:factor", &s.factor, err));
    LQ_TRY(config_f64(&m->config, "rope:low_freq_factor", &s.low, err));
    LQ_TRY(config_f64(&m->config, "rope:high_freq_factor", &s.high, err));
    LQ_TRY(config_f64(&m->config, "rope:original_max_position_embeddings", &s.length, err));
    if (!(s.theta >= 1 && s.theta <= 1e30 && s.factor > 0 && s.low > 0 && s.high > s.low &&
          s.length > 0))
        return lq_fail_at(err, LQ_E_MODEL, "config.json", -1,
                          "the numbers of the \"llama3\" position scaling contradict each other");
    const uint64_t n = m->dim[DIM_HEAD_DIM];
    const uint64_t half = (n + 1) / 2;
    float *const values = arena_calloc(&map->arena, half, sizeof *values);
    struct mapped *const t = values ? mapping_add(map) : NULL;
    if (!t)
        return lq_fail_memory(err);
    for (uint64_t i = 0; i < half; i++) {
        const float exponent = (float)(2 * i) / (float)n;
        values[i] = factor_of(&s, 1.0f / (float)exact_pow((float)s.theta, exponent));
    }
    *t = (struct mapped){.name = "rope_freqs.weight", .layer = UINT32_MAX, .rank = 1, .f32 = true,
                         .dim = {half}, .values = values};
    return LQ_OK;
}

/* ---- LongRoPE: a factor for each frequency, for short and for long texts ---- */

static lq_status add_factors(struct model *m, struct mapping *map, const char *name,
                             const char *from, uint64_t n, lq_error *err)
{
    const cJSON *const list = config_find(&m->config, from);
    if (!cJSON_IsArray(list) || (uint64_t)cJSON_GetArraySize(list) != n)
        return lq_fail_at(err, LQ_E_MODEL, "config.json", -1,
                          "the position scaling should have a list \"%s\" of %llu factors",
                          from + strlen("rope:"), (unsigned long long)n);
    float *const values = arena_calloc(&map->arena, n, sizeof *values);
    struct mapped *const t = values ? mapping_add(map) : NULL;
    if (!t)
        return lq_fail_memory(err);
    const cJSON *item = list->child;
    for (uint64_t i = 0; i < n; i++, item = item->next) {
        if (!cJSON_IsNumber(item))
            return lq_fail_at(err, LQ_E_MODEL, "config.json", -1,
                              "\"%s\" should hold numbers", from + strlen("rope:"));
        values[i] = (float)item->valuedouble;
    }
    *t = (struct mapped){.name = name, .layer = UINT32_MAX, .rank = 1, .f32 = true, .dim = {n},
                         .values = values, .order = map->n - 1};
    return LQ_OK;
}

lq_status rope_factors_longrope(struct model *m, struct mapping *map, lq_error *err)
{
    double part = 1;
    if (!config_find(&m->config, "rope:long_factor"))
        return LQ_OK;
    LQ_TRY(config_f64(&m->config, "rope:partial_rotary_factor", &part, err));
    const uint64_t half = (uint64_t)(part * (double)m->dim[DIM_HEAD_DIM]) / 2;
    LQ_TRY(add_factors(m, map, "rope_factors_long.weight", "rope:long_factor", half, err));
    return add_factors(m, map, "rope_factors_short.weight", "rope:short_factor", half, err);
}

lq_status rope_longrope_attention(struct model *m, const struct hparam *h, struct catalog *out,
                                  lq_error *err)
{
    double longest = 0, original = 0, factor = 1;
    if (!config_find(&m->config, "rope:long_factor"))
        return LQ_OK;
    LQ_TRY(config_f64(&m->config, "n_positions max_position_embeddings", &longest, err));
    LQ_TRY(config_f64(&m->config, "rope:original_max_position_embeddings", &original, err));
    if (!(longest >= 1 && original > 1))
        return lq_fail_at(err, LQ_E_MODEL, "config.json", -1,
                          "\"original_max_position_embeddings\" is missing: the position scaling "
                          "needs it");
    if (longest > original)
        factor = sqrt(1 + exact_log(longest / original) / exact_log(original));
    return hparam_set(m, h, out, factor, err);
}
