/* quantize_args.h -- the options of quantizing that several commands share: types of single tensors,
 * importance, metadata overrides. */
#ifndef LQ_TOOLS_QUANTIZE_ARGS_H
#define LQ_TOOLS_QUANTIZE_ARGS_H

#include "tools/command.h"

#include "libquant/convert/quantize.h"

/* Rows for a command's option table. */
#define QUANTIZE_OPTIONS                                                                           \
    {"imatrix", 0, OPT_VALUE, "FILE", "importance matrix, GGUF or .dat: better low-bit types"},    \
        {"include-weights", 0, OPT_LIST, "TEXT",                                                   \
         "use importance only for tensors named with TEXT"},                                       \
        {"exclude-weights", 0, OPT_LIST, "TEXT",                                                   \
         "do not use importance for tensors named with TEXT"},                                     \
        {"pure", 0, OPT_FLAG, NULL, "one type for all tensors instead of the mix"},                \
        {"tensor-type", 0, OPT_LIST, "NAME=TYPE",                                                  \
         "type for tensors whose name holds the regular expression NAME; the first one counts"},   \
        {"tensor-type-file", 0, OPT_LIST, "FILE",                                                  \
         "NAME=TYPE ... from a file, separated by spaces"},                                        \
        {"output-tensor-type", 0, OPT_VALUE, "TYPE", "type for output.weight"},                    \
        {"token-embedding-type", 0, OPT_VALUE, "TYPE", "type for the token embeddings"},           \
        {"leave-output-tensor", 0, OPT_FLAG, NULL, "keep output.weight as it is"},                 \
        {"allow-requantize", 0, OPT_FLAG, NULL, "accept a source that is quantized already"},      \
        {"allow-nonfinite", 0, OPT_FLAG, NULL, "pass NaN and infinite weights on"},                \
        {"rounding", 0, OPT_VALUE, "strict|fused",                                                 \
         "of multiply-adds: as in ggml for x86-64, or as clang fuses them for Arm (strict)"},      \
    {                                                                                              \
        "override-kv", 0, OPT_LIST, "KEY=TYPE:VALUE", "set metadata; int, float, bool or str"      \
    }

/* What they were given. The arrays are the struct's own; options point into it. */
struct quantize_args {
    struct quantize_options options; /* recipe.mix, prune, keep_split are left to the caller */
    struct imatrix imatrix;
    struct type_pattern *patterns;
    size_t n_patterns, cap_patterns;
    struct kv_override *overrides;
};

/* Fills a zeroed struct, which must not move afterwards; quantize_args_release also after a failure.
 * LQ_E_USAGE names the option at fault. */
lq_status quantize_args_parse(struct quantize_args *q, const struct context *ctx,
                              const struct args *args, lq_error *err);
/* --rounding and --allow-nonfinite. */
lq_status quantize_args_stream(struct stream_options *stream, const struct args *args,
                               lq_error *err);
void quantize_args_release(struct quantize_args *q);

#endif
