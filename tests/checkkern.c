/* checkkern.c -- every vector kernel of this machine against the scalar definition, byte for byte.
 *
 *   checkkern [--long | --bench] [TYPE ...]
 *
 * Rows of all kinds of numbers, of many shapes, at all alignments; what a kernel reads and writes
 * lies against pages that cannot be touched. --bench prints MB/s of single-precision data.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "libquant/codec/kernels.h"
#include "tests/codec_data.h"

/* The instruction sets to test. scripts/check-avx512 names one that the CPU need not have. */
#ifndef ISA_TESTED
#define ISA_TESTED isa_detect()
#endif

enum { MAX_ELEMENTS = 1 << 17, ROOM = MAX_ELEMENTS * 8 + 4096 };

/* Memory between two forbidden pages. */
struct guarded {
    uint8_t *start;
    uint8_t *end;
};

static struct guarded src_mem, dst_mem, weight_mem;
static float master[MAX_ELEMENTS], decoded[MAX_ELEMENTS];
static uint8_t expected[ROOM];
static int passed, failed;

static struct guarded guarded_new(size_t size)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t inner = (size + page - 1) / page * page;
    uint8_t *const p =
        mmap(NULL, inner + 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED || mprotect(p, page, PROT_NONE) != 0 ||
        mprotect(p + page + inner, page, PROT_NONE) != 0) {
        perror("checkkern: mmap");
        exit(4);
    }
    return (struct guarded){p + page, p + page + inner};
}

/* Where `size` bytes go: against the first or the last guard, or somewhere odd between them. */
static uint8_t *place(const struct guarded *g, size_t size, int where, struct rng *r, size_t unit)
{
    if (where == 0)
        return g->start;
    if (where == 1)
        return g->end - size;
    return g->start + 64 + rng_below(r, 64) / unit * unit;
}

static void result(bool ok, const struct type_info *type, const char *isa, const char *what,
                   const char *data, size_t rows, size_t cols)
{
    if (ok) {
        passed++;
        return;
    }
    if (failed++ < 50)
        printf("FAIL %s %s %s: %s, %zu x %zu\n", type->name, isa, what, data, rows, cols);
}

/* ---- encoding ---- */

struct shape {
    size_t rows, blocks; /* blocks of a row */
};

static void check_encode(const struct type_info *type, type_encode_fn *encode, const char *isa,
                         const struct generator *g, struct shape shape, int kind, int where,
                         struct rng *r)
{
    static const char *const kinds[] = {"encode, importance", "encode, importance with zeros",
                                        "encode, constant importance", "encode"};
    const size_t cols = shape.blocks * type->block_len;
    const size_t src_size = shape.rows * cols * sizeof(float);
    const size_t dst_size = shape.rows * shape.blocks * type->block_bytes;
    uint8_t *const src = place(&src_mem, src_size, where, r, 1);
    uint8_t *const dst = place(&dst_mem, dst_size, where, r, 1);
    const float *importance = NULL;

    g->fill(r, master, shape.rows * cols);
    memcpy(src, master, src_size);
    if (kind < IMPORTANCE_KINDS) {
        float *const w = (float *)(void *)place(&weight_mem, cols * sizeof(float), where, r, 4);
        fill_importance(r, kind, w, cols);
        importance = w;
    }
    memset(dst_mem.start, 0xa5, dst_size + 256);
    memset(dst_mem.end - dst_size - 256, 0xa5, dst_size + 256);
    type->encode(expected, master, shape.rows, cols, importance);
    encode(dst, (const float *)(const void *)src, shape.rows, cols, importance);
    bool ok = memcmp(dst, expected, dst_size) == 0;
    for (size_t i = 1; i <= 64; i++) {
        ok = ok && (dst - i < dst_mem.start || dst[-(ptrdiff_t)i] == 0xa5);
        ok = ok && (dst + dst_size + i > dst_mem.end || dst[dst_size + i - 1] == 0xa5);
    }
    result(ok, type, isa, kinds[kind], g->name, shape.rows, cols);
}

/* ---- decoding ---- */

static bool same_numbers(const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (f32_bits(a[i]) != f32_bits(b[i]) && !(isnan(a[i]) && isnan(b[i])))
            return false;
    return true;
}

static void check_decode(const struct type_info *type, type_decode_fn *decode, const char *isa,
                         size_t blocks, int where, struct rng *r)
{
    const size_t src_size = blocks * type->block_bytes;
    const size_t n = blocks * type->block_len;
    uint8_t *const src = place(&src_mem, src_size, where, r, 1);
    float *const dst = (float *)(void *)place(&dst_mem, n * sizeof(float), where, r, 4);

    for (size_t i = 0; i < src_size; i++)
        src[i] = (uint8_t)rng_next(r);
    memset(dst_mem.start, 0xa5, n * sizeof(float) + 256);
    memset(dst_mem.end - n * sizeof(float) - 256, 0xa5, n * sizeof(float) + 256);
    type->decode(decoded, src, n);
    decode(dst, src, n);
    bool ok = same_numbers(dst, decoded, n);
    const uint8_t *const first = (const uint8_t *)dst, *const last = (const uint8_t *)(dst + n);
    for (ptrdiff_t i = 1; i <= 64; i++) {
        ok = ok && (first - i < dst_mem.start || first[-i] == 0xa5);
        ok = ok && (last + i > dst_mem.end || last[i - 1] == 0xa5);
    }
    result(ok, type, isa, "decode", "random bytes", 1, n);
}

/* ---- all of a type ---- */

/* The long run tries every shape with every kind of importance, the short one takes turns: some of
 * the scalar encoders make no more than a megabyte a second. */
static void check_type(const struct type_info *type, struct kernel k, const char *isa, bool more)
{
    static const struct shape shapes[] = {
        {1,  1 },
        {1,  2 },
        {3,  1 },
        {1,  7 },
        {2,  4 },
        {5,  3 },
        {7,  4 },
        {1,  17},
        {33, 2 }
    };
    const size_t count = sizeof shapes / sizeof shapes[0] - !more;
    const bool needs = type->flags & TYPE_NEEDS_IMPORTANCE;
    struct rng r = {type->id};

    for (size_t s = 0; s < count && k.encode != type->encode; s++)
        for (size_t g = 0; g < GENERATORS; g++)
            for (int kind = 0; kind <= IMPORTANCE_KINDS - needs; kind++)
                for (int where = 0; where < 3; where++)
                    if (more || (kind == (int)(s + g) % 4 && where == (int)(s + g / 3) % 3))
                        check_encode(type, k.encode, isa, &generators[g], shapes[s], kind, where,
                                     &r);
    for (size_t s = 0; s < count && k.decode != type->decode; s++)
        for (int i = 0; i < (more ? 300 : 20); i++)
            check_decode(type, k.decode, isa, shapes[s].rows * shapes[s].blocks, i % 3, &r);
}

/* ---- speed ---- */

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* others share the machine */
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

enum { BENCH_COLS = 4096, BENCH_ROWS = MAX_ELEMENTS / BENCH_COLS };

/* Seconds of one run over the whole buffer, the best within a third of a second. */
static double time_encode(type_encode_fn *encode, const float *importance)
{
    double best = 1e9;

    for (const double start = now(); now() - start < 0.3;) {
        const double t = now();
        encode(expected, master, BENCH_ROWS, BENCH_COLS, importance);
        best = now() - t < best ? now() - t : best;
    }
    return best;
}

static double time_decode(type_decode_fn *decode)
{
    double best = 1e9;

    for (const double start = now(); now() - start < 0.1;) {
        const double t = now();
        decode(decoded, expected, MAX_ELEMENTS);
        best = now() - t < best ? now() - t : best;
    }
    return best;
}

static double time_copy(void)
{
    double best = 1e9;

    for (int i = 0; i < 100; i++) {
        const double t = now();
        memcpy(decoded, master, sizeof decoded);
        __asm__ volatile("" ::: "memory");
        best = now() - t < best ? now() - t : best;
    }
    return best;
}

static void print_speed(const struct type_info *type, const char *isa, const char *what,
                        double scalar, double vector)
{
    const double mb = sizeof master * 1e-6;

    printf("%-8s %-7s %-28s scalar %8.0f MB/s  vector %8.0f MB/s  %6.2f  of a copy %5.2f\n",
           type->name, isa, what, mb / scalar, mb / vector, scalar / vector, time_copy() / vector);
}

static void bench_type(const struct type_info *type, struct kernel k, const char *isa)
{
    static const int kinds[] = {0 /* normal */, 3 /* laplace */, 4, 6, 7, 8, 12};
    static float weights[BENCH_COLS];
    char what[64];

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && k.encode != type->encode; i++) {
        const struct generator *const g = &generators[kinds[i]];
        struct rng r = {1};
        g->fill(&r, master, MAX_ELEMENTS);
        if (!(type->flags & TYPE_NEEDS_IMPORTANCE))
            print_speed(type, isa, g->name, time_encode(type->encode, NULL),
                        time_encode(k.encode, NULL));
        for (int kind = 0; kind < 2 && type->flags & TYPE_QUANTIZED; kind++) {
            fill_importance(&r, kind, weights, BENCH_COLS);
            snprintf(what, sizeof what, "%s, importance%s", g->name, kind ? " with 0" : "");
            print_speed(type, isa, what, time_encode(type->encode, weights),
                        time_encode(k.encode, weights));
        }
    }
    if (k.decode != type->decode) {
        struct rng r = {1};
        for (size_t i = 0; i < sizeof expected; i++)
            expected[i] = (uint8_t)(rng_next(&r) & 0x77); /* no NaN */
        print_speed(type, isa, "decode", time_decode(type->decode), time_decode(k.decode));
    }
}

static bool wanted(const char *name, int argc, char **argv, int first)
{
    for (int i = first; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return true;
    return first >= argc;
}

static void test_roundings(const struct type_info *type, enum isa isa, const char *isa_name,
                           bool bench, bool more)
{
    const struct type_info *const fused = type_rounded(type, ROUNDING_FUSED);
    char name[32];

    if (bench)
        bench_type(type, kernel_for(type, isa), isa_name);
    else
        check_type(type, kernel_for(type, isa), isa_name, more);
    if (bench || fused == type)
        return;
    snprintf(name, sizeof name, "%s, fused", isa_name);
    check_type(fused, kernel_for(fused, isa), name, more);
}

int main(int argc, char **argv)
{
    static const struct {
        enum isa isa;
        const char *name;
    } isas[] = {
        {ISA_AVX2,   "avx2"  },
        {ISA_AVX512, "avx512"},
        {ISA_NEON,   "neon"  }
    };
    const bool bench = argc > 1 && strcmp(argv[1], "--bench") == 0;
    const bool more = argc > 1 && strcmp(argv[1], "--long") == 0;

    src_mem = guarded_new(ROOM);
    dst_mem = guarded_new(ROOM);
    weight_mem = guarded_new(ROOM);
    for (size_t s = 0; s < sizeof isas / sizeof isas[0]; s++) {
        for (size_t i = 0; i < type_count() && (ISA_TESTED & isas[s].isa); i++) {
            if (!wanted(type_at(i)->name, argc, argv, 1 + (bench || more)))
                continue;
            test_roundings(type_at(i), isas[s].isa, isas[s].name, bench, more);
        }
    }
    if (!bench)
        printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
