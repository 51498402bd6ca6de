/* cmd_help.c -- `lq help`: the commands, one command, and the tables of types and formats. */
#include "tools/opt.h"

#include "formats/format.h"
#include "libquant/codec/type.h"

#include <string.h>

enum { HELP_WIDTH = 80 };

/* ---- one command ---- */

static void heading(FILE *out, bool color, const char *title)
{
    fprintf(out, color ? "\033[1m%s\033[0m\n" : "%s\n", title);
}

/* Length of the longest beginning of s that fits into width columns and ends between two words. */
static size_t line_length(const char *s, size_t len, size_t width)
{
    if (len <= width)
        return len;
    size_t n = width;
    while (n > 0 && s[n] != ' ')
        n--;
    return n ? n : width;
}

/* Prints text whose first line began at column `column` already; later lines are indented to it. */
static void wrapped(FILE *out, const char *s, size_t len, size_t column)
{
    while (len > 0) {
        const size_t n = line_length(s, len, HELP_WIDTH - column);
        fprintf(out, "%.*s\n", (int)n, s);
        s += n;
        len -= n;
        for (; len > 0 && *s == ' '; s++)
            len--;
        if (len > 0)
            fprintf(out, "%*s", (int)column, "");
    }
}

/* A line of the description is a paragraph, however long; one that begins with a space is kept. */
static void print_description(FILE *out, const char *s)
{
    while (*s) {
        const size_t len = strcspn(s, "\n");
        if (len == 0)
            fputc('\n', out);
        else if (*s == ' ')
            fprintf(out, "%.*s\n", (int)len, s);
        else
            wrapped(out, s, len, 0);
        s += len + (s[len] == '\n');
    }
}

/* "  -a, --all", "      --json", and of an option whose name is a letter "  -o OUT" */
static void print_option(FILE *out, const struct option *o)
{
    enum { COLUMN = 30 };
    char letter[8] = "    ", left[64];
    if (o->letter)
        snprintf(letter, sizeof letter, "-%c%s", o->letter, o->name[1] ? ", " : "");
    snprintf(left, sizeof left, "  %s%s%s%s%s", letter, o->name[1] ? "--" : "",
             o->name[1] ? o->name : "", o->arg ? " " : "", o->arg ? o->arg : "");
    if (strlen(left) + 1 >= COLUMN)
        fprintf(out, "%s\n%*s", left, COLUMN, "");
    else
        fprintf(out, "%-*s", COLUMN, left);
    wrapped(out, o->help, strlen(o->help), COLUMN);
}

static void print_lines(FILE *out, const char *lines)
{
    while (*lines) {
        const size_t len = strcspn(lines, "\n");
        fprintf(out, "  %.*s\n", (int)len, lines);
        lines += len + (lines[len] == '\n');
    }
}

void help_command(FILE *out, bool color, const struct command *c)
{
    fprintf(out, "Usage: lq %s %s\n\nlq %s: %s.\n", c->name, c->synopsis, c->name, c->summary);
    if (c->description) {
        fputc('\n', out);
        print_description(out, c->description);
    }
    fputc('\n', out);
    heading(out, color, "Options");
    for (const struct option *o = c->options; o && o->name; o++)
        print_option(out, o);
    for (const struct option *o = global_options; o->name; o++)
        if (c->has_json || strcmp(o->name, "json") != 0)
            print_option(out, o);
    fputc('\n', out);
    heading(out, color, "Examples");
    print_lines(out, c->examples);
}

/* ---- all commands ---- */

static const struct {
    const char *code, *meaning;
} exit_codes[] = {
    {"0", "done; nothing to complain about"},
    {"1", "findings at or above the asked level, or a failed verification"},
    {"2", "wrong usage"},
    {"3", "the input is malformed, not supported, or does not fit together"},
    {"4", "reading, writing or memory failed"},
    {"130", "interrupted; nothing was left under the output's name"},
};

void help_overview(FILE *out, bool color)
{
    fputs("Usage: lq COMMAND [OPTION...] [ARGUMENT...]\n\n"
          "Converts, quantizes and checks open model files. Runs offline; every byte that it\n"
          "writes and every figure that it prints can be derived again, on any machine.\n",
          out);
    for (size_t i = 0; i < command_count(); i++) {
        const struct command *const c = command_at(i);
        if (command_group_at(i)) {
            fputc('\n', out);
            heading(out, color, command_group_at(i));
        }
        if (!c->hidden)
            fprintf(out, "  %-10s  %s\n", c->name, c->summary);
    }
    fputc('\n', out);
    heading(out, color, "More");
    fputs("  lq help COMMAND   options and examples of a command\n"
          "  lq help types     the tensor types\n"
          "  lq help formats   the file formats\n\n",
          out);
    heading(out, color, "Exit codes");
    for (size_t i = 0; i < sizeof exit_codes / sizeof exit_codes[0]; i++)
        fprintf(out, "  %-4s  %s\n", exit_codes[i].code, exit_codes[i].meaning);
}

/* ---- tables ---- */

static const char *type_note(const struct type_info *t)
{
    return t->flags & TYPE_INTERNAL          ? "read only"
           : t->flags & TYPE_INTEGER         ? "copied as it is"
           : t->flags & TYPE_NEEDS_IMPORTANCE ? "needs an importance matrix"
           : t->encode                       ? ""
                                             : "read only";
}

static void print_types(const struct context *ctx)
{
    struct table table = {.align = "lrrrrl"};
    static const char *const head[] = {"type", "bits/weight", "block", "bytes", "GGUF id", "notes"};
    for (size_t i = 0; i < sizeof head / sizeof head[0]; i++)
        table_cell(&table, "%s", head[i]);
    for (size_t i = 0; i < type_count(); i++) {
        const struct type_info *const t = type_at(i);
        table_cell(&table, "%s", t->name);
        table_cell(&table, "%.4g", 8.0 * t->block_bytes / t->block_len);
        table_cell(&table, "%u", t->block_len);
        table_cell(&table, "%u", t->block_bytes);
        if (t->id < 256)
            table_cell(&table, "%u", t->id);
        else
            table_cell(&table, "-");
        table_cell(&table, "%s", type_note(t));
    }
    table_print(&table, ctx, 0);
}

static void print_formats(const struct context *ctx)
{
    struct table table = {.align = "llll"};
    static const char *const head[] = {"format", "extension", "access", "what it is"};
    for (size_t i = 0; i < sizeof head / sizeof head[0]; i++)
        table_cell(&table, "%s", head[i]);
    for (size_t i = 0; i < format_count(); i++) {
        const struct format *const f = format_at(i);
        table_cell(&table, "%s", f->name);
        table_cell(&table, "%s", f->extension ? f->extension : "(folder)");
        table_cell(&table, "%s", f->layout ? "read, write" : "read");
        table_cell(&table, "%s", f->summary);
    }
    table_print(&table, ctx, 0);
}

static lq_status run(const struct context *ctx, const struct args *args, lq_error *err)
{
    if (args_value(args, "completion"))
        return completion_print(ctx->out, args_value(args, "completion"), err);
    if (args_count(args) == 0) {
        help_overview(ctx->out, ctx->color);
        return LQ_OK;
    }
    const char *const topic = args_at(args, 0);
    const struct command *const c = command_by_name(topic);
    if (c)
        help_command(ctx->out, ctx->color, c);
    else if (strcmp(topic, "types") == 0)
        print_types(ctx);
    else if (strcmp(topic, "formats") == 0)
        print_formats(ctx);
    else
        return lq_fail(err, LQ_E_USAGE, "no help on '%s'; 'lq help' lists the topics", topic);
    return LQ_OK;
}

static const struct option options[] = {
    {"completion", 0, OPT_VALUE, "SHELL", "print the completions for bash, zsh or fish"},
    {0},
};

const struct command command_help = {
    .name = "help",
    .summary = "explain lq, a command, the tensor types or the file formats",
    .synopsis = "[COMMAND | types | formats]",
    .examples = "lq help quantize\n"
                "lq help types\n"
                "lq help --completion bash >~/.local/share/bash-completion/completions/lq",
    .options = options,
    .max_args = 1,
    .run = run,
};
