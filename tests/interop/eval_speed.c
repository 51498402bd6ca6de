/* eval_speed.c -- how fast the evaluation is, beside what the machine can do: floating-point operations
 * per second of independent multiply-adds (the peak), of the matrix product, and of whole passes.
 *
 *   eval_speed THREADS ROUNDS peak|gemm|MODEL      LQ_ISA=avx2|avx512|neon
 *
 * Prints one line for each round: GFLOP/s and, for a model, tokens per second. A pass has 512 tokens and
 * computes the logits of all. Times are those of the clock; with LQ_CPU=1 the processor time of the
 * process over the number of threads, for a machine that others use, too.
 */
#include "formats/format.h"
#include "libquant/codec/kernels.h"
#include "libquant/eval/engine.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

enum { TOKENS = 512 };

static unsigned n_threads;
static unsigned chosen; /* mask of enum isa */

static double now(void)
{
    struct timespec t;
    const bool cpu = getenv("LQ_CPU") != NULL;
    clock_gettime(cpu ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return ((double)t.tv_sec + (double)t.tv_nsec * 1e-9) / (cpu ? n_threads : 1);
}

static void refuse(const char *what)
{
    fprintf(stderr, "eval_speed: %s\n", what);
    exit(1);
}

/* ---- the peak: chains that do not wait for each other, nothing read or written ---- */

#define CHAINS 24
#define CHAIN_STEPS 2000000

/* Declares a function that does CHAIN_STEPS x CHAINS vector multiply-adds. */
#define PEAK(name, attribute, vector, set, fma, store)                                             \
    attribute static double name(void)                                                             \
    {                                                                                              \
        vector sum[CHAINS], x = set(0.999f), y = set(0.001f);                                      \
        float out[16] = {0};                                                                       \
        for (int i = 0; i < CHAINS; i++)                                                           \
            sum[i] = set((float)i);                                                                \
        for (int step = 0; step < CHAIN_STEPS; step++) {                                           \
            _Pragma("GCC unroll 24") for (int i = 0; i < CHAINS; i++) sum[i] = fma(sum[i], x, y);  \
            __asm__ volatile("" : "+x"(x));                                                        \
        }                                                                                          \
        for (int i = 1; i < CHAINS; i++)                                                           \
            sum[0] = fma(sum[i], x, sum[0]);                                                       \
        store(out, sum[0]);                                                                        \
        return (double)out[0];                                                                     \
    }
#if defined(__x86_64__)
#undef CHAINS
#define CHAINS 12
PEAK(peak_avx2, __attribute__((target("avx2,fma"))), __m256, _mm256_set1_ps, _mm256_fmadd_ps,
     _mm256_storeu_ps)
PEAK(peak_avx512, __attribute__((target("avx512f"))), __m512, _mm512_set1_ps, _mm512_fmadd_ps,
     _mm512_storeu_ps)
#endif

static double peak_round(void)
{
    double (*f)(void) = NULL;
    double width = 0;
#if defined(__x86_64__)
    f = chosen & ISA_AVX512 ? peak_avx512 : chosen & ISA_AVX2 ? peak_avx2 : NULL;
    width = chosen & ISA_AVX512 ? 16 : 8;
#endif
    if (!f)
        refuse("no peak is known for this instruction set");
    const double start = now();
    double sum = 0;
#pragma omp parallel num_threads((int)n_threads)
    {
        const double x = f();
#pragma omp atomic
        sum += x;
    }
    if (!(sum > 0))
        refuse("the peak's sums are wrong");
    return 2.0 * width * CHAINS * CHAIN_STEPS * n_threads / (now() - start) * 1e-9;
}

/* ---- the matrix product, as the engine calls it: decoded tiles of weights, packed activations ---- */

enum { K = 2048, N = 192, REPEATS = 40 };

static double gemm_round(void)
{
    const struct gemm_kernel *const g = gemm_kernel_for(chosen);
    static float *packed, *w, *c, *scratch;
    const size_t a_floats = gemm_packed_floats(g, TOKENS, K), scratch_floats = gemm_scratch_floats(g, TOKENS);
    if (!packed) {
        packed = mem_calloc_huge(a_floats, sizeof *packed);
        w = mem_calloc_huge((size_t)n_threads * N * K, sizeof *w);
        c = mem_calloc_huge((size_t)n_threads * TOKENS * N, sizeof *c);
        scratch = mem_calloc_huge(n_threads * scratch_floats, sizeof *scratch);
        if (!packed || !w || !c || !scratch)
            refuse("no memory");
        for (size_t i = 0; i < a_floats; i++)
            packed[i] = (float)(i % 1013) * 1e-3f;
        for (size_t i = 0; i < (size_t)n_threads * N * K; i++)
            w[i] = (float)(i % 1009) * 1e-3f;
    }
    const double start = now();
#pragma omp parallel num_threads((int)n_threads)
    {
        const size_t t = (size_t)omp_get_thread_num();
        const struct gemm_weights rows = {gemm_fetch_rows, &(struct gemm_matrix){w + t * N * K, K},
                                          false};
        for (int i = 0; i < REPEATS; i++)
            gemm_rows(g, packed, TOKENS, K, &rows, N, c + t * TOKENS * N, N,
                      scratch + t * scratch_floats);
    }
    return 2.0 * TOKENS * K * N * REPEATS * n_threads / (now() - start) * 1e-9;
}

/* ---- whole passes ---- */

/* Multiply-adds for each token: of matrices, and of attention over half of the positions. */
static double multiply_adds(const struct graph *g)
{
    double sum = (double)g->vocab * g->embd;
    for (uint32_t i = 0; i < g->n_layers; i++) {
        const struct layer *const l = &g->layers[i];
        const struct tensor *const all[] = {l->q.t, l->k.t, l->v.t, l->qkv.t, l->out.t,
                                            l->gate.t, l->up.t, l->down.t};
        for (size_t k = 0; k < sizeof all / sizeof *all; k++)
            sum += all[k] ? (double)all[k]->elements : 0;
        sum += TOKENS / 2 * (double)g->heads * (g->key_dim + g->value_dim);
    }
    return sum;
}

static void check(lq_status status, const lq_error *err)
{
    char text[sizeof *err + 64];
    if (status == LQ_OK)
        return;
    fprintf(stderr, "eval_speed: %s\n", lq_error_text(err, text, sizeof text));
    exit(1);
}

static void run_model(const char *path, int rounds)
{
    struct catalog c = {0};
    struct engine e = {0};
    lq_error err = {.offset = -1};
    uint32_t tokens[TOKENS];
    check(model_open(&c, path, &err), &err);
    check(catalog_index(&c, &err), &err);
    const struct weights w = weights_stored(&c);
    const struct engine_options o = {chosen, n_threads, TOKENS, 1, NULL};
    check(engine_open(&e, &w, &o, &err), &err);
    float *const logits = mem_calloc_huge((size_t)TOKENS * e.graph.vocab, sizeof *logits);
    if (!logits)
        refuse("no memory");
    for (uint32_t i = 0; i < TOKENS; i++)
        tokens[i] = (7919 * i * i + 104729 * i + 13) % e.graph.vocab;
    for (int i = -1; i < rounds; i++) {
        const double start = now();
        check(engine_run(&e, tokens, 1, &err), &err);
        check(engine_logits(&e, 0, TOKENS, logits, &err), &err);
        const double seconds = now() - start;
        if (i >= 0) /* the first one warms up */
            printf("%.1f %.1f\n", 2.0 * TOKENS * multiply_adds(&e.graph) / seconds * 1e-9,
                   TOKENS / seconds);
    }
    free(logits);
    engine_release(&e);
    catalog_release(&c);
}

int main(int argc, char **argv)
{
    const char *const isa = getenv("LQ_ISA");
    if (argc != 4)
        refuse("eval_speed THREADS ROUNDS peak|gemm|MODEL");
    n_threads = (unsigned)atoi(argv[1]);
    const int rounds = atoi(argv[2]);
    chosen = isa_detect();
    if (isa && strcmp(isa, "avx2") == 0)
        chosen &= ISA_AVX2;
    const bool peak = strcmp(argv[3], "peak") == 0, gemm = strcmp(argv[3], "gemm") == 0;
    if (!peak && !gemm)
        run_model(argv[3], rounds);
    else
        (peak ? peak_round : gemm_round)();
    for (int i = 0; i < rounds && (peak || gemm); i++)
        printf("%.1f\n", (peak ? peak_round : gemm_round)());
    return 0;
}
