/* cmd_eval.c -- `lq eval`: how well a model predicts a text, and how far it is from another. */
#include "tools/eval_run.h"

static lq_status run(const struct context *ctx, const struct args *args, lq_error *err)
{
    struct eval_request q = {.model = args_at(args, 0),
                             .base = args_value(args, "base"),
                             .text = args_value(args, "text"),
                             .ids = args_value(args, "ids"),
                             .save = args_value(args, "save-all-logits")};
    LQ_TRY(args_u64(args, "ctx", 0, EVAL_MIN_LENGTH, EVAL_MAX_LENGTH, &q.length, err));
    LQ_TRY(args_u64(args, "chunks", 0, 1, UINT32_MAX, &q.most_chunks, err));
    return eval_run(ctx, &q, err);
}

static const struct option options[] = {
    {"text", 0, OPT_VALUE, "FILE", "the text, tokenized as llama-perplexity does it"},
    {"ids", 0, OPT_VALUE, "FILE", "the text as numbers of tokens, separated by blanks or lines"},
    {"ctx", 'c', OPT_VALUE, "N", "tokens in a chunk (512)"},
    {"chunks", 0, OPT_VALUE, "N", "score only so many chunks (of an encoder: lines)"},
    {"base", 0, OPT_VALUE, "MODEL", "compare the predictions with this model's, or with saved ones"},
    {"save-all-logits", 0, OPT_VALUE, "FILE", "save the predictions, for --base and llama-perplexity"},
    {0},
};

const struct command command_eval = {
    .name = "eval",
    .summary = "measure how well a model predicts a text",
    .synopsis = "MODEL --text FILE [--base MODEL] [--save-all-logits FILE] [--ctx N] [--json]",
    .description =
        "Runs the model (a GGUF file of any type, or a checkpoint's folder) in 32-bit floats and reports "
        "its perplexity, scored as llama-perplexity does it. With --base the predictions of both are "
        "compared: Kullback-Leibler divergence, how often they agree on the most likely token, how the "
        "probability of the right token changes. Of an encoder the embeddings of the text's lines are "
        "compared, by their cosines. Every digit, and the digest of the "
        "log-probabilities, is the same on every machine and for every number of threads.",
    .examples = "lq eval model-q4_k_m.gguf --text text.txt\n"
                "lq eval model-q4_k_m.gguf --text text.txt --base ./model-folder\n"
                "lq eval ./model-folder --text text.txt --save-all-logits logits.bin\n"
                "lq eval model-q4_k_m.gguf --base logits.bin",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .has_json = true,
    .run = run,
};
