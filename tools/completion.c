/* completion.c -- completions for bash, zsh and fish, written from the table of commands. */
#include "tools/opt.h"

#include <string.h>

/* Calls `put` for every option that the command knows. */
static void each_option(FILE *out, const struct command *c,
                        void (*put)(FILE *out, const struct command *c, const struct option *o))
{
    for (const struct option *o = c->options; o && o->name; o++)
        put(out, c, o);
    for (const struct option *o = global_options; o->name; o++)
        if (c->has_json || strcmp(o->name, "json") != 0)
            put(out, c, o);
}

/* In single quotes for a shell; brackets, which zsh would read, become parentheses. */
static void put_quoted(FILE *out, const char *s)
{
    fputc('\'', out);
    for (; *s; s++) {
        if (*s == '\'')
            fputs("'\\''", out);
        else
            fputc(*s == '[' ? '(' : *s == ']' ? ')' : *s == ':' ? ',' : *s, out);
    }
    fputc('\'', out);
}

/* ---- bash ---- */

static void bash_option(FILE *out, const struct command *c, const struct option *o)
{
    (void)c;
    fprintf(out, " %s%s", option_dashes(o), o->name);
}

static void print_bash(FILE *out)
{
    fputs("# bash completion for lq; made by `lq help --completion bash`\n"
          "_lq() {\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} words=\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
          "        words='",
          out);
    for (size_t i = 0; i < command_count(); i++)
        if (!command_at(i)->hidden)
            fprintf(out, "%s%s", i ? " " : "", command_at(i)->name);
    fputs("'\n"
          "    elif [[ $cur == -* ]]; then\n"
          "        case ${COMP_WORDS[1]} in\n",
          out);
    for (size_t i = 0; i < command_count(); i++) {
        const struct command *const c = command_at(i);
        if (c->hidden)
            continue;
        fprintf(out, "        %s) words='", c->name);
        each_option(out, c, bash_option);
        fputs("' ;;\n", out);
    }
    fputs("        esac\n"
          "    fi\n"
          "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
          "}\n"
          "complete -o default -F _lq lq\n",
          out);
}

/* ---- zsh ---- */

static void zsh_option(FILE *out, const struct command *c, const struct option *o)
{
    char head[96];
    (void)c;
    snprintf(head, sizeof head, "%s%s%s%s[", o->kind == OPT_LIST ? "*" : "", option_dashes(o), o->name,
             o->kind == OPT_FLAG ? "" : o->name[1] ? "=" : "+");
    fprintf(out, " \\\n            '%s'", head);
    put_quoted(out, o->help);
    if (o->kind == OPT_FLAG)
        fputs("']'", out);
    else
        fprintf(out, "']:%s:_files'", o->arg);
}

static void print_zsh(FILE *out)
{
    fputs("#compdef lq\n"
          "# zsh completion for lq; made by `lq help --completion zsh`\n"
          "_lq() {\n"
          "    local -a commands=(\n",
          out);
    for (size_t i = 0; i < command_count(); i++)
        if (!command_at(i)->hidden) {
            fprintf(out, "        '%s:'", command_at(i)->name);
            put_quoted(out, command_at(i)->summary);
            fputc('\n', out);
        }
    fputs("    )\n"
          "    if (( CURRENT == 2 )); then\n"
          "        _describe 'command' commands\n"
          "        return\n"
          "    fi\n"
          "    shift words; (( CURRENT-- ))\n"
          "    case ${words[1]} in\n",
          out);
    for (size_t i = 0; i < command_count(); i++) {
        if (command_at(i)->hidden)
            continue;
        fprintf(out, "        %s) _arguments", command_at(i)->name);
        each_option(out, command_at(i), zsh_option);
        fputs(" \\\n            '*:file:_files' ;;\n", out);
    }
    fputs("    esac\n"
          "}\n"
          "_lq \"$@\"\n",
          out);
}

/* ---- fish ---- */

static void fish_option(FILE *out, const struct command *c, const struct option *o)
{
    fprintf(out, "complete -c lq -n '__fish_seen_subcommand_from %s'", c->name);
    if (o->name[1])
        fprintf(out, " -l %s", o->name);
    if (o->letter)
        fprintf(out, " -s %c", o->letter);
    fprintf(out, "%s -d ", o->kind == OPT_FLAG ? "" : " -r");
    put_quoted(out, o->help);
    fputc('\n', out);
}

static void print_fish(FILE *out)
{
    fputs("# fish completion for lq; made by `lq help --completion fish`\n", out);
    for (size_t i = 0; i < command_count(); i++) {
        const struct command *const c = command_at(i);
        if (c->hidden)
            continue;
        fprintf(out, "complete -c lq -n __fish_use_subcommand -f -a %s -d ", c->name);
        put_quoted(out, c->summary);
        fputc('\n', out);
        each_option(out, c, fish_option);
    }
}

lq_status completion_print(FILE *out, const char *shell, lq_error *err)
{
    static const struct {
        const char *name;
        void (*print)(FILE *out);
    } shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};

    for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++)
        if (strcmp(shell, shells[i].name) == 0) {
            shells[i].print(out);
            return LQ_OK;
        }
    return lq_fail(err, LQ_E_USAGE, "no completions for '%s'; there are some for bash, zsh and fish",
                   shell);
}
