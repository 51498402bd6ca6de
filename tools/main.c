/* main.c -- the program lq: finds the command, prepares its context, prints its error, exits. */
#include "tools/opt.h"

#include "libquant/codec/kernels.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An output file must never get the number of a standard stream that the caller has closed. */
static void open_standard_streams(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) == -1 && errno == EBADF && open("/dev/null", O_RDWR) != fd)
            exit(lq_exit_code(LQ_E_IO));
}

static int print_error(const struct command *c, lq_status status, const lq_error *err)
{
    char text[sizeof *err + 64];
    progress_clear();
    if (err->message[0])
        fprintf(stderr, "lq: %s\n", lq_error_text(err, text, sizeof text));
    else if (status == LQ_E_INTERRUPTED)
        fputs("lq: interrupted\n", stderr);
    if (status == LQ_E_USAGE && c && !strstr(err->message, "lq help"))
        fprintf(stderr, "Try 'lq help %s'.\n", c->name);
    return lq_exit_code(status);
}

/* ---- context ---- */

static lq_status choose_isa(unsigned *isa, lq_error *err)
{
    static const struct {
        const char *name;
        unsigned needs, mask;
    } names[] = {
        {"scalar", 0, 0},
        {"avx2", ISA_AVX2, ISA_AVX2},
        {"avx512", ISA_AVX512, ISA_AVX512 | ISA_AVX2},
        {"neon", ISA_NEON, ISA_NEON},
    };
    const char *const wanted = getenv("LQ_ISA");
    const unsigned have = isa_detect();
    *isa = have;
    if (!wanted || !*wanted)
        return LQ_OK;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(wanted, names[i].name) != 0)
            continue;
        if ((have & names[i].needs) != names[i].needs)
            return lq_fail(err, LQ_E_USAGE, "LQ_ISA=%s: this machine does not have it", wanted);
        *isa = have & names[i].mask;
        return LQ_OK;
    }
    return lq_fail(err, LQ_E_USAGE, "LQ_ISA=%s: not one of scalar, avx2, avx512, neon", wanted);
}

static lq_status choose_color(const struct args *args, bool *color, lq_error *err)
{
    const char *const when = args_value(args, "color");
    const char *const no_color = getenv("NO_COLOR");
    const char *const term = getenv("TERM");
    *color = false;
    if (!when || strcmp(when, "auto") == 0)
        *color = isatty(STDOUT_FILENO) && !(no_color && *no_color) && term &&
                 strcmp(term, "dumb") != 0;
    else if (strcmp(when, "always") == 0)
        *color = true;
    else if (strcmp(when, "never") != 0)
        return lq_fail(err, LQ_E_USAGE, "option --color: '%s' is not auto, always or never", when);
    return LQ_OK;
}

static lq_status prepare(struct context *ctx, const struct args *args, lq_error *err)
{
    uint64_t threads;
    LQ_TRY(args_u64(args, "threads", 0, 1, 4096, &threads, err));
    LQ_TRY(choose_color(args, &ctx->color, err));
    LQ_TRY(choose_isa(&ctx->isa, err));
    ctx->out = stdout;
    ctx->err = stderr;
    ctx->threads = (unsigned)threads;
    ctx->quiet = args_flag(args, "quiet");
    ctx->json = args_flag(args, "json");
    ctx->progress = progress_start(!ctx->quiet);
    return LQ_OK;
}

/* ---- running ---- */

/* Results that did not reach their reader are a failure; a reader that went away ends the program
 * as it ends others in a pipe. */
static lq_status finish_output(lq_status status, lq_error *err)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    if (errno == EPIPE) {
        signal(SIGPIPE, SIG_DFL);
        raise(SIGPIPE);
    }
    return status ? status : lq_fail_errno(err, "standard output", "cannot write");
}

static int run_command(const struct command *c, int argc, char **argv)
{
    lq_error err = {.offset = -1};
    struct args *args = NULL;
    struct context ctx = {0};
    lq_status status = args_parse(&args, c, argc, argv, &err);
    if (status == LQ_OK)
        status = prepare(&ctx, args, &err);
    if (status == LQ_OK) {
        if (args_flag(args, "help"))
            help_command(stdout, ctx.color, c);
        else
            status = c->run(&ctx, args, &err);
        progress_clear();
        status = finish_output(status, &err);
    }
    args_free(args);
    return status == LQ_OK ? 0 : print_error(c, status, &err);
}

/* Replaces this program by lq-NAME from PATH; returns where there is none. */
static void run_external(char **argv)
{
    char name[256];
    if (strchr(argv[0], '/') ||
        snprintf(name, sizeof name, "lq-%s", argv[0]) >= (int)sizeof name)
        return;
    execvp(name, argv);
    if (errno != ENOENT) {
        fprintf(stderr, "lq: %s: %s\n", name, strerror(errno));
        exit(lq_exit_code(LQ_E_IO));
    }
}

static int unknown_command(char **argv)
{
    lq_error err = {.offset = -1};
    run_external(argv);
    const struct command *const near = command_nearest(argv[0]);
    if (near)
        lq_fail(&err, LQ_E_USAGE, "unknown command '%s'; did you mean '%s'?", argv[0], near->name);
    else
        lq_fail(&err, LQ_E_USAGE, "unknown command '%s'; 'lq help' lists them", argv[0]);
    return print_error(NULL, LQ_E_USAGE, &err);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *option, *command;
    } spellings[] = {{"--help", "help"}, {"-h", "help"}, {"--version", "version"}};

    open_standard_streams();
    if (argc < 2) {
        help_overview(stderr, false);
        return lq_exit_code(LQ_E_USAGE);
    }
    const char *name = argv[1];
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++)
        if (strcmp(name, spellings[i].option) == 0)
            name = spellings[i].command;
    const struct command *const c = command_by_name(name);
    if (!c)
        return unknown_command(argv + 1);
    /* Writes then fail with EPIPE and EFBIG, and what was begun is removed. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    return run_command(c, argc - 1, argv + 1);
}
