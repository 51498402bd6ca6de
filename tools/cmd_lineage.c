/* cmd_lineage.c -- `lq lineage`: what a model is, measured against what it is said to be made of. */
#include "tools/lineage_report.h"

#include <string.h>

/* ---- --expect ---- */

/* "identical,re-derived": *mask has a bit for each verdict. */
static lq_status parse_expected(const char *list, unsigned *mask, lq_error *err)
{
    *mask = 0;
    for (const char *p = list; *p || !*mask;) {
        const size_t len = strcspn(p, ",");
        const enum lineage_verdict v = lineage_verdict_by_name(p, len);
        if (v == LINEAGE_VERDICTS)
            return lq_fail(err, LQ_E_USAGE, "--expect: there is no verdict \"%.*s\"",
                           (int)(len < 40 ? len : 40), p);
        *mask |= 1u << v;
        p += len + (p[len] == ',');
    }
    return LQ_OK;
}

static lq_status read_imatrix(struct imatrix *m, const char *path, lq_error *err)
{
    struct source *s;
    if (!path)
        return LQ_OK;
    LQ_TRY(source_open_file(&s, path, err));
    LQ_TRY(imatrix_read(m, s, err));
    return imatrix_check(m, err);
}

static lq_status find(const struct context *ctx, const struct args *args, const struct imatrix *m,
                      unsigned expected, struct lineage *l, lq_error *err)
{
    const struct lineage_options o = {.imatrix = m->n ? m : NULL, .isa = ctx->isa,
                                      .threads = ctx->threads, .progress = ctx->progress};
    const char *bases[LINEAGE_BASES + 1];
    size_t n = args_count(args) - 1;
    n = n < LINEAGE_BASES + 1 ? n : LINEAGE_BASES + 1;
    for (size_t i = 0; i < n; i++)
        bases[i] = args_at(args, i + 1);
    LQ_TRY(lineage_find(l, args_at(args, 0), bases, n, &o, err));
    if (ctx->json)
        LQ_TRY(lineage_print_json(ctx, l, err));
    else
        lineage_print_text(ctx, l, args_flag(args, "all"));
    return expected >> l->verdict & 1 ? LQ_OK : LQ_E_VERIFY;
}

static lq_status run(const struct context *ctx, const struct args *args, lq_error *err)
{
    const char *const expect = args_value(args, "expect");
    struct imatrix m = {0};
    struct lineage l = {0};
    unsigned expected;
    LQ_TRY(parse_expected(expect ? expect : "identical,re-derived,explained", &expected, err));
    lq_status status = read_imatrix(&m, args_value(args, "imatrix"), err);
    if (status == LQ_OK)
        status = find(ctx, args, &m, expected, &l, err);
    lineage_release(&l);
    imatrix_release(&m);
    return status;
}

static const struct option options[] = {
    {"imatrix", 0, OPT_VALUE, "FILE", "the importance matrix that was used, GGUF or .dat"},
    {"expect", 0, OPT_VALUE, "VERDICT,...",
     "exit with 0 for these verdicts; otherwise for identical, re-derived and explained"},
    {"all", 'a', OPT_FLAG, NULL, "list every tensor and every block that stands out"},
    {0},
};

const struct command command_lineage = {
    .name = "lineage",
    .summary = "find out what a model is made of, when nobody attests it",
    .synopsis = "CLAIMED BASE... [--imatrix FILE] [--expect VERDICT,...] [--all] [--json]",
    .description =
        "Measures a model against the models that it is said to be made of, whatever the formats, and "
        "gives a verdict: identical, re-derived (a quantization of BASE, bit for bit), explained (every "
        "block is what an honest quantizer can make of BASE), altered (one of these but for the blocks "
        "that are listed), partial (layers left out or moved, another vocabulary), merged, fine-tuned, "
        "unrelated, or undetermined.\n\n"
        "The verdict is about the relation of the two. It does not judge BASE.",
    .examples = "lq lineage model-q4_k_m.gguf ./model-folder\n"
                "lq lineage --imatrix imatrix.gguf model-iq3_xxs.gguf model-f16.gguf\n"
                "lq lineage merged ./first ./second --expect merged",
    .options = options,
    .min_args = 2,
    .max_args = -1,
    .has_json = true,
    .run = run,
};
