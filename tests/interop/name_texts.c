/* name_texts.c -- names the texts on standard input, for scripts/interop-license. Each is a line
 * "LENGTH NAME" and LENGTH bytes; printed is
 *   NAME <tab> microseconds of a processor, the fewest of three runs <tab> what differs <tab> IDS|how|score
 * <tab> ... */
#include "libquant/license/identify.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

int main(void)
{
    size_t len;
    char name[1024];
    while (scanf("%zu %1023[^\n]", &len, name) == 2 && getchar() == '\n') {
        char *const text = malloc(len + 1);
        struct identification id = {0};
        double best = 1e18;
        if (!text || fread(text, 1, len, stdin) != len)
            return 1;
        for (int i = 0; i < 3; i++) {
            identification_release(&id);
            const double begin = now();
            if (license_identify(&id, text, len, NULL) != LQ_OK)
                return 1;
            best = now() - begin < best ? now() - begin : best;
        }
        printf("%s\t%.0f\t%s", name, best, id.differs.data ? id.differs.data : "");
        for (size_t i = 0; i < id.n; i++)
            printf("\t%s|%s|%.4f", id.found[i].ids, text_match_name(id.found[i].how),
                   id.found[i].score);
        putchar('\n');
        identification_release(&id);
        free(text);
    }
    return 0;
}
