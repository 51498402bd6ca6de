/* command.h -- what a command of lq is, and what it may call to parse, print and report progress.
 *
 * A command is one file, tools/cmd_<name>.c, that exports `const struct command command_<name>`, and
 * one line in commands.def. It stays thin: parse options, call the library, print. From this struct
 * come dispatch, `lq help`, the man page and the shell completions.
 */
#ifndef LQ_TOOLS_COMMAND_H
#define LQ_TOOLS_COMMAND_H

#include "libquant/base/progress.h"
#include "libquant/base/status.h"
#include "libquant/base/text.h"

#include <stdbool.h>
#include <stdio.h>

enum option_kind {
    OPT_FLAG,   /* --pure */
    OPT_VALUE,  /* --threads N, --threads=N; given twice, the last one counts */
    OPT_LIST    /* --tensor-type A=B, as often as wanted; args_list has them in order */
};

struct option {
    const char *name; /* "allow-requantize"; --allow_requantize is accepted too */
    char letter;      /* 'o' for -o, or 0; the name may be that letter: then there is no long form */
    uint8_t kind;     /* enum option_kind */
    const char *arg;  /* "FILE": for the help, NULL for flags */
    const char *help; /* one line, lower case, no full stop */
};

/* Every command also knows --help, --quiet, --threads N, --json (if has_json), --color WHEN. */
struct args;

/* What main() hands to a command. */
struct context {
    FILE *out;        /* results */
    FILE *err;        /* talk: progress, warnings */
    unsigned isa;     /* from LQ_ISA, else all that the machine has */
    unsigned threads; /* --threads, else 0: the library's choice */
    bool quiet;
    bool json;
    bool color;       /* ANSI colours are welcome on `out` */
    const struct progress *progress; /* draws on a terminal, notices SIGINT; never NULL */
};

/* The context for what a command says about a file that it writes: where that file goes to standard
 * output ("-"), results go to standard error. */
struct context context_beside(const struct context *ctx, const char *output);

struct command {
    const char *name;
    const char *summary;     /* "show what a model file holds" */
    const char *synopsis;    /* "MODEL [--json]" (without the name) */
    const char *description; /* paragraphs for `lq help NAME` and the man page; may be NULL */
    const char *examples;    /* lines "lq inspect model.gguf"; at least one */
    const struct option *options; /* ends with a zeroed one; NULL: none of its own */
    int min_args, max_args;       /* positional arguments; max_args -1: any number */
    bool has_json;
    bool hidden;             /* not listed */
    /* Returns LQ_OK or another status, with err filled in (main prints it and exits with
     * lq_exit_code). Commands that verify return LQ_E_VERIFY after having printed why, with
     * err->message empty. */
    lq_status (*run)(const struct context *ctx, const struct args *args, lq_error *err);
};

#define GROUP(title)
#define COMMAND(name) extern const struct command command_##name;
#include "tools/commands.def"
#undef COMMAND
#undef GROUP

/* ---- options as given ---- */

bool args_flag(const struct args *a, const char *name);
/* True where an option of any kind was given. */
bool args_given(const struct args *a, const char *name);
/* NULL where it was not given. */
const char *args_value(const struct args *a, const char *name);
/* Number of times an OPT_LIST was given; *values points to them. */
size_t args_list(const struct args *a, const char *name, const char *const **values);
/* Where on the command line value i of an OPT_LIST was given: for two lists whose common order
 * matters. */
int args_place(const struct args *a, const char *name, size_t i);
/* A number option; `fallback` where it was not given; LQ_E_USAGE where it is not a number or is
 * outside min..max. */
lq_status args_u64(const struct args *a, const char *name, uint64_t fallback, uint64_t min,
                   uint64_t max, uint64_t *out, lq_error *err);
size_t args_count(const struct args *a);
const char *args_at(const struct args *a, size_t i);

/* ---- printing ---- */

/* "98.4 MB": decimal, three significant figures, as the hub shows sizes. Returns dst. */
char *print_size(char dst[16], uint64_t bytes);
/* 0 where there are no elements. */
double bits_per_weight(uint64_t bytes, uint64_t elements);

/* A table with aligned columns: put the header first, then rows; numbers right-aligned where the
 * format letter is 'r', text left where 'l'. Cells are made printable (no control characters). */
struct table {
    const char *align; /* "lrr": one letter a column */
    struct text cells; /* NUL-separated */
    size_t n;
};
void table_cell(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Prints with two spaces between columns, and releases. `max_width` 0: as wide as needed. */
void table_print(struct table *t, const struct context *ctx, size_t max_width);

/* ---- JSON out ---- */

/* Writes JSON with two spaces of indentation to a text; keys in the order of the calls. */
struct json_out {
    struct text text;
    uint32_t depth;
    bool comma; /* state */
};
void out_object(struct json_out *j, const char *key); /* key NULL inside arrays and at the root */
void out_array(struct json_out *j, const char *key);
void out_end(struct json_out *j, char bracket); /* '}' or ']' */
void out_string(struct json_out *j, const char *key, const char *s);
void out_string_n(struct json_out *j, const char *key, const char *s, size_t len);
void out_u64(struct json_out *j, const char *key, uint64_t v);
void out_i64(struct json_out *j, const char *key, int64_t v);
/* Shortest form that reads back as the same double; NaN and infinities become null. */
void out_f64(struct json_out *j, const char *key, double v);
void out_bool(struct json_out *j, const char *key, bool v);
void out_null(struct json_out *j, const char *key);
/* Prints to ctx->out with a newline, and releases. */
lq_status out_print(struct json_out *j, const struct context *ctx, lq_error *err);

#endif
