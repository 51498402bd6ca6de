/* measure.c -- run a command and say what it took.
 *
 *   measure FILE COMMAND [ARGUMENT...]
 *
 * FILE gets one line, "SECONDS CPU_SECONDS PEAK_KIB ANONYMOUS_KIB": wall time, user and system time,
 * peak of the resident set (the kernel's own figure: nothing is missed, mapped files are included)
 * and the highest RssAnon seen when looking a thousand times a second. Exits as the command does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* RssAnon of a process in KiB, 0 where it cannot be read. */
static long anonymous(const char *status)
{
    char buffer[4096];
    FILE *f = fopen(status, "r");
    if (!f)
        return 0;
    const size_t n = fread(buffer, 1, sizeof buffer - 1, f);
    buffer[n] = 0;
    fclose(f);
    const char *line = strstr(buffer, "RssAnon:");
    return line ? strtol(line + strlen("RssAnon:"), NULL, 10) : 0;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fputs("usage: measure FILE COMMAND [ARGUMENT...]\n", stderr);
        return 2;
    }
    const double start = now();
    const pid_t child = fork();
    if (child == 0) {
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    if (child < 0) {
        perror("fork");
        return 4;
    }
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/status", (int)child);
    const struct timespec pause = {.tv_nsec = 1000000};
    long highest = 0;
    int status = 0;
    struct rusage usage;
    while (wait4(child, &status, WNOHANG, &usage) == 0) {
        const long kib = anonymous(path);
        highest = kib > highest ? kib : highest;
        nanosleep(&pause, NULL);
    }
    const double end = now();
    FILE *out = fopen(argv[1], "w");
    if (!out || fprintf(out, "%.3f %.3f %ld %ld\n", end - start,
                        seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss,
                        highest) < 0 || fclose(out)) {
        perror(argv[1]);
        return 4;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
