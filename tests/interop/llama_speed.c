/* llama_speed.c -- tokens per second of llama.cpp on a prompt of 512 tokens, with the logits of all of them
 * computed: what eval_speed.c does with lq. (llama-bench computes those of the last token only, and
 * llama-perplexity those of a half.)
 *
 *   llama_speed THREADS ROUNDS MODEL        one line for each round; LQ_CPU=1: of processor time;
 *                                           LQ_PLAIN=1: weights are not rearranged for AMX and the like
 */
#include "llama.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TOKENS = 512 };

static double now(int threads)
{
    struct timespec t;
    const bool cpu = getenv("LQ_CPU") != NULL;
    clock_gettime(cpu ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return ((double)t.tv_sec + (double)t.tv_nsec * 1e-9) / (cpu ? threads : 1);
}

static void silent(enum ggml_log_level level, const char *text, void *ctx)
{
    (void)level;
    (void)text;
    (void)ctx;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    const int threads = atoi(argv[1]), rounds = atoi(argv[2]);
    llama_log_set(silent, NULL);
    llama_backend_init();
    struct llama_model_params m = llama_model_default_params();
    m.n_gpu_layers = 0;
    m.use_extra_bufts = getenv("LQ_PLAIN") == NULL;
    struct llama_model *const model = llama_model_load_from_file(argv[3], m);
    struct llama_context_params c = llama_context_default_params();
    c.n_ctx = c.n_batch = c.n_ubatch = TOKENS;
    c.n_threads = c.n_threads_batch = threads;
    struct llama_context *const ctx = model ? llama_init_from_model(model, c) : NULL;
    if (!ctx) {
        fprintf(stderr, "llama_speed: cannot load %s\n", argv[3]);
        return 1;
    }
    const unsigned vocab = (unsigned)llama_vocab_n_tokens(llama_model_get_vocab(model));
    struct llama_batch b = llama_batch_init(TOKENS, 0, 1);
    b.n_tokens = TOKENS;
    for (unsigned i = 0; i < TOKENS; i++) {
        b.token[i] = (llama_token)((7919 * i * i + 104729 * i + 13) % vocab);
        b.pos[i] = (llama_pos)i;
        b.n_seq_id[i] = 1;
        b.seq_id[i][0] = 0;
        b.logits[i] = 1;
    }
    for (int i = -1; i < rounds; i++) {
        llama_memory_clear(llama_get_memory(ctx), true);
        const double start = now(threads);
        if (llama_decode(ctx, b) != 0 || !llama_get_logits_ith(ctx, TOKENS - 1))
            return 1;
        if (i >= 0) /* the first one warms up */
            printf("%.1f\n", TOKENS / (now(threads) - start));
    }
    return 0;
}
