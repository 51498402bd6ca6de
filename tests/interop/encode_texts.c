/* encode_texts.c -- texts into tokens by libquant, for tests/interop/tokens.py.
 *
 *   encode_texts MODEL ADD PARSE < records > lines
 *
 * A record is the number of bytes, a line end, and the bytes; a line has the ids, or "error" and why.
 * ADD and PARSE are 0 or 1. With a fourth argument the lines are left out, and the last one is
 * seconds. */
#include "libquant/model/tokenizer_open.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* The processor's, so that a busy machine gives the same figures. */
static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
    struct tokenizer t = {0};
    lq_error err = {0};
    char line[64];
    double total = 0;
    if (argc < 4)
        return 2;
    const unsigned flags = (argv[2][0] == '1' ? ENCODE_ADD : 0) |
                           (argv[3][0] == '1' ? ENCODE_CONTROL : 0);
    if (tokenizer_open(&t, argv[1], &err) != LQ_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 3;
    }
    while (fgets(line, sizeof line, stdin)) {
        const size_t len = strtoul(line, NULL, 10);
        char *const text = malloc(len + 1);
        struct token_list ids = {0};
        if (!text || fread(text, 1, len, stdin) != len)
            return 4;
        const double from = seconds();
        const lq_status status = encoder_encode(t.encoder, text, len, flags, &ids, &err);
        total += seconds() - from;
        if (status != LQ_OK)
            printf("error: %s", err.message);
        for (size_t i = 0; i < ids.n && status == LQ_OK && argc < 5; i++)
            printf("%s%u", i ? " " : "", ids.id[i]);
        if (argc < 5)
            putchar('\n');
        token_list_free(&ids);
        free(text);
    }
    if (argc > 4)
        printf("%.6f\n", total);
    tokenizer_close(&t);
    return 0;
}
