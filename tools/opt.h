/* opt.h -- command lines: from a command's option table to struct args. For main.c and the help. */
#ifndef LQ_TOOLS_OPT_H
#define LQ_TOOLS_OPT_H

#include "tools/command.h"

/* What stands before an option's name: "--", or "-" where the name is a letter. */
static inline const char *option_dashes(const struct option *o)
{
    return o->name[1] ? "--" : "-";
}

/* What every command knows; ends with a zeroed one. */
extern const struct option global_options[];

/* Parses argv[1..argc) (argv[0] is the command's name), options and positional arguments in any
 * order; after "--" everything is positional. LQ_E_USAGE names the argument at fault. With --help
 * the number of positional arguments is not checked. argv must outlive *out. */
lq_status args_parse(struct args **out, const struct command *c, int argc, char **argv,
                     lq_error *err);
/* NULL is allowed. */
void args_free(struct args *a);

/* The one of n names that is near enough to `name` to be what was meant, or NULL. */
const char *nearest_name(const char *name, const char *const *names, size_t n);

/* ---- the table of commands (commands.c) ---- */

size_t command_count(void);
const struct command *command_at(size_t i);
/* Title of the group that begins at command i, or NULL within a group. */
const char *command_group_at(size_t i);
const struct command *command_by_name(const char *name);
const struct command *command_nearest(const char *name);

/* Prints `lq help` or, with a command, `lq help COMMAND` (cmd_help.c). */
void help_overview(FILE *out, bool color);
void help_command(FILE *out, bool color, const struct command *c);

/* Prints the completions for a shell (completion.c); LQ_E_USAGE where it is not a known one. */
lq_status completion_print(FILE *out, const char *shell, lq_error *err);

/* ---- progress.c ---- */

/* Installs the handlers of SIGINT, SIGTERM and SIGHUP (the first one asks the run to stop, the
 * second ends the program), and returns what a command's context points to. The line is drawn
 * where `draw` is set and standard error is a terminal. */
const struct progress *progress_start(bool draw);
/* Removes the line, before something else is printed. */
void progress_clear(void);

#endif
