/* llama_embeddings.c -- embeddings of the lines of a text, by llama.cpp, as raw floats on standard
 * output. It is linked with the peer's libllama.
 *
 *   llama_embeddings MODEL < text > floats */
#include <llama.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { LENGTH = 512 };

static void quiet(enum ggml_log_level level, const char *text, void *data)
{
    (void)level, (void)text, (void)data;
}

static bool embed(struct llama_context *ctx, const struct llama_model *model, const char *line)
{
    llama_token ids[LENGTH];
    const int n = llama_tokenize(llama_model_get_vocab(model), line, (int)strlen(line), ids, LENGTH,
                                 true, false);
    if (n <= 0)
        return false;
    llama_memory_clear(llama_get_memory(ctx), true);
    if (llama_encode(ctx, llama_batch_get_one(ids, n)) != 0)
        return false;
    const float *const v = llama_get_embeddings_seq(ctx, 0);
    const size_t dim = (size_t)llama_model_n_embd(model);
    return v && fwrite(v, sizeof *v, dim, stdout) == dim;
}

int main(int argc, char **argv)
{
    char line[4096];
    bool good = true;
    if (argc != 2)
        return 2;
    llama_log_set(quiet, NULL);
    struct llama_model *const model =
        llama_model_load_from_file(argv[1], llama_model_default_params());
    if (!model)
        return 3;
    struct llama_context_params params = llama_context_default_params();
    params.n_ctx = params.n_batch = params.n_ubatch = LENGTH;
    params.n_threads = params.n_threads_batch = 2;
    params.embeddings = true;
    struct llama_context *const ctx = llama_init_from_model(model, params);
    while (ctx && good && fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        good = embed(ctx, model, line);
    }
    llama_free(ctx);
    llama_model_free(model);
    return ctx && good ? 0 : 4;
}
