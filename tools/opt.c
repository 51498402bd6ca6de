/* opt.c -- parsing command lines by option tables. */
#include "tools/opt.h"

#include "libquant/base/memory.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const struct option global_options[] = {
    {"help", 'h', OPT_FLAG, NULL, "show this help"},
    {"quiet", 'q', OPT_FLAG, NULL, "print results and errors only"},
    {"json", 0, OPT_FLAG, NULL, "print the result as JSON"},
    {"threads", 0, OPT_VALUE, "N", "threads to use (default: one per processor)"},
    {"color", 0, OPT_VALUE, "WHEN", "auto, always or never (default: auto; NO_COLOR is honoured)"},
    {0},
};

/* One option of the command or of all commands, and the values it was given with. */
struct given {
    const struct option *option;
    size_t n;
    const char **values; /* of an OPT_LIST all of them, else the last; NULL for flags */
    int *places;         /* of the values in argv */
};

struct args {
    struct given *given;
    size_t n_given;
    const char **positional;
    size_t n_positional;
};

/* ---- names ---- */

static char canonical(char c)
{
    return c == '_' ? '-' : c;
}

/* Compares an option's name with the first len characters of s. */
static bool name_is(const char *name, const char *s, size_t len)
{
    if (strlen(name) != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (name[i] != canonical(s[i]))
            return false;
    return true;
}

enum { NEAR_MAX = 32 };

/* Number of letters to insert, remove, change, or swap with their neighbour. */
static unsigned distance(const char *a, const char *b)
{
    const size_t n = strlen(a), m = strlen(b);
    unsigned row[3][NEAR_MAX + 1];
    if (n > NEAR_MAX || m > NEAR_MAX)
        return NEAR_MAX;
    for (unsigned j = 0; j <= m; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        unsigned *const now = row[i % 3], *const last = row[(i + 2) % 3];
        const unsigned *const before = row[(i + 1) % 3];
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            unsigned d = last[j - 1] + (canonical(a[i - 1]) != canonical(b[j - 1]));
            d = last[j] + 1 < d ? last[j] + 1 : d;
            d = now[j - 1] + 1 < d ? now[j - 1] + 1 : d;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d = before[j - 2] + 1 < d ? before[j - 2] + 1 : d;
            now[j] = d;
        }
    }
    return row[n % 3][m];
}

const char *nearest_name(const char *name, const char *const *names, size_t n)
{
    const char *best = NULL;
    const size_t len = strlen(name);
    unsigned limit = len < 4 ? 1 : len < 8 ? 2 : 3;
    for (size_t i = 0; i < n; i++) {
        const unsigned d = distance(name, names[i]);
        if (d <= limit && d < strlen(names[i])) {
            best = names[i];
            limit = d - (d > 0);
        }
    }
    if (best || len < 3)
        return best;
    for (size_t i = 0; i < n; i++)
        if (strncmp(names[i], name, len) == 0)
            return names[i];
    return NULL;
}

/* ---- parsing ---- */

static lq_status unknown_option(const struct args *a, const struct command *c, const char *arg,
                                size_t len, lq_error *err)
{
    const char *names[64];
    char name[NEAR_MAX + 1];
    size_t n = 0;
    for (size_t i = 0; i < a->n_given && n < sizeof names / sizeof names[0]; i++)
        names[n++] = a->given[i].option->name;
    snprintf(name, sizeof name, "%.*s", (int)(len > NEAR_MAX ? NEAR_MAX : len), arg + 2);
    const char *const near = arg[1] == '-' ? nearest_name(name, names, n) : NULL;
    if (near)
        return lq_fail(err, LQ_E_USAGE, "unknown option %s; did you mean --%s?", arg, near);
    return lq_fail(err, LQ_E_USAGE, "unknown option %s; 'lq help %s' lists the options", arg,
                   c->name);
}

static struct given *find_long(const struct args *a, const char *name, size_t len)
{
    for (size_t i = 0; i < a->n_given; i++)
        if (name_is(a->given[i].option->name, name, len))
            return &a->given[i];
    return NULL;
}

static struct given *find_letter(const struct args *a, char letter)
{
    for (size_t i = 0; i < a->n_given; i++)
        if (a->given[i].option->letter == letter)
            return &a->given[i];
    return NULL;
}

/* Records one more occurrence; `value` NULL: a flag. `limit` is how many there can be at most. */
static lq_status record(struct given *g, const char *value, int place, size_t limit, lq_error *err)
{
    if (!value) {
        g->n++;
        return LQ_OK;
    }
    if (!g->values && !(g->values = mem_calloc(limit, sizeof *g->values)))
        return lq_fail_memory(err);
    if (!g->places && !(g->places = mem_calloc(limit, sizeof *g->places)))
        return lq_fail_memory(err);
    if (g->option->kind != OPT_LIST)
        g->n = 0;
    g->places[g->n] = place;
    g->values[g->n++] = value;
    return LQ_OK;
}

/* Parses the option at argv[*i] and moves *i to the last argument that it took. */
static lq_status parse_option(struct args *a, const struct command *c, int argc, char **argv,
                              int *i, lq_error *err)
{
    const char *const arg = argv[*i];
    const bool is_long = arg[1] == '-';
    const char *value = is_long ? strchr(arg, '=') : arg[2] ? arg + 2 : NULL;
    const size_t len = !is_long ? 0 : value ? (size_t)(value - arg - 2) : strlen(arg) - 2;
    struct given *const g = is_long ? find_long(a, arg + 2, len) : find_letter(a, arg[1]);
    if (!g)
        return unknown_option(a, c, arg, len, err);
    if (value && *value == '=')
        value++;
    if (g->option->kind == OPT_FLAG) {
        if (value)
            return lq_fail(err, LQ_E_USAGE, "option --%s takes no value", g->option->name);
    } else if (!value) {
        if (*i + 1 >= argc)
            return lq_fail(err, LQ_E_USAGE, "option %s%s needs a value: %s%s %s",
                           option_dashes(g->option), g->option->name, option_dashes(g->option),
                           g->option->name, g->option->arg);
        value = argv[++*i];
    }
    return record(g, value, *i, (size_t)argc, err);
}

/* Every option that the command knows, its own first. */
static lq_status list_options(struct args *a, const struct command *c, lq_error *err)
{
    size_t n = 0;
    for (const struct option *o = c->options; o && o->name; o++)
        n++;
    for (const struct option *o = global_options; o->name; o++)
        n++;
    if (!(a->given = mem_calloc(n, sizeof *a->given)))
        return lq_fail_memory(err);
    for (const struct option *o = c->options; o && o->name; o++)
        a->given[a->n_given++].option = o;
    for (const struct option *o = global_options; o->name; o++)
        if (c->has_json || strcmp(o->name, "json") != 0)
            a->given[a->n_given++].option = o;
    return LQ_OK;
}

static lq_status check_count(const struct args *a, const struct command *c, lq_error *err)
{
    if (args_flag(a, "help"))
        return LQ_OK;
    if (a->n_positional < (size_t)c->min_args)
        return lq_fail(err, LQ_E_USAGE, "too few arguments; usage: lq %s %s", c->name, c->synopsis);
    if (c->max_args >= 0 && a->n_positional > (size_t)c->max_args)
        return lq_fail(err, LQ_E_USAGE, "unexpected argument '%s'; usage: lq %s %s",
                       a->positional[c->max_args], c->name, c->synopsis);
    return LQ_OK;
}

static lq_status parse_all(struct args *a, const struct command *c, int argc, char **argv,
                           lq_error *err)
{
    bool options = true;
    LQ_TRY(list_options(a, c, err));
    if (!(a->positional = mem_calloc((size_t)argc, sizeof *a->positional)))
        return lq_fail_memory(err);
    for (int i = 1; i < argc; i++) {
        if (options && strcmp(argv[i], "--") == 0)
            options = false;
        else if (options && argv[i][0] == '-' && argv[i][1])
            LQ_TRY(parse_option(a, c, argc, argv, &i, err));
        else
            a->positional[a->n_positional++] = argv[i];
    }
    return check_count(a, c, err);
}

lq_status args_parse(struct args **out, const struct command *c, int argc, char **argv,
                     lq_error *err)
{
    struct args *const a = mem_calloc(1, sizeof *a);
    if (!a)
        return lq_fail_memory(err);
    const lq_status status = parse_all(a, c, argc, argv, err);
    if (status != LQ_OK)
        args_free(a);
    else
        *out = a;
    return status;
}

void args_free(struct args *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->n_given; i++) {
        free(a->given[i].values);
        free(a->given[i].places);
    }
    free(a->given);
    free(a->positional);
    free(a);
}

/* ---- what commands ask ---- */

static const struct given *given(const struct args *a, const char *name)
{
    const struct given *const g = find_long(a, name, strlen(name));
    assert(g || strcmp(name, "json") == 0);
    return g;
}

bool args_flag(const struct args *a, const char *name)
{
    const struct given *const g = given(a, name);
    return g && g->n > 0;
}

bool args_given(const struct args *a, const char *name)
{
    return given(a, name)->n > 0;
}

const char *args_value(const struct args *a, const char *name)
{
    const struct given *const g = given(a, name);
    return g->n ? g->values[g->n - 1] : NULL;
}

size_t args_list(const struct args *a, const char *name, const char *const **values)
{
    const struct given *const g = given(a, name);
    *values = g->values;
    return g->n;
}

int args_place(const struct args *a, const char *name, size_t i)
{
    const struct given *const g = given(a, name);
    assert(i < g->n);
    return g->places[i];
}

lq_status args_u64(const struct args *a, const char *name, uint64_t fallback, uint64_t min,
                   uint64_t max, uint64_t *out, lq_error *err)
{
    const char *const s = args_value(a, name);
    *out = fallback;
    if (s && (!text_parse_u64(s, max, out) || *out < min))
        return lq_fail(err, LQ_E_USAGE,
                       "option --%s: '%s' is not a whole number from %" PRIu64 " to %" PRIu64, name,
                       s, min, max);
    return LQ_OK;
}

size_t args_count(const struct args *a)
{
    return a->n_positional;
}

const char *args_at(const struct args *a, size_t i)
{
    assert(i < a->n_positional);
    return a->positional[i];
}
