/* rope.c -- the angles of rotary positions, in double precision.
 *
 * RoPE: J. Su et al., "RoFormer", 2021. YaRN: B. Peng et al., "YaRN: Efficient Context Window Extension
 * of Large Language Models", 2023. */
#include "libquant/eval/elementary.h"
#include "libquant/eval/graph.h"
#include "libquant/model/exact_math.h"

/* The pair that turns `turns` times within the original length. */
static double pair_of(const struct graph *g, const struct rope *r, double turns)
{
    return (double)g->rotated * exact_log(g->yarn_original / (turns * 6.283185307179586)) /
           (2.0 * exact_log(r->base));
}

static double limited(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

/* How much of a frequency is left as it was: 1 for fast ones, 0 for slow ones. */
static double kept(const struct graph *g, const struct rope *r, uint32_t i)
{
    double low = pair_of(g, r, g->yarn_fast), high = pair_of(g, r, g->yarn_slow);
    if (!g->row.yarn_exact) {
        low = floor(low);
        high = ceil(high);
    }
    low = limited(low, 0, g->rotated - 1);
    high = limited(high, 0, g->rotated - 1);
    const double width = high - low < 0.001 ? 0.001 : high - low;
    return 1.0 - limited(((double)i - low) / width, 0, 1);
}

lq_status rope_tables(struct graph *g, struct rope *r, uint32_t length, lq_error *err)
{
    const uint32_t half = g->rotated / 2;
    r->cosine = arena_calloc(&g->arena, (size_t)half * length, sizeof *r->cosine);
    r->sine = arena_calloc(&g->arena, (size_t)half * length, sizeof *r->sine);
    if (!r->cosine || !r->sine)
        return lq_fail_memory(err);
    for (uint32_t i = 0; i < half; i++) {
        const double exponent = 2.0 * (double)i / (double)g->rotated;
        double frequency = i ? 1.0 / exact_pow(r->base, exponent) : 1.0;
        if (r->factors)
            frequency /= (double)r->factors[i];
        if (r->yarn) {
            const double keep = kept(g, r, i);
            frequency = frequency * r->scale * (1.0 - keep) + frequency * keep;
        } else {
            frequency *= r->scale;
        }
        if (!(frequency * (double)length <= SIN_COS_LIMIT))
            return lq_fail_at(err, LQ_E_MODEL, g->weights->catalog->path, -1,
                              "metadata: the scale or the factors of \"%s.rope\" give angles of "
                              "more than 2^20", g->arch->name);
        for (uint32_t p = 0; p < length; p++) {
            double sine, cosine;
            sin_cos_f64((double)p * frequency, &sine, &cosine);
            r->cosine[(size_t)p * half + i] = (float)(cosine * r->magnitude);
            r->sine[(size_t)p * half + i] = (float)(sine * r->magnitude);
        }
    }
    return LQ_OK;
}
