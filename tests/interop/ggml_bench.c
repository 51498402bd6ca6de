/* ggml_bench.c -- how fast every kernel is beside ggml's function for the same, on one thread.
 * Linked with libggml-base; see scripts/interop-codec.
 *
 *   ggml_bench [TYPE ...]
 *
 * Both run in turn on the same data, in thread CPU time, as others may use the machine; medians are
 * shown. MB/s are of single-precision data. First small data, which stays in the cache; then, for
 * types that memory might limit, more than fits into one, beside a copy of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ggml.h"
#include "libquant/codec/kernels.h"
#include "tests/codec_data.h"

enum {
    COLS = 2048,
    SMALL_ROWS = 48,
    LARGE_ROWS = 8192, /* 64 MiB */
    ROUNDS = 7,
    MOST_SETS = 2
};

/* The instruction sets of this CPU that have kernels. */
static struct {
    enum isa isa;
    const char *name;
} sets[MOST_SETS];
static int n_sets;

static float *input, *output, weights[COLS];
static uint8_t *stored;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* What is timed: exactly one of encode and decode, or ggml's where both are NULL. */
struct work {
    const struct type_info *type;
    type_encode_fn *encode;
    type_decode_fn *decode;
    bool decodes;
    size_t rows;
    const float *importance;
};

static void work_once(const struct work *w)
{
    const enum ggml_type id = (enum ggml_type)w->type->id;

    if (w->encode)
        w->encode(stored, input, w->rows, COLS, w->importance);
    else if (w->decode)
        w->decode(output, stored, w->rows * COLS);
    else if (w->decodes)
        ggml_get_type_traits(id)->to_float(stored, output, (int64_t)(w->rows * COLS));
    else
        ggml_quantize_chunk(id, input, stored, 0, (int64_t)w->rows, COLS, w->importance);
}

/* Seconds of one run, of as many as take 5 milliseconds: for the first part of one, a processor
 * that has just run other code does wide operations slowly. */
static double time_once(const struct work *w)
{
    const double start = now();
    int runs = 0;

    do {
        work_once(w);
        runs++;
    } while (now() - start < 5e-3);
    return (now() - start) / runs;
}

static int compare_times(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *times)
{
    qsort(times, ROUNDS, sizeof *times, compare_times);
    return times[ROUNDS / 2];
}

static double time_copy(size_t rows)
{
    double times[ROUNDS];

    for (int i = 0; i < ROUNDS; i++) {
        const double start = now();
        memcpy(output, input, rows * COLS * sizeof *input);
        __asm__ volatile("" ::: "memory");
        times[i] = now() - start;
    }
    return median(times);
}

/* One line: ggml, and each instruction set with its ratio to ggml; with `copy` (seconds), also the
 * share of a copy's speed. */
static void bench(const struct type_info *type, const char *what, size_t rows, bool decodes,
                  const float *importance, double copy)
{
    const double mb = (double)(rows * COLS * sizeof *input) * 1e-6;
    double times[1 + MOST_SETS][ROUNDS];
    struct work work[1 + MOST_SETS];

    for (int k = 0; k <= n_sets; k++) {
        const struct kernel kernel = kernel_for(type, k ? sets[k - 1].isa : 0);
        work[k] = (struct work){type,
                                k && !decodes ? kernel.encode : NULL,
                                k && decodes ? kernel.decode : NULL,
                                decodes,
                                rows,
                                importance};
        work_once(&work[k]); /* faults pages in, fills caches */
    }
    for (int i = 0; i < ROUNDS; i++)
        for (int k = 0; k <= n_sets; k++)
            times[k][i] = time_once(&work[k]);
    const double ggml = median(times[0]);
    printf("%-8s %-22s %9.1f", type->name, what, mb / ggml);
    for (int k = 0; k < n_sets; k++) {
        const double ours = median(times[k + 1]);
        printf(" %9.1f %6.2f", mb / ours, ggml / ours);
        if (copy > 0)
            printf(" %4.0f %%", 100 * copy / ours);
    }
    printf("\n");
    fflush(stdout);
}

static void print_header(const char *title, bool copy)
{
    printf("\n%s\n%-8s %-22s %9s", title, "type", "", "ggml MB/s");
    for (int k = 0; k < n_sets; k++)
        printf(" %9s %6s%s", sets[k].name, "ratio", copy ? "   copy" : "");
    printf("\n");
}

static void bench_small(const struct type_info *type)
{
    /* the ordinary, and the corners where vectors may lose what they gain */
    static const int data[] = {0 /* normal */, 6 /* denormal */, 12 /* zero */};
    const bool quantized = type->flags & TYPE_QUANTIZED;
    const bool encodes = type->encode && !(type->flags & TYPE_INTERNAL); /* as in ggml */
    char what[64];

    for (size_t i = 0; i < sizeof data / sizeof data[0] && encodes; i++) {
        const struct generator *const g = &generators[data[i]];
        struct rng r = {1};
        g->fill(&r, input, SMALL_ROWS * COLS);
        if (!(type->flags & TYPE_NEEDS_IMPORTANCE))
            bench(type, g->name, SMALL_ROWS, false, NULL, 0);
        for (int kind = 0; kind < 2 - (i > 0) && quantized; kind++) {
            fill_importance(&r, kind, weights, COLS);
            snprintf(what, sizeof what, "%s, matrix%s", g->name, kind ? " with 0" : "");
            bench(type, what, SMALL_ROWS, false, weights, 0);
        }
    }
    if (type->decode && ggml_get_type_traits((enum ggml_type)type->id)->to_float) {
        struct rng r = {1};
        data_normal(&r, input, SMALL_ROWS * COLS);
        fill_importance(&r, 0, weights, COLS);
        if (type->encode)
            type->encode(stored, input, SMALL_ROWS, COLS, weights);
        bench(type, "decode", SMALL_ROWS, true, NULL, 0);
    }
}

/* Types whose encoders may be limited by memory. */
static void bench_large(const struct type_info *type)
{
    static const char *const plain[] = {"F16",  "BF16", "Q4_0", "Q4_1",  "Q5_0",  "Q5_1",
                                        "Q8_0", "Q1_0", "Q2_0", "TQ1_0", "TQ2_0", "MXFP4"};
    struct rng r = {1};

    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (strcmp(plain[i], type->name) != 0)
            continue;
        data_normal(&r, input, (size_t)LARGE_ROWS * COLS);
        bench(type, "normal", LARGE_ROWS, false, NULL, time_copy(LARGE_ROWS));
    }
}

static bool wanted(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return true;
    return argc < 2;
}

static void all_types(int argc, char **argv, void (*bench_type)(const struct type_info *type))
{
    for (size_t i = 0; i < type_count(); i++) {
        const struct type_info *const type = type_at(i);
        const bool same = kernel_for(type, isa_detect()).encode == type->encode &&
                          kernel_for(type, isa_detect()).decode == type->decode;
        if (type->id >= GGML_TYPE_COUNT || same || !wanted(type->name, argc, argv))
            continue;
        ggml_quantize_init((enum ggml_type)type->id);
        bench_type(type);
    }
}

int main(int argc, char **argv)
{
    const size_t n = (size_t)LARGE_ROWS * COLS;

    if (isa_detect() & ISA_AVX2)
        sets[n_sets].isa = ISA_AVX2, sets[n_sets++].name = "AVX2";
    if (isa_detect() & ISA_AVX512)
        sets[n_sets].isa = ISA_AVX512, sets[n_sets++].name = "AVX-512";
    if (isa_detect() & ISA_NEON)
        sets[n_sets].isa = ISA_NEON, sets[n_sets++].name = "NEON";
    input = malloc(n * sizeof *input);
    output = malloc(n * sizeof *output);
    stored = malloc(n * sizeof *input);
    if (!input || !output || !stored)
        return 4;
    print_header("encoding and decoding 0.4 MB of single-precision numbers", false);
    all_types(argc, argv, bench_small);
    print_header("encoding 67 MB, and the share of a memory copy's speed", true);
    all_types(argc, argv, bench_large);
    return 0;
}
