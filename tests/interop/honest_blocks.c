/* honest_blocks.c -- the statistics of lineage_honest.h over honest blocks, and over changed ones.
 *
 *   honest_blocks calibrate BLOCKS [TYPE...]
 *       largest statistics among BLOCKS honest blocks of a type
 *   honest_blocks check BLOCKS [TYPE...]
 *       the same of other blocks than those
 *   honest_blocks curve BLOCKS [TYPE...]
 *       share of changed blocks that are found, by size of change
 *
 * Honest blocks are made of weights of several distributions, without importance and with random
 * ones of several kinds: all alike, within a factor of three, exponential, log-normal with a spread
 * of e^1 to e^3, and exponential with zeros for half of all but every eighth. Everything comes from
 * a counter, so that every run gives the same.
 */
#include "libquant/codec/kernels.h"
#include "libquant/provenance/lineage_honest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLS = 4096, KINDS = 8, WEIGHTS = 5 };

static const char *const kind_names[KINDS] = {"none",         "ones",         "uniform",
                                              "exponential",  "log-normal 1", "log-normal 2",
                                              "log-normal 3", "zeros"};

static uint64_t state = 1;

static uint64_t next(void)
{
    uint64_t x = state += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static double uniform(void)
{
    return ((double)(next() >> 11) + 0.5) * 0x1p-53;
}

static double normal(void)
{
    return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform());
}

/* ---- weights and importance ---- */

static float weight(int distribution)
{
    switch (distribution) {
    case 0: return (float)(0.02 * normal());
    case 1: return (float)(0.02 * (uniform() < 0.5 ? 1 : -1) * -log(uniform()));
    case 2: { /* Student's t with 4 degrees of freedom */
        double chi2 = 0;
        for (int i = 0; i < 4; i++) {
            const double z = normal();
            chi2 += z * z;
        }
        return (float)(0.02 * normal() / sqrt(chi2 / 4));
    }
    case 3: return (float)(0.02 * normal() * (uniform() < 0.01 ? 10 : 1)); /* outliers */
    default: return (float)(0.02 * (2 * uniform() - 1));
    }
}

static void make_row(float *x, int distribution)
{
    const float scale = (float)exp(normal());
    for (int i = 0; i < COLS; i++) {
        float v = scale * weight(distribution);
        uint32_t bits;
        memcpy(&bits, &v, sizeof bits);
        if (scale > 1) /* half of the rows are numbers of BF16 */
            bits &= 0xffff0000u;
        memcpy(&x[i], &bits, sizeof bits);
    }
}

static void make_importance(float *w, int kind)
{
    for (int i = 0; i < COLS; i++)
        w[i] = kind == 1   ? 1.0f
               : kind == 2 ? (float)(0.5 + uniform())
               : kind == 3 ? (float)-log(uniform())
               : kind == 7 ? i % 8 && uniform() < 0.5 ? 0.0f : (float)-log(uniform())
                           : (float)exp((kind - 3) * normal());
}

/* ---- one row ---- */

struct row {
    float x[COLS], w[COLS], v[COLS], again[COLS];
    uint8_t stored[COLS * 5], again_stored[COLS * 5];
};

static void encode(const struct type_info *type, enum rounding rounding, const float *x,
                   const float *w, uint8_t *out, float *v)
{
    const struct kernel k = kernel_for(type_rounded(type, rounding), isa_detect());
    k.encode(out, x, 1, COLS, w);
    k.decode(v, out, COLS);
}

static void block_of(const struct type_info *type, const struct row *r, size_t i,
                     struct honest_block *b)
{
    const size_t len = type->block_len, bytes = type->block_bytes;
    *b = (struct honest_block){r->stored + i * bytes, r->v + i * len, r->x + i * len,
                               r->again_stored + i * bytes, r->again + i * len};
}

/* ---- calibrate ---- */

static void calibrate(const struct honest *h, unsigned long blocks, struct row *r)
{
    const struct type_info *const type = h->type;
    const size_t per_row = COLS / type->block_len;
    double largest[KINDS][HONEST_STATISTICS] = {0};
    unsigned long done = 0, outside = 0;
    for (unsigned long n = 0; done < blocks; n++) {
        const int kind = (int)(n % KINDS);
        make_row(r->x, (int)(n / KINDS % WEIGHTS));
        make_importance(r->w, kind);
        const enum rounding rounding = n / KINDS % 2 ? ROUNDING_FUSED : ROUNDING_STRICT;
        encode(type, rounding, r->x, kind ? r->w : NULL, r->stored, r->v);
        encode(type, ROUNDING_STRICT, r->x, NULL, r->again_stored, r->again);
        for (size_t i = 0; i < per_row; i++, done++) {
            struct honest_block b;
            double s[HONEST_STATISTICS];
            block_of(type, r, i, &b);
            outside += honest_distance(h, &b) > 1;
            if (memcmp(b.stored, b.again_stored, type->block_bytes) == 0)
                continue;
            honest_measure(h, &b, s);
            for (int k = 0; k < HONEST_STATISTICS; k++)
                largest[kind][k] = fmax(largest[kind][k], s[k]);
        }
    }
    printf("%s: %lu honest blocks, %lu outside\n", type->name, done, outside);
    for (int kind = 0; kind < KINDS; kind++)
        printf("  %-14s codes %-10.4g part %-10.4g block %.4g\n", kind_names[kind],
               largest[kind][0], largest[kind][1], largest[kind][2]);
    fflush(stdout);
}

/* ---- curve ---- */

static const double sizes[] = {0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* Quantizes weights to which noise of a size, relative to the root mean square of the row, was
 * added, as an honest quantizer would, and looks at them beside the weights without. */
static void curve(const struct honest *h, unsigned long blocks, struct row *r)
{
    const struct type_info *const type = h->type;
    const size_t per_row = COLS / type->block_len;
    static float changed[COLS];
    printf("%-8s", type->name);
    for (int s = 0; s < SIZES; s++) {
        unsigned long found = 0, done = 0;
        for (unsigned long n = 0; done < blocks; n++) {
            const int kind = (int)(n % KINDS);
            double square = 0;
            make_row(r->x, (int)(n / KINDS % WEIGHTS));
            make_importance(r->w, kind);
            for (int i = 0; i < COLS; i++)
                square += (double)r->x[i] * (double)r->x[i];
            const double size = sizes[s] * sqrt(square / COLS);
            for (int i = 0; i < COLS; i++)
                changed[i] = r->x[i] + (float)(size * normal());
            encode(type, ROUNDING_STRICT, changed, kind ? r->w : NULL, r->stored, r->v);
            encode(type, ROUNDING_STRICT, r->x, NULL, r->again_stored, r->again);
            for (size_t i = 0; i < per_row; i++, done++) {
                struct honest_block b;
                block_of(type, r, i, &b);
                found += honest_distance(h, &b) > 1;
            }
        }
        printf(" %6.2f%%", 100.0 * (double)found / (double)done);
    }
    printf("\n");
    fflush(stdout);
}

static int usage(void)
{
    fputs("usage: honest_blocks calibrate|check|curve BLOCKS [TYPE...]\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    struct row *const r = malloc(sizeof *r);
    const unsigned long blocks = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    if (!r || !blocks)
        return usage();
    if (strcmp(argv[1], "curve") == 0) {
        printf("%-8s", "change");
        for (int s = 0; s < SIZES; s++)
            printf(" %6.1f%%", 100 * sizes[s]);
        printf("\n");
    } else if (strcmp(argv[1], "check") == 0) {
        state = UINT64_C(3) << 40;
    } else if (strcmp(argv[1], "calibrate") != 0) {
        return usage();
    }
    for (size_t t = 0; t < type_count(); t++) {
        const struct type_info *const type = type_at(t);
        const struct honest *const h = honest_of(type);
        bool wanted = argc == 3;
        for (int i = 3; i < argc; i++)
            wanted = wanted || type_by_name(argv[i]) == type;
        if (h && wanted)
            (strcmp(argv[1], "curve") == 0 ? curve : calibrate)(h, blocks, r);
    }
    free(r);
    return 0;
}
