/* progress.c -- the progress line on a terminal, and the wish to stop. */
#include "tools/opt.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t stop_asked;

/* Times in seconds; `first` is when the run was first heard of. */
static struct {
    bool draw, shown;
    double first, last;
} line;

enum { LINE_WIDTH = 200 };

static void on_signal(int signal_number)
{
    (void)signal_number;
    stop_asked = 1;
}

static bool stop(void *ctx)
{
    (void)ctx;
    return stop_asked != 0;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int terminal_width(void)
{
    struct winsize w;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 20 ? w.ws_col : 80;
}

/* "1:02:03", "2:03" */
static void format_time(char dst[24], double seconds)
{
    const uint64_t s = seconds < 360000 ? (uint64_t)(seconds + 0.5) : 359999;
    if (s >= 3600)
        snprintf(dst, 24, "%" PRIu64 ":%02u:%02u", s / 3600, (unsigned)(s / 60 % 60),
                 (unsigned)(s % 60));
    else
        snprintf(dst, 24, "%u:%02u", (unsigned)(s / 60), (unsigned)(s % 60));
}

static void draw(double elapsed, uint64_t done, uint64_t total, const char *what)
{
    char rate[16], left[24], head[96];
    struct text text = {0};
    const double speed = (double)done / elapsed;
    print_size(rate, (uint64_t)speed);
    format_time(left, speed > 0 ? (double)(total - done) / speed : 0);
    snprintf(head, sizeof head, "%3u%%  %s/s  %s left  ",
             (unsigned)(total ? (double)done / (double)total * 100 : 0), rate, left);
    text_puts(&text, head);
    text_put_printable(&text, what ? what : "", what ? strlen(what) : 0);
    if (!text.failed) {
        int width = terminal_width() - 1;
        width = width < LINE_WIDTH ? width : LINE_WIDTH;
        fprintf(stderr, "\r\033[K%.*s", width, text.data);
        fflush(stderr);
        line.shown = true;
    }
    text_free(&text);
}

static void step(void *ctx, uint64_t done, uint64_t total, const char *what)
{
    (void)ctx;
    if (!line.draw)
        return;
    const double t = now();
    if (line.first == 0)
        line.first = t;
    if (done >= total) {
        progress_clear();
        line.first = 0;
    } else if (t - line.first >= 0.5 && t - line.last >= 0.1) {
        line.last = t;
        draw(t - line.first, done, total, what);
    }
}

void progress_clear(void)
{
    if (line.shown) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
        line.shown = false;
    }
}

const struct progress *progress_start(bool draw_line)
{
    static const struct progress progress = {step, stop, NULL};
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    /* SA_RESETHAND: the second signal has its default effect, should the run not stop. */
    struct sigaction action = {.sa_handler = on_signal,
                               .sa_flags = (int)(SA_RESTART | SA_RESETHAND)};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct sigaction old;
        /* What the caller ignores (nohup) stays ignored. */
        if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(signals[i], &action, NULL);
    }
    line.draw = draw_line && isatty(STDERR_FILENO);
    return &progress;
}
