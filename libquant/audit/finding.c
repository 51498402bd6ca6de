/* finding.c -- the list of what checks found. */
#include "libquant/audit/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool copy(struct findings *fs, const char **s)
{
    if (*s)
        *s = arena_strdup(&fs->arena, *s);
    return *s != NULL;
}

void findings_add(struct findings *fs, const struct finding *f, const char *fmt, ...)
{
    char message[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    if (!mem_grow((void **)&fs->list, &fs->cap, fs->n, sizeof *fs->list)) {
        fs->failed = true;
        return;
    }
    struct finding *const added = &fs->list[fs->n];
    *added = *f;
    if (added->severity > f->rule->severity)
        added->severity = f->rule->severity;
    added->message = message;
    if (!copy(fs, &added->message) || (f->file && !copy(fs, &added->file)) ||
        (f->location && !copy(fs, &added->location)) ||
        (f->evidence && !copy(fs, &added->evidence))) {
        fs->failed = true;
        return;
    }
    fs->n++;
}

void findings_release(struct findings *fs)
{
    free(fs->list);
    arena_free(&fs->arena);
    *fs = (struct findings){0};
}

void findings_sort(struct findings *fs)
{
    for (size_t i = 1; i < fs->n; i++) {
        const struct finding f = fs->list[i];
        size_t k = i;
        for (; k > 0 && fs->list[k - 1].severity < f.severity; k--)
            fs->list[k] = fs->list[k - 1];
        fs->list[k] = f;
    }
}

size_t findings_count(const struct findings *fs, enum severity at_least)
{
    size_t n = 0;
    for (size_t i = 0; i < fs->n; i++)
        n += fs->list[i].severity >= at_least;
    return n;
}

static const char *const names[] = {"note", "warning", "error"};

const char *severity_name(enum severity s)
{
    return names[s];
}

bool severity_parse(const char *name, enum severity *out)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], name) == 0) {
            *out = (enum severity)i;
            return true;
        }
    return false;
}
