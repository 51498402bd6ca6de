/* iquant1.c -- IQ1_S and IQ1_M: ternary vectors of eight from a codebook, 1.56 and 1.75 bits. */
#include "libquant/codec/iquant1.h"

#include <float.h>
#include <math.h>

#include "libquant/codec/block_type.h"
#include "libquant/codec/iquant.h"
#include "libquant/codec/iquant_blocks.h"

#define SHIFT 0.125f

const float iq1_plus[3] = {-1 + SHIFT, SHIFT, 1 + SHIFT};
const float iq1_minus[3] = {-1 - SHIFT, -SHIFT, 1 - SHIFT};

static void eight_values(float *dst, uint32_t code, float shift, float scale)
{
    for (int i = 0; i < 8; i++)
        dst[i] = scale * ((float)((int)(code >> 2 * i & 3) - 1) + shift);
}

/* ---- encoding: what both types share ---- */

/* What is stored of the elements under one scale. */
struct settled {
    float scale;       /* >= 0 */
    uint32_t minus;    /* as in iq1_split */
    uint16_t entry[4]; /* codebook entries of the groups */
};

/* Insertion sort: stable, and the numbers are few. */
static void sort(struct iq1_part *s)
{
    for (int i = 0; i < s->n; i++) {
        int k = i;
        for (; k > 0 && s->x[s->order[k - 1]] > s->x[i]; k--)
            s->order[k] = s->order[k - 1];
        s->order[k] = (uint8_t)i;
    }
}

/* The values of t + shift for a group. */
static const float *values_of(const struct iq1_part *s, uint32_t minus, int group)
{
    if (s->n == IQ1_M_PART)
        minus = minus >> (1 - group) & 1;
    return minus ? iq1_minus : iq1_plus;
}

static uint32_t nearest_entry(const uint16_t *list, const float *x, const float *weight,
                              const float *values, float scale)
{
    float best = FLT_MAX;
    uint32_t found = list[1];

    for (int n = 1; n <= list[0]; n++) {
        float distance = 0;
        for (int i = 0; i < 8; i++) {
            const float off = mul_sub(scale, values[list[n] >> 2 * i & 3], x[i]);
            distance = mul_add(weight[i] * off, off, distance);
        }
        if (distance < best) {
            best = distance;
            found = list[n];
        }
    }
    return found;
}

/* The best scale for the codes of all groups; `scale` where there is none. */
static float refit(const struct iq1_part *s, const uint32_t *codes, uint32_t minus, float scale)
{
    float qx = 0;
    float qq = 0;

    for (int i = 0; i < s->n; i++) {
        const float q = values_of(s, minus, i / 8)[codes[i / 8] >> i % 8 * 2 & 3];
        qx = mul_add(s->weight[i] * q, s->x[i], qx);
        qq = mul_add(s->weight[i] * q, q, qq);
    }
    return qx > 0 && qq > 0 ? qx / qq : scale;
}

/* The levels of a split, 0 to 2, or 2 to 0 if `flip`: two bits an element, as they lie in the row.
 */
static uint64_t split_levels(const struct iq1_part *s, bool flip)
{
    uint64_t levels = 0;

    for (int k = s->split.low; k < s->split.high; k++)
        levels |= (uint64_t)1 << 2 * s->order[k];
    for (int k = s->split.high; k < s->n; k++)
        levels |= (uint64_t)2 << 2 * s->order[k];
    return flip ? 0xaaaaaaaaaaaaaaaa - levels : levels;
}

/* From a split to codebook entries. */
static void settle(const struct iq1_part *s, const struct iq1_steps *steps, struct settled *f)
{
    const struct iq1_split *const split = &s->split;
    const struct book *const book = book_get(BOOK_IQ1);
    const bool flip = split->scale < 0;
    const uint64_t levels = split_levels(s, flip);
    uint32_t codes[4] = {0};
    bool moved = false;

    f->scale = flip ? -split->scale : split->scale;
    f->minus = flip ? split->minus ^ (s->n == IQ1_M_PART ? 3u : 1u) : split->minus;
    for (int g = 0; g < s->n / 8; g++) {
        codes[g] = (uint32_t)(levels >> 16 * g) & 0xffff;
        int32_t place = book->places[book_rank(book, codes[g])];
        if (place < 0) {
            moved = true;
            codes[g] = steps->nearest(book->lists + ~place, s->x + 8 * g, s->weight + 8 * g,
                                      values_of(s, f->minus, g), f->scale);
            place = book->places[book_rank(book, codes[g])];
        }
        f->entry[g] = (uint16_t)place;
    }
    if (moved)
        f->scale = refit(s, codes, f->minus, f->scale);
    if (!(f->scale >= 0))
        f->scale = 0; /* a NaN: see reproducibility.md */
}

/* Searches `count` parts of n elements. Those that are zero, that is less than `least`, give zeros.
 */
static void search(int n, int count, const float *x, const float *weight, float least,
                   const struct iq1_steps *steps, struct settled *f)
{
    struct iq1_part parts[IQ1_PARTS];

    for (int p = 0; p < count; p++, x += n, weight += n) {
        float max = fabsf(x[0]);
        for (int i = 1; i < n; i++)
            max = max > fabsf(x[i]) ? max : fabsf(x[i]);
        parts[p] = (struct iq1_part){.n = n, .x = x, .weight = weight, .zero = max < least};
    }
    steps->split(parts, count);
    for (int p = 0; p < count; p++) {
        f[p] = (struct settled){0};
        if (!parts[p].zero && parts[p].split.found)
            settle(&parts[p], steps, &f[p]);
    }
}

static float largest_scale(const struct settled *f, int count)
{
    float largest = 0;

    for (int p = 0; p < count; p++)
        largest = f[p].scale > largest ? f[p].scale : largest;
    return largest;
}

static float square_sum(const float *x)
{
    float sum = 0;

    for (int i = 0; i < IQ_BLOCK; i++)
        sum = mul_add(x[i], x[i], sum);
    return sum;
}

/* sum: square_sum(x), without importance not used */
static void weigh(const float *x, const float *importance, float sum, float *weight)
{
    const float spread = 2 * sum / IQ_BLOCK;

    for (int i = 0; i < IQ_BLOCK; i++)
        weight[i] = importance ? importance[i] * sqrtf(mul_add(x[i], x[i], spread)) : x[i] * x[i];
}

/* ---- IQ1_S ---- */

static void values_iq1_s(float *dst, const struct block_iq1_s *b)
{
    const float d = load_f16(b->d);

    for (int g = 0; g < 32; g++, dst += 8) {
        const uint32_t high = load_u16(b->qh[g / 4]);
        const uint32_t entry = b->qs[g] | (high >> g % 4 * 3 & 7) << 8;
        eight_values(dst, iq1_codes[entry], high & 0x8000 ? -SHIFT : SHIFT,
                     d * (float)(2 * (high >> 12 & 7) + 1));
    }
}

/* Keeps a split if it is better than the best so far. */
static void consider(struct iq1_split *best, float *score, float qx, float qq, int low, int high,
                     uint32_t minus)
{
    if (qq > 0 && qx * qx > *score * qq) {
        best->found = true;
        best->low = low;
        best->high = high;
        best->minus = minus;
        best->scale = qx / qq;
        *score = best->scale * qx;
    }
}

static void split_s(const struct iq1_part *s, struct iq1_split *split)
{
    enum { N = IQ1_S_PART };
    float wx[N + 1] = {0}; /* sums of weight * x and of weight over the first elements */
    float w[N + 1] = {0};
    float score = -FLT_MAX;

    *split = (struct iq1_split){0};
    for (int k = 0; k < N; k++) {
        const int i = s->order[k];
        wx[k + 1] = mul_add(s->weight[i], s->x[i], wx[k]);
        w[k + 1] = w[k] + s->weight[i];
    }
    for (int a = 0; a <= N; a++)
        for (int b = a; b <= N; b++) {
            const float x0 = wx[a], x1 = wx[b] - wx[a], x2 = wx[N] - wx[b];
            const float w0 = w[a], w1 = w[b] - w[a], w2 = w[N] - w[b];
            for (uint32_t minus = 0; minus < 2; minus++) {
                const float *const v = minus ? iq1_minus : iq1_plus;
                const float qx = mul_add(x2, v[2], mul_add(x0, v[0], x1 * v[1]));
                const float qq = mul_add(w0 * v[0], v[0], w1 * v[1] * v[1]);
                consider(split, &score, qx, mul_add(w2 * v[2], v[2], qq), a, b, minus);
            }
        }
}

/* All zero parts keep entry 0, which is not zero: -1 eight times. So it is in the reference. */
static void pack_iq1_s(struct block_iq1_s *b, const struct settled *f, float max)
{
    const float d = max / 15;
    const float inverse = 1 / d;

    store_scale(b->d, d * 1.125f);
    for (int p = 0; p < 8; p++, f++) {
        uint32_t high = 0;
        for (int g = 0; g < 4; g++) {
            b->qs[4 * p + g] = (uint8_t)f->entry[g];
            high |= (uint32_t)f->entry[g] >> 8 << 3 * g;
        }
        if (max != 0)
            high |= (uint32_t)scale_code(f->scale, inverse, 7) << 12 | f->minus << 15;
        store_u16(b->qh[p], (uint16_t)high);
    }
}

void iq1_s_blocks(struct block_iq1_s *b, int count, const float *x, const float *importance,
                  const float *sums, const struct iq1_steps *steps)
{
    struct settled f[IQ1_PARTS];
    float weight[IQ1_S_BLOCKS * IQ_BLOCK] = {0}; /* for gcc, which does not know that count > 0 */

    for (int k = 0; k < count; k++)
        weigh(x + k * IQ_BLOCK, importance ? importance + k * IQ_BLOCK : NULL, sums[k],
              weight + k * IQ_BLOCK);
    search(IQ1_S_PART, 8 * count, x, weight, 1e-12f, steps, f);
    for (int k = 0; k < count; k++)
        pack_iq1_s(b + k, f + 8 * k, largest_scale(f + 8 * k, 8));
}

static void encode_iq1_s(void *dst, const float *src, size_t rows, size_t cols,
                         const float *importance)
{
    struct block_iq1_s *b = dst;

    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < cols; c += IQ_BLOCK, src += IQ_BLOCK, b++) {
            float x[IQ_BLOCK];
            memcpy(x, src, sizeof x);
            const float sum = square_sum(x);
            iq1_s_blocks(b, 1, x, importance ? importance + c : NULL, &sum, &iq1_scalar_steps);
        }
}

BLOCK_TYPE(IQ1_S, iq1_s, IQ_BLOCK, TYPE_NEEDS_IMPORTANCE, finite_f16(b->d))

/* ---- IQ1_M ---- */

/* The block's scale is spread over the high nibbles of the four numbers of part scales. */
static uint16_t scale_iq1_m(const struct block_iq1_m *b)
{
    uint32_t d = 0;
    for (int i = 0; i < 4; i++)
        d |= (uint32_t)load_u16(b->scales[i]) >> 12 << 4 * i;
    return (uint16_t)d;
}

static void values_iq1_m(float *dst, const struct block_iq1_m *b)
{
    const float d = f16_to_f32(scale_iq1_m(b));

    for (int g = 0; g < 32; g++, dst += 8) {
        const uint32_t high = b->qh[g / 2] >> g % 2 * 4;
        const uint32_t code = load_u16(b->scales[g / 8]) >> g / 2 % 4 * 3 & 7u;
        eight_values(dst, iq1_codes[b->qs[g] | (high & 7) << 8], high & 8 ? -SHIFT : SHIFT,
                     d * (float)(2 * code + 1));
    }
}

/* Sums of one half over the first elements, and what they give for a split: a group at t = -1, 0, 1
 * contributes total * v[2] - (sum up to low) - (sum up to high), as the values v are 1 apart. */
struct half {
    float wx[IQ1_M_PART + 1];
    float w[IQ1_M_PART + 1];
};

static float half_qx(const struct half *h, const float *v, int low, int high)
{
    return mul_sub(h->wx[IQ1_M_PART], v[2], h->wx[low] + h->wx[high]);
}

static float half_qq(const struct half *h, const float *v, int low, int high)
{
    const float first = h->w[low] * (v[0] * v[0] - v[1] * v[1]);

    return mul_add(h->w[high], v[1] * v[1] - v[2] * v[2],
                   mul_add(h->w[IQ1_M_PART] * v[2], v[2], first));
}

static void split_m(const struct iq1_part *s, struct iq1_split *split)
{
    enum { N = IQ1_M_PART };
    struct half half[2] = {0};
    float score = -FLT_MAX;

    *split = (struct iq1_split){0};
    for (int k = 0; k < N; k++) {
        const int i = s->order[k];
        for (int h = 0; h < 2; h++) {
            const bool mine = i / 8 == h;
            half[h].wx[k + 1] =
                mine ? mul_add(s->weight[i], s->x[i], half[h].wx[k]) : half[h].wx[k];
            half[h].w[k + 1] = mine ? half[h].w[k] + s->weight[i] : half[h].w[k];
        }
    }
    for (int a = 0; a <= N; a++)
        for (int b = a; b <= N; b++)
            for (uint32_t minus = 0; minus < 4; minus++) {
                const float *const first = minus & 2 ? iq1_minus : iq1_plus;
                const float *const second = minus & 1 ? iq1_minus : iq1_plus;
                const float qx = half_qx(&half[0], first, a, b) + half_qx(&half[1], second, a, b);
                const float qq = half_qq(&half[0], first, a, b) + half_qq(&half[1], second, a, b);
                consider(split, &score, qx, qq, a, b, minus);
            }
}

/* The block's scale is fitted to all 256 elements, given their codes. */
static float fit_iq1_m(const struct settled *f, const uint8_t *codes, const float *x,
                       const float *weight, float d)
{
    float qx = 0;
    float qq = 0;

    for (int g = 0; g < IQ_BLOCK / 8; g++) {
        const struct settled *const part = f + g / 2;
        const float *const v = part->minus >> (1 - g % 2) & 1 ? iq1_minus : iq1_plus;
        const uint32_t levels = iq1_codes[part->entry[g % 2]];
        for (int i = 8 * g; i < 8 * g + 8; i++) {
            const float q = v[levels >> i % 8 * 2 & 3] * (float)(2 * codes[g / 2] + 1);
            qx = mul_add(weight[i] * q, x[i], qx);
            qq = mul_add(weight[i] * q, q, qq);
        }
    }
    return qq > 0 ? qx / qq : d;
}

static void pack_iq1_m(struct block_iq1_m *b, const struct settled *f, float max, const float *x,
                       const float *weight)
{
    const float d = max / 15;
    uint8_t codes[16];
    uint8_t fitted[2] = {0};
    uint32_t scales[4] = {0};

    for (int p = 0; p < 16; p++) {
        b->qs[2 * p] = (uint8_t)f[p].entry[0];
        b->qs[2 * p + 1] = (uint8_t)f[p].entry[1];
        b->qh[p] = (uint8_t)(f[p].entry[0] >> 8 | f[p].entry[1] >> 8 << 4);
        codes[p] = scale_code(f[p].scale, 1 / d, 7);
        if (max != 0) {
            b->qh[p] |= (uint8_t)((f[p].minus & 2) << 2 | (f[p].minus & 1) << 7);
            scales[p / 4] |= (uint32_t)codes[p] << p % 4 * 3;
        }
    }
    if (max != 0)
        store_scale(fitted, fit_iq1_m(f, codes, x, weight, d) * 1.1125f);
    for (int i = 0; i < 4; i++)
        store_u16(b->scales[i], (uint16_t)(scales[i] | (load_u16(fitted) >> 4 * i & 15u) << 12));
}

void iq1_m_block(struct block_iq1_m *b, const float *x, const float *importance, float sum,
                 const struct iq1_steps *steps)
{
    struct settled f[16];
    float weight[IQ_BLOCK];

    weigh(x, importance, sum, weight);
    search(IQ1_M_PART, 16, x, weight, 1e-7f, steps, f);
    pack_iq1_m(b, f, largest_scale(f, 16), x, weight);
}

static void encode_iq1_m(void *dst, const float *src, size_t rows, size_t cols,
                         const float *importance)
{
    struct block_iq1_m *b = dst;

    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < cols; c += IQ_BLOCK, src += IQ_BLOCK, b++) {
            float x[IQ_BLOCK];
            memcpy(x, src, sizeof x);
            iq1_m_block(b, x, importance ? importance + c : NULL, square_sum(x), &iq1_scalar_steps);
        }
}

static void split(struct iq1_part *parts, int count)
{
    for (int p = 0; p < count; p++) {
        if (parts[p].zero)
            continue;
        sort(&parts[p]);
        (parts[p].n == IQ1_S_PART ? split_s : split_m)(&parts[p], &parts[p].split);
    }
}

const struct iq1_steps iq1_scalar_steps = {.split = split, .nearest = nearest_entry};

BLOCK_TYPE(IQ1_M, iq1_m, IQ_BLOCK, 0, (scale_iq1_m(b) & F16_INF) != F16_INF)
