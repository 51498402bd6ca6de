/* cmd_license.c -- `lq license`: under which terms a model is, and whether what it says agrees. */
#include "tools/license_report.h"

#include "libquant/base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { BASES_LIMIT = 32 };

static void say_unread(const struct context *ctx, const char *path, const lq_error *unread)
{
    struct text t = {0};
    if (!unread->message[0])
        return;
    text_put_printable(&t, path, strlen(path));
    text_puts(&t, ": metadata were not read: ");
    text_put_printable(&t, unread->message, strlen(unread->message));
    fprintf(ctx->err, "lq: note: %s\n", t.data ? t.data : "");
    text_free(&t);
}

struct run {
    struct license_facts model, base[BASES_LIMIT];
    const struct license_facts *bases[BASES_LIMIT];
    size_t n;
    struct findings findings;
};

static lq_status read_all(struct run *r, const struct context *ctx, const struct args *args,
                          lq_error *err)
{
    const char *const *dirs;
    lq_error unread;
    const size_t n = args_list(args, "base", &dirs);
    if (n > BASES_LIMIT)
        return lq_fail(err, LQ_E_USAGE, "--base: at most %d", BASES_LIMIT);
    LQ_TRY(license_open(&r->model, args_at(args, 0), &unread, err));
    say_unread(ctx, args_at(args, 0), &unread);
    for (; r->n < n; r->n++) {
        r->bases[r->n] = &r->base[r->n];
        const lq_status status = license_open(&r->base[r->n], dirs[r->n], &unread, err);
        if (status != LQ_OK) {
            license_facts_release(&r->base[r->n]);
            return status;
        }
        say_unread(ctx, dirs[r->n], &unread);
    }
    return LQ_OK;
}

static lq_status run(const struct context *ctx, const struct args *args, lq_error *err)
{
    const char *const level = args_value(args, "fail-on");
    enum severity fail_on = SEVERITY_ERROR;
    const bool never = level && strcmp(level, "never") == 0;
    if (level && !never && !severity_parse(level, &fail_on))
        return lq_fail(err, LQ_E_USAGE, "--fail-on: \"%s\" is none of note, warning, error, never",
                       level);
    struct run *const r = mem_calloc(1, sizeof *r);
    if (!r)
        return lq_fail_memory(err);
    lq_status status = read_all(r, ctx, args, err);
    if (status == LQ_OK)
        status = license_rules(&r->findings, &r->model, r->bases, r->n, err);
    if (status == LQ_OK) {
        const struct license_report report = {&r->model, r->bases, r->n, &r->findings};
        if (ctx->json)
            status = license_print_json(&report, ctx, err);
        else
            license_print_text(&report, ctx);
    }
    if (status == LQ_OK && !never && findings_count(&r->findings, fail_on))
        status = LQ_E_VERIFY;
    findings_release(&r->findings);
    for (size_t i = 0; i < r->n; i++)
        license_facts_release(&r->base[i]);
    license_facts_release(&r->model);
    free(r);
    return status;
}

static const struct option options[] = {
    {"base", 0, OPT_LIST, "DIR", "a model that this one was made from; may be repeated"},
    {"fail-on", 0, OPT_VALUE, "LEVEL", "exit with 1 from: note, warning, error (default); or never"},
    {0},
};

const struct command command_license = {
    .name = "license",
    .summary = "report under which licence a model is, and whether its parts agree",
    .synopsis = "PATH [--base DIR...] [--fail-on LEVEL] [--json]",
    .description =
        "PATH is a model folder, a model file with what lies beside it, or a licence text. Every "
        "statement is listed with the place where it stands: licence texts, the model card, "
        "metadata, "
        "configuration, headers of code. Then what the licence asks, and what does not fit "
        "together, "
        "also with the models that this one was made from (--base).\n"
        "\n"
        "It reports what was found; it is no legal advice. Licences whose text was not read are "
        "unknown: nothing is assumed about them.",
    .examples = "lq license ./model-folder\n"
                "lq license model.gguf --base ./base-model\n"
                "lq license ./merge --base ./one --base ./two --json\n"
                "lq license ./model-folder --fail-on warning\n"
                "lq license LICENSE",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .has_json = true,
    .run = run,
};
