/* llama_texts.c -- texts into tokens by llama.cpp, for tests/interop/tokens.py. It is linked with the
 * peer's libllama.
 *
 *   llama_texts MODEL ADD PARSE < records > lines
 *
 * A record is the number of bytes, a line end, and the bytes; a line has the ids. ADD and PARSE are 0
 * or 1. With a fourth argument the lines are left out, and the last one is seconds. */
#include <llama.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void quiet(enum ggml_log_level level, const char *text, void *data)
{
    (void)level, (void)text, (void)data;
}

/* The processor's, so that a busy machine gives the same figures. */
static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
    char line[64];
    double total = 0;
    if (argc < 4)
        return 2;
    llama_log_set(quiet, NULL);
    struct llama_model_params params = llama_model_default_params();
    params.vocab_only = true;
    struct llama_model *const model = llama_model_load_from_file(argv[1], params);
    if (!model)
        return 3;
    const struct llama_vocab *const vocab = llama_model_get_vocab(model);
    while (fgets(line, sizeof line, stdin)) {
        const size_t len = strtoul(line, NULL, 10);
        char *const text = malloc(len + 1);
        llama_token *const ids = malloc((len + 16) * sizeof *ids * 4);
        if (!text || !ids || fread(text, 1, len, stdin) != len)
            return 4;
        const double from = seconds();
        const int n = llama_tokenize(vocab, text, (int)len, ids, (int)(len + 16) * 4,
                                     argv[2][0] == '1', argv[3][0] == '1');
        total += seconds() - from;
        for (int i = 0; i < n && argc < 5; i++)
            printf("%s%d", i ? " " : "", ids[i]);
        if (argc < 5)
            putchar('\n');
        free(text);
        free(ids);
    }
    if (argc > 4)
        printf("%.6f\n", total);
    llama_model_free(model);
    return 0;
}
