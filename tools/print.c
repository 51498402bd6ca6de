/* print.c -- tables and sizes for people. */
#include "tools/opt.h"

#include "libquant/base/memory.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

double bits_per_weight(uint64_t bytes, uint64_t elements)
{
    return elements ? (double)bytes * 8 / (double)elements : 0;
}

char *print_size(char dst[16], uint64_t bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 1000) {
        snprintf(dst, 16, "%u B", (unsigned)bytes);
        return dst;
    }
    double v = (double)bytes / 1000;
    size_t unit = 0;
    /* 999.5 would be printed as 1000 with three figures. */
    for (; v >= 999.5 && unit + 1 < sizeof units / sizeof units[0]; unit++)
        v /= 1000;
    snprintf(dst, 16, "%.*f %s", v < 9.995 ? 2 : v < 99.95 ? 1 : 0, v, units[unit]);
    return dst;
}

struct context context_beside(const struct context *ctx, const char *output)
{
    struct context beside = *ctx;
    if (strcmp(output, "-") == 0) {
        beside.out = ctx->err;
        beside.color = false;
    }
    return beside;
}

/* ---- tables ---- */

void table_cell(struct table *t, const char *fmt, ...)
{
    va_list args;
    char small[256];
    va_start(args, fmt);
    const int n = vsnprintf(small, sizeof small, fmt, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof small) {
        text_put_printable(&t->cells, small, (size_t)n);
    } else if (n >= 0) {
        char *const large = malloc((size_t)n + 1);
        va_start(args, fmt);
        if (large && vsnprintf(large, (size_t)n + 1, fmt, args) == n)
            text_put_printable(&t->cells, large, (size_t)n);
        else
            t->cells.failed = true;
        va_end(args);
        free(large);
    }
    text_putc(&t->cells, '\0');
    t->n++;
}

/* Characters of a printable text; each takes one column (wide ones are rare in names). */
static size_t width_of(const char *s)
{
    size_t n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

/* Prints the first `width` characters of s. */
static void put_cut(FILE *out, const char *s, size_t width)
{
    size_t n = 0;
    while (s[n] && (((unsigned char)s[n] & 0xc0) == 0x80 || width-- > 0))
        n++;
    fwrite(s, 1, n, out);
}

/* Prints a cell after the blanks that are owed, and returns the blanks that are owed after it: those
 * at the end of a line are never printed. */
static size_t put_cell(FILE *out, const char *s, size_t width, char align, size_t owed)
{
    const size_t n = width_of(s);
    const size_t before = align == 'r' && n < width ? width - n : 0;
    if (n == 0)
        return owed + width;
    fprintf(out, "%*s", (int)(owed + before), "");
    put_cut(out, s, n > width && width > 3 ? width - 3 : width);
    if (n > width && width > 3)
        fputs("...", out);
    return align != 'r' && n < width ? width - n : 0;
}

/* Takes what is too much from the widest column of text, but leaves it 12 characters. */
static void fit(size_t *width, const char *align, size_t columns, size_t max_width)
{
    size_t total = 2 * (columns - 1), widest = columns;
    for (size_t i = 0; i < columns; i++) {
        total += width[i];
        if (align[i] == 'l' && (widest == columns || width[i] > width[widest]))
            widest = i;
    }
    if (total <= max_width || widest == columns)
        return;
    const size_t excess = total - max_width;
    width[widest] = width[widest] > excess + 12 ? width[widest] - excess
                    : width[widest] < 12        ? width[widest]
                                                : 12;
}

static void print_rows(const struct table *t, const struct context *ctx, const size_t *width,
                       size_t columns)
{
    const char *cell = t->cells.data;
    size_t owed = 0;
    for (size_t i = 0; i < t->n; i++) {
        const size_t column = i % columns;
        if (i == 0 && ctx->color)
            fputs("\033[1m", ctx->out);
        owed = put_cell(ctx->out, cell, width[column], t->align[column], owed) + 2;
        if (column + 1 == columns) {
            fputs(i + 1 == columns && ctx->color ? "\033[0m\n" : "\n", ctx->out);
            owed = 0;
        }
        cell += strlen(cell) + 1;
    }
}

void table_print(struct table *t, const struct context *ctx, size_t max_width)
{
    const size_t columns = strlen(t->align);
    size_t *const width = mem_calloc(columns, sizeof *width);
    progress_clear();
    if (width && !t->cells.failed && t->n) {
        const char *cell = t->cells.data;
        for (size_t i = 0; i < t->n; i++) {
            const size_t n = width_of(cell);
            width[i % columns] = n > width[i % columns] ? n : width[i % columns];
            cell += strlen(cell) + 1;
        }
        if (max_width)
            fit(width, t->align, columns, max_width);
        print_rows(t, ctx, width, columns);
    }
    free(width);
    text_free(&t->cells);
    t->n = 0;
}
