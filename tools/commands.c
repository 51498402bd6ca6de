/* commands.c -- the table of commands, from commands.def. */
#include "tools/opt.h"

#include <string.h>

/* A row is a command, or the title of the group of commands that follow. */
static const struct {
    const char *group;
    const struct command *command;
} rows[] = {
#define GROUP(title) {title, NULL},
#define COMMAND(name) {NULL, &command_##name},
#include "tools/commands.def"
#undef COMMAND
#undef GROUP
};

enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

size_t command_count(void)
{
    size_t n = 0;
    for (size_t i = 0; i < ROW_COUNT; i++)
        n += rows[i].command != NULL;
    return n;
}

/* The row of command i. */
static size_t row_of(size_t i)
{
    size_t row = 0;
    while (!rows[row].command || i-- > 0)
        row++;
    return row;
}

const struct command *command_at(size_t i)
{
    return rows[row_of(i)].command;
}

const char *command_group_at(size_t i)
{
    const size_t row = row_of(i);
    return row > 0 ? rows[row - 1].group : NULL;
}

const struct command *command_by_name(const char *name)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (rows[i].command && strcmp(rows[i].command->name, name) == 0)
            return rows[i].command;
    return NULL;
}

const struct command *command_nearest(const char *name)
{
    const char *names[ROW_COUNT];
    size_t n = 0;
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (rows[i].command && !rows[i].command->hidden)
            names[n++] = rows[i].command->name;
    const char *const near = nearest_name(name, names, n);
    return near ? command_by_name(near) : NULL;
}
