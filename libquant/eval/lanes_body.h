/* lanes_body.h -- the functions of lanes.h; each lanes_*.c includes this once and names the table with
 * LANES. */
#include "libquant/eval/elementary.h"
#include "libquant/eval/lanes.h"
#include "libquant/model/exact_math.h"

enum {
    LANE_COUNT = 16,
    FLOATS = VECTOR_BYTES / 4,               /* of a vector */
    WIDE = LANE_COUNT * 8 / VECTOR_BYTES     /* vectors of 16 doubles */
};

/* ((0+8)+(4+12)) + ((2+10)+(6+14)) + ...: halves are added until one is left. */
static inline double join(const double *lane)
{
    double s[LANE_COUNT];
    memcpy(s, lane, sizeof s);
    for (size_t half = LANE_COUNT / 2; half; half /= 2)
        for (size_t i = 0; i < half; i++)
            s[i] += s[i + half];
    return s[0];
}

/* Adds f(x[i]) for all i to 16 partial sums. `expression` sees the float x_i. */
#define LANE_SUM(lane, x, n, expression)                                                           \
    do {                                                                                           \
        size_t at_ = 0;                                                                            \
        for (; at_ + LANE_COUNT <= (n); at_ += LANE_COUNT)                                         \
            for (size_t l_ = 0; l_ < LANE_COUNT; l_++) {                                           \
                const float x_i = (x)[at_ + l_];                                                   \
                (lane)[l_] += (expression);                                                        \
            }                                                                                      \
        for (size_t l_ = 0; at_ + l_ < (n); l_++) {                                                \
            const float x_i = (x)[at_ + l_];                                                       \
            (lane)[l_] += (expression);                                                            \
        }                                                                                          \
    } while (0)

static void rms_norm(float *y, const float *x, const float *w, size_t n, double eps)
{
    double lane[LANE_COUNT] = {0};
    LANE_SUM(lane, x, n, (double)x_i * (double)x_i);
    const float r = (float)(1.0 / sqrt(join(lane) / (double)n + eps));
    if (w)
        for (size_t i = 0; i < n; i++)
            y[i] = x[i] * r * w[i];
    else
        for (size_t i = 0; i < n; i++)
            y[i] = x[i] * r;
}

static void layer_norm(float *y, const float *x, const float *w, const float *b, size_t n,
                       double eps)
{
    double lane[LANE_COUNT] = {0}, square[LANE_COUNT] = {0};
    LANE_SUM(lane, x, n, (double)x_i);
    const double mean = join(lane) / (double)n;
    LANE_SUM(square, x, n, ((double)x_i - mean) * ((double)x_i - mean));
    const float m = (float)mean, r = (float)(1.0 / sqrt(join(square) / (double)n + eps));
    for (size_t i = 0; i < n; i++)
        y[i] = (x[i] - m) * r;
    for (size_t i = 0; w && i < n; i++)
        y[i] *= w[i];
    for (size_t i = 0; b && i < n; i++)
        y[i] += b[i];
}

static void add(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] += x[i];
}

static void add_scaled(float *y, const float *x, float a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] += a * x[i];
}

static void multiply(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] *= x[i];
}

static void scale(float *y, float a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] *= a;
}

static void clamp(float *y, float limit, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float v = y[i] < -limit ? -limit : y[i];
        y[i] = v > limit ? limit : v;
    }
}

/* ---- element by element, a vector at a time ---- */

ELEMENTARY void map16(float *y, size_t n, float parameter, void (*f)(f32v *v, float parameter))
{
    f32v v;
    size_t i = 0;
    for (; i + (size_t)FLOATS <= n; i += (size_t)FLOATS) {
        memcpy(&v, y + i, sizeof v);
        f(&v, parameter);
        memcpy(y + i, &v, sizeof v);
    }
    if (i == n)
        return;
    memset(&v, 0, sizeof v);
    memcpy(&v, y + i, (n - i) * sizeof *y);
    f(&v, parameter);
    memcpy(y + i, &v, (n - i) * sizeof *y);
}

/* The same in double. */
ELEMENTARY void widened(f32v *v, double parameter, void (*f)(f64v *v, double parameter))
{
    f32h half[2];
    memcpy(half, v, sizeof half);
    for (int i = 0; i < 2; i++) {
        f64v wide = __builtin_convertvector(half[i], f64v);
        f(&wide, parameter);
        half[i] = __builtin_convertvector(wide, f32h);
    }
    memcpy(v, half, sizeof half);
}

/* y = x / (1 + exp(-a)) */
ELEMENTARY void times_sigmoid(f32v *x, const f32v *a)
{
    f32v e = -*a;
    exp_f32v(&e);
    *x = *x / (1.0f + e);
}

ELEMENTARY void soft_cap8(f64v *v, double cap)
{
    *v = *v / cap;
    tanh_f64v(v);
    *v = *v * cap;
}

ELEMENTARY void soft_cap16(f32v *v, float cap)
{
    widened(v, (double)cap, soft_cap8);
}

static void soft_cap(float *y, float cap, size_t n)
{
    map16(y, n, cap, soft_cap16);
}

ELEMENTARY void silu16(f32v *v, float unused)
{
    (void)unused;
    times_sigmoid(v, v);
}

static void silu(float *y, size_t n)
{
    map16(y, n, 0.0f, silu16);
}

ELEMENTARY void sigmoid16(f32v *v, float one)
{
    f32v ones = {0};
    ones = ones + one;
    times_sigmoid(&ones, v);
    *v = ones;
}

static void sigmoid(float *y, size_t n)
{
    map16(y, n, 1.0f, sigmoid16);
}

ELEMENTARY void gelu8(f64v *v, double unused)
{
    f64v p = *v;
    (void)unused;
    normal_f64v(&p);
    *v = *v * p;
}

ELEMENTARY void gelu16(f32v *v, float unused)
{
    (void)unused;
    widened(v, 0.0, gelu8);
}

static void gelu(float *y, size_t n)
{
    map16(y, n, 0.0f, gelu16);
}

/* (1 + tanh u) / 2 = 1 / (1 + exp(-2u)), with u = sqrt(2 / pi) (x + 0.044715 x^3) */
ELEMENTARY void gelu_tanh16(f32v *v, float unused)
{
    const f32v x = *v, u = 1.59576912f * (x * (1.0f + 0.044715f * x * x));
    (void)unused;
    times_sigmoid(v, &u);
}

static void gelu_tanh(float *y, size_t n)
{
    map16(y, n, 0.0f, gelu_tanh16);
}

static void relu_squared(float *y, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float v = y[i] > 0.0f ? y[i] : 0.0f;
        y[i] = v * v;
    }
}

ELEMENTARY void limit16(f32v *v, float limit)
{
    const f32v zero = {0}, x = *v;
    *v = SELECT_F32(x > zero + limit, zero + limit, x);
}

/* y / (1 + exp(-1.702 y)), y limited from above */
ELEMENTARY void oai_gate16(f32v *v, float limit)
{
    limit16(v, limit);
    const f32v u = *v * 1.702f;
    times_sigmoid(v, &u);
}

static void swiglu_oai(float *gate, const float *up, size_t n)
{
    map16(gate, n, 7.0f, oai_gate16);
    for (size_t i = 0; i < n; i++) {
        const float low = up[i] < -7.0f ? -7.0f : up[i];
        gate[i] *= (low > 7.0f ? 7.0f : low) + 1.0f;
    }
}

ELEMENTARY void shifted_exp16(f32v *v, float shift)
{
    *v = *v - shift;
    exp_f32v(v);
}

/* ---- rows ---- */

static float largest(const float *x, size_t n)
{
    float lane[LANE_COUNT];
    for (size_t l = 0; l < LANE_COUNT; l++)
        lane[l] = x[0];
    size_t i = 0;
    for (; i + LANE_COUNT <= n; i += LANE_COUNT)
        for (size_t l = 0; l < LANE_COUNT; l++)
            lane[l] = x[i + l] > lane[l] ? x[i + l] : lane[l];
    for (size_t l = 0; i + l < n; l++)
        lane[l] = x[i + l] > lane[l] ? x[i + l] : lane[l];
    float m = lane[0];
    for (size_t l = 1; l < LANE_COUNT; l++)
        m = lane[l] > m ? lane[l] : m;
    return m;
}

static void softmax(float *y, size_t n, const float *sink)
{
    float m = largest(y, n);
    m = sink && *sink > m ? *sink : m;
    float lane[LANE_COUNT] = {0}, rest = sink ? *sink : 0.0f;
    map16(y, n, m, shifted_exp16);
    map16(&rest, 1, m, shifted_exp16);
    LANE_SUM(lane, y, n, x_i);
    for (size_t half = LANE_COUNT / 2; half; half /= 2)
        for (size_t i = 0; i < half; i++)
            lane[i] += lane[i + half];
    const float r = 1.0f / (lane[0] + (sink ? rest : 0.0f));
    for (size_t i = 0; i < n; i++)
        y[i] *= r;
}

static void rotate_halves(float *x, const float *cosine, const float *sine, size_t half)
{
    for (size_t i = 0; i < half; i++) {
        const float a = x[i], b = x[i + half];
        x[i] = a * cosine[i] - b * sine[i];
        x[i + half] = b * cosine[i] + a * sine[i];
    }
}

static void rotate_pairs(float *x, const float *cosine, const float *sine, size_t half)
{
    for (size_t i = 0; i < half; i++) {
        const float a = x[2 * i], b = x[2 * i + 1];
        x[2 * i] = a * cosine[i] - b * sine[i];
        x[2 * i + 1] = b * cosine[i] + a * sine[i];
    }
}

static size_t argmax(const float *x, size_t n)
{
    const float m = largest(x, n);
    size_t i = 0;
    while (i + 1 < n && !(x[i] == m))
        i++;
    return i;
}

/* 16 floats as doubles; those from n on are `fill`. */
ELEMENTARY void widen16(f64v wide[WIDE], const float *x, size_t n, float fill)
{
    f32h part[WIDE];
    if (n >= LANE_COUNT) {
        memcpy(part, x, sizeof part);
    } else {
        float room[LANE_COUNT];
        for (size_t l = 0; l < LANE_COUNT; l++)
            room[l] = l < n ? x[l] : fill;
        memcpy(part, room, sizeof part);
    }
    for (int h = 0; h < WIDE; h++)
        wide[h] = __builtin_convertvector(part[h], f64v);
}

/* The logarithm of a sum of exponentials of distances from m, one of which is 0. */
static double log_of_sum(double m, double sum)
{
    return sum >= 1.0 && sum <= 1e300 ? m + exact_log(sum) : (double)NAN;
}

static double log_sum_exp(const float *x, size_t n)
{
    const double m = (double)largest(x, n);
    f64v sum[WIDE] = {{0}};
    for (size_t at = 0; at < n; at += LANE_COUNT) {
        f64v v[WIDE];
        widen16(v, x + at, n - at, -INFINITY);
        for (int h = 0; h < WIDE; h++) {
            v[h] = v[h] - m;
            exp_f64v(&v[h]);
            sum[h] = sum[h] + v[h];
        }
    }
    double lane[LANE_COUNT];
    memcpy(lane, sum, sizeof lane);
    return log_of_sum(m, join(lane));
}

static void compare_rows(const float *a, const float *b, size_t n, struct row_pair *out)
{
    const double m = (double)largest(a, n);
    f64v sum[WIDE] = {{0}}, weighted[WIDE] = {{0}};
    for (size_t at = 0; at < n; at += LANE_COUNT) {
        f64v p[WIDE], q[WIDE], r[WIDE];
        widen16(p, a + at, n - at, -INFINITY);
        widen16(r, a + at, n - at, 0.0f);
        widen16(q, b + at, n - at, 0.0f);
        for (int h = 0; h < WIDE; h++) {
            p[h] = p[h] - m;
            exp_f64v(&p[h]);
            sum[h] = sum[h] + p[h];
            weighted[h] = weighted[h] + p[h] * (r[h] - q[h]);
        }
    }
    double lane[LANE_COUNT], weights[LANE_COUNT];
    memcpy(lane, sum, sizeof lane);
    memcpy(weights, weighted, sizeof weights);
    const double total = join(lane);
    out->log_sum_a = log_of_sum(m, total);
    out->log_sum_b = log_sum_exp(b, n);
    out->divergence = join(weights) / total - out->log_sum_a + out->log_sum_b;
}

static double dot(const float *a, const float *b, size_t n)
{
    double lane[LANE_COUNT] = {0};
    for (size_t i = 0; i < n; i++)
        lane[i % LANE_COUNT] += (double)a[i] * (double)b[i];
    return join(lane);
}

static void add_squares(double *sums, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sums[i] += (double)x[i] * (double)x[i];
}

const struct lanes LANES = {
    rms_norm, layer_norm, add,     add_scaled,    multiply,     scale,  clamp,
    soft_cap, silu,       gelu,    gelu_tanh,     relu_squared, sigmoid, swiglu_oai,
    softmax,  rotate_halves, rotate_pairs, argmax, log_sum_exp, compare_rows, dot,
    add_squares,
};
