/* linger.c -- preloaded into llama.cpp's programs: waits before the process ends.
 *
 * They print through a thread that is not joined at exit, so that the last lines, which hold the
 * result, are often lost.
 */
#include <stdlib.h>
#include <unistd.h>

static void linger(void)
{
    usleep(300000);
}

__attribute__((constructor)) static void begin(void)
{
    atexit(linger);
}
